/* SPDX-License-Identifier: MIT */
#include "csv/source.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/os.h"
#include "csv/spool.h"

static int failed(const struct ndshm__csv_source *source, int status, const char *what)
{
    return ndshm__fail(status, "'%s': %s: %s", source->path, what, ndshm_strerror(status));
}

int ndshm__csv_canceled(const struct ndshm__csv_source *source)
{
    const ndshm_csv_progress *progress = source->progress;
    if (!progress || !__atomic_load_n(&progress->cancel, __ATOMIC_RELAXED))
        return 0;
    return ndshm__fail(NDSHM_ECANCELED, "'%s': reading it was canceled", source->path);
}

int ndshm__csv_advance(const struct ndshm__csv_source *source, int64_t done, int64_t all)
{
    ndshm_csv_progress *progress = source->progress;
    if (!progress)
        return 0;
    int64_t now_all = __atomic_load_n(&progress->all, __ATOMIC_RELAXED) + all;
    int64_t now_done = __atomic_load_n(&progress->done, __ATOMIC_RELAXED) + done;
    __atomic_store_n(&progress->all, now_all, __ATOMIC_RELAXED);
    __atomic_store_n(&progress->done, now_done, __ATOMIC_RELAXED);
    return ndshm__csv_canceled(source);
}

static int spool(struct ndshm__csv_source *source, int from)
{
    int status = ndshm__csv_spool(source, from);
    if (from != source->fd)
        ndshm__os_close(from);
    return status;
}

/* Files are read where they are, unless they are compressed; standard input only from where it
 * stands. */
static int examine(struct ndshm__csv_source *source, int fd, bool anywhere)
{
    struct stat file;
    unsigned char first[4];
    int status = ndshm__os_stat(fd, &file);
    if (status || S_ISDIR(file.st_mode)) {
        ndshm__os_close(fd);
        return failed(source, status ? status : -EISDIR, "reading it");
    }
    int64_t known = S_ISREG(file.st_mode) ? (int64_t)file.st_size : 0;
    int64_t got = known && anywhere ? ndshm__os_pread(fd, first, sizeof first, 0) : 0;
    if (got > 0 && !ndshm__csv_is_compressed(first, got)) {
        source->fd = fd;
        source->size = known;
        return 0;
    }
    status = ndshm__csv_advance(source, 0, known);
    if (!status)
        return spool(source, fd);
    ndshm__os_close(fd);
    return status;
}

int ndshm__csv_source_open(struct ndshm__csv_source *source)
{
    source->fd = -1;
    bool standard = strcmp(source->path, "-") == 0;
    int fd = standard ? ndshm__os_duplicate(STDIN_FILENO) : ndshm__os_open_input(source->path);
    return fd < 0 ? failed(source, fd, "opening it") : examine(source, fd, !standard);
}

void ndshm__csv_source_close(struct ndshm__csv_source *source)
{
    if (source->fd >= 0)
        ndshm__os_close(source->fd);
    source->fd = -1;
}
