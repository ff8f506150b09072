/* SPDX-License-Identifier: MIT */
/* The worker's loop, and the handle of those that join. */
#include "pool/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"
#include "base/os_spawn.h"
#include "pool/notify.h"
#include "segment/format.h"

static const int64_t slice_ns =
    1000000000; /* between two looks whether the pool still has an owner */

/* --- attaching --- */

/* The first free slot behind the pool's own workers, or -1. */
static int free_slot(struct ndshm__pool_memory *pool)
{
    for (int i = pool->workers; i >= 0 && i < NDSHM_WORKERS_MAX; i++)
        if (atomic_load(&pool->slots[i].state) == NDSHM__SLOT_FREE)
            return i;
    return -1;
}

static void raise_used(struct ndshm__pool_memory *pool, int slot)
{
    uint32_t used = atomic_load(&pool->slots_used);
    while (used < (uint32_t)slot + 1 &&
           !atomic_compare_exchange_weak(&pool->slots_used, &used, (uint32_t)slot + 1))
        ;
}

static int attach(const char *name, ndshm_worker *worker)
{
    int status = ndshm__segment_attach(name, NDSHM_KIND_POOL, NDSHM_WRITE, &worker->segment);
    if (status)
        return status;
    if (ndshm__segment_payload_size(worker->segment) < (int64_t)sizeof(struct ndshm__pool_memory))
        return ndshm__fail(NDSHM_ECORRUPT, "'%s': too small for a pool", name);
    worker->pool = ndshm__segment_payload(worker->segment);
    if (worker->pool->layout != NDSHM__POOL_LAYOUT)
        return ndshm__fail(NDSHM_EVERSION, "'%s': a pool of another version of the library", name);
    return 0;
}

/* Holds the slot's lock byte before it claims the slot: a slot without its lock has a dead worker.
 * 1: somebody else was faster. */
static int take_slot(const char *name, ndshm_worker *worker)
{
    uint32_t expected = NDSHM__SLOT_FREE;
    int status = attach(name, worker);
    if (status)
        return status;
    if (ndshm__segment_held(name, NDSHM__LOCK_OWNER) == 0)
        return ndshm__fail(NDSHM_ECANCELED, "'%s': the pool is dead", name);
    worker->slot = free_slot(worker->pool);
    if (worker->slot < 0)
        return ndshm__fail(-EAGAIN, "'%s': all %d slots are taken", name, NDSHM_WORKERS_MAX);
    status = ndshm__segment_hold(worker->segment, NDSHM__LOCK_WORKER + worker->slot);
    if (status)
        return status;
    struct ndshm__slot *slot = &worker->pool->slots[worker->slot];
    atomic_store(&worker->pool->joined, 1);
    raise_used(worker->pool, worker->slot);
    if (atomic_compare_exchange_strong(&slot->state, &expected, NDSHM__SLOT_JOINED)) {
        atomic_store(&slot->pid, (uint32_t)ndshm__os_pid());
        return 0;
    }
    ndshm__segment_release(&worker->segment);
    return 1;
}

int ndshm__worker_open(const char *pool, int slot, ndshm_worker **out)
{
    ndshm_worker *worker = ndshm__alloc(sizeof *worker);
    if (!worker)
        return ndshm__fail(-ENOMEM, "no memory for a worker");
    int status;
    worker->generation = ndshm__os_generation();
    worker->joined = slot < 0;
    worker->slot = slot;
    worker->chunk = -1;
    worker->tasks_left = INT64_MAX;
    worker->task.worker = worker;
    if (slot >= 0) {
        status = attach(pool, worker);
        if (!status)
            status = ndshm__segment_hold(worker->segment, NDSHM__LOCK_WORKER + slot);
    } else {
        do
            status = take_slot(pool, worker);
        while (status == 1);
    }
    if (status) {
        ndshm__segment_release(&worker->segment);
        free(worker);
        return status;
    }
    ndshm__segment_dontfork(worker->segment);
    worker->mappings = (struct ndshm__mappings){.pool = worker->pool,
                                                .pool_name = ndshm__segment_name(worker->segment),
                                                .slot = worker->slot,
                                                .place = -1};
    ndshm__spin_init(&worker->spin, worker->pool->spin_ns);
    *out = worker;
    return 0;
}

void ndshm__worker_close(ndshm_worker **worker)
{
    ndshm__cache_drop(&(*worker)->mappings);
    ndshm__segment_release(&(*worker)->segment);
    free(*worker);
    *worker = NULL;
}

/* --- the loop --- */

/* Nothing was left to claim: says so. */
static void withdraw(ndshm_worker *worker)
{
    struct ndshm__serving *serving = &worker->job;
    ndshm__table_withdraw(worker->pool, serving->entry);
    if (!atomic_load(&serving->job.memory->stop) &&
        ndshm__claim_any_free(&serving->job, &serving->cursor))
        ndshm__table_offer(worker->pool, serving->entry, 1);
}

