/* SPDX-License-Identifier: MIT */
#include "segment_model.h"

#include <string.h>

enum { PROCESSES = 6, INODES = 3, NOBODY = 0xFF };
enum { NO_NAME, RESULT, NEXT, IN_CACHE }; /* names */
enum { RECLAIMABLE, PERSISTENT };

struct inode {
    uint8_t name, own;             /* the name that it has, and the one that its header says */
    uint8_t whole, data;           /* data: changes when it is refilled */
    uint8_t lifetime, pool, asked; /* pool: made in one; asked: somebody asked for its removal */
    uint8_t open, mapped;          /* by processes, a bit each */
    uint8_t live, live_write, cache, name_write, lease; /* a bit each, or who + 1 */
};

struct process {
    uint8_t step, inode, data;
};

struct state {
    struct inode inodes[INODES];
    struct process processes[PROCESSES];
    uint8_t pool_dead, wrong;
    uint8_t padding[2];
};
_Static_assert(sizeof(struct state) % 8 == 0, "state");

enum { FINE, LIVE_DELETED, HALF_MADE, OTHER_DATA, LATE, KEPT_DELETED };
static const char *const wrongs[] = {NULL,
                                     "the name of a segment in use is deleted",
                                     "a half-made segment is seen",
                                     "a segment in use changes into another",
                                     "a segment without a name is attached",
                                     "a persistent segment is reaped"};

enum { END = 0x7F };

static struct segment_setup setup;
static int processes;

static int is(enum segment_mutant mutant)
{
    return setup.mutant == mutant;
}

static uint8_t bit(int process)
{
    return (uint8_t)(1 << process);
}

/* --- the kernel --- */

static int named(const struct state *s, int name)
{
    for (int i = 0; i < INODES; i++)
        if (s->inodes[i].name == name)
            return i;
    return NOBODY;
}

/* What the kernel does when a process lets go of an inode, or dies. */
static void let_go(struct state *s, int self)
{
    struct process *p = &s->processes[self];
    if (p->inode != NOBODY) {
        struct inode *inode = &s->inodes[p->inode];
        uint8_t mask = (uint8_t)~bit(self), me = (uint8_t)(self + 1);
        inode->open &= mask;
        inode->mapped &= mask;
        inode->live &= mask;
        inode->cache &= mask;
        inode->live_write = inode->live_write == me ? 0 : inode->live_write;
        inode->name_write = inode->name_write == me ? 0 : inode->name_write;
        inode->lease = inode->lease == me ? 0 : inode->lease;
        if (!inode->open && !inode->mapped && !inode->name)
            memset(inode, 0, sizeof *inode);
    }
    *p = (struct process){END, NOBODY, 0};
}

static int open_new(struct state *s, int self)
{
    for (int i = 0; i < INODES; i++) {
        struct inode *inode = &s->inodes[i];
        if (inode->open || inode->mapped || inode->name)
            continue;
        inode->open = bit(self);
        s->processes[self].inode = (uint8_t)i;
        return 1;
    }
    return 0;
}

/* 1: opened; 0: there is no such name; -1: somebody holds a lease. */
static int open_name(struct state *s, int self, int name)
{
    int i = named(s, name);
    if (i == NOBODY)
        return 0;
    if (s->inodes[i].lease)
        return -1;
    s->inodes[i].open |= bit(self);
    s->processes[self].inode = (uint8_t)i;
    return 1;
}

/* Takes a name away from whatever has it now. */
static void unlink_name(struct state *s, int name, int asked_for)
{
    int i = named(s, name);
    if (i == NOBODY)
        return;
    struct inode *inode = &s->inodes[i];
    inode->name = NO_NAME;
    inode->asked |= i == asked_for;
    if (!inode->open && !inode->mapped)
        memset(inode, 0, sizeof *inode);
}

static int lock_write(uint8_t *write, uint8_t readers, int self)
{
    if (*write || readers & (uint8_t)~bit(self))
        return 0;
    *write = (uint8_t)(self + 1);
    return 1;
}

/* --- create.c --- */

static const char *const creator_names[] = {"open anonymous", "fill",      "lock live", "link",
                                            "lock late",      "fill late", "use",       "detach"};

