/* SPDX-License-Identifier: MIT */
/* Parts of the text in memory: read, not mapped, so that nobody can shorten or change them under
 * us. */
#include <errno.h>
#include <stdlib.h>

#include "base/base.h"
#include "base/os.h"
#include "csv/csv.h"

/* The text is not kept: what follows overwrites it. */
static int reserve(struct ndshm__csv_window *window, int64_t size)
{
    if (size <= window->capacity)
        return 0;
    free(window->buffer);
    window->capacity = 0;
    window->buffer = ndshm__resize(NULL, (size_t)size);
    if (!window->buffer)
        return ndshm__fail(-ENOMEM, "no memory for %lld bytes of text", (long long)size);
    window->capacity = size;
    return 0;
}

int ndshm__csv_window(struct ndshm__csv_reader *reader, int64_t from, int64_t to, bool whole)
{
    struct ndshm__csv_window *window = &reader->window;
    int64_t size = to - from;
    int status = reserve(window, size + NDSHM__CSV_PADDING + 1);
    if (status)
        return ndshm__csv_fail_status(reader, status);
    int64_t got = ndshm__os_pread(reader->input, window->buffer, size, from);
    if (got < 0)
        return ndshm__csv_fail_status(
            reader, ndshm__fail((int)got, "reading it: %s", ndshm_strerror((int)got)));
    if (got < size)
        return ndshm__csv_fail_status(reader,
                                      ndshm__fail(-ESTALE, "it became shorter while it was read"));
    window->offset = from;
    window->begin = window->buffer;
    window->whole = whole || to == reader->size;
    char *end = window->buffer + size;
    bool ended = size > 0 && end[-1] == '\n';
    *end = '\n';
    memset(end + 1, 0, NDSHM__CSV_PADDING);
    window->end = end + (window->whole && size > 0 && !ended);
    return 0;
}
