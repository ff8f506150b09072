/* SPDX-License-Identifier: MIT */
/* Building the body of a frame's descriptor. */
#include "frame/schema.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/os.h"

const struct ndshm__buffer *ndshm__schema_buffers(const struct ndshm__schema *schema)
{
    return (const struct ndshm__buffer *)(schema->node + schema->nodes);
}

const char *ndshm__schema_text(const struct ndshm__schema *schema)
{
    return (const char *)(ndshm__schema_buffers(schema) + schema->buffers);
}

const struct ndshm__buffer *ndshm__schema_validity(const struct ndshm__schema *schema,
                                                   const struct ndshm__node *node,
                                                   const struct ndshm__format *format)
{
    const struct ndshm__buffer *buffer = ndshm__schema_buffers(schema) + node->first_buffer;
    bool has = ndshm__format_content(format, 0) == NDSHM__CONTENT_VALIDITY && buffer->size > 0;
    return has ? buffer : NULL;
}

/* --- from a tree --- */

/* What is known before there is room for it. */
struct sizes {
    int64_t buffers;
    int64_t text;
};

/* Neighbours with the same format share its text. */
static bool shares_format(const struct ndshm__draft *drafts, int32_t index)
{
    return index > 0 && strcmp(drafts[index].format, drafts[index - 1].format) == 0;
}

static int64_t metadata_bytes(const char *metadata)
{
    return metadata ? (ndshm__metadata_size(metadata, INT32_MAX) + 7) & -8 : 0;
}

static void add_up(const struct ndshm__draft *drafts, int32_t count, struct sizes *sizes)
{
    struct ndshm__format format;
    for (int32_t i = 0; i < count; i++) {
        ndshm__format_parse(drafts[i].format, &format);
        sizes->buffers += format.buffers + drafts[i].npieces;
        sizes->text += metadata_bytes(drafts[i].metadata) + (int64_t)strlen(drafts[i].name) + 1;
        if (!shares_format(drafts, i))
            sizes->text += (int64_t)strlen(drafts[i].format) + 1;
    }
    sizes->text = (sizes->text + 7) & -8;
}

struct builder {
    struct ndshm__schema *schema;
    struct ndshm__buffer *buffers;
    char *text;
    uint32_t used; /* of the text */
    int32_t buffer;
    int32_t child;
};

static uint32_t put_string(struct builder *builder, const char *value)
{
    uint32_t at = builder->used, size = (uint32_t)strlen(value) + 1;
    memcpy(builder->text + at, value, size);
    builder->used = at + size;
    return at;
}

/* Metadata come before all strings, so that they are aligned. */
static struct ndshm__text put_metadata(struct builder *builder, const char *metadata)
{
    struct ndshm__text text = {0, 0};
    if (!metadata)
        return text;
    text.offset = builder->used;
    text.size = (uint32_t)ndshm__metadata_size(metadata, INT32_MAX);
    memcpy(builder->text + text.offset, metadata, text.size);
    builder->used += (uint32_t)metadata_bytes(metadata);
    return text;
}

/* false: more bytes than there are. */
static bool put_buffers(struct builder *builder, const struct ndshm__draft *draft)
{
    struct ndshm__format format;
    ndshm__format_parse(draft->format, &format);
    for (int i = 0; i < format.buffers; i++) {
        struct ndshm__buffer *buffer = &builder->buffers[builder->buffer++];
        if (!ndshm__format_size(&format, i, draft->length, &buffer->size))
            return false;
        enum ndshm__content content = ndshm__format_content(&format, i);
        if (content == NDSHM__CONTENT_BYTES)
            buffer->size = draft->bytes;
        if (content == NDSHM__CONTENT_VALIDITY && !draft->validity)
            buffer->size = 0;
    }
    for (int32_t i = 0; i < draft->npieces; i++)
        builder->buffers[builder->buffer++].size = draft->pieces[i];
    return true;
}

static bool put_node(struct builder *builder, const struct ndshm__draft *drafts, int32_t index)
{
    const struct ndshm__draft *draft = &drafts[index];
    struct ndshm__node *node = &builder->schema->node[index];
    node->name = put_string(builder, draft->name);
    node->format =
        shares_format(drafts, index) ? node[-1].format : put_string(builder, draft->format);
    node->flags = draft->flags;
    node->children = draft->children;
    node->first_child = draft->children ? builder->child : 0;
    builder->child += draft->children;
    node->dictionary = draft->dictionary ? builder->child++ : 0;
    node->first_buffer = builder->buffer;
    node->length = draft->length;
    node->null_count = draft->null_count;
    bool fits = put_buffers(builder, draft);
    node->buffers = builder->buffer - node->first_buffer;
    return fits;
}

static int too_large(int64_t rows, int32_t columns)
{
    return ndshm__fail(NDSHM_ESHAPE, "%lld rows of %d columns: more bytes than a file can have",
                       (long long)rows, columns);
}

