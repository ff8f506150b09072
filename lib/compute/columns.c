/* SPDX-License-Identifier: MIT */
#include "compute/columns.h"

#include "array/array.h"
#include "frame/frame.h"

bool ndshm__columns_shared(const ndshm_frame *frame)
{
    return ndshm__segment_published(frame->segment) && !frame->unnamed;
}

/* The first task that failed speaks for the job. */
static int job_status(const ndshm_job *job, const struct ndshm__columns *work)
{
    ndshm_result result;
    if (ndshm_job_failed(job) == 0)
        return 0;
    for (int32_t i = 0; i < work->count; i++)
        if (ndshm_job_result(job, i, &result) == 0 && result.status != 0) {
            ndshm__begin(work->caller);
            return ndshm__fail(result.status, "the task of column %d failed: %s", i,
                               result.message);
        }
    return NDSHM_ETASK;
}

int ndshm__columns_job(ndshm_pool *pool, const struct ndshm__columns *work, const ndshm_array *rows)
{
    const char *name = ndshm__frame_name(work->frame);
    ndshm_job_config config;
    ndshm_job *job;
    ndshm_job_config_init(&config);
    config.fn = work->function;
    config.params = work->columns;
    config.params_size = (size_t)work->count * sizeof *work->columns;
    config.shared = &name;
    config.nshared = 1;
    config.count = work->count;
    config.output = ndshm_array_name(rows);
    int status = ndshm_pool_map(pool, &config, &job);
    if (status)
        return status;
    status = job_status(job, work);
    ndshm_job_close(&job);
    return status;
}

int ndshm__columns_task(ndshm_task *task, ndshm_frame **frame, int *column, ndshm_view *row)
{
    const int32_t *columns = ndshm_task_params(task, NULL);
    int status = ndshm_task_shared_frame(task, 0, NDSHM_READ, frame);
    if (status)
        return status;
    *column = columns[ndshm_task_index(task)];
    return ndshm_task_output(task, row);
}
