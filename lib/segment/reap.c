/* SPDX-License-Identifier: MIT */
/* Removing what nobody uses, with the kernel's proof. Every step that does not hold keeps the
 * segment. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/os.h"
#include "segment/internal.h"

void ndshm_reap_config_init(ndshm_reap_config *config)
{
    memset(config, 0, sizeof *config);
    config->size = sizeof *config;
}

const char *ndshm_reap_step_name(int step)
{
    static const char *const names[NDSHM_STEPS] = {
        "regular file", "owner",     "identity",   "lifetime",    "pool",     "members",
        "name lock",    "live lock", "cache lock", "write lease", "same file"};
    return step >= 0 && step < NDSHM_STEPS ? names[step] : NULL;
}

/* A flag of our own: reaped on behalf of its pool. */
enum { AS_MEMBER = 1 << 30 };

struct proof {
    const char *name;
    const uint8_t *uuid; /* NULL: any */
    bool draft;          /* a temporary name: its creator holds it, or is dead */
    int fd;
    uint32_t flags;
    struct stat file;
    struct ndshm__header header;
    ndshm_reap_report *report;
};

static int hold(struct proof *proof, int step)
{
    proof->report->evidence[step] = 1;
    return 0;
}

/* Ends the proof: the segment stays. */
__attribute__((format(printf, 4, 5))) static int keep(struct proof *proof, int step, int decision,
                                                      const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(proof->report->message, sizeof proof->report->message, format, arguments);
    va_end(arguments);
    proof->report->evidence[step] = -1;
    proof->report->decision = decision;
    return 1;
}

static int step_file(struct proof *proof)
{
    int status = ndshm__os_stat(proof->fd, &proof->file);
    if (status)
        return ndshm__space_explain(status, proof->name, 0, "stat");
    proof->report->bytes = (int64_t)proof->file.st_blocks * 512;
    if (!S_ISREG(proof->file.st_mode))
        return keep(proof, NDSHM_STEP_FILE, NDSHM_REAP_FOREIGN, "not a regular file");
    if (proof->file.st_nlink == 0)
        return ndshm__fail(-ENOENT, "'%s': was removed this moment", proof->name);
    if (proof->file.st_nlink != 1)
        return keep(proof, NDSHM_STEP_FILE, NDSHM_REAP_FOREIGN, "has %lu hard links",
                    (unsigned long)proof->file.st_nlink);
    return hold(proof, NDSHM_STEP_FILE);
}

static int step_owner(struct proof *proof)
{
    uint32_t self = ndshm__os_euid();
    if (proof->file.st_uid != self && !(self == 0 && proof->flags & NDSHM_REAP_OTHER_USERS))
        return keep(proof, NDSHM_STEP_OWNER, NDSHM_REAP_FOREIGN, "owned by user %u",
                    proof->file.st_uid);
    return hold(proof, NDSHM_STEP_OWNER);
}

/* Damage that was asked for by name: only that nobody has the file open or mapped is to be proven.
 */
static bool accepts_corrupt(const struct proof *proof)
{
    return proof->uuid == NULL && proof->flags & NDSHM_REAP_ACCEPT_CORRUPT;
}

/* What it says of itself means nothing: it is damaged, or was never finished. */
static bool is_unidentified(const struct proof *proof)
{
    return proof->draft || proof->report->evidence[NDSHM_STEP_IDENTITY] < 0;
}

static int step_identity(struct proof *proof)
{
    if (proof->draft)
        return proof->uuid ? ndshm__fail(-ENOENT, "'%s': not a segment yet", proof->name) : 0;
    ndshm__quiet_begin();
    int status = ndshm__header_read_identity(proof->fd, proof->name, &proof->file, &proof->header);
    ndshm__quiet_end();
    if (status == NDSHM_EKIND)
        return keep(proof, NDSHM_STEP_IDENTITY, NDSHM_REAP_FOREIGN, "not a segment of ndshm");
    if (status) {
        keep(proof, NDSHM_STEP_IDENTITY, NDSHM_REAP_CORRUPT, "its identity cannot be trusted: %s",
             ndshm_strerror(status));
        return accepts_corrupt(proof) ? 0 : 1;
    }
    memcpy(proof->report->uuid, proof->header.identity.uuid, sizeof proof->report->uuid);
    if (proof->uuid && memcmp(proof->uuid, proof->report->uuid, sizeof proof->report->uuid) != 0)
        return ndshm__fail(-ENOENT, "'%s': the name means another segment by now", proof->name);
    return hold(proof, NDSHM_STEP_IDENTITY);
}

