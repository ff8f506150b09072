/* SPDX-License-Identifier: MIT */
/* Each test program runs with a /dev/shm of its own, so that programs may run in parallel and the
 * leak oracle can count blocks; and under a process that adopts orphans, so that it can see them.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "isolate.h"

static pid_t reaper;

static int write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t put = write(fd, text, strlen(text));
    close(fd);
    return put == (ssize_t)strlen(text) ? 0 : -1;
}

static int map_id(const char *path, unsigned id)
{
    char text[64];
    snprintf(text, sizeof text, "%u %u 1", id, id);
    return write_text(path, text);
}

static int enter_namespace(void)
{
    unsigned uid = getuid(), gid = getgid();
    if (unshare(CLONE_NEWNS) == 0)
        return 0;
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
        return -1;
    write_text("/proc/self/setgroups", "deny");
    return map_id("/proc/self/uid_map", uid) || map_id("/proc/self/gid_map", gid) ? -1 : 0;
}

int support_mount_tmpfs(const char *options)
{
    char all[512];
    snprintf(all, sizeof all, "mode=1777%s%s", *options ? "," : "", options);
    if (enter_namespace() != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        return -1;
    return mount("tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, all);
}

/* Without a file system of our own, the programs take turns. */
static void take_turns(void)
{
    char path[64];
    snprintf(path, sizeof path, "/tmp/ndshm-tests-%u.lock", getuid());
    fprintf(stderr,
            "support: no mount namespace is to be had here: sharing /dev/shm with whoever uses it; "
            "test programs take turns (%s)\n",
            path);
    int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600); /* never closed: held until the end */
    if (fd < 0 || flock(fd, LOCK_EX) != 0)
        perror(path);
}

static void end_like(int status)
{
    if (!WIFSIGNALED(status))
        _exit(WEXITSTATUS(status));
    signal(WTERMSIG(status), SIG_DFL);
    kill(getpid(), WTERMSIG(status));
    _exit(128 + WTERMSIG(status));
}

static void adopt_orphans(pid_t program)
{
    int status;
    pid_t gone;
    do
        gone = waitpid(-1, &status, 0);
    while (gone > 0 && gone != program);
    end_like(status);
}

static void fork_under_reaper(void)
{
    if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0)
        return;
    pid_t adoptive = getpid();
    pid_t program = fork();
    if (program > 0)
        adopt_orphans(program);
    if (program < 0)
        return;
    reaper = adoptive;
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != adoptive)
        _exit(1);
}

/* cmocka turns these into a failed test by a jump: in a forked child, that would run the other
 * tests. */
static void die_of_faults(void)
{
    const int faults[] = {SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS};
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        signal(faults[i], SIG_DFL);
}

/* Before main, because a user namespace cannot be entered with threads. */
__attribute__((constructor)) static void isolate(void)
{
    pthread_atfork(NULL, NULL, die_of_faults);
    if (getenv("NDSHM_TEST_PLAIN"))
        return;
    if (support_mount_tmpfs("") != 0)
        take_turns();
    fork_under_reaper();
}

pid_t support_reaper(void)
{
    return reaper;
}
