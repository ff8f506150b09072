/* SPDX-License-Identifier: MIT */
/* Names, and references of up to three slices of slices, against lists of indices. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array/ref.h"
#include "fuzz.h"
#include "segment/segment.h"

enum { AXES = 4, LENGTH = 8, SLICES = 3 };

/* For each axis of the array, which of its indices are selected. */
struct model {
    int ndim;
    int64_t shape[AXES];
    int64_t count[AXES];
    int64_t index[AXES][LENGTH];
    bool indexed[AXES];
};

static bool is_name(const char *text)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    text += *text == '/';
    size_t length = strlen(text);
    return length > 0 && length <= NDSHM_NAME_MAX && strspn(text, allowed) == length &&
           *text != '.';
}

static void check_name(const char *text)
{
    const char *bare = NULL;
    int any = ndshm__name_check_any(text, &bare);
    FUZZ_CHECK(any == (is_name(text) ? 0 : -EINVAL));
    FUZZ_CHECK(any ? !bare : strcmp(bare, text + (*text == '/')) == 0);
    int given = ndshm__name_check(text, &bare);
    FUZZ_CHECK(given == (any || strncmp(bare, "ndshm.", 6) == 0 ? -EINVAL : 0));
}

/* false: an item that NumPy refuses. */
static bool select_item(struct model *model, int axis, const struct ndshm__ref_item *item)
{
    int64_t picked[LENGTH], old[LENGTH], length = model->count[axis];
    if (item->kind == NDSHM__REF_INDEX) {
        picked[0] = item->start < 0 ? item->start + length : item->start;
        if (picked[0] < 0 || picked[0] >= length)
            return false;
        model->indexed[axis] = true;
        model->count[axis] = 1;
    } else {
        if (item->step == 0)
            return false;
        model->count[axis] =
            fuzz_slice(length, item->start, item->stop, item->step, LENGTH, picked);
    }
    memcpy(old, model->index[axis], sizeof old);
    for (int64_t i = 0; i < model->count[axis]; i++)
        model->index[axis][i] = old[picked[i]];
    return true;
}

static bool select_items(struct model *model, const ndshm__ref *ref)
{
    int axes[AXES], left = 0, items = 0, at = 0;
    for (int i = 0; i < model->ndim; i++)
        if (!model->indexed[i])
            axes[left++] = i;
    for (int i = 0; i < ref->count; i++)
        items += ref->items[i].kind != NDSHM__REF_ELLIPSIS;
    if (items > left)
        return false;
    for (int i = 0; i < ref->count; i++) {
        if (ref->items[i].kind == NDSHM__REF_ELLIPSIS)
            at += left - items;
        else if (!select_item(model, axes[at++], &ref->items[i]))
            return false;
    }
    return true;
}

static void check_same(const ndshm__selection *selection, const struct model *model)
{
    bool empty = false;
    for (int i = 0; i < model->ndim; i++)
        empty = empty || model->count[i] == 0;
    for (int i = 0; i < model->ndim; i++) {
        const struct ndshm__pick *pick = &selection->picks[i];
        FUZZ_CHECK(pick->indexed == model->indexed[i]);
        FUZZ_CHECK(pick->range.count == model->count[i]);
        for (int64_t k = 0; k < model->count[i]; k++)
            FUZZ_CHECK(pick->range.start + k * pick->range.step == model->index[i][k]);
    }
    ndshm_view whole, part;
    FUZZ_CHECK(ndshm_view_init(&whole, NULL, NDSHM_INT16, model->ndim, model->shape, 0) == 0);
    ndshm__selection_view(selection, &whole, &part);
    intptr_t first = 0;
    for (int i = 0; i < model->ndim && !empty; i++)
        first += (intptr_t)(model->index[i][0] * whole.strides[i]);
    FUZZ_CHECK((intptr_t)part.data == first);
}

/* The canonical text selects the same, and is its own canonical text. */
static void check_text(const ndshm__selection *selection, const struct model *model)
{
    char text[NDSHM_REF_MAX + 1], again[NDSHM_REF_MAX + 1];
    ndshm__ref ref;
    ndshm__selection other;
    FUZZ_CHECK(ndshm__selection_text(selection, "n", text));
    FUZZ_CHECK(ndshm__ref_split(text, &ref) == 0 && strcmp(ref.name, "n") == 0);
    ndshm__selection_all(&other, model->ndim, model->shape);
    FUZZ_CHECK(ndshm__selection_apply(&other, &ref) == 0);
    check_same(&other, model);
    FUZZ_CHECK(ndshm__selection_text(&other, "n", again) && strcmp(text, again) == 0);
}

/* Large lengths: what is selected lies inside. */
static void check_inside(const ndshm__ref *ref, int64_t length)
{
    const int64_t shape[2] = {length, 3};
    ndshm__selection selection;
    ndshm__selection_all(&selection, 2, shape);
    if (ndshm__selection_apply(&selection, ref))
        return;
    for (int i = 0; i < 2; i++) {
        const ndshm__range *range = &selection.picks[i].range;
        __extension__ __int128 last = range->start + (__int128)(range->count - 1) * range->step;
        FUZZ_CHECK(range->count >= 0 && range->count <= shape[i]);
        FUZZ_CHECK(range->count == 0 || (range->start >= 0 && range->start < shape[i]));
        FUZZ_CHECK(range->count == 0 || (last >= 0 && last < shape[i]));
    }
}

