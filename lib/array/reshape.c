/* SPDX-License-Identifier: MIT */
/* Another shape for the same elements, where strides can express it: NumPy's method. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "array/dtype.h"
#include "array/view.h"
#include "base/base.h"

/* Copies shape with -1 replaced. */
static int resolve_unknown(const ndshm_view *view, int ndim, const int64_t *shape, int64_t *out)
{
    int64_t size = ndshm__view_size(view), known = 1;
    int unknown = -1;
    for (int i = 0; i < ndim; i++) {
        out[i] = shape[i];
        if (shape[i] == -1 && unknown >= 0)
            return ndshm__fail(NDSHM_ESHAPE, "only one length may be -1");
        if (shape[i] == -1)
            unknown = i;
        else if (!ndshm__mul(known, shape[i], &known))
            return ndshm__fail(NDSHM_ESHAPE, "the lengths multiply to more than 2^63 - 1");
    }
    if (unknown < 0)
        return 0;
    if (known <= 0 || size % known != 0)
        return ndshm__fail(
            NDSHM_ESHAPE, "%" PRId64 " elements do not divide into parts of %" PRId64, size, known);
    out[unknown] = size / known;
    return 0;
}

/* Axes of length 1 say nothing about where elements lie. */
static int squeeze(const ndshm_view *view, int64_t *shape, int64_t *strides)
{
    int n = 0;
    for (int i = 0; i < view->ndim; i++) {
        if (view->shape[i] == 1)
            continue;
        shape[n] = view->shape[i];
        strides[n++] = view->strides[i];
    }
    return n;
}

/* Whether axes [begin, end) can be walked as one. */
static bool combines(const int64_t *shape, const int64_t *strides, int begin, int end)
{
    for (int i = begin; i < end - 1; i++) {
        int64_t whole;
        if (!ndshm__mul(shape[i + 1], strides[i + 1], &whole) || strides[i] != whole)
            return false;
    }
    return true;
}

static bool split(int64_t *strides, const int64_t *shape, int begin, int end, int64_t innermost)
{
    strides[end - 1] = innermost;
    for (int i = end - 1; i > begin; i--)
        if (!ndshm__mul(strides[i], shape[i], &strides[i - 1]))
            return false;
    return true;
}

/* Strides for out->shape: groups of old axes whose product equals that of a group of new ones must
 * each combine. Both shapes have the same number of elements, which is not 0. */
static bool regroup(const ndshm_view *view, ndshm_view *out)
{
    int64_t shape[NDSHM_MAX_NDIM], strides[NDSHM_MAX_NDIM];
    int nold = squeeze(view, shape, strides);
    int old = 0, new = 0;
    while (new < out->ndim && old < nold) {
        int old_end = old + 1, new_end = new + 1;
        int64_t old_size = shape[old], new_size = out->shape[new];
        while (old_size != new_size) {
            if (new_size < old_size)
                new_size *= out->shape[new_end++];
            else
                old_size *= shape[old_end++];
        }
        if (!combines(shape, strides, old, old_end) ||
            !split(out->strides, out->shape, new, new_end, strides[old_end - 1]))
            return false;
        old = old_end;
        new = new_end;
    }
    for (; new < out->ndim; new ++) /* lengths of 1 */
        out->strides[new] = new ? out->strides[new - 1] : ndshm__dtype_itemsize(view->dtype);
    return true;
}

static bool same_shape(const ndshm_view *a, const ndshm_view *b)
{
    return a->ndim == b->ndim &&
           memcmp(a->shape, b->shape, (size_t)a->ndim * sizeof *a->shape) == 0;
}

static int reshape(const ndshm_view *view, int ndim, const int64_t *shape, ndshm_view *out)
{
    int64_t lengths[NDSHM_MAX_NDIM];
    if (ndim < 0 || ndim > NDSHM_MAX_NDIM)
        return ndshm__fail(NDSHM_ESHAPE, "%d dimensions are outside 0 to %d", ndim, NDSHM_MAX_NDIM);
    if (ndim > 0 && !shape)
        return ndshm__fail(-EINVAL, "shape is NULL");
    int status = resolve_unknown(view, ndim, shape, lengths);
    if (!status)
        status = ndshm__view_init(out, view->data, view->dtype, ndim, lengths, NDSHM_ORDER_C);
    if (status)
        return status;
    out->flags = view->flags;
    if (ndshm__view_size(view) != ndshm__view_size(out))
        return ndshm__fail(NDSHM_ESHAPE, "%" PRId64 " elements do not fit a shape of %" PRId64,
                           ndshm__view_size(view), ndshm__view_size(out));
    if (same_shape(view, out))
        ndshm__view_assign(out, view);
    else if (!ndshm__view_contiguous(view, NDSHM_ORDER_C) && !regroup(view, out))
        return ndshm__fail(NDSHM_ESHAPE, "no strides express this shape; copy the elements first");
    return 0;
}

int ndshm_view_reshape(const ndshm_view *view, int ndim, const int64_t *shape, ndshm_view *out)
{
    ndshm__begin("ndshm_view_reshape");
    ndshm_view result;
    if (!out)
        return ndshm__fail(-EINVAL, "out is NULL");
    int status = ndshm__view_check(view);
    if (!status)
        status = reshape(view, ndim, shape, &result);
    if (status)
        return status;
    ndshm__view_assign(out, &result);
    return 0;
}
