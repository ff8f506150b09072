/* SPDX-License-Identifier: MIT */
/* A directory of CSV files, one for each pair of ASCII letters, each with a column of business
 * dates and a column of values. For each file: count, mean, standard deviation, minimum, quartiles
 * and maximum of the values above a threshold, which is one for all files, or one a file.
 *
 *     w2_files DIRECTORY [--generate 1] [--files 1326] [--rows 2608] [--workers 0] */
#include "demo.h"

enum { STATISTICS = 8, FILES_MAX = 1326 };

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/* --- making the files --- */

static void write_rows(FILE *file, int64_t rows, uint64_t *state)
{
    struct tm day = {.tm_year = 110, .tm_mday = 1, .tm_hour = 12};
    fputs("date,value\n", file);
    for (int64_t row = 0; row < rows; day.tm_mday++) {
        char text[16];
        timegm(&day);
        if (day.tm_wday == 0 || day.tm_wday == 6)
            continue;
        strftime(text, sizeof text, "%Y-%m-%d", &day);
        fprintf(file, "%s,%.6f\n", text, 100 * demo_uniform(state));
        row++;
    }
}

static void generate(char (*paths)[1024], int64_t files, int64_t rows)
{
    uint64_t state = 2010;
    for (int64_t i = 0; i < files; i++) {
        FILE *file = fopen(paths[i], "w");
        if (!file) {
            perror(paths[i]);
            exit(1);
        }
        write_rows(file, rows, &state);
        if (fclose(file) != 0) {
            perror(paths[i]);
            exit(1);
        }
    }
}

static void name_files(const char *directory, char (*paths)[1024], int64_t files)
{
    int64_t used = 0;
    for (size_t a = 0; letters[a]; a++)
        for (size_t b = a + 1; letters[b] && used < files; b++)
            snprintf(paths[used++], sizeof *paths, "%s/%c_%c.csv", directory, letters[a],
                     letters[b]);
}

/* --- the work --- */

/* Values at or below the threshold become missing, and are passed over by the description. */
static int drop_low(ndshm_frame *frame, double threshold)
{
    ndshm_column column;
    int status = ndshm_frame_column(frame, 1, &column);
    if (status)
        return status;
    double *values = column.data;
    for (int64_t row = 0; row < column.rows; row++)
        if (!(values[row] > threshold))
            values[row] = (double)NAN;
    return 0;
}

static int copy_statistics(const ndshm_frame *description, double out[STATISTICS])
{
    ndshm_view block;
    int status = ndshm_frame_block(description, &block);
    if (!status)
        memcpy(out, block.data, STATISTICS * sizeof *out);
    return status;
}

/* The frame is never published: nobody else needs it. */
static int describe_file(const char *path, double threshold, double out[STATISTICS])
{
    static const char *const types[] = {"date", "tdD", "value", "g"};
    ndshm_csv_config csv;
    ndshm_create_config create;
    ndshm_frame *frame, *description;
    ndshm_csv_config_init(&csv);
    csv.types = types;
    csv.ntypes = 2;
    ndshm_create_config_init(&create);
    create.flags = NDSHM_UNPUBLISHED;
    int status = ndshm_frame_from_csv(NULL, NULL, path, &csv, &create, &frame);
    if (status)
        return status;
    status = drop_low(frame, threshold);
    if (!status)
        status = ndshm_describe(NULL, frame, NULL, &description);
    if (!status) {
        status = copy_statistics(description, out);
        ndshm_frame_detach(&description);
    }
    ndshm_frame_detach(&frame);
    return status;
}

/* One threshold for all tasks, or one a task. */
static int describe_task(ndshm_task *task)
{
    size_t size;
    ndshm_view row;
    const double *thresholds = ndshm_task_params(task, &size);
    int64_t own = size == sizeof *thresholds ? 0 : ndshm_task_index(task);
    int status = ndshm_task_output(task, &row);
    if (!status)
        status = describe_file(ndshm_task_item(task), thresholds[own], row.data);
    return status ? ndshm_task_fail(task, status, NULL) : 0;
}

/* --- the runs --- */

static double sequential(char (*paths)[1024], int64_t files, const double *thresholds,
                         int64_t nthresholds, double *out)
{
    double start = demo_seconds();
    for (int64_t i = 0; i < files; i++)
        demo_check(
            describe_file(paths[i], thresholds[nthresholds == 1 ? 0 : i], out + i * STATISTICS));
    return demo_seconds() - start;
}

static void variant(ndshm_pool *pool, const char *name, char (*paths)[1024], int64_t files,
                    const double *thresholds, int64_t nthresholds)
{
    const char *items[FILES_MAX];
    int64_t shape[2] = {files, STATISTICS};
    double *expected = calloc((size_t)files * STATISTICS, sizeof *expected);
    ndshm_array *output;
    ndshm_job_config config;
    ndshm_job *job;
    ndshm_view view;
    if (!expected)
        exit(1);
    for (int64_t i = 0; i < files; i++)
        items[i] = paths[i];
    double alone = sequential(paths, files, thresholds, nthresholds, expected);
    demo_check(ndshm_array_create(NULL, NDSHM_FLOAT64, 2, shape, NULL, &output));
    ndshm_job_config_init(&config);
    config.fn = describe_task;
    config.params = thresholds;
    config.params_size = (size_t)nthresholds * sizeof *thresholds;
    config.items = items;
    config.count = files;
    config.output = ndshm_array_name(output);
    double start = demo_seconds();
    demo_check(ndshm_pool_map(pool, &config, &job));
    double together = demo_seconds() - start;
    demo_check(ndshm_job_wait(job, 0));
    demo_check(ndshm_array_read(output, &view));
    if (memcmp(view.data, expected, (size_t)ndshm_view_nbytes(&view)) != 0) {
        fprintf(stderr, "%s: pool and sequential results differ\n", name);
        exit(1);
    }
    demo_row(name, alone, together, ndshm_view_nbytes(&view), (long long)config.params_size);
    ndshm_job_close(&job);
    ndshm_array_detach(&output);
    free(expected);
}

int main(int argc, char **argv)
{
    if (argc < 2 || argv[1][0] == '-') {
        fprintf(stderr, "usage: w2_files DIRECTORY [--generate 1] [--files N] [--rows N] "
                        "[--workers N]\n");
        return 2;
    }
    int64_t files = demo_option(argc, argv, "--files", FILES_MAX);
    if (files < 1 || files > FILES_MAX) {
        fprintf(stderr, "w2_files: 1 to %d files\n", FILES_MAX);
        return 2;
    }
    static char paths[FILES_MAX][1024];
    double thresholds[FILES_MAX];
    ndshm_pool *pool;
    ndshm_pool_config config;
    ndshm_pool_config_init(&config);
    config.workers = (int32_t)demo_option(argc, argv, "--workers", 0);
    name_files(argv[1], paths, files);
    if (demo_option(argc, argv, "--generate", 0))
        generate(paths, files, demo_option(argc, argv, "--rows", 2608));
    for (int64_t i = 0; i < files; i++)
        thresholds[i] = (double)(i % 50);
    demo_check(ndshm_pool_open(&config, &pool));
    demo_header();
    variant(pool, "files: one threshold", paths, files, thresholds + 25 % files, 1);
    variant(pool, "files: a threshold a file", paths, files, thresholds, files);
    ndshm_pool_close(&pool);
    return 0;
}
