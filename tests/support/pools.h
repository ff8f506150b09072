/* SPDX-License-Identifier: MIT */
/* Pools and jobs with defaults, for the tests of the pool. */
#ifndef NDSHM_TESTS_POOLS_H
#define NDSHM_TESTS_POOLS_H

#include <ndshm/pool.h>

/* Opened, or the test fails. */
ndshm_pool *support_pool(int workers);

ndshm_job_config support_job(ndshm_task_fn fn, int64_t count);

/* A new array and its view. */
ndshm_array *support_array(const char *name, ndshm_dtype dtype, int ndim, const int64_t *shape,
                           ndshm_view *view);

#endif
