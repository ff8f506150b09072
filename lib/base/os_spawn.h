/* SPDX-License-Identifier: MIT */
/* The wall around the operating system, for making and watching processes. Results as in os.h. */
#ifndef NDSHM_LIB_OS_SPAWN_H
#define NDSHM_LIB_OS_SPAWN_H

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

/* fork: pid, 0 in the child, or an error. */
int ndshm__os_fork(void);

/* A descriptor that becomes readable when the process ends. */
int ndshm__os_pidfd(int pid);
int ndshm__os_pidfd_signal(int pidfd, int signal);

/* SIGKILL to a child that nobody else can have collected yet; _drop also collects it. */
void ndshm__os_kill_child(int pid);
void ndshm__os_drop_child(int pid);

int ndshm__os_pid(void);
int ndshm__os_parent(void);

/* SIGKILL to this process as soon as the thread that forked it ends. */
int ndshm__os_die_with_parent(void);

/* Waits for the end of a child and collects it: never another one that got its number meanwhile. 0
 * and its wait status, or -ECHILD (somebody else collected it, or the host ignores SIGCHLD). */
int ndshm__os_collect(int pidfd, int *status);

/* poll(2), begun again after EINTR. timeout_ms -1: for ever. */
int ndshm__os_poll(struct pollfd *files, int count, int timeout_ms);

/* A descriptor that is readable after a signal, until it is cleared. */
int ndshm__os_event_open(void);
void ndshm__os_event_signal(int event);
void ndshm__os_event_clear(int event);

/* All signal dispositions to their default and the mask empty; then the two kinds of processes. */
void ndshm__os_signals_reset(void);
void ndshm__os_signals_supervisor(void); /* SIGINT, SIGQUIT, SIGTERM, SIGHUP blocked */
void ndshm__os_signals_worker(void);     /* SIGINT, SIGQUIT ignored */

/* Blocks every signal, so that a child begins with none; restore gives the mask back. */
void ndshm__os_signals_hold(sigset_t *old);
void ndshm__os_signals_restore(const sigset_t *old);

/* Threads of this process; 0: unknown. */
int ndshm__os_thread_count(void);

/* The variables of this process; and others in their place, which must stay valid. Unlike setenv
 * that takes no lock, which a thread may have held when this process was forked. */
char **ndshm__os_environment(void);
void ndshm__os_set_environment(char **environment);

void ndshm__os_process_name(const char *name);
int ndshm__os_stdin_null(void); /* standard input reads from /dev/null */

/* What users printed before a fork must not be printed again by the child; what a task printed must
 * not stay in a buffer. */
void ndshm__os_flush_all(void);
void ndshm__os_flush_output(void);

/* Ends the process without handlers and without flushing what it inherited. */
_Noreturn void ndshm__os_exit(int status);

#endif
