/* SPDX-License-Identifier: MIT */
/* Numbers of a column, whatever their type, as float64; order statistics; summation. */
#ifndef NDSHM_LIB_NUMBERS_H
#define NDSHM_LIB_NUMBERS_H

#include <stdbool.h>

#include <ndshm/frame.h>

enum { NDSHM__BLOCK = 1024 };

/* True for integers and floats that are no indices. */
bool ndshm__is_number(const ndshm_column *column);

/* Converts count rows (at most NDSHM__BLOCK) from row begin on, and leaves out nulls and NaN.
 * Returns how many numbers there are. */
int ndshm__numbers_load(const ndshm_column *column, int64_t begin, int count, double *out);

/* IEEE 754 binary16. */
double ndshm__from_half(uint16_t half);

/* The number that would be at k if the count values were sorted; reorders them. No NaN. */
double ndshm__select(double *values, int64_t count, int64_t k);

/* A sum of many numbers that hardly loses anything: Neumaier's, over blocks. */
struct ndshm__sum {
    double sum;
    double lost;
};
void ndshm__sum_add(struct ndshm__sum *sum, const double *values, int count);
void ndshm__sum_add_squares(struct ndshm__sum *sum, const double *values, int count, double mean);
double ndshm__sum_result(const struct ndshm__sum *sum);

/* Eight numbers: count, mean, standard deviation (n - 1), minimum, quartiles, maximum. */
enum { NDSHM__STATISTICS = 8 };
int ndshm__describe_column(const ndshm_column *column, double out[NDSHM__STATISTICS]);

#endif
