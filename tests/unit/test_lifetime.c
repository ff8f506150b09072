/* SPDX-License-Identifier: MIT */
/* When a segment goes: with its last user, when nobody uses it, or only when unlinked. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/os.h"
#include "segment/format.h"
#include "segments.h"
#include "support.h"

#define NAME "t-house-lifetime"
enum { SIZE = 5000 };

static int lifetime_of(const char *name)
{
    ndshm_info info;
    assert_ok(ndshm_inspect(name, &info));
    return info.lifetime;
}

static void test_defaults(void **state)
{
    (void)state;
    ndshm__segment *given, *generated;
    assert_ok(support_segment(NAME, SIZE, 0, &given));
    assert_ok(support_segment(NULL, SIZE, 0, &generated));
    assert_int_equal(lifetime_of(NAME), NDSHM_RECLAIMABLE);
    assert_int_equal(lifetime_of(ndshm__segment_name(generated)), NDSHM_TEMPORARY);
    ndshm__segment_release(&generated);
    assert_ok(ndshm__segment_unlink(given));
    ndshm__segment_release(&given);
}

static void test_only_temporary_ones_go_with_their_last_user(void **state)
{
    (void)state;
    ndshm__segment *made, *seen;
    for (int lifetime = NDSHM_TEMPORARY; lifetime <= NDSHM_PERSISTENT; lifetime++) {
        assert_ok(support_segment(NAME, SIZE, lifetime, &made));
        assert_ok(ndshm__segment_attach(NAME, 0, NDSHM_READ, &seen));
        ndshm__segment_release(&made);
        assert_true(support_exists(NAME));
        ndshm__segment_release(&seen);
        assert_int_equal(support_exists(NAME), lifetime != NDSHM_TEMPORARY);
        if (lifetime != NDSHM_TEMPORARY)
            assert_ok(ndshm_unlink(NAME));
    }
}

static void test_any_access_is_a_use(void **state)
{
    (void)state;
    for (int access = NDSHM_READ; access <= NDSHM_WRITE; access++) {
        ndshm__segment *made, *seen;
        assert_ok(support_segment(NAME, SIZE, NDSHM_TEMPORARY, &made));
        int holder = support_holder_start(NAME, access);
        assert_true(holder > 0);
        ndshm__segment_release(&made);
        assert_true(support_exists(NAME));
        assert_ok(ndshm__segment_attach(NAME, 0, access, &seen));
        assert_true(support_segment_is_whole(seen));
        support_holder_stop(holder);
        ndshm__segment_release(&seen);
        assert_false(support_exists(NAME));
        ndshm__reap_again(); /* forgets what the first release had to leave */
    }
}

static void test_a_refused_reap_is_tried_again(void **state)
{
    (void)state;
    ndshm__segment *made;
    assert_ok(support_segment(NAME, SIZE, NDSHM_TEMPORARY, &made));
    int holder = support_holder_start(NAME, NDSHM_READ);
    assert_true(holder > 0);
    ndshm__segment_release(&made);
    ndshm__reap_again();
    assert_true(support_exists(NAME));
    support_holder_stop(holder); /* dies without detaching */
    assert_true(support_exists(NAME));
    ndshm__reap_again();
    assert_false(support_exists(NAME));
}

static int wait_for_byte(void *argument)
{
    char byte;
    return read(*(int *)argument, &byte, 1) != 0;
}

static void test_a_forked_child_keeps_it(void **state)
{
    (void)state;
    ndshm__segment *made;
    int channel[2];
    assert_int_equal(pipe(channel), 0);
    assert_ok(support_segment(NAME, SIZE, NDSHM_TEMPORARY, &made));
    int child = fork();
    if (child == 0) {
        close(channel[1]);
        _exit(wait_for_byte(channel));
    }
    close(channel[0]);
    ndshm__segment_release(&made);
    ndshm__reap_again();
    assert_true(support_exists(NAME));
    close(channel[1]);
    assert_int_equal(support_child_wait(child), 0);
    ndshm__reap_again();
    assert_false(support_exists(NAME));
}

static int release_and_exit(void *argument)
{
    ndshm__segment *segment = *(ndshm__segment **)argument;
    SUPPORT_CHECK(support_segment_is_whole(segment));
    ndshm__segment_release(&segment);
    exit(0); /* with the handlers of the library */
}

