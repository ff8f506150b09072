/* SPDX-License-Identifier: MIT */
/* The CSV reader: what tricky texts mean. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ndshm/csv.h>

#include "base/os.h"
#include "support.h"

static int read_bytes(const char *text, size_t size, const ndshm_csv_config *config,
                      ndshm_frame **out)
{
    return ndshm_frame_from_csv(NULL, NULL, support_file("x.csv", text, size), config, NULL, out);
}

/* --- frames as text: "a:l:1|2 b:?u:x|~", with ~ for null --- */

static void show_value(FILE *out, const ndshm_column *column, int64_t row)
{
    const int32_t *offsets = column->offsets;
    const void *data = column->data;
    if (column->validity && !(column->validity[row / 8] >> row % 8 & 1))
        fputc('~', out);
    else if (offsets)
        fwrite((const char *)data + offsets[row], 1, (size_t)(offsets[row + 1] - offsets[row]),
               out);
    else if (*column->format == 'g')
        fprintf(out, "%.17g", ((const double *)data)[row]);
    else if (*column->format == 'f')
        fprintf(out, "%.9g", (double)((const float *)data)[row]);
    else if (*column->format == 'b')
        fputc('0' + (((const uint8_t *)data)[row / 8] >> row % 8 & 1), out);
    else if (*column->format == 'c')
        fprintf(out, "%d", ((const int8_t *)data)[row]);
    else if (*column->format == 'S')
        fprintf(out, "%u", ((const uint16_t *)data)[row]);
    else if (*column->format == 'i' || strcmp(column->format, "tdD") == 0)
        fprintf(out, "%d", ((const int32_t *)data)[row]);
    else if (*column->format == 'L')
        fprintf(out, "%llu", ((const unsigned long long *)data)[row]);
    else
        fprintf(out, "%lld", ((const long long *)data)[row]);
}

static char *show(const ndshm_frame *frame)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    for (int i = 0; i < ndshm_frame_columns(frame); i++) {
        ndshm_column column;
        assert_ok(ndshm_frame_column(frame, i, &column));
        fprintf(out, "%s%s:%s%s:", i ? " " : "", column.name, column.validity ? "?" : "",
                column.format);
        for (int64_t row = 0; row < column.rows; row++) {
            if (row)
                fputc('|', out);
            show_value(out, &column, row);
        }
    }
    fclose(out);
    return text;
}

static void check(const char *text, const ndshm_csv_config *config, const char *expected)
{
    ndshm_frame *frame;
    assert_ok(read_bytes(text, strlen(text), config, &frame));
    char *shown = show(frame);
    assert_string_equal(shown, expected);
    free(shown);
    ndshm_frame_detach(&frame);
}

