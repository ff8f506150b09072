/* SPDX-License-Identifier: MIT */
/* How a pool's host, supervisor and workers share a job: claims by swap, the hint, the mark in
 * runnable and the second look, the hazard, the events, and the settling of a death. Each access to
 * shared memory is a step. */
#ifndef NDSHM_TESTS_POOL_MODEL_H
#define NDSHM_TESTS_POOL_MODEL_H

#include "explore.h"

enum { POOL_HOST = 0, POOL_SUPERVISOR = 1, POOL_WORKER = 2 /* and those behind it */ };

enum pool_mutant {
    POOL_SOUND,
    POOL_CLAIM_BY_STORE,    /* the byte is looked at, and then written */
    POOL_CLAIM_BY_COUNTER,  /* what the counter gave is owned; nobody searches */
    POOL_NO_LOOK_AGAIN,     /* after the mark in runnable was taken away */
    POOL_NO_HAZARD_RECHECK, /* whether the entry still has the id that was announced */
    POOL_NO_BUSY_CHECK,     /* by the host, before it reuses an entry */
    POOL_PARK_BLINDLY,      /* for whatever comes next */
    POOL_WAKE_FIRST,        /* and set the mark then */
    POOL_NO_OFFER_AT_DEATH,
    POOL_NO_OFFER_OF_ALL, /* at the death of one without a job, which may have taken a mark away */
    POOL_SETTLE_FIRST,    /* looks for completion, then makes its byte final */
    POOL_LEAVE_FIRST,     /* the supervisor lets go of the hazard, then settles */
    POOL_WAITERS_FIRST,   /* an event looks for waiters, then changes its word */
    POOL_SILENT_DEATH,    /* says that a job is done only if the dead one had not got so far */
    POOL_FORGET_RUNNING,  /* a death makes final what was not */
    POOL_MUTANTS
};

struct pool_setup {
    int workers, chunks, jobs, deaths, retries; /* at most 3, 3, 7, 7, 1 */
    int cancel;                                 /* the host may cancel */
    int supervisor_dies;
    enum pool_mutant mutant;
};

/* The model of this setup: valid until the next call. */
const struct explore_model *pool_model(const struct pool_setup *setup);

#endif
