/* SPDX-License-Identifier: MIT */
/* How far a job is: counted from the states, never kept. */
#include <errno.h>
#include <string.h>

#include "base/os.h"
#include "pool/pool.h"

/* Tasks, not units: with ranges they are weighed. */
static void count_ranges(const ndshm_job *job, struct ndshm__tally *out)
{
    *out = (struct ndshm__tally){0};
    for (int64_t unit = 0; unit < job->view.units; unit++) {
        struct ndshm__tally one;
        int64_t begin, end;
        ndshm__claim_tally(&job->view, unit, unit + 1, &one);
        ndshm__layout_tasks(&job->view, unit, &begin, &end);
        out->final += one.final * (end - begin);
        out->failed += one.failed * (end - begin);
        out->running += one.running * (end - begin);
    }
}

void ndshm__job_tally(const ndshm_job *job, struct ndshm__tally *out)
{
    ndshm__claim_tally(&job->view, 0, job->view.units, out);
    if (!ndshm__layout_is_stream(&job->view))
        return;
    out->final += atomic_load(&job->view.memory->past_done);
    out->failed += atomic_load(&job->view.memory->past_failed);
}

static void count_tasks(const ndshm_job *job, struct ndshm__tally *out)
{
    if (job->view.facts.flags & NDSHM_JOB_RANGES)
        count_ranges(job, out);
    else
        ndshm__job_tally(job, out);
}

static int32_t count_workers(const ndshm_pool *pool)
{
    int32_t count = 0;
    uint32_t used = atomic_load(&pool->memory->slots_used);
    for (uint32_t i = 0; i < used && i < NDSHM_WORKERS_MAX; i++) {
        uint32_t state = atomic_load(&pool->memory->slots[i].state);
        count += state == NDSHM__SLOT_READY || state == NDSHM__SLOT_JOINED;
    }
    return count;
}

int64_t ndshm_job_failed(const ndshm_job *job)
{
    struct ndshm__tally tally = {0};
    ndshm__begin("ndshm_job_failed");
    int status = ndshm__job_lock_any(job);
    if (status)
        return status;
    if (atomic_load(&job->view.memory->failed))
        count_tasks(job, &tally);
    status = ndshm__watch_check(job);
    ndshm__job_unlock(job);
    return status ? status : tally.failed;
}

int ndshm__job_progress(const ndshm_job *job, ndshm_progress *out)
{
    struct ndshm__tally tally;
    ndshm_progress progress = {0};
    int status = ndshm__job_lock_any(job);
    if (status)
        return status;
    progress.finished = ndshm__job_done(job) ||
                        ndshm__watch_over(job); /* first: then the counts are those of the end */
    count_tasks(job, &tally);
    progress.count = ndshm__layout_is_stream(&job->view) ? atomic_load(&job->view.memory->fed)
                                                         : job->view.facts.count;
    progress.done = tally.final;
    progress.failed = tally.failed;
    progress.running = tally.running;
    progress.workers = count_workers(job->pool);
    progress.deaths = atomic_load(&job->pool->memory->deaths);
    status = ndshm__watch_check(job);
    ndshm__job_unlock(job);
    if (!status)
        *out = progress;
    return status;
}

int ndshm_job_progress(const ndshm_job *job, ndshm_progress *out)
{
    ndshm__begin("ndshm_job_progress");
    return ndshm__job_progress(job, out);
}
