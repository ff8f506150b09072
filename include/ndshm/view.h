/* SPDX-License-Identifier: MIT */
/* A view: where elements lie in memory. Pure functions over views; none of them owns memory. */
#ifndef NDSHM_VIEW_H
#define NDSHM_VIEW_H

#include "dtype.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { NDSHM_VIEW_READONLY = 1 }; /* flags: writing through data faults or is refused */

/* Element (i0, i1, ...) lies at (char *)data + i0 * strides[0] + i1 * strides[1] + ... Strides are
 * in bytes and may be 0 or negative. Only the first ndim entries of shape and strides mean
 * anything. A view borrows: one read from a handle is valid until that handle is detached. */
typedef struct ndshm_view {
    void *data;
    ndshm_dtype dtype;
    int32_t ndim;
    uint32_t flags;
    uint32_t reserved;
    int64_t shape[NDSHM_MAX_NDIM];
    int64_t strides[NDSHM_MAX_NDIM];
} ndshm_view;

/* Orders for ndshm_view_init and ndshm_view_is_contiguous. */
enum { NDSHM_ORDER_C = 0, NDSHM_ORDER_FORTRAN = 1 };

/* A bound or step of ndshm_view_slice that was left out, as in "[:5]". */
#define NDSHM_OMIT INT64_MIN

/* Fills *out with a contiguous view of data in the given order. Errors: -EINVAL (order, NULL shape
 * with ndim > 0), NDSHM_EDTYPE, NDSHM_ESHAPE (ndim outside 0..64, a negative length, more than
 * INT64_MAX bytes). data may be NULL. */
NDSHM_API int ndshm_view_init(ndshm_view *out, void *data, ndshm_dtype dtype, int ndim,
                              const int64_t *shape, int order);

/* view[..., start:stop:step, ...] on one axis, with Python's rules for negative and out-of-range
 * bounds; NDSHM_OMIT is a bound or step that was left out. axis may be negative. NDSHM_ESHAPE: no
 * such axis, or step 0. out may be view. */
NDSHM_API int ndshm_view_slice(const ndshm_view *view, int axis, int64_t start, int64_t stop,
                               int64_t step, ndshm_view *out);

/* view[..., index, ...] on one axis, which disappears. A negative index counts from the end.
 * NDSHM_ESHAPE: no such axis, or the index is out of range. out may be view. */
NDSHM_API int ndshm_view_index(const ndshm_view *view, int axis, int64_t index, ndshm_view *out);

/* Permutes the axes: axis i of *out is axis axes[i] of view. NULL reverses them. NDSHM_ESHAPE: not
 * a permutation. out may be view. */
NDSHM_API int ndshm_view_transpose(const ndshm_view *view, const int *axes, ndshm_view *out);

/* The same elements, in C order, in another shape, without a copy. One length may be -1 and is then
 * computed. NDSHM_ESHAPE: another number of elements, or the strides cannot express it (copy
 * first). out may be view. */
NDSHM_API int ndshm_view_reshape(const ndshm_view *view, int ndim, const int64_t *shape,
                                 ndshm_view *out);

/* Broadcasts to shape by NumPy's rules; repeated axes get stride 0 and *out is read-only.
 * NDSHM_ESHAPE: the shapes do not broadcast. out may be view. */
NDSHM_API int ndshm_view_broadcast(const ndshm_view *view, int ndim, const int64_t *shape,
                                   ndshm_view *out);

/* 1 when the elements lie without gaps in the given order, otherwise 0. Arrays without elements,
 * and axes of length 1, are contiguous whatever their strides. */
NDSHM_API int ndshm_view_is_contiguous(const ndshm_view *view, int order);

/* Copies every element of source to the place with the same index in target. Overlap in memory is
 * allowed only when both are the same view. Errors: NDSHM_ESHAPE (other shape), NDSHM_EDTYPE (other
 * dtype), -EACCES (target is read-only). */
NDSHM_API int ndshm_view_copy(const ndshm_view *target, const ndshm_view *source);

/* Number of elements (1 for ndim 0), and bytes they take without gaps; NDSHM_ESHAPE or NDSHM_EDTYPE
 * for a malformed view. */
NDSHM_API int64_t ndshm_view_size(const ndshm_view *view);
NDSHM_API int64_t ndshm_view_nbytes(const ndshm_view *view);

#ifdef __cplusplus
}
#endif
#endif
