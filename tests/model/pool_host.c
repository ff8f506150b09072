/* SPDX-License-Identifier: MIT */
/* The host of a pool, as a model. */
#include "pool_state.h"

#include <string.h>

static void format(struct state *s)
{
    s->memory = s->job;
    s->stop = s->done = s->hint = s->cancelled = 0;
    memset(s->claims, FREE, CHUNKS);
    memset(s->units, PENDING, CHUNKS);
    memset(s->attempts, 0, CHUNKS);
}

static int any_hazard(const struct state *s)
{
    for (int i = 0; i < pool_setup.workers; i++)
        if (s->current[i] == s->job)
            return 1;
    return 0;
}

static void end_job(struct state *s)
{
    for (int i = 0; i < pool_setup.chunks; i++)
        if (!s->stop && s->units[i] < OK)
            s->wrong = UNFINISHED;
    s->entry = 0;
}

int pool_step_host(struct state *s, int choice)
{
    if (choice == 1 && s->host == H_READ && pool_setup.cancel && !s->cancelled) {
        s->cancelled = s->stop = 1;
        s->host = H_CANCEL_UNMARK;
        return EXPLORE_KILL; /* nobody has to */
    }
    if (choice == 1 && s->supervisor == S_DEAD && (s->host == H_ASLEEP || s->host == H_BUSY)) {
        s->host = H_END; /* its wait is sliced, and looks whether the supervisor lives */
        return EXPLORE_STEP;
    }
    if (choice)
        return EXPLORE_NONE;
    switch ((enum host_step)s->host) {
    case H_TEAR:
        s->memory = TORN;
        break;
    case H_FORMAT:
        format(s);
        break;
    case H_PUT:
        s->entry = s->job;
        break;
    case H_OFFER:
        is(POOL_WAKE_FIRST) ? count_work(s) : mark(s);
        break;
    case H_OFFER_WORK:
        is(POOL_WAKE_FIRST) ? pool_wake_all(s) : count_work(s);
        break;
    case H_OFFER_WAKE:
        is(POOL_WAKE_FIRST) ? mark(s) : pool_wake_all(s);
        break;
    case H_READ:
        s->done_changed = 0;
        break;
    case H_LOOK:
        s->host = s->done ? H_REMOVE : H_WAITERS;
        return EXPLORE_STEP;
    case H_WAITERS:
        s->waiters = 1;
        break;
    case H_SLEEP:
        s->host = s->done_changed ? H_UNWAIT : H_ASLEEP;
        return EXPLORE_STEP;
    case H_ASLEEP:
        return EXPLORE_NONE;
    case H_UNWAIT:
        s->waiters = 0;
        s->host = H_READ;
        return EXPLORE_STEP;
    case H_CANCEL_UNMARK:
        s->runnable = 0;
        break;
    case H_REMOVE:
        end_job(s);
        break;
    case H_REMOVE_UNMARK:
        s->runnable = 0;
        break;
    case H_BUSY:
        if (!is(POOL_NO_BUSY_CHECK) && any_hazard(s))
            return EXPLORE_NONE;
        s->host = s->job == pool_setup.jobs ? H_END : H_TEAR;
        s->job++;
        return EXPLORE_STEP;
    case H_END:
        return EXPLORE_NONE;
    default:
        s->host =
            pool_settle(s, s->job, s->host, H_SETTLE, H_READ, &s->host_scan, &s->host_stopped);
        return EXPLORE_STEP;
    }
    s->host++;
    return EXPLORE_STEP;
}
