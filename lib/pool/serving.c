/* SPDX-License-Identifier: MIT */
#include "pool/serving.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "pool/park.h"

void ndshm__job_member(char name[NDSHM__MEMBER_SIZE], const char *pool, uint64_t job)
{
    snprintf(name, NDSHM__MEMBER_SIZE, "%s.job.%" PRIu64, pool, job);
}

void ndshm__result_member(char name[NDSHM__MEMBER_SIZE], const char *pool, uint64_t job,
                          int64_t task, int attempt)
{
    snprintf(name, NDSHM__MEMBER_SIZE, "%s.%" PRIu64 ".%" PRId64 ".%d", pool, job, task, attempt);
}

void ndshm__result_of(char name[NDSHM__MEMBER_SIZE], const char *pool,
                      const struct ndshm__job_view *job, int64_t unit)
{
    int64_t begin, end;
    ndshm__layout_tasks(job, unit, &begin, &end);
    ndshm__result_member(name, pool, job->facts.id, begin,
                         job->attempts ? atomic_load(&job->attempts[unit]) : 0);
}

static int open_memory(struct ndshm__serving *serving)
{
    char name[NDSHM__MEMBER_SIZE];
    struct ndshm__entry *entry = &serving->pool->entries[serving->entry];
    if (atomic_load(&entry->flags) & NDSHM__ENTRY_INLINE)
        return ndshm__layout_read(serving->pool->inline_jobs[serving->entry], NDSHM__INLINE_SIZE,
                                  &serving->job);
    ndshm__job_member(name, serving->pool_name, serving->id);
    int status = ndshm__segment_attach(name, NDSHM_KIND_JOB, NDSHM_WRITE, &serving->segment);
    if (status)
        return status;
    ndshm__segment_dontfork(serving->segment);
    return ndshm__layout_read(ndshm__segment_payload(serving->segment),
                              ndshm__segment_payload_size(serving->segment), &serving->job);
}

int ndshm__serving_open(struct ndshm__serving *serving, struct ndshm__pool_memory *pool,
                        const char *pool_name, int entry, uint64_t id)
{
    *serving =
        (struct ndshm__serving){.pool = pool, .pool_name = pool_name, .entry = entry, .id = id};
    int status = open_memory(serving);
    if (!status && serving->job.facts.id != id)
        status = NDSHM_ECORRUPT;
    if (status)
        ndshm__serving_close(serving);
    return status;
}

void ndshm__serving_close(struct ndshm__serving *serving)
{
    ndshm__layout_free(&serving->job);
    ndshm__segment_release(&serving->segment);
}

void ndshm__serving_settle(struct ndshm__serving *serving)
{
    uint32_t expected = NDSHM__JOB_RUNNING;
    if (!ndshm__claim_complete(&serving->job, &serving->cursor))
        return;
    if (!atomic_compare_exchange_strong(&serving->job.memory->state, &expected, NDSHM__JOB_DONE))
        return;
    ndshm__table_withdraw(serving->pool, serving->entry);
    ndshm__event_raise(&serving->pool->done);
    ndshm__event_raise(&serving->pool->step);
    if (ndshm__layout_is_stream(&serving->job)) /* workers that waited inside it go */
        ndshm__work_raise(serving->pool, NDSHM_WORKERS_MAX);
}

void ndshm__news_add(struct ndshm__job_view *job, int64_t unit, int status, int signal,
                     const char *message)
{
    bool stream = ndshm__layout_is_stream(job);
    if (!stream && atomic_load(&job->memory->news_count) >= job->news_size)
        return;
    int64_t place = stream ? unit : atomic_fetch_add(&job->memory->news_count, 1);
    if (place < 0 || place >= job->news_size)
        return;
    struct ndshm__news *news = &job->news[place];
    news->unit = unit;
    news->status = status;
    news->signal = (int16_t)signal;
    ndshm__text_copy(news->message, sizeof news->message, message);
    atomic_store_explicit(&news->ready, 1, memory_order_release);
}
