/* SPDX-License-Identifier: MIT */
/* SIGKILL at machine instructions of each operation: what is left is nothing, or a complete segment that can
 * be reaped. Tried are the points before and after each system call, and every NDSHM_STRIDE-th instruction: 1
 * for all of them, which takes hours; when it is not set, a few of each operation. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "segments.h"
#include "support.h"

#define NAME "t-house-steps"
enum { SIZE = 200, STRIDE = 997, STEPS_MAX = 20000000 };

struct operation {
    const char *name;
    int (*prepare)(void); /* in the parent */
    int (*begin)(void);   /* in the child, before the first step */
    int (*run)(void);
    int needs_name; /* before, and therefore also after a kill at the first instruction */
};

static ndshm__segment *segment;
static uint8_t data[SIZE];

static int nothing(void)
{
    return 0;
}

static int make_orphan(void)
{
    return support_abandoned_segment(NAME, SIZE, 0);
}

static int make_temporary(void)
{
    return support_segment(NAME, SIZE, NDSHM_TEMPORARY, &segment);
}

static int create(void)
{
    return support_segment(NAME, SIZE, 0, &segment);
}

static int create_by_appending(void)
{
    int64_t size = SIZE;
    ndshm__spec spec = support_spec(NAME, &size, NULL);
    spec.streamed = true;
    int status = ndshm__segment_create(&spec, &segment);
    if (!status)
        status = ndshm__segment_append(segment, data, SIZE);
    return status ? status : ndshm__segment_publish(segment);
}

static int attach(void)
{
    return ndshm__segment_attach(NAME, 0, NDSHM_WRITE, &segment);
}

static int detach(void)
{
    ndshm__segment_release(&segment);
    return 0;
}

static int unlink_name(void)
{
    return ndshm_unlink(NAME);
}

static int reap(void)
{
    ndshm_reap_report report;
    return ndshm_reap(NAME, NULL, &report);
}

static int set_lifetime(void)
{
    return ndshm_set_lifetime(NAME, NDSHM_TEMPORARY);
}

static const struct operation operations[] = {
    {"create", nothing, nothing, create, 0},
    {"create by appending", nothing, nothing, create_by_appending, 0},
    {"attach", make_orphan, nothing, attach, 1},
    {"detach", nothing, make_temporary, detach, 1},
    {"unlink", make_orphan, nothing, unlink_name, 1},
    {"reap", make_orphan, nothing, reap, 1},
    {"set lifetime", make_orphan, nothing, set_lifetime, 1},
};
enum { OPERATIONS = sizeof operations / sizeof *operations };

static int traced(void *argument)
{
    const struct operation *operation = argument;
    if (operation->begin() != 0 || ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
        return 1;
    raise(SIGSTOP);
    int status = operation->run();
    raise(SIGUSR1);
    return status;
}

/* A child that is about to run the operation. */
static pid_t start(const struct operation *operation)
{
    int status;
    assert_int_equal(operation->prepare(), 0);
    pid_t pid = support_child_start(traced, (void *)(uintptr_t)operation);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
    assert_int_equal(ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD), 0);
    return pid;
}

/* Until the next stop: after an instruction (PTRACE_SINGLESTEP), or before or after a system call
 * (PTRACE_SYSCALL). 0 when the operation has ended. */
