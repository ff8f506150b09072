/* SPDX-License-Identifier: MIT */
/* Tensors of others, with any numbers in them. Where the elements lie inside their buffer, the
 * array has them; where they do not, nothing there can be read, and the import says so. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "array/dlpack_abi.h"
#include "array/dtype.h"
#include "fuzz.h"

#include <ndshm/dlpack.h>

enum { AXES = 5, BUFFER = 4096, ELEMENTS = 1 << 16 };
#define REACH (INT64_C(1) << 32) /* to both sides of the middle nothing is readable */
__extension__ typedef __int128 wide;

struct order {
    struct DLManagedTensorVersioned tensor;
    int64_t *shape, *strides; /* of the exact number */
    wide low, high;           /* bytes from data that the elements touch */
    wide count;
};

static void make_tensor(struct fuzz_input *input, struct order *order)
{
    static const uint8_t codes[] = {DLPACK_INT,  DLPACK_UINT, DLPACK_FLOAT, DLPACK_COMPLEX,
                                    DLPACK_BOOL, 4,           DLPACK_NONE};
    DLTensor *tensor = &order->tensor.tensor;
    uint8_t odd = fuzz_byte(input);
    order->tensor.version.major = odd == 1 ? fuzz_byte(input) : DLPACK_MAJOR;
    tensor->device.type = odd == 2 ? fuzz_byte(input) : DLPACK_CPU;
    tensor->dtype.lanes = odd == 3 ? fuzz_byte(input) : 1;
    tensor->dtype.code = codes[fuzz_below(input, 7)];
    tensor->dtype.bits = odd == 4 ? fuzz_byte(input) : (uint8_t)(8 << fuzz_below(input, 5));
    tensor->ndim = odd == 5 ? (int32_t)fuzz_number(input) : (int32_t)fuzz_below(input, AXES + 1);
    tensor->byte_offset = (uint64_t)(fuzz_below(input, 2) ? fuzz_number(input) : 0);
    size_t count = tensor->ndim > 0 && tensor->ndim <= NDSHM_MAX_NDIM ? (size_t)tensor->ndim : 0;
    order->shape = tensor->shape = malloc(count * sizeof *order->shape);
    order->strides = malloc(count * sizeof *order->strides);
    tensor->strides = fuzz_below(input, 4) ? order->strides : NULL;
    for (size_t i = 0; i < count; i++) {
        order->shape[i] = fuzz_number(input);
        order->strides[i] = fuzz_number(input);
    }
}

static wide clamp(wide value)
{
    const wide limit = (wide)1 << 60;
    return value > limit ? limit : value < -limit ? -limit : value;
}

/* Where the elements lie, and how many there are; -1: a length is negative. */
static void measure(struct order *order, int64_t item)
{
    const DLTensor *tensor = &order->tensor.tensor;
    wide dense = item;
    bool negative = false;
    order->count = 1;
    order->low = order->high = tensor->byte_offset;
    order->high += item;
    for (int i = tensor->ndim - 1; i >= 0; i--) {
        wide length = tensor->shape[i], step = tensor->strides ? tensor->strides[i] : dense;
        wide reach = (length - 1) * clamp(tensor->strides ? step * item : step);
        order->low = clamp(order->low + (reach < 0 ? reach : 0));
        order->high = clamp(order->high + (reach < 0 ? 0 : reach));
        order->count = clamp(order->count * length);
        dense = clamp(dense * (length ? length : 1));
        negative = negative || length < 0;
    }
    if (negative)
        order->count = -1;
}

static void check_elements(const ndshm_array *array, const struct order *order, int64_t item)
{
    const DLTensor *tensor = &order->tensor.tensor;
    int64_t index[NDSHM_MAX_NDIM] = {0};
    ndshm_view view;
    FUZZ_CHECK(ndshm_array_read(array, &view) == 0);
    FUZZ_CHECK(view.ndim == tensor->ndim && ndshm_view_size(&view) == (int64_t)order->count);
    ndshm_view dense;
    FUZZ_CHECK(ndshm_view_init(&dense, NULL, view.dtype, view.ndim, view.shape, 0) == 0);
    for (int64_t i = 0; i < (int64_t)order->count && i < ELEMENTS; i++) {
        const char *from = (const char *)tensor->data + tensor->byte_offset, *to = view.data;
        for (int k = 0; k < view.ndim; k++) {
            if (index[k] > 0) /* a step that nobody takes may be of any length */
                from += index[k] * (tensor->strides ? tensor->strides[k] * item : dense.strides[k]);
            to += index[k] * view.strides[k];
        }
        FUZZ_CHECK(memcmp(from, to, (size_t)item) == 0);
        for (int k = view.ndim - 1; k >= 0 && ++index[k] == view.shape[k]; k--)
            index[k] = 0;
    }
}

