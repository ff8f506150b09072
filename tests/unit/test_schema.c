/* SPDX-License-Identifier: MIT */
/* The description of a frame: sizes, and every kind of damage to it. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "frame/frame.h"
#include "support.h"

#define NAME "t-frame-schema"

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

static void test_every_format_has_its_size(void **state)
{
    (void)state;
    static const struct {
        const char *format;
        int bits;
    } cases[] = {
        {"b", 1},      {"c", 8},         {"C", 8},           {"s", 16},       {"S", 16},
        {"i", 32},     {"I", 32},        {"l", 64},          {"L", 64},       {"e", 16},
        {"f", 32},     {"g", 64},        {"tdD", 32},        {"tdm", 64},     {"tss:", 64},
        {"tsm:a", 64}, {"tsu:UTC", 64},  {"tsn:+01:00", 64}, {"tDs", 64},     {"tDm", 64},
        {"tDu", 64},   {"tDn", 64},      {"tts", 32},        {"ttm", 32},     {"ttu", 64},
        {"ttn", 64},   {"tiM", 32},      {"tiD", 64},        {"tin", 128},    {"w:3", 24},
        {"w:0", 0},    {"d:9,2,32", 32}, {"d:18,-2,64", 64}, {"d:38,0", 128}, {"d:76,76,256", 256}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ndshm_column_spec column = {"a", cases[i].format, 0};
        struct ndshm__schema *schema;
        int64_t size, payload;
        assert_ok(ndshm__schema_build(1001, &column, 1, &schema, &size, &payload));
        assert_int_equal(ndshm__schema_buffers(schema)[1].size, (1001 * cases[i].bits + 7) / 8);
        assert_null(ndshm__schema_check(schema, size, payload));
        free(schema);
    }
}

static void test_every_flipped_bit_in_the_file_is_noticed(void **state)
{
    (void)state;
    ndshm_frame *frame, *other;
    assert_ok(ndshm_frame_create(NAME, ROWS, specs, COLUMNS, NULL, &frame));
    assert_ok(ndshm_frame_publish(frame));
    int64_t size = ndshm__segment_body_size(frame->segment);
    char whole[8192], path[64];
    snprintf(path, sizeof path, "/dev/shm/%s", NAME);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    ssize_t got = pread(fd, whole, sizeof whole, 0);
    const char *found = memmem(whole, (size_t)got, ndshm__frame_schema(frame), (size_t)size);
    assert_non_null(found);
    int64_t begin = found - whole;
    for (int64_t bit = 0; bit < size * 8; bit++) {
        off_t at = (off_t)(begin + bit / 8);
        char damaged = (char)(whole[at] ^ 1 << bit % 8);
        assert_int_equal(pwrite(fd, &damaged, 1, at), 1);
        assert_fails(NDSHM_ECORRUPT, ndshm_frame_attach(NAME, NDSHM_READ, &other), NAME);
        assert_int_equal(pwrite(fd, &whole[at], 1, at), 1);
    }
    close(fd);
    assert_ok(ndshm_frame_attach(NAME, NDSHM_READ, &other));
    ndshm_frame_detach(&other);
    assert_ok(ndshm_frame_unlink(frame));
    ndshm_frame_detach(&frame);
}

/* The buffers of a node are as long as its rows need, and lie in the payload. */
static void use_buffers(const struct ndshm__schema *schema, const struct ndshm__node *node,
                        int64_t payload_size)
{
    const struct ndshm__buffer *buffers = ndshm__schema_buffers(schema) + node->first_buffer;
    struct ndshm__format format;
    assert_true(ndshm__format_parse(ndshm__schema_text(schema) + node->format, &format));
    for (int j = 0; j < node->buffers; j++) {
        assert_int_equal(buffers[j].offset % 64, 0);
        assert_in_range(buffers[j].offset, 0, payload_size);
        assert_in_range(buffers[j].size, 0, payload_size - buffers[j].offset);
    }
    if (format.bits)
        assert_true(node->length * format.bits <= buffers[1].size * 8);
    if (format.layout == NDSHM__LAYOUT_VARIABLE || format.layout == NDSHM__LAYOUT_LIST)
        assert_int_equal(buffers[1].size, (node->length + 1) * format.width);
    if (format.layout == NDSHM__LAYOUT_VIEW)
        assert_int_equal(buffers[1].size, node->length * 16);
}

static uint64_t add_bytes(const char *text, const struct ndshm__text *metadata)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < metadata->size; i++)
        sum += (unsigned char)text[metadata->offset + i];
    return sum;
}

/* Reads all that a schema that was found good promises; the address sanitizer watches. */
static uint64_t use_schema(const struct ndshm__schema *schema, int64_t payload_size)
{
    const char *text = ndshm__schema_text(schema);
    uint64_t used = add_bytes(text, &schema->metadata);
    int seen = schema->columns;
    for (int i = 0; i < schema->nodes; i++) {
        const struct ndshm__node *node = &schema->node[i];
        use_buffers(schema, node, payload_size);
        used += strlen(text + node->name) + add_bytes(text, &node->metadata);
        assert_true(i < seen);
        if (node->children)
            assert_int_equal(node->first_child, seen);
        seen += node->children + !!node->dictionary;
        if (node->dictionary)
            assert_int_equal(node->dictionary, seen - 1);
        assert_in_range(node->null_count, 0, node->length);
        if (i < schema->columns)
            assert_int_equal(node->length, schema->rows);
    }
    assert_int_equal(seen, schema->nodes);
    return used;
}

