/* SPDX-License-Identifier: MIT */
/* The wall around the operating system: everything that has to do with shared memory, locks,
 * processes and allocation goes through here, and tests make each call fail here. Functions return
 * a value >= 0 or a negative errno; errno itself means nothing afterwards. */
#ifndef NDSHM_LIB_OS_H
#define NDSHM_LIB_OS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>

/* --- memory of this process --- */

void *ndshm__alloc(size_t size); /* zeroed; NULL when there is none; free() it */
void *ndshm__resize(void *old, size_t size);
char *ndshm__duplicate(const char *text);

/* --- files of the shared-memory directory; name without '/' --- */

#define NDSHM__OS_DIRECTORY "/dev/shm"

int ndshm__os_open(const char *name, bool writable);           /* never blocks, never follows */
int ndshm__os_open_exclusive(const char *name, uint32_t mode); /* creates */
int ndshm__os_open_anonymous(void);                            /* O_TMPFILE */
int ndshm__os_open_memory(void);                   /* memfd: as in a tmpfs, but never to be named */
int ndshm__os_reopen(int fd, bool writable);       /* a second description, by /proc */
int ndshm__os_link_proc(int fd, const char *name); /* names an anonymous file */
int ndshm__os_link_empty_path(int fd, const char *name);
int ndshm__os_rename(const char *from, const char *to); /* -EEXIST when to exists */
int ndshm__os_unlink(const char *name);
int ndshm__os_close(int fd);
int ndshm__os_stat(int fd, struct stat *out);
int ndshm__os_stat_name(const char *name, struct stat *out); /* does not follow */
int ndshm__os_chmod(int fd, uint32_t mode);
int ndshm__os_truncate(int fd, int64_t size);
int ndshm__os_reserve(int fd, int64_t offset, int64_t size); /* posix_fallocate, EINTR retried */
int64_t ndshm__os_pread(int fd, void *buffer, int64_t size,
                        int64_t offset); /* until the end of file */
int ndshm__os_pwrite(int fd, const void *data, int64_t size, int64_t offset); /* all of it */

typedef struct ndshm__os_space {
    int64_t block_size; /* bytes */
    int64_t bytes, bytes_free;
    int64_t inodes_free; /* INT64_MAX: no limit */
    bool tmpfs;
    uint64_t device;
} ndshm__os_space;
int ndshm__os_space_of(int fd, ndshm__os_space *out);
int ndshm__os_space_of_directory(ndshm__os_space *out);

/* Names in the directory, in no order: 1 and a name that lives until the next call, 0 at the end,
 * or an error. */
typedef struct ndshm__os_directory ndshm__os_directory;
int ndshm__os_directory_open(ndshm__os_directory **out);
int ndshm__os_directory_next(ndshm__os_directory *directory, const char **name);
void ndshm__os_directory_close(ndshm__os_directory *directory);

/* Waits until a file of this directory appears or changes, at most timeout_ms. The watch begins
 * with _open, so that nothing between is missed. */
int ndshm__os_watch_open(void);
int ndshm__os_watch_wait(int watch, int timeout_ms);

/* A descriptor that is readable once somebody touched this file; drained, it is not any more. */
int ndshm__os_watch_file(const char *name);
void ndshm__os_watch_drain(int watch);
void ndshm__os_touch(const char *name);
/* One that is readable when any of these is. */
int ndshm__os_watch_any(const int *fds, int count);

/* --- files anywhere, as streams (os_input.c) --- */

int ndshm__os_open_input(const char *path); /* never blocks: neither does reading it, then */
int ndshm__os_open_output(const char *path, bool create);    /* create: must not exist */
int ndshm__os_stat_path(const char *path, struct stat *out); /* follows */
/* For printing, in place of what was there; *out is to be closed with fclose. -ENXIO: a FIFO that
 * nobody reads from. */
int ndshm__os_print_output(const char *path, FILE **out);
int ndshm__os_duplicate(int fd);
int64_t ndshm__os_read_input(int fd, void *buffer, int64_t size);   /* one read; 0: the end */
int ndshm__os_write_output(int fd, const void *data, int64_t size); /* all of it */
int ndshm__os_wait_input(int fd, int timeout_ms);                   /* 1: something to read */
int64_t ndshm__os_position(int fd);
int ndshm__os_replace(const char *from, const char *to);
int ndshm__os_remove(const char *path);

/* A descriptor of our own on what another process of this user has open. -EACCES, -ENOENT: it
 * cannot be had. */
int ndshm__os_open_peer(uint32_t pid, int fd, bool writable);

/* --- locks: open-file-description locks on one byte --- */

