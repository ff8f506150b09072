/* SPDX-License-Identifier: MIT */
/* What a reduction does, in which order, and how it is divided: all of that follows from the array
 * and the operation, so that any number of workers gives the same bytes. */
#include <errno.h>

#include "array/dtype.h"
#include "array/view.h"
#include "base/base.h"
#include "compute/reduce.h"

enum { TASKS_MAX = 256, TASK_ELEMENTS = 1 << 18, SHORT = 16 };

static bool is_float(ndshm_dtype dtype)
{
    return dtype >= NDSHM_FLOAT16 && dtype <= NDSHM_FLOAT64;
}

static bool is_order(int op)
{
    return op >= NDSHM_REDUCE_MIN && op <= NDSHM_REDUCE_ARGMAX;
}

static bool is_place(int op)
{
    return op == NDSHM_REDUCE_ARGMIN || op == NDSHM_REDUCE_ARGMAX;
}

static bool is_moment(int op)
{
    return op == NDSHM_REDUCE_MEAN || op == NDSHM_REDUCE_VAR || op == NDSHM_REDUCE_STD;
}

static ndshm_dtype result_of(int op, ndshm_dtype source)
{
    if (op == NDSHM_REDUCE_ANY || op == NDSHM_REDUCE_ALL)
        return NDSHM_BOOL;
    if (op == NDSHM_REDUCE_COUNT || is_place(op))
        return NDSHM_INT64;
    if (is_order(op) || is_float(source))
        return source;
    if (is_moment(op))
        return NDSHM_FLOAT64;
    return source >= NDSHM_UINT8 && source <= NDSHM_UINT64 ? NDSHM_UINT64 : NDSHM_INT64;
}

static int choose_types(struct ndshm__reduction *plan)
{
    uint32_t kind = plan->source & 0xFF;
    plan->times = kind == NDSHM_DATETIME64 || kind == NDSHM_TIMEDELTA64;
    bool allowed = kind <= NDSHM_FLOAT64 ||
                   (plan->times && (is_order(plan->op) || plan->op == NDSHM_REDUCE_COUNT));
    if (!allowed)
        return ndshm__fail(NDSHM_EDTYPE,
                           "elements of type %s do not have this: booleans, integers and floats "
                           "do; dates, times and durations have min, max, argmin, argmax, count",
                           ndshm__dtype_row(plan->source)->name);
    plan->real = is_float(plan->source) || is_moment(plan->op);
    plan->skip = plan->skip && (is_float(plan->source) || plan->times);
    plan->result = result_of(plan->op, plan->source);
    bool greatest = plan->op == NDSHM_REDUCE_MAX || plan->op == NDSHM_REDUCE_ARGMAX;
    plan->load = ndshm__load_of(plan->source, plan->real, is_order(plan->op), greatest);
    plan->missing = greatest ? INT64_MAX : INT64_MIN;
    plan->direct = plan->source == NDSHM_FLOAT64 ||
                   (!plan->real && (plan->source == NDSHM_INT64 ||
                                    (plan->source == NDSHM_UINT64 && !is_order(plan->op)) ||
                                    (plan->times && !greatest)));
    return 0;
}

/* --- axes --- */

static int64_t magnitude(int64_t stride)
{
    return stride < 0 ? -stride : stride;
}

static void push(struct ndshm__dims *dims, int64_t length, int64_t stride)
{
    dims->length[dims->count] = length;
    dims->stride[dims->count++] = stride;
    dims->size *= length;
}

/* Widest stride first, as far as the order does not matter. order may be NULL. */
static void sort(struct ndshm__dims *dims, int32_t *order)
{
    for (int32_t i = 1; i < dims->count; i++)
        for (int32_t j = i; j > 0; j--) {
            int64_t *length = &dims->length[j - 1], *stride = &dims->stride[j - 1];
            if (magnitude(stride[0]) >= magnitude(stride[1]))
                break;
            int64_t other[2] = {length[0], stride[0]};
            length[0] = length[1], stride[0] = stride[1];
            length[1] = other[0], stride[1] = other[1];
            if (order) {
                int32_t swapped = order[j];
                order[j] = order[j - 1];
                order[j - 1] = swapped;
            }
        }
}

