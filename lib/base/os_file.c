/* SPDX-License-Identifier: MIT */
/* Files of the shared-memory directory. */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "base/os.h"
#include "base/os_fault.h"

#define DIRECTORY NDSHM__OS_DIRECTORY

enum { PATH_SIZE = sizeof DIRECTORY + 1 + NAME_MAX };

static int make_path(char path[PATH_SIZE], const char *name)
{
    int length = snprintf(path, PATH_SIZE, DIRECTORY "/%s", name);
    return length < PATH_SIZE ? 0 : -ENAMETOOLONG;
}

int ndshm__os_open(const char *name, bool writable)
{
    int fault = ndshm__os_injected("open");
    if (fault)
        return -fault;
    /* shm_open adds O_NOFOLLOW and O_CLOEXEC. A FIFO in the place of a segment must not block us.
     */
    int flags = (writable ? O_RDWR : O_RDONLY) | O_NONBLOCK | O_NOCTTY;
    int result = ndshm__os_result(shm_open(name, flags, 0));
    return result == -EINVAL ? -EISDIR : result; /* glibc calls a directory an invalid name */
}

int ndshm__os_open_exclusive(const char *name, uint32_t mode)
{
    int fault = ndshm__os_injected("open_exclusive");
    return fault ? -fault : ndshm__os_result(shm_open(name, O_RDWR | O_CREAT | O_EXCL, mode));
}

