/* SPDX-License-Identifier: MIT */
#include "pool/budget.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include <ndshm/pool.h>

#include "base/os.h"

enum { NODES_MAX = 1024 }; /* of any kernel */

static int limit = INT_MAX;

int ndshm__budget(void)
{
    int cpus = ndshm__os_cpus();
    return cpus < limit ? cpus : limit;
}

int ndshm__budget_share(int budget, int workers)
{
    return workers > 0 && budget > workers ? budget / workers : 1;
}

void ndshm__budget_limit(int cpus)
{
    limit = cpus;
}

/* --- pinning --- */

static int choose_core(int slot, const ndshm__cpus *allowed, ndshm__cpus *out)
{
    int count = ndshm__cpus_count(allowed);
    int left = count ? slot % count : 0;
    for (int cpu = 0; cpu < NDSHM__CPUS_MAX; cpu++)
        if (ndshm__cpus_has(allowed, cpu) && left-- == 0) {
            ndshm__cpus_add(out, cpu);
            return 0;
        }
    return -EINVAL;
}

static int choose_node(int slot, const ndshm__cpus *allowed, int (*node_of)(int cpu),
                       ndshm__cpus *out)
{
    int16_t rank[NODES_MAX], nodes = 0; /* 1 for the first node that was seen, ... */
    memset(rank, 0, sizeof rank);
    for (int pass = 0; pass < 2; pass++)
        for (int cpu = 0; cpu < NDSHM__CPUS_MAX; cpu++) {
            if (!ndshm__cpus_has(allowed, cpu))
                continue;
            int node = node_of(cpu);
            if (node < 0 || node >= NODES_MAX)
                return node < 0 ? node : -ERANGE;
            if (!rank[node])
                rank[node] = ++nodes;
            if (pass == 1 && rank[node] == slot % nodes + 1)
                ndshm__cpus_add(out, cpu);
        }
    return 0;
}

int ndshm__budget_choose(int pin, int slot, const ndshm__cpus *allowed, int (*node_of)(int cpu),
                         ndshm__cpus *out)
{
    memset(out, 0, sizeof *out);
    return pin == NDSHM_PIN_CORE ? choose_core(slot, allowed, out)
                                 : choose_node(slot, allowed, node_of, out);
}

int ndshm__budget_pin(int pin, int slot)
{
    ndshm__cpus allowed, chosen;
    if (pin == NDSHM_PIN_NONE)
        return 0;
    int status = ndshm__os_affinity(&allowed);
    if (status >= 0)
        status = ndshm__budget_choose(pin, slot, &allowed, ndshm__os_node_of_cpu, &chosen);
    if (status < 0 || memcmp(&chosen, &allowed, sizeof chosen) == 0)
        return status < 0 ? status : 0;
    return ndshm__os_set_affinity(&chosen);
}
