/* SPDX-License-Identifier: MIT */
/* The pool's own segment: what host, supervisor and workers tell each other. Everything in it may
 * be read by any of them at any time; each part says who writes it. */
#ifndef NDSHM_LIB_POOL_MEMORY_H
#define NDSHM_LIB_POOL_MEMORY_H

#include <assert.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <ndshm/pool.h>

enum {
    NDSHM__POOL_LAYOUT = 0x3150444e, /* "NDP1" */
    NDSHM__ENTRIES = 64,             /* jobs under way at once */
    NDSHM__INLINE_SIZE = 24576       /* a job that fits needs no segment of its own */
};

enum { /* state of the pool */
       NDSHM__POOL_OPENING = 0,
       NDSHM__POOL_RUNNING = 1,
       NDSHM__POOL_STOPPING = 2, /* no more jobs; workers leave when there is nothing to do */
       NDSHM__POOL_CLOSING = 3,  /* everybody is ended at once */
       NDSHM__POOL_ENDED = 4,    /* the supervisor left in order */
       NDSHM__POOL_DEAD = 5      /* the supervisor gave up; see message */
};

enum { /* state of a slot */
       NDSHM__SLOT_FREE = 0,
       NDSHM__SLOT_STARTING = 1,
       NDSHM__SLOT_READY = 2,
       NDSHM__SLOT_JOINED = 3, /* a worker that is not our child */
       NDSHM__SLOT_FAILED = 4, /* its init failed */
       NDSHM__SLOT_LEFT = 5    /* it ended in order */
};

/* A place for a segment that can be used again, named POOL.free.PLACE. */
struct ndshm__free {
    _Atomic uint32_t owner; /* NDSHM__FREE_*, or 16 + slot: that worker takes it */
    uint32_t reserved;
    _Atomic int64_t size;
    uint8_t uuid[16]; /* a hint */
};

enum {
    NDSHM__FREE_PLACES = 64,
    NDSHM__FREE_NONE = 0,
    NDSHM__FREE_READY = 1,
    NDSHM__FREE_CHANGING = 2, /* by the host or the supervisor */
    NDSHM__FREE_TAKEN = 16
};

/* Things to wait for. waiters only saves system calls. */
struct ndshm__event {
    _Atomic uint32_t word;
    _Atomic uint32_t waiters;
};

struct ndshm__slot {
    _Alignas(64) _Atomic uint64_t current; /* id of the job that its worker may touch, or 0 */
    _Atomic uint32_t state;
    _Atomic uint32_t gate;    /* 1: its worker may begin */
    _Atomic uint32_t pid;     /* for people */
    _Atomic int64_t deadline; /* of unit, in ns, while its job has deadlines and it owns a chunk */
    _Atomic int64_t unit;
    _Atomic int64_t making; /* bytes of the result that its task makes, while there is a limit */
};

enum { NDSHM__ENTRY_INLINE = 1, NDSHM__ENTRY_FORKED_ONLY = 2 };

struct ndshm__entry {
    _Alignas(64) _Atomic uint64_t id; /* of the job, 0: none. Written by the host */
    _Atomic uint32_t flags;
    _Atomic int32_t timeout_ms; /* deadline of its tasks, or 0 */
    _Atomic int32_t broken;     /* why a worker could not serve it; 0: it can be */
};

struct ndshm__pool_memory {
    uint32_t layout;
    int32_t workers; /* own ones: slots 0 to workers - 1 */
    int64_t spin_ns; /* longest spin before parking; 0 where CPUs are short */
    char label[64];
    _Alignas(64) _Atomic uint32_t state;
    _Atomic uint32_t supervisor; /* pid, for people */
    _Atomic int32_t status;      /* why it is dead; CASed from 0 by whoever writes message */
    _Atomic uint32_t slots_used; /* slots from here on were never used */
    _Atomic uint32_t joined;     /* not 0 once a worker joined */
    _Atomic int64_t deaths;
    char message[256];
    _Alignas(64) _Atomic uint64_t runnable; /* entries that may have something to claim */
    _Alignas(64) _Atomic uint32_t work;     /* counts offers: what workers park on */
    _Atomic uint64_t parked[2];             /* slots whose worker is parked */
    _Alignas(64) struct ndshm__event done;  /* a job or the pool changed its state */
    struct ndshm__event step;               /* a unit was finished */
    _Atomic uint32_t watched;               /* its host waits at the file: see notify.c */
    struct ndshm__slot slots[NDSHM_WORKERS_MAX];
    struct ndshm__entry entries[NDSHM__ENTRIES];
    int64_t cache_limit;                 /* bytes in free segments; 0: none are kept */
    _Alignas(64) _Atomic int64_t cached; /* bytes in them now */
    struct ndshm__free free[NDSHM__FREE_PLACES];
    _Alignas(64) uint8_t inline_jobs[NDSHM__ENTRIES][NDSHM__INLINE_SIZE];
};

static_assert(sizeof(struct ndshm__slot) == 64, "slot");
static_assert(sizeof(struct ndshm__free) == 32, "free");
static_assert(sizeof(struct ndshm__entry) == 64, "entry");
static_assert(NDSHM_WORKERS_MAX < 0x80, "a claim byte holds a slot");

#endif
