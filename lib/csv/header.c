/* SPDX-License-Identifier: MIT */
#include "csv/header.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base.h"
#include "base/os.h"
#include "frame/format.h"
#include "frame/frame.h"

static int no_memory(struct ndshm__csv_reader *reader)
{
    return ndshm__csv_fail_status(reader,
                                  ndshm__fail(-ENOMEM, "no memory for the names of its columns"));
}

static int fail_name(struct ndshm__csv_reader *reader, const char *at, int32_t column,
                     const struct ndshm__csv_field *field)
{
    if (*at != reader->options->quote && memchr(field->text, '\r', (size_t)field->size))
        return ndshm__csv_fail(reader, at, column, field,
                               "holds a carriage return without a line feed; convert the file's "
                               "line ends to LF or CRLF");
    return ndshm__csv_fail(reader, at, column, field, "is no name: not UTF-8, or with a NUL byte");
}

static int name_from_field(struct ndshm__csv_reader *reader, const char *at, int32_t column,
                           const struct ndshm__csv_field *field, char **out)
{
    char *name = ndshm__alloc((size_t)field->size + 1);
    if (!name)
        return no_memory(reader);
    size_t size = (size_t)ndshm__csv_unquote(reader, field, name);
    bool plain = *at == reader->options->quote || !memchr(name, '\r', size);
    if (plain && !memchr(name, 0, size) && ndshm__utf8_valid(name, size)) {
        *out = name;
        return 0;
    }
    free(name);
    return fail_name(reader, at, column, field);
}

static int name_from_number(struct ndshm__csv_reader *reader, int32_t column, char **out)
{
    char name[16];
    snprintf(name, sizeof name, "%d", column);
    *out = ndshm__duplicate(name);
    return *out ? 0 : no_memory(reader);
}

static int add(struct ndshm__csv_reader *reader, struct ndshm__csv_header *header, char *name)
{
    int32_t count = header->count;
    if ((count & (count - 1)) == 0) { /* room for a power of two */
        size_t room = count ? 2 * (size_t)count : 1;
        char **names = count < 1 << 28 ? ndshm__resize(header->names, room * sizeof name) : NULL;
        if (!names) {
            free(name);
            return no_memory(reader);
        }
        header->names = names;
    }
    header->names[header->count++] = name;
    return 0;
}

/* *end: behind the line. */
static int read_names(struct ndshm__csv_reader *reader, const char *at, bool numbers,
                      struct ndshm__csv_header *header, const char **end)
{
    struct ndshm__csv_field field;
    for (;; at++) {
        const char *begin = at;
        char *name = NULL;
        int status = ndshm__csv_field(reader, &at, header->count, &field);
        if (!status)
            status = numbers ? name_from_number(reader, header->count, &name)
                             : name_from_field(reader, begin, header->count, &field, &name);
        if (!status)
            status = add(reader, header, name);
        if (status)
            return status;
        if (*at == '\n')
            break;
    }
    *end = at + 1;
    return 0;
}

/* Passes over a byte-order mark, lines that are not wanted, and empty ones. */
static int find_header(const struct ndshm__csv_reader *reader, int64_t skip, const char **out)
{
    const struct ndshm__csv_window *window = &reader->window;
    const char *at = window->begin, *end = window->end;
    if (end - at >= 3 && memcmp(at, "\xEF\xBB\xBF", 3) == 0)
        at += 3;
    for (; skip > 0 && at < end; skip--) {
        const char *feed = memchr(at, '\n', (size_t)(end - at));
        at = feed ? feed + 1 : end;
    }
    at = ndshm__csv_skip_empty(at, end);
    *out = at;
    if (at + 1 < end || (window->whole && at < end))
        return 0;
    return window->whole ? NDSHM_EPARSE : NDSHM__CSV_SHORT;
}

static int try_header(struct ndshm__csv_reader *reader, const ndshm_csv_config *config,
                      int64_t reach, struct ndshm__csv_header *header)
{
    const char *at, *end;
    int status = ndshm__csv_window(reader, 0, reach < reader->size ? reach : reader->size, false);
    if (!status)
        status = find_header(reader, config->skip, &at);
    if (status == NDSHM_EPARSE)
        return ndshm__csv_fail(reader, reader->window.begin, 0, NULL, "the file is empty");
    bool numbers = config->flags & NDSHM_CSV_NO_HEADER;
    if (!status)
        status = read_names(reader, at, numbers, header, &end);
    if (status)
        return status;
    int64_t data = ndshm__csv_offset(reader, numbers ? at : end);
    header->data = data < reader->size ? data : reader->size; /* a last line may have no end */
    return 0;
}

int ndshm__csv_header(struct ndshm__csv_reader *reader, const ndshm_csv_config *config,
                      struct ndshm__csv_header *out)
{
    int status = NDSHM__CSV_SHORT;
    for (int64_t reach = 1 << 14; status == NDSHM__CSV_SHORT; reach *= 4) {
        ndshm__csv_header_free(out);
        status = try_header(reader, config, reach, out);
    }
    return status;
}

void ndshm__csv_header_free(struct ndshm__csv_header *header)
{
    for (int32_t i = 0; i < header->count; i++)
        free(header->names[i]);
    free(header->names);
    *header = (struct ndshm__csv_header){0};
}

