/* SPDX-License-Identifier: MIT */
/* The table of data types that every layer reads. */
#ifndef NDSHM_LIB_DTYPE_H
#define NDSHM_LIB_DTYPE_H

#include <stdbool.h>

#include <ndshm/dtype.h>

struct ndshm__dtype_row {
    uint8_t kind;        /* NDSHM_BOOL, ... */
    uint8_t itemsize;    /* bytes; 0 for strings, whose length the data type carries */
    uint8_t component;   /* bytes that byte order reverses together; also the alignment */
    uint8_t dlpack;      /* DLPACK_INT, ...; its bits are 8 * itemsize */
    const char *name;    /* "float64" */
    const char *typestr; /* "<f8"; of times and strings the beginning */
    const char *arrow;   /* Arrow format "g"; NULL when there is none, or it depends on the unit */
};

/* The row of a data type, or NULL when it is not one. */
const struct ndshm__dtype_row *ndshm__dtype_row(ndshm_dtype dtype);

/* Bytes of one element, or -1. */
int64_t ndshm__dtype_itemsize(ndshm_dtype dtype);

/* NDSHM_EDTYPE with a message when dtype is not a data type. */
int ndshm__dtype_check(ndshm_dtype dtype);

/* The one spelling of a valid data type: a multiplier of 1 becomes 0. */
ndshm_dtype ndshm__dtype_canonical(ndshm_dtype dtype);

/* As ndshm_dtype_parse. Big-endian types are accepted and told apart when swapped is not NULL. */
int ndshm__dtype_parse(const char *typestr, ndshm_dtype *out, bool *swapped);

/* As ndshm_dtype_typestr, of a valid data type. */
enum { NDSHM__TYPESTR_SIZE = 32 };
void ndshm__dtype_typestr(ndshm_dtype dtype, char out[NDSHM__TYPESTR_SIZE]);

/* The data type whose elements lie in memory as those of a fixed-width Arrow format ("g",
 * "tsn:UTC", "tDu"), or 0. Arrow's booleans are bits, and thus none of ours. */
ndshm_dtype ndshm__dtype_from_arrow(const char *format);

/* The numeric data type of a DLPack code and number of bits, or 0. */
ndshm_dtype ndshm__dtype_from_dlpack(uint8_t code, uint8_t bits);

#endif
