/* SPDX-License-Identifier: MIT */
/* Views of views, one axis at a time: slice, index, transpose, broadcast. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "array/dtype.h"
#include "array/view.h"
#include "base/base.h"

static int both_check(const ndshm_view *view, const ndshm_view *out)
{
    if (!out)
        return ndshm__fail(-EINVAL, "out is NULL");
    return ndshm__view_check(view);
}

/* A negative axis counts from the last. */
static int axis_check(const ndshm_view *view, int axis, int *out)
{
    if (axis < -view->ndim || axis >= view->ndim)
        return ndshm__fail(NDSHM_ESHAPE, "there is no axis %d: the view has %d dimensions", axis,
                           view->ndim);
    *out = axis < 0 ? axis + view->ndim : axis;
    return 0;
}

static int too_far(int axis)
{
    return ndshm__fail(NDSHM_ESHAPE, "axis %d: the stride leads out of the address space", axis);
}

/* A bound of a slice, brought into [low, high]. */
static int64_t clamp(int64_t bound, int64_t length, int64_t low, int64_t high)
{
    if (bound < 0)
        bound = bound < -length ? low : bound + length;
    return bound < low ? low : bound > high ? high : bound;
}

ndshm__range ndshm__range_resolve(int64_t length, int64_t start, int64_t stop, int64_t step)
{
    bool down = step < 0;
    int64_t low = down ? -1 : 0, high = down ? length - 1 : length;
    int64_t from = start == NDSHM_OMIT ? (down ? high : low) : clamp(start, length, low, high);
    int64_t to = stop == NDSHM_OMIT ? (down ? low : high) : clamp(stop, length, low, high);
    int64_t distance = down ? from - to : to - from;
    if (distance <= 0)
        return (ndshm__range){0, 1, 0};
    int64_t count =
        1 + (int64_t)((uint64_t)(distance - 1) / (down ? -(uint64_t)step : (uint64_t)step));
    return (ndshm__range){from, count == 1 ? 1 : step, count};
}

int ndshm_view_slice(const ndshm_view *view, int axis, int64_t start, int64_t stop, int64_t step,
                     ndshm_view *out)
{
    ndshm__begin("ndshm_view_slice");
    int64_t offset, stride;
    int status = both_check(view, out);
    if (!status)
        status = axis_check(view, axis, &axis);
    if (status)
        return status;
    if (step == 0)
        return ndshm__fail(NDSHM_ESHAPE, "axis %d: the step of a slice must not be 0", axis);
    ndshm__range range =
        ndshm__range_resolve(view->shape[axis], start, stop, step == NDSHM_OMIT ? 1 : step);
    if (!ndshm__mul(range.start, view->strides[axis], &offset) ||
        !ndshm__mul(range.step, view->strides[axis], &stride))
        return too_far(axis);
    ndshm__view_assign(out, view);
    out->data = ndshm__move(view->data, offset);
    out->shape[axis] = range.count;
    out->strides[axis] = stride;
    return 0;
}

int ndshm_view_index(const ndshm_view *view, int axis, int64_t index, ndshm_view *out)
{
    ndshm__begin("ndshm_view_index");
    int64_t offset;
    int status = both_check(view, out);
    if (!status)
        status = axis_check(view, axis, &axis);
    if (status)
        return status;
    int64_t length = view->shape[axis];
    if (index < -length || index >= length)
        return ndshm__fail(NDSHM_ESHAPE,
                           "index %" PRId64 " is out of range: axis %d has %" PRId64 " elements",
                           index, axis, length);
    if (!ndshm__mul(index < 0 ? index + length : index, view->strides[axis], &offset))
        return too_far(axis);
    ndshm__view_assign(out, view);
    out->data = ndshm__move(view->data, offset);
    out->ndim--;
    size_t behind = (size_t)(out->ndim - axis) * sizeof *out->shape;
    memmove(out->shape + axis, out->shape + axis + 1, behind);
    memmove(out->strides + axis, out->strides + axis + 1, behind);
    return 0;
}

/* Resolves axes, or all of them reversed, into order. */
static int permutation_check(const ndshm_view *view, const int *axes, int order[NDSHM_MAX_NDIM])
{
    uint64_t seen = 0;
    for (int i = 0; i < view->ndim; i++) {
        int status = axes ? axis_check(view, axes[i], &order[i]) : 0;
        if (status)
            return status;
        if (!axes)
            order[i] = view->ndim - 1 - i;
        if (seen >> order[i] & 1)
            return ndshm__fail(NDSHM_ESHAPE, "axis %d appears twice among the axes", order[i]);
        seen |= UINT64_C(1) << order[i];
    }
    return 0;
}

int ndshm_view_transpose(const ndshm_view *view, const int *axes, ndshm_view *out)
{
    ndshm__begin("ndshm_view_transpose");
    int order[NDSHM_MAX_NDIM];
    ndshm_view old;
    int status = both_check(view, out);
    if (!status)
        status = permutation_check(view, axes, order);
    if (status)
        return status;
    ndshm__view_assign(&old, view);
    ndshm__view_assign(out, view);
    for (int i = 0; i < old.ndim; i++) {
        out->shape[i] = old.shape[order[i]];
        out->strides[i] = old.strides[order[i]];
    }
    return 0;
}

int ndshm_view_broadcast(const ndshm_view *view, int ndim, const int64_t *shape, ndshm_view *out)
{
    ndshm__begin("ndshm_view_broadcast");
    ndshm_view wide;
    int status = both_check(view, out);
    if (!status)
        status = ndshm__view_init(&wide, view->data, view->dtype, ndim, shape, NDSHM_ORDER_C);
    if (status)
        return status;
    int added = ndim - view->ndim;
    if (added < 0)
        return ndshm__fail(NDSHM_ESHAPE, "%d dimensions do not broadcast to %d", view->ndim, ndim);
    for (int i = 0; i < ndim; i++) {
        int64_t old = i < added ? 1 : view->shape[i - added];
        if (old != wide.shape[i] && old != 1)
            return ndshm__fail(NDSHM_ESHAPE,
                               "axis %d: length %" PRId64 " does not broadcast to %" PRId64,
                               i - added, old, wide.shape[i]);
        wide.strides[i] = old == 1 ? 0 : view->strides[i - added];
    }
    wide.flags = view->flags | NDSHM_VIEW_READONLY;
    ndshm__view_assign(out, &wide);
    return 0;
}
