/* SPDX-License-Identifier: MIT */
/* Every kind of damage is found, and found beside others; and what the machine offers. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/os.h"
#include "segment/format.h"
#include "segments.h"
#include "support.h"

#define NAME "t-house-check"
enum { SIZE = 100000 };

static ndshm_check_report report;

/* The checks that failed, as bits. */
static int failed(const char *name)
{
    int bits = 0;
    memset(&report, 0x55, sizeof report);
    assert_ok(ndshm_check(name, &report));
    for (int i = 0; i < NDSHM_CHECKS; i++) {
        bits |= report.found[i] < 0 ? 1 << i : 0;
        assert_int_equal(report.found[i] == 1, report.message[i][0] == '\0');
    }
    return bits;
}

static void make(void)
{
    assert_int_equal(support_abandoned_segment(NAME, SIZE, 0), 0);
}

static void overwrite(int64_t offset, const void *bytes, size_t size)
{
    int fd = open(support_path(NAME), O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, size, offset), size);
    close(fd);
}

static void punch(void)
{
    int fd = open(support_path(NAME), O_RDWR | O_CLOEXEC);
    assert_int_equal(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 8192, 4096), 0);
    close(fd);
}

static void remove_file(const char *name)
{
    assert_int_equal(unlink(support_path(name)), 0);
}

static void test_sound(void **state)
{
    (void)state;
    make();
    assert_int_equal(failed("/" NAME), 0);
    for (int i = 0; i < NDSHM_CHECKS; i++) {
        assert_int_equal(report.found[i], 1);
        assert_non_null(ndshm_check_name(i));
    }
    assert_null(ndshm_check_name(NDSHM_CHECKS));
    assert_null(ndshm_check_name(-1));
    remove_file(NAME);
    assert_fails(-ENOENT, ndshm_check(NAME, &report), NAME);
    assert_fails(-EINVAL, ndshm_check("a b", &report), "name");
}

static void test_identity(void **state)
{
    (void)state;
    make();
    overwrite(offsetof(struct ndshm__identity, uuid), "x", 1);
    assert_int_equal(failed(NAME), 1 << NDSHM_CHECK_IDENTITY);
    assert_non_null(strstr(report.message[NDSHM_CHECK_IDENTITY], "checksum"));
    assert_int_equal(report.found[NDSHM_CHECK_DESCRIPTOR], 0);
    overwrite(0, "junk", 4);
    assert_int_equal(failed(NAME), 1 << NDSHM_CHECK_IDENTITY);
    assert_int_equal(truncate(support_path(NAME), 100), 0);
    assert_int_equal(failed(NAME), 1 << NDSHM_CHECK_IDENTITY);
    remove_file(NAME);
}

static void test_several_at_once(void **state)
{
    (void)state;
    make();
    overwrite(NDSHM__MUTABLE_OFFSET, "lifetime", 8);
    overwrite(NDSHM__DESCRIPTOR_OFFSET + 12, "x", 1);
    assert_int_equal(link(support_path(NAME), "/dev/shm/t-house-other"), 0);
    assert_int_equal(failed(NAME), 1 << NDSHM_CHECK_FILE | 1 << NDSHM_CHECK_LIFETIME |
                                       1 << NDSHM_CHECK_DESCRIPTOR);
    remove_file("t-house-other");
    punch();
    assert_int_equal(failed(NAME), 1 << NDSHM_CHECK_LIFETIME | 1 << NDSHM_CHECK_SPACE);
    assert_int_equal(report.found[NDSHM_CHECK_DESCRIPTOR], 0);
    assert_non_null(strstr(report.message[NDSHM_CHECK_SPACE], "102400 of 106496"));
    remove_file(NAME);
}

static void test_renamed(void **state)
{
    (void)state;
    make();
    assert_int_equal(rename(support_path(NAME), "/dev/shm/t-house-other"), 0);
    assert_int_equal(failed("t-house-other"), 1 << NDSHM_CHECK_NAME);
    assert_non_null(strstr(report.message[NDSHM_CHECK_NAME], "'" NAME "'"));
    remove_file("t-house-other");
}

static void test_pool_that_is_missing(void **state)
{
    (void)state;
    int64_t size = SIZE;
    ndshm__segment *made;
    ndshm__spec spec = support_spec(NAME ".1", &size, NULL);
    spec.pool = NAME;
    assert_ok(ndshm__segment_create(&spec, &made));
    assert_ok(ndshm__segment_publish(made));
    assert_int_equal(failed(NAME ".1"), 1 << NDSHM_CHECK_POOL);
    assert_non_null(strstr(report.message[NDSHM_CHECK_POOL], "'" NAME "' is missing"));
    assert_ok(ndshm__segment_unlink(made));
    ndshm__segment_release(&made);
}

static void test_what_is_no_file(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(support_path(NAME), 0600), 0);
    assert_int_equal(failed(NAME), 1 << NDSHM_CHECK_FILE);
    remove_file(NAME);
    assert_int_equal(symlink("/etc/passwd", support_path(NAME)), 0);
    assert_int_equal(failed(NAME), 1 << NDSHM_CHECK_FILE);
    remove_file(NAME);
    assert_int_equal(mkdir(support_path(NAME), 0700), 0);
    assert_int_equal(failed(NAME), 1 << NDSHM_CHECK_FILE);
    assert_int_equal(rmdir(support_path(NAME)), 0);
}

