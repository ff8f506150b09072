/* SPDX-License-Identifier: MIT */
/* Limits that would kill us rather than fail a call. */
#include <limits.h>
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

int64_t ndshm__os_private_memory(void)
{
    long long resident, shared;
    int64_t bytes = 0;
    FILE *file = ndshm__os_injected("statm") ? NULL : fopen("/proc/self/statm", "re");
    if (file && fscanf(file, "%*d %lld %lld", &resident, &shared) == 2)
        bytes = (resident - shared) * ndshm__os_page_size();
    if (file)
        fclose(file);
    return bytes;
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
