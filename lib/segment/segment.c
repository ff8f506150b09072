/* SPDX-License-Identifier: MIT */
/* The handle: counting, reading, and the end. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"
#include "segment/internal.h"

ndshm__segment *ndshm__segment_retain(ndshm__segment *segment)
{
    atomic_fetch_add_explicit(&segment->count, 1, memory_order_relaxed);
    return segment;
}

/* What a detach had to leave behind, because somebody, perhaps a forked child, still maps it. */
enum { LEFT_MAX = 256 };

struct left {
    char name[NDSHM_NAME_MAX + 1];
    uint8_t uuid[16];
};

static pthread_mutex_t left_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct left *left[LEFT_MAX];
static int left_count;

/* A child must not wait for what its parent left, and may have been forked while this was locked.
 */
static void forget_in_child(void)
{
    left_mutex = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    left_count = 0;
}

__attribute__((constructor)) static void watch_forks(void)
{
    ndshm__os_at_fork_child(forget_in_child);
}

/* Refused by another proof rather than by a user: two who detach at once can refuse each other. */
static bool collided(const ndshm_reap_report *report)
{
    return report->decision == NDSHM_REAP_IN_USE &&
           (report->evidence[NDSHM_STEP_FILE] < 0 || report->evidence[NDSHM_STEP_NAME_LOCK] < 0 ||
            report->evidence[NDSHM_STEP_LEASE] < 0);
}

/* true when there is nothing more to do about it; a failed call (no descriptor is free) proves
 * nothing. */
bool ndshm__reap_quietly(const char *name, const uint8_t *uuid)
{
    enum { TRIES = 8 };
    ndshm_reap_report report;
    ndshm__quiet_begin();
    int status = ndshm__reap(name, uuid, NULL, &report);
    for (int i = 1; i < TRIES && !status && collided(&report); i++) {
        ndshm__os_sleep_ms(1 + (int)(ndshm__os_now() & 3)); /* not in step with the other one */
        status = ndshm__reap(name, uuid, NULL, &report);
    }
    ndshm__quiet_end();
    return status ? status == -ENOENT : report.decision != NDSHM_REAP_IN_USE;
}

static void remember(const ndshm__segment *segment)
{
    struct left *entry = ndshm__alloc(sizeof *entry);
    if (!entry)
        return; /* shm-inspect clean finds it */
    memcpy(entry->name, segment->name, sizeof entry->name);
    memcpy(entry->uuid, segment->uuid, sizeof entry->uuid);
    pthread_mutex_lock(&left_mutex);
    if (left_count < LEFT_MAX) {
        left[left_count++] = entry;
        entry = NULL;
    }
    pthread_mutex_unlock(&left_mutex);
    free(entry);
}

void ndshm__reap_again(void)
{
    pthread_mutex_lock(&left_mutex);
    int kept = 0;
    for (int i = 0; i < left_count; i++) {
        if (ndshm__reap_quietly(left[i]->name, left[i]->uuid))
            free(left[i]);
        else
            left[kept++] = left[i];
    }
    left_count = kept;
    pthread_mutex_unlock(&left_mutex);
}

__attribute__((destructor)) static void at_unload(void)
{
    ndshm__reap_again();
    for (int i = 0; i < left_count; i++)
        free(left[i]);
    left_count = 0;
}

/* A segment that a pool made may have been taken since we attached it, and a temporary one may have
 * been given another lifetime. Others keep theirs, as far as this handle is concerned: looking
 * again would cost a fault each time. */
static bool is_temporary(const ndshm__segment *segment)
{
    uint64_t word;
    if (!segment->pool[0] && segment->lifetime != NDSHM_TEMPORARY)
        return false;
    int64_t got = ndshm__os_read_self(segment->base + NDSHM__MUTABLE_OFFSET, &word, sizeof word);
    if (got != sizeof word)
        return segment->lifetime == NDSHM_TEMPORARY;
    return ndshm__lifetime_decode(word) == NDSHM_TEMPORARY;
}

/* In a forked child, what was kept out of it: other mappings may lie at the same addresses. */
static bool is_elsewhere(const ndshm__segment *segment)
{
    return segment->dontfork && segment->generation != ndshm__os_generation();
}

static void release_holds(ndshm__segment *segment)
{
    while (segment->holds) {
        struct ndshm__hold *hold = segment->holds;
        segment->holds = hold->next;
        if (!is_elsewhere(segment))
            ndshm__os_unmap(hold->page, ndshm__os_page_size());
        if (hold->fd >= 0)
            ndshm__os_close(hold->fd);
        free(hold);
    }
}

