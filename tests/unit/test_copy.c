/* SPDX-License-Identifier: MIT */
/* Strided copies: every item size, orders, tiles, pieces; and what is refused. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "array/dtype.h"
#include "array/view.h"
#include "support.h"

enum { ROWS = 37, COLUMNS = 129, LAYERS = 3, ITEM_MAX = 24 };

static char *source, *target;

static int make(void **state)
{
    size_t size = (size_t)ROWS * COLUMNS * LAYERS * ITEM_MAX;
    source = malloc(size);
    target = malloc(size);
    for (size_t i = 0; i < size; i++)
        source[i] = (char)(i * 131 + i / 251);
    return support_begin(state);
}

static int drop(void **state)
{
    free(source);
    free(target);
    return support_end(state);
}

static char *element(const ndshm_view *view, const int64_t index[3])
{
    char *at = view->data;
    for (int i = 0; i < 3; i++)
        at += index[i] * view->strides[i];
    return at;
}

static void assert_same_elements(const ndshm_view *a, const ndshm_view *b)
{
    size_t item = (size_t)ndshm_dtype_itemsize(a->dtype);
    int64_t at[3];
    for (at[0] = 0; at[0] < a->shape[0]; at[0]++)
        for (at[1] = 0; at[1] < a->shape[1]; at[1]++)
            for (at[2] = 0; at[2] < a->shape[2]; at[2]++)
                if (memcmp(element(a, at), element(b, at), item) != 0)
                    fail_msg("item size %zu: element %d, %d, %d differs", item, (int)at[0],
                             (int)at[1], (int)at[2]);
}

/* Copies between all pairs of axis orders, upwards and downwards. */
static void copy_in_all_orders(ndshm_dtype dtype)
{
    static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                     {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    const int64_t lengths[3] = {ROWS, COLUMNS, LAYERS};
    for (int i = 0; i < 72; i++) {
        ndshm_view from, to;
        int64_t shape[3];
        int inverse[3];
        for (int k = 0; k < 3; k++) {
            shape[k] = lengths[orders[i % 6][k]];
            inverse[orders[i % 6][k]] = k;
        }
        assert_ok(ndshm_view_init(&to, target, dtype, 3, lengths, NDSHM_ORDER_C));
        assert_ok(ndshm_view_init(&from, source, dtype, 3, shape, i / 6 % 2));
        assert_ok(ndshm_view_transpose(&from, inverse, &from));
        assert_ok(ndshm_view_slice(&from, i % 3, NDSHM_OMIT, NDSHM_OMIT, i < 36 ? 1 : -1, &from));
        assert_ok(ndshm_view_slice(&to, i % 2, NDSHM_OMIT, NDSHM_OMIT, i % 5 ? 1 : -1, &to));
        memset(target, 0, (size_t)ndshm_view_nbytes(&to));
        assert_ok(ndshm_view_copy(&to, &from));
        assert_same_elements(&to, &from);
    }
}

static void test_every_item_size_in_every_order(void **state)
{
    (void)state;
    const ndshm_dtype dtypes[] = {
        NDSHM_INT8,       NDSHM_INT16,           NDSHM_FLOAT32,         NDSHM_FLOAT64,
        NDSHM_COMPLEX128, NDSHM_BYTES | 3u << 8, NDSHM_BYTES | 24u << 8};
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++)
        copy_in_all_orders(dtypes[i]);
}

/* Larger than the blocks that transposed copies are cut into. */
static void test_a_large_transpose_of_small_items(void **state)
{
    (void)state;
    enum { HEIGHT = 1100, WIDTH = 2053 };
    const int64_t shape[2] = {HEIGHT, WIDTH};
    char *from = malloc(HEIGHT * WIDTH), *to = malloc(HEIGHT * WIDTH);
    ndshm_view c, fortran;
    for (int i = 0; i < HEIGHT * WIDTH; i++)
        from[i] = (char)(i % 251);
    assert_ok(ndshm_view_init(&c, to, NDSHM_INT8, 2, shape, NDSHM_ORDER_C));
    assert_ok(ndshm_view_init(&fortran, from, NDSHM_INT8, 2, shape, NDSHM_ORDER_FORTRAN));
    assert_ok(ndshm_view_copy(&c, &fortran));
    for (int i = 0; i < HEIGHT; i++)
        for (int k = 0; k < WIDTH; k++)
            if (to[i * WIDTH + k] != from[k * HEIGHT + i])
                fail_msg("element %d, %d differs", i, k);
    free(from);
    free(to);
}

