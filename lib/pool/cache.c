/* SPDX-License-Identifier: MIT */
#include "pool/cache.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/os.h"

static const int64_t default_limit = INT64_C(256) << 20;

int64_t ndshm__cache_limit(int64_t asked)
{
    ndshm__os_space space;
    if (asked)
        return asked < 0 ? 0 : asked;
    if (ndshm__os_space_of_directory(&space))
        return 0;
    return space.bytes / 4 < default_limit ? space.bytes / 4 : default_limit;
}

static void free_name(char name[NDSHM__MEMBER_SIZE], const char *pool, int place)
{
    snprintf(name, NDSHM__MEMBER_SIZE, "%s.free.%d", pool, place);
}

static bool change(struct ndshm__free *entry, uint32_t from, uint32_t to)
{
    return atomic_compare_exchange_strong(&entry->owner, &from, to);
}

/* --- giving back --- */

/* An empty place, changing, or -1. */
static int claim_place(struct ndshm__pool_memory *pool)
{
    for (int i = 0; i < NDSHM__FREE_PLACES; i++)
        if (change(&pool->free[i], NDSHM__FREE_NONE, NDSHM__FREE_CHANGING))
            return i;
    return -1;
}

static void give_up_place(struct ndshm__pool_memory *pool, int place)
{
    atomic_fetch_sub(&pool->cached, atomic_exchange(&pool->free[place].size, 0));
    atomic_store(&pool->free[place].owner, NDSHM__FREE_NONE);
}

/* Counts size in, if there is room. */
static bool reserve(struct ndshm__pool_memory *pool, int place, int64_t size)
{
    atomic_store(&pool->free[place].size, size);
    return atomic_fetch_add(&pool->cached, size) + size <= pool->cache_limit;
}

static int put(struct ndshm__pool_memory *pool, const char *pool_name, const char *name,
               const uint8_t *uuid, int64_t size)
{
    char target[NDSHM__MEMBER_SIZE];
    int place = claim_place(pool);
    if (place < 0)
        return -ENOSPC;
    free_name(target, pool_name, place);
    int status = reserve(pool, place, size) ? ndshm__segment_retire(name, uuid, target) : -ENOSPC;
    if (status) {
        give_up_place(pool, place);
        return status;
    }
    if (uuid)
        memcpy(pool->free[place].uuid, uuid, sizeof pool->free[place].uuid);
    atomic_store(&pool->free[place].owner, NDSHM__FREE_READY);
    return 0;
}

int ndshm__cache_put(struct ndshm__pool_memory *pool, const char *pool_name, const char *name,
                     const uint8_t *uuid)
{
    struct stat file;
    int status = -ENOSPC;
    if (pool->cache_limit && atomic_load(&pool->state) <= NDSHM__POOL_RUNNING &&
        ndshm__os_stat_name(name, &file) == 0 && file.st_size >= NDSHM__CACHE_SMALLEST)
        status = put(pool, pool_name, name, uuid, file.st_size);
    return status == -ENOSPC || status == -EEXIST ? ndshm__segment_retire(name, uuid, NULL)
                                                  : status;
}

static void remove_free(struct ndshm__pool_memory *pool, const char *pool_name, int place)
{
    char name[NDSHM__MEMBER_SIZE];
    free_name(name, pool_name, place);
    ndshm__quiet_begin();
    ndshm_unlink(name);
    ndshm__quiet_end();
    give_up_place(pool, place);
}

void ndshm__cache_flush(struct ndshm__pool_memory *pool, const char *pool_name)
{
    for (int i = 0; i < NDSHM__FREE_PLACES; i++)
        if (change(&pool->free[i], NDSHM__FREE_READY, NDSHM__FREE_CHANGING))
            remove_free(pool, pool_name, i);
}

void ndshm__cache_settle(struct ndshm__pool_memory *pool, const char *pool_name, int slot)
{
    for (int i = 0; i < NDSHM__FREE_PLACES; i++)
        if (change(&pool->free[i], NDSHM__FREE_TAKEN + (uint32_t)slot, NDSHM__FREE_CHANGING))
            remove_free(pool, pool_name, i);
}

/* --- the worker's mappings --- */

static int find_kept(const struct ndshm__mappings *mappings, const uint8_t *uuid)
{
    for (int i = 0; i < mappings->count; i++)
        if (memcmp(mappings->kept[i].uuid, uuid, 16) == 0)
            return i;
    return -1;
}

