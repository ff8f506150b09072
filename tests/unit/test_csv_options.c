/* SPDX-License-Identifier: MIT */
/* The CSV reader: each option, and compressed input. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ndshm/csv.h>

#include "base/os.h"
#include "support.h"

static int read_text(const char *text, const ndshm_csv_config *config, ndshm_frame **out)
{
    const char *path = support_file("x.csv", text, strlen(text));
    return ndshm_frame_from_csv(NULL, NULL, path, config, NULL, out);
}

/* Column `index` has that format, and these values as 64 bits of float or integer. */
static void check(const char *text, const ndshm_csv_config *config, int index, const char *format,
                  double first, double second)
{
    ndshm_frame *frame;
    ndshm_column column;
    assert_ok(read_text(text, config, &frame));
    assert_ok(ndshm_frame_column(frame, index, &column));
    assert_string_equal(column.format, format);
    assert_int_equal(column.rows, 2);
    bool real = *format == 'g';
    const double *reals = column.data;
    const int64_t *whole = column.data;
    const int32_t *days = column.data;
    bool small = strcmp(format, "tdD") == 0;
    assert_true((real ? reals[0] : small ? days[0] : (double)whole[0]) == first);
    assert_true((real ? reals[1] : small ? days[1] : (double)whole[1]) == second);
    ndshm_frame_detach(&frame);
}

static void test_marks_of_numbers(void **state)
{
    (void)state;
    ndshm_csv_config config;
    ndshm_csv_config_init(&config);
    config.separator = ';';
    config.decimal = ',';
    check("a;b\n1,5;2\n-0,25;3\n", &config, 0, "g", 1.5, -0.25);
    check("a;b\n1;2\n-3;3\n", &config, 0, "l", 1, -3);
    check("a;b\n1;2\n\"-3,5\";3\n", &config, 0, "g", 1, -3.5);
    config.thousands = '.';
    check("a;b\n1.234.567,5;2\n-1.000;3\n", &config, 0, "g", 1234567.5, -1000);
    check("a;b\n1.234;2\n12;3\n", &config, 0, "l", 1234, 12);
    ndshm_csv_config_init(&config);
    config.thousands = ',';
    check("a,b\n\"1,234\",2\n\"5\",3\n", &config, 0, "l", 1234, 5);
}

static void test_a_dot_is_text_among_decimal_commas(void **state)
{
    (void)state;
    ndshm_frame *frame;
    ndshm_column column;
    ndshm_csv_config config;
    ndshm_csv_config_init(&config);
    config.separator = ';';
    config.decimal = ',';
    assert_ok(read_text("a;b\n1.5;,5\n2;1,\n", &config, &frame));
    assert_ok(ndshm_frame_column(frame, 0, &column));
    assert_string_equal(column.format, "u");
    ndshm_frame_detach(&frame);
}

static void test_formats_of_dates(void **state)
{
    (void)state;
    static const struct {
        const char *format, *first, *second, *type;
        double one, two;
    } cases[] = {
        {"%d/%m/%Y", "31/01/1970", "1/3/1970", "tdD", 30, 59},
        {"%m/%d/%y", "01/02/70", "12/31/69", "tdD", 1, -1},
        {"%e %b %Y", " 2 Jan 1970", "3 February 1970", "tdD", 1, 33},
        {"%Y%j", "1970001", "1972366", "tdD", 0, 1095},
        {"%Y%m%d", "19700102", "20240229", "tdD", 1, 19782},
        {"%d.%m.%Y %H:%M", "01.01.1970 00:01", "01.01.1970 23:59", "tsn:", 60e9, 86340e9},
        {"%D %I:%M %p", "01/01/70 12:00 AM", "01/01/70 12:01 pm", "tsn:", 0, 43260e9},
        {"%F %T.%f", "1970-01-01 00:00:00.5", "1970-01-01 00:00:01.25", "tsn:", 0.5e9, 1.25e9},
        {"%FT%R%z", "1970-01-01T01:00+01:00", "1970-01-01T00:00-0100", "tsn:UTC", 0, 3600e9},
        {"%Y %%%n%m", "1970 % 1", "1970 %2", "tdD", 0, 31},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *dates[] = {"a", cases[i].format};
        char text[256];
        ndshm_csv_config config;
        ndshm_csv_config_init(&config);
        config.dates = dates;
        config.ndates = 1;
        snprintf(text, sizeof text, "a,b\n%s,1\n%s,2\n", cases[i].first, cases[i].second);
        check(text, &config, 0, cases[i].type, cases[i].one, cases[i].two);
    }
}

