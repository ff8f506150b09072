/* SPDX-License-Identifier: MIT */
/* Takes the real code through the interleavings that break the model's mutants: system call by
 * system call, in the order of the trace. The real code has the guards, and must stand. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "actors.h"
#include "base/os.h"
#include "segment_model.h"
#include "segments.h"
#include "support.h"

#define NAME "t-replay"
enum { SIZE = 500 };

static int lock_only;

/* --- the actors --- */

static int stop_before(const char *call)
{
    actor_stop_before(call);
    return lock_only && strcmp(call, "lease") == 0 ? EINVAL : 0;
}

static void arm(void)
{
    ndshm__os_fault = stop_before;
    actor_arm();
}

static int use(int status, ndshm__segment *segment)
{
    struct actor *self = &actors[actor_self];
    self->status = status;
    if (status)
        return 0;
    memcpy(self->uuid, ndshm__segment_uuid(segment), sizeof self->uuid);
    actor_stop_before("use");
    ndshm__segment_release(&segment);
    return 0;
}

static int create(void *argument)
{
    ndshm__segment *segment = NULL;
    (void)argument;
    arm();
    int status = support_segment(NAME, SIZE, 0, &segment);
    return use(status, segment);
}

static int attach(void *argument)
{
    ndshm__segment *segment = NULL;
    (void)argument;
    arm();
    int status = ndshm__segment_attach(NAME, 0, NDSHM_READ, &segment);
    return use(status, segment);
}

static int unlink_name(void *argument)
{
    (void)argument;
    arm();
    actors[actor_self].status = ndshm_unlink(NAME);
    return 0;
}

static int reap(void *argument)
{
    ndshm_reap_report report;
    ndshm_reap_config config;
    (void)argument;
    ndshm_reap_config_init(&config);
    config.flags = lock_only ? NDSHM_REAP_ACCEPT_LOCK_ONLY : 0;
    arm();
    int status = ndshm_reap(NAME, &config, &report);
    actors[actor_self].status = status ? status : report.decision;
    return 0;
}

static int make_persistent(void *argument)
{
    (void)argument;
    arm();
    actors[actor_self].status = ndshm_set_lifetime(NAME, NDSHM_PERSISTENT);
    return 0;
}

/* --- from steps of the model to calls of the library --- */

static const struct {
    char role;
    const char *step, *call;
} calls[] = {
    {'C', "open anonymous", "open_anonymous"},
    {'C', "fill", "reserve"},
    {'C', "lock live", "lock_read"},
    {'C', "link", "link_proc"},
    {'C', "detach", "use"},
    {'A', "open", "open"},
    {'A', "lock live", "lock_read"},
    {'A', "look at link count", "stat"},
    {'A', "read header", "pread"},
    {'A', "map", "map"},
    {'A', "detach", "use"},
    {'U', "open", "open"},
    {'U', "lock name", "lock_write"},
    {'U', "compare file", "stat_name"},
    {'U', "unlink", "unlink"},
    {'R', "open", "open"},
    {'R', "look first", "pread"},
    {'R', "lock name", "lock_write"},
    {'R', "lock live", "lock_write"},
    {'R', "lock cache", "lock_write"},
    {'R', "lease", "lease"},
    {'R', "compare file", "pread"}, /* and lifetime and pool */
    {'R', "unlink", "unlink"},
    {'K', "open", "open"},
    {'K', "lock name", "lock_write"},
    {'K', "compare file", "stat_name"},
    {'K', "write lifetime", "pwrite"},
};

/* Steps after which the model's process has ended. */
static int is_last(const char *step)
{
    return strcmp(step, "detach") == 0 || strcmp(step, "give back") == 0 ||
           strcmp(step, "write lifetime") == 0;
}

static void take(int which, char role, const char *step)
{
    if (strcmp(step, "killed") == 0) {
        actor_kill(which);
        return;
    }
    if (strcmp(step, "fill late") == 0) { /* the model's creator uses it from here on */
        actor_take(which, "use, and no further");
        return;
    }
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (calls[i].role == role && strcmp(calls[i].step, step) == 0)
            actor_take(which, calls[i].call);
    if (is_last(step))
        actor_finish(which);
}

static void start(int which, char role)
{
    actor_start(which,
                role == 'C'   ? create
                : role == 'A' ? attach
                : role == 'U' ? unlink_name
                : role == 'R' ? reap
                              : make_persistent,
                NULL);
    actor_stands(which);
}

