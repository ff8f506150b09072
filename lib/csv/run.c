/* SPDX-License-Identifier: MIT */
#include "csv/run.h"

#include <errno.h>
#include <stdlib.h>

#include "base/base.h"
#include "base/os.h"

enum { POLL_MS = 20 };

/* What a task is told: where the plan is. */
struct params {
    uint32_t pid;
    int32_t memory;
    int64_t bytes;
    int32_t pass;
    int32_t padding;
};

static void work(struct ndshm__csv_reader *reader, int pass, int32_t chunk)
{
    if (pass == NDSHM__CSV_SURVEY)
        ndshm__csv_survey(reader, chunk, chunk == 0 ? reader->plan->data : -1);
    else
        ndshm__csv_fill(reader, chunk);
}

/* --- in a worker --- */

/* Buffers of a worker, which does one task after the other, kept for the next one. */
static struct ndshm__csv_reader kept;

static int unreachable(ndshm_task *task, int status)
{
    ndshm__fail(status,
                "a worker cannot reach what the caller has open (%s); it needs /proc, and a caller "
                "that may be inspected (PR_SET_DUMPABLE)",
                ndshm_strerror(status));
    return ndshm_task_fail(task, status, NULL);
}

static int work_on(ndshm_task *task, const struct params *params, struct ndshm__csv_plan *plan)
{
    struct ndshm__csv_reader *reader = &kept;
    int32_t chunk = (int32_t)ndshm_task_index(task);
    bool fill = params->pass == NDSHM__CSV_FILL;
    if (!ndshm__csv_plan_view(plan, params->bytes, reader) ||
        !ndshm__csv_plan_check(reader, chunk, fill))
        return ndshm_task_fail(task, NDSHM_ECORRUPT, "the plan of the reader is damaged");
    reader->input = ndshm__os_open_peer(params->pid, plan->input, false);
    if (reader->input < 0)
        return unreachable(task, reader->input);
    reader->output = fill ? ndshm__os_open_peer(params->pid, plan->output, true) : -1;
    int status = fill && reader->output < 0 ? unreachable(task, reader->output) : 0;
    if (!status)
        work(reader, params->pass, chunk);
    free(reader->buffers);
    reader->buffers = NULL;
    ndshm__os_close(reader->input);
    if (reader->output >= 0)
        ndshm__os_close(reader->output);
    return status;
}

static int task(ndshm_task *task)
{
    const struct params *params = ndshm_task_params(task, NULL);
    struct stat file;
    void *plan;
    int memory = ndshm__os_open_peer(params->pid, params->memory, true);
    if (memory < 0)
        return unreachable(task, memory);
    int status = ndshm__os_stat(memory, &file);
    if (!status && file.st_size != params->bytes)
        status = -ESTALE;
    if (!status)
        status = ndshm__os_map(memory, params->bytes, NDSHM__MAP_WRITE, &plan);
    ndshm__os_close(memory);
    if (status)
        return unreachable(task, status);
    status = work_on(task, params, plan);
    ndshm__os_unmap(plan, params->bytes);
    return status;
}

/* --- in the caller --- */

static int no_memory(const struct ndshm__csv_run *run, int status)
{
    return ndshm__fail(status, "'%s': no memory for the plan of %d columns: %s", run->source->path,
                       run->reader->ncolumns, ndshm_strerror(status));
}

static int share(struct ndshm__csv_run *run)
{
    void *plan;
    run->memory = ndshm__os_open_memory();
    if (run->memory < 0)
        return run->memory;
    int status = ndshm__os_truncate(run->memory, run->bytes);
    if (!status)
        status = ndshm__os_reserve(run->memory, 0, run->bytes);
    if (!status)
        status = ndshm__os_map(run->memory, run->bytes, NDSHM__MAP_WRITE, &plan);
    if (!status)
        run->plan = plan;
    return status;
}

