/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <locale.h>
#include <stdio.h>
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

static void begin_json(struct table *table)
{
    setlocale(LC_CTYPE, "C.UTF-8"); /* JSON is UTF-8 whatever the terminal is */
    table->array = json_object_new_array();
    table->failed = !table->array;
}

void table_begin(struct table *table, const struct table_style *style)
{
    *table = (struct table){.style = *style};
    if (style->json) {
        begin_json(table);
        return;
    }
    table->scols = scols_new_table();
    if (!table->scols) {
        table->failed = true;
        return;
    }
    scols_table_enable_raw(table->scols, style->raw);
    scols_table_enable_noheadings(table->scols, style->noheadings);
    scols_table_enable_colors(table->scols, colours_wanted());
    if (!scols_table_new_column(table->scols, "KEY", 0, SCOLS_FL_HIDDEN))
        table->failed = true;
}

static char *key_of(const char *name, bool verbatim)
{
    char *key = strdup(name);
    for (char *letter = key; letter && *letter && !verbatim; letter++)
        *letter = (char)tolower((unsigned char)*letter);
    return key;
}

void table_column(struct table *table, const char *name, enum table_type type, bool cut)
{
    bool right = type == TABLE_NUMBER || type == TABLE_SHAPE;
    int flags = (right ? SCOLS_FL_RIGHT : 0) | (cut ? SCOLS_FL_TRUNC : 0) |
                (type == TABLE_LINES ? SCOLS_FL_WRAP : 0);
    if (table->failed || table->ncolumns == TABLE_COLUMNS_MAX)
        return;
    table->columns[table->ncolumns].type = type;
    table->columns[table->ncolumns++].key = key_of(name, table->style.verbatim);
    if (!table->scols) {
        table->failed = !table->columns[table->ncolumns - 1].key;
        return;
    }
    struct libscols_column *column = scols_table_new_column(table->scols, name, 0, flags);
    table->failed = !column;
    if (column && type == TABLE_LINES) {
        scols_column_set_wrapfunc(column, scols_wrapnl_chunksize, scols_wrapnl_nextchunk, NULL);
        table->failed |= scols_column_set_safechars(column, "\n") != 0;
    }
}

static void free_key(struct json_object *object, void *key)
{
    (void)object;
    free(key);
}

static bool row_json(struct table *table, const char *key)
{
    char *copy = key ? strdup(key) : NULL;
    table->object = json_object_new_object();
    if (!table->object || (key && !copy) ||
        json_object_array_add(table->array, table->object) != 0) {
        json_object_put(table->object);
        free(copy);
        return false;
    }
    json_object_set_userdata(table->object, copy, free_key);
    for (int i = 0; i < table->ncolumns; i++) /* the order of columns, whatever has a cell */
        json_object_object_add(table->object, table->columns[i].key, NULL);
    return true;
}

static bool row_scols(struct table *table, const char *key)
{
    table->line = scols_table_new_line(table->scols, NULL);
    return table->line && (!key || scols_line_set_data(table->line, 0, key) == 0);
}

void table_row(struct table *table, const char *key)
{
    if (table->failed)
        return;
    table->failed = !(table->scols ? row_scols(table, key) : row_json(table, key));
    table->sorted |= key != NULL;
    table->rows++;
}

struct json_object *table_json_text(const char *text)
{
    char safe[PRINT_SIZE];
    return text[0] ? json_object_new_string(print_safe(text, safe)) : NULL;
}

static struct json_object *json_number(const char *text)
{
    char *end;
    if (!strpbrk(text, "0123456789"))
        return table_json_text(text); /* nan, inf: JSON has none */
    errno = 0;
    long long integer = strtoll(text, &end, 10);
    if (!*end && !errno)
        return json_object_new_int64(integer);
    return json_object_new_double_s(strtod(text, NULL), text);
}

