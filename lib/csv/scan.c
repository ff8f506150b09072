/* SPDX-License-Identifier: MIT */
/* Fields and lines. */
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "csv/csv.h"

enum { SHOWN = 40 };

static int64_t line_of(const struct ndshm__csv_reader *reader, const char *at)
{
    int64_t line = 1;
    const char *from = reader->file.begin;
    while ((from = memchr(from, '\n', (size_t)(at - from)))) {
        from++;
        line++;
    }
    return line;
}

/* For messages: one line of ASCII, cut. */
static void show(const struct ndshm__csv_field *field, char out[SHOWN + 4])
{
    size_t size = field->size < SHOWN ? (size_t)field->size : SHOWN;
    for (size_t i = 0; i < size; i++) {
        char c = field->text[i];
        out[i] = c >= ' ' && c <= '~' ? c : '?';
    }
    strcpy(out + size, field->size > SHOWN ? "..." : "");
}

int ndshm__csv_fail(const struct ndshm__csv_reader *reader, const char *at, int32_t column,
                    const struct ndshm__csv_field *field, const char *why)
{
    char text[SHOWN + 4] = "", name[SHOWN + 4] = "";
    struct ndshm__csv_field title = {.text = ""};
    if (column < reader->ncolumns && reader->columns[column].name)
        title = (struct ndshm__csv_field){.text = reader->columns[column].name,
                                          .size = (int64_t)strlen(reader->columns[column].name)};
    show(&title, name);
    if (field)
        show(field, text);
    return ndshm__fail(NDSHM_EPARSE, "'%.300s': line %lld, column %d%s%s%s: %s%s%s%s",
                       reader->file.path, (long long)line_of(reader, at), column + 1,
                       *name ? " ('" : "", name, *name ? "')" : "", field ? "'" : "", text,
                       field ? "' " : "", why);
}

/* The first of two bytes, by eight at a time; there is always a line feed. */
static const char *find_end(const char *at, char separator)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = UINT64_C(0x8080808080808080);
    const uint64_t separators = ones * (unsigned char)separator, feeds = ones * '\n';
    for (;; at += 8) {
        uint64_t eight;
        memcpy(&eight, at, sizeof eight);
        uint64_t a = eight ^ separators, b = eight ^ feeds;
        uint64_t found = ((a - ones) & ~a & tops) | ((b - ones) & ~b & tops);
        if (found)
            return at + __builtin_ctzll(found) / 8;
    }
}

static int quoted_field(const struct ndshm__csv_reader *reader, const char **at, int32_t column,
                        struct ndshm__csv_field *out)
{
    const char *opening = *at, *from = opening + 1, *end = reader->file.end;
    char quote = reader->options.config.quote;
    *out = (struct ndshm__csv_field){.text = from};
    const char *closing = memchr(from, quote, (size_t)(end - from));
    while (closing && closing[1] == quote) {
        out->doubled++;
        from = closing + 2;
        closing = memchr(from, quote, (size_t)(end - from));
    }
    out->size = (closing ? closing : end) - out->text;
    if (!closing)
        return ndshm__csv_fail(reader, opening, column, out,
                               "begins with a quote that is never closed");
    const char *next = closing + 1;
    next += *next == '\r' && next[1] == '\n';
    if (*next != '\n' && *next != reader->options.config.separator)
        return ndshm__csv_fail(reader, closing, column, out, "has text behind its closing quote");
    *at = next;
    return 0;
}

int ndshm__csv_field(const struct ndshm__csv_reader *reader, const char **at, int32_t column,
                     struct ndshm__csv_field *out)
{
    if (**at == reader->options.config.quote)
        return quoted_field(reader, at, column, out);
    const char *end = find_end(*at, reader->options.config.separator);
    out->text = *at;
    out->size = end - *at;
    out->doubled = 0;
    if (*end == '\n' && out->size > 0 && end[-1] == '\r')
        out->size--;
    *at = end;
    return 0;
}

int64_t ndshm__csv_unquote(const struct ndshm__csv_reader *reader,
                           const struct ndshm__csv_field *field, char *out)
{
    char quote = reader->options.config.quote;
    if (field->doubled == 0) {
        memcpy(out, field->text, (size_t)field->size);
        return field->size;
    }
    const char *from = field->text, *end = from + field->size;
    char *to = out;
    while (from < end) {
        *to++ = *from;
        from += *from == quote ? 2 : 1;
    }
    return to - out;
}

int ndshm__csv_ragged(const struct ndshm__csv_reader *reader, const char *at, int32_t column)
{
    char text[96];
    bool last = column + 1 == reader->ncolumns;
    if (last)
        snprintf(text, sizeof text, "the line has more than the %d fields of the first one",
                 reader->ncolumns);
    else
        snprintf(text, sizeof text, "the line has only %d of the %d fields of the first one",
                 column + 1, reader->ncolumns);
    return ndshm__csv_fail(reader, at, column + last, NULL, text);
}
