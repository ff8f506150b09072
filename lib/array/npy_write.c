/* SPDX-License-Identifier: MIT */
/* Arrays into .npy files: written beside the place, then renamed into it. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array/array.h"
#include "array/npy.h"
#include "base/os.h"

static int failed(int status, const char *call, const char *path)
{
    return ndshm__fail(status, "%s of '%s' failed: %s", call, path, ndshm_strerror(status));
}

/* A name of our own in the directory of path. */
static int draft_path(const char *path, char out[PATH_MAX])
{
    const char *slash = strrchr(path, '/');
    uint64_t bits;
    int status = ndshm__os_random(&bits, sizeof bits);
    if (status)
        return ndshm__fail(status, "no random bits for a temporary file: %s",
                           ndshm_strerror(status));
    int directory = slash ? (int)(slash - path) + 1 : 0;
    int length = snprintf(out, PATH_MAX, "%.*s.ndshm-%016" PRIx64, directory, path, bits);
    if (length >= PATH_MAX)
        return ndshm__fail(-ENAMETOOLONG, "the path '%.100s...' is too long", path);
    return 0;
}

static int write_all(int fd, const void *data, int64_t size, const char *path)
{
    int status = ndshm__os_write_output(fd, data, size);
    return status ? failed(status, "write", path) : 0;
}

/* The elements in C order, without touching the mapping: it may be truncated meanwhile. */
static int write_elements(int fd, const ndshm__segment *segment, const ndshm_view *view,
                          const char *path)
{
    ndshm__pieces pieces;
    ndshm_view piece, dense;
    int status = 0;
    ndshm__pieces_begin(&pieces, view);
    char *buffer = ndshm__alloc((size_t)pieces.piece_bytes);
    if (!buffer)
        return ndshm__fail(-ENOMEM, "'%s': no memory for a buffer", path);
    while (!status && ndshm__pieces_next(&pieces, &piece)) {
        status =
            ndshm__view_init(&dense, buffer, piece.dtype, piece.ndim, piece.shape, NDSHM_ORDER_C);
        if (!status)
            status = ndshm__array_gather(segment, &piece, &dense);
        if (!status)
            status = write_all(fd, buffer, ndshm__view_nbytes(&dense), path);
    }
    free(buffer);
    return status;
}

/* Fortran order is C order with the axes reversed. */
static void reverse(const ndshm_view *view, ndshm_view *out)
{
    ndshm__view_assign(out, view);
    for (int i = 0; i < view->ndim; i++) {
        out->shape[i] = view->shape[view->ndim - 1 - i];
        out->strides[i] = view->strides[view->ndim - 1 - i];
    }
}

static int write_array(int fd, const ndshm_array *array, const char *path)
{
    char header[NDSHM__NPY_TEXT];
    ndshm_view view;
    const ndshm_view *source = &array->view;
    bool fortran = !ndshm__view_contiguous(source, NDSHM_ORDER_C) &&
                   ndshm__view_contiguous(source, NDSHM_ORDER_FORTRAN);
    int order = fortran ? NDSHM_ORDER_FORTRAN : NDSHM_ORDER_C;
    int length = ndshm__npy_format(source, order, header);
    if (ndshm__view_nbytes(source) > ndshm__os_file_size_limit() - length)
        return ndshm__fail(-EFBIG, "'%s': larger than this process may write (ulimit -f)", path);
    int status = write_all(fd, header, length, path);
    if (fortran)
        reverse(source, &view);
    else
        ndshm__view_assign(&view, source);
    return status ? status : write_elements(fd, array->segment, &view, path);
}

static int write_draft(const ndshm_array *array, const char *draft, const char *path)
{
    int fd = ndshm__os_open_output(draft, true);
    if (fd < 0)
        return failed(fd, "a temporary file for the writing", path);
    int status = write_array(fd, array, path);
    int closed = ndshm__os_close(fd);
    return status || !closed ? status : failed(closed, "close", path);
}

int ndshm_array_to_npy(const ndshm_array *array, const char *path)
{
    ndshm__begin("ndshm_array_to_npy");
    char draft[PATH_MAX];
    if (!array || !path)
        return ndshm__fail(-EINVAL, "array or path is NULL");
    int status = draft_path(path, draft);
    if (!status)
        status = write_draft(array, draft, path);
    else
        return status;
    if (!status && (status = ndshm__os_replace(draft, path)))
        failed(status, "rename", path);
    if (status)
        ndshm__os_remove(draft);
    return status;
}