static void make_model(struct fuzz_input *input, struct model *model)
{
    model->ndim = (int)fuzz_below(input, AXES + 1);
    for (int i = 0; i < model->ndim; i++) {
        model->shape[i] = model->count[i] = fuzz_below(input, LENGTH + 1);
        model->indexed[i] = false;
        for (int64_t k = 0; k < model->count[i]; k++)
            model->index[i][k] = k;
    }
}

/* What is longer than 64 bits is read as the largest number. */
static int print_bound(char *text, int64_t bound)
{
    if (bound == NDSHM_OMIT)
        return 0;
    return sprintf(text, "%lld%s", (long long)bound, bound == INT64_MAX ? "0" : "");
}

/* The other way round: items that are printed with blanks here and there are read as they were. */
static void check_printed(struct fuzz_input *input)
{
    static const char *const blanks[] = {"", " ", "", "  "};
    enum { ITEMS = 6, SEEN = 2 };
    struct ndshm__ref_item items[ITEMS] = {{0}};
    ndshm__ref ref;
    char text[NDSHM_REF_MAX] = "a-name", *at = text + 6;
    int count = 1 + (int)fuzz_below(input, ITEMS);
    for (int i = 0; i < count; i++) {
        struct ndshm__ref_item *item = &items[i];
        const char *blank = blanks[fuzz_below(input, 4)];
        at += sprintf(at, "%s%s%s", blank, i ? "," : "[", blank);
        item->kind = NDSHM__REF_INDEX + (int)fuzz_below(input, 2);
        item->start = fuzz_number(input);
        if (item->kind == NDSHM__REF_INDEX && item->start == NDSHM_OMIT)
            item->start = 0;
        at += print_bound(at, item->start);
        if (item->kind == NDSHM__REF_INDEX)
            continue;
        item->stop = fuzz_number(input);
        item->step = fuzz_number(input);
        at += sprintf(at, "%s:%s", blank, blank);
        at += print_bound(at, item->stop);
        at += sprintf(at, "%s:", blank);
        at += print_bound(at, item->step);
        item->step = item->step == NDSHM_OMIT ? 1 : item->step;
    }
    sprintf(at, "%s]%s", blanks[count % 4], blanks[count % SEEN]);
    FUZZ_CHECK(ndshm__ref_split(text, &ref) == 0);
    FUZZ_CHECK(strcmp(ref.name, "a-name") == 0 && ref.count == count);
    for (int i = 0; i < count; i++) {
        FUZZ_CHECK(ref.items[i].kind == items[i].kind && ref.items[i].start == items[i].start);
        if (items[i].kind == NDSHM__REF_SLICE)
            FUZZ_CHECK(ref.items[i].stop == items[i].stop && ref.items[i].step == items[i].step);
    }
}

/* Slices of slices by numbers, which changed texts seldom are. */
static void check_chain(struct fuzz_input *input)
{
    struct model model;
    ndshm__selection selection;
    make_model(input, &model);
    ndshm__selection_all(&selection, model.ndim, model.shape);
    for (int i = 0; i < SLICES; i++) {
        ndshm__ref ref = {.name = "n", .count = (int)fuzz_below(input, AXES + 1)};
        for (int k = 0; k < ref.count; k++)
            ref.items[k] = (struct ndshm__ref_item){
                fuzz_below(input, 8) ? NDSHM__REF_SLICE : NDSHM__REF_INDEX, fuzz_number(input),
                fuzz_below(input, 2) ? NDSHM_OMIT : fuzz_number(input),
                (int64_t)fuzz_below(input, 7) - 3};
        struct model wanted = model;
        bool fits = select_items(&wanted, &ref);
        FUZZ_CHECK(ndshm__selection_apply(&selection, &ref) == (fits ? 0 : NDSHM_ESHAPE));
        if (fits)
            model = wanted;
        check_same(&selection, &model);
        check_text(&selection, &model);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { NUMBERS = 0xA0 };
    struct fuzz_input input = {data, size};
    struct model model;
    ndshm__selection selection;
    if (size > 0 && data[0] >= NUMBERS) {
        if (fuzz_byte(&input) % 2)
            check_chain(&input);
        else
            check_printed(&input);
        return 0;
    }
    make_model(&input, &model);
    int64_t length = fuzz_number(&input);
    ndshm__selection_all(&selection, model.ndim, model.shape);
    for (int i = 0; i < SLICES && (i == 0 || input.size > 0); i++) {
        ndshm__ref ref;
        char *line = fuzz_line(&input);
        check_name(line);
        int status = ndshm__ref_split(line, &ref);
        free(line);
        FUZZ_CHECK(status == 0 || status == -EINVAL || status == NDSHM_ESHAPE);
        if (status)
            continue;
        struct model wanted = model;
        bool fits = select_items(&wanted, &ref);
        FUZZ_CHECK(ndshm__selection_apply(&selection, &ref) == (fits ? 0 : NDSHM_ESHAPE));
        if (fits)
            model = wanted;
        check_same(&selection, &model);
        check_text(&selection, &model);
        check_inside(&ref, length < 0 ? INT64_MAX : length);
    }
    return 0;
}
