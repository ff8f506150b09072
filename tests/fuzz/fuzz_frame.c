/* SPDX-License-Identifier: MIT */
/* Frames: a schema of any bytes; and string offsets and bitmaps of any bytes, published or refused,
 * then sliced. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frame/frame.h"
#include "fuzz.h"

enum { COLUMNS = 4, ROWS = 40, TEXT = 64 };
#define NAME "t-fuzz-frame"
__extension__ typedef __int128 wide;

/* --- schema --- */

static wide size_of(const struct ndshm__format *format, int buffer, wide rows, wide is)
{
    switch (ndshm__format_content(format, buffer)) {
    case NDSHM__CONTENT_VALIDITY:
        return is ? (rows + 7) / 8 : 0;
    case NDSHM__CONTENT_VALUES:
        return (rows * format->bits + 7) / 8;
    case NDSHM__CONTENT_OFFSETS:
        return format->width * (rows + 1);
    case NDSHM__CONTENT_STARTS:
    case NDSHM__CONTENT_SIZES:
        return format->width * rows;
    case NDSHM__CONTENT_IDS:
        return rows;
    case NDSHM__CONTENT_VIEWS:
        return 16 * rows;
    default:
        return is;
    }
}

static void check_node(const struct ndshm__schema *schema, const struct ndshm__node *node,
                       int64_t payload_size)
{
    const struct ndshm__buffer *buffers = ndshm__schema_buffers(schema) + node->first_buffer;
    const char *text = ndshm__schema_text(schema);
    struct ndshm__format format;
    FUZZ_CHECK(ndshm__format_parse(text + node->format, &format));
    FUZZ_CHECK(strlen(text + node->name) < (size_t)schema->text_size);
    FUZZ_CHECK(node->null_count >= 0 && node->null_count <= node->length);
    for (int i = 0; i < node->buffers; i++) {
        wide is = buffers[i].size;
        FUZZ_CHECK(i >= format.buffers || is == size_of(&format, i, node->length, is));
        FUZZ_CHECK(buffers[i].offset >= 0 && buffers[i].offset % 64 == 0);
        FUZZ_CHECK(buffers[i].offset + is <= payload_size);
    }
}

static void check_schema(const struct ndshm__schema *schema, int64_t size, int64_t payload_size)
{
    if (ndshm__schema_check(schema, size, payload_size))
        return;
    int32_t seen = schema->columns;
    for (int32_t i = 0; i < schema->nodes; i++) {
        const struct ndshm__node *node = &schema->node[i];
        check_node(schema, node, payload_size);
        FUZZ_CHECK(i < seen && (!node->children || node->first_child == seen));
        seen += node->children + (node->dictionary != 0);
        FUZZ_CHECK(!node->dictionary || node->dictionary == seen - 1);
    }
    FUZZ_CHECK(seen == schema->nodes);
}

static void run_schema(struct fuzz_input *input)
{
    struct ndshm__schema header;
    bool repaired = fuzz_below(input, 8) != 0;
    int64_t payload_size = (int64_t)fuzz_below(input, 255) << fuzz_below(input, 32);
    int64_t size = (int64_t)input->size;
    char *body = malloc((size_t)size + 1), *exact = realloc(body, size ? (size_t)size : 1);
    fuzz_bytes(input, exact, (size_t)size);
    if (repaired && size > (int64_t)sizeof header) {
        memcpy(&header, exact, sizeof header);
        header.nodes = (int32_t)((uint32_t)header.nodes % 8);
        header.columns = (int32_t)((uint32_t)header.columns % 8);
        header.buffers = (int32_t)((uint32_t)header.buffers % 16);
        header.node_size = sizeof *header.node;
        memset(header.reserved, 0, sizeof header.reserved);
        header.metadata = (struct ndshm__text){0, 0};
        header.text_size = size - (int64_t)sizeof header -
                           header.nodes * (int64_t)sizeof *header.node -
                           header.buffers * (int64_t)sizeof(struct ndshm__buffer);
        memcpy(exact, &header, sizeof header);
        exact[size - 1] = '\0';
    }
    check_schema((struct ndshm__schema *)exact, size, payload_size);
    free(exact);
}

/* --- contents --- */

struct contents {
    int ncolumns;
    int64_t rows;
    ndshm_column_spec specs[COLUMNS];
};

static void make_specs(struct fuzz_input *input, struct contents *contents)
{
    static const char *const formats[] = {"u", "?z", "?l", "b", "?b", "?u", "g", "tsn:UTC"};
    contents->rows = fuzz_below(input, ROWS);
    contents->ncolumns = 1 + (int)fuzz_below(input, COLUMNS);
    for (int i = 0; i < contents->ncolumns; i++) {
        const char *format = formats[fuzz_below(input, 8)];
        bool text = strpbrk(format, "uz") && format[0] != 't';
        contents->specs[i] =
            (ndshm_column_spec){"c", format, text ? (int64_t)fuzz_below(input, TEXT) : 0};
    }
}

