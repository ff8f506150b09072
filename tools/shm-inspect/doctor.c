/* SPDX-License-Identifier: MIT */
/* shm-inspect doctor: what this machine gives to shared memory, what will hurt, and what helps. */
#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>
#include <unistd.h>

#include <ndshm/ndshm.h>

#include "command.h"
#include "options.h"
#include "print.h"
#include "select.h"
#include "table.h"

enum { FINE, NOTE, PROBLEM };

struct finding {
    int state;
    char text[512];
    char remedy[256];
};

__attribute__((format(printf, 3, 4))) static void say(struct finding *finding, int state,
                                                      const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(finding->text, sizeof finding->text, format, arguments);
    va_end(arguments);
    finding->state = state;
}

static void advise(struct finding *finding, const char *remedy)
{
    snprintf(finding->remedy, sizeof finding->remedy, "%s", remedy);
}

/* The first line of a file without its end; "" when it cannot be read. */
static void read_line(const char *path, char *buffer, size_t size)
{
    FILE *file = fopen(path, "re");
    buffer[0] = '\0';
    if (!file)
        return;
    if (!fgets(buffer, (int)size, file))
        buffer[0] = '\0';
    fclose(file);
    buffer[strcspn(buffer, "\n")] = '\0';
}

/* A number in a file of its own, or -1. */
static int64_t read_number(const char *path)
{
    char line[64];
    read_line(path, line, sizeof line);
    return line[0] ? strtoll(line, NULL, 10) : -1;
}

/* --- the mount --- */

static void check_mount(const ndshm_probe_report *probe, struct finding *finding)
{
    enum { SMALL = 64 << 20, TENTH = 10 };
    char size[PRINT_SIZE], free_[PRINT_SIZE];
    print_bytes(probe->bytes, false, size);
    print_bytes(probe->bytes_free, false, free_);
    bool small = probe->bytes <= SMALL, full = probe->bytes_free < probe->bytes / TENTH;
    say(finding, small || full ? PROBLEM : FINE, "%s has %s, %s free%s", probe->directory, size,
        free_, probe->tmpfs ? "" : "; it is no tmpfs");
    if (full)
        advise(finding, "shm-inspect clean --force removes what nobody uses; else enlarge it");
    else if (small)
        advise(finding, "docker run --shm-size=2g, or mount -o remount,size=2g /dev/shm");
}

static void check_inodes(const ndshm_probe_report *probe, struct finding *finding)
{
    enum { FEW = 100 };
    if (probe->inodes_free < 0) {
        say(finding, FINE, "as many files as there is memory for");
        return;
    }
    say(finding, probe->inodes_free < FEW ? PROBLEM : FINE, "%" PRId64 " more files",
        probe->inodes_free);
    if (finding->state)
        advise(finding, "mount -o remount,nr_inodes=1m /dev/shm");
}

static void check_memory(const ndshm_probe_report *probe, struct finding *finding)
{
    char available[PRINT_SIZE];
    if (probe->memory_available < 0) {
        say(finding, NOTE, "/proc/meminfo cannot be read");
        return;
    }
    print_bytes(probe->memory_available, false, available);
    bool less = probe->memory_available < probe->bytes_free;
    say(finding, less ? NOTE : FINE, "%s available%s", available,
        less ? ", less than is free in the file system" : "");
}

static void check_cgroup(const ndshm_probe_report *probe, struct finding *finding)
{
    char headroom[PRINT_SIZE];
    if (probe->cgroup_headroom < 0) {
        say(finding, FINE, "no limit");
        return;
    }
    print_bytes(probe->cgroup_headroom, false, headroom);
    bool less = probe->cgroup_headroom < probe->bytes_free;
    say(finding, less ? PROBLEM : FINE, "%s below the limit of %s%s", headroom, probe->cgroup,
        less ? ": less than is free in the file system" : "");
    if (less)
        advise(finding, "segments count against the limit of the container: raise its memory");
}

/* --- the ladder --- */

static void check_publish(const ndshm_probe_report *probe, struct finding *finding)
{
    switch (probe->publish) {
    case NDSHM_PUBLISH_PROC:
        say(finding, FINE, "by linkat through /proc: atomic");
        break;
    case NDSHM_PUBLISH_EMPTY_PATH:
        say(finding, FINE, "by linkat with AT_EMPTY_PATH: atomic");
        break;
    default:
        say(finding, NOTE,
            "by renaming a temporary name, since linkat failed (%s): whoever is killed meanwhile "
            "leaves that name",
            ndshm_strerror(probe->publish_refused));
        advise(finding, "mount /proc");
    }
}

