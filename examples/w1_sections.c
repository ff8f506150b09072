/* SPDX-License-Identifier: MIT */
/* The sections of a large array, summed in parallel. The array is shared and never copied: a task
 * is handed its section by name alone, as a slice of the array.
 *
 *     w1_sections [--rows 1000000] [--columns 100] [--section 10000] [--chunk 25] [--workers 4] */
#include "demo.h"

enum { REF_SIZE = 128 };

static double sum_of(const ndshm_view *view)
{
    const double *values = view->data;
    const int64_t count = ndshm_view_size(view);
    double sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += values[i];
    return sum;
}

static int sum_section(ndshm_task *task)
{
    ndshm_array *section;
    ndshm_view values, sum;
    int status = ndshm_array_attach(ndshm_task_item(task), NDSHM_READ, &section);
    if (status)
        return ndshm_task_fail(task, status, NULL);
    status = ndshm_array_read(section, &values);
    if (!status)
        status = ndshm_task_output(task, &sum);
    if (!status)
        *(double *)sum.data = sum_of(&values);
    ndshm_array_detach(&section);
    return status ? ndshm_task_fail(task, status, NULL) : 0;
}

/* Whole numbers: their sum is exact in any order. */
static ndshm_array *make_array(int64_t rows, int64_t columns)
{
    const int64_t shape[] = {rows, columns};
    ndshm_array *array;
    ndshm_view view;
    demo_check(ndshm_array_create(NULL, NDSHM_FLOAT64, 2, shape, NULL, &array));
    demo_check(ndshm_array_read(array, &view));
    for (int64_t i = 0; i < rows * columns; i++)
        ((double *)view.data)[i] = (double)(i % 97);
    return array;
}

/* "NAME[0:10000]", "NAME[10000:20000]", ... */
static int64_t name_sections(const char *name, int64_t rows, int64_t section,
                             char (**refs)[REF_SIZE], const char ***items)
{
    int64_t count = (rows + section - 1) / section;
    *refs = calloc((size_t)count, sizeof **refs);
    *items = calloc((size_t)count, sizeof **items);
    if (!*refs || !*items)
        exit(1);
    for (int64_t i = 0; i < count; i++) {
        snprintf((*refs)[i], REF_SIZE, "%s[%lld:%lld]", name, (long long)(i * section),
                 (long long)((i + 1) * section));
        (*items)[i] = (*refs)[i];
    }
    return count;
}

int main(int argc, char **argv)
{
    int64_t rows = demo_option(argc, argv, "--rows", 1000000);
    int64_t columns = demo_option(argc, argv, "--columns", 100);
    int64_t section = demo_option(argc, argv, "--section", 10000);
    if (rows < 1 || columns < 1 || section < 1) {
        fprintf(stderr, "w1_sections: needs rows, columns and sections of rows\n");
        return 2;
    }
    ndshm_pool_config pool_config;
    ndshm_pool *pool;
    ndshm_pool_config_init(&pool_config);
    pool_config.workers = (int32_t)demo_option(argc, argv, "--workers", 4);
    demo_check(ndshm_pool_open(&pool_config, &pool));

    ndshm_array *array = make_array(rows, columns), *sums;
    ndshm_view values, parts;
    demo_check(ndshm_array_read(array, &values));
    double start = demo_seconds();
    double expected = sum_of(&values);
    double sequential = demo_seconds() - start;

    char(*refs)[REF_SIZE];
    const char **items;
    ndshm_job_config config;
    ndshm_job *job;
    ndshm_stats stats;
    int64_t count = name_sections(ndshm_array_name(array), rows, section, &refs, &items);
    demo_check(ndshm_array_create(NULL, NDSHM_FLOAT64, 1, &count, NULL, &sums));
    ndshm_job_config_init(&config);
    config.fn = sum_section;
    config.items = items;
    config.count = count;
    config.chunk = demo_option(argc, argv, "--chunk", 25);
    config.output = ndshm_array_name(sums);
    start = demo_seconds();
    demo_check(ndshm_pool_submit(pool, &config, &job));
    demo_check(ndshm_job_wait(job, -1));
    demo_check(ndshm_array_read(sums, &parts));
    double total = sum_of(&parts);
    double together = demo_seconds() - start;

    demo_check(ndshm_job_stats(job, &stats));
    demo_header();
    demo_row("sections: sum", sequential, together, ndshm_view_nbytes(&values) + stats.bytes_shared,
             stats.bytes_copied);
    if (total != expected)
        fprintf(stderr, "sections: %.0f, expected %.0f\n", total, expected);
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
    ndshm_array_detach(&sums);
    ndshm_array_detach(&array);
    free(refs);
    free(items);
    return total != expected;
}
