/* SPDX-License-Identifier: MIT */
/* The flights that left New York in 2013 (336,776 rows): read once into a shared frame; tasks get
 * slices of it by name ("ndshm.0123...[0:20000]") and fill in number, sum and maximum of the
 * arrival delays for each month and hour; the parts are combined in order.
 *
 *     flights FLIGHTS.csv [--rows-per-task 8192] [--workers 0] */
#include "demo.h"

enum { MONTHS = 12, HOURS = 24, MEASURES = 3 };

typedef double table[MONTHS][HOURS][MEASURES];

/* Delays are whole minutes; a reader may give them as integers with nulls, or as floats. */
static double number_at(const ndshm_column *column, int64_t row)
{
    int64_t at = column->offset + row;
    if (strcmp(column->format, "l") == 0)
        return (double)((const int64_t *)column->data)[at];
    return ((const double *)column->data)[at];
}

static int find_columns(const ndshm_frame *frame, ndshm_column *month, ndshm_column *hour,
                        ndshm_column *delay)
{
    int status = ndshm_frame_column(frame, ndshm_frame_find(frame, "month"), month);
    if (!status)
        status = ndshm_frame_column(frame, ndshm_frame_find(frame, "hour"), hour);
    return status ? status : ndshm_frame_column(frame, ndshm_frame_find(frame, "arr_delay"), delay);
}

static bool is_null(const ndshm_column *column, int64_t row)
{
    int64_t bit = column->offset + row;
    return column->validity && !(column->validity[bit / 8] >> (bit % 8) & 1);
}

static int summarise(const ndshm_frame *frame, table out)
{
    ndshm_column month, hour, delay;
    int status = find_columns(frame, &month, &hour, &delay);
    if (status)
        return status;
    for (int64_t row = 0; row < ndshm_frame_rows(frame); row++) {
        int m = (int)number_at(&month, row) - 1, h = (int)number_at(&hour, row);
        if (is_null(&delay, row) || m < 0 || m >= MONTHS || h < 0 || h >= HOURS)
            continue;
        double value = number_at(&delay, row);
        if (isnan(value))
            continue;
        double *cell = out[m][h];
        cell[2] = cell[0] == 0 || value > cell[2] ? value : cell[2];
        cell[0] += 1;
        cell[1] += value;
    }
    return 0;
}

static void combine(table into, const double *part)
{
    for (int m = 0; m < MONTHS; m++)
        for (int h = 0; h < HOURS; h++, part += MEASURES) {
            double *cell = into[m][h];
            if (part[0] == 0)
                continue;
            cell[2] = cell[0] == 0 || part[2] > cell[2] ? part[2] : cell[2];
            cell[0] += part[0];
            cell[1] += part[1];
        }
}

static int slice_task(ndshm_task *task)
{
    ndshm_frame *slice;
    ndshm_view part;
    int status = ndshm_task_output(task, &part);
    if (!status)
        status = ndshm_frame_attach(ndshm_task_item(task), NDSHM_READ, &slice);
    if (status)
        return ndshm_task_fail(task, status, NULL);
    status = summarise(slice, part.data);
    ndshm_frame_detach(&slice);
    return status ? ndshm_task_fail(task, status, NULL) : 0;
}

static void make_items(const ndshm_frame *frame, int64_t count, int64_t rows_per_task,
                       char (*texts)[256], const char **items)
{
    for (int64_t i = 0; i < count; i++) {
        snprintf(texts[i], sizeof *texts, "%s[%lld:%lld]", ndshm_frame_name(frame),
                 (long long)(i * rows_per_task), (long long)((i + 1) * rows_per_task));
        items[i] = texts[i];
    }
}

/* Runs the slices on the pool and combines the parts in their order. Returns the bytes of the
 * parts. */
static long long run_pool(ndshm_pool *pool, const ndshm_frame *frame, int64_t rows_per_task,
                          table out, double *seconds)
{
    int64_t count = (ndshm_frame_rows(frame) + rows_per_task - 1) / rows_per_task;
    int64_t shape[4] = {count, MONTHS, HOURS, MEASURES};
    char(*texts)[256] = calloc((size_t)count, sizeof *texts);
    const char **items = calloc((size_t)count, sizeof *items);
    ndshm_array *output;
    ndshm_job_config config;
    ndshm_job *job;
    ndshm_view view;
    if (!texts || !items)
        exit(1);
    double start = demo_seconds();
    make_items(frame, count, rows_per_task, texts, items);
    demo_check(ndshm_array_create(NULL, NDSHM_FLOAT64, 4, shape, NULL, &output));
    ndshm_job_config_init(&config);
    config.fn = slice_task;
    config.items = items;
    config.count = count;
    config.output = ndshm_array_name(output);
    demo_check(ndshm_pool_map(pool, &config, &job));
    demo_check(ndshm_job_wait(job, 0));
    demo_check(ndshm_array_read(output, &view));
    for (int64_t i = 0; i < count; i++)
        combine(out, (double *)view.data + i * MONTHS * HOURS * MEASURES);
    *seconds = demo_seconds() - start;
    ndshm_job_close(&job);
    ndshm_array_detach(&output);
    free(items);
    free(texts);
    return (long long)(count * (int64_t)sizeof(table));
}

