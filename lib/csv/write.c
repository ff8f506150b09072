/* SPDX-License-Identifier: MIT */
/* From a frame to a file. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/base.h"
#include "base/os.h"
#include "csv/csv.h"
#include "frame/frame.h"

enum { PIECE = 1 << 16, VALUE_MAX = 64 };

struct writer {
    const char *path;
    int fd;
    ndshm_csv_config csv;
    struct ndshm__csv_type *types;
    ndshm_column *columns;
    int ncolumns;
    char *buffer;
    int64_t used;
};

static int flush(struct writer *writer)
{
    int status = ndshm__os_write_output(writer->fd, writer->buffer, writer->used);
    writer->used = 0;
    return status
               ? ndshm__fail(status, "'%s': writing it: %s", writer->path, ndshm_strerror(status))
               : 0;
}

static int put(struct writer *writer, const char *text, int64_t size)
{
    while (size > 0) {
        int64_t room = PIECE - writer->used, part = size < room ? size : room;
        memcpy(writer->buffer + writer->used, text, (size_t)part);
        writer->used += part;
        text += part;
        size -= part;
        int status = writer->used == PIECE ? flush(writer) : 0;
        if (status)
            return status;
    }
    return 0;
}

/* --- values as text --- */

/* The fewest digits that are read back as the same number. */
static int show_float(double value, bool single, char decimal, char out[VALUE_MAX])
{
    int size = 0, last = single ? 9 : 17;
    for (int digits = single ? 6 : 15; digits <= last; digits++) {
        float back;
        double wide;
        memset(out, 0, VALUE_MAX);
        size = snprintf(out, VALUE_MAX, "%.*g", digits, value);
        bool same;
        if (single)
            same = ndshm__csv_float32(out, out + size, &back) && (double)back == value;
        else
            same = ndshm__csv_float64(out, out + size, &wide) && wide == value;
        if (same)
            break;
    }
    if (!isfinite(value) || strpbrk(out, ".e"))
        for (char *at = out; *at; at++)
            *at = *at == '.' ? decimal : *at;
    else /* so that it is no integer */
        size += snprintf(out + size, (size_t)(VALUE_MAX - size), "%c0", decimal);
    return size;
}

static int show_date(int64_t days, char out[VALUE_MAX])
{
    int year, month, day;
    ndshm__csv_civil(days, &year, &month, &day);
    return snprintf(out, VALUE_MAX, "%04d-%02d-%02d", year, month, day);
}

/* Rounded down. */
static int64_t divide(int64_t value, int64_t by, int64_t *rest)
{
    *rest = value % by + (value % by < 0 ? by : 0);
    return (value - *rest) / by;
}

static int show_time(int64_t ticks, const struct ndshm__csv_type *type, char out[VALUE_MAX])
{
    int64_t a_second = 1000000000 / type->scale, part, second;
    int64_t days = divide(divide(ticks, a_second, &part), 86400, &second);
    int size = show_date(days, out), decimals = 0;
    size += snprintf(out + size, (size_t)(VALUE_MAX - size), " %02d:%02d:%02d",
                     (int)(second / 3600), (int)(second / 60 % 60), (int)(second % 60));
    for (int64_t unit = a_second; unit > 1; unit /= 10)
        decimals++;
    if (part)
        size += snprintf(out + size, (size_t)(VALUE_MAX - size), ".%0*" PRId64, decimals, part);
    if (type->zone)
        out[size++] = 'Z';
    return size;
}

static int64_t load_int(const ndshm_column *column, uint8_t width, int64_t i)
{
    switch (width) {
    case 1:
        return ((const int8_t *)column->data)[i];
    case 2:
        return ((const int16_t *)column->data)[i];
    case 4:
        return ((const int32_t *)column->data)[i];
    default:
        return ((const int64_t *)column->data)[i];
    }
}

static uint64_t without_sign(int64_t value, uint8_t width)
{
    return width == 8 ? (uint64_t)value : (uint64_t)value & ((UINT64_C(1) << (8 * width)) - 1);
}

