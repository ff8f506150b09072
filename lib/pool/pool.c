/* SPDX-License-Identifier: MIT */
/* Opening, stopping and closing. */
#include "pool/pool.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"
#include "base/os_spawn.h"
#include "pool/budget.h"
#include "pool/cache.h"
#include "segment/format.h"

enum {
    SLICE_MS = 100, /* between two looks whether the supervisor lives */
    CLOSE_MS = 5000 /* for a supervisor to end its workers; then it is killed */
};

static const int64_t spin_ns = 50000;

void ndshm_pool_config_init(ndshm_pool_config *config)
{
    memset(config, 0, sizeof *config);
    config->size = sizeof *config;
}

/* --- checks --- */

int ndshm__pool_check(const ndshm_pool *pool)
{
    if (!pool)
        return ndshm__fail(-EINVAL, "no pool");
    if (pool->generation != ndshm__os_generation())
        return ndshm__fail(-EPERM,
                           "a forked child cannot use its parent's pool; open one of its own");
    return 0;
}

/* Waits for its end. */
static void collect_supervisor(ndshm_pool *pool)
{
    int status;
    ndshm__os_collect(pool->pidfd, &status);
    pool->supervisor = 0;
    uint32_t state = atomic_load(&pool->memory->state);
    if (state != NDSHM__POOL_ENDED)
        atomic_store(&pool->memory->state, NDSHM__POOL_DEAD);
    ndshm__work_raise(pool->memory, NDSHM_WORKERS_MAX); /* those that joined go */
}

bool ndshm__pool_alive(ndshm_pool *pool)
{
    struct pollfd file = {.fd = pool->pidfd, .events = POLLIN};
    if (!pool->supervisor)
        return false;
    if (ndshm__os_poll(&file, 1, 0) <= 0)
        return true;
    collect_supervisor(pool);
    return false;
}

int ndshm__pool_dead(const ndshm_pool *pool)
{
    char reason[256];
    int status = atomic_load(&pool->memory->status);
    memcpy(reason, pool->memory->message, sizeof reason);
    reason[sizeof reason - 1] = '\0';
    if (status && status != -EINPROGRESS)
        return ndshm__fail(NDSHM_EWORKER, "'%s': %s", pool->launch.name, reason);
    return ndshm__fail(NDSHM_EWORKER,
                       "'%s': the pool's supervisor process died, and its workers with it; close "
                       "the pool and open another",
                       pool->launch.name);
}

static int check_config(const ndshm_pool_config *given, ndshm_pool_config *config)
{
    ndshm_pool_config_init(config);
    int status = ndshm__config_copy(given, sizeof *config, config);
    if (status)
        return status;
    if (config->pin < NDSHM_PIN_NONE || config->pin > NDSHM_PIN_NODE)
        return ndshm__fail(-EINVAL, "pin %d is none of NDSHM_PIN_*", config->pin);
    if (config->pin == NDSHM_PIN_NODE && ndshm__os_node_of_cpu(0) == -ENOTSUP)
        return ndshm__fail(-ENOTSUP, "NDSHM_PIN_NODE needs a library that was built with libnuma");
    if (config->threads < NDSHM_THREADS_KEEP)
        return ndshm__fail(-EINVAL, "%d threads", config->threads);
    if (config->flags)
        return ndshm__fail(-EINVAL, "unknown flags 0x%x in the pool config", config->flags);
    if (config->max_tasks < 0 || config->max_worker_bytes < 0)
        return ndshm__fail(-EINVAL, "max_tasks and max_worker_bytes must not be negative");
    if (config->workers < NDSHM_WORKERS_NONE || config->workers > NDSHM_WORKERS_MAX)
        return ndshm__fail(-EINVAL, "%d workers: at most %d", config->workers, NDSHM_WORKERS_MAX);
    if (!memchr(config->label, 0, sizeof config->label))
        return ndshm__fail(-EINVAL, "the label has more than %d bytes", NDSHM_LABEL_MAX);
    return 0;
}

