/* SPDX-License-Identifier: MIT */
/* The supervisor of a pool, as a model: death.c. */
#include "pool_state.h"

#include <string.h>

static void notice(struct state *s, int whom)
{
    s->whom = (uint8_t)whom;
    s->whose = s->current[whom];
    if (!s->whose || s->entry != s->whose)
        s->whose = 0;
    s->supervisor = is(POOL_LEAVE_FIRST) ? S_LEAVE_EARLY : S_FORGET;
}

static void charge(struct state *s)
{
    if (s->units[s->chunk] == RUNNING && s->attempts[s->chunk] < pool_setup.retries) {
        s->attempts[s->chunk]++;
        s->units[s->chunk] = PENDING;
    } else if (s->units[s->chunk] == RUNNING) {
        pool_make_final(s, s->chunk, LOST);
    }
}

static int step_settling(struct state *s, int choice)
{
    int found;
    pool_touch(s, s->whose);
    switch ((enum supervisor_step)s->supervisor) {
    case S_OPEN:
        break;
    case S_FIND:
        found = pool_first(s, s->whom + 1);
        s->chunk = (uint8_t)(found < 0 ? 0 : found);
        s->supervisor = found < 0 ? S_LOOK : S_UNIT;
        return EXPLORE_STEP;
    case S_UNIT:
        charge(s);
        break;
    case S_BYTE:
        s->claims[s->chunk] = s->units[s->chunk] >= OK || is(POOL_FORGET_RUNNING) ? FINAL : FREE;
        s->supervisor = S_FIND;
        return EXPLORE_STEP;
    case S_LOOK:
        s->supervisor = s->stop || s->done || is(POOL_NO_OFFER_AT_DEATH) ? S_SETTLE : S_OFFER;
        return EXPLORE_STEP;
    case S_OFFER:
        mark(s);
        break;
    case S_OFFER_WORK:
        count_work(s);
        break;
    case S_OFFER_WAKE:
        if (!pool_wake_one(s, choice))
            return EXPLORE_NONE;
        break;
    case S_RAISE_ANYHOW:
        s->done_changed = 1;
        break;
    case S_TELL_ANYHOW:
        if (s->waiters && s->host == H_ASLEEP)
            s->host = H_UNWAIT;
        s->supervisor = S_LEAVE;
        return EXPLORE_STEP;
    default:
        s->supervisor = pool_settle(s, s->whose, s->supervisor, S_SETTLE,
                                    is(POOL_SILENT_DEATH) ? S_LEAVE : S_RAISE_ANYHOW, &s->sup_scan,
                                    &s->sup_stopped);
        return EXPLORE_STEP;
    }
    s->supervisor++;
    return EXPLORE_STEP;
}

int pool_step_supervisor(struct state *s, int choice)
{
    if (choice == WORKERS && pool_setup.supervisor_dies && s->supervisor != S_DEAD) {
        s->supervisor = S_DEAD;
        return EXPLORE_KILL;
    }
    if (choice && s->supervisor != S_OFFER_WAKE && s->supervisor != S_OFFER_ALL_WAKE &&
        s->supervisor != S_IDLE)
        return EXPLORE_NONE;
    switch ((enum supervisor_step)s->supervisor) {
    case S_IDLE:
        if (choice >= pool_setup.workers || !(s->unsettled & 1 << choice))
            return EXPLORE_NONE;
        notice(s, choice);
        return EXPLORE_STEP;
    case S_LEAVE_EARLY:
        s->current[s->whom] = 0;
        s->supervisor = S_FORGET;
        return EXPLORE_STEP;
    case S_FORGET:
        s->parked &= (uint8_t) ~(1 << s->whom);
        s->supervisor = s->whose ? S_OPEN : is(POOL_NO_OFFER_OF_ALL) ? S_LEAVE : S_LOOK_ALL;
        return EXPLORE_STEP;
    case S_LOOK_ALL:
        s->supervisor = s->entry ? S_OFFER_ALL : S_LEAVE;
        return EXPLORE_STEP;
    case S_OFFER_ALL:
        mark(s);
        s->supervisor = S_OFFER_ALL_WORK;
        return EXPLORE_STEP;
    case S_OFFER_ALL_WORK:
        count_work(s);
        s->supervisor = S_OFFER_ALL_WAKE;
        return EXPLORE_STEP;
    case S_OFFER_ALL_WAKE:
        if (!pool_wake_one(s, choice))
            return EXPLORE_NONE;
        s->supervisor = S_LEAVE;
        return EXPLORE_STEP;
    case S_LEAVE:
        s->current[s->whom] = 0;
        s->supervisor = S_FORK;
        return EXPLORE_STEP;
    case S_FORK:
        s->workers[s->whom].step = W_READ;
        s->unsettled &= (uint8_t) ~(1 << s->whom);
        s->whom = s->whose = s->chunk = s->sup_scan = s->sup_stopped = 0;
        s->supervisor = S_IDLE;
        return EXPLORE_STEP;
    case S_DEAD:
        return EXPLORE_NONE;
    default:
        return step_settling(s, choice);
    }
}
