/* SPDX-License-Identifier: MIT */
/* A frame of random values with row and column labels is shared; for rows chosen at random, each
 * task draws a random matrix of the same shape, takes the mean over its columns, and returns the
 * outer product with the chosen row (5 million values). Two light variants: the row, as an image,
 * convolved with a kernel that is drawn from it, returned whole, and only its sum.
 *
 *     w3_rows [--rows 1000] [--columns 5000] [--tasks 250] [--workers 0] */
#include "demo.h"

enum {
    KERNEL = 20,
    IMAGE_WIDTH = 100,
    COLUMNS_MAX = 5000,
    CONVOLVED_MAX = (COLUMNS_MAX / IMAGE_WIDTH - KERNEL + 1) * (IMAGE_WIDTH - KERNEL + 1)
};

struct plan {
    int64_t rows, columns, tasks;
    uint64_t seed;
};

static int64_t chosen_row(const struct plan *plan, int64_t task)
{
    uint64_t state = plan->seed ^ (uint64_t)task;
    return (int64_t)(demo_random(&state) % (uint64_t)plan->rows);
}

static const double *cell(const ndshm_view *block, int64_t row, int64_t column)
{
    return (const double *)((const char *)block->data + row * block->strides[0] +
                            column * block->strides[1]);
}

static void read_row(const ndshm_view *block, int64_t row, double *out)
{
    for (int64_t column = 0; column < block->shape[1]; column++)
        out[column] = *cell(block, row, column);
}

/* out: rows x columns */
static void outer_product(const struct plan *plan, const ndshm_view *block, int64_t task,
                          double *out)
{
    double row[COLUMNS_MAX];
    uint64_t state = plan->seed + (uint64_t)task;
    read_row(block, chosen_row(plan, task), row);
    for (int64_t i = 0; i < plan->rows; i++) {
        double sum = 0;
        for (int64_t column = 0; column < plan->columns; column++)
            sum += demo_uniform(&state);
        double mean = sum / (double)plan->columns;
        for (int64_t column = 0; column < plan->columns; column++)
            out[i * plan->columns + column] = mean * row[column];
    }
}

static int64_t convolved_size(const struct plan *plan)
{
    return (plan->columns / IMAGE_WIDTH - KERNEL + 1) * (IMAGE_WIDTH - KERNEL + 1);
}

static double convolve_at(const double *image, const double *kernel)
{
    double sum = 0;
    for (int y = 0; y < KERNEL; y++)
        for (int x = 0; x < KERNEL; x++)
            sum += image[y * IMAGE_WIDTH + x] * kernel[y * KERNEL + x];
    return sum;
}

/* out: convolved_size values */
static void convolution(const struct plan *plan, const ndshm_view *block, int64_t task, double *out)
{
    double image[COLUMNS_MAX], kernel[KERNEL * KERNEL];
    uint64_t state = plan->seed + (uint64_t)task;
    read_row(block, chosen_row(plan, task), image);
    for (int i = 0; i < KERNEL * KERNEL; i++)
        kernel[i] = image[demo_random(&state) % (uint64_t)plan->columns];
    for (int64_t y = 0; y + KERNEL <= plan->columns / IMAGE_WIDTH; y++)
        for (int64_t x = 0; x + KERNEL <= IMAGE_WIDTH; x++)
            *out++ = convolve_at(image + y * IMAGE_WIDTH + x, kernel);
}

static double total(const double *values, int64_t count)
{
    double sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += values[i];
    return sum;
}

/* --- the same work as tasks: the frame is the first shared reference --- */

static int shared_block(ndshm_task *task, const struct plan **plan, ndshm_view *block)
{
    ndshm_frame *frame;
    *plan = ndshm_task_params(task, NULL);
    int status = ndshm_task_shared_frame(task, 0, NDSHM_READ, &frame);
    return status ? status : ndshm_frame_block(frame, block);
}

static int outer_task(ndshm_task *task)
{
    const struct plan *plan;
    ndshm_view block, result;
    ndshm_array *array;
    int status = shared_block(task, &plan, &block);
    if (status)
        return ndshm_task_fail(task, status, NULL);
    int64_t shape[2] = {plan->rows, plan->columns};
    status = ndshm_task_create(task, NDSHM_FLOAT64, 2, shape, &array);
    if (!status)
        status = ndshm_array_read(array, &result);
    if (status)
        return ndshm_task_fail(task, status, NULL);
    outer_product(plan, &block, ndshm_task_index(task), result.data);
    return 0;
}

