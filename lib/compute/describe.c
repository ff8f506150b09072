/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <ndshm/compute.h>

#include "array/array.h"
#include "base/os.h"
#include "compute/numbers.h"
#include "frame/frame.h"

static const char labels[] = "countmeanstdmin25%50%75%max";
static const int32_t label_ends[NDSHM__STATISTICS + 1] = {0, 5, 9, 12, 15, 18, 21, 24, 27};

/* The numeric columns of the described frame. */
struct plan {
    const ndshm_frame *frame;
    int32_t *columns;
    int32_t count;
};

static int choose_columns(const ndshm_frame *frame, struct plan *plan)
{
    plan->frame = frame;
    plan->columns = ndshm__alloc((size_t)frame->columns * sizeof *plan->columns);
    if (!plan->columns)
        return ndshm__fail(-ENOMEM, "no memory for the numbers of %d columns", frame->columns);
    for (int32_t i = 0; i < frame->columns; i++) {
        ndshm_column column;
        ndshm__frame_column(frame, i, &column);
        if (ndshm__is_number(&column) && !ndshm__frame_is_index(column.name))
            plan->columns[plan->count++] = i;
    }
    if (plan->count == 0)
        return ndshm__fail(NDSHM_EDTYPE, "'%s': none of its %d columns is numeric",
                           ndshm__frame_name(frame), frame->columns);
    return 0;
}

static int create_result(const struct plan *plan, const char *name, ndshm_frame **out)
{
    ndshm_column_spec *specs = ndshm__alloc(((size_t)plan->count + 1) * sizeof *specs);
    if (!specs)
        return ndshm__fail(-ENOMEM, "no memory for the description of %d columns", plan->count);
    specs[0] = (ndshm_column_spec){ndshm_frame_index_name(), "u", sizeof labels - 1};
    for (int32_t i = 0; i < plan->count; i++) {
        ndshm_column column;
        ndshm__frame_column(plan->frame, plan->columns[i], &column);
        specs[i + 1] = (ndshm_column_spec){column.name, "g", 0};
    }
    int status =
        ndshm__frame_create(NULL, name, NDSHM__STATISTICS, specs, plan->count + 1, NULL, out);
    free(specs);
    if (status)
        return status;
    ndshm_column index;
    ndshm__frame_column(*out, 0, &index);
    memcpy(index.data, labels, sizeof labels - 1);
    memcpy((void *)index.offsets, label_ends, sizeof label_ends);
    return 0;
}

static double *result_column(const ndshm_frame *result, int32_t i)
{
    ndshm_column column;
    ndshm__frame_column(result, i + 1, &column);
    return column.data;
}

static int describe_here(const struct plan *plan, const ndshm_frame *result)
{
    int status = 0;
    for (int32_t i = 0; !status && i < plan->count; i++) {
        ndshm_column column;
        ndshm__frame_column(plan->frame, plan->columns[i], &column);
        status = ndshm__describe_column(&column, result_column(result, i));
    }
    return status;
}

/* --- on a pool: a task a column, a row of the output each --- */

static int describe_task(ndshm_task *task)
{
    ndshm_frame *frame;
    ndshm_column column;
    ndshm_view row;
    const int32_t *columns = ndshm_task_params(task, NULL);
    int status = ndshm_task_shared_frame(task, 0, NDSHM_READ, &frame);
    if (!status)
        status = ndshm_frame_column(frame, columns[ndshm_task_index(task)], &column);
    if (!status)
        status = ndshm_task_output(task, &row);
    return status ? status : ndshm__describe_column(&column, row.data);
}

/* The first task that failed speaks for the job. */
static int job_status(const ndshm_job *job, int32_t count)
{
    ndshm_result result;
    if (ndshm_job_failed(job) == 0)
        return 0;
    for (int32_t i = 0; i < count; i++)
        if (ndshm_job_result(job, i, &result) == 0 && result.status != 0) {
            ndshm__begin("ndshm_describe");
            return ndshm__fail(result.status, "the task of column %d failed: %s", i,
                               result.message);
        }
    return NDSHM_ETASK;
}

static int run_job(ndshm_pool *pool, const struct plan *plan, const ndshm_array *rows)
{
    const char *name = ndshm__frame_name(plan->frame);
    ndshm_job_config config;
    ndshm_job *job;
    ndshm_job_config_init(&config);
    config.fn = describe_task;
    config.params = plan->columns;
    config.params_size = (size_t)plan->count * sizeof *plan->columns;
    config.shared = &name;
    config.nshared = 1;
    config.count = plan->count;
    config.output = ndshm_array_name(rows);
    int status = ndshm_pool_map(pool, &config, &job);
    if (status)
        return status;
    status = job_status(job, plan->count);
    ndshm_job_close(&job);
    return status;
}

static int describe_on(ndshm_pool *pool, const struct plan *plan, const ndshm_frame *result)
{
    int64_t shape[2] = {plan->count, NDSHM__STATISTICS};
    ndshm_array *rows;
    int status = ndshm__array_create(NULL, NULL, NDSHM_FLOAT64, 2, shape, NULL, &rows);
    if (status)
        return status;
    status = run_job(pool, plan, rows);
    const char *row = rows->view.data;
    for (int32_t i = 0; !status && i < plan->count; i++, row += rows->view.strides[0])
        memcpy(result_column(result, i), row, NDSHM__STATISTICS * sizeof(double));
    ndshm_array_detach(&rows);
    return status;
}

static int describe(ndshm_pool *pool, const struct plan *plan, const char *name, ndshm_frame **out)
{
    ndshm_frame *result = NULL;
    bool shared = ndshm__segment_published(ndshm__frame_segment(plan->frame)) &&
                  !plan->frame->unnamed;
    int status = create_result(plan, name, &result);
    if (!status)
        status = pool && shared ? describe_on(pool, plan, result) : describe_here(plan, result);
    if (!status)
        return ndshm__frame_finish(result, NULL, out);
    ndshm__frame_detach(&result);
    return status;
}

int ndshm_describe(ndshm_pool *pool, const ndshm_frame *frame, const char *name, ndshm_frame **out)
{
    ndshm__begin("ndshm_describe");
    struct plan plan = {0};
    if (!frame || !out)
        return ndshm__fail(-EINVAL, "frame or out is NULL");
    int status = choose_columns(frame, &plan);
    if (!status)
        status = describe(pool, &plan, name, out);
    free(plan.columns);
    return status;
}
