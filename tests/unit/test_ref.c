/* SPDX-License-Identifier: MIT */
/* References: what is read, what is refused and where, and the canonical text. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "array/ref.h"
#include "support.h"

static void test_the_parts_of_a_reference(void **state)
{
    (void)state;
    ndshm__ref ref;
    assert_ok(ndshm__ref_split("prices", &ref));
    assert_string_equal(ref.name, "prices");
    assert_int_equal(ref.count, 0);
    assert_ok(ndshm__ref_split("  /prices [ 10 : -20 : 3 , ... , -7,:: ] ", &ref));
    assert_string_equal(ref.name, "/prices");
    assert_int_equal(ref.count, 4);
    assert_int_equal(ref.items[0].kind, NDSHM__REF_SLICE);
    assert_int_equal(ref.items[0].start, 10);
    assert_int_equal(ref.items[0].stop, -20);
    assert_int_equal(ref.items[0].step, 3);
    assert_int_equal(ref.items[1].kind, NDSHM__REF_ELLIPSIS);
    assert_int_equal(ref.items[2].kind, NDSHM__REF_INDEX);
    assert_int_equal(ref.items[2].start, -7);
    assert_int_equal(ref.items[3].start, NDSHM_OMIT);
    assert_int_equal(ref.items[3].stop, NDSHM_OMIT);
    assert_int_equal(ref.items[3].step, 1);
}

static void test_numbers_beyond_64_bits_are_clamped(void **state)
{
    (void)state;
    ndshm__ref ref;
    assert_ok(ndshm__ref_split(
        "a[-99999999999999999999:99999999999999999999999:9223372036854775808]", &ref));
    assert_int_equal(ref.items[0].start, -INT64_MAX);
    assert_int_equal(ref.items[0].stop, INT64_MAX);
    assert_int_equal(ref.items[0].step, INT64_MAX);
}

static void test_bad_syntax_is_refused_with_its_position(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"a[", "position 3: a number, ':' or '...' expected"},
        {"a[]", "position 3: a number"},
        {"a[1", "position 4: ',' or ']' expected"},
        {"a[1,]", "position 5: a number"},
        {"a[,1]", "position 3: a number"},
        {"a[1 2]", "position 5: ',' or ']'"},
        {"a[1]x", "position 5: the end expected"},
        {"a[1][2]", "position 5: the end"},
        {"a[1:2:3:4]", "position 8: ',' or ']'"},
        {"a[- 1]", "position 3: a number"},
        {"a[+1]", "position 3: a number"},
        {"a[0x1]", "position 4: ','"},
        {"a[1.5]", "position 4: ','"},
        {"a[..]", "position 3: a number"},
        {"a[....]", "position 6: ',' or ']'"},
        {"a[...,...]", "one '...', not two"},
        {"a[None]", "position 3: a number"},
        {"a[1:b]", "position 5: ','"},
        {"a[[1]]", "position 4: a name in quotes"},
        {"a[\t1]", "position 3: a number"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ndshm__ref ref;
        assert_fails(-EINVAL, ndshm__ref_split(cases[i].text, &ref), cases[i].message);
    }
}

static void test_lengths_are_limited(void **state)
{
    (void)state;
    char text[NDSHM_REF_MAX + 2];
    ndshm__ref ref;
    assert_fails(-EINVAL, ndshm__ref_split(NULL, &ref), "NULL");
    memset(text, ' ', sizeof text);
    text[0] = 'a';
    text[NDSHM_REF_MAX + 1] = '\0';
    assert_fails(-EINVAL, ndshm__ref_split(text, &ref), "longer than 1024 bytes");
    text[NDSHM_REF_MAX] = '\0';
    assert_ok(ndshm__ref_split(text, &ref));
    memset(text, 'a', 202);
    text[202] = '\0';
    assert_fails(-EINVAL, ndshm__ref_split(text, &ref), "longer than 200 characters");
    int used = sprintf(text, "a[0");
    for (int i = 1; i < 65; i++)
        used += sprintf(text + used, ",0");
    strcpy(text + used, "]");
    assert_ok(ndshm__ref_split(text, &ref));
    strcpy(text + used, ",0]");
    assert_fails(NDSHM_ESHAPE, ndshm__ref_split(text, &ref), "more than 65 items");
}

/* Applies references one after the other to a 10 x 20 x 30 array; the canonical one. */
static const char *compose(const char *const refs[], int count)
{
    static char text[NDSHM_REF_MAX + 1];
    const int64_t shape[3] = {10, 20, 30};
    ndshm__selection selection;
    ndshm__selection_all(&selection, 3, shape);
    for (int i = 0; i < count; i++) {
        ndshm__ref ref;
        assert_ok(ndshm__ref_split(refs[i], &ref));
        assert_ok(ndshm__selection_apply(&selection, &ref));
    }
    assert_true(ndshm__selection_text(&selection, "a", text));
    return text;
}