static int go_on(pid_t pid, int how)
{
    int status;
    assert_int_equal(ptrace((enum __ptrace_request)how, pid, NULL, NULL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSTOPPED(status));
    return WSTOPSIG(status) != SIGUSR1;
}

static void stop(pid_t pid)
{
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* 1 when the next instruction is a system call. */
static int at_system_call(pid_t pid)
{
#if defined(__x86_64__)
    errno = 0;
    long ip = ptrace(PTRACE_PEEKUSER, pid, (void *)(16 * sizeof(long)), NULL);
    long code = errno ? 0 : ptrace(PTRACE_PEEKTEXT, pid, (void *)ip, NULL);
    return (code & 0xFFFF) == 0x050F;
#else
    (void)pid;
    return 0;
#endif
}

/* So many system calls from the beginning, and then so many instructions; or up to the entry of the next
 * system call. */
struct point {
    int calls;
    int instructions;
};
enum { ENTRY = -1 };

struct points {
    struct point *all;
    long count;
};

static void add_point(struct points *points, int calls, int instructions)
{
    points->all = realloc(points->all, (size_t)(points->count + 1) * sizeof *points->all);
    assert_non_null(points->all);
    points->all[points->count++] = (struct point){calls, instructions};
}

/* Chooses points; returns how many instructions the operation has. */
static long walk(const struct operation *operation, long stride, struct points *points)
{
    struct point now = {0, 0};
    long count = 0;
    pid_t pid = start(operation);
    for (int running = 1; running; count++) {
        assert_true(count < STEPS_MAX);
        int call = at_system_call(pid);
        if (now.instructions == 0 || count % stride == 0)
            add_point(points, now.calls, now.instructions);
        if (call)
            add_point(points, now.calls, ENTRY);
        running = go_on(pid, PTRACE_SINGLESTEP);
        now = call ? (struct point){now.calls + 1, 0}
                   : (struct point){now.calls, now.instructions + 1};
    }
    stop(pid);
    return count;
}

static void kill_at(const struct operation *operation, struct point point)
{
    pid_t pid = start(operation);
    int running = 1;
    for (int i = 0; running && i < 2 * point.calls; i++)
        running = go_on(pid, PTRACE_SYSCALL);
    if (running && point.instructions == ENTRY)
        running = go_on(pid, PTRACE_SYSCALL);
    for (int i = 0; running && i < point.instructions; i++)
        running = go_on(pid, PTRACE_SINGLESTEP);
    stop(pid);
}

static int complain(const struct operation *operation, struct point point, const char *what)
{
    print_error("%s, killed %d instructions after system call %d: %s (%s)\n", operation->name,
                point.instructions, point.calls, what, ndshm_error_message());
    return 1;
}

/* What was left behind; removes it. */
static int check_left(const struct operation *operation, struct point point, int *left)
{
    ndshm_reap_report report;
    *left = support_exists(NAME);
    if (!*left)
        return operation->needs_name && point.calls == 0 ? complain(operation, point, "name lost") : 0;
    if (ndshm__segment_attach(NAME, NDSHM_KIND_ARRAY, NDSHM_READ, &segment) != 0)
        return complain(operation, point, "half-made") + (unlink(support_path(NAME)) != 0);
    int whole = operation->run == create_by_appending || support_segment_is_whole(segment);
    assert_ok(ndshm__segment_set_lifetime(segment, NDSHM_RECLAIMABLE));
    ndshm__segment_release(&segment);
    if (ndshm_reap(NAME, NULL, &report) != 0 || report.decision != NDSHM_REAP_REMOVED)
        return complain(operation, point, "cannot be reaped") + (unlink(support_path(NAME)) != 0);
    return whole ? 0 : complain(operation, point, "not whole");
}

static int check_space(const struct operation *operation, struct point point,
                       const struct statvfs *before)
{
    struct statvfs after;
    const struct timespec pause = {0, 1000000};
    for (int tries = 0; tries < 1000; tries++) {
        assert_int_equal(statvfs("/dev/shm", &after), 0);
        if (after.f_bfree == before->f_bfree && after.f_ffree == before->f_ffree)
            return 0;
        nanosleep(&pause, NULL);
    }
    return complain(operation, point, "blocks or inodes are lost");
}

static int kill_everywhere(const struct operation *operation)
{
    const char *given = getenv("NDSHM_STRIDE");
    const struct point end = {INT_MAX, 0};
    struct points points = {NULL, 0};
    struct statvfs before;
    long complete = 0;
    int left, complaints = 0;
    assert_int_equal(statvfs("/dev/shm", &before), 0);
    long count = walk(operation, given && atol(given) > 0 ? atol(given) : STRIDE, &points);
    check_left(operation, end, &left);
    for (long i = 0; i < points.count; i++) {
        kill_at(operation, points.all[i]);
        complaints += check_left(operation, points.all[i], &left);
        complaints += check_space(operation, points.all[i], &before);
        complete += left;
    }
    print_message("%s: at %ld points of %ld instructions: %ld times nothing, %ld times a complete "
                  "segment\n",
                  operation->name, points.count, count, points.count - complete, complete);
    complaints += points.count < 10;
    free(points.all);
    return complaints;
}

static void test_kill_at_instructions(void **state)
{
    (void)state;
    int complaints = 0;
    assert_int_equal(make_temporary(), 0); /* the self-test is not what is looked at here */
    ndshm__segment_release(&segment);
    for (int i = 0; i < OPERATIONS; i++)
        complaints += kill_everywhere(&operations[i]);
    assert_int_equal(complaints, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {SUPPORT_TEST(test_kill_at_instructions)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
