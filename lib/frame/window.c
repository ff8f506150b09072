/* SPDX-License-Identifier: MIT */
#include "frame/window.h"

#include <errno.h>
#include <stdlib.h>

#include "base/os.h"

enum { PIECE = 1 << 16 };

void ndshm__window_aim(struct ndshm__window *window, const ndshm__segment *segment,
                       struct ndshm__buffer buffer)
{
    window->segment = segment;
    window->buffer = buffer;
    window->begin = window->size = 0;
    if (!ndshm__segment_published(segment)) {
        window->bytes = (char *)ndshm__segment_payload(segment) + buffer.offset;
        window->size = buffer.size;
    }
}

static int make_room(struct ndshm__window *window, int64_t size)
{
    if (size <= window->room)
        return 0;
    char *bytes = ndshm__resize(window->room ? window->bytes : NULL, (size_t)size);
    if (!bytes)
        return ndshm__fail(-ENOMEM, "'%s': no memory to look at %lld bytes",
                           ndshm__segment_name(window->segment), (long long)size);
    window->bytes = bytes;
    window->room = size;
    return 0;
}

static int load(struct ndshm__window *window, int64_t offset, int64_t size)
{
    int64_t left = window->buffer.size - offset, piece = size > PIECE ? size : PIECE;
    window->size = 0;
    if (piece > left)
        piece = left;
    int status = make_room(window, piece);
    if (!status)
        status = ndshm__segment_read(window->segment, window->buffer.offset + offset, window->bytes,
                                     piece);
    if (!status) {
        window->begin = offset;
        window->size = piece;
    }
    return status;
}

const void *ndshm__window_at(struct ndshm__window *window, int64_t offset, int64_t size,
                             int *status)
{
    if (offset < window->begin || offset + size > window->begin + window->size) {
        *status = load(window, offset, size);
        if (*status)
            return NULL;
    }
    return size ? window->bytes + (offset - window->begin) : "";
}

void ndshm__window_close(struct ndshm__window *window)
{
    if (window->room)
        free(window->bytes);
    *window = (struct ndshm__window){0};
}
