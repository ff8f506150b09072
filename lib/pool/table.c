/* SPDX-License-Identifier: MIT */
#include "pool/table.h"

#include "pool/park.h"

static uint64_t bit(int entry)
{
    return UINT64_C(1) << entry;
}

uint64_t ndshm__table_enter(struct ndshm__pool_memory *pool, int slot, int entry)
{
    uint64_t id = atomic_load(&pool->entries[entry].id);
    if (!id)
        return 0;
    atomic_store(&pool->slots[slot].current, id);
    if (atomic_load(&pool->entries[entry].id) == id)
        return id;
    ndshm__table_leave(pool, slot);
    return 0;
}

void ndshm__table_leave(struct ndshm__pool_memory *pool, int slot)
{
    atomic_store(&pool->slots[slot].current, 0);
}

bool ndshm__table_busy(struct ndshm__pool_memory *pool, uint64_t id)
{
    uint32_t used = id ? atomic_load(&pool->slots_used) : 0;
    for (uint32_t i = 0; i < used && i < NDSHM_WORKERS_MAX; i++)
        if (atomic_load(&pool->slots[i].current) == id)
            return true;
    return false;
}

int ndshm__table_find(struct ndshm__pool_memory *pool, uint64_t id)
{
    for (int i = 0; id && i < NDSHM__ENTRIES; i++)
        if (atomic_load(&pool->entries[i].id) == id)
            return i;
    return -1;
}

void ndshm__table_offer(struct ndshm__pool_memory *pool, int entry, int64_t wanted)
{
    atomic_fetch_or(&pool->runnable, bit(entry));
    ndshm__work_raise(pool, wanted);
}

void ndshm__table_withdraw(struct ndshm__pool_memory *pool, int entry)
{
    atomic_fetch_and(&pool->runnable, ~bit(entry));
}

void ndshm__table_put(struct ndshm__pool_memory *pool, int entry, uint64_t id, uint32_t flags,
                      int32_t timeout_ms)
{
    atomic_store(&pool->entries[entry].timeout_ms, timeout_ms);
    atomic_store(&pool->entries[entry].flags, flags);
    atomic_store(&pool->entries[entry].broken, 0);
    atomic_store(&pool->entries[entry].id, id);
}

void ndshm__table_remove(struct ndshm__pool_memory *pool, int entry)
{
    atomic_store(&pool->entries[entry].id, 0);
    ndshm__table_withdraw(pool, entry);
}

void ndshm__table_break(struct ndshm__pool_memory *pool, int entry, int status)
{
    int32_t expected = 0;
    atomic_compare_exchange_strong(&pool->entries[entry].broken, &expected, status);
    ndshm__table_withdraw(pool, entry);
    ndshm__event_raise(&pool->done);
    ndshm__event_raise(&pool->step);
}
