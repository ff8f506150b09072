/* SPDX-License-Identifier: MIT */
/* Frames from Arrow streams of all types, honest or not. What is accepted holds the values that
 * Arrow's rules give each row of the stream, one by one; it is valid, and exported and imported
 * again it is the same. */
#include <errno.h>
#include <string.h>

#include "arrow_tree.h"

#include <ndshm/ndshm.h>

enum { LOOK = 40 };

/* A column, or what is below one, of either side. */
struct side {
    const struct ArrowSchema *schema;
    const struct ArrowArray *array;
};

static struct side child_of(const struct side *side, int64_t i)
{
    return (struct side){side->schema->children[i], side->array->children[i]};
}

static int64_t integer(const void *buffer, int64_t index, int64_t width)
{
    const char *at = (const char *)buffer + index * width;
    int64_t value = 0;
    memcpy(&value, at, (size_t)width);
    int64_t sign = width < 8 ? INT64_C(1) << (8 * width - 1) : 0;
    return (value ^ sign) - sign;
}

static bool is_null(const struct side *side, const struct fuzz_type *type, int64_t row)
{
    if (type->kind == FUZZ_NULL)
        return true;
    if (type->kind >= FUZZ_SPARSE || side->array->null_count == 0)
        return false;
    const uint8_t *bits = side->array->buffers[0];
    int64_t at = side->array->offset + row;
    return bits && !(bits[at / 8] >> at % 8 & 1);
}

struct bytes {
    const char *data;
    int64_t size;
};

static struct bytes string_at(const struct ArrowArray *array, const struct fuzz_type *type,
                              int64_t at)
{
    int64_t begin = integer(array->buffers[1], at, type->width);
    int64_t end = integer(array->buffers[1], at + 1, type->width);
    FUZZ_CHECK(begin >= 0 && begin <= end);
    return (struct bytes){end > begin ? (const char *)array->buffers[2] + begin : "", end - begin};
}

static struct bytes view_at(const struct ArrowArray *array, int64_t at)
{
    const char *view = (const char *)array->buffers[1] + 16 * at;
    int32_t words[4];
    memcpy(words, view, sizeof words);
    if (words[0] <= 12)
        return (struct bytes){view + 4, words[0]};
    FUZZ_CHECK(words[2] >= 0 && words[2] < array->n_buffers - 3 && words[3] >= 0);
    return (struct bytes){(const char *)array->buffers[2 + words[2]] + words[3], words[0]};
}

static void check_bytes(struct bytes a, struct bytes b)
{
    FUZZ_CHECK(a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, (size_t)a.size) == 0));
}

/* The run of a row. Ends that fall where no row of the stream needs them are nobody's business, but
 * then more than one run is right: -1. */
static int64_t run_of(const struct side *side, int64_t at)
{
    struct side ends = child_of(side, 0);
    int64_t width = fuzz_type_find(ends.schema->format)->width / 8, run = -1, last = 0;
    for (int64_t i = 0; i < ends.array->length; i++) {
        int64_t end = integer(ends.array->buffers[1], ends.array->offset + i, width);
        if (end <= last)
            return -1;
        if (end > at && run < 0)
            run = i;
        last = end;
    }
    FUZZ_CHECK(run >= 0);
    return run;
}

static int64_t key_of(const struct side *side, const struct fuzz_type *type, int64_t at)
{
    int64_t bits = type->width, key = integer(side->array->buffers[1], at, bits / 8);
    bool is_unsigned = *type->format <= 'Z' && bits < 64;
    return is_unsigned ? key & ((INT64_C(1) << bits) - 1) : key;
}

/* The elements of a list. */
static void range_of(const struct side *side, const struct fuzz_type *type, int64_t at,
                     int64_t *begin, int64_t *count)
{
    const void *const *buffers = side->array->buffers;
    if (type->kind == FUZZ_FIXED_LIST) {
        *begin = at * type->width;
        *count = type->width;
        return;
    }
    *begin = integer(buffers[1], at, type->width);
    *count = type->kind == FUZZ_LIST ? integer(buffers[1], at + 1, type->width) - *begin
                                     : integer(buffers[2], at, type->width);
    FUZZ_CHECK(*count >= 0);
}

