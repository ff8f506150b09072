/* SPDX-License-Identifier: MIT */
/* Things that others plant in /dev/shm: nothing hangs, follows, misleads or is deleted. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "segment/format.h"
#include "segments.h"
#include "support.h"

#define NAME "t-house-hostile"
#define OTHER "t-house-other"
#define POOL "ndshm.t-house-hostile"
enum { WATCHDOG_S = 2, SOMEBODY = 65534 };

struct planted {
    const char *command; /* %s: the path */
    int attach, unlink, state, decision;
};

static int decide(const char *name, uint32_t flags)
{
    ndshm_reap_config config;
    ndshm_reap_report report;
    ndshm_reap_config_init(&config);
    config.flags = flags;
    int status = ndshm_reap(name, &config, &report);
    return status ? status : report.decision;
}

static int meet(void *argument)
{
    const struct planted *planted = argument;
    ndshm__segment *segment = NULL;
    ndshm_info info;
    alarm(WATCHDOG_S);
    for (int access = NDSHM_READ; access <= NDSHM_WRITE; access++) {
        SUPPORT_CHECK(ndshm__segment_attach(NAME, 0, access, &segment) == planted->attach);
        SUPPORT_CHECK(strstr(ndshm_error_message(), NAME));
    }
    SUPPORT_CHECK(ndshm_inspect(NAME, &info) == 0);
    SUPPORT_CHECK(info.state == planted->state && info.note[0]);
    SUPPORT_CHECK(ndshm_set_lifetime(NAME, NDSHM_TEMPORARY) == planted->unlink);
    SUPPORT_CHECK(decide(NAME, NDSHM_REAP_ACCEPT_LOCK_ONLY) == planted->decision);
    SUPPORT_CHECK(ndshm_wait(NAME, 0) == (info.kind ? 0 : -ETIMEDOUT));
    SUPPORT_CHECK(support_segment(NAME, 1, 0, &segment) == -EEXIST);
    SUPPORT_CHECK(support_segment(NAME, 1, NDSHM_TEMPORARY, &segment) == -EEXIST);
    SUPPORT_CHECK(ndshm_unlink(NAME) == planted->unlink);
    SUPPORT_CHECK(strstr(ndshm_error_message(), NAME));
    SUPPORT_CHECK(support_exists(NAME) && !segment);
    return 0;
}

static void test_planted_files(void **state)
{
    (void)state;
    const struct planted all[] = {
        {"head -c 20000 /dev/urandom > %s", NDSHM_EKIND, NDSHM_EKIND, NDSHM_STATE_FOREIGN,
         NDSHM_REAP_FOREIGN},
        {": > %s", NDSHM_EKIND, NDSHM_EKIND, NDSHM_STATE_FOREIGN, NDSHM_REAP_FOREIGN},
        {"truncate -s 1000000 %s", NDSHM_EKIND, NDSHM_EKIND, NDSHM_STATE_FOREIGN,
         NDSHM_REAP_FOREIGN},
        {"mkfifo %s", NDSHM_EKIND, NDSHM_EKIND, NDSHM_STATE_FOREIGN, NDSHM_REAP_FOREIGN},
        {"mkdir %s", NDSHM_EKIND, NDSHM_EKIND, NDSHM_STATE_FOREIGN, NDSHM_REAP_FOREIGN},
        {"ln -s /dev/shm/" OTHER " %s", NDSHM_EKIND, NDSHM_EKIND, NDSHM_STATE_FOREIGN,
         NDSHM_REAP_FOREIGN},
        {"ln -s /nowhere %s", NDSHM_EKIND, NDSHM_EKIND, NDSHM_STATE_FOREIGN, NDSHM_REAP_FOREIGN},
        {"ln -s /etc/passwd %s", NDSHM_EKIND, NDSHM_EKIND, NDSHM_STATE_FOREIGN, NDSHM_REAP_FOREIGN},
        {"ln -s /dev/zero %s", NDSHM_EKIND, NDSHM_EKIND, NDSHM_STATE_FOREIGN, NDSHM_REAP_FOREIGN},
    };
    assert_int_equal(support_abandoned_segment(OTHER, 100, 0), 0);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        char command[300];
        struct planted planted = all[i];
        snprintf(command, sizeof command, planted.command, support_path(NAME));
        assert_int_equal(support_run(NULL, 0, "%s", command), 0);
        print_message("%s\n", command);
        assert_int_equal(support_child(meet, &planted), 0);
        assert_int_equal(remove(support_path(NAME)), 0);
    }
    assert_true(support_exists(OTHER));
    assert_ok(ndshm_unlink(OTHER));
}

