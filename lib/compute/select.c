/* SPDX-License-Identifier: MIT */
#include "compute/numbers.h"

static double median_of_three(double a, double b, double c)
{
    if ((a < b) != (a < c))
        return a;
    return (b < a) != (b < c) ? b : c;
}

/* Places that do not depend on the values, so that no usual order of them is a bad one. */
static double choose_pivot(const double *values, int64_t low, int64_t high, uint64_t *state)
{
    double sample[3];
    for (int i = 0; i < 3; i++) {
        *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        sample[i] = values[low + (int64_t)((*state >> 11) % (uint64_t)(high - low + 1))];
    }
    return median_of_three(sample[0], sample[1], sample[2]);
}

/* Hoare's algorithm 65, FIND, as Wirth gives it. */
double ndshm__select(double *values, int64_t count, int64_t k)
{
    int64_t low = 0, high = count - 1;
    uint64_t state = (uint64_t)count;
    while (low < high) {
        double pivot = choose_pivot(values, low, high, &state);
        int64_t i = low, j = high;
        do {
            while (values[i] < pivot)
                i++;
            while (pivot < values[j])
                j--;
            if (i <= j) {
                double other = values[i];
                values[i++] = values[j];
                values[j--] = other;
            }
        } while (i <= j);
        if (k <= j)
            high = j;
        else if (k >= i)
            low = i;
        else
            break;
    }
    return values[k];
}
