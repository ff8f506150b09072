/* SPDX-License-Identifier: MIT */
/* Descriptions: against plain formulas over sorted copies, in the caller and on a pool. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <ndshm/compute.h>

#include "base/os.h"
#include "compute/numbers.h"
#include "support.h"

#define NAME "t-describe"

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static double uniform(uint64_t *state)
{
    return (double)(next_random(state) >> 11) * 0x1p-53;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(const double *sorted, int64_t count, double share)
{
    double at = (double)(count - 1) * share, low = floor(at);
    double a = sorted[(int64_t)low], b = low + 1 < (double)count ? sorted[(int64_t)low + 1] : a;
    return a + (b - a) * (at - low);
}

/* By definition, in extended precision. */
static void expect(const double *values, int64_t rows, double out[8])
{
    double *sorted = malloc((size_t)rows * sizeof *sorted + 1);
    int64_t count = 0;
    long double sum = 0, squares = 0;
    for (int64_t i = 0; i < rows; i++)
        if (!isnan(values[i]))
            sum += sorted[count++] = values[i];
    qsort(sorted, (size_t)count, sizeof *sorted, ascending);
    long double mean = sum / (long double)count;
    for (int64_t i = 0; i < count; i++)
        squares += (sorted[i] - mean) * (sorted[i] - mean);
    out[0] = (double)count;
    out[1] = count ? (double)mean : (double)NAN;
    out[2] = count > 1 ? (double)sqrtl(squares / (long double)(count - 1)) : (double)NAN;
    for (int i = 0; i < 5; i++)
        out[3 + i] = count ? quantile(sorted, count, 0.25 * i) : (double)NAN;
    free(sorted);
}

static void assert_close(double is, double expected)
{
    if (isnan(expected) || isinf(expected)) {
        assert_int_equal(isnan(is), isnan(expected));
        assert_true(isnan(is) || is == expected);
        return;
    }
    assert_true(fabs(is - expected) <= 1e-13 * fmax(fabs(expected), 1e-300));
}

static void check_values(double *values, int64_t rows)
{
    double is[8], expected[8];
    ndshm_column column = {.format = "g", .rows = rows, .step = 1, .data = values};
    expect(values, rows, expected);
    assert_ok(ndshm__describe_column(&column, is));
    for (int i = 0; i < 8; i++)
        assert_close(is[i], expected[i]);
}

enum { SHORT_MAX = 40, LONG = 300000 };

static void test_short_columns(void **state)
{
    (void)state;
    double values[SHORT_MAX];
    uint64_t random = 1;
    for (int64_t rows = 0; rows < SHORT_MAX; rows++)
        for (int kind = 0; kind < 4; kind++) {
            for (int64_t i = 0; i < rows; i++)
                values[i] = kind == 0   ? uniform(&random)
                            : kind == 1 ? (double)(next_random(&random) % 3)
                            : kind == 2 ? (double)i
                            : i % 3     ? (double)NAN
                                        : 1e6 + uniform(&random);
            check_values(values, rows);
        }
}

/* What a value at row i is; the kinds make the way by a sample succeed, mislead it, or fail. */
static double long_value(int kind, int64_t i, uint64_t *random)
{
    switch (kind) {
    case 0:
        return uniform(random) * 100 - 50;
    case 1:
        return (double)i;
    case 2:
        return (double)(LONG - i);
    case 3:
        return (double)(next_random(random) % 5);
    case 4:
        return i % (LONG / 8192 + 1) == 0 ? 1e9 + uniform(random) : uniform(random);
    case 5:
        return i % 3 == 0 ? (double)NAN : 1e9 + uniform(random);
    case 6:
        return 42;
    case 7:
        return (double)NAN;
    case 8:
        return i < LONG - 3 ? (double)NAN : (double)i;
    default:
        return exp(30 * uniform(random));
    }
}

static void test_long_columns(void **state)
{
    (void)state;
    double *values = malloc(LONG * sizeof *values);
    uint64_t random = 2;
    for (int kind = 0; kind < 10; kind++) {
        for (int64_t i = 0; i < LONG; i++)
            values[i] = long_value(kind, i, &random);
        check_values(values, LONG);
        check_values(values, LONG - 1);
        check_values(values, LONG - 2);
    }
    free(values);
}

static void test_infinities(void **state)
{
    (void)state;
    double values[4] = {1, (double)INFINITY, 2, 3}, is[8];
    ndshm_column column = {.format = "g", .rows = 4, .step = 1, .data = values};
    assert_ok(ndshm__describe_column(&column, is));
    assert_true(isinf(is[1]) && isnan(is[2]) && is[3] == 1 && isinf(is[7]));
    assert_true(is[4] == 1.75 && is[5] == 2.5);
    values[0] = (double)-INFINITY;
    assert_ok(ndshm__describe_column(&column, is));
    assert_true(isnan(is[1]) && isnan(is[2]) && is[3] < 0 && isinf(is[3]));
}

/* --- frames --- */

