/* SPDX-License-Identifier: MIT */
/* From a file to a frame. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "base/os.h"
#include "csv/csv.h"
#include "csv/header.h"
#include "csv/run.h"
#include "csv/source.h"
#include "csv/target.h"
#include "frame/frame.h"

enum {
    CHUNK_MIN = 1 << 18,
    CHUNK_MAX = 1 << 20,
    CHUNK_SHARE = 32,
    BYTES_A_COLUMN = 1 << 14, /* so that each write of a wide frame is worth its call */
    WIDE_CHUNK_MAX = 1 << 26
};

struct request {
    const char *name;
    const ndshm_create_config *create;
    ndshm_csv_config csv;
    struct ndshm__csv_options options;
    struct ndshm__csv_source source;
    struct ndshm__csv_header header;
    struct ndshm__csv_reader reader;
    struct ndshm__csv_run run;
};

/* --- messages --- */

/* Lines are counted only when somebody wants to know. */
static int64_t line_of(struct request *request, int64_t at)
{
    enum { PIECE = 1 << 16 };
    char piece[PIECE];
    int64_t line = 1;
    for (int64_t from = 0; from < at; from += PIECE) {
        int64_t size = at - from < PIECE ? at - from : PIECE;
        if (ndshm__os_pread(request->source.fd, piece, size, from) < size)
            break;
        for (int64_t i = 0; i < size; i++)
            line += piece[i] == '\n';
    }
    return line;
}

/* One line of ASCII, cut. */
static void show_name(const struct request *request, int32_t column, char out[64])
{
    const struct ndshm__csv_header *header = &request->header;
    int size = 0;
    *out = '\0';
    if (column >= header->count || !request->reader.plan || !*header->names[column])
        return;
    size = snprintf(out, 64, " ('%.40s')", header->names[column]);
    for (int i = 0; i < size; i++)
        if (out[i] < ' ' || out[i] > '~')
            out[i] = '?';
}

static int tell(struct request *request, int status)
{
    const struct ndshm__csv_error *error = &request->reader.error;
    const char *path = request->source.path;
    char name[64];
    if (!status || !error->status)
        return status;
    if (error->at < 0)
        return ndshm__fail(status, "'%.300s': %s", path, error->why);
    show_name(request, error->column, name);
    return ndshm__fail(status, "'%.300s': line %lld, column %d%s: %s%s", path,
                       (long long)line_of(request, error->at), error->column + 1, name, error->text,
                       error->why);
}

/* --- steps --- */

static int64_t chunk_size(int64_t size, int32_t columns)
{
    int64_t chunk = size / CHUNK_SHARE, wide = (int64_t)columns * BYTES_A_COLUMN;
    chunk = chunk < CHUNK_MIN ? CHUNK_MIN : chunk > CHUNK_MAX ? CHUNK_MAX : chunk;
    wide = wide < WIDE_CHUNK_MAX ? wide : WIDE_CHUNK_MAX;
    return chunk > wide ? chunk : wide;
}

static int prepare(struct request *request)
{
    const struct ndshm__csv_header *header = &request->header;
    struct ndshm__csv_reader *reader = &request->reader;
    struct ndshm__csv_run *run = &request->run;
    int64_t size = reader->size - header->data, chunk = chunk_size(size, header->count);
    int64_t nchunks = size / chunk + (size % chunk != 0);
    if (nchunks > INT32_MAX)
        return ndshm__fail(-EFBIG, "'%s': too many bytes", request->source.path);
    nchunks = nchunks ? nchunks : 1;
    int status = ndshm__csv_run_prepare(run, header->count, (int32_t)nchunks,
                                        ndshm__csv_texts(header, &request->csv));
    if (status)
        return status;
    struct ndshm__csv_plan *plan = run->plan;
    plan->options = request->options;
    plan->chunk_size = chunk;
    plan->data = header->data;
    plan->size = reader->size;
    plan->input = request->source.fd;
    ndshm__csv_plan_view(plan, run->bytes, reader);
    status = ndshm__csv_describe_columns(reader, header, &request->csv);
    return status ? status : ndshm__csv_sample(reader);
}

/* Types that were not measured as text when the chunks were looked at, but are. */
static bool text_was_missed(const struct ndshm__csv_reader *reader, const uint8_t *kinds)
{
    for (int32_t i = 0; i < reader->ncolumns; i++)
        if (reader->columns[i].type.kind == NDSHM__CSV_TEXT && kinds[i] != NDSHM__CSV_TEXT)
            return true;
    return false;
}

