/* SPDX-License-Identifier: MIT */
/* A large CSV file of employees, read by the workers of a pool into one shared frame, and written
 * again: what comes back is the same frame.
 *
 *     w7_frames DIRECTORY [--rows 2000000] [--workers 0] */
#include <unistd.h>

#include "demo.h"

static const char *const names[] = {"Ada", "Grace", "\"Hopper, G.\"", "Edsger", "Barbara"};

static void generate(const char *path, int64_t rows)
{
    uint64_t state = 7;
    FILE *file = fopen(path, "w");
    if (!file) {
        perror(path);
        exit(1);
    }
    fputs("ID,NAME,MANAGER_ID,VALUE\n", file);
    for (int64_t row = 0; row < rows; row++)
        fprintf(file, "%lld,%s,%lld,%.6f\n", (long long)(row % 100000),
                names[(int)(5 * demo_uniform(&state))], (long long)(demo_uniform(&state) * 100000),
                1000 * demo_uniform(&state));
    if (fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

static double read_timed(ndshm_pool *pool, const char *path, ndshm_frame **out)
{
    double start = demo_seconds();
    demo_check(ndshm_frame_from_csv(pool, NULL, path, NULL, NULL, out));
    return demo_seconds() - start;
}

static double sum(const ndshm_frame *frame)
{
    ndshm_column column;
    double total = 0;
    demo_check(ndshm_frame_column(frame, ndshm_frame_find(frame, "VALUE"), &column));
    const double *values = column.data;
    for (int64_t row = 0; row < column.rows; row++)
        total += values[row];
    return total;
}

int main(int argc, char **argv)
{
    if (argc < 2 || argv[1][0] == '-') {
        fprintf(stderr, "usage: w7_frames DIRECTORY [--rows N] [--workers N]\n");
        return 2;
    }
    char path[1024], copy[1024];
    ndshm_frame *alone, *together, *again;
    ndshm_pool *pool;
    ndshm_pool_config config;
    ndshm_pool_config_init(&config);
    config.workers = (int32_t)demo_option(argc, argv, "--workers", 0);
    snprintf(path, sizeof path, "%s/w7_frames.csv", argv[1]);
    snprintf(copy, sizeof copy, "%s/w7_copy.csv", argv[1]);
    generate(path, demo_option(argc, argv, "--rows", 2000000));
    demo_check(ndshm_pool_open(&config, &pool));
    double here = read_timed(NULL, path, &alone), there = read_timed(pool, path, &together);
    demo_check(ndshm_frame_to_csv(together, copy, NULL));
    read_timed(pool, copy, &again);
    printf("%lld rows: %.3f s in the caller, %.3f s on the pool\n",
           (long long)ndshm_frame_rows(together), here, there);
    int same = sum(alone) == sum(together) && sum(again) == sum(together) &&
               ndshm_frame_rows(again) == ndshm_frame_rows(alone);
    ndshm_frame_detach(&alone);
    ndshm_frame_detach(&together);
    ndshm_frame_detach(&again);
    ndshm_pool_close(&pool);
    remove(path);
    remove(copy);
    if (!same)
        fprintf(stderr, "w7_frames: the frames differ\n");
    return !same;
}
