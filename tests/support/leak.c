/* SPDX-License-Identifier: MIT */
/* The leak oracle. A snapshot is a sorted list of lines, one for each thing that could be left
 * behind. */
#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "isolate.h"
#include "support.h"

enum { LINE_SIZE = 1024 };

struct snapshot {
    char **lines;
    size_t count;
};

int support_patience_ms = 2000;

static struct snapshot before;
static char directory[64];

static void add(struct snapshot *snapshot, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void add(struct snapshot *snapshot, const char *format, ...)
{
    char line[LINE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    snapshot->lines = realloc(snapshot->lines, (snapshot->count + 1) * sizeof *snapshot->lines);
    char *copy = strdup(line);
    if (!snapshot->lines || !copy)
        abort();
    snapshot->lines[snapshot->count++] = copy;
}

static void clear(struct snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->count; i++)
        free(snapshot->lines[i]);
    free(snapshot->lines);
    *snapshot = (struct snapshot){NULL, 0};
}

static DIR *open_directory(const char *path)
{
    DIR *all = opendir(path);
    if (!all) {
        perror(path);
        abort();
    }
    return all;
}

static void add_descriptors(struct snapshot *snapshot)
{
    DIR *all = open_directory("/proc/self/fd");
    struct dirent *entry;
    while ((entry = readdir(all))) {
        char target[512];
        ssize_t size = readlinkat(dirfd(all), entry->d_name, target, sizeof target - 1);
        if (size < 0 || atoi(entry->d_name) == dirfd(all))
            continue;
        target[size] = '\0';
        add(snapshot, "descriptor %s: %s", entry->d_name, target);
    }
    closedir(all);
}

/* Also anonymous shared memory and memfds, which a library has no other reason to make. */
static int is_shared_memory(const char *path, dev_t device, dev_t shm)
{
    return device == shm || strncmp(path, "/dev/zero", 9) == 0 || strncmp(path, "/memfd:", 7) == 0;
}

static void add_mapping(struct snapshot *snapshot, const char *line, dev_t shm)
{
    unsigned long begin, end;
    unsigned device_major, device_minor;
    char access[8], path[512];
    if (sscanf(line, "%lx-%lx %7s %*x %x:%x %*u %511[^\n]", &begin, &end, access, &device_major,
               &device_minor, path) == 6 &&
        is_shared_memory(path, makedev(device_major, device_minor), shm))
        add(snapshot, "mapping %s of %lu bytes: %s", access, end - begin, path);
}

static void add_mappings(struct snapshot *snapshot, dev_t shm)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[LINE_SIZE];
    while (maps && fgets(line, sizeof line, maps))
        add_mapping(snapshot, line, shm);
    if (maps)
        fclose(maps);
}

static void add_locks(struct snapshot *snapshot, dev_t shm)
{
    char device[32], line[LINE_SIZE];
    snprintf(device, sizeof device, " %02x:%02x:", major(shm), minor(shm));
    FILE *locks = fopen("/proc/locks", "re");
    while (locks && fgets(line, sizeof line, locks)) {
        line[strcspn(line, "\n")] = '\0';
        const char *text = strchr(line, ':');
        if (text && strstr(line, device))
            add(snapshot, "lock%s", text);
    }
    if (locks)
        fclose(locks);
}

static void add_child(struct snapshot *snapshot, const char *pid)
{
    char path[300], text[512], state;
    int parent;
    snprintf(path, sizeof path, "/proc/%s/stat", pid);
    FILE *stat_file = fopen(path, "re");
    if (!stat_file)
        return;
    size_t size = fread(text, 1, sizeof text - 1, stat_file);
    fclose(stat_file);
    text[size] = '\0';
    const char *fields = strrchr(text, ')'); /* the command before it may hold anything */
    if (!fields || sscanf(fields, ") %c %d", &state, &parent) != 2)
        return;
    int adopted = support_reaper() && parent == support_reaper() && atoi(pid) != getpid();
    if (parent == getpid() || adopted)
        add(snapshot, "%s %s%s", adopted ? "orphan" : "child", pid,
            state == 'Z' ? ", a zombie" : "");
}

static void add_children(struct snapshot *snapshot)
{
    DIR *all = open_directory("/proc");
    struct dirent *entry;
    while ((entry = readdir(all)))
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
            add_child(snapshot, entry->d_name);
    closedir(all);
}

static void add_names(struct snapshot *snapshot)
{
    DIR *all = open_directory("/dev/shm");
    struct dirent *entry;
    while ((entry = readdir(all)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            add(snapshot, "name %s", entry->d_name);
    closedir(all);
}

static void add_space(struct snapshot *snapshot)
{
    struct statvfs space;
    if (statvfs("/dev/shm", &space) != 0)
        return;
    add(snapshot, "%llu blocks free in /dev/shm", (unsigned long long)space.f_bfree);
    add(snapshot, "%llu inodes free in /dev/shm", (unsigned long long)space.f_ffree);
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void take(struct snapshot *snapshot)
{
    struct stat shm = {0};
    stat("/dev/shm", &shm);
    add_descriptors(snapshot);
    add_mappings(snapshot, shm.st_dev);
    add_locks(snapshot, shm.st_dev);
    add_children(snapshot);
    add_names(snapshot);
    add_space(snapshot);
    qsort(snapshot->lines, snapshot->count, sizeof *snapshot->lines, compare);
}

/* How many lines differ; both lists are sorted. */
static int differences(const struct snapshot *after, int print)
{
    int count = 0;
    for (size_t i = 0, j = 0; i < before.count || j < after->count;) {
        int order = i == before.count   ? 1
                    : j == after->count ? -1
                                        : strcmp(before.lines[i], after->lines[j]);
        if (order != 0)
            count++;
        if (order < 0 && print)
            fprintf(stderr, "leak oracle: before: %s\n", before.lines[i]);
        if (order > 0 && print)
            fprintf(stderr, "leak oracle: after:  %s\n", after->lines[j]);
        i += order <= 0;
        j += order >= 0;
    }
    return count;
}

static int remove_entry(const char *path, const struct stat *file, int type, struct FTW *where)
{
    (void)file, (void)type, (void)where;
    return remove(path);
}

const char *support_directory(void)
{
    if (!directory[0]) {
        snprintf(directory, sizeof directory, "/tmp/ndshm-test-XXXXXX");
        if (!mkdtemp(directory)) {
            perror(directory);
            abort();
        }
    }
    return directory;
}

static void remove_directory(void)
{
    if (directory[0])
        nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    directory[0] = '\0';
}

int support_begin(void **state)
{
    (void)state;
    clear(&before);
    take(&before);
    return 0;
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int support_end(void **state)
{
    (void)state;
    const struct timespec pause = {0, 5 * 1000000};
    struct snapshot after = {NULL, 0};
    remove_directory();
    take(&after);
    for (int64_t end = now_ms() + support_patience_ms; differences(&after, 0) && now_ms() < end;) {
        nanosleep(&pause, NULL);
        clear(&after);
        take(&after);
    }
    int left = differences(&after, 1);
    clear(&after);
    clear(&before);
    return left ? -1 : 0;
}
