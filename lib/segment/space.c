/* SPDX-License-Identifier: MIT */
/* Memory is reserved before a name is visible; when there is none, the message says what to do. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/os.h"
#include "segment/internal.h"

enum {
    CHUNK = 16 << 20,         /* progress is kept where a signal interrupts the call */
    WORTH_CHECKING = 1 << 20, /* for less, the calls themselves may fail */
    MARGIN = 4 << 20          /* left to everybody else */
};

static int explain_full(const char *name, int64_t size)
{
    ndshm__os_space space;
    char asked[NDSHM__BYTES_TEXT], have[NDSHM__BYTES_TEXT], all[NDSHM__BYTES_TEXT];
    ndshm__bytes_text((uint64_t)size, asked);
    if (ndshm__os_space_of_directory(&space))
        return ndshm__fail(-ENOSPC, "'%s': %s asked, but /dev/shm is full", name, asked);
    if (space.inodes_free == 0)
        return ndshm__fail(-ENOSPC,
                           "'%s': /dev/shm has no inodes left (bytes are free); remove segments "
                           "(shm-inspect list) or remount it with a larger nr_inodes",
                           name);
    ndshm__bytes_text((uint64_t)space.bytes_free, have);
    ndshm__bytes_text((uint64_t)space.bytes, all);
    uint64_t total = (uint64_t)(space.bytes - space.bytes_free) + (uint64_t)size;
    long long need = (long long)(total / (1 << 20)) + 1;
    return ndshm__fail(-ENOSPC,
                       "'%s': %s asked, %s free of %s in /dev/shm; remove segments (shm-inspect "
                       "clean), start the container with --shm-size=%lldm, or mount -o "
                       "remount,size=%lldm /dev/shm",
                       name, asked, have, all, need, need);
}

static int check_file_size(const char *name, int64_t size)
{
    char asked[NDSHM__BYTES_TEXT], have[NDSHM__BYTES_TEXT];
    int64_t limit = ndshm__os_file_size_limit();
    if (size <= limit)
        return 0;
    return ndshm__fail(-EFBIG,
                       "'%s': %s asked, but this process may write files of %s at most "
                       "(RLIMIT_FSIZE); raise it with ulimit -f",
                       name, ndshm__bytes_text((uint64_t)size, asked),
                       ndshm__bytes_text((uint64_t)limit, have));
}

static int check_cgroup(const char *name, int64_t size)
{
    char asked[NDSHM__BYTES_TEXT], have[NDSHM__BYTES_TEXT], group[256];
    int64_t headroom = ndshm__os_cgroup_headroom(group, sizeof group);
    if (headroom == INT64_MAX || size <= headroom - MARGIN)
        return 0;
    return ndshm__fail(-ENOMEM,
                       "'%s': %s asked, but the memory cgroup has %s left (%s), and the kernel "
                       "would kill this process; raise the limit or remove segments "
                       "(shm-inspect list)",
                       name, ndshm__bytes_text((uint64_t)size, asked),
                       ndshm__bytes_text((uint64_t)headroom, have), group);
}

/* A tmpfs may be larger than the memory behind it: filling it up would end this machine's
 * processes. */
static int check_machine(const char *name, int64_t size)
{
    char asked[NDSHM__BYTES_TEXT], have[NDSHM__BYTES_TEXT];
    int64_t available = ndshm__os_memory_available();
    if (available == INT64_MAX || size <= available - MARGIN)
        return 0;
    return ndshm__fail(-ENOMEM,
                       "'%s': %s asked, but this machine has %s of memory left; remove segments "
                       "(shm-inspect list) or end other programs",
                       name, ndshm__bytes_text((uint64_t)size, asked),
                       ndshm__bytes_text((uint64_t)available, have));
}

int ndshm__space_check(const char *name, int64_t size)
{
    ndshm__os_space space;
    int status = check_file_size(name, size);
    if (status || size < WORTH_CHECKING)
        return status;
    if (ndshm__os_space_of_directory(&space) == 0 && space.tmpfs && space.bytes > 0 &&
        size > space.bytes_free)
        return explain_full(name, size);
    status = check_cgroup(name, size);
    return status ? status : check_machine(name, size);
}

int ndshm__space_explain(int status, const char *name, int64_t size, const char *call)
{
    char asked[NDSHM__BYTES_TEXT];
    if (status == -ENOSPC || status == -EDQUOT)
        return explain_full(name, size);
    if (status == -EMFILE || status == -ENFILE)
        return ndshm__fail(status,
                           "'%s': no free file descriptor, and one is needed for a moment; close "
                           "some or raise ulimit -n",
                           name);
    if (status == -ENOMEM)
        return ndshm__fail(status,
                           "'%s': no memory or address space for %s (ulimit -v, vm.max_map_count)",
                           name, ndshm__bytes_text((uint64_t)size, asked));
    return ndshm__fail(status, "'%s': %s failed: %s", name, call, ndshm_strerror(status));
}

int ndshm__space_reserve(int fd, const char *name, int64_t offset, int64_t size)
{
    for (int64_t done = 0; done < size; done += CHUNK) {
        int64_t part = size - done < CHUNK ? size - done : CHUNK;
        int status = ndshm__os_reserve(fd, offset + done, part);
        if (status)
            return ndshm__space_explain(status, name, offset + size, "posix_fallocate");
    }
    return 0;
}
