/* SPDX-License-Identifier: MIT */
/* Frames: building, publishing, attaching, slices, and the block. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ndshm/array.h>

#include "base/os.h"
#include "frame/frame.h"
#include "support.h"

#define NAME "t-frame"

enum { ROWS = 100 };

static const ndshm_column_spec specs[] = {
    {"price", "g", 0},
    {"size", "?l", 0},
    {"flag", "b", 0},
    {"", "u", 4 * ROWS},
    {"day", "tdD", 0},
    {"price", "f", 0},
    {"at", "tsn:Europe/Berlin", 0},
};
enum { COLUMNS = sizeof specs / sizeof *specs };

static ndshm_column column_of(const ndshm_frame *frame, int index)
{
    ndshm_column column;
    assert_ok(ndshm_frame_column(frame, index, &column));
    return column;
}

/* Every third row of "size" is null. */
static void fill(ndshm_frame *frame)
{
    ndshm_column size = column_of(frame, 1), text = column_of(frame, 3);
    int32_t *offsets = (int32_t *)text.offsets;
    for (int row = 0; row < ROWS; row++) {
        ((double *)column_of(frame, 0).data)[row] = row * 0.5;
        ((int64_t *)size.data)[row] = row * 10;
        if (row % 3)
            ((uint8_t *)size.validity)[row / 8] |= (uint8_t)(1 << row % 8);
        ((uint8_t *)column_of(frame, 2).data)[row / 8] |= (uint8_t)((row % 2) << row % 8);
        offsets[row + 1] = offsets[row] + snprintf((char *)text.data + offsets[row], 4, "%d", row);
        ((int32_t *)column_of(frame, 4).data)[row] = row;
    }
}

static ndshm_frame *published(void)
{
    ndshm_frame *frame;
    assert_ok(ndshm_frame_create(NAME, ROWS, specs, COLUMNS, NULL, &frame));
    fill(frame);
    assert_ok(ndshm_frame_publish(frame));
    return frame;
}

static void drop(ndshm_frame *frame)
{
    assert_ok(ndshm_frame_unlink(frame));
    ndshm_frame_detach(&frame);
    assert_null(frame);
}

static void check_text(const ndshm_column *column, int64_t row, const char *expected)
{
    const int32_t *offsets = column->offsets;
    int64_t i = column->offset + row * column->step;
    assert_int_equal(offsets[i + 1] - offsets[i], strlen(expected));
    assert_memory_equal((const char *)column->data + offsets[i], expected, strlen(expected));
}

static void test_attached_frame_has_what_was_published(void **state)
{
    (void)state;
    ndshm_frame *frame = published(), *other;
    assert_ok(ndshm_frame_attach(NAME, NDSHM_READ, &other));
    assert_int_equal(ndshm_frame_rows(other), ROWS);
    assert_int_equal(ndshm_frame_columns(other), COLUMNS);
    for (int i = 0; i < COLUMNS; i++) {
        ndshm_column column = column_of(other, i);
        assert_string_equal(column.name, specs[i].name);
        assert_string_equal(column.format, specs[i].format + (*specs[i].format == '?'));
        assert_int_equal(column.rows, ROWS);
        assert_int_equal(column.offset, 0);
        assert_int_equal(column.step, 1);
        assert_int_equal((intptr_t)column.data % 64, 0);
        assert_int_equal(column.null_count, i == 1 ? 34 : 0);
        assert_int_equal(column.validity != NULL, i == 1);
        assert_int_equal(column.offsets != NULL, i == 3);
    }
    assert_float_equal(((double *)column_of(other, 0).data)[99], 49.5, 0);
    assert_int_equal(((int64_t *)column_of(other, 1).data)[99], 990);
    assert_int_equal(((uint8_t *)column_of(other, 2).data)[0], 0xAA);
    ndshm_column text = column_of(other, 3);
    check_text(&text, 0, "0");
    check_text(&text, 99, "99");
    assert_int_equal(ndshm_frame_find(other, "price"), 0);
    assert_int_equal(ndshm_frame_find(other, ""), 3);
    assert_fails(-ENOENT, ndshm_frame_find(other, "none"), "'none'");
    assert_fails(-ERANGE, ndshm_frame_column(other, COLUMNS, &text), "column 7 of 7");
    assert_fails(-ERANGE, ndshm_frame_column(other, -1, &text), "column -1");
    assert_string_equal(ndshm_frame_name(other), NAME);
    ndshm_frame_detach(&other);
    drop(frame);
}