static void test_texts(void **state)
{
    (void)state;
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"a,b\n1,2\n3,4\n", "a:l:1|3 b:l:2|4"},
        {"a,b\r\n1,2\r\n3,4\r\n", "a:l:1|3 b:l:2|4"},
        {"a,b\n1,2\n3,4", "a:l:1|3 b:l:2|4"},
        {"a,b\r\n1,x\r\n3,y", "a:l:1|3 b:u:x|y"},
        {"\xEF\xBB\xBF"
         "a\n1\n",
         "a:l:1"},
        {"\n\r\na,b\n\n1,2\n\r\n3,4\n\n\n", "a:l:1|3 b:l:2|4"},
        {"a\n", "a:g:"},
        {"a,b", "a:g: b:g:"},
        {"a,a\n1,2\n", "a:l:1 a:l:2"},
        {",b\n1,2\n", ":l:1 b:l:2"},
        {"\"a,b\",\"c\"\"d\"\n1,2\n", "a,b:l:1 c\"d:l:2"},
        {"\"a\nb\"\n\"x\r\ny\"\n", "a\nb:u:x\r\ny"},
        {"a\n\"\"\"\"\n\"x\"\"\"\n\"\"\"x\"\n", "a:u:\"|x\"|\"x"},
        {"a\nx\"y\n'z'\n", "a:u:x\"y|'z'"},
        {"a,b\n\"1\",\"2.5\"\r\n\"3\",\"4\"\r\n", "a:l:1|3 b:g:2.5|4"},
        {"a,b\n,\nx,1\n", "a:?u:~|x b:g:nan|1"},
        {"a,b\n\"\",NA\nx,1\n", "a:?u:~|x b:g:nan|1"},
        {"a,b,c\nNA,N/A,NaN\nnan,NULL,null\nNone,,\n",
         "a:g:nan|nan|nan b:g:nan|nan|nan c:g:nan|nan|nan"},
        {"a\nNAN\n1\n", "a:g:nan|1"},
        {"a\nNAs\n1\n", "a:u:NAs|1"},
        {"a\n 1\n2 \n\t3\n", "a:l:1|2|3"},
        {"a\n 1.5\n2 \n", "a:g:1.5|2"},
        {"a\n x\n", "a:u: x"},
        {"a\n \n1\n", "a:u: |1"},
        /* integers */
        {"a\n-0\n+7\n007\n", "a:l:0|7|7"},
        {"a\n9223372036854775807\n-9223372036854775808\n",
         "a:l:9223372036854775807|-9223372036854775808"},
        {"a\n9223372036854775808\n1\n", "a:g:9.2233720368547758e+18|1"},
        {"a\n-9223372036854775809\n", "a:g:-9.2233720368547758e+18"},
        {"a\n000000000000000000000000000001\n", "a:l:1"},
        {"a,b\n1,1\n,2\n", "a:g:1|nan b:l:1|2"},
        {"a,b\n9007199254740992,1\n,2\n", "a:g:9007199254740992|nan b:l:1|2"},
        {"a,b\n9007199254740993,1\n,2\n", "a:?l:9007199254740993|~ b:l:1|2"},
        {"a\n1-\n", "a:u:1-"},
        {"a\n--1\n", "a:u:--1"},
        {"a\n+-1\n", "a:u:+-1"},
        {"a\n-\n+\n", "a:u:-|+"},
        {"a\n1 2\n", "a:u:1 2"},
        {"a\n1_000\n", "a:u:1_000"},
        {"a\n0x10\n", "a:u:0x10"},
        /* floats */
        {"a\n1\n.5\n5.\n-1e3\n1E-2\n+2.5\n", "a:g:1|0.5|5|-1000|0.01|2.5"},
        {"a\ninf\n-inf\nInfinity\n-Infinity\n+inf\n", "a:g:inf|-inf|inf|-inf|inf"},
        {"a\n1e400\n-1e400\n1e-400\n", "a:g:inf|-inf|0"},
        {"a\n0.1\n0.30000000000000004\n5e-324\n",
         "a:g:0.10000000000000001|0.30000000000000004|4.9406564584124654e-324"},
        {"a\n1.\n.\n", "a:u:1.|."},
        {"a\n1e\n", "a:u:1e"},
        {"a\n1.2.3\n", "a:u:1.2.3"},
        /* truth values */
        {"a\ntrue\nFalse\nTRUE\n", "a:b:1|0|1"},
        {"a,b\ntrue,x\n,y\n", "a:?b:1|~ b:u:x|y"},
        {"a\ntrue\n1\n", "a:u:true|1"},
        {"a\ntRUE\n", "a:u:tRUE"},
        /* dates and times */
        {"a\n1970-01-01\n2024-02-29\n1969-12-31\n0001-01-01\n9999-12-31\n",
         "a:tdD:0|19782|-1|-719162|2932896"},
        {"a\n2023-02-29\n", "a:u:2023-02-29"},
        {"a\n1900-02-29\n", "a:u:1900-02-29"},
        {"a\n2000-02-29\n", "a:tdD:11016"},
        {"a\n2024-13-01\n", "a:u:2024-13-01"},
        {"a\n2024-04-31\n", "a:u:2024-04-31"},
        {"a\n2024-00-10\n2024-01-00\n", "a:u:2024-00-10|2024-01-00"},
        {"a\n2024-1-1\n", "a:u:2024-1-1"},
        {"a,b\n1970-01-02,1\nNA,1\n", "a:?tdD:1|~ b:l:1|1"},
        {"a\n1970-01-01 00:00:01\n1970-01-01T00:01\n1970-01-02\n",
         "a:tsn::1000000000|60000000000|86400000000000"},
        {"a\n1969-12-31 23:59:59.5\n1970-01-01 00:00:00.123456789\n",
         "a:tsn::-500000000|123456789"},
        {"a\n1970-01-01T00:00:00Z\n1970-01-01T01:00:00+01:00\n1969-12-31T19:00-0500\n"
         "1970-01-01 01:00+01\n",
         "a:tsn:UTC:0|0|0|0"},
        {"a\n1970-01-01T00:00:00Z\n1970-01-01T00:00:00\n",
         "a:u:1970-01-01T00:00:00Z|1970-01-01T00:00:00"},
        {"a\n2262-04-11 23:47:16\n1677-09-21 00:12:44\n",
         "a:tsn::9223372036000000000|-9223372036000000000"},
        {"a\n2262-04-12 00:00:00\n", "a:u:2262-04-12 00:00:00"},
        {"a\n1970-01-01 24:00:00\n", "a:u:1970-01-01 24:00:00"},
        {"a\n1970-01-01 00:60:00\n", "a:u:1970-01-01 00:60:00"},
        {"a\n1970-01-01 00:00:00.1234567891\n", "a:u:1970-01-01 00:00:00.1234567891"},
        {"a\n1970-01-01 00:00:00.\n", "a:u:1970-01-01 00:00:00."},
        {"a\n1970-01-01 00:00:00+\n", "a:u:1970-01-01 00:00:00+"},
        {"a\n1970-01-01 00:00:00+1\n", "a:u:1970-01-01 00:00:00+1"},
        {"a\n1970-01-01 00:00:00+01:\n", "a:u:1970-01-01 00:00:00+01:"},
        {"a\n1970-01-01x00:00\n", "a:u:1970-01-01x00:00"},
        {"a\n1970-01-01 0:00\n", "a:u:1970-01-01 0:00"},
        {"a\n1970-01-01 \n", "a:u:1970-01-01 "},
        /* text */
        {"a\n\xC3\xA9\n\xF0\x9F\x90\x98\n", "a:u:\xC3\xA9|\xF0\x9F\x90\x98"},
        {"a,b\nx\ry,1\n", "a:u:x\ry b:l:1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(cases[i].text, NULL, cases[i].expected);
}

