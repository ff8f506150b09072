/* SPDX-License-Identifier: MIT */
/* Looking at a file of the shared-memory directory without disturbing anybody. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"
#include "segment/internal.h"

static void note(ndshm_info *info, const char *text)
{
    ndshm__text_copy(info->note, sizeof info->note, text);
}

static void note_placement(ndshm_info *info, uint32_t placement)
{
    static const char *const texts[] = {
        [NDSHM__PLACEMENT_APPLIED] = "placed on NUMA nodes as asked",
        [NDSHM__PLACEMENT_ONE_NODE] = "NUMA placement has no effect: this machine has one node",
        [NDSHM__PLACEMENT_NO_LIBRARY] = "NUMA placement has no effect: built without libnuma",
        [NDSHM__PLACEMENT_REFUSED] = "the kernel refused the NUMA placement",
        [NDSHM__PLACEMENT_NO_HUGE_PAGES] =
            "no huge pages were to be had: mount /dev/shm with huge=advise",
    };
    if (placement > NDSHM__PLACEMENT_DEFAULT && placement <= NDSHM__PLACEMENT_NO_HUGE_PAGES)
        note(info, texts[placement]);
}

static void describe_file(const struct stat *file, ndshm_info *info)
{
    info->mode = file->st_mode & 07777;
    info->uid = file->st_uid;
    info->bytes = file->st_size;
    info->resident = (int64_t)file->st_blocks * 512;
}

static void describe_identity(const struct ndshm__header *header, ndshm_info *info)
{
    const struct ndshm__identity *identity = &header->identity;
    info->kind = (int32_t)identity->kind;
    info->lifetime = ndshm__lifetime_decode(header->lifetime);
    info->created_ns = identity->created_ns;
    info->creator_pid = identity->creator_pid;
    memcpy(info->uuid, identity->uuid, sizeof info->uuid);
    ndshm__text_copy(info->pool, sizeof info->pool, identity->pool);
    ndshm__text_copy(info->label, sizeof info->label, identity->label);
    note_placement(info, identity->placement);
}

static void describe_content(struct ndshm__descriptor *descriptor, ndshm_info *info)
{
    info->dtype = descriptor->dtype;
    info->ndim = descriptor->ndim;
    info->payload = descriptor->payload_size;
    memcpy(info->shape, ndshm__descriptor_shape(descriptor), 8 * (size_t)descriptor->ndim);
}

/* Nobody maps it: who keeps it? */
static int unused_state(int fd, ndshm_info *info)
{
    if (ndshm__os_locked(fd, NDSHM__LOCK_CACHE) == 1) {
        note(info, "kept by a pool for reuse");
        return NDSHM_STATE_IDLE;
    }
    if (info->lifetime == NDSHM_PERSISTENT)
        return NDSHM_STATE_IDLE;
    if (info->lifetime == NDSHM_TEMPORARY || !info->pool[0])
        return NDSHM_STATE_ORPHAN;
    switch (ndshm__pool_verdict(info->pool, info->uid)) {
    case NDSHM_REAP_POOL_ALIVE:
        return NDSHM_STATE_IDLE;
    case NDSHM_REAP_UNPROVEN:
        note(info, "its pool is missing, which proves nothing");
        return NDSHM_STATE_UNPROVEN;
    default:
        return NDSHM_STATE_ORPHAN;
    }
}

static int state_of(int fd, const struct stat *file, ndshm_info *info)
{
    struct ndshm__ladder ladder;
    int live = ndshm__os_locked(fd, NDSHM__LOCK_LIVE);
    if (live == 1)
        return NDSHM_STATE_IN_USE;
    if (live < 0 || ndshm__ladder_of(file->st_dev, &ladder) || ladder.liveness == NDSHM_LIVE_NONE) {
        note(info, "locks do not work on this file system");
        return NDSHM_STATE_UNPROVEN;
    }
    return unused_state(fd, info);
}

static void describe_segment(int fd, const struct stat *file, ndshm_info *info)
{
    struct ndshm__header header = {0};
    if (ndshm__name_is_draft(info->name)) { /* nothing that it holds means anything yet */
        info->state = NDSHM_STATE_UNPROVEN;
        note(info, "a temporary name: its creator is at work, or died");
        return;
    }
    int status = ndshm__header_read(fd, info->name, file, &header);
    if (!header.identity.magic) {
        info->state = status == NDSHM_EKIND ? NDSHM_STATE_FOREIGN : NDSHM_STATE_CORRUPT;
        note(info, status == NDSHM_EKIND ? "not a segment of ndshm" : ndshm_strerror(status));
        return;
    }
    describe_identity(&header, info);
    info->state = state_of(fd, file, info);
    if (status == 0) {
        describe_content(header.descriptor, info);
        free(header.descriptor);
        return;
    }
    /* A damaged descriptor prevents attaching, not the proof that nobody uses it. */
    note(info, ndshm_strerror(status));
    if (info->state != NDSHM_STATE_ORPHAN)
        info->state = NDSHM_STATE_CORRUPT;
}

static int describe_open(int fd, ndshm_info *info)
{
    struct stat file;
    int status = ndshm__os_stat(fd, &file);
    if (status)
        return ndshm__space_explain(status, info->name, 0, "stat");
    describe_file(&file, info);
    bool regular = S_ISREG(file.st_mode);
    const char *bare;
    if (regular && ndshm__name_check_any(info->name, &bare) == 0) {
        describe_segment(fd, &file, info);
        return 0;
    }
    info->state = NDSHM_STATE_FOREIGN;
    note(info, regular ? "its name is not that of a segment" : "not a regular file");
    return 0;
}

static int describe_closed(int status, ndshm_info *info)
{
    struct stat file;
    int found = ndshm__os_stat_name(info->name, &file);
    if (status == -EMFILE || status == -ENFILE || status == -ENOMEM)
        return status; /* says nothing about the file */
    if (status == -ENOENT || found)
        return ndshm__fail(-ENOENT, "'%s': no such segment", info->name);
    describe_file(&file, info);
    bool busy = status == -EAGAIN && S_ISREG(file.st_mode);
    info->state = busy ? NDSHM_STATE_UNPROVEN : NDSHM_STATE_FOREIGN;
    note(info, busy                    ? "another process takes a proof at this moment"
               : S_ISREG(file.st_mode) ? "not readable by this user"
                                       : "not a regular file");
    return 0;
}

int ndshm__inspect(const char *name, ndshm_info *out)
{
    ndshm_info info;
    memset(&info, 0, sizeof info);
    ndshm__text_copy(info.name, sizeof info.name, name);
    ndshm__os_window_enter();
    int fd = ndshm__os_open(name, false);
    for (int i = 0; fd == -EAGAIN && i < 3; i++) { /* a proof takes microseconds */
        ndshm__os_sleep_ms(1);
        fd = ndshm__os_open(name, false);
    }
    ndshm__quiet_begin();
    int status = fd < 0 ? describe_closed(fd, &info) : describe_open(fd, &info);
    ndshm__quiet_end();
    if (fd >= 0)
        ndshm__os_close(fd);
    ndshm__os_window_leave();
    if (status)
        return ndshm__fail(status, "'%s': %s", name, ndshm_strerror(status));
    *out = info;
    return 0;
}

int ndshm_inspect(const char *name, ndshm_info *out)
{
    const char *bare;
    ndshm__begin("ndshm_inspect");
    int status = ndshm__name_check_any(name, &bare);
    return status ? status : ndshm__inspect(bare, out);
}
