/* SPDX-License-Identifier: MIT */
/* Arrays from creation to the end: contents, orders, slices, publishing, and every refusal. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "array/array.h"
#include "base/os.h"
#include "segments.h"
#include "support.h"

#define NAME "t-array"

static const int64_t matrix[2] = {6, 8};

/* 0, 1, 2, ... as int32, 6 x 8, in C order, under NAME. */
static ndshm_array *numbers(void)
{
    ndshm_array *array;
    ndshm_view view;
    assert_ok(ndshm_array_create(NAME, NDSHM_INT32, 2, matrix, NULL, &array));
    assert_ok(ndshm_array_read(array, &view));
    for (int i = 0; i < 48; i++)
        ((int32_t *)view.data)[i] = i;
    return array;
}

static void drop(ndshm_array *array)
{
    assert_ok(ndshm_array_unlink(array));
    ndshm_array_detach(&array);
    assert_null(array);
}

static void test_created_is_zero_writable_and_visible(void **state)
{
    (void)state;
    ndshm_array *made, *seen;
    ndshm_view view, other;
    const int64_t shape[3] = {5, 100, 3}, strides[3] = {2400, 24, 8};
    assert_ok(ndshm_array_create(NAME, NDSHM_FLOAT64, 3, shape, NULL, &made));
    assert_string_equal(ndshm_array_name(made), NAME);
    assert_ok(ndshm_array_read(made, &view));
    assert_int_equal(view.dtype, NDSHM_FLOAT64);
    assert_int_equal(view.ndim, 3);
    assert_int_equal(view.flags, 0);
    assert_memory_equal(view.shape, shape, sizeof shape);
    assert_memory_equal(view.strides, strides, sizeof strides);
    for (int i = 0; i < 1500; i++)
        assert_true(((double *)view.data)[i] == 0);
    assert_ok(ndshm_array_attach("/" NAME, NDSHM_READ, &seen));
    ((double *)view.data)[1499] = 7;
    assert_ok(ndshm_array_read(seen, &other));
    assert_int_equal(other.flags, NDSHM_VIEW_READONLY);
    assert_true(((double *)other.data)[1499] == 7);
    ndshm_array_detach(&seen);
    drop(made);
}

static void test_ways_to_attach(void **state)
{
    (void)state;
    ndshm_array *array = numbers(), *copy, *writer;
    ndshm_view mine, theirs;
    int32_t value;
    assert_ok(ndshm_array_attach(NAME "[2,3]", NDSHM_COW, &copy));
    assert_ok(ndshm_array_attach(NAME "[2,4]", NDSHM_WRITE, &writer));
    assert_ok(ndshm_array_read(copy, &theirs));
    assert_int_equal(theirs.flags, 0);
    *(int32_t *)theirs.data = -1;
    assert_ok(ndshm_array_copy(copy, &value, 4)); /* its own page now */
    assert_int_equal(value, -1);
    assert_ok(ndshm_array_read(writer, &theirs));
    *(int32_t *)theirs.data = -2;
    assert_ok(ndshm_array_read(array, &mine));
    assert_int_equal(((int32_t *)mine.data)[19], 19);
    assert_int_equal(((int32_t *)mine.data)[20], -2);
    ndshm_array_detach(&copy);
    ndshm_array_detach(&writer);
    drop(array);
}

static void test_a_generated_name_is_temporary(void **state)
{
    (void)state;
    ndshm_array *array;
    char name[NDSHM_NAME_MAX + 1];
    assert_ok(ndshm_array_create(NULL, NDSHM_INT8, 0, NULL, NULL, &array));
    snprintf(name, sizeof name, "%s", ndshm_array_name(array));
    assert_int_equal(strlen(name), 6 + 32);
    assert_true(support_exists(name));
    ndshm_array_detach(&array);
    assert_false(support_exists(name));
}

