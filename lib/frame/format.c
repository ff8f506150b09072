/* SPDX-License-Identifier: MIT */
#include "frame/format.h"

#include <string.h>

#include "array/dtype.h"
#include "base/base.h"

enum { EXACT = 0, TEXT = 1, INTEGER = 2, MAP = 4, ZONE = 8, NUMBER = 16, DECIMAL = 32, IDS = 64 };

/* width: bits of a value, or of an offset. */
struct row {
    char format[5];
    uint8_t layout;
    uint8_t width;
    int8_t children;
    uint8_t flags;
};

/* Sorted. Where something follows a colon, the flags say what. */
static const struct row known[] = {
    {"+L", NDSHM__LAYOUT_LIST, 64, 1, EXACT},       {"+l", NDSHM__LAYOUT_LIST, 32, 1, EXACT},
    {"+m", NDSHM__LAYOUT_LIST, 32, 1, MAP},         {"+r", NDSHM__LAYOUT_RUNS, 0, 2, EXACT},
    {"+s", NDSHM__LAYOUT_STRUCT, 0, -1, EXACT},     {"+ud:", NDSHM__LAYOUT_DENSE, 32, -1, IDS},
    {"+us:", NDSHM__LAYOUT_SPARSE, 0, -1, IDS},     {"+vL", NDSHM__LAYOUT_LIST_VIEW, 64, 1, EXACT},
    {"+vl", NDSHM__LAYOUT_LIST_VIEW, 32, 1, EXACT}, {"+w:", NDSHM__LAYOUT_FIXED_LIST, 0, 1, NUMBER},
    {"C", NDSHM__LAYOUT_FIXED, 8, 0, INTEGER},      {"I", NDSHM__LAYOUT_FIXED, 32, 0, INTEGER},
    {"L", NDSHM__LAYOUT_FIXED, 64, 0, INTEGER},     {"S", NDSHM__LAYOUT_FIXED, 16, 0, INTEGER},
    {"U", NDSHM__LAYOUT_VARIABLE, 64, 0, TEXT},     {"Z", NDSHM__LAYOUT_VARIABLE, 64, 0, EXACT},
    {"b", NDSHM__LAYOUT_FIXED, 1, 0, EXACT},        {"c", NDSHM__LAYOUT_FIXED, 8, 0, INTEGER},
    {"d:", NDSHM__LAYOUT_FIXED, 0, 0, DECIMAL},     {"e", NDSHM__LAYOUT_FIXED, 16, 0, EXACT},
    {"f", NDSHM__LAYOUT_FIXED, 32, 0, EXACT},       {"g", NDSHM__LAYOUT_FIXED, 64, 0, EXACT},
    {"i", NDSHM__LAYOUT_FIXED, 32, 0, INTEGER},     {"l", NDSHM__LAYOUT_FIXED, 64, 0, INTEGER},
    {"n", NDSHM__LAYOUT_NULL, 0, 0, EXACT},         {"s", NDSHM__LAYOUT_FIXED, 16, 0, INTEGER},
    {"tDm", NDSHM__LAYOUT_FIXED, 64, 0, EXACT},     {"tDn", NDSHM__LAYOUT_FIXED, 64, 0, EXACT},
    {"tDs", NDSHM__LAYOUT_FIXED, 64, 0, EXACT},     {"tDu", NDSHM__LAYOUT_FIXED, 64, 0, EXACT},
    {"tdD", NDSHM__LAYOUT_FIXED, 32, 0, EXACT},     {"tdm", NDSHM__LAYOUT_FIXED, 64, 0, EXACT},
    {"tiD", NDSHM__LAYOUT_FIXED, 64, 0, EXACT},     {"tiM", NDSHM__LAYOUT_FIXED, 32, 0, EXACT},
    {"tin", NDSHM__LAYOUT_FIXED, 128, 0, EXACT},    {"tsm:", NDSHM__LAYOUT_FIXED, 64, 0, ZONE},
    {"tsn:", NDSHM__LAYOUT_FIXED, 64, 0, ZONE},     {"tss:", NDSHM__LAYOUT_FIXED, 64, 0, ZONE},
    {"tsu:", NDSHM__LAYOUT_FIXED, 64, 0, ZONE},     {"ttm", NDSHM__LAYOUT_FIXED, 32, 0, EXACT},
    {"ttn", NDSHM__LAYOUT_FIXED, 64, 0, EXACT},     {"tts", NDSHM__LAYOUT_FIXED, 32, 0, EXACT},
    {"ttu", NDSHM__LAYOUT_FIXED, 64, 0, EXACT},     {"u", NDSHM__LAYOUT_VARIABLE, 32, 0, TEXT},
    {"vu", NDSHM__LAYOUT_VIEW, 0, 0, TEXT},         {"vz", NDSHM__LAYOUT_VIEW, 0, 0, EXACT},
    {"w:", NDSHM__LAYOUT_FIXED, 0, 0, NUMBER},      {"z", NDSHM__LAYOUT_VARIABLE, 32, 0, EXACT},
};

