/* SPDX-License-Identifier: MIT */
/* Data types: every row of the table there and back, and what is not a data type. */
#include <errno.h>
#include <string.h>

#include "array/dlpack_abi.h"
#include "array/dtype.h"
#include "support.h"

#define TIME(kind, unit, multiplier) ((kind) | (uint32_t)(unit) << 8 | (uint32_t)(multiplier) << 16)
#define STRING(kind, length) ((kind) | (uint32_t)(length) << 8)

struct row {
    ndshm_dtype dtype;
    const char *typestr;
    const char *name; /* another spelling */
    int64_t itemsize;
};

static const struct row rows[] = {
    {NDSHM_BOOL, "|b1", "bool", 1},
    {NDSHM_INT8, "|i1", "int8", 1},
    {NDSHM_INT16, "<i2", "int16", 2},
    {NDSHM_INT32, "<i4", "int32", 4},
    {NDSHM_INT64, "<i8", "int64", 8},
    {NDSHM_UINT8, "|u1", "uint8", 1},
    {NDSHM_UINT16, "<u2", "uint16", 2},
    {NDSHM_UINT32, "<u4", "uint32", 4},
    {NDSHM_UINT64, "<u8", "=u8", 8},
    {NDSHM_FLOAT16, "<f2", "float16", 2},
    {NDSHM_FLOAT32, "<f4", "f4", 4},
    {NDSHM_FLOAT64, "<f8", "float64", 8},
    {NDSHM_COMPLEX64, "<c8", "complex64", 8},
    {NDSHM_COMPLEX128, "<c16", "complex128", 16},
    {TIME(NDSHM_DATETIME64, NDSHM_UNIT_YEAR, 0), "<M8[Y]", "datetime64[Y]", 8},
    {TIME(NDSHM_DATETIME64, NDSHM_UNIT_DAY, 0), "<M8[D]", "M8[1D]", 8},
    {TIME(NDSHM_DATETIME64, NDSHM_UNIT_NANOSECOND, 0), "<M8[ns]", "datetime64[ns]", 8},
    {TIME(NDSHM_DATETIME64, NDSHM_UNIT_MICROSECOND, 25), "<M8[25us]", "datetime64[25us]", 8},
    {TIME(NDSHM_DATETIME64, NDSHM_UNIT_GENERIC, 0), "<M8", "datetime64", 8},
    {TIME(NDSHM_TIMEDELTA64, NDSHM_UNIT_MONTH, 65535), "<m8[65535M]", "timedelta64[65535M]", 8},
    {TIME(NDSHM_TIMEDELTA64, NDSHM_UNIT_MINUTE, 0), "<m8[m]", "timedelta64[m]", 8},
    {TIME(NDSHM_TIMEDELTA64, NDSHM_UNIT_ATTOSECOND, 7), "<m8[7as]", "m8[7as]", 8},
    {TIME(NDSHM_TIMEDELTA64, NDSHM_UNIT_GENERIC, 0), "<m8", "m8[generic]", 8},
    {STRING(NDSHM_BYTES, 16), "|S16", "S16", 16},
    {STRING(NDSHM_BYTES, 0), "|S0", "bytes", 0},
    {STRING(NDSHM_BYTES, 0xFFFFFF), "|S16777215", ">S16777215", 0xFFFFFF},
    {STRING(NDSHM_UNICODE, 5), "<U5", "U5", 20},
    {STRING(NDSHM_UNICODE, 0), "<U0", "str", 0},
};

static void test_every_type_there_and_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ndshm_dtype dtype;
        char text[32];
        assert_ok(ndshm_dtype_parse(rows[i].typestr, &dtype));
        assert_int_equal(dtype, rows[i].dtype);
        assert_ok(ndshm_dtype_parse(rows[i].name, &dtype));
        assert_int_equal(dtype, rows[i].dtype);
        assert_ok(ndshm_dtype_typestr(dtype, text, sizeof text));
        assert_string_equal(text, rows[i].typestr);
        assert_int_equal(ndshm_dtype_itemsize(dtype), rows[i].itemsize);
    }
}

static void test_texts_that_are_no_type(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",           "<",           "f",        "<f3",      "<f88",       "float65",
        "float64 ",   " <f8",        "<<f8",     "<float64", "i16",        "O",
        "|O",         "V8",          "c9",       "M8[",      "M8[]",       "M8[ns",
        "M8[ns]x",    "M8[xs]",      "M8[0ns]",  "M8[-1s]",  "M8[65536s]", "M8[2generic]",
        "M9[ns]",     "datetime64[", "S-1",      "S1x",      "S16777216",  "U99999999999999",
        "<f8,<f8",    "bytes16",     "str5",     "M8[B]",    "M8[ns][ns]", "(2,)f8",
        "{'a':'f8'}", "complex256",  "float128", "<f16",     "M8[1ns/4]",  "b",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        ndshm_dtype dtype = 77;
        assert_fails(NDSHM_EDTYPE, ndshm_dtype_parse(texts[i], &dtype), "ndshm_dtype_parse: '");
        assert_int_equal(dtype, 77);
    }
    ndshm_dtype dtype;
    assert_fails(NDSHM_EDTYPE, ndshm_dtype_parse("<f8,<i4", &dtype), "structured");
    assert_fails(NDSHM_EDTYPE, ndshm_dtype_parse(">f8", &dtype), "big-endian");
    assert_fails(NDSHM_EDTYPE, ndshm_dtype_parse(">U3", &dtype), "big-endian");
    assert_fails(NDSHM_EDTYPE, ndshm_dtype_parse(">M8[ns]", &dtype), "big-endian");
    assert_ok(ndshm_dtype_parse(">i1", &dtype)); /* one byte has no order */
    assert_int_equal(dtype, NDSHM_INT8);
    assert_fails(-EINVAL, ndshm_dtype_parse(NULL, &dtype), "NULL");
    assert_fails(-EINVAL, ndshm_dtype_parse("<f8", NULL), "NULL");
}

