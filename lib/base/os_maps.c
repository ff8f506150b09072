/* SPDX-License-Identifier: MIT */
#include "base/os_maps.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/base.h"
#include "base/os_fault.h"

int ndshm__os_processes_open(ndshm__os_processes **out)
{
    int fault = ndshm__os_injected("processes_open");
    if (fault)
        return -fault;
    DIR *directory = opendir("/proc");
    if (!directory)
        return -errno;
    *out = (ndshm__os_processes *)directory;
    return 0;
}

int ndshm__os_processes_next(ndshm__os_processes *processes)
{
    struct dirent *entry;
    while ((entry = readdir((DIR *)processes))) {
        int pid = atoi(entry->d_name); /* 0 for what is no process */
        if (pid > 0)
            return pid;
    }
    return 0;
}

void ndshm__os_processes_close(ndshm__os_processes *processes)
{
    closedir((DIR *)processes);
}

struct ndshm__os_maps {
    FILE *file;
    bool shares;
};

int ndshm__os_maps_open(int pid, bool shares, ndshm__os_maps **out)
{
    int fault = ndshm__os_injected("maps_open");
    char path[64];
    if (fault)
        return -fault;
    ndshm__os_maps *maps = ndshm__alloc(sizeof *maps);
    if (!maps)
        return -ENOMEM;
    snprintf(path, sizeof path, "/proc/%d/%s", pid, shares ? "smaps" : "maps");
    maps->file = fopen(path, "re");
    maps->shares = shares;
    if (!maps->file) {
        int status = -errno;
        free(maps);
        return status;
    }
    *out = maps;
    return 0;
}

/* "7f1c2e000000-7f1c2e002000 rw-s 00000000 00:1a 4711    /dev/shm/prices (deleted)" */
static bool parse_mapping(const char *line, struct ndshm__os_mapping *out)
{
    unsigned long begin, end, inode;
    unsigned device_major, device_minor;
    char mode[5];
    int path = 0;
    if (sscanf(line, "%lx-%lx %4s %*x %x:%x %lu %n", &begin, &end, mode, &device_major,
               &device_minor, &inode, &path) < 6)
        return false;
    *out = (struct ndshm__os_mapping){.device = makedev(device_major, device_minor),
                                      .inode = inode,
                                      .size = (int64_t)(end - begin),
                                      .share = -1,
                                      .writable = mode[1] == 'w',
                                      .shared = mode[3] == 's'};
    ndshm__text_copy(out->path, sizeof out->path, line + path);
    out->path[strcspn(out->path, "\n")] = '\0';
    return true;
}

/* The line of a mapping, or with shares the lines up to "VmFlags:", which is the last one. */
bool ndshm__os_maps_next(ndshm__os_maps *maps, struct ndshm__os_mapping *out)
{
    char line[PATH_MAX + 128];
    long long kilobytes;
    bool found = false;
    while (fgets(line, sizeof line, maps->file)) {
        if (!found)
            found = parse_mapping(line, out);
        else if (sscanf(line, "Pss: %lld kB", &kilobytes) == 1)
            out->share = kilobytes * 1024;
        if (found && (!maps->shares || strncmp(line, "VmFlags:", 8) == 0))
            return true;
    }
    return found;
}

void ndshm__os_maps_close(ndshm__os_maps *maps)
{
    fclose(maps->file);
    free(maps);
}

int ndshm__os_process_of(int pid, char *command, size_t size, uint32_t *uid)
{
    int fault = ndshm__os_injected("process_of");
    char path[64];
    struct stat process;
    if (fault)
        return -fault;
    snprintf(path, sizeof path, "/proc/%d/comm", pid);
    FILE *file = fopen(path, "re");
    if (!file)
        return -errno;
    int status = fstat(fileno(file), &process) < 0 ? -errno : 0;
    if (!status && !fgets(command, (int)size, file))
        status = -ENOENT;
    fclose(file);
    if (status)
        return status;
    command[strcspn(command, "\n")] = '\0';
    *uid = process.st_uid;
    return 0;
}
