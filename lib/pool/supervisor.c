/* SPDX-License-Identifier: MIT */
#include "pool/supervisor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/os.h"
#include "base/os_spawn.h"
#include "pool/budget.h"
#include "pool/cache.h"
#include "pool/park.h"
#include "segment/format.h"

enum {
    KILLS_MAX = 100, /* the same for SIGKILL, which comes from outside */
    STARTS_MAX = 4,  /* workers that die in a row before they are ready */
    FORKS_MAX = 50,  /* forks that fail in a row, while no worker lives */
    POLLS_MAX = 50,  /* looks at processes that fail in a row */
    PAUSE_MS = 100,  /* before a fork is tried again; and between looks at workers that joined */
    IDLE_MS = 1000   /* between looks whether a worker joined */
};

struct child {
    int pid; /* 0: none */
    int pidfd;
    int64_t deadline; /* why it was killed, or 0 */
    int64_t unit;
};

struct supervisor {
    const struct ndshm__launch *launch;
    int64_t oom_kills; /* of its memory cgroup */
    ndshm__segment *segment;
    struct ndshm__pool_memory *pool;
    int pid;
    struct child children[NDSHM_WORKERS_MAX];
    int failed_starts;
    int failed_forks;
    int failed_polls;
    int64_t pause_until;
    uint32_t work; /* as it was at quiet_since */
    int64_t quiet_since;
};

static uint32_t state_of(const struct supervisor *self)
{
    return atomic_load(&self->pool->state);
}

static void wake_everybody(struct ndshm__pool_memory *pool)
{
    ndshm__work_raise(pool, NDSHM_WORKERS_MAX);
    ndshm__event_raise(&pool->done);
    ndshm__event_raise(&pool->step);
}

static bool any_child(const struct supervisor *self)
{
    for (int i = 0; i < self->launch->workers; i++)
        if (self->children[i].pid)
            return true;
    return false;
}

/* After this none of them runs any more: what they held is free. */
static void kill_workers(struct supervisor *self)
{
    int status;
    for (int i = 0; i < self->launch->workers; i++)
        if (self->children[i].pid)
            ndshm__os_kill_child(self->children[i].pid);
    for (int i = 0; i < self->launch->workers; i++) {
        struct child *child = &self->children[i];
        if (!child->pid)
            continue;
        ndshm__os_collect(child->pidfd, &status);
        ndshm__os_close(child->pidfd); /* cleaning up needs descriptors */
        atomic_store(&self->pool->slots[i].state, NDSHM__SLOT_FREE);
        child->pid = 0;
    }
}

static _Noreturn void end(struct supervisor *self, uint32_t state)
{
    kill_workers(self);
    atomic_store(&self->pool->state, state);
    wake_everybody(self->pool);
    ndshm__os_exit(0);
}

static _Noreturn void give_up(struct supervisor *self, const char *message)
{
    ndshm__pool_blame(self->pool, NDSHM_EWORKER, message);
    end(self, NDSHM__POOL_DEAD);
}

/* Nobody is left who could want anything. */
static _Noreturn void clean_up(struct supervisor *self)
{
    char prefix[NDSHM_NAME_MAX + 2];
    kill_workers(self);
    atomic_store(&self->pool->state, NDSHM__POOL_DEAD);
    wake_everybody(self->pool);
    ndshm__quiet_begin();
    snprintf(prefix, sizeof prefix, "%s.", self->launch->name);
    if (ndshm__sweep(prefix) == 0)
        ndshm__segment_unlink(self->segment);
    ndshm__os_exit(0);
}

/* --- workers --- */

int ndshm__launch_fork(const struct ndshm__launch *launch)
{
    return launch->fork ? launch->fork(launch->context) : ndshm__os_fork();
}

static void child_began(struct supervisor *self, int slot)
{
    for (int i = 0; i < self->launch->workers; i++)
        if (self->children[i].pid)
            ndshm__os_close(self->children[i].pidfd);
    ndshm__worker_main(self->launch, slot, self->pid);
}

