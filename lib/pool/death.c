/* SPDX-License-Identifier: MIT */
/* What a dead worker owned. */
#include <errno.h>
#include <stdio.h>

#include "base/os.h"
#include "pool/brake.h"
#include "pool/cache.h"
#include "pool/notify.h"
#include "pool/park.h"
#include "pool/results.h"
#include "pool/supervisor.h"

struct death {
    struct ndshm__serving serving;
    const char *name; /* of the pool */
    int slot;
    const struct ndshm__cause *cause;
};

/* What it published and did not record is found by its derived name. */
static void remove_unrecorded(struct death *death, int64_t unit)
{
    char name[NDSHM__MEMBER_SIZE];
    ndshm__result_of(name, death->name, &death->serving.job, unit);
    ndshm__remove_result(name, NDSHM__UNIT_RESULT);
}

static void lose(struct death *death, int64_t unit)
{
    struct ndshm__job_view *job = &death->serving.job;
    bool late = death->cause->deadline != 0;
    int status = late ? -ETIMEDOUT : NDSHM_EWORKER;
    char message[256];
    if (late)
        snprintf(message, sizeof message,
                 "still running after its deadline of %d ms: its worker was killed",
                 job->facts.timeout_ms);
    else
        snprintf(message, sizeof message, "the worker was %s while it ran this task",
                 death->cause->text);
    ndshm__news_add(job, unit, status, death->cause->signal, message);
    if (job->records) {
        job->records[unit].status = status;
        job->records[unit].worker = (int16_t)(death->slot + 1);
        job->records[unit].end_ns = ndshm__os_now();
    }
    atomic_store(&job->memory->failed, 1);
    if (job->facts.on_error == NDSHM_ERROR_STOP) {
        uint32_t running = 0;
        atomic_compare_exchange_strong(&job->memory->stop, &running, NDSHM__STOP_ERROR);
    }
    atomic_store(&job->states[unit], late ? NDSHM__UNIT_LATE : NDSHM__UNIT_LOST);
}

/* A deadline was for one unit; a worker may have begun another one at the moment of its death. */
static bool is_charged(const struct death *death, int64_t unit)
{
    const struct ndshm__slot *slot = &death->serving.pool->slots[death->slot];
    const struct ndshm__cause *cause = death->cause;
    return !cause->deadline || (cause->unit == unit && atomic_load(&slot->unit) == unit &&
                                atomic_load(&slot->deadline) == cause->deadline);
}

/* The unit that was running: once more, or never. */
static void charge(struct death *death, int64_t unit)
{
    struct ndshm__job_view *job = &death->serving.job;
    remove_unrecorded(death, unit);
    ndshm__brake_dropped(death->serving.pool, death->slot, job);
    if (!is_charged(death, unit)) {
        atomic_store(&job->states[unit], NDSHM__UNIT_PENDING);
        return;
    }
    if (!job->attempts || atomic_load(&job->attempts[unit]) >= job->facts.retries) {
        lose(death, unit);
        return;
    }
    atomic_fetch_add(&job->attempts[unit], 1);
    atomic_store(&job->states[unit], NDSHM__UNIT_PENDING);
}

static void settle_chunk(struct death *death, int64_t chunk)
{
    struct ndshm__job_view *job = &death->serving.job;
    int64_t begin, end;
    bool open = false;
    ndshm__layout_units(job, chunk, &begin, &end);
    for (int64_t unit = begin; unit < end; unit++) {
        if (atomic_load(&job->states[unit]) == NDSHM__UNIT_RUNNING)
            charge(death, unit);
        open |= !(atomic_load(&job->states[unit]) & NDSHM__UNIT_FINAL);
    }
    if (open)
        ndshm__claim_release(job, chunk);
    else
        ndshm__claim_finish(job, chunk, death->slot);
}

static void settle_job(struct death *death)
{
    struct ndshm__serving *serving = &death->serving;
    int64_t chunk = ndshm__claim_owned(&serving->job, 0, death->slot);
    for (; chunk >= 0; chunk = ndshm__claim_owned(&serving->job, chunk + 1, death->slot))
        settle_chunk(death, chunk);
    if (!atomic_load(&serving->job.memory->stop) &&
        atomic_load(&serving->job.memory->state) == NDSHM__JOB_RUNNING)
        ndshm__table_offer(serving->pool, serving->entry, 1);
    ndshm__serving_settle(serving);
    /* It may have died between the end of the job and saying so. */
    ndshm__event_raise(&serving->pool->done);
    ndshm__event_raise(&serving->pool->step);
    ndshm__notify(serving->pool, death->name);
}

/* One without a job may have taken away the mark of any entry, and died before it looked again. */
static void offer_all(struct ndshm__pool_memory *pool)
{
    for (int i = 0; i < NDSHM__ENTRIES; i++)
        if (atomic_load(&pool->entries[i].id))
            ndshm__table_offer(pool, i, 1);
}

void ndshm__death_settle(struct ndshm__pool_memory *pool, const char *name, int slot,
                         const struct ndshm__cause *cause)
{
    struct death death = {.name = name, .slot = slot, .cause = cause};
    uint64_t id = atomic_load(&pool->slots[slot].current);
    int entry = ndshm__table_find(pool, id);
    ndshm__work_forget(pool, slot);
    ndshm__cache_settle(pool, name, slot);
    atomic_fetch_add(&pool->deaths, 1); /* before anybody hears of the end of the job */
    if (entry >= 0) {
        int status = ndshm__serving_open(&death.serving, pool, name, entry, id);
        if (!status) {
            settle_job(&death);
            ndshm__serving_close(&death.serving);
        } else if (atomic_load(&pool->entries[entry].id) == id) {
            ndshm__table_break(pool, entry, status);
        }
    } else {
        offer_all(pool);
    }
    ndshm__table_leave(pool, slot);
}
