/* SPDX-License-Identifier: MIT */
/* A forked worker, from its first instruction to its last. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/os.h"
#include "base/os_spawn.h"
#include "pool/budget.h"
#include "pool/supervisor.h"
#include "pool/worker.h"

void ndshm__pool_blame(struct ndshm__pool_memory *pool, int status, const char *message)
{
    int32_t expected = 0;
    if (!atomic_compare_exchange_strong(&pool->status, &expected, -EINPROGRESS))
        return;
    ndshm__text_copy(pool->message, sizeof pool->message, message);
    atomic_store(&pool->status, status);
}

/* Nothing that was inherited from the host may disturb it or us. */
static void settle_in(const struct ndshm__launch *launch, int supervisor)
{
    if (ndshm__os_die_with_parent() || ndshm__os_parent() != supervisor)
        ndshm__os_exit(1);
    ndshm__os_process_name("ndshm-worker");
    ndshm__os_signals_worker();
    ndshm__os_stdin_null();
    ndshm__os_close(launch->host);
    ndshm__os_close(launch->event);
}

static void wait_at_gate(struct ndshm__slot *slot)
{
    while (!atomic_load(&slot->gate))
        ndshm__os_futex_wait(&slot->gate, 0, -1);
}

/* A worker that cannot even begin ends the pool. */
static _Noreturn void refuse(ndshm_worker *worker, const char *what, int status)
{
    char message[256];
    snprintf(message, sizeof message, "%s %d (%s) in worker %d", what, status,
             ndshm_strerror(status), worker->slot);
    ndshm__pool_blame(worker->pool, NDSHM_EWORKER, message);
    ndshm__os_flush_output();
    atomic_store(&worker->pool->slots[worker->slot].state, NDSHM__SLOT_FAILED);
    ndshm__os_exit(1);
}

static void run_init(const struct ndshm__launch *launch, ndshm_worker *worker)
{
    struct ndshm__slot *slot = &worker->pool->slots[worker->slot];
    int status = launch->init ? launch->init(launch->context) : 0;
    if (status)
        refuse(worker, "the pool's init returned", status);
    atomic_store(&slot->state, NDSHM__SLOT_READY);
    ndshm__event_raise(&worker->pool->done);
}

void ndshm__worker_main(const struct ndshm__launch *launch, int slot, int supervisor)
{
    ndshm_worker *worker;
    settle_in(launch, supervisor);
    if (ndshm__worker_open(launch->name, slot, &worker))
        ndshm__os_exit(2);
    worker->functions = launch->functions;
    worker->context = launch->context;
    wait_at_gate(&worker->pool->slots[slot]);
    int status = ndshm__budget_pin(launch->pin, slot);
    if (status)
        refuse(worker, "binding it to its CPUs gave", status);
    run_init(launch, worker);
    if (launch->max_tasks)
        worker->tasks_left = launch->max_tasks;
    if (launch->max_worker_bytes)
        worker->most_memory = ndshm__os_private_memory() + launch->max_worker_bytes;
    while (!ndshm__worker_worn(worker) && ndshm__worker_claim(worker, -1) == 0)
        ndshm__worker_run(worker);
    if (worker->serving)
        ndshm__worker_leave_job(worker);
    if (launch->fini)
        launch->fini(launch->context);
    ndshm__os_flush_output();
    atomic_store(&worker->pool->slots[slot].state, NDSHM__SLOT_LEFT);
    ndshm__os_exit(0);
}
