/* SPDX-License-Identifier: MIT */
/* The Arrow format strings that a column may have. */
#ifndef NDSHM_LIB_FRAME_FORMAT_H
#define NDSHM_LIB_FRAME_FORMAT_H

#include <stdbool.h>
#include <stddef.h>

#include <ndshm/dtype.h>

struct ndshm__format {
    int32_t bits;      /* of a row in the data buffer; 0: variable, through int32 offsets */
    bool text;         /* the data are UTF-8 */
    ndshm_dtype dtype; /* of the same elements in an array; 0: none has this layout */
};

/* false: not a format that is known here. format comes without '?'. */
bool ndshm__format_parse(const char *format, struct ndshm__format *out);

/* True when the bytes are well-formed UTF-8 (RFC 3629). */
bool ndshm__utf8_valid(const void *data, size_t size);

#endif
