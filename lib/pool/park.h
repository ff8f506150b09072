/* SPDX-License-Identifier: MIT */
/* Spin, then park: waiting for a word of shared memory to change. */
#ifndef NDSHM_LIB_POOL_PARK_H
#define NDSHM_LIB_POOL_PARK_H

#include <stdbool.h>

#include "pool/memory.h"

/* How long this process spins: in full after a wait that a full spin would have outlasted, half as
 * long after one that it would not. Threads may share it. */
struct ndshm__spin {
    _Atomic int64_t now_ns;
    int64_t most_ns;
};

void ndshm__spin_init(struct ndshm__spin *spin, int64_t most_ns);

/* Events. Read, then look at what the event is about, then wait with what was read: no change is
 * missed. timeout_ns -1: for ever. Comes back early at times. */
uint32_t ndshm__event_read(struct ndshm__event *event);
void ndshm__event_wait(struct ndshm__event *event, uint32_t seen, struct ndshm__spin *spin,
                       int64_t timeout_ns);
void ndshm__event_raise(struct ndshm__event *event);

/* The same for work: workers are registered by slot, so that a dead one can be struck off. At most
 * wanted workers are woken. */
void ndshm__work_wait(struct ndshm__pool_memory *pool, int slot, uint32_t seen,
                      struct ndshm__spin *spin, int64_t timeout_ns);
void ndshm__work_raise(struct ndshm__pool_memory *pool, int64_t wanted);
void ndshm__work_forget(struct ndshm__pool_memory *pool, int slot);

#endif