static int step_lifetime(struct proof *proof)
{
    if (ndshm__lifetime_decode(proof->header.lifetime) == NDSHM_PERSISTENT)
        return keep(proof, NDSHM_STEP_LIFETIME, NDSHM_REAP_PERSISTENT,
                    "persistent: only unlinking removes it");
    return hold(proof, NDSHM_STEP_LIFETIME);
}

/* Another user's file of that name, which says what that user likes, is not even opened: its opener
 * can be kept waiting. */
static int open_pool(const char *pool, uint32_t owner, struct stat *file)
{
    int status = ndshm__os_stat_name(pool, file);
    if (!status && file->st_uid != owner)
        status = -EPERM;
    return status ? status : ndshm__open(pool, false);
}

int ndshm__pool_verdict(const char *pool, uint32_t owner)
{
    struct stat file;
    struct ndshm__header header;
    ndshm__quiet_begin();
    int fd = open_pool(pool, owner, &file);
    int status = fd < 0 ? fd : ndshm__os_stat(fd, &file);
    if (!status && (!S_ISREG(file.st_mode) || file.st_uid != owner))
        status = NDSHM_EKIND;
    if (!status)
        status = ndshm__header_read_identity(fd, pool, &file, &header);
    if (!status && header.identity.kind != NDSHM_KIND_POOL)
        status = NDSHM_EKIND;
    int owned = status ? status : ndshm__os_locked(fd, NDSHM__LOCK_OWNER);
    if (fd >= 0)
        ndshm__os_close(fd);
    ndshm__quiet_end();
    if (owned < 0)
        return NDSHM_REAP_UNPROVEN;
    return owned ? NDSHM_REAP_POOL_ALIVE : 0;
}

/* A temporary segment was taken from its pool: whoever took it decides alone. */
static int step_pool(struct proof *proof)
{
    const char *pool = proof->header.identity.pool;
    if (!pool[0] || ndshm__lifetime_decode(proof->header.lifetime) == NDSHM_TEMPORARY)
        return hold(proof, NDSHM_STEP_POOL);
    switch (ndshm__pool_verdict(pool, proof->file.st_uid)) {
    case NDSHM_REAP_POOL_ALIVE:
        return keep(proof, NDSHM_STEP_POOL, NDSHM_REAP_POOL_ALIVE, "its pool %s is alive", pool);
    case NDSHM_REAP_UNPROVEN:
        return keep(proof, NDSHM_STEP_POOL, NDSHM_REAP_UNPROVEN,
                    "its pool %s is missing, which proves nothing", pool);
    default:
        return hold(proof, NDSHM_STEP_POOL);
    }
}

/* Reaps the files whose names begin with prefix; what another user put there is no member. The
 * first one that stays is copied to member. */
static bool reap_members(const char *prefix, uint32_t flags, char member[256])
{
    const uint32_t inherited = flags & ~(uint32_t)NDSHM_REAP_ACCEPT_CORRUPT;
    const ndshm_reap_config config = {sizeof config, inherited | AS_MEMBER};
    ndshm__os_directory *directory;
    ndshm_reap_report report;
    const char *name;
    int more;
    bool stays = false;
    ndshm__text_copy(member, 256, "(unknown: /dev/shm cannot be listed)");
    if (ndshm__os_directory_open(&directory))
        return false;
    while ((more = ndshm__os_directory_next(directory, &name)) > 0) {
        if (strncmp(name, prefix, strlen(prefix)) != 0)
            continue;
        int status = ndshm__reap(name, NULL, &config, &report);
        if (status == -ENOENT || (status == 0 && (report.decision <= NDSHM_REAP_REMOVABLE ||
                                                  report.decision == NDSHM_REAP_FOREIGN)))
            continue;
        if (!stays)
            ndshm__text_copy(member, 256, name);
        stays = true;
    }
    ndshm__os_directory_close(directory);
    return !stays && more == 0;
}

static int step_members(struct proof *proof)
{
    char prefix[NDSHM_NAME_MAX + 2], member[256];
    if (proof->header.identity.kind != NDSHM_KIND_POOL)
        return hold(proof, NDSHM_STEP_MEMBERS);
    if (ndshm__os_locked(proof->fd, NDSHM__LOCK_OWNER) != 0)
        return keep(proof, NDSHM_STEP_POOL, NDSHM_REAP_POOL_ALIVE, "the pool is alive");
    if (proof->flags & AS_MEMBER) /* members of members of members: 2^n proofs */
        return keep(proof, NDSHM_STEP_MEMBERS, NDSHM_REAP_IN_USE, "a pool within a pool");
    snprintf(prefix, sizeof prefix, "%s.", proof->name);
    ndshm__quiet_begin();
    bool gone = reap_members(prefix, proof->flags, member);
    ndshm__quiet_end();
    if (!gone)
        return keep(proof, NDSHM_STEP_MEMBERS, NDSHM_REAP_IN_USE, "its member %.180s remains",
                    member);
    return hold(proof, NDSHM_STEP_MEMBERS);
}

