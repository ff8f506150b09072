/* SPDX-License-Identifier: MIT */
/* The structs and codes of DLPack 1.x: what other libraries read and write. */
#ifndef NDSHM_LIB_DLPACK_ABI_H
#define NDSHM_LIB_DLPACK_ABI_H

#include <stdint.h>

enum { DLPACK_MAJOR = 1, DLPACK_MINOR = 0 };
enum { DLPACK_READ_ONLY = 1 };
enum { DLPACK_CPU = 1 };
enum {
    DLPACK_INT = 0,
    DLPACK_UINT = 1,
    DLPACK_FLOAT = 2,
    DLPACK_COMPLEX = 5,
    DLPACK_BOOL = 6,
    DLPACK_NONE = 255 /* ours: a data type that DLPack does not know */
};

typedef struct DLTensor {
    void *data;
    struct {
        int32_t type;
        int32_t id;
    } device;
    int32_t ndim;
    struct {
        uint8_t code;
        uint8_t bits;
        uint16_t lanes;
    } dtype;
    int64_t *shape;
    int64_t *strides; /* in elements; NULL: C order */
    uint64_t byte_offset;
} DLTensor;

struct DLManagedTensorVersioned {
    struct {
        uint32_t major;
        uint32_t minor;
    } version;
    void *manager_ctx;
    void (*deleter)(struct DLManagedTensorVersioned *self);
    uint64_t flags;
    DLTensor tensor;
};

#endif
