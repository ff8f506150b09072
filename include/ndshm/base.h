/* SPDX-License-Identifier: MIT */
/* Status codes, messages and limits shared by every part of ndshm. */
#ifndef NDSHM_BASE_H
#define NDSHM_BASE_H

#include <stddef.h>
#include <stdint.h>

#if defined(NDSHM_BUILDING) && defined(__GNUC__)
#define NDSHM_API __attribute__((visibility("default")))
#else
#define NDSHM_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

enum {
    NDSHM_NAME_MAX = 200, /* bytes of a name, without the terminating NUL */
    NDSHM_REF_MAX = 1024, /* bytes of a reference (name and slice), without the NUL */
    NDSHM_MAX_NDIM = 64,  /* dimensions of an array, as in NumPy 2 */
    NDSHM_LABEL_MAX = 63  /* bytes of a label, without the NUL */
};

/* Every function that returns int returns 0, a negative errno (such as -ENOENT), or one of these.
 */
#define NDSHM_STATUS_TABLE(X)                                                                      \
    X(NDSHM_ECORRUPT, -5001, "the bytes of the segment are damaged or not what they claim")        \
    X(NDSHM_EVERSION, -5002, "made by a version or on a machine whose format is not known here")   \
    X(NDSHM_EKIND, -5003, "the segment holds something of another kind")                           \
    X(NDSHM_EDTYPE, -5004, "the data type is unknown, or not allowed here")                        \
    X(NDSHM_ESHAPE, -5005, "the shape, strides, index or slice does not fit")                      \
    X(NDSHM_EPARSE, -5006, "the text cannot be read")                                              \
    X(NDSHM_EWORKER, -5007, "a worker process or the pool's supervisor died")                      \
    X(NDSHM_ETASK, -5008, "at least one task of the job failed")                                   \
    X(NDSHM_ECANCELED, -5009, "the job or the pool was ended before this was done")

enum {
#define NDSHM_STATUS_ENUM(name, value, text) name = value,
    NDSHM_STATUS_TABLE(NDSHM_STATUS_ENUM)
#undef NDSHM_STATUS_ENUM
};

/* The library's version, "MAJOR.MINOR.PATCH". Static storage. */
NDSHM_API const char *ndshm_version(void);

/* A constant text for any status. It begins with the constant's name: "NDSHM_EKIND: the segment
 * ...", "ENOENT: No such file or directory". Never NULL; static storage, or storage of this thread
 * that the next call on it overwrites. */
NDSHM_API const char *ndshm_strerror(int status);

/* What the last failing call of this thread tried, on which name, why it failed and what to do.
 * Never NULL; "" before the first failure; valid until the next failing call of this thread. Calls
 * that succeed and void functions leave it alone. */
NDSHM_API const char *ndshm_error_message(void);

/* The size in bytes of a public struct, by its C name ("ndshm_view"), or 0 when unknown: for
 * bindings that check their declarations against the library they loaded. */
NDSHM_API size_t ndshm_abi_sizeof(const char *type);

#ifdef __cplusplus
}
#endif
#endif