static int step_lock(struct proof *proof, int step, int64_t byte, const char *refusal)
{
    int status = ndshm__os_lock_write(proof->fd, byte);
    if (status == -EAGAIN)
        return keep(proof, step, NDSHM_REAP_IN_USE, "%s", refusal);
    if (status)
        return keep(proof, step, NDSHM_REAP_UNPROVEN, "the lock cannot be taken: %s",
                    ndshm_strerror(status));
    return hold(proof, step);
}

static int take_lease(struct proof *proof)
{
    int status = ndshm__os_lease(proof->fd);
    if (status == -EACCES && ndshm__os_euid() == 0 && ndshm__os_act_as(proof->file.st_uid) == 0) {
        status = ndshm__os_lease(proof->fd);
        ndshm__os_act_as(0);
    }
    return status;
}

static int step_lease(struct proof *proof)
{
    struct ndshm__ladder ladder;
    if (ndshm__ladder_of(proof->file.st_dev, &ladder) || ladder.liveness == NDSHM_LIVE_NONE)
        return keep(proof, NDSHM_STEP_LEASE, NDSHM_REAP_UNPROVEN,
                    "locks do not work on this file system");
    int status = ladder.lease ? take_lease(proof) : -ENOTSUP;
    if (status == 0)
        return hold(proof, NDSHM_STEP_LEASE);
    if (status == -EAGAIN)
        return keep(proof, NDSHM_STEP_LEASE, NDSHM_REAP_IN_USE,
                    "some process has it open or mapped");
    if (proof->flags & NDSHM_REAP_ACCEPT_LOCK_ONLY && !is_unidentified(proof))
        return 0;
    return keep(proof, NDSHM_STEP_LEASE, NDSHM_REAP_UNPROVEN,
                "no lease is to be had here (%s), and the locks alone were not accepted",
                ndshm_strerror(status));
}

/* Under the locks everything is looked at again: name, inode, identity and lifetime. */
static int step_same(struct proof *proof)
{
    struct ndshm__header now;
    int same = ndshm__same_file(proof->fd, proof->name);
    if (same < 0)
        return same;
    if (!same)
        return ndshm__fail(-ENOENT, "'%s': the name means another file by now", proof->name);
    if (is_unidentified(proof))
        return hold(proof, NDSHM_STEP_SAME);
    ndshm__quiet_begin();
    int status = ndshm__header_read_identity(proof->fd, proof->name, &proof->file, &now);
    ndshm__quiet_end();
    if (status || memcmp(&now.identity, &proof->header.identity, sizeof now.identity) != 0)
        return keep(proof, NDSHM_STEP_SAME, NDSHM_REAP_IN_USE, "it changes at this moment");
    proof->header = now;
    status = step_lifetime(proof);
    if (!status)
        status = step_pool(proof);
    return status ? status : hold(proof, NDSHM_STEP_SAME);
}

/* What its identity says about who may keep it. */
static int step_kept_by(struct proof *proof)
{
    int status = step_lifetime(proof);
    if (!status)
        status = step_pool(proof);
    return status ? status : step_members(proof);
}

static int prove(struct proof *proof)
{
    int status = step_file(proof);
    if (!status)
        status = step_owner(proof);
    if (!status)
        status = step_identity(proof);
    if (!status && !is_unidentified(proof))
        status = step_kept_by(proof);
    if (!status)
        status = step_lock(proof, NDSHM_STEP_NAME_LOCK, NDSHM__LOCK_NAME,
                           "another process holds its name");
    if (!status)
        status =
            step_lock(proof, NDSHM_STEP_LIVE_LOCK, NDSHM__LOCK_LIVE, "a process has it mapped");
    if (!status)
        status =
            step_lock(proof, NDSHM_STEP_CACHE_LOCK, NDSHM__LOCK_CACHE, "a pool keeps it for reuse");
    if (!status)
        status = step_lease(proof);
    return status ? status : step_same(proof);
}

static int remove_proven(struct proof *proof)
{
    if (proof->flags & NDSHM_REAP_DRY_RUN) {
        proof->report->decision = NDSHM_REAP_REMOVABLE;
        ndshm__text_copy(proof->report->message, sizeof proof->report->message,
                         proof->draft ? "its creator died: it would be removed"
                                      : "nobody uses it: it would be removed");
        return 0;
    }
    int status = ndshm__os_unlink(proof->name);
    if (status)
        return ndshm__space_explain(status, proof->name, 0, "unlink");
    proof->report->decision = NDSHM_REAP_REMOVED;
    ndshm__text_copy(proof->report->message, sizeof proof->report->message,
                     proof->draft ? "its creator died: removed" : "nobody used it: removed");
    return 0;
}

