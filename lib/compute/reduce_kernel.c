/* SPDX-License-Identifier: MIT */
/* Elements into partial results, and these into each other. Sums are plain within a block of at
 * most 32 additions on each element, and compensated (Neumaier) between blocks; squares are taken
 * about the mean of their block and joined as Chan, Golub and LeVeque do. */
#include "compute/reduce.h"

#include <math.h>
#include <string.h>

#include "base/base.h"

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3") /* loops over elements become vector instructions */
#endif

enum { LANES = 8 };

typedef union ndshm__word word;

static bool is_least(const struct ndshm__reduction *reduction)
{
    return reduction->op == NDSHM_REDUCE_MIN || reduction->op == NDSHM_REDUCE_ARGMIN;
}

static bool is_place(const struct ndshm__reduction *reduction)
{
    return reduction->op == NDSHM_REDUCE_ARGMIN || reduction->op == NDSHM_REDUCE_ARGMAX;
}

static bool is_missing(const struct ndshm__reduction *reduction, word value)
{
    return reduction->real ? isnan(value.d) : reduction->times && value.i == reduction->missing;
}

/* --- joining --- */

static void add_sum(struct ndshm__partial *into, double sum)
{
    double total = into->a.d + sum;
    if (fabs(into->a.d) >= fabs(sum))
        into->b.d += (into->a.d - total) + sum;
    else
        into->b.d += (sum - total) + into->a.d;
    into->a.d = total;
}

static void add_whole(struct ndshm__partial *into, int64_t sum)
{
    into->a.i = (int64_t)((uint64_t)into->a.i + (uint64_t)sum);
}

static void add_squares(struct ndshm__partial *into, double mean, double squares, int64_t n)
{
    if (n == 0)
        return;
    double all = (double)(into->n + n), delta = mean - into->a.d;
    if (into->n == 0) {
        into->a.d = mean;
        into->b.d = squares;
    } else {
        into->b.d += squares + delta * delta * ((double)into->n * (double)n / all);
        into->a.d += delta * ((double)n / all);
    }
    into->n += n;
}

/* Whether value comes before the extreme that is known; NaN before all else, and stays. */
static inline bool is_better(const struct ndshm__reduction *reduction, word known, word value,
                             bool least)
{
    if (reduction->real)
        return !isnan(known.d) &&
               (isnan(value.d) || (least ? value.d < known.d : value.d > known.d));
    return least ? value.i < known.i : value.i > known.i;
}

static void add_extreme(const struct ndshm__reduction *reduction, struct ndshm__partial *into,
                        word value, int64_t index, int64_t n)
{
    if (n > 0 && (into->n == 0 || is_better(reduction, into->a, value, is_least(reduction)))) {
        into->a = value;
        into->b.i = index;
    }
    into->n += n;
}

void ndshm__partial_merge(const struct ndshm__reduction *reduction, struct ndshm__partial *into,
                          const struct ndshm__partial *next)
{
    switch (reduction->op) {
    case NDSHM_REDUCE_SUM:
    case NDSHM_REDUCE_MEAN:
        if (reduction->real) {
            add_sum(into, next->a.d);
            into->b.d += next->b.d;
        } else {
            add_whole(into, next->a.i);
        }
        into->n += next->n;
        break;
    case NDSHM_REDUCE_VAR:
    case NDSHM_REDUCE_STD:
        add_squares(into, next->a.d, next->b.d, next->n);
        break;
    case NDSHM_REDUCE_ANY:
    case NDSHM_REDUCE_ALL:
        into->a.i |= next->a.i;
        break;
    case NDSHM_REDUCE_COUNT:
        into->n += next->n;
        break;
    default:
        add_extreme(reduction, into, next->a, next->b.i, next->n);
    }
}

/* --- blocks of one result --- */

