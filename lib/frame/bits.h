/* SPDX-License-Identifier: MIT */
/* Bitmaps, least significant bit first. */
#ifndef NDSHM_LIB_FRAME_BITS_H
#define NDSHM_LIB_FRAME_BITS_H

#include <stdbool.h>
#include <stdint.h>

static inline bool ndshm__bit(const uint8_t *bits, int64_t i)
{
    return bits[i / 8] >> (i % 8) & 1;
}

/* How many of count bits from begin on are 0. */
int64_t ndshm__bits_zeros(const uint8_t *bits, int64_t begin, int64_t count);

/* Sets count bits from at on to those of source, or to 1 when source is NULL. The bits must have
 * been 0. */
void ndshm__bits_copy(uint8_t *target, int64_t at, const uint8_t *source, int64_t begin,
                      int64_t count);

#endif
