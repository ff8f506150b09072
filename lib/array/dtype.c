/* SPDX-License-Identifier: MIT */
#include "array/dtype.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "array/dlpack_abi.h"
#include "base/base.h"

enum { ROWS = 18, LENGTH_MAX = 0xFFFFFF, MULTIPLIER_MAX = 0xFFFF };

static const struct ndshm__dtype_row rows[ROWS] = {
    {NDSHM_BOOL, 1, 1, DLPACK_BOOL, "bool", "|b1", NULL},
    {NDSHM_INT8, 1, 1, DLPACK_INT, "int8", "|i1", "c"},
    {NDSHM_INT16, 2, 2, DLPACK_INT, "int16", "<i2", "s"},
    {NDSHM_INT32, 4, 4, DLPACK_INT, "int32", "<i4", "i"},
    {NDSHM_INT64, 8, 8, DLPACK_INT, "int64", "<i8", "l"},
    {NDSHM_UINT8, 1, 1, DLPACK_UINT, "uint8", "|u1", "C"},
    {NDSHM_UINT16, 2, 2, DLPACK_UINT, "uint16", "<u2", "S"},
    {NDSHM_UINT32, 4, 4, DLPACK_UINT, "uint32", "<u4", "I"},
    {NDSHM_UINT64, 8, 8, DLPACK_UINT, "uint64", "<u8", "L"},
    {NDSHM_FLOAT16, 2, 2, DLPACK_FLOAT, "float16", "<f2", "e"},
    {NDSHM_FLOAT32, 4, 4, DLPACK_FLOAT, "float32", "<f4", "f"},
    {NDSHM_FLOAT64, 8, 8, DLPACK_FLOAT, "float64", "<f8", "g"},
    {NDSHM_COMPLEX64, 8, 4, DLPACK_COMPLEX, "complex64", "<c8", NULL},
    {NDSHM_COMPLEX128, 16, 8, DLPACK_COMPLEX, "complex128", "<c16", NULL},
    {NDSHM_DATETIME64, 8, 8, DLPACK_NONE, "datetime64", "<M8", NULL},
    {NDSHM_TIMEDELTA64, 8, 8, DLPACK_NONE, "timedelta64", "<m8", NULL},
    {NDSHM_BYTES, 0, 1, DLPACK_NONE, "bytes", "|S", NULL},
    {NDSHM_UNICODE, 0, 4, DLPACK_NONE, "str", "<U", NULL},
};

/* By number; NumPy has given up number 3. */
static const char *const units[NDSHM_UNIT_GENERIC + 1] = {
    "Y", "M", "W", NULL, "D", "h", "m", "s", "ms", "us", "ns", "ps", "fs", "as", "generic",
};

static bool is_time(const struct ndshm__dtype_row *row)
{
    return row->kind == NDSHM_DATETIME64 || row->kind == NDSHM_TIMEDELTA64;
}

static bool is_string(const struct ndshm__dtype_row *row)
{
    return row->itemsize == 0;
}

static uint32_t unit_of(ndshm_dtype dtype)
{
    return dtype >> 8 & 0xFF;
}

static bool is_unit(uint32_t unit, uint32_t multiplier)
{
    if (unit == NDSHM_UNIT_GENERIC)
        return multiplier <= 1;
    return unit < NDSHM_UNIT_GENERIC && units[unit];
}

const struct ndshm__dtype_row *ndshm__dtype_row(ndshm_dtype dtype)
{
    uint32_t kind = dtype & 0xFF;
    if (kind < 1 || kind > ROWS)
        return NULL;
    const struct ndshm__dtype_row *row = &rows[kind - 1];
    if (is_string(row))
        return row;
    if (is_time(row))
        return is_unit(unit_of(dtype), dtype >> 16) ? row : NULL;
    return dtype == kind ? row : NULL;
}

int64_t ndshm__dtype_itemsize(ndshm_dtype dtype)
{
    const struct ndshm__dtype_row *row = ndshm__dtype_row(dtype);
    if (!row)
        return -1;
    return is_string(row) ? (int64_t)(dtype >> 8) * row->component : row->itemsize;
}

