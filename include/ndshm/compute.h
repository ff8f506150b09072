/* SPDX-License-Identifier: MIT */
/* Operations on shared arrays and frames. */
#ifndef NDSHM_COMPUTE_H
#define NDSHM_COMPUTE_H

#include "frame.h"
#include "pool.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What ndshm_reduce makes of elements. */
enum {
    NDSHM_REDUCE_SUM = 1,
    NDSHM_REDUCE_MEAN = 2,
    NDSHM_REDUCE_VAR = 3, /* of a population: divided by the number of elements */
    NDSHM_REDUCE_STD = 4,
    NDSHM_REDUCE_MIN = 5,
    NDSHM_REDUCE_MAX = 6,
    NDSHM_REDUCE_ARGMIN = 7, /* the place of the first least one, in C order */
    NDSHM_REDUCE_ARGMAX = 8,
    NDSHM_REDUCE_ANY = 9,
    NDSHM_REDUCE_ALL = 10,
    NDSHM_REDUCE_COUNT = 11 /* of elements; with NDSHM_SKIPNA of those that are not NaN */
};

/* Or-ed with an operation: NaN and NaT are passed over, as by NumPy's nan-functions. */
enum { NDSHM_SKIPNA = 0x100 };

/* All axes at once: the result has no dimension. */
enum { NDSHM_AXIS_ALL = INT32_MAX };

/* Reduces an array over one axis, which disappears, or over all, into a new array. Data types and
 * the treatment of NaN are NumPy's: sums of booleans and signed integers are int64, of unsigned
 * ones uint64 (both wrap), mean, var and std of all of these float64; floats stay what they are;
 * places and counts are int64, any and all are bool; NaN spreads, is the least and the greatest,
 * and is true. Dates, times and durations have min, max, argmin, argmax and count, and NaT for NaN.
 * Floats are added as float64 and compensated: at most 32 additions in a row lose anything.
 *
 * Without elements the sum is 0, mean, var and std are NaN, any is false, all is true, and
 * extremes are NDSHM_ESHAPE, as are places where NDSHM_SKIPNA leaves nothing.
 *
 * pool NULL, or an array without a reference (ndshm_array_name): in the caller. The same bytes for
 * any number of workers. Errors: -EINVAL (op), NDSHM_ESHAPE (axis), NDSHM_EDTYPE (strings, complex
 * numbers), as ndshm_array_create, and of the pool. */
NDSHM_API int ndshm_reduce(ndshm_pool *pool, const ndshm_array *array, int op, int axis,
                           const char *name, ndshm_array **out);

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
