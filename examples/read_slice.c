/* SPDX-License-Identifier: MIT */
/* The second of two unrelated programs: prints the part of the prices that a reference like
 * "prices[10:20]" denotes. Nothing is copied. With a second argument it removes the name
 * afterwards. */
#include <inttypes.h>
#include <stdio.h>

#include <ndshm/ndshm.h>

static int print_rows(const ndshm_array *prices)
{
    ndshm_view view;
    if (ndshm_array_read(prices, &view) || view.dtype != NDSHM_FLOAT64 || view.ndim != 2) {
        fprintf(stderr, "not a table of prices\n");
        return 1;
    }
    printf("%s: %" PRId64 " x %" PRId64 "\n", ndshm_array_name(prices), view.shape[0],
           view.shape[1]);
    for (int64_t i = 0; i < view.shape[0]; i++) {
        const char *row = (const char *)view.data + i * view.strides[0];
        for (int64_t k = 0; k < view.shape[1]; k++)
            printf("%s%.1f", k ? " " : "", *(const double *)(row + k * view.strides[1]));
        printf("\n");
    }
    return 0;
}

int main(int argc, char **argv)
{
    ndshm_array *prices;
    if (argc < 2) {
        fprintf(stderr, "usage: %s REFERENCE [remove]\n", argv[0]);
        return 2;
    }
    if (ndshm_array_attach(argv[1], NDSHM_READ, &prices)) {
        fprintf(stderr, "%s\n", ndshm_error_message());
        return 1;
    }
    int failed = print_rows(prices);
    if (argc > 2 && ndshm_array_unlink(prices)) {
        fprintf(stderr, "%s\n", ndshm_error_message());
        failed = 1;
    }
    ndshm_array_detach(&prices);
    return failed;
}
