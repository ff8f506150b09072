/* SPDX-License-Identifier: MIT */
/* The rungs of the fallback ladder: other ways to publish, liveness by a kept descriptor, no lease.
 * Each runs on a fresh file system, because what the self-test found is remembered for a device. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/os.h"
#include "segment/format.h"
#include "segments.h"
#include "support.h"

#define NAME "t-house-ladder"
enum { SIZE = 5000 };

static int descriptors(void)
{
    int count = 0;
    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static int decide_on(const char *name, uint32_t flags)
{
    ndshm_reap_config config;
    ndshm_reap_report report;
    ndshm_reap_config_init(&config);
    config.flags = flags;
    int status = ndshm_reap(name, &config, &report);
    return status ? status : report.decision;
}

static int decide(uint32_t flags)
{
    return decide_on(NAME, flags);
}

/* Everything that a segment can do, whatever the rung; kept: descriptors that an attachment keeps.
 */
static int live(int kept)
{
    ndshm__segment *made, *second, *seen;
    struct stat file;
    int64_t size = SIZE;
    int before = descriptors();
    SUPPORT_CHECK(support_segment(NAME, SIZE, 0, &made) == 0);
    SUPPORT_CHECK(descriptors() == before + kept);
    SUPPORT_CHECK(stat(support_path(NAME), &file) == 0 && (file.st_mode & 07777) == 0600);
    ndshm__spec spec = support_spec(NAME, &size, NULL);
    SUPPORT_CHECK(ndshm__segment_create(&spec, &second) == 0);
    SUPPORT_CHECK(ndshm__segment_publish(second) == -EEXIST);
    ndshm__segment_release(&second);
    SUPPORT_CHECK(support_names("") == 1);
    int holder = support_holder_start(NAME, NDSHM_READ);
    SUPPORT_CHECK(holder > 0);
    SUPPORT_CHECK(ndshm__segment_attach(NAME, 0, NDSHM_WRITE, &seen) == 0);
    SUPPORT_CHECK(descriptors() == before + 2 * kept);
    SUPPORT_CHECK(support_segment_is_whole(seen));
    ndshm__segment_release(&seen);
    ndshm__segment_release(&made);
    SUPPORT_CHECK(descriptors() == before);
    SUPPORT_CHECK(decide(0) == NDSHM_REAP_IN_USE);
    support_holder_stop(holder);
    SUPPORT_CHECK(support_segment(NULL, SIZE, 0, &made) == 0 && support_names("") == 2);
    ndshm__segment_release(&made);
    return 0;
}

/* An orphan is removed with a lease; by the locks alone only when asked. */
static int reap_by_lease(void)
{
    SUPPORT_CHECK(support_names("") == 1 && decide(0) == NDSHM_REAP_REMOVED &&
                  support_names("") == 0);
    return 0;
}

static int reap_by_locks(void)
{
    SUPPORT_CHECK(decide(0) == NDSHM_REAP_UNPROVEN);
    SUPPORT_CHECK(decide(NDSHM_REAP_ACCEPT_LOCK_ONLY) == NDSHM_REAP_REMOVED);
    return 0;
}

static int fail_proc(const char *call)
{
    return strcmp(call, "link_proc") == 0 || strcmp(call, "reopen") == 0 ? ENOENT : 0;
}

static int fail_links(const char *call)
{
    return strcmp(call, "link_empty_path") == 0 ? ENOENT : fail_proc(call);
}

static int fail_anonymous(const char *call)
{
    return strcmp(call, "open_anonymous") == 0 ? EOPNOTSUPP : fail_links(call);
}

static int fail_lease(const char *call)
{
    return strcmp(call, "lease") == 0 ? EINVAL : 0;
}

static int fail_locks(const char *call)
{
    return strncmp(call, "lock_", 5) == 0 ? EINVAL : 0;
}

static int on_proc(void *argument)
{
    (void)argument;
    SUPPORT_CHECK(live(0) == 0);
    return reap_by_lease();
}

static int on_empty_path(void *argument)
{
    (void)argument;
    ndshm__os_fault = fail_proc;
    SUPPORT_CHECK(live(0) == 0);
    return reap_by_lease();
}

static int on_rename(void *argument)
{
    ndshm__os_fault = argument ? fail_anonymous : fail_links;
    SUPPORT_CHECK(live(0) == 0);
    return reap_by_lease();
}

static int on_kept_descriptor(void *argument)
{
    (void)argument;
    ndshm__os_fault = fail_lease;
    SUPPORT_CHECK(live(1) == 0);
    SUPPORT_CHECK(support_names("") == 2); /* the temporary one could not be proven unused */
    return reap_by_locks();
}

/* On the rung of the temporary name, it has the prefix that cleaning knows, until it is published.
 */
