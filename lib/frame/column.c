/* SPDX-License-Identifier: MIT */
/* What a frame holds: columns by number and name, and all of them as one array. */
#include <errno.h>
#include <string.h>

#include "array/dtype.h"
#include "base/base.h"
#include "frame/frame.h"

static const char index_name[] = "__index_level_0__";

const char *ndshm_frame_index_name(void)
{
    return index_name;
}

bool ndshm__frame_is_index(const char *column_name)
{
    return strcmp(column_name, index_name) == 0;
}

int64_t ndshm_frame_rows(const ndshm_frame *frame)
{
    ndshm__begin("ndshm_frame_rows");
    return frame ? frame->rows : ndshm__fail(-EINVAL, "frame is NULL");
}

int ndshm_frame_columns(const ndshm_frame *frame)
{
    ndshm__begin("ndshm_frame_columns");
    return frame ? frame->columns : ndshm__fail(-EINVAL, "frame is NULL");
}

static void *buffer_address(const ndshm_frame *frame, const struct ndshm__buffer *buffer)
{
    return (char *)ndshm__segment_payload(frame->segment) + buffer->offset;
}

int32_t ndshm__frame_node(const ndshm_frame *frame, int index)
{
    return frame->picks ? frame->picks[index] : index;
}

/* Of a whole published node; of a slice known only when there are no nulls at all. */
static int64_t null_count(const ndshm_frame *frame, const struct ndshm__node *node, bool whole)
{
    bool counted = ndshm__segment_published(frame->segment);
    return counted && (whole || node->null_count == 0) ? node->null_count : -1;
}

/* The buffers of a node, in the three places that a column has for them. */
static void fill_column(const ndshm_frame *frame, const struct ndshm__node *node, bool whole,
                        ndshm_column *out)
{
    const struct ndshm__schema *schema = ndshm__frame_schema(frame);
    const struct ndshm__buffer *buffers = ndshm__schema_buffers(schema) + node->first_buffer;
    const char *text = ndshm__schema_text(schema);
    struct ndshm__format format;
    ndshm__format_parse(text + node->format, &format);
    out->name = text + node->name;
    out->format = text + node->format;
    out->flags = node->flags | (node->dictionary ? NDSHM_COLUMN_DICTIONARY : 0);
    for (int i = 0; i < format.buffers; i++) {
        void *address = buffer_address(frame, &buffers[i]);
        switch (ndshm__format_content(&format, i)) {
        case NDSHM__CONTENT_VALIDITY:
            out->validity = buffers[i].size ? address : NULL;
            break;
        case NDSHM__CONTENT_OFFSETS:
        case NDSHM__CONTENT_STARTS:
            out->offsets = address;
            break;
        default:
            out->data = address;
        }
    }
    out->null_count = format.layout == NDSHM__LAYOUT_NULL ? out->rows
                      : out->validity                     ? null_count(frame, node, whole)
                                                          : 0;
}

void ndshm__frame_column(const ndshm_frame *frame, int index, ndshm_column *out)
{
    const struct ndshm__schema *schema = ndshm__frame_schema(frame);
    bool whole = frame->rows == schema->rows;
    *out = (ndshm_column){.rows = frame->rows, .offset = frame->start, .step = frame->step};
    fill_column(frame, &schema->node[ndshm__frame_node(frame, index)], whole, out);
}

bool ndshm__frame_dictionary(const ndshm_frame *frame, int index, ndshm_column *out)
{
    const struct ndshm__schema *schema = ndshm__frame_schema(frame);
    int32_t dictionary = schema->node[ndshm__frame_node(frame, index)].dictionary;
    if (!dictionary)
        return false;
    *out = (ndshm_column){.rows = schema->node[dictionary].length, .step = 1};
    fill_column(frame, &schema->node[dictionary], true, out);
    return true;
}

static int no_column(const ndshm_frame *frame, int index)
{
    return ndshm__fail(-ERANGE, "'%s': column %d of %d", ndshm__segment_name(frame->segment), index,
                       frame->columns);
}

int ndshm_frame_dictionary(const ndshm_frame *frame, int index, ndshm_column *out)
{
    ndshm__begin("ndshm_frame_dictionary");
    if (!frame || !out)
        return ndshm__fail(-EINVAL, "frame or out is NULL");
    if (index < 0 || index >= frame->columns)
        return no_column(frame, index);
    if (!ndshm__frame_dictionary(frame, index, out))
        return ndshm__fail(-ENOENT, "'%s': column %d has no dictionary",
                           ndshm__segment_name(frame->segment), index);
    return 0;
}