static void pause_forks(struct supervisor *self, int64_t ms)
{
    self->pause_until = ndshm__os_now() + ms * 1000000;
}

static int fork_worker(struct supervisor *self, int slot)
{
    struct ndshm__slot *shared = &self->pool->slots[slot];
    struct child *child = &self->children[slot];
    atomic_store(&shared->gate, 0);
    atomic_store(&shared->deadline, 0);
    atomic_store(&shared->making, 0);
    atomic_store(&shared->state, NDSHM__SLOT_STARTING);
    int pid = ndshm__launch_fork(self->launch);
    if (pid == 0)
        child_began(self, slot);
    if (pid < 0)
        return pid;
    int pidfd = ndshm__os_pidfd(pid);
    if (pidfd < 0) { /* it waits at the gate, for ever */
        ndshm__os_drop_child(pid);
        return pidfd;
    }
    *child = (struct child){.pid = pid, .pidfd = pidfd};
    atomic_store(&shared->pid, (uint32_t)pid);
    atomic_store(&shared->gate, 1);
    ndshm__os_futex_wake(&shared->gate, 1);
    return 0;
}

static bool is_wanted(const struct supervisor *self, int slot)
{
    if (self->children[slot].pid)
        return false;
    if (state_of(self) <= NDSHM__POOL_RUNNING)
        return true;
    return atomic_load(&self->pool->runnable) !=
           0; /* stopping: only while there is something to do */
}

static void fork_wanted(struct supervisor *self)
{
    if (ndshm__os_now() < self->pause_until)
        return;
    for (int slot = 0; slot < self->launch->workers; slot++) {
        if (!is_wanted(self, slot))
            continue;
        int status = fork_worker(self, slot);
        if (!status) {
            self->failed_forks = 0;
            continue;
        }
        atomic_store(&self->pool->slots[slot].state, NDSHM__SLOT_FREE);
        pause_forks(self, PAUSE_MS);
        if (state_of(self) == NDSHM__POOL_OPENING || /* the host waits for all of them */
            (!any_child(self) && ++self->failed_forks > FORKS_MAX)) {
            char message[256];
            snprintf(message, sizeof message, "no worker can be forked: %s",
                     ndshm_strerror(status));
            give_up(self, message);
        }
        return;
    }
}

static void describe(int status, struct ndshm__cause *cause)
{
    cause->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (cause->signal)
        snprintf(cause->text, sizeof cause->text, "killed by signal %d (%s)", cause->signal,
                 sigdescr_np(cause->signal));
    else
        snprintf(cause->text, sizeof cause->text, "ended by exit status %d", WEXITSTATUS(status));
}

/* A SIGKILL that came when the kernel had run out of memory was probably the kernel's. */
static void explain_kill(struct supervisor *self, struct ndshm__cause *cause)
{
    size_t length = strlen(cause->text);
    if (cause->signal != SIGKILL || cause->deadline)
        return;
    int64_t kills = ndshm__os_cgroup_kills();
    if (kills > self->oom_kills)
        snprintf(cause->text + length, sizeof cause->text - length,
                 "; out of memory: the kill count of its memory cgroup rose");
    self->oom_kills = kills;
}

/* A worker that cannot even start: tried again a few times. */
static void start_failed(struct supervisor *self, const struct ndshm__cause *cause)
{
    char message[256];
    int most = cause->signal == SIGKILL ? KILLS_MAX : STARTS_MAX, count = ++self->failed_starts;
    if (count < most) {
        pause_forks(self, 10 << (count < STARTS_MAX ? count : STARTS_MAX));
        return;
    }
    snprintf(message, sizeof message, "workers die while they start: the last one was %s",
             cause->text);
    give_up(self, message);
}

