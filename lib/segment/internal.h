/* SPDX-License-Identifier: MIT */
/* Shared between the files of this layer only. */
#ifndef NDSHM_LIB_SEGMENT_INTERNAL_H
#define NDSHM_LIB_SEGMENT_INTERNAL_H

#include <sys/stat.h>

#include "segment/format.h"
#include "segment/segment.h"

/* --- ladder.c: what this file system and kernel allow --- */

struct ndshm__ladder {
    int publish;  /* NDSHM_PUBLISH_* */
    int liveness; /* NDSHM_LIVE_* */
    bool lease;
    int publish_refused; /* what the better way to publish failed with; 0: this is the best */
    int lease_refused;   /* why no lease is to be had, as far as the kernel says it */
};

/* Measured at the first use of a device, and remembered for the last one; _last: of whichever that
 * was. */
int ndshm__ladder_of(uint64_t device, struct ndshm__ladder *out);
int ndshm__ladder_last(struct ndshm__ladder *out);

/* Further mappings that only hold a lock byte. */
struct ndshm__hold {
    struct ndshm__hold *next;
    void *page;
    int fd; /* -1 where the mapping alone holds it */
};

struct ndshm__segment {
    _Atomic int count;
    int fd; /* -1 once published or attached, where a mapping alone shows liveness */
    int access;
    struct ndshm__ladder ladder;
    bool published;
    bool generated;
    bool streamed;
    bool dontfork;
    bool keep;            /* the descriptor stays open, for ndshm__segment_part */
    ndshm__retire retire; /* or NULL */
    void *retire_argument;
    int lifetime;        /* as it was at creation or attach */
    uint64_t generation; /* the process that made this handle */
    char *base;
    int64_t total_size;
    int64_t payload_offset;
    int64_t payload_size;
    int64_t appended;
    uint32_t kind;
    uint8_t uuid[16];
    struct ndshm__descriptor *descriptor; /* in the segment until it is published, then private */
    struct ndshm__hold *holds;
    char name[NDSHM_NAME_MAX + 1];
    char draft[NDSHM_NAME_MAX + 1]; /* the temporary name, on the rung that needs one */
    char pool[NDSHM_NAME_MAX + 1];
};

/* --- header.c --- */

/* A header read from a file, checked as far as status says. */
struct ndshm__header {
    struct ndshm__identity identity;
    uint64_t lifetime;
    struct ndshm__descriptor *descriptor; /* private copy, to be freed; NULL when not asked for */
};

int64_t ndshm__descriptor_size(const char *name, int ndim,
                               int64_t body_size); /* or -1: too large */
void ndshm__descriptor_fill(struct ndshm__descriptor *out, const ndshm__spec *spec,
                            const char *name, int64_t size);
void ndshm__descriptor_seal(struct ndshm__descriptor *descriptor);
void ndshm__descriptor_rename(struct ndshm__descriptor *descriptor, const char *name);
int64_t *ndshm__descriptor_shape(struct ndshm__descriptor *descriptor);
char *ndshm__descriptor_name(struct ndshm__descriptor *descriptor);
void *ndshm__descriptor_body(struct ndshm__descriptor *descriptor);
void ndshm__identity_seal(struct ndshm__identity *identity);

/* Reads and checks the header of an open file. Messages name name. NDSHM_EKIND: not a segment at
 * all. When _read fails and the magic is there, only the descriptor is damaged. */
int ndshm__header_read_identity(int fd, const char *name, const struct stat *file,
                                struct ndshm__header *out);
int ndshm__header_read(int fd, const char *name, const struct stat *file,
                       struct ndshm__header *out);
/* NDSHM_TEMPORARY, ...; unknown words are persistent. */
int ndshm__lifetime_decode(uint64_t word);
uint64_t ndshm__lifetime_encode(int lifetime);

/* --- space.c --- */

/* Whether size bytes may be asked for at all: -EFBIG, -ENOMEM, with a message. */
int ndshm__space_check(const char *name, int64_t size);
/* Reserves a part of a file, in chunks. */
int ndshm__space_reserve(int fd, const char *name, int64_t offset, int64_t size);
/* --- open.c: opening and locking by name --- */

enum { NDSHM__RETRIES = 50 }; /* of 1 ms each, while somebody takes a proof */

/* Opens; waits out a lease. Messages name name. */
int ndshm__open(const char *name, bool writable);
/* Read-locks LIVE. A reaper, or a pool that refills the segment, holds it for a moment. -EAGAIN:
 * somebody still does. */
int ndshm__lock_live(int fd);
/* 1: name still denotes the open file, which has one link; 0: no; or an error. */
int ndshm__same_file(int fd, const char *name);

/* --- reap.c --- */

/* Who holds the pool of a segment of this owner: NDSHM_REAP_POOL_ALIVE, NDSHM_REAP_UNPROVEN
 * (missing, unreadable, of another user) or 0 (dead). */
int ndshm__pool_verdict(const char *pool, uint32_t owner);
/* As a detach does; true when there is nothing more to do about it. (segment.c) */
bool ndshm__reap_quietly(const char *name, const uint8_t *uuid);
int ndshm__reap(const char *name, const uint8_t *uuid, const ndshm_reap_config *config,
                ndshm_reap_report *out);

/* --- unlink.c --- */

/* uuid NULL: any. */
int ndshm__unlink(const char *name, const uint8_t *uuid);

/* --- inspect.c --- */

int ndshm__inspect(const char *name, ndshm_info *out);

#endif
