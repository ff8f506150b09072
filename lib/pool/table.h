/* SPDX-License-Identifier: MIT */
/* The table of jobs under way, and who may be looking at which. */
#ifndef NDSHM_LIB_POOL_TABLE_H
#define NDSHM_LIB_POOL_TABLE_H

#include <stdbool.h>

#include "pool/memory.h"

/* Announces that the worker of slot is about to touch the job of an entry; its id, or 0 when there
 * is none. From then on, until it leaves, the host does not reuse the entry's memory. */
uint64_t ndshm__table_enter(struct ndshm__pool_memory *pool, int slot, int entry);
void ndshm__table_leave(struct ndshm__pool_memory *pool, int slot);

/* Whether any worker may still touch job id. */
bool ndshm__table_busy(struct ndshm__pool_memory *pool, uint64_t id);

/* The entry of job id, or -1. */
int ndshm__table_find(struct ndshm__pool_memory *pool, uint64_t id);

/* There may be something to claim in an entry: says so, and wakes up to wanted workers. */
void ndshm__table_offer(struct ndshm__pool_memory *pool, int entry, int64_t wanted);

/* There was nothing. Whoever calls it must look again afterwards: an offer made meanwhile may be
 * the one that was withdrawn. */
void ndshm__table_withdraw(struct ndshm__pool_memory *pool, int entry);

/* Gives an entry to a job, and takes it away. */
void ndshm__table_put(struct ndshm__pool_memory *pool, int entry, uint64_t id, uint32_t flags,
                      int32_t timeout_ms);
void ndshm__table_remove(struct ndshm__pool_memory *pool, int entry);

/* A worker could not serve the job. */
void ndshm__table_break(struct ndshm__pool_memory *pool, int entry, int status);

#endif