/* By hand: a fork of the host may have duplicated the description, and closing would not free them.
 */
static void give_back(struct proof *proof)
{
    if (proof->report->evidence[NDSHM_STEP_LEASE] == 1)
        ndshm__os_unlease(proof->fd);
    if (proof->report->evidence[NDSHM_STEP_CACHE_LOCK] == 1)
        ndshm__os_unlock(proof->fd, NDSHM__LOCK_CACHE);
    if (proof->report->evidence[NDSHM_STEP_LIVE_LOCK] == 1)
        ndshm__os_unlock(proof->fd, NDSHM__LOCK_LIVE);
    if (proof->report->evidence[NDSHM_STEP_NAME_LOCK] == 1)
        ndshm__os_unlock(proof->fd, NDSHM__LOCK_NAME);
}

/* What cannot even be opened for writing is somebody else's, or in the middle of another proof. */
static int open_for_proof(struct proof *proof)
{
    proof->fd = ndshm__os_open(proof->name, true);
    switch (proof->fd) {
    case -EAGAIN:
        return keep(proof, NDSHM_STEP_FILE, NDSHM_REAP_IN_USE, "another process takes a proof");
    case -EACCES:
    case -EPERM:
        return keep(proof, NDSHM_STEP_OWNER, NDSHM_REAP_FOREIGN, "not accessible to this user");
    case -ELOOP:
    case -EISDIR:
    case -ENXIO:
        return keep(proof, NDSHM_STEP_FILE, NDSHM_REAP_FOREIGN, "not a regular file");
    default:
        return proof->fd < 0 ? ndshm__space_explain(proof->fd, proof->name, 0, "shm_open") : 0;
    }
}

int ndshm__reap(const char *name, const uint8_t *uuid, const ndshm_reap_config *config,
                ndshm_reap_report *out)
{
    ndshm_reap_report report = {0};
    struct proof proof = {.name = name,
                          .uuid = uuid,
                          .draft = ndshm__name_is_draft(name),
                          .flags = config ? config->flags : 0,
                          .report = &report};
    ndshm__text_copy(report.name, sizeof report.name, name);
    ndshm__os_window_enter();
    int status = open_for_proof(&proof);
    if (!status) {
        status = prove(&proof);
        if (!status)
            status = remove_proven(&proof);
        give_back(&proof);
        ndshm__os_close(proof.fd);
    }
    ndshm__os_window_leave();
    if (status < 0)
        return status;
    *out = report;
    return 0;
}

int ndshm_reap(const char *name, const ndshm_reap_config *config, ndshm_reap_report *out)
{
    const char *bare;
    ndshm_reap_config known;
    enum {
        FLAGS = NDSHM_REAP_DRY_RUN | NDSHM_REAP_ACCEPT_LOCK_ONLY | NDSHM_REAP_OTHER_USERS |
                NDSHM_REAP_ACCEPT_CORRUPT
    };
    ndshm__begin("ndshm_reap");
    ndshm_reap_config_init(&known);
    int status = ndshm__config_copy(config, sizeof known, &known);
    if (!status && known.flags & ~(uint32_t)FLAGS)
        status = ndshm__fail(-EINVAL, "unknown flags 0x%x in the reap config", known.flags);
    if (!status)
        status = ndshm__name_check_any(name, &bare);
    return status ? status : ndshm__reap(bare, NULL, &known, out);
}

/* 0: removed, or nobody's member any more. */
static int sweep_name(const char *name)
{
    ndshm_reap_report report;
    ndshm_info info;
    int status = ndshm__inspect(name, &info);
    if (!status && info.lifetime != NDSHM_TEMPORARY)
        status = ndshm__unlink(name, NULL);
    else if (!status) /* somebody took it, and may be using it */
        ndshm__reap(name, NULL, NULL, &report);
    return status == -ENOENT ? 0 : status;
}

int64_t ndshm__sweep(const char *prefix)
{
    ndshm__os_directory *directory;
    int64_t left = 0;
    const char *name;
    ndshm__quiet_begin();
    int more = ndshm__os_directory_open(&directory);
    if (!more) {
        while ((more = ndshm__os_directory_next(directory, &name)) > 0)
            if (strncmp(name, prefix, strlen(prefix)) == 0)
                left += sweep_name(name) != 0;
        ndshm__os_directory_close(directory);
    }
    ndshm__quiet_end();
    return left + (more < 0);
}
