/* SPDX-License-Identifier: MIT */
/* Reading a payload piece by piece without faults: each piece is copied, and the copy is used. */
#ifndef NDSHM_LIB_FRAME_WINDOW_H
#define NDSHM_LIB_FRAME_WINDOW_H

#include "frame/schema.h"
#include "segment/segment.h"

struct ndshm__window {
    const ndshm__segment *segment;
    struct ndshm__buffer buffer; /* what may be looked at */
    char *bytes;                 /* a part of it */
    int64_t begin, size;
    int64_t room; /* of our own */
};

/* Before the first use, and to look at another buffer. A segment that nobody else knows yet is read
 * where it is. */
void ndshm__window_aim(struct ndshm__window *window, const ndshm__segment *segment,
                       struct ndshm__buffer buffer);

/* size bytes at that place in the buffer, where they are; valid until the next call. NULL with
 * *status set: no memory, or somebody truncated the segment. */
const void *ndshm__window_at(struct ndshm__window *window, int64_t offset, int64_t size,
                             int *status);
void ndshm__window_close(struct ndshm__window *window);

#endif
