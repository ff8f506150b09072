/* SPDX-License-Identifier: MIT */
/* The jobs of all living pools at one moment, and how fast they go. */
#ifndef NDSHM_INSPECT_JOBLIST_H
#define NDSHM_INSPECT_JOBLIST_H

#include <ndshm/pool.h>

#include "select.h"

struct joblist_row {
    char name[NDSHM_NAME_MAX + 1];
    char pool[256];
    ndshm_progress progress;
    double rate; /* tasks a second since the moment before; -1: not known */
};

struct joblist {
    struct joblist_row *rows;
    int64_t count;
    int64_t taken_ns;
};

/* Of the selected pools; before: the last one, or NULL. Jobs that end meanwhile are passed over. */
struct joblist joblist_take(const struct selection *selection, const struct joblist *before);
void joblist_free(struct joblist *list);

#endif
