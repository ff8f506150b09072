/* SPDX-License-Identifier: MIT */
/* Names: what is one, and what the library keeps for itself. */
#include <errno.h>
#include <string.h>

#include "base/os.h"
#include "segment/segment.h"
#include "support.h"

static void test_good_names(void **state)
{
    (void)state;
    char longest[NDSHM_NAME_MAX + 1];
    memset(longest, 'n', NDSHM_NAME_MAX);
    longest[NDSHM_NAME_MAX] = '\0';
    const char *const names[] = {"a", "A-Z_09.", "-", "_.", "ndshm", "ndshmx", "a.ndshm.", longest};
    const char *bare;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_ok(ndshm__name_check(names[i], &bare));
        assert_ptr_equal(bare, names[i]);
    }
}

static void test_a_leading_slash_is_dropped(void **state)
{
    (void)state;
    char longest[NDSHM_NAME_MAX + 2] = "/";
    memset(longest + 1, 'n', NDSHM_NAME_MAX);
    const char *bare;
    assert_ok(ndshm__name_check("/prices", &bare));
    assert_string_equal(bare, "prices");
    assert_ok(ndshm__name_check(longest, &bare));
    assert_ptr_equal(bare, longest + 1);
}

static void test_bad_names(void **state)
{
    (void)state;
    char too_long[NDSHM_NAME_MAX + 2];
    memset(too_long, 'n', NDSHM_NAME_MAX + 1);
    too_long[NDSHM_NAME_MAX + 1] = '\0';
    const struct {
        const char *name, *text;
    } cases[] = {
        {NULL, "NULL"},
        {"", "empty"},
        {"/", "empty"},
        {"//a", "character 1"},
        {"a/b", "character 2"},
        {"../etc", "character 3"},
        {".", "dot"},
        {"..", "dot"},
        {".hidden", "dot"},
        {"a b", "code 32"},
        {"a\n", "code 10"},
        {"\x1b[2J", "code 27"},
        {"pr\xc3\xa9", "code 195"},
        {"a[0]", "code 91"},
        {too_long, "longer than 200"},
    };
    const char *const untouched = "untouched";
    const char *bare = untouched;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_fails(-EINVAL, ndshm__name_check(cases[i].name, &bare), cases[i].text);
        assert_fails(-EINVAL, ndshm__name_check_any(cases[i].name, &bare), cases[i].text);
    }
    assert_ptr_equal(bare, untouched);
}

static void test_the_librarys_own_names(void **state)
{
    (void)state;
    const char *bare;
    assert_fails(-EINVAL, ndshm__name_check("ndshm.a", &bare), "the library's own");
    assert_fails(-EINVAL, ndshm__name_check("/ndshm.", &bare), "the library's own");
    assert_ok(ndshm__name_check_any("/ndshm.a", &bare));
    assert_string_equal(bare, "ndshm.a");
}

static void test_generated_names(void **state)
{
    (void)state;
    char one[NDSHM_NAME_MAX + 1], two[NDSHM_NAME_MAX + 1];
    const char *bare;
    assert_ok(ndshm__name_generate(one));
    assert_ok(ndshm__name_generate(two));
    assert_string_not_equal(one, two);
    assert_int_equal(strlen(one), 6 + 32);
    assert_int_equal(strspn(one + 6, "0123456789abcdef"), 32);
    assert_ok(ndshm__name_check_any(one, &bare));
}

static int no_random_bits(const char *call)
{
    return strcmp(call, "random") == 0 ? EAGAIN : 0;
}

static void test_without_randomness(void **state)
{
    (void)state;
    char name[NDSHM_NAME_MAX + 1];
    ndshm__os_fault = no_random_bits;
    int status = ndshm__name_generate(name);
    ndshm__os_fault = NULL;
    assert_fails(-EAGAIN, status, "random");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_good_names),      SUPPORT_TEST(test_a_leading_slash_is_dropped),
        SUPPORT_TEST(test_bad_names),       SUPPORT_TEST(test_the_librarys_own_names),
        SUPPORT_TEST(test_generated_names), SUPPORT_TEST(test_without_randomness),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
