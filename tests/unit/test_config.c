/* SPDX-License-Identifier: MIT */
/* Sized configs: from the past, from the future, and from nowhere. */
#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "support.h"

struct config {
    uint32_t size, flags;
    int64_t value;
};

static const struct config defaults = {sizeof defaults, 1, 2};

static void test_null_means_defaults(void **state)
{
    (void)state;
    struct config out = defaults;
    assert_ok(ndshm__config_copy(NULL, sizeof out, &out));
    assert_memory_equal(&out, &defaults, sizeof out);
}

static void test_the_known_size(void **state)
{
    (void)state;
    struct config out = defaults, given = {sizeof given, 7, 8};
    assert_ok(ndshm__config_copy(&given, sizeof out, &out));
    assert_memory_equal(&out, &given, sizeof out);
}

static void test_a_shorter_one_keeps_defaults_behind_it(void **state)
{
    (void)state;
    struct config out = defaults, given = {8, 7, 8};
    assert_ok(ndshm__config_copy(&given, sizeof out, &out));
    assert_int_equal(out.flags, 7);
    assert_int_equal(out.value, 2);
}

static void test_a_longer_one_must_be_zero_behind(void **state)
{
    (void)state;
    struct {
        struct config known;
        uint8_t more[16];
    } given = {{sizeof given, 7, 8}, {0}};
    struct config out = defaults;
    given.more[0] = 0;
    assert_ok(ndshm__config_copy(&given, sizeof out, &out));
    assert_int_equal(out.value, 8);
    out = defaults;
    given.more[15] = 1;
    assert_fails(-EINVAL, ndshm__config_copy(&given, sizeof out, &out), "known");
    assert_memory_equal(&out, &defaults, sizeof out);
}

static void test_an_impossible_size(void **state)
{
    (void)state;
    struct config out = defaults, given = defaults;
    const uint32_t sizes[] = {0, 1, 3, 4097, UINT32_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        given.size = sizes[i];
        assert_fails(-EINVAL, ndshm__config_copy(&given, sizeof out, &out), "_init");
    }
    assert_memory_equal(&out, &defaults, sizeof out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_null_means_defaults),
        SUPPORT_TEST(test_the_known_size),
        SUPPORT_TEST(test_a_shorter_one_keeps_defaults_behind_it),
        SUPPORT_TEST(test_a_longer_one_must_be_zero_behind),
        SUPPORT_TEST(test_an_impossible_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
