/* SPDX-License-Identifier: MIT */
/* A job in the host's hands: waiting, cancelling, closing. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"
#include "pool/pool.h"

static const int64_t slice_ns = 100000000; /* between two looks whether the supervisor lives */

int64_t ndshm__deadline(int timeout_ms)
{
    return timeout_ms < 0 ? -1 : ndshm__os_now() + (int64_t)timeout_ms * 1000000;
}

static int check_any(const ndshm_job *job)
{
    if (!job)
        return ndshm__fail(-EINVAL, "no job");
    if (job->generation != ndshm__os_generation())
        return ndshm__fail(-EPERM, "a forked child cannot use its parent's job");
    return 0;
}

int ndshm__job_check(const ndshm_job *job)
{
    int status = check_any(job);
    if (!status && job->watched)
        status =
            ndshm__fail(-EPERM, "%s: belongs to another handle; this one only watches", job->name);
    return status;
}

int ndshm__job_lock_any(const ndshm_job *job)
{
    int status = check_any(job);
    if (!status)
        pthread_mutex_lock(&job->pool->mutex);
    return status;
}

int ndshm__job_lock(const ndshm_job *job)
{
    int status = ndshm__job_check(job);
    if (!status)
        pthread_mutex_lock(&job->pool->mutex);
    return status;
}

void ndshm__job_unlock(const ndshm_job *job)
{
    pthread_mutex_unlock(&job->pool->mutex);
}

static int32_t broken(const ndshm_job *job)
{
    if (job->broken || job->entry < 0)
        return job->broken;
    return atomic_load(&job->pool->memory->entries[job->entry].broken);
}

bool ndshm__job_done(const ndshm_job *job)
{
    return job->view.memory && (job->pool->closed || broken(job) ||
                                atomic_load(&job->pool->memory->state) == NDSHM__POOL_DEAD ||
                                atomic_load_explicit(&job->view.memory->state,
                                                     memory_order_acquire) == NDSHM__JOB_DONE);
}

int ndshm__job_sleep(const ndshm_job *job, struct ndshm__event *event, uint32_t seen,
                     int64_t end_ns)
{
    ndshm_pool *pool = job->pool;
    int64_t left = end_ns < 0 ? slice_ns : end_ns - ndshm__os_now();
    if (left <= 0)
        return -ETIMEDOUT;
    ndshm__event_wait(event, seen, &pool->spin, left < slice_ns ? left : slice_ns);
    if (ndshm__event_read(event) != seen)
        return 0;
    pthread_mutex_lock(&pool->mutex);
    bool gone = !pool->closed && !ndshm__pool_alive(pool) &&
                atomic_load(&pool->memory->state) != NDSHM__POOL_ENDED;
    pthread_mutex_unlock(&pool->mutex);
    return gone ? NDSHM_EWORKER : 0;
}

/* What a finished job has come to. Under the mutex. */
static int verdict(const ndshm_job *job)
{
    const struct ndshm__job_memory *memory = job->view.memory;
    struct ndshm__tally tally = {0};
    int64_t count = job->stream ? ndshm__stream_fed(job) : job->view.units;
    bool done = atomic_load_explicit(&memory->state, memory_order_acquire) == NDSHM__JOB_DONE;
    int32_t why = broken(job);
    if (why)
        return ndshm__fail(why, "%s: a worker could not open the job: %s", job->name,
                           ndshm_strerror(why));
    if (atomic_load(&memory->failed) || atomic_load(&memory->stop))
        ndshm__job_tally(job, &tally);
    else
        tally.final = count;
    if (tally.failed && done)
        return ndshm__fail(NDSHM_ETASK, "%s: %lld of %lld %s failed", job->name,
                           (long long)tally.failed, (long long)count,
                           job->view.facts.flags & NDSHM_JOB_RANGES ? "ranges" : "tasks");
    if (!done && !job->pool->closed)
        return ndshm__pool_dead(job->pool);
    if (!done || tally.final < count)
        return ndshm__fail(NDSHM_ECANCELED, "%s: ended before all was done", job->name);
    return 0;
}

static int wait_for_end(ndshm_job *job, int timeout_ms)
{
    struct ndshm__event *event = &job->pool->memory->done;
    int64_t end = ndshm__deadline(timeout_ms);
    for (;;) {
        uint32_t seen = ndshm__event_read(event);
        pthread_mutex_lock(&job->pool->mutex);
        bool done = ndshm__job_done(job);
        int status = done ? verdict(job) : 0;
        pthread_mutex_unlock(&job->pool->mutex);
        ndshm__bar_step(job);
        if (done)
            return status;
        status = ndshm__job_sleep(job, event, seen, end);
        if (status == -ETIMEDOUT)
            return ndshm__fail(status, "%s: not finished after %d ms", job->name, timeout_ms);
        if (status)
            return ndshm__pool_dead(job->pool);
    }
}