static void test_canonical_references(void **state)
{
    (void)state;
    static const struct {
        const char *refs[3];
        const char *canonical;
    } cases[] = {
        {{"a"}, "a"},
        {{"a[...]"}, "a"},
        {{"a[:, ::1, 0:30]"}, "a"},
        {{"a[2:5]"}, "a[2:5]"},
        {{"a[-8:-5, ...]"}, "a[2:5]"},
        {{"a[3]"}, "a[3]"},
        {{"a[-1]"}, "a[9]"},
        {{"a[..., -1]"}, "a[:,:,29]"},
        {{"a[::-1]"}, "a[::-1]"},
        {{"a[8:1:-3]"}, "a[8::-3]"}, /* 8, 5, 2 */
        {{"a[8:2:-3]"}, "a[8:2:-3]"},
        {{"a[::3]"}, "a[::3]"},
        {{"a[1:8:3]"}, "a[1::3]"}, /* 1, 4, 7 */
        {{"a[1:7:3]"}, "a[1:7:3]"},
        {{"a[1:6:3]"}, "a[1:7:3]"},
        {{"a[5:5]"}, "a[0:0]"},
        {{"a[100:]"}, "a[0:0]"},
        {{"a[4:5:7]"}, "a[4:5]"},
        {{"a[9:]"}, "a[9:]"},
        {{"a[2:8]", "a[1:3]"}, "a[3:5]"},
        {{"a[::2]", "a[::-1]"}, "a[8::-2]"},
        {{"a[::-1]", "a[0]"}, "a[9]"},
        {{"a[2:8]", "a[1]", "a[5:10]"}, "a[3,5:10]"},
        {{"a[:,4]", "a[2:4,::-1]", "a[...,3]"}, "a[2:4,4,26]"},
        {{"a[::3]", "a[1:3]", "a[::-1]"}, "a[6:0:-3]"},
        {{"a[0:0]", "a[:]"}, "a[0:0]"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int count = 1;
        while (count < 3 && cases[i].refs[count])
            count++;
        assert_string_equal(compose(cases[i].refs, count), cases[i].canonical);
    }
}

static void test_slices_that_do_not_fit(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"a[10]", "'a': index 10 is out of range: axis 0 has 10 elements"},
        {"a[0,-21]", "index -21 is out of range: axis 1"},
        {"a[99999999999999999999]", "out of range"},
        {"a[::0]", "axis 0: the step of a slice must not be 0"},
        {"a[0,0,0,0]", "4 items in the slice, but it has 3 dimension(s)"},
        {"a[:,:,...,:,:]", "4 items"},
    };
    const int64_t shape[3] = {10, 20, 30};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ndshm__ref ref;
        ndshm__selection selection, before;
        ndshm__selection_all(&selection, 3, shape);
        before = selection;
        assert_ok(ndshm__ref_split(cases[i].text, &ref));
        assert_fails(NDSHM_ESHAPE, ndshm__selection_apply(&selection, &ref), cases[i].message);
        assert_memory_equal(&selection.picks, &before.picks, 3 * sizeof *before.picks);
    }
}

static void test_a_text_too_long_is_no_name(void **state)
{
    (void)state;
    char text[NDSHM_REF_MAX + 1];
    int64_t shape[NDSHM_MAX_NDIM];
    ndshm__selection selection;
    for (int i = 0; i < NDSHM_MAX_NDIM; i++)
        shape[i] = INT64_C(1) << 60;
    ndshm__selection_all(&selection, NDSHM_MAX_NDIM, shape);
    for (int i = 0; i < NDSHM_MAX_NDIM; i++)
        selection.picks[i].range = (ndshm__range){INT64_C(1) << 59, 1, 100};
    assert_false(ndshm__selection_text(&selection, "a", text));
    selection.ndim = 20;
    assert_true(ndshm__selection_text(&selection, "a", text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_the_parts_of_a_reference),
        SUPPORT_TEST(test_numbers_beyond_64_bits_are_clamped),
        SUPPORT_TEST(test_bad_syntax_is_refused_with_its_position),
        SUPPORT_TEST(test_lengths_are_limited),
        SUPPORT_TEST(test_canonical_references),
        SUPPORT_TEST(test_slices_that_do_not_fit),
        SUPPORT_TEST(test_a_text_too_long_is_no_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
