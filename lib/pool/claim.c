/* SPDX-License-Identifier: MIT */
#include "pool/claim.h"

#define HIGH UINT64_C(0x8080808080808080)
#define LOW UINT64_C(0x7f7f7f7f7f7f7f7f)
#define ONES UINT64_C(0x0101010101010101)

enum { BLOCK_MAX = 64, BLOCK_SHARE = 1024 };

typedef uint64_t __attribute__((may_alias)) word;

/* Eight bytes at once. Processors order that with writes of single ones; the thread sanitizer does
 * not know it. */
static uint64_t load(const _Atomic uint8_t *bytes, int64_t at)
{
#ifdef NDSHM_THREAD_SANITIZER
    uint64_t all = 0;
    for (int i = 0; i < 8; i++)
        all |= (uint64_t)atomic_load(&bytes[at + i]) << 8 * i;
    return all;
#else
    return __atomic_load_n((const word *)(bytes + at), __ATOMIC_SEQ_CST);
#endif
}

/* The high bit of each byte that matches. */
static uint64_t is_zero(uint64_t bytes)
{
    return ~(((bytes & LOW) + LOW) | bytes) & HIGH;
}

static uint64_t is_open(uint64_t bytes)
{
    return ~bytes & HIGH;
}

static uint64_t is_owned(uint64_t bytes)
{
    return ~bytes & ((bytes & LOW) + LOW) & HIGH;
}

/* The first byte at or behind begin that matches, or -1. What lies behind the last one is final,
 * unless somebody wrote over it. */
static int64_t find(const _Atomic uint8_t *bytes, int64_t begin, int64_t end,
                    uint64_t (*matches)(uint64_t bytes))
{
    for (int64_t at = begin & ~INT64_C(7); at < end; at += 8) {
        uint64_t marks = matches(load(bytes, at));
        if (at < begin)
            marks &= ~UINT64_C(0) << 8 * (begin - at);
        if (!marks)
            continue;
        int64_t found = at + __builtin_ctzll(marks) / 8;
        return found < end ? found : -1;
    }
    return -1;
}

static bool claim(struct ndshm__job_view *job, int64_t chunk, int slot)
{
    uint8_t expected = NDSHM__CLAIM_FREE;
    return atomic_load_explicit(&job->claims[chunk], memory_order_relaxed) == expected &&
           atomic_compare_exchange_strong(&job->claims[chunk], &expected, (uint8_t)(slot + 1));
}

/* Takes the next block from the hint: many chunks at once where there are many, so that workers do
 * not fight for a cache line at every chunk. */
static bool next_block(struct ndshm__job_view *job, struct ndshm__cursor *cursor)
{
    int64_t total = job->chunks.total, block = total / BLOCK_SHARE;
    block = block < 1 ? 1 : block > BLOCK_MAX ? BLOCK_MAX : block;
    if (ndshm__claim_exhausted(job))
        return false;
    int64_t begin = atomic_fetch_add_explicit(&job->memory->hint, block, memory_order_relaxed);
    if (begin < 0 || begin >= total)
        return false;
    cursor->next = begin;
    cursor->end = total - begin < block ? total : begin + block;
    return true;
}

/* Chunks that others passed over, or lost: round from where the last one was found. */
static int64_t search(struct ndshm__job_view *job, struct ndshm__cursor *cursor, int slot)
{
    int64_t total = job->chunks.total;
    for (int round = 0; round < 2; round++) {
        int64_t chunk = cursor->scan;
        while ((chunk = find(job->claims, chunk, total, is_zero)) >= 0) {
            cursor->scan = chunk;
            if (claim(job, chunk, slot))
                return chunk;
        }
        cursor->scan = cursor->low;
    }
    return -1;
}

int64_t ndshm__claim_next(struct ndshm__job_view *job, struct ndshm__cursor *cursor, int slot)
{
    do {
        while (cursor->next < cursor->end) {
            int64_t chunk = cursor->next++;
            if (claim(job, chunk, slot))
                return chunk;
        }
    } while (next_block(job, cursor));
    if (job->facts.max_result_bytes) /* the lowest first, or what is read next might never begin */
        cursor->scan = cursor->low;
    return search(job, cursor, slot);
}

void ndshm__claim_finish(struct ndshm__job_view *job, int64_t chunk, int slot)
{
    atomic_exchange(&job->claims[chunk], (uint8_t)(NDSHM__CLAIM_FINAL | (slot + 1)));
}

void ndshm__claim_release(struct ndshm__job_view *job, int64_t chunk)
{
    atomic_exchange(&job->claims[chunk], NDSHM__CLAIM_FREE);
}

int64_t ndshm__claim_owned(const struct ndshm__job_view *job, int64_t begin, int slot)
{
    int64_t chunk = begin;
    while ((chunk = find(job->claims, chunk, job->chunks.total, is_owned)) >= 0) {
        if (atomic_load(&job->claims[chunk]) == slot + 1)
            return chunk;
        chunk++;
    }
    return -1;
}

bool ndshm__claim_any_owned(const struct ndshm__job_view *job, int64_t end)
{
    return find(job->claims, 0, end, is_owned) >= 0;
}

bool ndshm__claim_any_free(const struct ndshm__job_view *job, const struct ndshm__cursor *cursor)
{
    return find(job->claims, cursor->low, job->chunks.total, is_zero) >= 0;
}

bool ndshm__claim_complete(const struct ndshm__job_view *job, struct ndshm__cursor *cursor)
{
    int64_t total = job->chunks.total;
    if (atomic_load(&job->memory->stop))
        return find(job->claims, cursor->low, total, is_owned) < 0;
    if (ndshm__layout_is_stream(job)) /* what was final may be open again */
        return atomic_load(&job->memory->ended) && find(job->claims, 0, total, is_open) < 0;
    int64_t open = find(job->claims, cursor->low, total, is_open);
    cursor->low = open < 0 ? total : open;
    return open < 0;
}

int64_t ndshm__claim_ended(const struct ndshm__job_view *job, const uint8_t *given, int64_t begin,
                           int64_t end, bool any)
{
    for (int64_t at = begin & ~INT64_C(7); at < end; at += 8) {
        uint64_t marks = (any ? HIGH : load(job->states, at)) & ~*(const word *)(given + at) & HIGH;
        if (at < begin)
            marks &= ~UINT64_C(0) << 8 * (begin - at);
        if (!marks)
            continue;
        int64_t found = at + __builtin_ctzll(marks) / 8;
        return found < end ? found : -1;
    }
    return -1;
}

static void tally_byte(uint8_t state, struct ndshm__tally *out)
{
    out->final += state >= NDSHM__UNIT_FINAL;
    out->failed += state >= NDSHM__UNIT_FAILED;
    out->running += state == NDSHM__UNIT_RUNNING;
}

void ndshm__claim_tally(const struct ndshm__job_view *job, int64_t begin, int64_t end,
                        struct ndshm__tally *out)
{
    int64_t at = begin;
    *out = (struct ndshm__tally){0};
    for (; at < end && at % 8; at++)
        tally_byte(atomic_load(&job->states[at]), out);
    for (; at + 8 <= end; at += 8) {
        uint64_t bytes = load(job->states, at);
        out->final += __builtin_popcountll(bytes & HIGH);
        out->failed += __builtin_popcountll(bytes & bytes << 1 & HIGH);
        out->running += __builtin_popcountll(is_zero(bytes ^ ONES));
    }
    for (; at < end; at++)
        tally_byte(atomic_load(&job->states[at]), out);
}
