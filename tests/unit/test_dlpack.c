/* SPDX-License-Identifier: MIT */
/* DLPack: what is exported, how long it lives, and which tensors are refused. */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <ndshm/dlpack.h>

#include "array/array.h"
#include "array/dlpack_abi.h"
#include "base/os.h"
#include "segments.h"
#include "support.h"

#define NAME "t-array-dlpack"

static const int64_t matrix[2] = {4, 6};

static ndshm_array *numbers(void)
{
    ndshm_array *array;
    assert_ok(ndshm_array_create(NAME, NDSHM_FLOAT32, 2, matrix, NULL, &array));
    for (int i = 0; i < 24; i++)
        ((float *)array->view.data)[i] = (float)i;
    return array;
}

static void drop(ndshm_array *array)
{
    assert_ok(ndshm_array_unlink(array));
    ndshm_array_detach(&array);
}

static void *delete_tensor(void *argument)
{
    struct DLManagedTensorVersioned *tensor = argument;
    tensor->deleter(tensor);
    return NULL;
}

static void test_an_export_describes_the_array(void **state)
{
    (void)state;
    ndshm_array *array = numbers(), *part;
    struct DLManagedTensorVersioned *out;
    assert_ok(ndshm_array_attach(NAME "[::-2, 1:4]", NDSHM_READ, &part));
    assert_ok(ndshm_array_to_dlpack(part, &out));
    assert_int_equal(out->version.major, 1);
    assert_int_equal(out->flags, DLPACK_READ_ONLY);
    assert_ptr_equal(out->tensor.data, part->view.data);
    assert_int_equal(out->tensor.byte_offset, 0);
    assert_int_equal(out->tensor.device.type, DLPACK_CPU);
    assert_int_equal(out->tensor.ndim, 2);
    assert_int_equal(out->tensor.dtype.code, DLPACK_FLOAT);
    assert_int_equal(out->tensor.dtype.bits, 32);
    assert_int_equal(out->tensor.dtype.lanes, 1);
    assert_int_equal(out->tensor.shape[0], 2);
    assert_int_equal(out->tensor.shape[1], 3);
    assert_int_equal(out->tensor.strides[0], -12);
    assert_int_equal(out->tensor.strides[1], 1);
    out->deleter(out);
    ndshm_array_detach(&part);
    drop(array);
}

static void test_the_read_only_flag_is_truthful(void **state)
{
    (void)state;
    ndshm_array *array = numbers(), *part;
    struct DLManagedTensorVersioned *out;
    for (int access = NDSHM_READ; access <= NDSHM_WRITE; access++) {
        assert_ok(ndshm_array_attach(NAME, access, &part));
        assert_ok(ndshm_array_to_dlpack(part, &out));
        assert_int_equal(out->flags, access == NDSHM_READ ? DLPACK_READ_ONLY : 0);
        ndshm_array_detach(&part);
        if (access != NDSHM_READ)
            ((float *)out->tensor.data)[0] = 1; /* would fault */
        out->deleter(out);
    }
    drop(array);
}

static void test_an_export_outlives_the_handle_and_ends_on_any_thread(void **state)
{
    (void)state;
    ndshm_array *array = numbers();
    struct DLManagedTensorVersioned *out[2];
    pthread_t threads[2];
    assert_ok(ndshm_array_to_dlpack(array, &out[0]));
    assert_ok(ndshm_array_to_dlpack(array, &out[1]));
    drop(array);
    assert_true(((float *)out[1]->tensor.data)[23] == 23);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, delete_tensor, out[i]), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void test_types_without_a_code(void **state)
{
    (void)state;
    const ndshm_dtype dtypes[] = {NDSHM_DATETIME64 | NDSHM_UNIT_DAY << 8,
                                  NDSHM_TIMEDELTA64 | NDSHM_UNIT_DAY << 8, NDSHM_BYTES | 4 << 8,
                                  NDSHM_UNICODE | 4 << 8};
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++) {
        ndshm_array *array;
        struct DLManagedTensorVersioned *out = NULL;
        assert_ok(ndshm_array_create(NAME, dtypes[i], 2, matrix, NULL, &array));
        assert_fails(NDSHM_EDTYPE, ndshm_array_to_dlpack(array, &out), NAME);
        assert_null(out);
        drop(array);
    }
}

static void test_strides_between_elements(void **state)
{
    (void)state;
    ndshm__segment *segment;
    ndshm_array *array;
    struct DLManagedTensorVersioned *out = NULL;
    const int64_t shape[1] = {4}, strides[1] = {6};
    ndshm__spec spec = {.name = NAME,
                        .kind = NDSHM_KIND_ARRAY,
                        .dtype = NDSHM_FLOAT32,
                        .ndim = 1,
                        .shape = shape,
                        .body = strides,
                        .body_size = 8,
                        .payload_size = 64};
    assert_ok(ndshm__segment_create(&spec, &segment));
    assert_ok(ndshm__segment_publish(segment));
    assert_ok(ndshm_array_attach(NAME, NDSHM_READ, &array));
    assert_fails(-EINVAL, ndshm_array_to_dlpack(array, &out), "6 bytes is no multiple");
    assert_null(out);
    assert_fails(-EINVAL, ndshm_array_to_dlpack(NULL, &out), "NULL");
    assert_fails(-EINVAL, ndshm_array_to_dlpack(array, NULL), "NULL");
    drop(array);
    ndshm__segment_release(&segment);
}