static int show(const struct writer *writer, int index, int64_t i, char out[VALUE_MAX])
{
    const ndshm_column *column = &writer->columns[index];
    const struct ndshm__csv_type *type = &writer->types[index];
    const uint8_t *bits = column->data;
    int64_t rest;
    switch (type->kind) {
    case NDSHM__CSV_INT:
        return snprintf(out, VALUE_MAX, "%" PRId64, load_int(column, type->width, i));
    case NDSHM__CSV_UINT:
        return snprintf(out, VALUE_MAX, "%" PRIu64,
                        without_sign(load_int(column, type->width, i), type->width));
    case NDSHM__CSV_FLOAT32:
        return show_float((double)((const float *)column->data)[i], true, writer->csv.decimal, out);
    case NDSHM__CSV_FLOAT64:
        return show_float(((const double *)column->data)[i], false, writer->csv.decimal, out);
    case NDSHM__CSV_DATE:
        return show_date(divide(load_int(column, type->width, i), type->scale, &rest), out);
    case NDSHM__CSV_TIME:
        return show_time(load_int(column, 8, i), type, out);
    default:
        return snprintf(out, VALUE_MAX, "%s", bits[i / 8] >> i % 8 & 1 ? "true" : "false");
    }
}

/* --- fields --- */

/* Text that means something else without quotes. */
static bool needs_quotes(const struct writer *writer, const char *text, int64_t size)
{
    if (size == 0)
        return true;
    for (int64_t i = 0; i < size; i++)
        if (text[i] == writer->csv.separator || text[i] == writer->csv.quote || text[i] == '\n' ||
            text[i] == '\r')
            return true;
    return false;
}

static int put_text(struct writer *writer, const char *text, int64_t size)
{
    char quote = writer->csv.quote;
    if (!needs_quotes(writer, text, size))
        return put(writer, text, size);
    int status = put(writer, &quote, 1);
    for (int64_t i = 0, from = 0; !status && i < size; i++) {
        if (text[i] != quote && i + 1 < size)
            continue;
        status = put(writer, text + from, i + 1 - from);
        from = i + 1;
        if (!status && text[i] == quote)
            status = put(writer, &quote, 1);
    }
    return status ? status : put(writer, &quote, 1);
}

static int put_string(struct writer *writer, const ndshm_column *column, int64_t i)
{
    const int32_t *offsets = column->offsets;
    int32_t from = offsets[i], to = offsets[i + 1];
    if (from < 0 || to < from)
        return ndshm__fail(NDSHM_ECORRUPT, "column '%.40s': impossible offsets", column->name);
    return put_text(writer, (const char *)column->data + from, to - from);
}

static int put_value(struct writer *writer, int index, int64_t row)
{
    const ndshm_column *column = &writer->columns[index];
    char text[VALUE_MAX];
    int64_t i = column->offset + row * column->step;
    if (column->validity && !(column->validity[i / 8] >> i % 8 & 1))
        return 0;
    if (writer->types[index].kind == NDSHM__CSV_TEXT)
        return put_string(writer, column, i);
    int size = show(writer, index, i, text);
    if (memcmp(text, "nan", 3) == 0 || memcmp(text, "-nan", 4) == 0)
        return 0;
    return put_text(writer, text, size);
}

static int put_row(struct writer *writer, int64_t row)
{
    int64_t begin = writer->used;
    int status = 0;
    for (int i = 0; !status && i < writer->ncolumns; i++) {
        if (i > 0)
            status = put(writer, &writer->csv.separator, 1);
        if (!status && row >= 0)
            status = put_value(writer, i, row);
        else if (!status)
            status =
                put_text(writer, writer->columns[i].name, (int64_t)strlen(writer->columns[i].name));
    }
    bool empty = writer->ncolumns == 1 && writer->used == begin; /* an empty line is no row */
    if (!status && empty)
        status = put_text(writer, "", 0);
    return status ? status : put(writer, "\n", 1);
}

static int put_rows(struct writer *writer, int64_t rows)
{
    int status = writer->csv.flags & NDSHM_CSV_NO_HEADER ? 0 : put_row(writer, -1);
    for (int64_t row = 0; !status && row < rows; row++)
        status = put_row(writer, row);
    return status ? status : flush(writer);
}

/* --- files --- */

