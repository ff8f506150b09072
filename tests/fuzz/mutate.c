/* SPDX-License-Identifier: MIT */
#include "mutate.h"

#include <string.h>

/* SplitMix64. */
uint64_t mutate_random(uint64_t *seed)
{
    uint64_t z = *seed += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static size_t below(uint64_t *seed, size_t limit)
{
    return limit ? (size_t)(mutate_random(seed) % limit) : 0;
}

static size_t insert(uint64_t *seed, uint8_t *out, size_t size, size_t limit)
{
    size_t count = 1 + below(seed, 8), at = below(seed, size + 1);
    if (size + count > limit)
        return size;
    memmove(out + at + count, out + at, size - at);
    for (size_t i = 0; i < count; i++)
        out[at + i] = (uint8_t)mutate_random(seed);
    return size + count;
}

static size_t erase(uint64_t *seed, uint8_t *out, size_t size)
{
    size_t at = below(seed, size), count = 1 + below(seed, 8);
    count = count < size - at ? count : size - at;
    memmove(out + at, out + at + count, size - at - count);
    return size - count;
}

/* Numbers at the edges of their types. */
static void overwrite(uint64_t *seed, uint8_t *out, size_t size)
{
    static const uint64_t edges[] = {
        0, 1, UINT64_MAX, INT64_MAX, INT32_MAX, UINT32_MAX, UINT64_C(1) << 63, 0x80, 0x7F, 0x100};
    size_t width = (size_t)1 << below(seed, 4), at = below(seed, size);
    uint64_t value = edges[below(seed, sizeof edges / sizeof *edges)];
    memcpy(out + at, &value, width < size - at ? width : size - at);
}

/* A part of another input, or of the same one, over what is there. */
static void splice(uint64_t *seed, const struct mutate_bytes *other, uint8_t *out, size_t size)
{
    size_t from = below(seed, other->size), at = below(seed, size), count = below(seed, 64);
    count = count < other->size - from ? count : other->size - from;
    count = count < size - at ? count : size - at;
    if (count)
        memcpy(out + at, other->data + from, count);
}

size_t mutate(uint64_t *seed, const struct mutate_bytes *base, const struct mutate_bytes *other,
              uint8_t *out, size_t limit)
{
    enum { BIT, BYTE, NUMBER, INSERT, ERASE, SPLICE, WAYS };
    size_t size = base->size < limit ? base->size : limit;
    if (size)
        memcpy(out, base->data, size);
    for (size_t changes = 1 + below(seed, 4); changes > 0; changes--) {
        size_t way = size ? below(seed, WAYS) : INSERT;
        if (way == BIT)
            out[below(seed, size)] ^= (uint8_t)(1u << below(seed, 8));
        else if (way == BYTE)
            out[below(seed, size)] = (uint8_t)mutate_random(seed);
        else if (way == NUMBER)
            overwrite(seed, out, size);
        else if (way == INSERT)
            size = insert(seed, out, size, limit);
        else if (way == ERASE)
            size = erase(seed, out, size);
        else
            splice(seed, other, out, size);
    }
    return size;
}
