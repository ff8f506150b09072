/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <ndshm/ndshm.h>

#include "print.h"
#include "values.h"

/* The fewest digits that identify it. */
static void text_double(double value, int digits, int most, char *buffer)
{
    do
        snprintf(buffer, PRINT_SIZE, "%.*g", digits, value);
    while (digits++ < most && strtod(buffer, NULL) != value && !isnan(value));
}

static void text_float(float value, char *buffer)
{
    int digits = 6;
    do
        snprintf(buffer, PRINT_SIZE, "%.*g", digits, (double)value);
    while (digits++ < 9 && strtof(buffer, NULL) != value && !isnan(value));
}

/* IEEE 754 binary16: sign, 5 bits of exponent, 10 of significand. */
static float half(uint16_t bits)
{
    int exponent = bits >> 10 & 31, fraction = bits & 1023;
    float value = exponent == 31 ? (fraction ? NAN : INFINITY)
                  : exponent     ? ldexpf((float)(1024 + fraction), exponent - 25)
                                 : ldexpf((float)fraction, -24);
    return bits & 0x8000 ? -value : value;
}

/* Seconds since 1970 and a part of one, in decimals. */
static void text_time(int64_t seconds, int64_t part, int decimals, char *buffer)
{
    struct tm parts;
    time_t moment = (time_t)seconds;
    if (!gmtime_r(&moment, &parts)) {
        snprintf(buffer, PRINT_SIZE, "%" PRId64 " s", seconds);
        return;
    }
    size_t used = strftime(buffer, PRINT_SIZE, "%Y-%m-%d %H:%M:%S", &parts);
    if (decimals)
        snprintf(buffer + used, PRINT_SIZE - used, ".%0*" PRId64, decimals, part);
}

static void text_date(int64_t days, char *buffer)
{
    if (days > INT64_MAX / 86400 || days < INT64_MIN / 86400) {
        snprintf(buffer, PRINT_SIZE, "%" PRId64 " days", days);
        return;
    }
    text_time(days * 86400, 0, 0, buffer);
    buffer[strcspn(buffer, " ")] = '\0';
}

static int64_t units_a_second(char unit)
{
    return unit == 's' ? 1 : unit == 'm' ? 1000 : unit == 'u' ? 1000000 : 1000000000;
}

static int decimals_of(char unit)
{
    return unit == 's' ? 0 : unit == 'm' ? 3 : unit == 'u' ? 6 : 9;
}

/* A count of seconds, milliseconds, ... since 1970; NumPy's NaT has the least value. */
static void text_timestamp(int64_t value, char unit, char *buffer)
{
    int64_t units = units_a_second(unit), seconds = value / units, part = value % units;
    if (part < 0) {
        part += units;
        seconds--;
    }
    if (value == INT64_MIN)
        snprintf(buffer, PRINT_SIZE, "NaT");
    else
        text_time(seconds, part, decimals_of(unit), buffer);
}

static void text_duration(int64_t value, char unit, char *buffer)
{
    if (value == INT64_MIN)
        snprintf(buffer, PRINT_SIZE, "NaT");
    else
        snprintf(buffer, PRINT_SIZE, "%" PRId64 " %c%s", value, unit, unit == 's' ? "" : "s");
}

static void text_bytes(const void *bytes, int64_t size, char *buffer)
{
    int64_t cut = size < PRINT_SIZE - 1 ? size : PRINT_SIZE - 1;
    memcpy(buffer, bytes, (size_t)cut);
    buffer[cut] = '\0';
}

#define LOAD(type, data, index) (((const type *)(data))[index])

static bool text_number(const char *format, const void *data, int64_t i, char *buffer)
{
    switch (format[0]) {
    case 'b':
        snprintf(buffer, PRINT_SIZE, "%s",
                 LOAD(uint8_t, data, i / 8) >> i % 8 & 1 ? "true" : "false");
        return true;
    case 'c':
        snprintf(buffer, PRINT_SIZE, "%d", LOAD(int8_t, data, i));
        return true;
    case 'C':
        snprintf(buffer, PRINT_SIZE, "%u", LOAD(uint8_t, data, i));
        return true;
    case 's':
        snprintf(buffer, PRINT_SIZE, "%d", LOAD(int16_t, data, i));
        return true;
    case 'S':
        snprintf(buffer, PRINT_SIZE, "%u", LOAD(uint16_t, data, i));
        return true;
    case 'i':
        snprintf(buffer, PRINT_SIZE, "%" PRId32, LOAD(int32_t, data, i));
        return true;
    case 'I':
        snprintf(buffer, PRINT_SIZE, "%" PRIu32, LOAD(uint32_t, data, i));
        return true;
    case 'l':
        snprintf(buffer, PRINT_SIZE, "%" PRId64, LOAD(int64_t, data, i));
        return true;
    case 'L':
        snprintf(buffer, PRINT_SIZE, "%" PRIu64, LOAD(uint64_t, data, i));
        return true;
    case 'e':
        text_float(half(LOAD(uint16_t, data, i)), buffer);
        return true;
    case 'f':
        text_float(LOAD(float, data, i), buffer);
        return true;
    case 'g':
        text_double(LOAD(double, data, i), 15, 17, buffer);
        return true;
    default:
        return false;
    }
}

