/* SPDX-License-Identifier: MIT */
/* The queue of a pool under the thread sanitizer: threads claim, finish, park and wake as workers
 * do. A plain counter that only the owner of a chunk touches tells when two own it. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"
#include "pool/claim.h"
#include "pool/park.h"
#include "pool/table.h"

enum { THREADS = 4, ROUNDS = 200, TASKS = 512 };

static struct ndshm__pool_memory *pool;
static struct ndshm__job_view job;
static int ran[TASKS]; /* plain: the swap must order them */
static _Atomic int over;

static void run_job(int slot)
{
    struct ndshm__cursor cursor = {0};
    int64_t chunk, begin, end;
    while ((chunk = ndshm__claim_next(&job, &cursor, slot)) >= 0) {
        ndshm__layout_units(&job, chunk, &begin, &end);
        for (int64_t unit = begin; unit < end; unit++) {
            ran[unit]++;
            atomic_store(&job.states[unit], NDSHM__UNIT_OK);
        }
        ndshm__claim_finish(&job, chunk, slot);
    }
    uint32_t running = NDSHM__JOB_RUNNING;
    if (ndshm__claim_complete(&job, &cursor) &&
        atomic_compare_exchange_strong(&job.memory->state, &running, NDSHM__JOB_DONE))
        ndshm__event_raise(&pool->done);
}

static void *serve(void *argument)
{
    int slot = *(int *)argument;
    struct ndshm__spin spin;
    ndshm__spin_init(&spin, 1000);
    while (!atomic_load(&over)) {
        uint32_t seen = atomic_load(&pool->work);
        uint64_t id = atomic_load(&pool->runnable) ? ndshm__table_enter(pool, slot, 0) : 0;
        if (id) {
            run_job(slot);
            ndshm__table_withdraw(pool, 0);
            ndshm__table_leave(pool, slot);
            continue;
        }
        ndshm__work_wait(pool, slot, seen, &spin, 1000000000);
    }
    return NULL;
}

static void wait_until_done(void)
{
    struct ndshm__spin spin;
    ndshm__spin_init(&spin, 1000);
    for (;;) {
        uint32_t seen = ndshm__event_read(&pool->done);
        if (atomic_load(&job.memory->state) == NDSHM__JOB_DONE)
            return;
        ndshm__event_wait(&pool->done, seen, &spin, 1000000000);
    }
}

/* Submits a job in the place of the former one, as the host does: once nobody looks at it. */
static void submit(uint64_t id, void *memory, size_t size)
{
    while (ndshm__table_busy(pool, id - 1))
        ;
    memset(memory, 0, size);
    ndshm__layout_format(&job, memory);
    ndshm__table_put(pool, 0, id, 0, 0);
    ndshm__table_offer(pool, 0, job.chunks.total);
}

int main(void)
{
    struct ndshm__facts facts = {.layout = NDSHM__JOB_LAYOUT, .count = TASKS, .texts_size = 2};
    pthread_t threads[THREADS];
    int slots[THREADS], wrong = 0;
    int64_t size;
    pool = aligned_alloc(64, (sizeof *pool + 63) / 64 * 64);
    memset(pool, 0, sizeof *pool);
    pool->slots_used = THREADS;
    if (ndshm__layout_plan(&facts, &job, &size))
        return 1;
    void *memory = aligned_alloc(64, (size_t)(size + 63) / 64 * 64);
    for (int i = 0; i < THREADS; i++) {
        slots[i] = i;
        pthread_create(&threads[i], NULL, serve, &slots[i]);
    }
    for (uint64_t round = 1; round <= ROUNDS; round++) {
        submit(round, memory, (size_t)size);
        wait_until_done();
        ndshm__table_remove(pool, 0);
        for (int i = 0; i < TASKS; i++)
            wrong += ran[i] != (int)round;
    }
    atomic_store(&over, 1);
    ndshm__work_raise(pool, THREADS);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ndshm__layout_free(&job);
    free(memory);
    free(pool);
    printf("%d rounds of %d tasks, %d wrong\n", ROUNDS, TASKS, wrong);
    return wrong != 0;
}