static int step_creator(struct state *s, int self)
{
    struct process *p = &s->processes[self];
    struct inode *inode = &s->inodes[p->inode % INODES];
    int late = is(SEGMENT_LINK_BEFORE_LOCK), unfilled = is(SEGMENT_FILL_AFTER_LINK);
    switch (p->step) {
    case 0:
        if (!open_new(s, self))
            return EXPLORE_NONE;
        s->inodes[p->inode].own = RESULT;
        break;
    case 1:
        inode->whole = !unfilled;
        inode->mapped |= bit(self);
        break;
    case 2:
        inode->live |= late ? 0 : bit(self);
        break;
    case 3:
        if (named(s, RESULT) != NOBODY) {
            let_go(s, self);
            return EXPLORE_STEP;
        }
        inode->name = RESULT;
        break;
    case 4:
        if (late && inode->live_write)
            return EXPLORE_NONE;
        inode->live |= bit(self);
        break;
    case 5:
        inode->whole = 1;
        inode->open &= (uint8_t)~bit(self);
        break;
    case 6:
        break;
    default:
        let_go(s, self);
        return EXPLORE_STEP;
    }
    p->step++;
    return EXPLORE_STEP;
}

/* --- attach.c --- */

enum { A_OPEN, A_LOCK, A_COUNT, A_HEADER, A_MAP, A_USE, A_EARLY };
static const char *const attacher_names[] = {
    "open", "lock live", "look at link count", "read header", "map", "detach", "read header early"};

static int header_fits(struct state *s, const struct inode *inode)
{
    if (inode->own != RESULT && !is(SEGMENT_NO_OWN_NAME))
        return 0;
    if (!inode->whole && inode->name == RESULT)
        s->wrong = HALF_MADE;
    return inode->whole;
}

static int step_attacher(struct state *s, int self, int choice)
{
    struct process *p = &s->processes[self];
    struct inode *inode = &s->inodes[p->inode % INODES];
    int go_on = 1;
    if (choice && p->step != A_LOCK)
        return EXPLORE_NONE;
    switch (p->step) {
    case A_OPEN:
        go_on = open_name(s, self, RESULT);
        if (go_on < 0)
            return EXPLORE_NONE; /* tries again */
        p->step = is(SEGMENT_HEADER_BEFORE_LOCK) ? A_EARLY : A_LOCK;
        break;
    case A_EARLY:
        go_on = header_fits(s, inode);
        p->step = A_LOCK;
        break;
    case A_LOCK:
        if (choice == 1 && inode->live_write) {
            go_on = 0; /* -EBUSY */
        } else if (choice || inode->live_write) {
            return EXPLORE_NONE;
        } else {
            inode->live |= bit(self);
            p->step = A_COUNT;
        }
        break;
    case A_COUNT:
        go_on = inode->name != NO_NAME || is(SEGMENT_NO_LINK_COUNT);
        p->step = is(SEGMENT_HEADER_BEFORE_LOCK) ? A_MAP : A_HEADER;
        if (go_on && inode->name == NO_NAME)
            s->wrong = LATE;
        break;
    case A_HEADER:
        go_on = header_fits(s, inode);
        p->step = A_MAP;
        break;
    case A_MAP:
        inode->mapped |= bit(self);
        inode->open &= (uint8_t)~bit(self);
        p->data = inode->data;
        p->step = A_USE;
        break;
    default: /* of a reclaimable segment: nothing more than to let go */
        go_on = 0;
    }
    if (!go_on)
        let_go(s, self);
    return EXPLORE_STEP;
}

/* --- unlink.c --- */

static const char *const unlinker_names[] = {"open", "lock name", "compare file", "unlink",
                                             "give back"};

static int step_unlinker(struct state *s, int self)
{
    struct process *p = &s->processes[self];
    struct inode *inode = &s->inodes[p->inode % INODES];
    int opened;
    switch (p->step) {
    case 0:
        opened = open_name(s, self, RESULT);
        if (opened < 0)
            return EXPLORE_NONE;
        if (!opened) {
            let_go(s, self);
            return EXPLORE_STEP;
        }
        break;
    case 1:
        if (!is(SEGMENT_NO_NAME_LOCK) && !lock_write(&inode->name_write, 0, self))
            return EXPLORE_NONE;
        break;
    case 2:
        if (inode->name != RESULT && !is(SEGMENT_NO_SAME_FILE)) {
            let_go(s, self);
            return EXPLORE_STEP;
        }
        break;
    case 3:
        unlink_name(s, RESULT, p->inode);
        break;
    default:
        let_go(s, self);
        return EXPLORE_STEP;
    }
    p->step++;
    return EXPLORE_STEP;
}

/* --- reap.c --- */

static const char *const reaper_names[] = {"open",         "look first", "lock name",
                                           "lock live",    "lock cache", "lease",
                                           "compare file", "unlink",     "give back"};

static int allowed(const struct state *s, const struct inode *inode)
{
    return inode->lifetime == RECLAIMABLE && (!inode->pool || s->pool_dead);
}

