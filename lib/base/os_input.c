/* SPDX-License-Identifier: MIT */
/* Files anywhere that are read or written as streams, and descriptors of other processes. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "base/os.h"
#include "base/os_fault.h"

int ndshm__os_open_input(const char *path)
{
    int fault = ndshm__os_injected("open_input");
    /* A FIFO without a writer must not hold us in open. */
    return fault ? -fault
                 : ndshm__os_result(open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
}

int ndshm__os_open_output(const char *path, bool create)
{
    int fault = ndshm__os_injected("open_output");
    int flags = O_WRONLY | O_CLOEXEC | O_NOCTTY | (create ? O_CREAT | O_EXCL : 0);
    return fault ? -fault : ndshm__os_result(open(path, flags, 0666));
}

int ndshm__os_stat_path(const char *path, struct stat *out)
{
    int fault = ndshm__os_injected("stat_path");
    return fault ? -fault : ndshm__os_result(stat(path, out));
}

int ndshm__os_print_output(const char *path, FILE **out)
{
    int fault = ndshm__os_injected("print_output");
    int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY;
    int fd = fault ? -fault : ndshm__os_result(open(path, flags | O_NONBLOCK, 0666));
    if (fd < 0)
        return fd;
    if (fcntl(fd, F_SETFL, O_WRONLY) == 0 && (*out = fdopen(fd, "w")))
        return 0;
    int status = -errno;
    close(fd);
    return status;
}

int ndshm__os_duplicate(int fd)
{
    int fault = ndshm__os_injected("duplicate");
    return fault ? -fault : ndshm__os_result(fcntl(fd, F_DUPFD_CLOEXEC, 3));
}

int64_t ndshm__os_read_input(int fd, void *buffer, int64_t size)
{
    size_t part = (size_t)size;
    ssize_t got = ndshm__os_refused("read_input", &part) ? -1 : read(fd, buffer, part);
    return got < 0 ? -errno : got;
}

int ndshm__os_write_output(int fd, const void *data, int64_t size)
{
    for (int64_t done = 0; done < size;) {
        size_t part = (size_t)(size - done);
        const char *from = (const char *)data + done;
        ssize_t put = ndshm__os_refused("write_output", &part) ? -1 : write(fd, from, part);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return put < 0 ? -errno : -EIO;
        done += put;
    }
    return 0;
}

int ndshm__os_wait_input(int fd, int timeout_ms)
{
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    int fault = ndshm__os_injected("wait_input");
    int ready = fault ? -fault : ndshm__os_result(poll(&wait, 1, timeout_ms));
    return ready == -EINTR ? 0 : ready;
}

int64_t ndshm__os_position(int fd)
{
    int fault = ndshm__os_injected("position");
    if (fault)
        return -fault;
    int64_t at = lseek(fd, 0, SEEK_CUR);
    return at < 0 ? -errno : at;
}

int ndshm__os_replace(const char *from, const char *to)
{
    int fault = ndshm__os_injected("replace");
    return fault ? -fault : ndshm__os_result(rename(from, to));
}

int ndshm__os_remove(const char *path)
{
    int fault = ndshm__os_injected("remove");
    return fault ? -fault : ndshm__os_result(unlink(path));
}

int ndshm__os_open_peer(uint32_t pid, int fd, bool writable)
{
    char path[64];
    int fault = ndshm__os_injected("open_peer");
    if (fault)
        return -fault;
    snprintf(path, sizeof path, "/proc/%u/fd/%d", pid, fd);
    return ndshm__os_result(open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK));
}
