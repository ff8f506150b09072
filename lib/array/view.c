/* SPDX-License-Identifier: MIT */
#include "array/view.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "array/dtype.h"
#include "base/base.h"

static int lengths_check(int ndim, const int64_t *shape)
{
    if (ndim < 0 || ndim > NDSHM_MAX_NDIM)
        return ndshm__fail(NDSHM_ESHAPE, "%d dimensions are outside 0 to %d", ndim, NDSHM_MAX_NDIM);
    if (ndim > 0 && !shape)
        return ndshm__fail(-EINVAL, "shape is NULL");
    for (int i = 0; i < ndim; i++)
        if (shape[i] < 0)
            return ndshm__fail(NDSHM_ESHAPE, "length %" PRId64 " of axis %d is negative", shape[i],
                               i);
    return 0;
}

int ndshm__shape_check(ndshm_dtype dtype, int ndim, const int64_t *shape, int64_t *nbytes)
{
    int status = ndshm__dtype_check(dtype);
    if (!status)
        status = lengths_check(ndim, shape);
    if (status)
        return status;
    int64_t size = 1;
    bool fits = true, empty = false;
    for (int i = 0; i < ndim; i++) {
        empty = empty || shape[i] == 0;
        fits = fits && ndshm__mul(size, shape[i] ? shape[i] : 1, &size);
    }
    if (!fits || !ndshm__mul(size, ndshm__dtype_itemsize(dtype), &size))
        return ndshm__fail(NDSHM_ESHAPE,
                           "the lengths of %d axes multiply to more than 2^63 - 1 "
                           "bytes",
                           ndim);
    if (nbytes)
        *nbytes = empty ? 0 : size;
    return 0;
}

int ndshm__view_check(const ndshm_view *view)
{
    if (!view)
        return ndshm__fail(-EINVAL, "the view is NULL");
    return ndshm__shape_check(view->dtype, view->ndim, view->shape, NULL);
}

void ndshm__strides_fill(int64_t itemsize, int ndim, const int64_t *shape, int order,
                         int64_t *strides)
{
    int64_t stride = itemsize;
    for (int k = 0; k < ndim; k++) {
        int axis = order == NDSHM_ORDER_C ? ndim - 1 - k : k;
        strides[axis] = stride;
        stride *= shape[axis] ? shape[axis] : 1;
    }
}

int ndshm__view_init(ndshm_view *out, void *data, ndshm_dtype dtype, int ndim, const int64_t *shape,
                     int order)
{
    int status = ndshm__shape_check(dtype, ndim, shape, NULL);
    if (status)
        return status;
    out->data = data;
    out->dtype = dtype;
    out->ndim = ndim;
    out->flags = 0;
    out->reserved = 0;
    if (ndim > 0)
        memmove(out->shape, shape, (size_t)ndim * sizeof *shape);
    ndshm__strides_fill(ndshm__dtype_itemsize(dtype), ndim, out->shape, order, out->strides);
    return 0;
}

int ndshm_view_init(ndshm_view *out, void *data, ndshm_dtype dtype, int ndim, const int64_t *shape,
                    int order)
{
    ndshm__begin("ndshm_view_init");
    if (!out)
        return ndshm__fail(-EINVAL, "out is NULL");
    if (order != NDSHM_ORDER_C && order != NDSHM_ORDER_FORTRAN)
        return ndshm__fail(-EINVAL, "order %d is neither NDSHM_ORDER_C nor NDSHM_ORDER_FORTRAN",
                           order);
    return ndshm__view_init(out, data, dtype, ndim, shape, order);
}

int64_t ndshm__view_size(const ndshm_view *view)
{
    int64_t size = 1;
    for (int i = 0; i < view->ndim; i++) {
        if (view->shape[i] == 0)
            return 0;
        size *= view->shape[i];
    }
    return size;
}

int64_t ndshm__view_nbytes(const ndshm_view *view)
{
    return ndshm__view_size(view) * ndshm__dtype_itemsize(view->dtype);
}

int64_t ndshm_view_size(const ndshm_view *view)
{
    ndshm__begin("ndshm_view_size");
    int status = ndshm__view_check(view);
    return status ? status : ndshm__view_size(view);
}

int64_t ndshm_view_nbytes(const ndshm_view *view)
{
    ndshm__begin("ndshm_view_nbytes");
    int status = ndshm__view_check(view);
    return status ? status : ndshm__view_nbytes(view);
}

void ndshm__view_assign(ndshm_view *out, const ndshm_view *view)
{
    size_t used = (size_t)view->ndim * sizeof *view->shape;
    if (out == view)
        return;
    memcpy(out, view, offsetof(ndshm_view, shape));
    out->reserved = 0;
    memcpy(out->shape, view->shape, used);
    memcpy(out->strides, view->strides, used);
}

bool ndshm__view_contiguous(const ndshm_view *view, int order)
{
    int64_t stride = ndshm__dtype_itemsize(view->dtype);
    if (ndshm__view_size(view) == 0)
        return true;
    for (int k = 0; k < view->ndim; k++) {
        int axis = order == NDSHM_ORDER_C ? view->ndim - 1 - k : k;
        if (view->shape[axis] == 1)
            continue;
        if (view->strides[axis] != stride)
            return false;
        stride *= view->shape[axis];
    }
    return true;
}

int ndshm_view_is_contiguous(const ndshm_view *view, int order)
{
    ndshm__begin("ndshm_view_is_contiguous");
    if (order != NDSHM_ORDER_C && order != NDSHM_ORDER_FORTRAN)
        return 0;
    return ndshm__view_check(view) == 0 && ndshm__view_contiguous(view, order);
}

bool ndshm__view_extent(const ndshm_view *view, int64_t *low, int64_t *high)
{
    *low = *high = 0;
    if (ndshm__view_size(view) == 0)
        return true;
    *high = ndshm__dtype_itemsize(view->dtype);
    for (int i = 0; i < view->ndim; i++) {
        int64_t reach;
        int64_t *end = view->strides[i] < 0 ? low : high;
        if (!ndshm__mul(view->shape[i] - 1, view->strides[i], &reach) ||
            !ndshm__add(*end, reach, end))
            return false;
    }
    int64_t span;
    return *low > INT64_MIN && ndshm__add(*high, -*low, &span);
}

void *ndshm__move(const void *data, int64_t offset)
{
    return (void *)((uintptr_t)data + (uintptr_t)offset);
}
