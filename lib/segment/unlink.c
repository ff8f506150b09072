/* SPDX-License-Identifier: MIT */
/* Removing names because somebody asked, and changing lifetimes. */
#include <errno.h>
#include <string.h>

#include "base/os.h"
#include "segment/internal.h"

enum { NAME_LOCK_MS = 1000, RACES = 100 };

static int lock_name(int fd, const char *name)
{
    int status = ndshm__os_lock_write(fd, NDSHM__LOCK_NAME);
    for (int i = 0; status == -EAGAIN && i < NAME_LOCK_MS; i++) {
        ndshm__os_sleep_ms(1);
        status = ndshm__os_lock_write(fd, NDSHM__LOCK_NAME);
    }
    if (status == -EAGAIN)
        return ndshm__fail(-EBUSY, "'%s': another process has held its name for %d ms; try again",
                           name, NAME_LOCK_MS);
    return status ? ndshm__space_explain(status, name, 0, "locking the name") : 0;
}

/* uuid NULL: any segment. */
static int check_segment(int fd, const char *name, const uint8_t *uuid)
{
    struct stat file;
    struct ndshm__header header;
    int status = ndshm__os_stat(fd, &file);
    if (status)
        return ndshm__space_explain(status, name, 0, "stat");
    if (!S_ISREG(file.st_mode))
        return ndshm__fail(NDSHM_EKIND, "'%s': not a segment of ndshm", name);
    status = ndshm__header_read_identity(fd, name, &file, &header);
    if (!status && uuid && memcmp(uuid, header.identity.uuid, sizeof header.identity.uuid) != 0)
        return ndshm__fail(-ENOENT, "'%s': the name means another segment by now", name);
    return status;
}

/* Damaged segments may be removed by name, foreign files not. */
static int check_removable(int fd, const char *name, const uint8_t *uuid)
{
    ndshm__quiet_begin();
    int status = check_segment(fd, name, uuid);
    ndshm__quiet_end();
    if (!status || (!uuid && (status == NDSHM_ECORRUPT || status == NDSHM_EVERSION)))
        return 0;
    return check_segment(fd, name, uuid); /* for its message */
}

/* 1: the name moved to another file meanwhile. */
static int unlink_open(int fd, const char *name, const uint8_t *uuid)
{
    int status = check_removable(fd, name, uuid);
    if (!status)
        status = lock_name(fd, name);
    if (status)
        return status;
    int same = ndshm__same_file(fd, name);
    if (same < 0)
        status = same;
    else if (!same)
        status = 1;
    else if ((status = ndshm__os_unlink(name)))
        ndshm__space_explain(status, name, 0, "unlink");
    /* A fork in another thread may have duplicated the description: closing would not unlock. */
    ndshm__os_unlock(fd, NDSHM__LOCK_NAME);
    return status;
}

int ndshm__unlink(const char *name, const uint8_t *uuid)
{
    int status = 1;
    for (int i = 0; status == 1 && i < RACES; i++) {
        ndshm__os_window_enter();
        int fd = ndshm__open(name, true);
        status = fd < 0 ? fd : unlink_open(fd, name, uuid);
        if (fd >= 0)
            ndshm__os_close(fd);
        ndshm__os_window_leave();
    }
    if (status == 1)
        return ndshm__fail(-EBUSY,
                           "'%s': the file has several links, or is replaced faster than it "
                           "can be removed",
                           name);
    return status;
}

/* Under the locks on NAME and LIVE: what nobody uses belongs to its pool again, or to nobody. */
static int retire_locked(int fd, const char *name, const char *free_name)
{
    uint64_t word = NDSHM__LIFETIME_RECLAIMABLE;
    int same = ndshm__same_file(fd, name);
    if (same != 1)
        return same < 0 ? same : -ENOENT;
    if (!free_name)
        return ndshm__os_unlink(name);
    int status = ndshm__os_pwrite(fd, &word, sizeof word, NDSHM__MUTABLE_OFFSET);
    return status ? status : ndshm__os_rename(name, free_name);
}

static int retire_open(int fd, const char *name, const uint8_t *uuid, const char *free_name)
{
    int status = check_segment(fd, name, uuid);
    if (!status)
        status = lock_name(fd, name);
    if (status)
        return status;
    status = ndshm__os_lock_write(fd, NDSHM__LOCK_LIVE);
    if (!status) {
        status = retire_locked(fd, name, free_name);
        ndshm__os_unlock(fd, NDSHM__LOCK_LIVE);
    }
    ndshm__os_unlock(fd, NDSHM__LOCK_NAME);
    return status;
}

int ndshm__segment_retire(const char *name, const uint8_t *uuid, const char *free_name)
{
    ndshm__os_window_enter();
    ndshm__quiet_begin();
    int fd = ndshm__open(name, true);
    int status = fd < 0 ? fd : retire_open(fd, name, uuid, free_name);
    if (fd >= 0)
        ndshm__os_close(fd);
    ndshm__quiet_end();
    ndshm__os_window_leave();
    return status;
}

int ndshm_unlink(const char *name)
{
    const char *bare;
    ndshm__begin("ndshm_unlink");
    int status = ndshm__name_check_any(name, &bare);
    return status ? status : ndshm__unlink(bare, NULL);
}

/* Under the lock of the name: a reaper that has looked at the lifetime removes nothing of what is
 * said here to be kept. */
static int write_lifetime(int fd, const char *name, const uint8_t *uuid, int lifetime)
{
    uint64_t word = ndshm__lifetime_encode(lifetime);
    int status = check_segment(fd, name, uuid);
    if (!status)
        status = lock_name(fd, name);
    if (status)
        return status;
    int same = ndshm__same_file(fd, name);
    if (same <= 0)
        status = same ? same : ndshm__fail(-ENOENT, "'%s': was removed this moment", name);
    else if ((status = ndshm__os_pwrite(fd, &word, sizeof word, NDSHM__MUTABLE_OFFSET)))
        ndshm__space_explain(status, name, 0, "pwrite");
    ndshm__os_unlock(fd, NDSHM__LOCK_NAME);
    return status;
}

static int set_lifetime(const char *name, const uint8_t *uuid, int lifetime)
{
    if (lifetime < NDSHM_TEMPORARY || lifetime > NDSHM_PERSISTENT)
        return ndshm__fail(-EINVAL,
                           "'%s': lifetime %d is none of NDSHM_TEMPORARY, _RECLAIMABLE, "
                           "_PERSISTENT",
                           name, lifetime);
    ndshm__os_window_enter();
    int fd = ndshm__open(name, true);
    int status = fd < 0 ? fd : write_lifetime(fd, name, uuid, lifetime);
    if (fd >= 0)
        ndshm__os_close(fd);
    ndshm__os_window_leave();
    return status;
}

int ndshm_set_lifetime(const char *name, int lifetime)
{
    const char *bare;
    ndshm__begin("ndshm_set_lifetime");
    int status = ndshm__name_check_any(name, &bare);
    return status ? status : set_lifetime(bare, NULL, lifetime);
}

int ndshm__segment_set_lifetime(ndshm__segment *segment, int lifetime)
{
    int status = set_lifetime(segment->name, segment->uuid, lifetime);
    if (!status)
        segment->lifetime = lifetime;
    return status;
}
