/* SPDX-License-Identifier: MIT */
/* The wall: that the kernel does what the layers above rely on, and that errors come back as
 * statuses. */
#include "base/os.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "support.h"

#define NAME "t-house-os"
enum { BYTE = 1000, PAGE = 4096 };

static int make_file(void)
{
    int fd = ndshm__os_open_exclusive(NAME, 0600);
    assert_true(fd >= 0);
    assert_ok(ndshm__os_reserve(fd, 0, 2 * PAGE));
    return fd;
}

static void test_files(void **state)
{
    (void)state;
    struct stat file;
    char text[8] = "";
    int fd = make_file();
    assert_int_equal(ndshm__os_open_exclusive(NAME, 0600), -EEXIST);
    assert_int_equal(ndshm__os_open(NAME "-missing", false), -ENOENT);
    assert_int_equal(ndshm__os_rename(NAME "-missing", NAME), -ENOENT);
    assert_int_equal(ndshm__os_rename(NAME, NAME), -EEXIST);
    assert_ok(ndshm__os_pwrite(fd, "abcdef", 6, 2 * PAGE - 6));
    assert_int_equal(ndshm__os_pread(fd, text, 8, 2 * PAGE - 4), 4); /* the end of the file */
    assert_memory_equal(text, "cdef", 4);
    assert_int_equal(ndshm__os_pread(fd, (void *)16, 8, 0), -EFAULT);
    assert_ok(ndshm__os_stat_name(NAME, &file));
    assert_int_equal(file.st_blocks * 512, 2 * PAGE);
    assert_ok(ndshm__os_unlink(NAME));
    assert_int_equal(ndshm__os_stat_name(NAME, &file), -ENOENT);
    assert_ok(ndshm__os_close(fd));
    assert_int_equal(ndshm__os_close(fd), -EBADF);
}

static void test_a_bad_descriptor_is_a_status(void **state)
{
    (void)state;
    ndshm__os_space space;
    struct stat file;
    void *page;
    char byte = 0;
    assert_int_equal(ndshm__os_locked(-1, BYTE), -EBADF);
    assert_int_equal(ndshm__os_lock_read(-1, BYTE), -EBADF);
    assert_int_equal(ndshm__os_unlock(-1, BYTE), -EBADF);
    assert_int_equal(ndshm__os_lease(-1), -EBADF);
    assert_int_equal(ndshm__os_unlease(-1), -EBADF);
    assert_int_equal(ndshm__os_stat(-1, &file), -EBADF);
    assert_int_equal(ndshm__os_space_of(-1, &space), -EBADF);
    assert_int_equal(ndshm__os_truncate(-1, 0), -EBADF);
    assert_int_equal(ndshm__os_reserve(-1, 0, 1), -EBADF);
    assert_int_equal(ndshm__os_pread(-1, &byte, 1, 0), -EBADF);
    assert_int_equal(ndshm__os_pwrite(-1, &byte, 1, 0), -EBADF);
    assert_int_equal(ndshm__os_reopen(-1, false), -ENOENT);
    assert_int_equal(ndshm__os_map(-1, PAGE, NDSHM__MAP_COW, &page), -EBADF);
    assert_int_equal(ndshm__os_watch_wait(-1, 0), 0); /* a bound on the wait is all it has */
}

static void test_nothing_can_be_resized(void **state)
{
    (void)state;
    void *memory = ndshm__resize(NULL, 0); /* NULL would mean that there is no memory */
    assert_non_null(memory);
    free(memory);
}

static void test_names_too_long_for_the_system(void **state)
{
    (void)state;
    char name[300];
    struct stat file;
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    int fd = ndshm__os_open_anonymous();
    assert_int_equal(ndshm__os_stat_name(name, &file), -ENAMETOOLONG);
    assert_int_equal(ndshm__os_link_proc(fd, name), -ENAMETOOLONG);
    assert_int_equal(ndshm__os_link_empty_path(fd, name), -ENAMETOOLONG);
    assert_int_equal(ndshm__os_rename(name, NAME), -ENAMETOOLONG);
    assert_int_equal(ndshm__os_rename(NAME, name), -ENAMETOOLONG);
    ndshm__os_close(fd);
}

