/* SPDX-License-Identifier: MIT */
/* Views: what is refused, and the edges. That they do what NumPy does is shown by tests/property.
 */
#include <errno.h>
#include <string.h>

#include <ndshm/view.h>

#include "support.h"

static double data[24];

/* 2 x 3 x 4 doubles in C order. */
static ndshm_view cube(void)
{
    ndshm_view view;
    const int64_t shape[3] = {2, 3, 4};
    assert_ok(ndshm_view_init(&view, data, NDSHM_FLOAT64, 3, shape, NDSHM_ORDER_C));
    return view;
}

static void test_init_lays_out_without_gaps(void **state)
{
    (void)state;
    ndshm_view view = cube();
    const int64_t c[3] = {96, 32, 8}, fortran[3] = {8, 16, 48};
    assert_memory_equal(view.strides, c, sizeof c);
    assert_int_equal(ndshm_view_size(&view), 24);
    assert_int_equal(ndshm_view_nbytes(&view), 192);
    assert_true(ndshm_view_is_contiguous(&view, NDSHM_ORDER_C));
    assert_false(ndshm_view_is_contiguous(&view, NDSHM_ORDER_FORTRAN));
    assert_ok(ndshm_view_init(&view, data, NDSHM_FLOAT64, 3, view.shape, NDSHM_ORDER_FORTRAN));
    assert_memory_equal(view.strides, fortran, sizeof fortran);
    assert_false(ndshm_view_is_contiguous(&view, NDSHM_ORDER_C));
    assert_true(ndshm_view_is_contiguous(&view, NDSHM_ORDER_FORTRAN));
    assert_false(ndshm_view_is_contiguous(&view, 2));
}

static void test_no_dimensions_and_no_elements(void **state)
{
    (void)state;
    ndshm_view view;
    const int64_t shape[3] = {3, 0, 2}, strides[3] = {16, 16, 8};
    assert_ok(ndshm_view_init(&view, data, NDSHM_FLOAT64, 0, NULL, NDSHM_ORDER_C));
    assert_int_equal(ndshm_view_size(&view), 1);
    assert_int_equal(ndshm_view_nbytes(&view), 8);
    assert_true(ndshm_view_is_contiguous(&view, NDSHM_ORDER_FORTRAN));
    assert_ok(ndshm_view_init(&view, NULL, NDSHM_FLOAT64, 3, shape, NDSHM_ORDER_C));
    assert_memory_equal(view.strides, strides, sizeof strides); /* as numpy.zeros((3, 0, 2)) */
    assert_int_equal(ndshm_view_size(&view), 0);
    assert_int_equal(ndshm_view_nbytes(&view), 0);
    assert_true(ndshm_view_is_contiguous(&view, NDSHM_ORDER_FORTRAN));
    assert_ok(ndshm_view_copy(&view, &view));
}

static void test_sixty_four_dimensions(void **state)
{
    (void)state;
    int64_t shape[65];
    ndshm_view view;
    for (int i = 0; i < 65; i++)
        shape[i] = i % 21 == 0 ? 2 : 1; /* 2^4 elements */
    assert_ok(ndshm_view_init(&view, data, NDSHM_INT8, 64, shape, NDSHM_ORDER_C));
    assert_int_equal(ndshm_view_size(&view), 16);
    assert_ok(ndshm_view_transpose(&view, NULL, &view));
    assert_true(ndshm_view_is_contiguous(&view, NDSHM_ORDER_FORTRAN));
    assert_ok(ndshm_view_transpose(&view, NULL, &view));
    assert_ok(ndshm_view_index(&view, 63, 1, &view));
    assert_ptr_equal(view.data, (char *)data + 1);
    assert_int_equal(view.ndim, 63);
    assert_fails(NDSHM_ESHAPE, ndshm_view_init(&view, data, NDSHM_INT8, 65, shape, NDSHM_ORDER_C),
                 "65 dimensions are outside 0 to 64");
    assert_fails(NDSHM_ESHAPE, ndshm_view_reshape(&view, 65, shape, &view), "65 dimensions");
    assert_fails(NDSHM_ESHAPE, ndshm_view_broadcast(&view, 65, shape, &view), "65 dimensions");
}

