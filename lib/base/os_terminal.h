/* SPDX-License-Identifier: MIT */
#ifndef NDSHM_LIB_OS_TERMINAL_H
#define NDSHM_LIB_OS_TERMINAL_H

#include <stddef.h>

/* Columns of the terminal that standard error is; 0 when it is none, or cannot move its cursor. */
int ndshm__os_terminal_width(void);

void ndshm__os_terminal_write(const char *text, size_t size);

#endif
