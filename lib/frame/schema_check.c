/* SPDX-License-Identifier: MIT */
/* The first level of validation, at every attach: what the description says about places and
 * lengths. No value in the payload is looked at, so that it costs the same for any number of rows.
 */
#include <string.h>

#include "base/base.h"
#include "frame/schema.h"

struct check {
    const struct ndshm__schema *schema;
    const struct ndshm__buffer *buffers;
    const char *text;
    int64_t payload_size;
    int32_t child;   /* the next node without a parent */
    int32_t buffer;  /* the next buffer without a node */
    uint32_t parsed; /* neighbours share their format's text */
    struct ndshm__format format;
};

static bool text_inside(const struct check *check, const struct ndshm__text *text)
{
    int64_t size = check->schema->text_size;
    if (text->size == 0)
        return text->offset == 0;
    return text->offset % 8 == 0 && text->offset <= size && text->size <= size - text->offset &&
           ndshm__metadata_size(check->text + text->offset, text->size) == text->size;
}

static bool buffer_inside(const struct check *check, const struct ndshm__buffer *buffer)
{
    int64_t end = check->payload_size;
    return buffer->size >= 0 && buffer->offset >= 0 && buffer->offset % 64 == 0 &&
           buffer->size <= end && buffer->offset <= end - buffer->size;
}

static bool size_fits(const struct check *check, const struct ndshm__node *node, int i)
{
    const struct ndshm__format *format = &check->format;
    enum ndshm__content content = ndshm__format_content(format, i);
    int64_t is = check->buffers[node->first_buffer + i].size, size;
    if (content == NDSHM__CONTENT_BYTES)
        return format->width == 8 || is <= INT32_MAX;
    return ndshm__format_size(format, i, node->length, &size) &&
           (is == size || (content == NDSHM__CONTENT_VALIDITY && is == 0));
}

static const char *check_buffers(struct check *check, const struct ndshm__node *node)
{
    bool views = check->format.layout == NDSHM__LAYOUT_VIEW;
    if (node->first_buffer != check->buffer || node->buffers < check->format.buffers ||
        (node->buffers > check->format.buffers && !views) ||
        node->buffers > check->schema->buffers - check->buffer)
        return "a column has too few or too many buffers";
    for (int i = 0; i < node->buffers; i++) {
        const struct ndshm__buffer *buffer = &check->buffers[node->first_buffer + i];
        if (!buffer_inside(check, buffer))
            return "a column lies outside of the payload";
        if (i < check->format.buffers ? !size_fits(check, node, i) : buffer->size > INT32_MAX)
            return "a column has another size than its rows";
    }
    check->buffer += node->buffers;
    return NULL;
}

static bool nulls_fit(const struct check *check, const struct ndshm__node *node)
{
    if (check->format.layout == NDSHM__LAYOUT_NULL)
        return node->null_count == node->length;
    bool bitmap = ndshm__schema_validity(check->schema, node, &check->format);
    return node->null_count >= 0 && node->null_count <= (bitmap ? node->length : 0);
}

/* Takes the next so many nodes as children. */
static bool take(struct check *check, int32_t first, int32_t count)
{
    if (first != check->child || count < 0 || count > check->schema->nodes - check->child)
        return false;
    check->child += count;
    return true;
}

static bool run_ends_fit(const struct check *check, const struct ndshm__node *node)
{
    const struct ndshm__node *ends = &check->schema->node[node->first_child];
    struct ndshm__format format;
    if (ends->format >= check->schema->text_size ||
        !ndshm__format_parse(check->text + ends->format, &format))
        return false;
    return strchr("sil", check->text[ends->format]) && format.integer && !ends->dictionary &&
           ends->null_count == 0 && ends[1].length == ends->length &&
           (node->length == 0) == (ends->length == 0);
}

/* The lengths of children that no value in the payload decides. */
static bool lengths_fit(const struct check *check, const struct ndshm__node *node)
{
    const struct ndshm__node *child = &check->schema->node[node->first_child];
    int64_t length = node->length;
    switch (check->format.layout) {
    case NDSHM__LAYOUT_FIXED_LIST:
        return ndshm__mul(length, check->format.items, &length) && child->length == length;
    case NDSHM__LAYOUT_STRUCT:
    case NDSHM__LAYOUT_SPARSE:
        for (int32_t i = 0; i < node->children; i++)
            if (child[i].length != length)
                return false;
        return true;
    case NDSHM__LAYOUT_LIST:
        return !check->format.map || child->children == 2;
    case NDSHM__LAYOUT_RUNS:
        return run_ends_fit(check, node);
    default:
        return true;
    }
}

