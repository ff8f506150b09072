/* SPDX-License-Identifier: MIT */
/* The easy way: apply a function of several arguments to many of them. The results come in order,
 * equal to the serial ones bit for bit; those that are none are dropped; what is left is one array.
 *
 *     w5_parallel [--calls 1000000] [--workers 0] */
#include "demo.h"

/* --- what to copy: results = parallel(pool, call, arguments) --- */

/* What a call leaves: a value, or none. */
struct outcome {
    double given, value;
};

/* Calls once for each row of the array that is the first shared reference, a range of rows a task.
 */
static int call_all(ndshm_task *task, struct outcome (*call)(const double *arguments))
{
    int64_t begin, end;
    ndshm_array *arguments;
    ndshm_view rows, outcomes;
    ndshm_task_range(task, &begin, &end);
    int status = ndshm_task_shared(task, 0, NDSHM_READ, &arguments);
    if (!status)
        status = ndshm_array_read(arguments, &rows);
    if (!status)
        status = ndshm_task_output(task, &outcomes);
    if (status)
        return ndshm_task_fail(task, status, NULL);
    struct outcome *out = outcomes.data;
    for (int64_t row = begin; row < end; row++)
        *out++ = call((const double *)rows.data + row * rows.shape[1]);
    return 0;
}

/* The values that were given, in order. */
static ndshm_array *gather(const struct outcome *outcomes, int64_t count)
{
    int64_t given = 0;
    ndshm_array *results;
    ndshm_view view;
    for (int64_t i = 0; i < count; i++)
        given += outcomes[i].given != 0;
    demo_check(ndshm_array_create(NULL, NDSHM_FLOAT64, 1, &given, NULL, &results));
    demo_check(ndshm_array_read(results, &view));
    double *out = view.data;
    for (int64_t i = 0; i < count; i++)
        if (outcomes[i].given != 0)
            *out++ = outcomes[i].value;
    return results;
}

static ndshm_array *parallel(ndshm_pool *pool, ndshm_task_fn fn, const ndshm_array *arguments)
{
    ndshm_view rows, view;
    ndshm_array *outcomes;
    ndshm_job_config config;
    ndshm_job *job;
    const char *shared[] = {ndshm_array_name(arguments)};
    demo_check(ndshm_array_read(arguments, &rows));
    const int64_t shape[] = {rows.shape[0], 2};
    demo_check(ndshm_array_create(NULL, NDSHM_FLOAT64, 2, shape, NULL, &outcomes));
    demo_check(ndshm_array_read(outcomes, &view));
    ndshm_job_config_init(&config);
    config.flags = NDSHM_JOB_RANGES | NDSHM_JOB_PROGRESS;
    config.fn = fn;
    config.count = rows.shape[0];
    config.shared = shared;
    config.nshared = 1;
    config.output = ndshm_array_name(outcomes);
    demo_check(ndshm_pool_submit(pool, &config, &job));
    demo_check(ndshm_job_wait(job, -1));
    ndshm_array *results = gather(view.data, rows.shape[0]);
    ndshm_job_close(&job);
    ndshm_array_detach(&outcomes);
    return results;
}

/* --- the function: the smaller real root of x^2 + bx + c, if there is one --- */

static struct outcome smaller_root(const double *b_and_c)
{
    double b = b_and_c[0], c = b_and_c[1], square = b * b / 4 - c;
    return square < 0 ? (struct outcome){0, 0} : (struct outcome){1, -b / 2 - sqrt(square)};
}

static int smaller_root_task(ndshm_task *task)
{
    return call_all(task, smaller_root);
}

/* --- the same one after the other --- */

static int64_t serial(const double *arguments, int64_t count, double *results)
{
    int64_t given = 0;
    for (int64_t i = 0; i < count; i++) {
        struct outcome outcome = smaller_root(arguments + 2 * i);
        if (outcome.given != 0)
            results[given++] = outcome.value;
    }
    return given;
}

int main(int argc, char **argv)
{
    const int64_t shape[] = {demo_option(argc, argv, "--calls", 1000000), 2};
    uint64_t state = 5;
    ndshm_pool_config config;
    ndshm_pool *pool;
    ndshm_array *arguments, *results;
    ndshm_view view, found;
    ndshm_pool_config_init(&config);
    config.workers = (int32_t)demo_option(argc, argv, "--workers", 0);
    demo_check(ndshm_pool_open(&config, &pool));
    demo_check(ndshm_array_create(NULL, NDSHM_FLOAT64, 2, shape, NULL, &arguments));
    demo_check(ndshm_array_read(arguments, &view));
    for (int64_t i = 0; i < 2 * shape[0]; i++)
        ((double *)view.data)[i] = 2 * demo_uniform(&state) - 1;

    double *expected = calloc((size_t)shape[0] + 1, sizeof *expected);
    if (!expected)
        return 1;
    double start = demo_seconds();
    int64_t given = serial(view.data, shape[0], expected);
    double alone = demo_seconds() - start;
    start = demo_seconds();
    results = parallel(pool, smaller_root_task, arguments);
    double together = demo_seconds() - start;

    demo_check(ndshm_array_read(results, &found));
    bool same = found.shape[0] == given &&
                memcmp(found.data, expected, (size_t)given * sizeof *expected) == 0;
    demo_header();
    demo_row("parallel: roots, none dropped", alone, together,
             ndshm_view_nbytes(&view) + 2 * shape[0] * (long long)sizeof(double), 0);
    printf("%lld calls, %lld results, %s\n", (long long)shape[0], (long long)given,
           same ? "as one after the other" : "DIFFERENT from one after the other");
    free(expected);
    ndshm_array_detach(&results);
    ndshm_array_detach(&arguments);
    ndshm_pool_close(&pool);
    return !same;
}