/* The key fact: a mapping keeps the lock of a description whose descriptor is closed. */
static void test_a_mapping_keeps_its_lock(void **state)
{
    (void)state;
    for (int how = NDSHM__MAP_READ; how <= NDSHM__MAP_WRITE; how++) {
        void *pages;
        int other = make_file(), fd = ndshm__os_open(NAME, true);
        assert_ok(ndshm__os_lock_read(fd, BYTE));
        assert_int_equal(ndshm__os_locked(fd, BYTE), 0); /* our own does not count */
        assert_ok(ndshm__os_map(fd, 2 * PAGE, how, &pages));
        ndshm__os_close(fd);
        assert_int_equal(ndshm__os_lock_write(other, BYTE), -EAGAIN);
        assert_int_equal(ndshm__os_locked(other, BYTE), 1);
        assert_int_equal(ndshm__os_locked(other, BYTE + 1), 0);
        assert_int_equal(ndshm__os_lease(other), -EAGAIN);
        assert_ok(ndshm__os_unmap(pages, PAGE)); /* any page is enough */
        assert_int_equal(ndshm__os_lock_write(other, BYTE), -EAGAIN);
        assert_ok(ndshm__os_unmap((char *)pages + PAGE, PAGE));
        assert_ok(ndshm__os_lock_write(other, BYTE));
        assert_ok(ndshm__os_lease(other));
        assert_int_equal(ndshm__os_open(NAME, false), -EAGAIN); /* and nobody is killed by it */
        assert_ok(ndshm__os_unlease(other));
        assert_ok(ndshm__os_unlock(other, BYTE));
        ndshm__os_close(other);
        assert_ok(ndshm__os_unlink(NAME));
    }
}

static void test_reading_our_own_memory_survives(void **state)
{
    (void)state;
    char buffer[2 * PAGE];
    char *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(pages, 'x', 2 * PAGE);
    assert_int_equal(ndshm__os_read_self(pages, buffer, 2 * PAGE), 2 * PAGE);
    munmap(pages + PAGE, PAGE);
    assert_int_equal(ndshm__os_read_self(pages, buffer, 2 * PAGE), PAGE);
    assert_memory_equal(buffer, pages, PAGE);
    munmap(pages, PAGE);
    assert_true(ndshm__os_read_self(pages, buffer, 1) < 0);
}

static int interruptions;

static int interrupt_twice(const char *call)
{
    return strcmp(call, "reserve") == 0 || strcmp(call, "pread") == 0 || strcmp(call, "pwrite") == 0
               ? interruptions++ < 2 ? EINTR : 0
               : 0;
}

static void test_interruptions_are_retried(void **state)
{
    (void)state;
    char text[4];
    int fd = make_file(), statuses[3];
    ndshm__os_fault = interrupt_twice;
    interruptions = 0;
    statuses[0] = ndshm__os_reserve(fd, 0, PAGE);
    interruptions = 0;
    statuses[1] = ndshm__os_pwrite(fd, "abcd", 4, 0);
    interruptions = 0;
    statuses[2] = (int)ndshm__os_pread(fd, text, 4, 0);
    ndshm__os_fault = NULL;
    assert_int_equal(statuses[0], 0);
    assert_int_equal(statuses[1], 0);
    assert_int_equal(statuses[2], 4);
    ndshm__os_close(fd);
    ndshm__os_unlink(NAME);
}

static int write_beyond_the_limit(void *argument)
{
    const struct rlimit limit = {PAGE, PAGE};
    int fd = *(int *)argument;
    SUPPORT_CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    SUPPORT_CHECK(ndshm__os_file_size_limit() == PAGE);
    SUPPORT_CHECK(ndshm__os_pwrite(fd, "ab", 2, PAGE - 2) == 0);
    SUPPORT_CHECK(ndshm__os_pwrite(fd, "ab", 2, PAGE - 1) == -EFBIG);
    SUPPORT_CHECK(ndshm__os_pwrite(fd, "ab", 2, INT64_MAX - 1) == -EFBIG);
    return 0;
}

static void test_a_file_size_limit_does_not_kill(void **state)
{
    (void)state;
    int fd = make_file();
    assert_int_equal(support_child(write_beyond_the_limit, &fd), 0);
    ndshm__os_close(fd);
    ndshm__os_unlink(NAME);
}

