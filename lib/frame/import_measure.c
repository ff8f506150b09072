/* SPDX-License-Identifier: MIT */
/* The first walk: how much of everything there is. */
#include <errno.h>

#include "base/base.h"
#include "frame/bits.h"
#include "frame/import.h"

static int measure_rows(struct ndshm__import_node *node, const struct ndshm__span *span)
{
    const uint8_t *validity = ndshm__span_validity(node, span);
    int64_t nulls = validity ? ndshm__bits_zeros(validity, span->begin, span->length) : 0;
    if (node->format.layout == NDSHM__LAYOUT_NULL)
        nulls = span->length;
    node->validity = node->validity || (validity && nulls > 0);
    if (!ndshm__add(node->length, span->length, &node->length))
        return ndshm__import_fail(node, NDSHM_ESHAPE, "more rows than can be counted");
    node->null_count += nulls;
    return 0;
}

/* All offsets are looked at when they are copied. */
static int measure_bytes(struct ndshm__import_node *node, const struct ndshm__span *span)
{
    if (span->length == 0)
        return 0;
    int64_t first = ndshm__span_integer(node, span, 1, span->begin);
    int64_t last = ndshm__span_integer(node, span, 1, span->begin + span->length);
    if (first < 0 || last < first || (last > first && !span->array->buffers[2]))
        return ndshm__import_fail(node, NDSHM_ECORRUPT,
                                  "its offsets fall, or its bytes are missing");
    if (!ndshm__add(node->bytes, last - first, &node->bytes))
        return ndshm__import_fail(node, NDSHM_ESHAPE, "more bytes than can be counted");
    return 0;
}

int ndshm__import_piece(struct ndshm__import_node *node, int32_t size)
{
    if (node->npieces > 0 && node->pieces[node->npieces - 1] <= INT32_MAX - size)
        return 0;
    int64_t room = node->pieces_room;
    int status =
        ndshm__import_grow((void **)&node->pieces, node->npieces, &room, sizeof *node->pieces);
    if (status)
        return status;
    node->pieces_room = (int32_t)room;
    node->pieces[node->npieces++] = 0;
    return 0;
}

static int measure_views(struct ndshm__import_node *node, const struct ndshm__span *span)
{
    const uint8_t *validity = ndshm__span_validity(node, span);
    struct ndshm__view view;
    const char *data;
    int status = 0;
    for (int64_t i = span->begin; i < span->begin + span->length && !status; i++) {
        if (validity && !ndshm__bit(validity, i))
            continue;
        status = ndshm__span_view(node, span, i, &view, &data);
        if (status || view.size <= NDSHM__VIEW_INLINE)
            continue;
        status = ndshm__import_piece(node, view.size);
        if (!status)
            node->pieces[node->npieces - 1] += view.size;
    }
    return status;
}

int ndshm__import_measure(struct ndshm__import *import, int32_t index,
                          const struct ndshm__span *span)
{
    struct ndshm__import_node *node = &import->nodes[index];
    int status = measure_rows(node, span);
    if (!status && node->format.layout == NDSHM__LAYOUT_VARIABLE)
        status = measure_bytes(node, span);
    if (!status && node->format.layout == NDSHM__LAYOUT_VIEW)
        status = measure_views(node, span);
    if (!status && node->dictionary)
        status = ndshm__import_dictionary(import, index, span->array);
    for (int32_t i = 0; i < node->schema->n_children && !status; i++) {
        struct ndshm__span child;
        status = ndshm__span_child(import, index, span, i, &child);
        if (!status)
            status = ndshm__import_measure(import, node->first_child + i, &child);
    }
    return status;
}
