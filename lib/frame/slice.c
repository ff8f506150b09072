/* SPDX-License-Identifier: MIT */
/* Rows and columns of a frame, by a reference: "trades[0:500, ['price', 'size']]". */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"
#include "frame/frame.h"

int ndshm__frame_check_slice(const ndshm__ref *ref)
{
    const struct ndshm__ref_item *rows = &ref->items[0], *columns = &ref->items[1];
    if (ref->count == 0)
        return 0;
    if (ref->count > 2 || rows->kind != NDSHM__REF_SLICE ||
        (ref->count == 2 && columns->kind == NDSHM__REF_ELLIPSIS))
        return ndshm__fail(NDSHM_ESHAPE,
                           "'%s': a frame takes one slice of rows, and then perhaps columns: "
                           "\"%s[10:20]\", \"%s[:, ['a', 'b']]\"; for one row write \"[10:11]\"",
                           ref->name, ref->name, ref->name);
    if (rows->step < 1)
        return ndshm__fail(NDSHM_ESHAPE, "'%s': the step of a slice of rows must be 1 or more",
                           ref->name);
    return 0;
}

static int no_memory(const ndshm_frame *frame)
{
    return ndshm__fail(-ENOMEM, "'%s': no memory for a handle",
                       ndshm__segment_name(frame->segment));
}

static int pick_range(ndshm_frame *frame, const ndshm__range *range)
{
    if (range->start == 0 && range->step == 1 && range->count == frame->columns)
        return 0;
    frame->picks = ndshm__alloc((size_t)range->count * sizeof *frame->picks + 1);
    if (!frame->picks)
        return no_memory(frame);
    for (int64_t i = 0; i < range->count; i++)
        frame->picks[i] = (int32_t)(range->start + i * range->step);
    frame->columns = (int32_t)range->count;
    return 0;
}

static int32_t find_column(const ndshm_frame *frame, const char *name)
{
    const struct ndshm__schema *schema = ndshm__frame_schema(frame);
    const char *text = ndshm__schema_text(schema);
    int32_t i = 0;
    while (i < schema->columns && strcmp(text + schema->node[i].name, name) != 0)
        i++;
    return i < schema->columns ? i : -1;
}

static int pick_labels(ndshm_frame *frame, const ndshm__ref *ref)
{
    const char *label = ref->labels;
    int32_t *picks = ndshm__alloc((size_t)ref->nlabels * sizeof *picks);
    if (!picks)
        return no_memory(frame);
    for (int32_t i = 0; i < ref->nlabels; i++, label += strlen(label) + 1) {
        picks[i] = find_column(frame, label);
        if (picks[i] < 0) {
            free(picks);
            return ndshm__fail(-ENOENT, "'%s': has no column '%.100s'",
                               ndshm__segment_name(frame->segment), label);
        }
    }
    frame->picks = picks;
    frame->columns = ref->nlabels;
    return 0;
}

/* Appends ",['a','b']]" to the rows' reference. false: too long. */
static bool add_labels(char text[NDSHM_REF_MAX + 1], const ndshm__ref *ref)
{
    size_t used = strlen(text);
    const char *label = ref->labels;
    char list[2 * NDSHM_REF_MAX + 8];
    size_t size = 0;
    bool sliced = text[used - 1] == ']';
    used -= sliced;
    for (int32_t i = 0; i < ref->nlabels; i++, label++) {
        list[size++] = i == 0 ? '[' : ',';
        list[size++] = '\'';
        for (; *label; label++) {
            list[size++] = *label;
            if (*label == '\'')
                list[size++] = '\'';
            if (size > NDSHM_REF_MAX)
                return false;
        }
        list[size++] = '\'';
    }
    int wrote = snprintf(text + used, NDSHM_REF_MAX + 1 - used, "%s,%.*s]]",
                         sliced ? "" : "[:", (int)size, list);
    return wrote >= 0 && (size_t)wrote <= NDSHM_REF_MAX - used;
}

/* A slice of all rows and columns needs no reference of its own. */
static int name_slice(ndshm_frame *frame, ndshm__selection *selection, const ndshm__ref *ref)
{
    char text[NDSHM_REF_MAX + 1];
    const char *name = ndshm__segment_name(frame->segment);
    frame->unnamed = !ndshm__selection_text(selection, name, text) ||
                     (ref->nlabels > 0 && !add_labels(text, ref));
    if (frame->unnamed || strcmp(text, name) == 0)
        return 0;
    frame->slice = ndshm__duplicate(text);
    return frame->slice ? 0 : no_memory(frame);
}

/* One position is a slice of one; a list of names takes part as all columns. */
static int select_all(const ndshm_frame *frame, const ndshm__ref *ref, ndshm__selection *out)
{
    int64_t shape[2] = {frame->rows, frame->columns};
    ndshm__ref slices = *ref;
    struct ndshm__ref_item *columns = &slices.items[1];
    if (ref->count == 2 && columns->kind == NDSHM__REF_INDEX) {
        int64_t at = columns->start, count = frame->columns;
        if (at < -count || at >= count)
            return ndshm__fail(-ENOENT, "'%s': has no column %lld, but %lld of them", ref->name,
                               (long long)at, (long long)count);
        at += at < 0 ? count : 0;
        *columns = (struct ndshm__ref_item){NDSHM__REF_SLICE, at, at + 1, 1};
    }
    slices.nlabels = 0;
    slices.count = ref->nlabels > 0 ? 1 : ref->count;
    ndshm__selection_all(out, 2, shape);
    return ndshm__selection_apply(out, &slices);
}

int ndshm__frame_slice(ndshm_frame *frame, const ndshm__ref *ref)
{
    ndshm__selection selection;
    int status = select_all(frame, ref, &selection);
    if (status)
        return status;
    const ndshm__range *rows = &selection.picks[0].range;
    frame->start = rows->start;
    frame->step = rows->step;
    frame->rows = rows->count;
    status =
        ref->nlabels > 0 ? pick_labels(frame, ref) : pick_range(frame, &selection.picks[1].range);
    return status ? status : name_slice(frame, &selection, ref);
}
