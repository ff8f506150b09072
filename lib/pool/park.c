/* SPDX-License-Identifier: MIT */
#include "pool/park.h"

#include <limits.h>

#include "base/os.h"

enum { LOOKS = 32 }; /* between two readings of the clock */

void ndshm__spin_init(struct ndshm__spin *spin, int64_t most_ns)
{
    spin->most_ns = most_ns;
    spin->now_ns = most_ns;
}

static inline void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static bool look(const _Atomic uint32_t *word, uint32_t seen)
{
    for (int i = 0; i < LOOKS; i++) {
        if (atomic_load_explicit(word, memory_order_acquire) != seen)
            return true;
        relax();
    }
    return false;
}

/* Spins until *word is no longer seen; false: it still is. began: when that was. */
static bool spin_on(struct ndshm__spin *spin, const _Atomic uint32_t *word, uint32_t seen,
                    int64_t *began)
{
    if (!spin->most_ns)
        return false;
    *began = ndshm__os_now();
    int64_t end = *began + atomic_load_explicit(&spin->now_ns, memory_order_relaxed);
    bool changed;
    do
        changed = look(word, seen);
    while (!changed && ndshm__os_now() < end);
    return changed;
}

/* After parking: would a longer spin have paid? */
static void learn(struct ndshm__spin *spin, int64_t began)
{
    if (!spin->most_ns)
        return;
    int64_t next = atomic_load_explicit(&spin->now_ns, memory_order_relaxed) / 2;
    if (ndshm__os_now() - began < spin->most_ns)
        next = spin->most_ns;
    atomic_store_explicit(&spin->now_ns, next, memory_order_relaxed);
}

uint32_t ndshm__event_read(struct ndshm__event *event)
{
    return atomic_load(&event->word);
}

void ndshm__event_wait(struct ndshm__event *event, uint32_t seen, struct ndshm__spin *spin,
                       int64_t timeout_ns)
{
    int64_t began = 0;
    if (spin_on(spin, &event->word, seen, &began))
        return;
    atomic_fetch_add(&event->waiters, 1);
    ndshm__os_futex_wait(&event->word, seen, timeout_ns);
    atomic_fetch_sub(&event->waiters, 1);
    learn(spin, began);
}

void ndshm__event_raise(struct ndshm__event *event)
{
    atomic_fetch_add(&event->word, 1);
    if (atomic_load(&event->waiters))
        ndshm__os_futex_wake(&event->word, INT_MAX);
}

void ndshm__work_wait(struct ndshm__pool_memory *pool, int slot, uint32_t seen,
                      struct ndshm__spin *spin, int64_t timeout_ns)
{
    int64_t began = 0;
    if (spin_on(spin, &pool->work, seen, &began))
        return;
    atomic_fetch_or(&pool->parked[slot / 64], UINT64_C(1) << slot % 64);
    ndshm__os_futex_wait(&pool->work, seen, timeout_ns);
    ndshm__work_forget(pool, slot);
    learn(spin, began);
}

void ndshm__work_raise(struct ndshm__pool_memory *pool, int64_t wanted)
{
    atomic_fetch_add(&pool->work, 1);
    if (!(atomic_load(&pool->parked[0]) | atomic_load(&pool->parked[1])))
        return;
    /* A worker that joined may be unable to serve what is offered: then waking one would not do. */
    if (atomic_load(&pool->joined) || wanted > INT_MAX)
        wanted = INT_MAX;
    ndshm__os_futex_wake(&pool->work, (int32_t)wanted);
}

void ndshm__work_forget(struct ndshm__pool_memory *pool, int slot)
{
    atomic_fetch_and(&pool->parked[slot / 64], ~(UINT64_C(1) << slot % 64));
}
