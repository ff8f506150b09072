/* SPDX-License-Identifier: MIT */
/* Jobs whose tasks are fed while they run: twice as many places as the window, used round and
 * round. What a task left stays in its place until as many others as the window holds were read. */
#include "pool/stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"
#include "base/os_spawn.h"
#include "pool/brake.h"
#include "pool/pool.h"

enum { WINDOW = 64 };

struct ndshm__stream {
    int64_t window;
    int64_t fed; /* tasks up to now */
    bool ended;
    int64_t places[]; /* in the order in which they become free: task number fed gets the one at
                         fed modulo their number */
};

int64_t ndshm__stream_places(int32_t window)
{
    return 2 * (int64_t)(window ? window : WINDOW);
}

int ndshm__stream_init(ndshm_job *job)
{
    int64_t places = job->view.units;
    if (!ndshm__layout_is_stream(&job->view))
        return 0;
    job->stream = ndshm__alloc(sizeof *job->stream + (size_t)places * sizeof(int64_t));
    if (!job->stream)
        return ndshm__fail(-ENOMEM, "no memory for %lld places", (long long)places);
    job->stream->window = places / 2;
    for (int64_t i = 0; i < places; i++)
        job->stream->places[i] = i;
    return 0;
}

int64_t ndshm__stream_fed(const ndshm_job *job)
{
    return job->stream->fed;
}

bool ndshm__stream_ended(const ndshm_job *job)
{
    return job->stream->ended || ndshm__job_done(job);
}

int64_t ndshm__stream_find(const ndshm_job *job, int64_t index)
{
    int64_t places = job->view.units, fed = atomic_load(&job->view.memory->fed);
    for (int64_t i = 0; index >= 0 && index < fed && i < places && i < fed; i++)
        if (atomic_load(&job->view.sequence[i]) == index)
            return i;
    return ndshm__fail(-ERANGE, "%s: no task %lld; %lld were fed, and the last %lld are kept",
                       job->name, (long long)index, (long long)fed, (long long)places);
}

void ndshm__stream_given(ndshm_job *job, int64_t place)
{
    job->stream->places[job->next.count % job->view.units] = place;
    ndshm__event_raise(&job->pool->memory->done); /* there is room */
}

/* Removes what a task left that was given long ago. */
static void clear(ndshm_job *job, int64_t place)
{
    struct ndshm__job_view *view = &job->view;
    uint8_t state = ndshm__job_state(job, place);
    if (state == NDSHM__UNIT_PENDING)
        return;
    char name[NDSHM__MEMBER_SIZE];
    ndshm_info info;
    ndshm__result_of(name, job->pool->launch.name, view, place);
    if (view->facts.max_result_bytes && state == NDSHM__UNIT_RESULT &&
        ndshm_inspect(name, &info) == 0)
        ndshm__brake_taken(job->pool->memory, view, info.payload);
    ndshm__remove_unit(job->pool->memory, job->pool->launch.name, view, place);
    atomic_store(&view->states[place], NDSHM__UNIT_PENDING);
    atomic_fetch_add(&view->memory->past_failed, state >= NDSHM__UNIT_FAILED);
    atomic_fetch_add(&view->memory->past_done, 1);
}

static void put(ndshm_job *job, const char *item)
{
    struct ndshm__job_view *view = &job->view;
    struct ndshm__stream *stream = job->stream;
    int64_t place = stream->places[stream->fed % view->units];
    clear(job, place);
    ndshm__text_copy(view->text + view->texts_fixed + place * NDSHM__ITEM_SIZE, NDSHM__ITEM_SIZE,
                     item);
    atomic_store(&view->sequence[place], stream->fed);
    atomic_store(&view->news[place].ready, 0);
    if (view->attempts)
        atomic_store(&view->attempts[place], 0);
    if (view->records)
        memset(&view->records[place], 0, sizeof view->records[place]);
    if (job->next.given)
        job->next.given[place] = 0;
    atomic_store(&view->memory->fed, ++stream->fed);
    atomic_store(&view->claims[place], NDSHM__CLAIM_FREE);
    ndshm__table_offer(job->pool->memory, job->entry, 1);
    if (view->facts.timeout_ms)
        ndshm__os_event_signal(job->pool->launch.event);
}

/* -EAGAIN: there is no room. Under the mutex. */
static int try_feed(ndshm_job *job, const char *item)
{
    struct ndshm__stream *stream = job->stream;
    if (stream->ended)
        return ndshm__fail(-EPIPE, "%s: the stream was ended", job->name);
    if (job->pool->closed || ndshm__job_done(job) || atomic_load(&job->view.memory->stop))
        return ndshm__job_over(job);
    if (stream->fed - job->next.count >= stream->window)
        return -EAGAIN;
    put(job, item);
    return 0;
}

static int feed(ndshm_job *job, const char *item, int timeout_ms)
{
    struct ndshm__event *event = &job->pool->memory->done;
    int64_t end = ndshm__deadline(timeout_ms);
    for (;;) {
        uint32_t seen = ndshm__event_read(event);
        pthread_mutex_lock(&job->pool->mutex);
        int status = try_feed(job, item);
        pthread_mutex_unlock(&job->pool->mutex);
        if (status != -EAGAIN)
            return status;
        status = ndshm__job_sleep(job, event, seen, end);
        if (status == -ETIMEDOUT)
            return ndshm__fail(status, "%s: %lld tasks are fed and not read after %d ms", job->name,
                               (long long)job->stream->window, timeout_ms);
        if (status)
            return ndshm__pool_dead(job->pool);
    }
}

static int check(const ndshm_job *job)
{
    int status = ndshm__job_check(job);
    if (!status && !job->stream)
        status = ndshm__fail(-EINVAL, "%s: its count is not NDSHM_STREAM", job->name);
    return status;
}

int ndshm_job_feed(ndshm_job *job, const char *item, int timeout_ms)
{
    ndshm__begin("ndshm_job_feed");
    int status = check(job);
    if (!status && (!item || strnlen(item, NDSHM__ITEM_SIZE) == NDSHM__ITEM_SIZE))
        status = ndshm__fail(-EINVAL, "%s: no item, or one of more than %d bytes", job->name,
                             NDSHM_REF_MAX);
    return status ? status : feed(job, item, timeout_ms);
}

int ndshm_job_end(ndshm_job *job)
{
    ndshm__begin("ndshm_job_end");
    int status = check(job);
    if (status)
        return status;
    pthread_mutex_lock(&job->pool->mutex);
    job->stream->ended = true;
    if (!job->pool->closed) {
        atomic_store(&job->view.memory->ended, 1);
        ndshm__job_settle(job);
        ndshm__event_raise(&job->pool->memory->done);
        ndshm__event_raise(&job->pool->memory->step);
    }
    pthread_mutex_unlock(&job->pool->mutex);
    return 0;
}
