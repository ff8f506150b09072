/* SPDX-License-Identifier: MIT */
/* The first line, and what the config says about its columns. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"
#include "csv/csv.h"
#include "frame/frame.h"

static int count_columns(struct ndshm__csv_reader *reader)
{
    struct ndshm__csv_field field;
    int64_t count = 0;
    for (const char *at = reader->data;; at++) {
        int status = ndshm__csv_field(reader, &at, (int32_t)count, &field);
        if (status)
            return status;
        if (++count == INT32_MAX)
            return ndshm__csv_fail(reader, at, (int32_t)count, NULL, "too many columns");
        if (*at == '\n')
            break;
    }
    reader->columns = ndshm__alloc((size_t)count * sizeof *reader->columns);
    if (!reader->columns)
        return ndshm__fail(-ENOMEM, "'%s': no memory for %lld columns", reader->file.path,
                           (long long)count);
    reader->ncolumns = (int32_t)count;
    return 0;
}

static int no_memory(const struct ndshm__csv_reader *reader)
{
    return ndshm__fail(-ENOMEM, "'%s': no memory for the names of its columns", reader->file.path);
}

static int name_from_field(struct ndshm__csv_reader *reader, const char *at, int32_t column,
                           const struct ndshm__csv_field *field)
{
    if (*at != reader->options.config.quote && memchr(field->text, '\r', (size_t)field->size))
        return ndshm__csv_fail(reader, at, column, field,
                               "holds a carriage return without a line feed; convert the file's "
                               "line ends to LF or CRLF");
    char *name = ndshm__alloc((size_t)field->size + 1);
    if (!name)
        return no_memory(reader);
    size_t size = (size_t)ndshm__csv_unquote(reader, field, name);
    if (!memchr(name, 0, size) && ndshm__utf8_valid(name, size)) {
        reader->columns[column].name = name;
        return 0;
    }
    free(name);
    return ndshm__csv_fail(reader, at, column, field, "is no name: not UTF-8, or with a NUL byte");
}

static int names_from_header(struct ndshm__csv_reader *reader)
{
    struct ndshm__csv_field field;
    const char *at = reader->data;
    int status = 0;
    for (int32_t i = 0; !status && i < reader->ncolumns; i++) {
        const char *begin = at;
        status = ndshm__csv_field(reader, &at, i, &field);
        if (!status)
            status = name_from_field(reader, begin, i, &field);
        at++;
    }
    reader->data = at;
    return status;
}

static int names_from_numbers(struct ndshm__csv_reader *reader)
{
    char name[16];
    for (int32_t i = 0; i < reader->ncolumns; i++) {
        snprintf(name, sizeof name, "%d", i);
        reader->columns[i].name = ndshm__duplicate(name);
        if (!reader->columns[i].name)
            return no_memory(reader);
    }
    return 0;
}

static int apply_types(struct ndshm__csv_reader *reader)
{
    const ndshm_csv_config *config = &reader->options.config;
    for (int32_t i = 0; i < config->ntypes; i++) {
        bool found = false;
        for (int32_t j = 0; j < reader->ncolumns; j++)
            if (strcmp(reader->columns[j].name, config->types[2 * i]) == 0) {
                reader->columns[j].given = config->types[2 * i + 1];
                found = true;
            }
        if (!found)
            return ndshm__fail(-EINVAL, "'%s': types names the column '%.40s', which is not there",
                               reader->file.path, config->types[2 * i]);
    }
    return 0;
}

static int apply_index(struct ndshm__csv_reader *reader)
{
    int32_t index = reader->options.config.index;
    if (index == 0)
        return 0;
    if (index < 0 || index > reader->ncolumns)
        return ndshm__fail(-EINVAL, "'%s': index is %d, but 1 + the number of a column is 0 to %d",
                           reader->file.path, index, reader->ncolumns);
    char *name = ndshm__duplicate(ndshm_frame_index_name());
    if (!name)
        return no_memory(reader);
    free(reader->columns[index - 1].name);
    reader->columns[index - 1].name = name;
    return 0;
}

int ndshm__csv_header(struct ndshm__csv_reader *reader)
{
    reader->data = ndshm__csv_skip_empty(reader->file.begin, reader->file.end);
    if (reader->data == reader->file.end)
        return ndshm__fail(NDSHM_EPARSE, "'%s': line 1, column 1: the file is empty",
                           reader->file.path);
    int status = count_columns(reader);
    if (!status)
        status = reader->options.config.flags & NDSHM_CSV_NO_HEADER ? names_from_numbers(reader)
                                                                    : names_from_header(reader);
    if (!status)
        status = apply_types(reader);
    return status ? status : apply_index(reader);
}
