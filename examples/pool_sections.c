/* SPDX-License-Identifier: MIT */
/* Sums the sections of a large array in parallel. The array is in shared memory once; the workers
 * are told its name, and write their sums into an output array. */
#include <stdio.h>

#include <ndshm/pool.h>

enum { ROWS = 100000, COLUMNS = 10, SECTION = 1000, SECTIONS = ROWS / SECTION };

static int fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, ndshm_error_message());
    return 1;
}

/* One task: the rows of section number index. */
static int sum_section(ndshm_task *task)
{
    ndshm_array *array;
    ndshm_view all, rows, out;
    int status = ndshm_task_shared(task, 0, NDSHM_READ, &array);
    if (!status)
        status = ndshm_task_output(task, &out);
    if (status)
        return ndshm_task_fail(task, status, NULL);
    int64_t begin = ndshm_task_index(task) * SECTION;
    ndshm_array_read(array, &all);
    ndshm_view_slice(&all, 0, begin, begin + SECTION, 1, &rows);
    const double *values = rows.data;
    double sum = 0;
    for (int64_t i = 0; i < SECTION * COLUMNS; i++)
        sum += values[i];
    *(double *)out.data = sum;
    return 0;
}

static double fill(ndshm_array *array)
{
    ndshm_view view;
    double total = 0;
    ndshm_array_read(array, &view);
    for (int64_t i = 0; i < (int64_t)ROWS * COLUMNS; i++)
        total += ((double *)view.data)[i] = (double)(i % 97);
    return total;
}

static double add_up(ndshm_array *sums)
{
    ndshm_view view;
    double total = 0;
    ndshm_array_read(sums, &view);
    for (int64_t i = 0; i < SECTIONS; i++)
        total += ((double *)view.data)[i];
    return total;
}

int main(void)
{
    const int64_t shape[] = {ROWS, COLUMNS}, sections = SECTIONS;
    ndshm_array *array = NULL, *sums = NULL;
    ndshm_pool *pool = NULL;
    ndshm_job *job = NULL;
    if (ndshm_array_create(NULL, NDSHM_FLOAT64, 2, shape, NULL, &array) ||
        ndshm_array_create(NULL, NDSHM_FLOAT64, 1, &sections, NULL, &sums))
        return fail("creating the arrays");
    double expected = fill(array);

    if (ndshm_pool_open(NULL, &pool)) /* a worker for each CPU */
        return fail("opening the pool");
    const char *shared[] = {ndshm_array_name(array)};
    ndshm_job_config config;
    ndshm_job_config_init(&config);
    config.fn = sum_section;
    config.count = SECTIONS;
    config.shared = shared;
    config.nshared = 1;
    config.output = ndshm_array_name(sums);
    if (ndshm_pool_submit(pool, &config, &job) || ndshm_job_wait(job, -1))
        return fail("summing");

    double total = add_up(sums);
    printf("%d sections by %d workers: %.0f, expected %.0f\n", SECTIONS, ndshm_pool_workers(pool),
           total, expected);
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
    ndshm_array_detach(&sums);
    ndshm_array_detach(&array);
    return total != expected; /* whole numbers: exact in any order */
}
