/* SPDX-License-Identifier: MIT */
/* The first of two unrelated programs: puts 1000 days of prices of 4 shares into shared memory
 * under the name it is given, and ends. They stay until somebody unlinks them: see read_slice.c. */
#include <stdio.h>

#include <ndshm/ndshm.h>

int main(int argc, char **argv)
{
    const int64_t shape[2] = {1000, 4};
    ndshm_array *prices;
    ndshm_view view;
    if (argc != 2) {
        fprintf(stderr, "usage: %s NAME\n", argv[0]);
        return 2;
    }
    if (ndshm_array_create(argv[1], NDSHM_FLOAT64, 2, shape, NULL, &prices) ||
        ndshm_array_read(prices, &view)) {
        fprintf(stderr, "%s\n", ndshm_error_message());
        return 1;
    }
    double *price = view.data;
    for (int day = 0; day < 1000; day++)
        for (int share = 0; share < 4; share++)
            *price++ = 100 + day + share / 10.0;
    printf("%s is there\n", ndshm_array_name(prices));
    ndshm_array_detach(&prices);
    return 0;
}
