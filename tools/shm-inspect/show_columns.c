/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <ndshm/ndshm.h>

#include "print.h"
#include "show.h"
#include "values.h"

enum { NAME, TYPE, NULLS, STATISTICS };

static int64_t count_nulls(const ndshm_column *column)
{
    int64_t nulls = column->null_count;
    if (nulls >= 0)
        return nulls;
    nulls = 0;
    for (int64_t row = 0; column->validity && row < column->rows; row++) {
        int64_t i = column->offset + row * column->step;
        nulls += !(column->validity[i / 8] >> i % 8 & 1);
    }
    return nulls;
}

/* The statistics, or NULL where no column has any. */
static ndshm_frame *describe(const ndshm_frame *frame)
{
    ndshm_frame *statistics = NULL;
    ndshm_describe(NULL, frame, NULL, &statistics);
    return statistics;
}

/* The row labels are columns like any other here. */
static void add_statistic_columns(const ndshm_frame *statistics, struct table *table)
{
    static char names[8][16];
    ndshm_column labels;
    int index = ndshm_frame_find(statistics, ndshm_frame_index_name());
    if (index < 0 || ndshm_frame_column(statistics, index, &labels))
        return;
    for (int64_t row = 0; row < labels.rows && row < 8; row++) {
        char text[PRINT_SIZE];
        value_of_column(&labels, NULL, row, text);
        snprintf(names[row], sizeof names[row], "%.15s", text);
        table_column(table, names[row], TABLE_NUMBER, false);
    }
}

static void add_statistics(const ndshm_frame *statistics, const char *name, struct table *table)
{
    char text[PRINT_SIZE];
    ndshm_column column;
    int index = ndshm_frame_find(statistics, name);
    if (index < 0 || ndshm_frame_column(statistics, index, &column) || column.format[0] != 'g')
        return;
    for (int64_t row = 0; row < column.rows && row < 8; row++) {
        snprintf(text, sizeof text, "%.6g", ((const double *)column.data)[column.offset + row]);
        table_cell(table, STATISTICS + (int)row, text, NULL);
    }
}

static void add_column(const ndshm_frame *frame, int index, const ndshm_frame *statistics,
                       struct table *table)
{
    char text[PRINT_SIZE];
    ndshm_column column, dictionary;
    ndshm_frame_column(frame, index, &column);
    table_row(table, NULL);
    table_cell(table, NAME, column.name, NULL);
    snprintf(text, sizeof text, "%.200s", column.format);
    if (column.flags & NDSHM_COLUMN_DICTIONARY &&
        ndshm_frame_dictionary(frame, index, &dictionary) == 0)
        snprintf(text, sizeof text, "%.100s -> %.100s", column.format, dictionary.format);
    table_cell(table, TYPE, text, NULL);
    snprintf(text, sizeof text, "%" PRId64, count_nulls(&column));
    table_cell(table, NULLS, text, NULL);
    if (statistics)
        add_statistics(statistics, column.name, table);
}

int show_columns(const ndshm_frame *frame, struct table *table, const struct table_style *style)
{
    ndshm_frame *statistics = describe(frame);
    table_begin(table, style);
    table_column(table, "NAME", TABLE_TEXT, false);
    table_column(table, "TYPE", TABLE_TEXT, false);
    table_column(table, "NULLS", TABLE_NUMBER, false);
    if (statistics)
        add_statistic_columns(statistics, table);
    for (int i = 0; i < ndshm_frame_columns(frame); i++)
        add_column(frame, i, statistics, table);
    ndshm_frame_detach(&statistics);
    return 0;
}