static void test_impossible_shapes(void **state)
{
    (void)state;
    static const struct {
        int64_t shape[3];
        const char *text;
    } cases[] = {
        {{2, -1, 2}, "length -1 of axis 1 is negative"},
        {{INT64_MIN, 1, 1}, "axis 0 is negative"},
        {{INT64_MAX, 1, 1}, "2^63 - 1 bytes"},
        {{INT64_C(1) << 32, INT64_C(1) << 32, 1}, "2^63 - 1 bytes"},
        {{INT64_C(1) << 60, 1, 1}, "2^63 - 1 bytes"},
        {{0, INT64_C(1) << 40, INT64_C(1) << 40}, "2^63 - 1 bytes"}, /* NumPy refuses it, too */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ndshm_view view = {.ndim = 7};
        assert_fails(NDSHM_ESHAPE,
                     ndshm_view_init(&view, data, NDSHM_FLOAT64, 3, cases[i].shape, NDSHM_ORDER_C),
                     cases[i].text);
        assert_int_equal(view.ndim, 7);
        view = cube();
        memcpy(view.shape, cases[i].shape, sizeof cases[i].shape);
        assert_fails(NDSHM_ESHAPE, (int)ndshm_view_size(&view), cases[i].text);
        assert_fails(NDSHM_ESHAPE, (int)ndshm_view_nbytes(&view), cases[i].text);
        assert_false(ndshm_view_is_contiguous(&view, NDSHM_ORDER_C));
    }
    ndshm_view view;
    const int64_t most = INT64_MAX;
    assert_ok(ndshm_view_init(&view, NULL, NDSHM_BYTES, 1, &most, NDSHM_ORDER_C)); /* S0 */
    assert_int_equal(ndshm_view_nbytes(&view), 0);
    assert_fails(-EINVAL, ndshm_view_init(&view, data, NDSHM_INT8, 1, &most, 2), "order 2");
    assert_fails(-EINVAL, ndshm_view_init(&view, data, NDSHM_INT8, 1, NULL, 0), "shape is NULL");
    assert_fails(-EINVAL, ndshm_view_init(NULL, data, NDSHM_INT8, 0, NULL, 0), "NULL");
    assert_fails(NDSHM_EDTYPE, ndshm_view_init(&view, data, 99, 0, NULL, 0), "not a data type");
}

static void test_slices_that_are_refused(void **state)
{
    (void)state;
    ndshm_view view = cube(), out = {.ndim = 9};
    assert_fails(NDSHM_ESHAPE, ndshm_view_slice(&view, 3, 0, 1, 1, &out), "no axis 3");
    assert_fails(NDSHM_ESHAPE, ndshm_view_slice(&view, -4, 0, 1, 1, &out), "3 dimensions");
    assert_fails(NDSHM_ESHAPE, ndshm_view_slice(&view, 0, 0, 1, 0, &out), "must not be 0");
    assert_fails(NDSHM_ESHAPE, ndshm_view_index(&view, 1, 3, &out), "index 3 is out of range");
    assert_fails(NDSHM_ESHAPE, ndshm_view_index(&view, 1, -4, &out), "axis 1 has 3 elements");
    assert_fails(NDSHM_ESHAPE, ndshm_view_index(&view, 5, 0, &out), "no axis 5");
    assert_fails(-EINVAL, ndshm_view_slice(NULL, 0, 0, 1, 1, &out), "NULL");
    assert_fails(-EINVAL, ndshm_view_slice(&view, 0, 0, 1, 1, NULL), "NULL");
    assert_fails(-EINVAL, ndshm_view_index(NULL, 0, 0, &out), "NULL");
    assert_int_equal(out.ndim, 9);
    view.strides[0] = INT64_MAX / 2;
    view.shape[0] = 9;
    assert_fails(NDSHM_ESHAPE, ndshm_view_index(&view, 0, 8, &out), "address space");
    assert_fails(NDSHM_ESHAPE, ndshm_view_slice(&view, 0, 8, NDSHM_OMIT, 1, &out), "address space");
}

static void test_omitted_bounds(void **state)
{
    (void)state;
    ndshm_view view = cube(), out;
    assert_ok(ndshm_view_slice(&view, 2, NDSHM_OMIT, NDSHM_OMIT, -1, &out));
    assert_ptr_equal(out.data, data + 3);
    assert_int_equal(out.strides[2], -8);
    assert_int_equal(out.shape[2], 4);
    assert_ok(ndshm_view_slice(&view, -1, 1, NDSHM_OMIT, NDSHM_OMIT, &out)); /* step 1 */
    assert_ptr_equal(out.data, data + 1);
    assert_int_equal(out.shape[2], 3);
    assert_int_equal(out.strides[2], 8);
}

