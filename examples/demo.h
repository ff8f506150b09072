/* SPDX-License-Identifier: MIT */
/* What the demonstration programs share: failing loudly, a clock, a small generator, one table. */
#ifndef NDSHM_EXAMPLES_DEMO_H
#define NDSHM_EXAMPLES_DEMO_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <ndshm/ndshm.h>

static inline void demo_check(int status)
{
    if (status == 0)
        return;
    fprintf(stderr, "%s\n", ndshm_error_message());
    exit(1);
}

static inline double demo_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* SplitMix64: a stream from any seed. */
static inline uint64_t demo_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* Uniform in [0, 1). */
static inline double demo_uniform(uint64_t *state)
{
    return (double)(demo_random(state) >> 11) * 0x1p-53;
}

static inline long long demo_option(int argc, char **argv, const char *name, long long otherwise)
{
    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return atoll(argv[i + 1]);
    return otherwise;
}

static inline void demo_header(void)
{
    printf("%-34s %12s %10s %7s %14s %14s\n", "work", "sequential s", "pool s", "ratio",
           "bytes shared", "bytes copied");
}

/* Shared: segments that more than one process mapped. Copied: what the pool was handed by value. */
static inline void demo_row(const char *work, double sequential, double pool, long long shared,
                            long long copied)
{
    printf("%-34s %12.3f %10.3f %7.2f %14lld %14lld\n", work, sequential, pool, sequential / pool,
           shared, copied);
}

#endif
