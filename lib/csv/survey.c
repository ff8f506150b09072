/* SPDX-License-Identifier: MIT */
/* The first pass: rows of a chunk, and what they hold. */
#include <errno.h>

#include "base/base.h"
#include "csv/csv.h"

enum {
    SAMPLE = 1 << 13, /* bytes that are looked at closely in each chunk */
    FIRST_SAMPLE_MIN = 1 << 12,
    FIRST_SAMPLE_MAX = 1 << 17,
    FIRST_SAMPLE_SHARE = 16,
    SLACK = 1 << 14 /* read beyond the chunk for its last row */
};

struct walk {
    struct ndshm__csv_reader *reader;
    struct ndshm__csv_seen *seen;
    const char *at; /* a row begins there */
    int64_t rows;
};

static int look_at_row(struct walk *walk, bool closely)
{
    struct ndshm__csv_reader *reader = walk->reader;
    struct ndshm__csv_field field;
    const char *at = walk->at;
    for (int32_t i = 0; i < reader->ncolumns; i++) {
        const struct ndshm__csv_column *column = &reader->columns[i];
        int status = ndshm__csv_field(reader, &at, i, &field);
        if (!status && !column->unused && (closely || column->type.kind == NDSHM__CSV_TEXT))
            ndshm__csv_look_at(reader, column, &field, &walk->seen[i]);
        if (!status)
            status = ndshm__csv_next(reader, &at, i);
        if (status)
            return status;
    }
    walk->at = at;
    walk->rows++;
    return 0;
}

/* To the next row, or the end of the text. */
static int skip_empty(struct walk *walk)
{
    const struct ndshm__csv_window *window = &walk->reader->window;
    walk->at = ndshm__csv_skip_empty(walk->at, window->end);
    return walk->at + 1 < window->end || window->whole ? 0 : NDSHM__CSV_SHORT;
}

/* Rows that begin before stop. */
static int look_at_rows(struct walk *walk, const char *stop, bool closely)
{
    int status = skip_empty(walk);
    while (!status && walk->at < stop) {
        status = look_at_row(walk, closely);
        if (!status)
            status = skip_empty(walk);
    }
    return status;
}

static bool has_text(const struct ndshm__csv_reader *reader)
{
    for (int32_t i = 0; i < reader->ncolumns; i++)
        if (reader->columns[i].type.kind == NDSHM__CSV_TEXT && !reader->columns[i].unused)
            return true;
    return false;
}

/* Where no field has quotes, lines are rows; the last one may have quotes behind stop. */
static int count_rows(struct walk *walk, const char *stop)
{
    const char *last;
    if (walk->at >= stop)
        return 0;
    walk->rows += ndshm__csv_count_lines(walk->at, stop, &last) - 1;
    walk->at = last;
    return look_at_rows(walk, stop, false);
}

static int look_at_chunk(struct walk *walk, const char *stop)
{
    const struct ndshm__csv_reader *reader = walk->reader;
    bool deep = reader->plan->deep;
    int64_t left = stop - walk->at;
    if (left <= 0)
        return skip_empty(walk);
    bool lines =
        !deep && !has_text(reader) && !memchr(walk->at, reader->options->quote, (size_t)left);
    int64_t closely = deep ? left : reader->plan->nchunks == 1 ? 0 : SAMPLE;
    int status = look_at_rows(walk, walk->at + (closely < left ? closely : left), true);
    if (!status)
        status = lines ? count_rows(walk, stop) : look_at_rows(walk, stop, false);
    return status;
}

/* With a window that reaches so far behind the chunk. */
static int try_chunk(struct walk *walk, int32_t index, int64_t first, int64_t slack)
{
    struct ndshm__csv_reader *reader = walk->reader;
    const struct ndshm__csv_plan *plan = reader->plan;
    int64_t begin = plan->data + index * plan->chunk_size, end = begin + plan->chunk_size;
    int64_t from = first >= 0 ? first : begin - 1, size = reader->size;
    if (end > size)
        end = size;
    int status = ndshm__csv_window(reader, from, slack < size - end ? end + slack : size, false);
    if (status)
        return status;
    const struct ndshm__csv_window *window = &reader->window;
    ndshm__csv_seen_reset(walk->seen, reader->ncolumns);
    walk->rows = 0;
    walk->at = first >= 0 ? window->begin : ndshm__csv_guess_row(reader, window->begin + 1);
    status = skip_empty(walk);
    reader->chunks[index].first = ndshm__csv_offset(reader, walk->at);
    const char *stop = end == size ? window->end : window->begin + (end - from);
    return status ? status : look_at_chunk(walk, stop);
}