static long long bytes_of(const ndshm_frame *frame)
{
    ndshm_info info;
    demo_check(ndshm_inspect(ndshm_frame_name(frame), &info));
    return (long long)info.payload;
}

/* Sums of whole minutes are exact in any order, so that the tables must be equal. */
static void compare(table a, table b)
{
    if (memcmp(a, b, sizeof(table)) == 0)
        return;
    fprintf(stderr, "flights: pool and sequential results differ\n");
    exit(1);
}

static void describe(ndshm_pool *pool, const ndshm_frame *frame, ndshm_frame **out, double *seconds)
{
    double start = demo_seconds();
    demo_check(ndshm_describe(pool, frame, NULL, out));
    *seconds = demo_seconds() - start;
}

/* The same bytes, whoever computed them. */
static void describe_both(ndshm_pool *pool, const ndshm_frame *frame, long long frame_bytes)
{
    ndshm_frame *alone, *together;
    ndshm_view a, b;
    double sequential, seconds;
    describe(NULL, frame, &alone, &sequential);
    describe(pool, frame, &together, &seconds);
    demo_check(ndshm_frame_block(alone, &a));
    demo_check(ndshm_frame_block(together, &b));
    if (ndshm_view_nbytes(&a) != ndshm_view_nbytes(&b) ||
        memcmp(a.data, b.data, (size_t)ndshm_view_nbytes(&a)) != 0) {
        fprintf(stderr, "flights: pool and sequential descriptions differ\n");
        exit(1);
    }
    demo_row("flights: describe", sequential, seconds, frame_bytes + ndshm_view_nbytes(&b), 0);
    ndshm_frame_detach(&alone);
    ndshm_frame_detach(&together);
}

static void print_worst(table sums)
{
    int month = 0, hour = 0;
    double worst = -INFINITY, flights = 0;
    for (int m = 0; m < MONTHS; m++)
        for (int h = 0; h < HOURS; h++) {
            const double *cell = sums[m][h];
            flights += cell[0];
            if (cell[0] < 100 || cell[1] / cell[0] <= worst)
                continue;
            worst = cell[1] / cell[0];
            month = m + 1;
            hour = h;
        }
    printf("%.0f flights with an arrival; worst: month %d, scheduled hour %d, %.1f minutes late\n",
           flights, month, hour, worst);
}

int main(int argc, char **argv)
{
    static table alone, together;
    ndshm_pool *pool;
    ndshm_frame *frame;
    ndshm_pool_config config;
    if (argc < 2 || argv[1][0] == '-') {
        fprintf(stderr, "usage: flights FLIGHTS.csv [--rows-per-task N] [--workers N]\n");
        return 2;
    }
    ndshm_pool_config_init(&config);
    config.workers = (int32_t)demo_option(argc, argv, "--workers", 0);
    int64_t rows_per_task = demo_option(argc, argv, "--rows-per-task", 8192);
    demo_check(ndshm_pool_open(&config, &pool));
    double start = demo_seconds();
    demo_check(ndshm_frame_from_csv(NULL, NULL, argv[1], NULL, NULL, &frame));
    double read = demo_seconds() - start;
    start = demo_seconds();
    demo_check(summarise(frame, alone));
    double sequential = demo_seconds() - start, seconds;
    long long shared = bytes_of(frame);
    long long parts =
        run_pool(pool, frame, rows_per_task < 1 ? 1 : rows_per_task, together, &seconds);
    compare(alone, together);
    demo_header();
    demo_row("flights: delays by month and hour", sequential, seconds, shared + parts, 0);
    describe_both(pool, frame, shared);
    printf("%lld rows x %d columns read in %.3f s\n", (long long)ndshm_frame_rows(frame),
           ndshm_frame_columns(frame), read);
    print_worst(together);
    ndshm_frame_detach(&frame);
    ndshm_pool_close(&pool);
    return 0;
}