/* What a reference selects, in C order, and its canonical name. */
static void test_slices_in_names(void **state)
{
    (void)state;
    static const struct {
        const char *ref, *name;
        int ndim, count;
        int32_t first[4];
    } cases[] = {
        {NAME, NAME, 2, 48, {0, 1, 2, 3}},
        {NAME "[1:3, ::2]", NAME "[1:3,::2]", 2, 8, {8, 10, 12, 14}},
        {NAME "[-1]", NAME "[5]", 1, 8, {40, 41, 42, 43}},
        {NAME "[..., 7]", NAME "[:,7]", 1, 6, {7, 15, 23, 31}},
        {NAME "[::-1, ::-3]", NAME "[::-1,::-3]", 2, 18, {47, 44, 41, 39}},
        {NAME "[2, 3]", NAME "[2,3]", 0, 1, {19, 0, 0, 0}},
        {NAME "[3:3]", NAME "[0:0]", 2, 0, {0, 0, 0, 0}},
        {"/" NAME "[0:6]", NAME, 2, 48, {0, 1, 2, 3}},
    };
    ndshm_array *array = numbers();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ndshm_array *part, *again;
        int32_t buffer[48] = {0}, second[48] = {0};
        assert_ok(ndshm_array_attach(cases[i].ref, NDSHM_READ, &part));
        assert_string_equal(ndshm_array_name(part), cases[i].name);
        assert_int_equal(part->view.ndim, cases[i].ndim);
        assert_int_equal(ndshm_view_size(&part->view), cases[i].count);
        assert_ok(ndshm_array_copy(part, buffer, 4 * cases[i].count));
        assert_memory_equal(buffer, cases[i].first, sizeof cases[i].first);
        assert_ok(ndshm_array_attach(ndshm_array_name(part), NDSHM_READ, &again));
        assert_ok(ndshm_array_copy(again, second, 4 * cases[i].count));
        assert_memory_equal(buffer, second, sizeof buffer);
        ndshm_array_detach(&part);
        ndshm_array_detach(&again);
    }
    drop(array);
}

static void assert_made_from(const ndshm_view *source, int order)
{
    ndshm_array *array, *seen;
    size_t nbytes = (size_t)ndshm_view_nbytes(source);
    char *expected = malloc(nbytes + 1), *got = malloc(nbytes + 1);
    ndshm_view dense;
    assert_ok(ndshm_array_from(NAME, source, NULL, &array));
    assert_ok(ndshm_array_attach(NAME, NDSHM_READ, &seen));
    assert_true(ndshm_view_is_contiguous(&seen->view, order));
    assert_int_equal(seen->view.dtype, source->dtype);
    assert_ok(ndshm_view_init(&dense, expected, source->dtype, source->ndim, source->shape, 0));
    assert_ok(ndshm_view_copy(&dense, source));
    assert_ok(ndshm_array_copy(seen, got, (int64_t)nbytes));
    assert_int_equal(memcmp(expected, got, nbytes), 0);
    free(expected);
    free(got);
    ndshm_array_detach(&seen);
    drop(array);
}

static void test_from_memory_in_any_order(void **state)
{
    (void)state;
    const int64_t shape[3] = {60, 80, 70}, none[2] = {3, 0};
    double *memory = malloc(60 * 80 * 70 * sizeof *memory);
    ndshm_view view, part;
    for (int i = 0; i < 60 * 80 * 70; i++)
        memory[i] = i;
    assert_ok(ndshm_view_init(&view, memory, NDSHM_FLOAT64, 3, shape, NDSHM_ORDER_C));
    assert_made_from(&view, NDSHM_ORDER_C);
    assert_ok(ndshm_view_transpose(&view, NULL, &part));
    assert_made_from(&part, NDSHM_ORDER_FORTRAN);
    assert_ok(ndshm_view_transpose(&view, (const int[]){1, 0, 2}, &part));
    assert_made_from(&part, NDSHM_ORDER_C);
    assert_ok(ndshm_view_slice(&view, 2, NDSHM_OMIT, NDSHM_OMIT, -3, &part));
    assert_made_from(&part, NDSHM_ORDER_C);
    assert_ok(ndshm_view_slice(&view, 0, 5, 9, 1, &part));
    assert_made_from(&part, NDSHM_ORDER_C);
    assert_ok(ndshm_view_broadcast(&part, 4, (const int64_t[]){3, 4, 80, 70}, &part));
    assert_made_from(&part, NDSHM_ORDER_C);
    assert_ok(ndshm_view_init(&part, NULL, NDSHM_FLOAT64, 2, none, NDSHM_ORDER_C));
    assert_made_from(&part, NDSHM_ORDER_C);
    assert_ok(ndshm_view_init(&part, memory, NDSHM_COMPLEX128, 0, NULL, NDSHM_ORDER_C));
    assert_made_from(&part, NDSHM_ORDER_C);
    free(memory);
}

