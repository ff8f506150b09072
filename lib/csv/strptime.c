/* SPDX-License-Identifier: MIT */
/* Dates in given formats. The C library's strptime depends on the locale and knows no decimals. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "csv/type.h"

struct date {
    const char *at, *last;
    int year, month, day, day_of_year;
    int hour, minute, second;
    int half; /* 0: none, 1: AM, 2: PM */
    struct ndshm__csv_moment moment;
};

static const char *const months[] = {"January",   "February", "March",    "April",
                                     "May",       "June",     "July",     "August",
                                     "September", "October",  "November", "December"};

/* What stands for several conversions. */
static const char *expansion(char conversion)
{
    switch (conversion) {
    case 'F':
        return "%Y-%m-%d";
    case 'T':
        return "%H:%M:%S";
    case 'D':
        return "%m/%d/%y";
    case 'R':
        return "%H:%M";
    default:
        return NULL;
    }
}

bool ndshm__csv_strptime_check(const char *format, bool *time, bool *zone)
{
    for (; *format; format++) {
        if (*format != '%')
            continue;
        char conversion = *++format;
        if (!conversion || !strchr("YymdejbBHIMSpfzFTDRnt%", conversion))
            return false;
        *time = *time || strchr("HIMSpfTR", conversion);
        *zone = *zone || conversion == 'z';
    }
    return true;
}

/* Up to that many digits. */
static bool number(struct date *date, int digits, int low, int high, int *out)
{
    const char *first = date->at;
    int value = 0;
    while (date->at < date->last && date->at - first < digits && isdigit((unsigned char)*date->at))
        value = value * 10 + (*date->at++ - '0');
    *out = value;
    return date->at > first && value >= low && value <= high;
}

static bool decimals(struct date *date)
{
    const char *first = date->at;
    int32_t value = 0, unit = 100000000;
    for (; date->at < date->last && unit && isdigit((unsigned char)*date->at); unit /= 10)
        value += (*date->at++ - '0') * unit;
    date->moment.nanoseconds = value;
    return date->at > first;
}

static bool word(struct date *date, const char *wanted, size_t size)
{
    if ((size_t)(date->last - date->at) < size || strncasecmp(date->at, wanted, size) != 0)
        return false;
    date->at += size;
    return true;
}

/* In full, or its first three letters. */
static bool month_name(struct date *date)
{
    for (int i = 0; i < 12; i++)
        if (word(date, months[i], strlen(months[i])) || word(date, months[i], 3)) {
            date->month = i + 1;
            return true;
        }
    return false;
}

static bool short_year(struct date *date)
{
    if (!number(date, 2, 0, 99, &date->year))
        return false;
    date->year += date->year < 69 ? 2000 : 1900;
    return true;
}

static bool half_of_day(struct date *date)
{
    date->half = word(date, "AM", 2) ? 1 : word(date, "PM", 2) ? 2 : 0;
    return date->half != 0;
}

static bool offset(struct date *date)
{
    if (date->at == date->last)
        return false;
    date->at = ndshm__csv_offset_utc(date->at, date->last, &date->moment);
    return date->at != NULL;
}

static void blanks(struct date *date)
{
    while (date->at < date->last && isspace((unsigned char)*date->at))
        date->at++;
}

static bool convert(struct date *date, char conversion)
{
    switch (conversion) {
    case 'Y':
        return number(date, 4, 0, 9999, &date->year);
    case 'y':
        return short_year(date);
    case 'm':
        return number(date, 2, 1, 12, &date->month);
    case 'e':
        blanks(date);
        return number(date, 2, 1, 31, &date->day);
    case 'd':
        return number(date, 2, 1, 31, &date->day);
    case 'j':
        return number(date, 3, 1, 366, &date->day_of_year);
    case 'b':
    case 'B':
        return month_name(date);
    case 'H':
        return number(date, 2, 0, 23, &date->hour);
    case 'I':
        return number(date, 2, 1, 12, &date->hour);
    case 'M':
        return number(date, 2, 0, 59, &date->minute);
    case 'S':
        return number(date, 2, 0, 59, &date->second);
    case 'p':
        return half_of_day(date);
    case 'f':
        return decimals(date);
    case 'z':
        return offset(date);
    case 'n':
    case 't':
        blanks(date);
        return true;
    default:
        return word(date, "%", 1);
    }
}

static bool follow(struct date *date, const char *format)
{
    for (; *format; format++) {
        bool fits;
        if (*format == '%') {
            const char *longer = expansion(*++format);
            fits = longer ? follow(date, longer) : convert(date, *format);
        } else if (isspace((unsigned char)*format)) {
            blanks(date);
            fits = true;
        } else {
            fits = date->at < date->last && *date->at++ == *format;
        }
        if (!fits)
            return false;
    }
    return true;
}

bool ndshm__csv_strptime(const char *format, const char *text, int64_t size,
                         struct ndshm__csv_moment *out)
{
    struct date date = {.at = text, .last = text + size, .year = 1900, .month = 1, .day = 1};
    int64_t days;
    if (!follow(&date, format) || date.at != date.last)
        return false;
    if (!ndshm__csv_day(date.year, date.month, date.day, &days))
        return false;
    if (date.day_of_year) {
        int64_t next;
        ndshm__csv_day(date.year, 1, 1, &days);
        ndshm__csv_day(date.year + 1, 1, 1, &next);
        days += date.day_of_year - 1;
        if (days >= next)
            return false;
    }
    if (date.half)
        date.hour = date.hour % 12 + (date.half == 2 ? 12 : 0);
    *out = date.moment; /* an offset is in it already */
    out->seconds += days * 86400 + (date.hour * 60 + date.minute) * 60 + date.second;
    return true;
}
