/* SPDX-License-Identifier: MIT */
/* The second pass: values of a chunk into its columns. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "csv/csv.h"
#include "frame/format.h"

/* A column of the chunk at work. */
struct cell {
    const struct ndshm__csv_column *column;
    struct ndshm__csv_buffers *to;
    int64_t row; /* within the chunk */
    int64_t bit; /* likewise, in buffers of bits */
};

static void mark_valid(const struct cell *cell)
{
    if (cell->to->validity)
        cell->to->validity[cell->bit / 8] |= (uint8_t)(1u << (cell->bit % 8));
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

static void store(const struct cell *cell, const union ndshm__csv_value *value)
{
    const struct ndshm__csv_type *type = &cell->column->type;
    if (type->kind == NDSHM__CSV_BOOL)
        ((uint8_t *)cell->to->data)[cell->bit / 8] |= (uint8_t)(value->u << (cell->bit % 8));
    else if (type->kind == NDSHM__CSV_DATE)
        store_bytes(cell->to->data, cell->row, type->width, (uint64_t)(value->i * type->scale));
    else
        store_bytes(cell->to->data, cell->row, type->width, value->u);
    mark_valid(cell);
}

/* false: this column has no way to say so. */
static bool store_missing(const struct cell *cell)
{
    const struct ndshm__csv_type *type = &cell->column->type;
    union ndshm__csv_value nothing = {.u = 0};
    bool has_nan = true;
    if (type->kind == NDSHM__CSV_FLOAT32)
        nothing.f = NAN;
    else if (type->kind == NDSHM__CSV_FLOAT64 || type->kind == NDSHM__CSV_NOTHING)
        nothing.d = (double)NAN;
    else
        has_nan = false;
    if (cell->to->validity)
        nothing.u = 0;
    else if (!has_nan)
        return false;
    if (type->kind == NDSHM__CSV_TEXT)
        cell->to->offsets[cell->row + 1] = (int32_t)cell->to->used;
    else if (type->kind != NDSHM__CSV_BOOL)
        store_bytes(cell->to->data, cell->row, type->width, nothing.u);
    return true;
}

static int misfit(struct ndshm__csv_reader *reader, const char *at, int32_t index,
                  const struct ndshm__csv_field *field)
{
    char why[128];
    snprintf(why, sizeof why, "does not fit the column's type \"%.60s\"",
             ndshm__csv_format(reader, index));
    return ndshm__csv_fail(reader, at, index, field, why);
}

static int changed(struct ndshm__csv_reader *reader)
{
    return ndshm__csv_fail_status(reader, ndshm__fail(-ESTALE, "it was changed while it was read"));
}

static int fill_text(struct ndshm__csv_reader *reader, const struct cell *cell, int32_t index,
                     int64_t room, const char **at)
{
    struct ndshm__csv_buffers *to = cell->to;
    struct ndshm__csv_field field;
    const char *begin = *at;
    int status = ndshm__csv_field(reader, at, index, &field);
    if (status)
        return status;
    if (ndshm__csv_is_missing(reader, field.text, field.size))
        return store_missing(cell) ? 0 : changed(reader);
    if (cell->column->type.utf8 && !ndshm__utf8_valid(field.text, (size_t)field.size))
        return ndshm__csv_fail(reader, begin, index, &field,
                               "is not UTF-8; convert the file, or give the column the type \"z\"");
    if (field.size - field.doubled > room - to->used)
        return changed(reader);
    to->used += ndshm__csv_unquote(reader, &field, to->data + to->used);
    to->offsets[cell->row + 1] = (int32_t)to->used;
    mark_valid(cell);
    return 0;
}

/* At 2^53 it may be another integer that was rounded. */
static bool too_wide(const struct ndshm__csv_column *column, double value)
{
    return column->exact && fabs(value) >= 0x1p53;
}

static bool parse_marked(const struct ndshm__csv_reader *reader, const struct cell *cell,
                         const struct ndshm__csv_field *field, union ndshm__csv_value *value)
{
    const struct ndshm__csv_options *options = reader->options;
    char plain[NDSHM__CSV_NUMBER_MAX + 8];
    if (field->size > NDSHM__CSV_NUMBER_MAX)
        return false;
    int64_t size = ndshm__csv_plain_number(options->decimal, options->thousands, field->text,
                                           field->size, plain);
    return size >= 0 && ndshm__csv_parse(&cell->column->type, plain, size, value);
}

static bool parse(const struct ndshm__csv_reader *reader, const struct cell *cell,
                  const struct ndshm__csv_field *field, union ndshm__csv_value *value)
{
    const struct ndshm__csv_column *column = cell->column;
    if (column->date)
        return ndshm__csv_parse_date(&column->type, reader->texts + column->date, field->text,
                                     field->size, value);
    if (column->type.kind <= NDSHM__CSV_FLOAT64 && !reader->options->plain_numbers)
        return parse_marked(reader, cell, field, value);
    return ndshm__csv_parse(&column->type, field->text, field->size, value);
}

/* Any spelling of a value: quoted, with blanks, missing. */
static int fill_slowly(struct ndshm__csv_reader *reader, const struct cell *cell, int32_t index,
                       const char **at)
{
    struct ndshm__csv_field field;
    union ndshm__csv_value value;
    const char *begin = *at;
    int status = ndshm__csv_field(reader, at, index, &field);
    if (status)
        return status;
    bool fits;
    if (ndshm__csv_is_missing(reader, field.text, field.size)) {
        fits = store_missing(cell);
    } else {
        fits = parse(reader, cell, &field, &value) &&
               !(reader->plan->guessed && too_wide(cell->column, value.d));
        if (fits)
            store(cell, &value);
    }
    return fits ? 0 : misfit(reader, begin, index, &field);
}

/* The common spelling: the value ends where its field ends. */
static const char *parse_directly(const struct ndshm__csv_reader *reader,
                                  const struct ndshm__csv_column *column, const char *at,
                                  union ndshm__csv_value *value)
{
    const char *end = reader->window.end;
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
        at = column->date ? NULL : ndshm__csv_date(at, end, &value->i);
        break;
    default:
        return NULL;
    }
    if (!at)
        return NULL;
    at += *at == '\r' && at[1] == '\n';
    return *at == reader->options->separator || *at == '\n' ? at : NULL;
}

