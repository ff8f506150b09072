/* SPDX-License-Identifier: MIT */
/* Too little of everything: pages, inodes, descriptors, address space, file size, processes,
 * mappings and a memory cgroup. Each operation says what it lacks, leaves nothing, and works with
 * more. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ndshm/compute.h>
#include <ndshm/csv.h>

#include "base/base.h"
#include "pools.h"
#include "segments.h"
#include "support.h"

#define NAME "t-scarce"
enum { PAGE = 4096, ROWS = 4000, RESULT_PAGES = 6, SOMEBODY = 65534, PATIENCE_MS = 20000 };

static ndshm_array *array;
static ndshm_frame *frame, *source;
static ndshm_pool *pool;
static ndshm_job *job;
static double data[ROWS];
static char csv[300], params[40000];
static const int64_t length = ROWS;

/* --- the operations; a new one is a row --- */

static int nothing(void)
{
    return 0;
}

static int create(void)
{
    return ndshm_array_create(NAME, NDSHM_FLOAT64, 1, &length, NULL, &array);
}

static int create_from(void)
{
    ndshm_view view;
    int status = ndshm_view_init(&view, data, NDSHM_FLOAT64, 1, &length, NDSHM_ORDER_C);
    return status ? status : ndshm_array_from(NAME, &view, NULL, &array);
}

static const ndshm_column_spec columns[] = {{"a", "?l", 0}, {"b", "g", 0}, {"c", "u", 9000}};

static int create_frame(void)
{
    int status = ndshm_frame_create(NAME, 700, columns, 3, NULL, &frame);
    return status ? status : ndshm_frame_publish(frame);
}

static int read_csv(void)
{
    return ndshm_frame_from_csv(NULL, NAME, csv, NULL, NULL, &frame);
}

static int make_source(void)
{
    int status = ndshm_frame_create(NAME "-source", 100, columns, 2, NULL, &source);
    return status ? status : ndshm_frame_publish(source);
}

static int describe(void)
{
    return ndshm_describe(NULL, source, NAME, &frame);
}

static int open_pool(void)
{
    ndshm_pool_config config;
    ndshm_pool_config_init(&config);
    config.workers = 1;
    return ndshm_pool_open(&config, &pool);
}

static int work(ndshm_task *task)
{
    int64_t bytes = (RESULT_PAGES - 2) * PAGE;
    ndshm_array *result;
    int status = ndshm_task_create(task, NDSHM_INT8, 1, &bytes, &result);
    return status ? ndshm_task_fail(task, status, NULL) : 0;
}

static int idle(ndshm_task *task)
{
    (void)task;
    return 0;
}

static int submit(void)
{
    ndshm_job_config config = support_job(idle, 1);
    config.params = params;
    config.params_size = sizeof params;
    int status = ndshm_pool_submit(pool, &config, &job);
    return status ? status : ndshm_job_wait(job, PATIENCE_MS);
}

static int leave_result(void)
{
    ndshm_result result;
    ndshm_job_config config = support_job(work, 1);
    int status = ndshm_pool_submit(pool, &config, &job);
    if (!status)
        status = ndshm_job_wait(job, PATIENCE_MS);
    if (status != NDSHM_ETASK || ndshm_job_result(job, 0, &result))
        return status;
    return ndshm__fail(result.status, "%s", result.message);
}

static const struct operation {
    const char *name;
    int (*prepare)(void); /* with plenty */
    int (*run)(void);
} operations[] = {
    {"array create", nothing, create}, {"array from", nothing, create_from},
    {"csv", nothing, read_csv},        {"describe", make_source, describe},
    {"frame", nothing, create_frame},  {"pool", nothing, open_pool},
    {"pool job", open_pool, submit},   {"pool result", open_pool, leave_result},
};
enum { OPERATIONS = sizeof operations / sizeof *operations };

static void drop(void)
{
    ndshm_array_detach(&array);
    ndshm_frame_detach(&frame);
    ndshm_frame_detach(&source);
    ndshm_job_close(&job);
    if (support_exists(NAME))
        ndshm_unlink(NAME);
}

static void end(void)
{
    drop();
    ndshm_pool_close(&pool);
    if (support_exists(NAME "-source"))
        ndshm_unlink(NAME "-source");
}

/* --- pages --- */

static unsigned long long free_blocks(void)
{
    struct statvfs space = {0};
    statvfs("/dev/shm", &space);
    return space.f_bfree;
}

static bool settles_at(unsigned long long blocks)
{
    for (int i = 0; i < PATIENCE_MS && free_blocks() != blocks; i++)
        usleep(1000);
    return free_blocks() == blocks;
}