static void test_permutations(void **state)
{
    (void)state;
    ndshm_view view = cube(), out;
    const int twice[3] = {0, 1, 1}, beyond[3] = {0, 1, 3}, mixed[3] = {-1, 0, 1};
    assert_fails(NDSHM_ESHAPE, ndshm_view_transpose(&view, twice, &out), "axis 1 appears twice");
    assert_fails(NDSHM_ESHAPE, ndshm_view_transpose(&view, beyond, &out), "no axis 3");
    assert_fails(-EINVAL, ndshm_view_transpose(&view, mixed, NULL), "NULL");
    assert_ok(ndshm_view_transpose(&view, mixed, &out));
    assert_int_equal(out.shape[0], 4);
    assert_int_equal(out.strides[0], 8);
    assert_int_equal(out.shape[1], 2);
}

static void test_reshapes_that_are_refused(void **state)
{
    (void)state;
    ndshm_view view = cube(), out = {.ndim = 9};
    const int64_t two_unknown[2] = {-1, -1}, fifths[2] = {5, -1}, other[1] = {25};
    const int64_t flat[1] = {24}, none[2] = {0, -1}, negative[2] = {-2, -12};
    const int64_t huge[3] = {INT64_C(1) << 62, 4, -1};
    assert_fails(NDSHM_ESHAPE, ndshm_view_reshape(&view, 2, two_unknown, &out), "only one");
    assert_fails(NDSHM_ESHAPE, ndshm_view_reshape(&view, 2, fifths, &out), "parts of 5");
    assert_fails(NDSHM_ESHAPE, ndshm_view_reshape(&view, 1, other, &out), "25");
    assert_fails(NDSHM_ESHAPE, ndshm_view_reshape(&view, 2, none, &out), "parts of 0");
    assert_fails(NDSHM_ESHAPE, ndshm_view_reshape(&view, 2, negative, &out), "negative");
    assert_fails(NDSHM_ESHAPE, ndshm_view_reshape(&view, 3, huge, &out), "2^63");
    assert_fails(-EINVAL, ndshm_view_reshape(&view, 1, NULL, &out), "shape is NULL");
    assert_fails(-EINVAL, ndshm_view_reshape(&view, 1, flat, NULL), "NULL");
    assert_fails(-EINVAL, ndshm_view_reshape(NULL, 1, flat, &out), "NULL");
    assert_ok(ndshm_view_transpose(&view, NULL, &view));
    assert_fails(NDSHM_ESHAPE, ndshm_view_reshape(&view, 1, flat, &out), "copy the elements first");
    assert_int_equal(out.ndim, 9);
}

static void test_broadcasts(void **state)
{
    (void)state;
    ndshm_view view, out;
    const int64_t one[1] = {1}, wide[2] = {5, 3}, narrow[1] = {3};
    assert_ok(ndshm_view_init(&view, data, NDSHM_FLOAT64, 1, one, NDSHM_ORDER_C));
    assert_ok(ndshm_view_broadcast(&view, 2, wide, &out));
    assert_int_equal(out.strides[0], 0);
    assert_int_equal(out.strides[1], 0);
    assert_int_equal(out.flags, NDSHM_VIEW_READONLY);
    assert_fails(-EACCES, ndshm_view_copy(&out, &out), "read-only");
    assert_fails(NDSHM_ESHAPE, ndshm_view_broadcast(&out, 1, narrow, &view),
                 "do not broadcast to 1");
    assert_ok(ndshm_view_init(&view, data, NDSHM_FLOAT64, 1, narrow, NDSHM_ORDER_C));
    assert_fails(NDSHM_ESHAPE, ndshm_view_broadcast(&view, 1, one, &out), "length 3");
    assert_fails(-EINVAL, ndshm_view_broadcast(&view, 1, one, NULL), "NULL");
}

static void test_only_ndim_entries_are_written(void **state)
{
    (void)state;
    ndshm_view view = cube(), out;
    memset(&out, 0x5A, sizeof out);
    assert_ok(ndshm_view_index(&view, 0, 1, &out));
    assert_int_equal(out.ndim, 2);
    assert_int_equal(out.reserved, 0);
    for (int i = 3; i < NDSHM_MAX_NDIM; i++) {
        assert_int_equal(out.shape[i], 0x5A5A5A5A5A5A5A5A);
        assert_int_equal(out.strides[i], 0x5A5A5A5A5A5A5A5A);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_init_lays_out_without_gaps),
        SUPPORT_TEST(test_no_dimensions_and_no_elements),
        SUPPORT_TEST(test_sixty_four_dimensions),
        SUPPORT_TEST(test_impossible_shapes),
        SUPPORT_TEST(test_slices_that_are_refused),
        SUPPORT_TEST(test_omitted_bounds),
        SUPPORT_TEST(test_permutations),
        SUPPORT_TEST(test_reshapes_that_are_refused),
        SUPPORT_TEST(test_broadcasts),
        SUPPORT_TEST(test_only_ndim_entries_are_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