static void check_same(struct side a, int64_t i, struct side b, int64_t j);

static void check_lists(const struct side *a, const struct fuzz_type *type, int64_t i,
                        const struct side *b, const struct fuzz_type *other, int64_t j)
{
    int64_t from, to, count, counted;
    range_of(a, type, i, &from, &count);
    range_of(b, other, j, &to, &counted);
    FUZZ_CHECK(count == counted);
    for (int64_t k = 0; k < count && k < LOOK; k++)
        check_same(child_of(a, 0), from + k, child_of(b, 0), to + k);
}

static void check_unions(const struct side *a, const struct fuzz_type *type, int64_t i,
                         const struct side *b, int64_t j)
{
    int8_t id = ((const int8_t *)a->array->buffers[0])[i];
    bool dense = type->kind == FUZZ_DENSE;
    int member = fuzz_type_member(type, id);
    FUZZ_CHECK(member >= 0 && ((const int8_t *)b->array->buffers[0])[j] == id);
    check_same(child_of(a, member), dense ? integer(a->array->buffers[1], i, 4) : i,
               child_of(b, member), dense ? integer(b->array->buffers[1], j, 4) : j);
}

static void check_fixed(const struct side *a, const struct fuzz_type *type, int64_t i,
                        const struct side *b, int64_t j)
{
    const uint8_t *from = a->array->buffers[1], *to = b->array->buffers[1];
    int64_t size = type->width / 8;
    if (a->schema->dictionary)
        check_same((struct side){a->schema->dictionary, a->array->dictionary}, key_of(a, type, i),
                   (struct side){b->schema->dictionary, b->array->dictionary}, key_of(b, type, j));
    else if (type->width == 1)
        FUZZ_CHECK((from[i / 8] >> i % 8 & 1) == (to[j / 8] >> j % 8 & 1));
    else
        FUZZ_CHECK(size == 0 || memcmp(from + i * size, to + j * size, (size_t)size) == 0);
}

/* Row i of one is row j of the other. */
static void check_same(struct side a, int64_t i, struct side b, int64_t j)
{
    const struct fuzz_type *type = fuzz_type_find(a.schema->format);
    const struct fuzz_type *other = fuzz_type_find(b.schema->format); /* perhaps wider */
    FUZZ_CHECK(type->kind == other->kind && i >= 0 && i < a.array->length && j >= 0 &&
               j < b.array->length);
    bool null = is_null(&a, type, i);
    FUZZ_CHECK(is_null(&b, other, j) == null);
    if (null)
        return;
    i += a.array->offset;
    j += b.array->offset;
    switch (type->kind) {
    case FUZZ_FIXED:
        check_fixed(&a, type, i, &b, j);
        break;
    case FUZZ_STRING:
        check_bytes(string_at(a.array, type, i), string_at(b.array, other, j));
        break;
    case FUZZ_VIEW:
        check_bytes(view_at(a.array, i), view_at(b.array, j));
        break;
    case FUZZ_LIST:
    case FUZZ_LIST_VIEW:
    case FUZZ_FIXED_LIST:
        check_lists(&a, type, i, &b, other, j);
        break;
    case FUZZ_SPARSE:
    case FUZZ_DENSE:
        check_unions(&a, type, i, &b, j);
        break;
    case FUZZ_RUNS:
        if (run_of(&a, i) >= 0)
            check_same(child_of(&a, 1), run_of(&a, i), child_of(&b, 1), run_of(&b, j));
        break;
    default: /* structs */
        for (int64_t k = 0; k < a.schema->n_children; k++)
            check_same(child_of(&a, k), i, child_of(&b, k), j);
    }
}

