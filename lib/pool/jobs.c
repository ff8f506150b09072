/* SPDX-License-Identifier: MIT */
/* The jobs that a pool holds, by name. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"
#include "pool/pool.h"

struct ndshm_jobs {
    ndshm__segment *pool;
    int next; /* entry */
};

int ndshm_jobs_open(const char *pool, ndshm_jobs **out)
{
    const char *bare;
    ndshm__begin("ndshm_jobs_open");
    int status = ndshm__name_check_any(pool, &bare);
    if (status)
        return status;
    ndshm_jobs *jobs = ndshm__alloc(sizeof *jobs);
    if (!jobs)
        return ndshm__fail(-ENOMEM, "no memory for a list of jobs");
    status = ndshm__watch_pool(bare, &jobs->pool);
    if (status)
        free(jobs);
    else
        *out = jobs;
    return status;
}

int ndshm_jobs_next(ndshm_jobs *jobs, char *name, size_t size)
{
    char member[NDSHM__MEMBER_SIZE];
    struct ndshm__pool_memory *pool = ndshm__segment_payload(jobs->pool);
    ndshm__begin("ndshm_jobs_next");
    for (; jobs->next < NDSHM__ENTRIES; jobs->next++) {
        uint64_t id = atomic_load(&pool->entries[jobs->next].id);
        if (!id)
            continue;
        ndshm__job_member(member, ndshm__segment_name(jobs->pool), id);
        if (strlen(member) >= size)
            return ndshm__fail(-ERANGE, "'%s' does not fit into %zu bytes", member, size);
        memcpy(name, member, strlen(member) + 1);
        jobs->next++;
        return 0;
    }
    return ndshm__fail(-ENOENT, "the list has ended");
}

void ndshm_jobs_close(ndshm_jobs **jobs)
{
    if (!jobs || !*jobs)
        return;
    ndshm__segment_release(&(*jobs)->pool);
    free(*jobs);
    *jobs = NULL;
}
