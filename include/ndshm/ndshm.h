/* SPDX-License-Identifier: MIT */
/* ndshm: arrays and data frames in POSIX shared memory. This header includes all the others.
 *
 * For all functions: outputs are written on success only. _detach and _close accept NULL and a NULL
 * handle. A NULL config means the defaults, except for jobs; any other config has its size field
 * set, by its _init function or by hand. A NULL name means a generated one. timeout_ms: 0 only
 * looks, -1 waits for ever.
 *
 * Caveats, before anything else:
 *
 * Fork: arrays and frames stay usable in a forked child, which may detach them. Pool, job and
 * worker handles return -EPERM there. A child removes nothing that its parent made. A mapping that
 * a child inherits counts as a use: a temporary segment stays until the child has gone, too.
 *
 * Crash: a process may be killed at any instruction. It leaves nothing, or complete segments that
 * nobody maps: "shm-inspect clean --force" removes those. There is no recovery code and no daemon.
 * A process that ends in order without detaching leaves the same: detach, also temporary segments.
 * What a killed writer wrote into a writable array stays there, half done.
 *
 * Full /dev/shm: memory is reserved before a name is visible, so that a full file system is -ENOSPC
 * and never a SIGBUS. Holes punched, or a truncation by a hostile process of the same user, can
 * still raise SIGBUS in those who read through views: that is mmap's contract. ndshm_array_copy
 * survives it.
 *
 * Containers: Docker gives 64 MB of /dev/shm unless told otherwise (--shm-size). Segments count
 * against the memory limit of the cgroup that touched them first, until they are unlinked and
 * unmapped. Containers that share a /dev/shm share segments, whatever their pid namespaces: nothing
 * here depends on a pid.
 *
 * Threads: a handle is used by one thread at a time, different handles by different threads. Pool
 * and job functions except _close may be called by any thread at any time.
 *
 * File systems: /dev/shm must be a tmpfs. On others the library falls back (a kept descriptor an
 * attachment) and refuses to remove anything by itself. systemd's RemoveIPC=yes removes the files
 * of a logged-out user: whoever has them mapped goes on, new attaches get -ENOENT.
 *
 * Trust: the user id is the boundary. Bytes of segments are checked, never believed, but within
 * one user id shared memory guards against accidents only.
 */
#ifndef NDSHM_NDSHM_H
#define NDSHM_NDSHM_H

#include "array.h"
#include "arrow.h"
#include "base.h"
#include "compute.h"
#include "csv.h"
#include "dlpack.h"
#include "dtype.h"
#include "frame.h"
#include "pool.h"
#include "segment.h"
#include "view.h"

#endif
