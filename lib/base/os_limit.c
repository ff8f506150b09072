/* SPDX-License-Identifier: MIT */
/* Limits that would kill us rather than fail a call. */
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/base.h"
#include "base/os.h"
#include "base/os_fault.h"

int64_t ndshm__os_file_size_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_FSIZE, &limit) < 0 || limit.rlim_cur > (rlim_t)INT64_MAX)
        return INT64_MAX;
    return (int64_t)limit.rlim_cur;
}

static int64_t meminfo_field(const char *text, const char *field)
{
    const char *line = strstr(text, field);
    return line ? strtoll(line + strlen(field), NULL, 10) * 1024 : 0;
}

int64_t ndshm__os_memory_available(void)
{
    char text[4096];
    FILE *file = ndshm__os_injected("meminfo") ? NULL : fopen("/proc/meminfo", "re");
    if (!file)
        return INT64_MAX;
    size_t got = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[got] = '\0';
    int64_t available = meminfo_field(text, "MemAvailable:");
    return available ? available + meminfo_field(text, "SwapFree:") : INT64_MAX;
}

int64_t ndshm__os_huge_bytes(const void *address)
{
    char line[PATH_MAX], begin[32];
    long long kilobytes = 0;
    bool here = false;
    FILE *maps = ndshm__os_injected("smaps") ? NULL : fopen("/proc/self/smaps", "re");
    int length = snprintf(begin, sizeof begin, "%lx-", (unsigned long)(uintptr_t)address);
    while (maps && fgets(line, sizeof line, maps)) {
        if (strncmp(line, begin, (size_t)length) == 0)
            here = true;
        if (here && sscanf(line, "ShmemPmdMapped: %lld", &kilobytes) == 1)
            break;
    }
    if (maps)
        fclose(maps);
    return kilobytes * 1024;
}

/* A number in a file of its own; INT64_MAX for "max", for no such file and for anything else. */
static int64_t read_number(const char *path)
{
    FILE *file = fopen(path, "re");
    if (!file)
        return INT64_MAX;
    long long value;
    int64_t number = fscanf(file, "%lld", &value) == 1 && value >= 0 ? value : INT64_MAX;
    fclose(file);
    return number;
}

struct hierarchy {
    const char *root, *limit_file, *usage_file;
};

static const struct hierarchy unified = {"/sys/fs/cgroup", "memory.max", "memory.current"};
static const struct hierarchy version1 = {"/sys/fs/cgroup/memory", "memory.limit_in_bytes",
                                          "memory.usage_in_bytes"};

static int64_t group_headroom(const char *directory, const struct hierarchy *hierarchy)
{
    char path[2 * PATH_MAX + 64];
    snprintf(path, sizeof path, "%s/%s", directory, hierarchy->limit_file);
    int64_t limit = read_number(path);
    if (limit > INT64_MAX / 2) /* version 1 writes "no limit" as a large number of pages */
        return INT64_MAX;
    snprintf(path, sizeof path, "%s/%s", directory, hierarchy->usage_file);
    int64_t usage = read_number(path);
    if (usage == INT64_MAX)
        return INT64_MAX;
    return usage < limit ? limit - usage : 0;
}

/* Lowers *least to the least headroom from this group up to the root of the hierarchy. */
static void walk_up(const struct hierarchy *hierarchy, const char *group, int64_t *least,
                    char *which, size_t which_size)
{
    char directory[2 * PATH_MAX];
    snprintf(directory, sizeof directory, "%s%s", hierarchy->root,
             strcmp(group, "/") == 0 ? "" : group);
    for (;;) {
        int64_t here = group_headroom(directory, hierarchy);
        if (here < *least) {
            *least = here;
            ndshm__text_copy(which, which_size, directory);
        }
        char *slash = strrchr(directory, '/');
        if (!slash || (size_t)(slash - directory) < strlen(hierarchy->root))
            return;
        *slash = '\0';
    }
}

int64_t ndshm__os_cgroup_headroom(char *which, size_t which_size)
{
    FILE *groups = ndshm__os_injected("cgroup") ? NULL : fopen("/proc/self/cgroup", "re");
    int64_t least = INT64_MAX;
    char line[PATH_MAX];
    while (groups && fgets(line, sizeof line, groups)) {
        line[strcspn(line, "\n")] = '\0';
        const char *memory = strstr(line, ":memory:");
        if (strncmp(line, "0::", 3) == 0)
            walk_up(&unified, line + 3, &least, which, which_size);
        else if (memory)
            walk_up(&version1, memory + strlen(":memory:"), &least, which, which_size);
    }
    if (groups)
        fclose(groups);
    return least;
}

int ndshm__os_cpus(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        return CPU_COUNT(&set);
    long online = sysconf(_SC_NPROCESSORS_ONLN); /* more CPUs than a cpu_set_t holds */
    return online > 0 ? (int)online : 1;
}