static void test_slices(void **state)
{
    (void)state;
    static const struct {
        const char *ref, *name;
        int64_t start, rows, step;
    } cases[] = {
        {NAME "[10:20]", NAME "[10:20]", 10, 10, 1},
        {NAME "[-5:]", NAME "[95:]", 95, 5, 1},
        {NAME "[:]", NAME, 0, ROWS, 1},
        {"/" NAME "[ : 7 ]", NAME "[:7]", 0, 7, 1},
        {NAME "[3::10]", NAME "[3::10]", 3, 10, 10},
        {NAME "[90:80]", NAME "[0:0]", 0, 0, 1},
        {NAME "[0:1000]", NAME, 0, ROWS, 1},
        {NAME "[98::7]", NAME "[98:99]", 98, 1, 1},
    };
    ndshm_frame *frame = published(), *part;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_ok(ndshm_frame_attach(cases[i].ref, NDSHM_READ, &part));
        ndshm_column number = column_of(part, 1), text = column_of(part, 3);
        assert_string_equal(ndshm_frame_name(part), cases[i].name);
        assert_int_equal(ndshm_frame_rows(part), cases[i].rows);
        assert_int_equal(number.offset, cases[i].start);
        assert_int_equal(number.step, cases[i].step);
        assert_int_equal(number.rows, cases[i].rows);
        assert_int_equal(number.null_count, cases[i].rows == ROWS ? 34 : -1);
        assert_int_equal(column_of(part, 0).null_count, 0);
        for (int64_t row = 0; row < cases[i].rows; row++) {
            char expected[8];
            int64_t at = number.offset + row * number.step;
            snprintf(expected, sizeof expected, "%d", (int)(cases[i].start + row * cases[i].step));
            check_text(&text, row, expected);
            assert_int_equal(((int64_t *)number.data)[at], atoi(expected) * 10);
            assert_int_equal(number.validity[at / 8] >> at % 8 & 1, atoi(expected) % 3 != 0);
        }
        ndshm_frame_detach(&part);
    }
    assert_fails(NDSHM_ESHAPE, ndshm_frame_attach(NAME "[5]", NDSHM_READ, &part), "[10:11]");
    assert_fails(NDSHM_ESHAPE, ndshm_frame_attach(NAME "[0:5,0:1,0:1]", NDSHM_READ, &part),
                 "one slice");
    assert_fails(NDSHM_ESHAPE, ndshm_frame_attach(NAME "[...]", NDSHM_READ, &part), "one slice");
    assert_fails(NDSHM_ESHAPE, ndshm_frame_attach(NAME "[::-1]", NDSHM_READ, &part), "1 or more");
    assert_fails(NDSHM_ESHAPE, ndshm_frame_attach(NAME "[::0]", NDSHM_READ, &part), "1 or more");
    assert_fails(-EINVAL, ndshm_frame_attach(NAME "[1:", NDSHM_READ, &part), "expected");
    drop(frame);
}

static int64_t place_of(const ndshm_frame *frame, int index)
{
    return (char *)column_of(frame, index).data - (char *)ndshm__segment_payload(frame->segment);
}