static void check_liveness(const ndshm_probe_report *probe, struct finding *finding)
{
    switch (probe->liveness) {
    case NDSHM_LIVE_MAPPING:
        say(finding, FINE, "a mapping holds its lock: no descriptors are kept");
        break;
    case NDSHM_LIVE_DESCRIPTOR:
        say(finding, NOTE, "each attachment keeps a descriptor: this file system hides mappings");
        advise(finding, "mount a tmpfs on /dev/shm");
        break;
    default:
        say(finding, PROBLEM, "locks do not work here: nothing can be cleaned");
        advise(finding, "mount a tmpfs on /dev/shm");
    }
}

static void check_proof(const ndshm_probe_report *probe, struct finding *finding)
{
    if (probe->lease) {
        say(finding, FINE, "a lease proves that no process has a segment open");
        return;
    }
    say(finding, PROBLEM, "no leases%s%s: clean removes nothing by itself",
        probe->lease_refused ? ": " : "",
        probe->lease_refused ? ndshm_strerror(probe->lease_refused) : "");
    advise(finding, read_number("/proc/sys/fs/leases-enable") == 0
                        ? "sysctl fs.leases-enable=1"
                        : "clean --accept-lock-only, where only programs of ndshm use /dev/shm");
}

/* --- the system --- */

/* The last RemoveIPC= in logind's files, which are read in this order; its default is yes. */
static bool removes_ipc(void)
{
    static const char *const patterns[] = {
        "/etc/systemd/logind.conf", "/usr/lib/systemd/logind.conf.d/*.conf",
        "/run/systemd/logind.conf.d/*.conf", "/etc/systemd/logind.conf.d/*.conf"};
    bool removes = true;
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        glob_t files;
        if (glob(patterns[i], 0, NULL, &files) != 0)
            continue;
        for (size_t k = 0; k < files.gl_pathc; k++) {
            char line[256], value[16];
            FILE *file = fopen(files.gl_pathv[k], "re");
            while (file && fgets(line, sizeof line, file))
                if (sscanf(line, " RemoveIPC = %15s", value) == 1)
                    removes = strcasecmp(value, "no") != 0 && strcasecmp(value, "false") != 0 &&
                              strcasecmp(value, "off") != 0 && strcmp(value, "0") != 0;
            if (file)
                fclose(file);
        }
        globfree(&files);
    }
    return removes;
}

static void check_remove_ipc(const ndshm_probe_report *probe, struct finding *finding)
{
    (void)probe;
    if (access("/run/systemd/system", F_OK) != 0) {
        say(finding, FINE, "systemd does not run here");
        return;
    }
    if (!removes_ipc()) {
        say(finding, FINE, "RemoveIPC=no");
        return;
    }
    bool person = geteuid() >= 1000;
    say(finding, person ? PROBLEM : NOTE,
        "RemoveIPC=yes: at the last logout of a user (not of system users), all files of that user "
        "go from /dev/shm");
    if (person)
        advise(finding, "RemoveIPC=no in /etc/systemd/logind.conf, or loginctl enable-linger");
}

static void check_protection(const ndshm_probe_report *probe, struct finding *finding)
{
    (void)probe;
    static const char *const names[] = {"hardlinks", "symlinks", "fifos", "regular"};
    size_t used = 0;
    finding->state = FINE;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[64];
        snprintf(path, sizeof path, "/proc/sys/fs/protected_%s", names[i]);
        int64_t value = read_number(path);
        used += (size_t)snprintf(finding->text + used, sizeof finding->text - used, "%s%s=%" PRId64,
                                 used ? ", " : "", names[i], value);
        if (value == 0 && i < 2)
            finding->state = NOTE;
    }
    if (finding->state)
        advise(finding, "sysctl fs.protected_hardlinks=1 fs.protected_symlinks=1");
}

static void check_huge_pages(const ndshm_probe_report *probe, struct finding *finding)
{
    (void)probe;
    char line[128];
    read_line("/sys/kernel/mm/transparent_hugepage/shmem_enabled", line, sizeof line);
    const char *open = strchr(line, '['), *close = strchr(line, ']');
    if (open && close)
        say(finding, FINE, "shmem_enabled is %.*s; a tmpfs follows its own mount option huge=",
            (int)(close - open - 1), open + 1);
    else
        say(finding, FINE, "not in this kernel");
}

