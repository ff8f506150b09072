/* SPDX-License-Identifier: MIT */
/* Segments by name: lifetime, removal with proof, listing, inspection, waiting. */
#ifndef NDSHM_SEGMENT_H
#define NDSHM_SEGMENT_H

#include "dtype.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A name has 1 to NDSHM_NAME_MAX characters A-Z a-z 0-9 . _ - and does not begin with a dot; a '/'
 * in front of it is passed over. Names that begin with "ndshm." are the library's.
 *
 * A reference is a name, or a name and one slice in NumPy's basic notation: integers, which remove
 * their axis, start:stop:step with Python's rules, and "...", separated by commas:
 * "prices[1000:2000, ::2]", "prices[-1]", "prices[..., 0]", "prices[::-1]". Not None, lists, or a
 * second pair of brackets. A frame takes one slice of rows, with a step of 1 or more. */

/* How to attach. NDSHM_COW is a private copy-on-write mapping: writes are seen by nobody else and
 * lost at the end. NDSHM_FOREIGN is or-ed in to accept segments of other users, as their mode
 * allows. */
enum { NDSHM_READ = 1, NDSHM_COW = 2, NDSHM_WRITE = 3, NDSHM_FOREIGN = 0x100 };

/* When a segment goes. Default: temporary for generated names, reclaimable for given ones. A user
 * ends with its last detach. A process that ends without detaching, in order or killed, removes
 * nothing: if it was the last user, the temporary segment stays as an orphan for ndshm_reap. */
enum {
    NDSHM_TEMPORARY = 1, /* with its last user */
    NDSHM_RECLAIMABLE =
        2, /* when unlinked; ndshm_reap may remove it once nobody maps it and its pool is dead */
    NDSHM_PERSISTENT = 3 /* only when unlinked */
};

/* What a segment holds. */
enum {
    NDSHM_KIND_ARRAY = 1,
    NDSHM_KIND_FRAME = 2,
    NDSHM_KIND_POOL = 3,
    NDSHM_KIND_JOB = 4,
    NDSHM_KIND_REFERENCE = 5 /* a result that stands for a segment with another name */
};

/* Flags of ndshm_create_config. */
enum { NDSHM_UNPUBLISHED = 1 }; /* no name yet: fill it, then publish it */

/* Values of ndshm_create_config.numa; node n is n + 1. On a machine with one node they have no
 * effect, and ndshm_info.note says so. */
enum { NDSHM_NUMA_DEFAULT = 0, NDSHM_NUMA_LOCAL = -1, NDSHM_NUMA_INTERLEAVE = -2 };

typedef struct ndshm_create_config {
    uint32_t size;     /* sizeof(ndshm_create_config), set by _init */
    uint32_t flags;    /* NDSHM_UNPUBLISHED */
    int32_t lifetime;  /* 0: by the name, see above */
    uint32_t mode;     /* permission bits, whatever the umask; 0: 0600. Must include 0600 */
    int32_t numa;      /* NDSHM_NUMA_*, or node + 1 */
    int32_t hugepages; /* 1: ask for huge pages where the kernel allows it */
    char label[64];    /* shown to people; NUL-terminated UTF-8 */
} ndshm_create_config;

/* Fills *config with the defaults. */
NDSHM_API void ndshm_create_config_init(ndshm_create_config *config);

/* State of a segment, as ndshm_inspect and ndshm_list see it. */
enum {
    NDSHM_STATE_IN_USE = 1,   /* somebody maps it */
    NDSHM_STATE_IDLE = 2,     /* nobody maps it; its lifetime or its living pool keeps it */
    NDSHM_STATE_ORPHAN = 3,   /* nobody maps it, and ndshm_reap may remove it */
    NDSHM_STATE_UNPROVEN = 4, /* maybe an orphan: the proof is not to be had */
    NDSHM_STATE_CORRUPT = 5,  /* begins like a segment, but is damaged or of an unknown version */
    NDSHM_STATE_FOREIGN = 6   /* not a segment of this library, or of another user and unreadable */
};

typedef struct ndshm_info {
    char name[256]; /* as in the directory; may hold any byte but '/' and NUL when foreign */
    char label[64];
    char pool[208]; /* the pool it was made in, or "" */
    char note[160]; /* placement, or why the state is what it is; "" when there is nothing to say */
    uint8_t uuid[16];
    int32_t kind;      /* NDSHM_KIND_*, 0 when unknown */
    int32_t state;     /* NDSHM_STATE_* */
    int32_t lifetime;  /* NDSHM_TEMPORARY, ..., 0 when unknown */
    uint32_t mode;     /* permission bits */
    ndshm_dtype dtype; /* 0 when there is none */
    int32_t ndim;      /* of shape; 2 for frames (rows, columns) */
    int64_t shape[NDSHM_MAX_NDIM];
    int64_t bytes;       /* size of the file */
    int64_t resident;    /* bytes of memory that it takes */
    int64_t payload;     /* bytes of data */
    int64_t created_ns;  /* since 1970-01-01 UTC, by the creator's clock; for people */
    int64_t creator_pid; /* for people: may mean another process by now */
    uint32_t uid;        /* owner */
    uint32_t reserved[31];
} ndshm_info;

