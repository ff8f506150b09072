/* SPDX-License-Identifier: MIT */
#include "explore.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { STATE_MAX = 128 };

/* How a state was reached. */
struct origin {
    uint32_t from;
    uint8_t process, choice;
};

struct search {
    const struct explore_model *model;
    long limit, count;
    uint8_t *states; /* in the order in which they were found */
    struct origin *origins;
    uint32_t *table; /* places + 1 by hash */
    uint64_t mask;
};

static void *reserve(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

static void *state_at(const struct search *search, long place)
{
    return search->states + place * search->model->size;
}

static uint64_t hash(const void *state, int size)
{
    uint64_t value = 0x9E3779B97F4A7C15u, word;
    for (int at = 0; at < size; at += 8) {
        memcpy(&word, (const char *)state + at, sizeof word);
        value = (value ^ word) * 0xD6E8FEB86659FD93u;
        value ^= value >> 32;
    }
    return value;
}

/* The place in the table where a state is, or would be. */
static uint64_t find(const struct search *search, const void *state)
{
    int size = search->model->size;
    uint64_t slot = hash(state, size) & search->mask;
    while (search->table[slot] &&
           memcmp(state_at(search, search->table[slot] - 1), state, (size_t)size) != 0)
        slot = (slot + 1) & search->mask;
    return slot;
}

/* Keeps a state that is new. 1: there is no room for it. */
static int keep(struct search *search, const void *state, struct origin origin)
{
    int size = search->model->size;
    uint64_t slot = find(search, state);
    if (search->table[slot])
        return 0;
    if (search->count == search->limit)
        return 1;
    memcpy(state_at(search, search->count), state, (size_t)size);
    search->origins[search->count] = origin;
    search->table[slot] = (uint32_t)++search->count;
    return 0;
}

/* All states behind this one. *moved: somebody who cannot be counted out makes a step. */
static int expand(struct search *search, long place, int *moved)
{
    const struct explore_model *model = search->model;
    uint64_t next[STATE_MAX / 8];
    const char *what;
    *moved = 0;
    for (int process = 0; process < model->processes; process++)
        for (int choice = 0; choice < model->choices; choice++) {
            memcpy(next, state_at(search, place), (size_t)model->size);
            int kind = model->step(next, process, choice, &what);
            if (kind == EXPLORE_NONE ||
                memcmp(next, state_at(search, place), (size_t)model->size) == 0)
                continue; /* a look that changes nothing is waiting */
            *moved |= kind == EXPLORE_STEP;
            struct origin origin = {(uint32_t)place, (uint8_t)process, (uint8_t)choice};
            if (keep(search, next, origin))
                return 1;
        }
    return 0;
}

static void tell(const struct search *search, long place, struct explore_result *out)
{
    uint64_t state[STATE_MAX / 8];
    int length = 0;
    for (long at = place; at; at = search->origins[at].from)
        length++;
    out->length = length;
    for (long at = place; at; at = search->origins[at].from) {
        struct origin origin = search->origins[at];
        if (--length >= EXPLORE_STEPS)
            continue;
        memcpy(state, state_at(search, origin.from), (size_t)search->model->size);
        out->steps[length].process = origin.process;
        search->model->step(state, origin.process, origin.choice, &out->steps[length].what);
    }
}

static int visit_all(struct search *search, struct explore_result *out)
{
    const struct explore_model *model = search->model;
    uint64_t first[STATE_MAX / 8] = {0};
    int moved;
    model->begin(first);
    keep(search, first, (struct origin){0, 0, 0});
    for (long place = 0; place < search->count; place++) {
        const void *state = state_at(search, place);
        out->violation = model->violation(state);
        if (!out->violation && expand(search, place, &moved))
            return 1;
        if (!out->violation && !moved && !model->may_rest(state))
            out->violation = "everybody waits, and there is something to do";
        if (out->violation) {
            tell(search, place, out);
            return 0;
        }
    }
    return 0;
}

/* Whether a step that is no kill leads to a state that can end. */
static int leads_to(const struct search *search, long place, const uint8_t *ends)
{
    const struct explore_model *model = search->model;
    uint64_t next[STATE_MAX / 8];
    const char *what;
    for (int process = 0; process < model->processes; process++)
        for (int choice = 0; choice < model->choices; choice++) {
            memcpy(next, state_at(search, place), (size_t)model->size);
            if (model->step(next, process, choice, &what) == EXPLORE_STEP &&
                ends[search->table[find(search, next)] - 1])
                return 1;
        }
    return 0;
}

/* From which states rest can be reached: backwards, until nothing changes any more. */
static int check_ends(const struct search *search, struct explore_result *out)
{
    uint8_t *ends = reserve((size_t)search->count);
    if (!ends)
        return -1;
    for (int changed = 1; changed;) {
        changed = 0;
        for (long place = search->count - 1; place >= 0; place--)
            if (!ends[place] &&
                (search->model->may_rest(state_at(search, place)) || leads_to(search, place, ends)))
                changed = ends[place] = 1;
    }
    for (long place = 0; place < search->count && !out->violation; place++)
        if (!ends[place]) {
            out->violation = "all that can be done leads nowhere";
            tell(search, place, out);
        }
    munmap(ends, (size_t)search->count);
    return 0;
}

int explore(const struct explore_model *model, long limit, int always_ends,
            struct explore_result *out)
{
    struct search search = {.model = model, .limit = limit, .mask = 1};
    while (search.mask < 2 * (uint64_t)limit)
        search.mask *= 2;
    size_t sizes[] = {(size_t)limit * (size_t)model->size, (size_t)limit * sizeof *search.origins,
                      search.mask * sizeof *search.table};
    search.mask--;
    search.states = reserve(sizes[0]);
    search.origins = reserve(sizes[1]);
    search.table = reserve(sizes[2]);
    int status = -1;
    *out = (struct explore_result){0};
    if (model->size <= STATE_MAX && search.states && search.origins && search.table)
        status = visit_all(&search, out);
    if (status == 0 && always_ends && !out->violation)
        status = check_ends(&search, out);
    out->states = search.count;
    void *parts[] = {search.states, search.origins, search.table};
    for (int i = 0; i < 3; i++)
        if (parts[i])
            munmap(parts[i], sizes[i]);
    return status;
}