static const uint8_t contents[NDSHM__LAYOUTS][NDSHM__BUFFERS_MAX + 1] = {
    [NDSHM__LAYOUT_FIXED] = {NDSHM__CONTENT_VALIDITY, NDSHM__CONTENT_VALUES},
    [NDSHM__LAYOUT_VARIABLE] = {NDSHM__CONTENT_VALIDITY, NDSHM__CONTENT_OFFSETS,
                                NDSHM__CONTENT_BYTES},
    [NDSHM__LAYOUT_VIEW] = {NDSHM__CONTENT_VALIDITY, NDSHM__CONTENT_VIEWS},
    [NDSHM__LAYOUT_LIST] = {NDSHM__CONTENT_VALIDITY, NDSHM__CONTENT_OFFSETS},
    [NDSHM__LAYOUT_LIST_VIEW] = {NDSHM__CONTENT_VALIDITY, NDSHM__CONTENT_STARTS,
                                 NDSHM__CONTENT_SIZES},
    [NDSHM__LAYOUT_FIXED_LIST] = {NDSHM__CONTENT_VALIDITY},
    [NDSHM__LAYOUT_STRUCT] = {NDSHM__CONTENT_VALIDITY},
    [NDSHM__LAYOUT_SPARSE] = {NDSHM__CONTENT_IDS},
    [NDSHM__LAYOUT_DENSE] = {NDSHM__CONTENT_IDS, NDSHM__CONTENT_STARTS},
};

/* A number without sign, and where it ends; NULL: none, or more than a buffer's size can be. */
static const char *read_number(const char *at, int64_t *out)
{
    int64_t value = 0;
    const char *begin = at;
    for (; *at >= '0' && *at <= '9'; at++) {
        value = value * 10 + (*at - '0');
        if (value > INT32_MAX)
            return NULL;
    }
    *out = value;
    return at > begin ? at : NULL;
}

/* "precision,scale" or "precision,scale,bits". */
static bool parse_decimal(const char *at, int64_t *bits)
{
    int64_t precision, scale;
    *bits = 128;
    at = read_number(at, &precision);
    if (!at || *at++ != ',')
        return false;
    at = read_number(at + (*at == '-'), &scale);
    if (!at || (*at && (*at != ',' || !(at = read_number(at + 1, bits)))) || *at)
        return false;
    int64_t most = *bits == 32 ? 9 : *bits == 64 ? 18 : *bits == 128 ? 38 : *bits == 256 ? 76 : 0;
    return precision >= 1 && precision <= most;
}

int32_t ndshm__format_union(const struct ndshm__format *format, int16_t children[NDSHM__UNION_MAX])
{
    int32_t count = 0;
    int64_t id;
    memset(children, -1, NDSHM__UNION_MAX * sizeof *children);
    for (const char *at = format->ids; *at;) {
        at = read_number(at, &id);
        if (!at || id >= NDSHM__UNION_MAX || children[id] >= 0)
            return -1;
        children[id] = (int16_t)count++;
        if (*at == ',' && at[1])
            at++;
        else if (*at)
            return -1;
    }
    return count;
}

/* What follows the colon. */
static bool parse_rest(const struct row *row, const char *rest, struct ndshm__format *out)
{
    int16_t children[NDSHM__UNION_MAX];
    int64_t number;
    if (row->flags & DECIMAL)
        return parse_decimal(rest, &out->bits);
    if (row->flags & NUMBER) {
        const char *end = read_number(rest, &number);
        if (!end || *end)
            return false;
        out->bits = row->layout == NDSHM__LAYOUT_FIXED ? number * 8 : 0;
        out->items = row->layout == NDSHM__LAYOUT_FIXED_LIST ? number : 0;
        return true;
    }
    if (row->flags & IDS) {
        out->ids = rest;
        out->children = ndshm__format_union(out, children);
        return out->children >= 0;
    }
    return row->flags & ZONE;
}

static void fill(const struct row *row, struct ndshm__format *out)
{
    bool fixed = row->layout == NDSHM__LAYOUT_FIXED;
    *out = (struct ndshm__format){.layout = row->layout,
                                  .children = row->children,
                                  .width = fixed ? 0 : row->width / 8,
                                  .bits = fixed ? row->width : 0,
                                  .text = row->flags & TEXT,
                                  .integer = row->flags & INTEGER,
                                  .map = row->flags & MAP};
    while (contents[row->layout][out->buffers] != NDSHM__CONTENT_NONE)
        out->buffers++;
}

bool ndshm__format_parse(const char *format, struct ndshm__format *out)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const struct row *row = &known[i];
        size_t length = strlen(row->format);
        if (*row->format != *format || strncmp(row->format, format, length) != 0)
            continue;
        bool open = row->format[length - 1] == ':';
        if (!open && format[length])
            continue;
        fill(row, out);
        if (open && !parse_rest(row, format + length, out))
            return false;
        if (row->layout == NDSHM__LAYOUT_FIXED)
            out->dtype = ndshm__dtype_from_arrow(format);
        return true;
    }
    return false;
}

enum ndshm__content ndshm__format_content(const struct ndshm__format *format, int buffer)
{
    return contents[format->layout][buffer];
}

/* Bits of a row, or -1 for bytes. */
static int64_t bits_of(const struct ndshm__format *format, enum ndshm__content content)
{
    switch (content) {
    case NDSHM__CONTENT_VALIDITY:
        return 1;
    case NDSHM__CONTENT_VALUES:
        return format->bits;
    case NDSHM__CONTENT_IDS:
        return 8;
    case NDSHM__CONTENT_VIEWS:
        return 128;
    case NDSHM__CONTENT_OFFSETS:
    case NDSHM__CONTENT_STARTS:
    case NDSHM__CONTENT_SIZES:
        return 8 * format->width;
    default:
        return 0;
    }
}

bool ndshm__format_size(const struct ndshm__format *format, int buffer, int64_t rows, int64_t *out)
{
    enum ndshm__content content = ndshm__format_content(format, buffer);
    int64_t bits = bits_of(format, content), size = 0;
    if (content == NDSHM__CONTENT_OFFSETS && !ndshm__add(rows, 1, &rows))
        return false;
    if (bits % 8 == 0) /* whole bytes do not pass through a number of bits */
        return ndshm__mul(rows, bits / 8, out);
    if (!ndshm__mul(rows, bits, &size))
        return false;
    *out = size / 8 + (size % 8 != 0);
    return true;
}