static void test_selected_columns(void **state)
{
    (void)state;
    static const struct {
        const char *ref, *name, *columns;
    } cases[] = {
        {NAME "[:, 1:3]", NAME "[:,1:3]", "1 2"},
        {NAME "[ 2:4 , 5 ]", NAME "[2:4,5:6]", "5"},
        {NAME "[:, -1]", NAME "[:,7:]", "7"},
        {NAME "[:, ::-3]", NAME "[:,::-3]", "7 4 1"},
        {NAME "[:, :]", NAME, "0 1 2 3 4 5 6 7"},
        {NAME "[:7, 8:]", NAME "[:7,0:0]", ""},
        {NAME "[:, ['day', 'size']]", NAME "[:,['day','size']]", "4 1"},
        {NAME "[3::10, [ 'price' ,'', 'price']]", NAME "[3::10,['price','','price']]", "0 3 0"},
        {NAME "[0:1000, ['it''s, [a] list']]", NAME "[:,['it''s, [a] list']]", "7"},
    };
    ndshm_column_spec columns[COLUMNS + 1];
    ndshm_frame *frame, *part, *copy;
    memcpy(columns, specs, sizeof specs);
    columns[COLUMNS] = (ndshm_column_spec){"it's, [a] list", "g", 0};
    assert_ok(ndshm_frame_create(NAME, ROWS, columns, COLUMNS + 1, NULL, &frame));
    assert_ok(ndshm_frame_publish(frame));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char seen[64] = "";
        assert_ok(ndshm_frame_attach(cases[i].ref, NDSHM_READ, &part));
        assert_ok(ndshm_frame_share(part, &copy));
        ndshm_frame_detach(&part);
        for (int j = 0; j < ndshm_frame_columns(copy); j++) {
            int at = 0;
            while (place_of(frame, at) != place_of(copy, j))
                at++;
            snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "%s%d", j ? " " : "", at);
        }
        assert_string_equal(seen, cases[i].columns);
        assert_string_equal(ndshm_frame_name(copy), cases[i].name);
        assert_ok(ndshm_frame_attach(cases[i].name, NDSHM_READ, &part));
        assert_int_equal(ndshm_frame_columns(part), ndshm_frame_columns(copy));
        assert_int_equal(ndshm_frame_rows(part), ndshm_frame_rows(copy));
        ndshm_frame_detach(&part);
        ndshm_frame_detach(&copy);
    }
    assert_fails(-ENOENT, ndshm_frame_attach(NAME "[:, ['none']]", NDSHM_READ, &part), "'none'");
    assert_fails(-ENOENT, ndshm_frame_attach(NAME "[:, 8]", NDSHM_READ, &part), "no column 8");
    assert_fails(NDSHM_ESHAPE, ndshm_frame_attach(NAME "[['day']]", NDSHM_READ, &part),
                 "slice of rows");
    assert_fails(NDSHM_ESHAPE, ndshm_frame_attach(NAME "[:, ...]", NDSHM_READ, &part),
                 "slice of rows");
    assert_fails(NDSHM_ESHAPE, ndshm_frame_attach(NAME "[:, ::0]", NDSHM_READ, &part), "step");
    assert_fails(-EINVAL, ndshm_frame_attach(NAME "[:, []]", NDSHM_READ, &part), "in quotes");
    assert_fails(-EINVAL, ndshm_frame_attach(NAME "[:, ['a]]", NDSHM_READ, &part), "quote behind");
    assert_fails(-EINVAL, ndshm_frame_attach(NAME "[['a'], ['b']]", NDSHM_READ, &part), "not two");
    drop(frame);
}

static void test_selected_columns_as_a_block(void **state)
{
    (void)state;
    ndshm_column_spec columns[] = {{"a", "g", 0}, {"b", "u", 0}, {"c", "g", 0}, {"d", "g", 0}};
    ndshm_frame *frame, *part;
    ndshm_view view;
    assert_ok(ndshm_frame_create(NAME, 9, columns, 4, NULL, &frame));
    ((double *)column_of(frame, 3).data)[2] = 7;
    assert_ok(ndshm_frame_publish(frame));
    assert_ok(ndshm_frame_attach(NAME "[1:, ['d', 'c']]", NDSHM_READ, &part));
    assert_ok(ndshm_frame_block(part, &view));
    assert_int_equal(view.shape[0], 8);
    assert_int_equal(view.shape[1], 2);
    assert_int_equal(view.strides[1], -128);
    assert_float_equal(((double *)view.data)[1], 7, 0);
    assert_int_equal(ndshm_frame_find(part, "d"), 0);
    assert_fails(-ENOENT, ndshm_frame_find(part, "a"), "'a'");
    ndshm_frame_detach(&part);
    drop(frame);
}