static double sum_block(const word *values, int count)
{
    double lane[LANES] = {0};
    int i = 0;
    for (; i + LANES <= count; i += LANES)
        for (int k = 0; k < LANES; k++)
            lane[k] += values[i + k].d;
    for (; i < count; i++)
        lane[i % LANES] += values[i].d;
    return ((lane[0] + lane[1]) + (lane[2] + lane[3])) +
           ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

static double squares_block(const word *values, int count, double mean)
{
    double lane[LANES] = {0};
    int i = 0;
    for (; i + LANES <= count; i += LANES)
        for (int k = 0; k < LANES; k++)
            lane[k] += (values[i + k].d - mean) * (values[i + k].d - mean);
    for (; i < count; i++)
        lane[i % LANES] += (values[i].d - mean) * (values[i].d - mean);
    return ((lane[0] + lane[1]) + (lane[2] + lane[3])) +
           ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

static int64_t sum_wholes(const word *values, int count)
{
    uint64_t sum = 0;
    for (int i = 0; i < count; i++)
        sum += (uint64_t)values[i].i;
    return (int64_t)sum;
}

#define INLINE static inline __attribute__((always_inline))

INLINE double extreme_real(double known, double value, bool least)
{
    bool better = least ? value < known : value > known;
    return (better | (value != value)) ? value : known;
}

INLINE int64_t extreme_whole(int64_t known, int64_t value, bool least)
{
    return (least ? value < known : value > known) ? value : known;
}

/* NaN is looked for in a loop of its own, so that both become vector instructions. */
static bool has_nan(const word *values, int count)
{
    int64_t found = 0;
    for (int i = 0; i < count; i++)
        found += values[i].d != values[i].d;
    return found > 0;
}

INLINE double better_real(double known, double value, bool least)
{
    if (least)
        return value < known ? value : known;
    return value > known ? value : known;
}

INLINE double extreme_reals(const word *values, int count, bool least)
{
    double lane[LANES], result;
    int i = 0;
    if (has_nan(values, count))
        return (double)NAN;
    for (int k = 0; k < LANES; k++)
        lane[k] = values[0].d;
    for (; i + LANES <= count; i += LANES)
        for (int k = 0; k < LANES; k++)
            lane[k] = better_real(lane[k], values[i + k].d, least);
    result = lane[0];
    for (int k = 1; k < LANES; k++)
        result = better_real(result, lane[k], least);
    for (; i < count; i++)
        result = better_real(result, values[i].d, least);
    return result;
}

INLINE int64_t extreme_wholes(const word *values, int count, bool least)
{
    int64_t result = values[0].i;
    for (int i = 1; i < count; i++)
        result = extreme_whole(result, values[i].i, least);
    return result;
}

static word extreme_of(const struct ndshm__reduction *reduction, const word *values, int count)
{
    word out;
    if (reduction->real && is_least(reduction))
        out.d = extreme_reals(values, count, true);
    else if (reduction->real)
        out.d = extreme_reals(values, count, false);
    else if (is_least(reduction))
        out.i = extreme_wholes(values, count, true);
    else
        out.i = extreme_wholes(values, count, false);
    return out;
}

/* Where the extreme is first. */
static int place_of(const struct ndshm__reduction *reduction, const word *values, int count,
                    word extreme)
{
    int i = 0;
    if (!reduction->real)
        while (i < count - 1 && values[i].i != extreme.i)
            i++;
    else if (isnan(extreme.d))
        while (i < count - 1 && !isnan(values[i].d))
            i++;
    else
        while (i < count - 1 && values[i].d != extreme.d)
            i++;
    return i;
}

static int count_truths(const struct ndshm__reduction *reduction, const word *values, int count)
{
    int truths = 0;
    if (reduction->real)
        for (int i = 0; i < count; i++)
            truths += values[i].d != 0;
    else
        for (int i = 0; i < count; i++)
            truths += values[i].i != 0;
    return truths;
}

static int drop_missing(const struct ndshm__reduction *reduction, const word *values, int count,
                        word *out)
{
    int used = 0;
    if (reduction->real)
        for (int i = 0; i < count; i++) {
            out[used] = values[i];
            used += !isnan(values[i].d);
        }
    else
        for (int i = 0; i < count; i++) {
            out[used] = values[i];
            used += values[i].i != reduction->missing;
        }
    return used;
}

static void add_moments(struct ndshm__partial *partial, const word *values, int count)
{
    double mean = sum_block(values, count) / count;
    add_squares(partial, mean, squares_block(values, count, mean), count);
}

static void add_present(const struct ndshm__reduction *reduction, struct ndshm__partial *partial,
                        const word *values, int count, int64_t index)
{
    word extreme;
    switch (reduction->op) {
    case NDSHM_REDUCE_SUM:
    case NDSHM_REDUCE_MEAN:
        if (reduction->real)
            add_sum(partial, sum_block(values, count));
        else
            add_whole(partial, sum_wholes(values, count));
        partial->n += count;
        break;
    case NDSHM_REDUCE_VAR:
    case NDSHM_REDUCE_STD:
        add_moments(partial, values, count);
        break;
    case NDSHM_REDUCE_ANY:
        partial->a.i |= count_truths(reduction, values, count) > 0;
        break;
    case NDSHM_REDUCE_ALL:
        partial->a.i |= count_truths(reduction, values, count) < count;
        break;
    case NDSHM_REDUCE_COUNT:
        partial->n += count;
        break;
    default:
        extreme = extreme_of(reduction, values, count);
        if (is_place(reduction))
            index += place_of(reduction, values, count, extreme);
        add_extreme(reduction, partial, extreme, index, count);
    }
}

/* With gaps, elements have no common distance from the first one. */
static void add_places(const struct ndshm__reduction *reduction, struct ndshm__partial *partial,
                       const word *values, int count, int64_t index)
{
    for (int i = 0; i < count; i++)
        if (!is_missing(reduction, values[i]))
            add_extreme(reduction, partial, values[i], index + i, 1);
}

void ndshm__partial_add(const struct ndshm__reduction *reduction, struct ndshm__partial *partial,
                        const word *values, int count, int64_t index)
{
    word present[NDSHM__ROW_BLOCK];
    if (reduction->skip && is_place(reduction)) {
        add_places(reduction, partial, values, count, index);
        return;
    }
    if (reduction->skip) {
        count = drop_missing(reduction, values, count, present);
        values = present;
    }
    if (count > 0)
        add_present(reduction, partial, values, count, index);
}

/* --- blocks of many results: a row of elements after the other --- */

static void count_columns(const struct ndshm__reduction *reduction, const word *const *rows,
                          int count, int width, int64_t *n)
{
    for (int j = 0; j < width; j++)
        n[j] = reduction->skip ? 0 : count;
    for (int r = 0; r < count && reduction->skip; r++)
        for (int j = 0; j < width; j++)
            n[j] += !is_missing(reduction, rows[r][j]);
}

INLINE void sum_columns(const word *const *rows, int count, int width, bool skip, double *out)
{
    memset(out, 0, (size_t)width * sizeof *out);
    for (int r = 0; r < count; r++)
        for (int j = 0; j < width; j++) {
            double value = rows[r][j].d;
            out[j] += (skip & (value != value)) ? 0 : value;
        }
}

INLINE void squares_columns(const word *const *rows, int count, int width, bool skip,
                            const double *mean, double *out)
{
    memset(out, 0, (size_t)width * sizeof *out);
    for (int r = 0; r < count; r++)
        for (int j = 0; j < width; j++) {
            double value = rows[r][j].d, away = value - mean[j];
            out[j] += (skip & (value != value)) ? 0 : away * away;
        }
}

static void add_sums(const struct ndshm__reduction *reduction, struct ndshm__partial *partials,
                     int width, const word *const *rows, int count, const int64_t *n)
{
    double sum[NDSHM__TILE];
    for (int r = 0; r < count && !reduction->real; r++)
        for (int j = 0; j < width; j++)
            add_whole(&partials[j], rows[r][j].i);
    if (reduction->real && reduction->skip)
        sum_columns(rows, count, width, true, sum);
    else if (reduction->real)
        sum_columns(rows, count, width, false, sum);
    for (int j = 0; j < width; j++) {
        if (reduction->real)
            add_sum(&partials[j], sum[j]);
        partials[j].n += n[j];
    }
}

static void add_squares_columns(const struct ndshm__reduction *reduction,
                                struct ndshm__partial *partials, int width, const word *const *rows,
                                int count, const int64_t *n)
{
    double mean[NDSHM__TILE], squares[NDSHM__TILE];
    if (reduction->skip)
        sum_columns(rows, count, width, true, mean);
    else
        sum_columns(rows, count, width, false, mean);
    for (int j = 0; j < width; j++)
        mean[j] = n[j] ? mean[j] / (double)n[j] : 0;
    if (reduction->skip)
        squares_columns(rows, count, width, true, mean, squares);
    else
        squares_columns(rows, count, width, false, mean, squares);
    for (int j = 0; j < width; j++)
        add_squares(&partials[j], mean[j], squares[j], n[j]);
}

INLINE void extreme_columns(const word *const *rows, int count, int width, bool real, bool least,
                            word *out)
{
    memcpy(out, rows[0], (size_t)width * sizeof *out);
    for (int r = 1; r < count; r++)
        for (int j = 0; j < width; j++)
            if (real)
                out[j].d = extreme_real(out[j].d, rows[r][j].d, least);
            else
                out[j].i = extreme_whole(out[j].i, rows[r][j].i, least);
}

static void add_extremes(const struct ndshm__reduction *reduction, struct ndshm__partial *partials,
                         int width, const word *const *rows, int count)
{
    word extreme[NDSHM__TILE];
    if (reduction->real && is_least(reduction))
        extreme_columns(rows, count, width, true, true, extreme);
    else if (reduction->real)
        extreme_columns(rows, count, width, true, false, extreme);
    else if (is_least(reduction))
        extreme_columns(rows, count, width, false, true, extreme);
    else
        extreme_columns(rows, count, width, false, false, extreme);
    for (int j = 0; j < width; j++)
        add_extreme(reduction, &partials[j], extreme[j], 0, count);
}

/* One element at a time, of the result it belongs to. */
static void add_singly(const struct ndshm__reduction *reduction, struct ndshm__partial *partials,
                       int width, const word *const *rows, int count, int64_t index)
{
    for (int r = 0; r < count; r++)
        for (int j = 0; j < width; j++)
            if (!reduction->skip || !is_missing(reduction, rows[r][j]))
                add_present(reduction, &partials[j], &rows[r][j], 1, index + r);
}

void ndshm__partials_add(const struct ndshm__reduction *reduction, struct ndshm__partial *partials,
                         int width, const word *const rows[NDSHM__TILE_ROWS], int count,
                         int64_t index)
{
    int64_t n[NDSHM__TILE];
    count_columns(reduction, rows, count, width, n);
    switch (reduction->op) {
    case NDSHM_REDUCE_SUM:
    case NDSHM_REDUCE_MEAN:
        add_sums(reduction, partials, width, rows, count, n);
        return;
    case NDSHM_REDUCE_VAR:
    case NDSHM_REDUCE_STD:
        add_squares_columns(reduction, partials, width, rows, count, n);
        return;
    case NDSHM_REDUCE_MIN:
    case NDSHM_REDUCE_MAX:
        if (reduction->skip)
            break;
        add_extremes(reduction, partials, width, rows, count);
        return;
    default:
        break;
    }
    add_singly(reduction, partials, width, rows, count, index);
}

/* --- what comes out --- */

static double mean_of(const struct ndshm__partial *partial)
{
    double sum = isfinite(partial->a.d) ? partial->a.d + partial->b.d : partial->a.d;
    return partial->n ? sum / (double)partial->n : (double)NAN;
}

static word extreme_result(const struct ndshm__reduction *reduction,
                           const struct ndshm__partial *partial)
{
    word out = partial->a;
    if (partial->n == 0 && reduction->real)
        out.d = (double)NAN;
    else if (partial->n == 0)
        out.i = INT64_MIN;
    else if (reduction->source == NDSHM_UINT64)
        out.i = (int64_t)((uint64_t)out.i ^ UINT64_C(1) << 63);
    else if (reduction->times && !is_least(reduction))
        out.i = (int64_t)((uint64_t)out.i + 1);
    return out;
}

int ndshm__partial_result(const struct ndshm__reduction *reduction,
                          const struct ndshm__partial *partial, word *out)
{
    double variance;
    switch (reduction->op) {
    case NDSHM_REDUCE_SUM:
        *out = partial->a;
        if (reduction->real && isfinite(partial->a.d))
            out->d += partial->b.d;
        break;
    case NDSHM_REDUCE_MEAN:
        out->d = mean_of(partial);
        break;
    case NDSHM_REDUCE_VAR:
    case NDSHM_REDUCE_STD:
        variance = partial->n ? partial->b.d / (double)partial->n : (double)NAN;
        out->d = reduction->op == NDSHM_REDUCE_STD ? sqrt(variance) : variance;
        break;
    case NDSHM_REDUCE_ANY:
        *out = partial->a;
        break;
    case NDSHM_REDUCE_ALL:
        out->i = !partial->a.i;
        break;
    case NDSHM_REDUCE_COUNT:
        out->i = partial->n;
        break;
    case NDSHM_REDUCE_ARGMIN:
    case NDSHM_REDUCE_ARGMAX:
        if (partial->n == 0)
            return ndshm__fail(NDSHM_ESHAPE,
                               "a slice holds nothing but NaN: it has no least or greatest");
        *out = partial->b;
        break;
    default:
        *out = extreme_result(reduction, partial);
    }
    return 0;
}
