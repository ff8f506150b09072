/* SPDX-License-Identifier: MIT */
#include "compute/reader.h"

#include <string.h>

#include "frame/bits.h"
#include "frame/view.h"

static bool is_flat(const struct ndshm__format *format, const char *text)
{
    return (format->layout == NDSHM__LAYOUT_FIXED && strncmp(text, "ti", 2) != 0) ||
           format->layout == NDSHM__LAYOUT_VARIABLE || format->layout == NDSHM__LAYOUT_VIEW;
}

bool ndshm__reader_open(struct ndshm__reader *reader, const ndshm_frame *frame, int index)
{
    const struct ndshm__schema *schema = ndshm__frame_schema(frame);
    const struct ndshm__node *node = &schema->node[ndshm__frame_node(frame, index)];
    *reader = (struct ndshm__reader){.payload = ndshm__segment_payload(frame->segment)};
    ndshm__frame_column(frame, index, &reader->column);
    reader->keyed = ndshm__frame_dictionary(frame, index, &reader->dictionary);
    if (reader->keyed) {
        ndshm__format_parse(reader->column.format, &reader->keys);
        node = &schema->node[node->dictionary];
        if (node->dictionary)
            return false;
    }
    reader->buffers = ndshm__schema_buffers(schema) + node->first_buffer;
    reader->nbuffers = node->buffers;
    const char *text = ndshm__schema_text(schema) + node->format;
    ndshm__format_parse(text, &reader->format);
    return is_flat(&reader->format, text);
}

static bool string_at(const struct ndshm__reader *reader, const ndshm_column *column, int64_t i,
                      const void **data, int64_t *size)
{
    int32_t width = reader->format.width;
    const char *offsets = column->offsets;
    int64_t first = ndshm__integer(offsets + i * width, width, true);
    int64_t end = ndshm__integer(offsets + (i + 1) * width, width, true);
    *data = (const char *)column->data + first;
    *size = end - first;
    return first >= 0 && end >= first && end <= reader->buffers[2].size;
}

static bool view_at(const struct ndshm__reader *reader, const ndshm_column *column, int64_t i,
                    const void **data, int64_t *size)
{
    const char *at = (const char *)column->data + i * (int64_t)sizeof(struct ndshm__view);
    struct ndshm__view view;
    memcpy(&view, at, sizeof view);
    *data = at + offsetof(struct ndshm__view, prefix);
    *size = view.size;
    if (view.size <= NDSHM__VIEW_INLINE)
        return view.size >= 0;
    if (view.piece < 0 || view.piece >= reader->nbuffers - reader->format.buffers)
        return false;
    const struct ndshm__buffer *piece = &reader->buffers[reader->format.buffers + view.piece];
    *data = reader->payload + piece->offset + view.offset;
    return view.offset >= 0 && view.size <= piece->size && view.offset <= piece->size - view.size;
}

bool ndshm__reader_at(const struct ndshm__reader *reader, int64_t row, const void **data,
                      int64_t *size)
{
    static const char bools[2] = {0, 1};
    const ndshm_column *column = &reader->column;
    int64_t i = column->offset + row * column->step;
    if (column->validity && !ndshm__bit(column->validity, i))
        return false;
    if (reader->keyed) {
        int32_t width = (int32_t)reader->keys.bits / 8;
        i = ndshm__integer((const char *)column->data + i * width, width, *column->format >= 'a');
        column = &reader->dictionary;
        if (i < 0 || i >= column->rows || (column->validity && !ndshm__bit(column->validity, i)))
            return false;
    }
    if (reader->format.layout == NDSHM__LAYOUT_VARIABLE)
        return string_at(reader, column, i, data, size);
    if (reader->format.layout == NDSHM__LAYOUT_VIEW)
        return view_at(reader, column, i, data, size);
    *size = reader->format.bits == 1 ? 1 : reader->format.bits / 8;
    *data = reader->format.bits == 1 ? &bools[ndshm__bit(column->data, i)]
                                     : (const char *)column->data + i * *size;
    return true;
}

int64_t ndshm__column_count(const ndshm_column *column)
{
    int64_t count = 0;
    if (strcmp(column->format, "n") == 0)
        return 0;
    if (!column->validity)
        return column->rows;
    if (column->step == 1)
        return column->rows - ndshm__bits_zeros(column->validity, column->offset, column->rows);
    for (int64_t row = 0; row < column->rows; row++)
        count += ndshm__bit(column->validity, column->offset + row * column->step);
    return count;
}