static void test_every_second_element(void **state)
{
    (void)state;
    const ndshm_dtype dtypes[] = {NDSHM_INT8, NDSHM_INT16, NDSHM_INT32, NDSHM_INT64,
                                  NDSHM_COMPLEX128};
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++) {
        const int64_t shape[3] = {ROWS, COLUMNS, LAYERS}, half[3] = {ROWS, COLUMNS / 2, LAYERS};
        ndshm_view from, to;
        assert_ok(ndshm_view_init(&from, source, dtypes[i], 3, shape, NDSHM_ORDER_C));
        assert_ok(ndshm_view_init(&to, target, dtypes[i], 3, half, NDSHM_ORDER_C));
        assert_ok(ndshm_view_slice(&from, 1, 1, NDSHM_OMIT, 2, &from));
        assert_ok(ndshm_view_copy(&to, &from));
        assert_same_elements(&to, &from);
    }
}

static void test_nothing_between_the_elements_is_written(void **state)
{
    (void)state;
    const int64_t shape[1] = {100}, half[1] = {50};
    ndshm_view from, to;
    memset(target, 0x77, 400);
    assert_ok(ndshm_view_init(&to, target, NDSHM_INT32, 1, shape, NDSHM_ORDER_C));
    assert_ok(ndshm_view_slice(&to, 0, 0, 100, 2, &to));
    assert_ok(ndshm_view_init(&from, source, NDSHM_INT32, 1, half, NDSHM_ORDER_C));
    assert_ok(ndshm_view_copy(&to, &from));
    for (size_t i = 0; i < 50; i++) {
        assert_memory_equal(target + i * 8, source + i * 4, 4);
        assert_memory_equal(target + i * 8 + 4, "\x77\x77\x77\x77", 4);
    }
}

static void test_a_broadcast_fills(void **state)
{
    (void)state;
    const int64_t one[1] = {1}, shape[2] = {5, 7};
    ndshm_view from, to;
    assert_ok(ndshm_view_init(&from, source + 3, NDSHM_INT8, 1, one, NDSHM_ORDER_C));
    assert_ok(ndshm_view_broadcast(&from, 2, shape, &from));
    assert_ok(ndshm_view_init(&to, target, NDSHM_INT8, 2, shape, NDSHM_ORDER_C));
    assert_ok(ndshm_view_copy(&to, &from));
    for (int i = 0; i < 35; i++)
        assert_int_equal(target[i], source[3]);
}

static void test_refused_copies(void **state)
{
    (void)state;
    const int64_t shape[2] = {4, 5}, other[2] = {5, 4};
    ndshm_view a, b;
    assert_ok(ndshm_view_init(&a, target, NDSHM_INT32, 2, shape, NDSHM_ORDER_C));
    assert_ok(ndshm_view_init(&b, source, NDSHM_INT32, 2, other, NDSHM_ORDER_C));
    assert_fails(NDSHM_ESHAPE, ndshm_view_copy(&a, &b), "axis 0: target has length 4");
    assert_ok(ndshm_view_init(&b, source, NDSHM_INT32, 1, shape, NDSHM_ORDER_C));
    assert_fails(NDSHM_ESHAPE, ndshm_view_copy(&a, &b), "2 dimensions and source 1");
    assert_ok(ndshm_view_init(&b, source, NDSHM_FLOAT32, 2, shape, NDSHM_ORDER_C));
    assert_fails(NDSHM_EDTYPE, ndshm_view_copy(&a, &b), "int32 and source float32");
    assert_ok(ndshm_view_init(&b, NULL, NDSHM_INT32, 2, shape, NDSHM_ORDER_C));
    assert_fails(-EINVAL, ndshm_view_copy(&a, &b), "source has elements");
    b.data = source;
    b.strides[0] = INT64_MAX;
    assert_fails(NDSHM_ESHAPE, ndshm_view_copy(&a, &b), "address space");
    assert_fails(NDSHM_ESHAPE, ndshm_view_copy(&b, &a), "strides of target");
    assert_fails(-EINVAL, ndshm_view_copy(NULL, &a), "NULL");
    assert_fails(-EINVAL, ndshm_view_copy(&a, NULL), "NULL");
    a.flags = NDSHM_VIEW_READONLY;
    assert_fails(-EACCES, ndshm_view_copy(&a, &a), "NDSHM_WRITE");
    a.dtype = 0;
    assert_fails(NDSHM_EDTYPE, ndshm_view_copy(&a, &a), "not a data type");
}

