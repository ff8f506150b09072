/* SPDX-License-Identifier: MIT */
/* The bytes of a segment's file, from an input: as they are, or built from what the input says. */
#ifndef NDSHM_TESTS_FUZZ_IMAGE_H
#define NDSHM_TESTS_FUZZ_IMAGE_H

#include "fuzz.h"

enum { FUZZ_IMAGE_MAX = 8 * 4096 };

struct fuzz_image {
    size_t size;
    _Alignas(8) uint8_t bytes[FUZZ_IMAGE_MAX];
};

void fuzz_image_make(struct fuzz_input *input, const char *name, struct fuzz_image *out);

#endif
