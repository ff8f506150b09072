/* SPDX-License-Identifier: MIT */
/* A .npy file of any bytes: refused, or an array that is written and read again to the same. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "array/dtype.h"
#include "array/npy.h"
#include "fuzz.h"

#include <ndshm/array.h>

enum { HEADER = 10 };

static bool is_refusal(int status)
{
    return status == NDSHM_EPARSE || status == NDSHM_EDTYPE || status == NDSHM_ESHAPE;
}

/* Data in the file's order are the bytes behind its header. */
static void check_bytes(const ndshm_array *array, const uint8_t *data, size_t size)
{
    ndshm_view view;
    FUZZ_CHECK(ndshm_array_read(array, &view) == 0);
    int64_t nbytes = ndshm_view_nbytes(&view);
    FUZZ_CHECK(nbytes >= 0 && nbytes <= (int64_t)size);
    FUZZ_CHECK(ndshm_view_is_contiguous(&view, NDSHM_ORDER_C) ||
               ndshm_view_is_contiguous(&view, NDSHM_ORDER_FORTRAN));
    const uint8_t *tail = data + size - nbytes, *got = view.data;
    int64_t part = ndshm__dtype_row(view.dtype)->component;
    bool same = nbytes == 0 || memcmp(got, tail, (size_t)nbytes) == 0, swapped = true;
    for (int64_t i = 0; i < nbytes; i++)
        swapped = swapped && got[i] == tail[i / part * part + (part - 1 - i % part)];
    FUZZ_CHECK(same || swapped);
}

static void check_again(const ndshm_array *array)
{
    char path[64];
    ndshm_array *again = NULL;
    ndshm_view a, b;
    snprintf(path, sizeof path, "/dev/shm/t-fuzz-npy-%d.npy", (int)getpid());
    FUZZ_CHECK(ndshm_array_to_npy(array, path) == 0);
    FUZZ_CHECK(ndshm_array_from_npy(NULL, path, NULL, &again) == 0);
    unlink(path);
    FUZZ_CHECK(ndshm_array_read(array, &a) == 0 && ndshm_array_read(again, &b) == 0);
    FUZZ_CHECK(a.dtype == b.dtype && a.ndim == b.ndim);
    FUZZ_CHECK(memcmp(a.shape, b.shape, (size_t)a.ndim * sizeof *a.shape) == 0);
    FUZZ_CHECK(ndshm_view_nbytes(&a) == 0 ||
               memcmp(a.data, b.data, (size_t)ndshm_view_nbytes(&a)) == 0);
    ndshm_array_detach(&again);
}

/* The dictionary alone, so that lengths need not be right. */
static void check_dictionary(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    struct ndshm__npy_header header;
    ndshm_view view;
    char *text = fuzz_rest(&input), again[NDSHM__NPY_TEXT];
    int status = ndshm__npy_parse(text, "fuzz", &header);
    free(text);
    FUZZ_CHECK(status == 0 || is_refusal(status));
    if (status || ndshm_view_init(&view, NULL, header.dtype, header.ndim, header.shape, 0))
        return;
    int total = ndshm__npy_format(&view, header.order, again);
    FUZZ_CHECK(total % 64 == 0 && again[total - 1] == '\n');
    text = strndup(again + HEADER, (size_t)total - HEADER);
    struct ndshm__npy_header other;
    FUZZ_CHECK(ndshm__npy_parse(text, "fuzz", &other) == 0);
    FUZZ_CHECK(other.dtype == header.dtype && other.order == header.order && !other.swapped);
    FUZZ_CHECK(other.ndim == header.ndim);
    FUZZ_CHECK(!memcmp(other.shape, header.shape, (size_t)header.ndim * sizeof *header.shape));
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[FUZZ_PATH];
    ndshm_array *array = NULL;
    int fd = fuzz_file(data, size, path);
    int status = ndshm_array_from_npy(NULL, path, NULL, &array);
    close(fd);
    FUZZ_CHECK(status == 0 || is_refusal(status));
    if (status == 0) {
        check_bytes(array, data, size);
        check_again(array);
        ndshm_array_detach(&array);
    }
    if (size > HEADER)
        check_dictionary(data + HEADER, size - HEADER);
    return 0;
}
