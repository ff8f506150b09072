/* SPDX-License-Identifier: MIT */
/* What there is to say about a column of any type, in a number of words that does not depend on it.
 */
#ifndef NDSHM_LIB_COMPUTE_SUMMARY_H
#define NDSHM_LIB_COMPUTE_SUMMARY_H

#include "compute/reader.h"

enum { NDSHM__SUMMARY_NUMBERS, NDSHM__SUMMARY_TIMES, NDSHM__SUMMARY_KEYS, NDSHM__SUMMARY_OTHER };
enum { NDSHM__MEAN, NDSHM__STD, NDSHM__MIN, NDSHM__Q1, NDSHM__Q2, NDSHM__Q3, NDSHM__MAX };
enum { NDSHM__SUMMARY_VALUES = 7, NDSHM__SUMMARY_WORDS = 12 };

struct ndshm__summary {
    int64_t kind;
    int64_t count;  /* rows that are not null */
    int64_t unique; /* these three: of keys only */
    int64_t top;    /* the first row of the most frequent value */
    int64_t freq;
    union {
        double number;
        int64_t ticks; /* of times, in the column's unit */
    } values[NDSHM__SUMMARY_VALUES];
};

int ndshm__summarise(const ndshm_frame *frame, int index, struct ndshm__summary *out);

#endif