static int leave_pages(int ballast, unsigned long long left)
{
    struct stat file;
    SUPPORT_CHECK(fstat(ballast, &file) == 0);
    off_t size = ((off_t)free_blocks() - (off_t)left) * PAGE + file.st_blocks * 512;
    SUPPORT_CHECK(
        (size < file.st_size ? ftruncate(ballast, size) : posix_fallocate(ballast, 0, size)) == 0);
    SUPPORT_CHECK(settles_at(left));
    return 0;
}

/* Every number of pages, until there are enough. */
static int fail_at_every_page(void *argument)
{
    const struct operation *operation = argument;
    int ballast = open("/dev/shm/t-scarce-ballast", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int status = -ENOSPC;
    SUPPORT_CHECK(create() == 0); /* measures what there is */
    drop();
    SUPPORT_CHECK(operation->prepare() == 0);
    unsigned long long left = 0, all = free_blocks();
    for (; status; left++) {
        SUPPORT_CHECK(left + 1 < all && leave_pages(ballast, left) == 0);
        status = operation->run();
        if (status) {
            SUPPORT_CHECK(status == -ENOSPC && strstr(ndshm_error_message(), "asked"));
            SUPPORT_CHECK(!support_exists(NAME));
        }
        drop();
        if (operation->prepare == nothing)
            ndshm_pool_close(&pool);
        if (operation->prepare == make_source && status)
            SUPPORT_CHECK(ftruncate(ballast, 0) == 0 && (end(), make_source()) == 0);
        else
            SUPPORT_CHECK(settles_at(left));
    }
    fprintf(stderr, "%s: %llu pages are enough\n", operation->name, left - 1);
    SUPPORT_CHECK(left > 2);
    end();
    SUPPORT_CHECK(ftruncate(ballast, 0) == 0 && close(ballast) == 0);
    SUPPORT_CHECK(unlink("/dev/shm/t-scarce-ballast") == 0);
    return 0;
}

static void test_every_number_of_pages(void **state)
{
    (void)state;
    static const char *const sizes[] = {"size=1m", "size=64m"};
    for (int i = 0; i < OPERATIONS; i++)
        for (int size = i ? 1 : 0; size < 2; size++) {
            int verdict = support_in_tmpfs(sizes[size], fail_at_every_page, (void *)&operations[i]);
            if (verdict < 0)
                skip();
            assert_int_equal(verdict, 0);
        }
}

/* --- all operations under something that may or may not be enough --- */

static int run_all(bool fails)
{
    int failed = 0;
    alarm(60);
    for (int i = 0; i < OPERATIONS; i++) {
        int status = operations[i].prepare();
        if (!status)
            status = operations[i].run();
        if (status) {
            SUPPORT_CHECK(ndshm_error_message()[0] && ndshm_strerror(status)[0]);
            SUPPORT_CHECK(status != -ETIMEDOUT && status != NDSHM_ECORRUPT);
            failed++;
        }
        end();
    }
    SUPPORT_CHECK(waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD);
    SUPPORT_CHECK(!fails || failed > 0);
    return 0;
}

struct scarce {
    int resource;
    rlim_t limit;
    bool fails; /* at least one operation must */
    bool somebody;
};

static int run_limited(void *argument)
{
    const struct scarce *scarce = argument;
    const struct rlimit limits = {scarce->limit, scarce->limit};
    if (scarce->somebody)
        SUPPORT_CHECK(setgroups(0, NULL) == 0 && setresgid(SOMEBODY, SOMEBODY, SOMEBODY) == 0 &&
                      setresuid(SOMEBODY, SOMEBODY, SOMEBODY) == 0);
    SUPPORT_CHECK(setrlimit((__rlimit_resource_t)scarce->resource, &limits) == 0);
    return run_all(scarce->fails);
}

static void check_limit(int resource, rlim_t limit, bool fails)
{
    struct scarce scarce = {resource, limit, fails, false};
    int verdict = support_child(run_limited, &scarce);
    if (verdict)
        print_error("limit %d at %llu\n", resource, (unsigned long long)limit);
    assert_int_equal(verdict, 0);
}

static void test_descriptors(void **state)
{
    (void)state;
    for (rlim_t limit = 3; limit <= 16; limit++)
        check_limit(RLIMIT_NOFILE, limit, limit <= 4);
}

static void test_file_sizes(void **state)
{
    (void)state;
    for (rlim_t limit = 0; limit <= 1 << 20; limit = limit ? 16 * limit : 1024)
        check_limit(RLIMIT_FSIZE, limit, limit < 16384);
}

static void test_address_space(void **state)
{
    (void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(NDSHM_ADDRESS_SANITIZED)
    skip(); /* its shadow is larger than any such limit */
#endif
    rlim_t used = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%lu", &used), 1);
    fclose(file);
    for (rlim_t spare = 0; spare < 600; spare += 40) /* pages */
        check_limit(RLIMIT_AS, (used + spare) * PAGE, spare == 0);
}

/* Root is never refused a process. */
static void test_processes(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(chmod(support_directory(), 0755), 0);
    for (rlim_t limit = 0; limit < 3; limit++) {
        struct scarce scarce = {RLIMIT_NPROC, limit, limit == 0, true};
        assert_int_equal(support_child(run_limited, &scarce), 0);
    }
}

/* Neighbours of different protection cannot be merged: each takes one of the mappings. */
static int run_without_mappings(void *argument)
{
    (void)argument;
    enum { MOST = 1 << 20 };
    size_t size = (size_t)MOST * PAGE;
    char *all = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (all == MAP_FAILED)
        return 77;
    size_t i = 0;
    while (i < MOST && mprotect(all + i * PAGE, PAGE, PROT_READ) == 0)
        i += 2;
    if (i >= MOST)
        return 77;
    SUPPORT_CHECK(run_all(true) == 0);
    munmap(all, size);
    SUPPORT_CHECK(create() == 0);
    end();
    return 0;
}

static void test_mappings(void **state)
{
    (void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(NDSHM_ADDRESS_SANITIZED)
    skip(); /* its allocator ends the program when there is no mapping for it */
#endif
    int verdict = support_child(run_without_mappings, NULL);
    if (verdict == 77)
        skip();
    assert_int_equal(verdict, 0);
}

/* --- a memory cgroup, where we may make one --- */

static int put(const char *directory, const char *file, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", directory, file);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t done = write(fd, text, strlen(text));
    close(fd);
    return done == (ssize_t)strlen(text) ? 0 : -1;
}

/* Either hierarchy: below our own group, or the root's. */
static int make_group(char directory[256])
{
    char line[200], group[200] = "";
    bool old = access("/sys/fs/cgroup/memory/cgroup.procs", F_OK) == 0;
    FILE *file = fopen("/proc/self/cgroup", "re");
    while (file && fgets(line, sizeof line, file))
        if (strstr(line, old ? ":memory:" : "0::"))
            sscanf(strrchr(line, ':'), ":%199[^\n]", group);
    if (file)
        fclose(file);
    snprintf(directory, 256, "/sys/fs/cgroup%s%.150s/ndshm-%d", old ? "/memory" : "", group,
             getpid());
    if (mkdir(directory, 0700) != 0)
        return -1;
    return put(directory, old ? "memory.limit_in_bytes" : "memory.max", "33554432");
}

static int exceed_group(void *argument)
{
    int64_t large = 64 << 20, small = 1 << 20;
    char pid[16];
    snprintf(pid, sizeof pid, "%d", getpid());
    SUPPORT_CHECK(put(argument, "cgroup.procs", pid) == 0);
    SUPPORT_CHECK(ndshm_array_create(NAME, NDSHM_INT8, 1, &large, NULL, &array) == -ENOMEM);
    SUPPORT_CHECK(strstr(ndshm_error_message(), "memory cgroup"));
    SUPPORT_CHECK(ndshm_array_create(NAME, NDSHM_INT8, 1, &small, NULL, &array) == 0);
    end();
    return run_all(false);
}

static void test_a_memory_cgroup(void **state)
{
    (void)state;
    char directory[256];
    if (make_group(directory) != 0) {
        print_message("no memory cgroup can be made here: %s\n", strerror(errno));
        rmdir(directory);
        skip();
    }
    int verdict = support_child(exceed_group, directory);
    rmdir(directory);
    assert_int_equal(verdict, 0);
}

static int write_csv(void **state)
{
    int status = support_begin(state);
    snprintf(csv, sizeof csv, "%s/a.csv", support_directory());
    FILE *file = fopen(csv, "we");
    if (!file)
        return -1;
    fprintf(file, "a,b\n");
    for (int i = 0; i < ROWS / 4; i++)
        fprintf(file, "%d,text %d\n", i, i);
    return fclose(file) || status;
}

#define SCARCITY_TEST(function) cmocka_unit_test_setup_teardown(function, write_csv, support_end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCARCITY_TEST(test_every_number_of_pages),
        SCARCITY_TEST(test_descriptors),
        SCARCITY_TEST(test_file_sizes),
        SCARCITY_TEST(test_address_space),
        SCARCITY_TEST(test_processes),
        SCARCITY_TEST(test_mappings),
        SCARCITY_TEST(test_a_memory_cgroup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
