/* SPDX-License-Identifier: MIT */
/* Exchange of arrays with other libraries through DLPack 1.x (https://dmlc.github.io/dlpack). */
#ifndef NDSHM_DLPACK_H
#define NDSHM_DLPACK_H

#include "array.h"

#ifdef __cplusplus
extern "C" {
#endif

/* DLPack's own struct; include <dlpack/dlpack.h>, or any copy of it, to look inside. */
struct DLManagedTensorVersioned;

/* Exports the array without a copy. The tensor holds the mapping until its deleter is called, which
 * may happen on any thread, after array was detached. Its read-only flag is truthful. Errors:
 * NDSHM_EDTYPE (times and strings have no DLPack type), -EINVAL (strides that are no multiple of
 * the item size). */
NDSHM_API int ndshm_array_to_dlpack(const ndshm_array *array,
                                    struct DLManagedTensorVersioned **out);

/* Creates an array with the elements of a tensor in host memory. tensor is not consumed: the caller
 * still calls its deleter. Errors as ndshm_array_from, NDSHM_EVERSION (another major version),
 * NDSHM_EDTYPE, NDSHM_ESHAPE, -EINVAL (not host memory). */
NDSHM_API int ndshm_array_from_dlpack(const char *name,
                                      const struct DLManagedTensorVersioned *tensor,
                                      const ndshm_create_config *config, ndshm_array **out);

#ifdef __cplusplus
}
#endif
#endif