/* The sum instead of the whole, when the output has room for one value only. */
static int convolution_task(ndshm_task *task)
{
    const struct plan *plan;
    ndshm_view block, result;
    double whole[CONVOLVED_MAX];
    int status = shared_block(task, &plan, &block);
    if (!status)
        status = ndshm_task_output(task, &result);
    if (status)
        return ndshm_task_fail(task, status, NULL);
    int64_t size = convolved_size(plan);
    convolution(plan, &block, ndshm_task_index(task), whole);
    if (result.shape[0] == 1)
        *(double *)result.data = total(whole, size);
    else
        memcpy(result.data, whole, (size_t)size * sizeof *whole);
    return 0;
}

/* --- the frame --- */

static void fill_labels(const ndshm_column *labels)
{
    int32_t *offsets = (int32_t *)(uintptr_t)labels->offsets, used = 0;
    for (int64_t row = 0; row < labels->rows; row++) {
        char text[32];
        int length = snprintf(text, sizeof text, "Idx-%lld", (long long)row);
        memcpy((char *)labels->data + used, text, (size_t)length);
        used += length;
        offsets[row + 1] = used;
    }
}

static int64_t label_bytes(int64_t rows)
{
    int64_t bytes = 0;
    for (int64_t row = 0; row < rows; row++)
        bytes += snprintf(NULL, 0, "Idx-%lld", (long long)row);
    return bytes;
}

static ndshm_frame *make_frame(const struct plan *plan)
{
    ndshm_frame *frame;
    ndshm_column column;
    ndshm_column_spec *specs = calloc((size_t)plan->columns + 1, sizeof *specs);
    char(*names)[32] = calloc((size_t)plan->columns, sizeof *names);
    if (!specs || !names)
        exit(1);
    specs[0] = (ndshm_column_spec){ndshm_frame_index_name(), "u", label_bytes(plan->rows)};
    for (int64_t i = 0; i < plan->columns; i++) {
        snprintf(names[i], sizeof *names, "Col-%lld", (long long)i);
        specs[i + 1] = (ndshm_column_spec){names[i], "g", 0};
    }
    demo_check(ndshm_frame_create(NULL, plan->rows, specs, (int)plan->columns + 1, NULL, &frame));
    demo_check(ndshm_frame_column(frame, 0, &column));
    fill_labels(&column);
    uint64_t state = plan->seed;
    for (int i = 1; i <= plan->columns; i++) {
        demo_check(ndshm_frame_column(frame, i, &column));
        for (int64_t row = 0; row < plan->rows; row++)
            ((double *)column.data)[row] = demo_uniform(&state);
    }
    demo_check(ndshm_frame_publish(frame));
    free(specs);
    free(names);
    return frame;
}

/* --- the runs --- */

struct run {
    struct plan plan;
    ndshm_frame *frame;
    ndshm_view block;
    ndshm_pool *pool;
    const char *shared[1];
    long long frame_bytes;
};

static void init_job(const struct run *run, ndshm_task_fn fn, ndshm_job_config *job)
{
    ndshm_job_config_init(job);
    job->fn = fn;
    job->params = &run->plan;
    job->params_size = sizeof run->plan;
    job->shared = run->shared;
    job->nshared = 1;
    job->count = run->plan.tasks;
}

static double sequential_outer(const struct run *run, double *sums)
{
    int64_t values = run->plan.rows * run->plan.columns;
    double start = demo_seconds();
    for (int64_t task = 0; task < run->plan.tasks; task++) {
        double *result = malloc((size_t)values * sizeof *result);
        if (!result)
            exit(1);
        outer_product(&run->plan, &run->block, task, result);
        sums[task] = result[0] + result[values - 1];
        free(result);
    }
    return demo_seconds() - start;
}

