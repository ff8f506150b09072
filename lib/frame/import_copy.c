/* SPDX-License-Identifier: MIT */
/* The second walk: everything into its place, batch behind batch. */
#include <string.h>

#include "base/base.h"
#include "frame/bits.h"
#include "frame/import.h"

static char *target_of(const struct ndshm__import *import, int32_t index, int buffer)
{
    const struct ndshm__schema *schema = ndshm__frame_schema(import->frame);
    const struct ndshm__buffer *buffers = ndshm__schema_buffers(schema);
    int64_t offset = buffers[schema->node[index].first_buffer + buffer].offset;
    return (char *)ndshm__segment_payload(import->frame->segment) + offset;
}

static void copy_validity(struct ndshm__import *import, int32_t index,
                          const struct ndshm__span *span)
{
    const struct ndshm__import_node *node = &import->nodes[index];
    if (node->validity)
        ndshm__bits_copy((uint8_t *)target_of(import, index, 0), node->at,
                         ndshm__span_validity(node, span), span->begin, span->length);
}

static bool is_null(const uint8_t *validity, int64_t row)
{
    return validity && !ndshm__bit(validity, row);
}

/* Indices of null rows become 0, whatever they were. */
static int copy_indices(struct ndshm__import *import, int32_t index, const struct ndshm__span *span)
{
    struct ndshm__import_node *node = &import->nodes[index];
    const uint8_t *validity = ndshm__span_validity(node, span);
    const int64_t *to = node->mappings[node->next_mapping++].to;
    int64_t keys = span->array->dictionary->length;
    int32_t width = (int32_t)node->format.bits / 8;
    bool is_signed = *node->schema->format >= 'a';
    const char *source = span->array->buffers[1];
    char *target = target_of(import, index, 1) + node->at * width;
    for (int64_t i = 0; i < span->length; i++) {
        int64_t row = span->begin + i;
        if (is_null(validity, row))
            continue;
        int64_t key = ndshm__integer(source + row * width, width, is_signed);
        if (key < 0 || key >= keys)
            return ndshm__import_fail(node, NDSHM_ECORRUPT, "an index leaves its dictionary");
        ndshm__integer_put(target + i * width, width, to ? to[key] : key);
    }
    return 0;
}

static int copy_fixed(struct ndshm__import *import, int32_t index, const struct ndshm__span *span)
{
    const struct ndshm__import_node *node = &import->nodes[index];
    if (node->dictionary)
        return copy_indices(import, index, span);
    const char *source = span->array->buffers[1];
    char *target = target_of(import, index, 1);
    int64_t width = node->format.bits / 8;
    if (span->length == 0 || node->format.bits == 0)
        return 0;
    if (node->format.bits == 1)
        ndshm__bits_copy((uint8_t *)target, node->at, (const uint8_t *)source, span->begin,
                         span->length);
    else
        memcpy(target + node->at * width, source + span->begin * width,
               (size_t)(span->length * width));
    return 0;
}

/* Offsets, moved so that the first one becomes base. */
static int copy_offsets(struct ndshm__import *import, int32_t index, const struct ndshm__span *span,
                        int64_t base)
{
    const struct ndshm__import_node *node = &import->nodes[index];
    int32_t width = node->target.width;
    char *target = target_of(import, index, 1) + (node->at + 1) * width;
    if (span->length == 0)
        return 0;
    int64_t first = ndshm__span_integer(node, span, 1, span->begin), before = first;
    int64_t last = ndshm__span_integer(node, span, 1, span->begin + span->length);
    for (int64_t i = 0; i < span->length; i++, target += width) {
        int64_t offset = ndshm__span_integer(node, span, 1, span->begin + i + 1);
        if (offset < before || offset > last)
            return ndshm__import_fail(node, NDSHM_ECORRUPT, "its offsets fall");
        ndshm__integer_put(target, width, base + (offset - first));
        before = offset;
    }
    return 0;
}

