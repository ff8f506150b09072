/* SPDX-License-Identifier: MIT */
/* A worker of a pool, as a model. */
#include "pool_state.h"

#include <string.h>

static void got(struct worker *w, int chunk)
{
    w->chunk = (uint8_t)chunk;
    w->step = W_STOP;
}

static void begin_task(struct state *s, int self)
{
    struct worker *w = &s->workers[self];
    if (s->runs[w->chunk])
        s->wrong = TWICE;
    s->runs[w->chunk] |= (uint8_t)(1 << self);
    s->units[w->chunk] = RUNNING;
}

static void end_task(struct state *s, int self)
{
    struct worker *w = &s->workers[self];
    s->runs[w->chunk] &= (uint8_t) ~(1 << self);
    pool_make_final(s, w->chunk, OK);
}

/* Entering an entry, or parking: worker_job.c, table.c, park.c. */
static int step_outside(struct state *s, int self, int choice)
{
    struct worker *w = &s->workers[self];
    uint8_t bit = (uint8_t)(1 << self);
    if (choice && w->step != W_NONE_OFFER_WAKE)
        return EXPLORE_NONE;
    switch (w->step) {
    case W_READ:
        s->work_changed &= (uint8_t)~bit;
        w->step = W_MARKS;
        break;
    case W_MARKS:
        w->step = s->runnable ? W_ENTRY : W_PARK;
        break;
    case W_ENTRY:
        w->id = s->entry;
        w->step = w->id ? W_HAZARD : W_NONE_UNMARK;
        break;
    case W_HAZARD:
        s->current[self] = w->id;
        w->step = is(POOL_NO_HAZARD_RECHECK) ? W_OPEN : W_RECHECK;
        break;
    case W_RECHECK:
        w->step = s->entry == w->id ? W_OPEN : W_UNHAZARD;
        break;
    case W_UNHAZARD:
        s->current[self] = 0;
        w->id = 0;
        w->step = W_NONE_UNMARK;
        break;
    case W_NONE_UNMARK:
        s->runnable = 0;
        w->step = W_NONE_LOOK;
        break;
    case W_NONE_LOOK:
        w->step = s->entry ? W_NONE_OFFER : W_PARK;
        break;
    case W_NONE_OFFER:
        mark(s);
        w->step = W_NONE_OFFER_WORK;
        break;
    case W_NONE_OFFER_WORK:
        count_work(s);
        w->step = W_NONE_OFFER_WAKE;
        break;
    case W_NONE_OFFER_WAKE:
        if (!pool_wake_one(s, choice))
            return EXPLORE_NONE;
        w->step = W_PARK;
        break;
    case W_PARK:
        s->parked |= bit;
        w->step = W_SLEEP;
        break;
    case W_SLEEP:
        w->step = s->work_changed & bit && !is(POOL_PARK_BLINDLY) ? W_UNPARK : W_ASLEEP;
        break;
    case W_UNPARK:
        s->parked &= (uint8_t)~bit;
        w->step = W_READ;
        break;
    default:
        return EXPLORE_NONE;
    }
    return EXPLORE_STEP;
}

/* Owning a chunk: claim.c. */
static void step_claim(struct state *s, struct worker *w, int self)
{
    int found;
    switch (w->step) {
    case W_HINT:
        w->step = s->hint < pool_setup.chunks ? W_SWAP
                  : is(POOL_CLAIM_BY_COUNTER) ? W_LEAVE_UNMARK
                                              : W_FIND;
        if (w->step == W_SWAP)
            w->chunk = s->hint++;
        break;
    case W_SWAP:
        if (!is(POOL_CLAIM_BY_COUNTER) && s->claims[w->chunk] != FREE) {
            w->step = W_HINT;
        } else if (is(POOL_CLAIM_BY_STORE)) {
            w->step = W_STORE_CLAIM;
        } else {
            s->claims[w->chunk] = (uint8_t)(self + 1);
            got(w, w->chunk);
        }
        break;
    case W_STORE_CLAIM:
        s->claims[w->chunk] = (uint8_t)(self + 1);
        got(w, w->chunk);
        break;
    case W_FIND:
        found = pool_first(s, FREE);
        w->step = found < 0 ? W_LEAVE_UNMARK : W_FIND_SWAP;
        w->chunk = (uint8_t)(found < 0 ? 0 : found);
        break;
    default: /* W_FIND_SWAP */
        if (s->claims[w->chunk] != FREE) {
            w->step = W_FIND;
        } else if (is(POOL_CLAIM_BY_STORE)) {
            w->step = W_STORE_CLAIM;
        } else {
            s->claims[w->chunk] = (uint8_t)(self + 1);
            got(w, w->chunk);
        }
    }
}

