/* SPDX-License-Identifier: MIT */
/* Which type each column has, how many rows there are, and how much text. */
#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "csv/csv.h"

enum { SAMPLE_MIN = 4096, SAMPLE_MAX = 1 << 20, SAMPLE_SHARE = 16 };

static void reset(struct ndshm__csv_reader *reader)
{
    reader->rows = 0;
    for (int32_t i = 0; i < reader->ncolumns; i++) {
        struct ndshm__csv_column *column = &reader->columns[i];
        column->possible = NDSHM__CSV_FITS_ALL;
        column->seen = column->missing = false;
        column->text_bytes = 0;
    }
}

static void look_at(const struct ndshm__csv_reader *reader, struct ndshm__csv_column *column,
                    const struct ndshm__csv_field *field)
{
    if (ndshm__csv_is_missing(&reader->options, field->text, field->size)) {
        column->missing = true;
        return;
    }
    column->seen = true;
    column->text_bytes += field->size - field->doubled;
    if (column->possible && !column->given)
        column->possible = ndshm__csv_fits(column->possible, field->text, field->size);
}

/* Rows up to stop, or a little beyond. */
static int look_at_rows(struct ndshm__csv_reader *reader, const char *at, const char *stop,
                        bool only_text)
{
    struct ndshm__csv_field field;
    at = ndshm__csv_skip_empty(at, reader->file.end);
    for (; at < stop; at = ndshm__csv_skip_empty(at, reader->file.end)) {
        for (int32_t i = 0; i < reader->ncolumns; i++) {
            struct ndshm__csv_column *column = &reader->columns[i];
            int status = ndshm__csv_field(reader, &at, i, &field);
            if (status)
                return status;
            if (!only_text || column->type.kind == NDSHM__CSV_TEXT)
                look_at(reader, column, &field);
            status = ndshm__csv_next(reader, &at, i);
            if (status)
                return status;
        }
        reader->rows++;
    }
    reader->examined = at;
    return 0;
}

/* Where no field has quotes, lines are rows. */
static void count_rows(struct ndshm__csv_reader *reader)
{
    const char *end = reader->file.end, *at = reader->examined;
    while (at < end) {
        const char *feed = memchr(at, '\n', (size_t)(end - at));
        reader->rows += feed > at + (*at == '\r');
        at = feed + 1;
    }
}

static const char *choose_format(const struct ndshm__csv_column *column)
{
    uint32_t possible = column->possible;
    bool wide = possible & NDSHM__CSV_FITS_INT && !(possible & NDSHM__CSV_FITS_EXACT);
    if (!column->seen)
        return "g";
    if (possible & NDSHM__CSV_FITS_INT && (!column->missing || wide))
        return "l";
    if (possible & NDSHM__CSV_FITS_FLOAT)
        return "g";
    if (possible & NDSHM__CSV_FITS_DATE)
        return "tdD";
    if (possible & NDSHM__CSV_FITS_TIME)
        return "tsn:";
    if (possible & NDSHM__CSV_FITS_TIME_UTC)
        return "tsn:UTC";
    return possible & NDSHM__CSV_FITS_BOOL ? "b" : "u";
}

static void choose_inferred(struct ndshm__csv_column *column)
{
    column->format = choose_format(column);
    ndshm__csv_type_of(column->format, &column->type);
    if (column->type.zone)
        column->type.zone = NDSHM__CSV_ZONE;
    column->exact = *column->format == 'g' && column->possible & NDSHM__CSV_FITS_INT;
    if (!column->seen)
        column->type.kind = NDSHM__CSV_NOTHING;
}

static void choose_given(struct ndshm__csv_column *column)
{
    column->format = column->given + (*column->given == '?');
    ndshm__csv_type_of(column->format, &column->type);
}

/* Missing floats are NaN; other missing values need a bitmap. */
static void choose_types(struct ndshm__csv_reader *reader)
{
    for (int32_t i = 0; i < reader->ncolumns; i++) {
        struct ndshm__csv_column *column = &reader->columns[i];
        if (column->given)
            choose_given(column);
        else
            choose_inferred(column);
        bool has_nan = *column->format == 'g' || *column->format == 'f';
        column->nullable =
            (column->given && *column->given == '?') || (column->missing && !has_nan);
    }
}

static bool has_text(const struct ndshm__csv_reader *reader)
{
    for (int32_t i = 0; i < reader->ncolumns; i++)
        if (reader->columns[i].type.kind == NDSHM__CSV_TEXT)
            return true;
    return false;
}

static const char *sample_end(const struct ndshm__csv_reader *reader)
{
    int64_t size = reader->file.end - reader->data, share = size / SAMPLE_SHARE;
    if (share < SAMPLE_MIN)
        share = SAMPLE_MIN;
    if (share > SAMPLE_MAX)
        share = SAMPLE_MAX;
    return share < size ? reader->data + share : reader->file.end;
}

/* What cannot be guessed from the first rows: number of rows, and bytes of text. */
static int measure_rest(struct ndshm__csv_reader *reader)
{
    size_t rest = (size_t)(reader->file.end - reader->examined);
    bool quotes = memchr(reader->examined, reader->options.config.quote, rest) != NULL;
    if (quotes || has_text(reader))
        return look_at_rows(reader, reader->examined, reader->file.end, true);
    count_rows(reader);
    return 0;
}

int ndshm__csv_infer(struct ndshm__csv_reader *reader, bool whole)
{
    reset(reader);
    int status =
        look_at_rows(reader, reader->data, whole ? reader->file.end : sample_end(reader), false);
    if (status)
        return status;
    choose_types(reader);
    reader->guessed = reader->examined < reader->file.end;
    if (reader->guessed)
        status = measure_rest(reader);
    for (int32_t i = 0; reader->guessed && i < reader->ncolumns; i++)
        if (reader->columns[i].type.kind == NDSHM__CSV_TEXT)
            reader->columns[i].nullable = reader->columns[i].nullable || reader->columns[i].missing;
    return status;
}
