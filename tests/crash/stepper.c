/* SPDX-License-Identifier: MIT */
/* Replaying up to a point costs a stop for each system call before it and one for each time that a
 * hardware breakpoint is met, instead of one for each instruction: so that the number of points and
 * not its square decides how long a sweep takes. */
#include "stepper.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "machine.h"
#include "support.h"

enum { PATIENCE_S = 60 };

static atomic_int *is_over;

/* A process that hangs must fail the test, not hang it. */
static void patience_ends(int signal)
{
    static const char text[] = "stepper: a process under ptrace made no progress for a minute\n";
    (void)signal;
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0)
        abort();
    abort();
}

void step_init(void)
{
    void *page =
        mmap(NULL, sizeof *is_over, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        abort();
    is_over = page;
    signal(SIGALRM, patience_ends);
}

/* --- in the process that runs the body --- */

static int generation;

void step_begin(void)
{
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
        abort();
    raise(SIGSTOP);
}

void step_end(void)
{
    atomic_store(is_over, 1);
    if (generation == STEP_SELF)
        kill(getpid(), SIGUSR1);
}

/* --- stops --- */

static int wait_for(pid_t pid)
{
    int status;
    alarm(PATIENCE_S);
    pid_t got = waitpid(pid, &status, __WALL);
    alarm(0);
    if (got != pid)
        fail_msg("process %d cannot be waited for: %s", pid, strerror(errno));
    return status;
}

static enum step_stop at_system_call(pid_t pid)
{
    struct __ptrace_syscall_info info;
    long size = ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof info, &info);
    return size > 0 && info.op == PTRACE_SYSCALL_INFO_ENTRY ? STEP_AT_ENTRY : STEP_AT_EXIT;
}

/* Continues until the next stop; signals are passed on. */
enum step_stop step_go_on(struct stepped *stepped, int how)
{
    while (!stepped->gone) {
        ptrace((enum __ptrace_request)how, stepped->pid, NULL, (void *)(long)stepped->signal);
        int status = wait_for(stepped->pid);
        stepped->signal = 0;
        if (!WIFSTOPPED(status)) {
            stepped->gone = 1;
            if (stepped->pid == stepped->first)
                stepped->first = 0;
            break;
        }
        int signal = WSTOPSIG(status);
        if (signal == (SIGTRAP | 0x80))
            return at_system_call(stepped->pid);
        if (status >> 16 == PTRACE_EVENT_FORK)
            return STEP_AT_FORK;
        if (status >> 16)
            continue;
        if (signal == SIGTRAP)
            return STEP_AT_INSTRUCTION;
        if (signal == SIGUSR1)
            return STEP_AT_MARK;
        stepped->signal = signal;
    }
    return STEP_IS_GONE;
}

/* --- from the process that runs the body to the one that is stepped --- */

static void set_options(pid_t pid, int forks)
{
    long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL | (forks ? PTRACE_O_TRACEFORK : 0);
    assert_int_equal(ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)options), 0);
}

static void detach(struct stepped *stepped)
{
    ptrace(PTRACE_DETACH, stepped->pid, NULL, (void *)(long)stepped->signal);
    stepped->signal = 0;
}

/* Follows the next fork, and lets the parent go on. */
static void follow_fork(struct stepped *stepped, int further)
{
    unsigned long child = 0;
    set_options(stepped->pid, 1);
    enum step_stop stop;
    do
        stop = step_go_on(stepped, PTRACE_CONT);
    while (stop != STEP_AT_FORK && stop != STEP_IS_GONE);
    assert_int_equal(stop, STEP_AT_FORK);
    assert_int_equal(ptrace(PTRACE_GETEVENTMSG, stepped->pid, NULL, &child), 0);
    assert_true(WIFSTOPPED(wait_for((pid_t)child)));
    detach(stepped);
    stepped->pid = (pid_t)child;
    set_options(stepped->pid, further);
}

static pid_t child_of(pid_t pid)
{
    char path[64];
    int child = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, pid);
    FILE *file = fopen(path, "re");
    if (file && fscanf(file, "%d", &child) != 1)
        child = 0;
    if (file)
        fclose(file);
    return child;
}

/* A process that waits for something: caught where it begins to wait again. What it waits for
 * happens once the first process goes on. */
