/* SPDX-License-Identifier: MIT */
/* A stream of record batches becomes a frame. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/os.h"
#include "frame/bits.h"
#include "frame/import.h"

int ndshm__import_fail(const struct ndshm__import_node *node, int status, const char *what)
{
    const char *name = node->schema->name ? node->schema->name : "";
    return ndshm__fail(status, "column '%.40s' of the stream: %s", name, what);
}

int ndshm__import_grow(void **elements, int64_t count, int64_t *room, size_t size)
{
    if (count < *room)
        return 0;
    int64_t more = *room ? 2 * *room : 16;
    void *grown = ndshm__resize(*elements, (size_t)more * size);
    if (!grown)
        return ndshm__fail(-ENOMEM, "no memory to import a stream");
    *elements = grown;
    *room = more;
    return 0;
}

/* --- the stream --- */

static int stream_failed(struct ArrowArrayStream *stream, int code, const char *what)
{
    const char *why = stream->get_last_error ? stream->get_last_error(stream) : NULL;
    return ndshm__fail(code > 0 && code < 4096 ? -code : -EIO, "the stream gives no %s: %.200s",
                       what, why ? why : "it does not say why");
}

static int read_batches(struct ndshm__import *import, struct ArrowArrayStream *stream)
{
    for (;;) {
        struct ArrowArray batch = {0};
        int status = ndshm__import_grow((void **)&import->batches, import->nbatches,
                                        &import->batches_room, sizeof batch);
        if (status)
            return status;
        int code = stream->get_next(stream, &batch);
        if (code)
            return stream_failed(stream, code, "batch");
        if (!batch.release)
            return 0;
        import->batches[import->nbatches++] = batch;
    }
}

/* --- the tree --- */

static int add_node(struct ndshm__import *import, const struct ArrowSchema *schema, int32_t depth)
{
    struct ndshm__import_node *node;
    int64_t room = import->room;
    if (!schema || !schema->release || !schema->format)
        return ndshm__fail(NDSHM_ECORRUPT, "the schema of the stream lacks a child or its format");
    if (depth > NDSHM__DEPTH_MAX || import->count == NDSHM__NODES_MAX)
        return ndshm__fail(NDSHM_ESHAPE, "the columns of the stream are nested more than %d deep",
                           NDSHM__DEPTH_MAX);
    int status = ndshm__import_grow((void **)&import->nodes, import->count, &room, sizeof *node);
    if (status)
        return status;
    import->room = (int32_t)room;
    node = &import->nodes[import->count++];
    *node = (struct ndshm__import_node){.schema = schema, .depth = depth, .null_value = -1};
    if (!ndshm__utf8_valid(schema->format, strlen(schema->format)) ||
        !ndshm__format_parse(schema->format, &node->format))
        return ndshm__fail(NDSHM_EDTYPE,
                           "column '%.40s' of the stream: its Arrow format '%.40s' is not known",
                           schema->name ? schema->name : "", schema->format);
    if (schema->name && !ndshm__utf8_valid(schema->name, strlen(schema->name)))
        return ndshm__fail(-EINVAL, "a column of the stream has a name that is not UTF-8");
    if (schema->metadata && ndshm__metadata_size(schema->metadata, INT32_MAX) < 0)
        return ndshm__import_fail(node, NDSHM_ECORRUPT, "its metadata are malformed");
    node->target = node->format;
    node->target_text = schema->format;
    return 0;
}

/* What no value can change. */
static int check_type(const struct ndshm__import_node *node)
{
    const struct ArrowSchema *schema = node->schema;
    if (node->format.children >= 0 ? schema->n_children != node->format.children
                                   : schema->n_children < 0)
        return ndshm__import_fail(node, NDSHM_ECORRUPT, "too few or too many children");
    if (schema->n_children && !schema->children)
        return ndshm__import_fail(node, NDSHM_ECORRUPT, "its children are missing");
    if (schema->dictionary && !node->format.integer)
        return ndshm__import_fail(node, NDSHM_ECORRUPT, "a dictionary needs integer indices");
    return 0;
}

