/* SPDX-License-Identifier: MIT */
/* Output as a table, as raw lines or as JSON: libsmartcols with one place for failures. */
#ifndef NDSHM_INSPECT_TABLE_H
#define NDSHM_INSPECT_TABLE_H

#include <stdbool.h>

#include <libsmartcols/libsmartcols.h>

struct table_style {
    const char *name; /* of the array in JSON */
    bool json, raw, noheadings;
};

struct table {
    struct libscols_table *scols;
    struct libscols_line *line;
    bool json;
    bool failed; /* no memory, at some point */
    int rows;
};

/* table_finish must follow. */
void table_begin(struct table *table, const struct table_style *style);

/* Appends a column. flags: SCOLS_FL_*; type: SCOLS_JSON_*. A cell of several lines needs
 * SCOLS_FL_WRAP. */
void table_column(struct table *table, const char *name, int flags, int type);

/* Appends a row, which sorts by key, bytewise. */
void table_row(struct table *table, const char *key);

/* A cell of the last row, by the position of its column. text may hold any byte; "" is null in
 * JSON. colour: a name or NULL; shown on a terminal, unless NO_COLOR is set. */
void table_cell(struct table *table, int column, const char *text, const char *colour);

/* Sorts, prints and frees; 0, or -1 with a message on standard error. */
int table_finish(struct table *table, bool descending);

#endif
