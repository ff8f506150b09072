/* SPDX-License-Identifier: MIT */
/* Scarcity: no bytes, no inodes, limits of the process. A status, a message with the remedy,
 * nothing left. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "segments.h"
#include "support.h"

#define NAME "t-house-space"

#ifdef __has_feature /* how clang tells it */
#if __has_feature(address_sanitizer)
#define NDSHM_ADDRESS_SANITIZED
#endif
#endif

enum { PAGE = 4096, PAYLOAD_PAGES = 20 };

static unsigned long long free_blocks(void)
{
    struct statvfs space;
    return statvfs("/dev/shm", &space) == 0 ? space.f_bfree : 0;
}

static unsigned long long free_inodes(void)
{
    struct statvfs space;
    return statvfs("/dev/shm", &space) == 0 ? space.f_ffree : 0;
}

static int message_has(const char *text)
{
    return strstr(ndshm_error_message(), text) != NULL;
}

/* In one go, or in pieces; published. */
static int create(int64_t size, int streamed)
{
    ndshm__segment *made = NULL;
    ndshm__spec spec = support_spec(NAME, &size, NULL);
    uint8_t *data = calloc(1, streamed ? (size_t)size : 1);
    spec.streamed = streamed;
    int status = data ? ndshm__segment_create(&spec, &made) : -ENOMEM;
    if (!status && streamed)
        status = ndshm__segment_append(made, data, size / 3);
    if (!status && streamed)
        status = ndshm__segment_append(made, data, size - size / 3);
    if (!status)
        status = ndshm__segment_publish(made);
    free(data);
    ndshm__segment_release(&made);
    return status;
}