static void test_bytes_of_text_may_be_nul(void **state)
{
    (void)state;
    ndshm_frame *frame;
    ndshm_column column;
    assert_ok(read_bytes("a\nx\0y\n", 6, NULL, &frame));
    assert_ok(ndshm_frame_column(frame, 0, &column));
    assert_int_equal(((const int32_t *)column.offsets)[1], 3);
    assert_memory_equal(column.data, "x\0y", 3);
    ndshm_frame_detach(&frame);
}

static void test_config(void **state)
{
    (void)state;
    ndshm_csv_config config;
    ndshm_csv_config_init(&config);
    config.separator = ';';
    config.quote = '\'';
    check("a;b\n'x;y';1,5\n", &config, "a:u:x;y b:u:1,5");
    config.separator = '\t';
    check("a\tb\n1\t2\n", &config, "a:l:1 b:l:2");
    ndshm_csv_config_init(&config);
    config.separator = ' ';
    check("a b\n1 2\n", &config, "a:l:1 b:l:2");
    ndshm_csv_config_init(&config);
    config.flags = NDSHM_CSV_NO_HEADER;
    check("1,x\n2,y\n", &config, "0:l:1|2 1:u:x|y");
    config.index = 2;
    check("1,x\n2,y\n", &config, "0:l:1|2 __index_level_0__:u:x|y");
    ndshm_csv_config_init(&config);
    config.missing = "-999\n-";
    check("a,b\n1,NA\n-999,\n-,z\n", &config, "a:g:1|nan|nan b:u:NA||z");
    config.missing = "";
    check("a,b\nNaN,NA\n,\n", &config, "a:g:nan|nan b:?u:NA|~");
    config.missing = "1";
    check("a\n1\n2\n", &config, "a:g:nan|2");
}

