/* SPDX-License-Identifier: MIT */
/* Copies out of a segment that a peer may truncate: the mapping itself is never touched. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "array/array.h"
#include "array/dtype.h"
#include "base/os.h"

enum {
    BLOCK = 1 << 20, /* bytes read at once */
    SPARSE = 8,      /* read at most so many bytes for one that is wanted, */
    SMALL = 4096     /* unless there are fewer than these */
};

struct job {
    const ndshm__segment *segment;
    char *scratch; /* BLOCK bytes */
};

static int64_t offset_of(const struct job *job, const ndshm_view *view, int64_t low)
{
    return (const char *)view->data - (const char *)ndshm__segment_payload(job->segment) + low;
}

/* Both contiguous in one order: elements lie in the same sequence. */
static bool alike(const ndshm_view *a, const ndshm_view *b)
{
    return (ndshm__view_contiguous(a, NDSHM_ORDER_C) && ndshm__view_contiguous(b, NDSHM_ORDER_C)) ||
           (ndshm__view_contiguous(a, NDSHM_ORDER_FORTRAN) &&
            ndshm__view_contiguous(b, NDSHM_ORDER_FORTRAN));
}

/* The bounding block of source through the scratch buffer. */
static int gather_block(const struct job *job, const ndshm_view *source, int64_t low, int64_t high,
                        const ndshm_view *target)
{
    ndshm_view copy;
    int status =
        ndshm__segment_read(job->segment, offset_of(job, source, low), job->scratch, high - low);
    if (status)
        return status;
    ndshm__view_assign(&copy, source);
    copy.data = job->scratch - low;
    ndshm__copy(target, &copy);
    return 0;
}

/* The axis along which source reaches farthest. */
static int widest(const ndshm_view *source)
{
    int best = 0;
    int64_t most = -1;
    for (int i = 0; i < source->ndim; i++) {
        int64_t reach = (source->shape[i] - 1) * source->strides[i];
        reach = reach < 0 ? -reach : reach;
        if (source->shape[i] > 1 && reach > most) {
            most = reach;
            best = i;
        }
    }
    return best;
}

static void half(const ndshm_view *view, int axis, bool second, ndshm_view *out)
{
    int64_t middle = view->shape[axis] / 2;
    ndshm__view_assign(out, view);
    out->shape[axis] = second ? view->shape[axis] - middle : middle;
    if (second)
        out->data = ndshm__move(view->data, middle * view->strides[axis]);
}

/* Halves the views until what is to be read is dense enough, or one run. */
static int gather(const struct job *job, const ndshm_view *source, const ndshm_view *target)
{
    int64_t low, high, dense = ndshm__view_nbytes(source);
    ndshm__view_extent(source, &low, &high);
    int64_t reach = high - low;
    if (alike(source, target))
        return ndshm__segment_read(job->segment, offset_of(job, source, low), target->data, dense);
    if (reach <= SMALL || (reach <= BLOCK && reach / SPARSE <= dense))
        return gather_block(job, source, low, high, target);
    int axis = widest(source);
    for (int i = 0; i < 2; i++) {
        ndshm_view source_half, target_half;
        half(source, axis, i, &source_half);
        half(target, axis, i, &target_half);
        int status = gather(job, &source_half, &target_half);
        if (status)
            return status;
    }
    return 0;
}

int ndshm__array_gather(const ndshm__segment *segment, const ndshm_view *source,
                        const ndshm_view *target)
{
    struct job job = {segment, NULL};
    if (ndshm__view_nbytes(source) == 0)
        return 0;
    if (!alike(source, target) && !(job.scratch = ndshm__alloc(BLOCK)))
        return ndshm__fail(-ENOMEM, "'%s': no memory for a buffer of %d bytes",
                           ndshm__segment_name(segment), BLOCK);
    int status = gather(&job, source, target);
    free(job.scratch);
    return status;
}
