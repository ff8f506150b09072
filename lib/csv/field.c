/* SPDX-License-Identifier: MIT */
/* Fields and lines. */
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "csv/csv.h"

enum { SHOWN = 40 };

/* For messages: one line of ASCII, cut. */
static void show(const struct ndshm__csv_field *field, char *out)
{
    size_t size = field->size < SHOWN ? (size_t)field->size : SHOWN;
    for (size_t i = 0; i < size; i++) {
        char c = field->text[i];
        out[i] = c >= ' ' && c <= '~' ? c : '?';
    }
    strcpy(out + size, field->size > SHOWN ? "..." : "");
}

int ndshm__csv_fail(struct ndshm__csv_reader *reader, const char *at, int32_t column,
                    const struct ndshm__csv_field *field, const char *why)
{
    struct ndshm__csv_error *error = &reader->error;
    *error = (struct ndshm__csv_error){
        .status = NDSHM_EPARSE, .column = column, .at = ndshm__csv_offset(reader, at)};
    if (field) {
        error->text[0] = '\'';
        show(field, error->text + 1);
        strcat(error->text, "' ");
    }
    ndshm__text_copy(error->why, sizeof error->why, why);
    return NDSHM_EPARSE;
}

int ndshm__csv_fail_status(struct ndshm__csv_reader *reader, int status)
{
    const char *message = ndshm_error_message(), *why = strstr(message, ": ");
    reader->error = (struct ndshm__csv_error){.status = status, .at = -1};
    ndshm__text_copy(reader->error.why, sizeof reader->error.why, why ? why + 2 : message);
    return status;
}

static uint64_t size_bit(int64_t size)
{
    return UINT64_C(1) << (size < 63 ? size : 63);
}

static bool is_word(const char *words, const char *text, int64_t size)
{
    for (;;) {
        size_t length = strcspn(words, "\n");
        if (length == (size_t)size && memcmp(words, text, length) == 0)
            return true;
        if (!words[length])
            return false;
        words += length + 1;
    }
}

bool ndshm__csv_is_missing(const struct ndshm__csv_reader *reader, const char *text, int64_t size)
{
    const struct ndshm__csv_options *options = reader->options;
    if (size == 0)
        return options->missing_empty;
    return options->missing_sizes[(unsigned char)*text] & size_bit(size) &&
           is_word(reader->missing_words, text, size);
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

static int quoted_field(struct ndshm__csv_reader *reader, const char **at, int32_t column,
                        struct ndshm__csv_field *out)
{
    const char *opening = *at, *from = opening + 1, *end = reader->window.end;
    char quote = reader->options->quote;
    *out = (struct ndshm__csv_field){.text = from};
    const char *closing = memchr(from, quote, (size_t)(end - from));
    while (closing && closing[1] == quote) {
        out->doubled++;
        from = closing + 2;
        closing = from < end ? memchr(from, quote, (size_t)(end - from)) : NULL;
    }
    out->size = (closing ? closing : end) - out->text;
    if (!closing && !reader->window.whole)
        return NDSHM__CSV_SHORT;
    if (!closing)
        return ndshm__csv_fail(reader, opening, column, out,
                               "begins with a quote that is never closed");
    const char *next = closing + 1;
    next += *next == '\r' && next[1] == '\n';
    if (*next != '\n' && *next != reader->options->separator)
        return ndshm__csv_fail(reader, closing, column, out, "has text behind its closing quote");
    *at = next;
    return 0;
}

int ndshm__csv_field(struct ndshm__csv_reader *reader, const char **at, int32_t column,
                     struct ndshm__csv_field *out)
{
    if (**at == reader->options->quote) {
        int status = quoted_field(reader, at, column, out);
        if (status)
            return status;
    } else {
        const char *end = find_end(*at, reader->options->separator);
        out->text = *at;
        out->size = end - *at;
        out->doubled = 0;
        if (*end == '\n' && out->size > 0 && end[-1] == '\r')
            out->size--;
        *at = end;
    }
    return *at >= reader->window.end && !reader->window.whole ? NDSHM__CSV_SHORT : 0;
}

int64_t ndshm__csv_unquote(const struct ndshm__csv_reader *reader,
                           const struct ndshm__csv_field *field, char *out)
{
    char quote = reader->options->quote;
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

int ndshm__csv_ragged(struct ndshm__csv_reader *reader, const char *at, int32_t column)
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
