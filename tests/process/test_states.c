/* SPDX-License-Identifier: MIT */
/* Who holds a segment is never asked for signs of life: stopped, traced, dumping core, or without
 * its first thread, in another namespace or without /proc, it holds; a zombie does not. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "segments.h"
#include "support.h"

#define NAME "t-state"
enum { SIZE = 5000, LOOKS = 20, PATIENCE_MS = 10000, NO_NAMESPACE = 77 };

static int decide(void)
{
    ndshm_reap_report report;
    int status = ndshm_reap(NAME, NULL, &report);
    return status ? status : report.decision;
}

static int state_of(void)
{
    ndshm_info info;
    int status = ndshm_inspect(NAME, &info);
    return status ? status : info.state;
}

/* Again and again: what holds it does so all the time. */
static void check_held(void)
{
    for (int i = 0; i < LOOKS; i++) {
        assert_int_equal(decide(), NDSHM_REAP_IN_USE);
        assert_int_equal(state_of(), NDSHM_STATE_IN_USE);
        usleep(500);
    }
}

static void check_free(void)
{
    int decision = decide();
    for (int i = 0; i < PATIENCE_MS && decision == NDSHM_REAP_IN_USE; i++) {
        usleep(1000);
        decision = decide();
    }
    assert_int_equal(decision, NDSHM_REAP_REMOVED);
}

static int start_holder(void)
{
    assert_int_equal(support_abandoned_segment(NAME, SIZE, NDSHM_TEMPORARY), 0);
    int pid = support_holder_start(NAME, NDSHM_READ);
    assert_true(pid > 0);
    return pid;
}

static void test_stopped(void **state)
{
    (void)state;
    int status, pid = start_holder();
    kill(pid, SIGSTOP);
    assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
    check_held();
    support_holder_stop(pid);
    check_free();
}

/* A zombie has no memory any more, and what it held is free at once. */
static void test_zombie(void **state)
{
    (void)state;
    siginfo_t info;
    int pid = start_holder();
    check_held();
    kill(pid, SIGKILL);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    check_free();
    waitpid(pid, NULL, 0);
}

