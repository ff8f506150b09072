/* SPDX-License-Identifier: MIT */
/* A CSV file and its options, against a reader that does one field after the other. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

#include <ndshm/csv.h>

enum { TYPES = 2, WORD = 16, REPEATS = 40, SIZE_MAX_ = 1 << 16 };

struct order {
    ndshm_csv_config config;
    const char *types[2 * TYPES];
    char *missing;
    char *text;
    size_t size;
};

static void make_config(struct fuzz_input *input, struct order *order)
{
    static const char separators[] = {0, ',', ';', '\t', '|', ' '};
    static const char quotes[] = {0, '"', '\'', '~'};
    static const char *const names[] = {"a", "b", "0", "1"};
    static const char *const formats[] = {"l",       "?l",   "g",   "u", "?u", "c",
                                          "C",       "s",    "z",   "b", "f",  "tdD",
                                          "tsn:UTC", "tss:", "tdm", "S", "L",  "?"};
    ndshm_csv_config *config = &order->config;
    ndshm_csv_config_init(config);
    uint8_t odd = fuzz_byte(input);
    config->flags = odd == 1 ? fuzz_byte(input) : fuzz_below(input, 2) * NDSHM_CSV_NO_HEADER;
    config->separator = odd == 2 ? (char)fuzz_byte(input) : separators[fuzz_below(input, 6)];
    config->quote = odd == 3 ? (char)fuzz_byte(input) : quotes[fuzz_below(input, 4)];
    config->index = odd == 4 ? (int32_t)fuzz_number(input) : (int32_t)fuzz_below(input, 2);
    config->ntypes = odd >= 5 && odd < 64 ? odd % (TYPES + 1) : 0;
    config->types = order->types;
    for (int i = 0; i < config->ntypes; i++) {
        order->types[2 * i] = names[fuzz_below(input, 4)];
        order->types[2 * i + 1] = formats[fuzz_below(input, 18)];
    }
    order->missing = NULL;
    if (fuzz_below(input, 4) == 1) {
        char words[WORD];
        fuzz_bytes(input, words, sizeof words);
        config->missing = order->missing = strndup(words, sizeof words);
    }
}

/* The first line, and what follows often enough that not all of it is looked at closely. */
static void make_text(struct fuzz_input *input, struct order *order)
{
    size_t times = fuzz_below(input, 8) == 1 ? 1 + fuzz_below(input, REPEATS) : 1;
    const uint8_t *feed = input->size ? memchr(input->data, '\n', input->size) : NULL;
    size_t head = feed ? (size_t)(feed + 1 - input->data) : input->size, rest = input->size - head;
    while (times > 1 && head + times * rest > SIZE_MAX_)
        times /= 2;
    order->size = head + times * rest;
    order->text = malloc(order->size + 1);
    if (input->size)
        memcpy(order->text, input->data, head);
    for (size_t i = 0; i < times && rest; i++)
        memcpy(order->text + head + i * rest, input->data + head, rest);
    order->text[order->size] = '\0';
}

/* --- the plain reader --- */

struct reader {
    const struct order *order;
    const char *at, *end;
    char separator, quote;
};

struct field {
    const char *raw; /* as in the file, without the quotes around it */
    size_t raw_size, size;
    bool last;  /* of its line */
    char *text; /* with each pair of quotes made one; to be freed */
};

static void reader_begin(struct reader *reader, const struct order *order)
{
    *reader = (struct reader){order, order->text, order->text + order->size, ',', '"'};
    if (order->config.separator)
        reader->separator = order->config.separator;
    if (order->config.quote)
        reader->quote = order->config.quote;
    if (order->size >= 3 && memcmp(order->text, "\xEF\xBB\xBF", 3) == 0)
        reader->at += 3;
}

static bool at_break(const struct reader *reader)
{
    bool pair = reader->at + 1 < reader->end && reader->at[0] == '\r' && reader->at[1] == '\n';
    return reader->at == reader->end || *reader->at == '\n' || pair ||
           (reader->at[0] == '\r' && reader->at + 1 == reader->end);
}

static void pass_break(struct reader *reader)
{
    if (reader->at < reader->end && *reader->at == '\r')
        reader->at++;
    if (reader->at < reader->end && *reader->at == '\n')
        reader->at++;
}

/* false: there is no further line. */
static bool next_line(struct reader *reader)
{
    while (reader->at < reader->end && at_break(reader))
        pass_break(reader);
    return reader->at < reader->end;
}

static void take_quoted(struct reader *reader, struct field *out)
{
    out->raw = ++reader->at;
    for (;; reader->at++) {
        FUZZ_CHECK(reader->at < reader->end);
        if (*reader->at == reader->quote) {
            if (reader->at + 1 == reader->end || reader->at[1] != reader->quote)
                break;
            reader->at++;
        }
        out->text[out->size++] = *reader->at;
    }
    out->raw_size = (size_t)(reader->at++ - out->raw);
}

static void take_field(struct reader *reader, struct field *out)
{
    *out =
        (struct field){.raw = reader->at, .text = malloc((size_t)(reader->end - reader->at) + 1)};
    if (reader->at < reader->end && *reader->at == reader->quote) {
        take_quoted(reader, out);
    } else {
        while (!at_break(reader) && *reader->at != reader->separator)
            out->text[out->size++] = *reader->at++;
        out->raw_size = out->size;
    }
    out->text[out->size] = '\0';
    out->last = at_break(reader);
    if (out->last)
        pass_break(reader);
    else
        FUZZ_CHECK(*reader->at++ == reader->separator);
}

