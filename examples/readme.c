/* SPDX-License-Identifier: MIT */
/* The example of README.md: the code between the marks stands there, too. */
#include <stdio.h>

/* [readme] */
#include <ndshm/ndshm.h>

static int row_sum(ndshm_task *task) /* runs in a worker, which is given names only */
{
    ndshm_array *prices;
    ndshm_view in, sum;
    if (ndshm_task_shared(task, 0, NDSHM_READ, &prices) || ndshm_array_read(prices, &in) ||
        ndshm_task_output(task, &sum))
        return ndshm_task_fail(task, NDSHM_ETASK, NULL);
    const double *row = (double *)in.data + ndshm_task_index(task) * in.shape[1];
    for (int64_t i = 0; i < in.shape[1]; i++)
        *(double *)sum.data += row[i];
    return 0;
}

static int row_sums(ndshm_pool *pool, const char *prices, const char *sums, ndshm_job **job)
{
    ndshm_job_config config = {.size = sizeof config, .fn = row_sum, .count = 24};
    config.shared = &prices, config.nshared = 1, config.output = sums;
    return ndshm_pool_map(pool, &config, job);
}
/* [readme] */

enum { ROWS = 24, COLUMNS = 100000 };

static int fill(ndshm_array *prices)
{
    ndshm_view view;
    int status = ndshm_array_read(prices, &view);
    for (int64_t i = 0; !status && i < ROWS * (int64_t)COLUMNS; i++)
        ((double *)view.data)[i] = (double)(i / COLUMNS);
    return status;
}

static int check(ndshm_job *job, const ndshm_array *sums)
{
    ndshm_view view;
    int status = ndshm_job_wait(job, 0); /* did a task fail? */
    if (!status)
        status = ndshm_array_read(sums, &view);
    for (int64_t i = 0; !status && i < ROWS; i++) {
        double sum = ((double *)view.data)[i];
        printf("row %2d: %.0f\n", (int)i, sum);
        if (sum != (double)(i * COLUMNS))
            return NDSHM_ECORRUPT;
    }
    return status;
}

int main(void)
{
    const int64_t shape[] = {ROWS, COLUMNS};
    ndshm_array *prices = NULL, *sums = NULL;
    ndshm_pool *pool = NULL;
    ndshm_job *job = NULL;
    int status = ndshm_pool_open(NULL, &pool);
    if (!status)
        status = ndshm_array_create(NULL, NDSHM_FLOAT64, 2, shape, NULL, &prices);
    if (!status)
        status = fill(prices);
    if (!status)
        status = ndshm_array_create(NULL, NDSHM_FLOAT64, 1, shape, NULL, &sums);
    if (!status)
        status = row_sums(pool, ndshm_array_name(prices), ndshm_array_name(sums), &job);
    if (!status)
        status = check(job, sums);
    if (status)
        fprintf(stderr, "%s: %s\n", ndshm_strerror(status), ndshm_error_message());
    ndshm_job_close(&job);
    ndshm_array_detach(&sums); /* nothing stays: the last user takes the memory along */
    ndshm_array_detach(&prices);
    ndshm_pool_close(&pool);
    return status != 0;
}