static void check_damaged(const void *bytes, int64_t size, int64_t payload_size, int *accepted)
{
    void *exact = malloc((size_t)size ? (size_t)size : 1);
    memcpy(exact, bytes, (size_t)size);
    if (!ndshm__schema_check(exact, size, payload_size)) {
        use_schema(exact, payload_size);
        ++*accepted;
    }
    free(exact);
}

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* One pair, "k": "vv". */
static const char metadata[] = {1, 0, 0, 0, 1, 0, 0, 0, 'k', 2, 0, 0, 0, 'v', 'v'};

/* A node of every layout. */
static void build_tree(struct ndshm__schema **schema, int64_t *size, int64_t *payload)
{
    static const int64_t pieces[] = {1000, 7};
    static const struct ndshm__draft drafts[] = {
        {.name = "price", .format = "g", .metadata = metadata},
        {.name = "size", .format = "l", .validity = true, .null_count = 3, .flags = 2},
        {.name = "text", .format = "u", .bytes = 4 * ROWS},
        {.name = "wide", .format = "Z", .bytes = 3},
        {.name = "view", .format = "vu", .pieces = pieces, .npieces = 2},
        {.name = "nothing", .format = "n", .null_count = ROWS},
        {.name = "key", .format = "c", .dictionary = true, .flags = 1},
        {.name = "list", .format = "+l", .children = 1, .validity = true},
        {.name = "three", .format = "+w:3", .children = 1},
        {.name = "map", .format = "+m", .children = 1},
        {.name = "runs", .format = "+r", .children = 2},
        {.name = "dense", .format = "+ud:4,2", .children = 2},
        {.name = "sparse", .format = "+us:0", .children = 1},
        {.name = "listview", .format = "+vL", .children = 1},
        /* the next level */
        {.name = "values", .format = "u", .length = 5, .bytes = 20},
        {.name = "item", .format = "g", .length = 12},
        {.name = "item", .format = "b", .length = 3 * ROWS},
        {.name = "entries", .format = "+s", .length = 4, .children = 2},
        {.name = "run_ends", .format = "i", .length = 9},
        {.name = "values", .format = "f", .length = 9},
        {.name = "a", .format = "tsn:UTC", .length = 60},
        {.name = "b", .format = "d:9,2,32", .length = 40},
        {.name = "c", .format = "w:5", .length = ROWS},
        {.name = "item", .format = "tin", .length = 2, .metadata = metadata},
        {.name = "key", .format = "u", .length = 4, .bytes = 4},
        {.name = "value", .format = "l", .length = 4},
    };
    enum { COUNT = sizeof drafts / sizeof *drafts, TOP = 14 };
    struct ndshm__draft filled[COUNT];
    memcpy(filled, drafts, sizeof filled);
    for (int i = 0; i < TOP; i++)
        filled[i].length = ROWS;
    assert_ok(ndshm__schema_build_tree(ROWS, TOP, filled, COUNT, metadata, schema, size, payload));
}

static void test_damaged_schemas_are_refused_or_harmless(void **state)
{
    (void)state;
    struct ndshm__schema *schema;
    int64_t size, payload;
    int accepted = 0;
    build_tree(&schema, &size, &payload);
    char *bytes = (char *)schema;
    check_damaged(bytes, size, payload, &accepted);
    assert_int_equal(accepted, 1);
    for (int64_t bit = 0; bit < size * 8; bit++) {
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
        check_damaged(bytes, size, payload, &accepted);
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
    }
    for (int64_t cut = 0; cut < size; cut++)
        assert_non_null(ndshm__schema_check(bytes, cut, payload));
    for (int64_t cut = 0; cut < payload; cut += 64)
        assert_non_null(ndshm__schema_check(bytes, size, cut));
    free(schema);
}

static void test_random_schemas_are_refused_or_harmless(void **state)
{
    (void)state;
    static const uint64_t odd[] = {
        0, 1, 7, 63, 64, 128, INT32_MAX, UINT32_MAX, INT64_MAX, UINT64_C(1) << 63, UINT64_MAX};
    struct ndshm__schema *schema;
    int64_t size, payload;
    int accepted = 0;
    uint64_t random = 42;
    build_tree(&schema, &size, &payload);
    char *bytes = malloc((size_t)size);
    for (int i = 0; i < 100000; i++) {
        memcpy(bytes, schema, (size_t)size);
        for (uint64_t changes = 1 + next_random(&random) % 4; changes > 0; changes--) {
            uint64_t value =
                next_random(&random) % 2 ? odd[next_random(&random) % 11] : next_random(&random);
            size_t width = (size_t)1 << next_random(&random) % 4;
            size_t at = (size_t)(next_random(&random) % ((uint64_t)size / width)) * width;
            memcpy(bytes + at, &value, width);
        }
        check_damaged(bytes, size, payload, &accepted);
    }
    assert_in_range(accepted, 1, 99999);
    free(bytes);
    free(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_every_format_has_its_size),
        SUPPORT_TEST(test_every_flipped_bit_in_the_file_is_noticed),
        SUPPORT_TEST(test_damaged_schemas_are_refused_or_harmless),
        SUPPORT_TEST(test_random_schemas_are_refused_or_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
