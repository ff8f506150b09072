/* SPDX-License-Identifier: MIT */
/* Reads a CSV file into a shared frame and describes its numbers, in this process and on a pool.
 *
 *     csv_describe [FILE] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ndshm/ndshm.h>

static const char sample[] = "date,city,price,size\n"
                             "2024-02-28,\"Frankfurt, Main\",101.5,3\n"
                             "2024-02-29,Wien,99.25,\n"
                             "2024-03-01,\"\"\"Big Apple\"\"\",NA,5\n"
                             "2024-03-04,Z\xC3\xBCrich,100.75,7\n";

static void check(int status)
{
    if (status == 0)
        return;
    fprintf(stderr, "%s\n", ndshm_error_message());
    exit(1);
}

static void write_sample(const char *path)
{
    FILE *file = fopen(path, "w");
    if (!file || fputs(sample, file) < 0 || fclose(file) != 0) {
        perror(path);
        exit(1);
    }
}

static ndshm_frame *read_csv(const char *path)
{
    ndshm_csv_config config;
    ndshm_frame *frame;
    ndshm_csv_config_init(&config);
    config.index = 1; /* the first column holds row labels */
    check(ndshm_frame_from_csv(NULL, NULL, path, &config, NULL, &frame));
    for (int i = 0; i < ndshm_frame_columns(frame); i++) {
        ndshm_column column;
        check(ndshm_frame_column(frame, i, &column));
        printf("%-18s type %-5s %lld nulls\n", column.name, column.format,
               (long long)column.null_count);
    }
    return frame;
}

static void print(const ndshm_frame *description)
{
    ndshm_column labels, column;
    ndshm_view block;
    check(ndshm_frame_column(description, 0, &labels));
    check(ndshm_frame_block(description, &block));
    const int32_t *offsets = labels.offsets;
    printf("%-6s", "");
    for (int i = 1; i < ndshm_frame_columns(description); i++) {
        check(ndshm_frame_column(description, i, &column));
        printf(" %12s", column.name);
    }
    for (int64_t row = 0; row < block.shape[0]; row++) {
        printf("\n%-6.*s", (int)(offsets[row + 1] - offsets[row]),
               (const char *)labels.data + offsets[row]);
        for (int64_t i = 0; i < block.shape[1]; i++)
            printf(" %12.6g",
                   *(double *)((char *)block.data + row * block.strides[0] + i * block.strides[1]));
    }
    printf("\n");
}

static int same(const ndshm_frame *a, const ndshm_frame *b)
{
    ndshm_view x, y;
    check(ndshm_frame_block(a, &x));
    check(ndshm_frame_block(b, &y));
    for (int64_t i = 0; i < x.shape[1]; i++)
        if (memcmp((char *)x.data + i * x.strides[1], (char *)y.data + i * y.strides[1], 64) != 0)
            return 0;
    return 1;
}

int main(int argc, char **argv)
{
    char directory[] = "/tmp/csv_describe.XXXXXX", path[64] = "";
    ndshm_frame *frame, *alone, *together;
    ndshm_pool *pool;
    if (argc < 2) {
        if (!mkdtemp(directory)) {
            perror(directory);
            return 1;
        }
        snprintf(path, sizeof path, "%s/prices.csv", directory);
        write_sample(path);
    }
    check(ndshm_pool_open(NULL, &pool));
    frame = read_csv(argc < 2 ? path : argv[1]);
    check(ndshm_describe(NULL, frame, NULL, &alone));
    check(ndshm_describe(pool, frame, NULL, &together));
    print(alone);
    int equal = same(alone, together);
    ndshm_frame_detach(&together);
    ndshm_frame_detach(&alone);
    ndshm_frame_detach(&frame);
    ndshm_pool_close(&pool);
    if (*path) {
        unlink(path);
        rmdir(directory);
    }
    if (!equal)
        fprintf(stderr, "the pool's description differs\n");
    return equal ? 0 : 1;
}
