/* SPDX-License-Identifier: MIT */
/* Using the memory of a segment again: a mapping that outlives its segment's use holds CACHE and
 * not LIVE, and becomes the next segment when a write lock on LIVE proves that nobody uses it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"
#include "segment/internal.h"

/* A task may have closed our descriptor, and another file may have its number by now. */
static bool is_intact(const struct ndshm__kept *kept, struct stat *file)
{
    return ndshm__os_stat(kept->fd, file) == 0 && file->st_ino == kept->inode &&
           file->st_dev == kept->device;
}

bool ndshm__kept_named(const struct ndshm__kept *kept)
{
    struct stat file;
    return is_intact(kept, &file) && file.st_nlink == 1;
}

void ndshm__kept_close(struct ndshm__kept *kept)
{
    struct stat file;
    bool intact = is_intact(kept, &file);
    ndshm__os_unmap(kept->base, kept->total_size);
    if (intact)
        ndshm__os_close(kept->fd);
    if (intact && kept->name[0])
        ndshm__reap_quietly(kept->name, kept->uuid);
}

bool ndshm__segment_part(ndshm__segment **segment, struct ndshm__kept *out)
{
    ndshm__segment *leaving = *segment;
    struct stat file;
    if (!leaving->keep || !leaving->published || leaving->fd < 0 || leaving->holds ||
        atomic_load(&leaving->count) != 1 || ndshm__os_stat(leaving->fd, &file) ||
        ndshm__os_lock_read(leaving->fd, NDSHM__LOCK_CACHE)) {
        ndshm__segment_release(segment);
        return false;
    }
    ndshm__os_unlock(leaving->fd, NDSHM__LOCK_LIVE);
    *out = (struct ndshm__kept){.base = leaving->base,
                                .fd = leaving->fd,
                                .total_size = leaving->total_size,
                                .payload_offset = leaving->payload_offset,
                                .kind = leaving->kind,
                                .inode = file.st_ino,
                                .device = file.st_dev};
    memcpy(out->uuid, leaving->uuid, sizeof out->uuid);
    memcpy(out->name, leaving->name, sizeof out->name);
    free(leaving->descriptor);
    free(leaving);
    *segment = NULL;
    return true;
}

static int open_kept(int fd, const char *name, struct ndshm__kept *out)
{
    struct stat file;
    struct ndshm__header header;
    int status = ndshm__os_lock_read(fd, NDSHM__LOCK_CACHE);
    if (!status)
        status = ndshm__os_stat(fd, &file);
    if (!status && (!S_ISREG(file.st_mode) || file.st_uid != ndshm__os_euid()))
        status = NDSHM_EKIND;
    if (!status)
        status = ndshm__header_read_identity(fd, name, &file, &header);
    if (!status)
        status = ndshm__os_map(fd, file.st_size, NDSHM__MAP_WRITE, &out->base);
    if (status)
        return status;
    ndshm__os_advise_no_dump(out->base, file.st_size);
    ndshm__os_populate(out->base, file.st_size);
    out->fd = fd;
    out->total_size = file.st_size;
    out->payload_offset = header.identity.payload_offset;
    out->kind = header.identity.kind;
    out->inode = file.st_ino;
    out->device = file.st_dev;
    out->name[0] = '\0';
    memcpy(out->uuid, header.identity.uuid, sizeof out->uuid);
    return 0;
}

int ndshm__kept_open(const char *name, struct ndshm__kept *out)
{
    ndshm__os_window_enter();
    int fd = ndshm__open(name, true);
    int status = fd < 0 ? fd : open_kept(fd, name, out);
    if (status && fd >= 0)
        ndshm__os_close(fd);
    ndshm__os_window_leave();
    return status;
}

/* Whether the file can hold what spec asks for behind a header of the same length. */
static int measure(const ndshm__spec *spec, const struct ndshm__kept *kept, int64_t *descriptor)
{
    int64_t offset, end;
    *descriptor = ndshm__descriptor_size(spec->name, spec->ndim, spec->body_size);
    if (*descriptor < 0 || kept->kind != spec->kind)
        return -EINVAL;
    ndshm__align(NDSHM__DESCRIPTOR_OFFSET + *descriptor, NDSHM__PAGE, &offset);
    if (offset != kept->payload_offset || !ndshm__add(offset, spec->payload_size, &end) ||
        end > kept->total_size)
        return -EINVAL;
    return 0;
}

/* Under the write lock on LIVE. */
static void rewrite(ndshm__segment *segment, const ndshm__spec *spec, int64_t size)
{
    struct ndshm__mutable *changing = (void *)(segment->base + NDSHM__MUTABLE_OFFSET);
    changing->lifetime = ndshm__lifetime_encode(segment->lifetime);
    segment->descriptor = (void *)(segment->base + NDSHM__DESCRIPTOR_OFFSET);
    memset(segment->descriptor, 0, (size_t)(segment->payload_offset - NDSHM__DESCRIPTOR_OFFSET));
    ndshm__descriptor_fill(segment->descriptor, spec, segment->name, size);
    ndshm__descriptor_seal(segment->descriptor); /* who looks now must see that it is renamed */
}

static int take_live(const struct ndshm__kept *kept, const char *free_name)
{
    int status = ndshm__os_lock_write(kept->fd, NDSHM__LOCK_LIVE);
    if (status)
        return status;
    int same = ndshm__same_file(kept->fd, free_name);
    if (same != 1)
        ndshm__os_unlock(kept->fd, NDSHM__LOCK_LIVE);
    return same == 1 ? 0 : -ENOENT;
}

int ndshm__segment_reuse(const ndshm__spec *spec, const struct ndshm__kept *kept,
                         const char *free_name, ndshm__segment **out)
{
    int64_t descriptor;
    struct stat file;
    int status = is_intact(kept, &file) ? measure(spec, kept, &descriptor) : -EBADF;
    if (status)
        return status;
    ndshm__segment *segment = ndshm__alloc(sizeof *segment);
    if (!segment)
        return -ENOMEM;
    status = ndshm__ladder_of(kept->device, &segment->ladder);
    if (!status)
        status = take_live(kept, free_name);
    if (status) {
        free(segment);
        return status;
    }
    segment->count = 1;
    segment->fd = kept->fd;
    segment->access = NDSHM_WRITE;
    segment->keep = true;
    segment->generation = ndshm__os_generation();
    segment->kind = kept->kind;
    segment->lifetime = NDSHM_RECLAIMABLE;
    segment->base = kept->base;
    segment->total_size = kept->total_size;
    segment->payload_offset = kept->payload_offset;
    segment->payload_size = spec->payload_size;
    memcpy(segment->uuid, kept->uuid, sizeof segment->uuid);
    ndshm__text_copy(segment->name, sizeof segment->name, spec->name);
    ndshm__text_copy(segment->draft, sizeof segment->draft, free_name);
    ndshm__text_copy(segment->pool, sizeof segment->pool, spec->pool);
    rewrite(segment, spec, descriptor);
    ndshm__os_lock_read(kept->fd, NDSHM__LOCK_LIVE); /* of our own write lock: cannot fail */
    *out = segment;
    return 0;
}
