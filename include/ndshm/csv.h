/* SPDX-License-Identifier: MIT */
/* CSV files into frames, and frames into CSV files. */
#ifndef NDSHM_CSV_H
#define NDSHM_CSV_H

#include "frame.h"
#include "pool.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How far a reader is, for whoever looks at it meanwhile: another thread, or another process when
 * it lies in shared memory. Fields are read and written with single loads and stores. Zeroed by the
 * reader's caller. */
typedef struct ndshm_csv_progress {
    int64_t done;   /* bytes worked on: fetched (pipes, compressed files), surveyed, converted */
    int64_t all;    /* as far as known; grows when more work comes to light; done == all: over */
    int32_t cancel; /* set by others: the reader soon gives up with NDSHM_ECANCELED */
    int32_t reserved;
} ndshm_csv_progress;

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
    char decimal;   /* 0: '.'; ',' in many countries: "1,5" */
    char thousands; /* 0: none; passed over between digits: "1.234.567,8" */
    char reserved[4];
    const char *const *columns; /* ncolumns names: the others are not read; their order is that of
                                   the file. NULL: all */
    int32_t ncolumns;
    int32_t ndates;
    const char *const *dates; /* ndates pairs: column name, format of its dates as for strptime(3):
                                 %Y %y %m %d %e %j %b %B %H %I %M %S %p %f (1 to 9 decimals of a
                                 second) %z %F %T %D %R %n %t %%; English names */
    int64_t skip;             /* lines before the header that are not looked at */
    ndshm_csv_progress *progress; /* NULL: nobody looks */
} ndshm_csv_config;

enum {
    NDSHM_CSV_NO_HEADER = 1, /* the first line is data, columns are named "0", "1", ... */
    NDSHM_CSV_PAD = 2        /* lines with too few fields: the others are empty */
};

NDSHM_API void ndshm_csv_config_init(ndshm_csv_config *config);

/* Reads a CSV file (RFC 4180, LF or CRLF, optional UTF-8 byte-order mark, quoted fields with
 * separators and line breaks) into a new frame. path "-" is standard input. Files compressed with
 * gzip or zstd are recognized by their first bytes. Pipes and compressed files are first brought
 * into memory. A FIFO may be read before it has a writer: the reader waits, and can be cancelled
 * through progress. Empty lines are passed over; every other line must have as many fields as the
 * first. Column names may repeat.
 *
 * Types are inferred over the whole file, quotes or not: int64, float64, date ("2024-02-29"),
 * timestamp[ns] ("2024-02-29 12:00:00", ISO 8601; "tsn:UTC" when every value has an offset from
 * UTC), bool (true, True, TRUE, false, ...), else string, which must be UTF-8. Numbers are
 * correctly rounded; blanks around them are passed over. Missing floats are NaN; other types get a
 * validity bitmap. As in pandas, integers among missing values become float64, unless one of them
 * is not exact there (beyond 2^53: then nullable int64), and a column without any value is float64.
 * Given types must fit every value; all of frame.h but "e" and durations are possible. Timestamps
 * of a given zone need an offset ("Z", "+01:00"); without one only "UTC" is taken. A column with a
 * date format and no given type becomes date, timestamp[ns] when the format has a time of day, and
 * "tsn:UTC" with %z.
 *
 * With a pool its workers read parts of the file at the same time; without one, and for files of
 * one part, the caller does. The frame is the same in either case, byte for byte. Workers reach the
 * file and the unfinished frame through /proc; neither has a name, and nothing of them outlives a
 * process that is killed.
 *
 * Errors: of open(2) and read(2); NDSHM_EPARSE with file, line, column and text in the message, for
 * the first such place; -EINVAL (config); NDSHM_EDTYPE (given types); NDSHM_ESHAPE (more than 2 GB
 * of text in a column); -ENOTSUP (compressed, and built without the library for it); -ESTALE (the
 * file was changed while it was read); NDSHM_ECANCELED; NDSHM_EWORKER (a worker was killed); as
 * ndshm_frame_create. */
NDSHM_API int ndshm_frame_from_csv(ndshm_pool *pool, const char *name, const char *path,
                                   const ndshm_csv_config *csv, const ndshm_create_config *config,
                                   ndshm_frame **out);

/* Writes a frame as CSV, LF at the ends of lines. Of the config separator, quote, decimal and
 * NDSHM_CSV_NO_HEADER count; row labels are written as a column, the one of
 * pandas without a name under "". Read with the same config and the types of the frame, the file
 * gives the same values: floats are written with the fewest digits that identify them, booleans as
 * true and false, dates and times as ISO 8601 (with "Z" when they have a zone), text in quotes
 * where it needs them, missing values and NaN as nothing. (An empty text is written as "" in
 * quotes, which the reader takes for a missing value unless config.missing lists other words.) A
 * file appears under path when it is whole, in place of one that was there; "-" is standard output,
 * and devices and FIFOs are written to.
 *
 * Errors: of stat(2), open(2), write(2) and rename(2); -EINVAL (config); NDSHM_EDTYPE (a type that
 * has no text: binary, nested types); NDSHM_ECORRUPT. */
NDSHM_API int ndshm_frame_to_csv(const ndshm_frame *frame, const char *path,
                                 const ndshm_csv_config *csv);

#ifdef __cplusplus
}
#endif
#endif