static void refuse_date(const char *format, const char *value)
{
    const char *dates[] = {"a", format};
    char text[128];
    ndshm_frame *frame;
    ndshm_csv_config config;
    ndshm_csv_config_init(&config);
    config.dates = dates;
    config.ndates = 1;
    snprintf(text, sizeof text, "a,b\n%s,1\n", value);
    assert_fails(NDSHM_EPARSE, read_text(text, &config, &frame), "line 2, column 1 ('a')");
}

static void test_dates_that_do_not_fit(void **state)
{
    (void)state;
    refuse_date("%d/%m/%Y", "31/02/1970");
    refuse_date("%d/%m/%Y", "1/2/1970 ");
    refuse_date("%d/%m/%Y", "1/13/1970");
    refuse_date("%d/%m/%Y", "1/2");
    refuse_date("%Y%j", "1970366");
    refuse_date("%H:%M", "24:00");
    refuse_date("%b %Y", "Foo 1970");
    refuse_date("%F %I %p", "1970-01-01 13 AM");
    refuse_date("%F%z", "1970-01-01");
}

static void test_columns_and_lines_that_are_not_wanted(void **state)
{
    (void)state;
    const char *wanted[] = {"c", "a"}, *unknown[] = {"z"};
    ndshm_frame *frame;
    ndshm_column column;
    ndshm_csv_config config;
    ndshm_csv_config_init(&config);
    config.columns = wanted;
    config.ncolumns = 2;
    config.skip = 2;
    assert_ok(read_text("# made\n\"by\na,b,c\n1,x,2.5\n3,\"y\nz\",4.5\n", &config, &frame));
    assert_int_equal(ndshm_frame_columns(frame), 2);
    assert_ok(ndshm_frame_column(frame, 0, &column));
    assert_string_equal(column.name, "a");
    assert_int_equal(((int64_t *)column.data)[1], 3);
    assert_ok(ndshm_frame_column(frame, 1, &column));
    assert_string_equal(column.name, "c");
    assert_true(((double *)column.data)[1] == 4.5);
    ndshm_frame_detach(&frame);
    config.columns = unknown;
    config.ncolumns = 1;
    assert_fails(-EINVAL, read_text("\n\na\n1\n", &config, &frame), "'z', which is not there");
    config.skip = 9;
    assert_fails(NDSHM_EPARSE, read_text("\n\na\n1\n", &config, &frame), "is empty");
    config.skip = -1;
    assert_fails(-EINVAL, read_text("a\n1\n", &config, &frame), "skip");
}

static void test_padded_lines(void **state)
{
    (void)state;
    ndshm_frame *frame;
    ndshm_csv_config config;
    ndshm_csv_config_init(&config);
    config.flags = NDSHM_CSV_PAD;
    check("a,b,c\n1,2,3\n4\r\n", &config, 0, "l", 1, 4);
    assert_ok(read_text("a,b,c\n1,2,x\n4", &config, &frame));
    ndshm_column column;
    assert_ok(ndshm_frame_column(frame, 1, &column));
    assert_string_equal(column.format, "g");
    assert_true(((double *)column.data)[1] != ((double *)column.data)[1]);
    assert_ok(ndshm_frame_column(frame, 2, &column));
    assert_int_equal(column.null_count, 1);
    ndshm_frame_detach(&frame);
    assert_fails(NDSHM_EPARSE, read_text("a,b\n1,2,3\n", &config, &frame), "more than the 2");
}

