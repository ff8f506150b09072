/* SPDX-License-Identifier: MIT */
/* Messages, statuses and small arithmetic. */
#include "base/base.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "support.h"

static void test_strerror_begins_with_the_name(void **state)
{
    (void)state;
    assert_string_equal(ndshm_strerror(0), "OK: success");
    assert_string_equal(ndshm_strerror(-ENOENT), "ENOENT: No such file or directory");
    assert_memory_equal(ndshm_strerror(NDSHM_ECORRUPT), "NDSHM_ECORRUPT: ", 16);
    assert_memory_equal(ndshm_strerror(NDSHM_ECANCELED), "NDSHM_ECANCELED: ", 17);
    const int strange[] = {1, -134, -5000, -5010, INT32_MIN, INT32_MAX};
    for (size_t i = 0; i < sizeof strange / sizeof *strange; i++)
        assert_non_null(strstr(ndshm_strerror(strange[i]), "not a status"));
}

static void test_failing_sets_the_message(void **state)
{
    (void)state;
    ndshm__begin("ndshm_x");
    assert_int_equal(ndshm__fail(-EIO, "'%s': %d", "a", 7), -EIO);
    assert_string_equal(ndshm_error_message(), "ndshm_x: 'a': 7");
    ndshm__begin("ndshm_yy");
    assert_string_equal(ndshm_error_message(), "ndshm_x: 'a': 7");
    ndshm__fail(-EIO, "again: %s", ndshm_error_message());
    assert_string_equal(ndshm_error_message(), "ndshm_yy: again: ndshm_x: 'a': 7");
}

static void test_quiet_keeps_the_message(void **state)
{
    (void)state;
    ndshm__begin("ndshm_x");
    ndshm__fail(-EIO, "kept");
    ndshm__quiet_begin();
    ndshm__quiet_begin();
    assert_int_equal(ndshm__fail(-ENOENT, "lost"), -ENOENT);
    ndshm__quiet_end();
    ndshm__fail(-ENOENT, "lost");
    ndshm__quiet_end();
    assert_string_equal(ndshm_error_message(), "ndshm_x: kept");
    ndshm__fail(-EIO, "new");
    assert_string_equal(ndshm_error_message(), "ndshm_x: new");
}

static void test_a_long_message_is_cut(void **state)
{
    (void)state;
    char text[5000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    ndshm__fail(-EIO, "%s", text);
    assert_in_range(strlen(ndshm_error_message()), 500, 4999);
}

static void *fail_elsewhere(void *argument)
{
    (void)argument;
    if (ndshm_error_message()[0])
        return "a new thread has a message";
    ndshm__fail(-EIO, "elsewhere");
    return NULL;
}

static void test_messages_are_of_a_thread(void **state)
{
    (void)state;
    pthread_t thread;
    void *complaint;
    ndshm__begin("ndshm_x");
    ndshm__fail(-EIO, "here");
    assert_int_equal(pthread_create(&thread, NULL, fail_elsewhere, NULL), 0);
    pthread_join(thread, &complaint);
    assert_null(complaint);
    assert_string_equal(ndshm_error_message(), "ndshm_x: here");
}

static void test_arithmetic_is_checked(void **state)
{
    (void)state;
    int64_t out;
    assert_true(ndshm__add(INT64_MAX - 1, 1, &out));
    assert_true(out == INT64_MAX);
    assert_false(ndshm__add(INT64_MAX, 1, &out));
    assert_false(ndshm__add(INT64_MIN, -1, &out));
    assert_true(ndshm__mul(INT64_C(3037000499), INT64_C(3037000499), &out));
    assert_false(ndshm__mul(INT64_C(3037000500), INT64_C(3037000500), &out));
    assert_false(ndshm__mul(INT64_MIN, -1, &out));
    assert_true(ndshm__align(0, 64, &out) && out == 0);
    assert_true(ndshm__align(1, 64, &out) && out == 64);
    assert_true(ndshm__align(64, 64, &out) && out == 64);
    assert_true(ndshm__align(INT64_MAX - 63, 64, &out) && out == INT64_MAX - 63);
    assert_false(ndshm__align(INT64_MAX - 62, 64, &out));
}

static void test_bytes_are_told_to_people(void **state)
{
    (void)state;
    const struct {
        uint64_t bytes;
        const char *text;
    } cases[] = {
        {0, "0 bytes"},        {999, "999 bytes"},       {1000, "1 kB"},
        {1536, "1.54 kB"},     {999499, "999 kB"},       {999500, "1 MB"},
        {67108864, "67.1 MB"}, {17300000000, "17.3 GB"}, {UINT64_MAX, "18.4 EB"},
    };
    char text[NDSHM__BYTES_TEXT];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(ndshm__bytes_text(cases[i].bytes, text), cases[i].text);
}

static void test_zero_bytes(void **state)
{
    (void)state;
    char bytes[70] = {0};
    assert_true(ndshm__is_zero(bytes, 0));
    assert_true(ndshm__is_zero(bytes, sizeof bytes));
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (char)0x80;
        assert_false(ndshm__is_zero(bytes, sizeof bytes));
        assert_true(ndshm__is_zero(bytes, i));
        bytes[i] = 0;
    }
}

static void test_texts_are_cut_and_padded(void **state)
{
    (void)state;
    char buffer[8];
    memset(buffer, 'x', sizeof buffer);
    ndshm__text_copy(buffer, sizeof buffer, "abc");
    assert_memory_equal(buffer, "abc\0\0\0\0\0", 8);
    ndshm__text_copy(buffer, sizeof buffer, "abcdefghijk");
    assert_memory_equal(buffer, "abcdefg\0", 8);
    ndshm__text_copy(buffer, sizeof buffer, NULL);
    assert_true(ndshm__is_zero(buffer, sizeof buffer));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_strerror_begins_with_the_name),
        SUPPORT_TEST(test_failing_sets_the_message),
        SUPPORT_TEST(test_quiet_keeps_the_message),
        SUPPORT_TEST(test_a_long_message_is_cut),
        SUPPORT_TEST(test_messages_are_of_a_thread),
        SUPPORT_TEST(test_arithmetic_is_checked),
        SUPPORT_TEST(test_bytes_are_told_to_people),
        SUPPORT_TEST(test_zero_bytes),
        SUPPORT_TEST(test_texts_are_cut_and_padded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
