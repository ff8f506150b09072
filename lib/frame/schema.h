/* SPDX-License-Identifier: MIT */
/* The body of a frame's descriptor: docs/format-frame.md is the description, this is its shape in
 * C. Header, nodes, buffers, text.
 *
 * The nodes are a tree in breadth-first order: the columns, then the children of each node in
 * turn, and behind its children its dictionary. So every child is the child of one node, and every
 * child comes behind its parent. */
#ifndef NDSHM_LIB_SCHEMA_H
#define NDSHM_LIB_SCHEMA_H

#include <assert.h>
#include <stddef.h>

#include <ndshm/frame.h>

#include "frame/format.h"

enum {
    NDSHM__NODE_ORDERED = 1, /* the first three as in Arrow's C data interface */
    NDSHM__NODE_NULLABLE = 2,
    NDSHM__NODE_SORTED = 4,
    NDSHM__NODE_FLAGS = 7
};
enum { NDSHM__DEPTH_MAX = 64, NDSHM__NODES_MAX = 1 << 24 };

struct ndshm__buffer {
    int64_t offset; /* in the payload, a multiple of 64 */
    int64_t size;
};

struct ndshm__text {
    uint32_t offset; /* in the text */
    uint32_t size;
};

struct ndshm__node {
    uint32_t name;   /* offset in the text; ends with a NUL */
    uint32_t format; /* likewise; of a dictionary-encoded node that of its indices */
    uint32_t flags;  /* NDSHM__NODE_* */
    int32_t children;
    int32_t first_child;
    int32_t dictionary; /* a node; 0: none */
    int32_t buffers;
    int32_t first_buffer;
    struct ndshm__text metadata; /* in Arrow's encoding; size 0: none */
    int64_t length;
    int64_t null_count;
    uint64_t reserved;
};

struct ndshm__schema {
    int64_t rows;
    int32_t columns;
    int32_t nodes;
    int32_t buffers;
    uint32_t node_size;
    int64_t text_size;
    struct ndshm__text metadata; /* of the frame */
    uint64_t reserved[3];
    struct ndshm__node node[]; /* then the buffers, then the text */
};

static_assert(sizeof(struct ndshm__node) == 64, "node");
static_assert(offsetof(struct ndshm__node, metadata) == 32, "metadata");
static_assert(offsetof(struct ndshm__node, length) == 40, "length");
static_assert(sizeof(struct ndshm__schema) == 64, "schema");
static_assert(offsetof(struct ndshm__schema, text_size) == 24, "text_size");
static_assert(offsetof(struct ndshm__schema, metadata) == 32, "metadata");

/* Parts of a valid schema. */
const struct ndshm__buffer *ndshm__schema_buffers(const struct ndshm__schema *schema);
const char *ndshm__schema_text(const struct ndshm__schema *schema);

/* The bitmap of a node, or NULL. */
const struct ndshm__buffer *ndshm__schema_validity(const struct ndshm__schema *schema,
                                                   const struct ndshm__node *node,
                                                   const struct ndshm__format *format);

/* A node to build, in the order described above. */
struct ndshm__draft {
    const char *name;
    const char *format;
    const char *metadata; /* NULL: none */
    uint32_t flags;
    int32_t children;
    bool dictionary;
    bool validity; /* there is a bitmap */
    int64_t length;
    int64_t null_count;
    int64_t bytes;         /* of a variable layout */
    const int64_t *pieces; /* of a view's bytes */
    int32_t npieces;
};

/* Builds a body and lays its buffers out. *size is that of the body, which is to be freed,
 * *payload_size what the buffers take. metadata may be NULL. Errors: NDSHM_ESHAPE, -ENOMEM. */
int ndshm__schema_build_tree(int64_t rows, int32_t columns, const struct ndshm__draft *drafts,
                             int32_t count, const char *metadata, struct ndshm__schema **out,
                             int64_t *size, int64_t *payload_size);

/* The same of columns without children, which are checked first: NDSHM_EDTYPE, -EINVAL, too. */
int ndshm__schema_build(int64_t rows, const ndshm_column_spec *specs, int ncolumns,
                        struct ndshm__schema **out, int64_t *size, int64_t *payload_size);

/* Gives each buffer, whose size is known, its place. false: more bytes than there are. */
bool ndshm__schema_layout(struct ndshm__schema *schema, int64_t *payload_size);

/* NULL when the bytes are a valid schema with all buffers inside the payload; else what is wrong.
 */
const char *ndshm__schema_check(const void *body, int64_t size, int64_t payload_size);

/* Bytes that Arrow's encoding of metadata takes, at most limit, or -1 when it is malformed. */
int64_t ndshm__metadata_size(const char *metadata, int64_t limit);

#endif
