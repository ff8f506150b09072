/* SPDX-License-Identifier: MIT */
#include "pools.h"

#include "support.h"

ndshm_pool *support_pool(int workers)
{
    ndshm_pool_config config;
    ndshm_pool *pool;
    ndshm_pool_config_init(&config);
    config.workers = workers;
    assert_ok(ndshm_pool_open(&config, &pool));
    return pool;
}

ndshm_job_config support_job(ndshm_task_fn fn, int64_t count)
{
    ndshm_job_config config;
    ndshm_job_config_init(&config);
    config.fn = fn;
    config.count = count;
    return config;
}

ndshm_array *support_array(const char *name, ndshm_dtype dtype, int ndim, const int64_t *shape,
                           ndshm_view *view)
{
    ndshm_array *array;
    assert_ok(ndshm_array_create(name, dtype, ndim, shape, NULL, &array));
    assert_ok(ndshm_array_read(array, view));
    return array;
}