int ndshm__dtype_check(ndshm_dtype dtype)
{
    if (ndshm__dtype_row(dtype))
        return 0;
    return ndshm__fail(NDSHM_EDTYPE, "0x%08x is not a data type; see ndshm/dtype.h", dtype);
}

ndshm_dtype ndshm__dtype_canonical(ndshm_dtype dtype)
{
    uint32_t kind = dtype & 0xFF;
    bool time = kind == NDSHM_DATETIME64 || kind == NDSHM_TIMEDELTA64;
    return time && dtype >> 16 == 1 ? dtype & 0xFFFF : dtype;
}

/* Digits of at most max; the number of characters, 0 when there are none, or -1 when it is more. */
static int parse_number(const char *text, uint32_t max, uint32_t *out)
{
    uint32_t value = 0;
    int length = 0;
    for (; text[length] >= '0' && text[length] <= '9'; length++) {
        value = value * 10 + (uint32_t)(text[length] - '0');
        if (value > max)
            return -1;
    }
    *out = value;
    return length;
}

static uint32_t find_unit(const char *text, size_t length)
{
    uint32_t unit = 0;
    for (; unit <= NDSHM_UNIT_GENERIC; unit++)
        if (units[unit] && strlen(units[unit]) == length && !strncmp(text, units[unit], length))
            break;
    return unit;
}

/* "" or "[25us]"; the bits of unit and multiplier. */
static bool parse_unit(const char *text, uint32_t *out)
{
    uint32_t multiplier = 1;
    if (!*text) {
        *out = NDSHM_UNIT_GENERIC << 8;
        return true;
    }
    if (*text++ != '[')
        return false;
    int digits = parse_number(text, MULTIPLIER_MAX, &multiplier);
    if (digits < 0 || (digits > 0 && multiplier == 0))
        return false;
    if (digits == 0)
        multiplier = 1;
    text += digits;
    size_t length = strcspn(text, "]");
    uint32_t unit = find_unit(text, length);
    if (strcmp(text + length, "]") != 0 || !is_unit(unit, multiplier))
        return false;
    *out = unit << 8 | (multiplier > 1 ? multiplier << 16 : 0);
    return true;
}

static bool parse_length(const char *text, uint32_t *out)
{
    uint32_t length = 0;
    int digits = parse_number(text, LENGTH_MAX, &length);
    *out = length << 8;
    return digits >= 0 && !text[digits];
}

/* What follows the name or type code of a row; 0 when it does not fit. */
static ndshm_dtype parse_rest(const struct ndshm__dtype_row *row, const char *rest, bool by_name)
{
    uint32_t bits = 0;
    bool fits = !*rest;
    if (is_time(row))
        fits = parse_unit(rest, &bits);
    else if (is_string(row) && !by_name)
        fits = parse_length(rest, &bits);
    return fits ? row->kind | bits : 0;
}

static ndshm_dtype parse_row(const struct ndshm__dtype_row *row, const char *text,
                             bool name_allowed)
{
    const char *code = row->typestr + 1;
    ndshm_dtype dtype = 0;
    if (strncmp(text, code, strlen(code)) == 0)
        dtype = parse_rest(row, text + strlen(code), false);
    if (!dtype && name_allowed && strncmp(text, row->name, strlen(row->name)) == 0)
        dtype = parse_rest(row, text + strlen(row->name), true);
    return dtype;
}

static int parse_failed(const char *text)
{
    if (strpbrk(text, "{(,"))
        return ndshm__fail(NDSHM_EDTYPE,
                           "'%.100s': structured data types are not supported; store each field "
                           "as an array, or all of them as a frame",
                           text);
    return ndshm__fail(NDSHM_EDTYPE,
                       "'%.100s' is not a known data type; \"<f8\", \"int32\", \"<M8[ns]\" and "
                       "\"S16\" are examples of known ones",
                       text);
}

