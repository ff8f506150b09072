/* SPDX-License-Identifier: MIT */
#include "base/os.h"
#include "base/os_cpu.h"
#include "base/os_fault.h"

#ifdef NDSHM_HAVE_NUMA
#include <numa.h>
#include <numaif.h>

static int set_policy(void *address, int64_t size, int mode, const struct bitmask *nodes)
{
    long result = nodes ? mbind(address, (size_t)size, mode, nodes->maskp, nodes->size + 1, 0)
                        : mbind(address, (size_t)size, mode, NULL, 0, 0);
    return result < 0 ? -errno : 1;
}

static int bind_to_node(void *address, int64_t size, int node)
{
    if (node < 0 || node > numa_max_node())
        return -EINVAL;
    struct bitmask *nodes = numa_allocate_nodemask();
    if (!nodes)
        return -ENOMEM;
    numa_bitmask_setbit(nodes, (unsigned)node);
    int status = set_policy(address, size, MPOL_BIND, nodes);
    numa_free_nodemask(nodes);
    return status;
}

int ndshm__os_numa_bind(void *address, int64_t size, int32_t policy)
{
    int fault = ndshm__os_injected("numa_bind");
    if (fault)
        return -fault;
    if (numa_available() < 0 || numa_num_configured_nodes() <= 1)
        return 0;
    if (policy == NDSHM__NUMA_LOCAL)
        return set_policy(address, size, MPOL_LOCAL, NULL);
    if (policy == NDSHM__NUMA_INTERLEAVE)
        return set_policy(address, size, MPOL_INTERLEAVE, numa_all_nodes_ptr);
    return bind_to_node(address, size, policy - 1);
}

int ndshm__os_node_of_cpu(int cpu)
{
    int fault = ndshm__os_injected("node_of_cpu");
    if (fault)
        return -fault;
    if (numa_available() < 0 || numa_num_configured_nodes() <= 1)
        return 0;
    int node = numa_node_of_cpu(cpu);
    return node < 0 ? -errno : node;
}
#else
int ndshm__os_node_of_cpu(int cpu)
{
    (void)cpu;
    return -ENOTSUP;
}

int ndshm__os_numa_bind(void *address, int64_t size, int32_t policy)
{
    (void)address, (void)size, (void)policy;
    return -ENOTSUP;
}
#endif
