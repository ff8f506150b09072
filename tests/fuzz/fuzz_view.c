/* SPDX-License-Identifier: MIT */
/* Views of views, against a list of where each element is; and views of any numbers, which are
 * refused or computed without overflow. */
#include <stdlib.h>
#include <string.h>

#include "array/dtype.h"
#include "array/view.h"
#include "fuzz.h"

enum { AXES = 6, ELEMENTS = 1024, STEPS = 8, LENGTH = 6 };
__extension__ typedef __int128 wide;

/* Elements in C order, by their offset from the first byte. */
struct model {
    int ndim;
    int64_t shape[AXES];
    int count;
    int64_t offset[ELEMENTS];
};

static int product(int ndim, const int64_t *shape)
{
    int64_t count = 1;
    for (int i = 0; i < ndim; i++)
        count = count > ELEMENTS && shape[i] ? count : count * shape[i];
    return count > ELEMENTS ? ELEMENTS + 1 : (int)count;
}

/* The number in C order of the element with these indices. */
static int number_of(int ndim, const int64_t *shape, const int64_t *index)
{
    int64_t number = 0;
    for (int i = 0; i < ndim; i++)
        number = number * shape[i] + index[i];
    return (int)number;
}

static void next_index(int ndim, const int64_t *shape, int64_t *index)
{
    for (int i = ndim - 1; i >= 0; i--) {
        if (++index[i] < shape[i])
            return;
        index[i] = 0;
    }
}

static void check_same(const ndshm_view *view, const struct model *model, const char *base)
{
    int64_t index[AXES] = {0};
    FUZZ_CHECK(view->ndim == model->ndim && ndshm_view_size(view) == model->count);
    for (int i = 0; i < model->ndim; i++)
        FUZZ_CHECK(view->shape[i] == model->shape[i]);
    for (int i = 0; i < model->count; i++) {
        const char *at = view->data;
        for (int k = 0; k < view->ndim; k++)
            at += index[k] * view->strides[k];
        FUZZ_CHECK(at - base == model->offset[i]);
        next_index(model->ndim, model->shape, index);
    }
}

/* Fills wanted->offset: its element with some indices is that of model with other ones. */
typedef void map_index(const int64_t *to, int64_t *from, const void *context);
static void rebuild(const struct model *model, struct model *wanted, map_index *map,
                    const void *context)
{
    int64_t to[AXES] = {0}, from[AXES] = {0};
    wanted->count = product(wanted->ndim, wanted->shape);
    for (int i = 0; i < wanted->count; i++) {
        map(to, from, context);
        wanted->offset[i] = model->offset[number_of(model->ndim, model->shape, from)];
        next_index(wanted->ndim, wanted->shape, to);
    }
}

struct cut {
    int ndim, axis;
    bool removed;
    int64_t picked[ELEMENTS];
};

static void map_cut(const int64_t *to, int64_t *from, const void *context)
{
    const struct cut *cut = context;
    for (int i = 0; i < cut->ndim; i++) {
        int target = cut->removed && i > cut->axis ? i - 1 : i;
        if (i != cut->axis)
            from[i] = to[target];
        else
            from[i] = cut->picked[cut->removed ? 0 : to[i]];
    }
}

static bool do_cut(struct fuzz_input *input, const struct model *model, ndshm_view *view,
                   struct model *wanted)
{
    struct cut cut = {.ndim = model->ndim, .removed = fuzz_below(input, 2)};
    int given = (int8_t)fuzz_byte(input) % (AXES + 2);
    int64_t start = fuzz_number(input), stop = fuzz_number(input), step = fuzz_number(input);
    int status = cut.removed ? ndshm_view_index(view, given, start, view)
                             : ndshm_view_slice(view, given, start, stop, step, view);
    cut.axis = given < 0 ? given + model->ndim : given;
    bool fits = cut.axis >= 0 && cut.axis < model->ndim;
    int64_t length = fits ? model->shape[cut.axis] : 0;
    cut.picked[0] = start < 0 ? start + length : start;
    fits = fits && (cut.removed ? cut.picked[0] >= 0 && cut.picked[0] < length : step != 0);
    FUZZ_CHECK(status == (fits ? 0 : NDSHM_ESHAPE));
    if (!fits)
        return false;
    *wanted = *model;
    if (cut.removed) {
        wanted->ndim--;
        memmove(wanted->shape + cut.axis, wanted->shape + cut.axis + 1,
                (size_t)(wanted->ndim - cut.axis) * sizeof *wanted->shape);
    } else {
        wanted->shape[cut.axis] =
            fuzz_slice(length, start, stop, step == NDSHM_OMIT ? 1 : step, ELEMENTS, cut.picked);
    }
    rebuild(model, wanted, map_cut, &cut);
    return true;
}

struct order {
    int ndim;
    int axes[AXES];
};

static void map_order(const int64_t *to, int64_t *from, const void *context)
{
    const struct order *order = context;
    for (int i = 0; i < order->ndim; i++)
        from[order->axes[i]] = to[i];
}

