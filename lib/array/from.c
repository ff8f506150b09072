/* SPDX-License-Identifier: MIT */
/* Arrays from memory of the caller. */
#include <errno.h>
#include <stdlib.h>

#include "array/array.h"
#include "array/dtype.h"
#include "base/os.h"

/* A wrong address shows at one of the ends, most likely, and before anything is created. */
static int readable(const ndshm_view *source)
{
    int64_t low, high;
    char byte;
    if (!ndshm__view_extent(source, &low, &high))
        return ndshm__fail(NDSHM_ESHAPE, "the strides of source lead out of the address space");
    if (high == low)
        return 0;
    if (ndshm__os_read_self(ndshm__move(source->data, low), &byte, 1) == -EFAULT ||
        ndshm__os_read_self(ndshm__move(source->data, high - 1), &byte, 1) == -EFAULT)
        return ndshm__fail(-EFAULT, "source: its elements lie outside this process's memory");
    return 0;
}

/* Appends a view that has gaps or another order, in C order. */
static int append_pieces(ndshm__segment *segment, const ndshm_view *source)
{
    ndshm__pieces pieces;
    ndshm_view piece, dense;
    int status = 0;
    ndshm__pieces_begin(&pieces, source);
    char *buffer = ndshm__alloc((size_t)pieces.piece_bytes);
    if (!buffer)
        return ndshm__fail(-ENOMEM, "no memory for a buffer to copy through");
    while (!status && ndshm__pieces_next(&pieces, &piece)) {
        status =
            ndshm__view_init(&dense, buffer, piece.dtype, piece.ndim, piece.shape, NDSHM_ORDER_C);
        if (status)
            break;
        ndshm__copy(&dense, &piece);
        status = ndshm__segment_append(segment, buffer, ndshm__view_nbytes(&dense));
    }
    free(buffer);
    return status;
}

static int append(ndshm__segment *segment, const ndshm_view *source, bool contiguous)
{
    int64_t nbytes = ndshm__view_nbytes(source);
    if (nbytes == 0)
        return 0;
    return contiguous ? ndshm__segment_append(segment, source->data, nbytes)
                      : append_pieces(segment, source);
}

int ndshm__array_from(const char *name, const ndshm_view *source, const ndshm_create_config *config,
                      ndshm_array **out)
{
    ndshm_array *array = NULL;
    int status = ndshm__view_check(source);
    if (!status)
        status = readable(source);
    if (status)
        return status;
    bool c = ndshm__view_contiguous(source, NDSHM_ORDER_C);
    bool fortran = !c && ndshm__view_contiguous(source, NDSHM_ORDER_FORTRAN);
    status = ndshm__array_stream(name, source->dtype, source->ndim, source->shape,
                                 fortran ? NDSHM_ORDER_FORTRAN : NDSHM_ORDER_C, config, &array);
    if (status)
        return status;
    status = append(ndshm__array_segment(array), source, c || fortran);
    if (!status)
        return ndshm__array_finish(array, config, out);
    ndshm_array_detach(&array);
    return status;
}

int ndshm_array_from(const char *name, const ndshm_view *source, const ndshm_create_config *config,
                     ndshm_array **out)
{
    ndshm__begin("ndshm_array_from");
    if (!out)
        return ndshm__fail(-EINVAL, "out is NULL");
    return ndshm__array_from(name, source, config, out);
}
