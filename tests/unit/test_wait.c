/* SPDX-License-Identifier: MIT */
/* The consumer may start first. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/os.h"
#include "segments.h"
#include "support.h"

#define NAME "t-house-wait"

static int64_t milliseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void test_what_is_there_is_not_waited_for(void **state)
{
    (void)state;
    assert_int_equal(support_abandoned_segment(NAME, 1, 0), 0);
    assert_ok(ndshm_wait(NAME, 0));
    assert_ok(ndshm_wait("/" NAME, -1));
    assert_ok(ndshm_unlink(NAME));
}

static void test_it_times_out(void **state)
{
    (void)state;
    int64_t begin = milliseconds();
    assert_fails(-ETIMEDOUT, ndshm_wait(NAME, 0), NAME);
    assert_true(milliseconds() - begin < 500);
    begin = milliseconds();
    assert_fails(-ETIMEDOUT, ndshm_wait(NAME, 60), "60 ms");
    assert_in_range(milliseconds() - begin, 59, 1000);
    assert_fails(-EINVAL, ndshm_wait("a/b", 0), "character 2");
}

static int create_later(void *argument)
{
    ndshm__segment *made;
    const struct timespec pause = {0, 30000000};
    (void)argument;
    for (int i = 0; i < 5; i++) { /* noise: other names come and go */
        nanosleep(&pause, NULL);
        SUPPORT_CHECK(support_segment(NULL, 1, 0, &made) == 0);
        ndshm__segment_release(&made);
    }
    return support_segment(NAME, 5000, 0, &made) != 0;
}

static void test_it_appears(void **state)
{
    (void)state;
    const int timeouts[] = {20000, -1};
    for (int i = 0; i < 2; i++) {
        ndshm__segment *seen;
        int child = support_child_start(create_later, NULL);
        int64_t begin = milliseconds();
        assert_ok(ndshm_wait(NAME, timeouts[i]));
        assert_true(milliseconds() - begin < 5000);
        assert_ok(ndshm__segment_attach(NAME, 0, NDSHM_READ, &seen)); /* complete at once */
        assert_true(support_segment_is_whole(seen));
        ndshm__segment_release(&seen);
        assert_int_equal(support_child_wait(child), 0);
        assert_ok(ndshm_unlink(NAME));
    }
}

static void test_other_files_of_that_name_do_not_count(void **state)
{
    (void)state;
    const char *const commands[] = {"mkfifo %s", "mkdir %s", "echo > %s", "ln -s . %s"};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        char command[200];
        snprintf(command, sizeof command, commands[i], support_path(NAME));
        assert_int_equal(support_run(NULL, 0, "%s", command), 0);
        assert_fails(-ETIMEDOUT, ndshm_wait(NAME, 20), NAME);
        assert_int_equal(remove(support_path(NAME)), 0);
    }
}

static int no_watch(const char *call)
{
    return strcmp(call, "watch_open") == 0 ? EMFILE : 0;
}

static void test_without_a_watch(void **state)
{
    (void)state;
    ndshm__os_fault = no_watch;
    int status = ndshm_wait(NAME, 1000);
    ndshm__os_fault = NULL;
    assert_fails(-EMFILE, status, "watched");
}

static int no_descriptor(const char *call)
{
    return strcmp(call, "open") == 0 ? EMFILE : 0;
}

/* Not being able to look is no reason to wait. */
static void test_without_a_descriptor(void **state)
{
    (void)state;
    assert_int_equal(support_abandoned_segment(NAME, 1, 0), 0);
    ndshm__os_fault = no_descriptor;
    int status = ndshm_wait(NAME, 1000);
    ndshm__os_fault = NULL;
    assert_fails(-EMFILE, status, NAME);
    assert_ok(ndshm_unlink(NAME));
}

static int busy_left;

static int leased(const char *call)
{
    return strcmp(call, "open") == 0 && busy_left > 0 && busy_left-- ? EAGAIN : 0;
}

/* No event says that a proof has ended. */
static void test_during_a_proof(void **state)
{
    (void)state;
    assert_int_equal(support_abandoned_segment(NAME, 1, 0), 0);
    busy_left = 9; /* longer than inspection tries */
    ndshm__os_fault = leased;
    int status = ndshm_wait(NAME, 10000);
    ndshm__os_fault = NULL;
    assert_ok(status);
    assert_int_equal(busy_left, 0);
    assert_ok(ndshm_unlink(NAME));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_what_is_there_is_not_waited_for),
        SUPPORT_TEST(test_it_times_out),
        SUPPORT_TEST(test_it_appears),
        SUPPORT_TEST(test_other_files_of_that_name_do_not_count),
        SUPPORT_TEST(test_without_a_watch),
        SUPPORT_TEST(test_without_a_descriptor),
        SUPPORT_TEST(test_during_a_proof),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
