/* SPDX-License-Identifier: MIT */
#include "frame/schema.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/os.h"

const char *ndshm__schema_text(const struct ndshm__schema *schema)
{
    return (const char *)(schema->records + schema->columns);
}

bool ndshm__schema_sizes(int64_t rows, const struct ndshm__format *format, bool nullable,
                         int64_t data_bytes, int64_t sizes[3])
{
    int64_t bits, bytes;
    if (!ndshm__mul(rows, format->bits ? format->bits : 32, &bits) ||
        !ndshm__add(bits, format->bits ? 7 : 32, &bytes))
        return false;
    sizes[0] = nullable ? rows / 8 + (rows % 8 != 0) : 0;
    sizes[1] = format->bits ? 0 : bytes / 8;
    sizes[2] = format->bits ? bytes / 8 : data_bytes;
    return true;
}

/* --- building --- */

static int check_spec(const ndshm_column_spec *spec, int index)
{
    struct ndshm__format format;
    if (!spec->name || !spec->format)
        return ndshm__fail(-EINVAL, "column %d: its name or format is NULL", index);
    if (!ndshm__utf8_valid(spec->name, strlen(spec->name)))
        return ndshm__fail(-EINVAL, "column %d: its name is not UTF-8", index);
    if (!ndshm__utf8_valid(spec->format, strlen(spec->format)) ||
        !ndshm__format_parse(spec->format + (*spec->format == '?'), &format))
        return ndshm__fail(NDSHM_EDTYPE,
                           "column %d ('%.40s'): '%.40s' is not a known Arrow format; \"g\" "
                           "(float64), \"l\" (int64) and \"u\" (string) are examples of known ones",
                           index, spec->name, spec->format);
    if (format.bits && spec->data_bytes)
        return ndshm__fail(-EINVAL,
                           "column %d ('%.40s'): data_bytes is only for \"u\" and \"z\"; it must "
                           "be 0 here",
                           index, spec->name);
    if (spec->data_bytes < 0 || spec->data_bytes > INT32_MAX)
        return ndshm__fail(NDSHM_ESHAPE,
                           "column %d ('%.40s'): %lld bytes of strings; a column has 0 to %d",
                           index, spec->name, (long long)spec->data_bytes, INT32_MAX);
    return 0;
}

/* Columns in a row with the same format share its text. */
static bool shares_format(const ndshm_column_spec *specs, int index)
{
    return index > 0 && strcmp(specs[index].format, specs[index - 1].format) == 0;
}

static const char *bare_format(const ndshm_column_spec *spec)
{
    return spec->format + (*spec->format == '?');
}

static int64_t text_bytes(const ndshm_column_spec *specs, int ncolumns)
{
    int64_t bytes = 0;
    for (int i = 0; i < ncolumns; i++) {
        bytes += (int64_t)strlen(specs[i].name) + 1;
        if (!shares_format(specs, i))
            bytes += (int64_t)strlen(bare_format(&specs[i])) + 1;
    }
    return (bytes + 7) & -8;
}

static uint32_t put(char *text, size_t *used, const char *value)
{
    size_t at = *used, size = strlen(value) + 1;
    memcpy(text + at, value, size);
    *used = at + size;
    return (uint32_t)at;
}

static void fill_records(struct ndshm__schema *schema, const ndshm_column_spec *specs)
{
    char *text = (char *)(schema->records + schema->columns);
    size_t used = 0;
    for (int i = 0; i < schema->columns; i++) {
        struct ndshm__column_record *record = &schema->records[i];
        record->name = put(text, &used, specs[i].name);
        record->format = shares_format(specs, i) ? schema->records[i - 1].format
                                                 : put(text, &used, bare_format(&specs[i]));
        record->flags = *specs[i].format == '?' ? NDSHM__COLUMN_NULLABLE : 0;
        record->data.size = specs[i].data_bytes;
    }
}

