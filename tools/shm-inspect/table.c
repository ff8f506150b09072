/* SPDX-License-Identifier: MIT */
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "print.h"
#include "table.h"

static bool colours_wanted(void)
{
    const char *refused = getenv("NO_COLOR");
    return isatty(STDOUT_FILENO) && (!refused || !refused[0]);
}

/* The first column is hidden and holds what rows are sorted by. */
void table_begin(struct table *table, const struct table_style *style)
{
    *table = (struct table){.scols = scols_new_table(), .json = style->json};
    if (!table->scols) {
        table->failed = true;
        return;
    }
    if (style->json)
        setlocale(LC_CTYPE, "C.UTF-8"); /* JSON is UTF-8 whatever the terminal is */
    table->failed |= scols_table_set_name(table->scols, style->name) != 0;
    scols_table_enable_json(table->scols, style->json);
    scols_table_enable_raw(table->scols, style->raw);
    scols_table_enable_noheadings(table->scols, style->noheadings);
    scols_table_enable_colors(table->scols, colours_wanted());
    table_column(table, "KEY", SCOLS_FL_HIDDEN, SCOLS_JSON_STRING);
}

void table_column(struct table *table, const char *name, int flags, int type)
{
    if (table->failed)
        return;
    struct libscols_column *column = scols_table_new_column(table->scols, name, 0, flags);
    if (!column) {
        table->failed = true;
        return;
    }
    scols_column_set_json_type(column, type);
    if (flags & SCOLS_FL_WRAP) {
        scols_column_set_wrapfunc(column, scols_wrapnl_chunksize, scols_wrapnl_nextchunk, NULL);
        table->failed |= scols_column_set_safechars(column, "\n") != 0;
    }
}

void table_row(struct table *table, const char *key)
{
    if (table->failed)
        return;
    table->line = scols_table_new_line(table->scols, NULL);
    table->failed = !table->line || scols_line_set_data(table->line, 0, key);
    table->rows++;
}

void table_cell(struct table *table, int column, const char *text, const char *colour)
{
    char safe[PRINT_SIZE];
    size_t position = (size_t)column + 1;
    if (table->failed || !text[0])
        return;
    /* In tables and raw lines, libsmartcols does this itself. */
    if (table->json && !scols_column_is_wrap(scols_table_get_column(table->scols, position)))
        text = print_safe(text, safe);
    table->failed = scols_line_set_data(table->line, position, text) != 0;
    if (colour && !table->failed)
        scols_cell_set_color(scols_line_get_cell(table->line, position), colour);
}

static int ascending(struct libscols_cell *a, struct libscols_cell *b, void *unused)
{
    (void)unused;
    return strcmp(scols_cell_get_data(a), scols_cell_get_data(b));
}

static int descending_order(struct libscols_cell *a, struct libscols_cell *b, void *unused)
{
    return ascending(b, a, unused);
}

static int print_sorted(struct libscols_table *scols, bool descending)
{
    struct libscols_column *key = scols_table_get_column(scols, 0);
    scols_column_set_cmpfunc(key, descending ? descending_order : ascending, NULL);
    int status = scols_sort_table(scols, key);
    return status ? status : scols_print_table(scols);
}

int table_finish(struct table *table, bool descending)
{
    if (!table->failed)
        table->failed = print_sorted(table->scols, descending) != 0;
    scols_unref_table(table->scols);
    if (!table->failed)
        return 0;
    print_error("no memory for the output");
    return -1;
}
