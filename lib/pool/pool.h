/* SPDX-License-Identifier: MIT */
/* The host's handles. */
#ifndef NDSHM_LIB_POOL_H
#define NDSHM_LIB_POOL_H

#include <pthread.h>

#include "pool/attachment.h"
#include "pool/bar.h"
#include "pool/park.h"
#include "pool/results.h"
#include "pool/stream.h"
#include "pool/supervisor.h"

struct ndshm_pool {
    uint64_t generation; /* the process that opened it */
    int references;      /* the handle's, and one for each of its jobs; under mutex */
    pthread_mutex_t mutex;
    ndshm__segment *segment;
    struct ndshm__pool_memory *memory;
    struct ndshm__launch launch;
    struct ndshm__spin spin;
    int supervisor; /* pid; 0: collected */
    int pidfd;
    int watch, watch_any; /* for ndshm_pool_fd; -1: not asked for yet */
    bool stopping;
    bool closed;
    uint64_t last_id;
    ndshm_job *entries[NDSHM__ENTRIES]; /* whose job an entry holds */
    uint64_t entry_ids[NDSHM__ENTRIES]; /* the last job that it held */
    ndshm_job *jobs;                    /* all of its jobs */
};

/* What ndshm_job_next has given. */
struct ndshm__next {
    int64_t count;
    uint8_t *given; /* a byte a unit, 0x80: given; NULL when they come by index */
    int64_t low;    /* all before it were given */
    int64_t scan;   /* where the search goes on */
};

struct ndshm_job {
    uint64_t generation;
    ndshm_pool *pool;
    ndshm_job *before, *after;
    uint64_t id;
    int entry; /* -1: not in the table (any more) */
    bool owns_pool;
    bool watched;   /* another process's: only looked at */
    bool cleared;   /* its results are removed or taken */
    int32_t broken; /* status; 0: sound */
    struct ndshm__job_view view;
    ndshm__segment *segment; /* NULL: inline in the pool's segment, or in copy */
    void *copy;
    struct ndshm__attachment *held; /* what shared and output refer to */
    int nheld;
    struct ndshm__next next;
    struct ndshm__stream *stream; /* NULL: it is none */
    struct ndshm__bar bar;
    char name[NDSHM__MEMBER_SIZE];
};

/* pool.c */
int ndshm__pool_open(const ndshm_pool_config *config, ndshm_pool **out);
int ndshm__pool_stop(ndshm_pool *pool, int timeout_ms);
void ndshm__pool_close(ndshm_pool *pool);
void ndshm__pool_release(ndshm_pool *pool);
int ndshm__pool_check(const ndshm_pool *pool); /* -EINVAL, -EPERM in a forked child */

/* Whether the supervisor lives; finds out, and remembers. Under the mutex. */
bool ndshm__pool_alive(ndshm_pool *pool);

/* NDSHM_EWORKER with the reason why the pool is dead. */
int ndshm__pool_dead(const ndshm_pool *pool);

/* submit.c. pool is known to be good. */
int ndshm__pool_submit(ndshm_pool *pool, const ndshm_job_config *config, ndshm_job **out);
int ndshm__job_config(const ndshm_job_config *given, ndshm_job_config *config);

/* entry.c: places in the table and in memory. Under the mutex. 1: all are taken by jobs under way.
 */
int ndshm__job_place(ndshm_job *job, struct ndshm__facts *facts);
void ndshm__job_displace(ndshm_job *job);

/* next.c */
int ndshm__next_init(ndshm_job *job, int order);

/* watch.c: a pool of anybody, mapped for reading. Errors as ndshm_jobs_open. */
int ndshm__watch_pool(const char *name, ndshm__segment **out);

/* watch.c: a job of another process. _check: -ENOENT, it has left the table. */
int ndshm__watch_check(const ndshm_job *job);
bool ndshm__watch_over(const ndshm_job *job);
void ndshm__watch_close(ndshm_job *job);

/* job_progress.c, under the mutex: units, those that have left a stream included */
void ndshm__job_tally(const ndshm_job *job, struct ndshm__tally *out);

/* job_result.c, under the mutex */
uint8_t ndshm__job_state(const ndshm_job *job, int64_t unit);
void ndshm__job_fate(const ndshm_job *job, int64_t unit, ndshm_result *out);

/* job.c. _check: -EINVAL, -EPERM in a forked child. _lock: the same, and 0 with the pool's mutex
 * held. */
int ndshm__job_check(const ndshm_job *job);
int ndshm__job_lock(const ndshm_job *job);
int ndshm__job_lock_any(const ndshm_job *job); /* also one that is only watched */
void ndshm__job_unlock(const ndshm_job *job);
int ndshm__job_wait(ndshm_job *job, int timeout_ms);
bool ndshm__job_done(const ndshm_job *job); /* under the mutex: nothing will change any more */
void ndshm__job_settle(ndshm_job *job);     /* under the mutex: looks whether it is complete */
int ndshm__job_over(const ndshm_job *job);  /* under the mutex: why nothing more can be fed */
void ndshm__job_clear(ndshm_job *job);      /* under the mutex: removes what nobody took */
void ndshm__job_free(ndshm_job *job);

/* job_progress.c. Not under the mutex. */
int ndshm__job_progress(const ndshm_job *job, ndshm_progress *out);

/* Sleeps until the event, or a slice of time, has passed; 0, -ETIMEDOUT, NDSHM_EWORKER. */
int ndshm__job_sleep(const ndshm_job *job, struct ndshm__event *event, uint32_t seen,
                     int64_t end_ns);
int64_t ndshm__deadline(int timeout_ms); /* -1: never */

#endif
