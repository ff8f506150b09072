/* SPDX-License-Identifier: MIT */
/* Where the buffers of a frame lie. Fixed-width columns without nulls come first, in their order:
 * those of one width that stand together are then the columns of one column-major array, whatever
 * stands between them in the frame. */
#include "base/base.h"
#include "frame/schema.h"

enum { ALIGNMENT = 64 };

static bool place(struct ndshm__buffer *buffer, int64_t size, int64_t *end)
{
    buffer->size = size;
    buffer->offset = size ? *end : 0;
    return ndshm__add(*end, size, end) && ndshm__align(*end, ALIGNMENT, end);
}

static bool place_column(const struct ndshm__schema *schema, struct ndshm__column_record *record,
                         bool first, int64_t *end)
{
    struct ndshm__format format;
    bool nullable = record->flags & NDSHM__COLUMN_NULLABLE;
    int64_t sizes[3];
    ndshm__format_parse(ndshm__schema_text(schema) + record->format, &format);
    if ((format.bits != 0 && !nullable) != first)
        return true;
    return ndshm__schema_sizes(schema->rows, &format, nullable, record->data.size, sizes) &&
           place(&record->validity, sizes[0], end) && place(&record->offsets, sizes[1], end) &&
           place(&record->data, sizes[2], end);
}

bool ndshm__schema_layout(struct ndshm__schema *schema, int64_t *payload_size)
{
    int64_t end = 0;
    for (int i = 0; i < schema->columns; i++)
        if (!place_column(schema, &schema->records[i], true, &end))
            return false;
    for (int i = 0; i < schema->columns; i++)
        if (!place_column(schema, &schema->records[i], false, &end))
            return false;
    *payload_size = end;
    return true;
}