/* --- opening --- */

static int create_memory(ndshm_pool *pool, const ndshm_pool_config *config, int workers, int cpus)
{
    ndshm_create_config create;
    ndshm_create_config_init(&create);
    create.lifetime = NDSHM_RECLAIMABLE;
    ndshm__text_copy(create.label, sizeof create.label, config->label);
    ndshm__spec spec = {.kind = NDSHM_KIND_POOL,
                        .payload_size = sizeof(struct ndshm__pool_memory),
                        .config = &create};
    int status = ndshm__segment_create(&spec, &pool->segment);
    if (status)
        return status;
    ndshm__segment_dontfork(pool->segment);
    pool->memory = ndshm__segment_payload(pool->segment);
    pool->memory->layout = NDSHM__POOL_LAYOUT;
    pool->memory->workers = workers;
    pool->memory->spin_ns = workers < cpus ? spin_ns : 0;
    pool->memory->cache_limit = ndshm__cache_limit(config->cache_bytes);
    pool->memory->slots_used = (uint32_t)workers;
    ndshm__text_copy(pool->memory->label, sizeof pool->memory->label, config->label);
    ndshm__spin_init(&pool->spin, pool->memory->spin_ns);
    status = ndshm__segment_publish(pool->segment);
    return status ? status : ndshm__segment_hold(pool->segment, NDSHM__LOCK_OWNER);
}

/* What libraries may use in a worker; nobody asks where there are none. */
static int prepare_threads(struct ndshm__launch *launch, const ndshm_pool_config *config)
{
    if (config->threads == NDSHM_THREADS_KEEP || !launch->workers)
        return 0;
    return ndshm__threads_prepare(config->threads ? config->threads : launch->cpus,
                                  &launch->threads);
}

static int prepare_launch(ndshm_pool *pool, const ndshm_pool_config *config, int workers, int cpus)
{
    struct ndshm__launch *launch = &pool->launch;
    ndshm__text_copy(launch->name, sizeof launch->name, ndshm__segment_name(pool->segment));
    launch->workers = workers;
    launch->cpus = ndshm__budget_share(cpus, workers);
    launch->pin = config->pin;
    launch->context = config->context;
    launch->init = config->init;
    launch->fini = config->fini;
    launch->fork = config->fork;
    launch->max_tasks = config->max_tasks;
    launch->max_worker_bytes = config->max_worker_bytes;
    int status = ndshm__functions_snapshot(&launch->functions);
    if (!status)
        status = prepare_threads(launch, config);
    if (status)
        return status;
    launch->event = ndshm__os_event_open();
    if (launch->event >= 0)
        launch->host = ndshm__os_pidfd(ndshm__os_pid());
    status = launch->event < 0 ? launch->event : launch->host < 0 ? launch->host : 0;
    return status ? ndshm__fail(status, "watching processes: %s", ndshm_strerror(status)) : 0;
}

static int fork_supervisor(ndshm_pool *pool)
{
    sigset_t mask;
    ndshm__os_flush_all();
    ndshm__os_signals_hold(&mask);
    int pid = ndshm__launch_fork(&pool->launch);
    if (pid == 0)
        ndshm__supervisor_main(&pool->launch);
    ndshm__os_signals_restore(&mask);
    ndshm__os_close(pool->launch.host);
    pool->launch.host = -1;
    if (pid < 0)
        return ndshm__fail(pid, "forking the supervisor: %s", ndshm_strerror(pid));
    pool->supervisor = pid;
    pool->pidfd = ndshm__os_pidfd(pid);
    if (pool->pidfd >= 0)
        return 0;
    ndshm__os_drop_child(pid);
    pool->supervisor = 0;
    return ndshm__fail(pool->pidfd, "watching the supervisor: %s", ndshm_strerror(pool->pidfd));
}