static ndshm_column column_of(const ndshm_frame *frame, int index)
{
    ndshm_column column;
    assert_ok(ndshm_frame_column(frame, index, &column));
    return column;
}

static const ndshm_column_spec all_types[] = {
    {"__index_level_0__", "l", 0},
    {"c", "c", 0},
    {"C", "C", 0},
    {"s", "s", 0},
    {"S", "S", 0},
    {"i", "i", 0},
    {"I", "I", 0},
    {"l", "?l", 0},
    {"L", "L", 0},
    {"e", "e", 0},
    {"f", "f", 0},
    {"g", "?g", 0},
    {"text", "u", 0},
    {"b", "b", 0},
    {"day", "tdD", 0},
};
enum { TYPES = sizeof all_types / sizeof *all_types, NUMBERS = 11, TYPE_ROWS = 10 };

/* Every numeric column gets 0 to 9; row 9 of nullable ones stays null. */
static ndshm_frame *frame_of_all_types(const char *name)
{
    static const uint16_t halves[TYPE_ROWS] = {0,      0x3C00, 0x4000, 0x4200, 0x4400,
                                               0x4500, 0x4600, 0x4700, 0x4800, 0x4880};
    ndshm_frame *frame;
    assert_ok(ndshm_frame_create(name, TYPE_ROWS, all_types, TYPES, NULL, &frame));
    for (int i = 1; i <= NUMBERS; i++) {
        ndshm_column column = column_of(frame, i);
        for (int row = 0; row < TYPE_ROWS; row++) {
            uint64_t bits = (uint64_t)row;
            float single = (float)row;
            double wide = row;
            if (*column.format == 'e')
                bits = halves[row];
            else if (*column.format == 'f')
                memcpy(&bits, &single, sizeof single);
            else if (*column.format == 'g')
                memcpy(&bits, &wide, sizeof wide);
            size_t width = strchr("cC", *column.format)    ? 1
                           : strchr("sSe", *column.format) ? 2
                           : strchr("iIf", *column.format) ? 4
                                                           : 8;
            memcpy((char *)column.data + (size_t)row * width, &bits, width);
        }
        if (column.validity) {
            ((uint8_t *)column.validity)[0] = 0xFF;
            ((uint8_t *)column.validity)[1] = 1;
        }
    }
    return frame;
}

static void check_description(const ndshm_frame *result)
{
    static const char *const labels[] = {"count", "mean", "std", "min", "25%", "50%", "75%", "max"};
    static const double ten[8] = {10, 4.5, 3.0276503540974917, 0, 2.25, 4.5, 6.75, 9};
    static const double nine[8] = {9, 4, 2.7386127875258306, 0, 2, 4, 6, 8};
    ndshm_view block;
    assert_int_equal(ndshm_frame_rows(result), 8);
    assert_int_equal(ndshm_frame_columns(result), NUMBERS + 1);
    ndshm_column index = column_of(result, 0);
    assert_string_equal(index.name, ndshm_frame_index_name());
    const int32_t *offsets = index.offsets;
    for (int i = 0; i < 8; i++) {
        assert_int_equal(offsets[i + 1] - offsets[i], strlen(labels[i]));
        assert_memory_equal((char *)index.data + offsets[i], labels[i], strlen(labels[i]));
    }
    for (int i = 1; i <= NUMBERS; i++) {
        ndshm_column column = column_of(result, i);
        const double *expected = *column.name == 'l' || *column.name == 'g' ? nine : ten;
        assert_string_equal(column.name, all_types[i].name);
        assert_string_equal(column.format, "g");
        for (int j = 0; j < 8; j++)
            assert_close(((double *)column.data)[j], expected[j]);
    }
    assert_ok(ndshm_frame_block(result, &block));
    assert_int_equal(block.shape[1], NUMBERS);
}

static void test_all_numeric_types(void **state)
{
    (void)state;
    ndshm_frame *frame = frame_of_all_types(NULL), *result;
    assert_ok(ndshm_describe(NULL, frame, NULL, &result));
    check_description(result);
    ndshm_frame_detach(&result);
    assert_ok(ndshm_frame_publish(frame));
    assert_ok(ndshm_describe(NULL, frame, NAME, &result));
    check_description(result);
    ndshm_frame_detach(&result);
    assert_fails(-EEXIST, ndshm_describe(NULL, frame, NAME, &result), "taken");
    assert_ok(ndshm_unlink(NAME));
    ndshm_frame_detach(&frame);
}

static void test_slices_with_steps(void **state)
{
    (void)state;
    ndshm_frame *frame = frame_of_all_types(NAME), *part, *result;
    assert_ok(ndshm_frame_publish(frame));
    assert_ok(ndshm_frame_attach(NAME "[1::4]", NDSHM_READ, &part));
    assert_ok(ndshm_describe(NULL, part, NULL, &result));
    for (int i = 1; i <= NUMBERS; i++) {
        const double *is = column_of(result, i).data;
        bool nullable = *column_of(result, i).name == 'l' || *column_of(result, i).name == 'g';
        assert_close(is[0], nullable ? 2 : 3);
        assert_close(is[1], nullable ? 3 : 5);
        assert_close(is[3], 1);
        assert_close(is[7], nullable ? 5 : 9);
    }
    ndshm_frame_detach(&result);
    ndshm_frame_detach(&part);
    assert_ok(ndshm_frame_unlink(frame));
    ndshm_frame_detach(&frame);
}

