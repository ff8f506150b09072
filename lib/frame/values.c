/* SPDX-License-Identifier: MIT */
#include "frame/values.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"

enum { ROOM_MIN = 64 };

/* Multiplies and folds eight bytes at a time. */
static uint64_t mix(uint64_t hash, uint64_t word)
{
    unsigned __int128 product = (unsigned __int128)(hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t hash_of(const void *data, int64_t size)
{
    const char *at = data;
    uint64_t hash = UINT64_C(0xD6E8FEB86659FD93) + (uint64_t)size;
    for (; size > 0; at += 8, size -= 8) {
        uint64_t word = 0;
        memcpy(&word, at, size < 8 ? (size_t)size : 8);
        hash = mix(hash, word);
    }
    return mix(hash, UINT64_C(0xA0761D6478BD642F));
}

static int64_t find_slot(const struct ndshm__values *values, uint64_t hash, const void *data,
                         int64_t size)
{
    int64_t slot = (int64_t)(hash & (uint64_t)(values->nslots - 1));
    for (;; slot = (slot + 1) & (values->nslots - 1)) {
        if (values->slots[slot] == 0)
            return slot;
        const struct ndshm__value *entry = &values->entries[values->slots[slot] - 1];
        if (entry->hash == hash && entry->size == size &&
            (size == 0 || memcmp(entry->data, data, (size_t)size) == 0))
            return slot;
    }
}

/* Half of the slots stay free. */
static bool grow(struct ndshm__values *values)
{
    int64_t room = values->room ? 2 * values->room : ROOM_MIN, nslots = 2 * room;
    struct ndshm__value *entries = ndshm__resize(values->entries, (size_t)room * sizeof *entries);
    if (!entries)
        return false;
    values->entries = entries;
    int64_t *slots = ndshm__alloc((size_t)nslots * sizeof *slots);
    if (!slots)
        return false;
    free(values->slots);
    values->room = room;
    values->slots = slots;
    values->nslots = nslots;
    for (int64_t i = 0; i < values->count; i++) {
        int64_t slot = (int64_t)(entries[i].hash & (uint64_t)(nslots - 1));
        while (slots[slot])
            slot = (slot + 1) & (nslots - 1);
        slots[slot] = i + 1;
    }
    return true;
}

struct ndshm__value *ndshm__values_add(struct ndshm__values *values, const void *data, int64_t size,
                                       int64_t tag)
{
    if (values->count == values->room && !grow(values))
        return NULL;
    uint64_t hash = hash_of(data, size);
    int64_t slot = find_slot(values, hash, data, size);
    if (values->slots[slot] == 0) {
        values->entries[values->count] =
            (struct ndshm__value){.hash = hash, .data = data, .size = size, .tag = tag};
        values->slots[slot] = ++values->count;
    }
    struct ndshm__value *entry = &values->entries[values->slots[slot] - 1];
    entry->count++;
    return entry;
}

void ndshm__values_clear(struct ndshm__values *values)
{
    free(values->entries);
    free(values->slots);
    *values = (struct ndshm__values){0};
}