static bool all_ready(const ndshm_pool *pool)
{
    for (int i = 0; i < pool->launch.workers; i++)
        if (atomic_load(&pool->memory->slots[i].state) != NDSHM__SLOT_READY)
            return false;
    return atomic_load(&pool->memory->supervisor) != 0;
}

static int wait_until_ready(ndshm_pool *pool)
{
    struct ndshm__spin no_spin = {0};
    for (;;) {
        uint32_t seen = ndshm__event_read(&pool->memory->done);
        if (all_ready(pool))
            break;
        if (!ndshm__pool_alive(pool))
            return ndshm__pool_dead(pool);
        ndshm__event_wait(&pool->memory->done, seen, &no_spin, (int64_t)SLICE_MS * 1000000);
    }
    atomic_store(&pool->memory->state, NDSHM__POOL_RUNNING);
    return 0;
}

static int open_pool(ndshm_pool *pool, const ndshm_pool_config *config)
{
    int cpus = ndshm__budget();
    int workers = config->workers ? config->workers : cpus;
    workers = workers < 0 ? 0 : workers > NDSHM_WORKERS_MAX ? NDSHM_WORKERS_MAX : workers;
    int status = create_memory(pool, config, workers, cpus);
    if (!status)
        status = prepare_launch(pool, config, workers, cpus);
    if (!status)
        status = fork_supervisor(pool);
    return status ? status : wait_until_ready(pool);
}

int ndshm__pool_open(const ndshm_pool_config *given, ndshm_pool **out)
{
    ndshm_pool_config config;
    int status = check_config(given, &config);
    if (status)
        return status;
    ndshm_pool *pool = ndshm__alloc(sizeof *pool);
    if (!pool)
        return ndshm__fail(-ENOMEM, "no memory for a pool");
    pool->generation = ndshm__os_generation();
    pool->references = 1;
    pool->launch.host = pool->launch.event = pool->pidfd = -1;
    pool->watch = pool->watch_any = -1;
    pthread_mutex_init(&pool->mutex, NULL);
    status = open_pool(pool, &config);
    if (status) {
        ndshm__pool_close(pool);
        return status;
    }
    *out = pool;
    return 0;
}

/* --- the end --- */

/* Tells the supervisor and whoever joined that the state changed. */
static void set_state(ndshm_pool *pool, uint32_t state)
{
    atomic_store(&pool->memory->state, state);
    ndshm__work_raise(pool->memory, NDSHM_WORKERS_MAX);
    ndshm__os_event_signal(pool->launch.event);
}

/* Without the mutex: jobs go on meanwhile. */
static int wait_for_supervisor(ndshm_pool *pool, int64_t end_ns)
{
    struct pollfd file = {.fd = pool->pidfd, .events = POLLIN};
    int64_t left = end_ns < 0 ? -1 : (end_ns - ndshm__os_now()) / 1000000;
    int ready = ndshm__os_poll(&file, 1, end_ns < 0 ? -1 : left < 0 ? 0 : (int)left);
    return ready > 0 ? 0 : ready < 0 ? ready : -ETIMEDOUT;
}

int ndshm__pool_stop(ndshm_pool *pool, int timeout_ms)
{
    pthread_mutex_lock(&pool->mutex);
    bool alive = ndshm__pool_alive(pool);
    if (alive && !pool->stopping) {
        pool->stopping = true;
        set_state(pool, NDSHM__POOL_STOPPING);
    }
    pthread_mutex_unlock(&pool->mutex);
    int status = alive ? wait_for_supervisor(pool, ndshm__deadline(timeout_ms)) : 0;
    if (status)
        return ndshm__fail(status, "'%s': still working after %d ms", pool->launch.name,
                           timeout_ms);
    pthread_mutex_lock(&pool->mutex);
    ndshm__pool_alive(pool);
    pthread_mutex_unlock(&pool->mutex);
    return atomic_load(&pool->memory->state) == NDSHM__POOL_ENDED ? 0 : ndshm__pool_dead(pool);
}

