/* SPDX-License-Identifier: MIT */
/* What slices of slices leave of an array, and its canonical text. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "array/ref.h"
#include "base/base.h"

void ndshm__selection_all(ndshm__selection *selection, int ndim, const int64_t *shape)
{
    selection->ndim = ndim;
    for (int i = 0; i < ndim; i++) {
        selection->shape[i] = shape[i];
        selection->picks[i] = (struct ndshm__pick){{0, 1, shape[i]}, false};
    }
}

static int pick_index(struct ndshm__pick *pick, const char *name, int axis, int64_t index)
{
    int64_t length = pick->range.count;
    if (index < -length || index >= length)
        return ndshm__fail(NDSHM_ESHAPE,
                           "'%s': index %" PRId64 " is out of range: axis %d has %" PRId64
                           " elements",
                           name, index, axis, length);
    int64_t at = index < 0 ? index + length : index;
    pick->range.start += at * pick->range.step;
    pick->range.step = 1;
    pick->range.count = 1;
    pick->indexed = true;
    return 0;
}

static int pick_slice(struct ndshm__pick *pick, const char *name, int axis,
                      const struct ndshm__ref_item *item)
{
    if (item->step == 0)
        return ndshm__fail(NDSHM_ESHAPE, "'%s': axis %d: the step of a slice must not be 0", name,
                           axis);
    ndshm__range range =
        ndshm__range_resolve(pick->range.count, item->start, item->stop, item->step);
    if (range.count == 0)
        pick->range = range;
    else
        pick->range =
            (ndshm__range){pick->range.start + range.start * pick->range.step,
                           range.count == 1 ? 1 : range.step * pick->range.step, range.count};
    return 0;
}

/* The axes that are left, in order. */
static int remaining(const ndshm__selection *selection, int axes[NDSHM_MAX_NDIM])
{
    int count = 0;
    for (int i = 0; i < selection->ndim; i++)
        if (!selection->picks[i].indexed)
            axes[count++] = i;
    return count;
}

int ndshm__selection_apply(ndshm__selection *selection, const ndshm__ref *ref)
{
    ndshm__selection result = *selection;
    int axes[NDSHM_MAX_NDIM];
    int naxes = remaining(selection, axes), nitems = ref->count, at = 0;
    for (int i = 0; i < ref->count; i++)
        nitems -= ref->items[i].kind == NDSHM__REF_ELLIPSIS;
    if (ref->nlabels > 0)
        return ndshm__fail(NDSHM_ESHAPE,
                           "'%s': names select columns of a frame; an array takes numbers",
                           ref->name);
    if (nitems > naxes)
        return ndshm__fail(NDSHM_ESHAPE, "'%s': %d items in the slice, but it has %d dimension(s)",
                           ref->name, nitems, naxes);
    for (int i = 0; i < ref->count; i++) {
        const struct ndshm__ref_item *item = &ref->items[i];
        if (item->kind == NDSHM__REF_ELLIPSIS) {
            at += naxes - nitems;
            continue;
        }
        struct ndshm__pick *pick = &result.picks[axes[at]];
        int status = item->kind == NDSHM__REF_INDEX ? pick_index(pick, ref->name, at, item->start)
                                                    : pick_slice(pick, ref->name, at, item);
        if (status)
            return status;
        at++;
    }
    *selection = result;
    return 0;
}

void ndshm__selection_view(const ndshm__selection *selection, const ndshm_view *whole,
                           ndshm_view *out)
{
    int64_t offset = 0;
    int ndim = 0;
    bool empty = false;
    for (int i = 0; i < selection->ndim; i++) {
        const struct ndshm__pick *pick = &selection->picks[i];
        int64_t stride = whole->strides[i];
        offset += pick->range.start * stride;
        if (pick->indexed)
            continue;
        out->shape[ndim] = pick->range.count;
        out->strides[ndim++] = pick->range.step * stride;
        empty = empty || pick->range.count == 0;
    }
    out->data = ndshm__move(whole->data, empty ? 0 : offset);
    out->dtype = whole->dtype;
    out->ndim = ndim;
    out->flags = whole->flags;
    out->reserved = 0;
}

static bool is_whole(const ndshm__selection *selection, int axis)
{
    const struct ndshm__pick *pick = &selection->picks[axis];
    return !pick->indexed && pick->range.start == 0 && pick->range.step == 1 &&
           pick->range.count == selection->shape[axis];
}

enum { ITEM_SIZE = 80 };

/* The shortest text that resolves to the same range of an axis of this length. */
static int range_text(const ndshm__range *range, int64_t length, char out[ITEM_SIZE])
{
    char start[24] = "", stop[24] = "", step[24] = "";
    int64_t reach, end = -1;
    if (!ndshm__mul(range->count, range->step, &reach) || !ndshm__add(range->start, reach, &end))
        end = -1; /* beyond any axis: left out */
    bool first = range->start == (range->step > 0 ? 0 : length - 1);
    bool inside = end >= 0 && end < length;
    if (range->count == 0)
        return snprintf(out, ITEM_SIZE, "0:0");
    if (!first)
        snprintf(start, sizeof start, "%" PRId64, range->start);
    if (inside)
        snprintf(stop, sizeof stop, "%" PRId64, end);
    if (range->step != 1)
        snprintf(step, sizeof step, ":%" PRId64, range->step);
    return snprintf(out, ITEM_SIZE, "%s:%s%s", start, stop, step);
}

static int item_text(const ndshm__selection *selection, int axis, char out[ITEM_SIZE])
{
    const struct ndshm__pick *pick = &selection->picks[axis];
    if (pick->indexed)
        return snprintf(out, ITEM_SIZE, "%" PRId64, pick->range.start);
    return range_text(&pick->range, selection->shape[axis], out);
}

bool ndshm__selection_text(const ndshm__selection *selection, const char *name,
                           char out[NDSHM_REF_MAX + 1])
{
    char item[ITEM_SIZE];
    int count = selection->ndim;
    int used = snprintf(out, NDSHM_REF_MAX + 1, "%s", name);
    while (count > 0 && is_whole(selection, count - 1))
        count--;
    for (int i = 0; i < count; i++) {
        int length = item_text(selection, i, item);
        if (used + length + 2 > NDSHM_REF_MAX)
            return false;
        out[used++] = i == 0 ? '[' : ',';
        memcpy(out + used, item, (size_t)length + 1);
        used += length;
    }
    if (count > 0)
        memcpy(out + used, "]", 2);
    return true;
}