/* Whether the step holds. */
static int proves(struct state *s, int self)
{
    struct process *p = &s->processes[self];
    struct inode *inode = &s->inodes[p->inode % INODES];
    uint8_t others = (uint8_t)~bit(self);
    switch (p->step) {
    case 1:
        return allowed(s, inode) && inode->name != NO_NAME;
    case 2:
        return lock_write(&inode->name_write, 0, self);
    case 3:
        return is(SEGMENT_REAP_NO_LIVE_NO_LEASE) ||
               lock_write(&inode->live_write, inode->live, self);
    case 4:
        return !(inode->cache & others);
    case 5:
        if (is(SEGMENT_REAP_NO_LIVE_NO_LEASE) || setup.lock_only)
            return 1;
        if ((inode->open | inode->mapped) & others)
            return 0;
        inode->lease = (uint8_t)(self + 1);
        return 1;
    default: /* 6 */
        return (inode->name == RESULT || is(SEGMENT_REAP_NO_SAME_FILE)) &&
               (allowed(s, inode) || is(SEGMENT_REAP_NO_LOOK_AGAIN));
    }
}

static int step_reaper(struct state *s, int self)
{
    struct process *p = &s->processes[self];
    if (p->step == 0 && open_name(s, self, RESULT) > 0) {
        p->step++;
    } else if (p->step == 7) {
        struct inode *inode = &s->inodes[p->inode];
        if (inode->name == RESULT && inode->lifetime == PERSISTENT)
            s->wrong = KEPT_DELETED;
        unlink_name(s, RESULT, NOBODY);
        p->step++;
    } else if (p->step > 0 && p->step < 7 && proves(s, self)) {
        p->step++;
    } else {
        let_go(s, self);
    }
    return EXPLORE_STEP;
}

/* --- who makes a segment persistent, and leaves --- */

static const char *const keeper_names[] = {"open", "lock name", "compare file", "write lifetime"};

static int step_keeper(struct state *s, int self)
{
    struct process *p = &s->processes[self];
    struct inode *inode = &s->inodes[p->inode % INODES];
    int opened = 1;
    switch (p->step) {
    case 0:
        opened = open_name(s, self, RESULT);
        if (opened < 0)
            return EXPLORE_NONE;
        break;
    case 1:
        if (!is(SEGMENT_KEEP_NO_NAME_LOCK) && !lock_write(&inode->name_write, 0, self))
            return EXPLORE_NONE;
        break;
    case 2:
        opened = inode->name == RESULT;
        break;
    default:
        inode->lifetime = PERSISTENT;
        opened = 0;
    }
    if (opened)
        p->step++;
    else
        let_go(s, self);
    return EXPLORE_STEP;
}

/* --- a pool's segment, and its second life --- */

/* clang-format off */
enum {
    P_OPEN, P_FILL, P_LOCK, P_LINK, P_DETACH, P_LOCK_NAME, P_COMPARE, P_LOCK_LIVE, P_TO_CACHE, P_TEAR,
    P_REFILL, P_PUBLISH, P_GIVE_BACK, P_REST
};
/* clang-format on */
static const char *const pool_names[] = {"open anonymous",
                                         "fill",
                                         "lock live and cache",
                                         "link",
                                         "detach",
                                         "lock name",
                                         "compare file",
                                         "lock live for writing",
                                         "rename to cache",
                                         "tear",
                                         "refill",
                                         "rename to next",
                                         "give back",
                                         "rest"};

static int step_pool(struct state *s, int self)
{
    struct process *p = &s->processes[self];
    struct inode *inode = &s->inodes[p->inode % INODES];
    switch (p->step) {
    case P_OPEN:
        if (!open_new(s, self))
            return EXPLORE_NONE;
        s->inodes[p->inode].own = RESULT;
        s->inodes[p->inode].pool = 1;
        break;
    case P_FILL:
        inode->whole = 1;
        inode->mapped |= bit(self); /* the cached mapping, which keeps its descriptor */
        break;
    case P_LOCK:
        inode->live |= bit(self);
        inode->cache |= bit(self);
        break;
    case P_LINK:
        if (named(s, RESULT) != NOBODY) {
            p->step = P_REST;
            return EXPLORE_STEP;
        }
        inode->name = RESULT;
        break;
    case P_DETACH:
        inode->live &= (uint8_t)~bit(self);
        break;
    case P_LOCK_NAME:
        if (!is(SEGMENT_RECYCLE_NO_NAME_LOCK) && !lock_write(&inode->name_write, 0, self))
            return EXPLORE_NONE;
        break;
    case P_COMPARE:
        if (inode->name != RESULT) {
            p->step = P_GIVE_BACK;
            return EXPLORE_STEP;
        }
        break;
    case P_LOCK_LIVE:
        if (!is(SEGMENT_RECYCLE_NO_LIVE_LOCK) &&
            !lock_write(&inode->live_write, inode->live, self)) {
            p->step = P_GIVE_BACK; /* somebody uses it: it is not recycled */
            return EXPLORE_STEP;
        }
        break;
    case P_TO_CACHE:
        inode->name = IN_CACHE;
        break;
    case P_TEAR:
        inode->whole = 0;
        break;
    case P_REFILL:
        inode->whole = 1;
        inode->own = NEXT;
        inode->data++;
        break;
    case P_PUBLISH:
        if (named(s, NEXT) == NOBODY && inode->name == IN_CACHE)
            inode->name = NEXT;
        break;
    case P_GIVE_BACK:
        inode->live_write = inode->live_write == self + 1 ? 0 : inode->live_write;
        inode->name_write = inode->name_write == self + 1 ? 0 : inode->name_write;
        break;
    default:
        return EXPLORE_NONE;
    }
    p->step++;
    return EXPLORE_STEP;
}

