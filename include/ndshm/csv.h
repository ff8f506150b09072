/* SPDX-License-Identifier: MIT */
/* CSV files into frames. */
#ifndef NDSHM_CSV_H
#define NDSHM_CSV_H

#include "frame.h"
#include "pool.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ndshm_csv_config {
    uint32_t size;
    uint32_t flags;      /* NDSHM_CSV_* */
    const char *missing; /* words that mean a missing value, separated by '\n'; NULL: "", NA, N/A,
                            NaN, nan, NULL, null, None */
    const char *const *types; /* ntypes pairs: column name, Arrow format ('?' in front: always with
                                 a validity bitmap); the rest is inferred */
    int32_t ntypes;
    int32_t index;  /* 1 + the column that holds row labels; 0: none */
    char separator; /* 0: ',' */
    char quote;     /* 0: '"' */
    char reserved[6];
} ndshm_csv_config;

/* NDSHM_CSV_NO_HEADER: the first line is data, columns are named "0", "1", ... */
enum { NDSHM_CSV_NO_HEADER = 1 };

NDSHM_API void ndshm_csv_config_init(ndshm_csv_config *config);

/* Reads a CSV file (RFC 4180, LF or CRLF, optional UTF-8 byte-order mark, quoted fields with
 * separators and line breaks) into a new frame. Empty lines are passed over; every other line must
 * have as many fields as the first. Column names may repeat.
 *
 * Types are inferred over the whole file, quotes or not: int64, float64, date ("2024-02-29"),
 * timestamp[ns] ("2024-02-29 12:00:00", ISO 8601; "tsn:UTC" when every value has an offset from
 * UTC), bool (true, True, TRUE, false, ...), else string, which must be UTF-8. Numbers are
 * correctly rounded; blanks around them are passed over. Missing floats are NaN; other types get a
 * validity bitmap. As in pandas, integers among missing values become float64, unless one of them
 * is not exact there (beyond 2^53: then nullable int64), and a column without any value is float64.
 * Given types must fit every value; all of frame.h but "e" and durations are possible. Timestamps
 * of a given zone need an offset ("Z", "+01:00"); without one only "UTC" is taken.
 *
 * pool may be NULL. This version reads in the caller, with a pool or without. Errors: of open(2)
 * and read(2); NDSHM_EPARSE with file, line, column and text in the message; -EINVAL (config);
 * NDSHM_EDTYPE (given types); NDSHM_ESHAPE (more than 2 GB of text in a column); as
 * ndshm_frame_create. */
NDSHM_API int ndshm_frame_from_csv(ndshm_pool *pool, const char *name, const char *path,
                                   const ndshm_csv_config *csv, const ndshm_create_config *config,
                                   ndshm_frame **out);

#ifdef __cplusplus
}
#endif
#endif
