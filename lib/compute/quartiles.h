/* SPDX-License-Identifier: MIT */
/* Quartiles of a long column without sorting or copying it: a sample says between which two numbers
 * each quartile almost certainly lies; one pass counts what is below, and keeps what is between. */
#ifndef NDSHM_LIB_QUARTILES_H
#define NDSHM_LIB_QUARTILES_H

#include "compute/numbers.h"

enum { NDSHM__QUARTILES = 3, NDSHM__ZONES = 2 * NDSHM__QUARTILES + 1 };

typedef struct ndshm__quartiles {
    int64_t count;  /* of all numbers */
    double *sample; /* room for NDSHM__SAMPLE */
    int64_t sampled;
    double bounds[NDSHM__ZONES - 1]; /* low and high of each quartile, ascending */
    int64_t zones[NDSHM__ZONES];     /* numbers below, in the bracket, above, ... */
    double *kept[NDSHM__QUARTILES];
    int64_t room; /* in each of kept */
    bool failed;  /* the sample misled us, or there are too many equal numbers */
} ndshm__quartiles;

enum { NDSHM__SAMPLE = 32768 };

/* Chooses the brackets from the sample, which was filled; makes room. -ENOMEM. */
int ndshm__quartiles_begin(ndshm__quartiles *quartiles);
void ndshm__quartiles_add(ndshm__quartiles *quartiles, const double *values, int count);
/* false: failed; all numbers must be looked at together. */
bool ndshm__quartiles_result(ndshm__quartiles *quartiles, double out[NDSHM__QUARTILES]);
void ndshm__quartiles_end(ndshm__quartiles *quartiles);

/* The same of numbers that lie together; reorders them. */
void ndshm__quartiles_of(double *values, int64_t count, double out[NDSHM__QUARTILES]);

#endif
