/* SPDX-License-Identifier: MIT */
/* Inside the CSV reader. The file is read into memory whole; types are inferred; a frame of the
 * final size is made, and the values are parsed straight into it. */
#ifndef NDSHM_LIB_CSV_H
#define NDSHM_LIB_CSV_H

#include <stdbool.h>

#include <ndshm/csv.h>

#include "csv/number.h"

/* --- options.c --- */

struct ndshm__csv_options {
    ndshm_csv_config config;
    uint64_t missing_sizes[256]; /* by first byte, bit n: such a missing word has n bytes */
    bool missing_empty;          /* the empty text means a missing value */
    bool missing_number;         /* one of them may read as a number */
};

int ndshm__csv_options(const ndshm_csv_config *given, struct ndshm__csv_options *out);
bool ndshm__csv_is_missing(const struct ndshm__csv_options *options, const char *text,
                           int64_t size);

/* --- type.c: how the text of a column is read --- */

enum {
    NDSHM__CSV_NOTHING, /* only missing values were seen */
    NDSHM__CSV_INT,
    NDSHM__CSV_UINT,
    NDSHM__CSV_FLOAT32,
    NDSHM__CSV_FLOAT64,
    NDSHM__CSV_DATE,
    NDSHM__CSV_TIME,
    NDSHM__CSV_BOOL,
    NDSHM__CSV_TEXT
};

/* Whether a timestamp has an offset from UTC behind it. */
enum { NDSHM__CSV_NO_ZONE, NDSHM__CSV_ZONE, NDSHM__CSV_ANY_ZONE };

struct ndshm__csv_type {
    uint8_t kind;
    uint8_t width; /* bytes of a value */
    uint8_t zone;
    bool utf8;
    int64_t scale; /* dates: ticks a day; timestamps: nanoseconds a tick */
};

union ndshm__csv_value {
    int64_t i;
    uint64_t u;
    float f;
    double d;
};

/* false: an Arrow format that is not read from text. */
bool ndshm__csv_type_of(const char *format, struct ndshm__csv_type *out);

/* Reads all of the text; blanks around numbers are passed over. */
bool ndshm__csv_parse(const struct ndshm__csv_type *type, const char *text, int64_t size,
                      union ndshm__csv_value *out);

/* The types that inference chooses from; each fits every text that the ones before it fit, as far
 * as they can follow each other. */
enum {
    NDSHM__CSV_FITS_INT = 1,
    NDSHM__CSV_FITS_EXACT = 2, /* the integer is also exact as a float64 */
    NDSHM__CSV_FITS_FLOAT = 4,
    NDSHM__CSV_FITS_DATE = 8,
    NDSHM__CSV_FITS_TIME = 16,
    NDSHM__CSV_FITS_TIME_UTC = 32,
    NDSHM__CSV_FITS_BOOL = 64,
    NDSHM__CSV_FITS_ALL = 127
};

/* Those of possible that the text fits. */
uint32_t ndshm__csv_fits(uint32_t possible, const char *text, int64_t size);

/* --- value.c --- */

/* A decimal integer; where it ends, or NULL. */
const char *ndshm__csv_int64(const char *first, const char *last, int64_t *out);
const char *ndshm__csv_uint64(const char *first, const char *last, uint64_t *out);

/* "2024-02-29", in days since 1970; where it ends, or NULL. */
const char *ndshm__csv_date(const char *first, const char *last, int64_t *days);

struct ndshm__csv_moment {
    int64_t seconds; /* since 1970 */
    int32_t nanoseconds;
    bool zone; /* an offset was given, and was taken away: seconds are UTC */
};

/* "2024-02-29", or with a time behind 'T' or a blank: "12:00", "12:00:59", "12:00:59.123456789";
 * then nothing, 'Z' or "+01:00". All of the text. */
bool ndshm__csv_moment(const char *text, int64_t size, struct ndshm__csv_moment *out);

/* In ticks of scale nanoseconds; false: between two ticks, or out of range. */
bool ndshm__csv_ticks(const struct ndshm__csv_moment *moment, int64_t scale, int64_t *out);

/* --- file.c, scan.c --- */

enum { NDSHM__CSV_PADDING = 64 }; /* zero bytes behind the text: reading ahead is allowed */

struct ndshm__csv_file {
    const char *path;
    char *buffer;
    const char *begin; /* behind a byte-order mark */
    const char *end;   /* behind the last line break, which is always there when there is text */
};

int ndshm__csv_file_read(const char *path, struct ndshm__csv_file *out);

struct ndshm__csv_column {
    char *name;
    const char *given;  /* format, perhaps with '?', or NULL */
    const char *format; /* without '?' */
    bool nullable;
    bool exact; /* floats that are whole numbers up to now: missing values forbid integers */
    struct ndshm__csv_type type;
    uint32_t possible; /* NDSHM__CSV_FITS_* of what was seen */
    bool seen;         /* a value that is not missing */
    bool missing;
    int64_t text_bytes;
    void *data; /* from here on: where values go */
    uint8_t *validity;
    int32_t *offsets;
    int32_t used;
};

struct ndshm__csv_reader {
    struct ndshm__csv_file file;
    struct ndshm__csv_options options;
    struct ndshm__csv_column *columns;
    int32_t ncolumns;
    int64_t rows;
    const char *data;     /* the first row behind the header */
    const char *examined; /* where inference ended */
    bool guessed;         /* before the end */
};

struct ndshm__csv_field {
    const char *text;
    int64_t size;
    int64_t doubled; /* pairs of quotes in it that mean one */
};

/* Reads the field at *at, and moves *at to the separator or line feed behind it. */
int ndshm__csv_field(const struct ndshm__csv_reader *reader, const char **at, int32_t column,
                     struct ndshm__csv_field *out);

/* Copies the text of the field; how many bytes. */
int64_t ndshm__csv_unquote(const struct ndshm__csv_reader *reader,
                           const struct ndshm__csv_field *field, char *out);

/* Passes over empty lines. */
static inline const char *ndshm__csv_skip_empty(const char *at, const char *end)
{
    while (at < end && (*at == '\n' || (*at == '\r' && at[1] == '\n')))
        at += *at == '\n' ? 1 : 2;
    return at;
}

/* Too many fields, or too few. */
int ndshm__csv_ragged(const struct ndshm__csv_reader *reader, const char *at, int32_t column);

/* Passes over what ended the field of that column: a line feed behind the last one. */
static inline int ndshm__csv_next(const struct ndshm__csv_reader *reader, const char **at,
                                  int32_t column)
{
    if ((column + 1 == reader->ncolumns) != (**at == '\n'))
        return ndshm__csv_ragged(reader, *at, column);
    ++*at;
    return 0;
}

/* NDSHM_EPARSE with file, line, column, its name and the text. */
int ndshm__csv_fail(const struct ndshm__csv_reader *reader, const char *at, int32_t column,
                    const struct ndshm__csv_field *field, const char *why);

/* --- header.c, infer.c, fill.c --- */

int ndshm__csv_header(struct ndshm__csv_reader *reader);

/* Finds out types and number of rows. whole: of all rows; otherwise only the first ones are looked
 * at closely, and ndshm__csv_fill may find that the rest is otherwise. */
int ndshm__csv_infer(struct ndshm__csv_reader *reader, bool whole);

/* Parses the rows into the columns' buffers. NDSHM__CSV_MISFIT: a value does not fit what was
 * inferred from the first rows. */
enum { NDSHM__CSV_MISFIT = 1 };
int ndshm__csv_fill(struct ndshm__csv_reader *reader);

#endif