static void test_a_child_removes_nothing_of_its_parent(void **state)
{
    (void)state;
    ndshm__segment *made;
    assert_ok(support_segment(NAME, SIZE, NDSHM_TEMPORARY, &made));
    assert_int_equal(support_child(release_and_exit, &made), 0);
    assert_true(support_exists(NAME));
    assert_true(support_segment_is_whole(made));
    ndshm__segment_release(&made);
    assert_false(support_exists(NAME));
}

static int publish_again(void *argument)
{
    ndshm__segment *segment = *(ndshm__segment **)argument;
    SUPPORT_CHECK(ndshm__segment_publish(segment) == -EPERM);
    ndshm__segment_release(&segment);
    return 0;
}

static void test_a_child_cannot_publish_for_its_parent(void **state)
{
    (void)state;
    ndshm__segment *made;
    int64_t size = SIZE;
    ndshm__spec spec = support_spec(NAME, &size, NULL);
    assert_ok(ndshm__segment_create(&spec, &made));
    assert_int_equal(support_child(publish_again, &made), 0);
    assert_false(support_exists(NAME));
    assert_ok(ndshm__segment_publish(made));
    assert_ok(ndshm__segment_unlink(made));
    ndshm__segment_release(&made);
}

static int leave_to_unload(void *argument)
{
    ndshm__segment *made;
    (void)argument;
    SUPPORT_CHECK(support_segment(NAME, SIZE, NDSHM_TEMPORARY, &made) == 0);
    int holder = support_holder_start(NAME, NDSHM_READ);
    SUPPORT_CHECK(holder > 0);
    ndshm__segment_release(&made);
    support_holder_stop(holder);
    SUPPORT_CHECK(support_exists(NAME));
    exit(0);
}

static void test_the_last_try_is_at_unload(void **state)
{
    (void)state;
    assert_int_equal(support_child(leave_to_unload, NULL), 0);
    assert_false(support_exists(NAME));
}

static int stop_and_exit(void *argument)
{
    kill(*(int *)argument, SIGKILL);
    usleep(50000); /* its memory is given back late */
    exit(0);
}

/* Not even at its end, and although nobody uses it any more. */
static void test_a_child_forgets_what_its_parent_left(void **state)
{
    (void)state;
    ndshm__segment *made;
    assert_ok(support_segment(NAME, SIZE, NDSHM_TEMPORARY, &made));
    int holder = support_holder_start(NAME, NDSHM_READ);
    ndshm__segment_release(&made);
    assert_int_equal(support_child(stop_and_exit, &holder), 0);
    assert_true(support_exists(NAME));
    support_holder_stop(holder);
    ndshm__reap_again();
    assert_false(support_exists(NAME));
}

static void test_a_killed_process_leaves_it_complete(void **state)
{
    (void)state;
    ndshm__segment *seen;
    assert_int_equal(support_abandoned_segment(NAME, SIZE, NDSHM_TEMPORARY), 0);
    assert_ok(ndshm__segment_attach(NAME, 0, NDSHM_READ, &seen));
    assert_true(support_segment_is_whole(seen));
    ndshm__segment_release(&seen);
    assert_false(support_exists(NAME));
}

