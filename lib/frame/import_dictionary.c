/* SPDX-License-Identifier: MIT */
/* Dictionaries that differ between batches become one: the first, and behind it what the others
 * have more. */
#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "base/os.h"
#include "frame/bits.h"
#include "frame/import.h"

/* The same memory: what a table in one piece gives with each of its batches. */
static bool same_memory(const struct ArrowArray *a, const struct ArrowArray *b)
{
    if (a->length != b->length || a->offset != b->offset || a->n_buffers != b->n_buffers ||
        a->n_children != b->n_children || !a->dictionary != !b->dictionary)
        return false;
    for (int64_t i = 0; i < a->n_buffers; i++)
        if (a->buffers[i] != b->buffers[i])
            return false;
    for (int64_t i = 0; i < a->n_children; i++)
        if (!same_memory(a->children[i], b->children[i]))
            return false;
    return !a->dictionary || same_memory(a->dictionary, b->dictionary);
}

static int string_at(const struct ndshm__import_node *node, const struct ndshm__span *all,
                     int64_t row, const void **data, int64_t *size)
{
    int64_t first = ndshm__span_integer(node, all, 1, row);
    int64_t end = ndshm__span_integer(node, all, 1, row + 1);
    int64_t last = ndshm__span_integer(node, all, 1, all->begin + all->length);
    if (first < 0 || end < first || end > last || (end > first && !all->array->buffers[2]))
        return ndshm__import_fail(node, NDSHM_ECORRUPT,
                                  "its offsets fall, or its bytes are missing");
    *size = end - first;
    *data = end > first ? (const char *)all->array->buffers[2] + first : "";
    return 0;
}

/* The bytes of one value of a type without children. */
static int value_at(const struct ndshm__import_node *node, const struct ndshm__span *all,
                    int64_t row, const void **data, int64_t *size)
{
    static const char bools[2] = {0, 1};
    const struct ArrowArray *array = all->array;
    struct ndshm__view view;
    const char *text;
    int status;
    switch (node->format.layout) {
    case NDSHM__LAYOUT_FIXED:
        *size = node->format.bits == 1 ? 1 : node->format.bits / 8;
        *data = node->format.bits == 1 ? &bools[ndshm__bit(array->buffers[1], row)]
                : *size                ? (const char *)array->buffers[1] + row * *size
                                       : "";
        return 0;
    case NDSHM__LAYOUT_VARIABLE:
        return string_at(node, all, row, data, size);
    default:
        status = ndshm__span_view(node, all, row, &view, &text);
        *size = view.size;
        *data = text;
        return status;
    }
}

static bool is_flat(const struct ndshm__import_node *node)
{
    enum ndshm__layout layout = node->format.layout;
    return !node->dictionary && (layout == NDSHM__LAYOUT_FIXED ||
                                 layout == NDSHM__LAYOUT_VARIABLE || layout == NDSHM__LAYOUT_VIEW);
}

/* Appends one value to what the joined dictionary is made of. */
static int append(struct ndshm__import_node *values, const struct ArrowArray *array, int64_t begin,
                  int64_t length)
{
    struct ndshm__span *last = values->nspans ? &values->spans[values->nspans - 1] : NULL;
    if (last && last->array == array && last->begin + last->length == begin) {
        last->length += length;
        return 0;
    }
    int status = ndshm__import_grow((void **)&values->spans, values->nspans, &values->spans_room,
                                    sizeof *values->spans);
    if (!status)
        values->spans[values->nspans++] = (struct ndshm__span){array, begin, length};
    return status;
}

static int64_t joined_length(const struct ndshm__import_node *values)
{
    int64_t length = 0;
    for (int64_t i = 0; i < values->nspans; i++)
        length += values->spans[i].length;
    return length;
}

/* The index of a value in the joined dictionary, in which it may be new: then *next, which rises.
 */