static void test_access(void **state)
{
    (void)state;
    int64_t shape[1] = {1};
    ndshm_frame *frame = published(), *other, *copy;
    ndshm_array *array;
    assert_fails(-EACCES, ndshm_frame_attach(NAME, NDSHM_WRITE, &other), "NDSHM_READ");
    assert_fails(-EACCES, ndshm_frame_attach(NAME, NDSHM_WRITE, &other), "NDSHM_COW");
    assert_fails(-EINVAL, ndshm_frame_attach(NAME, 0, &other), "access 0");
    assert_fails(-ENOENT, ndshm_frame_attach("t-frame-none", NDSHM_READ, &other), "t-frame-none");
    assert_fails(-EINVAL, ndshm_frame_attach(NULL, NDSHM_READ, &other), "NULL");
    assert_ok(ndshm_frame_attach(NAME, NDSHM_COW, &other));
    assert_ok(ndshm_frame_share(other, &copy));
    ndshm_frame_detach(&other);
    ((double *)column_of(copy, 0).data)[1] = 7;
    assert_float_equal(((double *)column_of(frame, 0).data)[1], 0.5, 0);
    ndshm_frame_detach(&copy);
    assert_ok(ndshm_array_create("t-frame-array", NDSHM_INT8, 1, shape, NULL, &array));
    assert_fails(NDSHM_EKIND, ndshm_frame_attach("t-frame-array", NDSHM_READ, &other), "array");
    assert_ok(ndshm_array_unlink(array));
    ndshm_array_detach(&array);
    drop(frame);
}

/* --- the block --- */

enum { WIDE = 5000, WIDE_ROWS = 30 };

static ndshm_frame *wide_frame(void)
{
    ndshm_column_spec *columns = calloc(WIDE + 1, sizeof *columns);
    char(*names)[16] = calloc(WIDE + 1, sizeof *names);
    ndshm_frame *frame;
    for (int i = 0; i <= WIDE; i++) {
        snprintf(names[i], sizeof *names, "Col-%d", i);
        columns[i] = (ndshm_column_spec){names[i], "g", 0};
    }
    columns[WIDE / 2] = (ndshm_column_spec){ndshm_frame_index_name(), "u", 8 * WIDE_ROWS};
    assert_ok(ndshm_frame_create(NAME, WIDE_ROWS, columns, WIDE + 1, NULL, &frame));
    free(columns);
    free(names);
    return frame;
}

static double *cell(const ndshm_view *view, int64_t row, int64_t column)
{
    return (double *)((char *)view->data + row * view->strides[0] + column * view->strides[1]);
}

static void test_block_of_many_columns(void **state)
{
    (void)state;
    ndshm_frame *frame = wide_frame(), *other;
    ndshm_view view;
    assert_ok(ndshm_frame_block(frame, &view));
    assert_int_equal(view.flags, 0);
    assert_int_equal(view.shape[0], WIDE_ROWS);
    assert_int_equal(view.shape[1], WIDE);
    assert_int_equal(view.strides[0], 8);
    assert_int_equal(view.strides[1], 256);
    for (int i = 0; i < WIDE; i++)
        *cell(&view, WIDE_ROWS - 1, i) = i;
    assert_float_equal(((double *)column_of(frame, WIDE).data)[WIDE_ROWS - 1], WIDE - 1, 0);
    assert_ok(ndshm_frame_publish(frame));
    assert_ok(ndshm_frame_attach(NAME "[1::4]", NDSHM_READ, &other));
    assert_ok(ndshm_frame_block(other, &view));
    assert_int_equal(view.flags, NDSHM_VIEW_READONLY);
    assert_int_equal(view.shape[0], 8);
    assert_int_equal(view.strides[0], 32);
    assert_float_equal(*cell(&view, 7, 4000), 4000, 0);
    ndshm_frame_detach(&other);
    drop(frame);
}