int ndshm__dtype_parse(const char *typestr, ndshm_dtype *out, bool *swapped)
{
    bool ordered = *typestr && strchr("<>=|", *typestr);
    const char *text = typestr + ordered;
    ndshm_dtype dtype = 0;
    for (int i = 0; i < ROWS && !dtype; i++)
        dtype = parse_row(&rows[i], text, !ordered);
    if (!dtype)
        return parse_failed(typestr);
    bool big = *typestr == '>' && ndshm__dtype_row(dtype)->component > 1;
    if (big && !swapped)
        return ndshm__fail(NDSHM_EDTYPE, "'%.100s' is big-endian; convert the data first", typestr);
    if (swapped)
        *swapped = big;
    *out = dtype;
    return 0;
}

int ndshm_dtype_parse(const char *typestr, ndshm_dtype *out)
{
    ndshm__begin("ndshm_dtype_parse");
    if (!typestr || !out)
        return ndshm__fail(-EINVAL, "typestr or out is NULL");
    return ndshm__dtype_parse(typestr, out, NULL);
}

void ndshm__dtype_typestr(ndshm_dtype dtype, char out[NDSHM__TYPESTR_SIZE])
{
    const struct ndshm__dtype_row *row = ndshm__dtype_row(dtype);
    const char *code = row->typestr;
    uint32_t multiplier = dtype >> 16;
    const char *unit = is_time(row) ? units[unit_of(dtype)] : NULL;
    if (is_string(row))
        snprintf(out, NDSHM__TYPESTR_SIZE, "%s%u", code, dtype >> 8);
    else if (!unit || unit_of(dtype) == NDSHM_UNIT_GENERIC)
        snprintf(out, NDSHM__TYPESTR_SIZE, "%s", code);
    else if (multiplier > 1)
        snprintf(out, NDSHM__TYPESTR_SIZE, "%s[%u%s]", code, multiplier, unit);
    else
        snprintf(out, NDSHM__TYPESTR_SIZE, "%s[%s]", code, unit);
}

int ndshm_dtype_typestr(ndshm_dtype dtype, char *buffer, size_t size)
{
    ndshm__begin("ndshm_dtype_typestr");
    char text[NDSHM__TYPESTR_SIZE];
    if (!buffer)
        return ndshm__fail(-EINVAL, "buffer is NULL");
    int status = ndshm__dtype_check(dtype);
    if (status)
        return status;
    ndshm__dtype_typestr(dtype, text);
    if (strlen(text) >= size)
        return ndshm__fail(-ERANGE, "\"%s\" does not fit into %zu bytes", text, size);
    memcpy(buffer, text, strlen(text) + 1);
    return 0;
}

int64_t ndshm_dtype_itemsize(ndshm_dtype dtype)
{
    ndshm__begin("ndshm_dtype_itemsize");
    int status = ndshm__dtype_check(dtype);
    return status ? status : ndshm__dtype_itemsize(dtype);
}

/* "tsn:UTC" is datetime64[ns], "tDn" timedelta64[ns]. */
static ndshm_dtype time_from_arrow(const char *format)
{
    static const char letters[] = "smun";
    bool stamp = strncmp(format, "ts", 2) == 0;
    if (!stamp && strncmp(format, "tD", 2) != 0)
        return 0;
    const char *letter = format[2] ? strchr(letters, format[2]) : NULL;
    if (!letter || (stamp ? format[3] != ':' : format[3] != '\0'))
        return 0;
    uint32_t unit = NDSHM_UNIT_SECOND + (uint32_t)(letter - letters);
    return (stamp ? NDSHM_DATETIME64 : NDSHM_TIMEDELTA64) | unit << 8;
}

ndshm_dtype ndshm__dtype_from_arrow(const char *format)
{
    for (int i = 0; i < ROWS; i++)
        if (rows[i].arrow && strcmp(rows[i].arrow, format) == 0)
            return rows[i].kind;
    return time_from_arrow(format);
}

ndshm_dtype ndshm__dtype_from_dlpack(uint8_t code, uint8_t bits)
{
    for (int i = 0; i < ROWS; i++)
        if (rows[i].dlpack == code && code != DLPACK_NONE && rows[i].itemsize * 8 == bits)
            return rows[i].kind;
    return 0;
}
