/* SPDX-License-Identifier: MIT */
/* The process between host and workers: forks them, sees deaths at once, and leaves nothing behind.
 */
#ifndef NDSHM_LIB_POOL_SUPERVISOR_H
#define NDSHM_LIB_POOL_SUPERVISOR_H

#include "pool/functions.h"
#include "pool/serving.h"
#include "pool/threads.h"

/* What the host decides at open, and every process inherits by fork. */
struct ndshm__launch {
    char name[NDSHM_NAME_MAX + 1];
    int workers;
    int cpus; /* of each worker */
    int pin;
    void *context;
    int (*init)(void *context);
    void (*fini)(void *context);
    int (*fork)(void *context); /* or NULL */
    int max_tasks;
    int64_t max_worker_bytes;
    struct ndshm__functions *functions;
    struct ndshm__threads *threads; /* NULL: those of libraries are left alone */
    int host;                       /* a pidfd */
    int event;                      /* readable: the state of the pool changed */
};

int ndshm__launch_fork(const struct ndshm__launch *launch);

/* In the forked child; does not return. */
_Noreturn void ndshm__supervisor_main(const struct ndshm__launch *launch);

/* worker_main.c: in a child of the supervisor. */
_Noreturn void ndshm__worker_main(const struct ndshm__launch *launch, int slot, int supervisor);

/* worker_main.c: the first to give a reason why the pool cannot go on. */
void ndshm__pool_blame(struct ndshm__pool_memory *pool, int status, const char *message);

/* Why a worker died. */
struct ndshm__cause {
    int signal;       /* 0: none */
    int64_t deadline; /* not 0: killed because of this one, of unit */
    int64_t unit;
    char text[160]; /* "killed by signal 9 (Killed)" */
};

/* death.c: charges the task that a dead worker was at, offers the rest of its chunk again. After a
 * deadline only the task that it was for is charged. */
void ndshm__death_settle(struct ndshm__pool_memory *pool, const char *name, int slot,
                         const struct ndshm__cause *cause);

#endif
