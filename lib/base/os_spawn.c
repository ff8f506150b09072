/* SPDX-License-Identifier: MIT */
#include "base/os_spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/os_fault.h"

int ndshm__os_fork(void)
{
    int fault = ndshm__os_injected("fork");
    return fault ? -fault : ndshm__os_result(fork());
}

int ndshm__os_pidfd(int pid)
{
    int fault = ndshm__os_injected("pidfd");
    return fault ? -fault : ndshm__os_result((int)syscall(SYS_pidfd_open, pid, 0));
}

int ndshm__os_pidfd_signal(int pidfd, int signal)
{
    int fault = ndshm__os_injected("pidfd_signal");
    if (fault)
        return -fault;
    return ndshm__os_result((int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0));
}

void ndshm__os_kill_child(int pid)
{
    kill(pid, SIGKILL);
}

void ndshm__os_drop_child(int pid)
{
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

int ndshm__os_pid(void)
{
    return getpid();
}

int ndshm__os_parent(void)
{
    return getppid();
}

int ndshm__os_die_with_parent(void)
{
    int fault = ndshm__os_injected("die_with_parent");
    return fault ? -fault : ndshm__os_result(prctl(PR_SET_PDEATHSIG, SIGKILL));
}

/* As waitpid would tell it. */
static int wait_status(const siginfo_t *info)
{
    if (info->si_code == CLD_EXITED)
        return (info->si_status & 0xff) << 8;
    return info->si_status | (info->si_code == CLD_DUMPED ? WCOREFLAG : 0);
}

int ndshm__os_collect(int pidfd, int *status)
{
    siginfo_t info;
    int result;
    do {
        int fault = ndshm__os_injected("collect");
        result = fault == EINTR ? -EINTR
                                : ndshm__os_result(waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED));
        if (fault && !result) /* then somebody else has collected it */
            result = -fault;
    } while (result == -EINTR);
    if (!result)
        *status = wait_status(&info);
    return result;
}

int ndshm__os_poll(struct pollfd *files, int count, int timeout_ms)
{
    int64_t end = ndshm__os_now() + (int64_t)timeout_ms * 1000000;
    for (;;) {
        int fault = ndshm__os_injected("poll");
        int result = fault ? -fault : ndshm__os_result(poll(files, (nfds_t)count, timeout_ms));
        if (result != -EINTR)
            return result;
        int64_t left = (end - ndshm__os_now()) / 1000000;
        if (timeout_ms >= 0)
            timeout_ms = left > 0 ? (int)left : 0;
    }
}

int ndshm__os_event_open(void)
{
    int fault = ndshm__os_injected("eventfd");
    return fault ? -fault : ndshm__os_result(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
}

void ndshm__os_event_signal(int event)
{
    eventfd_write(event, 1);
}

void ndshm__os_event_clear(int event)
{
    eventfd_t value;
    eventfd_read(event, &value);
}

static void set_mask(const int *blocked, int count)
{
    sigset_t mask;
    sigemptyset(&mask);
    for (int i = 0; i < count; i++)
        sigaddset(&mask, blocked[i]);
    sigprocmask(SIG_SETMASK, &mask, NULL);
}

void ndshm__os_signals_reset(void)
{
    struct sigaction action = {.sa_handler = SIG_DFL};
    for (int i = 1; i < NSIG; i++)
        sigaction(i, &action, NULL); /* fails for SIGKILL, SIGSTOP and libc's own */
}

void ndshm__os_signals_supervisor(void)
{
    static const int blocked[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGPIPE};
    set_mask(blocked, sizeof blocked / sizeof *blocked);
}

void ndshm__os_signals_worker(void)
{
    signal(SIGINT, SIG_IGN);
    signal(SIGQUIT, SIG_IGN);
    set_mask(NULL, 0);
}

void ndshm__os_signals_hold(sigset_t *old)
{
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, old);
}

void ndshm__os_signals_restore(const sigset_t *old)
{
    pthread_sigmask(SIG_SETMASK, old, NULL);
}

char **ndshm__os_environment(void)
{
    return environ;
}

void ndshm__os_set_environment(char **environment)
{
    environ = environment;
}

void ndshm__os_process_name(const char *name)
{
    prctl(PR_SET_NAME, name);
}

int ndshm__os_stdin_null(void)
{
    int fault = ndshm__os_injected("stdin_null");
    int fd = fault ? -1 : open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fault ? -fault : -errno;
    if (fd == STDIN_FILENO) /* it was closed */
        return 0;
    int status = ndshm__os_result(dup2(fd, STDIN_FILENO));
    close(fd);
    return status < 0 ? status : 0;
}

void ndshm__os_flush_all(void)
{
    fflush(NULL);
}

void ndshm__os_flush_output(void)
{
    fflush(stdout);
    fflush(stderr);
}

void ndshm__os_exit(int status)
{
    _exit(status);
}
