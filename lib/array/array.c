/* SPDX-License-Identifier: MIT */
#include "array/array.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "array/dtype.h"
#include "base/os.h"

static int no_handle(void)
{
    return ndshm__fail(-EINVAL, "array or out is NULL");
}

/* Whether every element lies within the payload. Axes that are skipped over because another has
 * length 0 must not overflow either: slices of them are computed. */
static bool inside(const ndshm_view *view, int64_t payload)
{
    int64_t end = ndshm__dtype_itemsize(view->dtype);
    bool empty = false;
    for (int i = 0; i < view->ndim; i++) {
        int64_t reach;
        empty = empty || view->shape[i] == 0;
        if (view->strides[i] < 0 ||
            !ndshm__mul(view->shape[i] ? view->shape[i] - 1 : 0, view->strides[i], &reach) ||
            !ndshm__add(end, reach, &end))
            return false;
    }
    return empty || end <= payload;
}

/* Reads what the segment says of itself, from the private copies, into view. */
static bool describe(ndshm__segment *segment, ndshm_view *view)
{
    ndshm_dtype dtype = ndshm__segment_dtype(segment);
    int32_t ndim = ndshm__segment_ndim(segment);
    if (ndshm__segment_body_size(segment) != (int64_t)sizeof(int64_t) * ndim)
        return false;
    if (ndshm__view_init(view, ndshm__segment_payload(segment), dtype, ndim,
                         ndshm__segment_shape(segment), NDSHM_ORDER_C))
        return false;
    if (ndim > 0)
        memcpy(view->strides, ndshm__segment_body(segment), (size_t)ndim * sizeof(int64_t));
    if ((ndshm__segment_access(segment) & ~NDSHM_FOREIGN) == NDSHM_READ)
        view->flags = NDSHM_VIEW_READONLY;
    return inside(view, ndshm__segment_payload_size(segment));
}

int ndshm__array_from_segment(ndshm__segment *segment, ndshm_array **out)
{
    const char *name = ndshm__segment_name(segment);
    ndshm_array *array = ndshm__alloc(sizeof *array);
    if (!array)
        return ndshm__fail(-ENOMEM, "'%s': no memory for a handle", name);
    if (!describe(segment, &array->view)) {
        free(array);
        return ndshm__fail(NDSHM_ECORRUPT,
                           "'%s': data type, shape and strides do not describe %" PRId64
                           " bytes of data",
                           name, ndshm__segment_payload_size(segment));
    }
    array->segment = segment;
    array->named = true;
    *out = array;
    return 0;
}

static void destroy(ndshm_array *array)
{
    ndshm__segment_release(&array->segment);
    free(array->slice);
    free(array);
}

static int create(const ndshm__spec *spec, ndshm_array **out)
{
    ndshm__segment *segment = NULL;
    int status = spec->make ? spec->make(spec, &segment) : ndshm__segment_create(spec, &segment);
    if (!status)
        status = ndshm__array_from_segment(segment, out);
    if (status)
        ndshm__segment_release(&segment);
    return status;
}

/* Creates the segment of an array, which is not published. */
static int build(ndshm__spec *spec, int order, ndshm_array **out)
{
    int64_t strides[NDSHM_MAX_NDIM];
    int status = ndshm__shape_check(spec->dtype, spec->ndim, spec->shape, &spec->payload_size);
    if (status)
        return status;
    ndshm__strides_fill(ndshm__dtype_itemsize(spec->dtype), spec->ndim, spec->shape, order,
                        strides);
    spec->kind = NDSHM_KIND_ARRAY;
    spec->dtype = ndshm__dtype_canonical(spec->dtype);
    spec->body = strides;
    spec->body_size = (int64_t)sizeof(int64_t) * spec->ndim;
    return create(spec, out);
}

int ndshm__array_finish(ndshm_array *array, const ndshm_create_config *config, ndshm_array **out)
{
    ndshm_create_config defaults;
    ndshm_create_config_init(&defaults);
    int status = ndshm__config_copy(config, sizeof defaults, &defaults);
    if (!status && !(defaults.flags & NDSHM_UNPUBLISHED))
        status = ndshm__segment_publish(array->segment);
    if (status)
        destroy(array);
    else
        *out = array;
    return status;
}

int ndshm__array_create(const ndshm__spec *base, const char *name, ndshm_dtype dtype, int ndim,
                        const int64_t *shape, const ndshm_create_config *config, ndshm_array **out)
{
    ndshm_array *array = NULL;
    ndshm__spec spec = base ? *base : (ndshm__spec){0};
    spec.name = name;
    spec.dtype = dtype;
    spec.ndim = ndim;
    spec.shape = shape;
    spec.config = config;
    int status = build(&spec, NDSHM_ORDER_C, &array);
    return status ? status : ndshm__array_finish(array, config, out);
}

int ndshm_array_create(const char *name, ndshm_dtype dtype, int ndim, const int64_t *shape,
                       const ndshm_create_config *config, ndshm_array **out)
{
    ndshm__begin("ndshm_array_create");
    return out ? ndshm__array_create(NULL, name, dtype, ndim, shape, config, out) : no_handle();
}

