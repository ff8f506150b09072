/* SPDX-License-Identifier: MIT */
/* From a name to a checked mapping that the kernel counts as a use. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"
#include "segment/internal.h"

static int check_access(const char *name, int access)
{
    int how = access & ~NDSHM_FOREIGN;
    if (how < NDSHM_READ || how > NDSHM_WRITE)
        return ndshm__fail(-EINVAL, "'%s': access %d is none of NDSHM_READ, NDSHM_COW, NDSHM_WRITE",
                           name, access);
    return 0;
}

static int check_file(const char *name, int access, const struct stat *file)
{
    if (!S_ISREG(file->st_mode))
        return ndshm__fail(NDSHM_EKIND, "'%s': not a segment of ndshm, but a %s", name,
                           S_ISDIR(file->st_mode) ? "directory" : "FIFO or device");
    if (file->st_uid != 0 && file->st_uid != ndshm__os_euid() && !(access & NDSHM_FOREIGN))
        return ndshm__fail(-EPERM,
                           "'%s': owned by user %u, who could change it under us; attach with "
                           "NDSHM_FOREIGN if you trust that user",
                           name, file->st_uid);
    if (file->st_nlink == 0)
        return ndshm__fail(-ENOENT, "'%s': no such segment; it was removed this moment", name);
    if (file->st_nlink != 1)
        return ndshm__fail(-EMLINK, "'%s': has %lu hard links; a segment has one name", name,
                           (unsigned long)file->st_nlink);
    return 0;
}

static int check_header(const char *name, uint32_t kind, struct ndshm__header *header)
{
    static const char *const kinds[] = {
        "a thing unknown here", "an array", "a frame", "a pool", "a job", "a reference"};
    uint32_t found = header->identity.kind < 6 ? header->identity.kind : 0;
    if (kind && header->identity.kind != kind)
        return ndshm__fail(NDSHM_EKIND, "'%s': holds %s, not %s", name, kinds[found], kinds[kind]);
    const char *own = ndshm__descriptor_name(header->descriptor);
    if (strcmp(own, name) != 0)
        return ndshm__fail(-ENOENT,
                           "'%s': no such segment; the file of that name was renamed from '%s'",
                           name, own);
    return 0;
}

static int map_file(ndshm__segment *segment, int fd)
{
    void *base;
    int how = segment->access == NDSHM_READ  ? NDSHM__MAP_READ
              : segment->access == NDSHM_COW ? NDSHM__MAP_COW
                                             : NDSHM__MAP_WRITE;
    int status = ndshm__os_map(fd, segment->total_size, how, &base);
    if (status)
        return ndshm__space_explain(status, segment->name, segment->total_size, "mmap");
    segment->base = base;
    ndshm__os_advise_no_dump(base, segment->total_size);
    return 0;
}

static void take_over(ndshm__segment *segment, const struct ndshm__header *header)
{
    segment->published = true;
    segment->lifetime = ndshm__lifetime_decode(header->lifetime);
    segment->total_size = header->identity.total_size;
    segment->payload_offset = header->identity.payload_offset;
    segment->payload_size = header->descriptor->payload_size;
    segment->kind = header->identity.kind;
    segment->descriptor = header->descriptor;
    memcpy(segment->uuid, header->identity.uuid, sizeof segment->uuid);
    ndshm__text_copy(segment->pool, sizeof segment->pool, header->identity.pool);
}

/* On success the descriptor stays open only where a mapping alone does not show liveness. */
static int attach_file(ndshm__segment *segment, int fd, uint32_t kind, int access)
{
    struct stat file;
    struct ndshm__header header = {0};
    /* First: only under it are the number of links and the header final. */
    int status = ndshm__lock_live(fd);
    if (status == -EAGAIN)
        return ndshm__fail(-EBUSY, "'%s': another process has kept it locked for %d ms; try again",
                           segment->name, NDSHM__RETRIES);
    if (!status)
        status = ndshm__os_stat(fd, &file);
    if (status)
        return ndshm__space_explain(status, segment->name, 0, "locking it as in use");
    status = check_file(segment->name, access, &file);
    if (!status)
        status = ndshm__header_read(fd, segment->name, &file, &header);
    if (status)
        return status;
    status = check_header(segment->name, kind, &header);
    if (!status && (status = ndshm__ladder_of(file.st_dev, &segment->ladder)))
        status = ndshm__space_explain(status, segment->name, 0, "the self-test of /dev/shm");
    if (!status) {
        segment->total_size = file.st_size;
        status = map_file(segment, fd);
    }
    if (status) {
        free(header.descriptor);
        return status;
    }
    take_over(segment, &header);
    if (segment->ladder.liveness != NDSHM_LIVE_MAPPING)
        segment->fd = fd;
    return 0;
}

