/* SPDX-License-Identifier: MIT */
/* The leak oracle sees each kind of leak, and nothing where there is none. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

static int kept = -1, other = -1;
static void *page;

/* Whether the oracle complains when leak happens between its two looks. */
static int is_seen(void (*leak)(void))
{
    support_patience_ms = 30;
    support_begin(NULL);
    leak();
    int verdict = support_end(NULL);
    support_patience_ms = 2000;
    return verdict != 0;
}

static int anonymous_file(void)
{
    int fd = open("/dev/shm", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(posix_fallocate(fd, 0, 4096), 0);
    return fd;
}

static void leak_nothing(void)
{
    close(anonymous_file());
}

static void leak_descriptor(void)
{
    kept = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void leak_mapping(void)
{
    int fd = anonymous_file();
    page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
}

static void leak_anonymous_mapping(void)
{
    page = mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

static void leak_name(void)
{
    close(open("/dev/shm/t-house-name", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
}

static void leak_block(void)
{
    assert_int_equal(posix_fallocate(kept, 0, 4096), 0);
}

static void leak_lock(void)
{
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 7, .l_len = 1};
    assert_int_equal(fcntl(kept, F_OFD_SETLK, &lock), 0);
}

static int sleep_long(void *argument)
{
    (void)argument;
    return (int)sleep(60);
}

static void leak_child(void)
{
    kept = support_child_start(sleep_long, NULL);
}

static void leak_zombie(void)
{
    kept = fork();
    if (kept == 0)
        _exit(0);
}

static int leave_orphan(void *argument)
{
    int *channel = argument;
    pid_t pid = fork();
    if (pid == 0)
        return sleep_long(NULL);
    return write(channel[1], &pid, sizeof pid) != sizeof pid;
}

static void leak_orphan(void)
{
    int channel[2];
    assert_int_equal(pipe(channel), 0);
    assert_int_equal(support_child(leave_orphan, channel), 0);
    assert_int_equal(read(channel[0], &kept, sizeof kept), sizeof kept);
    close(channel[0]);
    close(channel[1]);
}

static void test_nothing_is_no_leak(void **state)
{
    (void)state;
    assert_false(is_seen(leak_nothing));
}

static void test_descriptor(void **state)
{
    (void)state;
    assert_true(is_seen(leak_descriptor));
    close(kept);
}

static void test_mapping(void **state)
{
    (void)state;
    assert_true(is_seen(leak_mapping));
    munmap(page, 4096);
    assert_true(is_seen(leak_anonymous_mapping));
    munmap(page, 4096);
}

static void test_name(void **state)
{
    (void)state;
    assert_true(is_seen(leak_name));
    unlink("/dev/shm/t-house-name");
}

static void test_block(void **state)
{
    (void)state;
    kept = open("/dev/shm", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    assert_true(is_seen(leak_block));
    close(kept);
}

static void test_lock(void **state)
{
    (void)state;
    kept = anonymous_file();
    assert_true(is_seen(leak_lock));
    close(kept);
}

static void test_child(void **state)
{
    (void)state;
    assert_true(is_seen(leak_child));
    kill(kept, SIGKILL);
    assert_int_equal(support_child_wait(kept), 128 + SIGKILL);
    assert_true(is_seen(leak_zombie));
    waitpid(kept, NULL, 0);
}

static void test_orphan(void **state)
{
    (void)state;
    if (getenv("NDSHM_TEST_PLAIN"))
        skip();
    assert_true(is_seen(leak_orphan));
    kill(kept, SIGKILL);
}

static void leaking_test(void **state)
{
    (void)state;
    leak_descriptor();
}

static int run_leaking_group(void *argument)
{
    const struct CMUnitTest tests[] = {SUPPORT_TEST(leaking_test)};
    (void)argument;
    support_patience_ms = 30;
    return cmocka_run_group_tests_name("meant to fail", tests, NULL, NULL);
}

static void test_a_leak_fails_the_test(void **state)
{
    (void)state;
    assert_int_equal(support_child(run_leaking_group, NULL), 1);
}

static int fall_over(void *argument)
{
    SUPPORT_CHECK(argument == NULL);
    raise(SIGKILL);
    return 0;
}

static void test_verdicts(void **state)
{
    (void)state;
    assert_int_equal(support_child(fall_over, NULL), 128 + SIGKILL);
    assert_int_equal(support_child(fall_over, &other), 1);
}

static void test_run(void **state)
{
    (void)state;
    char text[8];
    assert_int_equal(support_run(text, sizeof text, "echo %s >&2; exit 3", "abcdefghijk"), 3);
    assert_string_equal(text, "abcdefg");
    assert_int_equal(support_run(NULL, 0, "kill -9 $$"), 128 + SIGKILL);
}

static void test_directory_is_removed(void **state)
{
    (void)state;
    char path[128];
    snprintf(path, sizeof path, "%s", support_directory());
    assert_string_equal(path, support_directory());
    assert_int_equal(support_run(NULL, 0, "mkdir %s/a && touch %s/a/b", path, path), 0);
    support_begin(NULL);
    assert_int_equal(support_end(NULL), 0);
    assert_int_equal(access(path, F_OK), -1);
}

static int fill_three_inodes(void *argument)
{
    (void)argument;
    SUPPORT_CHECK(open("/dev/shm/a", O_CREAT | O_RDWR, 0600) >= 0);
    SUPPORT_CHECK(open("/dev/shm/b", O_CREAT | O_RDWR, 0600) >= 0);
    SUPPORT_CHECK(open("/dev/shm/c", O_CREAT | O_RDWR, 0600) < 0);
    return 0;
}

static void test_in_tmpfs(void **state)
{
    (void)state;
    int verdict = support_in_tmpfs("size=1m,nr_inodes=3", fill_three_inodes, NULL);
    if (verdict < 0)
        skip();
    assert_int_equal(verdict, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_run),
        SUPPORT_TEST(test_in_tmpfs),
        SUPPORT_TEST(test_verdicts),
        cmocka_unit_test(test_nothing_is_no_leak),
        cmocka_unit_test(test_descriptor),
        cmocka_unit_test(test_mapping),
        cmocka_unit_test(test_name),
        cmocka_unit_test(test_block),
        cmocka_unit_test(test_lock),
        cmocka_unit_test(test_child),
        cmocka_unit_test(test_orphan),
        cmocka_unit_test(test_a_leak_fails_the_test),
        cmocka_unit_test(test_directory_is_removed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