int ndshm__schema_build_tree(int64_t rows, int32_t columns, const struct ndshm__draft *drafts,
                             int32_t count, const char *metadata, struct ndshm__schema **out,
                             int64_t *size, int64_t *payload_size)
{
    struct sizes sizes = {.text = metadata_bytes(metadata)};
    add_up(drafts, count, &sizes);
    *size = (int64_t)sizeof(struct ndshm__schema) + count * (int64_t)sizeof(struct ndshm__node) +
            sizes.buffers * (int64_t)sizeof(struct ndshm__buffer) + sizes.text;
    if (*size > INT32_MAX - 4096)
        return ndshm__fail(NDSHM_ESHAPE, "%d columns: their description would take more than 2 GB",
                           columns);
    struct ndshm__schema *schema = ndshm__alloc((size_t)*size);
    if (!schema)
        return ndshm__fail(-ENOMEM, "no memory for the description of %d columns", columns);
    *schema = (struct ndshm__schema){.rows = rows,
                                     .columns = columns,
                                     .nodes = count,
                                     .buffers = (int32_t)sizes.buffers,
                                     .node_size = sizeof(struct ndshm__node),
                                     .text_size = sizes.text};
    struct builder builder = {.schema = schema,
                              .buffers = (struct ndshm__buffer *)(schema->node + count),
                              .text = (char *)ndshm__schema_text(schema),
                              .child = columns};
    schema->metadata = put_metadata(&builder, metadata);
    for (int32_t i = 0; i < count; i++)
        schema->node[i].metadata = put_metadata(&builder, drafts[i].metadata);
    bool fits = true;
    for (int32_t i = 0; fits && i < count; i++)
        fits = put_node(&builder, drafts, i);
    if (!fits || !ndshm__schema_layout(schema, payload_size)) {
        free(schema);
        return too_large(rows, columns);
    }
    *out = schema;
    return 0;
}

/* --- from columns without children --- */

static const char *bare_format(const ndshm_column_spec *spec)
{
    return spec->format + (*spec->format == '?');
}

static bool can_be_filled(const struct ndshm__format *format)
{
    return format->layout == NDSHM__LAYOUT_FIXED || format->layout == NDSHM__LAYOUT_VARIABLE ||
           format->layout == NDSHM__LAYOUT_NULL;
}

static int check_bytes(const ndshm_column_spec *spec, const struct ndshm__format *format, int index)
{
    if (format->layout != NDSHM__LAYOUT_VARIABLE && spec->data_bytes)
        return ndshm__fail(-EINVAL,
                           "column %d ('%.40s'): data_bytes is only for \"u\", \"z\", \"U\" and "
                           "\"Z\"; it must be 0 here",
                           index, spec->name);
    if (spec->data_bytes < 0 || (format->width == 4 && spec->data_bytes > INT32_MAX))
        return ndshm__fail(NDSHM_ESHAPE,
                           "column %d ('%.40s'): %lld bytes of strings; a column \"u\" or \"z\" "
                           "has 0 to %d, for more use \"U\" or \"Z\"",
                           index, spec->name, (long long)spec->data_bytes, INT32_MAX);
    return 0;
}

static int check_spec(const ndshm_column_spec *spec, int index)
{
    struct ndshm__format format;
    if (!spec->name || !spec->format)
        return ndshm__fail(-EINVAL, "column %d: its name or format is NULL", index);
    if (!ndshm__utf8_valid(spec->name, strlen(spec->name)))
        return ndshm__fail(-EINVAL, "column %d: its name is not UTF-8", index);
    if (!ndshm__utf8_valid(spec->format, strlen(spec->format)) ||
        !ndshm__format_parse(bare_format(spec), &format))
        return ndshm__fail(NDSHM_EDTYPE,
                           "column %d ('%.40s'): '%.40s' is not a known Arrow format; \"g\" "
                           "(float64), \"l\" (int64) and \"u\" (string) are examples of known ones",
                           index, spec->name, spec->format);
    if (!can_be_filled(&format))
        return ndshm__fail(NDSHM_EDTYPE,
                           "column %d ('%.40s'): columns of the format '%.40s' come from "
                           "ndshm_frame_from_arrow only",
                           index, spec->name, spec->format);
    return check_bytes(spec, &format, index);
}

static struct ndshm__draft draft_of(const ndshm_column_spec *spec, int64_t rows)
{
    bool nullable = *spec->format == '?', nothing = strcmp(bare_format(spec), "n") == 0;
    return (struct ndshm__draft){.name = spec->name,
                                 .format = bare_format(spec),
                                 .flags = nullable || nothing ? NDSHM__NODE_NULLABLE : 0,
                                 .validity = nullable && !nothing,
                                 .length = rows,
                                 .null_count = nothing ? rows : 0,
                                 .bytes = spec->data_bytes};
}

int ndshm__schema_build(int64_t rows, const ndshm_column_spec *specs, int ncolumns,
                        struct ndshm__schema **out, int64_t *size, int64_t *payload_size)
{
    if (rows < 0 || ncolumns < 0)
        return ndshm__fail(NDSHM_ESHAPE, "%lld rows and %d columns; neither can be negative",
                           (long long)rows, ncolumns);
    if (ncolumns > 0 && !specs)
        return ndshm__fail(-EINVAL, "columns is NULL");
    for (int i = 0; i < ncolumns; i++) {
        int status = check_spec(&specs[i], i);
        if (status)
            return status;
    }
    struct ndshm__draft *drafts = ndshm__alloc(((size_t)ncolumns + 1) * sizeof *drafts);
    if (!drafts)
        return ndshm__fail(-ENOMEM, "no memory for the description of %d columns", ncolumns);
    for (int i = 0; i < ncolumns; i++)
        drafts[i] = draft_of(&specs[i], rows);
    int status =
        ndshm__schema_build_tree(rows, ncolumns, drafts, ncolumns, NULL, out, size, payload_size);
    free(drafts);
    return status;
}
