/* SPDX-License-Identifier: MIT */
#include "compute/quartiles.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/base.h"
#include "base/os.h"

/* Of the sample's standard error: a bracket misses about one time in a million. */
static const double MARGIN = 5;

/* A position among sorted numbers: between low and low + 1. */
struct position {
    int64_t low;
    double part;
};

static struct position position_of(int64_t count, int quartile)
{
    double at = (double)(count - 1) * (0.25 * (quartile + 1));
    struct position position = {(int64_t)at, at - floor(at)};
    return position;
}

/* As NumPy interpolates, for the same last bit. */
static double between(double a, double b, double part)
{
    double distance = b - a;
    return part >= 0.5 ? b - distance * (1 - part) : a + distance * part;
}

/* Of numbers from which everything before first was moved to the front already. */
static double pick(double *values, int64_t first, int64_t count, struct position position)
{
    double a = ndshm__select(values + first, count - first, position.low - first);
    double b = position.low + 1 < count ? values[position.low + 1] : a;
    for (int64_t i = position.low + 2; i < count; i++)
        b = values[i] < b ? values[i] : b;
    return between(a, b, position.part);
}

void ndshm__quartiles_of(double *values, int64_t count, double out[NDSHM__QUARTILES])
{
    int64_t first = 0;
    for (int i = 0; i < NDSHM__QUARTILES; i++) {
        struct position position = position_of(count, i);
        out[i] = pick(values, first, count, position);
        first = position.low;
    }
}

static double sample_at(ndshm__quartiles *quartiles, double at)
{
    if (at < 0)
        return (double)-INFINITY;
    if (at > (double)(quartiles->sampled - 1))
        return (double)INFINITY;
    return ndshm__select(quartiles->sample, quartiles->sampled, (int64_t)at);
}

int ndshm__quartiles_begin(ndshm__quartiles *quartiles)
{
    double size = (double)quartiles->sampled;
    for (int i = 0; i < NDSHM__QUARTILES; i++) {
        double share = 0.25 * (i + 1);
        double error = MARGIN * sqrt(size * share * (1 - share)) + 1;
        quartiles->bounds[2 * i] = sample_at(quartiles, size * share - error);
        quartiles->bounds[2 * i + 1] = sample_at(quartiles, size * share + error);
    }
    for (int i = 1; i < NDSHM__ZONES - 1; i++)
        quartiles->failed = quartiles->failed || quartiles->bounds[i] <= quartiles->bounds[i - 1];
    quartiles->room = quartiles->count / 8 + NDSHM__BLOCK;
    for (int i = 0; i < NDSHM__QUARTILES && !quartiles->failed; i++) {
        quartiles->kept[i] = ndshm__alloc((size_t)quartiles->room * sizeof(double));
        if (!quartiles->kept[i])
            return ndshm__fail(-ENOMEM, "no memory for %lld numbers", (long long)quartiles->room);
    }
    return 0;
}

/* Odd zones are brackets, whose numbers are kept; the others go to a place that nobody reads. */
static void sort_into_zones(ndshm__quartiles *quartiles, const double *values, int count)
{
    const double *b = quartiles->bounds;
    double nowhere, *next[NDSHM__ZONES];
    for (int i = 0; i < NDSHM__ZONES; i++)
        next[i] = i % 2 ? quartiles->kept[i / 2] + quartiles->zones[i] : &nowhere;
    for (int i = 0; i < count; i++) {
        double v = values[i];
        int zone = (v >= b[0]) + (v > b[1]) + (v >= b[2]) + (v > b[3]) + (v >= b[4]) + (v > b[5]);
        *next[zone] = v;
        next[zone] += zone % 2;
        quartiles->zones[zone]++;
    }
}

void ndshm__quartiles_add(ndshm__quartiles *quartiles, const double *values, int count)
{
    for (int i = 1; i < NDSHM__ZONES; i += 2)
        if (quartiles->zones[i] > quartiles->room - count)
            quartiles->failed = true;
    if (!quartiles->failed)
        sort_into_zones(quartiles, values, count);
}

bool ndshm__quartiles_result(ndshm__quartiles *quartiles, double out[NDSHM__QUARTILES])
{
    int64_t below = 0, total = 0;
    for (int i = 0; i < NDSHM__ZONES; i++)
        total += quartiles->zones[i];
    if (quartiles->failed || total != quartiles->count)
        return false;
    for (int i = 0; i < NDSHM__QUARTILES; i++) {
        struct position position = position_of(quartiles->count, i);
        int64_t kept = quartiles->zones[2 * i + 1];
        below += quartiles->zones[2 * i];
        if (position.low < below || position.low + 1 >= below + kept)
            return false;
        position.low -= below;
        out[i] = pick(quartiles->kept[i], 0, kept, position);
        below += kept;
    }
    return true;
}

void ndshm__quartiles_end(ndshm__quartiles *quartiles)
{
    for (int i = 0; i < NDSHM__QUARTILES; i++)
        free(quartiles->kept[i]);
    free(quartiles->sample);
}
