/* SPDX-License-Identifier: MIT */
/* A set of values, which are bytes that lie elsewhere and stay there. */
#ifndef NDSHM_LIB_FRAME_VALUES_H
#define NDSHM_LIB_FRAME_VALUES_H

#include <stdint.h>

struct ndshm__value {
    uint64_t hash;
    const void *data;
    int64_t size;
    int64_t tag;   /* the caller's, from when it was added */
    int64_t count; /* how often it was given */
};

struct ndshm__values {
    struct ndshm__value *entries; /* in the order in which they came */
    int64_t count;
    int64_t room;
    int64_t *slots; /* 0, or 1 + the number of an entry */
    int64_t nslots;
};

/* The entry of those bytes, added with that tag when there is none, with its count raised. NULL: no
 * memory. Valid until the next call. */
struct ndshm__value *ndshm__values_add(struct ndshm__values *values, const void *data, int64_t size,
                                       int64_t tag);
void ndshm__values_clear(struct ndshm__values *values);

#endif