static void refuse_block(const char *first, const char *second, const char *why)
{
    ndshm_column_spec columns[] = {{"a", first, 0}, {"b", second, 0}};
    ndshm_frame *frame;
    ndshm_view view;
    assert_ok(ndshm_frame_create(NAME, 3, columns, 2, NULL, &frame));
    assert_fails(NDSHM_EDTYPE, ndshm_frame_block(frame, &view), why);
    ndshm_frame_detach(&frame);
}

static void test_block_is_refused(void **state)
{
    (void)state;
    ndshm_column_spec index = {ndshm_frame_index_name(), "g", 0};
    ndshm_frame *frame;
    ndshm_view view;
    refuse_block("g", "l", "'b' has another type");
    refuse_block("g", "?g", "'b' has a validity bitmap");
    refuse_block("b", "b", "'a' is of a type that arrays do not have");
    refuse_block("g", "u", "'b' is of a type");
    assert_ok(ndshm_frame_create(NAME, 3, &index, 1, NULL, &frame));
    assert_fails(NDSHM_EDTYPE, ndshm_frame_block(frame, &view), "no columns beside row labels");
    ndshm_frame_detach(&frame);
}

/* Neighbours in the layout, though other columns stand between them. */
static void test_block_in_cow_is_writable(void **state)
{
    (void)state;
    ndshm_column_spec columns[] = {{"a", "tsn:UTC", 0}, {"b", "tsn:", 0}};
    ndshm_frame *frame, *other;
    ndshm_view view;
    assert_ok(ndshm_frame_create(NAME, 9, columns, 2, NULL, &frame));
    assert_ok(ndshm_frame_publish(frame));
    assert_ok(ndshm_frame_attach(NAME, NDSHM_COW, &other));
    assert_ok(ndshm_frame_block(other, &view));
    assert_int_equal(view.dtype, NDSHM_DATETIME64 | NDSHM_UNIT_NANOSECOND << 8);
    assert_int_equal(view.flags, 0);
    ndshm_frame_detach(&other);
    drop(frame);
}

/* --- creating and publishing --- */

static void refuse(int status, int64_t rows, const char *name, const char *format, int64_t bytes,
                   const char *why)
{
    ndshm_column_spec column = {name, format, bytes};
    ndshm_frame *frame;
    assert_fails(status, ndshm_frame_create(NAME, rows, &column, 1, NULL, &frame), why);
}