/* --- what the config says --- */

int64_t ndshm__csv_texts(const struct ndshm__csv_header *header, const ndshm_csv_config *config)
{
    int64_t bytes = (int64_t)strlen(config->missing) + 64;
    for (int32_t i = 0; i < header->count; i++)
        bytes += (int64_t)strlen(header->names[i]) + 1;
    for (int32_t i = 0; i < config->ntypes; i++)
        bytes += (int64_t)strlen(config->types[2 * i + 1]) + 1;
    for (int32_t i = 0; i < config->ndates; i++)
        bytes += (int64_t)strlen(config->dates[2 * i + 1]) + 16;
    return bytes;
}

static int not_there(const char *what, const char *name)
{
    return ndshm__fail(-EINVAL, "%s names the column '%.40s', which is not there", what, name);
}

static int apply_types(struct ndshm__csv_reader *reader, const ndshm_csv_config *config)
{
    for (int32_t i = 0; i < config->ntypes; i++) {
        uint32_t format = ndshm__csv_plan_text(reader->plan, config->types[2 * i + 1]);
        bool found = false;
        for (int32_t j = 0; j < reader->ncolumns; j++)
            if (strcmp(ndshm__csv_name(reader, j), config->types[2 * i]) == 0) {
                reader->columns[j].given = format;
                found = true;
            }
        if (!found)
            return not_there("types", config->types[2 * i]);
    }
    return 0;
}

/* Of a format without a given type. */
static const char *date_type(const char *format)
{
    bool time = false, zone = false;
    ndshm__csv_strptime_check(format, &time, &zone);
    return zone ? "tsn:UTC" : time ? "tsn:" : "tdD";
}

static int apply_date(struct ndshm__csv_reader *reader, int32_t column, uint32_t format)
{
    struct ndshm__csv_column *found = &reader->columns[column];
    struct ndshm__csv_type type;
    if (!found->given)
        found->given = ndshm__csv_plan_text(reader->plan, date_type(reader->texts + format));
    ndshm__csv_type_of(ndshm__csv_format(reader, column), &type);
    found->date = format;
    if (type.kind == NDSHM__CSV_DATE || type.kind == NDSHM__CSV_TIME)
        return 0;
    return ndshm__fail(-EINVAL, "column '%.40s' has a format of dates and the type '%.40s'",
                       ndshm__csv_name(reader, column), ndshm__csv_format(reader, column));
}

static int apply_dates(struct ndshm__csv_reader *reader, const ndshm_csv_config *config)
{
    for (int32_t i = 0; i < config->ndates; i++) {
        uint32_t format = ndshm__csv_plan_text(reader->plan, config->dates[2 * i + 1]);
        bool found = false;
        for (int32_t j = 0; j < reader->ncolumns && !found; j++) {
            if (strcmp(ndshm__csv_name(reader, j), config->dates[2 * i]) != 0)
                continue;
            int status = apply_date(reader, j, format);
            if (status)
                return status;
            found = true;
        }
        if (!found)
            return not_there("dates", config->dates[2 * i]);
    }
    return 0;
}

static int apply_columns(struct ndshm__csv_reader *reader, const ndshm_csv_config *config)
{
    for (int32_t j = 0; config->ncolumns > 0 && j < reader->ncolumns; j++)
        reader->columns[j].unused = true;
    for (int32_t i = 0; i < config->ncolumns; i++) {
        bool found = false;
        for (int32_t j = 0; j < reader->ncolumns; j++)
            if (strcmp(ndshm__csv_name(reader, j), config->columns[i]) == 0) {
                reader->columns[j].unused = false;
                found = true;
            }
        if (!found)
            return not_there("columns", config->columns[i]);
    }
    return 0;
}

static int apply_index(struct ndshm__csv_reader *reader, const ndshm_csv_config *config)
{
    int32_t index = config->index;
    if (index == 0)
        return 0;
    if (index < 0 || index > reader->ncolumns)
        return ndshm__fail(-EINVAL, "index is %d, but 1 + the number of a column is 0 to %d", index,
                           reader->ncolumns);
    reader->columns[index - 1].name = ndshm__csv_plan_text(reader->plan, ndshm_frame_index_name());
    reader->columns[index - 1].unused = false;
    return 0;
}

int ndshm__csv_describe_columns(struct ndshm__csv_reader *reader,
                                const struct ndshm__csv_header *header,
                                const ndshm_csv_config *config)
{
    struct ndshm__csv_plan *plan = reader->plan;
    plan->missing_words = ndshm__csv_plan_text(plan, config->missing);
    reader->missing_words = reader->texts + plan->missing_words;
    for (int32_t i = 0; i < reader->ncolumns; i++) {
        reader->columns[i].name = ndshm__csv_plan_text(plan, header->names[i]);
        reader->columns[i].possible = NDSHM__CSV_FITS_ALL;
    }
    int status = apply_types(reader, config);
    if (!status)
        status = apply_dates(reader, config);
    if (!status)
        status = apply_columns(reader, config);
    return status ? status : apply_index(reader, config);
}
