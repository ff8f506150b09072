/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/os.h"
#include "segment/internal.h"

static int64_t or_unlimited(int64_t value)
{
    return value == INT64_MAX ? -1 : value;
}

static void fill_ladder(ndshm_probe_report *report, const struct ndshm__ladder *ladder)
{
    report->publish = ladder->publish;
    report->publish_refused = ladder->publish_refused;
    report->liveness = ladder->liveness;
    report->lease = ladder->lease;
    report->lease_refused = ladder->lease ? 0 : ladder->lease_refused;
}

int ndshm_probe(ndshm_probe_report *out)
{
    ndshm_probe_report report;
    ndshm__os_space space;
    struct ndshm__ladder ladder;
    ndshm__begin("ndshm_probe");
    memset(&report, 0, sizeof report);
    ndshm__text_copy(report.directory, sizeof report.directory, NDSHM__OS_DIRECTORY);
    int status = ndshm__os_space_of_directory(&space);
    if (!status)
        status = ndshm__ladder_of(space.device, &ladder);
    if (status)
        return ndshm__space_explain(status, report.directory, 0, "the self-test");
    report.bytes = space.bytes;
    report.bytes_free = space.bytes_free;
    report.inodes_free = or_unlimited(space.inodes_free);
    report.tmpfs = space.tmpfs;
    report.memory_available = or_unlimited(ndshm__os_memory_available());
    report.cgroup_headroom =
        or_unlimited(ndshm__os_cgroup_headroom(report.cgroup, sizeof report.cgroup));
    fill_ladder(&report, &ladder);
    *out = report;
    return 0;
}