static void child_ended(struct supervisor *self, int slot)
{
    struct child *child = &self->children[slot];
    uint32_t state = atomic_load(&self->pool->slots[slot].state);
    struct ndshm__cause cause = {.deadline = child->deadline, .unit = child->unit};
    int status = 0;
    ndshm__os_collect(child->pidfd, &status);
    ndshm__os_close(child->pidfd);
    child->pid = 0;
    describe(status, &cause);
    explain_kill(self, &cause);
    atomic_store(&self->pool->slots[slot].state, NDSHM__SLOT_FREE);
    if (state == NDSHM__SLOT_FAILED)
        end(self, NDSHM__POOL_DEAD);
    if (state == NDSHM__SLOT_LEFT)
        return;
    ndshm__death_settle(self->pool, self->launch->name, slot, &cause);
    atomic_store(&self->pool->slots[slot].deadline, 0);
    if (state == NDSHM__SLOT_STARTING)
        start_failed(self, &cause);
    else
        self->failed_starts = 0;
}

/* Workers that joined are no children: a slot without its lock has a dead worker. */
static bool check_joined(struct supervisor *self)
{
    static const struct ndshm__cause gone = {.text = "ended"};
    uint32_t used = atomic_load(&self->pool->slots_used);
    bool any = false;
    for (int i = self->launch->workers; i < (int)used && i < NDSHM_WORKERS_MAX; i++) {
        if (atomic_load(&self->pool->slots[i].state) != NDSHM__SLOT_JOINED)
            continue;
        any = true;
        if (ndshm__segment_held(self->launch->name, NDSHM__LOCK_WORKER + i) != 0)
            continue;
        ndshm__death_settle(self->pool, self->launch->name, i, &gone);
        atomic_store(&self->pool->slots[i].deadline, 0);
        atomic_store(&self->pool->slots[i].state, NDSHM__SLOT_FREE);
    }
    return any;
}

/* --- the loop --- */