int ndshm__os_open_anonymous(void)
{
    int fault = ndshm__os_injected("open_anonymous");
    return fault ? -fault : ndshm__os_result(open(DIRECTORY, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
}

int ndshm__os_open_memory(void)
{
    int fault = ndshm__os_injected("open_memory");
    return fault ? -fault : ndshm__os_result(memfd_create("ndshm", MFD_CLOEXEC));
}

static void proc_path(char path[32], int fd)
{
    snprintf(path, 32, "/proc/self/fd/%d", fd);
}

int ndshm__os_reopen(int fd, bool writable)
{
    int fault = ndshm__os_injected("reopen");
    if (fault)
        return -fault;
    char path[32];
    proc_path(path, fd);
    return ndshm__os_result(open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK));
}

int ndshm__os_link_proc(int fd, const char *name)
{
    int fault = ndshm__os_injected("link_proc");
    char to[PATH_SIZE];
    int status = fault ? -fault : make_path(to, name);
    if (status)
        return status;
    char from[32];
    proc_path(from, fd);
    return ndshm__os_result(linkat(AT_FDCWD, from, AT_FDCWD, to, AT_SYMLINK_FOLLOW));
}

int ndshm__os_link_empty_path(int fd, const char *name)
{
    int fault = ndshm__os_injected("link_empty_path");
    char to[PATH_SIZE];
    int status = fault ? -fault : make_path(to, name);
    if (status)
        return status;
    return ndshm__os_result(linkat(fd, "", AT_FDCWD, to, AT_EMPTY_PATH));
}

int ndshm__os_rename(const char *from, const char *to)
{
    int fault = ndshm__os_injected("rename");
    char from_path[PATH_SIZE], to_path[PATH_SIZE];
    int status = fault ? -fault : make_path(from_path, from);
    if (!status)
        status = make_path(to_path, to);
    if (status)
        return status;
    return ndshm__os_result(renameat2(AT_FDCWD, from_path, AT_FDCWD, to_path, RENAME_NOREPLACE));
}

int ndshm__os_unlink(const char *name)
{
    int fault = ndshm__os_injected("unlink");
    return fault ? -fault : ndshm__os_result(shm_unlink(name));
}

int ndshm__os_close(int fd)
{
    /* Never retried: Linux frees the number even when the call fails. */
    int fault = ndshm__os_injected("close"), result = ndshm__os_result(close(fd));
    return fault ? -fault : result;
}

int ndshm__os_stat(int fd, struct stat *out)
{
    int fault = ndshm__os_injected("stat");
    return fault ? -fault : ndshm__os_result(fstat(fd, out));
}

int ndshm__os_stat_name(const char *name, struct stat *out)
{
    int fault = ndshm__os_injected("stat_name");
    char path[PATH_SIZE];
    int status = fault ? -fault : make_path(path, name);
    return status ? status : ndshm__os_result(lstat(path, out));
}

int ndshm__os_chmod(int fd, uint32_t mode)
{
    int fault = ndshm__os_injected("chmod");
    return fault ? -fault : ndshm__os_result(fchmod(fd, mode));
}

int ndshm__os_truncate(int fd, int64_t size)
{
    int fault = ndshm__os_injected("truncate");
    return fault ? -fault : ndshm__os_result(ftruncate(fd, size));
}

int ndshm__os_reserve(int fd, int64_t offset, int64_t size)
{
    int error;
    do {
        error = ndshm__os_injected("reserve");
        if (!error)
            error = posix_fallocate(fd, offset, size); /* returns its error, errno is untouched */
    } while (error == EINTR);
    return -error;
}

int64_t ndshm__os_pread(int fd, void *buffer, int64_t size, int64_t offset)
{
    int64_t done = 0;
    while (done < size) {
        size_t part = (size_t)(size - done);
        ssize_t got = ndshm__os_refused("pread", &part)
                          ? -1
                          : pread(fd, (char *)buffer + done, part, offset + done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            break;
        done += got;
    }
    return done;
}

int ndshm__os_pwrite(int fd, const void *data, int64_t size, int64_t offset)
{
    if (offset > ndshm__os_file_size_limit() - size)
        return -EFBIG; /* the call would end the process with SIGXFSZ */
    for (int64_t done = 0; done < size;) {
        size_t part = (size_t)(size - done);
        ssize_t put = ndshm__os_refused("pwrite", &part)
                          ? -1
                          : pwrite(fd, (const char *)data + done, part, offset + done);
        if (put < 0 && errno == EINTR)
            continue;
        if (put <= 0)
            return put < 0 ? -errno : -EIO;
        done += put;
    }
    return 0;
}

static void space_fill(const struct statfs *fs, uint64_t device, ndshm__os_space *out)
{
    out->block_size = fs->f_bsize;
    out->bytes = (int64_t)fs->f_blocks * fs->f_bsize;
    out->bytes_free = (int64_t)fs->f_bavail * fs->f_bsize;
    out->inodes_free = fs->f_files ? (int64_t)fs->f_ffree : INT64_MAX;
    out->tmpfs = fs->f_type == TMPFS_MAGIC;
    out->device = device;
}

int ndshm__os_space_of(int fd, ndshm__os_space *out)
{
    int fault = ndshm__os_injected("space_of");
    struct statfs fs;
    struct stat file;
    if (fault)
        return -fault;
    if (fstatfs(fd, &fs) < 0 || fstat(fd, &file) < 0)
        return -errno;
    space_fill(&fs, file.st_dev, out);
    return 0;
}

int ndshm__os_space_of_directory(ndshm__os_space *out)
{
    int fault = ndshm__os_injected("space_of");
    struct statfs fs;
    struct stat directory;
    if (fault)
        return -fault;
    if (statfs(DIRECTORY, &fs) < 0 || stat(DIRECTORY, &directory) < 0)
        return -errno;
    space_fill(&fs, directory.st_dev, out);
    return 0;
}

int ndshm__os_directory_open(ndshm__os_directory **out)
{
    int fault = ndshm__os_injected("directory_open");
    if (fault)
        return -fault;
    DIR *directory = opendir(DIRECTORY);
    if (!directory)
        return -errno;
    *out = (ndshm__os_directory *)directory;
    return 0;
}

int ndshm__os_directory_next(ndshm__os_directory *directory, const char **name)
{
    struct dirent *entry;
    int fault = ndshm__os_injected("directory_next");
    if (fault)
        return -fault;
    errno = 0;
    while ((entry = readdir((DIR *)directory)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            *name = entry->d_name;
            return 1;
        }
    return -errno;
}

void ndshm__os_directory_close(ndshm__os_directory *directory)
{
    closedir((DIR *)directory);
}

static int add_watch(int watch, const char *path, uint32_t events)
{
    if (inotify_add_watch(watch, path, events) >= 0)
        return watch;
    int status = -errno;
    close(watch);
    return status;
}

int ndshm__os_watch_open(void)
{
    int fault = ndshm__os_injected("watch_open");
    if (fault)
        return -fault;
    int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (watch < 0)
        return -errno;
    return add_watch(watch, DIRECTORY, IN_CREATE | IN_MOVED_TO | IN_ATTRIB);
}

int ndshm__os_watch_file(const char *name)
{
    char path[PATH_SIZE];
    int fault = ndshm__os_injected("watch_file");
    if (fault)
        return -fault;
    int status = make_path(path, name);
    if (status)
        return status;
    int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    return watch < 0 ? -errno : add_watch(watch, path, IN_ATTRIB);
}

void ndshm__os_watch_drain(int watch)
{
    char events[4096];
    while (read(watch, events, sizeof events) > 0)
        ;
}

void ndshm__os_touch(const char *name)
{
    char path[PATH_SIZE];
    if (!make_path(path, name))
        utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW);
}

int ndshm__os_watch_any(const int *fds, int count)
{
    int fault = ndshm__os_injected("epoll");
    int any = fault ? -fault : ndshm__os_result(epoll_create1(EPOLL_CLOEXEC));
    for (int i = 0; any >= 0 && i < count; i++) {
        struct epoll_event event = {.events = EPOLLIN};
        if (epoll_ctl(any, EPOLL_CTL_ADD, fds[i], &event) < 0) {
            int status = -errno;
            close(any);
            any = status;
        }
    }
    return any;
}

int ndshm__os_watch_wait(int watch, int timeout_ms)
{
    int fault = ndshm__os_injected("watch_wait");
    struct pollfd wait = {.fd = watch, .events = POLLIN};
    int status = fault ? -fault : ndshm__os_result(poll(&wait, 1, timeout_ms));
    if (status < 0)
        return status == -EINTR ? 0 : status;
    ndshm__os_watch_drain(watch);
    return 0;
}