static void test_a_socket(void **state)
{
    (void)state;
    struct planted planted = {"", NDSHM_EKIND, NDSHM_EKIND, NDSHM_STATE_FOREIGN,
                              NDSHM_REAP_FOREIGN};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, support_path(NAME));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(support_child(meet, &planted), 0);
    close(fd);
    unlink(support_path(NAME));
}

static void test_hard_links(void **state)
{
    (void)state;
    char to[300];
    ndshm__segment *seen = NULL;
    ndshm_info info;
    strcpy(to, support_path(OTHER));
    assert_int_equal(support_abandoned_segment(NAME, 100, 0), 0);
    assert_int_equal(link(support_path(NAME), to), 0);
    assert_fails(-EMLINK, ndshm__segment_attach(NAME, 0, NDSHM_READ, &seen), "2 hard links");
    assert_fails(-EMLINK, ndshm__segment_attach(OTHER, 0, NDSHM_READ, &seen), "hard links");
    assert_int_equal(decide(NAME, 0), NDSHM_REAP_FOREIGN);
    assert_fails(-EBUSY, ndshm_unlink(NAME), "links");
    assert_ok(ndshm_inspect(NAME, &info));
    assert_int_equal(unlink(to), 0);
    assert_ok(ndshm__segment_attach(NAME, 0, NDSHM_READ, &seen));
    ndshm__segment_release(&seen);
    assert_ok(ndshm_unlink(NAME));
}

/* Runs the rest of this process as another user. */
static int become_somebody(void)
{
    return setgroups(0, NULL) || setresgid(SOMEBODY, SOMEBODY, SOMEBODY) ||
           setresuid(SOMEBODY, SOMEBODY, SOMEBODY);
}

struct squat {
    const char *name;
    uint32_t mode;
    uint32_t kind; /* 0: an array */
};

static int squat(void *argument)
{
    const struct squat *order = argument;
    ndshm_create_config config;
    ndshm__segment *made;
    int64_t size = 100;
    SUPPORT_CHECK(become_somebody() == 0);
    ndshm_create_config_init(&config);
    config.mode = order->mode;
    ndshm__spec spec = support_spec(order->name, &size, &config);
    spec.pool = ""; /* any name */
    spec.kind = order->kind ? order->kind : spec.kind;
    SUPPORT_CHECK(ndshm__segment_create(&spec, &made) == 0);
    support_segment_fill(made);
    SUPPORT_CHECK(ndshm__segment_publish(made) == 0);
    return 0;
}

static void test_another_users_segment(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    ndshm__segment *seen = NULL;
    ndshm_info info;
    struct squat order = {NAME, 0666, 0};
    assert_int_equal(support_child(squat, &order), 0);
    for (int access = NDSHM_READ; access <= NDSHM_WRITE; access++)
        assert_fails(-EPERM, ndshm__segment_attach(NAME, 0, access, &seen), "NDSHM_FOREIGN");
    assert_int_equal(decide(NAME, 0), NDSHM_REAP_FOREIGN);
    assert_int_equal(decide(NAME, NDSHM_REAP_ACCEPT_LOCK_ONLY), NDSHM_REAP_FOREIGN);
    assert_int_equal(support_segment(NAME, 1, 0, &seen), -EEXIST);
    assert_ok(ndshm_inspect(NAME, &info));
    assert_int_equal(info.uid, SOMEBODY);
    for (int access = NDSHM_READ; access <= NDSHM_WRITE; access++) {
        assert_ok(ndshm__segment_attach(NAME, 0, access | NDSHM_FOREIGN, &seen));
        assert_true(support_segment_is_whole(seen));
        assert_int_equal(decide(NAME, NDSHM_REAP_OTHER_USERS), NDSHM_REAP_IN_USE);
        ndshm__segment_release(&seen);
    }
    assert_int_equal(decide(NAME, NDSHM_REAP_OTHER_USERS), NDSHM_REAP_REMOVED);
    assert_false(support_exists(NAME));
}

