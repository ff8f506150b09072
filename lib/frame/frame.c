/* SPDX-License-Identifier: MIT */
/* Handles: from nothing, from a name, and their end. */
#include "frame/frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"

static int no_handle(void)
{
    return ndshm__fail(-EINVAL, "frame or out is NULL");
}

ndshm__segment *ndshm__frame_segment(const ndshm_frame *frame)
{
    return frame->segment;
}

const struct ndshm__schema *ndshm__frame_schema(const ndshm_frame *frame)
{
    return ndshm__segment_body(frame->segment);
}

/* A handle on all rows of a segment whose schema is known to be valid. */
static int make_handle(ndshm__segment *segment, ndshm_frame **out)
{
    ndshm_frame *frame = ndshm__alloc(sizeof *frame);
    if (!frame)
        return ndshm__fail(-ENOMEM, "'%s': no memory for a handle", ndshm__segment_name(segment));
    frame->segment = segment;
    frame->step = 1;
    frame->rows = ndshm__frame_schema(frame)->rows;
    frame->columns = ndshm__frame_schema(frame)->columns;
    *out = frame;
    return 0;
}

int ndshm__frame_from_schema(const char *pool, const char *name, const struct ndshm__schema *schema,
                             int64_t size, int64_t payload_size, const ndshm_create_config *config,
                             ndshm_frame **out)
{
    int64_t shape[2] = {schema->rows, schema->columns};
    ndshm__segment *segment = NULL;
    ndshm__spec spec = {.name = name,
                        .pool = pool,
                        .kind = NDSHM_KIND_FRAME,
                        .ndim = 2,
                        .shape = shape,
                        .body = schema,
                        .body_size = size,
                        .payload_size = payload_size,
                        .config = config};
    int status = ndshm__segment_create(&spec, &segment);
    if (!status)
        status = make_handle(segment, out);
    if (status)
        ndshm__segment_release(&segment);
    return status;
}

int ndshm__frame_create(const char *pool, const char *name, int64_t rows,
                        const ndshm_column_spec *columns, int ncolumns,
                        const ndshm_create_config *config, ndshm_frame **out)
{
    struct ndshm__schema *schema;
    int64_t size, payload_size;
    int status = ndshm__schema_build(rows, columns, ncolumns, &schema, &size, &payload_size);
    if (status)
        return status;
    status = ndshm__frame_from_schema(pool, name, schema, size, payload_size, config, out);
    free(schema);
    return status;
}

int ndshm_frame_create(const char *name, int64_t rows, const ndshm_column_spec *columns,
                       int ncolumns, const ndshm_create_config *config, ndshm_frame **out)
{
    ndshm__begin("ndshm_frame_create");
    return out ? ndshm__frame_create(NULL, name, rows, columns, ncolumns, config, out)
               : no_handle();
}

int ndshm__frame_from_segment(ndshm__segment *segment, ndshm_frame **out)
{
    const struct ndshm__schema *schema = ndshm__segment_body(segment);
    const char *wrong = ndshm__schema_check(schema, ndshm__segment_body_size(segment),
                                            ndshm__segment_payload_size(segment));
    if (!wrong && (ndshm__segment_dtype(segment) != 0 || ndshm__segment_ndim(segment) != 2 ||
                   ndshm__segment_shape(segment)[0] != schema->rows ||
                   ndshm__segment_shape(segment)[1] != schema->columns))
        wrong = "its shape and its schema differ";
    if (wrong)
        return ndshm__fail(NDSHM_ECORRUPT, "'%s': the frame is damaged: %s",
                           ndshm__segment_name(segment), wrong);
    return make_handle(segment, out);
}

/* --- by name --- */

static int attach_segment(const char *name, int access, ndshm_frame **out)
{
    ndshm__segment *segment = NULL;
    if ((access & ~NDSHM_FOREIGN) == NDSHM_WRITE)
        return ndshm__fail(-EACCES,
                           "'%s': a published frame is immutable; attach it with NDSHM_READ, or "
                           "with NDSHM_COW for changes of your own that nobody else sees",
                           name);
    int status = ndshm__segment_attach(name, NDSHM_KIND_FRAME, access, &segment);
    if (!status)
        status = ndshm__frame_from_segment(segment, out);
    if (status)
        ndshm__segment_release(&segment);
    return status;
}

int ndshm__frame_attach(const char *text, int access, ndshm_frame **out)
{
    ndshm__ref ref;
    ndshm_frame *frame = NULL;
    int status = ndshm__ref_split(text, &ref);
    if (!status)
        status = ndshm__frame_check_slice(&ref);
    if (!status)
        status = attach_segment(ref.name, access, &frame);
    if (status)
        return status;
    if (ref.count > 0)
        status = ndshm__frame_slice(frame, &ref);
    if (status)
        ndshm__frame_detach(&frame);
    else
        *out = frame;
    return status;
}

int ndshm_frame_attach(const char *ref, int access, ndshm_frame **out)
{
    ndshm__begin("ndshm_frame_attach");
    return out ? ndshm__frame_attach(ref, access, out) : no_handle();
}

/* --- the others --- */

int ndshm__frame_share(const ndshm_frame *frame, ndshm_frame **out)
{
    size_t picks = (size_t)frame->columns * sizeof *frame->picks;
    ndshm_frame *copy = ndshm__alloc(sizeof *copy);
    if (!copy)
        return ndshm__fail(-ENOMEM, "no memory for a handle");
    *copy = *frame;
    copy->borrowed = false;
    copy->slice = frame->slice ? ndshm__duplicate(frame->slice) : NULL;
    copy->picks = frame->picks ? ndshm__alloc(picks) : NULL;
    ndshm__segment_retain(copy->segment);
    if ((frame->slice && !copy->slice) || (frame->picks && !copy->picks)) {
        ndshm__frame_detach(&copy);
        return ndshm__fail(-ENOMEM, "no memory for a handle");
    }
    if (frame->picks)
        memcpy(copy->picks, frame->picks, picks);
    *out = copy;
    return 0;
}

int ndshm_frame_share(const ndshm_frame *frame, ndshm_frame **out)
{
    ndshm__begin("ndshm_frame_share");
    return frame && out ? ndshm__frame_share(frame, out) : no_handle();
}

const char *ndshm__frame_name(const ndshm_frame *frame)
{
    return frame->slice ? frame->slice : ndshm__segment_name(frame->segment);
}

const char *ndshm_frame_name(const ndshm_frame *frame)
{
    return frame && !frame->unnamed ? ndshm__frame_name(frame) : NULL;
}

int ndshm_frame_unlink(ndshm_frame *frame)
{
    ndshm__begin("ndshm_frame_unlink");
    return frame ? ndshm__segment_unlink(frame->segment) : no_handle();
}

void ndshm__frame_detach(ndshm_frame **frame)
{
    if (!frame || !*frame)
        return;
    ndshm__segment_release(&(*frame)->segment);
    free((*frame)->picks);
    free((*frame)->slice);
    free(*frame);
    *frame = NULL;
}

void ndshm_frame_detach(ndshm_frame **frame)
{
    if (frame && *frame && (*frame)->borrowed)
        *frame = NULL;
    else
        ndshm__frame_detach(frame);
}
