/* SPDX-License-Identifier: MIT */
/* NumPy-style arrays in shared memory. */
#ifndef NDSHM_ARRAY_H
#define NDSHM_ARRAY_H

#include "segment.h"
#include "view.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A counted handle on an attached array. Used by one thread at a time. */
typedef struct ndshm_array ndshm_array;

/* Creates a zero-filled, writable, C-ordered array. It is visible under name at once, unless the
 * config says NDSHM_UNPUBLISHED. name NULL: a generated one. Errors: -EEXIST, -EINVAL (name,
 * config), NDSHM_EDTYPE, NDSHM_ESHAPE, -ENOSPC (bytes or inodes; the message says which, and the
 * remedy), -EFBIG (RLIMIT_FSIZE), -ENOMEM (memory or the memory cgroup), -EMFILE. */
NDSHM_API int ndshm_array_create(const char *name, ndshm_dtype dtype, int ndim,
                                 const int64_t *shape, const ndshm_create_config *config,
                                 ndshm_array **out);

/* Creates an array with the elements of source: C order, or Fortran order when source is contiguous
 * in that order only. It is visible when it is whole. Errors as ndshm_array_create, and -EFAULT
 * when source cannot be read. */
NDSHM_API int ndshm_array_from(const char *name, const ndshm_view *source,
                               const ndshm_create_config *config, ndshm_array **out);

/* Gives an unpublished array its name. -EEXIST: taken by now (the array stays unpublished);
 * -EALREADY: it is published. */
NDSHM_API int ndshm_array_publish(ndshm_array *array);

/* Attaches the array, or the part of it that the slice of ref denotes ("prices[10:20]"; segment.h
 * says what a reference is). access: NDSHM_READ, NDSHM_COW or NDSHM_WRITE, or-ed with
 * NDSHM_FOREIGN. Errors: -ENOENT, -EINVAL (ref), NDSHM_ESHAPE (slice), NDSHM_EKIND, NDSHM_ECORRUPT,
 * NDSHM_EVERSION, -EPERM (owned by somebody else), -EACCES, -EBUSY. */
NDSHM_API int ndshm_array_attach(const char *ref, int access, ndshm_array **out);

/* A second handle on the same mapping. The mapping goes with the last of them. */
NDSHM_API int ndshm_array_share(const ndshm_array *array, ndshm_array **out);

/* Describes the elements; nothing is copied. The view is valid until array is detached. */
NDSHM_API int ndshm_array_read(const ndshm_array *array, ndshm_view *out);

/* Copies all elements, in C order, into buffer of size bytes, which must be the exact number.
 * Survives a peer that truncates the segment meanwhile: NDSHM_ECORRUPT. Errors: -EINVAL (size),
 * -EFAULT. */
NDSHM_API int ndshm_array_copy(const ndshm_array *array, void *buffer, int64_t size);

/* The canonical reference ("prices[10:20]"), or NULL when no slice can express the array. It is
 * owned by the handle. An unpublished array has the name that it will get. */
NDSHM_API const char *ndshm_array_name(const ndshm_array *array);

/* Removes the name of the whole segment; the mapping stays. Errors as ndshm_unlink. */
NDSHM_API int ndshm_array_unlink(ndshm_array *array);

/* Gives the handle back and sets *array to NULL. The last handle unmaps; an unpublished array goes
 * without a trace, a temporary one goes with its last user anywhere. */
NDSHM_API void ndshm_array_detach(ndshm_array **array);

/* Reads a .npy file (format 1.0 to 3.0) of any supported dtype and order; big-endian data are
 * swapped. Errors as ndshm_array_create, of open(2), NDSHM_EPARSE (not a .npy file, or truncated),
 * NDSHM_EDTYPE. */
NDSHM_API int ndshm_array_from_npy(const char *name, const char *path,
                                   const ndshm_create_config *config, ndshm_array **out);

/* Writes a .npy file that NumPy reads. The file is complete under path, or not there. Errors of
 * open(2), write(2) and rename(2). */
NDSHM_API int ndshm_array_to_npy(const ndshm_array *array, const char *path);

#ifdef __cplusplus
}
#endif
#endif
