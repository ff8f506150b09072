/* SPDX-License-Identifier: MIT */
#include "arrow_tree.h"

#include <stdlib.h>
#include <string.h>

enum { DEPTH = 4, NODES = 24, ROWS = 12, EXTENT = 4096, OWNED = 12, PIECES = 2 };
enum { TYPES = FUZZ_TYPES, LEAVES = 26, INTEGERS = 2, INTEGERS_END = 10 };

/* What a structure holds, and what it is, whatever it says. */
struct owner {
    const struct fuzz_type *type;
    void *owned[OWNED];
    int count, children;
    void **list;
    void *dictionary;
};

static void *take(struct owner *owner, int64_t size)
{
    void *memory = malloc((size_t)size);
    FUZZ_CHECK((memory || size == 0) && owner->count < OWNED);
    owner->owned[owner->count++] = memory;
    return memory;
}

static void *take_bytes(struct fuzz_input *input, struct owner *owner, int64_t size, uint8_t mask)
{
    uint8_t *bytes = take(owner, size);
    if (size > 0)
        fuzz_bytes(input, bytes, (size_t)size);
    for (int64_t i = 0; i < size; i++)
        bytes[i] &= mask;
    return bytes;
}

static struct owner *make_owner(const struct fuzz_type *type, int children)
{
    struct owner *owner = calloc(1, sizeof *owner);
    FUZZ_CHECK(owner);
    owner->type = type;
    owner->children = children;
    owner->list = take(owner, children * (int64_t)sizeof *owner->list);
    return owner;
}

static void free_owner(struct owner *owner)
{
    for (int i = 0; i < owner->children; i++)
        free(owner->list[i]);
    for (int i = 0; i < owner->count; i++)
        free(owner->owned[i]);
    free(owner->dictionary);
    free(owner);
}

/* A list of the same pointers, in which one may be missing. */
static void *exposed(struct owner *owner)
{
    void **list = take(owner, owner->children * (int64_t)sizeof *list);
    for (int i = 0; i < owner->children; i++)
        list[i] = owner->list[i];
    return list;
}

static bool lies(struct fuzz_input *input, struct fuzz_stream *stream)
{
    bool lie = fuzz_byte(input) >= 0xFC;
    stream->honest = stream->honest && !lie;
    return lie;
}

/* --- schemas --- */

static void release_schema(struct ArrowSchema *schema)
{
    struct owner *owner = schema->private_data;
    for (int i = 0; i < owner->children; i++)
        release_schema(owner->list[i]);
    if (owner->dictionary)
        release_schema(owner->dictionary);
    free_owner(owner);
    schema->release = NULL;
}

static void lie_of_schema(struct fuzz_input *input, struct ArrowSchema *schema)
{
    static const int32_t malformed[] = {1, -1};
    bool open = schema->format[1] == 's'; /* of a struct nobody can tell */
    switch (fuzz_below(input, 8)) {
    case 0:
        schema->format = fuzz_unknown.format;
        break;
    case 1:
        schema->format = fuzz_below(input, 2) ? NULL : "\xFF";
        break;
    case 2:
        schema->name = "\xC0\x80";
        break;
    case 3:
        schema->n_children += open ? 0 : 1;
        break;
    case 4:
        schema->n_children = INT64_MIN;
        break;
    case 5:
        schema->children = NULL;
        break;
    case 6:
        schema->metadata = (const char *)malformed;
        break;
    default:
        schema->release = NULL;
    }
}

/* What a node is to be; children -1: as many as its type has. */
struct wish {
    const struct fuzz_type *type;
    int children;
    bool plain; /* without dictionary */
    int depth;
};

static int children_of(struct fuzz_input *input, const struct fuzz_type *type)
{
    switch (type->kind) {
    case FUZZ_LIST:
    case FUZZ_LIST_VIEW:
    case FUZZ_FIXED_LIST:
        return 1;
    case FUZZ_STRUCT:
        return (int)fuzz_below(input, 4);
    case FUZZ_SPARSE:
    case FUZZ_DENSE:
        return (int)type->width;
    case FUZZ_RUNS:
        return 2;
    default:
        return 0;
    }
}

static struct wish wish_any(struct fuzz_input *input, const struct fuzz_stream *stream, int depth)
{
    bool room = depth < DEPTH && stream->nodes < NODES;
    return (struct wish){&fuzz_types[fuzz_below(input, room ? TYPES : LEAVES)], -1, false, depth};
}