int ndshm_frame_column(const ndshm_frame *frame, int index, ndshm_column *out)
{
    ndshm__begin("ndshm_frame_column");
    if (!frame || !out)
        return ndshm__fail(-EINVAL, "frame or out is NULL");
    if (index < 0 || index >= frame->columns)
        return no_column(frame, index);
    ndshm__frame_column(frame, index, out);
    return 0;
}

int ndshm_frame_find(const ndshm_frame *frame, const char *column_name)
{
    ndshm__begin("ndshm_frame_find");
    if (!frame || !column_name)
        return ndshm__fail(-EINVAL, "frame or column_name is NULL");
    const struct ndshm__schema *schema = ndshm__frame_schema(frame);
    const char *text = ndshm__schema_text(schema);
    for (int i = 0; i < frame->columns; i++)
        if (strcmp(text + schema->node[ndshm__frame_node(frame, i)].name, column_name) == 0)
            return i;
    return ndshm__fail(-ENOENT, "'%s': has no column '%.100s'", ndshm__segment_name(frame->segment),
                       column_name);
}

/* --- the block --- */

struct block {
    const char *first_format;
    int columns;
    ndshm_dtype dtype;
    int64_t first; /* offset in the payload */
    int64_t last;
    int64_t stride;
};

static int refuse(const ndshm_frame *frame, const char *column, const char *why)
{
    return ndshm__fail(NDSHM_EDTYPE,
                       "'%s': its columns are not one array: column '%.40s' %s; use "
                       "ndshm_frame_column",
                       ndshm__segment_name(frame->segment), column, why);
}

/* Takes one more column into the block. */
static int extend(const ndshm_frame *frame, const struct ndshm__node *node, struct block *block)
{
    const struct ndshm__schema *schema = ndshm__frame_schema(frame);
    const char *text = ndshm__schema_text(schema);
    const char *name = text + node->name, *format = text + node->format;
    const struct ndshm__buffer *buffers = ndshm__schema_buffers(schema) + node->first_buffer;
    struct ndshm__format parsed = {0};
    if (!block->first_format || strcmp(format, block->first_format) != 0)
        ndshm__format_parse(format, &parsed);
    else
        parsed.dtype = block->dtype;
    if (!parsed.dtype || node->dictionary)
        return refuse(frame, name, "is of a type that arrays do not have");
    if (buffers[0].size)
        return refuse(frame, name, "has a validity bitmap");
    int64_t at = buffers[1].offset;
    if (block->columns == 0) {
        block->first_format = format;
        block->dtype = parsed.dtype;
        block->first = at;
    }
    if (parsed.dtype != block->dtype)
        return refuse(frame, name, "has another type than the first");
    if (block->columns == 1)
        block->stride = at - block->first;
    if (block->columns > 0 && at - block->last != block->stride)
        return refuse(frame, name, "lies elsewhere");
    block->last = at;
    block->columns++;
    return 0;
}

static void fill_view(const ndshm_frame *frame, const struct block *block, ndshm_view *out)
{
    int64_t itemsize = ndshm__dtype_itemsize(block->dtype);
    bool readonly = ndshm__segment_published(frame->segment) &&
                    ndshm__segment_access(frame->segment) != NDSHM_COW;
    out->data =
        (char *)ndshm__segment_payload(frame->segment) + block->first + frame->start * itemsize;
    out->dtype = block->dtype;
    out->ndim = 2;
    out->flags = readonly ? NDSHM_VIEW_READONLY : 0;
    out->reserved = 0;
    out->shape[0] = frame->rows;
    out->shape[1] = block->columns;
    out->strides[0] = frame->step * itemsize;
    out->strides[1] = block->columns > 1 ? block->stride : frame->rows * itemsize;
}

int ndshm_frame_block(const ndshm_frame *frame, ndshm_view *out)
{
    ndshm__begin("ndshm_frame_block");
    if (!frame || !out)
        return ndshm__fail(-EINVAL, "frame or out is NULL");
    const struct ndshm__schema *schema = ndshm__frame_schema(frame);
    const char *text = ndshm__schema_text(schema);
    struct block block = {0};
    for (int i = 0; i < frame->columns; i++) {
        const struct ndshm__node *node = &schema->node[ndshm__frame_node(frame, i)];
        if (ndshm__frame_is_index(text + node->name))
            continue;
        int status = extend(frame, node, &block);
        if (status)
            return status;
    }
    if (block.columns == 0)
        return ndshm__fail(NDSHM_EDTYPE, "'%s': has no columns beside row labels",
                           ndshm__segment_name(frame->segment));
    fill_view(frame, &block, out);
    return 0;
}