static void leave_exhausted(ndshm_worker *worker)
{
    withdraw(worker);
    ndshm__worker_leave_job(worker);
}

/* In a stream more will come: stays, with everything attached, until there is other work. */
static void rest(ndshm_worker *worker)
{
    const struct ndshm__job_view *job = &worker->job.job;
    if (!ndshm__layout_is_stream(job) || atomic_load(&job->memory->state) != NDSHM__JOB_RUNNING ||
        ndshm__task_stopped(job)) {
        leave_exhausted(worker);
        return;
    }
    withdraw(worker);
    if (!worker->joined)
        ndshm__os_flush_output();
}

/* Tries to own a chunk of the job that is being served. */
static bool claim_here(ndshm_worker *worker)
{
    struct ndshm__serving *serving = &worker->job;
    ndshm__deadline_arm(worker, -1); /* before it owns anything */
    int64_t chunk = ndshm__claim_next(&serving->job, &serving->cursor, worker->slot);
    if (chunk >= 0 && atomic_load(&serving->job.memory->stop)) {
        ndshm__claim_release(&serving->job, chunk);
        ndshm__serving_settle(serving);
        chunk = -1;
    }
    if (chunk < 0) {
        ndshm__deadline_disarm(worker);
        return false;
    }
    worker->chunk = chunk;
    ndshm__layout_units(&serving->job, chunk, &worker->unit, &worker->unit_end);
    return true;
}

static bool past(const ndshm_worker *worker, uint32_t state)
{
    return atomic_load(&worker->pool->state) > state;
}

/* A worker that joined has no parent to die with. */
static bool abandoned(const ndshm_worker *worker)
{
    return worker->joined &&
           ndshm__segment_held(ndshm__segment_name(worker->segment), NDSHM__LOCK_OWNER) <= 0;
}

/* The pool is stopping, but somebody may still feed the stream that it serves. */
static bool unfinished_stream(const ndshm_worker *worker)
{
    return worker->serving && !past(worker, NDSHM__POOL_STOPPING);
}

int ndshm__worker_claim(ndshm_worker *worker, int64_t timeout_ns)
{
    int64_t end = timeout_ns > 0 ? ndshm__os_now() + timeout_ns : timeout_ns;
    for (;;) {
        uint32_t seen = atomic_load(&worker->pool->work);
        if (worker->serving) {
            if (!past(worker, NDSHM__POOL_STOPPING) && claim_here(worker))
                return 0;
            rest(worker);
        }
        if (!past(worker, NDSHM__POOL_STOPPING) && ndshm__worker_enter(worker))
            continue;
        int64_t left = end < 0 ? slice_ns : end ? end - ndshm__os_now() : 0;
        int status = past(worker, NDSHM__POOL_RUNNING) && !unfinished_stream(worker)
                         ? NDSHM_ECANCELED
                     : left <= 0 ? -ETIMEDOUT
                                 : 0;
        if (status) {
            if (worker->serving)
                leave_exhausted(worker);
            return status;
        }
        ndshm__work_wait(worker->pool, worker->slot, seen, &worker->spin,
                         left < slice_ns ? left : slice_ns);
        if (atomic_load(&worker->pool->work) != seen)
            continue;
        ndshm__cache_drop(&worker->mappings); /* nothing has happened for a while */
        if (abandoned(worker))
            return NDSHM_ECANCELED;
    }
}

void ndshm__worker_finish_chunk(ndshm_worker *worker)
{
    struct ndshm__serving *serving = &worker->job;
    ndshm__claim_finish(&serving->job, worker->chunk, worker->slot);
    ndshm__deadline_disarm(worker);
    worker->chunk = -1;
    if (ndshm__claim_exhausted(&serving->job) || ndshm__task_stopped(&serving->job))
        ndshm__serving_settle(serving);
    if (ndshm__awaited(worker->pool))
        ndshm__notify(worker->pool, serving->pool_name);
}

/* Measuring costs more than a small task: at most once a millisecond. */
bool ndshm__worker_heavy(ndshm_worker *worker)
{
    enum { PAUSE_NS = 1000000 };
    int64_t now = ndshm__os_now();
    if (now - worker->memory_looked < PAUSE_NS)
        return false;
    worker->memory_looked = now;
    return ndshm__os_private_memory() > worker->most_memory;
}

/* Others go on with the rest of the chunk. */
static void hand_over(ndshm_worker *worker)
{
    struct ndshm__serving *serving = &worker->job;
    ndshm__claim_release(&serving->job, worker->chunk);
    ndshm__deadline_disarm(worker);
    worker->chunk = -1;
    ndshm__table_offer(worker->pool, serving->entry, 1);
    ndshm__serving_settle(serving);
}

