/* SPDX-License-Identifier: MIT */
/* The bytes of a segment's header: docs/format.md is the description, this is its shape in C. */
#ifndef NDSHM_LIB_FORMAT_H
#define NDSHM_LIB_FORMAT_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>

/* Lock bytes, far beyond any data. */
#define NDSHM__LOCK_LIVE (INT64_C(1) << 62)
#define NDSHM__LOCK_NAME (NDSHM__LOCK_LIVE + 1)
#define NDSHM__LOCK_CACHE (NDSHM__LOCK_LIVE + 3)
#define NDSHM__LOCK_OWNER (NDSHM__LOCK_LIVE + 4)
#define NDSHM__LOCK_WORKER (NDSHM__LOCK_LIVE + 16)

/* Reads as bytes 89 'N' 'D' 'S' 'H' 'M' 1A 0A where the byte order is little-endian. */
#define NDSHM__MAGIC UINT64_C(0x0A1A4D4853444E89)
#define NDSHM__FORMAT_VERSION 1u
/* CRC32C of "identity 512, mutable 512, descriptor 1024, name 200, little-endian". */
#define NDSHM__FINGERPRINT UINT32_C(0xD011E03D)

/* Far apart in bits, so that damage reads as "unknown", which means persistent. */
#define NDSHM__LIFETIME_TEMPORARY UINT64_C(0x5BD1E995A6F3C8E1)
#define NDSHM__LIFETIME_RECLAIMABLE UINT64_C(0xA42E166A590C371E)
#define NDSHM__LIFETIME_PERSISTENT UINT64_C(0xC3A5C85C97CB3127)

enum {
    NDSHM__PAGE = 4096, /* of the format, whatever the machine's */
    NDSHM__MUTABLE_OFFSET = 512,
    NDSHM__DESCRIPTOR_OFFSET = 1024,
    NDSHM__ALIGNMENT = 64
};

/* Written once, before the segment can be seen. Everything that a reaper needs. */
struct ndshm__identity {
    uint64_t magic;
    uint32_t version;
    uint32_t fingerprint;
    int64_t total_size;     /* of the file: a multiple of the page size */
    int64_t payload_offset; /* length of the header: a multiple of the page size */
    uint32_t kind;
    uint32_t mode;
    uint8_t uuid[16];
    uint32_t creator_pid; /* from here to created_ns: for people */
    uint32_t placement;   /* NDSHM__PLACEMENT_* */
    uint64_t creator_start;
    uint64_t creator_pid_namespace;
    uint8_t creator_boot_id[16];
    int64_t created_ns;
    char pool[208]; /* NUL-padded */
    char label[64];
    uint8_t reserved[132];
    uint32_t crc; /* CRC32C of the bytes before it */
};

enum {
    NDSHM__PLACEMENT_DEFAULT = 0,
    NDSHM__PLACEMENT_APPLIED = 1,
    NDSHM__PLACEMENT_ONE_NODE = 2,
    NDSHM__PLACEMENT_NO_LIBRARY = 3,
    NDSHM__PLACEMENT_REFUSED = 4,
    NDSHM__PLACEMENT_NO_HUGE_PAGES = 5
};

/* On a cache line of its own; the only part of the header that may change while others look. */
struct ndshm__mutable {
    uint64_t lifetime;
    uint8_t reserved[504];
};

/* Followed by shape, own name (NUL-padded to a multiple of 8) and body. */
struct ndshm__descriptor {
    uint32_t crc;  /* CRC32C of the bytes behind it, size - 4 of them */
    uint32_t size; /* of the whole descriptor */
    uint32_t dtype;
    int32_t ndim;
    uint32_t name_size; /* with padding */
    uint32_t reserved;
    int64_t body_size;
    int64_t payload_size;
};

static_assert(sizeof(struct ndshm__identity) == NDSHM__MUTABLE_OFFSET, "identity");
static_assert(offsetof(struct ndshm__identity, kind) == 32, "kind");
static_assert(offsetof(struct ndshm__identity, uuid) == 40, "uuid");
static_assert(offsetof(struct ndshm__identity, creator_pid) == 56, "creator_pid");
static_assert(offsetof(struct ndshm__identity, created_ns) == 96, "created_ns");
static_assert(offsetof(struct ndshm__identity, pool) == 104, "pool");
static_assert(offsetof(struct ndshm__identity, label) == 312, "label");
static_assert(offsetof(struct ndshm__identity, crc) == 508, "crc");
static_assert(sizeof(struct ndshm__mutable) == 512, "mutable");
static_assert(sizeof(struct ndshm__descriptor) == 40, "descriptor");
static_assert(offsetof(struct ndshm__descriptor, body_size) == 24, "body_size");

#endif
