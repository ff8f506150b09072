/* SPDX-License-Identifier: MIT */
/* The state of the model of a pool, and the steps of its processes. */
#ifndef NDSHM_TESTS_POOL_STATE_H
#define NDSHM_TESTS_POOL_STATE_H

#include "pool_model.h"

enum { WORKERS = 3, CHUNKS = 3, TORN = 0xFF, FREE = 0, FINAL = 0x80 };
enum { PENDING = 0, RUNNING = 1, OK = 2, LOST = 3 };

/* The rest of a step that looks for completion, by whoever takes it: claim.c and serving.c. */
#define SETTLE_STEPS(P) P##_SETTLE, P##_SCAN, P##_DONE, P##_UNMARK, P##_RAISE, P##_TELL

enum host_step {
    H_TEAR,
    H_FORMAT,
    H_PUT,
    H_OFFER,
    H_OFFER_WORK,
    H_OFFER_WAKE,
    H_READ,
    H_LOOK,
    H_WAITERS,
    H_SLEEP,
    H_ASLEEP,
    H_UNWAIT,
    H_CANCEL_UNMARK,
    SETTLE_STEPS(H),
    H_REMOVE,
    H_REMOVE_UNMARK,
    H_BUSY,
    H_END
};

enum worker_step {
    W_READ,
    W_MARKS,
    W_ENTRY,
    W_HAZARD,
    W_RECHECK,
    W_UNHAZARD,
    W_NONE_UNMARK,
    W_NONE_LOOK,
    W_NONE_OFFER,
    W_NONE_OFFER_WORK,
    W_NONE_OFFER_WAKE,
    W_OPEN,
    W_HINT,
    W_SWAP,
    W_STORE_CLAIM,
    W_FIND,
    W_FIND_SWAP,
    W_STOP,
    W_RELEASE,
    W_BEGIN,
    W_RUN,
    W_END_TASK,
    W_FINISH,
    W_EXHAUSTED,
    SETTLE_STEPS(W),
    W_LEAVE_UNMARK,
    W_LEAVE_STOP,
    W_LEAVE_LOOK,
    W_LEAVE_OFFER,
    W_LEAVE_OFFER_WORK,
    W_LEAVE_OFFER_WAKE,
    W_LEAVE,
    W_PARK,
    W_SLEEP,
    W_ASLEEP,
    W_UNPARK,
    W_DEAD
};

enum supervisor_step {
    S_IDLE,
    S_LEAVE_EARLY,
    S_FORGET,
    S_OPEN,
    S_FIND,
    S_UNIT,
    S_BYTE,
    S_LOOK,
    S_OFFER,
    S_OFFER_WORK,
    S_OFFER_WAKE,
    SETTLE_STEPS(S),
    S_RAISE_ANYHOW,
    S_TELL_ANYHOW,
    S_LOOK_ALL,
    S_OFFER_ALL,
    S_OFFER_ALL_WORK,
    S_OFFER_ALL_WAKE,
    S_LEAVE,
    S_FORK,
    S_DEAD
};

struct worker {
    uint8_t step, id, chunk, scan, stopped, after; /* after: where settling returns to */
};

/* Words that only count are kept as what matters about them: whether they changed since somebody
 * read them. */
struct state {
    uint8_t entry, memory, runnable, stop, done, hint; /* entry: id; memory: whose job lies there */
    uint8_t claims[CHUNKS], units[CHUNKS], attempts[CHUNKS];
    uint8_t runs[CHUNKS]; /* workers that run it: not in any memory, but in the world */
    uint8_t work_changed, parked, current[WORKERS];
    uint8_t done_changed, waiters;
    uint8_t deaths, unsettled, job, cancelled, gave_up;
    uint8_t host, host_scan, host_stopped;
    uint8_t supervisor, whom, whose, chunk, sup_scan, sup_stopped;
    uint8_t wrong; /* index into wrongs */
    struct worker workers[WORKERS];
    uint8_t padding[6];
};
_Static_assert(sizeof(struct state) % 8 == 0, "state");

enum { NOTHING, TWICE, FINAL_TWICE, GONE, UNFINISHED }; /* wrong */

extern struct pool_setup pool_setup;

static inline int is(enum pool_mutant mutant)
{
    return pool_setup.mutant == mutant;
}

static inline void mark(struct state *s)
{
    s->runnable = 1;
}

static inline void count_work(struct state *s)
{
    s->work_changed = 0xFF;
}

/* Every process that touches a job must find it there. */
void pool_touch(struct state *s, int id);
void pool_make_final(struct state *s, int chunk, int how);

/* The first chunk with this byte, or -1. */
int pool_first(const struct state *s, int byte);

/* Wakes one of the workers that sleep, chosen by choice; 0: there is no such choice. */
int pool_wake_one(struct state *s, int choice);
void pool_wake_all(struct state *s);

/* One step of looking for completion: steps from begin on, and then after. */
uint8_t pool_settle(struct state *s, int id, uint8_t step, int begin, int after, uint8_t *scan,
                    uint8_t *stopped);

int pool_step_host(struct state *s, int choice);
int pool_step_worker(struct state *s, int self, int choice);
int pool_step_supervisor(struct state *s, int choice);

#endif