static void test_from_memory_that_cannot_be_read(void **state)
{
    (void)state;
    const int64_t shape[2] = {1000, 1000};
    ndshm_array *array = NULL;
    ndshm_view view;
    assert_ok(ndshm_view_init(&view, (void *)4096, NDSHM_FLOAT64, 2, shape, NDSHM_ORDER_C));
    assert_fails(-EFAULT, ndshm_array_from(NAME, &view, NULL, &array), "memory");
    view.data = NULL;
    assert_fails(-EFAULT, ndshm_array_from(NAME, &view, NULL, &array), "memory");
    view.strides[0] = INT64_MAX;
    assert_fails(NDSHM_ESHAPE, ndshm_array_from(NAME, &view, NULL, &array), "address space");
    assert_null(array);
    assert_false(support_exists(NAME));
}

static void test_publishing(void **state)
{
    (void)state;
    ndshm_create_config config;
    ndshm_array *array, *other, *seen;
    ndshm_view view;
    ndshm_create_config_init(&config);
    config.flags = NDSHM_UNPUBLISHED;
    assert_ok(ndshm_array_create(NAME, NDSHM_INT32, 2, matrix, &config, &array));
    assert_string_equal(ndshm_array_name(array), NAME);
    assert_fails(-ENOENT, ndshm_array_attach(NAME, NDSHM_READ, &seen), NAME);
    assert_ok(ndshm_array_read(array, &view));
    *(int32_t *)view.data = 5;
    other = numbers();
    assert_fails(-EEXIST, ndshm_array_publish(array), NAME);
    drop(other);
    assert_ok(ndshm_array_publish(array));
    assert_fails(-EALREADY, ndshm_array_publish(array), "publish");
    assert_ok(ndshm_array_attach(NAME, NDSHM_READ, &seen));
    assert_ok(ndshm_array_read(seen, &view));
    assert_int_equal(*(int32_t *)view.data, 5);
    ndshm_array_detach(&seen);
    drop(array);
    assert_ok(ndshm_array_from(NAME, &(ndshm_view){.data = &config, .dtype = NDSHM_INT8}, &config,
                               &array));
    ndshm_array_detach(&array); /* without a trace */
    assert_fails(-EINVAL, ndshm_array_publish(NULL), "NULL");
}

static void test_a_second_handle_keeps_the_mapping(void **state)
{
    (void)state;
    ndshm_array *array = numbers(), *part, *shared;
    int32_t values[3];
    assert_ok(ndshm_array_attach(NAME "[1,2:5]", NDSHM_READ, &part));
    assert_ok(ndshm_array_share(part, &shared));
    ndshm_array_detach(&part);
    assert_string_equal(ndshm_array_name(shared), NAME "[1,2:5]");
    assert_ok(ndshm_array_copy(shared, values, sizeof values));
    assert_int_equal(values[2], 12);
    assert_int_equal(shared->view.flags, NDSHM_VIEW_READONLY);
    drop(array);
    assert_ok(ndshm_array_copy(shared, values, sizeof values)); /* the name went, the mapping not */
    assert_fails(-ENOENT, ndshm_array_unlink(shared), NAME);
    ndshm_array_detach(&shared);
    ndshm_array_detach(&shared);
    ndshm_array_detach(NULL);
}

static void test_a_truncated_segment_is_noticed(void **state)
{
    (void)state;
    const int64_t shape[2] = {3000, 1000};
    ndshm_array *array, *rows, *column;
    double *buffer = malloc(3000 * 1000 * sizeof *buffer);
    assert_ok(ndshm_array_create(NAME, NDSHM_FLOAT64, 2, shape, NULL, &array));
    assert_ok(ndshm_array_attach(NAME "[:1000]", NDSHM_READ, &rows));
    assert_ok(ndshm_array_attach(NAME "[:,5]", NDSHM_READ, &column));
    assert_int_equal(truncate(support_path(NAME), 12 << 20), 0);
    assert_ok(ndshm_array_copy(rows, buffer, 1000 * 1000 * 8));
    assert_fails(NDSHM_ECORRUPT, ndshm_array_copy(array, buffer, 3000 * 1000 * 8), "truncated");
    assert_fails(NDSHM_ECORRUPT, ndshm_array_copy(column, buffer, 3000 * 8), NAME);
    ndshm_array_detach(&rows);
    ndshm_array_detach(&column);
    free(buffer);
    unlink(support_path(NAME));
    ndshm_array_detach(&array);
}

