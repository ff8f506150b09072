/* SPDX-License-Identifier: MIT */
/* Processes that stop before each of their named steps until they are told to go on: so that the
 * real code can be taken through an interleaving that a model has found. */
#ifndef NDSHM_TESTS_ACTORS_H
#define NDSHM_TESTS_ACTORS_H

#include <stdatomic.h>
#include <stdint.h>

#include "explore.h"

enum { ACTORS = 8 };

/* What an actor and the test share. */
struct actor {
    _Atomic uint32_t turn;
    _Atomic int unbound; /* it stops no more */
    char name[32];       /* of the step before which it stands */
    int pid;             /* 0: it has ended */
    int verdict;
    _Atomic int status; /* for the actor's own purposes */
    uint8_t uuid[16];
};

extern struct actor *actors; /* ACTORS of them, between actors_open and actors_close */
extern int actor_self;       /* in an actor: which; elsewhere -1 */

void actors_open(void);
void actors_close(void); /* kills who is left */

/* Starts run in a process of its own; it stops nowhere before it calls actor_arm. */
void actor_start(int which, int (*run)(void *argument), void *argument);
void actor_arm(void);
int actor_is_armed(void);

/* In an actor: stops here. A step that may wait for others is blocking. */
void actor_stop_before(const char *step);
int actor_is_blocking(const char *step);

/* 1 when it stands before a step; 0: it has ended. */
int actor_stands(int which);

/* Lets it go on until it has taken this step. 0: it came to its end, to "use", or to a blocking
 * step without it. */
int actor_take(int which, const char *step);

void actor_kill(int which);

/* Lets it run to its end. Its verdict: 0, or 1 when it is not over after some seconds. */
void actor_unbind(int which);
int actor_finish(int which);

#endif
