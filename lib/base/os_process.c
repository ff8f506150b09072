/* SPDX-License-Identifier: MIT */
/* Who we are, time, randomness, futexes, and the windows that a fork must not fall into. */
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/os.h"
#include "base/os_fault.h"
#include "base/os_spawn.h"

int ndshm__os_random(void *buffer, size_t size)
{
    int fault = ndshm__os_injected("random");
    if (fault)
        return -fault;
    ssize_t got = getrandom(buffer, size, 0);
    if (got < 0)
        return -errno;
    return (size_t)got == size ? 0 : -EIO;
}

static int64_t clock_read(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t ndshm__os_now(void)
{
    return clock_read(CLOCK_MONOTONIC);
}

int64_t ndshm__os_wall_clock(void)
{
    return clock_read(CLOCK_REALTIME);
}

int ndshm__os_sleep_ms(int ms)
{
    int fault = ndshm__os_injected("sleep");
    struct timespec duration = {ms / 1000, (long)(ms % 1000) * 1000000};
    return fault ? -fault : ndshm__os_result(nanosleep(&duration, NULL));
}

static int64_t read_text(const char *path, char *buffer, size_t size)
{
    int fault = ndshm__os_injected("identity");
    int fd = fault ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -EIO;
    ssize_t got = read(fd, buffer, size - 1);
    close(fd);
    if (got < 0)
        return -EIO;
    buffer[got] = '\0';
    return got;
}

/* A numbered field of /proc/self/stat, or 0; the command before them may contain anything, so count
 * behind its ')'. */
static uint64_t stat_field(int number)
{
    char text[1024];
    if (read_text("/proc/self/stat", text, sizeof text) < 0)
        return 0;
    char *field = strrchr(text, ')');
    for (int i = 2; field && i < number; i++)
        field = strchr(field + 1, ' ');
    return field ? strtoull(field + 1, NULL, 10) : 0;
}

int ndshm__os_thread_count(void)
{
    return (int)stat_field(20);
}

static void boot_id(uint8_t out[16])
{
    char text[64];
    memset(out, 0, 16);
    if (read_text("/proc/sys/kernel/random/boot_id", text, sizeof text) < 36)
        return;
    const char *next = text;
    for (int i = 0; i < 16; i++) {
        unsigned byte;
        if (*next == '-')
            next++;
        if (sscanf(next, "%2x", &byte) != 1)
            return;
        out[i] = (uint8_t)byte;
        next += 2;
    }
}

/* Read once a process: a few system calls that a creation should not pay each time. */
static ndshm__os_identity self;
static pthread_mutex_t self_mutex = PTHREAD_MUTEX_INITIALIZER;

void ndshm__os_identify(ndshm__os_identity *out)
{
    pthread_mutex_lock(&self_mutex);
    if (self.pid != (uint32_t)getpid()) {
        struct stat space;
        self.pid = (uint32_t)getpid();
        self.start_time = stat_field(22);
        self.pid_namespace = stat("/proc/self/ns/pid", &space) == 0 ? space.st_ino : 0;
        boot_id(self.boot_id);
    }
    *out = self;
    pthread_mutex_unlock(&self_mutex);
}

uint32_t ndshm__os_euid(void)
{
    return geteuid();
}

int ndshm__os_act_as(uint32_t uid)
{
    int fault = ndshm__os_injected("act_as");
    if (fault)
        return -fault;
    setfsuid(uid);
    return (uint32_t)setfsuid((uid_t)-1) == uid ? 0 : -EPERM; /* setfsuid reports no errors */
}

int ndshm__os_futex_wait(_Atomic uint32_t *word, uint32_t expected, int64_t timeout_ns)
{
    if (ndshm__os_injected("futex_wait"))
        return 0; /* as after a signal: callers look again */
    struct timespec timeout = {timeout_ns / 1000000000, timeout_ns % 1000000000};
    long result =
        syscall(SYS_futex, word, FUTEX_WAIT, expected, timeout_ns < 0 ? NULL : &timeout, NULL, 0);
    return result < 0 && errno == ETIMEDOUT ? -ETIMEDOUT : 0;
}

void ndshm__os_futex_wake(_Atomic uint32_t *word, int32_t count)
{
    syscall(SYS_futex, word, FUTEX_WAKE, count, NULL, NULL, 0);
}

/* --- fork --- */

enum { CHILD_HANDLERS_MAX = 8 };

/* Who forks goes before who enters, or threads that enter all the time keep it waiting for ever.
 * Windows nest, so each thread takes the lock once. */
static pthread_rwlock_t window = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
static _Thread_local int entered;
static _Atomic uint64_t generation = 1;
static void (*child_handlers[CHILD_HANDLERS_MAX])(void);
static atomic_int child_handler_count;

static void before_fork(void)
{
    pthread_mutex_lock(&self_mutex);
    if (!entered) /* else a signal handler forks, in the middle of a window */
        pthread_rwlock_wrlock(&window);
}

static void after_fork_parent(void)
{
    if (!entered)
        pthread_rwlock_unlock(&window);
    pthread_mutex_unlock(&self_mutex);
}

static void after_fork_child(void)
{
    /* The writer of the lock is a thread id that no longer exists: unlocking would go wrong. */
    window = (pthread_rwlock_t)PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
    if (entered)
        pthread_rwlock_rdlock(&window);
    pthread_mutex_unlock(&self_mutex);
    generation++;
    for (int i = 0; i < child_handler_count; i++)
        child_handlers[i]();
}

__attribute__((constructor)) static void watch_forks(void)
{
    pthread_atfork(before_fork, after_fork_parent, after_fork_child);
}

void ndshm__os_window_enter(void)
{
    if (entered++ == 0)
        pthread_rwlock_rdlock(&window);
}

void ndshm__os_window_leave(void)
{
    if (--entered == 0)
        pthread_rwlock_unlock(&window);
}

uint64_t ndshm__os_generation(void)
{
    return generation;
}

void ndshm__os_at_fork_child(void (*handler)(void))
{
    int slot = child_handler_count++;
    if (slot < CHILD_HANDLERS_MAX)
        child_handlers[slot] = handler;
}
