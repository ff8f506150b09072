/* SPDX-License-Identifier: MIT */
/* Arrays, reduced by tasks that a plan lays down; the caller joins what they found, in their order.
 */
#include "compute/reduce.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "array/array.h"
#include "array/dtype.h"
#include "array/view.h"
#include "base/os.h"

typedef union ndshm__word word;

enum { PARTIAL_WORDS = sizeof(struct ndshm__partial) / sizeof(word) };

/* Buffers of a task, and what it found so far. */
struct scratch {
    word rows[NDSHM__TILE_ROWS][NDSHM__TILE];
    struct ndshm__partial partials[NDSHM__TILE];
};

struct range {
    int64_t begin, end;
};

static struct range range_of(int64_t size, int64_t step, int64_t task)
{
    int64_t begin = task * step;
    return (struct range){begin, size - begin < step ? size : begin + step};
}

/* --- a task --- */

/* The partial result of some of the elements of one result. */
static void reduce_one(const struct ndshm__reduction *plan, int64_t result, struct range elements,
                       struct scratch *scratch, struct ndshm__partial *out)
{
    const char *base = plan->data + ndshm__dims_offset(&plan->kept, result);
    memset(out, 0, sizeof *out);
    for (int64_t at = elements.begin; at < elements.end; at += NDSHM__ROW_BLOCK) {
        int64_t left = elements.end - at;
        int count = left < NDSHM__ROW_BLOCK ? (int)left : NDSHM__ROW_BLOCK;
        const word *values = ndshm__fetch(plan, &plan->reduced, base, at, count, scratch->rows[0]);
        ndshm__partial_add(plan, out, values, count, at);
    }
}

/* Of width results, beginning with that one. */
static void reduce_tile(const struct ndshm__reduction *plan, int64_t result, int width,
                        struct range elements, struct scratch *scratch, struct ndshm__partial *out)
{
    const word *rows[NDSHM__TILE_ROWS];
    memset(out, 0, (size_t)width * sizeof *out);
    for (int64_t at = elements.begin; at < elements.end; at += NDSHM__TILE_ROWS) {
        int64_t left = elements.end - at;
        int count = left < NDSHM__TILE_ROWS ? (int)left : NDSHM__TILE_ROWS;
        for (int i = 0; i < count; i++) {
            const char *base = plan->data + ndshm__dims_offset(&plan->reduced, at + i);
            rows[i] = ndshm__fetch(plan, &plan->kept, base, result, width, scratch->rows[i]);
        }
        ndshm__partials_add(plan, out, width, rows, count, at);
    }
}

static void reduce_some(const struct ndshm__reduction *plan, int64_t result, int width,
                        struct range elements, struct scratch *scratch, struct ndshm__partial *out)
{
    if (plan->op == NDSHM_REDUCE_COUNT && !plan->skip)
        for (int i = 0; i < width; i++)
            out[i] = (struct ndshm__partial){.n = elements.end - elements.begin};
    else if (plan->columns)
        reduce_tile(plan, result, width, elements, scratch, out);
    else
        for (int i = 0; i < width; i++)
            reduce_one(plan, result + i, elements, scratch, &out[i]);
}

/* The part of task: partial results of all, or the finished ones of some. */
static int run(const struct ndshm__reduction *plan, int64_t task, word *out)
{
    struct range all = {0, plan->kept.size}, elements = {0, plan->reduced.size};
    struct scratch *scratch = ndshm__alloc(sizeof *scratch);
    int status = 0;
    if (!scratch)
        return ndshm__fail(-ENOMEM, "no memory for %zu bytes", sizeof *scratch);
    if (plan->split)
        elements = range_of(plan->reduced.size, plan->step, task);
    else
        all = range_of(plan->kept.size, plan->step, task);
    for (int64_t at = all.begin; at < all.end && !status; at += NDSHM__TILE) {
        int width = all.end - at < NDSHM__TILE ? (int)(all.end - at) : NDSHM__TILE;
        reduce_some(plan, at, width, elements, scratch, scratch->partials);
        for (int i = 0; i < width && !status; i++, out += plan->split ? PARTIAL_WORDS : 1)
            if (plan->split)
                memcpy(out, &scratch->partials[i], sizeof scratch->partials[i]);
            else
                status = ndshm__partial_result(plan, &scratch->partials[i], out);
    }
    free(scratch);
    return status;
}

/* --- all of them --- */

static int64_t words_of_task(const struct ndshm__reduction *plan)
{
    return plan->split ? plan->kept.size * PARTIAL_WORDS : plan->step;
}

struct order {
    int32_t op;
    int32_t axis;
};