/* The range of a mapping that was kept out of a child may hold something else there. */
static int release_over_another_mapping(void *argument)
{
    ndshm__segment *kept_out = argument;
    char *page = (char *)ndshm__segment_payload(kept_out) - 4096;
    void *other = mmap(page, 4096, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    SUPPORT_CHECK(other == page);
    strcpy(page, "mine");
    ndshm__segment_release(&kept_out);
    SUPPORT_CHECK(strcmp(page, "mine") == 0);
    return 0;
}

static void test_a_child_releases_what_was_kept_out_of_it(void **state)
{
    (void)state;
    ndshm__segment *made;
    assert_ok(support_segment(NAME, SIZE, NDSHM_TEMPORARY, &made));
    ndshm__segment_dontfork(made);
    assert_int_equal(support_child(release_over_another_mapping, made), 0);
    assert_true(support_exists(NAME));
    ndshm__segment_release(&made);
    assert_false(support_exists(NAME));
}

static void test_lifetimes_can_be_changed(void **state)
{
    (void)state;
    ndshm__segment *made;
    assert_ok(support_segment(NULL, SIZE, 0, &made));
    assert_ok(ndshm_set_lifetime(ndshm__segment_name(made), NDSHM_PERSISTENT));
    char name[NDSHM_NAME_MAX + 1];
    strcpy(name, ndshm__segment_name(made));
    ndshm__segment_release(&made);
    assert_true(support_exists(name));
    assert_int_equal(lifetime_of(name), NDSHM_PERSISTENT);
    assert_ok(ndshm__segment_attach(name, 0, NDSHM_READ, &made));
    assert_ok(ndshm__segment_set_lifetime(made, NDSHM_RECLAIMABLE));
    assert_int_equal(lifetime_of(name), NDSHM_RECLAIMABLE);
    ndshm__segment_release(&made);
    assert_true(support_exists(name));
    assert_ok(ndshm_set_lifetime(name, NDSHM_TEMPORARY));
    assert_ok(ndshm__segment_attach(name, 0, NDSHM_READ, &made));
    ndshm__segment_release(&made);
    assert_false(support_exists(name));
}

static void test_lifetimes_must_be_known(void **state)
{
    (void)state;
    ndshm__segment *made;
    assert_ok(support_segment(NAME, SIZE, 0, &made));
    assert_fails(-EINVAL, ndshm_set_lifetime(NAME, 0), "lifetime");
    assert_fails(-EINVAL, ndshm_set_lifetime(NAME, 4), "lifetime");
    assert_fails(-EINVAL, ndshm__segment_set_lifetime(made, -1), "lifetime");
    assert_int_equal(lifetime_of(NAME), NDSHM_RECLAIMABLE);
    assert_ok(ndshm__segment_unlink(made));
    ndshm__segment_release(&made);
}

static void test_unlinking_leaves_the_mapping(void **state)
{
    (void)state;
    ndshm__segment *made, *seen, *none = NULL;
    assert_ok(support_segment(NAME, SIZE, 0, &made));
    assert_ok(ndshm__segment_attach(NAME, 0, NDSHM_WRITE, &seen));
    assert_ok(ndshm_unlink(NAME));
    assert_fails(-ENOENT, ndshm__segment_attach(NAME, 0, NDSHM_READ, &none), NAME);
    assert_true(support_segment_is_whole(made) && support_segment_is_whole(seen));
    ((char *)ndshm__segment_payload(seen))[0] = 99;
    assert_int_equal(((char *)ndshm__segment_payload(made))[0], 99);
    assert_fails(-ENOENT, ndshm__segment_unlink(made), NAME);
    ndshm__segment_release(&seen);
    ndshm__segment_release(&made);
}

static void test_a_held_name_cannot_be_unlinked(void **state)
{
    (void)state;
    struct flock lock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = NDSHM__LOCK_NAME, .l_len = 1};
    assert_int_equal(support_abandoned_segment(NAME, SIZE, 0), 0);
    int fd = open(support_path(NAME), O_RDWR | O_CLOEXEC);
    assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
    assert_fails(-EBUSY, ndshm_unlink(NAME), "held its name");
    close(fd);
    assert_ok(ndshm_unlink(NAME));
}

static void test_another_segment_of_the_name_stays(void **state)
{
    (void)state;
    ndshm__segment *old, *made;
    assert_ok(support_segment(NAME, SIZE, 0, &old));
    assert_ok(ndshm_unlink(NAME));
    assert_ok(support_segment(NAME, SIZE, 0, &made));
    assert_fails(-ENOENT, ndshm__segment_unlink(old), "another segment");
    assert_fails(-ENOENT, ndshm__segment_set_lifetime(old, NDSHM_PERSISTENT), "another segment");
    assert_int_equal(lifetime_of(NAME), NDSHM_RECLAIMABLE);
    assert_ok(ndshm__segment_unlink(made));
    ndshm__segment_release(&made);
    ndshm__segment_release(&old);
}

static pid_t copy;

/* A fork that no handler sees, under the lock of the name, and then a failure. */
static int fork_and_fail(const char *call)
{
    if (strcmp(call, "unlink") != 0 && strcmp(call, "pwrite") != 0)
        return 0;
    copy = _Fork();
    while (copy == 0)
        pause();
    return EACCES;
}

static void test_the_name_is_given_back_by_hand(void **state)
{
    (void)state;
    assert_int_equal(support_abandoned_segment(NAME, SIZE, 0), 0);
    ndshm__os_fault = fork_and_fail;
    int status = ndshm_set_lifetime(NAME, NDSHM_TEMPORARY);
    pid_t first = copy;
    int second_status = ndshm_unlink(NAME);
    ndshm__os_fault = NULL;
    assert_int_equal(status, -EACCES);
    assert_int_equal(second_status, -EACCES);
    assert_ok(ndshm_unlink(NAME));
    support_holder_stop(first);
    support_holder_stop(copy);
}