int ndshm__os_lock_read(int fd, int64_t byte);  /* -EAGAIN: somebody holds it */
int ndshm__os_lock_write(int fd, int64_t byte); /* -EAGAIN */
int ndshm__os_unlock(int fd, int64_t byte);
int ndshm__os_locked(int fd, int64_t byte); /* 1 when anybody else holds a lock on it, else 0 */
int ndshm__os_lease(int fd);                /* write lease; -EAGAIN: open or mapped somewhere */
int ndshm__os_unlease(int fd);

/* --- mappings --- */

enum { NDSHM__MAP_READ = 1, NDSHM__MAP_COW = 2, NDSHM__MAP_WRITE = 3 };
int ndshm__os_map(int fd, int64_t size, int how, void **out);
int ndshm__os_unmap(void *address, int64_t size);
int64_t ndshm__os_page_size(void);
void ndshm__os_advise_no_dump(void *address, int64_t size);
int ndshm__os_advise_no_fork(void *address, int64_t size);
int ndshm__os_advise_huge(void *address, int64_t size);
int64_t ndshm__os_huge_bytes(const void *address); /* of the mapping there, by /proc/self/smaps */
int ndshm__os_populate(void *address,
                       int64_t size); /* writable pages now, or an error: no SIGBUS */
/* Reads our own memory; a fault gives fewer bytes. */
int64_t ndshm__os_read_self(const void *address, void *buffer, int64_t size);

/* NUMA: node + 1 or one of these. 1: applied; 0: this machine has one node; -ENOTSUP: built without
 * libnuma; or an error. */
enum { NDSHM__NUMA_LOCAL = -1, NDSHM__NUMA_INTERLEAVE = -2 };
int ndshm__os_numa_bind(void *address, int64_t size, int32_t policy);

/* --- limits --- */

int64_t ndshm__os_file_size_limit(void);  /* RLIMIT_FSIZE; INT64_MAX: none */
int64_t ndshm__os_memory_available(void); /* of the machine, swap included; INT64_MAX: unknown */
/* Least headroom of the memory cgroup and its ancestors; INT64_MAX when none limits. path: which.
 */
int64_t ndshm__os_cgroup_headroom(char *path, size_t size);

int64_t ndshm__os_cgroup_kills(void);   /* processes of our memory cgroup that ran out of memory */
int64_t ndshm__os_private_memory(void); /* resident and of this process alone, inherited included */

/* --- processes and time --- */

int ndshm__os_random(void *buffer, size_t size);
int64_t ndshm__os_now(void);        /* CLOCK_MONOTONIC, ns */
int64_t ndshm__os_wall_clock(void); /* ns since 1970 */
int ndshm__os_sleep_ms(int ms);
int ndshm__os_cpus(void); /* that this process may use: by affinity, and by the quota of its
                             cgroup and all of its ancestors; begun ones in full */

typedef struct ndshm__os_identity { /* who we are, for people */
    uint32_t pid;
    uint64_t start_time; /* clock ticks since boot */
    uint64_t pid_namespace;
    uint8_t boot_id[16];
} ndshm__os_identity;
void ndshm__os_identify(ndshm__os_identity *out);

uint32_t ndshm__os_euid(void);
/* Root acting as the owner of a file, in this thread: for a lease. */
int ndshm__os_act_as(uint32_t uid);

/* Futex on a word of shared memory, between processes. wait: 0 woken or changed, -ETIMEDOUT. */
int ndshm__os_futex_wait(_Atomic uint32_t *word, uint32_t expected,
                         int64_t timeout_ns); /* -1: no limit */
void ndshm__os_futex_wake(_Atomic uint32_t *word, int32_t count);

/* Fork and its windows. Whoever opens a descriptor and closes it again holds the window meanwhile;
 * a fork of the host waits, so that no child inherits the descriptor and with it a lock. */
void ndshm__os_window_enter(void);
void ndshm__os_window_leave(void);
/* Counts forks on the way to this process: differs between parent and child. */
uint64_t ndshm__os_generation(void);
/* Called in every forked child, once registered. */
void ndshm__os_at_fork_child(void (*handler)(void));

/* --- fault injection, in the library that tests link --- */
#ifdef NDSHM_FAULTS
/* Called before each operating-system call with its name; a value other than 0 is the errno to fail
 * with, or for a transfer one of these: half of the bytes, or none. */
enum { NDSHM__FAULT_SHORT = 10001, NDSHM__FAULT_END = 10002 };
extern int (*ndshm__os_fault)(const char *call);
/* A directory that stands for / where cgroups are looked for. */
extern const char *ndshm__os_root;
#endif

#endif