static bool text_moment(const char *format, const void *data, int64_t i, char *buffer)
{
    if (strcmp(format, "tdD") == 0)
        text_date(LOAD(int32_t, data, i), buffer);
    else if (strcmp(format, "tdm") == 0)
        text_date(LOAD(int64_t, data, i) / 86400000, buffer);
    else if (strncmp(format, "ts", 2) == 0)
        text_timestamp(LOAD(int64_t, data, i), format[2], buffer);
    else if (strncmp(format, "tD", 2) == 0)
        text_duration(LOAD(int64_t, data, i), format[2], buffer);
    else
        return false;
    return true;
}

static bool text_string(const ndshm_column *column, int64_t i, char *buffer)
{
    int64_t begin, end;
    switch (column->format[0]) {
    case 'u':
    case 'z':
        begin = LOAD(int32_t, column->offsets, i);
        end = LOAD(int32_t, column->offsets, i + 1);
        break;
    case 'U':
    case 'Z':
        begin = LOAD(int64_t, column->offsets, i);
        end = LOAD(int64_t, column->offsets, i + 1);
        break;
    default:
        return false;
    }
    if (column->format[1])
        return false;
    text_bytes((const char *)column->data + begin, end - begin, buffer);
    return true;
}

/* "c", not "cx": one letter says it all. */
static bool is_number(const char *format)
{
    return format[0] && !format[1] && strchr("bcCsSiIlLefg", format[0]);
}

static bool is_null(const ndshm_column *column, int64_t i)
{
    return column->validity && !(column->validity[i / 8] >> i % 8 & 1);
}

static int64_t key_of(const ndshm_column *column, int64_t i)
{
    char text[PRINT_SIZE];
    text_number(column->format, column->data, i, text);
    return strtoll(text, NULL, 10);
}

void value_of_column(const ndshm_column *column, const ndshm_column *dictionary, int64_t row,
                     char *buffer)
{
    int64_t i = column->offset + row * column->step;
    const char *format = column->format;
    buffer[0] = '\0';
    if (is_null(column, i))
        return;
    if (dictionary)
        value_of_column(dictionary, NULL, key_of(column, i), buffer);
    else if (!(is_number(format) && text_number(format, column->data, i, buffer)) &&
             !text_moment(format, column->data, i, buffer) && !text_string(column, i, buffer))
        snprintf(buffer, PRINT_SIZE, "<%s>", format);
}

enum table_type value_type(const char *format)
{
    return is_number(format) && format[0] != 'b' ? TABLE_NUMBER : TABLE_TEXT;
}

static void text_complex(double real, double imaginary, char *buffer)
{
    char second[PRINT_SIZE];
    text_double(real, 15, 17, buffer);
    text_double(imaginary, 15, 17, second);
    size_t used = strlen(buffer);
    snprintf(buffer + used, PRINT_SIZE - used, "%s%.64sj", second[0] == '-' ? "" : "+", second);
}

/* Code points, up to the zeroes at the end. */
static void text_unicode(const void *data, int64_t size, char *buffer)
{
    const uint32_t *points = data;
    size_t used = 0;
    for (int64_t i = 0; i < size / 4 && points[i] && used < PRINT_SIZE - 12; i++)
        used += (size_t)snprintf(buffer + used, PRINT_SIZE - used,
                                 points[i] < 128 ? "%c" : "\\u%04" PRIx32, points[i]);
    buffer[used] = '\0';
}

/* typestr: NumPy's, such as "<f8", "|b1", "<M8[ns]". */
void value_of_element(const void *data, ndshm_dtype dtype, char *buffer)
{
    static const char *const formats[][2] = {
        {"i1", "c"}, {"i2", "s"}, {"i4", "i"}, {"i8", "l"}, {"u1", "C"}, {"u2", "S"},
        {"u4", "I"}, {"u8", "L"}, {"f2", "e"}, {"f4", "f"}, {"f8", "g"},
    };
    char typestr[64] = "";
    ndshm_dtype_typestr(dtype, typestr, sizeof typestr);
    const char *type = typestr + 1;
    int64_t size = ndshm_dtype_itemsize(dtype);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strcmp(type, formats[i][0]) == 0) {
            text_number(formats[i][1], data, 0, buffer);
            return;
        }
    if (strcmp(type, "b1") == 0)
        snprintf(buffer, PRINT_SIZE, "%s", *(const uint8_t *)data ? "true" : "false");
    else if (strcmp(type, "c8") == 0)
        text_complex(LOAD(float, data, 0), LOAD(float, data, 1), buffer);
    else if (strcmp(type, "c16") == 0)
        text_complex(LOAD(double, data, 0), LOAD(double, data, 1), buffer);
    else if (type[0] == 'S')
        text_bytes(data, (int64_t)strnlen(data, (size_t)size), buffer);
    else if (type[0] == 'U')
        text_unicode(data, size, buffer);
    else
        snprintf(buffer, PRINT_SIZE, "%" PRId64 "%s", LOAD(int64_t, data, 0), type + 2);
}
