/* SPDX-License-Identifier: MIT */
/* Operations on shared frames. */
#ifndef NDSHM_COMPUTE_H
#define NDSHM_COMPUTE_H

#include "frame.h"
#include "pool.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Describes the numeric columns of a frame, as pandas' DataFrame.describe: a new frame with one
 * float64 column for each of them and the rows count, mean, std (n - 1), min, 25%, 50%, 75%, max,
 * which are its row labels. Numeric are integers and floats, not booleans, dates and times. Nulls
 * and NaN are passed over; everything is computed in float64; quartiles are linearly interpolated.
 * Values that do not exist (the mean of nothing) are NaN. pool NULL, or a frame that is not
 * published: in the caller; otherwise a task a column, and the same bytes for any number of
 * workers. Errors: NDSHM_EDTYPE (no numeric column), as ndshm_frame_create, and of the pool. */
NDSHM_API int ndshm_describe(ndshm_pool *pool, const ndshm_frame *frame, const char *name,
                             ndshm_frame **out);

/* Describes the columns of all types, as pandas' describe(include="all"): the row labels are count,
 * unique, top, freq, mean, std, min, 25%, 50%, 75%, max. A column of numbers becomes a float64
 * column, as above, with NaN for unique, top and freq. All others become text, as pandas prints
 * them, null where pandas has NaN:
 *  - dates, timestamps, durations: count, mean, min, quartiles and max ("2013-01-01 05:00:00"; with
 *    a zone in UTC, "+00:00"), rounded down to the column's unit; of durations ("1 days 02:00:00")
 *    also std;
 *  - booleans, strings, binary (hexadecimal), decimals, times of day, and dictionaries by their
 *    values: count, unique, top and freq; of values that are as frequent, the one that comes first;
 *  - all that has children, intervals and nulls: count.
 * Otherwise as ndshm_describe. Errors: NDSHM_EDTYPE (no column beside row labels), as above. */
NDSHM_API int ndshm_describe_all(ndshm_pool *pool, const ndshm_frame *frame, const char *name,
                                 ndshm_frame **out);

#ifdef __cplusplus
}
#endif
#endif