int ndshm__schema_build(int64_t rows, const ndshm_column_spec *specs, int ncolumns,
                        struct ndshm__schema **out, int64_t *size, int64_t *payload_size)
{
    if (rows < 0 || ncolumns < 0)
        return ndshm__fail(NDSHM_ESHAPE, "%lld rows and %d columns; neither can be negative",
                           (long long)rows, ncolumns);
    if (ncolumns > 0 && !specs)
        return ndshm__fail(-EINVAL, "columns is NULL");
    for (int i = 0; i < ncolumns; i++) {
        int status = check_spec(&specs[i], i);
        if (status)
            return status;
    }
    int64_t text_size = text_bytes(specs, ncolumns);
    int64_t records_size = (int64_t)sizeof(struct ndshm__column_record) * ncolumns;
    *size = (int64_t)sizeof(struct ndshm__schema) + records_size + text_size;
    if (*size > INT32_MAX)
        return ndshm__fail(NDSHM_ESHAPE, "%d columns: their description would take more than 2 GB",
                           ncolumns);
    struct ndshm__schema *schema = ndshm__alloc((size_t)*size);
    if (!schema)
        return ndshm__fail(-ENOMEM, "no memory for the description of %d columns", ncolumns);
    schema->rows = rows;
    schema->columns = ncolumns;
    schema->record_size = sizeof(struct ndshm__column_record);
    schema->text_size = text_size;
    fill_records(schema, specs);
    if (!ndshm__schema_layout(schema, payload_size)) {
        free(schema);
        return ndshm__fail(NDSHM_ESHAPE, "%lld rows of %d columns: more bytes than a file can have",
                           (long long)rows, ncolumns);
    }
    *out = schema;
    return 0;
}

/* --- checking --- */

static bool buffer_inside(const struct ndshm__buffer *buffer, int64_t size, int64_t payload_size)
{
    if (buffer->size != size || buffer->offset < 0 || buffer->offset % 64 != 0)
        return false;
    if (size == 0)
        return buffer->offset <= payload_size;
    return size <= payload_size && buffer->offset <= payload_size - size;
}

static const char *check_record(const struct ndshm__schema *schema,
                                const struct ndshm__column_record *record,
                                const struct ndshm__format *format, int64_t payload_size)
{
    bool nullable = record->flags & NDSHM__COLUMN_NULLABLE;
    int64_t sizes[3];
    if (record->name >= schema->text_size)
        return "a column's name lies outside of the text";
    if (record->flags & ~(uint32_t)NDSHM__COLUMN_NULLABLE || record->reserved || record->reserved2)
        return "a column has unknown flags";
    if (record->null_count < 0 || record->null_count > (nullable ? schema->rows : 0))
        return "a column has an impossible number of nulls";
    if (record->data.size < 0 || record->data.size > (format->bits ? INT64_MAX : INT32_MAX) ||
        !ndshm__schema_sizes(schema->rows, format, nullable, record->data.size, sizes))
        return "a column has an impossible size";
    if (!buffer_inside(&record->validity, sizes[0], payload_size) ||
        !buffer_inside(&record->offsets, sizes[1], payload_size) ||
        !buffer_inside(&record->data, sizes[2], payload_size))
        return "a column lies outside of the payload, or has another size than its rows";
    return NULL;
}

static const char *check_header(const struct ndshm__schema *schema, int64_t size)
{
    if (size < (int64_t)sizeof *schema)
        return "its schema is cut off";
    if (schema->record_size != sizeof *schema->records || schema->reserved)
        return "its schema is of an unknown kind";
    int64_t rest = size - (int64_t)sizeof *schema;
    if (schema->rows < 0 || schema->columns < 0 ||
        schema->columns > rest / (int64_t)sizeof *schema->records ||
        schema->text_size != rest - schema->columns * (int64_t)sizeof *schema->records)
        return "its schema has an impossible size";
    const char *text = ndshm__schema_text(schema);
    if (schema->columns > 0 && (schema->text_size == 0 || text[schema->text_size - 1] != '\0'))
        return "the text of its schema has no end";
    return NULL;
}

const char *ndshm__schema_check(const void *body, int64_t size, int64_t payload_size)
{
    const struct ndshm__schema *schema = body;
    struct ndshm__format format = {0};
    uint32_t known = UINT32_MAX; /* neighbours share their format's text */
    const char *wrong = check_header(schema, size);
    for (int i = 0; !wrong && i < schema->columns; i++) {
        const struct ndshm__column_record *record = &schema->records[i];
        if (record->format >= schema->text_size)
            return "a column's format lies outside of the text";
        if (record->format != known &&
            !ndshm__format_parse(ndshm__schema_text(schema) + record->format, &format))
            return "a column's format is unknown";
        known = record->format;
        wrong = check_record(schema, record, &format, payload_size);
    }
    return wrong;
}
