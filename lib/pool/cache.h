/* SPDX-License-Identifier: MIT */
/* Segments that nobody uses any more and that tasks get again: touching fresh memory costs five
 * times as much as writing to it. */
#ifndef NDSHM_LIB_POOL_CACHE_H
#define NDSHM_LIB_POOL_CACHE_H

#include "pool/serving.h"

enum {
    NDSHM__CACHE_SMALLEST = 1 << 18, /* bytes: below that fresh memory is as good */
    NDSHM__KEPT_MAX = 8              /* mappings that a worker keeps */
};

/* How much a pool keeps: asked bytes, 0: the default, negative: nothing. */
int64_t ndshm__cache_limit(int64_t asked);

/* Whoever used a result last gives it back: it is kept, or unlinked when there is no room. uuid
 * NULL: any. -EAGAIN: somebody still uses it. */
int ndshm__cache_put(struct ndshm__pool_memory *pool, const char *pool_name, const char *name,
                     const uint8_t *uuid);

/* Unlinks everything that is kept. */
void ndshm__cache_flush(struct ndshm__pool_memory *pool, const char *pool_name);

/* What a dead worker was about to take. */
void ndshm__cache_settle(struct ndshm__pool_memory *pool, const char *pool_name, int slot);

/* A worker's mappings of such segments. */
struct ndshm__mappings {
    struct ndshm__pool_memory *pool;
    const char *pool_name;
    int slot;
    int count;
    int place;                                /* that the present task's result comes from, or -1 */
    bool zero;                                /* results begin as zeroes */
    struct ndshm__kept kept[NDSHM__KEPT_MAX]; /* the one used last comes last */
};

/* spec.make of a result; spec.maker is a struct ndshm__mappings. */
int ndshm__cache_make(const ndshm__spec *spec, ndshm__segment **out);

/* The result that was made is published, or given up. */
void ndshm__cache_made(struct ndshm__mappings *mappings);

/* Keeps the mapping of a published result, and lets go of the segment. */
void ndshm__cache_keep(struct ndshm__mappings *mappings, ndshm__segment *segment);

void ndshm__cache_drop(struct ndshm__mappings *mappings);

#endif
