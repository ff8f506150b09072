/* SPDX-License-Identifier: MIT */
/* What a job cost: added up from its records when somebody asks. */
#include <errno.h>
#include <string.h>

#include "base/os.h"
#include "pool/pool.h"

/* A unit as its record tells; false: it has not ended, or nothing was recorded. */
struct span {
    int64_t start_ns, end_ns;
    int worker;
    int64_t tasks;
    bool failed;
};

static bool read_span(const ndshm_job *job, int64_t unit, struct span *out)
{
    uint8_t state = atomic_load_explicit(&job->view.states[unit], memory_order_acquire);
    struct ndshm__record record = job->view.records[unit];
    int64_t begin, end;
    if (!(state & NDSHM__UNIT_FINAL) || record.worker < 1 || record.worker > NDSHM_WORKERS_MAX ||
        record.start_ns < 1 || record.end_ns < record.start_ns)
        return false;
    ndshm__layout_tasks(&job->view, unit, &begin, &end);
    *out = (struct span){.start_ns = record.start_ns,
                         .end_ns = record.end_ns,
                         .worker = record.worker - 1,
                         .tasks = end - begin,
                         .failed = state >= NDSHM__UNIT_FAILED};
    return true;
}

static void add_span(const struct span *span, ndshm_worker_stats *to)
{
    int64_t busy;
    if (!to->start_ns || span->start_ns < to->start_ns)
        to->start_ns = span->start_ns;
    if (span->end_ns > to->end_ns)
        to->end_ns = span->end_ns;
    if (ndshm__add(to->busy_ns, span->end_ns - span->start_ns, &busy))
        to->busy_ns = busy;
    to->tasks += span->tasks;
    to->failed += span->failed ? span->tasks : 0;
}

/* A stream uses its records again and again. */
static int64_t recorded_units(const ndshm_job *job)
{
    return job->view.records && !ndshm__layout_is_stream(&job->view) ? job->view.units : 0;
}

/* Of all workers when worker is -1. ran: which of them ran something. */
static void add_up(const ndshm_job *job, int worker, ndshm_worker_stats *total,
                   bool ran[NDSHM_WORKERS_MAX])
{
    struct span span;
    memset(total, 0, sizeof *total);
    for (int64_t unit = 0; unit < recorded_units(job); unit++)
        if (read_span(job, unit, &span) && (worker < 0 || span.worker == worker)) {
            add_span(&span, total);
            ran[span.worker] = true;
        }
}

static int64_t count_retries(const ndshm_job *job)
{
    int64_t retries = 0;
    for (int64_t unit = 0; job->view.attempts && unit < job->view.units; unit++)
        retries += atomic_load_explicit(&job->view.attempts[unit], memory_order_relaxed);
    return retries;
}

static int64_t shared_bytes(const ndshm_job *job)
{
    int64_t bytes = atomic_load(&job->view.memory->result_bytes);
    for (int i = 0; i < job->nheld; i++)
        bytes += ndshm__segment_payload_size(ndshm__attachment_segment(&job->held[i]));
    return bytes;
}

/* Under the mutex. */
static void fill(const ndshm_job *job, ndshm_stats *out)
{
    bool ran[NDSHM_WORKERS_MAX] = {false};
    ndshm_worker_stats all;
    add_up(job, -1, &all, ran);
    memset(out, 0, sizeof *out);
    out->retries = count_retries(job);
    out->bytes_shared = shared_bytes(job);
    out->bytes_copied = job->view.facts.params_size + job->view.facts.texts_size;
    out->start_ns = all.start_ns;
    out->end_ns = all.end_ns;
    out->busy_ns = all.busy_ns;
    for (int i = 0; i < NDSHM_WORKERS_MAX; i++)
        out->workers += ran[i];
    double time = (double)out->workers * (double)(all.end_ns - all.start_ns);
    out->idle = time > (double)all.busy_ns ? 1 - (double)all.busy_ns / time : 0;
}

int ndshm_job_stats(const ndshm_job *job, ndshm_stats *out)
{
    ndshm__begin("ndshm_job_stats");
    int status = ndshm__job_lock(job);
    if (status)
        return status;
    fill(job, out);
    ndshm__job_unlock(job);
    return 0;
}

int ndshm_job_worker_stats(const ndshm_job *job, int worker, ndshm_worker_stats *out)
{
    bool ran[NDSHM_WORKERS_MAX];
    ndshm__begin("ndshm_job_worker_stats");
    if (worker < 0 || worker >= NDSHM_WORKERS_MAX)
        return ndshm__fail(-ERANGE, "no worker %d: 0 to %d", worker, NDSHM_WORKERS_MAX - 1);
    int status = ndshm__job_lock(job);
    if (status)
        return status;
    add_up(job, worker, out, ran);
    ndshm__job_unlock(job);
    return 0;
}