/* Damage goes when it is asked for by name, nobody has it open, and only then. */
static void test_reap_of_damage(void **state)
{
    (void)state;
    ndshm_reap_config config;
    ndshm_reap_report reaped;
    ndshm_reap_config_init(&config);
    make();
    overwrite(offsetof(struct ndshm__identity, uuid), "x", 1);
    assert_ok(ndshm_reap(NAME, &config, &reaped));
    assert_int_equal(reaped.decision, NDSHM_REAP_CORRUPT);
    config.flags = NDSHM_REAP_ACCEPT_CORRUPT | NDSHM_REAP_ACCEPT_LOCK_ONLY;
    int fd = open(support_path(NAME), O_RDONLY | O_CLOEXEC);
    assert_ok(ndshm_reap(NAME, &config, &reaped));
    assert_int_equal(reaped.decision, NDSHM_REAP_IN_USE);
    assert_int_equal(reaped.evidence[NDSHM_STEP_LEASE], -1);
    close(fd);
    config.flags |= NDSHM_REAP_DRY_RUN;
    assert_ok(ndshm_reap(NAME, &config, &reaped));
    assert_int_equal(reaped.decision, NDSHM_REAP_REMOVABLE);
    assert_true(support_exists(NAME));
    config.flags &= ~(uint32_t)NDSHM_REAP_DRY_RUN;
    assert_ok(ndshm_reap(NAME, &config, &reaped));
    assert_int_equal(reaped.decision, NDSHM_REAP_REMOVED);
    assert_int_equal(reaped.evidence[NDSHM_STEP_IDENTITY], -1);
    assert_false(support_exists(NAME));
}

static void test_reap_of_damage_spares_the_rest(void **state)
{
    (void)state;
    ndshm_reap_config config;
    ndshm_reap_report reaped;
    ndshm_reap_config_init(&config);
    config.flags = NDSHM_REAP_ACCEPT_CORRUPT;
    make();
    assert_ok(ndshm_set_lifetime(NAME, NDSHM_PERSISTENT));
    assert_ok(ndshm_reap(NAME, &config, &reaped));
    assert_int_equal(reaped.decision, NDSHM_REAP_PERSISTENT);
    overwrite(0, "junk", 4);
    assert_ok(ndshm_reap(NAME, &config, &reaped));
    assert_int_equal(reaped.decision, NDSHM_REAP_FOREIGN);
    assert_true(support_exists(NAME));
    remove_file(NAME);
}

/* No lease is to be had: locks alone do not prove anything about a damaged file. */
static int no_lease(const char *call)
{
    return strcmp(call, "lease") == 0 ? ENOTSUP : 0;
}

static void test_reap_of_damage_needs_the_lease(void **state)
{
    (void)state;
    ndshm_reap_config config;
    ndshm_reap_report reaped;
    ndshm_reap_config_init(&config);
    config.flags = NDSHM_REAP_ACCEPT_CORRUPT | NDSHM_REAP_ACCEPT_LOCK_ONLY;
    make();
    overwrite(offsetof(struct ndshm__identity, uuid), "x", 1);
    ndshm__os_fault = no_lease;
    int status = ndshm_reap(NAME, &config, &reaped);
    ndshm__os_fault = NULL;
    assert_ok(status);
    assert_int_equal(reaped.decision, NDSHM_REAP_UNPROVEN);
    assert_true(support_exists(NAME));
    remove_file(NAME);
}

static void test_probe(void **state)
{
    (void)state;
    ndshm_probe_report probe;
    struct statvfs space;
    memset(&probe, 0x55, sizeof probe);
    assert_ok(ndshm_probe(&probe));
    assert_int_equal(statvfs("/dev/shm", &space), 0);
    assert_string_equal(probe.directory, "/dev/shm");
    assert_int_equal(probe.bytes, (int64_t)space.f_blocks * (int64_t)space.f_frsize);
    assert_true(probe.bytes_free > 0 && probe.bytes_free <= probe.bytes);
    assert_in_range(probe.publish, NDSHM_PUBLISH_PROC, NDSHM_PUBLISH_RENAME);
    assert_int_equal(probe.publish_refused == 0, probe.publish == NDSHM_PUBLISH_PROC);
    assert_in_range(probe.liveness, NDSHM_LIVE_MAPPING, NDSHM_LIVE_NONE);
    assert_int_equal(probe.cgroup_headroom < 0, probe.cgroup[0] == '\0');
    for (size_t i = 0; i < sizeof probe.reserved / sizeof *probe.reserved; i++)
        assert_int_equal(probe.reserved[i], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_sound),
        SUPPORT_TEST(test_identity),
        SUPPORT_TEST(test_several_at_once),
        SUPPORT_TEST(test_renamed),
        SUPPORT_TEST(test_pool_that_is_missing),
        SUPPORT_TEST(test_what_is_no_file),
        SUPPORT_TEST(test_reap_of_damage),
        SUPPORT_TEST(test_reap_of_damage_spares_the_rest),
        SUPPORT_TEST(test_reap_of_damage_needs_the_lease),
        SUPPORT_TEST(test_probe),
    };
    return cmocka_run_group_tests_name("check", tests, NULL, NULL);
}
