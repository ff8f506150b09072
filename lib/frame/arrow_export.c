/* SPDX-License-Identifier: MIT */
/* Frames as Arrow structures. Every structure, children included, is one allocation with a count of
 * its own on the segment: consumers may move children out and release them on any thread. */
#include <ndshm/arrow.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"
#include "frame/frame.h"

/* --- schemas --- */

/* Behind it in the same allocation: pointers to the children, the children. */
struct schema_export {
    ndshm__segment *segment;
    struct ArrowSchema dictionary;
    struct ArrowSchema *children[];
};

static void release_schema(struct ArrowSchema *schema)
{
    struct schema_export *export = schema->private_data;
    for (int64_t i = 0; i < schema->n_children; i++)
        if (schema->children[i]->release)
            schema->children[i]->release(schema->children[i]);
    if (export->dictionary.release)
        export->dictionary.release(&export->dictionary);
    ndshm__segment_release(&export->segment);
    free(export);
    schema->release = NULL;
}

/* A structure with room for its children, which are yet to be exported: n_children counts those
 * that are. */
static int begin_schema(const ndshm_frame *frame, int32_t children, struct ArrowSchema *out)
{
    size_t each = sizeof(struct ArrowSchema *) + sizeof(struct ArrowSchema);
    struct schema_export *export = ndshm__alloc(sizeof *export + (size_t)children * each);
    if (!export)
        return ndshm__fail(-ENOMEM, "'%s': no memory for an Arrow schema",
                           ndshm__segment_name(frame->segment));
    struct ArrowSchema *child = (struct ArrowSchema *)(export->children + children);
    for (int32_t i = 0; i < children; i++)
        export->children[i] = &child[i];
    export->segment = ndshm__segment_retain(frame->segment);
    *out = (struct ArrowSchema){.children = children ? export->children : NULL,
                                .name = "",
                                .release = release_schema,
                                .private_data = export};
    return 0;
}

static const char *metadata_of(const struct ndshm__schema *schema, const struct ndshm__text *text)
{
    return text->size ? ndshm__schema_text(schema) + text->offset : NULL;
}

/* The recursion ends: the check at attach allows NDSHM__DEPTH_MAX levels. */
static int export_schema(const ndshm_frame *frame, int32_t index, struct ArrowSchema *out)
{
    const struct ndshm__schema *schema = ndshm__frame_schema(frame);
    const struct ndshm__node *node = &schema->node[index];
    const char *text = ndshm__schema_text(schema);
    int status = begin_schema(frame, node->children, out);
    if (status)
        return status;
    struct schema_export *export = out->private_data;
    out->format = text + node->format;
    out->name = text + node->name;
    out->metadata = metadata_of(schema, &node->metadata);
    out->flags = node->flags;
    for (int32_t i = 0; i < node->children && !status; i++) {
        status = export_schema(frame, node->first_child + i, out->children[i]);
        out->n_children += !status;
    }
    if (!status && node->dictionary) {
        status = export_schema(frame, node->dictionary, &export->dictionary);
        out->dictionary = status ? NULL : &export->dictionary;
    }
    if (status)
        release_schema(out);
    return status;
}

static int export_schemas(const ndshm_frame *frame, struct ArrowSchema *out)
{
    const struct ndshm__schema *schema = ndshm__frame_schema(frame);
    int status = begin_schema(frame, frame->columns, out);
    if (status)
        return status;
    out->format = "+s";
    out->metadata = metadata_of(schema, &schema->metadata);
    for (int32_t i = 0; i < frame->columns && !status; i++) {
        status = export_schema(frame, ndshm__frame_node(frame, i), out->children[i]);
        out->n_children += !status;
    }
    if (status)
        release_schema(out);
    return status;
}

/* --- arrays --- */

/* Behind it: pointers to the children, the children, the buffers, the sizes of views' bytes. */
struct array_export {
    ndshm__segment *segment;
    struct ArrowArray dictionary;
    struct ArrowArray *children[];
};