static void test_numbers_that_are_no_type(void **state)
{
    (void)state;
    static const ndshm_dtype numbers[] = {
        0,
        19,
        255,
        NDSHM_FLOAT64 | 1u << 8,
        NDSHM_BOOL | 1u << 31,
        TIME(NDSHM_DATETIME64, 3, 0),
        TIME(NDSHM_DATETIME64, 15, 0),
        TIME(NDSHM_TIMEDELTA64, 255, 1),
        TIME(NDSHM_TIMEDELTA64, NDSHM_UNIT_GENERIC, 2),
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        char text[32] = "as before";
        assert_fails(NDSHM_EDTYPE, (int)ndshm_dtype_itemsize(numbers[i]), "not a data type");
        assert_fails(NDSHM_EDTYPE, ndshm_dtype_typestr(numbers[i], text, sizeof text), "0x");
        assert_string_equal(text, "as before");
    }
}

static void test_typestr_needs_room(void **state)
{
    (void)state;
    char text[8] = "as";
    assert_fails(-ERANGE, ndshm_dtype_typestr(NDSHM_FLOAT64, text, 3), "3 bytes");
    assert_fails(-ERANGE, ndshm_dtype_typestr(NDSHM_FLOAT64, text, 0), "0 bytes");
    assert_string_equal(text, "as");
    assert_ok(ndshm_dtype_typestr(NDSHM_FLOAT64, text, 4));
    assert_string_equal(text, "<f8");
    assert_fails(-EINVAL, ndshm_dtype_typestr(NDSHM_FLOAT64, NULL, 4), "NULL");
}

static void test_a_multiplier_of_one_is_none(void **state)
{
    (void)state;
    ndshm_dtype one = TIME(NDSHM_DATETIME64, NDSHM_UNIT_SECOND, 1);
    char text[32];
    assert_int_equal(ndshm_dtype_itemsize(one), 8);
    assert_ok(ndshm_dtype_typestr(one, text, sizeof text));
    assert_string_equal(text, "<M8[s]");
    assert_int_equal(ndshm__dtype_canonical(one), TIME(NDSHM_DATETIME64, NDSHM_UNIT_SECOND, 0));
    assert_int_equal(ndshm__dtype_canonical(STRING(NDSHM_BYTES, 256)), STRING(NDSHM_BYTES, 256));
}

static void test_arrow_formats(void **state)
{
    (void)state;
    static const struct {
        const char *format;
        ndshm_dtype dtype;
    } formats[] = {
        {"c", NDSHM_INT8},
        {"C", NDSHM_UINT8},
        {"s", NDSHM_INT16},
        {"S", NDSHM_UINT16},
        {"i", NDSHM_INT32},
        {"I", NDSHM_UINT32},
        {"l", NDSHM_INT64},
        {"L", NDSHM_UINT64},
        {"e", NDSHM_FLOAT16},
        {"f", NDSHM_FLOAT32},
        {"g", NDSHM_FLOAT64},
        {"b", 0},
        {"u", 0},
        {"", 0},
        {"gg", 0},
        {"ts", 0},
        {"tsn", 0},
        {"tsx:", 0},
        {"tDn:", 0},
        {"tdD", 0},
        {"tsn:", TIME(NDSHM_DATETIME64, NDSHM_UNIT_NANOSECOND, 0)},
        {"tss:UTC", TIME(NDSHM_DATETIME64, NDSHM_UNIT_SECOND, 0)},
        {"tDm", TIME(NDSHM_TIMEDELTA64, NDSHM_UNIT_MILLISECOND, 0)},
    };
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        assert_int_equal(ndshm__dtype_from_arrow(formats[i].format), formats[i].dtype);
}

static void test_dlpack_codes(void **state)
{
    (void)state;
    assert_int_equal(ndshm__dtype_from_dlpack(DLPACK_FLOAT, 64), NDSHM_FLOAT64);
    assert_int_equal(ndshm__dtype_from_dlpack(DLPACK_COMPLEX, 128), NDSHM_COMPLEX128);
    assert_int_equal(ndshm__dtype_from_dlpack(DLPACK_BOOL, 8), NDSHM_BOOL);
    assert_int_equal(ndshm__dtype_from_dlpack(DLPACK_INT, 4), 0);
    assert_int_equal(ndshm__dtype_from_dlpack(DLPACK_NONE, 64), 0);
    assert_int_equal(ndshm__dtype_from_dlpack(DLPACK_NONE, 0), 0);
    assert_int_equal(ndshm__dtype_from_dlpack(4, 16), 0); /* bfloat16 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_every_type_there_and_back),
        SUPPORT_TEST(test_texts_that_are_no_type),
        SUPPORT_TEST(test_numbers_that_are_no_type),
        SUPPORT_TEST(test_typestr_needs_room),
        SUPPORT_TEST(test_a_multiplier_of_one_is_none),
        SUPPORT_TEST(test_arrow_formats),
        SUPPORT_TEST(test_dlpack_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
