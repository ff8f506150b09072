/* SPDX-License-Identifier: MIT */
#include "pool_state.h"

#include <string.h>

static const char *const host_names[] = {
    "tear",    "format", "put",    "offer",  "offer work",    "offer wake",       "read", "look",
    "waiters", "sleep",  "asleep", "unwait", "cancel unmark", "settle",           "scan", "done",
    "unmark",  "raise",  "tell",   "remove", "remove unmark", "look for hazards", "end"};
static const char *const worker_names[] = {"read work",
                                           "look at marks",
                                           "read entry",
                                           "set hazard",
                                           "look at entry again",
                                           "drop hazard",
                                           "unmark nothing",
                                           "look at nothing",
                                           "offer nothing",
                                           "offer nothing work",
                                           "offer nothing wake",
                                           "open",
                                           "count",
                                           "swap",
                                           "store claim",
                                           "find",
                                           "swap found",
                                           "look at stop",
                                           "release",
                                           "look at unit",
                                           "run",
                                           "end task",
                                           "finish",
                                           "look whether exhausted",
                                           "settle",
                                           "scan",
                                           "done",
                                           "unmark done",
                                           "raise",
                                           "tell",
                                           "unmark",
                                           "look at stop again",
                                           "look again",
                                           "offer again",
                                           "offer again work",
                                           "offer again wake",
                                           "leave",
                                           "park",
                                           "sleep",
                                           "asleep",
                                           "unpark",
                                           "dead"};
static const char *const supervisor_names[] = {"notice death",   "leave early",
                                               "forget",         "open",
                                               "find owned",     "charge",
                                               "give byte back", "look whether done",
                                               "offer",          "offer work",
                                               "offer wake",     "settle",
                                               "scan",           "done",
                                               "unmark",         "raise",
                                               "tell",           "raise anyhow",
                                               "tell anyhow",    "look at all",
                                               "offer all",      "offer all work",
                                               "offer all wake", "leave",
                                               "fork",           "dead"};

_Static_assert(sizeof host_names / sizeof *host_names == H_END + 1, "host");
_Static_assert(sizeof worker_names / sizeof *worker_names == W_DEAD + 1, "worker");
_Static_assert(sizeof supervisor_names / sizeof *supervisor_names == S_DEAD + 1, "supervisor");

static const char *const wrongs[] = {
    NULL, "two run one task at once", "a task that is final ends again",
    "a job is touched that is gone", "a job is done with a task that is not"};

struct pool_setup pool_setup;

/* --- pieces --- */

void pool_touch(struct state *s, int id)
{
    if (s->memory != id)
        s->wrong = GONE;
}

void pool_make_final(struct state *s, int chunk, int how)
{
    if (s->units[chunk] >= OK)
        s->wrong = FINAL_TWICE;
    s->units[chunk] = (uint8_t)how;
}

int pool_first(const struct state *s, int byte)
{
    for (int i = 0; i < pool_setup.chunks; i++)
        if (s->claims[i] == byte)
            return i;
    return -1;
}

static int asleep(const struct state *s, int worker)
{
    return s->workers[worker].step == W_ASLEEP;
}

int pool_wake_one(struct state *s, int choice)
{
    int any = 0;
    if (!s->parked)
        return choice == 0;
    for (int i = 0; i < pool_setup.workers; i++)
        any |= asleep(s, i);
    if (!any)
        return choice == 0;
    if (choice >= pool_setup.workers || !asleep(s, choice))
        return 0;
    s->workers[choice].step = W_UNPARK;
    return 1;
}

void pool_wake_all(struct state *s)
{
    for (int i = 0; s->parked && i < pool_setup.workers; i++)
        if (asleep(s, i))
            s->workers[i].step = W_UNPARK;
}

uint8_t pool_settle(struct state *s, int id, uint8_t step, int begin, int after, uint8_t *scan,
                    uint8_t *stopped)
{
    pool_touch(s, id);
    switch (step - begin) {
    case 0:
        *stopped = s->stop;
        *scan = 0;
        return (uint8_t)(begin + 1);
    case 1: {
        uint8_t byte = s->claims[*scan];
        if (*stopped ? byte != FREE && byte != FINAL : byte != FINAL)
            return (uint8_t)after;
        if (++*scan < pool_setup.chunks)
            return step;
        *scan = 0;
        return (uint8_t)(begin + 2);
    }
    case 2:
        if (s->done)
            return (uint8_t)after;
        s->done = 1;
        return (uint8_t)(begin + 3);
    case 3:
        s->runnable = 0;
        return (uint8_t)(begin + 4);
    case 4:
        if (is(POOL_WAITERS_FIRST)) {
            *scan = s->waiters;
            return (uint8_t)(begin + 5);
        }
        s->done_changed = 1;
        return (uint8_t)(begin + 5);
    default:
        if (is(POOL_WAITERS_FIRST))
            s->done_changed = 1;
        if ((is(POOL_WAITERS_FIRST) ? *scan : s->waiters) && s->host == H_ASLEEP)
            s->host = H_UNWAIT;
        *scan = 0;
        return (uint8_t)after;
    }
}

/* --- all of them --- */

static void begin(void *state)
{
    struct state *s = state;
    s->job = 1;
    s->deaths = (uint8_t)pool_setup.deaths;
}

static int step(void *state, int process, int choice, const char **what)
{
    struct state *s = state;
    if (process == POOL_HOST) {
        *what = choice ? s->host == H_READ ? "cancel" : "give up" : host_names[s->host];
        return pool_step_host(s, choice);
    }
    if (process == POOL_SUPERVISOR) {
        *what = choice == WORKERS ? "killed" : supervisor_names[s->supervisor];
        return pool_step_supervisor(s, choice);
    }
    *what = choice == WORKERS ? "killed" : worker_names[s->workers[process - POOL_WORKER].step];
    return pool_step_worker(s, process - POOL_WORKER, choice);
}

static const char *violation(const void *state)
{
    return wrongs[((const struct state *)state)->wrong];
}

static int may_rest(const void *state)
{
    return ((const struct state *)state)->host == H_END;
}

const struct explore_model *pool_model(const struct pool_setup *given)
{
    static struct explore_model model = {.size = sizeof(struct state),
                                         .choices = WORKERS + 1,
                                         .begin = begin,
                                         .step = step,
                                         .violation = violation,
                                         .may_rest = may_rest};
    pool_setup = *given;
    model.processes = POOL_WORKER + pool_setup.workers;
    return &model;
}
