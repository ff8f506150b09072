/* SPDX-License-Identifier: MIT */
/* Functions that travel to forked workers as object and offset: valid only in objects that were
 * loaded when the pool was opened, of which the workers have a copy. */
#ifndef NDSHM_LIB_POOL_FUNCTIONS_H
#define NDSHM_LIB_POOL_FUNCTIONS_H

#include <stdint.h>

#include <ndshm/pool.h>

struct ndshm__functions;

/* The objects loaded now. -ENOMEM. */
int ndshm__functions_snapshot(struct ndshm__functions **out);
void ndshm__functions_free(struct ndshm__functions *functions);

/* Finds the object of fn. -EINVAL, with a message: it was loaded after the snapshot, or is no code.
 */
int ndshm__functions_find(struct ndshm__functions *functions, ndshm_task_fn fn, int32_t *object,
                          int64_t *offset);

/* The function again, or NULL when object and offset denote no code. */
ndshm_task_fn ndshm__functions_at(const struct ndshm__functions *functions, int32_t object,
                                  int64_t offset);

/* An exported function by its name, or NULL. */
ndshm_task_fn ndshm__functions_named(const char *name);

#endif
