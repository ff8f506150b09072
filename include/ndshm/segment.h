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
    NDSHM_STATE_FOREIGN = 6   /* not a segment of this library, of another user and unreadable, or
                                 under a name that no segment has */
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

/* What is looked at, in order; index of ndshm_check_report.found. */
enum {
    NDSHM_CHECK_FILE = 0,       /* a regular file with one link */
    NDSHM_CHECK_OWNER = 1,      /* of this user or of root */
    NDSHM_CHECK_IDENTITY = 2,   /* identity page valid and of a known version */
    NDSHM_CHECK_LIFETIME = 3,   /* one of the known ones */
    NDSHM_CHECK_SPACE = 4,      /* no holes: all memory is there */
    NDSHM_CHECK_DESCRIPTOR = 5, /* whole, and its parts add up */
    NDSHM_CHECK_NAME = 6,       /* its own name is that of the file */
    NDSHM_CHECK_POOL = 7,       /* the pool that it was made in, if any, is there or not needed */
    NDSHM_CHECKS = 8
};

typedef struct ndshm_check_report {
    int8_t found[NDSHM_CHECKS];      /* 1 sound, -1 not sound, 0 not reached */
    char message[NDSHM_CHECKS][192]; /* what is not sound, or why it was not reached */
    uint32_t reserved[16];
} ndshm_check_report;

/* The name of a check ("identity"), or NULL when there is no such check. Static storage. */
NDSHM_API const char *ndshm_check_name(int check);

/* Looks at everything that makes a file a segment, and goes on where it can after a finding; reads,
 * never maps. What the segment holds is for those who attach it to check. Errors: -ENOENT, -EINVAL,
 * -EACCES, -EBUSY, -EMFILE. */
NDSHM_API int ndshm_check(const char *name, ndshm_check_report *out);

/* Lists every file of the shared-memory directory, foreign ones too, in no order. ndshm_list_next
 * returns -ENOENT after the last one; files that vanish meanwhile are passed over. Several threads
 * may call it on one list at once: each file is given to one of them. */
typedef struct ndshm_list ndshm_list;
NDSHM_API int ndshm_list_open(ndshm_list **out);
NDSHM_API int ndshm_list_next(ndshm_list *list, ndshm_info *out);
NDSHM_API void ndshm_list_close(ndshm_list **list);

/* A process that maps a segment. For people: found in /proc, where processes in other pid
 * namespaces are not to be seen, and where a number may mean another process by now. */
typedef struct ndshm_user {
    int64_t pid;
    int64_t bytes;  /* that it maps of the segment */
    int64_t pss;    /* of those, its proportional share of resident memory; -1: not known */
    uint64_t inode; /* of the segment */
    int32_t access; /* NDSHM_READ, NDSHM_COW or NDSHM_WRITE: the most of what it may do */
    int32_t linked; /* 0: the file has no name (any more): unlinked, or not published yet */
    uint32_t uid;
    char command[64];
    char name[256]; /* of the file; when it has none, the last one, or "#INODE" */
    uint32_t reserved[17];
} ndshm_user;

/* Lists the processes that map a segment, one entry each. name NULL: those that map any file of the
 * shared-memory directory, one entry a process and file. _next returns -ENOENT after the last one.
 * _hidden: how many processes could not be looked at up to now, because they are other users'.
 * Errors: -ENOENT, -EINVAL, -ENOMEM, -EMFILE; of opening /proc. */
typedef struct ndshm_users ndshm_users;
NDSHM_API int ndshm_users_open(const char *name, ndshm_users **out);
NDSHM_API int ndshm_users_next(ndshm_users *users, ndshm_user *out);
NDSHM_API int64_t ndshm_users_hidden(const ndshm_users *users);
NDSHM_API void ndshm_users_close(ndshm_users **users);

/* How a segment gets its name. */
enum {
    NDSHM_PUBLISH_PROC = 1,       /* linkat through /proc: atomic */
    NDSHM_PUBLISH_EMPTY_PATH = 2, /* linkat with AT_EMPTY_PATH: atomic */
    NDSHM_PUBLISH_RENAME = 3      /* under a temporary name first: who is killed may leave it */
};

/* What shows that a segment is in use. */
enum {
    NDSHM_LIVE_MAPPING = 1,    /* the mapping: no descriptor stays open */
    NDSHM_LIVE_DESCRIPTOR = 2, /* a descriptor, kept open with each attachment */
    NDSHM_LIVE_NONE = 3        /* nothing: locks do not work here, and nothing is removed */
};

/* What the machine gives to shared memory here and now. Sizes in bytes. */
typedef struct ndshm_probe_report {
    char directory[64]; /* where segments lie */
    int64_t bytes;      /* of that file system */
    int64_t bytes_free;
    int64_t inodes_free;      /* -1: no limit */
    int64_t memory_available; /* of the machine; -1: not known */
    int64_t cgroup_headroom;  /* least of the memory cgroup and its ancestors; -1: no limit */
    char cgroup[256];         /* the directory of that one, or "" */
    int32_t tmpfs;            /* 1: the file system is a tmpfs */
    int32_t publish;          /* NDSHM_PUBLISH_* */
    int32_t publish_refused;  /* what a better way to publish failed with, or 0 */
    int32_t liveness;         /* NDSHM_LIVE_* */
    int32_t lease;            /* 1: leases prove that nobody uses a segment; 0: ndshm_reap removes
                                 nothing, unless the locks alone are accepted */
    int32_t lease_refused;    /* what asking for a lease failed with, or 0 */
    uint32_t reserved[32];
} ndshm_probe_report;

/* Finds out by a self-test what this kernel and file system do, and which ways of the library are
 * in use for that. Errors: -ENOSPC, -EMFILE, -ENOMEM and others of opening a file there. */
NDSHM_API int ndshm_probe(ndshm_probe_report *out);

/* ndshm_reap_config.flags */
enum {
    NDSHM_REAP_DRY_RUN = 1,          /* take the proof, but remove nothing */
    NDSHM_REAP_ACCEPT_LOCK_ONLY = 2, /* where no lease is to be had: accept the locks alone */
    NDSHM_REAP_OTHER_USERS = 4,      /* as root: segments of other users, too */
    NDSHM_REAP_ACCEPT_CORRUPT = 8 /* also what is damaged or of an unknown version, whose lifetime
                                     and pool are not known: with a lease only */
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
    NDSHM_REAP_CORRUPT = 8   /* damaged or of an unknown version: stays unless asked for */
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
