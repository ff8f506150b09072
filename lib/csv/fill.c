/* SPDX-License-Identifier: MIT */
/* Values into the columns, each written once. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "csv/csv.h"
#include "frame/format.h"

static void mark_valid(struct ndshm__csv_column *column, int64_t row)
{
    if (column->validity)
        column->validity[row / 8] |= (uint8_t)(1u << (row % 8));
}

static void store_bytes(void *data, int64_t row, uint8_t width, uint64_t bits)
{
    switch (width) {
    case 1:
        ((uint8_t *)data)[row] = (uint8_t)bits;
        break;
    case 2:
        ((uint16_t *)data)[row] = (uint16_t)bits;
        break;
    case 4:
        ((uint32_t *)data)[row] = (uint32_t)bits;
        break;
    default:
        ((uint64_t *)data)[row] = bits;
    }
}

static void store(struct ndshm__csv_column *column, int64_t row,
                  const union ndshm__csv_value *value)
{
    const struct ndshm__csv_type *type = &column->type;
    if (type->kind == NDSHM__CSV_BOOL)
        ((uint8_t *)column->data)[row / 8] |= (uint8_t)(value->u << (row % 8));
    else if (type->kind == NDSHM__CSV_DATE)
        store_bytes(column->data, row, type->width, (uint64_t)(value->i * type->scale));
    else
        store_bytes(column->data, row, type->width, value->u);
    mark_valid(column, row);
}

/* false: this column has no way to say so. */
static bool store_missing(struct ndshm__csv_column *column, int64_t row)
{
    union ndshm__csv_value nan = {.u = 0};
    switch (column->type.kind) {
    case NDSHM__CSV_FLOAT32:
        nan.f = NAN;
        break;
    case NDSHM__CSV_FLOAT64:
    case NDSHM__CSV_NOTHING:
        nan.d = (double)NAN;
        break;
    default:
        return column->validity != NULL;
    }
    if (!column->validity)
        store_bytes(column->data, row, column->type.width, nan.u);
    return true;
}

static int misfit(const struct ndshm__csv_reader *reader, const char *at, int32_t index,
                  const struct ndshm__csv_field *field)
{
    char why[128];
    if (reader->guessed)
        return NDSHM__CSV_MISFIT;
    snprintf(why, sizeof why, "does not fit the column's type \"%.60s\"",
             reader->columns[index].format);
    return ndshm__csv_fail(reader, at, index, field, why);
}

static int fill_text(struct ndshm__csv_reader *reader, int32_t index, int64_t row, const char **at)
{
    struct ndshm__csv_column *column = &reader->columns[index];
    struct ndshm__csv_field field;
    const char *begin = *at;
    int status = ndshm__csv_field(reader, at, index, &field);
    if (status)
        return status;
    column->offsets[row + 1] = column->used;
    if (ndshm__csv_is_missing(&reader->options, field.text, field.size))
        return 0; /* a bitmap was counted in */
    if (column->type.utf8 && !ndshm__utf8_valid(field.text, (size_t)field.size))
        return ndshm__csv_fail(reader, begin, index, &field,
                               "is not UTF-8; convert the file, or give the column the type \"z\"");
    column->used +=
        (int32_t)ndshm__csv_unquote(reader, &field, (char *)column->data + column->used);
    column->offsets[row + 1] = column->used;
    mark_valid(column, row);
    return 0;
}

/* At 2^53 it may be another integer that was rounded. */
static bool too_wide(const struct ndshm__csv_column *column, double value)
{
    return column->exact && fabs(value) >= 0x1p53;
}

/* Any spelling of a value: quoted, with blanks, missing. */
static int fill_slowly(struct ndshm__csv_reader *reader, int32_t index, int64_t row,
                       const char **at)
{
    struct ndshm__csv_column *column = &reader->columns[index];
    struct ndshm__csv_field field;
    union ndshm__csv_value value;
    const char *begin = *at;
    int status = ndshm__csv_field(reader, at, index, &field);
    if (status)
        return status;
    bool fits;
    if (ndshm__csv_is_missing(&reader->options, field.text, field.size)) {
        fits = store_missing(column, row);
    } else {
        fits = ndshm__csv_parse(&column->type, field.text, field.size, &value) &&
               !(reader->guessed && too_wide(column, value.d));
        if (fits)
            store(column, row, &value);
    }
    if (fits)
        return 0;
    return misfit(reader, begin, index, &field);
}

/* The common spelling: the value ends where its field ends. */
static const char *parse_directly(const struct ndshm__csv_reader *reader,
                                  const struct ndshm__csv_column *column, const char *at,
                                  union ndshm__csv_value *value)
{
    const char *end = reader->file.end;
    switch (column->type.kind) {
    case NDSHM__CSV_FLOAT64:
        at = ndshm__csv_float64(at, end, &value->d);
        if (at && (isnan(value->d) || too_wide(column, value->d)))
            return NULL;
        break;
    case NDSHM__CSV_INT:
        at = column->type.width == 8 ? ndshm__csv_int64(at, end, &value->i) : NULL;
        break;
    case NDSHM__CSV_DATE:
        at = ndshm__csv_date(at, end, &value->i);
        break;
    default:
        return NULL;
    }
    if (!at)
        return NULL;
    at += *at == '\r' && at[1] == '\n';
    return *at == reader->options.config.separator || *at == '\n' ? at : NULL;
}

static int fill_field(struct ndshm__csv_reader *reader, int32_t index, int64_t row, const char **at)
{
    struct ndshm__csv_column *column = &reader->columns[index];
    union ndshm__csv_value value;
    if (column->type.kind == NDSHM__CSV_TEXT)
        return fill_text(reader, index, row, at);
    const char *end =
        reader->options.missing_number ? NULL : parse_directly(reader, column, *at, &value);
    if (!end)
        return fill_slowly(reader, index, row, at);
    store(column, row, &value);
    *at = end;
    return 0;
}

static int fill_row(struct ndshm__csv_reader *reader, int64_t row, const char **at)
{
    int status = 0;
    for (int32_t i = 0; !status && i < reader->ncolumns; i++) {
        status = fill_field(reader, i, row, at);
        if (!status)
            status = ndshm__csv_next(reader, at, i);
    }
    return status;
}

/* Lines may be broken where they were only counted: then there are fewer rows, or more, and one of
 * them has too few or too many fields. */
int ndshm__csv_fill(struct ndshm__csv_reader *reader)
{
    const char *end = reader->file.end;
    const char *at = ndshm__csv_skip_empty(reader->data, end);
    for (int64_t row = 0; at < end && row < reader->rows; row++) {
        int status = fill_row(reader, row, &at);
        if (status)
            return status;
        at = ndshm__csv_skip_empty(at, end);
    }
    return 0;
}