static void test_bad_marks(void **state)
{
    (void)state;
    const char *dates[] = {"a", "%Q"}, *types[] = {"a", "u"}, *good[] = {"a", "%F"};
    ndshm_frame *frame;
    ndshm_csv_config config, fresh;
    ndshm_csv_config_init(&fresh);
    config = fresh;
    config.decimal = '"';
    assert_fails(-EINVAL, read_text("a\n1\n", &config, &frame), "decimal mark");
    config = fresh;
    config.thousands = '.';
    assert_fails(-EINVAL, read_text("a\n1\n", &config, &frame), "between thousands");
    config = fresh;
    config.dates = dates;
    config.ndates = 1;
    assert_fails(-EINVAL, read_text("a\n1\n", &config, &frame), "'%Q' has a conversion");
    config.dates = good;
    config.types = types;
    config.ntypes = 1;
    assert_fails(-EINVAL, read_text("a\n1\n", &config, &frame), "format of dates and the type");
}

/* --- compressed --- */

static int64_t rows_of(const char *path, int *status)
{
    ndshm_frame *frame;
    *status = ndshm_frame_from_csv(NULL, NULL, path, NULL, NULL, &frame);
    if (*status)
        return -1;
    int64_t rows = ndshm_frame_rows(frame);
    ndshm_frame_detach(&frame);
    return rows;
}

/* The tool's output, two members or frames behind each other, and what every cut of it gives. */
static void check_compressed(const char *tool, const char *what)
{
    char path[512], text[4096];
    int status;
    const char *directory = support_directory();
    if (support_run(text, sizeof text, "command -v %s", tool) != 0)
        skip();
    assert_int_equal(support_run(text, sizeof text,
                                 "cd %s && (echo a; seq 300) > 1 && seq 50 > 2 && "
                                 "(%s -c 1; %s -c 2) > both && %s -c 1 > one",
                                 directory, tool, tool, tool),
                     0);
    snprintf(path, sizeof path, "%s/both", directory);
    int64_t rows = rows_of(path, &status);
    if (status == -ENOTSUP)
        skip();
    assert_int_equal(rows, 350);
    snprintf(path, sizeof path, "%s/one", directory);
    FILE *file = fopen(path, "r");
    size_t size = fread(text, 1, sizeof text, file);
    fclose(file);
    for (size_t cut = 4; cut < size; cut++) {
        rows_of(support_file("cut", text, cut), &status);
        assert_fails(NDSHM_EPARSE, status, what);
        assert_non_null(strstr(ndshm_error_message(), "cut off"));
    }
    text[size / 2] ^= 0x55;
    rows_of(support_file("cut", text, size), &status);
    assert_fails(NDSHM_EPARSE, status, what);
}

static void test_gzip(void **state)
{
    (void)state;
    check_compressed("gzip", "gzip");
}

static void test_zstd(void **state)
{
    (void)state;
    check_compressed("zstd", "zstd");
}

/* --- writing --- */

static char *contents(const char *path)
{
    static char text[4096];
    FILE *file = fopen(path, "r");
    size_t size = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[size] = '\0';
    return text;
}

static void check_written(const char *text, const ndshm_csv_config *config, const char *expected)
{
    char path[512];
    ndshm_frame *frame;
    assert_ok(read_text(text, config, &frame));
    snprintf(path, sizeof path, "%s/out.csv", support_directory());
    assert_ok(ndshm_frame_to_csv(frame, path, config));
    assert_string_equal(contents(path), expected);
    ndshm_frame_detach(&frame);
    assert_ok(ndshm_frame_from_csv(NULL, NULL, path, config, NULL, &frame)); /* and again */
    assert_ok(ndshm_frame_to_csv(frame, path, config));
    assert_string_equal(contents(path), expected);
    ndshm_frame_detach(&frame);
}