static bool do_transpose(struct fuzz_input *input, const struct model *model, ndshm_view *view,
                         struct model *wanted)
{
    struct order order = {.ndim = model->ndim};
    bool reverse = fuzz_below(input, 2), fits = true;
    int given[AXES], seen = 0;
    for (int i = 0; i < model->ndim; i++) {
        given[i] = (int8_t)fuzz_byte(input) % (AXES + 1);
        order.axes[i] = reverse        ? model->ndim - 1 - i
                        : given[i] < 0 ? given[i] + model->ndim
                                       : given[i];
        fits = fits && order.axes[i] >= 0 && order.axes[i] < model->ndim &&
               !(seen & 1 << order.axes[i]);
        seen |= fits ? 1 << order.axes[i] : 0;
    }
    FUZZ_CHECK(ndshm_view_transpose(view, reverse ? NULL : given, view) ==
               (fits ? 0 : NDSHM_ESHAPE));
    if (!fits)
        return false;
    *wanted = *model;
    for (int i = 0; i < model->ndim; i++)
        wanted->shape[i] = model->shape[order.axes[i]];
    rebuild(model, wanted, map_order, &order);
    return true;
}

static void map_broadcast(const int64_t *to, int64_t *from, const void *context)
{
    const struct model *const *models = context;
    int added = models[1]->ndim - models[0]->ndim;
    for (int i = 0; i < models[0]->ndim; i++)
        from[i] = models[0]->shape[i] == 1 ? 0 : to[i + added];
}

static int take_shape(struct fuzz_input *input, int64_t *shape, int64_t lowest)
{
    int ndim = (int)fuzz_below(input, AXES + 1);
    for (int i = 0; i < ndim; i++)
        shape[i] = lowest + fuzz_below(input, (uint32_t)(LENGTH + 1 - lowest));
    return ndim;
}

static bool do_broadcast(struct fuzz_input *input, const struct model *model, ndshm_view *view,
                         struct model *wanted)
{
    wanted->ndim = take_shape(input, wanted->shape, 0);
    int added = wanted->ndim - model->ndim;
    bool fits = added >= 0;
    for (int i = 0; fits && i < model->ndim; i++)
        fits = model->shape[i] == 1 || model->shape[i] == wanted->shape[i + added];
    if (product(wanted->ndim, wanted->shape) > ELEMENTS)
        return false;
    FUZZ_CHECK(ndshm_view_broadcast(view, wanted->ndim, wanted->shape, view) ==
               (fits ? 0 : NDSHM_ESHAPE));
    if (!fits)
        return false;
    const struct model *models[] = {model, wanted};
    rebuild(model, wanted, map_broadcast, models);
    FUZZ_CHECK(view->flags & NDSHM_VIEW_READONLY);
    return true;
}

/* Whether offsets in this shape are those of any strides. */
static bool is_strided(const struct model *model)
{
    int64_t index[AXES] = {0}, stride[AXES];
    for (int i = 0, inner = model->count; i < model->ndim; i++) {
        inner /= (int)model->shape[i];
        stride[i] = model->shape[i] > 1 ? model->offset[inner] - model->offset[0] : 0;
    }
    for (int i = 0; i < model->count; i++) {
        int64_t offset = model->offset[0];
        for (int k = 0; k < model->ndim; k++)
            offset += index[k] * stride[k];
        if (offset != model->offset[i])
            return false;
        next_index(model->ndim, model->shape, index);
    }
    return true;
}

static bool do_reshape(struct fuzz_input *input, const struct model *model, ndshm_view *view,
                       struct model *wanted)
{
    *wanted = *model;
    wanted->ndim = take_shape(input, wanted->shape, -1);
    int unknown = -1, unknowns = 0, known = 1;
    for (int i = 0; i < wanted->ndim; i++) {
        unknowns += wanted->shape[i] == -1;
        unknown = wanted->shape[i] == -1 ? i : unknown;
        known *= wanted->shape[i] == -1 ? 1 : (int)wanted->shape[i];
    }
    int64_t given[AXES];
    memcpy(given, wanted->shape, sizeof given);
    bool fits = unknowns < 2 && (unknowns == 0 || (known > 0 && model->count % known == 0));
    if (fits && unknowns == 1)
        wanted->shape[unknown] = model->count / known;
    fits = fits && product(wanted->ndim, wanted->shape) == model->count;
    fits = fits && (model->count == 0 || is_strided(wanted));
    int status = ndshm_view_reshape(view, wanted->ndim, given, view);
    FUZZ_CHECK(status == (fits ? 0 : NDSHM_ESHAPE));
    return fits;
}