/* Running what is owned: worker.c. */
static void step_run(struct state *s, struct worker *w, int self)
{
    switch (w->step) {
    case W_STOP:
        w->step = s->stop ? W_RELEASE : W_BEGIN;
        break;
    case W_RELEASE:
        s->claims[w->chunk] = FREE;
        w->after = W_LEAVE_UNMARK;
        w->step = W_SETTLE;
        break;
    case W_BEGIN:
        w->step = s->stop || s->units[w->chunk] >= OK ? W_FINISH : W_RUN;
        break;
    case W_RUN:
        begin_task(s, self);
        w->step = W_END_TASK;
        break;
    case W_END_TASK:
        end_task(s, self);
        w->after = is(POOL_SETTLE_FIRST) ? W_FINISH : W_HINT;
        w->step = is(POOL_SETTLE_FIRST) ? W_EXHAUSTED : W_FINISH;
        break;
    case W_FINISH:
        s->claims[w->chunk] = FINAL;
        w->after = W_HINT;
        w->step = is(POOL_SETTLE_FIRST) ? W_HINT : W_EXHAUSTED;
        break;
    default: /* W_EXHAUSTED */
        w->step = s->hint >= pool_setup.chunks || s->stop ? (uint8_t)W_SETTLE : w->after;
    }
}

/* Leaving a job with nothing left to claim: worker.c. */
static int step_leave(struct state *s, struct worker *w, int self, int choice)
{
    switch (w->step) {
    case W_LEAVE_UNMARK:
        s->runnable = 0;
        w->step = is(POOL_NO_LOOK_AGAIN) ? W_LEAVE : W_LEAVE_STOP;
        break;
    case W_LEAVE_STOP:
        w->step = s->stop ? W_LEAVE : W_LEAVE_LOOK;
        break;
    case W_LEAVE_LOOK:
        w->step = pool_first(s, FREE) < 0 ? W_LEAVE : W_LEAVE_OFFER;
        break;
    case W_LEAVE_OFFER:
        mark(s);
        w->step = W_LEAVE_OFFER_WORK;
        break;
    case W_LEAVE_OFFER_WORK:
        count_work(s);
        w->step = W_LEAVE_OFFER_WAKE;
        break;
    case W_LEAVE_OFFER_WAKE:
        if (!pool_wake_one(s, choice))
            return EXPLORE_NONE;
        w->step = W_LEAVE;
        break;
    default: /* W_LEAVE */
        s->current[self] = 0;
        memset(w, 0, sizeof *w);
    }
    return EXPLORE_STEP;
}

static int kill_worker(struct state *s, int self)
{
    struct worker *w = &s->workers[self];
    if (w->step == W_DEAD || !s->deaths)
        return EXPLORE_NONE;
    s->deaths--;
    s->unsettled |= (uint8_t)(1 << self);
    for (int i = 0; i < CHUNKS; i++)
        s->runs[i] &= (uint8_t) ~(1 << self);
    memset(w, 0, sizeof *w);
    w->step = W_DEAD;
    return EXPLORE_KILL;
}

int pool_step_worker(struct state *s, int self, int choice)
{
    struct worker *w = &s->workers[self];
    if (choice == WORKERS)
        return kill_worker(s, self);
    if (w->step < W_OPEN || w->step > W_LEAVE)
        return step_outside(s, self, choice);
    if (choice && w->step != W_LEAVE_OFFER_WAKE)
        return EXPLORE_NONE;
    pool_touch(s, w->id);
    if (w->step == W_OPEN)
        w->step = W_HINT;
    else if (w->step <= W_FIND_SWAP)
        step_claim(s, w, self);
    else if (w->step <= W_EXHAUSTED)
        step_run(s, w, self);
    else if (w->step <= W_TELL)
        w->step = pool_settle(s, w->id, w->step, W_SETTLE, w->after, &w->scan, &w->stopped);
    else
        return step_leave(s, w, self, choice);
    return EXPLORE_STEP;
}