static const char *check_family(struct check *check, const struct ndshm__node *node)
{
    if (check->format.children >= 0 && node->children != check->format.children)
        return "a column has too few or too many children";
    if (node->children ? !take(check, node->first_child, node->children) : node->first_child != 0)
        return "its tree of columns is damaged";
    if (node->dictionary && !take(check, node->dictionary, 1))
        return "its tree of columns is damaged";
    if (node->dictionary && !check->format.integer)
        return "a dictionary's indices are not integers";
    return lengths_fit(check, node) ? NULL : "a column's children do not fit its rows";
}

static const char *check_node(struct check *check, const struct ndshm__node *node)
{
    if (node->name >= check->schema->text_size || node->format >= check->schema->text_size)
        return "a column's name or format lies outside of the text";
    if (node->format != check->parsed &&
        !ndshm__format_parse(check->text + node->format, &check->format))
        return "a column's format is unknown";
    check->parsed = node->format;
    if (node->flags & ~(uint32_t)NDSHM__NODE_FLAGS || node->reserved)
        return "a column has unknown flags";
    if (!text_inside(check, &node->metadata))
        return "a column's metadata are damaged";
    if (node->length < 0)
        return "a column has an impossible length";
    const char *wrong = check_buffers(check, node);
    if (!wrong && !nulls_fit(check, node))
        wrong = "a column has an impossible number of nulls";
    return wrong ? wrong : check_family(check, node);
}

/* Levels end where the last node of the level above has its last child. */
static const char *check_nodes(struct check *check)
{
    const struct ndshm__schema *schema = check->schema;
    int32_t level_end = schema->columns, depth = 1;
    for (int32_t i = 0; i < schema->nodes; i++) {
        if (i == check->child)
            return "its tree of columns is damaged";
        if (i == level_end) {
            level_end = check->child;
            if (++depth > NDSHM__DEPTH_MAX)
                return "its columns are nested too deeply";
        }
        if (i < schema->columns && schema->node[i].length != schema->rows)
            return "a column has another size than its rows";
        const char *wrong = check_node(check, &schema->node[i]);
        if (wrong)
            return wrong;
    }
    if (check->child != schema->nodes || check->buffer != schema->buffers)
        return "its tree of columns is damaged";
    return NULL;
}

static const char *check_header(const struct ndshm__schema *schema, int64_t size)
{
    static const uint64_t none[3];
    if (size < (int64_t)sizeof *schema)
        return "its schema is cut off";
    if (schema->node_size != sizeof *schema->node ||
        memcmp(schema->reserved, none, sizeof none) != 0)
        return "its schema is of an unknown kind";
    int64_t rest = size - (int64_t)sizeof *schema;
    if (schema->rows < 0 || schema->columns < 0 || schema->nodes < schema->columns ||
        schema->nodes > NDSHM__NODES_MAX || schema->buffers < 0)
        return "its schema has an impossible size";
    rest -= schema->nodes * (int64_t)sizeof *schema->node;
    rest -= schema->buffers * (int64_t)sizeof(struct ndshm__buffer);
    if (rest < 0 || schema->text_size != rest)
        return "its schema has an impossible size";
    const char *text = ndshm__schema_text(schema);
    if (schema->nodes > 0 && (rest == 0 || text[rest - 1] != '\0'))
        return "the text of its schema has no end";
    return NULL;
}

const char *ndshm__schema_check(const void *body, int64_t size, int64_t payload_size)
{
    const struct ndshm__schema *schema = body;
    const char *wrong = check_header(schema, size);
    if (wrong)
        return wrong;
    struct check check = {.schema = schema,
                          .buffers = ndshm__schema_buffers(schema),
                          .text = ndshm__schema_text(schema),
                          .payload_size = payload_size,
                          .child = schema->columns,
                          .parsed = UINT32_MAX};
    if (!text_inside(&check, &schema->metadata))
        return "its metadata are damaged";
    return check_nodes(&check);
}
