/* SPDX-License-Identifier: MIT */
#include "pool/attachment.h"

#include "array/array.h"
#include "frame/frame.h"

int ndshm__attachment_open(const char *ref, int kind, int access, struct ndshm__attachment *out)
{
    struct ndshm__attachment found = {0};
    int status = NDSHM_EKIND;
    if (kind != NDSHM_KIND_FRAME)
        status = ndshm__array_attach(ref, access, &found.array);
    if (kind == NDSHM_KIND_FRAME || (kind == 0 && status == NDSHM_EKIND))
        status = ndshm__frame_attach(ref, access, &found.frame);
    if (!status)
        *out = found;
    return status;
}

void ndshm__attachment_lend(struct ndshm__attachment *attachment)
{
    if (attachment->array)
        attachment->array->borrowed = true;
    if (attachment->frame)
        attachment->frame->borrowed = true;
}

void ndshm__attachment_close(struct ndshm__attachment *attachment)
{
    if (attachment->array)
        attachment->array->borrowed = false;
    if (attachment->frame)
        attachment->frame->borrowed = false;
    ndshm_array_detach(&attachment->array);
    ndshm_frame_detach(&attachment->frame);
}

ndshm__segment *ndshm__attachment_segment(const struct ndshm__attachment *attachment)
{
    if (attachment->array)
        return ndshm__array_segment(attachment->array);
    return attachment->frame ? ndshm__frame_segment(attachment->frame) : NULL;
}

void ndshm__attachment_view(const struct ndshm__attachment *attachment, ndshm_view *out)
{
    *out = attachment->array->view;
}

ndshm__segment *ndshm__attachment_steal(struct ndshm__attachment *attachment)
{
    ndshm__segment *segment = ndshm__segment_retain(ndshm__attachment_segment(attachment));
    ndshm__attachment_close(attachment);
    return segment;
}

int ndshm__attachment_publish(struct ndshm__attachment *attachment)
{
    if (attachment->frame)
        return ndshm__frame_publish(attachment->frame);
    return ndshm__segment_publish(ndshm__array_segment(attachment->array));
}

/* A task writes all of its result. */
static int begin_result(int status, struct ndshm__attachment *result)
{
    if (status)
        return status;
    ndshm__segment_populate(ndshm__attachment_segment(result));
    ndshm__attachment_lend(result);
    return 0;
}

static void unpublished(ndshm_create_config *config)
{
    ndshm_create_config_init(config);
    config->flags = NDSHM_UNPUBLISHED;
}

int ndshm__attachment_create_array(const ndshm__spec *base, const char *name, ndshm_dtype dtype,
                                   int ndim, const int64_t *shape, struct ndshm__attachment *out)
{
    ndshm_create_config config;
    unpublished(&config);
    int status = ndshm__array_create(base, name, dtype, ndim, shape, &config, &out->array);
    if (!status)
        ndshm__attachment_lend(out);
    return status;
}

int ndshm__attachment_create_frame(const char *pool, const char *name, int64_t rows,
                                   const ndshm_column_spec *columns, int ncolumns,
                                   struct ndshm__attachment *out)
{
    ndshm_create_config config;
    ndshm_create_config_init(&config);
    return begin_result(
        ndshm__frame_create(pool, name, rows, columns, ncolumns, &config, &out->frame), out);
}