/* Through the library's copy, and element by element. */
static void check_copy(const ndshm_view *view, const struct model *model, const char *base,
                       size_t item)
{
    ndshm_view dense;
    size_t size = (size_t)model->count * item;
    char *copy = malloc(size + 1);
    FUZZ_CHECK(ndshm_view_init(&dense, copy, view->dtype, view->ndim, view->shape, NDSHM_ORDER_C) ==
               0);
    FUZZ_CHECK(ndshm_view_nbytes(view) == (int64_t)size);
    FUZZ_CHECK(ndshm_view_copy(&dense, view) == 0);
    for (int i = 0; i < model->count; i++)
        FUZZ_CHECK(memcmp(copy + (size_t)i * item, base + model->offset[i], item) == 0);
    free(copy);
}

static void run_steps(struct fuzz_input *input)
{
    static const ndshm_dtype dtypes[] = {NDSHM_INT8,    NDSHM_INT16,      NDSHM_BYTES | 3 << 8,
                                         NDSHM_FLOAT32, NDSHM_COMPLEX128, NDSHM_BYTES};
    static bool (*const steps[])(struct fuzz_input *, const struct model *, ndshm_view *,
                                 struct model *) = {do_cut, do_cut, do_transpose, do_broadcast,
                                                    do_reshape};
    static struct model model, wanted;
    ndshm_view view;
    ndshm_dtype dtype = dtypes[fuzz_below(input, 6)];
    int order = (int)fuzz_below(input, 2);
    model.ndim = take_shape(input, model.shape, 0);
    model.count = product(model.ndim, model.shape);
    if (model.count > ELEMENTS)
        return;
    size_t item = (size_t)ndshm_dtype_itemsize(dtype);
    char *base = malloc((size_t)model.count * item + 1);
    for (size_t i = 0; i < (size_t)model.count * item; i++)
        base[i] = (char)(i * 7 + (i >> 8));
    FUZZ_CHECK(ndshm_view_init(&view, base, dtype, model.ndim, model.shape, order) == 0);
    for (int64_t i = 0, index[AXES] = {0}; i < model.count; i++) {
        int64_t number = 0;
        for (int k = 0; k < model.ndim; k++) {
            int axis = order == NDSHM_ORDER_C ? k : model.ndim - 1 - k;
            number = number * model.shape[axis] + index[axis];
        }
        model.offset[i] = number * (int64_t)item;
        next_index(model.ndim, model.shape, index);
    }
    for (int i = 0; i < STEPS && input->size > 0; i++) {
        if (steps[fuzz_below(input, 5)](input, &model, &view, &wanted))
            model = wanted;
        check_same(&view, &model, base);
    }
    check_copy(&view, &model, base, item);
    free(base);
}

static void check_extent(const ndshm_view *view)
{
    int64_t low, high;
    wide from = 0, to = ndshm__dtype_itemsize(view->dtype);
    bool told = ndshm__view_extent(view, &low, &high);
    for (int i = 0; i < view->ndim; i++) {
        wide reach = (wide)(view->shape[i] - 1) * view->strides[i];
        from += reach < 0 ? reach : 0;
        to += reach < 0 ? 0 : reach;
    }
    if (ndshm__view_size(view) == 0)
        FUZZ_CHECK(told && low == 0 && high == 0);
    else
        FUZZ_CHECK(told ? low == from && high == to
                        : from <= INT64_MIN || to > INT64_MAX || to - from > INT64_MAX);
}

/* Nothing is read or written through these. */
static void run_any(struct fuzz_input *input)
{
    ndshm_view view = {.ndim = (int8_t)fuzz_byte(input) % (NDSHM_MAX_NDIM + 2)}, out;
    int64_t shape[2];
    int axes[NDSHM_MAX_NDIM] = {1};
    fuzz_bytes(input, &view.dtype, 1 + fuzz_below(input, 4));
    for (int i = 0; i < view.ndim && i < NDSHM_MAX_NDIM; i++) {
        view.shape[i] = fuzz_number(input);
        view.strides[i] = fuzz_number(input);
    }
    int axis = (int)fuzz_number(input);
    int64_t start = fuzz_number(input), stop = fuzz_number(input), step = fuzz_number(input);
    bool possible = ndshm_view_size(&view) >= 0;
    FUZZ_CHECK(possible == (ndshm_view_nbytes(&view) >= 0));
    if (possible)
        check_extent(&view);
    shape[0] = fuzz_number(input);
    shape[1] = fuzz_number(input);
    int statuses[] = {ndshm_view_slice(&view, axis, start, stop, step, &out),
                      ndshm_view_index(&view, axis, start, &out),
                      ndshm_view_transpose(&view, step % 2 ? axes : NULL, &out),
                      ndshm_view_broadcast(&view, 2, shape, &out),
                      ndshm_view_reshape(&view, 2, shape, &out)};
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        FUZZ_CHECK(possible || statuses[i]);
    for (int order = 0; order < 2; order++)
        FUZZ_CHECK(possible || !ndshm_view_is_contiguous(&view, order));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    if (fuzz_below(&input, 4))
        run_steps(&input);
    else
        run_any(&input);
    return 0;
}
