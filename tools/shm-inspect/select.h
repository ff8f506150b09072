/* SPDX-License-Identifier: MIT */
/* Which segments a command is about. */
#ifndef NDSHM_INSPECT_SELECT_H
#define NDSHM_INSPECT_SELECT_H

#include <stdbool.h>

#include <ndshm/segment.h>

/* NULL: everything. */
struct selection {
    const char *pattern; /* as in the shell; of the name, or of the name of the pool */
    const char *pool;
    int64_t older_than; /* seconds */
};

/* A pool is selected together with its members. */
bool select_matches(const struct selection *selection, const ndshm_info *info);

/* Calls visit for every selected file of the shared-memory directory, in any order. 0, or -1 with a
 * message on standard error. */
int select_each(const struct selection *selection,
                void (*visit)(void *context, const ndshm_info *info), void *context);

/* The same, but visit is called by several threads at once, one for each processor. */
int select_each_at_once(const struct selection *selection,
                        void (*visit)(void *context, const ndshm_info *info), void *context);

/* The same for what is mapped although it has no name (any more): an info with name, bytes,
 * resident, uid and note, in state PRINT_STATE_UNLINKED. */
int select_each_unlinked(const struct selection *selection,
                         void (*visit)(void *context, const ndshm_info *info), void *context);

/* The moment of a look, in ns, for rates between two of them. */
int64_t select_now(void);

#endif