static struct wish wish_child(struct fuzz_input *input, const struct fuzz_stream *stream,
                              const struct wish *parent, int i)
{
    static const char *const ends[] = {"s", "i", "l"};
    struct wish wish = wish_any(input, stream, parent->depth + 1);
    if (parent->type->kind == FUZZ_RUNS && i == 0) {
        wish.type = fuzz_type_find(ends[fuzz_below(input, 3)]);
        wish.plain = true;
    } else if (strcmp(parent->type->format, "+m") == 0) {
        wish.type = fuzz_type_find("+s");
        wish.children = 2;
    }
    return wish;
}

static struct ArrowSchema *make_schema(struct fuzz_input *input, struct fuzz_stream *stream,
                                       const struct wish *wish)
{
    static const char *const names[] = {"", "a", "b", NULL};
    static const char pair[] = "\1\0\0\0\1\0\0\0k\2\0\0\0vw";
    const struct fuzz_type *type = wish->type;
    bool integer = type >= &fuzz_types[INTEGERS] && type < &fuzz_types[INTEGERS_END];
    int children = wish->children < 0 ? children_of(input, type) : wish->children;
    struct ArrowSchema *out = calloc(1, sizeof *out);
    struct owner *owner = make_owner(type, children);
    stream->nodes++;
    *out = (struct ArrowSchema){.format = type->format,
                                .name = names[fuzz_below(input, 4)],
                                .metadata = fuzz_below(input, 8) == 1 ? pair : NULL,
                                .flags = fuzz_below(input, 8),
                                .n_children = children,
                                .release = release_schema,
                                .private_data = owner};
    for (int i = 0; i < children; i++) {
        struct wish child = wish_child(input, stream, wish, i);
        owner->list[i] = make_schema(input, stream, &child);
    }
    out->children = exposed(owner);
    if (integer && !wish->plain && wish->depth < DEPTH && fuzz_below(input, 4) == 1) {
        struct wish values = wish_any(input, stream, wish->depth + 1);
        out->dictionary = owner->dictionary = make_schema(input, stream, &values);
        stream->ambiguous = stream->ambiguous || out->dictionary->dictionary ||
                            values.type->kind == FUZZ_NULL || values.type->kind > FUZZ_VIEW;
    }
    if (lies(input, stream))
        lie_of_schema(input, out);
    return out;
}

/* --- arrays --- */

static void release_array(struct ArrowArray *array)
{
    struct owner *owner = array->private_data;
    for (int i = 0; i < owner->children; i++)
        release_array(owner->list[i]);
    if (owner->dictionary)
        release_array(owner->dictionary);
    free_owner(owner);
    array->release = NULL;
}

/* What an array must have; ends: the rows that its values cover as ends of runs, or -1. */
struct need {
    int64_t length;
    int64_t ends;
    bool plain; /* without nulls */
};

struct array {
    struct fuzz_input *input;
    struct fuzz_stream *stream;
    const struct owner *schema;
    struct owner *owner;
    struct ArrowArray *out;
    int64_t total; /* rows from the beginning of the buffers */
    int64_t rows;  /* of them, behind the offset; 0 when they are impossible */
    int64_t elements;
    const struct need *need;
};

/* Much too long for a bitmap of others, where it is long at all. */
static int64_t odd_length(struct fuzz_input *input)
{
    int64_t length = fuzz_number(input);
    return length > EXTENT && length < INT64_C(1) << 42 ? length << 20 : length;
}

static bool takes_bytes(const struct fuzz_type *type)
{
    return type->kind != FUZZ_NULL && type->kind != FUZZ_FIXED_LIST && type->kind != FUZZ_STRUCT &&
           type->kind != FUZZ_RUNS && (type->kind != FUZZ_FIXED || type->width > 0);
}

static void measure(struct array *array)
{
    struct ArrowArray *out = array->out;
    bool exact = array->need->ends >= 0;
    out->length = array->need->length + (exact ? 0 : fuzz_below(array->input, 3));
    out->offset = fuzz_below(array->input, 4);
    if (lies(array->input, array->stream))
        *(fuzz_below(array->input, 2) ? &out->length : &out->offset) = odd_length(array->input);
    if (out->length < 0 || out->offset < 0 ||
        __builtin_add_overflow(out->length, out->offset, &array->total))
        array->total = 0;
    if (array->total > EXTENT && (takes_bytes(array->schema->type) || array->schema->dictionary)) {
        array->stream->honest = false;
        array->total = out->length = out->offset = 0;
    }
    array->rows = array->total ? out->length : 0;
}

