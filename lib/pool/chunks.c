/* SPDX-License-Identifier: MIT */
#include "pool/chunks.h"

#include <errno.h>
#include <stdlib.h>

#include "base/os.h"

enum {
    SINGLE_MAX = 64,
    SHARE = 32,
    BOUNDS_MAX = 2048
}; /* 32 ln(2^63 / 32) + 32 is less than 1400 */

static int shrinking(struct ndshm__chunks *chunks)
{
    int64_t *bounds = ndshm__alloc(BOUNDS_MAX * sizeof *bounds);
    if (!bounds)
        return -ENOMEM;
    int64_t begin = 0, n = 0;
    while (begin < chunks->count) {
        int64_t share = (chunks->count - begin) / SHARE;
        bounds[n++] = begin;
        begin += share > 1 ? share : 1;
    }
    bounds[n] = chunks->count;
    chunks->total = n;
    chunks->bounds = bounds;
    return 0;
}

int ndshm__chunks_init(struct ndshm__chunks *chunks, int64_t count, int64_t chunk)
{
    *chunks = (struct ndshm__chunks){.count = count, .chunk = chunk};
    if (!chunk && count > SINGLE_MAX)
        return shrinking(chunks);
    if (!chunk)
        chunks->chunk = 1;
    chunks->total = count / chunks->chunk + (count % chunks->chunk != 0);
    return 0;
}

void ndshm__chunks_free(struct ndshm__chunks *chunks)
{
    free(chunks->bounds);
    chunks->bounds = NULL;
}

void ndshm__chunks_bounds(const struct ndshm__chunks *chunks, int64_t index, int64_t *begin,
                          int64_t *end)
{
    if (chunks->bounds) {
        *begin = chunks->bounds[index];
        *end = chunks->bounds[index + 1];
        return;
    }
    *begin = index * chunks->chunk;
    *end = chunks->count - *begin < chunks->chunk ? chunks->count : *begin + chunks->chunk;
}

int64_t ndshm__chunks_find(const struct ndshm__chunks *chunks, int64_t task)
{
    if (!chunks->bounds)
        return task / chunks->chunk;
    int64_t low = 0, high = chunks->total;
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (chunks->bounds[middle] <= task)
            low = middle;
        else
            high = middle;
    }
    return low;
}
