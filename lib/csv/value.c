/* SPDX-License-Identifier: MIT */
/* Integers, dates and times from text. */
#include "base/base.h"
#include "csv/type.h"

enum { SAFE_DIGITS = 18 }; /* that always fit an int64 */

static bool is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

static const char *digits(const char *at, const char *last, uint64_t *out)
{
    const char *first = at;
    uint64_t value = 0;
    for (; at < last && is_digit(*at); at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        if (at - first < SAFE_DIGITS)
            value = value * 10 + digit;
        else if (__builtin_mul_overflow(value, 10u, &value) ||
                 __builtin_add_overflow(value, digit, &value))
            return NULL;
    }
    *out = value;
    return at > first ? at : NULL;
}

const char *ndshm__csv_uint64(const char *first, const char *last, uint64_t *out)
{
    return digits(first + (first < last && *first == '+'), last, out);
}

const char *ndshm__csv_int64(const char *first, const char *last, int64_t *out)
{
    uint64_t value;
    bool negative = first < last && *first == '-';
    bool sign = negative || (first < last && *first == '+');
    const char *end = digits(first + sign, last, &value);
    if (!end || value > (uint64_t)INT64_MAX + negative)
        return NULL;
    *out = negative ? (int64_t)(0 - value) : (int64_t)value;
    return end;
}

/* Two digits up to max, or -1. */
static int two(const char *at, int max)
{
    if (!is_digit(at[0]) || !is_digit(at[1]))
        return -1;
    int value = (at[0] - '0') * 10 + (at[1] - '0');
    return value <= max ? value : -1;
}

static int days_of_month(int year, int month)
{
    static const uint8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

/* Howard Hinnant's days_from_civil: years begin in March, so that leap days come last. */
static int64_t days_since_1970(int year, int month, int day)
{
    int y = year - (month <= 2);
    int era = (y >= 0 ? y : y - 399) / 400;
    int year_of_era = y - era * 400;
    int day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return (int64_t)era * 146097 + day_of_era - 719468;
}

bool ndshm__csv_day(int year, int month, int day, int64_t *days)
{
    if (year < 0 || month < 1 || month > 12 || day < 1 || day > days_of_month(year, month))
        return false;
    *days = days_since_1970(year, month, day);
    return true;
}

/* Hinnant's civil_from_days. */
void ndshm__csv_civil(int64_t days, int *year, int *month, int *day)
{
    int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t day_of_era = z - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153;
    *day = (int)(day_of_year - (153 * shifted + 2) / 5 + 1);
    *month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    *year = (int)(year_of_era + era * 400 + (*month <= 2));
}

const char *ndshm__csv_date(const char *first, const char *last, int64_t *days)
{
    if (last - first < 10 || first[4] != '-' || first[7] != '-')
        return NULL;
    int century = two(first, 99), rest = two(first + 2, 99);
    int month = two(first + 5, 12), day = two(first + 8, 31);
    if (century < 0 || rest < 0 || !ndshm__csv_day(century * 100 + rest, month, day, days))
        return NULL;
    return first + 10;
}

/* ".123": at most nine digits. */
static const char *fraction(const char *at, const char *last, int32_t *nanoseconds)
{
    int32_t unit = 100000000, value = 0;
    const char *first = ++at;
    for (; at < last && is_digit(*at) && unit > 0; at++, unit /= 10)
        value += (*at - '0') * unit;
    *nanoseconds = value;
    return at > first ? at : NULL;
}

/* "12:00", "12:00:59", "12:00:59.5" */
static const char *time_of_day(const char *at, const char *last, struct ndshm__csv_moment *out)
{
    if (last - at < 5 || at[2] != ':')
        return NULL;
    int hours = two(at, 23), minutes = two(at + 3, 59), seconds = 0;
    at += 5;
    if (last - at >= 3 && *at == ':') {
        seconds = two(at + 1, 59);
        at += 3;
        if (at < last && *at == '.')
            at = fraction(at, last, &out->nanoseconds);
    }
    if (hours < 0 || minutes < 0 || seconds < 0)
        return NULL;
    out->seconds += (hours * 60 + minutes) * 60 + seconds;
    return at;
}

const char *ndshm__csv_offset_utc(const char *at, const char *last, struct ndshm__csv_moment *out)
{
    out->zone = true;
    if (*at == 'Z')
        return at + 1;
    int sign = *at == '-' ? -1 : *at == '+' ? 1 : 0, minutes = 0;
    if (sign == 0 || last - at < 3)
        return NULL;
    int hours = two(at + 1, 23);
    at += 3;
    if (at < last) {
        at += *at == ':';
        if (last - at < 2)
            return NULL;
        minutes = two(at, 59);
        at += 2;
    }
    if (hours < 0 || minutes < 0)
        return NULL;
    out->seconds -= sign * (hours * 60 + minutes) * 60;
    return at;
}

bool ndshm__csv_moment(const char *text, int64_t size, struct ndshm__csv_moment *out)
{
    const char *last = text + size;
    int64_t days;
    const char *at = ndshm__csv_date(text, last, &days);
    if (!at)
        return false;
    *out = (struct ndshm__csv_moment){.seconds = days * 86400};
    if (at == last)
        return true;
    if (*at != 'T' && *at != ' ')
        return false;
    at = time_of_day(at + 1, last, out);
    if (at && at < last)
        at = ndshm__csv_offset_utc(at, last, out);
    return at == last;
}

bool ndshm__csv_ticks(const struct ndshm__csv_moment *moment, int64_t scale, int64_t *out)
{
    int64_t ticks;
    return moment->nanoseconds % scale == 0 &&
           ndshm__mul(moment->seconds, 1000000000 / scale, &ticks) &&
           ndshm__add(ticks, moment->nanoseconds / scale, out);
}