/* A new file beside the path takes its place when it is whole. */
static int replace_file(struct writer *writer, int64_t rows)
{
    uint64_t random;
    int status = ndshm__os_random(&random, sizeof random);
    size_t size = strlen(writer->path) + 32;
    char *draft = status ? NULL : ndshm__alloc(size);
    if (!draft)
        return ndshm__fail(status ? status : -ENOMEM, "'%s': no memory for a name", writer->path);
    snprintf(draft, size, "%s.%016" PRIx64 ".tmp", writer->path, random);
    writer->fd = ndshm__os_open_output(draft, true);
    if (writer->fd < 0) {
        status =
            ndshm__fail(writer->fd, "'%s': creating it: %s", draft, ndshm_strerror(writer->fd));
        free(draft);
        return status;
    }
    status = put_rows(writer, rows);
    ndshm__os_close(writer->fd);
    if (!status) {
        status = ndshm__os_replace(draft, writer->path);
        if (status)
            ndshm__fail(status, "'%s': naming it: %s", writer->path, ndshm_strerror(status));
    }
    if (status)
        ndshm__os_remove(draft);
    free(draft);
    return status;
}

static int write_into(struct writer *writer, int64_t rows)
{
    bool standard = strcmp(writer->path, "-") == 0;
    writer->fd =
        standard ? ndshm__os_duplicate(STDOUT_FILENO) : ndshm__os_open_output(writer->path, false);
    if (writer->fd < 0)
        return ndshm__fail(writer->fd, "'%s': opening it: %s", writer->path,
                           ndshm_strerror(writer->fd));
    int status = put_rows(writer, rows);
    ndshm__os_close(writer->fd);
    return status;
}

/* 1: neither a file nor a directory, nor to be replaced by one. */
static int is_special(const char *path)
{
    struct stat file;
    if (strcmp(path, "-") == 0)
        return 1;
    int status = ndshm__os_stat_path(path, &file);
    if (status == -ENOENT)
        return 0;
    if (status)
        return ndshm__fail(status, "'%s': looking at it: %s", path, ndshm_strerror(status));
    return !S_ISREG(file.st_mode) && !S_ISDIR(file.st_mode);
}

static int write_file(struct writer *writer, int64_t rows)
{
    int special = is_special(writer->path);
    if (special < 0)
        return special;
    return special ? write_into(writer, rows) : replace_file(writer, rows);
}

static int prepare(struct writer *writer, const ndshm_frame *frame)
{
    int count = ndshm__frame_schema(frame)->columns;
    writer->columns = ndshm__alloc((size_t)count * sizeof *writer->columns);
    writer->types = ndshm__alloc((size_t)count * sizeof *writer->types);
    writer->buffer = ndshm__alloc(PIECE);
    writer->ncolumns = count;
    if (!writer->columns || !writer->types || !writer->buffer)
        return ndshm__fail(-ENOMEM, "'%s': no memory to write it", writer->path);
    for (int i = 0; i < count; i++) {
        ndshm_column *column = &writer->columns[i];
        ndshm__frame_column(frame, i, column);
        if (!ndshm__csv_type_of(column->format, &writer->types[i]) ||
            (writer->types[i].kind == NDSHM__CSV_TEXT && !writer->types[i].utf8))
            return ndshm__fail(NDSHM_EDTYPE,
                               "column '%.40s': values of the type \"%.40s\" have no "
                               "text",
                               column->name, column->format);
        if (ndshm__frame_is_index(column->name))
            column->name = "";
    }
    return 0;
}

int ndshm_frame_to_csv(const ndshm_frame *frame, const char *path, const ndshm_csv_config *csv)
{
    ndshm__begin("ndshm_frame_to_csv");
    struct writer writer = {.path = path, .fd = -1};
    if (!frame || !path)
        return ndshm__fail(-EINVAL, "frame or path is NULL");
    struct ndshm__csv_options options;
    int status = ndshm__csv_options(csv, &writer.csv, &options);
    if (!status)
        status = prepare(&writer, frame);
    if (!status)
        status = write_file(&writer, frame->rows);
    free(writer.columns);
    free(writer.types);
    free(writer.buffer);
    return status;
}