static bool is_missing(const struct order *order, const struct field *field)
{
    const char *words = order->missing ? order->missing : "\nNA\nN/A\nNaN\nnan\nNULL\nnull\nNone";
    for (;; words++) {
        size_t size = strcspn(words, "\n");
        if (size == field->raw_size && memcmp(words, field->raw, size) == 0)
            return true;
        words += size;
        if (!*words)
            return false;
    }
}

/* --- values --- */

static const char *trimmed(const struct field *field, char out[64])
{
    size_t begin = 0, end = field->size;
    while (begin < end && strchr(" \t", field->text[begin]))
        begin++;
    while (end > begin && strchr(" \t", field->text[end - 1]))
        end--;
    if (end - begin > 63)
        return NULL;
    memcpy(out, field->text + begin, end - begin);
    out[end - begin] = '\0';
    return out;
}

static void check_float(const ndshm_column *column, int64_t row, const struct field *field)
{
    char text[64], *end;
    double got = ((const double *)column->data)[row];
    if (!trimmed(field, text))
        return;
    double wanted = strtod(text, &end);
    FUZZ_CHECK(end > text && !*end);
    FUZZ_CHECK(isnan(wanted) ? isnan(got) : wanted == got && signbit(wanted) == signbit(got));
}

static void check_int(const ndshm_column *column, int64_t row, const struct field *field)
{
    char text[64], *end;
    if (!trimmed(field, text))
        return;
    errno = 0;
    long long wanted = strtoll(text, &end, 10);
    FUZZ_CHECK(end > text && !*end && !errno);
    FUZZ_CHECK(wanted == ((const int64_t *)column->data)[row]);
}

static void check_date(const ndshm_column *column, int64_t row, const struct field *field)
{
    struct tm date = {0};
    char text[64];
    const char *end = trimmed(field, text) ? strptime(text, "%Y-%m-%d", &date) : NULL;
    FUZZ_CHECK(end && !*end);
    int64_t seconds = timegm(&date);
    FUZZ_CHECK(seconds == ((const int32_t *)column->data)[row] * INT64_C(86400));
}

static void check_bool(const ndshm_column *column, int64_t row, const struct field *field)
{
    bool got = ((const uint8_t *)column->data)[row / 8] >> row % 8 & 1;
    FUZZ_CHECK(strcasecmp(field->text, got ? "true" : "false") == 0);
}

static void check_text(const ndshm_column *column, int64_t row, const struct field *field)
{
    const int32_t *offsets = column->offsets;
    FUZZ_CHECK((size_t)(offsets[row + 1] - offsets[row]) == field->size);
    FUZZ_CHECK(memcmp((const char *)column->data + offsets[row], field->text, field->size) == 0);
}

static void check_value(const struct order *order, const ndshm_column *column, int64_t row,
                        const struct field *field)
{
    static const struct {
        const char *format;
        void (*check)(const ndshm_column *, int64_t, const struct field *);
    } checks[] = {{"g", check_float}, {"l", check_int},  {"b", check_bool},
                  {"u", check_text},  {"z", check_text}, {"tdD", check_date}};
    bool valid = !column->validity || column->validity[row / 8] >> row % 8 & 1;
    if (is_missing(order, field)) {
        bool nan = *column->format == 'g' && isnan(((const double *)column->data)[row]);
        FUZZ_CHECK(!valid || nan || *column->format == 'f');
        return;
    }
    FUZZ_CHECK(valid);
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++)
        if (strcmp(checks[i].format, column->format) == 0)
            checks[i].check(column, row, field);
}

static void check_row(struct reader *reader, const ndshm_frame *frame, int64_t row)
{
    int columns = ndshm_frame_columns(frame);
    for (int i = 0; i < columns; i++) {
        ndshm_column column;
        struct field field;
        FUZZ_CHECK(ndshm_frame_column(frame, i, &column) == 0);
        take_field(reader, &field);
        FUZZ_CHECK(field.last == (i == columns - 1));
        if (row >= 0)
            check_value(reader->order, &column, row, &field);
        else if (i != reader->order->config.index - 1)
            FUZZ_CHECK(strcmp(column.name, field.text) == 0);
        free(field.text);
    }
}

static void check_frame(const struct order *order, const ndshm_frame *frame)
{
    struct reader reader;
    reader_begin(&reader, order);
    int64_t row = order->config.flags & NDSHM_CSV_NO_HEADER ? 0 : -1;
    for (; next_line(&reader); row++)
        check_row(&reader, frame, row);
    FUZZ_CHECK(row == ndshm_frame_rows(frame));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    struct order order = {.size = 0};
    ndshm_frame *frame = NULL;
    char path[FUZZ_PATH];
    make_config(&input, &order);
    make_text(&input, &order);
    int fd = fuzz_file(order.text, order.size, path);
    int status = ndshm_frame_from_csv(NULL, NULL, path, &order.config, NULL, &frame);
    close(fd);
    FUZZ_CHECK(status == 0 || status == NDSHM_EPARSE || status == NDSHM_EDTYPE ||
               status == -EINVAL);
    if (status == 0)
        check_frame(&order, frame);
    ndshm_frame_detach(&frame);
    free(order.text);
    free(order.missing);
    return 0;
}
