/* SPDX-License-Identifier: MIT */
/* What a killed process may leave in the shared-memory directory, and how it goes away. */
#ifndef NDSHM_TESTS_LEFT_H
#define NDSHM_TESTS_LEFT_H

#include "segment/segment.h"

enum { LEFT_COMPLAINT = 400 };

struct left {
    int segments; /* complete ones */
    int drafts;   /* temporary names */
};

/* Looks at everything in the directory: complete segments (of those named name, whole says so, if
 * not NULL), and temporary names where drafts are allowed. Then removes it as an operator does, by
 * reaping. 0, or 1 with a complaint: something is half-made, or nothing but force removes it. */
int left_look(const char *name, int (*whole)(const ndshm__segment *segment), int drafts_allowed,
              struct left *out, char complaint[LEFT_COMPLAINT]);

/* Takes in all processes that were left to us, until there are none. 0: some do not end. */
int left_collect(void);

/* Free blocks and inodes; _same waits until they are as they were. */
struct left_space {
    uint64_t blocks, inodes;
};
struct left_space left_space(void);
int left_space_same(const struct left_space *before);

#endif