static void test_half_precision(void **state)
{
    (void)state;
    static uint16_t halves[] = {0x0001, 0x03FF, 0x0400, 0x3555, 0x7BFF, 0x7C00, 0xFC00, 0x8000};
    static const double expected[] = {0x1p-24, 0x1.FF8p-15,      0x1p-14,           0x1.554p-2,
                                      65504,   (double)INFINITY, (double)-INFINITY, 0};
    double is[8];
    uint16_t nan = 0x7E00;
    ndshm_column column = {.format = "e", .rows = 8, .step = 1, .data = halves};
    assert_int_equal(ndshm__numbers_load(&column, 0, 8, is), 8);
    for (int i = 0; i < 8; i++)
        assert_true(is[i] == expected[i]);
    column.data = &nan;
    assert_int_equal(ndshm__numbers_load(&column, 0, 1, is), 0);
}

static void test_nothing_to_describe(void **state)
{
    (void)state;
    ndshm_column_spec text[] = {{"a", "u", 0}, {"b", "b", 0}, {"__index_level_0__", "g", 0}};
    ndshm_column_spec number = {"a", "g", 0};
    ndshm_frame *frame, *result;
    assert_ok(ndshm_frame_create(NULL, 2, text, 3, NULL, &frame));
    assert_fails(NDSHM_EDTYPE, ndshm_describe(NULL, frame, NULL, &result), "none of its 3 columns");
    assert_fails(-EINVAL, ndshm_describe(NULL, NULL, NULL, &result), "NULL");
    assert_fails(-EINVAL, ndshm_describe(NULL, frame, NULL, NULL), "NULL");
    ndshm_frame_detach(&frame);
    assert_ok(ndshm_frame_create(NULL, 0, &number, 1, NULL, &frame));
    assert_ok(ndshm_describe(NULL, frame, NULL, &result));
    const double *is = column_of(result, 1).data;
    assert_true(is[0] == 0);
    for (int i = 1; i < 8; i++)
        assert_true(isnan(is[i]));
    ndshm_frame_detach(&result);
    ndshm_frame_detach(&frame);
}

static int countdown;

static int fail_allocation(const char *call)
{
    return strcmp(call, "alloc") == 0 && --countdown == 0 ? ENOMEM : 0;
}

static void test_failing_allocations(void **state)
{
    (void)state;
    enum { ROWS = 100000 };
    ndshm_column_spec number = {"a", "g", 0};
    ndshm_frame *frame, *result;
    int failures = 0, status = -ENOMEM;
    assert_ok(ndshm_frame_create(NULL, ROWS, &number, 1, NULL, &frame));
    double *values = column_of(frame, 0).data;
    for (int i = 0; i < ROWS; i++)
        values[i] = i;
    while (status) {
        countdown = failures + 1;
        ndshm__os_fault = fail_allocation;
        status = ndshm_describe(NULL, frame, NULL, &result);
        ndshm__os_fault = NULL;
        if (status)
            assert_int_equal(status, -ENOMEM);
        failures += status != 0;
    }
    assert_true(failures >= 8);
    ndshm_frame_detach(&result);
    ndshm_frame_detach(&frame);
}

/* The same bytes, whoever does the work. */
static void test_on_a_pool(void **state)
{
    (void)state;
    ndshm_frame *frame = frame_of_all_types(NULL), *result, *here;
    ndshm_pool_config config;
    ndshm_pool *pool;
    ndshm_view one, other;
    assert_ok(ndshm_frame_publish(frame));
    ndshm_pool_config_init(&config);
    config.workers = 2;
    assert_ok(ndshm_pool_open(&config, &pool));
    assert_ok(ndshm_describe(pool, frame, NULL, &result));
    check_description(result);
    assert_ok(ndshm_describe(NULL, frame, NULL, &here));
    assert_ok(ndshm_frame_block(result, &one));
    assert_ok(ndshm_frame_block(here, &other));
    assert_memory_equal(one.data, other.data, (size_t)(one.strides[1] * NUMBERS));
    ndshm_frame_detach(&here);
    ndshm_frame_detach(&result);
    ndshm_pool_close(&pool);
    ndshm_frame_detach(&frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_short_columns),       SUPPORT_TEST(test_long_columns),
        SUPPORT_TEST(test_infinities),          SUPPORT_TEST(test_all_numeric_types),
        SUPPORT_TEST(test_slices_with_steps),   SUPPORT_TEST(test_half_precision),
        SUPPORT_TEST(test_nothing_to_describe), SUPPORT_TEST(test_failing_allocations),
        SUPPORT_TEST(test_on_a_pool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