static struct json_object *json_list(const char *text, const char *separators,
                                     struct json_object *(*convert)(const char *text))
{
    struct json_object *list = json_object_new_array();
    char copy[PRINT_SIZE], *rest;
    snprintf(copy, sizeof copy, "%s", text);
    for (char *part = strtok_r(copy, separators, &rest); part && list;
         part = strtok_r(NULL, separators, &rest))
        json_object_array_add(list, convert(part));
    return list;
}

static struct json_object *json_cell(const char *text, enum table_type type)
{
    switch (type) {
    case TABLE_NUMBER:
        return json_number(text);
    case TABLE_SHAPE:
        return json_list(text, "()x", json_number);
    case TABLE_LINES:
        return json_list(text, "\n", table_json_text);
    default:
        return table_json_text(text);
    }
}

static bool cell_scols(struct table *table, int column, const char *text, const char *colour)
{
    size_t position = (size_t)column + 1;
    if (scols_line_set_data(table->line, position, text) != 0)
        return false;
    if (colour)
        scols_cell_set_color(scols_line_get_cell(table->line, position), colour);
    return true;
}

/* The place of the cell is there since table_row. */
static bool cell_json(struct table *table, int column, const char *text)
{
    struct json_object *value = json_cell(text, table->columns[column].type);
    return value && json_object_object_add(table->object, table->columns[column].key, value) == 0;
}

void table_cell(struct table *table, int column, const char *text, const char *colour)
{
    if (table->failed || !text[0])
        return;
    table->failed =
        !(table->scols ? cell_scols(table, column, text, colour) : cell_json(table, column, text));
}

static int compare_cells(struct libscols_cell *a, struct libscols_cell *b, void *unused)
{
    (void)unused;
    const char *first = scols_cell_get_data(a), *second = scols_cell_get_data(b);
    return first && second ? strcmp(first, second) : 0;
}

static int compare_cells_down(struct libscols_cell *a, struct libscols_cell *b, void *unused)
{
    return compare_cells(b, a, unused);
}

static bool print_scols(struct table *table, bool descending)
{
    struct libscols_column *key = scols_table_get_column(table->scols, 0);
    scols_column_set_cmpfunc(key, descending ? compare_cells_down : compare_cells, NULL);
    return (!table->sorted || scols_sort_table(table->scols, key) == 0) &&
           scols_print_table(table->scols) == 0;
}

static int compare_rows(const void *a, const void *b)
{
    const char *first = json_object_get_userdata(*(struct json_object *const *)a);
    const char *second = json_object_get_userdata(*(struct json_object *const *)b);
    return first && second ? strcmp(first, second) : 0;
}

static int compare_rows_down(const void *a, const void *b)
{
    return compare_rows(b, a);
}

int table_print_json(struct json_object *object)
{
    enum { FLAGS = JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE };
    const char *text = object ? json_object_to_json_string_ext(object, FLAGS) : NULL;
    if (text)
        puts(text);
    json_object_put(object);
    if (text)
        return 0;
    print_error("no memory for the output");
    return -1;
}

static void free_keys(struct table *table)
{
    while (table->ncolumns > 0)
        free(table->columns[--table->ncolumns].key);
}

static struct json_object *take_rows(struct table *table, bool descending)
{
    free_keys(table);
    if (table->failed) {
        json_object_put(table->array);
        return NULL;
    }
    if (table->sorted)
        json_object_array_sort(table->array, descending ? compare_rows_down : compare_rows);
    return table->array;
}

static struct json_object *wrap(struct table *table, bool descending)
{
    struct json_object *rows = take_rows(table, descending);
    struct json_object *object = rows ? json_object_new_object() : NULL;
    if (object)
        json_object_object_add(object, table->style.name, rows);
    else
        json_object_put(rows);
    return object;
}

int table_finish(struct table *table, bool descending)
{
    if (table->style.json)
        return table_print_json(wrap(table, descending));
    if (!table->failed)
        table->failed = !print_scols(table, descending);
    scols_unref_table(table->scols);
    free_keys(table);
    if (!table->failed)
        return 0;
    print_error("no memory for the output");
    return -1;
}

struct json_object *table_take(struct table *table)
{
    return take_rows(table, false);
}