static void put(void *buffer, int64_t index, int64_t width, int64_t value)
{
    memcpy((char *)buffer + index * width, &value, (size_t)width);
}

/* Of which some are any. */
static int64_t number_below(struct array *array, int64_t limit)
{
    if (lies(array->input, array->stream))
        return fuzz_number(array->input);
    if (limit <= 0)
        array->stream->honest = false;
    return limit > 0 ? fuzz_byte(array->input) % limit : 0;
}

static void fill_validity(struct array *array)
{
    struct ArrowArray *out = array->out;
    bool has = fuzz_below(array->input, 3) == 1 && !array->need->plain && array->total <= EXTENT;
    out->null_count = has || fuzz_below(array->input, 2) ? -1 : 0;
    if (!has)
        return;
    uint8_t *bits = take_bytes(array->input, array->owner, (array->total + 7) / 8, 0xFF);
    int64_t nulls = 0;
    for (int64_t i = array->total - array->rows; i < array->total; i++)
        nulls += !(bits[i / 8] >> i % 8 & 1);
    out->buffers[0] = bits;
    out->null_count = fuzz_below(array->input, 2) ? nulls : -1;
}

static void fill_ends(struct array *array, void *values, int64_t width)
{
    int64_t at = 0, first = array->total - array->rows;
    for (int64_t i = first; i < array->total; i++) {
        at += 1 + fuzz_below(array->input, 3);
        if (i == array->total - 1 && at < array->need->ends)
            at = array->need->ends;
        bool lie = lies(array->input, array->stream);
        put(values, i, width, lie ? fuzz_number(array->input) : at);
    }
    if (width < 8 && at >= INT64_C(1) << (8 * width - 1))
        array->stream->honest = false;
}

static void fill_fixed(struct array *array, struct ArrowArray *dictionary)
{
    int64_t bits = array->schema->type->width;
    int64_t size = (array->total > EXTENT ? 0 : array->total * bits + 7) / 8;
    void *values = take_bytes(array->input, array->owner, size, 0xFF);
    array->out->buffers[1] = values;
    if (array->need->ends >= 0)
        fill_ends(array, values, bits / 8);
    for (int64_t i = 0; dictionary && i < array->total; i++)
        put(values, i, bits / 8, number_below(array, dictionary->length));
}

/* All bytes that offsets speak of are there. */
static void fill_strings(struct array *array)
{
    int64_t width = array->schema->type->width, at = 0, end = 0;
    void *offsets = take(array->owner, (array->total + 1) * width);
    for (int64_t i = 0; i <= array->total; i++) {
        at += fuzz_below(array->input, 4);
        int64_t offset =
            lies(array->input, array->stream) ? fuzz_number(array->input) % EXTENT : at;
        put(offsets, i, width, offset);
        end = offset > end ? offset : end;
    }
    array->out->buffers[1] = offsets;
    if (end > 0 || fuzz_below(array->input, 2))
        array->out->buffers[2] = take_bytes(array->input, array->owner, end, 0x7F);
}

static void fill_views(struct array *array, int pieces)
{
    enum { SHORT = 12, SPAN = 16 };
    int32_t *views = take_bytes(array->input, array->owner, 16 * array->total, 0x7F);
    int64_t *sizes = take(array->owner, pieces * (int64_t)sizeof *sizes);
    for (int64_t i = 0; i < array->total; i++) {
        int32_t *view = views + 4 * i;
        if (lies(array->input, array->stream))
            continue;
        view[0] = (int32_t)fuzz_below(array->input, pieces ? 2 * SHORT : SHORT + 1);
        if (view[0] > SHORT) {
            view[2] = (int32_t)fuzz_below(array->input, (uint32_t)pieces);
            view[3] = (int32_t)fuzz_below(array->input, SPAN);
        }
    }
    for (int i = 0; i < pieces; i++) {
        sizes[i] = 2 * SHORT + SPAN;
        array->out->buffers[2 + i] = take_bytes(array->input, array->owner, sizes[i], 0x7F);
    }
    array->out->buffers[1] = views;
    array->out->buffers[2 + pieces] = sizes;
}