/* Of the children, which are in the tree. */
static int check_children(const struct ndshm__import *import, const struct ndshm__import_node *node)
{
    const struct ndshm__import_node *child = &import->nodes[node->first_child];
    if (node->format.map &&
        (child->format.layout != NDSHM__LAYOUT_STRUCT || child->schema->n_children != 2))
        return ndshm__import_fail(node, NDSHM_ECORRUPT, "a map needs pairs");
    if (node->format.layout == NDSHM__LAYOUT_RUNS &&
        (!strchr("sil", *child->schema->format) || !child->format.integer ||
         child->schema->dictionary))
        return ndshm__import_fail(node, NDSHM_ECORRUPT,
                                  "run ends must be signed integers of 16 to 64 bits");
    return 0;
}

/* In breadth-first order, as in the descriptor. */
static int build_tree(struct ndshm__import *import)
{
    const struct ArrowSchema *top = &import->schema;
    int status = 0;
    for (int64_t i = 0; i < top->n_children && !status; i++)
        status = add_node(import, top->children[i], 1);
    for (int32_t i = 0; i < import->count && !status; i++) {
        const struct ArrowSchema *schema = import->nodes[i].schema;
        int32_t depth = import->nodes[i].depth + 1, first = import->count;
        status = check_type(&import->nodes[i]);
        for (int64_t j = 0; j < schema->n_children && !status; j++)
            status = add_node(import, schema->children[j], depth);
        import->nodes[i].first_child = first;
        import->nodes[i].dictionary = schema->dictionary ? import->count : 0;
        if (!status && schema->n_children)
            status = check_children(import, &import->nodes[i]);
        if (!status && schema->dictionary)
            status = add_node(import, schema->dictionary, depth);
    }
    return status;
}

static int read_schema(struct ndshm__import *import, struct ArrowArrayStream *stream)
{
    struct ArrowSchema *top = &import->schema;
    int code = stream->get_schema(stream, top);
    if (code)
        return stream_failed(stream, code, "schema");
    if (!top->release || !top->format)
        return ndshm__fail(NDSHM_ECORRUPT, "the stream gives a schema without a format");
    if (strcmp(top->format, "+s") != 0)
        return ndshm__fail(NDSHM_EDTYPE,
                           "a stream of records is needed (the format '+s'), not of '%.40s'; give "
                           "a table rather than a column",
                           top->format);
    if (top->n_children < 0 || (top->n_children && !top->children))
        return ndshm__fail(NDSHM_ECORRUPT, "the stream gives a schema without its children");
    if (top->metadata && ndshm__metadata_size(top->metadata, INT32_MAX) < 0)
        return ndshm__fail(NDSHM_ECORRUPT, "the metadata of the stream are malformed");
    return build_tree(import);
}

/* --- the walks --- */

static int check_batch(const struct ndshm__import *import, const struct ArrowArray *batch)
{
    struct ndshm__format record;
    struct ndshm__import_node top = {.schema = &import->schema};
    struct ndshm__import whole = {.nodes = &top};
    ndshm__format_parse("+s", &record);
    top.format = record;
    int status = ndshm__array_check(&whole, 0, batch);
    struct ndshm__span span = {batch, batch->offset, batch->length};
    const uint8_t *validity = status ? NULL : ndshm__span_validity(&top, &span);
    if (validity && ndshm__bits_zeros(validity, batch->offset, batch->length) > 0)
        return ndshm__fail(NDSHM_EDTYPE, "the stream has records that are null as a whole");
    return status;
}

typedef int walk(struct ndshm__import *import, int32_t index, const struct ndshm__span *span);

