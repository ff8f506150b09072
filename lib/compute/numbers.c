/* SPDX-License-Identifier: MIT */
#include "compute/numbers.h"

#include <math.h>
#include <string.h>

bool ndshm__is_number(const ndshm_column *column)
{
    const char *format = column->format;
    return !(column->flags & NDSHM_COLUMN_DICTIONARY) && format[0] && !format[1] &&
           strchr("cCsSiIlLefg", format[0]);
}

double ndshm__from_half(uint16_t half)
{
    int exponent = half >> 10 & 0x1F, fraction = half & 0x3FF;
    double value;
    if (exponent == 0x1F)
        value = fraction ? (double)NAN : (double)INFINITY;
    else if (exponent == 0)
        value = ldexp(fraction, -24);
    else
        value = ldexp(fraction + 0x400, exponent - 25);
    return half & 0x8000 ? -value : value;
}

/* Row i lies at index first + i * step. */
#define LOAD(type, convert)                                                                        \
    for (int i = 0; i < count; i++)                                                                \
    out[i] = convert(((const type *)data)[first + i * step])

static void load_all(const ndshm_column *column, int64_t first, int count, double *out)
{
    const void *data = column->data;
    int64_t step = column->step;
    switch (*column->format) {
    case 'c':
        LOAD(int8_t, (double));
        break;
    case 'C':
        LOAD(uint8_t, (double));
        break;
    case 's':
        LOAD(int16_t, (double));
        break;
    case 'S':
        LOAD(uint16_t, (double));
        break;
    case 'i':
        LOAD(int32_t, (double));
        break;
    case 'I':
        LOAD(uint32_t, (double));
        break;
    case 'l':
        LOAD(int64_t, (double));
        break;
    case 'L':
        LOAD(uint64_t, (double));
        break;
    case 'e':
        LOAD(uint16_t, ndshm__from_half);
        break;
    case 'f':
        LOAD(float, (double));
        break;
    default:
        if (step == 1)
            memcpy(out, (const double *)data + first, (size_t)count * sizeof *out);
        else
            LOAD(double, );
    }
}

static int drop_nan(int count, double *values)
{
    int used = 0;
    for (int i = 0; i < count; i++) {
        double value = values[i];
        values[used] = value;
        used += !isnan(value);
    }
    return used;
}

int ndshm__numbers_load(const ndshm_column *column, int64_t begin, int count, double *out)
{
    int64_t first = column->offset + begin * column->step;
    load_all(column, first, count, out);
    for (int i = 0; i < count && column->validity; i++) {
        int64_t bit = first + i * column->step;
        if (!(column->validity[bit / 8] >> (bit % 8) & 1))
            out[i] = (double)NAN;
    }
    return drop_nan(count, out);
}

void ndshm__sum_add(struct ndshm__sum *sum, const double *values, int count)
{
    double part[4] = {0};
    int i = 0;
    for (; i + 4 <= count; i += 4)
        for (int lane = 0; lane < 4; lane++)
            part[lane] += values[i + lane];
    for (; i < count; i++)
        part[0] += values[i];
    double block = (part[0] + part[1]) + (part[2] + part[3]);
    double total = sum->sum + block;
    if (fabs(sum->sum) >= fabs(block))
        sum->lost += (sum->sum - total) + block;
    else
        sum->lost += (block - total) + sum->sum;
    sum->sum = total;
}

void ndshm__sum_add_squares(struct ndshm__sum *sum, const double *values, int count, double mean)
{
    double squares[NDSHM__BLOCK];
    for (int i = 0; i < count; i++)
        squares[i] = (values[i] - mean) * (values[i] - mean);
    ndshm__sum_add(sum, squares, count);
}

/* With infinities among the numbers, what was lost means nothing. */
double ndshm__sum_result(const struct ndshm__sum *sum)
{
    return isfinite(sum->sum) ? sum->sum + sum->lost : sum->sum;
}
