/* SPDX-License-Identifier: MIT */
/* How many CPUs are ours, and which. Workers share those of the process that opened their pool, so
 * that pools inside of tasks do not multiply. */
#ifndef NDSHM_LIB_POOL_BUDGET_H
#define NDSHM_LIB_POOL_BUDGET_H

#include "base/os_cpu.h"

/* At least 1. */
int ndshm__budget(void);

/* What each of so many workers gets of it. */
int ndshm__budget_share(int budget, int workers);

/* From here on this process, and whoever it forks, has no more than so many. */
void ndshm__budget_limit(int cpus);

/* Binds the worker of slot as config.pin says. 0, also where there is nothing to choose from; the
 * kernel's errors; -ENOTSUP: built without libnuma. */
int ndshm__budget_pin(int pin, int slot);

/* The CPUs of allowed for slot: one of them, round robin; or all those of one node, round robin
 * over the nodes that have any. node_of gives the node of a CPU, or an error. */
int ndshm__budget_choose(int pin, int slot, const ndshm__cpus *allowed, int (*node_of)(int cpu),
                         ndshm__cpus *out);

#endif
