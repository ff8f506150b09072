/* SPDX-License-Identifier: MIT */
/* The last moment at which a frame's values are looked at: from then on readers rely on them. */
#include <errno.h>

#include "base/base.h"
#include "frame/bits.h"
#include "frame/frame.h"

static void count_nulls(const ndshm_frame *frame, struct ndshm__schema *schema)
{
    const char *payload = ndshm__segment_payload(frame->segment);
    const char *text = ndshm__schema_text(schema);
    struct ndshm__format format;
    for (int32_t i = 0; i < schema->nodes; i++) {
        struct ndshm__node *node = &schema->node[i];
        ndshm__format_parse(text + node->format, &format);
        const struct ndshm__buffer *validity = ndshm__schema_validity(schema, node, &format);
        if (validity)
            node->null_count =
                ndshm__bits_zeros((const uint8_t *)payload + validity->offset, 0, node->length);
    }
}

int ndshm__frame_publish(ndshm_frame *frame)
{
    if (!ndshm__segment_published(frame->segment)) {
        int status = ndshm__frame_check_values(frame, false);
        if (status)
            return status;
        count_nulls(frame, ndshm__segment_body(frame->segment));
    }
    return ndshm__segment_publish(frame->segment);
}

int ndshm_frame_publish(ndshm_frame *frame)
{
    ndshm__begin("ndshm_frame_publish");
    return frame ? ndshm__frame_publish(frame) : ndshm__fail(-EINVAL, "frame is NULL");
}

int ndshm__frame_finish(ndshm_frame *frame, const ndshm_create_config *config, ndshm_frame **out)
{
    ndshm_create_config known;
    ndshm_create_config_init(&known);
    int status = ndshm__config_copy(config, sizeof known, &known);
    if (!status && !(known.flags & NDSHM_UNPUBLISHED))
        status = ndshm__frame_publish(frame);
    if (status)
        ndshm__frame_detach(&frame);
    else
        *out = frame;
    return status;
}
