/* SPDX-License-Identifier: MIT */
/* Arrow streams of all types, from an input. Now and then a number or a pointer in them is a lie;
 * but each buffer has, to the byte, the extent that length and offset of its array claim, since
 * nobody who takes one can check that. */
#ifndef NDSHM_TESTS_FUZZ_ARROW_TREE_H
#define NDSHM_TESTS_FUZZ_ARROW_TREE_H

#include <ndshm/arrow.h>

#include "fuzz.h"

enum fuzz_kind {
    FUZZ_NULL,
    FUZZ_FIXED,
    FUZZ_STRING,
    FUZZ_VIEW,
    FUZZ_LIST,
    FUZZ_LIST_VIEW,
    FUZZ_FIXED_LIST,
    FUZZ_STRUCT,
    FUZZ_SPARSE,
    FUZZ_DENSE,
    FUZZ_RUNS,
    FUZZ_UNKNOWN
};

struct fuzz_type {
    const char *format;
    enum fuzz_kind kind;
    int64_t width; /* bits of a value; bytes of an offset; rows of a list; members of a union */
};

enum { FUZZ_TYPES = 39 };
extern const struct fuzz_type fuzz_types[]; /* leaves, then what has children */
extern const struct fuzz_type fuzz_unknown; /* what only liars have */
extern const int8_t fuzz_union_ids[2][2];   /* sparse, dense */

/* UNKNOWN, when there is none of that format. */
const struct fuzz_type *fuzz_type_find(const char *format);

/* The child that an id of a union means, or -1. */
int fuzz_type_member(const struct fuzz_type *type, int8_t id);

enum { FUZZ_BATCHES = 3 };

struct fuzz_stream {
    struct ArrowArrayStream stream;
    struct ArrowSchema schema;
    struct ArrowArray batches[FUZZ_BATCHES];
    bool schema_given;
    int nbatches, given;
    int schema_code, batch_code;
    bool honest;    /* nothing in it is a lie */
    bool ambiguous; /* dictionaries of nested values may differ */
    int nodes;
};

/* A stream at *out, which gives away what it has. Its release callback frees the rest. */
void fuzz_stream_make(struct fuzz_input *input, struct fuzz_stream *out);

#endif