static void test_a_dropped_mapping_does_not_count(void **state)
{
    (void)state;
    ndshm__segment *made;
    int channel[2];
    assert_int_equal(pipe(channel), 0);
    assert_ok(support_segment(NAME, SIZE, NDSHM_TEMPORARY, &made));
    ndshm__segment_dontfork(made);
    int child = fork();
    if (child == 0) {
        close(channel[1]);
        _exit(wait_for_byte(channel));
    }
    close(channel[0]);
    ndshm__segment_release(&made);
    assert_false(support_exists(NAME)); /* although the child lives */
    close(channel[1]);
    assert_int_equal(support_child_wait(child), 0);
}

static int no_descriptor(const char *call)
{
    return strcmp(call, "open") == 0 ? EMFILE : 0;
}

static void test_a_detach_without_a_descriptor_is_tried_again(void **state)
{
    (void)state;
    ndshm__segment *made;
    assert_ok(support_segment(NAME, SIZE, NDSHM_TEMPORARY, &made));
    ndshm__os_fault = no_descriptor;
    ndshm__segment_release(&made);
    ndshm__os_fault = NULL;
    assert_true(support_exists(NAME));
    ndshm__reap_again();
    assert_false(support_exists(NAME));
}

struct pair {
    _Atomic int ready, go, done;
};

static int detach_together(void *argument)
{
    struct pair *pair = argument;
    ndshm__segment *seen;
    SUPPORT_CHECK(ndshm__segment_attach(NAME, 0, NDSHM_READ, &seen) == 0);
    pair->ready++;
    while (!pair->go)
        ;
    ndshm__segment_release(&seen);
    pair->done++;
    for (;;)
        pause(); /* without the try at unload */
}

/* The proof of each is in the way of the other's: at least one of them must come through. */
static void test_two_detach_at_once(void **state)
{
    (void)state;
    enum { ROUNDS = 60 };
    int left = 0;
    struct pair *pair =
        mmap(NULL, sizeof *pair, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < ROUNDS; i++) {
        ndshm__segment *made;
        int pids[2];
        memset(pair, 0, sizeof *pair);
        assert_ok(support_segment(NAME, SIZE, NDSHM_TEMPORARY, &made));
        ndshm__segment_dontfork(made);
        for (int k = 0; k < 2; k++)
            pids[k] = support_child_start(detach_together, pair);
        while (pair->ready < 2)
            usleep(50);
        ndshm__segment_release(&made);
        pair->go = 1;
        while (pair->done < 2)
            usleep(50);
        left += support_exists(NAME);
        for (int k = 0; k < 2; k++)
            support_holder_stop(pids[k]);
        if (support_exists(NAME))
            ndshm_unlink(NAME);
        ndshm__reap_again(); /* our own detach was refused: forget it */
    }
    munmap(pair, sizeof *pair);
    assert_int_equal(left, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_defaults),
        SUPPORT_TEST(test_only_temporary_ones_go_with_their_last_user),
        SUPPORT_TEST(test_any_access_is_a_use),
        SUPPORT_TEST(test_a_refused_reap_is_tried_again),
        SUPPORT_TEST(test_a_forked_child_keeps_it),
        SUPPORT_TEST(test_a_child_removes_nothing_of_its_parent),
        SUPPORT_TEST(test_a_child_cannot_publish_for_its_parent),
        SUPPORT_TEST(test_the_last_try_is_at_unload),
        SUPPORT_TEST(test_a_child_forgets_what_its_parent_left),
        SUPPORT_TEST(test_a_held_name_cannot_be_unlinked),
        SUPPORT_TEST(test_a_killed_process_leaves_it_complete),
        SUPPORT_TEST(test_a_child_releases_what_was_kept_out_of_it),
        SUPPORT_TEST(test_lifetimes_can_be_changed),
        SUPPORT_TEST(test_lifetimes_must_be_known),
        SUPPORT_TEST(test_unlinking_leaves_the_mapping),
        SUPPORT_TEST(test_another_segment_of_the_name_stays),
        SUPPORT_TEST(test_the_name_is_given_back_by_hand),
        SUPPORT_TEST(test_a_dropped_mapping_does_not_count),
        SUPPORT_TEST(test_a_detach_without_a_descriptor_is_tried_again),
        SUPPORT_TEST(test_two_detach_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
