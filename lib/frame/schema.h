/* SPDX-License-Identifier: MIT */
/* The body of a frame's descriptor: docs/format-frame.md is the description, this is its shape in
 * C. Header, one record a column, text pool. */
#ifndef NDSHM_LIB_SCHEMA_H
#define NDSHM_LIB_SCHEMA_H

#include <assert.h>
#include <stddef.h>

#include <ndshm/frame.h>

#include "frame/format.h"

enum { NDSHM__COLUMN_NULLABLE = 1 };

struct ndshm__buffer {
    int64_t offset; /* in the payload, a multiple of 64 */
    int64_t size;
};

struct ndshm__column_record {
    uint32_t name;   /* offset in the text pool */
    uint32_t format; /* likewise */
    uint32_t flags;  /* NDSHM__COLUMN_* */
    uint32_t reserved;
    int64_t null_count;
    struct ndshm__buffer validity;
    struct ndshm__buffer offsets;
    struct ndshm__buffer data;
    uint64_t reserved2;
};

struct ndshm__schema {
    int64_t rows;
    int32_t columns;
    uint32_t record_size;
    int64_t text_size;
    uint64_t reserved;
    struct ndshm__column_record records[]; /* then the text pool */
};

static_assert(sizeof(struct ndshm__column_record) == 80, "column record");
static_assert(offsetof(struct ndshm__column_record, null_count) == 16, "null_count");
static_assert(offsetof(struct ndshm__column_record, validity) == 24, "validity");
static_assert(offsetof(struct ndshm__column_record, offsets) == 40, "offsets");
static_assert(offsetof(struct ndshm__column_record, data) == 56, "data");
static_assert(sizeof(struct ndshm__schema) == 32, "schema");
static_assert(offsetof(struct ndshm__schema, text_size) == 16, "text_size");

/* The text pool of a valid schema. */
const char *ndshm__schema_text(const struct ndshm__schema *schema);

/* Builds the body for these columns, and lays their buffers out. *size is that of the body, which
 * is to be freed, *payload_size what the buffers take. Errors: NDSHM_EDTYPE, NDSHM_ESHAPE, -EINVAL,
 * -ENOMEM. */
int ndshm__schema_build(int64_t rows, const ndshm_column_spec *specs, int ncolumns,
                        struct ndshm__schema **out, int64_t *size, int64_t *payload_size);

/* Fills in the buffers of all records, whose formats are known. false: more bytes than there are.
 */
bool ndshm__schema_layout(struct ndshm__schema *schema, int64_t *payload_size);

/* NULL when the bytes are a valid schema with all buffers inside the payload; else what is wrong.
 */
const char *ndshm__schema_check(const void *body, int64_t size, int64_t payload_size);

/* Bytes that the buffers of a column must have; data_bytes is returned for variable columns. false:
 * too many. */
bool ndshm__schema_sizes(int64_t rows, const struct ndshm__format *format, bool nullable,
                         int64_t data_bytes, int64_t sizes[3]);

#endif
