/* SPDX-License-Identifier: MIT */
/* The CPUs that this process may use, and where it runs among them. */
#ifndef NDSHM_LIB_OS_CPU_H
#define NDSHM_LIB_OS_CPU_H

#include <stdbool.h>
#include <stdint.h>

enum { NDSHM__CPUS_MAX = 8192 }; /* of any kernel */

typedef struct ndshm__cpus {
    uint64_t bits[NDSHM__CPUS_MAX / 64];
} ndshm__cpus;

static inline bool ndshm__cpus_has(const ndshm__cpus *cpus, int cpu)
{
    return cpus->bits[cpu / 64] >> cpu % 64 & 1;
}

static inline void ndshm__cpus_add(ndshm__cpus *cpus, int cpu)
{
    cpus->bits[cpu / 64] |= UINT64_C(1) << cpu % 64;
}

int ndshm__cpus_count(const ndshm__cpus *cpus);

/* The affinity mask of this thread, and a new one. */
int ndshm__os_affinity(ndshm__cpus *out);
int ndshm__os_set_affinity(const ndshm__cpus *cpus);

/* The NUMA node of a CPU; 0 on machines with one node; -ENOTSUP: built without libnuma. */
int ndshm__os_node_of_cpu(int cpu);

#endif
