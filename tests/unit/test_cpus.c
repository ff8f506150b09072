/* SPDX-License-Identifier: MIT */
/* How many CPUs are ours: affinity, and the quotas of cgroups as they look in containers. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ndshm/pool.h>

#include "base/os.h"
#include "base/os_cpu.h"
#include "pool/budget.h"
#include "support.h"

/* --- a machine made of files --- */

static char root[512];

static void write_file(const char *path, const char *text)
{
    char full[2048];
    snprintf(full, sizeof full, "%s%s", root, path);
    for (char *slash = full + strlen(root) + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
        *slash = '\0';
        mkdir(full, 0700);
    }
    FILE *file = fopen(full, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void begin_machine(const char *groups, const char *mounts)
{
    static int machines;
    snprintf(root, sizeof root, "%s/%d", support_directory(), machines++);
    mkdir(root, 0700);
    write_file("/proc/self/cgroup", groups);
    write_file("/proc/self/mountinfo", mounts);
    ndshm__os_root = root;
}

static void end_machine(void)
{
    ndshm__os_root = "";
}

static int affinity(void)
{
    cpu_set_t set;
    assert_int_equal(sched_getaffinity(0, sizeof set, &set), 0);
    return CPU_COUNT(&set);
}

/* A quota can only lower what affinity allows; this machine may have one CPU. */
#define assert_cpus(quota)                                                                         \
    assert_int_equal(ndshm__os_cpus(), (quota) < affinity() ? (quota) : affinity())

static const char unified_mount[] =
    "25 20 0:5 / /dev/shm rw - tmpfs tmpfs rw\n"
    "31 23 0:28 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";

static void test_no_cgroups(void **state)
{
    (void)state;
    begin_machine("", "");
    assert_cpus(INT32_MAX);
    begin_machine("garbage\n0::", "no mount\n - cgroup2\n");
    assert_cpus(INT32_MAX);
    end_machine();
}

static void test_unified_quota(void **state)
{
    static const struct {
        const char *text;
        int cpus;
    } quotas[] = {{"max 100000", INT32_MAX}, {"100000 100000", 1},    {"50000 100000", 1},
                  {"1 100000", 1},           {"100001 100000", 2},    {"200000 100000", 2},
                  {"-1 100000", INT32_MAX},  {"100000 0", INT32_MAX}, {"", INT32_MAX}};
    (void)state;
    for (size_t i = 0; i < sizeof quotas / sizeof *quotas; i++) {
        begin_machine("0::/a.slice/b.scope\n", unified_mount);
        write_file("/sys/fs/cgroup/a.slice/b.scope/cpu.max", quotas[i].text);
        assert_cpus(quotas[i].cpus);
    }
    end_machine();
}

/* The limit of a Kubernetes pod is on a parent of the container's group. */
static void test_the_least_quota_of_all_ancestors(void **state)
{
    static const char *const levels[] = {"/sys/fs/cgroup/a/b/c/cpu.max",
                                         "/sys/fs/cgroup/a/b/cpu.max", "/sys/fs/cgroup/a/cpu.max",
                                         "/sys/fs/cgroup/cpu.max"};
    (void)state;
    for (int low = 0; low < 4; low++) {
        begin_machine("0::/a/b/c\n", unified_mount);
        for (int i = 0; i < 4; i++)
            write_file(levels[i], i == low ? "90000 100000" : "900000 100000");
        write_file("/sys/fs/cpu.max", "1 1"); /* outside of the mount: nothing of ours */
        assert_int_equal(ndshm__os_cpus(), 1);
    }
    begin_machine("0::/a/b/c\n", unified_mount);
    write_file("/sys/fs/cpu.max", "1 1");
    assert_cpus(INT32_MAX);
    end_machine();
}

static const char version1_mounts[] =
    "32 31 0:29 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
    "33 31 0:30 / /sys/fs/cgroup/cpu,cpuacct rw shared:1 - cgroup cgroup rw,cpu,cpuacct\n"
    "34 31 0:31 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";

static void test_version_1(void **state)
{
    (void)state;
    begin_machine("5:cpuset:/\n4:cpuacct,cpu:/box/inner\n0::/other\n", version1_mounts);
    write_file("/sys/fs/cgroup/cpu,cpuacct/box/inner/cpu.cfs_quota_us", "-1\n");
    write_file("/sys/fs/cgroup/cpu,cpuacct/box/inner/cpu.cfs_period_us", "100000\n");
    assert_cpus(INT32_MAX);
    write_file("/sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_quota_us", "80000\n");
    write_file("/sys/fs/cgroup/cpu,cpuacct/box/cpu.cfs_period_us", "100000\n");
    assert_int_equal(ndshm__os_cpus(), 1);
    end_machine();
}

/* In a container without a cgroup namespace, the group's path is the host's, and the mount shows
 * that group; with one, and outside of it, the path begins with "/..". */
static void test_mounts_of_containers(void **state)
{
    static const char mounts[] =
        "9 1 0:30 /docker/0123 /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n";
    static const char *const groups[] = {"4:cpu:/docker/0123\n", "4:cpu:/../docker/0123\n",
                                         "4:cpu:/docker/01234\n"};
    (void)state;
    for (int i = 0; i < 3; i++) {
        begin_machine(groups[i], mounts);
        write_file("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "100000");
        write_file("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000");
        assert_int_equal(ndshm__os_cpus(), 1);
    }
    begin_machine("4:cpu:/docker/0123/sub\n", mounts);
    write_file("/sys/fs/cgroup/cpu/sub/cpu.cfs_quota_us", "100000");
    write_file("/sys/fs/cgroup/cpu/sub/cpu.cfs_period_us", "100000");
    assert_int_equal(ndshm__os_cpus(), 1);
    end_machine();
}

static void test_memory_of_all_ancestors(void **state)
{
    char which[256] = "";
    (void)state;
    begin_machine("0::/a/b\n", unified_mount);
    assert_true(ndshm__os_cgroup_headroom(which, sizeof which) == INT64_MAX);
    write_file("/sys/fs/cgroup/a/b/memory.max", "max\n");
    write_file("/sys/fs/cgroup/a/b/memory.current", "5000\n");
    write_file("/sys/fs/cgroup/a/memory.max", "9000\n");
    write_file("/sys/fs/cgroup/a/memory.current", "6000\n");
    assert_int_equal(ndshm__os_cgroup_headroom(which, sizeof which), 3000);
    assert_string_equal(which, "/sys/fs/cgroup/a");
    write_file("/sys/fs/cgroup/a/memory.current", "9001\n");
    assert_int_equal(ndshm__os_cgroup_headroom(which, sizeof which), 0);
    end_machine();
}

/* --- the kernel's own --- */

#define GROUP "/sys/fs/cgroup/cpu/ndshm-test"

static int in_real_group(void *argument)
{
    (void)argument;
    int before = ndshm__os_cpus();
    SUPPORT_CHECK(support_run(NULL, 0, "echo %d > " GROUP "/inner/cgroup.procs", (int)getpid()) ==
                  0);
    SUPPORT_CHECK(ndshm__os_cpus() == before);
    SUPPORT_CHECK(support_run(NULL, 0, "echo 70000 > " GROUP "/cpu.cfs_quota_us") == 0);
    SUPPORT_CHECK(ndshm__os_cpus() == 1);
    return 0;
}

static void test_a_real_quota(void **state)
{
    (void)state;
    if (support_run(NULL, 0,
                    "mkdir -p " GROUP "/inner 2> /dev/null && test -w " GROUP "/cpu.cfs_quota_us"))
        skip();
    int verdict = support_child(in_real_group, NULL);
    support_run(NULL, 0, "rmdir " GROUP "/inner " GROUP);
    assert_int_equal(verdict, 0);
}

static int on_one_cpu(void *argument)
{
    ndshm__cpus all, one;
    (void)argument;
    SUPPORT_CHECK(ndshm__os_affinity(&all) == 0);
    SUPPORT_CHECK(ndshm__cpus_count(&all) == affinity());
    SUPPORT_CHECK(ndshm__budget_choose(NDSHM_PIN_CORE, 0, &all, NULL, &one) == 0);
    SUPPORT_CHECK(ndshm__os_set_affinity(&one) == 0);
    SUPPORT_CHECK(affinity() == 1 && ndshm__os_cpus() == 1 && ndshm__budget() == 1);
    return 0;
}

static void test_affinity(void **state)
{
    (void)state;
    assert_int_equal(support_child(on_one_cpu, NULL), 0);
}

/* --- sharing them out --- */

static void test_shares(void **state)
{
    (void)state;
    assert_int_equal(ndshm__budget_share(8, 2), 4);
    assert_int_equal(ndshm__budget_share(8, 3), 2);
    assert_int_equal(ndshm__budget_share(8, 8), 1);
    assert_int_equal(ndshm__budget_share(2, 100), 1);
    assert_int_equal(ndshm__budget_share(2, 0), 1);
}

/* CPUs 0 to 3 of node 7, 4 to 7 of node 2, and so on by turns. */
static int two_nodes(int cpu)
{
    return cpu / 4 % 2 ? 2 : 7;
}

static int no_nodes(int cpu)
{
    (void)cpu;
    return -EIO;
}

static void expect_choice(int pin, int slot, const ndshm__cpus *allowed, uint64_t expected)
{
    ndshm__cpus chosen;
    assert_ok(ndshm__budget_choose(pin, slot, allowed, two_nodes, &chosen));
    assert_int_equal(chosen.bits[0], expected);
    for (int i = 1; i < NDSHM__CPUS_MAX / 64; i++)
        assert_int_equal(chosen.bits[i], 0);
}

static void test_choices(void **state)
{
    ndshm__cpus allowed = {{0xFF3C}}, chosen, none = {{0}};
    (void)state;
    expect_choice(NDSHM_PIN_CORE, 0, &allowed, 0x4);
    expect_choice(NDSHM_PIN_CORE, 3, &allowed, 0x20);
    expect_choice(NDSHM_PIN_CORE, 12, &allowed, 0x4); /* round again: 12 are allowed */
    expect_choice(NDSHM_PIN_NODE, 0, &allowed, 0x0F0C);
    expect_choice(NDSHM_PIN_NODE, 1, &allowed, 0xF030);
    expect_choice(NDSHM_PIN_NODE, 6, &allowed, 0x0F0C);
    assert_int_equal(ndshm__budget_choose(NDSHM_PIN_NODE, 0, &allowed, no_nodes, &chosen), -EIO);
    assert_int_equal(ndshm__budget_choose(NDSHM_PIN_CORE, 0, &none, two_nodes, &chosen), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_no_cgroups),
        SUPPORT_TEST(test_unified_quota),
        SUPPORT_TEST(test_the_least_quota_of_all_ancestors),
        SUPPORT_TEST(test_version_1),
        SUPPORT_TEST(test_mounts_of_containers),
        SUPPORT_TEST(test_memory_of_all_ancestors),
        SUPPORT_TEST(test_a_real_quota),
        SUPPORT_TEST(test_affinity),
        SUPPORT_TEST(test_shares),
        SUPPORT_TEST(test_choices),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
