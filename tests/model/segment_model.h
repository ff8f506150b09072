/* SPDX-License-Identifier: MIT */
/* How processes that know nothing of each other create, attach, unlink, reap and recycle segments:
 * open, locks, link count, own name, lease, inode, unlink and rename. Each system call is a step.
 */
#ifndef NDSHM_TESTS_SEGMENT_MODEL_H
#define NDSHM_TESTS_SEGMENT_MODEL_H

#include "explore.h"

enum segment_mutant {
    SEGMENT_SOUND,
    SEGMENT_LINK_BEFORE_LOCK, /* the creator */
    SEGMENT_FILL_AFTER_LINK,
    SEGMENT_NO_LINK_COUNT, /* the attacher */
    SEGMENT_NO_OWN_NAME,
    SEGMENT_HEADER_BEFORE_LOCK,
    SEGMENT_NO_NAME_LOCK, /* the unlinker */
    SEGMENT_NO_SAME_FILE,
    SEGMENT_REAP_NO_LIVE_NO_LEASE, /* the reaper; one of them would do against these processes */
    SEGMENT_REAP_NO_LOOK_AGAIN,    /* at lifetime and pool, under the locks */
    SEGMENT_REAP_NO_SAME_FILE,
    SEGMENT_KEEP_NO_NAME_LOCK,    /* who writes a lifetime */
    SEGMENT_RECYCLE_NO_LIVE_LOCK, /* the pool's cache */
    SEGMENT_RECYCLE_NO_NAME_LOCK,
    SEGMENT_MUTANTS
};

/* C creates, A attaches, U unlinks, R reaps, K keeps (makes persistent, and lets go), all of one
 * name; P makes a segment of that name in a pool, recycles it under the next name, and may die. */
struct segment_setup {
    const char *roles; /* at most 6 */
    int lock_only;     /* no lease is to be had, and the locks are accepted as a proof */
    enum segment_mutant mutant;
};

/* The model of this setup: valid until the next call. */
const struct explore_model *segment_model(const struct segment_setup *setup);

#endif
