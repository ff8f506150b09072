/* SPDX-License-Identifier: MIT */
/* How a job's tasks are cut into chunks. It depends on count and chunk alone, so that every process
 * computes the same bounds, and any number of workers combines results in the same order. */
#ifndef NDSHM_LIB_POOL_CHUNKS_H
#define NDSHM_LIB_POOL_CHUNKS_H

#include <stdint.h>

struct ndshm__chunks {
    int64_t count;   /* tasks */
    int64_t chunk;   /* tasks a chunk, the last one excepted; 0: see bounds */
    int64_t total;   /* chunks */
    int64_t *bounds; /* total + 1 of them, when chunks shrink */
};

/* chunk 0: one task each for up to 64 tasks; beyond, the first chunk has a 32nd of the tasks and
 * each further one a 32nd of what is left, down to one. -ENOMEM. */
int ndshm__chunks_init(struct ndshm__chunks *chunks, int64_t count, int64_t chunk);
void ndshm__chunks_free(struct ndshm__chunks *chunks);

void ndshm__chunks_bounds(const struct ndshm__chunks *chunks, int64_t index, int64_t *begin,
                          int64_t *end);

/* The chunk that holds a task. */
int64_t ndshm__chunks_find(const struct ndshm__chunks *chunks, int64_t task);

#endif