void ndshm__csv_survey(struct ndshm__csv_reader *reader, int32_t index, int64_t first)
{
    struct ndshm__csv_chunk *chunk = &reader->chunks[index];
    struct walk walk = {.reader = reader, .seen = ndshm__csv_seen_of(reader, index)};
    int status = NDSHM__CSV_SHORT;
    for (int64_t slack = SLACK; status == NDSHM__CSV_SHORT; slack *= 4)
        status = try_chunk(&walk, index, first, slack);
    chunk->rows = walk.rows;
    chunk->next = status ? chunk->first : ndshm__csv_offset(reader, walk.at);
    chunk->error = reader->error;
    if (!status)
        chunk->error.status = 0;
}

int ndshm__csv_sample(struct ndshm__csv_reader *reader)
{
    const struct ndshm__csv_plan *plan = reader->plan;
    struct walk walk = {.reader = reader, .seen = reader->seen};
    int64_t size = reader->size - plan->data, share = size / FIRST_SAMPLE_SHARE;
    share = share < FIRST_SAMPLE_MIN ? FIRST_SAMPLE_MIN : share;
    share = share > FIRST_SAMPLE_MAX ? FIRST_SAMPLE_MAX : share;
    int status = NDSHM__CSV_SHORT;
    for (int64_t slack = SLACK; status == NDSHM__CSV_SHORT; slack *= 4) {
        int64_t reach = share + slack < size ? share + slack : size;
        status = ndshm__csv_window(reader, plan->data, plan->data + reach, false);
        if (status)
            return status;
        const char *stop = reader->window.begin + share;
        ndshm__csv_seen_reset(walk.seen, reader->ncolumns);
        walk.at = reader->window.begin;
        status = look_at_rows(&walk, share < size ? stop : reader->window.end, true);
    }
    for (int32_t i = 0; i < reader->ncolumns; i++)
        ndshm__csv_seen_merge(&reader->columns[i], &walk.seen[i]);
    ndshm__csv_choose_types(reader);
    return status;
}

/* --- joining --- */

/* A chunk whose rows begin where the ones before end is believed; another one guessed wrong. */
static int join_chunk(struct ndshm__csv_reader *reader, int32_t index, int64_t *expected)
{
    struct ndshm__csv_chunk *chunk = &reader->chunks[index];
    int64_t end = reader->plan->data + (index + 1) * reader->plan->chunk_size;
    if (*expected >= end || *expected >= reader->size) {
        *chunk = (struct ndshm__csv_chunk){.first = *expected, .next = *expected};
        ndshm__csv_seen_reset(ndshm__csv_seen_of(reader, index), reader->ncolumns);
        return 0;
    }
    if (chunk->first != *expected)
        ndshm__csv_survey(reader, index, *expected);
    if (chunk->error.status) {
        reader->error = chunk->error;
        return chunk->error.status;
    }
    if (chunk->next <= *expected || chunk->next > reader->size + 1 || chunk->rows < 0 ||
        chunk->rows > chunk->next - chunk->first)
        return ndshm__fail(NDSHM_ECORRUPT, "the findings of part %d make no sense", index);
    *expected = chunk->next;
    return 0;
}

static int place_rows(struct ndshm__csv_reader *reader, int64_t *rows)
{
    int64_t expected = reader->chunks[0].first;
    for (int32_t i = 0; i < reader->plan->nchunks; i++) {
        int status = join_chunk(reader, i, &expected);
        if (status)
            return status;
        reader->chunks[i].row = *rows;
        *rows += reader->chunks[i].rows;
    }
    return 0;
}

static void place_texts(struct ndshm__csv_reader *reader)
{
    for (int32_t i = 0; i < reader->ncolumns; i++)
        reader->columns[i].text_bytes = 0;
    for (int32_t chunk = 0; chunk < reader->plan->nchunks; chunk++) {
        struct ndshm__csv_seen *seen = ndshm__csv_seen_of(reader, chunk);
        for (int32_t i = 0; i < reader->ncolumns; i++) {
            struct ndshm__csv_column *column = &reader->columns[i];
            ndshm__csv_seen_merge(column, &seen[i]);
            seen[i].text = column->text_bytes;
            column->text_bytes += seen[i].text_bytes;
        }
    }
}

int ndshm__csv_join(struct ndshm__csv_reader *reader, int64_t *rows)
{
    *rows = 0;
    int status = place_rows(reader, rows);
    if (!status)
        place_texts(reader);
    return status;
}