static int show_draft(void *argument)
{
    ndshm__segment *made;
    ndshm_list *list;
    ndshm_info info;
    int64_t size = SIZE;
    (void)argument;
    ndshm__os_fault = fail_links;
    ndshm__spec spec = support_spec(NAME, &size, NULL);
    SUPPORT_CHECK(ndshm__segment_create(&spec, &made) == 0);
    SUPPORT_CHECK(ndshm_list_open(&list) == 0 && ndshm_list_next(list, &info) == 0);
    SUPPORT_CHECK(strncmp(info.name, "ndshm.tmp.", 10) == 0);
    SUPPORT_CHECK(info.state != NDSHM_STATE_ORPHAN); /* nobody may clean it now */
    SUPPORT_CHECK(ndshm_list_next(list, &info) == -ENOENT);
    ndshm_list_close(&list);
    SUPPORT_CHECK(!support_exists(NAME));
    support_segment_fill(made);
    SUPPORT_CHECK(ndshm__segment_publish(made) == 0 && support_names("") == 1);
    SUPPORT_CHECK(support_segment_is_whole(made));
    ndshm__segment_release(&made);
    SUPPORT_CHECK(ndshm__segment_create(&spec, &made) == 0 && support_names("") == 2);
    ndshm__segment_release(&made);
    SUPPORT_CHECK(support_names("") == 1);
    return 0;
}

static int create_unpublished(void *argument)
{
    ndshm__segment *made;
    int64_t size = SIZE;
    ndshm__spec spec = support_spec(NAME, &size, NULL);
    (void)argument;
    return ndshm__segment_create(&spec, &made) != 0; /* and dies */
}

/* The only file that there is. */
static int find_draft(char name[256])
{
    ndshm_list *list;
    ndshm_info info;
    SUPPORT_CHECK(ndshm_list_open(&list) == 0 && ndshm_list_next(list, &info) == 0);
    snprintf(name, 256, "%s", info.name);
    ndshm_list_close(&list);
    return 0;
}

/* A draft is its creator's while that lives, and then anybody's; half-made or not. */
static int reap_draft(void *argument)
{
    static const char like[] = "ndshm.tmp.of-somebody-else";
    char name[256];
    int64_t size = SIZE;
    ndshm__segment *made;
    (void)argument;
    ndshm__os_fault = fail_links;
    ndshm__spec spec = support_spec(NAME, &size, NULL);
    SUPPORT_CHECK(ndshm__segment_create(&spec, &made) == 0 && find_draft(name) == 0);
    SUPPORT_CHECK(decide_on(name, 0) == NDSHM_REAP_IN_USE);
    ndshm__segment_release(&made);
    SUPPORT_CHECK(support_child(create_unpublished, NULL) == 0 && find_draft(name) == 0);
    SUPPORT_CHECK(decide_on(name, NDSHM_REAP_DRY_RUN) == NDSHM_REAP_REMOVABLE);
    SUPPORT_CHECK(decide_on(name, 0) == NDSHM_REAP_REMOVED);
    int fd = open(support_path(name), O_RDWR | O_CREAT, 0600);
    SUPPORT_CHECK(fd >= 0 && decide_on(name, 0) == NDSHM_REAP_IN_USE);
    SUPPORT_CHECK(close(fd) == 0 && decide_on(name, 0) == NDSHM_REAP_REMOVED);
    fd = open(support_path(like), O_RDWR | O_CREAT, 0600);
    SUPPORT_CHECK(fd >= 0 && close(fd) == 0);
    SUPPORT_CHECK(decide_on(like, 0) == NDSHM_REAP_FOREIGN && unlink(support_path(like)) == 0);
    return 0;
}

/* A creator does not lock its draft from the first moment: locks alone prove nothing. */
static int keep_draft(void *argument)
{
    static const char name[] = "ndshm.tmp.0123456789abcdef0123456789ab";
    (void)argument;
    ndshm__os_fault = fail_lease;
    int fd = open(support_path(name), O_RDWR | O_CREAT, 0600);
    SUPPORT_CHECK(fd >= 0 && close(fd) == 0);
    SUPPORT_CHECK(decide_on(name, NDSHM_REAP_ACCEPT_LOCK_ONLY) == NDSHM_REAP_UNPROVEN);
    return 0;
}

/* Without working locks nothing is ever removed but by name. */
static int without_locks(void *argument)
{
    ndshm__segment *made;
    ndshm_info info;
    (void)argument;
    SUPPORT_CHECK(support_segment(NAME, SIZE, 0, &made) == 0);
    ndshm__segment_release(&made);
    ndshm__os_fault = fail_locks;
    SUPPORT_CHECK(decide(NDSHM_REAP_ACCEPT_LOCK_ONLY) == NDSHM_REAP_UNPROVEN);
    SUPPORT_CHECK(ndshm_inspect(NAME, &info) == 0);
    SUPPORT_CHECK(support_segment(NULL, SIZE, 0, &made) == -EINVAL);
    SUPPORT_CHECK(support_names("") == 1);
    return 0;
}

