/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "base/os.h"
#include "segment/internal.h"

static int explain(int status, const char *name)
{
    switch (status) {
    case -ENOENT:
        return ndshm__fail(status, "'%s': no such segment; see shm-inspect list", name);
    case -EAGAIN:
        return ndshm__fail(-EBUSY,
                           "'%s': another process has been proving for %d ms that nobody "
                           "uses it; try again",
                           name, NDSHM__RETRIES);
    case -EACCES:
        return ndshm__fail(status, "'%s': its mode or owner does not allow this", name);
    case -ELOOP:
    case -EISDIR:
    case -ENXIO:
        return ndshm__fail(NDSHM_EKIND, "'%s': not a segment of ndshm, but a %s", name,
                           status == -ELOOP    ? "symbolic link"
                           : status == -EISDIR ? "directory"
                                               : "socket or device");
    default:
        return ndshm__space_explain(status, name, 0, "shm_open");
    }
}

int ndshm__open(const char *name, bool writable)
{
    int fd = ndshm__os_open(name, writable);
    for (int i = 0; fd == -EAGAIN && i < NDSHM__RETRIES; i++) {
        ndshm__os_sleep_ms(1);
        fd = ndshm__os_open(name, writable);
    }
    return fd < 0 ? explain(fd, name) : fd;
}

int ndshm__same_file(int fd, const char *name)
{
    struct stat open_file, named_file;
    int status = ndshm__os_stat(fd, &open_file);
    if (!status)
        status = ndshm__os_stat_name(name, &named_file);
    if (status == -ENOENT)
        return 0;
    if (status)
        return ndshm__fail(status, "'%s': stat failed: %s", name, ndshm_strerror(status));
    return open_file.st_nlink == 1 && open_file.st_dev == named_file.st_dev &&
           open_file.st_ino == named_file.st_ino;
}

int ndshm__lock_live(int fd)
{
    int status = ndshm__os_lock_read(fd, NDSHM__LOCK_LIVE);
    for (int i = 0; status == -EAGAIN && i < NDSHM__RETRIES; i++) {
        ndshm__os_sleep_ms(1);
        status = ndshm__os_lock_read(fd, NDSHM__LOCK_LIVE);
    }
    return status;
}
