/* SPDX-License-Identifier: MIT */
/* An operation, killed at each of its points. */
#ifndef NDSHM_TESTS_SWEEP_H
#define NDSHM_TESTS_SWEEP_H

#include "left.h"
#include "stepper.h"

struct sweep_operation {
    const char *name;
    int (*prepare)(void);      /* in the test's process; NULL: nothing */
    int (*begin)(void);        /* in the new process, before the first step; NULL: nothing */
    int (*run)(void);          /* what is stepped: a status */
    int (*finish)(int status); /* afterwards: 0 when what came of it is right. NULL: status is 0 */
    int (*whole)(const ndshm__segment *segment); /* of SWEEP_NAME; NULL: any segment is */
    int generation;                              /* STEP_*: which process is stepped, and killed */
    int at_fork;                                 /* from its fork on */
    int verdict;    /* of the first process, when it is not killed by us and finish cannot be run */
    int needs_name; /* SWEEP_NAME is there before, and so after a kill at the first instruction */
};

#define SWEEP_NAME "t-house-steps"

/* Kills at all system calls, before and after, and at instructions of a mean distance. Prints one
 * line; returns the number of complaints. */
int sweep(const struct sweep_operation *operation, long stride);

/* From the environment: NDSHM_STRIDE, the mean distance (1: every instruction), instead of stride;
 * NDSHM_SEED, to repeat a run; NDSHM_OPERATION, a part of the names of those to be run. */
long sweep_stride(long stride);
uint64_t sweep_seed(void);
int sweep_is_chosen(const char *name);

#endif
