/* SPDX-License-Identifier: MIT */
/* Where the buffers of a frame lie. Fixed-width columns without nulls come first, in their order:
 * those of one width that stand together are then the columns of one column-major array, whatever
 * stands between them in the frame. */
#include "base/base.h"
#include "frame/schema.h"

enum { ALIGNMENT = 64 };

static bool place(struct ndshm__buffer *buffer, int64_t *end)
{
    buffer->offset = buffer->size ? *end : 0;
    return ndshm__add(*end, buffer->size, end) && ndshm__align(*end, ALIGNMENT, end);
}

static bool comes_first(const struct ndshm__schema *schema, int32_t index)
{
    const struct ndshm__node *node = &schema->node[index];
    const struct ndshm__buffer *buffers = ndshm__schema_buffers(schema) + node->first_buffer;
    struct ndshm__format format;
    if (index >= schema->columns || node->dictionary || node->buffers != 2 || buffers[0].size)
        return false;
    return ndshm__format_parse(ndshm__schema_text(schema) + node->format, &format) &&
           format.layout == NDSHM__LAYOUT_FIXED;
}

bool ndshm__schema_layout(struct ndshm__schema *schema, int64_t *payload_size)
{
    struct ndshm__buffer *buffers = (struct ndshm__buffer *)(schema->node + schema->nodes);
    int64_t end = 0;
    for (int first = 1; first >= 0; first--)
        for (int32_t i = 0; i < schema->nodes; i++) {
            const struct ndshm__node *node = &schema->node[i];
            if (comes_first(schema, i) != first)
                continue;
            for (int32_t j = 0; j < node->buffers; j++)
                if (!place(&buffers[node->first_buffer + j], &end))
                    return false;
        }
    *payload_size = end;
    return true;
}
