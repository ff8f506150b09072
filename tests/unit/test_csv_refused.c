/* SPDX-License-Identifier: MIT */
/* The CSV reader: what is said about malformed files, values and configs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <ndshm/csv.h>

#include "support.h"

static int read_bytes(const char *text, size_t size, const ndshm_csv_config *config,
                      ndshm_frame **out)
{
    return ndshm_frame_from_csv(NULL, NULL, support_file("x.csv", text, size), config, NULL, out);
}

static void refuse(const char *text, const ndshm_csv_config *config, const char *why)
{
    ndshm_frame *frame;
    assert_fails(NDSHM_EPARSE, read_bytes(text, strlen(text), config, &frame), why);
    assert_non_null(strstr(ndshm_error_message(), "x.csv'"));
}

static void test_malformed_texts(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"", "line 1, column 1: the file is empty"},
        {"\n\r\n\n", "the file is empty"},
        {"\xEF\xBB\xBF", "the file is empty"},
        {"a,b\n1,2\n3\n", "line 3, column 1 ('a'): the line has only 1 of the 2 fields"},
        {"a,b,c\n1,2,3\n\n1,2\n", "line 4, column 2 ('b'): the line has only 2 of the 3"},
        {"a,b\n1,2,3\n", "line 2, column 3: the line has more than the 2 fields"},
        {"a,b\n1,2,\n", "line 2, column 3: the line has more than the 2 fields"},
        {"a,b\n1,\"x\n", "line 2, column 2 ('b'): 'x?' begins with a quote that is never closed"},
        {"a\n\"x\n\n\ny", "line 2, column 1 ('a'): 'x???y?' begins with a quote"},
        {"a,\"b\n", "line 1, column 2: 'b?' begins with a quote"},
        {"a,b\n1,2\n\"x\ny\",\"z\"w\n", "line 4, column 2 ('b'): 'z' has text behind"},
        {"a\n\xFF\n", "line 2, column 1 ('a'): '?' is not UTF-8"},
        {"a\n\xED\xA0\x80\n", "is not UTF-8"},
        {"a\n\xC0\x80\n", "is not UTF-8"},
        {"a\n\xF4\x90\x80\x80\n", "is not UTF-8"},
        {"a\n\xE2\x82\n", "is not UTF-8"},
        {"a,\xFF\n1,2\n", "line 1, column 2: '?' is no name"},
        {"a,b\r1,2\r3,4\r", "line 1, column 2: 'b?1' holds a carriage return"},
        {"a\n"
         "0123456789012345678901234567890123456789ABC\xFF\n",
         "'0123456789012345678901234567890123456789...' is not UTF-8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuse(cases[i].text, NULL, cases[i].why);
}

static void refuse_type(const char *format, const char *value, const char *why)
{
    const char *types[] = {"a", format};
    char text[256];
    ndshm_csv_config config;
    ndshm_csv_config_init(&config);
    config.types = types;
    config.ntypes = 1;
    snprintf(text, sizeof text, "b,a\n0,\n1,%s\n", value);
    refuse(text, &config, why);
}

static void test_values_that_do_not_fit_given_types(void **state)
{
    (void)state;
    refuse_type("l", "x1\x07",
                "line 3, column 2 ('a'): 'x1?' does not fit the column's type \"l\"");
    refuse_type("l", "1.5", "does not fit");
    refuse_type("l", "9223372036854775808", "does not fit");
    refuse_type("c", "128", "does not fit");
    refuse_type("c", "-129", "does not fit");
    refuse_type("C", "-1", "does not fit");
    refuse_type("C", "256", "does not fit");
    refuse_type("L", "18446744073709551616", "does not fit");
    refuse_type("g", "1,5", "more than the 2 fields");
    refuse_type("g", "\"1,5\"", "'1,5' does not fit");
    refuse_type("g", "\"1\"\"\"", "'1\"\"' does not fit");
    refuse_type("f", "x", "does not fit");
    refuse_type("b", "1", "does not fit");
    refuse_type("tdD", "2024-02-30", "does not fit");
    refuse_type("tdD", "2024-02-03 10:00", "does not fit");
    refuse_type("tss:", "2024-02-03 10:00:00.5", "does not fit");
    refuse_type("tsn:", "2024-02-03 10:00Z", "does not fit");
    refuse_type("tsn:Asia/Tokyo", "2024-02-03 10:00", "does not fit");
}

static void refuse_config(int status, ndshm_csv_config config, const char *why)
{
    ndshm_frame *frame;
    assert_fails(status, read_bytes("a\n1\n", 4, &config, &frame), why);
}

static void test_bad_configs(void **state)
{
    (void)state;
    const char *unknown[] = {"z", "l"}, *half[] = {"a", "e"}, *null[] = {"a", NULL};
    ndshm_csv_config config, good;
    ndshm_csv_config_init(&good);
    for (const char *c = "a0+-.\n\r\""; *c; c++) {
        config = good;
        config.separator = *c;
        refuse_config(-EINVAL, config, *c == '"' ? "cannot be" : "cannot be the separator");
    }
    for (const char *c = "a0+-.\n\r ,"; *c; c++) {
        config = good;
        config.quote = *c;
        refuse_config(-EINVAL, config, "cannot be the quote");
    }
    config = good;
    config.flags = 4;
    refuse_config(-EINVAL, config, "flags 0x4");
    config = good;
    config.reserved[3] = 1;
    refuse_config(-EINVAL, config, "reserved");
    config = good;
    config.size = 0;
    refuse_config(-EINVAL, config, "size");
    config = good;
    config.index = 2;
    refuse_config(-EINVAL, config, "index");
    config.index = -1;
    refuse_config(-EINVAL, config, "index");
    config.index = INT32_MIN;
    refuse_config(-EINVAL, config, "index is -2147483648");
    config = good;
    config.ntypes = 1;
    refuse_config(-EINVAL, config, "types is NULL");
    config.types = unknown;
    refuse_config(-EINVAL, config, "'z', which is not there");
    config.types = half;
    refuse_config(NDSHM_EDTYPE, config, "'e' is not an Arrow format that is read from text");
    config.types = null;
    refuse_config(-EINVAL, config, "pair 0");
    config.types = unknown;
    config.ntypes = -1;
    refuse_config(-EINVAL, config, "ntypes is -1");
}

static void test_files_that_cannot_be_read(void **state)
{
    (void)state;
    ndshm_frame *frame;
    ndshm_create_config create;
    ndshm_create_config_init(&create);
    create.flags = 1u << 30;
    assert_fails(-ENOENT, ndshm_frame_from_csv(NULL, NULL, "/no/file", NULL, NULL, &frame),
                 "'/no/file': opening it: ENOENT");
    assert_fails(-EISDIR, ndshm_frame_from_csv(NULL, NULL, support_directory(), NULL, NULL, &frame),
                 "reading it");
    assert_fails(-EINVAL, ndshm_frame_from_csv(NULL, NULL, NULL, NULL, NULL, &frame), "path");
    assert_fails(-EINVAL, ndshm_frame_from_csv(NULL, NULL, "x", NULL, NULL, NULL), "out");
    assert_fails(
        -EINVAL,
        ndshm_frame_from_csv(NULL, "a/b", support_file("x.csv", "a\n1\n", 4), NULL, NULL, &frame),
        "code 47");
    assert_fails(
        -EINVAL,
        ndshm_frame_from_csv(NULL, NULL, support_file("x.csv", "a\n1\n", 4), NULL, &create, &frame),
        "flags");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_malformed_texts),
        SUPPORT_TEST(test_values_that_do_not_fit_given_types),
        SUPPORT_TEST(test_bad_configs),
        SUPPORT_TEST(test_files_that_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