static bool all_done(struct supervisor *self)
{
    if (any_child(self))
        return false;
    for (int i = 0; i < NDSHM__ENTRIES; i++) {
        struct ndshm__serving serving;
        struct ndshm__entry *entry = &self->pool->entries[i];
        uint64_t id = atomic_load(&entry->id);
        if (!id || atomic_load(&entry->broken) ||
            ndshm__serving_open(&serving, self->pool, self->launch->name, i, id))
            continue;
        bool done = atomic_load(&serving.job.memory->state) == NDSHM__JOB_DONE;
        ndshm__serving_close(&serving);
        if (!done)
            return false;
    }
    return true;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Whether somebody works at a job, or is about to. */
static bool is_at_work(struct ndshm__pool_memory *pool, uint64_t runnable, int entry)
{
    uint64_t id = atomic_load(&pool->entries[entry].id);
    return id && (runnable >> entry & 1 || ndshm__table_busy(pool, id));
}

/* The shortest deadline that a task may begin under from now on, in ms. */
static int64_t shortest_timeout(struct ndshm__pool_memory *pool)
{
    int64_t shortest = IDLE_MS;
    uint64_t runnable =
        atomic_load(&pool->runnable); /* before the slots: see ndshm__worker_enter */
    for (int i = 0; i < NDSHM__ENTRIES; i++) {
        int32_t timeout = atomic_load(&pool->entries[i].timeout_ms);
        if (timeout > 0 && timeout < shortest && is_at_work(pool, runnable, i))
            shortest = timeout;
    }
    return shortest;
}

/* Kills whoever missed a deadline; ms until one may have passed next. */
static int64_t keep_deadlines(struct supervisor *self)
{
    int64_t now = ndshm__os_now(), next = shortest_timeout(self->pool);
    for (int i = 0; i < self->launch->workers; i++) {
        struct child *child = &self->children[i];
        struct ndshm__slot *slot = &self->pool->slots[i];
        int64_t deadline = atomic_load(&slot->deadline), unit = atomic_load(&slot->unit);
        if (!child->pid || child->deadline || deadline <= 0)
            continue;
        if (deadline > now) {
            next = least(next, (deadline - now) / 1000000 + 1);
            continue;
        }
        child->deadline = deadline;
        child->unit = unit;
        ndshm__os_kill_child(child->pid);
    }
    return next;
}

static int patience(struct supervisor *self, bool joined)
{
    int64_t pause = (self->pause_until - ndshm__os_now()) / 1000000 + 1;
    int64_t most = joined || state_of(self) == NDSHM__POOL_STOPPING ? PAUSE_MS : IDLE_MS;
    most = least(most, keep_deadlines(self));
    return (int)(pause > 0 ? least(pause, most) : most);
}

/* Who sees nobody's end must not go on for ever. */
static void watch_failed(struct supervisor *self, int status)
{
    char message[256];
    ndshm__os_sleep_ms(PAUSE_MS / 10);
    if (++self->failed_polls < POLLS_MAX)
        return;
    snprintf(message, sizeof message, "no process can be watched: %s", ndshm_strerror(status));
    give_up(self, message);
}

/* Sleeps until something happened, and deals with it. */
static void watch(struct supervisor *self, bool joined)
{
    struct pollfd files[2 + NDSHM_WORKERS_MAX];
    int slots[2 + NDSHM_WORKERS_MAX], count = 2;
    files[0] = (struct pollfd){.fd = self->launch->event, .events = POLLIN};
    files[1] = (struct pollfd){.fd = self->launch->host, .events = POLLIN};
    for (int i = 0; i < self->launch->workers; i++) {
        if (!self->children[i].pid)
            continue;
        slots[count] = i;
        files[count++] = (struct pollfd){.fd = self->children[i].pidfd, .events = POLLIN};
    }
    int ready = ndshm__os_poll(files, count, patience(self, joined));
    if (ready < 0)
        watch_failed(self, ready);
    else
        self->failed_polls = 0;
    if (ready <= 0)
        return;
    if (files[1].revents)
        clean_up(self);
    if (files[0].revents)
        ndshm__os_event_clear(self->launch->event);
    if (state_of(self) == NDSHM__POOL_CLOSING)
        end(self, NDSHM__POOL_CLOSING);
    for (int i = 2; i < count; i++)
        if (files[i].revents)
            child_ended(self, slots[i]);
}

/* Memory that is kept for a pool that does nothing. */
static void give_back_memory(struct supervisor *self)
{
    int64_t now = ndshm__os_now();
    uint32_t work = atomic_load(&self->pool->work);
    bool quiet = work == self->work;
    for (int i = 0; i < NDSHM_WORKERS_MAX; i++)
        quiet &= atomic_load(&self->pool->slots[i].current) == 0;
    if (!quiet) {
        self->work = work;
        self->quiet_since = now;
    } else if (now - self->quiet_since > IDLE_MS * INT64_C(1000000)) {
        ndshm__cache_flush(self->pool, self->launch->name);
    }
}

static void begin(struct supervisor *self)
{
    ndshm__os_signals_reset();
    ndshm__os_signals_supervisor();
    ndshm__os_process_name("ndshm-super");
    self->pid = ndshm__os_pid();
    if (ndshm__segment_attach(self->launch->name, NDSHM_KIND_POOL, NDSHM_WRITE, &self->segment) ||
        ndshm__segment_hold(self->segment, NDSHM__LOCK_OWNER))
        ndshm__os_exit(1);
    ndshm__segment_dontfork(self->segment);
    self->pool = ndshm__segment_payload(self->segment);
    atomic_store(&self->pool->supervisor, (uint32_t)self->pid);
    self->oom_kills = ndshm__os_cgroup_kills();
    ndshm__budget_limit(self->launch->cpus);
    ndshm__threads_apply(self->launch->threads);
}

void ndshm__supervisor_main(const struct ndshm__launch *launch)
{
    struct supervisor self = {.launch = launch};
    bool joined = false;
    begin(&self);
    for (;;) {
        fork_wanted(&self);
        if (state_of(&self) == NDSHM__POOL_STOPPING && all_done(&self))
            end(&self, NDSHM__POOL_ENDED);
        watch(&self, joined);
        joined = check_joined(&self);
        give_back_memory(&self);
    }
}
