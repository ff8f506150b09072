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

#include "base/os.h"
#include "segments.h"
#include "support.h"

#define NAME "t-house-fault"
enum { SIZE = 5000, CALLS_MAX = 400 };

/* --- the fault: call number fail_at fails with fail_with --- */

static int calls, fail_at, fail_with;
static char failed_call[32];

static int inject(const char *call)
{
    if (++calls != fail_at)
        return 0;
    snprintf(failed_call, sizeof failed_call, "%s", call);
    return fail_with;
}

static void arm(int at, int error)
{
    calls = 0;
    fail_at = at;
    fail_with = error;
    failed_call[0] = '\0';
    ndshm__os_fault = inject;
}

static void disarm(void)
{
    ndshm__os_fault = NULL;
}

/* --- the operations; each is prepared and cleaned up without faults --- */

struct operation {
    const char *name;
    int (*prepare)(void);
    int (*run)(void); /* under faults */
    int (*clean)(void);
};

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
    return ndshm__segment_held(NAME, INT64_C(1) << 62);
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

static const struct operation operations[] = {
    {"append", create_to_stream, append, release},
    {"attach", make_orphan, attach, drop},
    {"create", nothing, create, release},
    {"create placed", nothing, create_placed, release},
    {"create to stream", nothing, create_to_stream, release},
    {"detach", make_temporary, release, nothing},
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

static const int errors[] = {EACCES, EAGAIN, EEXIST, EFBIG,  EINTR,  EINVAL, EIO,
                             EMFILE, ENOENT, ENOLCK, ENOMEM, ENOSPC, EPERM};
enum { ERRORS = sizeof errors / sizeof *errors };

static int complain(const struct operation *operation, const char *what, int status)
{
    fprintf(stderr, "%s, call %d (%s) failing with %s: %s: status %d, message \"%s\"\n",
            operation->name, fail_at, failed_call, strerrorname_np(fail_with), what, status,
            ndshm_error_message());
    return 1;
}

/* true when the operation has fewer calls than that. */
static bool check_once(const struct operation *operation, int at, int error, int *complaints)
{
    if (operation->prepare() != 0) {
        *complaints += complain(operation, "cannot be prepared", -1);
        return true;
    }
    ndshm__begin("ndshm_test");
    ndshm__fail(-1, "mark");
    arm(at, error);
    int status = operation->run();
    disarm();
    bool reached = calls >= at;
    if (status < 0 && !ndshm_strerror(status)[0])
        *complaints += complain(operation, "not a status", status);
    if (status < 0 && strstr(ndshm_error_message(), "mark"))
        *complaints += complain(operation, "failed without a message", status);
    if (status >= 0 && !strstr(ndshm_error_message(), "mark"))
        *complaints += complain(operation, "succeeded and touched the message", status);
    if (!reached && status < 0)
        *complaints += complain(operation, "failed without a fault", status);
    if (operation->clean() != 0)
        *complaints += complain(operation, "cannot be cleaned up", -1);
    if (segment)
        *complaints += complain(operation, "kept a handle", status);
    ndshm__reap_again(); /* what a detach under faults had to leave */
    if (support_exists(NAME) && ndshm_unlink(NAME) != 0)
        *complaints += complain(operation, "left a name behind that cannot be removed", status);
    return !reached;
}

static int run_operation(const struct operation *operation)
{
    int complaints = 0, at = 1;
    for (bool through = false; !through && at < CALLS_MAX; at++)
        for (int i = 0; i < ERRORS; i++)
            through = check_once(operation, at, errors[i], &complaints);
    if (at == CALLS_MAX)
        complaints += complain(operation, "never gets through", 0);
    return complaints;
}

/* The same at the first use of a file system, when the self-test runs, too. */
static int run_at_first_use(void *argument)
{
    const struct operation *operation = argument;
    int complaints = 0;
    support_begin(NULL);
    if (operation->prepare() != 0)
        return complain(operation, "cannot be prepared", -1);
    arm(fail_at, fail_with);
    int status = operation->run();
    disarm();
    if (status < 0 && !ndshm_error_message()[0])
        complaints += complain(operation, "failed without a message", status);
    operation->clean();
    if (operation->prepare() != 0 || operation->run() < 0)
        complaints += complain(operation, "does not work later on", -1);
    operation->clean();
    if (support_end(NULL) != 0)
        complaints += complain(operation, "leaks", status);
    return calls < fail_at && !complaints ? 100 : complaints;
}

static void test_every_call(void **state)
{
    (void)state;
    int complaints = 0;
    for (int i = 0; i < OPERATIONS; i++) {
        support_begin(NULL);
        complaints += run_operation(&operations[i]);
        if (support_end(NULL) != 0)
            complaints += complain(&operations[i], "leaks", 0);
    }
    assert_int_equal(complaints, 0);
}

static void test_first_use(void **state)
{
    (void)state;
    const int some[] = {EMFILE, ENOMEM, ENOSPC};
    struct operation first = {"first create", nothing, generate, release};
    for (int i = 0; i < 3; i++) {
        int verdict = 0;
        for (int at = 1; verdict == 0 && at < CALLS_MAX; at++) {
            fail_at = at;
            fail_with = some[i];
            verdict = support_in_tmpfs("size=8m", run_at_first_use, &first);
        }
        if (verdict < 0)
            skip();
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
