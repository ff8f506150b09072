/* SPDX-License-Identifier: MIT */
/* Where a job lies: inline in the pool's segment, or in a segment of its own; and its place in the
 * table of jobs under way. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"
#include "pool/pool.h"

/* Takes a finished job out of the table. What lay inline moves to private memory. */
static int evict(ndshm_pool *pool, int entry)
{
    ndshm_job *job = pool->entries[entry];
    job->broken = atomic_load(&pool->memory->entries[entry].broken);
    if (!job->segment) {
        void *copy = ndshm__alloc(NDSHM__INLINE_SIZE);
        if (!copy)
            return -ENOMEM;
        memcpy(copy, pool->memory->inline_jobs[entry], NDSHM__INLINE_SIZE);
        job->copy = copy;
        ndshm__layout_bind(&job->view, copy);
    }
    ndshm__table_remove(pool->memory, entry);
    pool->entries[entry] = NULL;
    job->entry = -1;
    return 0;
}

static bool is_free(ndshm_pool *pool, int entry)
{
    return !pool->entries[entry] && !ndshm__table_busy(pool->memory, pool->entry_ids[entry]);
}

/* An entry that nobody looks at, or -1. */
static int find_entry(ndshm_pool *pool)
{
    for (int i = 0; i < NDSHM__ENTRIES; i++)
        if (is_free(pool, i))
            return i;
    for (int i = 0; i < NDSHM__ENTRIES; i++) {
        ndshm_job *job = pool->entries[i];
        if (job && ndshm__job_done(job) && evict(pool, i) == 0 && is_free(pool, i))
            return i;
    }
    return -1;
}

static int create_segment(ndshm_job *job, int64_t size)
{
    const char *pool = job->pool->launch.name;
    ndshm__spec spec = {
        .name = job->name, .pool = pool, .kind = NDSHM_KIND_JOB, .payload_size = size};
    int status = ndshm__segment_create(&spec, &job->segment);
    if (!status)
        ndshm__segment_dontfork(job->segment);
    return status;
}

int ndshm__job_place(ndshm_job *job, struct ndshm__facts *facts)
{
    int64_t size;
    ndshm_pool *pool = job->pool;
    int entry = find_entry(pool);
    if (entry < 0)
        return 1;
    job->id = facts->id = ++pool->last_id;
    ndshm__job_member(job->name, pool->launch.name, job->id);
    int status = ndshm__layout_plan(facts, &job->view, &size);
    if (status == NDSHM_ESHAPE)
        return ndshm__fail(status, "a job of %lld tasks does not fit into memory",
                           (long long)facts->count);
    if (status)
        return ndshm__fail(status, "no memory for the job");
    void *memory = pool->memory->inline_jobs[entry];
    if (size <= NDSHM__INLINE_SIZE) {
        memset(memory, 0, (size_t)size);
    } else {
        status = create_segment(job, size);
        if (status)
            return status;
        memory = ndshm__segment_payload(job->segment);
    }
    ndshm__layout_format(&job->view, memory);
    pool->entries[entry] = job;
    pool->entry_ids[entry] = job->id;
    job->entry = entry;
    return 0;
}

void ndshm__job_displace(ndshm_job *job)
{
    ndshm_pool *pool = job->pool;
    if (job->entry < 0)
        return;
    ndshm__table_remove(pool->memory, job->entry);
    pool->entries[job->entry] = NULL;
    job->entry = -1;
}