static void check_schemas(const struct ArrowSchema *a, const struct ArrowSchema *b, bool top)
{
    const struct fuzz_type *type = fuzz_type_find(a->format);
    FUZZ_CHECK(type->kind == fuzz_type_find(b->format)->kind && a->n_children == b->n_children);
    FUZZ_CHECK(top || strcmp(a->name ? a->name : "", b->name) == 0);
    FUZZ_CHECK(top || a->flags == b->flags);
    FUZZ_CHECK(!a->metadata == !b->metadata && !a->dictionary == !b->dictionary);
    FUZZ_CHECK(!a->metadata || memcmp(a->metadata, b->metadata, 15) == 0);
    for (int64_t i = 0; i < a->n_children; i++)
        check_schemas(a->children[i], b->children[i], false);
    if (a->dictionary)
        check_schemas(a->dictionary, b->dictionary, false);
}

/* Rows begin at from in the frame. */
static void check_batch(struct side batch, struct side frame, int64_t from)
{
    int64_t rows = batch.array->length;
    for (int64_t i = 0; i < rows && i < LOOK; i++)
        check_same(batch, i, frame, from + i);
    if (rows > LOOK)
        check_same(batch, rows - 1, frame, from + rows - 1);
}

/* The frame exported, imported again, and exported. */
static void check_again(const ndshm_frame *frame, struct side first)
{
    struct ArrowArrayStream stream;
    struct ArrowSchema schema;
    struct ArrowArray array;
    ndshm_frame *again;
    FUZZ_CHECK(ndshm_frame_to_arrow_stream(frame, &stream) == 0);
    FUZZ_CHECK(ndshm_frame_from_arrow(NULL, &stream, NULL, &again) == 0 && !stream.release);
    FUZZ_CHECK(ndshm_frame_to_arrow(again, &schema, &array) == 0);
    ndshm_frame_detach(&again);
    check_schemas(first.schema, &schema, true);
    FUZZ_CHECK(first.array->length == array.length);
    check_batch(first, (struct side){&schema, &array}, 0);
    array.release(&array);
    schema.release(&schema);
}

/* truth: the same stream, not yet read. */
static void check_frame(const ndshm_frame *frame, const struct fuzz_stream *truth)
{
    struct ArrowSchema schema;
    struct ArrowArray array;
    int64_t from = 0;
    FUZZ_CHECK(ndshm_frame_validate(frame) == 0);
    FUZZ_CHECK(ndshm_frame_to_arrow(frame, &schema, &array) == 0);
    check_schemas(&truth->schema, &schema, true);
    for (int i = 0; i < truth->nbatches; i++) {
        struct side batch = {&truth->schema, &truth->batches[i]};
        check_batch(batch, (struct side){&schema, &array}, from);
        from += truth->batches[i].length;
    }
    FUZZ_CHECK(from == array.length && from == ndshm_frame_rows(frame));
    check_again(frame, (struct side){&schema, &array});
    schema.release(&schema);
    array.release(&array);
}

static bool is_refusal(int status, const struct fuzz_stream *stream)
{
    int code = stream->schema_code ? stream->schema_code : stream->batch_code;
    return status == NDSHM_ECORRUPT || status == NDSHM_EDTYPE || status == NDSHM_ESHAPE ||
           status == -EINVAL || status == -ENOSPC || status == -ENOMEM || status == -EFBIG ||
           (code && status == -EIO);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size}, again = input;
    struct fuzz_stream stream, truth;
    ndshm_frame *frame = NULL;
    fuzz_stream_make(&input, &stream);
    fuzz_stream_make(&again, &truth);
    int status = ndshm_frame_from_arrow(NULL, &stream.stream, NULL, &frame);
    if (status == 0) {
        FUZZ_CHECK(!stream.stream.release && !stream.schema_code && !stream.batch_code);
        check_frame(frame, &truth);
        ndshm_frame_detach(&frame);
    } else {
        FUZZ_CHECK(is_refusal(status, &stream) && stream.stream.release);
        FUZZ_CHECK(!stream.honest || (status == NDSHM_EDTYPE && stream.ambiguous));
        stream.stream.release(&stream.stream);
    }
    truth.stream.release(&truth.stream);
    return 0;
}