static void test_copies_need_the_exact_size(void **state)
{
    (void)state;
    ndshm_array *array = numbers();
    int32_t buffer[48];
    assert_fails(-EINVAL, ndshm_array_copy(array, buffer, 191), "take 192 bytes");
    assert_fails(-EINVAL, ndshm_array_copy(array, buffer, 193), "the buffer has 193");
    assert_fails(-EINVAL, ndshm_array_copy(array, buffer, -192), "the buffer has -192");
    assert_fails(-EINVAL, ndshm_array_copy(array, NULL, 192), "NULL");
    assert_fails(-EINVAL, ndshm_array_copy(NULL, buffer, 192), "NULL");
    assert_fails(-EINVAL, ndshm_array_read(array, NULL), "NULL");
    assert_fails(-EINVAL, ndshm_array_share(NULL, &array), "NULL");
    assert_fails(-EINVAL, ndshm_array_unlink(NULL), "NULL");
    assert_null(ndshm_array_name(NULL));
    drop(array);
}

static void test_refused_creations(void **state)
{
    (void)state;
    ndshm_array *array = NULL;
    const int64_t negative[2] = {5, -1}, huge[2] = {INT64_MAX, 2};
    ndshm_create_config config = {.size = 1};
    assert_fails(NDSHM_ESHAPE, ndshm_array_create(NAME, NDSHM_INT8, 2, negative, NULL, &array),
                 "ndshm_array_create: length -1 of axis 1");
    assert_fails(NDSHM_ESHAPE, ndshm_array_create(NAME, NDSHM_INT8, 2, huge, NULL, &array), "2^63");
    assert_fails(NDSHM_ESHAPE, ndshm_array_create(NAME, NDSHM_INT8, 65, huge, NULL, &array), "64");
    assert_fails(NDSHM_ESHAPE, ndshm_array_create(NAME, NDSHM_INT8, -1, huge, NULL, &array), "-1");
    assert_fails(NDSHM_EDTYPE, ndshm_array_create(NAME, 0, 2, matrix, NULL, &array), "0x00000000");
    assert_fails(-EINVAL, ndshm_array_create(NAME, NDSHM_INT8, 2, NULL, NULL, &array), "NULL");
    assert_fails(-EINVAL, ndshm_array_create(NAME "[1:2]", NDSHM_INT8, 2, matrix, NULL, &array),
                 "name");
    assert_fails(-EINVAL, ndshm_array_create("ndshm.x", NDSHM_INT8, 2, matrix, NULL, &array),
                 "ndshm.x");
    assert_fails(-EINVAL, ndshm_array_create("", NDSHM_INT8, 2, matrix, NULL, &array), "empty");
    assert_fails(-EINVAL, ndshm_array_create(NAME, NDSHM_INT8, 2, matrix, &config, &array), "size");
    assert_fails(-EINVAL, ndshm_array_create(NAME, NDSHM_INT8, 2, matrix, NULL, NULL), "NULL");
    assert_fails(-EINVAL, ndshm_array_from(NAME, NULL, NULL, &array), "view is NULL");
    assert_fails(-EINVAL, ndshm_array_from(NAME, NULL, NULL, NULL), "out is NULL");
    assert_null(array);
    ndshm_array *first = numbers();
    assert_fails(-EEXIST, ndshm_array_create(NAME, NDSHM_INT8, 2, matrix, NULL, &array), NAME);
    assert_null(array);
    drop(first);
}

static void test_refused_attachments(void **state)
{
    (void)state;
    ndshm_array *array = numbers(), *seen = NULL;
    assert_fails(-ENOENT, ndshm_array_attach("t-array-none[1]", NDSHM_READ, &seen), "t-array-none");
    assert_fails(-EINVAL, ndshm_array_attach(NAME "[", NDSHM_READ, &seen),
                 "ndshm_array_attach: the reference");
    assert_fails(-EINVAL, ndshm_array_attach(NULL, NDSHM_READ, &seen), "NULL");
    assert_fails(-EINVAL, ndshm_array_attach("[1]", NDSHM_READ, &seen), "empty");
    assert_fails(-EINVAL, ndshm_array_attach(NAME, 0, &seen), NULL);
    assert_fails(-EINVAL, ndshm_array_attach(NAME, NDSHM_READ, NULL), "NULL");
    assert_fails(NDSHM_ESHAPE, ndshm_array_attach(NAME "[6]", NDSHM_READ, &seen), "out of range");
    assert_fails(NDSHM_ESHAPE, ndshm_array_attach(NAME "[0,0,0]", NDSHM_READ, &seen), "3 items");
    assert_null(seen);
    drop(array);
}

