/* SPDX-License-Identifier: MIT */
/* Which texts are values of which types. */
#include <string.h>

#include "csv/type.h"

struct row {
    char format[5];
    struct ndshm__csv_type type;
};

static const struct row rows[] = {
    {"C", {NDSHM__CSV_UINT, 1, 0, false, 0}},
    {"I", {NDSHM__CSV_UINT, 4, 0, false, 0}},
    {"L", {NDSHM__CSV_UINT, 8, 0, false, 0}},
    {"S", {NDSHM__CSV_UINT, 2, 0, false, 0}},
    {"b", {NDSHM__CSV_BOOL, 0, 0, false, 0}},
    {"c", {NDSHM__CSV_INT, 1, 0, false, 0}},
    {"f", {NDSHM__CSV_FLOAT32, 4, 0, false, 0}},
    {"g", {NDSHM__CSV_FLOAT64, 8, 0, false, 0}},
    {"i", {NDSHM__CSV_INT, 4, 0, false, 0}},
    {"l", {NDSHM__CSV_INT, 8, 0, false, 0}},
    {"s", {NDSHM__CSV_INT, 2, 0, false, 0}},
    {"tdD", {NDSHM__CSV_DATE, 4, 0, false, 1}},
    {"tdm", {NDSHM__CSV_DATE, 8, 0, false, 86400000}},
    {"tsm:", {NDSHM__CSV_TIME, 8, 0, false, 1000000}},
    {"tsn:", {NDSHM__CSV_TIME, 8, 0, false, 1}},
    {"tss:", {NDSHM__CSV_TIME, 8, 0, false, 1000000000}},
    {"tsu:", {NDSHM__CSV_TIME, 8, 0, false, 1000}},
    {"u", {NDSHM__CSV_TEXT, 0, 0, true, 0}},
    {"z", {NDSHM__CSV_TEXT, 0, 0, false, 0}},
};

bool ndshm__csv_type_of(const char *format, struct ndshm__csv_type *out)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t length = strlen(rows[i].format);
        if (strncmp(format, rows[i].format, length) != 0)
            continue;
        const char *zone = format + length;
        if (rows[i].type.kind != NDSHM__CSV_TIME && *zone)
            continue;
        *out = rows[i].type;
        if (*zone)
            out->zone = strcmp(zone, "UTC") == 0 ? NDSHM__CSV_ANY_ZONE : NDSHM__CSV_ZONE;
        return true;
    }
    return false;
}

static void trim(const char **text, int64_t *size)
{
    while (*size > 0 && (**text == ' ' || **text == '\t')) {
        ++*text;
        --*size;
    }
    while (*size > 0 && ((*text)[*size - 1] == ' ' || (*text)[*size - 1] == '\t'))
        --*size;
}

static bool parse_int(uint8_t width, const char *text, int64_t size, int64_t *out)
{
    int64_t high = INT64_MAX >> (64 - 8 * width);
    return ndshm__csv_int64(text, text + size, out) == text + size && *out <= high &&
           *out >= -high - 1;
}

static bool parse_uint(uint8_t width, const char *text, int64_t size, uint64_t *out)
{
    return ndshm__csv_uint64(text, text + size, out) == text + size &&
           *out <= UINT64_MAX >> (64 - 8 * width);
}

static bool zone_fits(const struct ndshm__csv_type *type, const struct ndshm__csv_moment *moment)
{
    return type->zone == NDSHM__CSV_ANY_ZONE || moment->zone == (type->zone == NDSHM__CSV_ZONE);
}

static bool parse_time(const struct ndshm__csv_type *type, const char *text, int64_t size,
                       int64_t *out)
{
    struct ndshm__csv_moment moment;
    return ndshm__csv_moment(text, size, &moment) && zone_fits(type, &moment) &&
           ndshm__csv_ticks(&moment, type->scale, out);
}

static bool parse_bool(const char *text, int64_t size, int64_t *out)
{
    static const char *const words[] = {"false", "False", "FALSE", "true", "True", "TRUE"};
    for (int i = 0; i < 6; i++)
        if ((int64_t)strlen(words[i]) == size && memcmp(words[i], text, (size_t)size) == 0) {
            *out = i >= 3;
            return true;
        }
    return false;
}

