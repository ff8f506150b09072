/* SPDX-License-Identifier: MIT */
/* Arrow streams that contradict themselves; callbacks that are called once; failing allocations. */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <ndshm/arrow.h>

#include "base/os.h"
#include "frame/frame.h"
#include "support.h"

/* One batch of three rows: "n", doubles; "s", strings; "k", keys of a dictionary; "l", lists. */
struct source {
    struct ArrowSchema schemas[7];
    struct ArrowSchema *schema_children[4], *schema_item[1];
    struct ArrowArray arrays[7];
    struct ArrowArray *children[4], *item[1];
    const void *none[1], *numbers[2], *strings[3], *keys[2], *words[3], *lists[2], *items[2];
    int left; /* batches */
    int schema_released, array_released, stream_released;
};

static struct source source;

static const double numbers[3] = {1, 2, 3};
static const int32_t offsets[4] = {0, 1, 1, 3};
static const int8_t keys[3] = {1, 0, 1};
static const int32_t bounds[4] = {0, 2, 2, 3};

static void release_schema(struct ArrowSchema *schema)
{
    source.schema_released++;
    schema->release = NULL;
}

static void release_array(struct ArrowArray *array)
{
    source.array_released++;
    array->release = NULL;
}

static void make_schema(int i, const char *format, const char *name)
{
    source.schemas[i] =
        (struct ArrowSchema){.format = format, .name = name, .release = release_schema};
}

static void make_array(int i, int64_t length, int64_t n_buffers, const void **buffers)
{
    source.arrays[i] = (struct ArrowArray){
        .length = length, .n_buffers = n_buffers, .buffers = buffers, .release = release_array};
}

static void make_source(void)
{
    memset(&source, 0, sizeof source);
    static const char *const formats[] = {"+s", "g", "u", "c", "+l", "i", "u"};
    static const char *const names[] = {"", "n", "s", "k", "l", "item", ""};
    for (int i = 0; i < 7; i++)
        make_schema(i, formats[i], names[i]);
    for (int i = 0; i < 4; i++) {
        source.schema_children[i] = &source.schemas[i + 1];
        source.children[i] = &source.arrays[i + 1];
    }
    source.schema_item[0] = &source.schemas[5];
    source.item[0] = &source.arrays[5];
    source.schemas[0].children = source.schema_children;
    source.schemas[0].n_children = 4;
    source.schemas[3].dictionary = &source.schemas[6];
    source.schemas[4].children = source.schema_item;
    source.schemas[4].n_children = 1;
    source.numbers[1] = numbers;
    source.strings[1] = offsets;
    source.strings[2] = "abc";
    source.keys[1] = keys;
    source.words[1] = offsets;
    source.words[2] = "xyz";
    source.lists[1] = bounds;
    source.items[1] = offsets;
    make_array(0, 3, 1, source.none);
    make_array(1, 3, 2, source.numbers);
    make_array(2, 3, 3, source.strings);
    make_array(3, 3, 2, source.keys);
    make_array(4, 3, 2, source.lists);
    make_array(5, 4, 2, source.items);
    make_array(6, 3, 3, source.words);
    source.arrays[0].children = source.children;
    source.arrays[0].n_children = 4;
    source.arrays[3].dictionary = &source.arrays[6];
    source.arrays[4].children = source.item;
    source.arrays[4].n_children = 1;
    source.left = 1;
}

static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    (void)stream;
    *out = source.schemas[0];
    return 0;
}

static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    (void)stream;
    *out = (struct ArrowArray){0};
    if (source.left < 0)
        return EIO;
    if (source.left-- > 0)
        *out = source.arrays[0];
    else
        source.left = 0;
    return 0;
}

static const char *last_error(struct ArrowArrayStream *stream)
{
    (void)stream;
    return "the disk is gone";
}

static void release_stream(struct ArrowArrayStream *stream)
{
    source.stream_released++;
    stream->release = NULL;
}

static int import(ndshm_frame **out)
{
    struct ArrowArrayStream stream = {get_schema, get_next, last_error, release_stream, NULL};
    int status = ndshm_frame_from_arrow(NULL, &stream, NULL, out);
    assert_int_equal(source.stream_released, status == 0);
    assert_int_equal(stream.release == NULL, status == 0);
    return status;
}

static void test_a_stream_becomes_a_frame_and_is_released_once(void **state)
{
    (void)state;
    ndshm_frame *frame;
    ndshm_column column;
    make_source();
    assert_ok(import(&frame));
    assert_int_equal(source.schema_released, 1);
    assert_int_equal(source.array_released, 1);
    assert_int_equal(ndshm_frame_rows(frame), 3);
    assert_ok(ndshm_frame_column(frame, 2, &column));
    assert_int_equal(column.flags, NDSHM_COLUMN_DICTIONARY);
    assert_memory_equal(column.data, keys, sizeof keys);
    assert_ok(ndshm_frame_dictionary(frame, 2, &column));
    assert_int_equal(column.rows, 3);
    assert_memory_equal(column.offsets, offsets, sizeof offsets);
    assert_fails(-ENOENT, ndshm_frame_dictionary(frame, 0, &column), "no dictionary");
    assert_ok(ndshm_frame_validate(frame));
    ndshm_frame_detach(&frame);
}

static void refuse(int status, const char *why)
{
    ndshm_frame *frame;
    assert_fails(status, import(&frame), why);
    make_source();
}

