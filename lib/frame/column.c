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
    return frame ? ndshm__frame_schema(frame)->columns : ndshm__fail(-EINVAL, "frame is NULL");
}

static void *buffer_address(const ndshm_frame *frame, const struct ndshm__buffer *buffer)
{
    return (char *)ndshm__segment_payload(frame->segment) + buffer->offset;
}

/* Known of a slice only when there are no nulls at all. */
static int64_t null_count(const ndshm_frame *frame, const struct ndshm__column_record *record)
{
    bool counted = ndshm__segment_published(frame->segment);
    bool whole = counted && !frame->slice, none = counted && record->null_count == 0;
    if (!(record->flags & NDSHM__COLUMN_NULLABLE))
        return 0;
    return whole || none ? record->null_count : -1;
}

void ndshm__frame_column(const ndshm_frame *frame, int index, ndshm_column *out)
{
    const struct ndshm__schema *schema = ndshm__frame_schema(frame);
    const struct ndshm__column_record *record = &schema->records[index];
    const char *text = ndshm__schema_text(schema);
    *out = (ndshm_column){.name = text + record->name,
                          .format = text + record->format,
                          .rows = frame->rows,
                          .offset = frame->start,
                          .null_count = null_count(frame, record),
                          .data = buffer_address(frame, &record->data),
                          .step = frame->step};
    if (record->flags & NDSHM__COLUMN_NULLABLE)
        out->validity = buffer_address(frame, &record->validity);
    if (record->offsets.size)
        out->offsets = buffer_address(frame, &record->offsets);
}

int ndshm_frame_column(const ndshm_frame *frame, int index, ndshm_column *out)
{
    ndshm__begin("ndshm_frame_column");
    if (!frame || !out)
        return ndshm__fail(-EINVAL, "frame or out is NULL");
    int columns = ndshm__frame_schema(frame)->columns;
    if (index < 0 || index >= columns)
        return ndshm__fail(-ERANGE, "'%s': column %d of %d", ndshm__segment_name(frame->segment),
                           index, columns);
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
    for (int i = 0; i < schema->columns; i++)
        if (strcmp(text + schema->records[i].name, column_name) == 0)
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
static int extend(const ndshm_frame *frame, const struct ndshm__column_record *record,
                  struct block *block)
{
    const char *text = ndshm__schema_text(ndshm__frame_schema(frame));
    const char *name = text + record->name, *format = text + record->format;
    struct ndshm__format parsed = {0};
    if (!block->first_format || strcmp(format, block->first_format) != 0)
        ndshm__format_parse(format, &parsed);
    else
        parsed.dtype = block->dtype;
    if (!parsed.dtype)
        return refuse(frame, name, "is of a type that arrays do not have");
    if (record->flags & NDSHM__COLUMN_NULLABLE)
        return refuse(frame, name, "has a validity bitmap");
    if (block->columns == 0) {
        block->first_format = format;
        block->dtype = parsed.dtype;
        block->first = record->data.offset;
    }
    if (parsed.dtype != block->dtype)
        return refuse(frame, name, "has another type than the first");
    if (block->columns == 1)
        block->stride = record->data.offset - block->first;
    if (block->columns > 0 && record->data.offset - block->last != block->stride)
        return refuse(frame, name, "lies elsewhere");
    block->last = record->data.offset;
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
    for (int i = 0; i < schema->columns; i++) {
        if (ndshm__frame_is_index(text + schema->records[i].name))
            continue;
        int status = extend(frame, &schema->records[i], &block);
        if (status)
            return status;
    }
    if (block.columns == 0)
        return ndshm__fail(NDSHM_EDTYPE, "'%s': has no columns beside row labels",
                           ndshm__segment_name(frame->segment));
    fill_view(frame, &block, out);
    return 0;
}
