/* SPDX-License-Identifier: MIT */
#ifndef NDSHM_LIB_POOL_NOTIFY_H
#define NDSHM_LIB_POOL_NOTIFY_H

#include <stdbool.h>

#include "pool/memory.h"

/* A task ended: whether anybody waits for that, and telling them. */
static inline bool ndshm__awaited(const struct ndshm__pool_memory *pool)
{
    return (atomic_load_explicit(&pool->step.waiters, memory_order_relaxed) |
            atomic_load_explicit(&pool->watched, memory_order_relaxed)) != 0;
}

void ndshm__notify(struct ndshm__pool_memory *pool, const char *pool_name);

#endif
