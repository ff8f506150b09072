/* SPDX-License-Identifier: MIT */
#include "csv/target.h"

#include <errno.h>
#include <stdlib.h>

#include "base/os.h"
#include "frame/frame.h"

/* The specs, and behind them the formats with '?'. */
static ndshm_column_spec *make_specs(const struct ndshm__csv_reader *reader, int32_t *used)
{
    size_t count = (size_t)reader->ncolumns, bytes = 0;
    for (int32_t i = 0; i < reader->ncolumns; i++)
        bytes += strlen(ndshm__csv_format(reader, i)) + 2;
    ndshm_column_spec *specs = ndshm__alloc(count * sizeof *specs + bytes);
    if (!specs)
        return NULL;
    char *text = (char *)(specs + count);
    for (int32_t i = 0; i < reader->ncolumns; i++) {
        const struct ndshm__csv_column *column = &reader->columns[i];
        if (column->unused)
            continue;
        ndshm_column_spec *spec = &specs[(*used)++];
        spec->name = ndshm__csv_name(reader, i);
        spec->format = text;
        spec->data_bytes = column->type.kind == NDSHM__CSV_TEXT ? column->text_bytes : 0;
        if (column->nullable)
            *text++ = '?';
        text = stpcpy(text, ndshm__csv_format(reader, i)) + 1;
    }
    return specs;
}

static int check_text(const struct ndshm__csv_reader *reader)
{
    for (int32_t i = 0; i < reader->ncolumns; i++) {
        const struct ndshm__csv_column *column = &reader->columns[i];
        if (!column->unused && column->type.kind == NDSHM__CSV_TEXT &&
            column->text_bytes > INT32_MAX)
            return ndshm__fail(NDSHM_ESHAPE,
                               "column %d ('%.40s') has %lld bytes of text, but a column of "
                               "strings holds %d; split the file",
                               i + 1, ndshm__csv_name(reader, i), (long long)column->text_bytes,
                               INT32_MAX);
    }
    return 0;
}

static int create_segment(const char *name, int64_t rows, const ndshm_column_spec *specs,
                          int32_t count, const ndshm_create_config *config, ndshm__segment **out)
{
    int64_t shape[2] = {rows, count};
    struct ndshm__schema *schema;
    ndshm__spec spec = {.name = name,
                        .kind = NDSHM_KIND_FRAME,
                        .ndim = 2,
                        .shape = shape,
                        .config = config,
                        .streamed = true};
    int status =
        ndshm__schema_build(rows, specs, count, &schema, &spec.body_size, &spec.payload_size);
    if (status)
        return status;
    spec.body = schema;
    status = ndshm__segment_create(&spec, out);
    free(schema);
    return status;
}

static void point_to_buffers(struct ndshm__csv_reader *reader, const ndshm_frame *frame)
{
    ndshm__segment *segment = ndshm__frame_segment(frame);
    const char *payload = ndshm__segment_payload(segment);
    int64_t begin;
    int32_t index = 0;
    reader->output = reader->plan->output = ndshm__segment_file(segment, &begin);
    begin -= (intptr_t)payload;
    for (int32_t i = 0; i < reader->ncolumns; i++) {
        struct ndshm__csv_column *column = &reader->columns[i];
        ndshm_column found;
        if (column->unused)
            continue;
        ndshm__frame_column(frame, index++, &found);
        column->data = begin + (intptr_t)found.data;
        column->validity = found.validity ? begin + (intptr_t)found.validity : 0;
        column->offsets = found.offsets ? begin + (intptr_t)found.offsets : 0;
    }
}

int ndshm__csv_target_create(struct ndshm__csv_reader *reader, const char *name, int64_t rows,
                             const ndshm_create_config *config, ndshm_frame **out)
{
    int32_t count = 0;
    ndshm__segment *segment = NULL;
    int status = check_text(reader);
    if (status)
        return status;
    ndshm_column_spec *specs = make_specs(reader, &count);
    if (!specs)
        return ndshm__fail(-ENOMEM, "no memory for the description of its columns");
    status = create_segment(name, rows, specs, count, config, &segment);
    free(specs);
    if (!status)
        status = ndshm__frame_from_segment(segment, out);
    if (status)
        ndshm__segment_release(&segment);
    else
        point_to_buffers(reader, *out);
    return status;
}

/* --- the bytes at the ends of bits --- */

static void add_edges(const struct ndshm__csv_chunk *chunk, const uint8_t edges[2], uint8_t *bits)
{
    int64_t first = chunk->row / 8, end = (chunk->row + chunk->rows + 7) / 8;
    if (chunk->rows == 0)
        return;
    bits[first] |= edges[0];
    if (end - first > 1)
        bits[end - 1] |= edges[1];
}

static void finish_column(const struct ndshm__csv_reader *reader, int32_t index, char *base)
{
    const struct ndshm__csv_column *column = &reader->columns[index];
    for (int32_t chunk = 0; chunk < reader->plan->nchunks; chunk++) {
        const struct ndshm__csv_seen *seen = ndshm__csv_seen_of(reader, chunk) + index;
        if (column->type.kind == NDSHM__CSV_BOOL)
            add_edges(&reader->chunks[chunk], seen->edges[0], (uint8_t *)base + column->data);
        if (column->nullable)
            add_edges(&reader->chunks[chunk], seen->edges[1], (uint8_t *)base + column->validity);
    }
}

int ndshm__csv_target_finish(const struct ndshm__csv_reader *reader, ndshm_frame *frame)
{
    ndshm__segment *segment = ndshm__frame_segment(frame);
    int64_t begin;
    int status = ndshm__segment_filled(segment);
    if (status)
        return status;
    ndshm__segment_file(segment, &begin);
    for (int32_t i = 0; i < reader->ncolumns; i++)
        if (!reader->columns[i].unused)
            finish_column(reader, i, (char *)ndshm__segment_payload(segment) - begin);
    return 0;
}