static void release_array(struct ArrowArray *array)
{
    struct array_export *export = array->private_data;
    for (int64_t i = 0; i < array->n_children; i++)
        if (array->children[i]->release)
            array->children[i]->release(array->children[i]);
    if (export->dictionary.release)
        export->dictionary.release(&export->dictionary);
    ndshm__segment_release(&export->segment);
    free(export);
    array->release = NULL;
}

static int begin_array(const ndshm_frame *frame, int32_t children, int64_t buffers, int64_t sizes,
                       struct ArrowArray *out)
{
    size_t each = sizeof(struct ArrowArray *) + sizeof(struct ArrowArray);
    size_t size = sizeof(struct array_export) + (size_t)children * each +
                  (size_t)buffers * sizeof(void *) + (size_t)sizes * sizeof(int64_t);
    struct array_export *export = ndshm__alloc(size);
    if (!export)
        return ndshm__fail(-ENOMEM, "'%s': no memory for an Arrow array",
                           ndshm__segment_name(frame->segment));
    struct ArrowArray *child = (struct ArrowArray *)(export->children + children);
    for (int32_t i = 0; i < children; i++)
        export->children[i] = &child[i];
    export->segment = ndshm__segment_retain(frame->segment);
    *out = (struct ArrowArray){.children = children ? export->children : NULL,
                               .buffers = (const void **)(child + children),
                               .n_buffers = buffers,
                               .release = release_array,
                               .private_data = export};
    return 0;
}

/* Views have their bytes' sizes as a last buffer. */
static void fill_buffers(const ndshm_frame *frame, const struct ndshm__node *node,
                         const struct ndshm__format *format, struct ArrowArray *out)
{
    const struct ndshm__schema *schema = ndshm__frame_schema(frame);
    const struct ndshm__buffer *buffers = ndshm__schema_buffers(schema) + node->first_buffer;
    const char *payload = ndshm__segment_payload(frame->segment);
    for (int32_t i = 0; i < node->buffers; i++)
        out->buffers[i] = payload + buffers[i].offset;
    if (ndshm__format_content(format, 0) == NDSHM__CONTENT_VALIDITY &&
        !ndshm__schema_validity(schema, node, format))
        out->buffers[0] = NULL;
    if (format->layout != NDSHM__LAYOUT_VIEW)
        return;
    int64_t *sizes = (int64_t *)(out->buffers + out->n_buffers);
    for (int32_t i = format->buffers; i < node->buffers; i++)
        sizes[i - format->buffers] = buffers[i].size;
    out->buffers[node->buffers] = sizes;
}

static int export_array(const ndshm_frame *frame, int32_t index, struct ArrowArray *out)
{
    const struct ndshm__schema *schema = ndshm__frame_schema(frame);
    const struct ndshm__node *node = &schema->node[index];
    struct ndshm__format format;
    ndshm__format_parse(ndshm__schema_text(schema) + node->format, &format);
    bool views = format.layout == NDSHM__LAYOUT_VIEW;
    int status = begin_array(frame, node->children, node->buffers + views,
                             views ? node->buffers - format.buffers : 0, out);
    if (status)
        return status;
    struct array_export *export = out->private_data;
    out->length = node->length;
    out->null_count = node->null_count;
    fill_buffers(frame, node, &format, out);
    for (int32_t i = 0; i < node->children && !status; i++) {
        status = export_array(frame, node->first_child + i, out->children[i]);
        out->n_children += !status;
    }
    if (!status && node->dictionary) {
        status = export_array(frame, node->dictionary, &export->dictionary);
        out->dictionary = status ? NULL : &export->dictionary;
    }
    if (status)
        release_array(out);
    return status;
}