struct visit {
    int read, write, unlink, state, decision;
};

static int visit(void *argument)
{
    const struct visit *expected = argument;
    ndshm__segment *seen = NULL;
    ndshm_info info;
    alarm(WATCHDOG_S);
    SUPPORT_CHECK(become_somebody() == 0);
    int access = NDSHM_READ | NDSHM_FOREIGN;
    SUPPORT_CHECK(ndshm__segment_attach(NAME, 0, access, &seen) == expected->read);
    ndshm__segment_release(&seen);
    access = NDSHM_WRITE | NDSHM_FOREIGN;
    SUPPORT_CHECK(ndshm__segment_attach(NAME, 0, access, &seen) == expected->write);
    ndshm__segment_release(&seen);
    SUPPORT_CHECK(ndshm_inspect(NAME, &info) == 0 && info.state == expected->state);
    SUPPORT_CHECK(ndshm_unlink(NAME) == expected->unlink);
    SUPPORT_CHECK(decide(NAME, NDSHM_REAP_OTHER_USERS) == expected->decision);
    SUPPORT_CHECK(support_exists(NAME));
    return 0;
}

static void make_with_mode(uint32_t mode)
{
    assert_int_equal(support_abandoned_segment(NAME, 100, NDSHM_TEMPORARY), 0);
    assert_int_equal(chmod(support_path(NAME), mode), 0);
}

/* What root made may be attached without NDSHM_FOREIGN, as its mode allows; it can never be
 * removed. */
static void test_what_another_user_may(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    struct visit closed = {-EACCES, -EACCES, -EACCES, NDSHM_STATE_FOREIGN, NDSHM_REAP_FOREIGN};
    make_with_mode(0600);
    assert_int_equal(support_child(visit, &closed), 0);
    assert_ok(ndshm_unlink(NAME));
    struct visit readable = {0, -EACCES, -EACCES, NDSHM_STATE_ORPHAN, NDSHM_REAP_FOREIGN};
    make_with_mode(0644);
    assert_int_equal(support_child(visit, &readable), 0);
    assert_ok(ndshm_unlink(NAME));
    struct visit writable = {0, 0, -EACCES, NDSHM_STATE_ORPHAN, NDSHM_REAP_FOREIGN};
    make_with_mode(0666);
    assert_int_equal(support_child(visit, &writable), 0);
    assert_ok(ndshm_unlink(NAME));
}

static int hold_open_as_somebody(void *argument)
{
    ndshm__segment *seen;
    int *ready = argument;
    SUPPORT_CHECK(become_somebody() == 0);
    SUPPORT_CHECK(ndshm__segment_attach(NAME, 0, NDSHM_READ | NDSHM_FOREIGN, &seen) == 0);
    SUPPORT_CHECK(write(ready[1], "", 1) == 1);
    for (;;)
        pause();
}

/* Who was granted reading can keep it, but no more: our own detach does not wait for that. */
static void test_a_foreign_reader_only_delays(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    ndshm__segment *made;
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    assert_ok(support_segment(NAME, 100, NDSHM_TEMPORARY, &made));
    assert_int_equal(chmod(support_path(NAME), 0644), 0);
    int reader = support_child_start(hold_open_as_somebody, ready);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    ndshm__segment_release(&made);
    assert_true(support_exists(NAME));
    assert_int_equal(decide(NAME, 0), NDSHM_REAP_IN_USE);
    support_holder_stop(reader);
    ndshm__reap_again();
    assert_false(support_exists(NAME));
    close(ready[0]);
    close(ready[1]);
}

/* What looks like the dead pool of our segment is another user's file; and what another user puts
 * among the members of our dead pool does not keep it. */
