/* SPDX-License-Identifier: MIT */
/* Single values of arrays and columns as text. */
#ifndef NDSHM_INSPECT_VALUES_H
#define NDSHM_INSPECT_VALUES_H

#include <stdbool.h>

#include <ndshm/frame.h>
#include <ndshm/view.h>

#include "table.h"

/* The value of a row of a column, "" when it is null; buffer has PRINT_SIZE bytes. What has no
 * short text, such as a list, is shown as its format in angle brackets. dictionary: of the column,
 * or NULL. What the column claims is believed: validate a frame of somebody else before. */
void value_of_column(const ndshm_column *column, const ndshm_column *dictionary, int64_t row,
                     char *buffer);

/* The element at data, of that dtype. */
void value_of_element(const void *data, ndshm_dtype dtype, char *buffer);

/* How texts of such a column become JSON. */
enum table_type value_type(const char *format);

#endif