int ndshm__array_stream(const char *name, ndshm_dtype dtype, int ndim, const int64_t *shape,
                        int order, const ndshm_create_config *config, ndshm_array **out)
{
    ndshm__spec spec = {.name = name,
                        .dtype = dtype,
                        .ndim = ndim,
                        .shape = shape,
                        .config = config,
                        .streamed = true};
    return build(&spec, order, out);
}

int ndshm_array_publish(ndshm_array *array)
{
    ndshm__begin("ndshm_array_publish");
    return array ? ndshm__segment_publish(array->segment) : no_handle();
}

static int no_memory(const char *name)
{
    return ndshm__fail(-ENOMEM, "'%s': no memory for the reference", name);
}

/* Cuts an array of a whole segment down to the slice of ref. */
static int narrow(ndshm_array *array, const ndshm__ref *ref)
{
    ndshm__selection selection;
    char text[NDSHM_REF_MAX + 1];
    ndshm_view view;
    const char *name = ndshm__segment_name(array->segment);
    ndshm__selection_all(&selection, array->view.ndim, array->view.shape);
    int status = ndshm__selection_apply(&selection, ref);
    if (status)
        return status;
    ndshm__selection_view(&selection, &array->view, &view);
    ndshm__view_assign(&array->view, &view);
    array->named = ndshm__selection_text(&selection, name, text);
    if (!array->named || strcmp(text, name) == 0)
        return 0;
    array->slice = ndshm__duplicate(text);
    return array->slice ? 0 : no_memory(name);
}

int ndshm__array_attach(const char *ref, int access, ndshm_array **out)
{
    ndshm__ref parts;
    const char *name;
    ndshm__segment *segment = NULL;
    ndshm_array *array = NULL;
    int status = ndshm__ref_split(ref, &parts);
    if (!status)
        status = ndshm__name_check_any(parts.name, &name);
    if (!status)
        status = ndshm__segment_attach(name, NDSHM_KIND_ARRAY, access, &segment);
    if (!status)
        status = ndshm__array_from_segment(segment, &array);
    if (status) {
        ndshm__segment_release(&segment);
        return status;
    }
    if (parts.count > 0)
        status = narrow(array, &parts);
    if (status)
        destroy(array);
    else
        *out = array;
    return status;
}

int ndshm_array_attach(const char *ref, int access, ndshm_array **out)
{
    ndshm__begin("ndshm_array_attach");
    return out ? ndshm__array_attach(ref, access, out) : no_handle();
}

int ndshm_array_share(const ndshm_array *array, ndshm_array **out)
{
    ndshm__begin("ndshm_array_share");
    if (!array || !out)
        return no_handle();
    ndshm_array *copy = ndshm__alloc(sizeof *copy);
    char *slice = array->slice ? ndshm__duplicate(array->slice) : NULL;
    if (!copy || (array->slice && !slice)) {
        free(copy);
        free(slice);
        return no_memory(ndshm__segment_name(array->segment));
    }
    copy->segment = ndshm__segment_retain(array->segment);
    copy->slice = slice;
    copy->named = array->named;
    ndshm__view_assign(&copy->view, &array->view);
    *out = copy;
    return 0;
}

int ndshm_array_read(const ndshm_array *array, ndshm_view *out)
{
    ndshm__begin("ndshm_array_read");
    if (!array || !out)
        return no_handle();
    ndshm__view_assign(out, &array->view);
    return 0;
}

int ndshm_array_copy(const ndshm_array *array, void *buffer, int64_t size)
{
    ndshm__begin("ndshm_array_copy");
    if (!array)
        return no_handle();
    ndshm_view target;
    const ndshm_view *view = &array->view;
    int64_t nbytes = ndshm__view_nbytes(view);
    if (size != nbytes)
        return ndshm__fail(-EINVAL,
                           "'%s': the elements take %" PRId64 " bytes, the buffer has %" PRId64,
                           ndshm__segment_name(array->segment), nbytes, size);
    if (nbytes > 0 && !buffer)
        return ndshm__fail(-EINVAL, "buffer is NULL");
    int status =
        ndshm__view_init(&target, buffer, view->dtype, view->ndim, view->shape, NDSHM_ORDER_C);
    return status ? status : ndshm__array_gather(array->segment, view, &target);
}

const char *ndshm_array_name(const ndshm_array *array)
{
    if (!array || !array->named)
        return NULL;
    return array->slice ? array->slice : ndshm__segment_name(array->segment);
}

int ndshm_array_unlink(ndshm_array *array)
{
    ndshm__begin("ndshm_array_unlink");
    return array ? ndshm__segment_unlink(array->segment) : no_handle();
}

void ndshm_array_detach(ndshm_array **array)
{
    if (!array || !*array)
        return;
    if (!(*array)->borrowed)
        destroy(*array);
    *array = NULL;
}

ndshm__segment *ndshm__array_segment(const ndshm_array *array)
{
    return array->segment;
}