static int copy_variable(struct ndshm__import *import, int32_t index,
                         const struct ndshm__span *span)
{
    struct ndshm__import_node *node = &import->nodes[index];
    int status = copy_offsets(import, index, span, node->bytes_at);
    if (status || span->length == 0)
        return status;
    int64_t first = ndshm__span_integer(node, span, 1, span->begin);
    int64_t last = ndshm__span_integer(node, span, 1, span->begin + span->length);
    if (last - first > node->bytes - node->bytes_at)
        return ndshm__import_fail(node, NDSHM_ECORRUPT, "its offsets changed");
    if (last > first)
        memcpy(target_of(import, index, 2) + node->bytes_at,
               (const char *)span->array->buffers[2] + first, (size_t)(last - first));
    node->bytes_at += last - first;
    return 0;
}

/* A long string goes behind the one before, into the next piece where this one is full. */
static int copy_long(struct ndshm__import *import, int32_t index, struct ndshm__view *view,
                     const char *data)
{
    struct ndshm__import_node *node = &import->nodes[index];
    if (node->piece_at > INT32_MAX - view->size) {
        node->piece++;
        node->piece_at = 0;
    }
    if (node->piece >= node->npieces || view->size > node->pieces[node->piece] - node->piece_at)
        return ndshm__import_fail(node, NDSHM_ECORRUPT, "its views changed");
    view->piece = node->piece;
    view->offset = (int32_t)node->piece_at;
    memcpy(view->prefix, data, sizeof view->prefix);
    memcpy(target_of(import, index, 2 + node->piece) + node->piece_at, data, (size_t)view->size);
    node->piece_at += view->size;
    return 0;
}

/* Views of null rows become those of empty strings. */
static int copy_views(struct ndshm__import *import, int32_t index, const struct ndshm__span *span)
{
    struct ndshm__import_node *node = &import->nodes[index];
    const uint8_t *validity = ndshm__span_validity(node, span);
    struct ndshm__view *target = (struct ndshm__view *)target_of(import, index, 1) + node->at;
    int status = 0;
    for (int64_t i = 0; i < span->length && !status; i++) {
        struct ndshm__view view;
        const char *data;
        if (is_null(validity, span->begin + i))
            continue;
        status = ndshm__span_view(node, span, span->begin + i, &view, &data);
        if (!status && view.size > NDSHM__VIEW_INLINE)
            status = copy_long(import, index, &view, data);
        if (!status)
            target[i] = view;
    }
    return status;
}

static int copy_list_views(struct ndshm__import *import, int32_t index,
                           const struct ndshm__span *span, const struct ndshm__span *child)
{
    const struct ndshm__import_node *node = &import->nodes[index];
    const uint8_t *validity = ndshm__span_validity(node, span);
    int64_t base = import->nodes[node->first_child].at - (child->begin - child->array->offset);
    int32_t width = node->target.width;
    char *starts = target_of(import, index, 1) + node->at * width;
    char *sizes = target_of(import, index, 2) + node->at * width;
    for (int64_t i = 0; i < span->length; i++) {
        int64_t size = ndshm__span_integer(node, span, 2, span->begin + i);
        int64_t start = ndshm__span_integer(node, span, 1, span->begin + i);
        if (size == 0 || is_null(validity, span->begin + i))
            continue;
        ndshm__integer_put(starts + i * width, width, start + base);
        ndshm__integer_put(sizes + i * width, width, size);
    }
    return 0;
}

