/* SPDX-License-Identifier: MIT */
/* Inputs from inputs, repeatably: for runs without a fuzzing engine. */
#ifndef NDSHM_TESTS_FUZZ_MUTATE_H
#define NDSHM_TESTS_FUZZ_MUTATE_H

#include <stddef.h>
#include <stdint.h>

struct mutate_bytes {
    uint8_t *data;
    size_t size;
};

uint64_t mutate_random(uint64_t *seed);

/* Writes a changed copy of base, partly made of other, into out, which has room for limit bytes.
 * Its size. */
size_t mutate(uint64_t *seed, const struct mutate_bytes *base, const struct mutate_bytes *other,
              uint8_t *out, size_t limit);

#endif