/* --- all of them --- */

static void begin(void *state)
{
    struct state *s = state;
    for (int i = 0; i < PROCESSES; i++)
        s->processes[i].inode = NOBODY;
}

static const char *name_of(char role, int step)
{
    switch (role) {
    case 'C':
        return creator_names[step];
    case 'A':
        return attacher_names[step];
    case 'U':
        return unlinker_names[step];
    case 'R':
        return reaper_names[step];
    case 'K':
        return keeper_names[step];
    default:
        return pool_names[step];
    }
}

/* A step that the mutant leaves out: nothing happens, and nothing is to be done when it is
 * replayed. */
static int left_out(char role, int step)
{
    return (role == 'C' && step == 2 && is(SEGMENT_LINK_BEFORE_LOCK)) ||
           (role == 'K' && step == 1 && is(SEGMENT_KEEP_NO_NAME_LOCK)) ||
           (role == 'U' && step == 1 && is(SEGMENT_NO_NAME_LOCK)) ||
           (role == 'R' && (step == 3 || step == 5) && is(SEGMENT_REAP_NO_LIVE_NO_LEASE));
}

static int kill_process(struct state *s, int self)
{
    s->pool_dead |= setup.roles[self] == 'P';
    let_go(s, self);
    return EXPLORE_KILL;
}

static int step(void *state, int self, int choice, const char **what)
{
    struct state *s = state;
    char role = setup.roles[self];
    int now = s->processes[self].step;
    if (now == END || (choice == 2 && now == 0 && role != 'P'))
        return EXPLORE_NONE;
    *what = choice == 2 ? "killed" : left_out(role, now) ? "nothing" : name_of(role, now);
    if (choice == 2)
        return kill_process(s, self);
    if (role == 'A')
        return step_attacher(s, self, choice);
    if (choice)
        return EXPLORE_NONE;
    switch (role) {
    case 'C':
        return step_creator(s, self);
    case 'U':
        return step_unlinker(s, self);
    case 'R':
        return step_reaper(s, self);
    case 'K':
        return step_keeper(s, self);
    default:
        return step_pool(s, self);
    }
}

/* Who counts as a user: from the end of the attach, or of the creation, on. */
static int uses(const struct process *p, char role)
{
    return (role == 'A' && p->step == A_USE) || (role == 'C' && (p->step == 6 || p->step == 7)) ||
           (role == 'P' && p->step == P_DETACH);
}

static const char *violation(const void *state)
{
    const struct state *s = state;
    for (int i = 0; i < processes; i++) {
        const struct process *p = &s->processes[i];
        if (!uses(p, setup.roles[i]))
            continue;
        const struct inode *inode = &s->inodes[p->inode];
        if (inode->name == NO_NAME && !inode->asked)
            return wrongs[LIVE_DELETED];
        if (!inode->whole)
            return wrongs[HALF_MADE];
        if (inode->own != RESULT || (setup.roles[i] == 'A' && inode->data != p->data))
            return wrongs[OTHER_DATA];
    }
    return wrongs[s->wrong];
}

/* Nobody waits for anybody but for a while: whoever can take no step is at rest or has ended. */
static int may_rest(const void *state)
{
    const struct state *s = state;
    for (int i = 0; i < processes; i++)
        if (s->processes[i].step != END &&
            !(setup.roles[i] == 'P' && s->processes[i].step == P_REST))
            return 0;
    return 1;
}

const struct explore_model *segment_model(const struct segment_setup *given)
{
    static struct explore_model model = {.size = sizeof(struct state),
                                         .choices = 3,
                                         .begin = begin,
                                         .step = step,
                                         .violation = violation,
                                         .may_rest = may_rest};
    setup = *given;
    processes = model.processes = (int)strlen(setup.roles);
    return &model;
}