static int generation_in_child(void *argument)
{
    SUPPORT_CHECK(ndshm__os_generation() != *(uint64_t *)argument);
    ndshm__os_window_enter(); /* not locked for ever by the fork */
    ndshm__os_window_leave();
    ndshm__os_identity self;
    ndshm__os_identify(&self);
    SUPPORT_CHECK(self.pid == (uint32_t)getpid());
    return 0;
}

static void test_a_fork_is_noticed(void **state)
{
    (void)state;
    uint64_t here = ndshm__os_generation();
    assert_int_equal(support_child(generation_in_child, &here), 0);
    assert_true(ndshm__os_generation() == here);
}

static _Atomic int stage;

static void *hold_the_window(void *argument)
{
    (void)argument;
    ndshm__os_window_enter();
    stage = 1;
    ndshm__os_sleep_ms(60);
    stage = 2;
    ndshm__os_window_leave();
    return NULL;
}

static int stage_in_child(void *argument)
{
    (void)argument;
    return stage;
}

static void test_a_fork_waits_for_windows(void **state)
{
    (void)state;
    pthread_t thread;
    stage = 0;
    assert_int_equal(pthread_create(&thread, NULL, hold_the_window, NULL), 0);
    while (stage == 0)
        ndshm__os_sleep_ms(1);
    assert_int_equal(support_child(stage_in_child, NULL), 2);
    pthread_join(thread, NULL);
}

static int wake_later(void *argument)
{
    _Atomic uint32_t *word = argument;
    ndshm__os_sleep_ms(30);
    *word = 1;
    ndshm__os_futex_wake(word, 1);
    return 0;
}

static void test_futexes_work_between_processes(void **state)
{
    (void)state;
    _Atomic uint32_t *word =
        mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_int_equal(ndshm__os_futex_wait(word, 7, -1), 0); /* changed already */
    assert_int_equal(ndshm__os_futex_wait(word, 0, 1000000), -ETIMEDOUT);
    int child = support_child_start(wake_later, word);
    while (*word == 0)
        assert_int_equal(ndshm__os_futex_wait(word, 0, INT64_C(10000000000)), 0);
    assert_int_equal(support_child_wait(child), 0);
    munmap(word, PAGE);
}

static void test_limits_are_sane(void **state)
{
    (void)state;
    char group[256] = "";
    ndshm__os_space space;
    assert_true(ndshm__os_cgroup_headroom(group, sizeof group) >= 0);
    assert_in_range(ndshm__os_cpus(), 1, 1000000);
    assert_ok(ndshm__os_space_of_directory(&space));
    assert_true(space.bytes_free > 0 && space.bytes_free <= space.bytes && space.inodes_free > 0);
    assert_true(ndshm__os_memory_available() > 0);
}

static void test_who_we_are(void **state)
{
    (void)state;
    ndshm__os_identity self;
    char expected[64], start[64];
    ndshm__os_identify(&self);
    assert_int_equal(self.pid, getpid());
    assert_int_equal(
        support_run(expected, sizeof expected, "tr -d - < /proc/sys/kernel/random/boot_id"), 0);
    for (int i = 0; i < 16; i++) {
        char byte[3];
        snprintf(byte, sizeof byte, "%02x", self.boot_id[i]);
        assert_memory_equal(expected + 2 * i, byte, 2);
    }
    assert_int_equal(support_run(start, sizeof start, "cut -d' ' -f22 /proc/%d/stat", getpid()), 0);
    assert_int_equal(strtoull(start, NULL, 10), self.start_time);
    assert_true(self.pid_namespace > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_files),
        SUPPORT_TEST(test_a_bad_descriptor_is_a_status),
        SUPPORT_TEST(test_nothing_can_be_resized),
        SUPPORT_TEST(test_names_too_long_for_the_system),
        SUPPORT_TEST(test_a_mapping_keeps_its_lock),
        SUPPORT_TEST(test_reading_our_own_memory_survives),
        SUPPORT_TEST(test_interruptions_are_retried),
        SUPPORT_TEST(test_a_file_size_limit_does_not_kill),
        SUPPORT_TEST(test_a_fork_is_noticed),
        SUPPORT_TEST(test_a_fork_waits_for_windows),
        SUPPORT_TEST(test_futexes_work_between_processes),
        SUPPORT_TEST(test_limits_are_sane),
        SUPPORT_TEST(test_who_we_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
