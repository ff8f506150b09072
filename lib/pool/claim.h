/* SPDX-License-Identifier: MIT */
/* Who owns which chunk. A claim is a compare-and-swap of the chunk's byte, so that a worker killed
 * at any instruction either owns a chunk or does not; shared counters only say where to look. */
#ifndef NDSHM_LIB_POOL_CLAIM_H
#define NDSHM_LIB_POOL_CLAIM_H

#include <stdbool.h>

#include "pool/layout.h"

/* Where this process looks next. Zeroed at the beginning of a job. */
struct ndshm__cursor {
    int64_t next, end; /* a block of chunks that the hint gave us: to look at, not ours */
    int64_t scan;      /* where the search for chunks that others left goes on */
    int64_t low;       /* all chunks before it are final */
};

/* Claims a free chunk for slot; its index, or -1 when none is free. */
int64_t ndshm__claim_next(struct ndshm__job_view *job, struct ndshm__cursor *cursor, int slot);
void ndshm__claim_finish(struct ndshm__job_view *job, int64_t chunk, int slot);
void ndshm__claim_release(struct ndshm__job_view *job, int64_t chunk);

/* The first chunk at or behind begin that slot owns, or -1. */
int64_t ndshm__claim_owned(const struct ndshm__job_view *job, int64_t begin, int slot);

/* Whether somebody is at work before a chunk. */
bool ndshm__claim_any_owned(const struct ndshm__job_view *job, int64_t end);

bool ndshm__claim_any_free(const struct ndshm__job_view *job, const struct ndshm__cursor *cursor);

/* No chunk has still to be looked at for the first time. */
static inline bool ndshm__claim_exhausted(const struct ndshm__job_view *job)
{
    int64_t hint = atomic_load_explicit(&job->memory->hint, memory_order_relaxed);
    return hint < 0 || hint >= job->chunks.total; /* negative: somebody wrote over it */
}

/* Nothing will change any more: every chunk is final, or the job was stopped and no chunk is owned.
 * Whoever makes a chunk final or free calls it afterwards: of two who do so at once, one sees both.
 */
bool ndshm__claim_complete(const struct ndshm__job_view *job, struct ndshm__cursor *cursor);

/* The first unit at or behind begin that is not marked as given (0x80) and has ended; any: whether
 * or not. -1. There are 8 bytes more than units of given. */
int64_t ndshm__claim_ended(const struct ndshm__job_view *job, const uint8_t *given, int64_t begin,
                           int64_t end, bool any);

/* Units by state. */
struct ndshm__tally {
    int64_t final, failed, running;
};
void ndshm__claim_tally(const struct ndshm__job_view *job, int64_t begin, int64_t end,
                        struct ndshm__tally *out);

#endif
