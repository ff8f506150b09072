/* SPDX-License-Identifier: MIT */
/* A segment: one inode, mapped whole. What array, frame and pool are made of.
 *
 * Life: create (anonymous, mapped) -> fill body and payload -> publish (named, complete) ->
 * release. Or: attach by name -> release. Handles are counted. */
#ifndef NDSHM_LIB_SEGMENT_H
#define NDSHM_LIB_SEGMENT_H

#include <stdatomic.h>
#include <stdbool.h>

#include <ndshm/segment.h>

#include "base/base.h"

typedef struct ndshm__segment ndshm__segment;

/* What to create. dtype, ndim and shape are a summary that inspection shows for any kind; body is
 * what the layer above needs beside it, and is opaque here. */
typedef struct ndshm__spec ndshm__spec;
struct ndshm__spec {
    const char *name; /* NULL: generated */
    const char *pool; /* NULL or the pool it is made in: then any name that begins with "POOL." is
                         allowed */
    uint32_t kind;
    ndshm_dtype dtype;
    int32_t ndim;
    const int64_t *shape;
    const void *body; /* NULL: zeroes */
    int64_t body_size;
    int64_t payload_size; /* bytes; the payload begins on a page */
    const ndshm_create_config *config;
    bool keep; /* for ndshm__segment_part */
    /* NULL, or who gives the segment instead of ndshm__segment_create */
    int (*make)(const struct ndshm__spec *spec, ndshm__segment **out);
    void *maker; /* for make */
    bool
        streamed; /* the payload will come through ndshm__segment_append, not through the mapping */
};

/* A finished name is fixed at creation (also a generated one). Checks name and config; errors as
 * ndshm_array_create without those of dtype and shape. Not yet visible, and space reserved. */
int ndshm__segment_create(const ndshm__spec *spec, ndshm__segment **out);

/* Appends to the payload of a streamed segment by pwrite: faster than first touch. -EFAULT when
 * data cannot be read, NDSHM_ESHAPE when it exceeds payload_size. All of it must come before
 * publish. */
int ndshm__segment_append(ndshm__segment *segment, const void *data, int64_t size);

/* For writers of the parts of a streamed payload in any order and process, until it is published:
 * the descriptor of the file, and where in it the payload begins. _filled reserves what nobody
 * wrote, which is zero then, and tells that nothing more will come. */
int ndshm__segment_file(const ndshm__segment *segment, int64_t *payload_offset);
int ndshm__segment_filled(ndshm__segment *segment);

/* Seals the descriptor and gives the segment its name, atomically. -EEXIST (a given name is taken;
 * the segment stays unpublished), -EALREADY. */
int ndshm__segment_publish(ndshm__segment *segment);

/* Attaches. kind 0: any; otherwise NDSHM_EKIND with a message. name is a bare name, without a
 * slice. */
int ndshm__segment_attach(const char *name, uint32_t kind, int access, ndshm__segment **out);

ndshm__segment *ndshm__segment_retain(ndshm__segment *segment);

/* Gives one count back; *segment becomes NULL. The last one unmaps and, for a temporary segment,
 * tries to reap without waiting. NULL and pointers to NULL are allowed. */
void ndshm__segment_release(ndshm__segment **segment);

const char *ndshm__segment_name(const ndshm__segment *segment); /* no leading '/' */
void *ndshm__segment_payload(const ndshm__segment *segment);
int64_t ndshm__segment_payload_size(const ndshm__segment *segment);
/* Body of the descriptor: 8-byte aligned. Of an unpublished segment writable and in the segment; of
 * an attached or published one a private, checksummed copy: structural facts are only ever read
 * from there. */
void *ndshm__segment_body(const ndshm__segment *segment);
int64_t ndshm__segment_body_size(const ndshm__segment *segment);
ndshm_dtype ndshm__segment_dtype(const ndshm__segment *segment);
int32_t ndshm__segment_ndim(const ndshm__segment *segment);
const int64_t *ndshm__segment_shape(const ndshm__segment *segment);
const uint8_t *ndshm__segment_uuid(const ndshm__segment *segment); /* 16 bytes */
uint32_t ndshm__segment_kind(const ndshm__segment *segment);
int ndshm__segment_access(const ndshm__segment *segment); /* NDSHM_WRITE for a creator */
bool ndshm__segment_published(const ndshm__segment *segment);

