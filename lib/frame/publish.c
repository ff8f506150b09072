/* SPDX-License-Identifier: MIT */
/* The last moment at which a frame's values are looked at: from then on readers rely on them. */
#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "frame/frame.h"

/* The first row whose string leaves the data or ends before it begins, or -1. */
static int64_t check_offsets(const int32_t *offsets, int64_t rows, int64_t data_bytes)
{
    int32_t last = 0;
    for (int64_t row = 0; row <= rows; row++) {
        if (offsets[row] < last || offsets[row] > data_bytes)
            return row;
        last = offsets[row];
    }
    return -1;
}

static int64_t count_nulls(const uint8_t *validity, int64_t rows)
{
    int64_t valid = 0, bytes = rows / 8, i = 0;
    for (; i + 8 <= bytes; i += 8) {
        uint64_t word;
        memcpy(&word, validity + i, sizeof word);
        valid += __builtin_popcountll(word);
    }
    for (; i < bytes; i++)
        valid += __builtin_popcount(validity[i]);
    if (rows % 8)
        valid += __builtin_popcount(validity[bytes] & ((1u << (rows % 8)) - 1));
    return rows - valid;
}

static int finish_column(const ndshm_frame *frame, struct ndshm__column_record *record)
{
    const char *payload = ndshm__segment_payload(frame->segment);
    const char *text = ndshm__schema_text(ndshm__frame_schema(frame));
    if (record->offsets.size) {
        int64_t row = check_offsets((const int32_t *)(payload + record->offsets.offset),
                                    frame->rows, record->data.size);
        if (row >= 0)
            return ndshm__fail(NDSHM_ECORRUPT,
                               "'%s': column '%.40s': offset %lld is smaller than the one before, "
                               "or beyond the %lld bytes of data",
                               ndshm__frame_name(frame), text + record->name, (long long)row,
                               (long long)record->data.size);
    }
    if (record->flags & NDSHM__COLUMN_NULLABLE)
        record->null_count =
            count_nulls((const uint8_t *)payload + record->validity.offset, frame->rows);
    return 0;
}

int ndshm__frame_publish(ndshm_frame *frame)
{
    if (!ndshm__segment_published(frame->segment)) {
        struct ndshm__schema *schema = ndshm__segment_body(frame->segment);
        for (int i = 0; i < schema->columns; i++) {
            int status = finish_column(frame, &schema->records[i]);
            if (status)
                return status;
        }
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
