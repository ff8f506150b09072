/* SPDX-License-Identifier: MIT */
/* What the C++ file of the library offers to the others. */
#ifndef NDSHM_LIB_NUMBER_H
#define NDSHM_LIB_NUMBER_H

#ifdef __cplusplus
extern "C" {
#endif

/* The number that begins at first, correctly rounded; where it ends, or NULL. Eight bytes behind
 * the number must be readable. */
const char *ndshm__csv_float64(const char *first, const char *last, double *out);
const char *ndshm__csv_float32(const char *first, const char *last, float *out);

#ifdef __cplusplus
}
#endif
#endif
