/* SPDX-License-Identifier: MIT */
/* Values as they lie in Arrow's buffers: string views, and integers of any width. */
#ifndef NDSHM_LIB_FRAME_VIEW_H
#define NDSHM_LIB_FRAME_VIEW_H

#include <stdbool.h>
#include <stdint.h>

enum { NDSHM__VIEW_INLINE = 12 }; /* bytes: longer strings lie elsewhere */

struct ndshm__view {
    int32_t size;
    char prefix[4]; /* of a short string the first of 12 bytes */
    int32_t piece;  /* which of the buffers of bytes */
    int32_t offset;
};

/* An integer of 1, 2, 4 or 8 bytes, aligned to them or not. */
int64_t ndshm__integer(const void *at, int32_t width, bool is_signed);
void ndshm__integer_put(void *at, int32_t width, int64_t value);

#endif