/* Who waits for the end wants all results: then none waits for room. */
static void count_waiting(ndshm_job *job, uint32_t change)
{
    pthread_mutex_lock(&job->pool->mutex);
    if (job->view.memory && job->view.facts.max_result_bytes && !job->cleared) {
        atomic_fetch_add(&job->view.memory->waiting, change);
        ndshm__event_raise(&job->pool->memory->step);
    }
    pthread_mutex_unlock(&job->pool->mutex);
}

int ndshm__job_wait(ndshm_job *job, int timeout_ms)
{
    count_waiting(job, 1);
    int status = wait_for_end(job, timeout_ms);
    count_waiting(job, UINT32_MAX);
    return status;
}

void ndshm__job_settle(ndshm_job *job)
{
    struct ndshm__serving serving = {
        .pool = job->pool->memory, .entry = job->entry, .job = job->view};
    if (job->entry >= 0)
        ndshm__serving_settle(&serving);
}

int ndshm__job_over(const ndshm_job *job)
{
    int32_t why = broken(job);
    if (!job->pool->closed && atomic_load(&job->pool->memory->state) == NDSHM__POOL_DEAD)
        return ndshm__pool_dead(job->pool);
    return ndshm__fail(why ? why : NDSHM_ECANCELED, "%s: the job is over", job->name);
}

/* Begins no further task. Under the mutex. */
static void stop(ndshm_job *job, uint32_t why)
{
    struct ndshm__pool_memory *pool = job->pool->memory;
    uint32_t running = 0;
    if (job->entry < 0)
        return;
    if (why == NDSHM__STOP_CLOSE)
        atomic_store(&job->view.memory->stop, why);
    else
        atomic_compare_exchange_strong(&job->view.memory->stop, &running, why);
    ndshm__table_withdraw(pool, job->entry);
    ndshm__job_settle(job);
    ndshm__event_raise(&pool->done); /* for who feeds it */
}

void ndshm__job_clear(ndshm_job *job)
{
    ndshm_pool *pool = job->pool;
    if (job->cleared || !job->view.memory)
        return;
    job->cleared = true;
    job->broken = broken(job);
    if (!pool->closed)
        stop(job, NDSHM__STOP_CLOSE);
    ndshm__remove_results(pool->memory, pool->launch.name, &job->view);
}

static void unlink_job(ndshm_job *job)
{
    ndshm_pool *pool = job->pool;
    if (job->before)
        job->before->after = job->after;
    else if (pool->jobs == job)
        pool->jobs = job->after;
    if (job->after)
        job->after->before = job->before;
}

void ndshm__job_free(ndshm_job *job)
{
    if (!job)
        return;
    ndshm_pool *pool = job->pool;
    ndshm__bar_end(job);
    ndshm__quiet_begin();
    pthread_mutex_lock(&pool->mutex);
    ndshm__job_clear(job);
    ndshm__job_displace(job);
    unlink_job(job);
    pthread_mutex_unlock(&pool->mutex);
    if (job->segment)
        ndshm__segment_unlink(job->segment);
    ndshm__segment_release(&job->segment);
    for (int i = 0; i < job->nheld; i++)
        ndshm__attachment_close(&job->held[i]);
    free(job->held);
    ndshm__layout_free(&job->view);
    free(job->copy);
    free(job->next.given);
    free(job->stream);
    free(job);
    ndshm__quiet_end();
    ndshm__pool_release(pool);
}

/* --- public --- */

const char *ndshm_job_name(const ndshm_job *job)
{
    return job->name;
}

int ndshm_job_wait(ndshm_job *job, int timeout_ms)
{
    ndshm__begin("ndshm_job_wait");
    int status = ndshm__job_check(job);
    return status ? status : ndshm__job_wait(job, timeout_ms);
}

int ndshm_job_cancel(ndshm_job *job)
{
    ndshm__begin("ndshm_job_cancel");
    int status = ndshm__job_lock(job);
    if (status)
        return status;
    if (!job->pool->closed && !ndshm__job_done(job))
        stop(job, NDSHM__STOP_CANCEL);
    ndshm__job_unlock(job);
    return 0;
}

void ndshm_job_close(ndshm_job **job)
{
    if (!job || !*job)
        return;
    ndshm_job *closing = *job;
    *job = NULL;
    if (closing->generation != ndshm__os_generation()) /* its mappings stayed in the parent */
        return;
    if (closing->watched) {
        ndshm__watch_close(closing);
        return;
    }
    ndshm_pool *pool = closing->owns_pool ? closing->pool : NULL;
    ndshm__job_free(closing);
    if (pool)
        ndshm__pool_close(pool);
}
