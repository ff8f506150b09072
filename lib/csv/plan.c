/* SPDX-License-Identifier: MIT */
/* The block of memory that the processes share, and a view of it. */
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "csv/csv.h"

/* The sizes of its parts; false: more than fits. */
static bool part(int64_t count, int64_t size, int64_t *at, int64_t *end)
{
    int64_t bytes;
    *at = *end;
    return ndshm__mul(count, size, &bytes) && ndshm__add(*end, bytes, end) &&
           ndshm__align(*end, 64, end);
}

static bool lay_out(struct ndshm__csv_plan *plan, int32_t ncolumns, int32_t nchunks, int64_t texts,
                    int64_t *bytes)
{
    int64_t end = (sizeof *plan + 63) & ~(size_t)63;
    bool fits =
        part(ncolumns, sizeof(struct ndshm__csv_column), &plan->columns, &end) &&
        part(nchunks, sizeof(struct ndshm__csv_chunk), &plan->chunks, &end) &&
        part((int64_t)ncolumns * nchunks, sizeof(struct ndshm__csv_seen), &plan->seen, &end) &&
        part(1, texts, &plan->texts, &end);
    *bytes = end;
    return fits;
}

int ndshm__csv_plan_size(int32_t ncolumns, int32_t nchunks, int64_t texts, int64_t *bytes)
{
    struct ndshm__csv_plan plan;
    return lay_out(&plan, ncolumns, nchunks, texts, bytes) ? 0 : -1;
}

void ndshm__csv_plan_lay_out(struct ndshm__csv_plan *plan, int32_t ncolumns, int32_t nchunks,
                             int64_t bytes)
{
    int64_t end;
    lay_out(plan, ncolumns, nchunks, 0, &end);
    plan->bytes = bytes;
    plan->ncolumns = ncolumns;
    plan->nchunks = nchunks;
    plan->texts_used = 1; /* offset 0 means none, and is the empty text */
}

static bool inside(int64_t at, int64_t count, int64_t size, int64_t bytes)
{
    int64_t length, end;
    return at >= (int64_t)sizeof(struct ndshm__csv_plan) && count >= 0 && at % 8 == 0 &&
           ndshm__mul(count, size, &length) && ndshm__add(at, length, &end) && end <= bytes;
}

bool ndshm__csv_plan_view(struct ndshm__csv_plan *plan, int64_t bytes,
                          struct ndshm__csv_reader *out)
{
    char *base = (char *)plan;
    if (bytes < (int64_t)sizeof *plan || plan->ncolumns < 0 || plan->nchunks < 0 ||
        !inside(plan->columns, plan->ncolumns, sizeof(struct ndshm__csv_column), bytes) ||
        !inside(plan->chunks, plan->nchunks, sizeof(struct ndshm__csv_chunk), bytes) ||
        !inside(plan->seen, (int64_t)plan->ncolumns * plan->nchunks, sizeof(struct ndshm__csv_seen),
                bytes) ||
        !inside(plan->texts, plan->texts_used, 1, bytes) || plan->missing_words < 0 ||
        plan->missing_words >= plan->texts_used)
        return false;
    out->plan = plan;
    out->options = &plan->options;
    out->columns = (struct ndshm__csv_column *)(base + plan->columns);
    out->chunks = (struct ndshm__csv_chunk *)(base + plan->chunks);
    out->seen = (struct ndshm__csv_seen *)(base + plan->seen);
    out->texts = base + plan->texts;
    out->missing_words = out->texts + plan->missing_words;
    out->ncolumns = plan->ncolumns;
    out->size = plan->size;
    return true;
}

static bool check_type(const struct ndshm__csv_type *type)
{
    bool scaled = type->kind == NDSHM__CSV_DATE || type->kind == NDSHM__CSV_TIME;
    if (type->kind >= NDSHM__CSV_BOOL)
        return type->kind <= NDSHM__CSV_TEXT;
    return (type->width == 1 || type->width == 2 || type->width == 4 || type->width == 8) &&
           (!scaled || type->scale > 0);
}

static bool check_column(const struct ndshm__csv_reader *reader, int32_t index)
{
    const struct ndshm__csv_column *column = &reader->columns[index];
    int64_t texts = reader->plan->texts_used;
    return column->name < texts && column->given < texts && column->date < texts &&
           memchr(column->inferred, '\0', sizeof column->inferred) && check_type(&column->type);
}

/* Each row takes a byte at least, its line feed; the last one may have none. */
static bool check_found(const struct ndshm__csv_reader *reader, int32_t index)
{
    const struct ndshm__csv_chunk *chunk = &reader->chunks[index];
    const struct ndshm__csv_seen *seen = ndshm__csv_seen_of(reader, index);
    int64_t size = reader->size;
    if (chunk->first < 0 || chunk->next < chunk->first || chunk->next - 1 > size ||
        chunk->rows < 0 || chunk->rows > chunk->next - chunk->first || chunk->row < 0 ||
        chunk->row > size)
        return false;
    for (int32_t i = 0; i < reader->ncolumns; i++)
        if (seen[i].text_bytes < 0 || seen[i].text_bytes > chunk->next - chunk->first ||
            seen[i].text < 0 || seen[i].text > INT32_MAX - seen[i].text_bytes)
            return false;
    return true;
}

bool ndshm__csv_plan_check(const struct ndshm__csv_reader *reader, int32_t chunk, bool fill)
{
    const struct ndshm__csv_plan *plan = reader->plan;
    if (chunk < 0 || chunk >= plan->nchunks || plan->chunk_size <= 0 || plan->data < 0 ||
        reader->size < plan->data || plan->texts_used < 1 ||
        reader->texts[plan->texts_used - 1] != '\0')
        return false;
    for (int32_t i = 0; i < reader->ncolumns; i++)
        if (!check_column(reader, i))
            return false;
    return !fill || check_found(reader, chunk);
}

uint32_t ndshm__csv_plan_text(struct ndshm__csv_plan *plan, const char *text)
{
    size_t size = strlen(text) + 1;
    int64_t at = plan->texts_used;
    memcpy((char *)plan + plan->texts + at, text, size);
    plan->texts_used += (int64_t)size;
    return (uint32_t)at;
}

const char *ndshm__csv_name(const struct ndshm__csv_reader *reader, int32_t column)
{
    return reader->texts + reader->columns[column].name;
}

const char *ndshm__csv_format(const struct ndshm__csv_reader *reader, int32_t column)
{
    const struct ndshm__csv_column *found = &reader->columns[column];
    const char *given = reader->texts + found->given;
    return found->given ? given + (*given == '?') : found->inferred;
}

void ndshm__csv_reader_free(struct ndshm__csv_reader *reader)
{
    free(reader->window.buffer);
    free(reader->arena);
    free(reader->buffers);
}
