/* SPDX-License-Identifier: MIT */
/* Which texts are values of which types. */
#ifndef NDSHM_LIB_CSV_TYPE_H
#define NDSHM_LIB_CSV_TYPE_H

#include <stdbool.h>
#include <stdint.h>

#include "csv/number.h"

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

/* Reads all of the text; blanks around numbers are passed over. Eight bytes behind it are readable,
 * and the first is no part of a number. */
bool ndshm__csv_parse(const struct ndshm__csv_type *type, const char *text, int64_t size,
                      union ndshm__csv_value *out);

/* The same for dates of a strptime format. */
bool ndshm__csv_parse_date(const struct ndshm__csv_type *type, const char *format, const char *text,
                           int64_t size, union ndshm__csv_value *out);

enum { NDSHM__CSV_NUMBER_MAX = 512 }; /* longer ones with other marks than '.' are text */

/* The text of a number with '.' and without thousands, into a buffer of that size and eight bytes
 * beyond; its size, or -1: it has marks where they do not belong. */
int64_t ndshm__csv_plain_number(char decimal, char thousands, const char *text, int64_t size,
                                char *out);

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
    NDSHM__CSV_FITS_ALL = 127,
    NDSHM__CSV_FITS_NUMBER = 7
};

/* Those of possible that the text fits. */
uint32_t ndshm__csv_fits(uint32_t possible, const char *text, int64_t size);

/* --- value.c --- */

/* A decimal integer; where it ends, or NULL. */
const char *ndshm__csv_int64(const char *first, const char *last, int64_t *out);
const char *ndshm__csv_uint64(const char *first, const char *last, uint64_t *out);

/* "2024-02-29", in days since 1970; where it ends, or NULL. */
const char *ndshm__csv_date(const char *first, const char *last, int64_t *days);

/* Of a year from 0 to 9999; false: there is no such day. */
bool ndshm__csv_day(int year, int month, int day, int64_t *days);
/* And back. */
void ndshm__csv_civil(int64_t days, int *year, int *month, int *day);

struct ndshm__csv_moment {
    int64_t seconds; /* since 1970 */
    int32_t nanoseconds;
    bool zone; /* an offset was given, and was taken away: seconds are UTC */
};

/* "2024-02-29", or with a time behind 'T' or a blank: "12:00", "12:00:59", "12:00:59.123456789";
 * then nothing, 'Z' or "+01:00". All of the text. */
bool ndshm__csv_moment(const char *text, int64_t size, struct ndshm__csv_moment *out);
/* "Z", "+01:00", "+0100", "+01", from at, which is before last; where it ends, or NULL. */
const char *ndshm__csv_offset_utc(const char *at, const char *last, struct ndshm__csv_moment *out);

/* In ticks of scale nanoseconds; false: between two ticks, or out of range. */
bool ndshm__csv_ticks(const struct ndshm__csv_moment *moment, int64_t scale, int64_t *out);

/* --- strptime.c --- */

/* What a format is made of; false: a conversion that is not known. */
bool ndshm__csv_strptime_check(const char *format, bool *time, bool *zone);
bool ndshm__csv_strptime(const char *format, const char *text, int64_t size,
                         struct ndshm__csv_moment *out);

#endif
