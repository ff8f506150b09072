/* SPDX-License-Identifier: MIT */
/* Visits every state that the processes of a model can reach, in whatever order they take their
 * steps and whenever they are killed; breadth first, so that what it finds is as short as can be.
 */
#ifndef NDSHM_TESTS_EXPLORE_H
#define NDSHM_TESTS_EXPLORE_H

#include <stdint.h>

enum { EXPLORE_STEPS = 256 };

enum {
    EXPLORE_NONE = 0, /* no such step now */
    EXPLORE_STEP = 1,
    EXPLORE_KILL = 2 /* may happen, and nobody can count on it */
};

struct explore_model {
    int size; /* bytes of a state, a multiple of 8 */
    int processes;
    int choices; /* of a process in a state */
    void (*begin)(void *state);
    /* Changes the state by one step; *what names it. */
    int (*step)(void *state, int process, int choice, const char **what);
    const char *(*violation)(const void *state); /* or NULL */
    int (*may_rest)(const void *state);          /* nothing has to happen any more */
};

struct explore_result {
    long states;
    const char *violation; /* NULL: none. The steps that lead to it: */
    int length;
    struct {
        int process;
        const char *what;
    } steps[EXPLORE_STEPS];
};

/* 0; 1: more than limit states; -1: no memory. always_ends: also finds states from which no steps
 * lead to rest without a kill, which takes some times as long. */
int explore(const struct explore_model *model, long limit, int always_ends,
            struct explore_result *out);

#endif
