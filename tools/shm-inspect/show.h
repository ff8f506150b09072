/* SPDX-License-Identifier: MIT */
/* The parts of what show prints. */
#ifndef NDSHM_INSPECT_SHOW_H
#define NDSHM_INSPECT_SHOW_H

#include <ndshm/frame.h>
#include <ndshm/view.h>

#include "table.h"

/* Makes the table of the columns' types, null counts and statistics, which is then to be finished.
 * 0, or -1 with a message on standard error. */
int show_columns(const ndshm_frame *frame, struct table *table, const struct table_style *style);

/* Makes the table of the first rows. A column for each element of a row of an array. */
int show_frame_rows(const ndshm_frame *frame, int64_t rows, struct table *table,
                    const struct table_style *style);
int show_array_rows(const ndshm_view *view, int64_t rows, struct table *table,
                    const struct table_style *style);

#endif
