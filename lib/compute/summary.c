/* SPDX-License-Identifier: MIT */
#include "compute/summary.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"
#include "compute/numbers.h"
#include "frame/values.h"
#include "frame/view.h"

static_assert(sizeof(struct ndshm__summary) == NDSHM__SUMMARY_WORDS * 8, "summary");

static int no_memory(const struct ndshm__reader *reader)
{
    return ndshm__fail(-ENOMEM, "no memory for the values of column '%.40s'", reader->column.name);
}

/* Points and lengths of time; not times of day, which have no mean. */
static bool is_time(const struct ndshm__reader *reader)
{
    const char *format = reader->column.format;
    return !reader->keyed && format[0] == 't' && strchr("dDs", format[1]);
}

/* --- numbers --- */

static int summarise_numbers(const ndshm_column *column, struct ndshm__summary *out)
{
    double statistics[NDSHM__STATISTICS];
    int status = ndshm__describe_column(column, statistics);
    if (status)
        return status;
    out->count = (int64_t)statistics[0];
    for (int i = 0; i < NDSHM__SUMMARY_VALUES; i++)
        out->values[i].number = statistics[i + 1];
    return 0;
}

/* --- times --- */

static int ascending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Linear interpolation, rounded down; the place is share quarters of the way. */
static int64_t quantile(const int64_t *sorted, int64_t count, int share)
{
    __int128 place = (__int128)(count - 1) * share;
    int64_t low = (int64_t)(place / 4), part = (int64_t)(place % 4);
    if (part == 0)
        return sorted[low];
    __int128 step = ((__int128)sorted[low + 1] - sorted[low]) * part;
    return (int64_t)(sorted[low] + step / 4);
}

static int64_t deviation(const int64_t *ticks, int64_t count, int64_t mean)
{
    struct ndshm__sum squares = {0};
    for (int64_t i = 0; i < count; i++) {
        double value = (double)ticks[i] - (double)mean;
        value *= value;
        ndshm__sum_add(&squares, &value, 1);
    }
    return count > 1 ? (int64_t)sqrt(ndshm__sum_result(&squares) / (double)(count - 1)) : 0;
}

static void summarise_ticks(int64_t *ticks, struct ndshm__summary *out)
{
    __int128 sum = 0;
    int64_t count = out->count;
    for (int64_t i = 0; i < count; i++)
        sum += ticks[i];
    out->values[NDSHM__MEAN].ticks = (int64_t)(sum / count - (sum % count < 0));
    out->values[NDSHM__STD].ticks = deviation(ticks, count, out->values[NDSHM__MEAN].ticks);
    qsort(ticks, (size_t)count, sizeof *ticks, ascending);
    for (int i = 0; i <= 4; i++)
        out->values[NDSHM__MIN + i].ticks = quantile(ticks, count, i);
}

static int summarise_times(const struct ndshm__reader *reader, struct ndshm__summary *out)
{
    int64_t *ticks = ndshm__alloc((size_t)reader->column.rows * sizeof *ticks + 1);
    const void *data;
    int64_t size;
    if (!ticks)
        return no_memory(reader);
    for (int64_t row = 0; row < reader->column.rows; row++)
        if (ndshm__reader_at(reader, row, &data, &size))
            ticks[out->count++] = ndshm__integer(data, (int32_t)size, true);
    if (out->count > 0)
        summarise_ticks(ticks, out);
    free(ticks);
    return 0;
}

/* --- everything else that can be told apart --- */

static int summarise_keys(const struct ndshm__reader *reader, struct ndshm__summary *out)
{
    struct ndshm__values values = {0};
    const void *data;
    int64_t size;
    for (int64_t row = 0; row < reader->column.rows; row++) {
        if (!ndshm__reader_at(reader, row, &data, &size))
            continue;
        if (!ndshm__values_add(&values, data, size, row)) {
            ndshm__values_clear(&values);
            return no_memory(reader);
        }
        out->count++;
    }
    out->unique = values.count;
    for (int64_t i = 0; i < values.count; i++)
        if (values.entries[i].count > out->freq) {
            out->freq = values.entries[i].count;
            out->top = values.entries[i].tag;
        }
    ndshm__values_clear(&values);
    return 0;
}

int ndshm__summarise(const ndshm_frame *frame, int index, struct ndshm__summary *out)
{
    struct ndshm__reader reader;
    *out = (struct ndshm__summary){.kind = NDSHM__SUMMARY_OTHER};
    bool flat = ndshm__reader_open(&reader, frame, index);
    if (!flat) {
        out->count = ndshm__column_count(&reader.column);
        return 0;
    }
    if (ndshm__is_number(&reader.column)) {
        out->kind = NDSHM__SUMMARY_NUMBERS;
        return summarise_numbers(&reader.column, out);
    }
    out->kind = is_time(&reader) ? NDSHM__SUMMARY_TIMES : NDSHM__SUMMARY_KEYS;
    return out->kind == NDSHM__SUMMARY_TIMES ? summarise_times(&reader, out)
                                             : summarise_keys(&reader, out);
}
