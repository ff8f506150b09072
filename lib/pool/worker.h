/* SPDX-License-Identifier: MIT */
/* A worker and its task: one loop for forked workers and for those that join. */
#ifndef NDSHM_LIB_POOL_WORKER_H
#define NDSHM_LIB_POOL_WORKER_H

#include "pool/attachment.h"
#include "pool/cache.h"
#include "pool/functions.h"
#include "pool/park.h"
#include "pool/serving.h"

struct ndshm_task {
    ndshm_worker *worker;
    int64_t unit;
    int64_t index; /* of the first task of the unit */
    bool open;     /* handed out by ndshm_worker_next */
    bool touched;  /* has left something that its end must look at */
    bool random_begun;
    int status; /* of ndshm_task_fail */
    uint64_t random;
    struct ndshm__attachment result;
    char target[NDSHM_NAME_MAX + 1]; /* of ndshm_task_return */
    char message[256];
    char item[NDSHM_REF_MAX + 1];
};

/* What is attached for one shared reference, by access - 1. */
struct ndshm__shared {
    struct ndshm__attachment by_access[3];
};

struct ndshm_worker {
    uint64_t generation; /* the process that it works in */
    bool joined;
    int slot;
    ndshm__segment *segment;
    struct ndshm__pool_memory *pool;
    struct ndshm__spin spin;
    const struct ndshm__functions *functions; /* forked workers */
    void *context;
    bool serving;
    struct ndshm__serving job;
    ndshm_task_fn fn;
    bool named; /* the job has a function name, here: */
    char function[NDSHM_REF_MAX + 1];
    struct ndshm__shared *shared;
    struct ndshm__mappings mappings;
    struct ndshm__attachment output;
    ndshm_view output_view;
    int64_t tasks_left;    /* before it is replaced; INT64_MAX: no limit */
    int64_t most_memory;   /* of its own, likewise; 0: no limit */
    int64_t memory_looked; /* when it was measured last */
    int64_t chunk;         /* owned now, or -1; of its units, this one is next: */
    int64_t unit, unit_end;
    struct ndshm_task task;
};

/* Attaches the pool as the worker of slot; -1: any free slot behind the pool's own workers. */
int ndshm__worker_open(const char *pool, int slot, ndshm_worker **out);
void ndshm__worker_close(ndshm_worker **worker);

/* Waits until a chunk of some job is owned. 0, -ETIMEDOUT, NDSHM_ECANCELED: the pool is over.
 * timeout_ns -1: for ever. */
int ndshm__worker_claim(ndshm_worker *worker, int64_t timeout_ns);

/* Runs the owned chunk with the job's function. */
void ndshm__worker_run(ndshm_worker *worker);

/* Whether it has done or used so much that another one should go on. */
bool ndshm__worker_heavy(ndshm_worker *worker);

static inline bool ndshm__worker_worn(ndshm_worker *worker)
{
    return worker->tasks_left <= 0 || (worker->most_memory && ndshm__worker_heavy(worker));
}

/* Makes the owned chunk final. */
void ndshm__worker_finish_chunk(ndshm_worker *worker);

/* worker_job.c: enters the next job that has something to claim; false: there is none. Leaves it
 * again. */
bool ndshm__worker_enter(ndshm_worker *worker);
void ndshm__worker_leave_job(ndshm_worker *worker);

/* ndshm_task_fail with a formatted message. */
int ndshm__task_fail_text(ndshm_task *task, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What a task has that is not plain: its time of start, or a range. */
void ndshm__task_prepare(ndshm_task *task);

/* task_end.c: the deadline of the unit that begins, -1: of whatever comes next; none any more;
 * whether it has passed. Nothing in jobs without deadlines: a small task costs less than a call. */
void ndshm__deadline_set(ndshm_worker *worker, int64_t unit);
bool ndshm__deadline_passed(const ndshm_worker *worker);

static inline void ndshm__deadline_arm(ndshm_worker *worker, int64_t unit)
{
    if (worker->job.job.facts.timeout_ms)
        ndshm__deadline_set(worker, unit);
}

static inline void ndshm__deadline_disarm(ndshm_worker *worker)
{
    if (worker->job.job.facts.timeout_ms)
        atomic_store(&worker->pool->slots[worker->slot].deadline, 0);
}

/* task_end.c: the end of a task that has more to it than success. Returns the status recorded. */
int ndshm__task_end(ndshm_task *task, int status, const char *message);
/* Lets go of what a task made, without a trace. */
void ndshm__task_drop(ndshm_task *task);

static inline bool ndshm__task_stopped(const struct ndshm__job_view *job)
{
    return atomic_load_explicit(&job->memory->stop, memory_order_relaxed) != 0;
}

/* Marks a unit as running; false: it has ended already, under a worker that died. */
static inline bool ndshm__task_begin(ndshm_worker *worker, int64_t unit)
{
    struct ndshm__job_view *job = &worker->job.job;
    ndshm_task *task = &worker->task;
    if (atomic_load_explicit(&job->states[unit], memory_order_relaxed) & NDSHM__UNIT_FINAL)
        return false;
    atomic_store_explicit(&job->states[unit], NDSHM__UNIT_RUNNING, memory_order_relaxed);
    task->unit = unit;
    task->index = unit;
    task->random_begun = false;
    return true;
}

#endif
