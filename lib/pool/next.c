/* SPDX-License-Identifier: MIT */
/* The results of a job one after the other: by index, or as they come. */
#include <errno.h>
#include <stdlib.h>

#include "base/os.h"
#include "pool/pool.h"

int ndshm__next_init(ndshm_job *job, int order)
{
    const struct ndshm__job_view *view = &job->view;
    bool stream = ndshm__layout_is_stream(view);
    if (order == NDSHM_ORDER_INDEX)
        return 0;
    job->next.given = ndshm__alloc((size_t)view->units + 8);
    if (!job->next.given)
        return ndshm__fail(-ENOMEM, "no memory to remember which of %lld results were given",
                           (long long)view->units);
    for (int64_t i = 0; stream && i < view->units; i++)
        job->next.given[i] = NDSHM__UNIT_FINAL; /* there is nothing yet */
    return 0;
}

/* What lies behind the last chunk that was ever looked at has not begun. */
static int64_t touched(const ndshm_job *job)
{
    const struct ndshm__job_view *view = &job->view;
    int64_t begin, end, hint = atomic_load_explicit(&view->memory->hint, memory_order_relaxed);
    if (ndshm__job_done(job) || hint < 0 || hint >= view->chunks.total)
        return view->units;
    ndshm__layout_units(view, hint, &begin, &end);
    return begin;
}

/* Of a stream, a unit is over when its place can be given to another task. */
static bool is_over(const ndshm_job *job, int64_t unit)
{
    if (ndshm__job_done(job))
        return true;
    return ndshm__job_state(job, unit) & NDSHM__UNIT_FINAL &&
           (!job->stream || atomic_load(&job->view.claims[unit]) & NDSHM__CLAIM_FINAL);
}

/* The first one from begin on that has ended and was not given, or -1. */
static int64_t search(const ndshm_job *job, int64_t begin, int64_t end)
{
    bool any = ndshm__job_done(job);
    int64_t unit = begin;
    while ((unit = ndshm__claim_ended(&job->view, job->next.given, unit, end, any)) >= 0) {
        if (is_over(job, unit))
            return unit;
        unit++;
    }
    return -1;
}

static int64_t find_completed(ndshm_job *job)
{
    struct ndshm__next *next = &job->next;
    int64_t end = touched(job), scan = next->scan < end ? next->scan : end;
    int64_t unit = search(job, scan, end);
    if (unit < 0)
        unit = search(job, next->low, scan);
    if (unit < 0)
        return -1;
    next->given[unit] = NDSHM__UNIT_FINAL;
    next->scan = unit + 1;
    while (!job->stream && next->low < job->view.units && next->given[next->low])
        next->low++;
    return unit;
}

static int64_t find_in_order(const ndshm_job *job)
{
    int64_t unit = job->next.count;
    if (job->stream)
        unit = unit < ndshm__stream_fed(job) ? unit % job->view.units : -1;
    return unit >= 0 && is_over(job, unit) ? unit : -1;
}

static bool is_last(const ndshm_job *job)
{
    if (!job->stream)
        return job->next.count == job->view.units;
    return ndshm__stream_ended(job) && job->next.count == ndshm__stream_fed(job);
}

/* The next result, if it is there; -EAGAIN: not yet. Under the mutex. */
static int look(ndshm_job *job, ndshm_result *out)
{
    if (is_last(job))
        return ndshm__fail(-ENOENT, "%s: there are no more results", job->name);
    int64_t unit = job->next.given ? find_completed(job) : find_in_order(job);
    if (unit < 0)
        return -EAGAIN;
    ndshm__job_fate(job, unit, out);
    if (job->stream)
        ndshm__stream_given(job, unit);
    job->next.count++;
    if (job->view.facts.max_result_bytes) {
        atomic_store(&job->view.memory->given, job->next.count);
        ndshm__event_raise(&job->pool->memory->step); /* the next one may pass the brake */
    }
    return 0;
}

static int locked_look(ndshm_job *job, ndshm_result *out)
{
    pthread_mutex_lock(&job->pool->mutex);
    int status = look(job, out);
    pthread_mutex_unlock(&job->pool->mutex);
    ndshm__bar_step(job);
    return status;
}

static int wait_for_next(ndshm_job *job, int timeout_ms, ndshm_result *out)
{
    struct ndshm__event *event = &job->pool->memory->step;
    int64_t end = ndshm__deadline(timeout_ms);
    for (;;) {
        uint32_t seen = ndshm__event_read(event);
        int status = locked_look(job, out);
        if (status != -EAGAIN)
            return status;
        status = ndshm__job_sleep(job, event, seen, end);
        if (status == -ETIMEDOUT)
            return ndshm__fail(status, "%s: the next task is not finished after %d ms", job->name,
                               timeout_ms);
        if (status)
            return ndshm__pool_dead(job->pool);
    }
}

int ndshm_job_next(ndshm_job *job, int timeout_ms, ndshm_result *out)
{
    ndshm__begin("ndshm_job_next");
    int status = ndshm__job_check(job);
    if (!status)
        status = locked_look(job, out);
    if (status != -EAGAIN)
        return status;
    /* Workers raise the event only for those who wait: that must be seen before we look again. */
    atomic_fetch_add(&job->pool->memory->step.waiters, 1);
    status = wait_for_next(job, timeout_ms, out);
    atomic_fetch_sub(&job->pool->memory->step.waiters, 1);
    return status;
}
