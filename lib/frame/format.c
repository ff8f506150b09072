/* SPDX-License-Identifier: MIT */
#include "frame/format.h"

#include <string.h>

#include "array/dtype.h"

struct row {
    char format[5];
    bool zone; /* a time zone may follow */
    bool text;
    uint8_t bits;
};

static const struct row rows[] = {
    {"C", false, false, 8},    {"I", false, false, 32},   {"L", false, false, 64},
    {"S", false, false, 16},   {"b", false, false, 1},    {"c", false, false, 8},
    {"e", false, false, 16},   {"f", false, false, 32},   {"g", false, false, 64},
    {"i", false, false, 32},   {"l", false, false, 64},   {"s", false, false, 16},
    {"tDm", false, false, 64}, {"tDn", false, false, 64}, {"tDs", false, false, 64},
    {"tDu", false, false, 64}, {"tdD", false, false, 32}, {"tdm", false, false, 64},
    {"tsm:", true, false, 64}, {"tsn:", true, false, 64}, {"tss:", true, false, 64},
    {"tsu:", true, false, 64}, {"u", false, true, 0},     {"z", false, false, 0},
};

static bool matches(const struct row *row, const char *format)
{
    if (row->zone)
        return strncmp(format, row->format, strlen(row->format)) == 0;
    return strcmp(format, row->format) == 0;
}

bool ndshm__format_parse(const char *format, struct ndshm__format *out)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (matches(&rows[i], format)) {
            *out =
                (struct ndshm__format){rows[i].bits, rows[i].text, ndshm__dtype_from_arrow(format)};
            return true;
        }
    return false;
}
