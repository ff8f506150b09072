/* SPDX-License-Identifier: MIT */
/* The control groups of this process, from its own up to the outermost that can be seen. */
#ifndef NDSHM_LIB_OS_CGROUP_H
#define NDSHM_LIB_OS_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

/* Sees one group. unified: of cgroup v2. */
typedef void (*ndshm__cgroup_visit)(const char *directory, bool unified, void *context);

/* Visits the groups of a controller ("memory") in the unified hierarchy and in that of version 1,
 * wherever they are mounted. */
void ndshm__os_cgroup_walk(const char *controller, ndshm__cgroup_visit visit, void *context);

/* Up to count numbers from a file of a group; how many there are before the first other word. */
int ndshm__os_cgroup_numbers(const char *directory, const char *file, int64_t *numbers, int count);

#endif