static int walk_batch(struct ndshm__import *import, const struct ArrowArray *batch, walk *visit)
{
    for (int32_t i = 0; i < (int32_t)batch->n_children; i++) {
        const struct ArrowArray *child = batch->children[i];
        int status = ndshm__array_check(import, i, child);
        if (!status && child->length < batch->offset + batch->length)
            status = ndshm__import_fail(&import->nodes[i], NDSHM_ECORRUPT,
                                        "it is shorter than its batch");
        if (status)
            return status;
        struct ndshm__span span = {child, child->offset + batch->offset, batch->length};
        status = visit(import, i, &span);
        if (status)
            return status;
    }
    return 0;
}

/* Dictionaries come behind what they belong to, so that all their spans are known by then. */
static int walk_dictionaries(struct ndshm__import *import, walk *visit)
{
    int status = 0;
    for (int32_t i = 0; i < import->count && !status; i++) {
        int32_t values = import->nodes[i].dictionary;
        for (int64_t j = 0; values && !status && j < import->nodes[values].nspans; j++)
            status = visit(import, values, &import->nodes[values].spans[j]);
    }
    return status;
}

static int walk_all(struct ndshm__import *import, walk *visit)
{
    int status = 0;
    for (int64_t i = 0; i < import->nbatches && !status; i++)
        status = walk_batch(import, &import->batches[i], visit);
    return status ? status : walk_dictionaries(import, visit);
}

static int measure(struct ndshm__import *import)
{
    for (int64_t i = 0; i < import->nbatches; i++) {
        int status = check_batch(import, &import->batches[i]);
        if (status)
            return status;
        if (!ndshm__add(import->rows, import->batches[i].length, &import->rows))
            return ndshm__fail(NDSHM_ESHAPE, "the stream has more rows than can be counted");
    }
    return walk_all(import, ndshm__import_measure);
}

/* --- what does not fit any more, when batches are joined --- */

static void widen(struct ndshm__import_node *node, const char *format)
{
    node->target_text = format;
    ndshm__format_parse(format, &node->target);
}

/* The largest number of an integer format. */
static int64_t largest(const struct ndshm__import_node *node)
{
    int64_t bits = node->format.bits;
    return bits == 64 ? INT64_MAX : (INT64_C(1) << (bits - (*node->schema->format >= 'a'))) - 1;
}

static int fit_lists(struct ndshm__import_node *node, const struct ndshm__import_node *child)
{
    if (node->format.width == 8 || child->length <= INT32_MAX)
        return 0;
    if (node->format.map)
        return ndshm__import_fail(node, NDSHM_ESHAPE, "a map cannot have more than 2^31 - 1 pairs");
    widen(node, node->format.layout == NDSHM__LAYOUT_LIST ? "+L" : "+vL");
    return 0;
}

static int fit_members(const struct ndshm__import *import, const struct ndshm__import_node *node)
{
    for (int32_t i = 0; i < node->format.children; i++)
        if (import->nodes[node->first_child + i].length > INT32_MAX)
            return ndshm__import_fail(node, NDSHM_ESHAPE,
                                      "a dense union cannot have more than 2^31 - 1 rows of a "
                                      "member");
    return 0;
}

static int fit(struct ndshm__import *import, struct ndshm__import_node *node)
{
    const struct ndshm__import_node *child = &import->nodes[node->first_child];
    switch (node->format.layout) {
    case NDSHM__LAYOUT_FIXED:
        if (node->dictionary && import->nodes[node->dictionary].length - 1 > largest(node))
            return ndshm__import_fail(node, NDSHM_ESHAPE,
                                      "its joined dictionary is too long for the type of its "
                                      "indices; cast them to a wider one");
        return 0;
    case NDSHM__LAYOUT_VARIABLE:
        if (node->format.width == 4 && node->bytes > INT32_MAX)
            widen(node, node->format.text ? "U" : "Z");
        return 0;
    case NDSHM__LAYOUT_LIST:
    case NDSHM__LAYOUT_LIST_VIEW:
        return fit_lists(node, child);
    case NDSHM__LAYOUT_DENSE:
        return fit_members(import, node);
    case NDSHM__LAYOUT_RUNS:
        if (child->null_count)
            return ndshm__import_fail(node, NDSHM_ECORRUPT, "its run ends have nulls");
        if (node->length > largest(child))
            return ndshm__import_fail(node, NDSHM_ESHAPE,
                                      "its rows are too many for the type of its run ends; cast "
                                      "them to a wider one");
        return 0;
    default:
        return 0;
    }
}