void ndshm__worker_run(ndshm_worker *worker)
{
    struct ndshm__job_view *job = &worker->job.job;
    ndshm_task *task = &worker->task;
    const bool limited = worker->tasks_left < INT64_MAX || worker->most_memory;
    const bool plain = !limited && !job->records && !job->facts.timeout_ms && !job->sequence &&
                       !(job->facts.flags & NDSHM_JOB_RANGES);
    for (int64_t unit = worker->unit; unit < worker->unit_end; unit++) {
        if (ndshm__task_stopped(job))
            break;
        if (!ndshm__task_begin(worker, unit))
            continue;
        if (!plain)
            ndshm__task_prepare(task);
        int status = worker->fn(task);
        if (plain && status == 0 && !task->touched)
            atomic_store_explicit(&job->states[unit], NDSHM__UNIT_OK, memory_order_release);
        else
            ndshm__task_end(task, status, NULL);
        worker->tasks_left -= limited;
        if (limited && unit + 1 < worker->unit_end && ndshm__worker_worn(worker)) {
            hand_over(worker);
            worker->tasks_left = 0;
            return;
        }
        if (ndshm__awaited(worker->pool) && unit + 1 < worker->unit_end)
            ndshm__notify(worker->pool, worker->job.pool_name);
    }
    ndshm__worker_finish_chunk(worker);
}

/* --- public --- */

static int check(const ndshm_worker *worker)
{
    if (!worker)
        return ndshm__fail(-EINVAL, "no worker");
    if (worker->generation != ndshm__os_generation())
        return ndshm__fail(-EPERM, "a forked child cannot use its parent's worker");
    return 0;
}

int ndshm_worker_join(const char *pool, ndshm_worker **out)
{
    const char *bare;
    ndshm__begin("ndshm_worker_join");
    if (!pool || !out)
        return ndshm__fail(-EINVAL, "no pool name, or nowhere to put the worker");
    int status = ndshm__name_check_any(pool, &bare);
    if (status)
        return status;
    return ndshm__worker_open(bare, -1, out);
}

/* Hands out the next unit of the owned chunk; false: there is none left. */
static bool next_unit(ndshm_worker *worker, ndshm_task **out)
{
    while (worker->unit < worker->unit_end && !ndshm__task_stopped(&worker->job.job))
        if (ndshm__task_begin(worker, worker->unit++)) {
            ndshm__task_prepare(&worker->task);
            worker->task.open = true;
            *out = &worker->task;
            return true;
        }
    return false;
}

int ndshm_worker_next(ndshm_worker *worker, int timeout_ms, ndshm_task **out)
{
    ndshm__begin("ndshm_worker_next");
    int status = check(worker);
    if (status)
        return status;
    if (worker->task.open)
        return ndshm__fail(-EBUSY, "the former task has not been finished");
    for (;;) {
        if (worker->chunk >= 0) {
            if (next_unit(worker, out))
                return 0;
            ndshm__worker_finish_chunk(worker);
        }
        status = ndshm__worker_claim(worker, timeout_ms < 0 ? -1 : (int64_t)timeout_ms * 1000000);
        if (status == -ETIMEDOUT)
            return ndshm__fail(status, "no task within %d ms", timeout_ms);
        if (status)
            return ndshm__fail(status, "the pool is over");
    }
}

int ndshm_task_finish(ndshm_task *task, int status, const char *message)
{
    ndshm__begin("ndshm_task_finish");
    if (!task || !task->open)
        return ndshm__fail(-EINVAL, "no task that is under way");
    int failed = check(task->worker);
    if (failed)
        return failed;
    task->open = false;
    int recorded = ndshm__task_end(task, status, message);
    if (task->worker->unit == task->worker->unit_end)
        ndshm__worker_finish_chunk(task->worker);
    return status ? 0 : recorded;
}

/* What was begun and not finished is offered again. */
static void give_up_chunk(ndshm_worker *worker)
{
    if (worker->task.open) {
        ndshm__task_drop(&worker->task);
        atomic_store(&worker->job.job.states[worker->task.unit], NDSHM__UNIT_PENDING);
    }
    hand_over(worker);
}

void ndshm_worker_leave(ndshm_worker **worker)
{
    if (!worker || !*worker)
        return;
    ndshm_worker *leaving = *worker;
    *worker = NULL;
    if (leaving->generation != ndshm__os_generation()) /* its mappings stayed in the parent */
        return;
    if (leaving->chunk >= 0)
        give_up_chunk(leaving);
    if (leaving->serving)
        leave_exhausted(leaving);
    atomic_store(&leaving->pool->slots[leaving->slot].state, NDSHM__SLOT_FREE);
    ndshm__worker_close(&leaving);
}