static void fill_list(struct array *array)
{
    int64_t width = array->schema->type->width, at = 0;
    void *offsets = take(array->owner, (array->total + 1) * width);
    for (int64_t i = 0; i <= array->total; i++) {
        at += fuzz_below(array->input, 3);
        at = at < array->elements ? at : array->elements;
        put(offsets, i, width, lies(array->input, array->stream) ? fuzz_number(array->input) : at);
    }
    array->out->buffers[1] = offsets;
}

static void fill_list_views(struct array *array)
{
    int64_t width = array->schema->type->width;
    void *starts = take(array->owner, array->total * width);
    void *sizes = take(array->owner, array->total * width);
    for (int64_t i = 0; i < array->total; i++) {
        int64_t start = number_below(array, array->elements + 1);
        bool inside = start >= 0 && start <= array->elements;
        put(starts, i, width, start);
        put(sizes, i, width, number_below(array, (inside ? array->elements - start : 0) + 1));
    }
    array->out->buffers[1] = starts;
    array->out->buffers[2] = sizes;
}

static void fill_union(struct array *array)
{
    const struct fuzz_type *type = array->schema->type;
    int8_t *ids = take(array->owner, array->total);
    int32_t *starts = type->kind == FUZZ_DENSE ? take(array->owner, 4 * array->total) : NULL;
    for (int64_t i = 0; i < array->total; i++) {
        int8_t known = fuzz_union_ids[type->kind == FUZZ_DENSE][fuzz_below(array->input, 2)];
        bool lie = lies(array->input, array->stream);
        ids[i] = lie ? (int8_t)fuzz_byte(array->input) : known;
        if (starts)
            starts[i] = (int32_t)number_below(array, array->elements);
    }
    if (type->width == 0 && array->total > 0)
        array->stream->honest = false;
    array->out->buffers[0] = ids;
    array->out->buffers[1] = starts;
}

static int buffers_of(const struct fuzz_type *type, int pieces)
{
    static const int counts[] = {0, 2, 3, 3, 2, 3, 1, 1, 1, 2, 0};
    return counts[type->kind] + pieces;
}

static void fill_own(struct array *array, int pieces)
{
    switch (array->schema->type->kind) {
    case FUZZ_NULL:
        array->out->null_count = array->out->length;
        return;
    case FUZZ_FIXED:
        fill_fixed(array, array->owner->dictionary);
        return;
    case FUZZ_STRING:
        fill_strings(array);
        return;
    case FUZZ_VIEW:
        fill_views(array, pieces);
        return;
    case FUZZ_LIST:
        fill_list(array);
        return;
    case FUZZ_LIST_VIEW:
        fill_list_views(array);
        return;
    case FUZZ_SPARSE:
    case FUZZ_DENSE:
        fill_union(array);
        return;
    default:
        return;
    }
}

/* How long the children must be. */
static int64_t elements_of(struct array *array)
{
    const struct fuzz_type *type = array->schema->type;
    int64_t elements = array->total;
    switch (type->kind) {
    case FUZZ_LIST:
    case FUZZ_LIST_VIEW:
        return fuzz_below(array->input, 8);
    case FUZZ_DENSE:
        return 1 + fuzz_below(array->input, 5);
    case FUZZ_RUNS:
        return array->total ? 1 + fuzz_below(array->input, 4) : 0;
    case FUZZ_FIXED_LIST:
        if (!__builtin_mul_overflow(elements, type->width, &elements))
            return elements;
        array->stream->honest = false;
        return 0;
    default:
        return elements;
    }
}

static void lie_of_array(struct fuzz_input *input, struct ArrowArray *out)
{
    switch (fuzz_below(input, 7)) {
    case 0:
        out->null_count = fuzz_number(input);
        break;
    case 1:
        out->n_buffers = out->n_buffers > 2 ? 2 : out->n_buffers - 1;
        break;
    case 2:
        out->n_children += fuzz_below(input, 2) ? 1 : -1;
        break;
    case 3:
        if (out->n_buffers)
            out->buffers[fuzz_below(input, (uint32_t)out->n_buffers)] = NULL;
        break;
    case 4:
        if (out->n_children)
            out->children[fuzz_below(input, (uint32_t)out->n_children)] = NULL;
        break;
    case 5:
        out->dictionary = NULL;
        break;
    default:
        out->release = NULL;
    }
}

