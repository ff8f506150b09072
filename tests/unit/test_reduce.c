/* SPDX-License-Identifier: MIT */
/* What a reduction refuses, and what it leaves behind; its numbers are compared with NumPy's in
 * tests/property/reduce.py. */
#include <errno.h>
#include <string.h>

#include <ndshm/compute.h>

#include "base/os.h"
#include "pools.h"
#include "support.h"

static void test_refusals(void **state)
{
    (void)state;
    const int64_t shape[2] = {3, 0};
    ndshm_array *array, *text, *out = NULL;
    ndshm_view view;
    array = support_array(NULL, NDSHM_FLOAT64, 2, shape, &view);
    text = support_array(NULL, NDSHM_COMPLEX64, 2, shape, &view);
    assert_fails(-EINVAL, ndshm_reduce(NULL, NULL, NDSHM_REDUCE_SUM, 0, NULL, &out), "NULL");
    assert_fails(-EINVAL, ndshm_reduce(NULL, array, NDSHM_REDUCE_SUM, 0, NULL, NULL), "NULL");
    assert_fails(-EINVAL, ndshm_reduce(NULL, array, 0, 0, NULL, &out), "NDSHM_REDUCE_");
    assert_fails(-EINVAL, ndshm_reduce(NULL, array, 12, 0, NULL, &out), "NDSHM_REDUCE_");
    assert_fails(-EINVAL, ndshm_reduce(NULL, array, 0x201, 0, NULL, &out), "NDSHM_REDUCE_");
    assert_fails(NDSHM_ESHAPE, ndshm_reduce(NULL, array, NDSHM_REDUCE_SUM, 2, NULL, &out), "axis");
    assert_fails(NDSHM_ESHAPE, ndshm_reduce(NULL, array, NDSHM_REDUCE_SUM, -3, NULL, &out), "axis");
    assert_fails(NDSHM_ESHAPE, ndshm_reduce(NULL, array, NDSHM_REDUCE_MIN, 1, NULL, &out),
                 "no elements");
    assert_fails(NDSHM_EDTYPE, ndshm_reduce(NULL, text, NDSHM_REDUCE_SUM, 0, NULL, &out),
                 "complex64");
    assert_null(out);
    ndshm_array_detach(&text);
    ndshm_array_detach(&array);
}

/* The name is taken at the end: nothing is left of a result that nobody gets. */
static void test_a_name_that_is_taken(void **state)
{
    (void)state;
    const int64_t shape[1] = {3};
    ndshm_view view;
    ndshm_array *array = support_array("taken", NDSHM_INT8, 1, shape, &view), *out = NULL;
    assert_fails(-EEXIST, ndshm_reduce(NULL, array, NDSHM_REDUCE_SUM, 0, "taken", &out), "taken");
    assert_null(out);
    assert_ok(ndshm_array_unlink(array));
    ndshm_array_detach(&array);
}

static int countdown;

static int fail_allocation(const char *call)
{
    return strcmp(call, "alloc") == 0 && --countdown == 0 ? ENOMEM : 0;
}

static void test_failing_allocations(void **state)
{
    (void)state;
    const int64_t shape[1] = {1000000};
    int failures = 0, status = -ENOMEM;
    ndshm_view view;
    ndshm_array *array = support_array(NULL, NDSHM_UINT16, 1, shape, &view), *out = NULL;
    ((uint16_t *)view.data)[999999] = 7;
    while (status) {
        countdown = failures + 1;
        ndshm__os_fault = fail_allocation;
        status = ndshm_reduce(NULL, array, NDSHM_REDUCE_SUM, NDSHM_AXIS_ALL, NULL, &out);
        ndshm__os_fault = NULL;
        if (status)
            assert_int_equal(status, -ENOMEM);
        failures += status != 0;
    }
    assert_true(failures >= 6);
    assert_ok(ndshm_array_read(out, &view));
    assert_int_equal(view.dtype, NDSHM_UINT64);
    assert_int_equal(view.ndim, 0);
    assert_int_equal(*(uint64_t *)view.data, 7);
    ndshm_array_detach(&out);
    ndshm_array_detach(&array);
}

/* A slice of NaN somewhere among the tasks of a pool. */
static void test_a_task_that_fails(void **state)
{
    (void)state;
    const int64_t shape[2] = {4000, 300};
    ndshm_view view;
    ndshm_pool *pool = support_pool(2);
    ndshm_array *array = support_array(NULL, NDSHM_FLOAT64, 2, shape, &view), *out = NULL;
    memset((char *)view.data + 2000 * view.strides[0], 0xFF, (size_t)view.strides[0]);
    int op = NDSHM_REDUCE_ARGMAX | NDSHM_SKIPNA;
    assert_fails(NDSHM_ESHAPE, ndshm_reduce(pool, array, op, 1, NULL, &out), "nothing but NaN");
    assert_null(out);
    assert_ok(ndshm_reduce(pool, array, op, 0, NULL, &out));
    ndshm_array_detach(&out);
    ndshm_array_detach(&array);
    ndshm_pool_close(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_refusals),
        SUPPORT_TEST(test_a_name_that_is_taken),
        SUPPORT_TEST(test_failing_allocations),
        SUPPORT_TEST(test_a_task_that_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
