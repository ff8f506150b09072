/* SPDX-License-Identifier: MIT */
/* Descriptions of columns of all types: summaries first, by any process, then their texts. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ndshm/compute.h>

#include "array/array.h"
#include "base/os.h"
#include "compute/columns.h"
#include "compute/summary.h"
#include "frame/view.h"

enum { COUNT, UNIQUE, TOP, FREQ, VALUES, LABELS = VALUES + NDSHM__SUMMARY_VALUES };

static const char labels[] = "countuniquetopfreqmeanstdmin25%50%75%max";
static const int32_t label_ends[LABELS + 1] = {0, 5, 11, 14, 18, 22, 25, 28, 31, 34, 37, 40};

struct work {
    struct ndshm__columns columns;
    struct ndshm__summary *summaries;
    char *(*texts)[LABELS]; /* of columns that are no numbers; NULL: null */
};

/* --- summaries --- */

static int summarise_task(ndshm_task *task)
{
    ndshm_frame *frame;
    ndshm_view row;
    struct ndshm__summary summary;
    int index, status = ndshm__columns_task(task, &frame, &index, &row);
    if (!status)
        status = ndshm__summarise(frame, index, &summary);
    if (!status)
        memcpy(row.data, &summary, sizeof summary);
    return status;
}

static int summarise_on(ndshm_pool *pool, const struct work *work)
{
    int64_t shape[2] = {work->columns.count, NDSHM__SUMMARY_WORDS};
    ndshm_array *rows;
    int status = ndshm__array_create(NULL, NULL, NDSHM_INT64, 2, shape, NULL, &rows);
    if (status)
        return status;
    status = ndshm__columns_job(pool, &work->columns, rows);
    const char *row = rows->view.data;
    for (int32_t i = 0; !status && i < work->columns.count; i++, row += rows->view.strides[0])
        memcpy(&work->summaries[i], row, sizeof *work->summaries);
    ndshm_array_detach(&rows);
    return status;
}

static int summarise_all(ndshm_pool *pool, const struct work *work)
{
    int status = 0;
    if (pool && ndshm__columns_shared(work->columns.frame))
        return summarise_on(pool, work);
    for (int32_t i = 0; !status && i < work->columns.count; i++)
        status =
            ndshm__summarise(work->columns.frame, work->columns.columns[i], &work->summaries[i]);
    return status;
}

/* --- texts --- */

static char *count_text(int64_t count)
{
    char out[24];
    snprintf(out, sizeof out, "%" PRId64, count);
    return ndshm__duplicate(out);
}

/* What pandas leaves out: the deviation of points in time. */
static bool has_value(const char *format, int value)
{
    return value != NDSHM__STD || format[1] == 'D';
}

/* false: no memory. */
static bool write_texts(const struct ndshm__reader *reader, const struct ndshm__summary *summary,
                        char *texts[LABELS])
{
    bool good = (texts[COUNT] = count_text(summary->count));
    if (summary->kind == NDSHM__SUMMARY_KEYS) {
        good = (texts[UNIQUE] = count_text(summary->unique)) && good;
        if (summary->count > 0) {
            good = (texts[TOP] = ndshm__reader_text(reader, summary->top)) && good;
            good = (texts[FREQ] = count_text(summary->freq)) && good;
        }
    }
    for (int i = 0; i < NDSHM__SUMMARY_VALUES; i++)
        if (summary->kind == NDSHM__SUMMARY_TIMES && summary->count > (i == NDSHM__STD) &&
            has_value(reader->column.format, i))
            good = (texts[VALUES + i] =
                        ndshm__ticks_text(reader->column.format, summary->values[i].ticks)) &&
                   good;
    return good;
}

static int write_all(const struct work *work)
{
    for (int32_t i = 0; i < work->columns.count; i++) {
        struct ndshm__reader reader;
        if (work->summaries[i].kind == NDSHM__SUMMARY_NUMBERS)
            continue;
        ndshm__reader_open(&reader, work->columns.frame, work->columns.columns[i]);
        if (work->summaries[i].top < 0 || work->summaries[i].top > reader.column.rows)
            return ndshm__fail(NDSHM_ECORRUPT, "a task gave a row that the frame does not have");
        if (!write_texts(&reader, &work->summaries[i], work->texts[i]))
            return ndshm__fail(-ENOMEM, "no memory for the description of %d columns",
                               work->columns.count);
    }
    return 0;
}

/* --- the result --- */

static int64_t bytes_of(char *const texts[LABELS])
{
    int64_t bytes = 0;
    for (int i = 0; i < LABELS; i++)
        bytes += texts[i] ? (int64_t)strlen(texts[i]) : 0;
    return bytes;
}

