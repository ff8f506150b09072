/* SPDX-License-Identifier: MIT */
/* Each operating-system call, and each allocation, of each operation is made to fail in turn, with
 * each of a set of errnos, until the operation gets through: always a status with a message, and
 * nothing left. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "faults.h"
#include "segments.h"
#include "support.h"

#define NAME "t-house-fault"
enum { SIZE = 5000 };

/* --- the operations; each is prepared and cleaned up without faults --- */

static ndshm__segment *segment;
static uint8_t data[SIZE];

static int nothing(void)
{
    return 0;
}

static int release(void)
{
    ndshm__segment_release(&segment);
    return 0;
}

static int drop(void)
{
    int status = support_exists(NAME) ? ndshm_unlink(NAME) : 0;
    ndshm__segment_release(&segment);
    return status;
}

static int make(void)
{
    return support_segment(NAME, SIZE, 0, &segment);
}

static int make_temporary(void)
{
    return support_segment(NAME, SIZE, NDSHM_TEMPORARY, &segment);
}

static int make_orphan(void)
{
    int status = make();
    return status ? status : release();
}

static int create_with(bool streamed, int wishes)
{
    int64_t size = SIZE;
    ndshm_create_config config;
    ndshm_create_config_init(&config);
    config.numa = wishes ? NDSHM_NUMA_INTERLEAVE : 0;
    config.hugepages = wishes;
    ndshm__spec spec = support_spec(NAME, &size, &config);
    spec.streamed = streamed;
    return ndshm__segment_create(&spec, &segment);
}

static int create(void)
{
    return create_with(false, 0);
}

static int create_placed(void)
{
    return create_with(false, 1);
}

static int create_to_stream(void)
{
    return create_with(true, 0);
}

static int create_and_append(void)
{
    int status = create_to_stream();
    return status ? status : ndshm__segment_append(segment, data, SIZE);
}

static int append(void)
{
    return ndshm__segment_append(segment, data, SIZE);
}

static int publish(void)
{
    return ndshm__segment_publish(segment);
}

static int generate(void)
{
    return support_segment(NULL, SIZE, 0, &segment);
}

static int attach(void)
{
    return ndshm__segment_attach(NAME, NDSHM_KIND_ARRAY, NDSHM_READ, &segment);
}

static int hold(void)
{
    return ndshm__segment_hold(segment, (INT64_C(1) << 62) + 4);
}

static int held(void)
{
    int status = ndshm__segment_held(NAME, INT64_C(1) << 62);
    return status == 1 ? 0 : status;
}

static int unlink_name(void)
{
    return ndshm_unlink(NAME);
}

static int unlink_handle(void)
{
    return ndshm__segment_unlink(segment);
}

static int reap(void)
{
    ndshm_reap_report report;
    int status = ndshm_reap(NAME, NULL, &report);
    /* A refused proof is a success that keeps the segment. */
    if (status == 0 && report.decision != NDSHM_REAP_REMOVED)
        return support_exists(NAME) && report.message[0] ? 1 : -1;
    return status;
}

static int reap_by_locks(void)
{
    ndshm_reap_config config;
    ndshm_reap_report report;
    ndshm_reap_config_init(&config);
    config.flags = NDSHM_REAP_ACCEPT_LOCK_ONLY;
    int status = ndshm_reap(NAME, &config, &report);
    return status == 0 && report.decision != NDSHM_REAP_REMOVED ? 1 : status;
}

static int set_lifetime(void)
{
    return ndshm_set_lifetime(NAME, NDSHM_PERSISTENT);
}

static int inspect(void)
{
    ndshm_info info;
    return ndshm_inspect(NAME, &info);
}

static int list(void)
{
    ndshm_list *names;
    ndshm_info info;
    int status = ndshm_list_open(&names);
    if (status)
        return status;
    do
        status = ndshm_list_next(names, &info);
    while (status == 0);
    ndshm_list_close(&names);
    if (status != -ENOENT)
        return status;
    ndshm__fail(-1, "mark"); /* the end is a failure with a message */
    return 0;
}

static int wait_for_it(void)
{
    return ndshm_wait(NAME, 0);
}

static int read_it(void)
{
    return ndshm__segment_read(segment, 0, data, SIZE);
}

static const struct fault_operation operations[] = {
    {"append", create_to_stream, append, release},
    {"attach", make_orphan, attach, drop},
    {"create", nothing, create, release},
    {"create placed", nothing, create_placed, release},
    {"create to stream", nothing, create_to_stream, release},
    {"detach", make_temporary, release, drop},
    {"generate", nothing, generate, release},
    {"held", make, held, drop},
    {"hold", make, hold, drop},
    {"inspect", make, inspect, drop},
    {"list", make, list, drop},
    {"publish", create, publish, drop},
    {"publish streamed", create_and_append, publish, drop},
    {"read", make, read_it, drop},
    {"reap", make_orphan, reap, drop},
    {"reap by locks", make_orphan, reap_by_locks, drop},
    {"set lifetime", make, set_lifetime, drop},
    {"unlink", make, unlink_name, drop},
    {"unlink by handle", make, unlink_handle, drop},
    {"wait", make_orphan, wait_for_it, drop},
};
enum { OPERATIONS = sizeof operations / sizeof *operations };

/* The same at the first use of a file system, when the self-test runs, too. */
/* A self-test that failed for good leaves us without proofs: then temporary segments stay. */
static void unlink_all(void)
{
    ndshm_list *names;
    ndshm_info info;
    if (ndshm_list_open(&names))
        return;
    while (ndshm_list_next(names, &info) == 0)
        ndshm_unlink(info.name);
    ndshm_list_close(&names);
}

struct first_use {
    int at, choice;
    enum fault_mode mode;
};

/* 0; 100: it has fewer calls than that; more than that: bad. */
static int run_at_first_use(void *argument)
{
    const struct first_use *use = argument;
    support_begin(NULL);
    fault_arm(use->at, use->choice, use->mode);
    int status = generate();
    fault_disarm();
    int verdict = fault_reached() ? 0 : 100;
    if (status < 0 && !ndshm_error_message()[0])
        verdict = 101;
    release();
    if (generate() != 0)
        verdict = 102;
    release();
    unlink_all();
    if (support_end(NULL) != 0)
        verdict = 103;
    if (verdict > 100)
        fprintf(stderr, "first use, call %d (%s) failing with %s: %d: status %d, message \"%s\"\n",
                use->at, fault_call(), fault_errno_name(), verdict, status, ndshm_error_message());
    return verdict;
}

static void test_every_call(void **state)
{
    (void)state;
    fault_sweep_all(operations, OPERATIONS);
}

static void test_first_use(void **state)
{
    (void)state;
    for (int mode = FAULT_ONCE; mode <= FAULT_FROM_THEN_ON; mode++) {
        int verdict = 0;
        for (int at = 1; verdict < 100; at++) { /* one errno each: mounting takes its time */
            struct first_use use = {at, at, (enum fault_mode)mode};
            verdict = support_in_tmpfs("size=8m", run_at_first_use, &use);
            if (verdict < 0)
                skip();
        }
        assert_int_equal(verdict, 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_call),
        SUPPORT_TEST(test_first_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