/* Passes over a field that nobody wants. */
static int pass(struct ndshm__csv_reader *reader, int32_t index, const char **at)
{
    struct ndshm__csv_field field;
    return ndshm__csv_field(reader, at, index, &field);
}

static int fill_field(struct ndshm__csv_reader *reader, const struct cell *cell, int32_t index,
                      int64_t room, bool directly, const char **at)
{
    union ndshm__csv_value value;
    if (cell->column->unused)
        return pass(reader, index, at);
    if (cell->column->type.kind == NDSHM__CSV_TEXT)
        return fill_text(reader, cell, index, room, at);
    const char *end = directly ? parse_directly(reader, cell->column, *at, &value) : NULL;
    if (!end)
        return fill_slowly(reader, cell, index, at);
    store(cell, &value);
    *at = end;
    return 0;
}

static int fill_row(struct ndshm__csv_reader *reader, struct ndshm__csv_seen *seen, int64_t row,
                    const char **at)
{
    bool directly = reader->options->plain_numbers && !reader->options->missing_number;
    int status = 0;
    for (int32_t i = 0; !status && i < reader->ncolumns; i++) {
        struct cell cell = {&reader->columns[i], &reader->buffers[i], row, reader->bit + row};
        status = fill_field(reader, &cell, i, seen[i].text_bytes, directly, at);
        if (!status)
            status = ndshm__csv_next(reader, at, i);
    }
    return status;
}

static int fill_rows(struct ndshm__csv_reader *reader, int32_t index)
{
    const struct ndshm__csv_chunk *chunk = &reader->chunks[index];
    struct ndshm__csv_seen *seen = ndshm__csv_seen_of(reader, index);
    const char *end = reader->window.end, *at = ndshm__csv_skip_empty(reader->window.begin, end);
    int64_t row = 0;
    for (; at < end; row++) {
        if (row == chunk->rows)
            return changed(reader);
        int status = fill_row(reader, seen, row, &at);
        if (status)
            return status;
        at = ndshm__csv_skip_empty(at, end);
    }
    return row == chunk->rows ? 0 : changed(reader);
}

/* Text begins where that of the chunks before ends. */
static int shift_offsets(struct ndshm__csv_reader *reader, int32_t index)
{
    const struct ndshm__csv_seen *seen = ndshm__csv_seen_of(reader, index);
    for (int32_t i = 0; i < reader->ncolumns; i++) {
        const struct ndshm__csv_buffers *buffers = &reader->buffers[i];
        if (reader->columns[i].unused || reader->columns[i].type.kind != NDSHM__CSV_TEXT)
            continue;
        if (buffers->used != seen[i].text_bytes)
            return changed(reader);
        for (int64_t row = 1; row <= reader->chunks[index].rows && seen[i].text; row++)
            buffers->offsets[row] += (int32_t)seen[i].text;
    }
    return 0;
}

void ndshm__csv_fill(struct ndshm__csv_reader *reader, int32_t index)
{
    struct ndshm__csv_chunk *chunk = &reader->chunks[index];
    int64_t next = chunk->next < reader->size ? chunk->next : reader->size;
    if (chunk->rows == 0)
        return;
    int status = ndshm__csv_window(reader, chunk->first, next, true);
    if (!status)
        status = ndshm__csv_buffers(reader, index);
    if (!status)
        status = fill_rows(reader, index);
    if (!status)
        status = shift_offsets(reader, index);
    if (!status)
        status = ndshm__csv_place(reader, index);
    chunk->error = status ? reader->error : (struct ndshm__csv_error){0};
}