static int index_of(struct ndshm__import_node *node, const struct ndshm__import_node *values,
                    const struct ndshm__span *all, int64_t row, int64_t *next, int64_t *out)
{
    const uint8_t *validity = ndshm__span_validity(values, all);
    const void *data = NULL;
    int64_t size = 0;
    if (validity && !ndshm__bit(validity, row)) {
        if (node->null_value < 0)
            node->null_value = (*next)++;
        *out = node->null_value;
        return 0;
    }
    int status = value_at(values, all, row, &data, &size);
    if (status)
        return status;
    const struct ndshm__value *entry = ndshm__values_add(&node->values, data, size, *next);
    if (!entry)
        return ndshm__import_fail(node, -ENOMEM, "no memory to join its dictionaries");
    *next += entry->tag == *next;
    *out = entry->tag;
    return 0;
}

/* The first dictionary stays as it is, doubles included. */
static int remember_first(struct ndshm__import_node *node, struct ndshm__import_node *values)
{
    int status = 0;
    node->null_value = -1;
    for (int64_t i = 0; i < values->nspans; i++) {
        const struct ndshm__span *all = &values->spans[i];
        for (int64_t row = 0; row < all->length && !status; row++) {
            int64_t next = row, index;
            status = index_of(node, values, all, all->begin + row, &next, &index);
        }
    }
    return status;
}

static int join(struct ndshm__import_node *node, struct ndshm__import_node *values,
                const struct ArrowArray *array, int64_t *to)
{
    struct ndshm__span all = {array, array->offset, array->length};
    int64_t next = joined_length(values);
    int status = 0;
    for (int64_t i = 0; i < array->length && !status; i++) {
        int64_t before = next;
        status = index_of(node, values, &all, all.begin + i, &next, &to[i]);
        if (!status && next > before)
            status = append(values, array, all.begin + i, 1);
    }
    return status;
}

static int add_mapping(struct ndshm__import_node *node, struct ndshm__import_node *values,
                       const struct ArrowArray *array)
{
    if (node->last_dictionary && !is_flat(values))
        return ndshm__import_fail(node, NDSHM_EDTYPE,
                                  "dictionaries of nested values differ between the batches; give "
                                  "the stream one dictionary, or decode the column");
    int64_t **to = &node->mappings[node->nmappings - 1].to;
    if (!node->last_dictionary)
        return append(values, array, array->offset, array->length);
    int status = node->values.count || node->null_value >= 0 ? 0 : remember_first(node, values);
    int64_t size; /* values of no bytes can be as many as one likes to say */
    bool fits = ndshm__mul(array->length, (int64_t)sizeof **to, &size) && size < INT64_MAX;
    *to = status || !fits ? NULL : ndshm__alloc((size_t)size + 1);
    if (!status && !*to)
        status = ndshm__import_fail(node, -ENOMEM, "no memory to join its dictionaries");
    return status ? status : join(node, values, array, *to);
}

/* Before anything in it is looked at: all of its structure. */
static int check_tree(const struct ndshm__import *import, int32_t index,
                      const struct ArrowArray *array)
{
    const struct ndshm__import_node *node = &import->nodes[index];
    int status = ndshm__array_check(import, index, array);
    for (int32_t i = 0; i < node->schema->n_children && !status; i++)
        status = check_tree(import, node->first_child + i, array->children[i]);
    if (!status && array->dictionary)
        status = check_tree(import, node->dictionary, array->dictionary);
    return status;
}

int ndshm__import_dictionary(struct ndshm__import *import, int32_t index,
                             const struct ArrowArray *array)
{
    struct ndshm__import_node *node = &import->nodes[index];
    struct ndshm__import_node *values = &import->nodes[node->dictionary];
    const struct ArrowArray *dictionary = array->dictionary;
    int status = check_tree(import, node->dictionary, dictionary);
    if (!status)
        status = ndshm__import_grow((void **)&node->mappings, node->nmappings, &node->mappings_room,
                                    sizeof *node->mappings);
    if (status)
        return status;
    struct ndshm__mapping *mapping = &node->mappings[node->nmappings++];
    *mapping = (struct ndshm__mapping){NULL};
    if (node->last_dictionary && same_memory(node->last_dictionary, dictionary)) {
        *mapping = mapping[-1];
        return 0;
    }
    status = add_mapping(node, values, dictionary);
    node->last_dictionary = dictionary;
    return status;
}
