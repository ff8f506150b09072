/* SPDX-License-Identifier: MIT */
#include "csv/spool.h"

#include <errno.h>
#include <stdlib.h>

#include "base/base.h"
#include "base/os.h"

enum { WAIT_MS = 50 }; /* between looks at a wish to cancel */

static int64_t read_piece(struct ndshm__csv_spool *spool)
{
    int ready = ndshm__os_wait_input(spool->from, WAIT_MS);
    if (ready <= 0)
        return ready < 0 ? ready : -EAGAIN;
    return ndshm__os_read_input(spool->from, spool->input, NDSHM__CSV_PIECE);
}

int ndshm__csv_spool_read(struct ndshm__csv_spool *spool)
{
    int64_t got = -EAGAIN;
    while (got == -EAGAIN || got == -EINTR) {
        int status = ndshm__csv_canceled(spool->source);
        if (status)
            return status;
        got = read_piece(spool);
    }
    if (got < 0)
        return ndshm__fail((int)got, "'%s': reading it: %s", spool->source->path,
                           ndshm_strerror((int)got));
    spool->got = got;
    return ndshm__csv_advance(spool->source, got, 0);
}

int ndshm__csv_spool_write(struct ndshm__csv_spool *spool, const void *data, int64_t size)
{
    int status = ndshm__os_pwrite(spool->to, data, size, spool->size);
    if (status)
        return ndshm__fail(status, "'%s': no memory for more than %lld bytes of its text: %s",
                           spool->source->path, (long long)spool->size, ndshm_strerror(status));
    spool->size += size;
    return 0;
}

static int copy_all(struct ndshm__csv_spool *spool)
{
    int status = ndshm__csv_spool_read(spool);
    if (!status && ndshm__csv_is_compressed(spool->input, spool->got))
        return ndshm__csv_inflate(spool);
    while (!status && spool->got > 0) {
        status = ndshm__csv_spool_write(spool, spool->input, spool->got);
        if (!status)
            status = ndshm__csv_spool_read(spool);
    }
    return status;
}

int ndshm__csv_spool(struct ndshm__csv_source *source, int from)
{
    struct ndshm__csv_spool spool = {.source = source, .from = from};
    spool.to = ndshm__os_open_memory();
    if (spool.to < 0)
        return ndshm__fail(spool.to, "'%s': no file in memory for its text: %s", source->path,
                           ndshm_strerror(spool.to));
    spool.input = ndshm__resize(NULL, NDSHM__CSV_PIECE);
    int status = spool.input ? copy_all(&spool)
                             : ndshm__fail(-ENOMEM, "'%s': no memory to read it", source->path);
    free(spool.input);
    if (status) {
        ndshm__os_close(spool.to);
        return status;
    }
    source->fd = spool.to;
    source->size = spool.size;
    if (source->progress) /* what was fetched is all that there was */
        __atomic_store_n(&source->progress->all, source->progress->done, __ATOMIC_RELAXED);
    return 0;
}
