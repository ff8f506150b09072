/* SPDX-License-Identifier: MIT */
/* What the benchmarks share: a clock, failing loudly, one JSON line a figure. */
#ifndef NDSHM_TESTS_BENCH_H
#define NDSHM_TESTS_BENCH_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <ndshm/base.h>

/* In seconds. */
static inline double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static inline void check(int status)
{
    if (status == 0)
        return;
    fprintf(stderr, "%s\n", ndshm_error_message());
    exit(1);
}

static inline void report(const char *benchmark, double value, const char *unit)
{
    printf("{\"benchmark\": \"%s\", \"value\": %.4g, \"unit\": \"%s\"}\n", benchmark, value, unit);
    fflush(stdout);
}

#endif
