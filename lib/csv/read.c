/* SPDX-License-Identifier: MIT */
/* From a file to a frame. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"
#include "csv/csv.h"
#include "frame/frame.h"

struct target {
    const char *name;
    const ndshm_create_config *config;
};

static int check_text(const struct ndshm__csv_reader *reader)
{
    for (int32_t i = 0; i < reader->ncolumns; i++) {
        const struct ndshm__csv_column *column = &reader->columns[i];
        if (column->type.kind == NDSHM__CSV_TEXT && column->text_bytes > INT32_MAX)
            return ndshm__fail(NDSHM_ESHAPE,
                               "'%s': column %d ('%.40s') has %lld bytes of text, but a column of "
                               "strings holds %d; split the file",
                               reader->file.path, i + 1, column->name,
                               (long long)column->text_bytes, INT32_MAX);
    }
    return 0;
}

/* The specs, and behind them the formats with '?'. */
static ndshm_column_spec *make_specs(const struct ndshm__csv_reader *reader)
{
    size_t count = (size_t)reader->ncolumns, bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += strlen(reader->columns[i].format) + 2;
    ndshm_column_spec *specs = ndshm__alloc(count * sizeof *specs + bytes);
    if (!specs)
        return NULL;
    char *text = (char *)(specs + count);
    for (size_t i = 0; i < count; i++) {
        const struct ndshm__csv_column *column = &reader->columns[i];
        specs[i].name = column->name;
        specs[i].format = text;
        specs[i].data_bytes = column->type.kind == NDSHM__CSV_TEXT ? column->text_bytes : 0;
        if (column->nullable)
            *text++ = '?';
        text = stpcpy(text, column->format) + 1;
    }
    return specs;
}

static int create(struct ndshm__csv_reader *reader, const struct target *target, ndshm_frame **out)
{
    int status = check_text(reader);
    if (status)
        return status;
    ndshm_column_spec *specs = make_specs(reader);
    if (!specs)
        return ndshm__fail(-ENOMEM, "'%s': no memory for the description of its columns",
                           reader->file.path);
    status = ndshm__frame_create(NULL, target->name, reader->rows, specs, reader->ncolumns,
                                 target->config, out);
    free(specs);
    return status;
}

static void point_to_buffers(struct ndshm__csv_reader *reader, const ndshm_frame *frame)
{
    for (int32_t i = 0; i < reader->ncolumns; i++) {
        ndshm_column column;
        ndshm__frame_column(frame, i, &column);
        reader->columns[i].data = column.data;
        reader->columns[i].validity = (uint8_t *)column.validity;
        reader->columns[i].offsets = (int32_t *)column.offsets;
        reader->columns[i].used = 0;
    }
}

static int read_rows(struct ndshm__csv_reader *reader, const struct target *target, bool whole,
                     ndshm_frame **out)
{
    ndshm_frame *frame = NULL;
    int status = ndshm__csv_infer(reader, whole);
    if (!status)
        status = create(reader, target, &frame);
    if (status)
        return status;
    point_to_buffers(reader, frame);
    status = ndshm__csv_fill(reader);
    if (status)
        ndshm__frame_detach(&frame);
    else
        *out = frame;
    return status;
}

static int read_file(struct ndshm__csv_reader *reader, const struct target *target,
                     ndshm_frame **out)
{
    ndshm_frame *frame = NULL;
    int status = ndshm__csv_file_read(reader->file.path, &reader->file);
    if (!status)
        status = ndshm__csv_header(reader);
    if (!status)
        status = read_rows(reader, target, false, &frame);
    if (status == NDSHM__CSV_MISFIT)
        status = read_rows(reader, target, true, &frame);
    return status ? status : ndshm__frame_finish(frame, target->config, out);
}

static void clean_up(struct ndshm__csv_reader *reader)
{
    for (int32_t i = 0; reader->columns && i < reader->ncolumns; i++)
        free(reader->columns[i].name);
    free(reader->columns);
    free(reader->file.buffer);
}

int ndshm_frame_from_csv(ndshm_pool *pool, const char *name, const char *path,
                         const ndshm_csv_config *csv, const ndshm_create_config *config,
                         ndshm_frame **out)
{
    ndshm__begin("ndshm_frame_from_csv");
    struct ndshm__csv_reader reader = {.file.path = path};
    struct target target = {name, config};
    (void)pool;
    if (!path || !out)
        return ndshm__fail(-EINVAL, "path or out is NULL");
    int status = ndshm__csv_options(csv, &reader.options);
    if (!status)
        status = read_file(&reader, &target, out);
    clean_up(&reader);
    return status;
}
