/* SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <ndshm/ndshm.h>

void fuzz_failed(const char *file, int line, const char *expression)
{
    fprintf(stderr, "%s:%d: not true: %s (last message: %s)\n", file, line, expression,
            ndshm_error_message());
    abort();
}

uint8_t fuzz_byte(struct fuzz_input *input)
{
    if (input->size == 0)
        return 0;
    input->size--;
    return *input->data++;
}

uint32_t fuzz_below(struct fuzz_input *input, uint32_t limit)
{
    return fuzz_byte(input) % limit;
}

void fuzz_bytes(struct fuzz_input *input, void *out, size_t size)
{
    size_t there = size < input->size ? size : input->size;
    memset(out, 0, size);
    if (there > 0)
        memcpy(out, input->data, there);
    input->data += there;
    input->size -= there;
}

int64_t fuzz_number(struct fuzz_input *input)
{
    static const int64_t edges[] = {
        INT64_MIN,
        INT64_MIN + 1,
        INT64_MAX,
        INT64_MAX - 1,
        INT64_MAX / 2,
        INT64_MAX / 2 + 1,
        INT64_MIN / 2,
        INT32_MAX,
        INT64_C(1) + INT32_MAX,
        INT32_MIN,
        UINT32_MAX,
        INT64_C(1) << 32,
        63,
        64,
        65,
        4096,
        1000,
        INT64_C(1) << 61,
        -64,
        255,
    };
    enum { EDGES = sizeof edges / sizeof *edges, SMALL = 0xC0, ANY = 0xF8, ZERO = 16 };
    uint8_t tag = fuzz_byte(input);
    int64_t any;
    if (tag < SMALL)
        return tag < SMALL / 2 ? tag % ZERO : tag - SMALL * 3 / 4;
    if (tag < ANY)
        return edges[(tag - SMALL) % EDGES];
    fuzz_bytes(input, &any, sizeof any);
    return any;
}

static char *take_text(struct fuzz_input *input, size_t size)
{
    char *text = malloc(size + 1);
    if (!text)
        abort();
    fuzz_bytes(input, text, size);
    text[size] = '\0';
    return text;
}

char *fuzz_line(struct fuzz_input *input)
{
    const uint8_t *end = input->size ? memchr(input->data, '\n', input->size) : NULL;
    char *line = take_text(input, end ? (size_t)(end - input->data) : input->size);
    fuzz_byte(input);
    return line;
}

char *fuzz_rest(struct fuzz_input *input)
{
    return take_text(input, input->size);
}

int fuzz_file(const void *data, size_t size, char path[FUZZ_PATH])
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) != 0)
        abort();
    snprintf(path, FUZZ_PATH, "/proc/self/fd/%d", fd);
    return fd;
}

__extension__ typedef __int128 wide;

static wide bound(int64_t given, wide length, wide low, wide high, wide omitted)
{
    wide at = given;
    if (given == NDSHM_OMIT)
        return omitted;
    if (at < 0)
        at += length;
    return at < low ? low : at > high ? high : at;
}

int64_t fuzz_slice(int64_t length, int64_t start, int64_t stop, int64_t step, int64_t limit,
                   int64_t *out)
{
    int64_t count = 0;
    wide low = step > 0 ? 0 : -1, high = step > 0 ? length : (wide)length - 1;
    wide at = bound(start, length, low, high, step > 0 ? low : high);
    wide end = bound(stop, length, low, high, step > 0 ? high : low);
    for (; step > 0 ? at < end : at > end; at += step) {
        if (count < limit)
            out[count] = (int64_t)at;
        count++;
    }
    return count;
}