/* A supervisor that was killed takes its workers with it, but does not wait for their end. */
static void wait_for_orphans(const ndshm_pool *pool)
{
    for (int i = 0; i < pool->launch.workers; i++)
        for (int tries = 0; tries < CLOSE_MS; tries++) {
            if (ndshm__segment_held(pool->launch.name, NDSHM__LOCK_WORKER + i) <= 0)
                break;
            ndshm__os_sleep_ms(1);
        }
}

static void end_processes(ndshm_pool *pool)
{
    if (ndshm__pool_alive(pool)) {
        set_state(pool, NDSHM__POOL_CLOSING);
        if (wait_for_supervisor(pool, ndshm__deadline(CLOSE_MS)))
            ndshm__os_pidfd_signal(pool->pidfd, SIGKILL);
        collect_supervisor(pool);
    }
    if (atomic_load(&pool->memory->state) == NDSHM__POOL_DEAD)
        wait_for_orphans(pool);
}

static void remove_members(ndshm_pool *pool)
{
    char prefix[NDSHM_NAME_MAX + 2];
    for (ndshm_job *job = pool->jobs; job; job = job->after)
        ndshm__job_clear(job);
    snprintf(prefix, sizeof prefix, "%s.", pool->launch.name);
    /* While a member is left, its pool's segment tells whoever cleans that the pool is dead. */
    if (ndshm__sweep(prefix) == 0)
        ndshm__segment_unlink(pool->segment);
    ndshm__reap_again();
}

void ndshm__pool_release(ndshm_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    int left = --pool->references;
    pthread_mutex_unlock(&pool->mutex);
    if (left)
        return;
    ndshm__segment_release(&pool->segment);
    ndshm__functions_free(pool->launch.functions);
    ndshm__threads_free(pool->launch.threads);
    pthread_mutex_destroy(&pool->mutex);
    free(pool);
}

void ndshm__pool_close(ndshm_pool *pool)
{
    ndshm__quiet_begin();
    pthread_mutex_lock(&pool->mutex);
    if (pool->memory)
        end_processes(pool);
    if (pool->launch.host >= 0)
        ndshm__os_close(pool->launch.host);
    if (pool->launch.event >= 0)
        ndshm__os_close(pool->launch.event);
    if (pool->pidfd >= 0)
        ndshm__os_close(pool->pidfd);
    if (pool->watch >= 0) {
        ndshm__os_close(pool->watch_any);
        ndshm__os_close(pool->watch);
    }
    if (pool->memory) /* with the descriptors that this takes */
        remove_members(pool);
    pool->closed = true;
    pthread_mutex_unlock(&pool->mutex);
    ndshm__pool_release(pool);
    ndshm__quiet_end();
}

/* --- public --- */

int ndshm_pool_open(const ndshm_pool_config *config, ndshm_pool **out)
{
    ndshm__begin("ndshm_pool_open");
    if (!out)
        return ndshm__fail(-EINVAL, "nowhere to put the pool");
    return ndshm__pool_open(config, out);
}

const char *ndshm_pool_name(const ndshm_pool *pool)
{
    return pool->launch.name;
}

int ndshm_pool_workers(const ndshm_pool *pool)
{
    return pool->launch.workers;
}

int ndshm_pool_stop(ndshm_pool *pool, int timeout_ms)
{
    ndshm__begin("ndshm_pool_stop");
    int status = ndshm__pool_check(pool);
    return status ? status : ndshm__pool_stop(pool, timeout_ms);
}

void ndshm_pool_close(ndshm_pool **pool)
{
    if (!pool || !*pool)
        return;
    ndshm_pool *closing = *pool;
    *pool = NULL;
    if (closing->generation == ndshm__os_generation())
        ndshm__pool_close(closing);
}