/* Joins neighbours that can be walked as one axis. */
static void coalesce(struct ndshm__dims *dims)
{
    int32_t last = 0;
    for (int32_t i = 1; i < dims->count; i++) {
        if (dims->length[i] == 1)
            continue;
        if (dims->length[last] == 1 || dims->stride[last] == dims->length[i] * dims->stride[i]) {
            dims->length[last] *= dims->length[i];
        } else {
            dims->length[++last] = dims->length[i];
        }
        dims->stride[last] = dims->stride[i];
    }
    dims->count = dims->count ? last + 1 : 0;
}

static void walk_upwards(struct ndshm__reduction *plan)
{
    struct ndshm__dims *dims = &plan->reduced;
    for (int32_t i = 0; i < dims->count; i++)
        if (dims->stride[i] < 0) {
            plan->data = ndshm__move(plan->data, (dims->length[i] - 1) * dims->stride[i]);
            dims->stride[i] = -dims->stride[i];
        }
}

static void choose_axes(struct ndshm__reduction *plan, const ndshm_view *view, int axis)
{
    plan->reduced.size = plan->kept.size = 1;
    for (int32_t i = 0; i < view->ndim; i++) {
        if (axis == NDSHM_AXIS_ALL || axis == i) {
            push(&plan->reduced, view->shape[i], view->strides[i]);
            continue;
        }
        plan->order[plan->kept.count] = plan->result_ndim;
        plan->result_shape[plan->result_ndim++] = view->shape[i];
        push(&plan->kept, view->shape[i], view->strides[i]);
    }
    if (plan->reduced.size == 0 || plan->kept.size == 0)
        return;
    if (!is_place(plan->op)) {
        sort(&plan->reduced, NULL);
        walk_upwards(plan);
    }
    sort(&plan->kept, plan->order);
    coalesce(&plan->reduced);
    coalesce(&plan->kept);
}

static int64_t last_stride(const struct ndshm__dims *dims)
{
    return dims->count ? magnitude(dims->stride[dims->count - 1]) : 0;
}

/* --- division --- */

static void divide(struct ndshm__reduction *plan)
{
    int64_t kept = plan->kept.size, reduced = plan->reduced.size;
    int64_t tasks = kept && reduced ? kept * reduced / TASK_ELEMENTS : 1;
    tasks = tasks < 1 ? 1 : tasks > TASKS_MAX ? TASKS_MAX : tasks;
    plan->columns = kept >= SHORT &&
                    (reduced < SHORT || last_stride(&plan->kept) < last_stride(&plan->reduced));
    plan->split = kept < SHORT * tasks && tasks > 1;
    int64_t shared = plan->split ? reduced : kept;
    plan->step = shared / tasks + (shared % tasks != 0);
    plan->step = plan->step ? plan->step : 1;
    plan->tasks = shared ? shared / plan->step + (shared % plan->step != 0) : 1;
}

static int check_empty(const struct ndshm__reduction *plan)
{
    if (plan->reduced.size == 0 && is_order(plan->op))
        return ndshm__fail(NDSHM_ESHAPE, "there is no least or greatest of no elements");
    return 0;
}

int ndshm__reduction_plan(const ndshm_view *view, int op, int axis, struct ndshm__reduction *out)
{
    struct ndshm__reduction *plan = out;
    *plan = (struct ndshm__reduction){.op = op & ~NDSHM_SKIPNA,
                                      .skip = op & NDSHM_SKIPNA,
                                      .source = ndshm__dtype_canonical(view->dtype),
                                      .data = view->data};
    if (plan->op < NDSHM_REDUCE_SUM || plan->op > NDSHM_REDUCE_COUNT)
        return ndshm__fail(-EINVAL, "op 0x%x is none of NDSHM_REDUCE_*", (unsigned)op);
    if (axis != NDSHM_AXIS_ALL && (axis < -view->ndim || axis >= view->ndim))
        return ndshm__fail(NDSHM_ESHAPE, "axis %d of an array of %d dimensions", axis, view->ndim);
    int status = choose_types(plan);
    if (status)
        return status;
    choose_axes(plan, view, axis < 0 ? axis + view->ndim : axis);
    divide(plan);
    return check_empty(plan);
}
