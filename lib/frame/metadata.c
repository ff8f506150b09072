/* SPDX-License-Identifier: MIT */
/* Arrow's encoding of metadata: a count, then for each pair two lengths with their texts. */
#include <string.h>

#include "frame/schema.h"

/* A length and, when text, what it announces. */
static bool skip(const char *metadata, int64_t limit, int64_t *at, bool text, int32_t *length)
{
    if (limit - *at < (int64_t)sizeof *length)
        return false;
    memcpy(length, metadata + *at, sizeof *length);
    *at += (int64_t)sizeof *length;
    if (*length < 0 || (text && *length > limit - *at))
        return false;
    *at += text ? *length : 0;
    return true;
}

int64_t ndshm__metadata_size(const char *metadata, int64_t limit)
{
    int64_t at = 0;
    int32_t pairs, length;
    if (!skip(metadata, limit, &at, false, &pairs))
        return -1;
    for (int32_t i = 0; i < pairs; i++)
        if (!skip(metadata, limit, &at, true, &length) ||
            !skip(metadata, limit, &at, true, &length))
            return -1;
    return at;
}