static int create_result(const struct work *work, const char *name, ndshm_frame **out)
{
    int32_t count = work->columns.count;
    ndshm_column_spec *specs = ndshm__alloc(((size_t)count + 1) * sizeof *specs);
    if (!specs)
        return ndshm__fail(-ENOMEM, "no memory for the description of %d columns", count);
    specs[0] = (ndshm_column_spec){ndshm_frame_index_name(), "u", sizeof labels - 1};
    for (int32_t i = 0; i < count; i++) {
        ndshm_column column;
        bool numbers = work->summaries[i].kind == NDSHM__SUMMARY_NUMBERS;
        int64_t bytes = numbers ? 0 : bytes_of(work->texts[i]);
        ndshm__frame_column(work->columns.frame, work->columns.columns[i], &column);
        specs[i + 1] = (ndshm_column_spec){column.name,
                                           numbers             ? "g"
                                           : bytes > INT32_MAX ? "?U"
                                                               : "?u",
                                           bytes};
    }
    int status = ndshm__frame_create(NULL, name, LABELS, specs, count + 1, NULL, out);
    free(specs);
    return status;
}

static void fill_numbers(const struct ndshm__summary *summary, double *out)
{
    out[COUNT] = (double)summary->count;
    out[UNIQUE] = out[TOP] = out[FREQ] = (double)NAN;
    for (int i = 0; i < NDSHM__SUMMARY_VALUES; i++)
        out[VALUES + i] = summary->values[i].number;
}

static void fill_texts(char *const texts[LABELS], const ndshm_column *column)
{
    int32_t width = *column->format == 'U' ? 8 : 4;
    int64_t at = 0;
    for (int i = 0; i < LABELS; i++) {
        size_t size = texts[i] ? strlen(texts[i]) : 0;
        if (size)
            memcpy((char *)column->data + at, texts[i], size);
        if (texts[i])
            ((uint8_t *)column->validity)[i / 8] |= (uint8_t)(1u << (i % 8));
        at += (int64_t)size;
        ndshm__integer_put((char *)column->offsets + (i + 1) * width, width, at);
    }
}

static void fill(const struct work *work, const ndshm_frame *result)
{
    ndshm_column column;
    ndshm__frame_column(result, 0, &column);
    memcpy(column.data, labels, sizeof labels - 1);
    memcpy((void *)column.offsets, label_ends, sizeof label_ends);
    for (int32_t i = 0; i < work->columns.count; i++) {
        ndshm__frame_column(result, i + 1, &column);
        if (work->summaries[i].kind == NDSHM__SUMMARY_NUMBERS)
            fill_numbers(&work->summaries[i], column.data);
        else
            fill_texts(work->texts[i], &column);
    }
}

static int begin(struct work *work, const ndshm_frame *frame)
{
    size_t columns = (size_t)frame->columns + 1;
    work->columns.frame = frame;
    work->columns.columns = ndshm__alloc(columns * sizeof *work->columns.columns);
    work->summaries = ndshm__alloc(columns * sizeof *work->summaries);
    work->texts = ndshm__alloc(columns * sizeof *work->texts);
    if (!work->columns.columns || !work->summaries || !work->texts)
        return ndshm__fail(-ENOMEM, "no memory to describe %d columns", frame->columns);
    for (int32_t i = 0; i < frame->columns; i++) {
        ndshm_column column;
        ndshm__frame_column(frame, i, &column);
        if (!ndshm__frame_is_index(column.name))
            work->columns.columns[work->columns.count++] = i;
    }
    if (work->columns.count == 0)
        return ndshm__fail(NDSHM_EDTYPE, "'%s': has no columns beside row labels",
                           ndshm__frame_name(frame));
    return 0;
}

static void end(struct work *work)
{
    for (int32_t i = 0; work->texts && i < work->columns.count; i++)
        for (int j = 0; j < LABELS; j++)
            free(work->texts[i][j]);
    free(work->texts);
    free(work->summaries);
    free(work->columns.columns);
}

int ndshm_describe_all(ndshm_pool *pool, const ndshm_frame *frame, const char *name,
                       ndshm_frame **out)
{
    ndshm__begin("ndshm_describe_all");
    struct work work = {.columns = {.caller = "ndshm_describe_all", .function = summarise_task}};
    ndshm_frame *result = NULL;
    if (!frame || !out)
        return ndshm__fail(-EINVAL, "frame or out is NULL");
    int status = begin(&work, frame);
    if (!status)
        status = summarise_all(pool, &work);
    if (!status)
        status = write_all(&work);
    if (!status)
        status = create_result(&work, name, &result);
    if (!status)
        fill(&work, result);
    end(&work);
    return status ? status : ndshm__frame_finish(result, NULL, out);
}
