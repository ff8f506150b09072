/* SPDX-License-Identifier: MIT */
#include "base/os_cgroup.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/os.h"
#include "base/os_fault.h"

#ifdef NDSHM_FAULTS
const char *ndshm__os_root = "";
#endif

/* Where a hierarchy is mounted: root is the group that shows at point. */
struct mounted {
    char root[PATH_MAX], point[PATH_MAX];
};

static FILE *open_text(const char *path)
{
#ifdef NDSHM_FAULTS
    char inside[2 * PATH_MAX];
    snprintf(inside, sizeof inside, "%s%s", ndshm__os_root, path);
    path = inside;
#endif
    return ndshm__os_injected("cgroup") ? NULL : fopen(path, "re");
}

static bool lists(const char *words, const char *word)
{
    size_t length = strlen(word);
    for (; words; words = strchr(words, ',')) {
        words += *words == ',';
        if (strncmp(words, word, length) == 0 && strchr(",\n", words[length]))
            return true;
    }
    return false;
}

/* Looks at each line of a text until one is what we want; NULL controller: of cgroup v2. */
static bool search(const char *path, bool (*matches)(char *line, const char *controller, void *out),
                   const char *controller, void *out)
{
    FILE *file = open_text(path);
    char *line = NULL;
    size_t room = 0;
    bool found = false;
    while (!found && file && getline(&line, &room, file) > 0) {
        line[strcspn(line, "\n")] = '\0';
        found = matches(line, controller, out);
    }
    free(line);
    if (file)
        fclose(file);
    return found;
}

/* "4:memory:/group", or "0::/group" */
static bool is_group(char *line, const char *controller, void *out)
{
    char *controllers = strchr(line, ':'), *group = controllers ? strchr(controllers + 1, ':') : 0;
    if (!group)
        return false;
    *group++ = '\0';
    if (controller ? !lists(controllers + 1, controller) : strcmp(line, "0:") != 0)
        return false;
    ndshm__text_copy(out, PATH_MAX, group);
    return true;
}

/* "32 31 0:29 /root /point rw shared:1 - cgroup cgroup rw,cpu" */
static bool is_mount(char *line, const char *controller, void *out)
{
    struct mounted *mounted = out;
    char type[16], options[PATH_MAX];
    const char *rest = strstr(line, " - ");
    if (!rest || sscanf(rest + 3, "%15s %*s %4095s", type, options) != 2 ||
        sscanf(line, "%*s %*s %*s %4095s %4095s", mounted->root, mounted->point) != 2)
        return false;
    if (!controller)
        return strcmp(type, "cgroup2") == 0;
    return strcmp(type, "cgroup") == 0 && lists(options, controller);
}

/* The part of a group's path below the group that is mounted. A group outside of it (seen from a
 * container) counts as the mounted one. */
static const char *below(const char *group, const char *root)
{
    size_t length = strcmp(root, "/") == 0 ? 0 : strlen(root);
    bool inside = strncmp(group, root, length) == 0 && (!group[length] || group[length] == '/');
    return inside && strcmp(group + length, "/") != 0 && !strstr(group, "/..") ? group + length
                                                                               : "";
}

static void walk(const char *controller, bool unified, ndshm__cgroup_visit visit, void *context)
{
    char group[PATH_MAX], directory[2 * PATH_MAX];
    struct mounted mounted;
    const char *wanted = unified ? NULL : controller;
    if (!search("/proc/self/cgroup", is_group, wanted, group) ||
        !search("/proc/self/mountinfo", is_mount, wanted, &mounted))
        return;
    snprintf(directory, sizeof directory, "%s%s", mounted.point, below(group, mounted.root));
    for (;;) {
        visit(directory, unified, context);
        char *slash = strrchr(directory, '/');
        if (!slash || (size_t)(slash - directory) < strlen(mounted.point))
            return;
        *slash = '\0';
    }
}

void ndshm__os_cgroup_walk(const char *controller, ndshm__cgroup_visit visit, void *context)
{
    walk(controller, true, visit, context);
    walk(controller, false, visit, context);
}

int ndshm__os_cgroup_numbers(const char *directory, const char *file, int64_t *numbers, int count)
{
    char path[3 * PATH_MAX];
    long long value;
    int got = 0;
    snprintf(path, sizeof path, "%s/%s", directory, file);
    FILE *text = open_text(path);
    while (text && got < count && fscanf(text, "%lld", &value) == 1)
        numbers[got++] = value;
    if (text)
        fclose(text);
    return got;
}

/* --- memory --- */

struct headroom {
    int64_t least;
    char *which;
    size_t size;
};

static void see_memory(const char *directory, bool unified, void *context)
{
    struct headroom *headroom = context;
    int64_t limit, usage;
    if (ndshm__os_cgroup_numbers(directory, unified ? "memory.max" : "memory.limit_in_bytes",
                                 &limit, 1) != 1 ||
        ndshm__os_cgroup_numbers(directory, unified ? "memory.current" : "memory.usage_in_bytes",
                                 &usage, 1) != 1)
        return;
    if (limit > INT64_MAX / 2) /* version 1 writes "no limit" as a large number of pages */
        return;
    int64_t here = usage < limit ? limit - usage : 0;
    if (here < headroom->least) {
        headroom->least = here;
        ndshm__text_copy(headroom->which, headroom->size, directory);
    }
}

int64_t ndshm__os_cgroup_headroom(char *which, size_t size)
{
    struct headroom headroom = {INT64_MAX, which, size};
    ndshm__os_cgroup_walk("memory", see_memory, &headroom);
    return headroom.least;
}

/* "oom_kill 3", among other lines; of our own group, which is the first. */
static void see_kills(const char *directory, bool unified, void *context)
{
    char path[3 * PATH_MAX], word[32];
    long long value;
    int64_t *kills = context;
    if (*kills >= 0)
        return;
    snprintf(path, sizeof path, "%s/%s", directory,
             unified ? "memory.events" : "memory.oom_control");
    FILE *text = open_text(path);
    while (text && fscanf(text, "%31s %lld", word, &value) == 2)
        if (strcmp(word, "oom_kill") == 0)
            *kills = value;
    if (text)
        fclose(text);
}

int64_t ndshm__os_cgroup_kills(void)
{
    int64_t kills = -1;
    ndshm__os_cgroup_walk("memory", see_kills, &kills);
    return kills < 0 ? 0 : kills;
}