static void test_traced(void **state)
{
    (void)state;
    int status, pid = start_holder();
    assert_int_equal(ptrace(PTRACE_SEIZE, pid, NULL, NULL), 0);
    assert_int_equal(ptrace(PTRACE_INTERRUPT, pid, NULL, NULL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    check_held();
    ptrace(PTRACE_CONT, pid, NULL, NULL);
    support_holder_stop(pid);
    check_free();
}

static int ready[2];

static void *outlive(void *argument)
{
    (void)argument;
    usleep(20000); /* the first thread goes meanwhile */
    if (write(ready[1], "", 1) != 1)
        _exit(1);
    for (;;)
        pause();
}

static int leave_first_thread(void *argument)
{
    ndshm__segment *seen;
    pthread_t thread;
    (void)argument;
    SUPPORT_CHECK(ndshm__segment_attach(NAME, 0, NDSHM_READ, &seen) == 0);
    SUPPORT_CHECK(pthread_create(&thread, NULL, outlive, NULL) == 0);
    syscall(SYS_exit, 0);
    return 1;
}

/* /proc shows it as a zombie without mappings. */
static void test_without_its_first_thread(void **state)
{
    (void)state;
    char byte;
    assert_int_equal(support_abandoned_segment(NAME, SIZE, NDSHM_TEMPORARY), 0);
    assert_int_equal(pipe(ready), 0);
    int pid = support_child_start(leave_first_thread, NULL);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    check_held();
    support_holder_stop(pid);
    check_free();
    close(ready[0]);
    close(ready[1]);
}

/* Stopped by its tracer before the dump and after it, when the process is still whole: free only at
 * its end. */
static void test_dumping_core(void **state)
{
    (void)state;
    int status, here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(chdir(support_directory()), 0); /* where the core goes */
    int pid = start_holder();
    assert_int_equal(fchdir(here), 0);
    close(here);
    struct rlimit core;
    assert_int_equal(prlimit(pid, RLIMIT_CORE, NULL, &core), 0);
    core.rlim_cur = core.rlim_max;
    assert_int_equal(prlimit(pid, RLIMIT_CORE, &core, NULL), 0);
    assert_int_equal(ptrace(PTRACE_SEIZE, pid, NULL, PTRACE_O_TRACEEXIT), 0);
    kill(pid, SIGQUIT);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSTOPPED(status) && WSTOPSIG(status) == SIGQUIT);
    check_held();
    assert_int_equal(ptrace(PTRACE_CONT, pid, NULL, SIGQUIT), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid); /* it dumped, and still has its memory */
    assert_int_equal(status >> 8, SIGTRAP | PTRACE_EVENT_EXIT << 8);
    check_held();
    ptrace(PTRACE_CONT, pid, NULL, NULL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGQUIT);
    check_free();
}

/* --- places --- */

struct place {
    int flags;
    bool without_proc;
    int channel[2], answer[2];
};

static int hold_elsewhere(struct place *place)
{
    ndshm__segment *seen;
    char byte;
    SUPPORT_CHECK(ndshm__segment_attach(NAME, 0, NDSHM_WRITE, &seen) == 0);
    SUPPORT_CHECK(decide() == NDSHM_REAP_IN_USE);
    SUPPORT_CHECK(write(place->channel[1], "", 1) == 1);
    SUPPORT_CHECK(read(place->answer[0], &byte, 1) == 1);
    SUPPORT_CHECK(support_segment_is_whole(seen));
    ndshm__segment_release(&seen);
    /* and what others hold is seen from there */
    SUPPORT_CHECK(ndshm__segment_attach("t-state-ours", 0, NDSHM_READ, &seen) == 0);
    ndshm__segment_release(&seen);
    ndshm_reap_report report;
    SUPPORT_CHECK(ndshm_reap("t-state-ours", NULL, &report) == 0);
    SUPPORT_CHECK(report.decision == NDSHM_REAP_IN_USE);
    return 0;
}

static int live_elsewhere(void *argument)
{
    struct place *place = argument;
    if (unshare(place->flags) != 0)
        return NO_NAMESPACE;
    if (place->without_proc && umount2("/proc", MNT_DETACH) != 0)
        return NO_NAMESPACE;
    SUPPORT_CHECK(!place->without_proc || access("/proc/self", F_OK) != 0);
    int status;
    pid_t pid = fork(); /* the first of a new pid namespace */
    if (pid == 0)
        _exit(hold_elsewhere(place));
    SUPPORT_CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void check_place(int flags, bool without_proc)
{
    struct place place = {.flags = flags, .without_proc = without_proc};
    ndshm__segment *ours;
    char byte;
    assert_ok(support_segment("t-state-ours", SIZE, NDSHM_TEMPORARY, &ours));
    assert_int_equal(support_abandoned_segment(NAME, SIZE, NDSHM_TEMPORARY), 0);
    assert_int_equal(pipe(place.channel) | pipe(place.answer), 0);
    int pid = support_child_start(live_elsewhere, &place);
    close(place.channel[1]);
    bool held = read(place.channel[0], &byte, 1) == 1;
    if (held)
        check_held();
    int written = (int)write(place.answer[1], "", 1);
    int verdict = support_child_wait(pid);
    close(place.channel[0]);
    close(place.answer[0]);
    close(place.answer[1]);
    ndshm__segment_release(&ours);
    if (verdict == NO_NAMESPACE || !held)
        ndshm_unlink(NAME);
    if (verdict == NO_NAMESPACE)
        skip();
    assert_true(held && written == 1);
    assert_int_equal(verdict, 0);
    assert_int_equal(decide(), -ENOENT); /* its last user was over there */
}

static void test_another_pid_namespace(void **state)
{
    (void)state;
    check_place(CLONE_NEWPID, false);
}

static void test_another_mount_namespace(void **state)
{
    (void)state;
    check_place(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC, false);
}

/* Its user is nobody in particular there, and may use what it owns. */
static void test_another_user_namespace(void **state)
{
    (void)state;
    check_place(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID, false);
}

static void test_without_proc(void **state)
{
    (void)state;
    check_place(CLONE_NEWNS, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_another_mount_namespace),
        SUPPORT_TEST(test_another_pid_namespace),
        SUPPORT_TEST(test_another_user_namespace),
        SUPPORT_TEST(test_dumping_core),
        SUPPORT_TEST(test_stopped),
        SUPPORT_TEST(test_traced),
        SUPPORT_TEST(test_without_its_first_thread),
        SUPPORT_TEST(test_without_proc),
        SUPPORT_TEST(test_zombie),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
