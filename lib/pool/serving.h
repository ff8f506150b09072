/* SPDX-License-Identifier: MIT */
/* A job of the table, opened by a worker or by the supervisor. */
#ifndef NDSHM_LIB_POOL_SERVING_H
#define NDSHM_LIB_POOL_SERVING_H

#include "pool/claim.h"
#include "pool/table.h"
#include "segment/segment.h"

enum { NDSHM__MEMBER_SIZE = 128 }; /* of a name made in a pool */

struct ndshm__serving {
    struct ndshm__pool_memory *pool;
    const char *pool_name;
    int entry;
    uint64_t id;
    ndshm__segment *segment; /* NULL when inline */
    struct ndshm__job_view job;
    struct ndshm__cursor cursor;
};

/* The caller must have entered the entry, or otherwise know that it is not reused. Messages as of
 * attaching; NDSHM_ECORRUPT. */
int ndshm__serving_open(struct ndshm__serving *serving, struct ndshm__pool_memory *pool,
                        const char *pool_name, int entry, uint64_t id);
void ndshm__serving_close(struct ndshm__serving *serving);

/* Looks whether the job is complete, and if so says it to everybody. */
void ndshm__serving_settle(struct ndshm__serving *serving);

/* Names of a pool's members. */
void ndshm__job_member(char name[NDSHM__MEMBER_SIZE], const char *pool, uint64_t job);
void ndshm__result_member(char name[NDSHM__MEMBER_SIZE], const char *pool, uint64_t job,
                          int64_t task, int attempt);

/* The name of a unit's result at its present attempt. */
void ndshm__result_of(char name[NDSHM__MEMBER_SIZE], const char *pool,
                      const struct ndshm__job_view *job, int64_t unit);

/* Keeps a message for the submitter; without room it is lost, and the status with it. */
void ndshm__news_add(struct ndshm__job_view *job, int64_t unit, int status, int signal,
                     const char *message);

#endif