static void check_limits(const ndshm_probe_report *probe, struct finding *finding)
{
    enum { FEW_FILES = 64, FEW_MAPS = 10000 };
    struct rlimit files = {0}, size = {0};
    getrlimit(RLIMIT_NOFILE, &files);
    getrlimit(RLIMIT_FSIZE, &size);
    int64_t maps = read_number("/proc/sys/vm/max_map_count");
    bool limited = size.rlim_cur != RLIM_INFINITY;
    bool few = files.rlim_cur < FEW_FILES || (maps >= 0 && maps < FEW_MAPS);
    char most[PRINT_SIZE] = "no limit";
    if (limited)
        print_bytes((int64_t)size.rlim_cur, false, most);
    say(finding, few || limited ? NOTE : FINE,
        "%llu descriptors, %" PRId64 " mappings a process; file size: %s",
        (unsigned long long)files.rlim_cur, maps, most);
    if (few || limited)
        advise(finding, "ulimit -n 1024 -f unlimited; sysctl vm.max_map_count=65530");
    (void)probe;
}

static void check_numa(const ndshm_probe_report *probe, struct finding *finding)
{
    (void)probe;
    glob_t nodes;
    size_t count = 1;
    if (glob("/sys/devices/system/node/node[0-9]*", 0, NULL, &nodes) == 0) {
        count = nodes.gl_pathc;
        globfree(&nodes);
    }
    say(finding, FINE, "%zu node%s%s", count, count == 1 ? "" : "s",
        count == 1 ? ": placement has no effect" : "");
}

struct leaks {
    int64_t count, bytes;
};

static void count_leak(void *context, const ndshm_info *info)
{
    struct leaks *leaks = context;
    if (info->state != NDSHM_STATE_ORPHAN)
        return;
    leaks->count++;
    leaks->bytes += info->resident;
}

static void check_leaks(const ndshm_probe_report *probe, struct finding *finding)
{
    (void)probe;
    struct leaks leaks = {0};
    char bytes[PRINT_SIZE];
    select_each(&(struct selection){0}, count_leak, &leaks);
    print_bytes(leaks.bytes, false, bytes);
    say(finding, leaks.count ? PROBLEM : FINE, "%" PRId64 " segment%s that nobody uses (%s)",
        leaks.count, leaks.count == 1 ? "" : "s", bytes);
    if (leaks.count)
        advise(finding, "shm-inspect clean, then clean --force");
}

static const struct {
    const char *name;
    void (*look)(const ndshm_probe_report *probe, struct finding *finding);
} checks[] = {
    {"space", check_mount},           {"inodes", check_inodes},
    {"memory", check_memory},         {"cgroup", check_cgroup},
    {"publish", check_publish},       {"liveness", check_liveness},
    {"proof", check_proof},           {"logout", check_remove_ipc},
    {"protection", check_protection}, {"huge-pages", check_huge_pages},
    {"limits", check_limits},         {"numa", check_numa},
    {"leaks", check_leaks},
};

static void add_row(struct table *table, const char *name, const struct finding *finding)
{
    static const char *const words[] = {"fine", "note", "problem"};
    static const char *const colours[] = {"green", "yellow", "red"};
    table_row(table, NULL);
    table_cell(table, 0, name, NULL);
    table_cell(table, 1, words[finding->state], colours[finding->state]);
    table_cell(table, 2, finding->text, NULL);
    table_cell(table, 3, finding->remedy, NULL);
}

int doctor_run(const struct command *command, int argc, char **argv)
{
    bool json = false;
    const struct option_spec specs[] = {{'J', "json", NULL, "print JSON", &json, NULL}, {0}};
    int result;
    if (!options_parse(command, specs, argc, argv, &result))
        return result;
    ndshm_probe_report probe;
    if (ndshm_probe(&probe)) {
        print_error("%s", ndshm_error_message());
        return INSPECT_ERROR;
    }
    struct table table;
    table_begin(&table, &(struct table_style){.name = "findings", .json = json});
    table_column(&table, "CHECK", TABLE_TEXT, false);
    table_column(&table, "STATE", TABLE_TEXT, false);
    table_column(&table, "FINDING", TABLE_TEXT, false);
    table_column(&table, "REMEDY", TABLE_TEXT, false);
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        struct finding finding = {0};
        checks[i].look(&probe, &finding);
        add_row(&table, checks[i].name, &finding);
        if (finding.state == PROBLEM)
            result = INSPECT_FINDINGS;
    }
    return table_finish(&table, false) ? INSPECT_ERROR : result;
}