static void test_written_values(void **state)
{
    (void)state;
    ndshm_csv_config config;
    check_written("a,b\n1,0.1\n-2,1e300\n3,\n", NULL, "a,b\n1,0.1\n-2,1e+300\n3,\n");
    check_written("a,b\n0.30000000000000004,inf\n5,-0.0\n", NULL,
                  "a,b\n0.30000000000000004,inf\n5.0,-0.0\n");
    check_written("\"a\"\"\",b\n\"x,y\",true\n\"line\r\nline\",false\n", NULL,
                  "\"a\"\"\",b\n\"x,y\",true\n\"line\r\nline\",false\n");
    check_written("d,t,z\n1969-12-31,1969-12-31 23:59:59.5,2024-02-29T01:00+01:00\n"
                  "0001-01-01,1970-01-01,1970-01-01T00:00Z\n",
                  NULL,
                  "d,t,z\n1969-12-31,1969-12-31 23:59:59.500000000,2024-02-29 00:00:00Z\n"
                  "0001-01-01,1970-01-01 00:00:00,1970-01-01 00:00:00Z\n");
    check_written("a\nx\n\"\"\n", NULL, "a\nx\n\"\"\n");
    ndshm_csv_config_init(&config);
    config.separator = ';';
    config.decimal = ',';
    config.flags = NDSHM_CSV_NO_HEADER;
    check_written("1,5;x\n2;y\n", &config, "1,5;x\n2,0;y\n");
}

static void test_files_that_cannot_be_written(void **state)
{
    (void)state;
    const char *types[] = {"a", "z"};
    char path[512];
    ndshm_frame *frame;
    ndshm_csv_config config;
    ndshm_csv_config_init(&config);
    config.types = types;
    config.ntypes = 1;
    assert_ok(read_text("a\nx\n", NULL, &frame));
    assert_fails(-ENOENT, ndshm_frame_to_csv(frame, "/no/file.csv", NULL), "creating it");
    assert_fails(-EINVAL, ndshm_frame_to_csv(frame, NULL, NULL), "path");
    assert_fails(-ENOSPC, ndshm_frame_to_csv(frame, "/dev/full", NULL), "writing it");
    ndshm_frame_detach(&frame);
    assert_ok(read_text("a\nx\n", &config, &frame));
    snprintf(path, sizeof path, "%s/out.csv", support_directory());
    assert_fails(NDSHM_EDTYPE, ndshm_frame_to_csv(frame, path, NULL), "column 'a'");
    assert_int_equal(access(path, F_OK), -1);
    ndshm_frame_detach(&frame);
}

static int fail_stat_path(const char *call)
{
    return strcmp(call, "stat_path") == 0 ? EACCES : 0;
}

/* Or a device would be replaced by a file. */
static void test_a_path_that_cannot_be_looked_at(void **state)
{
    (void)state;
    char path[512];
    ndshm_frame *frame;
    snprintf(path, sizeof path, "%s/out.csv", support_directory());
    assert_ok(read_text("a\nx\n", NULL, &frame));
    ndshm__os_fault = fail_stat_path;
    assert_fails(-EACCES, ndshm_frame_to_csv(frame, path, NULL), "looking at it");
    ndshm__os_fault = NULL;
    assert_int_equal(access(path, F_OK), -1);
    ndshm_frame_detach(&frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_marks_of_numbers),
        SUPPORT_TEST(test_a_dot_is_text_among_decimal_commas),
        SUPPORT_TEST(test_formats_of_dates),
        SUPPORT_TEST(test_dates_that_do_not_fit),
        SUPPORT_TEST(test_columns_and_lines_that_are_not_wanted),
        SUPPORT_TEST(test_padded_lines),
        SUPPORT_TEST(test_bad_marks),
        SUPPORT_TEST(test_gzip),
        SUPPORT_TEST(test_zstd),
        SUPPORT_TEST(test_written_values),
        SUPPORT_TEST(test_files_that_cannot_be_written),
        SUPPORT_TEST(test_a_path_that_cannot_be_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