int ndshm__csv_run_prepare(struct ndshm__csv_run *run, int32_t ncolumns, int32_t nchunks,
                           int64_t texts)
{
    ndshm__os_identity self;
    int status = ndshm__csv_plan_size(ncolumns, nchunks, texts, &run->bytes) ? -ENOMEM : 0;
    if (status)
        return no_memory(run, status);
    if (run->pool && nchunks > 1) {
        status = share(run);
    } else {
        run->plan = ndshm__alloc((size_t)run->bytes);
        status = run->plan ? 0 : -ENOMEM;
    }
    if (status)
        return no_memory(run, status);
    ndshm__csv_plan_lay_out(run->plan, ncolumns, nchunks, run->bytes);
    ndshm__os_identify(&self);
    run->plan->pid = self.pid;
    return 0;
}

void ndshm__csv_run_end(struct ndshm__csv_run *run)
{
    if (run->memory < 0)
        free(run->plan);
    else if (run->plan)
        ndshm__os_unmap(run->plan, run->bytes);
    if (run->memory >= 0)
        ndshm__os_close(run->memory);
}

static int run_here(struct ndshm__csv_run *run, int pass)
{
    const struct ndshm__csv_plan *plan = run->plan;
    for (int32_t i = 0; i < plan->nchunks; i++) {
        int64_t begin = plan->data + i * plan->chunk_size, left = plan->size - begin;
        work(run->reader, pass, i);
        int status =
            ndshm__csv_advance(run->source, left < plan->chunk_size ? left : plan->chunk_size, 0);
        if (status)
            return status;
    }
    return 0;
}

/* The first task that failed speaks for the job. */
static int job_failed(const struct ndshm__csv_run *run, const ndshm_job *job)
{
    ndshm_result result;
    for (int32_t i = 0; i < run->plan->nchunks; i++) {
        if (ndshm_job_result(job, i, &result) != 0 || result.status == 0)
            continue;
        ndshm__begin("ndshm_frame_from_csv");
        return ndshm__fail(result.status, "'%s': part %d of %d: %s", run->source->path, i + 1,
                           run->plan->nchunks, result.message);
    }
    return NDSHM_ETASK;
}

static int wait_for(const struct ndshm__csv_run *run, ndshm_job *job)
{
    int64_t told = 0, all = run->plan->size - run->plan->data;
    for (;;) {
        ndshm_progress progress;
        int over = ndshm_job_wait(job, run->source->progress ? POLL_MS : -1);
        int status = ndshm_job_progress(job, &progress);
        if (over == NDSHM_ETASK)
            return job_failed(run, job);
        if (status || (over && over != -ETIMEDOUT))
            return status ? status : over;
        int64_t done = over ? progress.done * run->plan->chunk_size : all;
        ndshm__begin("ndshm_frame_from_csv");
        status = ndshm__csv_advance(run->source, (done < all ? done : all) - told, 0);
        if (status || over == 0)
            return status;
        told = done < all ? done : all;
    }
}

static int run_on_pool(struct ndshm__csv_run *run, int pass)
{
    struct params params = {run->plan->pid, run->memory, run->bytes, pass, 0};
    ndshm_job_config config;
    ndshm_job *job;
    ndshm_job_config_init(&config);
    config.fn = task;
    config.params = &params;
    config.params_size = sizeof params;
    config.count = run->plan->nchunks;
    config.chunk = 1;
    config.on_error = NDSHM_ERROR_STOP;
    int status = ndshm_pool_submit(run->pool, &config, &job);
    if (status)
        return status;
    status = wait_for(run, job);
    ndshm_job_close(&job);
    return status;
}

int ndshm__csv_run(struct ndshm__csv_run *run, int pass)
{
    int status = ndshm__csv_advance(run->source, 0, run->plan->size - run->plan->data);
    if (status)
        return status;
    return run->memory >= 0 ? run_on_pool(run, pass) : run_here(run, pass);
}