static void test_units_of_time_are_data_types_of_their_own(void **state)
{
    (void)state;
    const int64_t shape[1] = {4};
    ndshm_view a, b;
    ndshm_dtype seconds = NDSHM_DATETIME64 | NDSHM_UNIT_SECOND << 8;
    assert_ok(ndshm_view_init(&a, target, seconds, 1, shape, NDSHM_ORDER_C));
    assert_ok(ndshm_view_init(&b, source, seconds | 1u << 16, 1, shape, NDSHM_ORDER_C));
    assert_ok(ndshm_view_copy(&a, &b));
    assert_ok(ndshm_view_init(&b, source, seconds | 2u << 16, 1, shape, NDSHM_ORDER_C));
    assert_fails(NDSHM_EDTYPE, ndshm_view_copy(&a, &b), "data type");
}

/* The pieces of a view, one after the other, are the view in C order. */
static void pieces_make_up(const ndshm_view *view)
{
    size_t nbytes = (size_t)ndshm_view_nbytes(view), used = 0;
    char *whole = malloc(nbytes), *joined = malloc(nbytes);
    ndshm_view dense, piece;
    ndshm__pieces pieces;
    assert_ok(ndshm_view_init(&dense, whole, view->dtype, view->ndim, view->shape, 0));
    assert_ok(ndshm_view_copy(&dense, view));
    ndshm__pieces_begin(&pieces, view);
    while (ndshm__pieces_next(&pieces, &piece)) {
        int64_t size = ndshm_view_nbytes(&piece);
        assert_true(size > 0 && size <= pieces.piece_bytes);
        assert_true(used + (size_t)size <= nbytes);
        assert_ok(ndshm_view_init(&dense, joined + used, piece.dtype, piece.ndim, piece.shape, 0));
        assert_ok(ndshm_view_copy(&dense, &piece));
        used += (size_t)size;
    }
    assert_int_equal(used, nbytes);
    assert_true(memcmp(whole, joined, nbytes) == 0);
    free(whole);
    free(joined);
}

static void test_pieces_make_up_the_view(void **state)
{
    (void)state;
    static const int64_t shapes[][3] = {{1, 1, 1},      {700, 701, 3},  {2, 3, 900000},
                                        {5000, 2, 100}, {3, 1, 524289}, {3, 524288, 1}};
    char *memory = calloc(1, 6000000);
    for (int i = 0; i < 6000000; i++)
        memory[i] = (char)(i * 7 + i / 1000);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        ndshm_view view;
        assert_ok(ndshm_view_init(&view, memory, NDSHM_INT8, 3, shapes[i], NDSHM_ORDER_FORTRAN));
        pieces_make_up(&view);
        assert_ok(ndshm_view_slice(&view, 0, NDSHM_OMIT, NDSHM_OMIT, -1, &view));
        pieces_make_up(&view);
    }
    ndshm_view large; /* items larger than a piece */
    const int64_t three[1] = {3};
    assert_ok(ndshm_view_init(&large, memory, NDSHM_BYTES | 2000000u << 8, 1, three, 0));
    pieces_make_up(&large);
    assert_ok(ndshm_view_init(&large, memory, NDSHM_FLOAT64, 0, NULL, 0));
    pieces_make_up(&large);
    free(memory);
}

static void test_no_elements_no_pieces(void **state)
{
    (void)state;
    const int64_t shape[3] = {7, 0, 1 << 30};
    ndshm_view view, piece;
    ndshm__pieces pieces;
    assert_ok(ndshm_view_init(&view, source, NDSHM_FLOAT64, 3, shape, NDSHM_ORDER_C));
    ndshm__pieces_begin(&pieces, &view);
    assert_false(ndshm__pieces_next(&pieces, &piece));
    assert_int_equal(pieces.piece_bytes, 0);
}

#define COPY_TEST(function) cmocka_unit_test_setup_teardown(function, make, drop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        COPY_TEST(test_every_item_size_in_every_order),
        COPY_TEST(test_a_large_transpose_of_small_items),
        COPY_TEST(test_every_second_element),
        COPY_TEST(test_nothing_between_the_elements_is_written),
        COPY_TEST(test_a_broadcast_fills),
        COPY_TEST(test_refused_copies),
        COPY_TEST(test_units_of_time_are_data_types_of_their_own),
        COPY_TEST(test_pieces_make_up_the_view),
        COPY_TEST(test_no_elements_no_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
