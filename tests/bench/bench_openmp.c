/* SPDX-License-Identifier: MIT */
/* The same as bench_pool, with threads of one process: OpenMP tasks. One JSON line a benchmark. */
#include <omp.h>
#include <string.h>

#include "../../examples/demo.h"
#include "bench.h"

enum { ROUNDS = 5, TASKS = 10000000, SINGLE_TASKS = 1000000, REGIONS = 2000 };
enum { SECTION_ROWS = 10000, SECTION_CHUNK = 25 };
enum { OUTER_ROWS = 1000, OUTER_COLUMNS = 5000 };

static __attribute__((noinline)) void nothing(int64_t index)
{
    __asm__ volatile("" : : "r"(index) : "memory");
}

static void open_team(void)
{
    double begin = now();
#pragma omp parallel
    nothing(omp_get_thread_num());
    report("openmp: first parallel region", (now() - begin) * 1e6, "us");
}

static void measure_regions(void)
{
    double begin = now();
    for (int i = 0; i < REGIONS; i++) {
#pragma omp parallel
        nothing(i);
    }
    report("openmp: parallel region", (now() - begin) / REGIONS * 1e6, "us");
}

static void single_tasks(void)
{
#pragma omp parallel
#pragma omp single
    for (int64_t i = 0; i < SINGLE_TASKS; i++) {
#pragma omp task firstprivate(i)
        nothing(i);
    }
}

static void chunked_tasks(void)
{
#pragma omp parallel
#pragma omp single
#pragma omp taskloop
    for (int64_t i = 0; i < TASKS; i++)
        nothing(i);
}

static void measure_tasks(const char *benchmark, void (*run)(void), int64_t tasks)
{
    double best = 1e9;
    for (int i = 0; i < ROUNDS; i++) {
        double begin = now();
        run();
        double elapsed = now() - begin;
        best = elapsed < best ? elapsed : best;
    }
    report(benchmark, (double)tasks / best, "tasks/s");
}

static double sum_section(const double *values, int64_t count)
{
    double sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += values[i];
    return sum;
}

static void measure_sections(int64_t rows, int64_t columns)
{
    int64_t sections = (rows + SECTION_ROWS - 1) / SECTION_ROWS;
    double *values = malloc((size_t)(rows * columns) * sizeof *values), best = 1e9, total = 0;
    if (!values)
        exit(1);
    for (int64_t i = 0; i < rows * columns; i++)
        values[i] = (double)(i % 97);
    for (int round = 0; round < ROUNDS; round++) {
        double begin = now();
        total = 0;
#pragma omp parallel for schedule(dynamic, SECTION_CHUNK) reduction(+ : total)
        for (int64_t i = 0; i < sections; i++) {
            int64_t left = rows - i * SECTION_ROWS;
            total += sum_section(values + i * SECTION_ROWS * columns,
                                 (left < SECTION_ROWS ? left : SECTION_ROWS) * columns);
        }
        best = now() - begin < best ? now() - begin : best;
    }
    if (total < 1)
        exit(1);
    report("openmp: sections", best, "s");
    free(values);
}

/* As in w3_rows.c, into memory of malloc, given back at once. */
static void outer_product(const double *row, uint64_t seed)
{
    double *out = malloc(sizeof *out * OUTER_ROWS * OUTER_COLUMNS);
    uint64_t state = seed;
    if (!out)
        exit(1);
    for (int64_t i = 0; i < OUTER_ROWS; i++) {
        double sum = 0;
        for (int64_t column = 0; column < OUTER_COLUMNS; column++)
            sum += demo_uniform(&state);
        for (int64_t column = 0; column < OUTER_COLUMNS; column++)
            out[i * OUTER_COLUMNS + column] = sum / OUTER_COLUMNS * row[column];
    }
    nothing((int64_t)out[OUTER_COLUMNS]);
    free(out);
}

static void measure_rows(int64_t tasks)
{
    double row[OUTER_COLUMNS];
    uint64_t state = 1;
    for (int i = 0; i < OUTER_COLUMNS; i++)
        row[i] = demo_uniform(&state);
    double begin = now();
#pragma omp parallel for schedule(dynamic, 1)
    for (int64_t i = 0; i < tasks; i++)
        outer_product(row, (uint64_t)i);
    report("openmp: rows", (double)tasks / (now() - begin), "items/s");
}

int main(int argc, char **argv)
{
    open_team();
    measure_regions();
    measure_tasks("openmp: no-op tasks, one each", single_tasks, SINGLE_TASKS);
    measure_tasks("openmp: no-op tasks, chunked", chunked_tasks, TASKS);
    measure_sections(demo_option(argc, argv, "--rows", 1000000), 100);
    measure_rows(demo_option(argc, argv, "--tasks", 40));
    return 0;
}
