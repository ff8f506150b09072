/* SPDX-License-Identifier: MIT */
/* The beginning of a task that is not plain, and the end of one that did more than succeed. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/os.h"
#include "pool/brake.h"
#include "pool/results.h"
#include "segment/format.h"

/* Now, not at the end: the task may be the last thing that this worker does. */
static void begin_record(ndshm_task *task)
{
    struct ndshm__record *record = &task->worker->job.job.records[task->unit];
    record->start_ns = ndshm__os_now();
    record->worker = (int16_t)(task->worker->slot + 1);
}

void ndshm__task_prepare(ndshm_task *task)
{
    struct ndshm__job_view *job = &task->worker->job.job;
    int64_t end;
    ndshm__layout_tasks(job, task->unit, &task->index, &end);
    if (job->records)
        begin_record(task);
    ndshm__deadline_arm(task->worker, task->unit);
}

/* The deadline first: the supervisor charges a unit only if both are still those that it saw. */
void ndshm__deadline_set(ndshm_worker *worker, int64_t unit)
{
    struct ndshm__slot *slot = &worker->pool->slots[worker->slot];
    int64_t timeout_ms = worker->job.job.facts.timeout_ms;
    atomic_store(&slot->deadline, ndshm__os_now() + timeout_ms * 1000000);
    atomic_store(&slot->unit, unit);
}

bool ndshm__deadline_passed(const ndshm_worker *worker)
{
    return worker->job.job.facts.timeout_ms &&
           ndshm__os_now() > atomic_load(&worker->pool->slots[worker->slot].deadline);
}

int ndshm__task_fail_text(ndshm_task *task, int status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(task->message, sizeof task->message, format, arguments);
    va_end(arguments);
    task->touched = true;
    task->status = status;
    return status;
}

/* Whose result may not stay: nobody will look for it any more. */
static bool unwanted(const ndshm_worker *worker)
{
    uint32_t state = atomic_load(&worker->pool->state);
    return atomic_load(&worker->job.job.memory->stop) == NDSHM__STOP_CLOSE ||
           state == NDSHM__POOL_CLOSING || state == NDSHM__POOL_DEAD;
}

/* A segment without payload whose body is the name of another. */
static int publish_reference(const char *pool, const char *name, const char *target)
{
    ndshm__segment *segment;
    ndshm__spec spec = {.name = name,
                        .pool = pool,
                        .kind = NDSHM_KIND_REFERENCE,
                        .body = target,
                        .body_size = NDSHM_NAME_MAX + 1};
    int status = ndshm__segment_create(&spec, &segment);
    if (status)
        return status;
    status = ndshm__segment_publish(segment);
    ndshm__segment_release(&segment);
    return status;
}

/* Publishes what the task left; *state says what that is. */
static int publish(ndshm_task *task, uint8_t *state)
{
    ndshm_worker *worker = task->worker;
    char name[NDSHM__MEMBER_SIZE];
    int status = 0;
    *state = NDSHM__UNIT_OK;
    if (ndshm__attachment_segment(&task->result)) {
        int64_t bytes = ndshm__segment_payload_size(ndshm__attachment_segment(&task->result));
        atomic_fetch_add(&worker->job.job.memory->result_bytes, bytes);
        status = ndshm__attachment_publish(&task->result);
        /* Before anybody can take it: a temporary segment goes with its last user, who must not be
         * us. */
        if (status)
            ndshm__attachment_close(&task->result);
        else
            ndshm__cache_keep(&worker->mappings, ndshm__attachment_steal(&task->result));
        ndshm__cache_made(&worker->mappings);
        *state = NDSHM__UNIT_RESULT;
    } else if (task->target[0]) {
        const char *pool = ndshm__segment_name(worker->segment);
        ndshm__result_of(name, pool, &worker->job.job, task->unit);
        status = publish_reference(pool, name, task->target);
        *state = NDSHM__UNIT_REFERENCE;
    }
    if (!status && *state != NDSHM__UNIT_OK)
        atomic_store(&worker->job.job.memory->results, 1);
    return status;
}

static void record(ndshm_task *task, int status)
{
    struct ndshm__job_view *job = &task->worker->job.job;
    if (!job->records)
        return;
    struct ndshm__record *record = &job->records[task->unit];
    record->end_ns = ndshm__os_now();
    record->status = status;
}

static void fail(ndshm_task *task, int status, const char *message)
{
    struct ndshm__job_view *job = &task->worker->job.job;
    ndshm__news_add(job, task->unit, status, 0, message);
    atomic_store(&job->memory->failed, 1);
    if (job->facts.on_error == NDSHM_ERROR_STOP) {
        uint32_t running = 0;
        atomic_compare_exchange_strong(&job->memory->stop, &running, NDSHM__STOP_ERROR);
        ndshm__table_withdraw(task->worker->pool, task->worker->job.entry);
    }
}

/* COW attachments, whose private writes no other task may see. */
static void drop_private(ndshm_worker *worker)
{
    for (int i = 0; worker->shared && i < worker->job.job.facts.nshared; i++)
        ndshm__attachment_close(&worker->shared[i].by_access[NDSHM_COW - 1]);
}

void ndshm__task_drop(ndshm_task *task)
{
    ndshm__attachment_close(&task->result);
    ndshm__cache_made(&task->worker->mappings);
    ndshm__brake_dropped(task->worker->pool, task->worker->slot, &task->worker->job.job);
    drop_private(task->worker);
    task->target[0] = '\0';
    task->message[0] = '\0';
    task->status = 0;
    task->touched = false;
}

/* What the submitter reads: the caller's words, those of ndshm_task_fail, or none. */
static const char *choose_message(const ndshm_task *task, int status, const char *message)
{
    if (message)
        return message;
    return task->message[0] && task->status == status ? task->message : "";
}

int ndshm__task_end(ndshm_task *task, int status, const char *message)
{
    ndshm_worker *worker = task->worker;
    struct ndshm__job_view *job = &worker->job.job;
    uint8_t state = NDSHM__UNIT_OK;
    message = choose_message(task, status, message);
    if (!status && worker->joined && ndshm__deadline_passed(worker)) {
        status = -ETIMEDOUT;
        message = "finished after its deadline, by a worker that joined";
    }
    if (!status) {
        status = publish(task, &state);
        if (status)
            message = ndshm_error_message();
    }
    record(task, status);
    if (status) {
        state = NDSHM__UNIT_FAILED;
        fail(task, status, message);
    }
    char name[NDSHM__MEMBER_SIZE];
    const char *pool = ndshm__segment_name(worker->segment);
    if (state == NDSHM__UNIT_RESULT || state == NDSHM__UNIT_REFERENCE)
        ndshm__result_of(name, pool, job, task->unit);
    atomic_store(&job->states[task->unit], state);
    if (state == NDSHM__UNIT_RESULT)
        ndshm__brake_made(worker);
    if ((state == NDSHM__UNIT_RESULT || state == NDSHM__UNIT_REFERENCE) && unwanted(worker))
        ndshm__remove_result(name, state);
    if (task->touched)
        ndshm__task_drop(task);
    return status;
}