/* Fills the file system so that each number of pages is left in turn. */
static int fail_at_every_page(void *argument)
{
    int streamed = *(int *)argument;
    unsigned long long need = PAYLOAD_PAGES + 1;
    int ballast = open("/dev/shm/t-house-ballast", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    unsigned long long all = free_blocks();
    SUPPORT_CHECK(all > 2 * need);
    SUPPORT_CHECK(create(PAGE * PAYLOAD_PAGES, streamed) == 0); /* measures what there is */
    SUPPORT_CHECK(ndshm_unlink(NAME) == 0);
    for (unsigned long long left = 0; left <= need; left++) {
        SUPPORT_CHECK(ftruncate(ballast, 0) == 0);
        SUPPORT_CHECK(posix_fallocate(ballast, 0, (off_t)((all - left) * PAGE)) == 0);
        SUPPORT_CHECK(free_blocks() == left);
        int status = create(PAGE * PAYLOAD_PAGES, streamed);
        if (left == need) {
            SUPPORT_CHECK(status == 0);
            SUPPORT_CHECK(ndshm_unlink(NAME) == 0);
            continue;
        }
        SUPPORT_CHECK(status == -ENOSPC);
        SUPPORT_CHECK(message_has(NAME) && message_has("asked") && message_has("free of 1.05 MB"));
        SUPPORT_CHECK(message_has("--shm-size") && message_has("shm-inspect clean"));
        SUPPORT_CHECK(!support_exists(NAME) && free_blocks() == left);
    }
    return 0;
}

static void test_a_full_file_system(void **state)
{
    (void)state;
    for (int streamed = 0; streamed < 2; streamed++) {
        int verdict = support_in_tmpfs("size=1m", fail_at_every_page, &streamed);
        if (verdict < 0)
            skip();
        assert_int_equal(verdict, 0);
    }
}

static int ask_for_too_much(void *argument)
{
    (void)argument;
    SUPPORT_CHECK(create(17300000, 0) == -ENOSPC);
    SUPPORT_CHECK(message_has("17.3 MB asked") && message_has("67.1 MB") == 0);
    SUPPORT_CHECK(message_has("2.1 MB free of 2.1 MB"));
    SUPPORT_CHECK(message_has("--shm-size=17m") && message_has("remount,size=17m"));
    SUPPORT_CHECK(support_run(NULL, 0, "head -c 1m /dev/zero > /dev/shm/t-house-ballast") == 0);
    SUPPORT_CHECK(create(INT64_MAX - 20000, 0) == -ENOSPC);
    SUPPORT_CHECK(message_has("9.22 EB asked") && message_has("--shm-size=8796093022209m"));
    return 0;
}

static void test_the_message_names_figures_and_remedy(void **state)
{
    (void)state;
    int verdict = support_in_tmpfs("size=2m", ask_for_too_much, NULL);
    if (verdict < 0)
        skip();
    assert_int_equal(verdict, 0);
}

static int run_out_of_inodes(void *argument)
{
    (void)argument;
    SUPPORT_CHECK(create(PAGE, 0) == 0); /* the second of three inodes */
    int other = open("/dev/shm/t-house-ballast", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    SUPPORT_CHECK(other >= 0 && free_inodes() == 0);
    ndshm__segment *made;
    SUPPORT_CHECK(support_segment(NAME "-2", PAGE, 0, &made) == -ENOSPC);
    SUPPORT_CHECK(message_has("inodes") && message_has("nr_inodes"));
    ndshm__segment *seen; /* attaching needs none */
    SUPPORT_CHECK(ndshm__segment_attach(NAME, 0, NDSHM_READ, &seen) == 0);
    ndshm__segment_release(&seen);
    SUPPORT_CHECK(unlink("/dev/shm/t-house-ballast") == 0 && close(other) == 0);
    SUPPORT_CHECK(support_segment(NAME "-2", PAGE, 0, &made) == 0);
    return 0;
}

static void test_no_inodes(void **state)
{
    (void)state;
    int verdict = support_in_tmpfs("size=1m,nr_inodes=3", run_out_of_inodes, NULL);
    if (verdict < 0)
        skip();
    assert_int_equal(verdict, 0);
}

/* Before anything was measured: not even the self-test finds an inode. */
static int begin_without_inodes(void *argument)
{
    (void)argument;
    int ballast = open("/dev/shm/t-house-ballast", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    SUPPORT_CHECK(ballast >= 0 && free_inodes() == 0);
    SUPPORT_CHECK(create(PAGE, 0) == -ENOSPC);
    SUPPORT_CHECK(message_has("inodes"));
    SUPPORT_CHECK(unlink("/dev/shm/t-house-ballast") == 0 && close(ballast) == 0);
    SUPPORT_CHECK(create(PAGE, 0) == 0);
    return 0;
}

static void test_no_inodes_at_first_use(void **state)
{
    (void)state;
    int verdict = support_in_tmpfs("size=1m,nr_inodes=2", begin_without_inodes, NULL);
    if (verdict < 0)
        skip();
    assert_int_equal(verdict, 0);
}

static int with_limit(int resource, rlim_t limit, int (*function)(void))
{
    const struct rlimit limits = {limit, limit};
    SUPPORT_CHECK(setrlimit((__rlimit_resource_t)resource, &limits) == 0);
    return function();
}

static int exceed_file_size(void)
{
    SUPPORT_CHECK(create(1 << 20, 0) == -EFBIG);
    SUPPORT_CHECK(message_has("1.05 MB asked") && message_has("1 MB at most"));
    SUPPORT_CHECK(message_has("RLIMIT_FSIZE") && message_has("ulimit -f"));
    SUPPORT_CHECK(create(1 << 20, 1) == -EFBIG);
    SUPPORT_CHECK(create(64 << 10, 0) == 0);
    SUPPORT_CHECK(ndshm_unlink(NAME) == 0);
    return 0;
}

static int limit_file_size(void *argument)
{
    (void)argument;
    return with_limit(RLIMIT_FSIZE, 1000000, exceed_file_size); /* SIGXFSZ would end us */
}

static int limit_file_size_below_a_page(void *argument)
{
    (void)argument;
    const struct rlimit limits = {1000, 1000};
    SUPPORT_CHECK(setrlimit(RLIMIT_FSIZE, &limits) == 0);
    SUPPORT_CHECK(create(1, 0) == -EFBIG);
    SUPPORT_CHECK(ndshm_set_lifetime(NAME "-before", NDSHM_TEMPORARY) == 0);
    ndshm__segment *seen;
    SUPPORT_CHECK(ndshm__segment_attach(NAME "-before", 0, NDSHM_READ, &seen) == 0);
    ndshm__segment_release(&seen);
    SUPPORT_CHECK(!support_exists(NAME "-before"));
    return 0;
}

static void test_file_size_limit(void **state)
{
    (void)state;
    assert_int_equal(support_child(limit_file_size, NULL), 0);
    assert_int_equal(support_abandoned_segment(NAME "-before", 1, 0), 0);
    assert_int_equal(support_child(limit_file_size_below_a_page, NULL), 0);
}

static int use_without_descriptors(void)
{
    ndshm__segment *made, *seen = NULL;
    ndshm_info info;
    ndshm_reap_report report;
    ndshm_list *list = NULL;
    SUPPORT_CHECK(support_segment(NAME, PAGE, 0, &made) == -EMFILE);
    SUPPORT_CHECK(message_has("descriptor") && message_has("ulimit -n"));
    SUPPORT_CHECK(ndshm__segment_attach(NAME "-before", 0, NDSHM_READ, &seen) == -EMFILE);
    SUPPORT_CHECK(message_has("descriptor"));
    SUPPORT_CHECK(ndshm_unlink(NAME "-before") == -EMFILE);
    SUPPORT_CHECK(ndshm_set_lifetime(NAME "-before", NDSHM_TEMPORARY) == -EMFILE);
    SUPPORT_CHECK(ndshm_reap(NAME "-before", NULL, &report) == -EMFILE);
    SUPPORT_CHECK(ndshm_wait(NAME "-before", 0) == -EMFILE);
    SUPPORT_CHECK(ndshm_list_open(&list) == -EMFILE);
    SUPPORT_CHECK(ndshm_inspect(NAME "-before", &info) == -EMFILE);
    SUPPORT_CHECK(!seen && !list);
    return 0;
}

static int limit_descriptors(void *argument)
{
    (void)argument;
    int highest = open("/dev/null", O_RDONLY);
    return with_limit(RLIMIT_NOFILE, (rlim_t)highest + 1, use_without_descriptors);
}

static void test_descriptor_limit(void **state)
{
    (void)state;
    assert_int_equal(support_abandoned_segment(NAME "-before", 1, 0), 0);
    assert_int_equal(support_child(limit_descriptors, NULL), 0);
    assert_ok(ndshm_unlink(NAME "-before"));
}

static int exceed_address_space(void)
{
    ndshm__segment *seen = NULL;
    SUPPORT_CHECK(create((int64_t)256 << 20, 0) == -ENOMEM);
    SUPPORT_CHECK(message_has("ulimit -v"));
    SUPPORT_CHECK(ndshm__segment_attach(NAME "-before", 0, NDSHM_COW, &seen) == -ENOMEM);
    SUPPORT_CHECK(message_has("address space") && message_has("134 MB"));
    SUPPORT_CHECK(!seen);
    return 0;
}

static int limit_address_space(void *argument)
{
    (void)argument;
    return with_limit(RLIMIT_AS, (rlim_t)100 << 20, exceed_address_space);
}

static void test_address_space_limit(void **state)
{
    (void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(NDSHM_ADDRESS_SANITIZED)
    skip(); /* its shadow is larger than any such limit */
#endif
    assert_int_equal(support_abandoned_segment(NAME "-before", 128 << 20, 0), 0);
    assert_int_equal(support_child(limit_address_space, NULL), 0);
    assert_ok(ndshm_unlink(NAME "-before"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_a_full_file_system),
        SUPPORT_TEST(test_the_message_names_figures_and_remedy),
        SUPPORT_TEST(test_no_inodes),
        SUPPORT_TEST(test_no_inodes_at_first_use),
        SUPPORT_TEST(test_file_size_limit),
        SUPPORT_TEST(test_descriptor_limit),
        SUPPORT_TEST(test_address_space_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