/* Of dense unions: the rows of each member lie behind those that it has already. */
static int copy_union(struct ndshm__import *import, int32_t index, const struct ndshm__span *span)
{
    const struct ndshm__import_node *node = &import->nodes[index];
    const uint8_t *ids = (const uint8_t *)span->array->buffers[0] + span->begin;
    int16_t members[NDSHM__UNION_MAX];
    if (span->length == 0)
        return 0;
    memcpy(target_of(import, index, 0) + node->at, ids, (size_t)span->length);
    if (node->format.layout == NDSHM__LAYOUT_SPARSE)
        return 0;
    char *starts = target_of(import, index, 1) + node->at * node->target.width;
    ndshm__format_union(&node->format, members);
    for (int64_t i = 0; i < span->length; i++) {
        int16_t member = ids[i] < NDSHM__UNION_MAX ? members[ids[i]] : -1;
        int64_t start = ndshm__span_integer(node, span, 1, span->begin + i);
        if (member < 0 || start < 0 || start >= span->array->children[member]->length)
            return ndshm__import_fail(node, NDSHM_ECORRUPT, "its union leaves its members");
        ndshm__integer_put(starts + i * node->target.width, node->target.width,
                           start + import->nodes[node->first_child + member].at);
    }
    return 0;
}

/* Run ends count from the first row of the frame on. */
static int copy_run_ends(struct ndshm__import *import, int32_t index,
                         const struct ndshm__span *span, const struct ndshm__span *ends)
{
    const struct ndshm__import_node *node = &import->nodes[index];
    struct ndshm__import_node *child = &import->nodes[node->first_child];
    int32_t width = (int32_t)child->format.bits / 8;
    const char *source = ends->array->buffers[1];
    char *target = target_of(import, node->first_child, 1) + child->at * width;
    for (int64_t i = 0; i < ends->length; i++) {
        int64_t end = ndshm__integer(source + (ends->begin + i) * width, width, true);
        if (end <= span->begin)
            return ndshm__import_fail(node, NDSHM_ECORRUPT, "its run ends fall");
        end = end - span->begin < span->length ? end - span->begin : span->length;
        ndshm__integer_put(target + i * width, width, node->at + end);
    }
    child->at += ends->length;
    return 0;
}

/* What a node has itself; first is the part of its first child, where it has one. */
static int copy_own(struct ndshm__import *import, int32_t index, const struct ndshm__span *span,
                    const struct ndshm__span *first)
{
    const struct ndshm__import_node *node = &import->nodes[index];
    switch (node->format.layout) {
    case NDSHM__LAYOUT_FIXED:
        return copy_fixed(import, index, span);
    case NDSHM__LAYOUT_VARIABLE:
        return copy_variable(import, index, span);
    case NDSHM__LAYOUT_VIEW:
        return copy_views(import, index, span);
    case NDSHM__LAYOUT_LIST:
        return copy_offsets(import, index, span, import->nodes[node->first_child].at);
    case NDSHM__LAYOUT_LIST_VIEW:
        return copy_list_views(import, index, span, first);
    case NDSHM__LAYOUT_SPARSE:
    case NDSHM__LAYOUT_DENSE:
        return copy_union(import, index, span);
    case NDSHM__LAYOUT_RUNS:
        return copy_run_ends(import, index, span, first);
    default:
        return 0;
    }
}

int ndshm__import_copy(struct ndshm__import *import, int32_t index, const struct ndshm__span *span)
{
    struct ndshm__import_node *node = &import->nodes[index];
    struct ndshm__span first = {0};
    int status = node->schema->n_children ? ndshm__span_child(import, index, span, 0, &first) : 0;
    if (span->length > node->length - node->at)
        return ndshm__import_fail(node, NDSHM_ECORRUPT, "its length changed");
    if (!status)
        copy_validity(import, index, span);
    if (!status)
        status = copy_own(import, index, span, &first);
    bool runs = node->format.layout == NDSHM__LAYOUT_RUNS; /* whose ends are written */
    for (int32_t i = runs; i < node->schema->n_children && !status; i++) {
        struct ndshm__span child;
        status = ndshm__span_child(import, index, span, i, &child);
        if (!status)
            status = ndshm__import_copy(import, node->first_child + i, &child);
    }
    node->at += span->length;
    return status;
}
