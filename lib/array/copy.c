/* SPDX-License-Identifier: MIT */
/* Strided to strided. The axes are first brought into the order in which memory likes to be
 * written. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "array/dtype.h"
#include "array/view.h"
#include "base/base.h"

struct axis {
    int64_t length;
    int64_t target; /* strides in bytes */
    int64_t source;
};

struct plan {
    char *target;
    const char *source;
    size_t item;
    int naxes;
    bool tiled; /* the last two axes: target runs along the last, source along the other */
    struct axis axes[NDSHM_MAX_NDIM];
};

enum { BLOCK_BYTES = 1024, TILE_BYTES = 64, TILE_ITEM_MAX = 16 };

static int64_t magnitude(int64_t stride)
{
    return stride < 0 ? -stride : stride;
}

/* Walks an axis from its other end, so that target is written upwards. */
static void flip(struct plan *plan, struct axis *axis)
{
    plan->target = ndshm__move(plan->target, (axis->length - 1) * axis->target);
    plan->source = ndshm__move(plan->source, (axis->length - 1) * axis->source);
    axis->target = -axis->target;
    axis->source = -axis->source;
}

static bool outer(const struct axis *a, const struct axis *b)
{
    if (a->target != b->target)
        return a->target > b->target;
    return magnitude(a->source) > magnitude(b->source);
}

/* Insertion sort: widest target stride first. */
static void insert(struct plan *plan, struct axis axis)
{
    int at = plan->naxes++;
    for (; at > 0 && outer(&axis, &plan->axes[at - 1]); at--)
        plan->axes[at] = plan->axes[at - 1];
    plan->axes[at] = axis;
}

/* Joins neighbours that can be walked as one axis. */
static void coalesce(struct plan *plan)
{
    int last = 0;
    for (int i = 1; i < plan->naxes; i++) {
        struct axis *wide = &plan->axes[last], *narrow = &plan->axes[i];
        if (wide->target == narrow->length * narrow->target &&
            wide->source == narrow->length * narrow->source)
            *wide = (struct axis){wide->length * narrow->length, narrow->target, narrow->source};
        else
            plan->axes[++last] = *narrow;
    }
    plan->naxes = plan->naxes ? last + 1 : 0;
}

/* When another axis than the last is the one along which source runs, it becomes the last but one.
 */
static void choose_tiles(struct plan *plan)
{
    int last = plan->naxes - 1, best = last;
    for (int i = 0; i < last; i++)
        if (magnitude(plan->axes[i].source) < magnitude(plan->axes[best].source))
            best = i;
    if (best == last || plan->item > TILE_ITEM_MAX)
        return;
    struct axis axis = plan->axes[best];
    memmove(plan->axes + best, plan->axes + best + 1,
            (size_t)(last - best - 1) * sizeof *plan->axes);
    plan->axes[last - 1] = axis;
    plan->tiled = true;
}

static void make_plan(struct plan *plan, const ndshm_view *target, const ndshm_view *source)
{
    plan->target = target->data;
    plan->source = source->data;
    plan->item = (size_t)ndshm__dtype_itemsize(target->dtype);
    plan->naxes = 0;
    plan->tiled = false;
    for (int i = 0; i < target->ndim; i++) {
        struct axis axis = {target->shape[i], target->strides[i], source->strides[i]};
        if (axis.length == 1)
            continue;
        if (axis.target < 0)
            flip(plan, &axis);
        insert(plan, axis);
    }
    coalesce(plan);
    choose_tiles(plan);
}

/* One axis of items of a size that the compiler knows where it is called with a constant. */
static inline __attribute__((always_inline)) void run_of(char *target, const char *source,
                                                         const struct axis *axis, size_t item)
{
    for (int64_t i = 0; i < axis->length; i++) {
        memcpy(target, source, item);
        target += axis->target;
        source += axis->source;
    }
}

