/* SPDX-License-Identifier: MIT */
/* Arrays into .npy files: written beside the place, then renamed into it. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "array/array.h"
#include "array/npy.h"
#include "base/os.h"

static int failed(const char *call, const char *path)
{
    int status = -errno;
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
    for (int64_t done = 0; done < size;) {
        ssize_t put = write(fd, (const char *)data + done, (size_t)(size - done));
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return failed("write", path);
        done += put;
    }
    return 0;
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
    int fd = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return failed("a temporary file for the writing", path);
    int status = write_array(fd, array, path);
    if (close(fd) < 0 && !status)
        status = failed("close", path);
    return status;
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
    if (!status && rename(draft, path) < 0)
        status = failed("rename", path);
    if (status)
        unlink(draft);
    return status;
}
