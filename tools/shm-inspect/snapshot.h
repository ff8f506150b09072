/* SPDX-License-Identifier: MIT */
/* All segments at one moment, who holds them, and how they grew since the moment before. */
#ifndef NDSHM_INSPECT_SNAPSHOT_H
#define NDSHM_INSPECT_SNAPSHOT_H

#include <ndshm/segment.h>

#include "columns.h"
#include "select.h"

struct snapshot_row {
    ndshm_info info;
    int64_t users;  /* processes that map it */
    int64_t growth; /* of its resident memory, bytes a second */
};

struct snapshot {
    struct snapshot_row *rows;
    int64_t count, room;
    int64_t orphans, orphan_bytes;
    int64_t taken_ns;
};

/* Takes a new one of what is selected, foreign files left out; before: the last one, for the
 * growth. Empty, with a message on standard error, when something fails. */
struct snapshot snapshot_take(const struct selection *selection, const struct snapshot *before);
void snapshot_free(struct snapshot *snapshot);

enum { SNAPSHOT_USERS = COLUMNS, SNAPSHOT_GROWTH, SNAPSHOT_ORDERS };

/* Sorts by columns[order], users or growth. */
void snapshot_sort(struct snapshot *snapshot, int order, bool descending);

#endif