static void run(char *target, const char *source, const struct axis *axis, size_t item)
{
    int64_t width = (int64_t)item;
    if (axis->target == width && axis->source == width) {
        memcpy(target, source, (size_t)axis->length * item);
        return;
    }
    switch (item) {
    case 1:
        run_of(target, source, axis, 1);
        break;
    case 2:
        run_of(target, source, axis, 2);
        break;
    case 4:
        run_of(target, source, axis, 4);
        break;
    case 8:
        run_of(target, source, axis, 8);
        break;
    case 16:
        run_of(target, source, axis, 16);
        break;
    default:
        run_of(target, source, axis, item);
    }
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* A tile of a cache line in both directions. */
static void run_tile(char *target, const char *source, const struct axis axes[2], size_t item)
{
    for (int64_t i = 0; i < axes[0].length; i++)
        run(target + i * axes[0].target, source + i * axes[0].source, &axes[1], item);
}

/* Cuts both axes into parts of so many bytes: blocks whose pages the processor can keep in view,
 * and these into tiles, so that every cache line is read and written once. */
static void run_tiles(char *target, const char *source, const struct axis axes[2], size_t item,
                      int64_t bytes)
{
    int64_t side = bytes / (int64_t)item;
    for (int64_t i = 0; i < axes[0].length; i += side)
        for (int64_t j = 0; j < axes[1].length; j += side) {
            struct axis part[2] = {axes[0], axes[1]};
            part[0].length = least(side, axes[0].length - i);
            part[1].length = least(side, axes[1].length - j);
            char *to = target + i * axes[0].target + j * axes[1].target;
            const char *from = source + i * axes[0].source + j * axes[1].source;
            if (bytes > TILE_BYTES)
                run_tiles(to, from, part, item, TILE_BYTES);
            else
                run_tile(to, from, part, item);
        }
}

static void walk(const struct plan *plan, int axis, char *target, const char *source)
{
    int left = plan->naxes - axis;
    if (left == 0) {
        memcpy(target, source, plan->item);
    } else if (left == 1) {
        run(target, source, &plan->axes[axis], plan->item);
    } else if (left == 2 && plan->tiled) {
        run_tiles(target, source, &plan->axes[axis], plan->item, BLOCK_BYTES);
    } else {
        const struct axis *here = &plan->axes[axis];
        for (int64_t i = 0; i < here->length; i++)
            walk(plan, axis + 1, target + i * here->target, source + i * here->source);
    }
}

void ndshm__copy(const ndshm_view *target, const ndshm_view *source)
{
    struct plan plan;
    if (ndshm__view_nbytes(target) == 0)
        return;
    make_plan(&plan, target, source);
    walk(&plan, 0, plan.target, plan.source);
}

static int copy_check(const ndshm_view *target, const ndshm_view *source)
{
    int status = ndshm__view_check(target);
    if (!status)
        status = ndshm__view_check(source);
    if (status)
        return status;
    if (ndshm__dtype_canonical(target->dtype) != ndshm__dtype_canonical(source->dtype))
        return ndshm__fail(NDSHM_EDTYPE, "target has data type %s and source %s",
                           ndshm__dtype_row(target->dtype)->name,
                           ndshm__dtype_row(source->dtype)->name);
    if (target->ndim != source->ndim)
        return ndshm__fail(NDSHM_ESHAPE, "target has %d dimensions and source %d; broadcast source",
                           target->ndim, source->ndim);
    for (int i = 0; i < target->ndim; i++)
        if (target->shape[i] != source->shape[i])
            return ndshm__fail(NDSHM_ESHAPE,
                               "axis %d: target has length %" PRId64 " and source %" PRId64, i,
                               target->shape[i], source->shape[i]);
    if (target->flags & NDSHM_VIEW_READONLY)
        return ndshm__fail(-EACCES, "target is read-only; attach with NDSHM_WRITE or NDSHM_COW");
    return 0;
}

static int reach_check(const ndshm_view *view, const char *which)
{
    int64_t low, high;
    if (!ndshm__view_extent(view, &low, &high))
        return ndshm__fail(NDSHM_ESHAPE, "the strides of %s lead out of the address space", which);
    if (high > low && !view->data)
        return ndshm__fail(-EINVAL, "%s has elements, but its data is NULL", which);
    return 0;
}

int ndshm_view_copy(const ndshm_view *target, const ndshm_view *source)
{
    ndshm__begin("ndshm_view_copy");
    int status = copy_check(target, source);
    if (!status)
        status = reach_check(target, "target");
    if (!status)
        status = reach_check(source, "source");
    if (status)
        return status;
    ndshm__copy(target, source);
    return 0;
}