/* Publishes a segment that describes an array in an unusual way, and attaches it. */
static int attach_described(uint32_t kind, ndshm_dtype dtype, int ndim, const int64_t *shape,
                            const int64_t *strides, int nstrides, int64_t payload)
{
    ndshm__segment *segment;
    ndshm_array *array = NULL;
    ndshm__spec spec = {.name = NAME,
                        .kind = kind,
                        .dtype = dtype,
                        .ndim = ndim,
                        .shape = shape,
                        .body = strides,
                        .body_size = nstrides * 8,
                        .payload_size = payload};
    assert_ok(ndshm__segment_create(&spec, &segment));
    assert_ok(ndshm__segment_publish(segment));
    int status = ndshm_array_attach(NAME, NDSHM_READ, &array);
    ndshm_array_detach(&array);
    assert_ok(ndshm__segment_unlink(segment));
    ndshm__segment_release(&segment);
    return status;
}

static int attach_strided(int64_t first, int64_t second, int64_t payload)
{
    const int64_t strides[2] = {first, second};
    return attach_described(NDSHM_KIND_ARRAY, NDSHM_INT32, 2, matrix, strides, 2, payload);
}

static void test_descriptions_are_checked(void **state)
{
    (void)state;
    const int64_t empty[2] = {0, INT64_C(1) << 62}, strides[2] = {32, 4}, huge[2] = {INT64_MAX, 9};
    assert_ok(attach_strided(32, 4, 192));
    assert_ok(attach_strided(4, 24, 192)); /* Fortran order */
    assert_ok(attach_strided(64, 4, 352)); /* with gaps */
    assert_ok(attach_strided(0, 4, 32));   /* one row six times */
    assert_fails(NDSHM_ECORRUPT, attach_strided(32, 4, 191), "do not describe 191 bytes");
    assert_fails(NDSHM_ECORRUPT, attach_strided(64, 4, 351), NAME);
    assert_fails(NDSHM_ECORRUPT, attach_strided(-32, 4, 192), NAME);
    assert_fails(NDSHM_ECORRUPT, attach_strided(INT64_MAX, 4, 192), NAME);
    assert_fails(NDSHM_ECORRUPT, attach_strided(INT64_MAX / 5, INT64_MAX / 7, 192), NAME);
    assert_fails(NDSHM_ECORRUPT, attach_strided(INT64_MIN, 4, 192), NAME);
    assert_fails(NDSHM_ECORRUPT, attach_described(NDSHM_KIND_ARRAY, 0, 2, matrix, strides, 2, 192),
                 NAME);
    assert_fails(NDSHM_ECORRUPT,
                 attach_described(NDSHM_KIND_ARRAY, NDSHM_INT32, 2, matrix, strides, 1, 192), NAME);
    assert_fails(NDSHM_ECORRUPT,
                 attach_described(NDSHM_KIND_ARRAY, NDSHM_INT32, 2, huge, strides, 2, 192), NAME);
    assert_fails(NDSHM_ECORRUPT,
                 attach_described(NDSHM_KIND_ARRAY, NDSHM_INT32, 2, empty, strides, 2, 192), NAME);
    assert_fails(NDSHM_EKIND,
                 attach_described(NDSHM_KIND_FRAME, NDSHM_INT32, 2, matrix, strides, 2, 192), NAME);
}

static void test_sixty_four_dimensions(void **state)
{
    (void)state;
    int64_t shape[64];
    ndshm_array *array, *part;
    char ref[NDSHM_REF_MAX + 1] = NAME "[...,1,1,1]";
    for (int i = 0; i < 64; i++)
        shape[i] = i > 52 ? 2 : 1;
    assert_ok(ndshm_array_create(NAME, NDSHM_INT8, 64, shape, NULL, &array));
    assert_ok(ndshm_array_attach(ref, NDSHM_WRITE, &part));
    assert_int_equal(part->view.ndim, 61);
    assert_int_equal(ndshm_view_size(&part->view), 256);
    assert_int_equal(strlen(ndshm_array_name(part)), strlen(NAME) + 61 * 2 + 7);
    ndshm_array_detach(&part);
    drop(array);
}