static int survey_once(struct request *request, int64_t *rows)
{
    int status = ndshm__csv_run(&request->run, NDSHM__CSV_SURVEY);
    return status ? status : ndshm__csv_join(&request->reader, rows);
}

static int survey(struct request *request, bool deep, int64_t *rows)
{
    struct ndshm__csv_reader *reader = &request->reader;
    uint8_t *kinds = ndshm__alloc((size_t)reader->ncolumns);
    if (!kinds)
        return ndshm__fail(-ENOMEM, "'%s': no memory for its types", request->source.path);
    for (int32_t i = 0; i < reader->ncolumns; i++)
        kinds[i] = reader->columns[i].type.kind;
    reader->plan->deep = deep;
    int status = survey_once(request, rows);
    if (!status)
        ndshm__csv_choose_types(reader);
    if (!status && !deep && text_was_missed(reader, kinds)) {
        reader->plan->deep = true;
        status = survey_once(request, rows);
        ndshm__csv_choose_types(reader);
    }
    reader->plan->guessed = !reader->plan->deep;
    free(kinds);
    return status;
}

/* The error of the first chunk that has one. */
static int first_error(struct ndshm__csv_reader *reader)
{
    for (int32_t i = 0; i < reader->plan->nchunks; i++)
        if (reader->chunks[i].error.status) {
            reader->error = reader->chunks[i].error;
            return reader->error.status;
        }
    return 0;
}

static int fill(struct request *request, ndshm_frame *frame)
{
    int status = ndshm__csv_run(&request->run, NDSHM__CSV_FILL);
    if (!status)
        status = first_error(&request->reader);
    return status ? status : ndshm__csv_target_finish(&request->reader, frame);
}

static int read_rows(struct request *request, bool deep, ndshm_frame **out)
{
    ndshm_frame *frame = NULL;
    int64_t rows = 0;
    int status = survey(request, deep, &rows);
    if (!status)
        status = ndshm__csv_target_create(&request->reader, request->name, rows, request->create,
                                          &frame);
    if (!status)
        status = fill(request, frame);
    if (status)
        ndshm__frame_detach(&frame);
    else
        *out = frame;
    return status;
}

/* What does not fit the types of the samples is looked at closely; then errors are errors. */
static int read_text(struct request *request, ndshm_frame **out)
{
    struct ndshm__csv_reader *reader = &request->reader;
    reader->options = &request->options;
    reader->missing_words = request->csv.missing;
    reader->input = request->source.fd;
    reader->size = request->source.size;
    ndshm_frame *frame = NULL;
    int status = ndshm__csv_header(reader, &request->csv, &request->header);
    if (!status)
        status = prepare(request);
    if (!status)
        status = read_rows(request, false, &frame);
    if (status == NDSHM_EPARSE && reader->plan && reader->plan->guessed) {
        reader->error.status = 0;
        status = read_rows(request, true, &frame);
    }
    if (status)
        return tell(request, status);
    return ndshm__frame_finish(frame, request->create, out);
}

int ndshm_frame_from_csv(ndshm_pool *pool, const char *name, const char *path,
                         const ndshm_csv_config *csv, const ndshm_create_config *config,
                         ndshm_frame **out)
{
    ndshm__begin("ndshm_frame_from_csv");
    struct request request = {.name = name, .create = config, .source = {path, NULL, -1, 0}};
    if (!path || !out)
        return ndshm__fail(-EINVAL, "path or out is NULL");
    int status = ndshm__csv_options(csv, &request.csv, &request.options);
    if (status)
        return status;
    request.source.progress = request.csv.progress;
    request.run =
        (struct ndshm__csv_run){.pool = pool && ndshm_pool_workers(pool) > 0 ? pool : NULL,
                                .source = &request.source,
                                .reader = &request.reader,
                                .memory = -1};
    status = ndshm__csv_source_open(&request.source);
    if (!status)
        status = read_text(&request, out);
    ndshm__csv_run_end(&request.run);
    ndshm__csv_header_free(&request.header);
    ndshm__csv_reader_free(&request.reader);
    ndshm__csv_source_close(&request.source);
    return status;
}
