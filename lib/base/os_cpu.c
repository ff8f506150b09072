/* SPDX-License-Identifier: MIT */
#include "base/os_cpu.h"

#include <limits.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "base/os.h"
#include "base/os_cgroup.h"
#include "base/os_fault.h"

int ndshm__cpus_count(const ndshm__cpus *cpus)
{
    return CPU_COUNT_S(sizeof *cpus, (const cpu_set_t *)(const void *)cpus);
}

int ndshm__os_affinity(ndshm__cpus *out)
{
    int fault = ndshm__os_injected("affinity");
    memset(out, 0, sizeof *out);
    return fault ? -fault : ndshm__os_result(sched_getaffinity(0, sizeof *out, (void *)out));
}

int ndshm__os_set_affinity(const ndshm__cpus *cpus)
{
    int fault = ndshm__os_injected("set_affinity");
    return fault ? -fault
                 : ndshm__os_result(sched_setaffinity(0, sizeof *cpus, (const void *)cpus));
}

/* Lowers *least to the CPUs that the quota of a group is worth, begun ones in full. */
static void see_quota(const char *directory, bool unified, void *context)
{
    int64_t *least = context, number[2];
    int got = unified ? ndshm__os_cgroup_numbers(directory, "cpu.max", number, 2)
                      : ndshm__os_cgroup_numbers(directory, "cpu.cfs_quota_us", number, 1) +
                            ndshm__os_cgroup_numbers(directory, "cpu.cfs_period_us", number + 1, 1);
    if (got != 2 || number[0] <= 0 || number[1] <= 0) /* "max", or -1: there is none */
        return;
    int64_t cpus = (number[0] - 1) / number[1] + 1;
    *least = cpus < *least ? cpus : *least;
}

int ndshm__os_cpus(void)
{
    ndshm__cpus allowed;
    int64_t least = INT_MAX;
    ndshm__os_cgroup_walk("cpu", see_quota, &least);
    int64_t here = ndshm__os_affinity(&allowed) < 0 ? sysconf(_SC_NPROCESSORS_ONLN)
                                                    : ndshm__cpus_count(&allowed);
    least = here < least ? here : least;
    return least > 0 ? (int)least : 1;
}