/* --- what must hold --- */

static int means(const uint8_t *uuid)
{
    ndshm_info info;
    return ndshm_inspect(NAME, &info) == 0 && memcmp(info.uuid, uuid, sizeof info.uuid) == 0;
}

static int uses(int which)
{
    return actors[which].pid && actor_stands(which) && strcmp(actors[which].name, "use") == 0;
}

/* Who uses a segment finds it under its name, unless it was there before an unlink; who attached
 * after an unlink uses none; and what somebody has been told is persistent is there. */
static void check(const char *roles, const char *violation)
{
    int late = strstr(violation, "without a name") != NULL;
    for (int i = 0; roles[i]; i++)
        actor_take(i, "use, and no further");
    for (int i = 0; roles[i]; i++) {
        if (roles[i] == 'A' && late)
            assert_false(uses(i));
        if ((roles[i] == 'C' || roles[i] == 'A') && uses(i) && !late)
            assert_true(means(actors[i].uuid));
    }
    for (int i = 0; roles[i]; i++) {
        if (roles[i] == 'K' && actor_finish(i) == 0 && actors[i].status == 0)
            assert_true(support_exists(NAME));
    }
}

static void replay(const char *roles, int without_lease, enum segment_mutant mutant)
{
    static struct explore_result found;
    struct segment_setup setup = {roles, without_lease, mutant};
    assert_int_equal(explore(segment_model(&setup), 1000000, 0, &found), 0);
    assert_non_null(found.violation);
    lock_only = without_lease;
    actors_open();
    for (int i = 0; roles[i]; i++) {
        actors[i].status = 1; /* not over */
        start(i, roles[i]);
    }
    for (int i = 0; i < found.length; i++)
        take(found.steps[i].process, roles[found.steps[i].process], found.steps[i].what);
    check(roles, found.violation);
    for (int i = 0; roles[i]; i++)
        assert_int_equal(actor_finish(i), 0);
    actors_close();
    if (support_exists(NAME))
        assert_ok(ndshm_unlink(NAME));
}

static void warm_up(void)
{
    ndshm__segment *segment; /* the self-test is not what is looked at here */
    assert_ok(support_segment(NULL, SIZE, 0, &segment));
    ndshm__segment_release(&segment);
}

static void test_locked_before_named(void **state)
{
    (void)state;
    warm_up();
    replay("CAR", 1, SEGMENT_LINK_BEFORE_LOCK);
}

static void test_the_link_count_is_looked_at(void **state)
{
    (void)state;
    warm_up();
    replay("CAUR", 0, SEGMENT_NO_LINK_COUNT);
}

static void test_only_the_file_that_was_proven_is_reaped(void **state)
{
    (void)state;
    warm_up();
    replay("CCUR", 0, SEGMENT_REAP_NO_SAME_FILE);
}

static void test_what_is_used_is_not_reaped(void **state)
{
    (void)state;
    warm_up();
    replay("CAR", 0, SEGMENT_REAP_NO_LIVE_NO_LEASE);
}

static void test_the_lifetime_is_looked_at_again(void **state)
{
    (void)state;
    warm_up();
    replay("CRK", 0, SEGMENT_REAP_NO_LOOK_AGAIN);
}

static void test_lifetimes_are_written_under_the_name_lock(void **state)
{
    (void)state;
    warm_up();
    replay("CRK", 1, SEGMENT_KEEP_NO_NAME_LOCK);
}

/* --- beside the model --- */

static void test_an_opener_does_not_end_a_reaper(void **state)
{
    (void)state;
    warm_up();
    assert_int_equal(support_abandoned_segment(NAME, SIZE, 0), 0);
    lock_only = 0;
    actors_open();
    start(0, 'R');
    assert_true(actor_take(0, "lease"));
    int fd = open(support_path(NAME), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    assert_int_equal(fd, -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(actor_finish(0), 0);
    assert_int_equal(actors[0].status, NDSHM_REAP_REMOVED);
    actors_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_locked_before_named),
        SUPPORT_TEST(test_the_link_count_is_looked_at),
        SUPPORT_TEST(test_only_the_file_that_was_proven_is_reaped),
        SUPPORT_TEST(test_what_is_used_is_not_reaped),
        SUPPORT_TEST(test_the_lifetime_is_looked_at_again),
        SUPPORT_TEST(test_lifetimes_are_written_under_the_name_lock),
        SUPPORT_TEST(test_an_opener_does_not_end_a_reaper),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
