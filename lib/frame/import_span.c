/* SPDX-License-Identifier: MIT */
/* Which part of an array is meant, and whether the array can have it at all. */
#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "frame/bits.h"
#include "frame/import.h"

static bool lengths_possible(const struct ArrowArray *array)
{
    int64_t end;
    return array->length >= 0 && array->offset >= 0 && array->null_count >= -1 &&
           ndshm__add(array->length, array->offset, &end) && end < INT64_MAX;
}

static bool family_present(const struct ndshm__import_node *node, const struct ArrowArray *array)
{
    if (array->n_children != node->schema->n_children || (array->n_children && !array->children) ||
        !array->dictionary != !node->schema->dictionary)
        return false;
    for (int64_t i = 0; i < array->n_children; i++)
        if (!array->children[i] || !array->children[i]->release)
            return false;
    return !array->dictionary || array->dictionary->release;
}

/* Bitmaps, and bytes of which there are none, may be missing; all may, where there are no rows. */
static bool may_be_null(const struct ndshm__format *format, int buffer,
                        const struct ArrowArray *array)
{
    enum ndshm__content content = ndshm__format_content(format, buffer);
    return content == NDSHM__CONTENT_VALIDITY || content == NDSHM__CONTENT_BYTES ||
           array->length + array->offset == 0 ||
           (content == NDSHM__CONTENT_VALUES && format->bits == 0);
}

static bool buffers_present(const struct ndshm__import_node *node, const struct ArrowArray *array)
{
    const struct ndshm__format *format = &node->format;
    bool views = format->layout == NDSHM__LAYOUT_VIEW;
    if (views ? array->n_buffers < 3 || array->n_buffers > INT32_MAX
              : array->n_buffers != format->buffers)
        return false;
    if (array->n_buffers && !array->buffers)
        return false;
    for (int i = 0; i < format->buffers; i++)
        if (!array->buffers[i] && !may_be_null(format, i, array))
            return false;
    return !views || array->n_buffers == 3 || array->buffers[array->n_buffers - 1];
}

int ndshm__array_check(const struct ndshm__import *import, int32_t index,
                       const struct ArrowArray *array)
{
    const struct ndshm__import_node *node = &import->nodes[index];
    if (!lengths_possible(array))
        return ndshm__import_fail(node, NDSHM_ECORRUPT, "its length or offset is impossible");
    if (!family_present(node, array))
        return ndshm__import_fail(node, NDSHM_ECORRUPT,
                                  "its children or dictionary are not those of the schema");
    if (!buffers_present(node, array))
        return ndshm__import_fail(node, NDSHM_ECORRUPT, "buffers are missing");
    return 0;
}

const uint8_t *ndshm__span_validity(const struct ndshm__import_node *node,
                                    const struct ndshm__span *span)
{
    if (ndshm__format_content(&node->format, 0) != NDSHM__CONTENT_VALIDITY ||
        span->array->null_count == 0)
        return NULL;
    return span->array->buffers[0];
}

int64_t ndshm__span_integer(const struct ndshm__import_node *node, const struct ndshm__span *span,
                            int buffer, int64_t index)
{
    int32_t width = node->format.width;
    return ndshm__integer((const char *)span->array->buffers[buffer] + index * width, width, true);
}

/* The elements that the lists of list views lie in. */
static void list_view_range(const struct ndshm__import_node *node, const struct ndshm__span *span,
                            int64_t *low, int64_t *high)
{
    const uint8_t *validity = ndshm__span_validity(node, span);
    *low = INT64_MAX;
    *high = 0;
    for (int64_t i = span->begin; i < span->begin + span->length; i++) {
        int64_t start = ndshm__span_integer(node, span, 1, i), end;
        int64_t size = ndshm__span_integer(node, span, 2, i);
        if (size == 0 || (validity && !ndshm__bit(validity, i)))
            continue;
        if (start < 0 || size < 0 || !ndshm__add(start, size, &end)) {
            *high = -1; /* refused by whoever asked */
            return;
        }
        *low = start < *low ? start : *low;
        *high = end > *high ? end : *high;
    }
    if (*low > *high)
        *low = *high = 0;
}