/* What is exported says the same as the view. */
static void check_export(const ndshm_array *array)
{
    struct DLManagedTensorVersioned *out;
    ndshm_array *again = NULL;
    FUZZ_CHECK(ndshm_array_to_dlpack(array, &out) == 0);
    FUZZ_CHECK(ndshm_array_from_dlpack(NULL, out, NULL, &again) == 0);
    ndshm_view a, b;
    FUZZ_CHECK(ndshm_array_read(array, &a) == 0 && ndshm_array_read(again, &b) == 0);
    FUZZ_CHECK(a.dtype == b.dtype && ndshm_view_nbytes(&a) == ndshm_view_nbytes(&b));
    FUZZ_CHECK(memcmp(a.data, b.data, (size_t)ndshm_view_nbytes(&a)) == 0);
    out->deleter(out);
    ndshm_array_detach(&again);
}

/* Elsewhere there may be memory that is not ours to read; and what repeats a few elements may ask
 * for all the memory that there is, or more. */
static bool is_safe(const struct order *order)
{
    const wide addresses = (wide)1 << 47;
    bool near = order->low > -REACH && order->high < REACH;
    return (near || order->count <= 0 || order->high - order->low > addresses) &&
           (order->count < ELEMENTS || order->count > addresses);
}

static void run(struct order *order, char *buffer, char *nothing)
{
    DLTensor *tensor = &order->tensor.tensor;
    ndshm_array *array = NULL;
    ndshm_dtype dtype = ndshm__dtype_from_dlpack(tensor->dtype.code, tensor->dtype.bits);
    int64_t item = dtype ? ndshm_dtype_itemsize(dtype) : 1;
    if (tensor->ndim >= 0 && tensor->ndim <= NDSHM_MAX_NDIM)
        measure(order, item);
    if (!is_safe(order))
        return;
    bool inside = order->low >= 0 && order->high <= BUFFER;
    tensor->data = inside ? buffer : nothing;
    int status = ndshm_array_from_dlpack(NULL, &order->tensor, NULL, &array);
    bool usual = dtype && order->tensor.version.major == DLPACK_MAJOR && tensor->dtype.lanes == 1 &&
                 tensor->device.type == DLPACK_CPU && tensor->ndim >= 0 && tensor->ndim <= AXES;
    FUZZ_CHECK(status == 0 || !usual || !inside || order->count <= 0 || order->count > ELEMENTS);
    if (status == 0) {
        FUZZ_CHECK(order->count == 0 || (order->count > 0 && inside));
        check_elements(array, order, item);
        check_export(array);
        ndshm_array_detach(&array);
    } else {
        FUZZ_CHECK(status == NDSHM_EVERSION || status == NDSHM_EDTYPE || status == NDSHM_ESHAPE ||
                   status == -EINVAL || (status == -EFAULT && !inside) ||
                   (order->count > ELEMENTS && (status == -ENOSPC || status == -ENOMEM)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char *nothing;
    struct fuzz_input input = {data, size};
    struct order order = {.count = 0};
    if (!nothing) {
        nothing = mmap(NULL, 3 * (size_t)REACH, PROT_NONE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        FUZZ_CHECK(nothing != MAP_FAILED);
    }
    char *buffer = malloc(BUFFER);
    for (int i = 0; i < BUFFER; i++)
        buffer[i] = (char)(i * 7 + (i >> 8));
    make_tensor(&input, &order);
    run(&order, buffer, nothing + REACH * 3 / 2);
    free(order.shape);
    free(order.strides);
    free(buffer);
    return 0;
}
