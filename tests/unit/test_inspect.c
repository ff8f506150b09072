/* SPDX-License-Identifier: MIT */
/* What inspection and listing tell, and that they disturb nobody. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/os.h"
#include "segment/format.h"
#include "segments.h"
#include "support.h"

#define NAME "t-house-inspect"
enum { SIZE = 5000 };

static ndshm_info info;

static int inspect(const char *name)
{
    memset(&info, 0x55, sizeof info);
    assert_ok(ndshm_inspect(name, &info));
    assert_string_equal(info.name, name[0] == '/' ? name + 1 : name);
    return info.state;
}

static void test_everything_is_told(void **state)
{
    (void)state;
    ndshm__segment *made;
    int64_t now = (int64_t)time(NULL);
    assert_ok(support_segment(NAME, SIZE, 0, &made));
    assert_int_equal(inspect("/" NAME), NDSHM_STATE_IN_USE);
    assert_memory_equal(info.uuid, ndshm__segment_uuid(made), 16);
    assert_int_equal(info.kind, NDSHM_KIND_ARRAY);
    assert_int_equal(info.lifetime, NDSHM_RECLAIMABLE);
    assert_int_equal(info.mode, 0600);
    assert_int_equal(info.dtype, NDSHM_UINT8);
    assert_int_equal(info.ndim, 1);
    assert_int_equal(info.shape[0], SIZE);
    assert_int_equal(info.payload, SIZE);
    assert_int_equal(info.bytes, 4096 + 8192);
    assert_int_equal(info.resident, info.bytes);
    assert_int_equal(info.creator_pid, getpid());
    assert_int_equal(info.uid, geteuid());
    assert_in_range(info.created_ns / 1000000000, now - 1, now + 5);
    assert_string_equal(info.label, "");
    assert_string_equal(info.pool, "");
    assert_string_equal(info.note, "");
    for (size_t i = 0; i < sizeof info.reserved / sizeof *info.reserved; i++)
        assert_int_equal(info.reserved[i], 0);
    assert_ok(ndshm__segment_unlink(made));
    ndshm__segment_release(&made);
}

static void test_states_of_unused_ones(void **state)
{
    (void)state;
    assert_int_equal(support_abandoned_segment(NAME, SIZE, 0), 0);
    assert_int_equal(inspect(NAME), NDSHM_STATE_ORPHAN);
    assert_ok(ndshm_set_lifetime(NAME, NDSHM_PERSISTENT));
    assert_int_equal(inspect(NAME), NDSHM_STATE_IDLE);
    assert_ok(ndshm_set_lifetime(NAME, NDSHM_TEMPORARY));
    assert_int_equal(inspect(NAME), NDSHM_STATE_ORPHAN);
    struct flock lock = {
        .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = NDSHM__LOCK_CACHE, .l_len = 1};
    int fd = open(support_path(NAME), O_RDONLY | O_CLOEXEC);
    assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
    assert_int_equal(inspect(NAME), NDSHM_STATE_IDLE);
    assert_non_null(strstr(info.note, "reuse"));
    close(fd);
    assert_ok(ndshm_unlink(NAME));
}

static void test_a_damaged_descriptor_is_told(void **state)
{
    (void)state;
    ndshm__segment *made;
    assert_ok(support_segment(NAME, SIZE, 0, &made));
    int fd = open(support_path(NAME), O_RDWR | O_CLOEXEC);
    assert_int_equal(pwrite(fd, "x", 1, NDSHM__DESCRIPTOR_OFFSET + 20), 1);
    close(fd);
    assert_int_equal(inspect(NAME), NDSHM_STATE_CORRUPT);
    assert_true(info.note[0]);
    assert_int_equal(info.ndim, 0);
    assert_memory_equal(info.uuid, ndshm__segment_uuid(made), 16);
    assert_ok(ndshm_unlink(NAME));
    ndshm__segment_release(&made);
}

static int fails_to_map(const char *call)
{
    return strcmp(call, "map") == 0 ? EPERM : 0;
}

static void test_inspection_never_maps(void **state)
{
    (void)state;
    ndshm__segment *made;
    assert_ok(support_segment(NAME, SIZE, 0, &made));
    ndshm__os_fault = fails_to_map;
    int status = ndshm_inspect(NAME, &info);
    ndshm__os_fault = NULL;
    assert_ok(status);
    assert_ok(ndshm__segment_unlink(made));
    ndshm__segment_release(&made);
}

static void test_the_message_is_kept_on_success(void **state)
{
    (void)state;
    char before[1024];
    assert_int_equal(support_run(NULL, 0, "echo foreign > %s", support_path(NAME)), 0);
    ndshm_unlink("no/name");
    snprintf(before, sizeof before, "%s", ndshm_error_message());
    assert_int_equal(inspect(NAME), NDSHM_STATE_FOREIGN);
    assert_string_equal(ndshm_error_message(), before);
    unlink(support_path(NAME));
}

static int count_listed(int *foreign)
{
    ndshm_list *list;
    int count = 0, status;
    *foreign = 0;
    assert_ok(ndshm_list_open(&list));
    while ((status = ndshm_list_next(list, &info)) == 0) {
        assert_true(support_exists(info.name));
        *foreign += info.state == NDSHM_STATE_FOREIGN;
        count++;
    }
    assert_fails(-ENOENT, status, "ended");
    assert_fails(-ENOENT, ndshm_list_next(list, &info), "ended");
    ndshm_list_close(&list);
    assert_null(list);
    ndshm_list_close(&list);
    ndshm_list_close(NULL);
    return count;
}

static void test_everything_is_listed(void **state)
{
    (void)state;
    int foreign, count = count_listed(&foreign);
    for (int i = 0; i < 40; i++) {
        char name[32];
        snprintf(name, sizeof name, NAME "-%d", i);
        assert_int_equal(support_abandoned_segment(name, 1, 0), 0);
    }
    assert_int_equal(support_run(NULL, 0, "cd /dev/shm && echo > '%s' && mkfifo %s && mkdir %s",
                                 NAME "- \x1b[2J\xff", NAME "-fifo", NAME "-directory"),
                     0);
    int more_foreign, more = count_listed(&more_foreign);
    assert_int_equal(more, count + 43);
    assert_int_equal(more_foreign, foreign + 3);
    assert_int_equal(support_run(NULL, 0, "rm -r /dev/shm/%s-*", NAME), 0);
}

/* Nobody can attach it, and no reaper takes it for ours. */
static void test_a_segment_under_a_name_that_is_none(void **state)
{
    (void)state;
    ndshm_list *list;
    int found = 0;
    assert_int_equal(support_abandoned_segment(NAME, 1, 0), 0);
    assert_int_equal(support_run(NULL, 0, "mv /dev/shm/%s '/dev/shm/%s ?'", NAME, NAME), 0);
    assert_ok(ndshm_list_open(&list));
    while (ndshm_list_next(list, &info) == 0)
        if (strcmp(info.name, NAME " ?") == 0) {
            found++;
            assert_int_equal(info.state, NDSHM_STATE_FOREIGN);
            assert_int_equal(info.kind, 0);
            assert_non_null(strstr(info.note, "its name"));
        }
    ndshm_list_close(&list);
    assert_int_equal(found, 1);
    assert_int_equal(unlink("/dev/shm/" NAME " ?"), 0);
}

static void test_names_that_vanish_are_passed_over(void **state)
{
    (void)state;
    ndshm_list *list;
    int status;
    assert_int_equal(support_abandoned_segment(NAME "-a", 1, 0), 0);
    assert_int_equal(support_abandoned_segment(NAME "-b", 1, 0), 0);
    assert_ok(ndshm_list_open(&list));
    assert_ok(ndshm_list_next(list, &info)); /* the rest of the directory has been read by now */
    assert_ok(ndshm_unlink(NAME "-a"));
    assert_ok(ndshm_unlink(NAME "-b"));
    while ((status = ndshm_list_next(list, &info)) == 0)
        assert_null(strstr(info.name, NAME));
    assert_int_equal(status, -ENOENT);
    ndshm_list_close(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_everything_is_told),
        SUPPORT_TEST(test_states_of_unused_ones),
        SUPPORT_TEST(test_a_damaged_descriptor_is_told),
        SUPPORT_TEST(test_inspection_never_maps),
        SUPPORT_TEST(test_the_message_is_kept_on_success),
        SUPPORT_TEST(test_everything_is_listed),
        SUPPORT_TEST(test_a_segment_under_a_name_that_is_none),
        SUPPORT_TEST(test_names_that_vanish_are_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
