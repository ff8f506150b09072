/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <ndshm/compute.h>

#include "array/array.h"
#include "base/os.h"
#include "compute/columns.h"
#include "compute/numbers.h"
#include "frame/frame.h"

static const char labels[] = "countmeanstdmin25%50%75%max";
static const int32_t label_ends[NDSHM__STATISTICS + 1] = {0, 5, 9, 12, 15, 18, 21, 24, 27};

static int choose_columns(const ndshm_frame *frame, struct ndshm__columns *plan)
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

static int create_result(const struct ndshm__columns *plan, const char *name, ndshm_frame **out)
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

static int describe_here(const struct ndshm__columns *plan, const ndshm_frame *result)
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
    int index, status = ndshm__columns_task(task, &frame, &index, &row);
    if (!status)
        status = ndshm_frame_column(frame, index, &column);
    return status ? status : ndshm__describe_column(&column, row.data);
}

static int describe_on(ndshm_pool *pool, const struct ndshm__columns *plan,
                       const ndshm_frame *result)
{
    int64_t shape[2] = {plan->count, NDSHM__STATISTICS};
    ndshm_array *rows;
    int status = ndshm__array_create(NULL, NULL, NDSHM_FLOAT64, 2, shape, NULL, &rows);
    if (status)
        return status;
    status = ndshm__columns_job(pool, plan, rows);
    const char *row = rows->view.data;
    for (int32_t i = 0; !status && i < plan->count; i++, row += rows->view.strides[0])
        memcpy(result_column(result, i), row, NDSHM__STATISTICS * sizeof(double));
    ndshm_array_detach(&rows);
    return status;
}

static int describe(ndshm_pool *pool, const struct ndshm__columns *plan, const char *name,
                    ndshm_frame **out)
{
    ndshm_frame *result = NULL;
    bool shared = ndshm__columns_shared(plan->frame);
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
    struct ndshm__columns plan = {.caller = "ndshm_describe", .function = describe_task};
    if (!frame || !out)
        return ndshm__fail(-EINVAL, "frame or out is NULL");
    int status = choose_columns(frame, &plan);
    if (!status)
        status = describe(pool, &plan, name, out);
    free(plan.columns);
    return status;
}