static void destroy(ndshm__segment *segment)
{
    bool mapped = segment->base && !is_elsewhere(segment);
    bool reap = mapped && segment->published && is_temporary(segment);
    release_holds(segment);
    if (segment->published)
        free(segment->descriptor);
    else if (segment->draft[0] && segment->generation == ndshm__os_generation())
        ndshm__os_unlink(segment->draft);
    if (mapped)
        ndshm__os_unmap(segment->base, segment->total_size);
    if (segment->fd >= 0)
        ndshm__os_close(segment->fd);
    if (segment->retire && segment->generation == ndshm__os_generation())
        reap &=
            !segment->retire(segment->retire_argument, reap ? segment->name : NULL, segment->uuid);
    if (reap && !ndshm__reap_quietly(segment->name, segment->uuid))
        remember(segment);
    free(segment);
}

void ndshm__segment_on_release(ndshm__segment *segment, ndshm__retire retire, void *argument)
{
    segment->retire = retire;
    segment->retire_argument = argument;
}

void ndshm__segment_release(ndshm__segment **segment)
{
    if (!segment || !*segment)
        return;
    if (atomic_fetch_sub_explicit(&(*segment)->count, 1, memory_order_acq_rel) == 1)
        destroy(*segment);
    *segment = NULL;
}

const char *ndshm__segment_name(const ndshm__segment *segment)
{
    return segment->name;
}

void *ndshm__segment_payload(const ndshm__segment *segment)
{
    return segment->base + segment->payload_offset;
}

int64_t ndshm__segment_payload_size(const ndshm__segment *segment)
{
    return segment->payload_size;
}

void *ndshm__segment_body(const ndshm__segment *segment)
{
    return ndshm__descriptor_body(segment->descriptor);
}

int64_t ndshm__segment_body_size(const ndshm__segment *segment)
{
    return segment->descriptor->body_size;
}

ndshm_dtype ndshm__segment_dtype(const ndshm__segment *segment)
{
    return segment->descriptor->dtype;
}

int32_t ndshm__segment_ndim(const ndshm__segment *segment)
{
    return segment->descriptor->ndim;
}

const int64_t *ndshm__segment_shape(const ndshm__segment *segment)
{
    return ndshm__descriptor_shape(segment->descriptor);
}

const uint8_t *ndshm__segment_uuid(const ndshm__segment *segment)
{
    return segment->uuid;
}

uint32_t ndshm__segment_kind(const ndshm__segment *segment)
{
    return segment->kind;
}

int ndshm__segment_access(const ndshm__segment *segment)
{
    return segment->access;
}

bool ndshm__segment_published(const ndshm__segment *segment)
{
    return segment->published;
}

/* The kernel does not say which side of a copy faulted. The segment may be whole again by now, so
 * it is the buffer that is tried. */
static int explain_fault(const ndshm__segment *segment, char *to)
{
    const char byte = 0;
    if (ndshm__os_read_self(&byte, to, 1) != 1)
        return ndshm__fail(-EFAULT, "'%s': the buffer cannot be written", segment->name);
    return ndshm__fail(NDSHM_ECORRUPT, "'%s': another process truncated the segment",
                       segment->name);
}

int ndshm__segment_read(const ndshm__segment *segment, int64_t offset, void *buffer, int64_t size)
{
    enum { PIECE = 64 << 20 };
    if (offset < 0 || size < 0 || offset > segment->payload_size - size)
        return ndshm__fail(NDSHM_ESHAPE, "'%s': a read behind its end", segment->name);
    const char *from = (const char *)ndshm__segment_payload(segment) + offset;
    for (int64_t done = 0; done < size;) {
        int64_t piece = size - done < PIECE ? size - done : PIECE;
        int64_t got = ndshm__os_read_self(from + done, (char *)buffer + done, piece);
        if (got == -ENOSYS || got == -EPERM) { /* a sandbox forbids it: as any view reads */
            memcpy((char *)buffer + done, from + done, (size_t)piece);
            got = piece;
        }
        if (got <= 0)
            return explain_fault(segment, (char *)buffer + done);
        done += got;
    }
    return 0;
}

int ndshm__segment_unlink(ndshm__segment *segment)
{
    if (!segment->published)
        return ndshm__fail(-ENOENT, "'%s': not published yet", segment->name);
    return ndshm__unlink(segment->name, segment->uuid);
}

void ndshm__segment_populate(ndshm__segment *segment)
{
    ndshm__os_populate(segment->base,
                       segment->total_size); /* only faster: a failure changes nothing */
}

void ndshm__segment_dontfork(ndshm__segment *segment)
{
    segment->dontfork = true;
    ndshm__os_advise_no_fork(segment->base, segment->total_size);
    for (struct ndshm__hold *hold = segment->holds; hold; hold = hold->next)
        ndshm__os_advise_no_fork(hold->page, ndshm__os_page_size());
}