/* One of ours, with a few numbers changed, in a payload of about its size. */
static void run_damaged(struct fuzz_input *input)
{
    struct contents contents;
    struct ndshm__schema *schema;
    int64_t size, payload_size;
    make_specs(input, &contents);
    FUZZ_CHECK(ndshm__schema_build(contents.rows, contents.specs, contents.ncolumns, &schema, &size,
                                   &payload_size) == 0);
    FUZZ_CHECK(ndshm__schema_check(schema, size, payload_size) == NULL);
    for (uint32_t changes = fuzz_below(input, 4); changes > 0; changes--) {
        int64_t *words = (int64_t *)schema, number = fuzz_number(input);
        size_t at = fuzz_byte(input) % ((size_t)size / sizeof *words);
        words[at] = fuzz_below(input, 2) ? number : words[at] + (int8_t)number * INT64_C(64);
    }
    payload_size += (int8_t)fuzz_byte(input);
    check_schema(schema, size, payload_size < 0 ? 0 : payload_size);
    free(schema);
}

static int64_t count_nulls(const ndshm_column *column)
{
    int64_t nulls = 0;
    for (int64_t i = 0; column->validity && i < column->rows; i++)
        nulls += !(column->validity[i / 8] >> i % 8 & 1);
    return nulls;
}

static bool offsets_hold(const ndshm_column *column, int64_t data_bytes)
{
    const int32_t *offsets = column->offsets;
    int64_t before = 0;
    for (int64_t i = 0; offsets && i <= column->rows; i++) {
        if (offsets[i] < before)
            return false;
        before = offsets[i];
    }
    return before <= data_bytes;
}

/* Mostly steps upwards, so that some are accepted. */
static void fill_offsets(struct fuzz_input *input, const ndshm_column *column)
{
    int32_t *offsets = (int32_t *)column->offsets, at = 0;
    for (int64_t i = 0; i <= column->rows; i++) {
        uint8_t step = fuzz_byte(input);
        at = step < 0xF8 && at < INT32_MAX - 4 ? at + step % 4 : (int32_t)fuzz_number(input);
        offsets[i] = at;
    }
}

static bool fill(struct fuzz_input *input, const struct contents *contents, ndshm_frame *frame)
{
    bool good = true;
    for (int i = 0; i < contents->ncolumns; i++) {
        ndshm_column column;
        FUZZ_CHECK(ndshm_frame_column(frame, i, &column) == 0);
        if (column.offsets)
            fill_offsets(input, &column);
        if (column.validity)
            fuzz_bytes(input, (uint8_t *)column.validity, (size_t)(contents->rows + 7) / 8);
        good = good && offsets_hold(&column, contents->specs[i].data_bytes);
    }
    return good;
}

static void check_slice(const struct contents *contents, const ndshm_frame *whole,
                        struct fuzz_input *input)
{
    char ref[128];
    int64_t index[ROWS], start = fuzz_number(input), stop = fuzz_number(input);
    int64_t step = fuzz_number(input);
    ndshm_frame *part;
    if (start == NDSHM_OMIT || stop == NDSHM_OMIT || step == NDSHM_OMIT)
        return;
    snprintf(ref, sizeof ref, NAME "[%lld:%lld:%lld]", (long long)start, (long long)stop,
             (long long)step);
    int status = ndshm_frame_attach(ref, NDSHM_READ, &part);
    FUZZ_CHECK(status == (step < 1 ? NDSHM_ESHAPE : 0));
    if (status)
        return;
    int64_t count = fuzz_slice(contents->rows, start, stop, step, ROWS, index);
    FUZZ_CHECK(ndshm_frame_rows(part) == count);
    for (int i = 0; i < contents->ncolumns; i++) {
        ndshm_column column, all;
        FUZZ_CHECK(ndshm_frame_column(part, i, &column) == 0);
        FUZZ_CHECK(ndshm_frame_column(whole, i, &all) == 0);
        FUZZ_CHECK(column.rows == count && strcmp(column.format, all.format) == 0);
        for (int64_t r = 0; r < count; r++)
            FUZZ_CHECK(column.offset + r * column.step == index[r]);
    }
    ndshm_frame_detach(&part);
}

static void run_contents(struct fuzz_input *input)
{
    struct contents contents;
    ndshm_create_config config;
    ndshm_frame *frame;
    make_specs(input, &contents);
    ndshm_create_config_init(&config);
    config.flags = NDSHM_UNPUBLISHED;
    FUZZ_CHECK(ndshm_frame_create(NAME, contents.rows, contents.specs, contents.ncolumns, &config,
                                  &frame) == 0);
    bool good = fill(input, &contents, frame);
    FUZZ_CHECK(ndshm_frame_publish(frame) == (good ? 0 : NDSHM_ECORRUPT));
    for (int i = 0; good && i < contents.ncolumns; i++) {
        ndshm_column column;
        FUZZ_CHECK(ndshm_frame_column(frame, i, &column) == 0);
        FUZZ_CHECK(column.null_count == count_nulls(&column));
    }
    if (good) {
        check_slice(&contents, frame, input);
        FUZZ_CHECK(ndshm_frame_unlink(frame) == 0);
    }
    ndshm_frame_detach(&frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    uint32_t way = fuzz_below(&input, 4);
    if (way == 1)
        run_schema(&input);
    else if (way == 3)
        run_damaged(&input);
    else
        run_contents(&input);
    return 0;
}
