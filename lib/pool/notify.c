/* SPDX-License-Identifier: MIT */
/* A descriptor for event loops. Workers have no descriptor of ours, which a task might close and
 * use again: they touch the pool's file by its name, and the host watches that. */
#include "pool/notify.h"

#include "base/os.h"
#include "pool/pool.h"

void ndshm__notify(struct ndshm__pool_memory *pool, const char *pool_name)
{
    if (atomic_load_explicit(&pool->step.waiters, memory_order_relaxed))
        ndshm__event_raise(&pool->step);
    if (atomic_load_explicit(&pool->watched, memory_order_relaxed) &&
        atomic_exchange(&pool->watched, 0))
        ndshm__os_touch(pool_name);
}

/* Readable also when the supervisor has ended, however that came. */
static int open_watch(ndshm_pool *pool)
{
    int watch = ndshm__os_watch_file(pool->launch.name);
    if (watch < 0)
        return watch;
    int both[] = {watch, pool->pidfd};
    int any = ndshm__os_watch_any(both, 2);
    if (any < 0) {
        ndshm__os_close(watch);
        return any;
    }
    pool->watch = watch;
    pool->watch_any = any;
    return 0;
}

static int arm(ndshm_pool *pool)
{
    if (pool->closed)
        return ndshm__fail(NDSHM_ECANCELED, "'%s': the pool was closed", pool->launch.name);
    int status = pool->watch >= 0 ? 0 : open_watch(pool);
    if (status)
        return ndshm__fail(status, "'%s': watching it: %s", pool->launch.name,
                           ndshm_strerror(status));
    ndshm__os_watch_drain(pool->watch);
    atomic_store(&pool->memory->watched, 1); /* before the caller looks */
    return pool->watch_any;
}

int ndshm_pool_fd(ndshm_pool *pool)
{
    ndshm__begin("ndshm_pool_fd");
    int status = ndshm__pool_check(pool);
    if (status)
        return status;
    pthread_mutex_lock(&pool->mutex);
    status = arm(pool);
    pthread_mutex_unlock(&pool->mutex);
    return status;
}
