/* SPDX-License-Identifier: MIT */
/* The eight statistics of one column. The values may change under us: what is found is then
 * meaningless, but nothing is read or written out of bounds. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/base.h"
#include "base/os.h"
#include "compute/quartiles.h"

enum { SHORT = 1 << 16 }; /* rows: such columns are copied and selected from as a whole */

struct pass {
    int64_t count;
    struct ndshm__sum sum;
    double low, high;
};

static int block_at(const ndshm_column *column, int64_t begin, double block[NDSHM__BLOCK])
{
    int64_t left = column->rows - begin;
    return ndshm__numbers_load(column, begin, left < NDSHM__BLOCK ? (int)left : NDSHM__BLOCK,
                               block);
}

static void extremes(struct pass *pass, const double *values, int count)
{
    double low = pass->low, high = pass->high;
    for (int i = 0; i < count; i++) {
        low = values[i] < low ? values[i] : low;
        high = values[i] > high ? values[i] : high;
    }
    pass->low = low;
    pass->high = high;
}

/* Count, sum, extremes, and a sample from every block. */
static void first_pass(const ndshm_column *column, struct pass *pass, double *sample,
                       int64_t *sampled)
{
    double block[NDSHM__BLOCK];
    int64_t stride = column->rows / NDSHM__SAMPLE + 1, next = 0;
    for (int64_t begin = 0; begin < column->rows; begin += NDSHM__BLOCK) {
        int count = block_at(column, begin, block);
        ndshm__sum_add(&pass->sum, block, count);
        extremes(pass, block, count);
        for (; sample && next < pass->count + count; next += stride)
            sample[(*sampled)++] = block[next - pass->count];
        pass->count += count;
    }
}

static double second_pass(const ndshm_column *column, double mean, ndshm__quartiles *quartiles)
{
    double block[NDSHM__BLOCK];
    struct ndshm__sum squares = {0};
    for (int64_t begin = 0; begin < column->rows; begin += NDSHM__BLOCK) {
        int count = block_at(column, begin, block);
        ndshm__sum_add_squares(&squares, block, count, mean);
        if (quartiles)
            ndshm__quartiles_add(quartiles, block, count);
    }
    return ndshm__sum_result(&squares);
}

static int quartiles_of_all(const ndshm_column *column, double out[NDSHM__QUARTILES])
{
    double block[NDSHM__BLOCK];
    int64_t used = 0;
    double *values = ndshm__alloc((size_t)column->rows * sizeof *values);
    if (!values)
        return ndshm__fail(-ENOMEM, "no memory for the %lld numbers of a column",
                           (long long)column->rows);
    for (int64_t begin = 0; begin < column->rows; begin += NDSHM__BLOCK) {
        int count = block_at(column, begin, block);
        for (int i = 0; i < count; i++)
            values[used++] = block[i];
    }
    if (used > 0)
        ndshm__quartiles_of(values, used, out);
    free(values);
    return 0;
}

static void fill(const struct pass *pass, double mean, double squares, double *out)
{
    out[0] = (double)pass->count;
    out[1] = mean;
    out[2] = pass->count > 1 ? sqrt(squares / (double)(pass->count - 1)) : (double)NAN;
    out[3] = pass->low;
    out[7] = pass->high;
}

static int describe_short(const ndshm_column *column, double *out)
{
    struct pass pass = {.low = (double)INFINITY, .high = (double)-INFINITY};
    first_pass(column, &pass, NULL, NULL);
    if (pass.count == 0)
        return 0;
    double mean = ndshm__sum_result(&pass.sum) / (double)pass.count;
    fill(&pass, mean, second_pass(column, mean, NULL), out);
    return quartiles_of_all(column, out + 4);
}

static int describe_long(const ndshm_column *column, ndshm__quartiles *quartiles, double *out)
{
    struct pass pass = {.low = (double)INFINITY, .high = (double)-INFINITY};
    quartiles->sample = ndshm__alloc((NDSHM__SAMPLE + 1) * sizeof(double));
    if (!quartiles->sample)
        return ndshm__fail(-ENOMEM, "no memory for a sample");
    first_pass(column, &pass, quartiles->sample, &quartiles->sampled);
    if (pass.count == 0)
        return 0;
    quartiles->count = pass.count;
    int status = ndshm__quartiles_begin(quartiles);
    if (status)
        return status;
    double mean = ndshm__sum_result(&pass.sum) / (double)pass.count;
    fill(&pass, mean, second_pass(column, mean, quartiles), out);
    return ndshm__quartiles_result(quartiles, out + 4) ? 0 : quartiles_of_all(column, out + 4);
}

int ndshm__describe_column(const ndshm_column *column, double out[NDSHM__STATISTICS])
{
    ndshm__quartiles quartiles = {0};
    out[0] = 0;
    for (int i = 1; i < NDSHM__STATISTICS; i++)
        out[i] = (double)NAN;
    if (column->rows <= SHORT)
        return describe_short(column, out);
    int status = describe_long(column, &quartiles, out);
    ndshm__quartiles_end(&quartiles);
    return status;
}
