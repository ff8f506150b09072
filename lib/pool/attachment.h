/* SPDX-License-Identifier: MIT */
/* An array or a frame: the only file of the pool that knows both. */
#ifndef NDSHM_LIB_POOL_ATTACHMENT_H
#define NDSHM_LIB_POOL_ATTACHMENT_H

#include <ndshm/array.h>
#include <ndshm/frame.h>

#include "segment/segment.h"

struct ndshm__attachment {
    ndshm_array *array; /* one of them, or none */
    ndshm_frame *frame;
};

/* kind: NDSHM_KIND_ARRAY, NDSHM_KIND_FRAME, or 0 for whichever it is. */
int ndshm__attachment_open(const char *ref, int kind, int access, struct ndshm__attachment *out);

/* From here on only _close detaches it: a task that detaches what it borrowed does no harm. */
void ndshm__attachment_lend(struct ndshm__attachment *attachment);
void ndshm__attachment_close(struct ndshm__attachment *attachment);

/* Borrowed; NULL when there is nothing attached. */
ndshm__segment *ndshm__attachment_segment(const struct ndshm__attachment *attachment);

/* Of an array. */
void ndshm__attachment_view(const struct ndshm__attachment *attachment, ndshm_view *out);

/* Closes it, but for its segment, which is the caller's. */
ndshm__segment *ndshm__attachment_steal(struct ndshm__attachment *attachment);

int ndshm__attachment_publish(struct ndshm__attachment *attachment);

/* A result: unpublished, in a pool. base: see ndshm__array_create; who gives the segment also
 * populates it. */
int ndshm__attachment_create_array(const ndshm__spec *base, const char *name, ndshm_dtype dtype,
                                   int ndim, const int64_t *shape, struct ndshm__attachment *out);
int ndshm__attachment_create_frame(const char *pool, const char *name, int64_t rows,
                                   const ndshm_column_spec *columns, int ncolumns,
                                   struct ndshm__attachment *out);

#endif
