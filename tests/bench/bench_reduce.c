/* SPDX-License-Identifier: MIT */
/* Reductions of 20 million numbers. One JSON line a benchmark. */
#include <ndshm/ndshm.h>

#include "bench.h"

enum { ROUNDS = 5, SIZE = 20000000, COLUMNS = 100 };

static const struct {
    const char *name;
    int op;
} ops[] = {
    {"sum", NDSHM_REDUCE_SUM},       {"mean", NDSHM_REDUCE_MEAN},
    {"var", NDSHM_REDUCE_VAR},       {"min", NDSHM_REDUCE_MIN},
    {"argmax", NDSHM_REDUCE_ARGMAX}, {"nansum", NDSHM_REDUCE_SUM | NDSHM_SKIPNA},
};

static const struct {
    const char *name;
    int axis;
} axes[] = {{"all", NDSHM_AXIS_ALL}, {"axis 0", 0}, {"axis 1", 1}};

static void bench(ndshm_pool *pool, const ndshm_array *array, int op, int axis, const char *name)
{
    double best = 1e9;
    for (int round = 0; round < ROUNDS; round++) {
        ndshm_array *result;
        double start = now();
        check(ndshm_reduce(pool, array, op, axis, NULL, &result));
        double seconds = now() - start;
        best = seconds < best ? seconds : best;
        ndshm_array_detach(&result);
    }
    report(name, best, "s");
}

int main(void)
{
    const int64_t shape[2] = {SIZE / COLUMNS, COLUMNS};
    ndshm_pool *pool;
    ndshm_array *array;
    ndshm_view view;
    char name[64];
    check(ndshm_pool_open(NULL, &pool));
    check(ndshm_array_create(NULL, NDSHM_FLOAT64, 2, shape, NULL, &array));
    check(ndshm_array_read(array, &view));
    srand(1);
    for (int64_t i = 0; i < SIZE; i++)
        ((double *)view.data)[i] = (double)rand() / RAND_MAX;
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        for (size_t j = 0; j < sizeof axes / sizeof *axes; j++) {
            snprintf(name, sizeof name, "%s, %s, caller", ops[i].name, axes[j].name);
            bench(NULL, array, ops[i].op, axes[j].axis, name);
            snprintf(name, sizeof name, "%s, %s, pool", ops[i].name, axes[j].name);
            bench(pool, array, ops[i].op, axes[j].axis, name);
        }
    ndshm_array_detach(&array);
    ndshm_pool_close(&pool);
    return 0;
}
