/* SPDX-License-Identifier: MIT */
/* Inside the import of Arrow streams. All batches are measured, then a frame of the final size is
 * made, then all are copied into it: the same walk over the same arrays, twice. */
#ifndef NDSHM_LIB_FRAME_IMPORT_H
#define NDSHM_LIB_FRAME_IMPORT_H

#include <ndshm/arrow.h>

#include "frame/frame.h"
#include "frame/values.h"
#include "frame/view.h"

/* Rows of an array; begin counts from the start of its buffers, so that its offset is in it. */
struct ndshm__span {
    const struct ArrowArray *array;
    int64_t begin;
    int64_t length;
};

/* What becomes of the indices of one array after its dictionary was joined with the others. */
struct ndshm__mapping {
    int64_t *to; /* NULL: they stay as they are */
};

/* A node of the tree; its number is that of the node in the frame's schema. */
struct ndshm__import_node {
    const struct ArrowSchema *schema;
    struct ndshm__format format; /* of the stream */
    struct ndshm__format target; /* of the frame: perhaps with wider offsets */
    const char *target_text;
    int32_t first_child;
    int32_t dictionary;
    int32_t depth;

    int64_t length, null_count; /* measured */
    int64_t bytes;
    bool validity;
    int64_t *pieces; /* of views' bytes */
    int32_t npieces, pieces_room;

    struct ndshm__mapping *mappings; /* one for each array of indices, in the order of the walk */
    int64_t nmappings, mappings_room, next_mapping;
    const struct ArrowArray *last_dictionary;
    struct ndshm__values values; /* of all dictionaries, once there are two that differ */
    int64_t null_value;          /* where they have a null, or -1 */
    struct ndshm__span *spans;   /* of a dictionary's node: the values it is made of */
    int64_t nspans, spans_room;

    int64_t at, bytes_at; /* copied */
    int32_t piece;
    int64_t piece_at;
};

struct ndshm__import {
    struct ArrowSchema schema;
    struct ArrowArray *batches;
    int64_t nbatches, batches_room;
    int64_t rows;
    struct ndshm__import_node *nodes;
    int32_t count, room;
    const ndshm_frame *frame; /* once it is made */
};

/* "column 'NAME': what". */
int ndshm__import_fail(const struct ndshm__import_node *node, int status, const char *what);

/* Makes room for one more of count elements. -ENOMEM. */
int ndshm__import_grow(void **elements, int64_t count, int64_t *room, size_t size);

/* --- span.c: whose structure was checked --- */

/* NDSHM_ECORRUPT when an array does not have what its type needs. */
int ndshm__array_check(const struct ndshm__import *import, int32_t index,
                       const struct ArrowArray *array);

/* The rows of child i that the rows of span need. */
int ndshm__span_child(const struct ndshm__import *import, int32_t index,
                      const struct ndshm__span *span, int32_t i, struct ndshm__span *out);

/* The bitmap of an array that has nulls, or NULL. */
const uint8_t *ndshm__span_validity(const struct ndshm__import_node *node,
                                    const struct ndshm__span *span);

/* An integer of a buffer of format.width. */
int64_t ndshm__span_integer(const struct ndshm__import_node *node, const struct ndshm__span *span,
                            int buffer, int64_t index);

/* The view of a row that is not null, whose string lies where *data says. */
int ndshm__span_view(const struct ndshm__import_node *node, const struct ndshm__span *span,
                     int64_t row, struct ndshm__view *view, const char **data);

/* --- the walks --- */

int ndshm__import_measure(struct ndshm__import *import, int32_t index,
                          const struct ndshm__span *span);

/* Gives a node of views room for a string of so many bytes: the last of its pieces, or a new one.
 */
int ndshm__import_piece(struct ndshm__import_node *node, int32_t size);

/* Joins the dictionary of an array of indices with those before. */
int ndshm__import_dictionary(struct ndshm__import *import, int32_t index,
                             const struct ArrowArray *array);

int ndshm__import_copy(struct ndshm__import *import, int32_t index, const struct ndshm__span *span);

#endif
