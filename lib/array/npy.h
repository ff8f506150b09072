/* SPDX-License-Identifier: MIT */
/* The header of a .npy file: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
#ifndef NDSHM_LIB_NPY_H
#define NDSHM_LIB_NPY_H

#include "array/view.h"

/* Magic, version and the longest length field; what a file must at least have is two bytes less. */
enum { NDSHM__NPY_PREFIX = 12, NDSHM__NPY_HEADER_MAX = 1 << 20 };

struct ndshm__npy_header {
    ndshm_dtype dtype;
    bool swapped; /* the file is big-endian */
    int order;    /* NDSHM_ORDER_* */
    int ndim;
    int64_t shape[NDSHM_MAX_NDIM];
};

/* Magic and version. *prefix is where the dictionary begins, *length its size. NDSHM_EPARSE. */
int ndshm__npy_prefix(const unsigned char bytes[NDSHM__NPY_PREFIX], const char *path,
                      int64_t *prefix, int64_t *length);

/* The dictionary, NUL-terminated. NDSHM_EPARSE, NDSHM_EDTYPE (data type), NDSHM_ESHAPE. */
int ndshm__npy_parse(const char *text, const char *path, struct ndshm__npy_header *out);

/* A whole header, as NumPy writes it, of an array in this order. Returns its size. */
enum { NDSHM__NPY_TEXT = 2048 };
int ndshm__npy_format(const ndshm_view *view, int order, char out[NDSHM__NPY_TEXT]);

#endif