/* Removes the name at once; whoever has the segment mapped goes on. Errors: -ENOENT, -EINVAL (not a
 * name), NDSHM_EKIND (a file that is not a segment), -EACCES/-EPERM, -EBUSY (a name lock or a proof
 * of somebody else is in the way for more than a second). */
NDSHM_API int ndshm_unlink(const char *name);

/* Changes the lifetime. Handles that others hold already keep the old one: a segment that becomes
 * temporary goes with its last user among those who attach it from now on. Errors as ndshm_unlink,
 * NDSHM_ECORRUPT, NDSHM_EVERSION. */
NDSHM_API int ndshm_set_lifetime(const char *name, int lifetime);

/* Waits until a complete segment of that name exists. timeout_ms: -1 waits for ever. -ETIMEDOUT. */
NDSHM_API int ndshm_wait(const char *name, int timeout_ms);

/* Describes one file of the shared-memory directory; reads, never maps, never blocks. Damaged and
 * foreign files are described as far as they can be: a state, not an error. Errors: -ENOENT,
 * -EINVAL. */
NDSHM_API int ndshm_inspect(const char *name, ndshm_info *out);

/* Lists every file of the shared-memory directory, foreign ones too, in no order. ndshm_list_next
 * returns -ENOENT after the last one; files that vanish meanwhile are passed over. */
typedef struct ndshm_list ndshm_list;
NDSHM_API int ndshm_list_open(ndshm_list **out);
NDSHM_API int ndshm_list_next(ndshm_list *list, ndshm_info *out);
NDSHM_API void ndshm_list_close(ndshm_list **list);

/* ndshm_reap_config.flags */
enum {
    NDSHM_REAP_DRY_RUN = 1,          /* take the proof, but remove nothing */
    NDSHM_REAP_ACCEPT_LOCK_ONLY = 2, /* where no lease is to be had: accept the locks alone */
    NDSHM_REAP_OTHER_USERS = 4       /* as root: segments of other users, too */
};

typedef struct ndshm_reap_config {
    uint32_t size;
    uint32_t flags;
} ndshm_reap_config;

NDSHM_API void ndshm_reap_config_init(ndshm_reap_config *config);

/* ndshm_reap_report.decision */
enum {
    NDSHM_REAP_REMOVED = 1,
    NDSHM_REAP_REMOVABLE = 2, /* dry run: the proof held */
    NDSHM_REAP_IN_USE = 3,
    NDSHM_REAP_PERSISTENT = 4, /* the lifetime forbids it */
    NDSHM_REAP_POOL_ALIVE = 5,
    NDSHM_REAP_UNPROVEN = 6, /* a lease or the pool's segment is not to be had */
    NDSHM_REAP_FOREIGN = 7,  /* not a segment, or another user's */
    NDSHM_REAP_CORRUPT = 8   /* damaged or of an unknown version: never removed */
};

/* The steps of the proof, in order; index of ndshm_reap_report.evidence. */
enum {
    NDSHM_STEP_FILE = 0,       /* a regular file with one link */
    NDSHM_STEP_OWNER = 1,      /* owned by the caller (or allowed by the flag) */
    NDSHM_STEP_IDENTITY = 2,   /* identity page valid and of a known version */
    NDSHM_STEP_LIFETIME = 3,   /* allows removal */
    NDSHM_STEP_POOL = 4,       /* made in no pool, or in one that is proven dead */
    NDSHM_STEP_MEMBERS = 5,    /* a pool's segment: no member of it remains */
    NDSHM_STEP_NAME_LOCK = 6,  /* write lock on NAME */
    NDSHM_STEP_LIVE_LOCK = 7,  /* write lock on LIVE: nobody has it mapped */
    NDSHM_STEP_CACHE_LOCK = 8, /* write lock on CACHE: no pool keeps it for reuse */
    NDSHM_STEP_LEASE = 9,      /* write lease: no process anywhere has it open or mapped */
    NDSHM_STEP_SAME = 10,      /* name, inode and uuid are still the same under the locks */
    NDSHM_STEPS = 11
};

typedef struct ndshm_reap_report {
    int32_t decision;             /* NDSHM_REAP_* */
    int8_t evidence[NDSHM_STEPS]; /* 1 held, 0 not reached, -1 refused */
    uint8_t padding;
    int64_t bytes; /* memory that the segment takes or took */
    uint8_t uuid[16];
    char name[256];
    char message[256]; /* one line: what was decided, and why */
    uint32_t reserved[16];
} ndshm_reap_report;

/* The name of a step of the proof ("live lock"), or NULL when there is no such step. Static
 * storage. */
NDSHM_API const char *ndshm_reap_step_name(int step);

/* Removes the segment if the kernel proves that nobody uses it and its lifetime allows it. Returns
 * 0 with the decision and its evidence in *out, or an error when no decision could be made:
 * -ENOENT, -EINVAL, -EACCES. Never waits. A pool's segment goes after all of its members. */
NDSHM_API int ndshm_reap(const char *name, const ndshm_reap_config *config, ndshm_reap_report *out);

#ifdef __cplusplus
}
#endif
#endif
