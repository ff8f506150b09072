/* SPDX-License-Identifier: MIT */
/* What there is to say about a segment in one line: the columns of list and top. */
#ifndef NDSHM_INSPECT_COLUMNS_H
#define NDSHM_INSPECT_COLUMNS_H

#include <stdbool.h>

#include <ndshm/segment.h>

#include "table.h"

struct column {
    const char *name;
    enum table_type type;
    bool usual; /* shown when nobody says which */
    bool cut;   /* shortened first on a narrow terminal */
    void (*text)(const ndshm_info *info, bool exact, char *buffer); /* of PRINT_SIZE bytes */
    int64_t (*number)(const ndshm_info *info); /* to sort by; NULL: sorted by text */
};

enum {
    COLUMN_NAME,
    COLUMN_KIND,
    COLUMN_DTYPE,
    COLUMN_SHAPE,
    COLUMN_BYTES,
    COLUMN_RESIDENT,
    COLUMN_LIFETIME,
    COLUMN_POOL,
    COLUMN_STATE,
    COLUMN_OWNER,
    COLUMN_AGE,
    COLUMN_LABEL,
    COLUMN_NOTE,
    COLUMNS
};
extern const struct column columns[COLUMNS];

/* By its name, of any case; NULL with a message on standard error. */
const struct column *columns_find(const char *name, size_t length);

/* What a row sorts by. Returns buffer, which has 2 * PRINT_SIZE bytes. */
const char *columns_key(const struct column *column, const ndshm_info *info, char *buffer);

/* The colour of a state, or NULL. */
const char *columns_colour(const struct column *column, const ndshm_info *info);

#endif
