/* SPDX-License-Identifier: MIT */
/* Where the filling collects the values of a chunk, and how they get to their places in the frame:
 * by pwrite, which is twice as fast as touching fresh shared memory, and needs no reservation. */
#include <errno.h>
#include <stdlib.h>

#include "base/base.h"
#include "base/os.h"
#include "csv/csv.h"
#include "segment/segment.h"

enum { ALIGNMENT = 64 };

static int no_memory(struct ndshm__csv_reader *reader)
{
    return ndshm__csv_fail_status(reader, ndshm__fail(-ENOMEM, "no memory for a part of it"));
}

static int64_t bit_bytes(const struct ndshm__csv_reader *reader, int64_t rows)
{
    return rows ? (reader->bit + rows + 7) / 8 : 0;
}

struct sizes {
    int64_t data, validity, offsets;
};

static struct sizes sizes_of(const struct ndshm__csv_reader *reader, int32_t column, int64_t rows,
                             const struct ndshm__csv_seen *seen)
{
    const struct ndshm__csv_column *found = &reader->columns[column];
    struct sizes sizes = {rows * found->type.width, 0, 0};
    if (found->unused)
        return (struct sizes){0};
    if (found->type.kind == NDSHM__CSV_TEXT)
        sizes = (struct sizes){seen->text_bytes, 0, (rows + 1) * (int64_t)sizeof(int32_t)};
    else if (found->type.kind == NDSHM__CSV_BOOL)
        sizes.data = bit_bytes(reader, rows);
    if (found->nullable)
        sizes.validity = bit_bytes(reader, rows);
    return sizes;
}

/* A part of the arena, or of nothing yet while sizes are added up. */
static void *take(char *arena, int64_t size, int64_t *used)
{
    void *result = arena ? arena + *used : NULL;
    *used += (size + ALIGNMENT - 1) & -ALIGNMENT;
    return result;
}

static int64_t lay_out(struct ndshm__csv_reader *reader, int32_t chunk, char *arena)
{
    const struct ndshm__csv_seen *seen = ndshm__csv_seen_of(reader, chunk);
    int64_t used = 0, rows = reader->chunks[chunk].rows;
    for (int32_t i = 0; i < reader->ncolumns; i++) {
        struct sizes sizes = sizes_of(reader, i, rows, &seen[i]);
        struct ndshm__csv_buffers *buffers = &reader->buffers[i];
        buffers->used = 0;
        buffers->data = take(arena, sizes.data, &used);
        buffers->validity = sizes.validity ? take(arena, sizes.validity, &used) : NULL;
        buffers->offsets = take(arena, sizes.offsets, &used);
        if (!arena)
            continue;
        if (reader->columns[i].type.kind == NDSHM__CSV_BOOL)
            memset(buffers->data, 0, (size_t)sizes.data);
        if (buffers->validity)
            memset(buffers->validity, 0, (size_t)sizes.validity);
    }
    return used;
}

int ndshm__csv_buffers(struct ndshm__csv_reader *reader, int32_t chunk)
{
    if (!reader->buffers)
        reader->buffers = ndshm__alloc((size_t)reader->ncolumns * sizeof *reader->buffers);
    if (!reader->buffers)
        return no_memory(reader);
    reader->bit = reader->chunks[chunk].row % 8;
    int64_t size = lay_out(reader, chunk, NULL) + ALIGNMENT;
    if (size > reader->arena_size) {
        free(reader->arena);
        reader->arena_size = 0;
        reader->arena = ndshm__resize(NULL, (size_t)size);
        if (!reader->arena)
            return no_memory(reader);
        reader->arena_size = size;
    }
    lay_out(reader, chunk, reader->arena);
    return 0;
}

static int put(struct ndshm__csv_reader *reader, const void *data, int64_t size, int64_t at)
{
    int status = size > 0 ? ndshm__os_pwrite(reader->output, data, size, at) : 0;
    if (!status)
        return 0;
    return ndshm__csv_fail_status(
        reader, ndshm__space_explain(status, "the frame", size, "writing into the frame"));
}

/* The bytes at both ends are shared with the neighbours, and left to the caller. */
static int put_bits(struct ndshm__csv_reader *reader, const struct ndshm__csv_chunk *chunk,
                    const void *bits, int64_t at, uint8_t edges[2])
{
    int64_t size = bit_bytes(reader, chunk->rows);
    const uint8_t *bytes = bits;
    edges[0] = size > 0 ? bytes[0] : 0;
    edges[1] = size > 1 ? bytes[size - 1] : 0;
    return put(reader, bytes + 1, size - 2, at + chunk->row / 8 + 1);
}

static int put_column(struct ndshm__csv_reader *reader, const struct ndshm__csv_chunk *chunk,
                      int32_t index, struct ndshm__csv_seen *seen)
{
    const struct ndshm__csv_column *column = &reader->columns[index];
    const struct ndshm__csv_buffers *buffers = &reader->buffers[index];
    int status = 0;
    if (column->type.kind == NDSHM__CSV_TEXT) {
        int64_t size = sizeof *buffers->offsets;
        status = put(reader, buffers->data, seen->text_bytes, column->data + seen->text);
        if (!status)
            status = put(reader, buffers->offsets + 1, chunk->rows * size,
                         column->offsets + (chunk->row + 1) * size);
    } else if (column->type.kind == NDSHM__CSV_BOOL) {
        status = put_bits(reader, chunk, buffers->data, column->data, seen->edges[0]);
    } else {
        int64_t width = column->type.width;
        status = put(reader, buffers->data, chunk->rows * width, column->data + chunk->row * width);
    }
    if (!status && column->nullable)
        status = put_bits(reader, chunk, buffers->validity, column->validity, seen->edges[1]);
    return status;
}

int ndshm__csv_place(struct ndshm__csv_reader *reader, int32_t index)
{
    const struct ndshm__csv_chunk *chunk = &reader->chunks[index];
    struct ndshm__csv_seen *seen = ndshm__csv_seen_of(reader, index);
    int status = 0;
    for (int32_t i = 0; !status && i < reader->ncolumns; i++)
        if (!reader->columns[i].unused)
            status = put_column(reader, chunk, i, &seen[i]);
    return status;
}
