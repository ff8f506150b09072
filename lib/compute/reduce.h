/* SPDX-License-Identifier: MIT */
/* Reductions: a plan that depends on the array alone, kernels that know no strides, and between
 * them the fetching of elements as double or int64_t. */
#ifndef NDSHM_LIB_COMPUTE_REDUCE_H
#define NDSHM_LIB_COMPUTE_REDUCE_H

#include <stdbool.h>

#include <ndshm/compute.h>

union ndshm__word {
    double d;
    int64_t i;
};

/* Elements in a linear order: the last axis runs fastest. */
struct ndshm__dims {
    int32_t count;
    int64_t size;
    int64_t length[NDSHM_MAX_NDIM];
    int64_t stride[NDSHM_MAX_NDIM];
};

enum { NDSHM__ROW_BLOCK = 256, NDSHM__TILE = 256, NDSHM__TILE_ROWS = 32 };

/* Converts count elements, stride bytes apart. */
typedef void ndshm__load_fn(const char *at, int64_t stride, int64_t count, union ndshm__word *out);

struct ndshm__reduction {
    int op;
    bool skip;       /* NDSHM_SKIPNA, where there can be NaN or NaT */
    bool real;       /* computed as double; else as int64_t */
    bool times;      /* the smallest integer is NaT */
    int64_t missing; /* what NaT is loaded as */
    ndshm_dtype source, result;
    const char *data;
    ndshm__load_fn *load;
    bool direct; /* elements that lie together need no conversion */
    struct ndshm__dims reduced, kept;
    int32_t
        order[NDSHM_MAX_NDIM]; /* the axis of the result that each axis of kept is, uncoalesced */
    int32_t result_ndim;
    int64_t result_shape[NDSHM_MAX_NDIM];
    bool columns; /* many results at a time, a row of elements after the other */
    bool split;   /* tasks share the reduced elements; else the results */
    int64_t tasks;
    int64_t step; /* of results or reduced elements, in a task */
};

/* What is known of one result. */
struct ndshm__partial {
    union ndshm__word a; /* sum; mean; extreme; truth */
    union ndshm__word b; /* what the sum lost; squares; index */
    int64_t n;           /* elements that counted */
};

/* plan.c: NDSHM_EDTYPE, NDSHM_ESHAPE, -EINVAL. */
int ndshm__reduction_plan(const ndshm_view *view, int op, int axis, struct ndshm__reduction *out);

/* load.c */
/* greatest: NaT becomes the greatest integer, all others one less, so that it wins there, too.
 * order: unsigned integers of 64 bits are put into the order of signed ones. */
ndshm__load_fn *ndshm__load_of(ndshm_dtype dtype, bool real, bool order, bool greatest);
void ndshm__store_result(ndshm_dtype dtype, union ndshm__word value, void *at);

/* Elements begin up to begin + count of dims, either in buffer or where they are. */
const union ndshm__word *ndshm__fetch(const struct ndshm__reduction *reduction,
                                      const struct ndshm__dims *dims, const char *base,
                                      int64_t begin, int64_t count, union ndshm__word *buffer);
int64_t ndshm__dims_offset(const struct ndshm__dims *dims, int64_t index);

/* kernel.c: partials begin as zeros. More elements of one result, or of width results; index is
 * that of the first among the reduced ones. */
void ndshm__partial_add(const struct ndshm__reduction *reduction, struct ndshm__partial *partial,
                        const union ndshm__word *values, int count, int64_t index);
void ndshm__partials_add(const struct ndshm__reduction *reduction, struct ndshm__partial *partials,
                         int width, const union ndshm__word *const rows[NDSHM__TILE_ROWS],
                         int count, int64_t index);
void ndshm__partial_merge(const struct ndshm__reduction *reduction, struct ndshm__partial *into,
                          const struct ndshm__partial *next);

/* NDSHM_ESHAPE: nothing but NaN has no place of an extreme. */
int ndshm__partial_result(const struct ndshm__reduction *reduction,
                          const struct ndshm__partial *partial, union ndshm__word *out);

#endif