int ndshm__segment_attach(const char *name, uint32_t kind, int access, ndshm__segment **out)
{
    const char *bare;
    int status = ndshm__name_check_any(name, &bare);
    if (!status)
        status = check_access(bare, access);
    if (status)
        return status;
    ndshm__segment *segment = ndshm__alloc(sizeof *segment);
    if (!segment)
        return ndshm__fail(-ENOMEM, "'%s': no memory for a handle", bare);
    segment->count = 1;
    segment->fd = -1;
    segment->access = access & ~NDSHM_FOREIGN;
    segment->generation = ndshm__os_generation();
    ndshm__text_copy(segment->name, sizeof segment->name, bare);
    ndshm__os_window_enter();
    int fd = ndshm__open(bare, segment->access == NDSHM_WRITE);
    status = fd < 0 ? fd : attach_file(segment, fd, kind, access);
    if (fd >= 0 && segment->fd < 0)
        ndshm__os_close(fd);
    ndshm__os_window_leave();
    if (status) {
        ndshm__segment_release(&segment);
        return status;
    }
    *out = segment;
    return 0;
}

static int hold_byte(ndshm__segment *segment, int fd, int64_t byte)
{
    int same = ndshm__same_file(fd, segment->name);
    if (same <= 0)
        return same ? same : ndshm__fail(-ENOENT, "'%s': was removed", segment->name);
    struct ndshm__hold *hold = ndshm__alloc(sizeof *hold);
    if (!hold)
        return ndshm__fail(-ENOMEM, "'%s': no memory for a lock", segment->name);
    int status = ndshm__os_lock_read(fd, byte);
    if (!status)
        status = ndshm__os_map(fd, ndshm__os_page_size(), NDSHM__MAP_READ, &hold->page);
    if (status) {
        free(hold);
        return ndshm__space_explain(status, segment->name, 0, "taking a lock");
    }
    if (segment->dontfork)
        ndshm__os_advise_no_fork(hold->page, ndshm__os_page_size());
    hold->fd = segment->ladder.liveness == NDSHM_LIVE_MAPPING ? -1 : fd;
    hold->next = segment->holds;
    segment->holds = hold;
    return 0;
}

int ndshm__segment_hold(ndshm__segment *segment, int64_t byte)
{
    ndshm__os_window_enter();
    int fd = ndshm__open(segment->name, false);
    int status = fd < 0 ? fd : hold_byte(segment, fd, byte);
    if (fd >= 0 && (status || segment->holds->fd < 0))
        ndshm__os_close(fd);
    ndshm__os_window_leave();
    return status;
}

int ndshm__segment_held(const char *name, int64_t byte)
{
    ndshm__os_window_enter();
    int fd = ndshm__open(name, false);
    int held = fd < 0 ? fd : ndshm__os_locked(fd, byte);
    if (fd >= 0)
        ndshm__os_close(fd);
    ndshm__os_window_leave();
    if (fd >= 0 && held < 0)
        return ndshm__space_explain(held, name, 0, "looking at a lock");
    return held;
}
