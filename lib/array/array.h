/* SPDX-License-Identifier: MIT */
/* Arrays, as the layers above use them: without naming a public function in messages. */
#ifndef NDSHM_LIB_ARRAY_H
#define NDSHM_LIB_ARRAY_H

#include <ndshm/array.h>

#include "array/ref.h"
#include "segment/segment.h"

struct ndshm_array {
    ndshm__segment *segment;
    char *slice;   /* the canonical reference where it is more than the segment's name */
    bool named;    /* false: no reference is short enough */
    bool borrowed; /* belongs to a task: whoever detaches it only forgets it */
    ndshm_view view;
};

/* As ndshm_array_create; base: pool, make and maker of ndshm__spec, or NULL. */
int ndshm__array_create(const ndshm__spec *base, const char *name, ndshm_dtype dtype, int ndim,
                        const int64_t *shape, const ndshm_create_config *config, ndshm_array **out);

int ndshm__array_from(const char *name, const ndshm_view *source, const ndshm_create_config *config,
                      ndshm_array **out);

int ndshm__array_attach(const char *ref, int access, ndshm_array **out);

/* An array of the whole of segment, which is checked, and whose count moves to the array on
 * success. */
int ndshm__array_from_segment(ndshm__segment *segment, ndshm_array **out);

/* Borrowed. */
ndshm__segment *ndshm__array_segment(const ndshm_array *array);

/* A streamed array whose elements the caller appends in this order; then ndshm__array_finish. */
int ndshm__array_stream(const char *name, ndshm_dtype dtype, int ndim, const int64_t *shape,
                        int order, const ndshm_create_config *config, ndshm_array **out);

/* Publishes unless the config forbids it, and moves array to *out. On failure array is gone. */
int ndshm__array_finish(ndshm_array *array, const ndshm_create_config *config, ndshm_array **out);

/* Copies source, which lies in the payload of segment, to target, which has the same shape and does
 * not. NDSHM_ECORRUPT: somebody truncated the segment. */
int ndshm__array_gather(const ndshm__segment *segment, const ndshm_view *source,
                        const ndshm_view *target);

#endif