static void run_on_tmpfs(int (*function)(void *), void *argument)
{
    int verdict = support_in_tmpfs("size=8m", function, argument);
    if (verdict < 0)
        skip();
    assert_int_equal(verdict, 0);
}

static void test_linkat_through_proc(void **state)
{
    (void)state;
    run_on_tmpfs(on_proc, NULL);
}

static void test_linkat_with_an_empty_path(void **state)
{
    (void)state;
    run_on_tmpfs(on_empty_path, NULL);
}

static void test_a_temporary_name(void **state)
{
    (void)state;
    run_on_tmpfs(on_rename, NULL);
    run_on_tmpfs(on_rename, state);
    run_on_tmpfs(show_draft, NULL);
    run_on_tmpfs(reap_draft, NULL);
    run_on_tmpfs(keep_draft, NULL);
}

static void test_a_kept_descriptor(void **state)
{
    (void)state;
    run_on_tmpfs(on_kept_descriptor, NULL);
}

static void test_no_locks(void **state)
{
    (void)state;
    run_on_tmpfs(without_locks, NULL);
}

/* A further lock of a handle stays as long as the handle. */
static int held_bytes(void)
{
    ndshm__segment *made;
    int before = descriptors();
    SUPPORT_CHECK(support_segment(NAME "-held", SIZE, NDSHM_TEMPORARY, &made) == 0);
    SUPPORT_CHECK(ndshm__segment_held(NAME "-held", NDSHM__LOCK_OWNER) == 0);
    SUPPORT_CHECK(ndshm__segment_hold(made, NDSHM__LOCK_OWNER) == 0);
    SUPPORT_CHECK(ndshm__segment_held(NAME "-held", NDSHM__LOCK_OWNER) == 1);
    ndshm__segment_release(&made);
    SUPPORT_CHECK(ndshm__segment_held(NAME "-held", NDSHM__LOCK_OWNER) <= 0);
    SUPPORT_CHECK(descriptors() == before);
    return 0;
}

/* overlayfs hides who only maps a file: the descriptor is kept, and nothing is removed by itself.
 */
static int on_overlay(void *argument)
{
    (void)argument;
    if (mkdir("/dev/shm/l", 0700) || mkdir("/dev/shm/u", 0700) || mkdir("/dev/shm/w", 0700) ||
        mount("overlay", "/dev/shm", "overlay", 0,
              "lowerdir=/dev/shm/l,upperdir=/dev/shm/u,workdir=/dev/shm/w,userxattr") != 0)
        return 77;
    SUPPORT_CHECK(live(1) == 0);
    SUPPORT_CHECK(decide(0) == NDSHM_REAP_UNPROVEN);
    return held_bytes();
}

/* Memory is there, but no inode for the self-test: the orphans that take them must still be found.
 */
static int without_inodes(void *argument)
{
    (void)argument;
    SUPPORT_CHECK(support_abandoned_segment(NAME, SIZE, 0) == 0); /* measured in the child */
    while (support_run(NULL, 0, "mktemp -q -p /dev/shm > /dev/null") == 0)
        ;
    ndshm_info info;
    ndshm__segment *seen;
    SUPPORT_CHECK(ndshm__segment_attach(NAME, 0, NDSHM_READ, &seen) == 0);
    ndshm__segment_release(&seen);
    SUPPORT_CHECK(ndshm_inspect(NAME, &info) == 0 && info.state == NDSHM_STATE_ORPHAN);
    SUPPORT_CHECK(support_segment(NAME "-2", SIZE, 0, &seen) == -ENOSPC);
    SUPPORT_CHECK(strstr(ndshm_error_message(), "inodes"));
    SUPPORT_CHECK(decide(0) == NDSHM_REAP_REMOVED);
    return 0;
}

static void test_without_inodes(void **state)
{
    (void)state;
    int verdict = support_in_tmpfs("size=8m,nr_inodes=8", without_inodes, NULL);
    if (verdict < 0)
        skip();
    assert_int_equal(verdict, 0);
}

static void test_overlayfs(void **state)
{
    (void)state;
    int verdict = support_in_tmpfs("size=8m", on_overlay, NULL);
    if (verdict < 0 || verdict == 77)
        skip();
    assert_int_equal(verdict, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_linkat_through_proc),
        SUPPORT_TEST(test_linkat_with_an_empty_path),
        SUPPORT_TEST(test_a_temporary_name),
        SUPPORT_TEST(test_a_kept_descriptor),
        SUPPORT_TEST(test_no_locks),
        SUPPORT_TEST(test_overlayfs),
        SUPPORT_TEST(test_without_inodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
