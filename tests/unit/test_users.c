/* SPDX-License-Identifier: MIT */
/* Who maps what: processes, how, and files without a name. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "segments.h"
#include "support.h"

#define NAME "t-house-users"
enum { SIZE = 100000, MAPPED = 4096 + 102400 };

/* The entry of that process, or none. */
static int find(const char *name, int pid, ndshm_user *out)
{
    ndshm_users *users;
    ndshm_user user;
    int found = 0;
    memset(&user, 0x55, sizeof user);
    assert_ok(ndshm_users_open(name, &users));
    while (ndshm_users_next(users, &user) == 0)
        if (user.pid == pid && (name || strstr(user.name, "t-house-users"))) {
            *out = user;
            found++;
        }
    assert_fails(-ENOENT, ndshm_users_next(users, &user), "ended");
    assert_true(ndshm_users_hidden(users) >= 0);
    ndshm_users_close(&users);
    assert_null(users);
    return found;
}

static void test_readers_writers_and_copies(void **state)
{
    (void)state;
    static const int accesses[] = {NDSHM_READ, NDSHM_COW, NDSHM_WRITE};
    ndshm__segment *made;
    ndshm_user user;
    assert_ok(support_segment(NAME, SIZE, 0, &made));
    assert_int_equal(find(NAME, getpid(), &user), 1);
    assert_int_equal(user.access, NDSHM_WRITE);
    assert_int_equal(user.bytes, MAPPED);
    assert_true(user.pss > 0 && user.pss <= MAPPED);
    assert_int_equal(user.uid, geteuid());
    assert_int_equal(user.linked, 1);
    assert_string_equal(user.name, NAME);
    assert_string_equal(user.command, "unit-users");
    ndshm__segment_release(&made); /* a forked child would inherit the mapping */
    for (size_t i = 0; i < 3; i++) {
        int holder = support_holder_start(NAME, accesses[i]);
        assert_int_equal(find("/" NAME, holder, &user), 1);
        assert_int_equal(user.access, accesses[i]);
        support_holder_stop(holder);
        assert_int_equal(find(NAME, holder, &user), 0);
    }
    assert_ok(ndshm_unlink(NAME));
}

static void test_two_mappings_are_one_entry(void **state)
{
    (void)state;
    ndshm__segment *made, *again;
    ndshm_user user;
    assert_ok(support_segment(NAME, SIZE, 0, &made));
    assert_ok(ndshm__segment_attach(NAME, 0, NDSHM_READ, &again));
    assert_int_equal(find(NAME, getpid(), &user), 1);
    assert_int_equal(user.bytes, 2 * MAPPED);
    assert_int_equal(user.access, NDSHM_WRITE);
    ndshm__segment_release(&again);
    assert_ok(ndshm__segment_unlink(made));
    ndshm__segment_release(&made);
}

static void test_what_has_no_name(void **state)
{
    (void)state;
    ndshm__segment *made, *reader;
    ndshm_user user;
    assert_ok(support_segment(NAME, SIZE, 0, &made));
    assert_ok(ndshm__segment_attach(NAME, 0, NDSHM_READ, &reader));
    ndshm__segment_release(&made);
    assert_int_equal(find(NULL, getpid(), &user), 1);
    assert_int_equal(user.linked, 1);
    assert_ok(ndshm__segment_unlink(reader));
    assert_int_equal(find(NULL, getpid(), &user), 1);
    assert_int_equal(user.linked, 0);
    assert_string_equal(user.name, NAME);
    assert_int_equal(user.bytes, MAPPED);
    ndshm__segment_release(&reader);
    assert_int_equal(find(NULL, getpid(), &user), 0);
}

static void test_nobody(void **state)
{
    (void)state;
    ndshm_users *users = NULL;
    ndshm_user user;
    assert_int_equal(support_abandoned_segment(NAME, SIZE, 0), 0);
    assert_ok(ndshm_users_open(NAME, &users));
    assert_fails(-ENOENT, ndshm_users_next(users, &user), "ended");
    ndshm_users_close(&users);
    assert_ok(ndshm_unlink(NAME));
    assert_fails(-ENOENT, ndshm_users_open(NAME, &users), NAME);
    assert_fails(-EINVAL, ndshm_users_open("a/b", &users), "name");
    ndshm_users_close(&users);
    ndshm_users_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_readers_writers_and_copies),
        SUPPORT_TEST(test_two_mappings_are_one_entry),
        SUPPORT_TEST(test_what_has_no_name),
        SUPPORT_TEST(test_nobody),
    };
    return cmocka_run_group_tests_name("users", tests, NULL, NULL);
}
