/* SPDX-License-Identifier: MIT */
/* Output as a table or raw lines, by libsmartcols, or as JSON, by json-c, with one place for
 * failures. */
#ifndef NDSHM_INSPECT_TABLE_H
#define NDSHM_INSPECT_TABLE_H

#include <stdbool.h>

#include <json-c/json.h>
#include <libsmartcols/libsmartcols.h>

enum { TABLE_COLUMNS_MAX = 256 };

/* How a cell's text becomes JSON; "" is null. */
enum table_type {
    TABLE_TEXT,
    TABLE_NUMBER, /* to the right in tables */
    TABLE_SHAPE,  /* "8x16": a list of numbers; "()": an empty one; to the right */
    TABLE_LINES   /* a list of texts; in tables a cell of several lines */
};

struct table_style {
    const char *name; /* of the array in JSON */
    bool json, raw, noheadings;
    bool verbatim; /* names of columns are data: in JSON as they are, not in lower case */
};

struct table {
    struct table_style style;
    struct libscols_table *scols;
    struct libscols_line *line;
    struct json_object *array, *object;
    struct {
        char *key; /* in JSON */
        enum table_type type;
    } columns[TABLE_COLUMNS_MAX];
    int ncolumns;
    int rows;
    bool sorted; /* a row has a key */
    bool failed; /* no memory, at some point */
};

/* table_finish or table_take must follow. */
void table_begin(struct table *table, const struct table_style *style);

/* Appends a column. In JSON each name must be another one. cut: shortened first on a narrow
 * terminal.
 */
void table_column(struct table *table, const char *name, enum table_type type, bool cut);

/* Appends a row, which sorts by key, bytewise; NULL: rows stay in their order. */
void table_row(struct table *table, const char *key);

/* A cell of the last row, by the position of its column. text may hold any byte. colour: a name or
 * NULL; shown on a terminal, unless NO_COLOR is set. */
void table_cell(struct table *table, int column, const char *text, const char *colour);

/* Sorts, prints and frees; 0, or -1 with a message on standard error. */
int table_finish(struct table *table, bool descending);

/* Sorts and frees; the rows, which are the caller's, or NULL. For style json only. */
struct json_object *table_take(struct table *table);

/* Prints and frees; 0, or -1 with a message on standard error. NULL: no memory. */
int table_print_json(struct json_object *object);

/* Text that may hold any byte as a JSON string; null when empty. */
struct json_object *table_json_text(const char *text);

#endif