/* The first run that ends behind row. */
static int64_t find_run(const struct ndshm__import_node *ends, const struct ArrowArray *array,
                        int64_t row)
{
    int32_t width = (int32_t)ends->format.bits / 8;
    const char *data = array->length ? array->buffers[1] : NULL;
    int64_t low = 0, high = array->length;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (ndshm__integer(data + (array->offset + middle) * width, width, true) > row)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void range_of_child(const struct ndshm__import *import,
                           const struct ndshm__import_node *node, const struct ndshm__span *span,
                           int32_t i, int64_t *low, int64_t *high)
{
    const struct ArrowArray *const *children =
        (const struct ArrowArray *const *)span->array->children;
    int64_t end = span->begin + span->length;
    *low = *high = 0;
    if (span->length == 0)
        return;
    switch (node->format.layout) {
    case NDSHM__LAYOUT_LIST:
        *low = ndshm__span_integer(node, span, 1, span->begin);
        *high = ndshm__span_integer(node, span, 1, end);
        break;
    case NDSHM__LAYOUT_LIST_VIEW:
        list_view_range(node, span, low, high);
        break;
    case NDSHM__LAYOUT_FIXED_LIST:
        if (!ndshm__mul(span->begin, node->format.items, low) ||
            !ndshm__mul(end, node->format.items, high))
            *high = -1;
        break;
    case NDSHM__LAYOUT_DENSE:
        *high = children[i]->length;
        break;
    case NDSHM__LAYOUT_RUNS:
        *low = find_run(&import->nodes[node->first_child], children[0], span->begin);
        *high = find_run(&import->nodes[node->first_child], children[0], end - 1) + 1;
        break;
    default: /* structs, sparse unions */
        *low = span->begin;
        *high = end;
    }
}

int ndshm__span_child(const struct ndshm__import *import, int32_t index,
                      const struct ndshm__span *span, int32_t i, struct ndshm__span *out)
{
    const struct ndshm__import_node *node = &import->nodes[index];
    const struct ArrowArray *child = span->array->children[i];
    int64_t low, high;
    int status = ndshm__array_check(import, node->first_child + i, child);
    if (!status && i == 1 && node->format.layout == NDSHM__LAYOUT_RUNS)
        status = ndshm__array_check(import, node->first_child, span->array->children[0]);
    if (status)
        return status;
    range_of_child(import, node, span, i, &low, &high);
    if (low < 0 || high < low || high > child->length)
        return ndshm__import_fail(node, NDSHM_ECORRUPT, "its rows leave its children");
    *out = (struct ndshm__span){child, child->offset + low, high - low};
    return 0;
}

int ndshm__span_view(const struct ndshm__import_node *node, const struct ndshm__span *span,
                     int64_t row, struct ndshm__view *view, const char **data)
{
    const struct ArrowArray *array = span->array;
    int64_t pieces = array->n_buffers - 3;
    const char *at = (const char *)array->buffers[1] + row * (int64_t)sizeof *view;
    memcpy(view, at, sizeof *view);
    if (view->size >= 0 && view->size <= NDSHM__VIEW_INLINE) {
        *data = at + offsetof(struct ndshm__view, prefix);
        return 0;
    }
    int64_t size = 0;
    if (view->size >= 0 && view->piece >= 0 && view->piece < pieces)
        memcpy(&size, (const int64_t *)array->buffers[array->n_buffers - 1] + view->piece,
               sizeof size);
    if (view->offset < 0 || view->size < 0 || view->size > size ||
        view->offset > size - view->size || !array->buffers[2 + view->piece])
        return ndshm__import_fail(node, NDSHM_ECORRUPT, "a view leaves its bytes");
    *data = (const char *)array->buffers[2 + view->piece] + view->offset;
    return 0;
}
