/* SPDX-License-Identifier: MIT */
/* Arrays from .npy files, streamed: the file is never in memory twice. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "array/array.h"
#include "array/dtype.h"
#include "array/npy.h"
#include "base/os.h"

enum { WRITER_MS = 2000 };

struct input {
    int fd;
    const char *path;
};

static int failed(const struct input *input, int status, const char *call)
{
    return ndshm__fail(status, "%s of '%s' failed: %s", call, input->path, ndshm_strerror(status));
}

/* Up to size bytes; fewer at the end of the file only. */
static int64_t read_some(const struct input *input, void *buffer, int64_t size)
{
    int64_t done = 0;
    while (done < size) {
        int64_t got = ndshm__os_read_input(input->fd, (char *)buffer + done, size - done);
        if (got == -EAGAIN) /* a pipe whose writer is slow */
            got = ndshm__os_wait_input(input->fd, -1);
        else if (got == 0)
            break;
        else if (got > 0)
            done += got;
        if (got < 0 && got != -EINTR)
            return failed(input, (int)got, "read");
    }
    return done;
}

static int missing(const struct input *input, const char *what, int64_t bytes)
{
    return ndshm__fail(NDSHM_EPARSE, "'%s' is truncated: %" PRId64 " bytes of its %s are missing",
                       input->path, bytes, what);
}

static int read_exactly(const struct input *input, void *buffer, int64_t size, const char *what)
{
    int64_t got = read_some(input, buffer, size);
    if (got < 0)
        return (int)got;
    return got == size ? 0 : missing(input, what, size - got);
}

static int read_text(const struct input *input, const unsigned char *prefix, int64_t used,
                     int64_t length, struct ndshm__npy_header *out)
{
    char *text = ndshm__alloc((size_t)length + 1);
    if (!text)
        return ndshm__fail(-ENOMEM, "'%s': no memory for its header", input->path);
    int64_t carried = NDSHM__NPY_PREFIX - used; /* of the header, read with the prefix */
    memcpy(text, prefix + used, (size_t)carried);
    int status = read_exactly(input, text + carried, length - carried, "header");
    if (!status && strlen(text) != (size_t)length)
        status = ndshm__fail(NDSHM_EPARSE, "'%s': the .npy header contains a NUL", input->path);
    if (!status)
        status = ndshm__npy_parse(text, input->path, out);
    free(text);
    return status;
}

static int read_header(const struct input *input, struct ndshm__npy_header *out)
{
    enum { LENGTH_MIN = 2 }; /* "{}": as much as can come with the prefix */
    unsigned char prefix[NDSHM__NPY_PREFIX];
    int64_t used, length;
    int status = read_exactly(input, prefix, sizeof prefix, "header");
    if (!status)
        status = ndshm__npy_prefix(prefix, input->path, &used, &length);
    if (status)
        return status;
    if (length < LENGTH_MIN)
        return ndshm__fail(NDSHM_EPARSE, "'%s': the .npy header is empty", input->path);
    return read_text(input, prefix, used, length, out);
}

/* A regular file tells its size: a wrong one is refused before memory is taken. */
static int size_check(const struct input *input, int64_t nbytes)
{
    struct stat file;
    int status = ndshm__os_stat(input->fd, &file);
    if (status)
        return failed(input, status, "fstat");
    if (!S_ISREG(file.st_mode))
        return 0;
    int64_t at = ndshm__os_position(input->fd);
    if (at < 0)
        return failed(input, (int)at, "lseek");
    int64_t left = file.st_size - at;
    if (left < nbytes)
        return missing(input, "data", nbytes - left);
    if (left > nbytes)
        return ndshm__fail(NDSHM_EPARSE, "'%s': %" PRId64 " bytes follow the data", input->path,
                           left - nbytes);
    return 0;
}

/* Reverses the bytes of each component. */
static void swap(char *data, int64_t size, int64_t component)
{
    for (char *item = data; item < data + size; item += component)
        for (int64_t i = 0; i < component / 2; i++) {
            char byte = item[i];
            item[i] = item[component - 1 - i];
            item[component - 1 - i] = byte;
        }
}

static int stream(const struct input *input, const struct ndshm__npy_header *header,
                  ndshm__segment *segment, int64_t nbytes)
{
    int64_t component = ndshm__dtype_row(header->dtype)->component;
    char *buffer = ndshm__alloc(NDSHM__PIECE);
    int status = 0;
    if (!buffer)
        return ndshm__fail(-ENOMEM, "'%s': no memory for a buffer", input->path);
    for (int64_t done = 0; done < nbytes && !status;) {
        int64_t piece = nbytes - done < NDSHM__PIECE ? nbytes - done : NDSHM__PIECE;
        int64_t got = read_some(input, buffer, piece);
        if (got < 0)
            status = (int)got;
        else if (got < piece)
            status = missing(input, "data", nbytes - done - got);
        if (status)
            break;
        if (header->swapped)
            swap(buffer, piece, component);
        status = ndshm__segment_append(segment, buffer, piece);
        done += piece;
    }
    free(buffer);
    return status;
}

static int from_file(const struct input *input, const char *name, const ndshm_create_config *config,
                     ndshm_array **out)
{
    struct ndshm__npy_header header;
    ndshm_array *array = NULL;
    int64_t nbytes = 0;
    int status = read_header(input, &header);
    if (!status)
        status = ndshm__shape_check(header.dtype, header.ndim, header.shape, &nbytes);
    if (!status)
        status = size_check(input, nbytes);
    if (!status)
        status = ndshm__array_stream(name, header.dtype, header.ndim, header.shape, header.order,
                                     config, &array);
    if (status)
        return status;
    status = stream(input, &header, ndshm__array_segment(array), nbytes);
    if (!status)
        return ndshm__array_finish(array, config, out);
    ndshm_array_detach(&array);
    return status;
}

int ndshm_array_from_npy(const char *name, const char *path, const ndshm_create_config *config,
                         ndshm_array **out)
{
    ndshm__begin("ndshm_array_from_npy");
    if (!path || !out)
        return ndshm__fail(-EINVAL, "path or out is NULL");
    struct input input = {ndshm__os_open_input(path), path};
    if (input.fd < 0)
        return failed(&input, input.fd, "open");
    ndshm__os_wait_input(input.fd, WRITER_MS); /* somebody may be about to write to a FIFO */
    int status = from_file(&input, name, config, out);
    ndshm__os_close(input.fd);
    return status;
}