static void *make_array(struct fuzz_input *input, struct fuzz_stream *stream,
                        const struct ArrowSchema *schema, const struct need *need)
{
    const struct owner *model = schema->private_data;
    struct ArrowArray *out = calloc(1, sizeof *out);
    struct array array = {.input = input,
                          .stream = stream,
                          .schema = model,
                          .owner = make_owner(model->type, model->children),
                          .out = out,
                          .need = need};
    int pieces = model->type->kind == FUZZ_VIEW ? (int)fuzz_below(input, PIECES + 1) : 0;
    measure(&array);
    array.elements = elements_of(&array);
    bool runs = model->type->kind == FUZZ_RUNS;
    for (int i = 0; i < model->children; i++) {
        struct need child = {array.elements, runs && i == 0 ? array.total : -1, runs && i == 0};
        array.owner->list[i] = make_array(input, stream, model->list[i], &child);
    }
    if (model->dictionary) {
        struct need keys = {fuzz_below(input, 6), -1, false};
        array.owner->dictionary = make_array(input, stream, model->dictionary, &keys);
    }
    out->n_buffers = buffers_of(model->type, pieces);
    out->buffers = calloc((size_t)out->n_buffers + 1, sizeof *out->buffers);
    array.owner->owned[array.owner->count++] = out->buffers;
    out->n_children = model->children;
    out->children = exposed(array.owner);
    out->dictionary = array.owner->dictionary;
    out->release = release_array;
    out->private_data = array.owner;
    bool bitmap = model->type->kind != FUZZ_NULL && model->type->kind < FUZZ_SPARSE;
    if (bitmap)
        fill_validity(&array);
    fill_own(&array, pieces);
    if (lies(input, stream))
        lie_of_array(input, out);
    return out;
}

/* --- streams --- */

static int get_schema(struct ArrowArrayStream *self, struct ArrowSchema *out)
{
    struct fuzz_stream *stream = self->private_data;
    if (stream->schema_code)
        return stream->schema_code;
    *out = stream->schema;
    stream->schema.release = NULL;
    stream->schema_given = true;
    return 0;
}

static int get_next(struct ArrowArrayStream *self, struct ArrowArray *out)
{
    struct fuzz_stream *stream = self->private_data;
    if (stream->given < stream->nbatches) {
        *out = stream->batches[stream->given++];
        return 0;
    }
    *out = (struct ArrowArray){0};
    return stream->batch_code;
}

static const char *get_last_error(struct ArrowArrayStream *self)
{
    struct fuzz_stream *stream = self->private_data;
    return stream->batch_code ? "because" : NULL;
}

static void release_stream(struct ArrowArrayStream *self)
{
    struct fuzz_stream *stream = self->private_data;
    if (!stream->schema_given)
        release_schema(&stream->schema);
    for (; stream->given < stream->nbatches; stream->given++)
        release_array(&stream->batches[stream->given]);
    self->release = NULL;
}

void fuzz_stream_make(struct fuzz_input *input, struct fuzz_stream *out)
{
    static const int codes[] = {5, -1, 1 << 20};
    *out = (struct fuzz_stream){.honest = true};
    out->stream =
        (struct ArrowArrayStream){get_schema, get_next, get_last_error, release_stream, out};
    if (lies(input, out))
        *(fuzz_below(input, 2) ? &out->schema_code : &out->batch_code) =
            codes[fuzz_below(input, 3)];
    struct wish top = {fuzz_type_find("+s"), 1 + (int)fuzz_below(input, 3), true, 0};
    struct ArrowSchema *schema = make_schema(input, out, &top);
    out->nbatches = (int)fuzz_below(input, FUZZ_BATCHES + 1);
    for (int i = 0; i < out->nbatches; i++) {
        struct need rows = {fuzz_below(input, ROWS), -1, true};
        struct ArrowArray *batch = make_array(input, out, schema, &rows);
        /* Without a release callback the stream would be at its end. */
        if (!batch->release)
            batch->release = release_array;
        out->batches[i] = *batch;
        free(batch);
    }
    out->schema = *schema;
    out->schema.release = release_schema;
    free(schema);
}
