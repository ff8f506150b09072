/* SPDX-License-Identifier: MIT */
/* Entering and leaving a job. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"
#include "base/os_spawn.h"
#include "pool/worker.h"

/* Stands for a function that this worker does not have. */
static int missing_function(ndshm_task *task)
{
    return ndshm__task_fail_text(task, -ENOENT,
                                 "no exported function '%s' of type ndshm_task_fn in the worker (a "
                                 "program must be linked with -rdynamic)",
                                 task->worker->function);
}

static int find_function(ndshm_worker *worker)
{
    const struct ndshm__facts *facts = &worker->job.job.facts;
    worker->named = facts->fn_object == NDSHM__FN_BY_NAME;
    worker->fn = NULL;
    if (worker->named) {
        int status = ndshm__layout_text(&worker->job.job, NDSHM__TEXT_FUNCTION, worker->function);
        if (status)
            return status;
        if (!worker->joined)
            worker->fn = ndshm__functions_named(worker->function);
        if (!worker->fn)
            worker->fn = missing_function;
        return 0;
    }
    if (worker->functions)
        worker->fn = ndshm__functions_at(worker->functions, facts->fn_object, facts->fn_offset);
    return worker->fn ? 0 : NDSHM_ECORRUPT;
}

/* Opens the job of an entry that was entered. A job that vanished meanwhile is nobody's fault; one
 * that is still there and cannot be opened is broken, and its submitter must hear of it. */
static bool open_job(ndshm_worker *worker, int entry, uint64_t id)
{
    int status = ndshm__serving_open(&worker->job, worker->pool,
                                     ndshm__segment_name(worker->segment), entry, id);
    if (!status) {
        status = find_function(worker);
        if (status)
            ndshm__serving_close(&worker->job);
    }
    if (status && atomic_load(&worker->pool->entries[entry].id) == id)
        ndshm__table_break(worker->pool, entry, status);
    return status == 0;
}

/* Enters one entry. An entry with nothing in it loses its mark; an offer made meanwhile gets it
 * back. */
static bool enter(ndshm_worker *worker, int entry)
{
    struct ndshm__pool_memory *pool = worker->pool;
    uint64_t id = ndshm__table_enter(pool, worker->slot, entry);
    if (!id) {
        ndshm__table_withdraw(pool, entry);
        if (atomic_load(&pool->entries[entry].id))
            ndshm__table_offer(pool, entry, 1);
        return false;
    }
    if (open_job(worker, entry, id)) {
        worker->serving = true;
        return true;
    }
    ndshm__table_leave(pool, worker->slot);
    return false;
}

/* Of the marked entries that this worker can serve, the one with the oldest job; or -1. */
static int oldest(const ndshm_worker *worker, uint64_t marks)
{
    int best = -1;
    uint64_t best_id = UINT64_MAX;
    for (; marks; marks &= marks - 1) {
        int entry = __builtin_ctzll(marks);
        struct ndshm__entry *candidate = &worker->pool->entries[entry];
        uint64_t id = atomic_load(&candidate->id);
        if (worker->joined && (atomic_load(&candidate->flags) & NDSHM__ENTRY_FORKED_ONLY))
            continue;
        if (id < best_id) {
            best = entry;
            best_id = id;
        }
    }
    return best;
}

bool ndshm__worker_enter(ndshm_worker *worker)
{
    uint64_t marks = atomic_load(&worker->pool->runnable);
    for (;;) {
        int entry = oldest(worker, marks);
        if (entry < 0)
            return false;
        if (worker->serving && entry == worker->job.entry) /* fed since it looked */
            return true;
        if (worker->serving)
            ndshm__worker_leave_job(worker);
        if (enter(worker, entry))
            return true;
        marks &= ~(UINT64_C(1) << entry);
    }
}

static void detach_shared(ndshm_worker *worker)
{
    for (int i = 0; worker->shared && i < worker->job.job.facts.nshared; i++)
        for (int access = 0; access < 3; access++)
            ndshm__attachment_close(&worker->shared[i].by_access[access]);
    free(worker->shared);
    worker->shared = NULL;
}

void ndshm__worker_leave_job(ndshm_worker *worker)
{
    detach_shared(worker);
    ndshm__attachment_close(&worker->output);
    if (!worker->joined)
        ndshm__os_flush_output();
    ndshm__serving_close(&worker->job);
    worker->serving = false;
    ndshm__table_leave(worker->pool, worker->slot);
}