bool ndshm__csv_parse(const struct ndshm__csv_type *type, const char *text, int64_t size,
                      union ndshm__csv_value *out)
{
    if (type->kind <= NDSHM__CSV_FLOAT64)
        trim(&text, &size);
    switch (type->kind) {
    case NDSHM__CSV_INT:
        return parse_int(type->width, text, size, &out->i);
    case NDSHM__CSV_UINT:
        return parse_uint(type->width, text, size, &out->u);
    case NDSHM__CSV_FLOAT32:
        return size > 0 && ndshm__csv_float32(text, text + size, &out->f) == text + size;
    case NDSHM__CSV_FLOAT64:
        return size > 0 && ndshm__csv_float64(text, text + size, &out->d) == text + size;
    case NDSHM__CSV_DATE:
        return size == 10 && ndshm__csv_date(text, text + size, &out->i);
    case NDSHM__CSV_TIME:
        return parse_time(type, text, size, &out->i);
    case NDSHM__CSV_BOOL:
        return parse_bool(text, size, &out->i);
    default:
        return false;
    }
}

bool ndshm__csv_parse_date(const struct ndshm__csv_type *type, const char *format, const char *text,
                           int64_t size, union ndshm__csv_value *out)
{
    struct ndshm__csv_moment moment;
    if (!ndshm__csv_strptime(format, text, size, &moment))
        return false;
    if (type->kind == NDSHM__CSV_TIME)
        return zone_fits(type, &moment) && ndshm__csv_ticks(&moment, type->scale, &out->i);
    out->i = (moment.seconds - (moment.seconds % 86400 + 86400) % 86400) / 86400;
    return type->kind == NDSHM__CSV_DATE;
}

static bool is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

int64_t ndshm__csv_plain_number(char decimal, char thousands, const char *text, int64_t size,
                                char *out)
{
    char *to = out;
    for (int64_t i = 0; i < size; i++) {
        bool inside = i > 0 && i + 1 < size && is_digit(text[i - 1]) && is_digit(text[i + 1]);
        if (thousands && text[i] == thousands && inside)
            continue;
        if (text[i] == '.' && decimal != '.')
            return -1;
        *to++ = text[i] == decimal ? '.' : text[i];
    }
    memset(to, 0, 8);
    return to - out;
}

/* --- inference --- */

static const struct ndshm__csv_type as_int = {NDSHM__CSV_INT, 8, 0, false, 0};
static const struct ndshm__csv_type as_float = {NDSHM__CSV_FLOAT64, 8, 0, false, 0};
static const struct ndshm__csv_type as_date = {NDSHM__CSV_DATE, 4, 0, false, 1};
static const struct ndshm__csv_type as_bool = {NDSHM__CSV_BOOL, 0, 0, false, 0};

static uint32_t fits_time(const char *text, int64_t size)
{
    struct ndshm__csv_moment moment;
    int64_t ticks;
    if (!ndshm__csv_moment(text, size, &moment) || !ndshm__csv_ticks(&moment, 1, &ticks))
        return 0;
    return moment.zone ? NDSHM__CSV_FITS_TIME_UTC : NDSHM__CSV_FITS_TIME;
}

static uint32_t fits_int(const char *text, int64_t size)
{
    const int64_t exact = INT64_C(1) << 53;
    union ndshm__csv_value value;
    if (!ndshm__csv_parse(&as_int, text, size, &value))
        return 0;
    bool small = value.i >= -exact && value.i <= exact;
    return NDSHM__CSV_FITS_INT | (small ? NDSHM__CSV_FITS_EXACT : 0);
}

uint32_t ndshm__csv_fits(uint32_t possible, const char *text, int64_t size)
{
    uint32_t found = 0;
    union ndshm__csv_value value;
    if (possible & NDSHM__CSV_FITS_INT)
        found = fits_int(text, size);
    if (found) /* what is an integer is no date and no truth value */
        return possible & (found | NDSHM__CSV_FITS_FLOAT);
    if (possible & NDSHM__CSV_FITS_FLOAT && ndshm__csv_parse(&as_float, text, size, &value))
        found |= NDSHM__CSV_FITS_FLOAT;
    if (possible & NDSHM__CSV_FITS_DATE && ndshm__csv_parse(&as_date, text, size, &value))
        found |= NDSHM__CSV_FITS_DATE;
    if (possible & (NDSHM__CSV_FITS_TIME | NDSHM__CSV_FITS_TIME_UTC))
        found |= fits_time(text, size);
    if (possible & NDSHM__CSV_FITS_BOOL && ndshm__csv_parse(&as_bool, text, size, &value))
        found |= NDSHM__CSV_FITS_BOOL;
    return possible & found;
}