static void check_type(const char *format, const char *values, const char *expected)
{
    const char *types[] = {"a", format};
    char text[256];
    ndshm_csv_config config;
    ndshm_csv_config_init(&config);
    config.types = types;
    config.ntypes = 1;
    snprintf(text, sizeof text, "b,a\n%s", values);
    check(text, &config, expected);
}

static void test_given_types(void **state)
{
    (void)state;
    check_type("c", "1,-128\n2,127\n", "b:l:1|2 a:c:-128|127");
    check_type("S", "1,65535\n", "b:l:1 a:S:65535");
    check_type("i", "1,-2147483648\n", "b:l:1 a:i:-2147483648");
    check_type("l", "1,5\n2,\n", "b:l:1|2 a:?l:5|~");
    check_type("?l", "1,5\n", "b:l:1 a:?l:5");
    check_type("L", "1,18446744073709551615\n", "b:l:1 a:L:18446744073709551615");
    check_type("f", "1,0.1\n2,NA\n", "b:l:1|2 a:f:0.100000001|nan");
    check_type("g", "1,5\n2,NA\n", "b:l:1|2 a:g:5|nan");
    check_type("?g", "1,5\n2,NA\n3,nan\n", "b:l:1|2|3 a:?g:5|~|~");
    check_type("b", "1,true\n", "b:l:1 a:b:1");
    check_type("u", "1,5\n2,NA\n", "b:l:1|2 a:?u:5|~");
    check_type("z", "1,\xFF\n", "b:l:1 a:z:\xFF");
    check_type("tdD", "1,1970-01-02\n", "b:l:1 a:tdD:1");
    check_type("tdm", "1,1970-01-02\n", "b:l:1 a:tdm:86400000");
    check_type("tss:", "1,1970-01-02 00:00:01\n", "b:l:1 a:tss::86401");
    check_type("tsm:", "1,1970-01-01 00:00:00.25\n", "b:l:1 a:tsm::250");
    check_type("tsu:", "1,1970-01-01\n2,\n", "b:l:1|2 a:?tsu::0|~");
    check_type("tsn:UTC", "1,1970-01-01\n2,1970-01-01T00:00Z\n", "b:l:1|2 a:tsn:UTC:0|0");
    check_type("tss:Asia/Tokyo", "1,1970-01-01T09:00+09:00\n", "b:l:1 a:tss:Asia/Tokyo:0");
}

static void test_a_pipe_is_read_to_its_end(void **state)
{
    (void)state;
    int ends[2];
    char path[64];
    ndshm_frame *frame;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "a\n1\n2\n", 6), 6);
    close(ends[1]);
    snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
    assert_ok(ndshm_frame_from_csv(NULL, NULL, path, NULL, NULL, &frame));
    assert_int_equal(ndshm_frame_rows(frame), 2);
    ndshm_frame_detach(&frame);
    close(ends[0]);
}

static void test_names_and_publishing(void **state)
{
    (void)state;
    const char *path = support_file("x.csv", "a\n1\n", 4);
    ndshm_create_config create;
    ndshm_frame *frame, *other;
    assert_ok(ndshm_frame_from_csv(NULL, "t-csv", path, NULL, NULL, &frame));
    assert_fails(-EEXIST, ndshm_frame_from_csv(NULL, "t-csv", path, NULL, NULL, &other), "taken");
    assert_ok(ndshm_frame_attach("t-csv", NDSHM_READ, &other));
    ndshm_frame_detach(&other);
    assert_ok(ndshm_frame_unlink(frame));
    ndshm_frame_detach(&frame);
    ndshm_create_config_init(&create);
    create.flags = NDSHM_UNPUBLISHED;
    assert_ok(ndshm_frame_from_csv(NULL, "t-csv", path, NULL, &create, &frame));
    assert_fails(-ENOENT, ndshm_frame_attach("t-csv", NDSHM_READ, &other), "t-csv");
    ndshm_frame_detach(&frame);
}

/* --- long files, of which the first rows are not the whole truth --- */

enum { LONG = 20000 };

