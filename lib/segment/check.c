/* SPDX-License-Identifier: MIT */
/* Every reason at once why a file is no sound segment. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"
#include "segment/internal.h"

const char *ndshm_check_name(int check)
{
    static const char *const names[NDSHM_CHECKS] = {"file",  "owner",      "identity", "lifetime",
                                                    "space", "descriptor", "name",     "pool"};
    return check >= 0 && check < NDSHM_CHECKS ? names[check] : NULL;
}

struct examination {
    const char *name;
    int fd;
    struct stat file;
    struct ndshm__header header;
    ndshm_check_report *report;
};

/* Runs one check, whose failure goes into the report; true when it is sound. */
static bool look(struct examination *self, int check, int (*examine)(struct examination *self))
{
    ndshm_check_report *report = self->report;
    ndshm__capture_begin(report->message[check], sizeof report->message[check]);
    int status = examine(self);
    ndshm__capture_end();
    report->found[check] = status ? -1 : 1;
    return status == 0;
}

/* What was not reached says so. */
static void explain_rest(ndshm_check_report *report)
{
    for (int i = 0; i < NDSHM_CHECKS; i++)
        if (report->found[i] == 0)
            ndshm__text_copy(report->message[i], sizeof report->message[i],
                             "not looked at: what it depends on is not sound");
}

static int examine_file(struct examination *self)
{
    if (!S_ISREG(self->file.st_mode))
        return ndshm__fail(NDSHM_EKIND, "not a regular file");
    if (self->file.st_nlink != 1)
        return ndshm__fail(-EMLINK, "it has %lu links; a segment has one name",
                           (unsigned long)self->file.st_nlink);
    return 0;
}

static int examine_owner(struct examination *self)
{
    if (self->file.st_uid != ndshm__os_euid() && self->file.st_uid != 0)
        return ndshm__fail(-EPERM, "owned by user %u, who can change it at any time",
                           self->file.st_uid);
    return 0;
}

static int examine_identity(struct examination *self)
{
    return ndshm__header_read_identity(self->fd, self->name, &self->file, &self->header);
}

static int examine_lifetime(struct examination *self)
{
    uint64_t word = self->header.lifetime;
    if (word != ndshm__lifetime_encode(ndshm__lifetime_decode(word)))
        return ndshm__fail(NDSHM_ECORRUPT, "%016llx is no lifetime: it counts as persistent",
                           (unsigned long long)word);
    return 0;
}

static int examine_space(struct examination *self)
{
    int64_t there = (int64_t)self->file.st_blocks * 512;
    if (there < self->file.st_size)
        return ndshm__fail(NDSHM_ECORRUPT,
                           "holes were punched into it: %lld of %lld bytes are there",
                           (long long)there, (long long)self->file.st_size);
    return 0;
}

static int examine_descriptor(struct examination *self)
{
    return ndshm__header_read(self->fd, self->name, &self->file, &self->header);
}

static int examine_name(struct examination *self)
{
    const char *own = ndshm__descriptor_name(self->header.descriptor);
    return strcmp(own, self->name) == 0
               ? 0
               : ndshm__fail(-ENOENT, "it was renamed from '%s': nobody can attach it", own);
}

static int examine_pool(struct examination *self)
{
    const char *pool = self->header.identity.pool;
    if (!pool[0] || ndshm__lifetime_decode(self->header.lifetime) == NDSHM_TEMPORARY ||
        ndshm__pool_verdict(pool, self->file.st_uid) != NDSHM_REAP_UNPROVEN)
        return 0;
    return ndshm__fail(-ENOENT, "its pool '%s' is missing: nothing proves that it is not needed",
                       pool);
}

static void examine_header(struct examination *self)
{
    if (!look(self, NDSHM_CHECK_IDENTITY, examine_identity))
        return;
    look(self, NDSHM_CHECK_LIFETIME, examine_lifetime);
    bool whole = look(self, NDSHM_CHECK_SPACE, examine_space);
    look(self, NDSHM_CHECK_POOL, examine_pool);
    if (!whole || !look(self, NDSHM_CHECK_DESCRIPTOR, examine_descriptor))
        return; /* it may lie in a hole */
    look(self, NDSHM_CHECK_NAME, examine_name);
    free(self->header.descriptor);
}

static int examine(struct examination *self)
{
    int status = ndshm__os_stat(self->fd, &self->file);
    if (status)
        return ndshm__space_explain(status, self->name, 0, "stat");
    bool regular = look(self, NDSHM_CHECK_FILE, examine_file) || S_ISREG(self->file.st_mode);
    look(self, NDSHM_CHECK_OWNER, examine_owner);
    if (regular)
        examine_header(self);
    return 0;
}

/* What cannot be opened because of what it is: a finding, not an error. */
static bool is_odd(int status)
{
    return status == -ELOOP || status == -EISDIR || status == -ENXIO || status == NDSHM_EKIND;
}

int ndshm_check(const char *name, ndshm_check_report *out)
{
    ndshm_check_report report;
    struct examination self = {.report = &report};
    ndshm__begin("ndshm_check");
    memset(&report, 0, sizeof report);
    int status = ndshm__name_check_any(name, &self.name);
    if (status)
        return status;
    ndshm__os_window_enter();
    ndshm__quiet_begin();
    self.fd = ndshm__open(self.name, false);
    ndshm__quiet_end();
    status = self.fd < 0 ? self.fd : examine(&self);
    if (self.fd >= 0)
        ndshm__os_close(self.fd);
    ndshm__os_window_leave();
    if (is_odd(status)) {
        report.found[NDSHM_CHECK_FILE] = -1;
        ndshm__text_copy(report.message[NDSHM_CHECK_FILE], sizeof report.message[0],
                         "not a regular file");
    } else if (status) {
        return ndshm__fail(status, "'%s': cannot be looked at: %s", self.name,
                           ndshm_strerror(status));
    }
    explain_rest(&report);
    *out = report;
    return 0;
}
