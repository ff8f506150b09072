/* SPDX-License-Identifier: MIT */
#include <errno.h>

#include "base/os.h"
#include "segment/internal.h"

enum { BUSY_MS = 10 };

/* 0: a complete segment of that name is there. -ENOENT: not yet. -EAGAIN: somebody's proof keeps us
 * from looking, and no event will tell when it ends. */
static int look(const char *name)
{
    ndshm_info info;
    ndshm__quiet_begin();
    int status = ndshm__inspect(name, &info);
    ndshm__quiet_end();
    if (status || info.kind)
        return status;
    return info.state == NDSHM_STATE_UNPROVEN ? -EAGAIN : -ENOENT;
}

static int wait_watched(const char *name, int watch, int timeout_ms)
{
    int64_t end = ndshm__os_now() + (int64_t)timeout_ms * 1000000;
    int status = look(name);
    while (status == -ENOENT || status == -EAGAIN) {
        int64_t left_ms = timeout_ms < 0 ? -1 : (end - ndshm__os_now() + 999999) / 1000000;
        if (timeout_ms >= 0 && left_ms <= 0)
            return ndshm__fail(-ETIMEDOUT, "'%s': did not appear within %d ms", name, timeout_ms);
        if (status == -EAGAIN && (left_ms < 0 || left_ms > BUSY_MS))
            left_ms = BUSY_MS;
        status = ndshm__os_watch_wait(watch, (int)left_ms);
        if (!status)
            status = look(name);
    }
    if (status)
        return ndshm__fail(status, "'%s': waiting failed: %s", name, ndshm_strerror(status));
    return 0;
}

int ndshm_wait(const char *name, int timeout_ms)
{
    const char *bare;
    ndshm__begin("ndshm_wait");
    int status = ndshm__name_check_any(name, &bare);
    if (status)
        return status;
    int watch =
        ndshm__os_watch_open(); /* before the first look, so that nothing between is missed */
    if (watch < 0)
        return ndshm__fail(watch, "'%s': /dev/shm cannot be watched: %s", bare,
                           ndshm_strerror(watch));
    status = wait_watched(bare, watch, timeout_ms);
    ndshm__os_close(watch);
    return status;
}