/* --- the frame --- */

static struct ndshm__draft draft_of(const struct ndshm__import_node *node)
{
    return (struct ndshm__draft){
        .name = node->schema->name ? node->schema->name : "",
        .format = node->target_text,
        .metadata = node->schema->metadata,
        .flags = (uint32_t)node->schema->flags & NDSHM__NODE_FLAGS,
        .children = (int32_t)node->schema->n_children,
        .dictionary = node->dictionary != 0,
        .validity = node->validity,
        .length = node->length,
        .null_count = node->null_count,
        .bytes = node->bytes,
        .pieces = node->pieces,
        .npieces = node->npieces,
    };
}

static int create(struct ndshm__import *import, const char *name, const ndshm_create_config *config,
                  ndshm_frame **out)
{
    struct ndshm__schema *schema = NULL;
    int64_t size, payload_size;
    int status = 0;
    for (int32_t i = 0; i < import->count && !status; i++)
        status = fit(import, &import->nodes[i]);
    if (status)
        return status;
    struct ndshm__draft *drafts = ndshm__alloc(((size_t)import->count + 1) * sizeof *drafts);
    if (!drafts)
        return ndshm__fail(-ENOMEM, "no memory to import a stream");
    for (int32_t i = 0; i < import->count; i++)
        drafts[i] = draft_of(&import->nodes[i]);
    status = ndshm__schema_build_tree(import->rows, (int32_t)import->schema.n_children, drafts,
                                      import->count, import->schema.metadata, &schema, &size,
                                      &payload_size);
    if (!status)
        status = ndshm__frame_from_schema(NULL, name, schema, size, payload_size, config, out);
    free(schema);
    free(drafts);
    return status;
}

static int fill(struct ndshm__import *import, ndshm_frame *frame)
{
    import->frame = frame;
    ndshm__segment_populate(frame->segment);
    return walk_all(import, ndshm__import_copy);
}

static void clear_node(struct ndshm__import_node *node)
{
    for (int64_t i = 0; i < node->nmappings; i++)
        if (i == 0 || node->mappings[i].to != node->mappings[i - 1].to)
            free(node->mappings[i].to);
    free(node->mappings);
    free(node->pieces);
    free(node->spans);
    ndshm__values_clear(&node->values);
}

static void clear(struct ndshm__import *import)
{
    for (int64_t i = 0; i < import->nbatches; i++)
        import->batches[i].release(&import->batches[i]);
    for (int32_t i = 0; i < import->count; i++)
        clear_node(&import->nodes[i]);
    if (import->schema.release)
        import->schema.release(&import->schema);
    free(import->batches);
    free(import->nodes);
}

static int import_stream(const char *name, struct ArrowArrayStream *stream,
                         const ndshm_create_config *config, ndshm_frame **out)
{
    struct ndshm__import import = {0};
    ndshm_frame *frame = NULL;
    int status = read_schema(&import, stream);
    if (!status)
        status = read_batches(&import, stream);
    if (!status)
        status = measure(&import);
    if (!status)
        status = create(&import, name, config, &frame);
    if (!status)
        status = fill(&import, frame);
    if (!status)
        status = ndshm__frame_finish(frame, config, out);
    else
        ndshm__frame_detach(&frame);
    clear(&import);
    return status;
}

int ndshm_frame_from_arrow(const char *name, struct ArrowArrayStream *stream,
                           const ndshm_create_config *config, ndshm_frame **out)
{
    ndshm__begin("ndshm_frame_from_arrow");
    if (!stream || !out)
        return ndshm__fail(-EINVAL, "stream or out is NULL");
    if (!stream->release)
        return ndshm__fail(-EINVAL, "the stream was released already");
    int status = import_stream(name, stream, config, out);
    if (!status)
        stream->release(stream);
    return status;
}