/* A file of LONG rows "row,common" with one odd value at the given row; the formats found. */
static void check_late(const char *common, const char *odd, int at, const char *format,
                       const char *expected)
{
    char *text, first[64], value[64];
    size_t size;
    ndshm_frame *frame;
    ndshm_column column;
    FILE *out = open_memstream(&text, &size);
    fputs("row,x\n", out);
    for (int i = 0; i < LONG; i++)
        fprintf(out, "%d,%s\n", i, i == at ? odd : common);
    fclose(out);
    assert_ok(read_bytes(text, size, NULL, &frame));
    free(text);
    assert_int_equal(ndshm_frame_rows(frame), LONG);
    assert_ok(ndshm_frame_column(frame, 0, &column));
    assert_string_equal(column.format, "l");
    for (int i = 0; i < LONG; i++)
        assert_int_equal(((int64_t *)column.data)[i], i);
    assert_ok(ndshm_frame_column(frame, 1, &column));
    snprintf(first, sizeof first, "%s%s", column.validity ? "?" : "", column.format);
    assert_string_equal(first, format);
    FILE *shown = fmemopen(value, sizeof value, "w");
    show_value(shown, &column, at);
    fputc('|', shown);
    show_value(shown, &column, LONG - 1);
    fclose(shown);
    assert_string_equal(value, expected);
    ndshm_frame_detach(&frame);
}

static void test_late_surprises(void **state)
{
    (void)state;
    for (int at = LONG - 7; at > 100; at -= 9950) {
        check_late("5", "5", at, "l", "5|5");
        check_late("5", "6.5", at, "g", "6.5|5");
        check_late("5", "", at, "g", "nan|5");
        check_late("9007199254740993", "NA", at, "?l", "~|9007199254740993");
        check_late("5", "x", at, "u", "x|5");
        check_late("5", "\"x\ny\"", at, "u", "x\ny|5");
        check_late("5", "\"6\"", at, "l", "6|5");
        check_late("2.5", "", at, "g", "nan|2.5");
        check_late("2.5", "7", at, "g", "7|2.5");
        check_late("2024-02-29", "", at, "?tdD", "~|19782");
        check_late("1970-01-02", "1970-01-01 00:00:01", at, "tsn:", "1000000000|86400000000000");
        check_late("1970-01-01T00:00Z", "1970-01-01", at, "u", "1970-01-01|1970-01-01T00:00Z");
        check_late("true", "maybe", at, "u", "maybe|true");
        check_late("", "7", at, "g", "7|nan");
        check_late("", "true", at, "?b", "1|~");
        check_late("", "x", at, "?u", "x|~");
        check_late("NA", "9007199254740993", at, "?l", "9007199254740993|~");
        check_late("x", "", at, "?u", "~|x");
        check_late("x", "\"\"\"\"", at, "u", "\"|x");
    }
}

/* A column of whole numbers with gaps is float64 until a number is too wide for that. */
static void test_late_wide_integer_among_missing_values(void **state)
{
    (void)state;
    char *text;
    size_t size;
    ndshm_frame *frame;
    ndshm_column column;
    FILE *out = open_memstream(&text, &size);
    fputs("x,y\n", out);
    for (int i = 0; i < LONG; i++)
        fprintf(out, "%s,1\n", i == LONG - 5 ? "9007199254740993" : i % 2 ? "" : "5");
    fclose(out);
    assert_ok(read_bytes(text, size, NULL, &frame));
    free(text);
    assert_ok(ndshm_frame_column(frame, 0, &column));
    assert_string_equal(column.format, "l");
    assert_int_equal(column.null_count, LONG / 2 - 1);
    assert_int_equal(((int64_t *)column.data)[LONG - 5], INT64_C(9007199254740993));
    ndshm_frame_detach(&frame);
}

static void test_late_ragged_line(void **state)
{
    (void)state;
    char *text;
    size_t size;
    ndshm_frame *frame;
    FILE *out = open_memstream(&text, &size);
    fputs("x,y\n", out);
    for (int i = 0; i < LONG; i++)
        fputs(i == LONG - 1 ? "1\n" : "1,2\n", out);
    fclose(out);
    assert_fails(NDSHM_EPARSE, read_bytes(text, size, NULL, &frame), "line 20001, column 1 ('x')");
    free(text);
}

