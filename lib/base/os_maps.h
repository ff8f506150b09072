/* SPDX-License-Identifier: MIT */
/* Other processes and what they map, from /proc: for people, never for decisions. */
#ifndef NDSHM_LIB_OS_MAPS_H
#define NDSHM_LIB_OS_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct ndshm__os_processes ndshm__os_processes;
int ndshm__os_processes_open(ndshm__os_processes **out);
int ndshm__os_processes_next(ndshm__os_processes *processes); /* a pid; 0 after the last one */
void ndshm__os_processes_close(ndshm__os_processes *processes);

struct ndshm__os_mapping {
    uint64_t device, inode; /* of the file, 0 when there is none */
    int64_t size;
    int64_t share; /* bytes: its proportional share of the resident pages; -1: not asked for */
    bool writable, shared;
    char path[512]; /* as the kernel shows it, cut */
};

/* The mappings of a process; shares: with their shares, which costs a walk over its pages. -ENOENT:
 * it is gone; -EACCES: not this user's to see. */
typedef struct ndshm__os_maps ndshm__os_maps;
int ndshm__os_maps_open(int pid, bool shares, ndshm__os_maps **out);
bool ndshm__os_maps_next(ndshm__os_maps *maps, struct ndshm__os_mapping *out);
void ndshm__os_maps_close(ndshm__os_maps *maps);

/* Name and user of a process. -ENOENT. */
int ndshm__os_process_of(int pid, char *command, size_t size, uint32_t *uid);

#endif
