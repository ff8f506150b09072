/* SPDX-License-Identifier: MIT */
/* A job of another process, by its name: its progress and what became of its tasks. Everything is
 * mapped for reading only; a job that lies in the pool's segment may give its place to another one
 * at any time, so its id is looked at again after each reading. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"
#include "pool/pool.h"
#include "segment/format.h"

/* "POOL.job.ID" */
static int parse(const char *name, char pool[NDSHM_NAME_MAX + 1], uint64_t *id)
{
    static const char between[] = ".job.";
    const char *found = NULL;
    for (const char *at = strstr(name, between); at; at = strstr(at + 1, between))
        found = at;
    const char *digits = found ? found + sizeof between - 1 : "";
    size_t length = strspn(digits, "0123456789");
    if (!length || length > 18 || digits[length])
        return ndshm__fail(-EINVAL, "'%s': not the name of a job, which is POOL.job.NUMBER", name);
    ndshm__text_copy(pool, NDSHM_NAME_MAX + 1, name);
    pool[found - name] = '\0';
    *id = strtoull(digits, NULL, 10);
    return 0;
}

int ndshm__watch_pool(const char *name, ndshm__segment **out)
{
    ndshm__segment *segment;
    int status = ndshm__segment_attach(name, NDSHM_KIND_POOL, NDSHM_READ, &segment);
    if (status)
        return status;
    ndshm__segment_dontfork(segment);
    const struct ndshm__pool_memory *memory = ndshm__segment_payload(segment);
    if (ndshm__segment_payload_size(segment) < (int64_t)sizeof *memory)
        status = ndshm__fail(NDSHM_ECORRUPT, "'%s': too small for a pool", name);
    else if (memory->layout != NDSHM__POOL_LAYOUT)
        status =
            ndshm__fail(NDSHM_EVERSION, "'%s': a pool of another version of the library", name);
    if (status)
        ndshm__segment_release(&segment);
    else
        *out = segment;
    return status;
}

static bool is_there(const ndshm_job *job)
{
    return atomic_load(&job->pool->memory->entries[job->entry].id) == job->id;
}

static int read_job(ndshm_job *job)
{
    struct ndshm__pool_memory *pool = job->pool->memory;
    if (atomic_load(&pool->entries[job->entry].flags) & NDSHM__ENTRY_INLINE)
        return ndshm__layout_read(pool->inline_jobs[job->entry], NDSHM__INLINE_SIZE, &job->view);
    int status = ndshm__segment_attach(job->name, NDSHM_KIND_JOB, NDSHM_READ, &job->segment);
    if (status)
        return status;
    ndshm__segment_dontfork(job->segment);
    return ndshm__layout_read(ndshm__segment_payload(job->segment),
                              ndshm__segment_payload_size(job->segment), &job->view);
}

static int gone(const ndshm_job *job)
{
    return ndshm__fail(-ENOENT,
                       "'%s': no such job; it may have been closed, or finished and been replaced",
                       job->name);
}

static int attach(ndshm_job *job)
{
    int status = ndshm__watch_pool(job->pool->launch.name, &job->pool->segment);
    if (status)
        return status;
    job->pool->memory = ndshm__segment_payload(job->pool->segment);
    job->entry = ndshm__table_find(job->pool->memory, job->id);
    if (job->entry < 0)
        return gone(job);
    status = read_job(job);
    if (!is_there(job))
        return gone(job);
    if (!status && job->view.facts.id != job->id)
        status = NDSHM_ECORRUPT;
    return status
               ? ndshm__fail(status, "'%s': cannot be read: %s", job->name, ndshm_strerror(status))
               : 0;
}

int ndshm__watch_check(const ndshm_job *job)
{
    return !job->watched || job->segment || is_there(job) ? 0 : gone(job);
}

/* Its pool may have died without a word. */
bool ndshm__watch_over(const ndshm_job *job)
{
    if (!job->watched)
        return false;
    ndshm__quiet_begin();
    int held = ndshm__segment_held(job->pool->launch.name, NDSHM__LOCK_OWNER);
    ndshm__quiet_end();
    return held <= 0;
}

void ndshm__watch_close(ndshm_job *job)
{
    ndshm_pool *pool = job->pool;
    ndshm__layout_free(&job->view);
    ndshm__segment_release(&job->segment);
    free(job);
    if (pool)
        ndshm__pool_release(pool);
}

static ndshm_job *new_job(void)
{
    ndshm_job *job = ndshm__alloc(sizeof *job);
    if (!job)
        return NULL;
    job->generation = ndshm__os_generation();
    job->watched = true;
    job->entry = -1;
    job->pool = ndshm__alloc(sizeof *job->pool);
    if (!job->pool) {
        free(job);
        return NULL;
    }
    job->pool->generation = job->generation;
    job->pool->references = 1;
    pthread_mutex_init(&job->pool->mutex, NULL);
    return job;
}

int ndshm_job_attach(const char *name, ndshm_job **out)
{
    const char *bare;
    ndshm__begin("ndshm_job_attach");
    if (!name || !out)
        return ndshm__fail(-EINVAL, "no name, or nowhere to put the job");
    int status = ndshm__name_check_any(name, &bare);
    if (status)
        return status;
    ndshm_job *job = new_job();
    if (!job)
        return ndshm__fail(-ENOMEM, "no memory for a job");
    ndshm__text_copy(job->name, sizeof job->name, bare);
    status = parse(bare, job->pool->launch.name, &job->id);
    if (!status)
        status = attach(job);
    if (status) {
        ndshm__quiet_begin();
        ndshm__watch_close(job);
        ndshm__quiet_end();
        return status;
    }
    *out = job;
    return 0;
}