static void test_no_elements(void **state)
{
    (void)state;
    const int64_t shape[3] = {4, 0, 1000};
    ndshm_array *array, *part;
    assert_ok(ndshm_array_create(NAME, NDSHM_COMPLEX128, 3, shape, NULL, &array));
    assert_ok(ndshm_array_copy(array, NULL, 0));
    assert_ok(ndshm_array_attach(NAME "[-1,::-1,5:900:7]", NDSHM_READ, &part));
    assert_int_equal(part->view.ndim, 2);
    assert_ok(ndshm_array_copy(part, NULL, 0));
    ndshm_array_detach(&part);
    assert_fails(NDSHM_ESHAPE, ndshm_array_attach(NAME "[0,0]", NDSHM_READ, &part), "0 elements");
    drop(array);
}

static void test_units_are_kept(void **state)
{
    (void)state;
    ndshm_array *array, *seen;
    ndshm_dtype dtype;
    char text[32];
    assert_ok(ndshm_dtype_parse("<m8[25us]", &dtype));
    assert_ok(ndshm_array_create(NAME, dtype, 2, matrix, NULL, &array));
    assert_ok(ndshm_array_attach(NAME, NDSHM_READ, &seen));
    assert_ok(ndshm_dtype_typestr(seen->view.dtype, text, sizeof text));
    assert_string_equal(text, "<m8[25us]");
    ndshm_array_detach(&seen);
    drop(array);
}

/* --- each call of the operating system fails in turn --- */

static int calls_left;

static int fail_nth(const char *call)
{
    (void)call;
    return calls_left > 0 && --calls_left == 0 ? ENOMEM : 0;
}

/* Everything that an array goes through; the first failure. */
static int whole_life(const ndshm_view *source)
{
    ndshm_array *array = NULL, *part = NULL, *shared = NULL;
    double buffer[50 * 20];
    int status = ndshm_array_from(NAME, source, NULL, &array);
    if (!status)
        status = ndshm_array_attach(NAME "[::2,1:]", NDSHM_READ, &part);
    if (!status)
        status = ndshm_array_share(part, &shared);
    if (!status)
        status = ndshm_array_copy(part, buffer, 25 * 19 * 8);
    if (!status)
        status = ndshm_array_unlink(array);
    ndshm_array_detach(&shared);
    ndshm_array_detach(&part);
    ndshm_array_detach(&array);
    return status;
}

static void test_every_call_may_fail(void **state)
{
    (void)state;
    static double memory[2 * 50 * 20];
    const int64_t shape[2] = {50, 40};
    ndshm_view view;
    int failures = 0, calls = 1;
    assert_ok(ndshm_view_init(&view, memory, NDSHM_FLOAT64, 2, shape, NDSHM_ORDER_C));
    assert_ok(ndshm_view_slice(&view, 1, 0, 40, 2, &view));
    ndshm__os_fault = fail_nth;
    for (;; calls++) {
        calls_left = calls;
        int status = whole_life(&view);
        if (calls_left > 0)
            break; /* there are no more calls */
        failures += status != 0;
        calls_left = 0;
        if (support_exists(NAME))
            assert_ok(ndshm_unlink(NAME));
    }
    ndshm__os_fault = NULL;
    assert_true(calls > 20 && failures > 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_created_is_zero_writable_and_visible),
        SUPPORT_TEST(test_ways_to_attach),
        SUPPORT_TEST(test_a_generated_name_is_temporary),
        SUPPORT_TEST(test_slices_in_names),
        SUPPORT_TEST(test_from_memory_in_any_order),
        SUPPORT_TEST(test_from_memory_that_cannot_be_read),
        SUPPORT_TEST(test_publishing),
        SUPPORT_TEST(test_a_second_handle_keeps_the_mapping),
        SUPPORT_TEST(test_a_truncated_segment_is_noticed),
        SUPPORT_TEST(test_copies_need_the_exact_size),
        SUPPORT_TEST(test_refused_creations),
        SUPPORT_TEST(test_refused_attachments),
        SUPPORT_TEST(test_descriptions_are_checked),
        SUPPORT_TEST(test_sixty_four_dimensions),
        SUPPORT_TEST(test_no_elements),
        SUPPORT_TEST(test_units_are_kept),
        SUPPORT_TEST(test_every_call_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