static int reduce_task(ndshm_task *task)
{
    struct order order;
    struct ndshm__reduction plan;
    ndshm_array *array;
    ndshm_view view;
    memcpy(&order, ndshm_task_params(task, NULL), sizeof order);
    int status = ndshm_task_shared(task, 0, NDSHM_READ, &array);
    if (!status)
        status = ndshm_task_output(task, &view);
    if (!status)
        status = ndshm__reduction_plan(&array->view, order.op, order.axis, &plan);
    if (!status)
        status = run(&plan, ndshm_task_index(task), view.data);
    return status ? ndshm_task_fail(task, status, NULL) : 0;
}

/* The first task that failed speaks for the job. */
static int job_status(const ndshm_job *job, int64_t tasks)
{
    ndshm_result result;
    for (int64_t i = 0; ndshm_job_failed(job) > 0 && i < tasks; i++)
        if (ndshm_job_result(job, i, &result) == 0 && result.status != 0) {
            ndshm__begin("ndshm_reduce");
            return ndshm__fail(result.status, "task %lld failed: %s", (long long)i, result.message);
        }
    return 0;
}

static int reduce_on(ndshm_pool *pool, const struct ndshm__reduction *plan, struct order order,
                     const char *name, const ndshm_array *words)
{
    ndshm_job_config config;
    ndshm_job *job;
    ndshm_job_config_init(&config);
    config.fn = reduce_task;
    config.params = &order;
    config.params_size = sizeof order;
    config.shared = &name;
    config.nshared = 1;
    config.count = plan->tasks;
    config.output = ndshm_array_name(words);
    int status = ndshm_pool_map(pool, &config, &job);
    if (status)
        return status;
    status = job_status(job, plan->tasks);
    ndshm_job_close(&job);
    return status;
}

static int join(const struct ndshm__reduction *plan, word *words)
{
    int64_t stride = words_of_task(plan);
    int status = 0;
    for (int64_t i = 0; i < plan->kept.size && plan->split && !status; i++) {
        struct ndshm__partial all, next;
        memcpy(&all, words + i * PARTIAL_WORDS, sizeof all);
        for (int64_t task = 1; task < plan->tasks; task++) {
            memcpy(&next, words + task * stride + i * PARTIAL_WORDS, sizeof next);
            ndshm__partial_merge(plan, &all, &next);
        }
        status = ndshm__partial_result(plan, &all, &words[i]); /* of words that were read already */
    }
    return status;
}

/* The results, which are in the order of kept, into the array. */
static void store(const struct ndshm__reduction *plan, word *words, const ndshm_view *view)
{
    ndshm_view source = {.data = words, .dtype = view->dtype, .ndim = view->ndim};
    int64_t stride = ndshm__dtype_itemsize(view->dtype);
    char *to = (char *)words;
    for (int64_t i = 0; i < plan->kept.size; i++, to += stride) {
        word value = words[i];
        ndshm__store_result(view->dtype, value, to);
    }
    for (int32_t i = view->ndim - 1; i >= 0; i--) {
        source.shape[plan->order[i]] = view->shape[plan->order[i]];
        source.strides[plan->order[i]] = stride;
        stride *= view->shape[plan->order[i]];
    }
    ndshm__copy(view, &source);
}

static int reduce(ndshm_pool *pool, const struct ndshm__reduction *plan, struct order order,
                  const char *name, const ndshm_array *result)
{
    int64_t shape[2] = {plan->tasks, words_of_task(plan)};
    ndshm_array *words;
    int status = ndshm__array_create(NULL, NULL, NDSHM_INT64, 2, shape, NULL, &words);
    if (status)
        return status;
    word *at = words->view.data;
    if (pool && name && plan->tasks > 1)
        status = reduce_on(pool, plan, order, name, words);
    else
        for (int64_t task = 0; task < plan->tasks && !status; task++)
            status = run(plan, task, at + task * shape[1]);
    if (!status)
        status = join(plan, at);
    if (!status)
        store(plan, at, &result->view);
    ndshm_array_detach(&words);
    return status;
}

int ndshm_reduce(ndshm_pool *pool, const ndshm_array *array, int op, int axis, const char *name,
                 ndshm_array **out)
{
    struct ndshm__reduction plan;
    ndshm_create_config config;
    ndshm_array *result = NULL;
    ndshm__begin("ndshm_reduce");
    if (!array || !out)
        return ndshm__fail(-EINVAL, "array or out is NULL");
    int status = ndshm__reduction_plan(&array->view, op, axis, &plan);
    if (status)
        return status;
    ndshm_create_config_init(&config);
    config.flags = NDSHM_UNPUBLISHED;
    status = ndshm__array_create(NULL, name, plan.result, plan.result_ndim, plan.result_shape,
                                 &config, &result);
    if (status)
        return status;
    bool shared = array->named && ndshm__segment_published(array->segment);
    status = reduce(pool, &plan, (struct order){op, axis}, shared ? ndshm_array_name(array) : NULL,
                    result);
    if (!status)
        return ndshm__array_finish(result, NULL, out);
    ndshm_array_detach(&result);
    return status;
}
