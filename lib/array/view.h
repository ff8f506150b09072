/* SPDX-License-Identifier: MIT */
/* What the public functions over views are made of. */
#ifndef NDSHM_LIB_VIEW_H
#define NDSHM_LIB_VIEW_H

#include <stdbool.h>

#include <ndshm/view.h>

/* Data type, number of dimensions, lengths and their product are possible; else a status and a
 * message. */
int ndshm__view_check(const ndshm_view *view);

/* The same without a view. On success *nbytes (may be NULL) is what the elements take. Lengths of 0
 * do not excuse the others: their product must be possible, as in NumPy. */
int ndshm__shape_check(ndshm_dtype dtype, int ndim, const int64_t *shape, int64_t *nbytes);

/* As ndshm_view_init, without naming a public function. */
int ndshm__view_init(ndshm_view *out, void *data, ndshm_dtype dtype, int ndim, const int64_t *shape,
                     int order);

/* Of checked views. */
int64_t ndshm__view_size(const ndshm_view *view);
int64_t ndshm__view_nbytes(const ndshm_view *view);
void ndshm__view_assign(ndshm_view *out, const ndshm_view *view); /* only ndim entries */
bool ndshm__view_contiguous(const ndshm_view *view, int order);

/* Strides without gaps. A length of 0 counts as 1. */
void ndshm__strides_fill(int64_t itemsize, int ndim, const int64_t *shape, int order,
                         int64_t *strides);

/* The bytes that the elements touch lie in [data + *low, data + *high). Without elements both are
 * 0. false: more than 64 bits can tell. */
bool ndshm__view_extent(const ndshm_view *view, int64_t *low, int64_t *high);

/* The address offset bytes away; also defined for NULL and for addresses outside any object. */
void *ndshm__move(const void *data, int64_t offset);

/* What start:stop:step selects on an axis. Without elements start is 0 and step 1; with one step
 * is 1. */
typedef struct ndshm__range {
    int64_t start;
    int64_t step;
    int64_t count;
} ndshm__range;

/* Python's rules. step must not be 0; bounds may be NDSHM_OMIT. */
ndshm__range ndshm__range_resolve(int64_t length, int64_t start, int64_t stop, int64_t step);

/* Copies checked views of one shape and data type, which do not overlap. */
void ndshm__copy(const ndshm_view *target, const ndshm_view *source);

/* Cuts a checked view, in C order, into pieces that take about NDSHM__PIECE bytes without gaps. */
enum { NDSHM__PIECE = 1 << 20 };
typedef struct ndshm__pieces {
    ndshm_view view;
    int axis;            /* that is cut; those before it have length 1 in a piece */
    int64_t rows;        /* along axis, in a piece */
    int64_t piece_bytes; /* of the largest piece */
    bool done;
    int64_t index[NDSHM_MAX_NDIM];
} ndshm__pieces;
void ndshm__pieces_begin(ndshm__pieces *pieces, const ndshm_view *view);
bool ndshm__pieces_next(ndshm__pieces *pieces, ndshm_view *out);

#endif
