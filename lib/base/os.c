/* SPDX-License-Identifier: MIT */
/* Memory, mappings and locks. */
#include "base/os.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/os_fault.h"

#ifdef NDSHM_FAULTS
int (*ndshm__os_fault)(const char *call);
#endif

void *ndshm__alloc(size_t size)
{
    if (ndshm__os_injected("alloc"))
        return NULL;
    return calloc(1, size ? size : 1);
}

void *ndshm__resize(void *old, size_t size)
{
    if (ndshm__os_injected("alloc"))
        return NULL;
    return realloc(old, size ? size : 1);
}

char *ndshm__duplicate(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = ndshm__alloc(size);
    if (copy)
        memcpy(copy, text, size);
    return copy;
}

static int lock_byte(int fd, int command, short type, int64_t byte)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    int result = ndshm__os_result(fcntl(fd, command, &lock));
    return result == -EACCES ? -EAGAIN : result; /* POSIX allows either */
}

int ndshm__os_lock_read(int fd, int64_t byte)
{
    int fault = ndshm__os_injected("lock_read");
    return fault ? -fault : lock_byte(fd, F_OFD_SETLK, F_RDLCK, byte);
}

int ndshm__os_lock_write(int fd, int64_t byte)
{
    int fault = ndshm__os_injected("lock_write");
    return fault ? -fault : lock_byte(fd, F_OFD_SETLK, F_WRLCK, byte);
}

int ndshm__os_unlock(int fd, int64_t byte)
{
    int fault = ndshm__os_injected("unlock");
    return fault ? -fault : lock_byte(fd, F_OFD_SETLK, F_UNLCK, byte);
}

int ndshm__os_locked(int fd, int64_t byte)
{
    int fault = ndshm__os_injected("locked");
    if (fault)
        return -fault;
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    if (fcntl(fd, F_OFD_GETLK, &lock) < 0)
        return -errno;
    return lock.l_type != F_UNLCK;
}

int ndshm__os_lease(int fd)
{
    int fault = ndshm__os_injected("lease");
    if (fault)
        return -fault;
    /* The default signal of a lease that is asked back ends the process; this one is ignored. */
    if (fcntl(fd, F_SETSIG, SIGURG) < 0)
        return -errno;
    return ndshm__os_result(fcntl(fd, F_SETLEASE, F_WRLCK));
}

int ndshm__os_unlease(int fd)
{
    int fault = ndshm__os_injected("unlease");
    return fault ? -fault : ndshm__os_result(fcntl(fd, F_SETLEASE, F_UNLCK));
}

int ndshm__os_map(int fd, int64_t size, int how, void **out)
{
    int fault = ndshm__os_injected("map");
    if (fault)
        return -fault;
    int protection = how == NDSHM__MAP_READ ? PROT_READ : PROT_READ | PROT_WRITE;
    int flags = how == NDSHM__MAP_COW ? MAP_PRIVATE | MAP_NORESERVE : MAP_SHARED;
    void *address = mmap(NULL, (size_t)size, protection, flags, fd, 0);
    if (address == MAP_FAILED)
        return -errno;
    *out = address;
    return 0;
}

int ndshm__os_unmap(void *address, int64_t size)
{
    return ndshm__os_result(munmap(address, (size_t)size));
}

int64_t ndshm__os_page_size(void)
{
    return sysconf(_SC_PAGESIZE);
}

void ndshm__os_advise_no_dump(void *address, int64_t size)
{
    if (!ndshm__os_injected("advise_no_dump"))
        madvise(address, (size_t)size, MADV_DONTDUMP);
}

int ndshm__os_advise_no_fork(void *address, int64_t size)
{
    int fault = ndshm__os_injected("advise_no_fork");
    return fault ? -fault : ndshm__os_result(madvise(address, (size_t)size, MADV_DONTFORK));
}

int ndshm__os_advise_huge(void *address, int64_t size)
{
    int fault = ndshm__os_injected("advise_huge");
    return fault ? -fault : ndshm__os_result(madvise(address, (size_t)size, MADV_HUGEPAGE));
}

int ndshm__os_populate(void *address, int64_t size)
{
    int fault = ndshm__os_injected("populate");
    return fault ? -fault : ndshm__os_result(madvise(address, (size_t)size, MADV_POPULATE_WRITE));
}

int64_t ndshm__os_read_self(const void *address, void *buffer, int64_t size)
{
    size_t part = (size_t)size;
    if (ndshm__os_refused("read_self", &part))
        return -errno;
    struct iovec local = {buffer, part};
    struct iovec remote = {(void *)(uintptr_t)address, part};
    ssize_t got = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
    return got < 0 ? -errno : got;
}
