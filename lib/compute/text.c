/* SPDX-License-Identifier: MIT */
/* Values as people write them, and as pandas prints them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"
#include "compute/numbers.h"
#include "compute/reader.h"
#include "frame/view.h"

enum { TEXT_MAX = 128, DAY = 86400 };

/* Ticks of a second, by the letter of the unit. */
static int64_t ticks_per_second(char unit)
{
    return unit == 'm' ? 1000 : unit == 'u' ? 1000000 : unit == 'n' ? 1000000000 : 1;
}

static int fraction_digits(char unit)
{
    return unit == 'm' ? 3 : unit == 'u' ? 6 : unit == 'n' ? 9 : 0;
}

static int64_t floor_divide(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* The proleptic Gregorian calendar: 400 years have 146,097 days, counted from a first of March. */
static void civil(int64_t days, int64_t *year, int *month, int *day)
{
    int64_t shifted = days + 719468, era = floor_divide(shifted, 146097);
    int64_t of_era = shifted - era * 146097;
    int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
    int64_t m = (5 * of_year + 2) / 153;
    *day = (int)(of_year - (153 * m + 2) / 5 + 1);
    *month = (int)(m < 10 ? m + 3 : m - 9);
    *year = y + era * 400 + (*month <= 2);
}

/* "HH:MM:SS" of a day, and the fraction where there is one. */
static int put_clock(char *out, int64_t second, int64_t fraction, int digits)
{
    int used = snprintf(out, TEXT_MAX / 2, "%02d:%02d:%02d", (int)(second / 3600),
                        (int)(second / 60 % 60), (int)(second % 60));
    if (fraction)
        used += snprintf(out + used, TEXT_MAX / 2, ".%0*" PRId64, digits, fraction);
    return used;
}

static void put_moment(char *out, int64_t ticks, char unit, bool zone)
{
    int64_t per_second = ticks_per_second(unit), seconds = floor_divide(ticks, per_second);
    int64_t days = floor_divide(seconds, DAY), year;
    int month, day;
    civil(days, &year, &month, &day);
    int used = snprintf(out, TEXT_MAX / 2, "%04" PRId64 "-%02d-%02d ", year, month, day);
    used += put_clock(out + used, seconds - days * DAY, ticks - seconds * per_second,
                      fraction_digits(unit));
    snprintf(out + used, 8, "%s", zone ? "+00:00" : "");
}

static void put_duration(char *out, int64_t ticks, char unit)
{
    int64_t per_second = ticks_per_second(unit), seconds = floor_divide(ticks, per_second);
    int64_t days = floor_divide(seconds, DAY);
    int used = snprintf(out, TEXT_MAX / 2, "%" PRId64 " days %s", days, days < 0 ? "+" : "");
    put_clock(out + used, seconds - days * DAY, ticks - seconds * per_second,
              fraction_digits(unit));
}

char *ndshm__ticks_text(const char *format, int64_t ticks)
{
    char out[TEXT_MAX];
    if (strcmp(format, "tdD") == 0)
        put_moment(out, ticks * DAY, 's', false);
    else if (strcmp(format, "tdm") == 0)
        put_moment(out, ticks, 'm', false);
    else if (format[1] == 's')
        put_moment(out, ticks, format[2], format[4] != '\0');
    else if (format[1] == 'D')
        put_duration(out, ticks, format[2]);
    else
        put_clock(out, ticks / ticks_per_second(format[2]) % DAY,
                  ticks % ticks_per_second(format[2]), fraction_digits(format[2]));
    return ndshm__duplicate(out);
}

/* Two's complement of up to 256 bits, divided by ten until nothing is left. */
static char *decimal_text(const char *format, const void *data, int64_t size)
{
    uint32_t limbs[8];
    char digits[TEXT_MAX], out[2 * TEXT_MAX];
    int count = (int)(size / 4), used = 0, at = 0;
    const char *comma = strchr(format, ',');
    int scale = comma ? atoi(comma + 1) : 0;
    memcpy(limbs, data, (size_t)size);
    bool negative = limbs[count - 1] >> 31;
    uint64_t carry = 1;
    for (int i = 0; negative && i < count; i++) {
        carry += (uint32_t)~limbs[i];
        limbs[i] = (uint32_t)carry;
        carry >>= 32;
    }
    for (bool more = true; more || used <= (scale > 0 ? scale : 0);) {
        uint64_t rest = 0;
        more = false;
        for (int i = count - 1; i >= 0; i--) {
            rest = rest << 32 | limbs[i];
            limbs[i] = (uint32_t)(rest / 10);
            rest %= 10;
            more = more || limbs[i];
        }
        if (used == TEXT_MAX - 1)
            break;
        digits[used++] = (char)('0' + rest);
    }
    if (negative)
        out[at++] = '-';
    while (used > 0) {
        out[at++] = digits[--used];
        if (used == scale && scale > 0)
            out[at++] = '.';
    }
    out[at] = '\0';
    if (scale < 0)
        snprintf(out + at, TEXT_MAX / 2, "E+%d", -scale);
    return ndshm__duplicate(out);
}

static char *hex_text(const void *data, int64_t size)
{
    char *out = ndshm__alloc((size_t)size * 2 + 3);
    if (!out)
        return NULL;
    memcpy(out, "0x", 2);
    for (int64_t i = 0; i < size; i++)
        snprintf(out + 2 + 2 * i, 3, "%02x", ((const uint8_t *)data)[i]);
    return out;
}

static char *copy_text(const void *data, int64_t size)
{
    char *out = ndshm__alloc((size_t)size + 1);
    if (out)
        memcpy(out, data, (size_t)size);
    return out;
}

/* Fifteen digits where they are enough, as many as it needs otherwise. */
static char *number_text(const ndshm_column *column, const void *data)
{
    ndshm_column one = {.format = column->format, .rows = 1, .step = 1, .data = (void *)data};
    double value = 0;
    char out[TEXT_MAX];
    if (ndshm__numbers_load(&one, 0, 1, &value) == 0)
        return ndshm__duplicate("nan");
    snprintf(out, sizeof out, "%.15g", value);
    if (strtod(out, NULL) != value)
        snprintf(out, sizeof out, "%.17g", value);
    return ndshm__duplicate(out);
}

static char *integer_text(const char *format, const void *data, int64_t size)
{
    char out[TEXT_MAX];
    bool is_signed = *format >= 'a';
    int64_t value = ndshm__integer(data, (int32_t)size, is_signed);
    snprintf(out, sizeof out, is_signed ? "%" PRId64 : "%" PRIu64, value);
    return ndshm__duplicate(out);
}

char *ndshm__reader_text(const struct ndshm__reader *reader, int64_t row)
{
    const ndshm_column *column = reader->keyed ? &reader->dictionary : &reader->column;
    const struct ndshm__format *format = &reader->format;
    const void *data;
    int64_t size;
    if (!ndshm__reader_at(reader, row, &data, &size))
        return ndshm__duplicate("");
    if (format->layout != NDSHM__LAYOUT_FIXED)
        return format->text ? copy_text(data, size) : hex_text(data, size);
    if (format->integer)
        return integer_text(column->format, data, size);
    switch (*column->format) {
    case 'b':
        return ndshm__duplicate(*(const char *)data ? "True" : "False");
    case 'd':
        return decimal_text(column->format, data, size);
    case 't':
        return ndshm__ticks_text(column->format, ndshm__integer(data, (int32_t)size, true));
    case 'w':
        return hex_text(data, size);
    default:
        return number_text(column, data);
    }
}