static void test_there_and_back(void **state)
{
    (void)state;
    ndshm_array *array = numbers(), *part, *back;
    struct DLManagedTensorVersioned *out;
    float values[6];
    assert_ok(ndshm_array_attach(NAME "[::-2, 1:4]", NDSHM_READ, &part));
    assert_ok(ndshm_array_to_dlpack(part, &out));
    ndshm_array_detach(&part);
    assert_ok(ndshm_array_from_dlpack(NAME "-2", out, NULL, &back));
    out->deleter(out);
    drop(array);
    assert_ok(ndshm_array_copy(back, values, sizeof values));
    assert_true(values[0] == 19 && values[2] == 21 && values[3] == 7);
    drop(back);
}

/* Four int16 in host memory. */
static struct DLManagedTensorVersioned tensor_of(int16_t *data, int64_t *shape)
{
    struct DLManagedTensorVersioned tensor = {.version = {1, 3}};
    tensor.tensor.data = data;
    tensor.tensor.device.type = DLPACK_CPU;
    tensor.tensor.ndim = 1;
    tensor.tensor.dtype.code = DLPACK_INT;
    tensor.tensor.dtype.bits = 16;
    tensor.tensor.dtype.lanes = 1;
    tensor.tensor.shape = shape;
    return tensor;
}

static void test_no_strides_and_an_offset(void **state)
{
    (void)state;
    int16_t data[6] = {9, 9, 1, 2, 3, 4}, values[4];
    int64_t shape[1] = {4}, backwards[1] = {-1};
    ndshm_array *array;
    struct DLManagedTensorVersioned tensor = tensor_of(data, shape);
    tensor.tensor.byte_offset = 4;
    assert_ok(ndshm_array_from_dlpack(NAME, &tensor, NULL, &array));
    assert_ok(ndshm_array_copy(array, values, sizeof values));
    assert_memory_equal(values, data + 2, sizeof values);
    drop(array);
    tensor.tensor.byte_offset = 10;
    tensor.tensor.strides = backwards;
    assert_ok(ndshm_array_from_dlpack(NAME, &tensor, NULL, &array));
    assert_ok(ndshm_array_copy(array, values, sizeof values));
    assert_int_equal(values[0], 4);
    assert_int_equal(values[3], 1);
    drop(array);
}

static int import(const struct DLManagedTensorVersioned *tensor)
{
    ndshm_array *array = NULL;
    int status = ndshm_array_from_dlpack(NAME, tensor, NULL, &array);
    if (status == 0)
        drop(array);
    return status;
}

static void test_refused_tensors(void **state)
{
    (void)state;
    int16_t data[4] = {0};
    int64_t shape[1] = {4}, strides[1] = {INT64_MAX};
    const struct DLManagedTensorVersioned good = tensor_of(data, shape);
    struct DLManagedTensorVersioned bad = good;
    assert_ok(import(&good));
    bad.version.major = 2;
    assert_fails(NDSHM_EVERSION, import(&bad), "version 2.3");
    bad = good;
    bad.tensor.device.type = 2;
    assert_fails(-EINVAL, import(&bad), "not in host memory");
    bad = good;
    bad.tensor.dtype.lanes = 4;
    assert_fails(NDSHM_EDTYPE, import(&bad), "4 lanes");
    bad = good;
    bad.tensor.dtype.bits = 4;
    assert_fails(NDSHM_EDTYPE, import(&bad), "4 bits");
    bad = good;
    bad.tensor.dtype.code = 4;
    assert_fails(NDSHM_EDTYPE, import(&bad), "code 4");
    bad = good;
    bad.tensor.ndim = 65;
    assert_fails(NDSHM_ESHAPE, import(&bad), "65");
    bad.tensor.ndim = -1;
    assert_fails(NDSHM_ESHAPE, import(&bad), "-1");
    bad = good;
    bad.tensor.shape = NULL;
    assert_fails(-EINVAL, import(&bad), "shape is NULL");
    bad = good;
    bad.tensor.strides = strides;
    assert_fails(NDSHM_ESHAPE, import(&bad), "stride is too large");
    bad = good;
    bad.tensor.data = NULL;
    assert_fails(-EFAULT, import(&bad), "memory");
    bad.tensor.byte_offset = 8;
    assert_fails(-EINVAL, import(&bad), "byte offset 8");
    bad = good;
    bad.tensor.byte_offset = UINT64_MAX;
    assert_fails(-EINVAL, import(&bad), "byte offset");
    assert_fails(-EINVAL, import(NULL), "NULL");
    assert_fails(-EINVAL, ndshm_array_from_dlpack(NAME, &good, NULL, NULL), "NULL");
    assert_false(support_exists(NAME));
}

static int no_memory(const char *call)
{
    return strcmp(call, "alloc") == 0 ? ENOMEM : 0;
}

static void test_no_memory(void **state)
{
    (void)state;
    ndshm_array *array = numbers();
    struct DLManagedTensorVersioned *out = NULL;
    ndshm__os_fault = no_memory;
    int status = ndshm_array_to_dlpack(array, &out);
    ndshm__os_fault = NULL;
    assert_fails(-ENOMEM, status, NAME);
    assert_null(out);
    drop(array);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_an_export_describes_the_array),
        SUPPORT_TEST(test_the_read_only_flag_is_truthful),
        SUPPORT_TEST(test_an_export_outlives_the_handle_and_ends_on_any_thread),
        SUPPORT_TEST(test_types_without_a_code),
        SUPPORT_TEST(test_strides_between_elements),
        SUPPORT_TEST(test_there_and_back),
        SUPPORT_TEST(test_no_strides_and_an_offset),
        SUPPORT_TEST(test_refused_tensors),
        SUPPORT_TEST(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
