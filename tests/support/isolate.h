/* SPDX-License-Identifier: MIT */
#ifndef NDSHM_TESTS_ISOLATE_H
#define NDSHM_TESTS_ISOLATE_H

#include <sys/types.h>

/* Moves this process into a mount namespace of its own with a fresh tmpfs over /dev/shm. -1: not
 * allowed. */
int support_mount_tmpfs(const char *options);

/* The process that adopts orphans of this program; 0 when there is none. */
pid_t support_reaper(void);

#endif
