/* SPDX-License-Identifier: MIT */
/* Data types of array elements, with NumPy's names and meaning. */
#ifndef NDSHM_DTYPE_H
#define NDSHM_DTYPE_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A data type in one integer: kind in bits 0-7; for times the unit in bits 8-15 and the multiplier
 * (1 when 0) in bits 16-31; for strings the length (S: bytes, U: 4-byte code points) in bits 8-31.
 */
typedef uint32_t ndshm_dtype;

enum {
    NDSHM_BOOL = 1, /* one byte, 0 or 1 */
    NDSHM_INT8 = 2,
    NDSHM_INT16 = 3,
    NDSHM_INT32 = 4,
    NDSHM_INT64 = 5,
    NDSHM_UINT8 = 6,
    NDSHM_UINT16 = 7,
    NDSHM_UINT32 = 8,
    NDSHM_UINT64 = 9,
    NDSHM_FLOAT16 = 10,
    NDSHM_FLOAT32 = 11,
    NDSHM_FLOAT64 = 12,
    NDSHM_COMPLEX64 = 13,
    NDSHM_COMPLEX128 = 14,
    NDSHM_DATETIME64 = 15,  /* int64 ticks since 1970-01-01; the smallest int64 is NaT */
    NDSHM_TIMEDELTA64 = 16, /* int64 ticks */
    NDSHM_BYTES = 17,       /* S: fixed length, NUL-padded */
    NDSHM_UNICODE = 18      /* U: fixed number of UCS-4 code points, NUL-padded */
};

/* Units of times, numbered as in NumPy's NPY_DATETIMEUNIT. Generic: without a unit. */
enum {
    NDSHM_UNIT_YEAR = 0,
    NDSHM_UNIT_MONTH = 1,
    NDSHM_UNIT_WEEK = 2,
    NDSHM_UNIT_DAY = 4,
    NDSHM_UNIT_HOUR = 5,
    NDSHM_UNIT_MINUTE = 6,
    NDSHM_UNIT_SECOND = 7,
    NDSHM_UNIT_MILLISECOND = 8,
    NDSHM_UNIT_MICROSECOND = 9,
    NDSHM_UNIT_NANOSECOND = 10,
    NDSHM_UNIT_PICOSECOND = 11,
    NDSHM_UNIT_FEMTOSECOND = 12,
    NDSHM_UNIT_ATTOSECOND = 13,
    NDSHM_UNIT_GENERIC = 14
};

/* Parses a NumPy type string ("<f8", "|b1", "<M8[ns]", "S16", "<U5") or name ("float64", "bool",
 * "datetime64[D]") into *out. NDSHM_EDTYPE: unknown, big-endian or structured. */
NDSHM_API int ndshm_dtype_parse(const char *typestr, ndshm_dtype *out);

/* Writes the NumPy type string of dtype ("<f8") and a NUL into buffer. NDSHM_EDTYPE: not a data
 * type; -ERANGE: size is too small (32 bytes are always enough). */
NDSHM_API int ndshm_dtype_typestr(ndshm_dtype dtype, char *buffer, size_t size);

/* Bytes of one element (0 for S0 and U0), or NDSHM_EDTYPE. */
NDSHM_API int64_t ndshm_dtype_itemsize(ndshm_dtype dtype);

#ifdef __cplusplus
}
#endif
#endif