/* Reads payload bytes at offset into buffer so that a truncating peer gives NDSHM_ECORRUPT and no
 * fault (process_vm_readv on ourselves). */
int ndshm__segment_read(const ndshm__segment *segment, int64_t offset, void *buffer, int64_t size);

/* unlink and lifetime of an attached or created segment's name, checking that it is still this one.
 */
int ndshm__segment_unlink(ndshm__segment *segment);
int ndshm__segment_set_lifetime(ndshm__segment *segment, int lifetime);

/* Maps all pages at once, which is cheaper than a fault for each of them: for who will write them
 * all. */
void ndshm__segment_populate(ndshm__segment *segment);

/* Keeps the mapping out of children that are forked from now on. */
void ndshm__segment_dontfork(ndshm__segment *segment);

/* Read-locks a lock byte (NDSHM__LOCK_* of format.h) until the last mapping of this handle goes;
 * and asks whether anybody holds it: 1, 0, or an error. */
int ndshm__segment_hold(ndshm__segment *segment, int64_t byte);
int ndshm__segment_held(const char *name, int64_t byte);

/* --- memory that is used again (recycle.c) --- */

/* A mapping of a segment that it does not count as a user of. */
struct ndshm__kept {
    void *base;
    int fd;
    uint32_t kind;
    int64_t total_size;
    int64_t payload_offset;
    uint64_t inode, device;
    uint8_t uuid[16];
    char name[NDSHM_NAME_MAX + 1]; /* that it had when it was parted from, or "" */
};

/* Instead of releasing a published segment that was created with spec.keep: its mapping lives on.
 * false: it was released. */
bool ndshm__segment_part(ndshm__segment **segment, struct ndshm__kept *out);

/* Maps a segment that is not in use. Its file still has a name: */
int ndshm__kept_open(const char *name, struct ndshm__kept *out);
bool ndshm__kept_named(const struct ndshm__kept *kept);
void ndshm__kept_close(struct ndshm__kept *kept);

/* Makes a kept segment whose name is free_name an unpublished one of spec; its payload is what it
 * was. On success kept belongs to the segment. No messages. -EAGAIN: somebody uses it; -EINVAL: it
 * does not fit; -ENOENT: free_name means another file. */
int ndshm__segment_reuse(const ndshm__spec *spec, const struct ndshm__kept *kept,
                         const char *free_name, ndshm__segment **out);

/* A segment that nobody uses any more is renamed to free_name, or unlinked when that is NULL. uuid
 * NULL: any. -EAGAIN: somebody uses it; -EEXIST: free_name is taken. */
int ndshm__segment_retire(const char *name, const uint8_t *uuid, const char *free_name);

/* From now on the last release of a temporary segment calls retire instead of reaping it; false: it
 * is reaped after all. Called in any case, to give up argument; name NULL: nothing is to be done.
 */
typedef bool (*ndshm__retire)(void *argument, const char *name, const uint8_t *uuid);
void ndshm__segment_on_release(ndshm__segment *segment, ndshm__retire retire, void *argument);

/* Turns the failure of a call that needed size bytes into a message with the remedy. */
int ndshm__space_explain(int status, const char *name, int64_t size, const char *call);

/* --- names (name.c) --- */

/* 0 when name may be given by a user: 1 to 200 of [A-Za-z0-9._-], optional leading '/', not
 * beginning with "ndshm." or "."; else -EINVAL with a message. *bare is name without the '/'. */
int ndshm__name_check(const char *name, const char **bare);
/* The same, but the library's own names ("ndshm....") are allowed: for everything but create. */
int ndshm__name_check_any(const char *name, const char **bare);
/* "ndshm." and 32 hexadecimal digits of kernel randomness. */
int ndshm__name_generate(char out[NDSHM_NAME_MAX + 1]);

/* A temporary name, for the time before a segment gets its own; and whether name is such a one. */
int ndshm__name_draft(char out[NDSHM_NAME_MAX + 1]);
bool ndshm__name_is_draft(const char *name);

/* Unlinks every segment whose name begins with prefix ("POOL."); temporary ones, which belong to
 * whoever took them, only when a reap proves them unused. Returns 0 when no other one remains. */
int64_t ndshm__sweep(const char *prefix);

/* Tries again to reap what a detach had to leave because a forked child still maps it. */
void ndshm__reap_again(void);

#endif