static void test_bad_columns_are_refused(void **state)
{
    (void)state;
    static const char *const formats[] = {
        "",          "?",
        "??g",       "gg",
        "x",         "tsx:",
        "tsn",       "uu",
        "Zz",        "tdx",
        "+x",        "w:",
        "w:x",       "w:-1",
        "d:",        "d:0,1",
        "d:39,2",    "d:9,2,33",
        "d:9,",      "d:9,2,32x",
        "d:10,2,32", "tsn\xFF",
        "+us:0,",    "+us:0,0",
        "+ud:128",   "+w:9999999999",
    };
    static const char *const nested[] = {"vu", "vz", "+l", "+s", "+us:0", "+w:3", "+r", "+m"};
    ndshm_frame *frame;
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        refuse(NDSHM_EDTYPE, 3, "a", formats[i], 0, "not a known Arrow format");
    for (size_t i = 0; i < sizeof nested / sizeof *nested; i++)
        refuse(NDSHM_EDTYPE, 3, "a", nested[i], 0, "ndshm_frame_from_arrow");
    refuse(-EINVAL, 3, NULL, "g", 0, "NULL");
    refuse(-EINVAL, 3, "a", NULL, 0, "NULL");
    refuse(-EINVAL, 3, "\xC3", "g", 0, "not UTF-8");
    refuse(-EINVAL, 3, "a", "g", 8, "data_bytes");
    refuse(NDSHM_ESHAPE, 3, "a", "u", -1, "bytes of strings");
    refuse(NDSHM_ESHAPE, 3, "a", "u", INT64_C(1) << 31, "bytes of strings");
    refuse(NDSHM_ESHAPE, 3, "a", "U", INT64_MAX, "more bytes");
    refuse(NDSHM_ESHAPE, -1, "a", "g", 0, "negative");
    refuse(NDSHM_ESHAPE, INT64_MAX, "a", "g", 0, "more bytes");
    refuse(NDSHM_ESHAPE, INT64_MAX / 8, "a", "g", 0, "more bytes");
    assert_fails(NDSHM_ESHAPE, ndshm_frame_create(NAME, 1, NULL, -1, NULL, &frame), "negative");
    assert_fails(-EINVAL, ndshm_frame_create(NAME, 1, NULL, 1, NULL, &frame), "NULL");
    assert_fails(-EINVAL, ndshm_frame_create(NAME, 1, NULL, 0, NULL, NULL), "out");
    assert_fails(-EINVAL, ndshm_frame_create("a/b", 1, NULL, 0, NULL, &frame), "code 47");
}

static void test_empty_frames(void **state)
{
    (void)state;
    ndshm_frame *frame, *other;
    ndshm_view view;
    ndshm_column_spec columns[] = {{"a", "g", 0}, {"b", "g", 0}};
    assert_ok(ndshm_frame_create(NAME, 5, NULL, 0, NULL, &frame));
    assert_ok(ndshm_frame_publish(frame));
    assert_ok(ndshm_frame_attach(NAME "[2:]", NDSHM_READ, &other));
    assert_int_equal(ndshm_frame_rows(other), 3);
    assert_int_equal(ndshm_frame_columns(other), 0);
    assert_fails(NDSHM_EDTYPE, ndshm_frame_block(other, &view), "no columns");
    ndshm_frame_detach(&other);
    drop(frame);
    assert_ok(ndshm_frame_create(NAME, 0, specs, COLUMNS, NULL, &frame));
    assert_ok(ndshm_frame_publish(frame));
    assert_ok(ndshm_frame_attach(NAME, NDSHM_READ, &other));
    assert_int_equal(column_of(other, 3).rows, 0);
    ndshm_frame_detach(&other);
    drop(frame);
    assert_ok(ndshm_frame_create(NULL, 0, columns, 2, NULL, &frame));
    assert_ok(ndshm_frame_block(frame, &view));
    assert_int_equal(view.shape[0], 0);
    assert_int_equal(view.shape[1], 2);
    ndshm_frame_detach(&frame);
}

static void test_publish_checks_strings(void **state)
{
    (void)state;
    ndshm_column_spec column = {"text", "u", 10};
    ndshm_frame *frame;
    assert_ok(ndshm_frame_create(NAME, 3, &column, 1, NULL, &frame));
    int32_t *offsets = (int32_t *)column_of(frame, 0).offsets;
    offsets[1] = 4;
    assert_fails(NDSHM_ECORRUPT, ndshm_frame_publish(frame), "'text': offset 2");
    offsets[2] = offsets[3] = 11;
    assert_fails(NDSHM_ECORRUPT, ndshm_frame_publish(frame), "beyond the 10 bytes");
    offsets[0] = -1;
    assert_fails(NDSHM_ECORRUPT, ndshm_frame_publish(frame), "offset 0");
    assert_fails(-ENOENT, ndshm_frame_unlink(frame), "not published");
    offsets[0] = 0;
    offsets[2] = offsets[3] = 10;
    assert_ok(ndshm_frame_publish(frame));
    assert_fails(-EALREADY, ndshm_frame_publish(frame), NAME);
    drop(frame);
}

