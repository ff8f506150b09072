/* SPDX-License-Identifier: MIT */
/* Arrow format strings, and the buffers and children that a column of each has. */
#ifndef NDSHM_LIB_FRAME_FORMAT_H
#define NDSHM_LIB_FRAME_FORMAT_H

#include <stdbool.h>
#include <stddef.h>

#include <ndshm/dtype.h>

/* Arrow's memory layouts. */
enum ndshm__layout {
    NDSHM__LAYOUT_NULL,
    NDSHM__LAYOUT_FIXED,
    NDSHM__LAYOUT_VARIABLE,
    NDSHM__LAYOUT_VIEW,
    NDSHM__LAYOUT_LIST, /* maps, too */
    NDSHM__LAYOUT_LIST_VIEW,
    NDSHM__LAYOUT_FIXED_LIST,
    NDSHM__LAYOUT_STRUCT,
    NDSHM__LAYOUT_SPARSE,
    NDSHM__LAYOUT_DENSE,
    NDSHM__LAYOUT_RUNS,
    NDSHM__LAYOUTS
};

/* What a buffer holds. */
enum ndshm__content {
    NDSHM__CONTENT_NONE,
    NDSHM__CONTENT_VALIDITY, /* a bit a row, or no buffer */
    NDSHM__CONTENT_VALUES,   /* format.bits a row */
    NDSHM__CONTENT_OFFSETS,  /* format.width each, one more than rows */
    NDSHM__CONTENT_STARTS,   /* format.width a row: list views, dense unions */
    NDSHM__CONTENT_SIZES,    /* format.width a row */
    NDSHM__CONTENT_IDS,      /* a byte a row: the member of a union */
    NDSHM__CONTENT_VIEWS,    /* 16 bytes a row */
    NDSHM__CONTENT_BYTES     /* any number; of views, any number of buffers of them */
};

enum { NDSHM__BUFFERS_MAX = 3, NDSHM__UNION_MAX = 128 };

struct ndshm__format {
    enum ndshm__layout layout;
    int32_t children; /* -1: any number */
    int32_t buffers;  /* without those of views' bytes */
    int32_t width;    /* bytes of an offset */
    int64_t bits;     /* of a row of fixed width */
    int64_t items;    /* in each row of a list of fixed size */
    bool text;        /* the bytes are UTF-8 */
    bool integer;
    bool map;
    const char *ids;   /* unions: "0,1,5" */
    ndshm_dtype dtype; /* of the same elements in an array; 0: none has this layout */
};

/* false: not a format that is known here. format comes without '?'. */
bool ndshm__format_parse(const char *format, struct ndshm__format *out);

enum ndshm__content ndshm__format_content(const struct ndshm__format *format, int buffer);

/* Bytes of that buffer for so many rows: of validity, when there is one; 0 for bytes. false: too
 * many. */
bool ndshm__format_size(const struct ndshm__format *format, int buffer, int64_t rows, int64_t *out);

/* The child that each id of a union means, or -1. Returns the number of ids. */
int32_t ndshm__format_union(const struct ndshm__format *format, int16_t children[NDSHM__UNION_MAX]);

/* True when the bytes are well-formed UTF-8 (RFC 3629). */
bool ndshm__utf8_valid(const void *data, size_t size);

#endif
