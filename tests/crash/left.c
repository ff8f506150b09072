/* SPDX-License-Identifier: MIT */
#include "left.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rung.h"
#include "segments.h"
#include "support.h"

enum { PATIENCE_MS = 30000 };

static const char draft_prefix[] = "ndshm.tmp.";

static int each_name(int (*visit)(const char *name, void *context), void *context)
{
    DIR *all = opendir("/dev/shm");
    struct dirent *entry;
    int status = 0;
    assert_non_null(all);
    while (!status && (entry = readdir(all)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            status = visit(entry->d_name, context);
    closedir(all);
    return status;
}

struct looking {
    const char *name;
    int (*whole)(const ndshm__segment *segment);
    int drafts_allowed;
    struct left *left;
    char *complaint;
};

static int complain(struct looking *looking, const char *name, const char *what, const char *why)
{
    snprintf(looking->complaint, LEFT_COMPLAINT, "%.100s %s (%.200s)", name, what, why);
    return 1;
}

static int look(const char *name, void *context)
{
    struct looking *looking = context;
    ndshm__segment *segment;
    if (strncmp(name, draft_prefix, sizeof draft_prefix - 1) == 0) {
        looking->left->drafts++;
        return looking->drafts_allowed ? 0 : complain(looking, name, "is left", "a temporary name");
    }
    looking->left->segments++;
    if (strstr(name, ".free.")) /* a pool's own: of value to its workers only */
        return 0;
    ndshm__begin("left");
    if (ndshm__segment_attach(name, 0, NDSHM_WRITE, &segment) != 0)
        return complain(looking, name, "is half-made", ndshm_error_message());
    int whole = !looking->whole || strcmp(name, looking->name) != 0 || looking->whole(segment);
    ndshm__segment_release(&segment);
    return whole ? 0 : complain(looking, name, "is not whole", "its bytes are wrong");
}

static int rung_reap(const char *name, ndshm_reap_report *report)
{
    ndshm_reap_config config;
    ndshm_reap_config_init(&config);
    config.flags = rung_reap_flags();
    return ndshm_reap(name, &config, report);
}

static int reap(const char *name, void *context)
{
    ndshm_reap_report report;
    (void)context;
    rung_reap(name, &report);
    return 0;
}

static int remains(const char *name, void *context)
{
    ndshm_reap_report report = {.message = ""};
    int status = rung_reap(name, &report);
    return complain(context, name, "cannot be reaped",
                    status ? ndshm_error_message() : report.message);
}

static int force(const char *name, void *context)
{
    (void)context;
    return unlink(support_path(name)) != 0;
}

/* Temporary names are for the tool, where it is built. Otherwise, what it does: members, then their
 * pools. */
static void clean(const struct left *left)
{
    const char *tool = getenv("SHM_INSPECT");
    if (left->drafts && tool)
        support_run(NULL, 0, "%s clean --force >/dev/null", tool);
    for (int pass = 0; pass < 2 && !(left->drafts && tool); pass++)
        each_name(reap, NULL);
}

int left_look(const char *name, int (*whole)(const ndshm__segment *segment), int drafts_allowed,
              struct left *out, char complaint[LEFT_COMPLAINT])
{
    struct looking looking = {name, whole, drafts_allowed, out, complaint};
    *out = (struct left){0};
    int bad = each_name(look, &looking);
    clean(out);
    if (!bad)
        bad = each_name(remains, &looking);
    each_name(force, NULL);
    return bad != 0;
}

int left_collect(void)
{
    for (int waited = 0; waited < 10 * PATIENCE_MS; waited++) {
        pid_t pid = waitpid(-1, NULL, WNOHANG);
        if (pid < 0)
            return errno == ECHILD;
        if (pid == 0)
            usleep(100);
    }
    return 0;
}

struct left_space left_space(void)
{
    struct statvfs space;
    assert_int_equal(statvfs("/dev/shm", &space), 0);
    return (struct left_space){space.f_bfree, space.f_ffree};
}

int left_space_same(const struct left_space *before)
{
    for (int waited = 0; waited < PATIENCE_MS / 10; waited++) {
        struct left_space now = left_space();
        if (now.blocks == before->blocks && now.inodes == before->inodes)
            return 1;
        usleep(1000);
    }
    return 0;
}
