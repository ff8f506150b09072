/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ndshm/ndshm.h>

#include "print.h"
#include "show.h"
#include "values.h"

enum { SHOWN_MAX = 32 }; /* columns; a wider row ends in "..." */

/* Names that columns of a table can have: each its own, and safe. */
struct names {
    char text[SHOWN_MAX + 1][160];
};

static bool is_taken(const struct names *names, int column, const char *name)
{
    for (int i = 0; i < column; i++)
        if (strcmp(names->text[i], name) == 0)
            return true;
    return false;
}

static const char *name_of(struct names *names, int column, const char *name)
{
    char safe[PRINT_SIZE];
    char *text = names->text[column];
    snprintf(text, sizeof names->text[column], "%.140s", print_safe(name, safe));
    for (int i = column; is_taken(names, column, text); i++)
        snprintf(text, sizeof names->text[column], "%.140s.%d", safe, i);
    return text;
}

static void add_cell(struct table *table, int column, const char *text)
{
    table_cell(table, column, text, NULL);
}

int show_frame_rows(const ndshm_frame *frame, int64_t rows, struct table *table,
                    const struct table_style *style)
{
    int all = ndshm_frame_columns(frame), shown = all < SHOWN_MAX ? all : SHOWN_MAX;
    ndshm_column *columns = calloc((size_t)shown * 2 + 1, sizeof *columns);
    ndshm_column *dictionaries = columns + shown;
    char text[PRINT_SIZE];
    struct names names;
    if (!columns) {
        print_error("no memory for the columns");
        return -1;
    }
    table_begin(table, style);
    for (int i = 0; i < shown; i++) {
        ndshm_frame_column(frame, i, &columns[i]);
        bool coded = columns[i].flags & NDSHM_COLUMN_DICTIONARY;
        if (coded)
            ndshm_frame_dictionary(frame, i, &dictionaries[i]);
        const char *format = coded ? dictionaries[i].format : columns[i].format;
        table_column(table, name_of(&names, i, columns[i].name), value_type(format), false);
    }
    if (shown < all)
        table_column(table, name_of(&names, shown, "..."), TABLE_TEXT, false);
    for (int64_t row = 0; row < rows && row < ndshm_frame_rows(frame); row++) {
        table_row(table, NULL);
        for (int i = 0; i < shown; i++) {
            bool coded = columns[i].flags & NDSHM_COLUMN_DICTIONARY;
            value_of_column(&columns[i], coded ? &dictionaries[i] : NULL, row, text);
            add_cell(table, i, text);
        }
    }
    free(columns);
    return 0;
}

/* The element of a row at that position in C order of the other axes. */
static const char *element_at(const ndshm_view *view, int64_t row, int64_t position)
{
    const char *data = view->data;
    for (int axis = view->ndim - 1; axis > 0; axis--) {
        data += position % view->shape[axis] * view->strides[axis];
        position /= view->shape[axis];
    }
    return view->ndim ? data + row * view->strides[0] : data;
}

int show_array_rows(const ndshm_view *view, int64_t rows, struct table *table,
                    const struct table_style *style)
{
    int64_t all = 1, length = view->ndim ? view->shape[0] : 1;
    char text[PRINT_SIZE];
    struct names names;
    for (int axis = 1; axis < view->ndim; axis++)
        all *= view->shape[axis];
    int shown = all < SHOWN_MAX ? (int)all : SHOWN_MAX;
    bool number = true;
    if (length > 0 && all > 0) {
        value_of_element(view->data, view->dtype, text);
        number = strspn(text, "0123456789+-.einfa") == strlen(text);
    }
    table_begin(table, style);
    for (int i = 0; i < shown; i++) {
        snprintf(text, sizeof text, "%d", i);
        table_column(table, name_of(&names, i, text), number ? TABLE_NUMBER : TABLE_TEXT, false);
    }
    if (shown < all)
        table_column(table, name_of(&names, shown, "..."), TABLE_TEXT, false);
    for (int64_t row = 0; row < rows && row < length; row++) {
        table_row(table, NULL);
        for (int i = 0; i < shown; i++) {
            value_of_element(element_at(view, row, i), view->dtype, text);
            add_cell(table, i, text);
        }
    }
    return 0;
}
