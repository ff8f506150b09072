/* SPDX-License-Identifier: MIT */
/* What this kernel and file system really do, found out by a self-test at first use. */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/os.h"
#include "segment/internal.h"

/* Want of memory and the like says nothing about the file system, and must not be remembered. */
static bool is_passing(int status)
{
    return status == -EINTR || status == -ENOMEM || status == -ENOLCK || status == -EMFILE ||
           status == -ENFILE || status == -ENOSPC;
}

/* Whether status is the expected one; what is passing is noted. */
static bool is(int expected, int status, int *passing)
{
    if (is_passing(status))
        *passing = status;
    return status == expected;
}

/* The first user of a file of our own: nobody else can be in the way for long. */
static bool works(int status, int *passing)
{
    if (status == -EAGAIN)
        *passing = status;
    return is(0, status, passing);
}

/* A name that exists already: a link to it says EEXIST when everything else would have worked. */
static void test_publish(int fd, struct ndshm__ladder *out, int *passing)
{
    int status = ndshm__os_link_proc(fd, ".");
    out->publish = NDSHM_PUBLISH_PROC;
    if (is(-EEXIST, status, passing))
        return;
    out->publish_refused = status;
    status = ndshm__os_link_empty_path(fd, ".");
    out->publish = NDSHM_PUBLISH_EMPTY_PATH;
    if (is(-EEXIST, status, passing))
        return;
    out->publish_refused = status;
    out->publish = NDSHM_PUBLISH_RENAME;
}

/* The mapping of one description, whose descriptor is closed, must keep another one from write lock
 * and lease, until it goes. */
static void test_holder(int holder, int other, struct ndshm__ladder *out, int *passing)
{
    void *page;
    int64_t size = ndshm__os_page_size(); /* never touched: the file is empty */
    bool mapped = works(ndshm__os_lock_read(holder, NDSHM__LOCK_LIVE), passing) &&
                  works(ndshm__os_map(holder, size, NDSHM__MAP_READ, &page), passing);
    bool by_descriptor =
        mapped && is(-EAGAIN, ndshm__os_lock_write(other, NDSHM__LOCK_LIVE), passing);
    ndshm__os_close(holder);
    if (!mapped)
        return;
    bool by_mapping = is(-EAGAIN, ndshm__os_lock_write(other, NDSHM__LOCK_LIVE), passing) &&
                      is(-EAGAIN, ndshm__os_lease(other), passing);
    ndshm__os_unmap(page, size);
    if (!is(0, ndshm__os_lock_write(other, NDSHM__LOCK_LIVE), passing) || !by_descriptor)
        return;
    out->lease_refused = ndshm__os_lease(other);
    bool leased = is(0, out->lease_refused, passing);
    if (leased)
        ndshm__os_unlease(other);
    out->lease = by_mapping && leased;
    out->liveness = out->lease ? NDSHM_LIVE_MAPPING : NDSHM_LIVE_DESCRIPTOR;
}

/* Two descriptions of one file with a name, where /proc is missing. */
static int open_named_pair(int pair[2])
{
    char name[NDSHM_NAME_MAX + 1];
    int status = ndshm__name_draft(name); /* which can be cleaned, should we be killed */
    if (status)
        return status;
    pair[0] = ndshm__os_open_exclusive(name, 0600);
    if (pair[0] < 0)
        return pair[0];
    pair[1] = ndshm__os_open(name, true);
    ndshm__os_unlink(name);
    if (pair[1] < 0)
        ndshm__os_close(pair[0]);
    return pair[1] < 0 ? pair[1] : 0;
}

/* Two descriptions of one file, and how such a file can be published. */
static int open_pair(int pair[2], struct ndshm__ladder *out)
{
    int passing = 0;
    out->publish = NDSHM_PUBLISH_RENAME;
    pair[0] = ndshm__os_open_anonymous();
    if (pair[0] < 0) {
        out->publish_refused = pair[0];
        return is_passing(pair[0]) ? pair[0] : open_named_pair(pair);
    }
    test_publish(pair[0], out, &passing);
    if (!passing) {
        pair[1] = ndshm__os_reopen(pair[0], true);
        if (pair[1] >= 0)
            return 0;
        passing = is_passing(pair[1]) ? pair[1] : 0;
    }
    ndshm__os_close(pair[0]);
    return passing ? passing : open_named_pair(pair);
}

/* A full tmpfs must still be cleaned: memory files have its locks, mappings and leases. Leases do
 * not count the description that memfd_create gives. */
static int open_stand_in(int pair[2])
{
    int fd = ndshm__os_open_memory();
    if (fd < 0)
        return fd;
    pair[0] = ndshm__os_reopen(fd, true);
    pair[1] = ndshm__os_reopen(fd, true);
    ndshm__os_close(fd);
    if (pair[0] >= 0 && pair[1] >= 0)
        return 0;
    for (int i = 0; i < 2; i++)
        if (pair[i] >= 0)
            ndshm__os_close(pair[i]);
    return -ENOSPC;
}

/* complete: how to publish was found out, too. */
static int measure(struct ndshm__ladder *out, uint64_t *device, bool *complete)
{
    int pair[2], passing = 0;
    ndshm__os_space space;
    *out = (struct ndshm__ladder){.liveness = NDSHM_LIVE_NONE};
    int status = open_pair(pair, out);
    *complete = status != -ENOSPC;
    if (status == -ENOSPC && open_stand_in(pair) == 0)
        status = 0;
    if (status)
        return status;
    status = *complete ? ndshm__os_space_of(pair[0], &space) : ndshm__os_space_of_directory(&space);
    test_holder(pair[0], pair[1], out, &passing); /* closes the first */
    ndshm__os_close(pair[1]);
    if (!status)
        status = passing;
    if (status)
        return status;
    if (!space.tmpfs) { /* may hide holders that only map, as overlayfs does, or leave them out
                           elsewhere */
        out->lease = false;
        if (out->liveness == NDSHM_LIVE_MAPPING)
            out->liveness = NDSHM_LIVE_DESCRIPTOR;
    }
    *device = space.device;
    return 0;
}

/* Only locked within the window: a forked child must not find it locked. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static bool known;
static uint64_t known_device;
static struct ndshm__ladder known_ladder;

static int measure_once(struct ndshm__ladder *out)
{
    struct ndshm__ladder ladder;
    uint64_t device;
    bool complete;
    int status = measure(&ladder, &device, &complete);
    if (status)
        return status;
    *out = ladder;
    if (!complete)
        return 0;
    known = true;
    known_device = device;
    known_ladder = ladder;
    return 0;
}

int ndshm__ladder_of(uint64_t device, struct ndshm__ladder *out)
{
    ndshm__os_window_enter();
    pthread_mutex_lock(&mutex);
    int status = 0;
    if (known && known_device == device)
        *out = known_ladder;
    else
        status = measure_once(out);
    pthread_mutex_unlock(&mutex);
    ndshm__os_window_leave();
    return status;
}

int ndshm__ladder_last(struct ndshm__ladder *out)
{
    ndshm__os_window_enter();
    pthread_mutex_lock(&mutex);
    int status = 0;
    if (known)
        *out = known_ladder;
    else
        status = measure_once(out);
    pthread_mutex_unlock(&mutex);
    ndshm__os_window_leave();
    return status;
}