static void test_lies_are_refused(void **state)
{
    (void)state;
    static const int32_t falling[4] = {0, 2, 1, 3}, negative[4] = {-1, 1, 1, 3};
    static const int8_t far[3] = {1, 3, 1}, below[3] = {0, -1, 0};
    static const int32_t beyond[4] = {0, 2, 2, 5};
    static const char bad_metadata[] = {1, 0, 0, 0, -1, -1, -1, -1};
    make_source();
    source.arrays[1].length = -1;
    refuse(NDSHM_ECORRUPT, "'n' of the stream: its length");
    source.arrays[1].offset = INT64_MAX;
    refuse(NDSHM_ECORRUPT, "its length or offset");
    source.arrays[1].length = 2;
    refuse(NDSHM_ECORRUPT, "shorter than its batch");
    source.arrays[1].n_buffers = 1;
    refuse(NDSHM_ECORRUPT, "buffers are missing");
    source.arrays[1].buffers = NULL;
    refuse(NDSHM_ECORRUPT, "buffers are missing");
    source.numbers[1] = NULL;
    refuse(NDSHM_ECORRUPT, "buffers are missing");
    source.arrays[1].null_count = -2;
    refuse(NDSHM_ECORRUPT, "its length or offset");
    source.arrays[0].n_children = 3;
    refuse(NDSHM_ECORRUPT, "children");
    source.children[2] = NULL;
    refuse(NDSHM_ECORRUPT, "children");
    source.arrays[3].dictionary = NULL;
    refuse(NDSHM_ECORRUPT, "children or dictionary");
    source.strings[1] = falling;
    refuse(NDSHM_ECORRUPT, "its offsets fall");
    source.strings[1] = negative;
    refuse(NDSHM_ECORRUPT, "its offsets fall");
    source.strings[2] = NULL;
    refuse(NDSHM_ECORRUPT, "bytes are missing");
    source.keys[1] = far;
    refuse(NDSHM_ECORRUPT, "an index leaves its dictionary");
    source.keys[1] = below;
    refuse(NDSHM_ECORRUPT, "an index leaves its dictionary");
    source.lists[1] = beyond;
    refuse(NDSHM_ECORRUPT, "its rows leave its children");
    source.schemas[2].format = "nonsense";
    refuse(NDSHM_EDTYPE, "'nonsense' is not known");
    source.schemas[2].format = NULL;
    refuse(NDSHM_ECORRUPT, "lacks a child or its format");
    source.schemas[4].n_children = 0;
    refuse(NDSHM_ECORRUPT, "too few or too many children");
    source.schema_item[0] = &source.schemas[4];
    refuse(NDSHM_ESHAPE, "nested more than 64 deep");
    source.schemas[1].metadata = bad_metadata;
    refuse(NDSHM_ECORRUPT, "metadata are malformed");
    source.schemas[0].format = "g";
    refuse(NDSHM_EDTYPE, "a stream of records");
    source.left = -1;
    refuse(-EIO, "the disk is gone");
}

static void *release_both(void *argument)
{
    struct ArrowArray *array = argument;
    array->release(array);
    return NULL;
}

static void test_exports_outlive_handles_and_end_on_any_thread(void **state)
{
    (void)state;
    ndshm_frame *frame;
    struct ArrowSchema schema;
    struct ArrowArray array, moved;
    pthread_t thread;
    make_source();
    assert_ok(import(&frame));
    assert_ok(ndshm_frame_to_arrow(frame, &schema, &array));
    ndshm_frame_detach(&frame);
    moved = *array.children[1];
    array.children[1]->release = NULL;
    assert_int_equal(pthread_create(&thread, NULL, release_both, &array), 0);
    pthread_join(thread, NULL);
    assert_null(array.release);
    assert_memory_equal(moved.buffers[2], "abc", 3);
    moved.release(&moved);
    assert_string_equal(schema.children[3]->children[0]->name, "item");
    schema.release(&schema);
}

static void test_unpublished_frames_are_not_exported(void **state)
{
    (void)state;
    ndshm_frame *frame;
    struct ArrowArray array;
    assert_ok(ndshm_frame_create(NULL, 0, NULL, 0, NULL, &frame));
    assert_fails(-EINVAL, ndshm_frame_to_arrow(frame, NULL, &array), "publish the frame");
    assert_fails(-EINVAL, ndshm_frame_to_arrow(frame, NULL, NULL), "NULL");
    ndshm_frame_detach(&frame);
}

static int countdown;

static int fail_allocation(const char *call)
{
    return strcmp(call, "alloc") == 0 && --countdown == 0 ? ENOMEM : 0;
}

static int import_and_export(void)
{
    ndshm_frame *frame;
    struct ArrowSchema schema;
    struct ArrowArray array;
    make_source();
    int status = import(&frame);
    if (status)
        return status;
    status = ndshm_frame_to_arrow(frame, &schema, &array);
    ndshm_frame_detach(&frame);
    if (!status) {
        schema.release(&schema);
        array.release(&array);
    }
    return status;
}

static void test_failing_allocations(void **state)
{
    (void)state;
    int failures = 0, status = -ENOMEM;
    while (status) {
        countdown = failures + 1;
        ndshm__os_fault = fail_allocation;
        status = import_and_export();
        ndshm__os_fault = NULL;
        if (status)
            assert_int_equal(status, -ENOMEM);
        failures += status != 0;
    }
    assert_true(failures >= 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_a_stream_becomes_a_frame_and_is_released_once),
        SUPPORT_TEST(test_lies_are_refused),
        SUPPORT_TEST(test_exports_outlive_handles_and_end_on_any_thread),
        SUPPORT_TEST(test_unpublished_frames_are_not_exported),
        SUPPORT_TEST(test_failing_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
