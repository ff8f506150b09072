/* SPDX-License-Identifier: MIT */
#include "rung.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ndshm/segment.h>

#include "base/os.h"

static int makes_drafts;
static uint32_t reap_flags;

static int fail_proc(const char *call)
{
    return strcmp(call, "link_proc") == 0 ? ENOENT : 0;
}

static int fail_links(const char *call)
{
    return strcmp(call, "link_empty_path") == 0 ? ENOENT : fail_proc(call);
}

static int fail_lease(const char *call)
{
    return strcmp(call, "lease") == 0 ? EINVAL : 0;
}

void rung_choose(const char *rung)
{
    makes_drafts = strcmp(rung, "rename") == 0;
    if (makes_drafts)
        ndshm__os_fault = fail_links;
    else if (strcmp(rung, "empty-path") == 0)
        ndshm__os_fault = fail_proc;
    else if (strcmp(rung, "locks") == 0) {
        ndshm__os_fault = fail_lease;
        reap_flags = NDSHM_REAP_ACCEPT_LOCK_ONLY;
    } else if (strcmp(rung, "proc") != 0) {
        fprintf(stderr, "there is no rung '%s'\n", rung);
        exit(2);
    }
}

int rung_makes_drafts(void)
{
    return makes_drafts;
}

uint32_t rung_reap_flags(void)
{
    return reap_flags;
}