static void test_taken_name_leaves_the_frame_unpublished(void **state)
{
    (void)state;
    ndshm_frame *frame = published(), *second;
    assert_ok(ndshm_frame_create(NAME, 1, NULL, 0, NULL, &second));
    assert_fails(-EEXIST, ndshm_frame_publish(second), "taken");
    drop(frame);
    assert_ok(ndshm_frame_publish(second));
    drop(second);
}

static void test_null_handles(void **state)
{
    (void)state;
    ndshm_frame *frame = NULL;
    ndshm_column column;
    ndshm_view view;
    assert_fails(-EINVAL, (int)ndshm_frame_rows(NULL), "NULL");
    assert_fails(-EINVAL, ndshm_frame_columns(NULL), "NULL");
    assert_fails(-EINVAL, ndshm_frame_column(NULL, 0, &column), "NULL");
    assert_fails(-EINVAL, ndshm_frame_find(NULL, "a"), "NULL");
    assert_fails(-EINVAL, ndshm_frame_block(NULL, &view), "NULL");
    assert_fails(-EINVAL, ndshm_frame_publish(NULL), "NULL");
    assert_fails(-EINVAL, ndshm_frame_share(NULL, &frame), "NULL");
    assert_fails(-EINVAL, ndshm_frame_unlink(NULL), "NULL");
    assert_fails(-EINVAL, ndshm_frame_attach(NAME, NDSHM_READ, NULL), "NULL");
    assert_null(ndshm_frame_name(NULL));
    ndshm_frame_detach(&frame);
    ndshm_frame_detach(NULL);
}

/* --- failing allocations --- */

static int countdown;

static int fail_allocation(const char *call)
{
    return strcmp(call, "alloc") == 0 && --countdown == 0 ? ENOMEM : 0;
}

static int attach_slice(void)
{
    ndshm_frame *frame;
    int status = ndshm_frame_attach(NAME "[1:5]", NDSHM_READ, &frame);
    if (status)
        return status;
    ndshm_frame *copy = NULL;
    status = ndshm_frame_share(frame, &copy);
    ndshm_frame_detach(&copy);
    ndshm_frame_detach(&frame);
    return status;
}

static int create_another(void)
{
    ndshm_frame *frame;
    int status = ndshm_frame_create(NULL, ROWS, specs, COLUMNS, NULL, &frame);
    if (status)
        return status;
    status = ndshm_frame_publish(frame);
    ndshm_frame_detach(&frame);
    return status;
}

static int failures_of(int (*work)(void))
{
    int failures = 0, status = -ENOMEM;
    while (status) {
        countdown = failures + 1;
        ndshm__os_fault = fail_allocation;
        status = work();
        ndshm__os_fault = NULL;
        if (status)
            assert_int_equal(status, -ENOMEM);
        failures += status != 0;
    }
    return failures;
}

static void test_failing_allocations(void **state)
{
    (void)state;
    ndshm_frame *frame = published();
    assert_true(failures_of(attach_slice) >= 4);
    assert_true(failures_of(create_another) >= 3);
    drop(frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_attached_frame_has_what_was_published),
        SUPPORT_TEST(test_slices),
        SUPPORT_TEST(test_selected_columns),
        SUPPORT_TEST(test_selected_columns_as_a_block),
        SUPPORT_TEST(test_access),
        SUPPORT_TEST(test_block_of_many_columns),
        SUPPORT_TEST(test_block_is_refused),
        SUPPORT_TEST(test_block_in_cow_is_writable),
        SUPPORT_TEST(test_bad_columns_are_refused),
        SUPPORT_TEST(test_empty_frames),
        SUPPORT_TEST(test_publish_checks_strings),
        SUPPORT_TEST(test_taken_name_leaves_the_frame_unpublished),
        SUPPORT_TEST(test_null_handles),
        SUPPORT_TEST(test_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