static void catch_waiting(struct stepped *stepped)
{
    const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL;
    pid_t pid = stepped->pid;
    for (int i = 0; pid && i < stepped->generation; i++)
        pid = child_of(pid);
    assert_true(pid > 0);
    assert_int_equal(ptrace(PTRACE_SEIZE, pid, NULL, (void *)options), 0);
    assert_int_equal(ptrace(PTRACE_INTERRUPT, pid, NULL, NULL), 0);
    assert_true(WIFSTOPPED(wait_for(pid)));
    struct stepped first = *stepped;
    stepped->pid = pid;
    enum step_stop stop;
    do
        stop = step_go_on(stepped, PTRACE_SYSCALL);
    while (stop != STEP_AT_ENTRY && stop != STEP_IS_GONE);
    assert_int_equal(stop, STEP_AT_ENTRY);
    detach(&first);
    step_go_on(stepped, PTRACE_SYSCALL);
}

static int run_body(void *argument)
{
    const struct step_script *script = argument;
    generation = script->generation;
    return script->body(script->argument);
}

void step_start(const struct step_script *script, struct stepped *out)
{
    atomic_store(is_over, 0);
    pid_t pid = support_child_start(run_body, (void *)(uintptr_t)script);
    *out = (struct stepped){.first = pid, .pid = pid, .generation = script->generation};
    int status = wait_for(pid);
    if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGSTOP)
        fail_msg("the operation could not begin");
    set_options(pid, 0);
    if (!script->at_fork && script->generation)
        catch_waiting(out);
    for (int i = 0; script->at_fork && i < script->generation; i++)
        follow_fork(out, i + 1 < script->generation);
}

/* --- replaying --- */

int step_is_finished(const struct stepped *stepped)
{
    return stepped->gone || (stepped->generation && atomic_load(is_over));
}

/* Past so many system calls. */
static int pass_calls(struct stepped *stepped, int calls)
{
    for (int entered = 0; entered < calls;) {
        enum step_stop stop = step_go_on(stepped, PTRACE_SYSCALL);
        if (stop == STEP_AT_MARK || step_is_finished(stepped))
            return 0;
        entered += stop == STEP_AT_ENTRY;
    }
    return calls == 0 || step_go_on(stepped, PTRACE_SYSCALL) == STEP_AT_EXIT;
}

static int step_on(struct stepped *stepped, int instructions)
{
    for (int i = 0; i < instructions; i++)
        if (step_go_on(stepped, PTRACE_SINGLESTEP) != STEP_AT_INSTRUCTION)
            return 0;
    return 1;
}

static int run_on(struct stepped *stepped, const struct step_point *point)
{
    enum step_stop stop = STEP_AT_INSTRUCTION;
    for (int hits = 0; hits < point->hits && stop == STEP_AT_INSTRUCTION; hits++)
        stop = step_go_on(stepped, PTRACE_SYSCALL);
    if (!stepped->gone)
        machine_disarm(stepped->pid);
    return stop == STEP_AT_INSTRUCTION;
}

int step_to(struct stepped *stepped, const struct step_point *point)
{
    if (!pass_calls(stepped, point->calls) || stepped->gone)
        return 0;
    if (point->instructions == STEP_ENTRY)
        return step_go_on(stepped, PTRACE_SYSCALL) == STEP_AT_ENTRY;
    if (point->instructions == 0)
        return 1;
    if (machine_arm(stepped->pid, point->ip))
        return run_on(stepped, point);
    return step_on(stepped, point->instructions);
}

int step_to_end(struct stepped *stepped)
{
    enum step_stop stop;
    do
        stop = step_go_on(stepped, PTRACE_CONT);
    while (stop != STEP_AT_MARK && stop != STEP_IS_GONE);
    return stop == STEP_AT_MARK;
}

/* --- the end --- */

void step_kill(struct stepped *stepped)
{
    if (stepped->gone)
        return;
    kill(stepped->pid, SIGKILL);
    while (WIFSTOPPED(wait_for(stepped->pid)))
        ;
    stepped->gone = 1;
    if (stepped->pid == stepped->first)
        stepped->first = 0;
}

void step_release(struct stepped *stepped)
{
    if (!stepped->gone)
        detach(stepped);
}

int step_verdict(struct stepped *stepped)
{
    pid_t first = stepped->first;
    stepped->first = 0;
    return first ? support_child_wait(first) : 0;
}
