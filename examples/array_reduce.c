/* SPDX-License-Identifier: MIT */
/* Column means and the coldest day of a shared array, in this process and on a pool.
 *
 *     array_reduce */
#include "demo.h"

enum { DAYS = 200000, STATIONS = 4 };

static ndshm_array *measure(void)
{
    const int64_t shape[2] = {DAYS, STATIONS};
    uint64_t state = 1;
    ndshm_array *array;
    ndshm_view view;
    demo_check(ndshm_array_create(NULL, NDSHM_FLOAT64, 2, shape, NULL, &array));
    demo_check(ndshm_array_read(array, &view));
    for (int64_t i = 0; i < DAYS * STATIONS; i++)
        ((double *)view.data)[i] = 40 * demo_uniform(&state) - 15;
    ((double *)view.data)[STATIONS] = NAN; /* station 0 did not report on day 1 */
    return array;
}

static ndshm_view reduce(ndshm_pool *pool, const ndshm_array *array, int op, int axis,
                         ndshm_array **out)
{
    ndshm_view view;
    demo_check(ndshm_reduce(pool, array, op, axis, NULL, out));
    demo_check(ndshm_array_read(*out, &view));
    return view;
}

int main(void)
{
    ndshm_pool *pool;
    ndshm_array *array, *alone, *together, *coldest;
    demo_check(ndshm_pool_open(NULL, &pool));
    array = measure();
    int op = NDSHM_REDUCE_MEAN | NDSHM_SKIPNA;
    ndshm_view one = reduce(NULL, array, op, 0, &alone);
    ndshm_view other = reduce(pool, array, op, 0, &together);
    int equal = memcmp(one.data, other.data, STATIONS * sizeof(double)) == 0;
    for (int i = 0; i < STATIONS; i++)
        printf("station %d: mean %.3f\n", i, ((double *)one.data)[i]);
    ndshm_view place =
        reduce(pool, array, NDSHM_REDUCE_ARGMIN | NDSHM_SKIPNA, NDSHM_AXIS_ALL, &coldest);
    int64_t at = *(int64_t *)place.data;
    printf("coldest: day %lld, station %lld\n", (long long)(at / STATIONS),
           (long long)(at % STATIONS));
    ndshm_array_detach(&coldest);
    ndshm_array_detach(&together);
    ndshm_array_detach(&alone);
    ndshm_array_detach(&array);
    ndshm_pool_close(&pool);
    if (!equal)
        fprintf(stderr, "the pool's means differ\n");
    return equal ? 0 : 1;
}
