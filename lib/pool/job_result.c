/* SPDX-License-Identifier: MIT */
/* What became of each task, and the segments that tasks left. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/os.h"
#include "pool/brake.h"
#include "pool/cache.h"
#include "pool/pool.h"

uint8_t ndshm__job_state(const ndshm_job *job, int64_t unit)
{
    return atomic_load_explicit(&job->view.states[unit], memory_order_acquire);
}

/* The unit of a task, or -ERANGE. */
static int64_t find_unit(const ndshm_job *job, int64_t index)
{
    if (ndshm__layout_is_stream(&job->view))
        return ndshm__stream_find(job, index);
    if (index < 0 || index >= job->view.facts.count)
        return ndshm__fail(-ERANGE, "%s: no task %lld; there are %lld", job->name, (long long)index,
                           (long long)job->view.facts.count);
    return ndshm__layout_unit(&job->view, index);
}

static const struct ndshm__news *find_news(const ndshm_job *job, int64_t unit)
{
    if (job->view.sequence) {
        const struct ndshm__news *news = &job->view.news[unit];
        return atomic_load_explicit(&news->ready, memory_order_acquire) ? news : NULL;
    }
    int64_t count = atomic_load(&job->view.memory->news_count);
    for (int64_t i = 0; i < count && i < job->view.news_size; i++) {
        const struct ndshm__news *news = &job->view.news[i];
        if (atomic_load_explicit(&news->ready, memory_order_acquire) && news->unit == unit)
            return news;
    }
    return NULL;
}

static void fill_failure(const ndshm_job *job, int64_t unit, uint8_t state, ndshm_result *out)
{
    const struct ndshm__news *news = find_news(job, unit);
    int32_t recorded = job->view.records ? job->view.records[unit].status : 0;
    out->status = news ? news->status : recorded;
    if (news) {
        out->signal = news->signal;
        memcpy(out->message, news->message, sizeof out->message);
        out->message[sizeof out->message - 1] = '\0';
    }
    if (!out->status)
        out->status = state == NDSHM__UNIT_LOST   ? NDSHM_EWORKER
                      : state == NDSHM__UNIT_LATE ? -ETIMEDOUT
                                                  : NDSHM_ETASK;
    if (!out->message[0])
        ndshm__text_copy(out->message, sizeof out->message, ndshm_strerror(out->status));
}

static void fill_record(const ndshm_job *job, int64_t unit, ndshm_result *out)
{
    const struct ndshm__record *record = job->view.records ? &job->view.records[unit] : NULL;
    out->worker = -1;
    if (!record)
        return;
    out->worker = record->worker - 1;
    out->start_ns = record->start_ns;
    out->end_ns = record->end_ns;
}

static int unfinished_status(const ndshm_job *job)
{
    if (!ndshm__job_done(job))
        return -EINPROGRESS;
    bool dead = atomic_load(&job->pool->memory->state) == NDSHM__POOL_DEAD;
    return dead && !job->pool->closed ? NDSHM_EWORKER : NDSHM_ECANCELED;
}

void ndshm__job_fate(const ndshm_job *job, int64_t unit, ndshm_result *out)
{
    uint8_t state = ndshm__job_state(job, unit);
    memset(out, 0, sizeof *out);
    int64_t end;
    ndshm__layout_tasks(&job->view, unit, &out->index, &end);
    out->attempts = job->view.attempts ? atomic_load(&job->view.attempts[unit]) : 0;
    out->attempts += state != NDSHM__UNIT_PENDING;
    out->worker = -1;
    if (!(state & NDSHM__UNIT_FINAL)) {
        out->status = unfinished_status(job);
        return;
    }
    fill_record(job, unit, out);
    if (state >= NDSHM__UNIT_FAILED)
        fill_failure(job, unit, state, out);
    else if (state > NDSHM__UNIT_TAKEN)
        out->status = NDSHM_ECORRUPT;
    if ((state == NDSHM__UNIT_RESULT || state == NDSHM__UNIT_REFERENCE) && !job->cleared) {
        char name[NDSHM__MEMBER_SIZE];
        ndshm__result_of(name, job->pool->launch.name, &job->view, unit);
        ndshm__text_copy(out->name, sizeof out->name, name);
    }
}

int ndshm_job_result(const ndshm_job *job, int64_t index, ndshm_result *out)
{
    ndshm__begin("ndshm_job_result");
    int status = ndshm__job_lock_any(job);
    ndshm_result result;
    if (status)
        return status;
    int64_t unit = find_unit(job, index);
    if (unit >= 0)
        ndshm__job_fate(job, unit, &result);
    status = unit < 0 ? (int)unit : ndshm__watch_check(job);
    ndshm__job_unlock(job);
    if (status)
        return status;
    *out = result;
    out->index = index;
    return 0;
}