static void test_another_users_pool(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    ndshm__segment *made;
    ndshm_info info;
    int64_t size = 100;
    struct squat pool = {POOL, 0644, NDSHM_KIND_POOL}, member = {POOL ".2", 0644, 0};
    ndshm__spec spec = support_spec(POOL ".1", &size, NULL);
    spec.pool = POOL;
    assert_ok(ndshm__segment_create(&spec, &made));
    assert_ok(ndshm__segment_publish(made));
    ndshm__segment_release(&made);
    assert_int_equal(support_child(squat, &pool), 0);
    assert_ok(ndshm_inspect(POOL ".1", &info));
    assert_int_equal(info.state, NDSHM_STATE_UNPROVEN);
    assert_int_equal(decide(POOL ".1", 0), NDSHM_REAP_UNPROVEN);
    assert_ok(ndshm_unlink(POOL));

    spec = support_spec(POOL, &size, NULL);
    spec.pool = "";
    spec.kind = NDSHM_KIND_POOL;
    assert_ok(ndshm__segment_create(&spec, &made));
    assert_ok(ndshm__segment_publish(made));
    ndshm__segment_release(&made);
    assert_int_equal(support_child(squat, &member), 0);
    assert_int_equal(decide(POOL, 0), NDSHM_REAP_REMOVED);
    assert_false(support_exists(POOL ".1"));
    assert_true(support_exists(POOL ".2"));
    assert_ok(ndshm_unlink(POOL ".2"));
}

/* Costs its owner one page, and whoever looks at it should not pay for more. */
static int plant_promise(void *argument)
{
    struct ndshm__identity identity = {.magic = NDSHM__MAGIC,
                                       .version = NDSHM__FORMAT_VERSION,
                                       .fingerprint = NDSHM__FINGERPRINT,
                                       .total_size = *(int64_t *)argument,
                                       .payload_offset = *(int64_t *)argument,
                                       .kind = NDSHM_KIND_ARRAY};
    struct ndshm__descriptor descriptor = {
        .size = (uint32_t)(identity.total_size - NDSHM__DESCRIPTOR_OFFSET)};
    SUPPORT_CHECK(geteuid() != 0 || become_somebody() == 0);
    identity.crc = ndshm__crc32c(0, &identity, offsetof(struct ndshm__identity, crc));
    int fd = open(support_path(NAME), O_RDWR | O_CREAT | O_EXCL, 0644);
    SUPPORT_CHECK(ftruncate(fd, identity.total_size) == 0);
    SUPPORT_CHECK(pwrite(fd, &identity, sizeof identity, 0) == sizeof identity);
    SUPPORT_CHECK(pwrite(fd, &descriptor, sizeof descriptor, NDSHM__DESCRIPTOR_OFFSET) > 0);
    return 0;
}

static int look_at_promise(void *argument)
{
    enum { KILOBYTES_MAX = 1 << 20 };
    struct rusage usage;
    ndshm__segment *seen;
    ndshm_info info;
    (void)argument;
    alarm(WATCHDOG_S);
    SUPPORT_CHECK(ndshm_inspect(NAME, &info) == 0 && info.state == NDSHM_STATE_CORRUPT);
    SUPPORT_CHECK(strstr(info.note, "ECORRUPT"));
    int status = ndshm__segment_attach(NAME, 0, NDSHM_READ | NDSHM_FOREIGN, &seen);
    SUPPORT_CHECK(status == NDSHM_ECORRUPT && strstr(ndshm_error_message(), "holes"));
    SUPPORT_CHECK(getrusage(RUSAGE_SELF, &usage) == 0 && usage.ru_maxrss < KILOBYTES_MAX);
    return 0;
}

static void test_a_promise_of_four_gigabytes(void **state)
{
    (void)state;
    int64_t size = INT64_C(0xFFFFF000);
    assert_int_equal(support_child(plant_promise, &size), 0);
    int verdict = support_child(look_at_promise, NULL);
    assert_int_equal(unlink(support_path(NAME)), 0);
    assert_int_equal(verdict, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_planted_files),
        SUPPORT_TEST(test_a_socket),
        SUPPORT_TEST(test_hard_links),
        SUPPORT_TEST(test_another_users_segment),
        SUPPORT_TEST(test_what_another_user_may),
        SUPPORT_TEST(test_a_foreign_reader_only_delays),
        SUPPORT_TEST(test_another_users_pool),
        SUPPORT_TEST(test_a_promise_of_four_gigabytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