static int export_arrays(const ndshm_frame *frame, struct ArrowArray *out)
{
    int status = begin_array(frame, frame->columns, 1, 0, out);
    if (status)
        return status;
    out->length = frame->rows;
    for (int32_t i = 0; i < frame->columns && !status; i++) {
        struct ArrowArray *child = out->children[i];
        ndshm_column column;
        ndshm__frame_column(frame, i, &column);
        status = export_array(frame, ndshm__frame_node(frame, i), child);
        if (status)
            break;
        out->n_children++;
        child->offset = frame->start;
        child->length = frame->rows;
        child->null_count = column.null_count;
    }
    if (status)
        release_array(out);
    return status;
}

/* --- the functions --- */

static int check_frame(const ndshm_frame *frame)
{
    const char *name = ndshm__segment_name(frame->segment);
    if (!ndshm__segment_published(frame->segment))
        return ndshm__fail(-EINVAL, "'%s': publish the frame before it is exported", name);
    if (frame->step != 1)
        return ndshm__fail(NDSHM_ESHAPE,
                           "'%s': Arrow cannot express every %lld-th row; attach all rows, or a "
                           "slice with a step of 1, and pick the rows there",
                           name, (long long)frame->step);
    return 0;
}

int ndshm_frame_to_arrow(const ndshm_frame *frame, struct ArrowSchema *schema,
                         struct ArrowArray *array)
{
    ndshm__begin("ndshm_frame_to_arrow");
    struct ArrowSchema made_schema = {0};
    struct ArrowArray made_array = {0};
    if (!frame || (!schema && !array))
        return ndshm__fail(-EINVAL, "frame is NULL, or both schema and array are");
    int status = check_frame(frame);
    if (!status && schema)
        status = export_schemas(frame, &made_schema);
    if (!status && array)
        status = export_arrays(frame, &made_array);
    if (status) {
        if (made_schema.release)
            release_schema(&made_schema);
        return status;
    }
    if (schema)
        *schema = made_schema;
    if (array)
        *array = made_array;
    return 0;
}

/* --- streams --- */

struct stream_export {
    ndshm_frame *frame;
    bool done;
    const char *error;
};

/* What Arrow's streams return: a positive errno. */
static int stream_status(struct stream_export *export, int status)
{
    export->error = status ? "no memory for the structures of a frame" : NULL;
    return status ? ENOMEM : 0;
}

static int stream_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    struct stream_export *export = stream->private_data;
    ndshm__quiet_begin();
    int status = export_schemas(export->frame, out);
    ndshm__quiet_end();
    return stream_status(export, status);
}

static int stream_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    struct stream_export *export = stream->private_data;
    int status = 0;
    if (export->done) {
        *out = (struct ArrowArray){0};
        return 0;
    }
    ndshm__quiet_begin();
    status = export_arrays(export->frame, out);
    ndshm__quiet_end();
    export->done = !status;
    return stream_status(export, status);
}

static const char *stream_error(struct ArrowArrayStream *stream)
{
    return ((struct stream_export *)stream->private_data)->error;
}

static void stream_release(struct ArrowArrayStream *stream)
{
    struct stream_export *export = stream->private_data;
    ndshm__frame_detach(&export->frame);
    free(export);
    stream->release = NULL;
}

int ndshm_frame_to_arrow_stream(const ndshm_frame *frame, struct ArrowArrayStream *out)
{
    ndshm__begin("ndshm_frame_to_arrow_stream");
    if (!frame || !out)
        return ndshm__fail(-EINVAL, "frame or out is NULL");
    int status = check_frame(frame);
    if (status)
        return status;
    struct stream_export *export = ndshm__alloc(sizeof *export);
    if (!export)
        return ndshm__fail(-ENOMEM, "'%s': no memory for a stream", ndshm__frame_name(frame));
    status = ndshm__frame_share(frame, &export->frame);
    if (status) {
        free(export);
        return status;
    }
    *out = (struct ArrowArrayStream){.get_schema = stream_schema,
                                     .get_next = stream_next,
                                     .get_last_error = stream_error,
                                     .release = stream_release,
                                     .private_data = export};
    return 0;
}