static struct ndshm__kept remove_kept(struct ndshm__mappings *mappings, int index)
{
    struct ndshm__kept removed = mappings->kept[index];
    mappings->count--;
    memmove(&mappings->kept[index], &mappings->kept[index + 1],
            (size_t)(mappings->count - index) * sizeof removed);
    return removed;
}

static void drop_kept(struct ndshm__mappings *mappings, int index)
{
    struct ndshm__kept removed = remove_kept(mappings, index);
    ndshm__kept_close(&removed);
}

void ndshm__cache_drop(struct ndshm__mappings *mappings)
{
    while (mappings->count)
        drop_kept(mappings, mappings->count - 1);
}

/* The oldest go, and those whose file nobody can name any more. */
static void make_room(struct ndshm__mappings *mappings, int64_t size)
{
    int workers = mappings->pool->workers > 0 ? mappings->pool->workers : 1;
    int64_t most = mappings->pool->cache_limit / workers;
    for (int i = mappings->count - 1; i >= 0; i--) {
        size += mappings->kept[i].total_size;
        if (size > most || mappings->count == NDSHM__KEPT_MAX ||
            !ndshm__kept_named(&mappings->kept[i])) {
            size -= mappings->kept[i].total_size;
            drop_kept(mappings, i);
        }
    }
}

void ndshm__cache_keep(struct ndshm__mappings *mappings, ndshm__segment *segment)
{
    struct ndshm__kept kept;
    if (!ndshm__segment_part(&segment, &kept))
        return;
    make_room(mappings, kept.total_size);
    mappings->kept[mappings->count++] = kept;
}

/* --- taking --- */

static bool fits(const struct ndshm__free *entry, int64_t size)
{
    int64_t has = atomic_load(&entry->size);
    return has >= size && has - size <= size / 4;
}

/* A free segment of about that size; those that are mapped already go first. */
static int take(struct ndshm__mappings *mappings, int64_t size)
{
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < NDSHM__FREE_PLACES; i++) {
            struct ndshm__free *entry = &mappings->pool->free[i];
            if (atomic_load(&entry->owner) == NDSHM__FREE_READY && fits(entry, size) &&
                (pass == 1 || find_kept(mappings, entry->uuid) >= 0) &&
                change(entry, NDSHM__FREE_READY, NDSHM__FREE_TAKEN + (uint32_t)mappings->slot))
                return i;
        }
    return -1;
}

static int reuse(struct ndshm__mappings *mappings, int place, const ndshm__spec *spec,
                 ndshm__segment **out)
{
    char name[NDSHM__MEMBER_SIZE];
    struct ndshm__kept kept;
    int index = find_kept(mappings, mappings->pool->free[place].uuid);
    free_name(name, mappings->pool_name, place);
    if (index >= 0) {
        kept = remove_kept(mappings, index);
    } else {
        int status = ndshm__kept_open(name, &kept);
        if (status)
            return status;
    }
    int status = ndshm__segment_reuse(spec, &kept, name, out);
    if (status)
        ndshm__kept_close(&kept);
    else if (mappings->zero)
        memset(ndshm__segment_payload(*out), 0, (size_t)spec->payload_size);
    return status;
}

static int create(struct ndshm__mappings *mappings, const ndshm__spec *spec, ndshm__segment **out)
{
    ndshm__spec fresh = *spec;
    fresh.keep = mappings->pool->cache_limit > 0 && spec->payload_size >= NDSHM__CACHE_SMALLEST;
    int status = ndshm__segment_create(&fresh, out);
    if (status == -ENOSPC) { /* what is kept for later is in the way now */
        ndshm__cache_drop(mappings);
        ndshm__cache_flush(mappings->pool, mappings->pool_name);
        status = ndshm__segment_create(&fresh, out);
    }
    if (!status)
        ndshm__segment_populate(*out); /* a task writes all of its result */
    return status;
}

int ndshm__cache_make(const ndshm__spec *spec, ndshm__segment **out)
{
    struct ndshm__mappings *mappings = spec->maker;
    int place =
        spec->payload_size >= NDSHM__CACHE_SMALLEST ? take(mappings, spec->payload_size) : -1;
    if (place < 0)
        return create(mappings, spec, out);
    ndshm__quiet_begin();
    int status = reuse(mappings, place, spec, out);
    ndshm__quiet_end();
    if (!status) {
        mappings->place = place;
        return 0;
    }
    remove_free(mappings->pool, mappings->pool_name, place);
    return create(mappings, spec, out);
}

void ndshm__cache_made(struct ndshm__mappings *mappings)
{
    if (mappings->place >= 0)
        give_up_place(mappings->pool, mappings->place);
    mappings->place = -1;
}
