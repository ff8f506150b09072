/* SPDX-License-Identifier: MIT */
/* What fuzz targets use. A target is one function over any bytes. It must return, and whatever the
 * library accepts must be consistent: FUZZ_CHECK says so, and ends the process otherwise. */
#ifndef NDSHM_TESTS_FUZZ_H
#define NDSHM_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(expression)                                                                     \
    do {                                                                                           \
        if (!(expression))                                                                         \
            fuzz_failed(__FILE__, __LINE__, #expression);                                          \
    } while (0)
void fuzz_failed(const char *file, int line, const char *expression) __attribute__((noreturn));

/* Takes values off the front of an input; behind its end everything is 0. */
struct fuzz_input {
    const uint8_t *data;
    size_t size;
};
uint8_t fuzz_byte(struct fuzz_input *input);
uint32_t fuzz_below(struct fuzz_input *input, uint32_t limit); /* limit: at most 256 */
void fuzz_bytes(struct fuzz_input *input, void *out, size_t size);

/* Mostly small, often at an edge, sometimes any. */
int64_t fuzz_number(struct fuzz_input *input);

/* The bytes up to the next line feed, or all that is left, as a text of their own on the heap, so
 * that a sanitizer sees every byte beyond. To be freed. */
char *fuzz_line(struct fuzz_input *input);
char *fuzz_rest(struct fuzz_input *input);

/* A file of these bytes without a name: its descriptor, to be closed; and a path to it. */
enum { FUZZ_PATH = 32 };
int fuzz_file(const void *data, size_t size, char path[FUZZ_PATH]);

/* Python's rules, word by word: the indices that start:stop:step selects, at most limit of them are
 * stored. How many there are. NDSHM_OMIT: left out. */
int64_t fuzz_slice(int64_t length, int64_t start, int64_t stop, int64_t step, int64_t limit,
                   int64_t *out);

#endif