/* --- random --- */

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* The C library's strtod is correctly rounded, too. */
static void test_numbers_are_correctly_rounded(void **state)
{
    (void)state;
    enum { NUMBERS = 20000 };
    static char words[NUMBERS][64];
    uint64_t random = 7;
    char *text;
    size_t size;
    ndshm_frame *frame;
    ndshm_column column;
    FILE *out = open_memstream(&text, &size);
    fputs("x\n", out);
    for (int i = 0; i < NUMBERS; i++) {
        uint64_t bits = next_random(&random);
        double value;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value) || i % 2)
            value = (double)(int64_t)bits / 1e12;
        snprintf(words[i], sizeof words[i], "%.*e", (int)(bits % 30), value);
        fprintf(out, "%s\n", words[i]);
    }
    fclose(out);
    assert_ok(read_bytes(text, size, NULL, &frame));
    free(text);
    assert_ok(ndshm_frame_column(frame, 0, &column));
    assert_string_equal(column.format, "g");
    for (int i = 0; i < NUMBERS; i++) {
        double expected = strtod(words[i], NULL);
        assert_memory_equal(&((double *)column.data)[i], &expected, sizeof expected);
    }
    ndshm_frame_detach(&frame);
}

static void test_damaged_files_are_read_or_refused(void **state)
{
    (void)state;
    static const char good[] = "a,b,c,d\n1,x,2024-02-29,2024-02-29T10:00:00Z\n"
                               "2,\"y\"\"z\n\",2024-03-01,2024-02-29T10:00:00.5+01:00\r\n"
                               "3,\xC3\xA9,,NA\n-4.5e3,,1999-12-31,\n";
    static const char bytes[] = "\",\n\r\0\xFF-+.:TZeE0129x\xC3";
    uint64_t random = 99;
    int refused = 0;
    char text[sizeof good];
    for (int i = 0; i < 4000; i++) {
        ndshm_frame *frame;
        memcpy(text, good, sizeof good);
        size_t size = i % 4 ? sizeof good - 1 : next_random(&random) % sizeof good;
        for (int j = 0; j <= i % 3; j++)
            text[next_random(&random) % (sizeof good - 1)] =
                bytes[next_random(&random) % (sizeof bytes - 1)];
        int status = read_bytes(text, size, NULL, &frame);
        if (status) {
            assert_int_equal(status, NDSHM_EPARSE);
            assert_non_null(strstr(ndshm_error_message(), "line "));
            refused++;
            continue;
        }
        char *shown = show(frame);
        free(shown);
        ndshm_frame_detach(&frame);
    }
    assert_in_range(refused, 100, 3900);
}

/* --- failing allocations --- */

static int countdown;

static int fail_allocation(const char *call)
{
    return strcmp(call, "alloc") == 0 && --countdown == 0 ? ENOMEM : 0;
}

static void test_failing_allocations(void **state)
{
    (void)state;
    const char *path = support_file("x.csv", "a,b\n1,\"x\"\n,y\n", 13);
    ndshm_csv_config config;
    ndshm_frame *frame;
    int failures = 0, status = -ENOMEM;
    ndshm_csv_config_init(&config);
    config.index = 2;
    while (status) {
        countdown = failures + 1;
        ndshm__os_fault = fail_allocation;
        status = ndshm_frame_from_csv(NULL, NULL, path, &config, NULL, &frame);
        ndshm__os_fault = NULL;
        if (status)
            assert_int_equal(status, -ENOMEM);
        failures += status != 0;
    }
    ndshm_frame_detach(&frame);
    assert_true(failures >= 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_texts),
        SUPPORT_TEST(test_bytes_of_text_may_be_nul),
        SUPPORT_TEST(test_config),
        SUPPORT_TEST(test_given_types),
        SUPPORT_TEST(test_a_pipe_is_read_to_its_end),
        SUPPORT_TEST(test_names_and_publishing),
        SUPPORT_TEST(test_late_surprises),
        SUPPORT_TEST(test_late_wide_integer_among_missing_values),
        SUPPORT_TEST(test_late_ragged_line),
        SUPPORT_TEST(test_numbers_are_correctly_rounded),
        SUPPORT_TEST(test_damaged_files_are_read_or_refused),
        SUPPORT_TEST(test_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