/* Results are taken in order while the others are still being made, and given back at once. */
static double pool_outer(const struct run *run, const double *sums)
{
    ndshm_job_config config;
    ndshm_job *job;
    ndshm_result result;
    ndshm_view view;
    init_job(run, outer_task, &config);
    config.chunk = 1;
    config.flags = NDSHM_JOB_UNINITIALIZED; /* outer_product writes all of it */
    double start = demo_seconds();
    demo_check(ndshm_pool_submit(run->pool, &config, &job));
    while (ndshm_job_next(job, -1, &result) == 0) {
        ndshm_array *array;
        demo_check(ndshm_job_take(job, result.index, NDSHM_READ, &array));
        demo_check(ndshm_array_read(array, &view));
        const double *values = view.data;
        if (values[0] + values[view.shape[0] * view.shape[1] - 1] != sums[result.index]) {
            fprintf(stderr, "task %lld differs\n", (long long)result.index);
            exit(1);
        }
        ndshm_array_detach(&array);
    }
    demo_check(ndshm_job_wait(job, -1));
    double seconds = demo_seconds() - start;
    ndshm_job_close(&job);
    return seconds;
}

static double sequential_light(const struct run *run, bool only_sum, double *out)
{
    int64_t size = convolved_size(&run->plan);
    double start = demo_seconds();
    for (int64_t task = 0; task < run->plan.tasks; task++) {
        double whole[CONVOLVED_MAX];
        convolution(&run->plan, &run->block, task, whole);
        if (only_sum)
            out[task] = total(whole, size);
        else
            memcpy(out + task * size, whole, (size_t)size * sizeof *whole);
    }
    return demo_seconds() - start;
}

static void light_variant(const struct run *run, const char *name, bool only_sum)
{
    int64_t size = only_sum ? 1 : convolved_size(&run->plan);
    int64_t shape[2] = {run->plan.tasks, size};
    double *expected = calloc((size_t)(shape[0] * shape[1]), sizeof *expected);
    ndshm_array *output;
    ndshm_job_config config;
    ndshm_job *job;
    ndshm_view view;
    if (!expected)
        exit(1);
    double sequential = sequential_light(run, only_sum, expected);
    demo_check(ndshm_array_create(NULL, NDSHM_FLOAT64, 2, shape, NULL, &output));
    init_job(run, convolution_task, &config);
    config.output = ndshm_array_name(output);
    double start = demo_seconds();
    demo_check(ndshm_pool_map(run->pool, &config, &job));
    double pool = demo_seconds() - start;
    demo_check(ndshm_job_wait(job, 0));
    demo_check(ndshm_array_read(output, &view));
    if (memcmp(view.data, expected, (size_t)ndshm_view_nbytes(&view)) != 0) {
        fprintf(stderr, "%s: pool and sequential results differ\n", name);
        exit(1);
    }
    demo_row(name, sequential, pool, run->frame_bytes + ndshm_view_nbytes(&view),
             (long long)sizeof run->plan);
    ndshm_job_close(&job);
    ndshm_array_detach(&output);
    free(expected);
}

int main(int argc, char **argv)
{
    struct run run = {.plan = {.rows = demo_option(argc, argv, "--rows", 1000),
                               .columns = demo_option(argc, argv, "--columns", 5000),
                               .tasks = demo_option(argc, argv, "--tasks", 250),
                               .seed = 20240229}};
    if (run.plan.rows < 1 || run.plan.tasks < 1 || run.plan.columns < KERNEL * IMAGE_WIDTH ||
        run.plan.columns > COLUMNS_MAX) {
        fprintf(stderr, "w3_rows: needs a row, a task, and %d to %d columns\n",
                KERNEL * IMAGE_WIDTH, COLUMNS_MAX);
        return 2;
    }
    ndshm_pool_config config;
    ndshm_pool_config_init(&config);
    config.workers = (int32_t)demo_option(argc, argv, "--workers", 0);
    demo_check(ndshm_pool_open(&config, &run.pool));
    run.frame = make_frame(&run.plan);
    run.shared[0] = ndshm_frame_name(run.frame);
    demo_check(ndshm_frame_block(run.frame, &run.block));
    run.frame_bytes = run.plan.rows * run.plan.columns * (long long)sizeof(double);

    double *sums = calloc((size_t)run.plan.tasks, sizeof *sums);
    if (!sums)
        return 1;
    demo_header();
    double sequential = sequential_outer(&run, sums);
    double pool = pool_outer(&run, sums);
    demo_row("rows: outer product, whole", sequential, pool, run.frame_bytes * (1 + run.plan.tasks),
             (long long)sizeof run.plan);
    light_variant(&run, "rows: convolution, whole", false);
    light_variant(&run, "rows: convolution, sum", true);
    free(sums);
    ndshm_frame_detach(&run.frame);
    ndshm_pool_close(&run.pool);
    return 0;
}