/* --- taking --- */

/* Why there is nothing to take. */
static int nothing(const ndshm_job *job, int64_t index, int64_t unit, uint8_t state)
{
    ndshm_result result;
    if (state == NDSHM__UNIT_TAKEN)
        return ndshm__fail(-ENOENT, "%s: the result of task %lld was taken", job->name,
                           (long long)index);
    if (state == NDSHM__UNIT_OK || job->cleared)
        return ndshm__fail(-ENOENT, "%s: task %lld has no result%s", job->name, (long long)index,
                           job->cleared ? " any more: its pool was closed" : "");
    ndshm__job_fate(job, unit, &result);
    int status = result.status ? result.status : NDSHM_ECORRUPT; /* its state changed meanwhile */
    return ndshm__fail(status, "%s: task %lld: %s", job->name, (long long)index,
                       result.message[0] ? result.message : ndshm_strerror(status));
}

static int attach_result(const ndshm_job *job, int64_t unit, uint8_t state, int kind, int access,
                         struct ndshm__attachment *out)
{
    char name[NDSHM__MEMBER_SIZE], target[NDSHM_NAME_MAX + 1];
    ndshm__result_of(name, job->pool->launch.name, &job->view, unit);
    if (state == NDSHM__UNIT_RESULT)
        return ndshm__attachment_open(name, kind, access, out);
    int status = ndshm__result_target(name, target);
    if (!status)
        status = ndshm__attachment_open(target, kind, access, out);
    if (!status)
        status = ndshm_unlink(name);
    return status;
}

/* The last user of a result that was taken is gone. */
static bool give_back(void *argument, const char *name, const uint8_t *uuid)
{
    ndshm_pool *pool = argument;
    pthread_mutex_lock(&pool->mutex);
    int status = pool->closed || !name
                     ? -EAGAIN
                     : ndshm__cache_put(pool->memory, pool->launch.name, name, uuid);
    pthread_mutex_unlock(&pool->mutex);
    ndshm__pool_release(pool);
    return !status || status == -ENOENT;
}

/* Attaches first: from the moment that it is temporary, it must have a user. */
static int take(ndshm_job *job, int64_t index, int kind, int access, struct ndshm__attachment *out)
{
    int64_t unit = find_unit(job, index);
    if (unit < 0)
        return (int)unit;
    uint8_t state = ndshm__job_state(job, unit);
    if ((state != NDSHM__UNIT_RESULT && state != NDSHM__UNIT_REFERENCE) || job->cleared)
        return nothing(job, index, unit, state);
    int status = attach_result(job, unit, state, kind, access, out);
    if (!status)
        status = ndshm__segment_set_lifetime(ndshm__attachment_segment(out), NDSHM_TEMPORARY);
    if (status) {
        ndshm__attachment_close(out);
        return status;
    }
    atomic_store(&job->view.states[unit], NDSHM__UNIT_TAKEN);
    if (state == NDSHM__UNIT_RESULT)
        ndshm__brake_taken(job->pool->memory, &job->view,
                           ndshm__segment_payload_size(ndshm__attachment_segment(out)));
    if (state == NDSHM__UNIT_RESULT && job->pool->memory->cache_limit) {
        job->pool->references++;
        ndshm__segment_on_release(ndshm__attachment_segment(out), give_back, job->pool);
    }
    return 0;
}

static int locked_take(ndshm_job *job, int64_t index, int kind, int access,
                       struct ndshm__attachment *out)
{
    int status = ndshm__job_lock(job);
    if (status)
        return status;
    status = take(job, index, kind, access, out);
    ndshm__job_unlock(job);
    return status;
}

int ndshm_job_take(ndshm_job *job, int64_t index, int access, ndshm_array **out)
{
    struct ndshm__attachment result = {0};
    ndshm__begin("ndshm_job_take");
    int status = locked_take(job, index, NDSHM_KIND_ARRAY, access, &result);
    if (!status)
        *out = result.array;
    return status;
}

int ndshm_job_take_frame(ndshm_job *job, int64_t index, int access, ndshm_frame **out)
{
    struct ndshm__attachment result = {0};
    ndshm__begin("ndshm_job_take_frame");
    int status = locked_take(job, index, NDSHM_KIND_FRAME, access, &result);
    if (!status)
        *out = result.frame;
    return status;
}
