/* SPDX-License-Identifier: MIT */
#include <ndshm/dlpack.h>

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "array/array.h"
#include "array/dlpack_abi.h"
#include "array/dtype.h"
#include "base/os.h"

struct export
{
    struct DLManagedTensorVersioned managed;
    ndshm__segment *segment;
    int64_t shape[NDSHM_MAX_NDIM];
    int64_t strides[NDSHM_MAX_NDIM];
};

static void delete_export(struct DLManagedTensorVersioned *self)
{
    if (!self)
        return;
    struct export *export = self->manager_ctx;
    ndshm__segment_release(&export->segment);
    free(export);
}

/* Shape, and strides in elements. */
static int export_axes(const ndshm_view *view, struct export *export)
{
    int64_t itemsize = ndshm__dtype_itemsize(view->dtype);
    for (int i = 0; i < view->ndim; i++) {
        if (view->strides[i] % itemsize != 0)
            return ndshm__fail(-EINVAL,
                               "axis %d: a stride of %" PRId64 " bytes is no multiple of the item "
                               "size %" PRId64 ", as DLPack requires",
                               i, view->strides[i], itemsize);
        export->shape[i] = view->shape[i];
        export->strides[i] = view->strides[i] / itemsize;
    }
    return 0;
}

static void export_fill(const ndshm_view *view, struct export *export)
{
    const struct ndshm__dtype_row *row = ndshm__dtype_row(view->dtype);
    struct DLManagedTensorVersioned *managed = &export->managed;
    managed->version.major = DLPACK_MAJOR;
    managed->version.minor = DLPACK_MINOR;
    managed->manager_ctx = export;
    managed->deleter = delete_export;
    managed->flags = view->flags & NDSHM_VIEW_READONLY ? DLPACK_READ_ONLY : 0;
    managed->tensor.data = view->data;
    managed->tensor.device.type = DLPACK_CPU;
    managed->tensor.ndim = view->ndim;
    managed->tensor.dtype.code = row->dlpack;
    managed->tensor.dtype.bits = (uint8_t)(row->itemsize * 8);
    managed->tensor.dtype.lanes = 1;
    managed->tensor.shape = export->shape;
    managed->tensor.strides = export->strides;
}

int ndshm_array_to_dlpack(const ndshm_array *array, struct DLManagedTensorVersioned **out)
{
    ndshm__begin("ndshm_array_to_dlpack");
    if (!array || !out)
        return ndshm__fail(-EINVAL, "array or out is NULL");
    const ndshm_view *view = &array->view;
    const struct ndshm__dtype_row *row = ndshm__dtype_row(view->dtype);
    if (row->dlpack == DLPACK_NONE)
        return ndshm__fail(NDSHM_EDTYPE, "'%s': DLPack has no %s; reinterpret times as int64",
                           ndshm__segment_name(array->segment), row->name);
    struct export *export = ndshm__alloc(sizeof *export);
    if (!export)
        return ndshm__fail(-ENOMEM, "'%s': no memory for a tensor",
                           ndshm__segment_name(array->segment));
    int status = export_axes(view, export);
    if (status) {
        free(export);
        return status;
    }
    export_fill(view, export);
    export->segment = ndshm__segment_retain(array->segment);
    *out = &export->managed;
    return 0;
}

static int import_check(const struct DLManagedTensorVersioned *managed)
{
    const DLTensor *tensor = &managed->tensor;
    if (managed->version.major != DLPACK_MAJOR)
        return ndshm__fail(NDSHM_EVERSION, "the tensor has DLPack version %u.%u; %d.x is supported",
                           managed->version.major, managed->version.minor, DLPACK_MAJOR);
    if (tensor->device.type != DLPACK_CPU)
        return ndshm__fail(-EINVAL,
                           "the tensor lies on a device of DLPack type %d, not in host memory; "
                           "copy it to the CPU first",
                           tensor->device.type);
    if (tensor->dtype.lanes != 1 ||
        !ndshm__dtype_from_dlpack(tensor->dtype.code, tensor->dtype.bits))
        return ndshm__fail(NDSHM_EDTYPE,
                           "the tensor's data type (code %d, %d bits, %d lanes) is not supported",
                           tensor->dtype.code, tensor->dtype.bits, tensor->dtype.lanes);
    return 0;
}

static int import_view(const DLTensor *tensor, ndshm_view *out)
{
    ndshm_dtype dtype = ndshm__dtype_from_dlpack(tensor->dtype.code, tensor->dtype.bits);
    void *data = tensor->data;
    if (data && tensor->byte_offset <= INT64_MAX)
        data = ndshm__move(data, (int64_t)tensor->byte_offset);
    else if (tensor->byte_offset)
        return ndshm__fail(-EINVAL, "the tensor's byte offset %" PRIu64 " leads nowhere",
                           tensor->byte_offset);
    int status = ndshm__view_init(out, data, dtype, tensor->ndim, tensor->shape, NDSHM_ORDER_C);
    if (status || !tensor->strides)
        return status;
    if (ndshm_view_size(out) == 0)
        return 0;
    for (int i = 0; i < tensor->ndim; i++) /* where nobody takes a step, the length of it is free */
        if (tensor->shape[i] > 1 &&
            !ndshm__mul(tensor->strides[i], ndshm__dtype_itemsize(dtype), &out->strides[i]))
            return ndshm__fail(NDSHM_ESHAPE, "axis %d: the tensor's stride is too large", i);
    return 0;
}

int ndshm_array_from_dlpack(const char *name, const struct DLManagedTensorVersioned *tensor,
                            const ndshm_create_config *config, ndshm_array **out)
{
    ndshm__begin("ndshm_array_from_dlpack");
    ndshm_view view;
    if (!tensor || !out)
        return ndshm__fail(-EINVAL, "tensor or out is NULL");
    int status = import_check(tensor);
    if (!status)
        status = import_view(&tensor->tensor, &view);
    return status ? status : ndshm__array_from(name, &view, config, out);
}
