/* SPDX-License-Identifier: MIT */
/* Reading CSV files and describing frames. One JSON line a benchmark.
 *
 *     bench_csv            makes its files in a temporary directory
 *     bench_csv DIRECTORY  uses numbers.csv, mixed.csv and small/ of peer_pandas.py */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <ndshm/ndshm.h>

#include "bench.h"

enum { ROUNDS = 5, SMALL_FILES = 1326, SMALL_ROWS = 2608, ROWS = 400000, DESCRIBED = 10000000 };

static double uniform(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

/* --- files --- */

static FILE *create(const char *path, const char *header)
{
    FILE *file = fopen(path, "w");
    if (!file) {
        perror(path);
        exit(1);
    }
    fprintf(file, "%s\n", header);
    return file;
}

static void finish(FILE *file)
{
    if (fclose(file) != 0) {
        perror("closing a file");
        exit(1);
    }
}

static void write_numbers(const char *path)
{
    uint64_t state = 1;
    FILE *file = create(path, "a,b,c,d");
    for (int row = 0; row < ROWS; row++)
        fprintf(file, "%.17g,%.17g,%.17g,%.17g\n", uniform(&state), uniform(&state),
                uniform(&state), uniform(&state));
    finish(file);
}

static void write_date(FILE *file, int day)
{
    time_t seconds = (time_t)day * 86400;
    struct tm parts;
    char text[16];
    gmtime_r(&seconds, &parts);
    strftime(text, sizeof text, "%Y-%m-%d", &parts);
    fputs(text, file);
}

static void write_mixed(const char *path)
{
    static const char *const names[] = {"alpha", "beta", "\"gamma, delta\"", "\xC3\xA9psilon"};
    uint64_t state = 2;
    FILE *file = create(path, "day,name,value,count,flag");
    for (int row = 0; row < ROWS; row++) {
        write_date(file, row % 20000);
        fprintf(file, ",%s,%.6f,%d,%s\n", names[(int)(4 * uniform(&state))], 100 * uniform(&state),
                (int)(10000 * uniform(&state)), uniform(&state) < 0.5 ? "true" : "false");
    }
    finish(file);
}

static void small_path(const char *directory, int number, char path[4096])
{
    snprintf(path, 4096, "%s/small/%d.csv", directory, number);
}

static void write_small(const char *directory)
{
    char path[4096];
    uint64_t state = 3;
    snprintf(path, sizeof path, "%s/small", directory);
    mkdir(path, 0700);
    for (int i = 0; i < SMALL_FILES; i++) {
        small_path(directory, i, path);
        FILE *file = create(path, "date,value");
        for (int row = 0; row < SMALL_ROWS; row++) {
            write_date(file, 14610 + row);
            fprintf(file, ",%.6f\n", 100 * uniform(&state));
        }
        finish(file);
    }
}

static void remove_files(const char *directory)
{
    char path[4096];
    for (int i = 0; i < SMALL_FILES; i++) {
        small_path(directory, i, path);
        unlink(path);
    }
    for (int i = 0; i < 3; i++) {
        static const char *const names[] = {"small", "numbers.csv", "mixed.csv"};
        snprintf(path, sizeof path, "%s/%s", directory, names[i]);
        remove(path);
    }
    rmdir(directory);
}

/* --- benchmarks --- */

static void bench_file(const char *directory, const char *name, const char *benchmark)
{
    char path[4096];
    struct stat file;
    double best = 1e9;
    snprintf(path, sizeof path, "%s/%s", directory, name);
    if (stat(path, &file) != 0) {
        perror(path);
        exit(1);
    }
    for (int round = 0; round < ROUNDS; round++) {
        ndshm_frame *frame;
        double start = now();
        check(ndshm_frame_from_csv(NULL, NULL, path, NULL, NULL, &frame));
        double seconds = now() - start;
        best = seconds < best ? seconds : best;
        ndshm_frame_detach(&frame);
    }
    char text[96];
    snprintf(text, sizeof text, "%s, seconds", benchmark);
    report(text, best, "s");
    report(benchmark, (double)file.st_size / best / 1e6, "MB/s");
}

static void describe_file(const char *path, const ndshm_create_config *create)
{
    ndshm_frame *frame, *description;
    check(ndshm_frame_from_csv(NULL, NULL, path, NULL, create, &frame));
    check(ndshm_describe(NULL, frame, NULL, &description));
    ndshm_frame_detach(&description);
    ndshm_frame_detach(&frame);
}

static void bench_small(const char *directory)
{
    char path[4096];
    ndshm_create_config create;
    double best = 1e9;
    ndshm_create_config_init(&create);
    create.flags = NDSHM_UNPUBLISHED;
    for (int round = 0; round < 3; round++) {
        double start = now();
        for (int i = 0; i < SMALL_FILES; i++) {
            small_path(directory, i, path);
            describe_file(path, &create);
        }
        double seconds = now() - start;
        best = seconds < best ? seconds : best;
    }
    report("1326 small files, read and described", best, "s");
}

static void bench_describe(ndshm_pool *pool, const ndshm_frame *frame, const char *benchmark)
{
    double best = 1e9;
    for (int round = 0; round < ROUNDS; round++) {
        ndshm_frame *description;
        double start = now();
        check(ndshm_describe(pool, frame, NULL, &description));
        double seconds = now() - start;
        best = seconds < best ? seconds : best;
        ndshm_frame_detach(&description);
    }
    report(benchmark, best, "s");
}

static void bench_descriptions(void)
{
    ndshm_column_spec specs[] = {{"a", "g", 0}, {"b", "g", 0}, {"c", "g", 0}};
    uint64_t state = 4;
    ndshm_frame *frame;
    ndshm_pool *pool;
    ndshm_column column;
    check(ndshm_pool_open(NULL, &pool));
    check(ndshm_frame_create(NULL, DESCRIBED, specs, 3, NULL, &frame));
    for (int i = 0; i < 3; i++) {
        check(ndshm_frame_column(frame, i, &column));
        for (int64_t row = 0; row < DESCRIBED; row++)
            ((double *)column.data)[row] = uniform(&state);
    }
    check(ndshm_frame_publish(frame));
    bench_describe(NULL, frame, "describe 10M x 3, in the caller");
    bench_describe(pool, frame, "describe 10M x 3, on a pool");
    ndshm_frame_detach(&frame);
    ndshm_pool_close(&pool);
}

int main(int argc, char **argv)
{
    char own[] = "/tmp/bench_csv.XXXXXX", path[4096];
    const char *directory = argc > 1 ? argv[1] : mkdtemp(own);
    if (!directory) {
        perror(own);
        return 1;
    }
    snprintf(path, sizeof path, "%s/numbers.csv", directory);
    if (access(path, R_OK) != 0) {
        write_numbers(path);
        snprintf(path, sizeof path, "%s/mixed.csv", directory);
        write_mixed(path);
        write_small(directory);
    }
    bench_file(directory, "numbers.csv", "numeric csv");
    bench_file(directory, "mixed.csv", "mixed csv");
    bench_small(directory);
    bench_descriptions();
    if (argc == 1)
        remove_files(directory);
    return 0;
}
