/* SPDX-License-Identifier: MIT */
#include "pool/brake.h"

#include "base/base.h"

static const int64_t slice_ns = 100000000;

static struct ndshm__slot *slot_of(const ndshm_worker *worker)
{
    return &worker->pool->slots[worker->slot];
}

/* Whether somebody works at a task before this one; *unclaimed: whether nobody has the one that is
 * read next. */
static bool look_around(const ndshm_task *task, int64_t next, bool *unclaimed)
{
    const struct ndshm__job_view *job = &task->worker->job.job;
    bool owned = false;
    *unclaimed = false;
    for (int64_t i = 0; job->sequence && i < job->units; i++) {
        uint8_t claim = atomic_load(&job->claims[i]);
        int64_t index = atomic_load(&job->sequence[i]);
        owned |= claim != NDSHM__CLAIM_FREE && claim < NDSHM__CLAIM_FINAL && index < task->index;
        *unclaimed |= claim == NDSHM__CLAIM_FREE && index == next;
    }
    if (job->sequence)
        return owned;
    bool ranges = job->facts.flags & NDSHM_JOB_RANGES;
    if (next >= 0 && next < job->units)
        *unclaimed =
            atomic_load(&job->claims[ranges ? next : ndshm__chunks_find(&job->chunks, next)]) ==
            NDSHM__CLAIM_FREE;
    return ndshm__claim_any_owned(job, task->worker->chunk);
}

/* Whoever reads results waits for this one, or for one that nobody else will run. */
static bool is_awaited(const ndshm_task *task)
{
    const struct ndshm__job_view *job = &task->worker->job.job;
    int64_t given = atomic_load(&job->memory->given);
    bool unclaimed;
    if (atomic_load(&job->memory->waiting))
        return true;
    if (job->facts.flags & NDSHM__JOB_COMPLETED) {
        struct ndshm__tally tally;
        ndshm__claim_tally(job, 0, job->units, &tally);
        return tally.final + atomic_load(&job->memory->past_done) <= given &&
               !look_around(task, given, &unclaimed);
    }
    if (given == (job->sequence ? task->index : task->unit))
        return true;
    return !look_around(task, given, &unclaimed) && unclaimed;
}

static bool enter(ndshm_task *task, int64_t bytes)
{
    struct ndshm__job_view *job = &task->worker->job.job;
    int64_t sum = atomic_load(&job->memory->untaken_bytes);
    do
        if (sum > job->facts.max_result_bytes - bytes && !is_awaited(task))
            return false;
    while (!atomic_compare_exchange_weak(&job->memory->untaken_bytes, &sum, sum + bytes));
    atomic_store(&slot_of(task->worker)->making, bytes);
    return true;
}

static int park(ndshm_task *task, int64_t bytes)
{
    struct ndshm__spin no_spin = {0};
    struct ndshm__event *step = &task->worker->pool->step;
    for (;;) {
        uint32_t seen = ndshm__event_read(step);
        if (enter(task, bytes))
            return 0;
        if (ndshm__task_stopped(&task->worker->job.job) ||
            atomic_load(&task->worker->pool->state) > NDSHM__POOL_STOPPING)
            return ndshm__fail(NDSHM_ECANCELED, "the job ended while its task waited for room");
        ndshm__event_wait(step, seen, &no_spin, slice_ns);
    }
}

int ndshm__brake_wait(ndshm_task *task, int64_t bytes)
{
    ndshm_worker *worker = task->worker;
    if (!worker->job.job.facts.max_result_bytes || enter(task, bytes))
        return 0;
    ndshm__deadline_disarm(worker);
    atomic_fetch_add(&worker->pool->step.waiters, 1);
    int status = park(task, bytes);
    atomic_fetch_sub(&worker->pool->step.waiters, 1);
    ndshm__deadline_arm(worker, task->unit);
    return status;
}

void ndshm__brake_made(ndshm_worker *worker)
{
    if (worker->job.job.facts.max_result_bytes)
        atomic_store(&slot_of(worker)->making, 0);
}

void ndshm__brake_dropped(struct ndshm__pool_memory *pool, int slot, struct ndshm__job_view *job)
{
    if (job->facts.max_result_bytes)
        ndshm__brake_taken(pool, job, atomic_exchange(&pool->slots[slot].making, 0));
}

void ndshm__brake_taken(struct ndshm__pool_memory *pool, struct ndshm__job_view *job, int64_t bytes)
{
    if (!job->facts.max_result_bytes || !bytes)
        return;
    atomic_fetch_sub(&job->memory->untaken_bytes, bytes);
    ndshm__event_raise(&pool->step);
}
