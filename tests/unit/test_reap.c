/* SPDX-License-Identifier: MIT */
/* Removal with proof: what is removed, what is kept, and the evidence for either. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/os.h"
#include "segment/format.h"
#include "segments.h"
#include "support.h"

#define NAME "t-house-reap"
#define POOL "ndshm.t-house-pool"
enum { SIZE = 5000 };

static ndshm_reap_report report;

static int decide(const char *name, uint32_t flags)
{
    ndshm_reap_config config;
    ndshm_reap_config_init(&config);
    config.flags = flags;
    memset(&report, 0x55, sizeof report);
    assert_ok(ndshm_reap(name, &config, &report));
    assert_string_equal(report.name, name);
    assert_true(report.message[0] && memchr(report.message, 0, sizeof report.message));
    assert_int_equal(report.decision != NDSHM_REAP_REMOVED, support_exists(name));
    return report.decision;
}

/* The proof got to this step, which failed; all before it held. */
static void assert_refused_at(int step)
{
    for (int i = 0; i < NDSHM_STEPS; i++)
        assert_int_equal(report.evidence[i], i < step ? 1 : i == step ? -1 : 0);
}

static void test_an_orphan_is_removed(void **state)
{
    (void)state;
    for (int lifetime = NDSHM_TEMPORARY; lifetime <= NDSHM_RECLAIMABLE; lifetime++) {
        ndshm_info info;
        assert_int_equal(support_abandoned_segment(NAME, SIZE, lifetime), 0);
        assert_ok(ndshm_inspect(NAME, &info));
        assert_int_equal(info.state, NDSHM_STATE_ORPHAN);
        assert_int_equal(decide(NAME, NDSHM_REAP_DRY_RUN), NDSHM_REAP_REMOVABLE);
        assert_int_equal(decide(NAME, 0), NDSHM_REAP_REMOVED);
        for (int i = 0; i < NDSHM_STEPS; i++)
            assert_int_equal(report.evidence[i], 1);
        assert_memory_equal(report.uuid, info.uuid, sizeof info.uuid);
        assert_int_equal(report.bytes, info.resident);
    }
}

static void test_persistent_ones_stay(void **state)
{
    (void)state;
    assert_int_equal(support_abandoned_segment(NAME, SIZE, NDSHM_PERSISTENT), 0);
    assert_int_equal(decide(NAME, 0), NDSHM_REAP_PERSISTENT);
    assert_refused_at(NDSHM_STEP_LIFETIME);
    int fd = open(support_path(NAME), O_RDWR | O_CLOEXEC);
    const uint64_t words[] = {0, NDSHM__LIFETIME_TEMPORARY ^ 1, UINT64_MAX, NDSHM_TEMPORARY};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        assert_int_equal(pwrite(fd, &words[i], 8, NDSHM__MUTABLE_OFFSET), 8);
        assert_int_equal(decide(NAME, 0), NDSHM_REAP_PERSISTENT);
    }
    close(fd);
    assert_ok(ndshm_unlink(NAME));
}

static void test_a_mapping_is_a_use(void **state)
{
    (void)state;
    assert_int_equal(support_abandoned_segment(NAME, SIZE, 0), 0);
    for (int access = NDSHM_READ; access <= NDSHM_WRITE; access++) {
        int holder = support_holder_start(NAME, access);
        assert_true(holder > 0);
        assert_int_equal(decide(NAME, 0), NDSHM_REAP_IN_USE);
        assert_refused_at(NDSHM_STEP_LIVE_LOCK);
        kill(holder, SIGSTOP); /* a stopped process is not a dead one */
        assert_int_equal(decide(NAME, 0), NDSHM_REAP_IN_USE);
        support_holder_stop(holder);
    }
    assert_int_equal(decide(NAME, 0), NDSHM_REAP_REMOVED);
}

static void test_a_zombie_is_no_user(void **state)
{
    (void)state;
    siginfo_t gone;
    assert_int_equal(support_abandoned_segment(NAME, SIZE, 0), 0);
    int holder = support_holder_start(NAME, NDSHM_READ);
    kill(holder, SIGKILL);
    assert_int_equal(waitid(P_PID, (id_t)holder, &gone, WEXITED | WNOWAIT), 0);
    assert_int_equal(decide(NAME, 0), NDSHM_REAP_REMOVED);
    support_holder_stop(holder);
}

/* A program that knows nothing of our locks. */
static void test_a_strangers_use_is_a_use(void **state)
{
    (void)state;
    assert_int_equal(support_abandoned_segment(NAME, SIZE, 0), 0);
    int fd = open(support_path(NAME), O_RDONLY | O_CLOEXEC);
    assert_int_equal(decide(NAME, 0), NDSHM_REAP_IN_USE);
    assert_refused_at(NDSHM_STEP_LEASE);
    void *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 8192);
    close(fd);
    assert_int_equal(decide(NAME, NDSHM_REAP_ACCEPT_LOCK_ONLY), NDSHM_REAP_IN_USE);
    assert_refused_at(NDSHM_STEP_LEASE);
    munmap(page, 4096);
    assert_int_equal(decide(NAME, 0), NDSHM_REAP_REMOVED);
}

static int open_locked(const char *name, int64_t byte, short type)
{
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    int fd = open(support_path(name), O_RDWR | O_CLOEXEC);
    assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
    return fd;
}

static void test_other_locks_keep_it(void **state)
{
    (void)state;
    const struct {
        int64_t byte;
        int step;
    } cases[] = {{NDSHM__LOCK_NAME, NDSHM_STEP_NAME_LOCK},
                 {NDSHM__LOCK_LIVE, NDSHM_STEP_LIVE_LOCK},
                 {NDSHM__LOCK_CACHE, NDSHM_STEP_CACHE_LOCK}};
    assert_int_equal(support_abandoned_segment(NAME, SIZE, 0), 0);
    for (int i = 0; i < 6; i++) {
        int fd = open_locked(NAME, cases[i / 2].byte, i % 2 ? F_RDLCK : F_WRLCK);
        assert_int_equal(decide(NAME, 0), NDSHM_REAP_IN_USE);
        assert_refused_at(cases[i / 2].step);
        close(fd);
    }
    assert_int_equal(decide(NAME, 0), NDSHM_REAP_REMOVED);
}

static void test_a_refused_reap_leaves_no_lock(void **state)
{
    (void)state;
    ndshm__segment *seen;
    assert_int_equal(support_abandoned_segment(NAME, SIZE, 0), 0);
    int fd = open_locked(NAME, NDSHM__LOCK_CACHE, F_RDLCK);
    assert_int_equal(decide(NAME, 0), NDSHM_REAP_IN_USE);
    assert_int_equal(decide(NAME, NDSHM_REAP_DRY_RUN), NDSHM_REAP_IN_USE);
    close(fd);
    assert_int_equal(decide(NAME, NDSHM_REAP_DRY_RUN), NDSHM_REAP_REMOVABLE);
    assert_ok(ndshm__segment_attach(NAME, 0, NDSHM_WRITE, &seen));
    assert_ok(ndshm_unlink(NAME));
    ndshm__segment_release(&seen);
}

static pid_t copy;

/* A fork that no handler sees, in the middle of a proof: it duplicates the descriptor with its
 * locks. */
static int fork_in_a_proof(const char *call)
{
    if (strcmp(call, "stat_name") != 0 || copy)
        return 0;
    copy = _Fork();
    while (copy == 0)
        pause();
    return 0;
}

static void test_locks_are_given_back_by_hand(void **state)
{
    (void)state;
    ndshm__segment *seen;
    assert_int_equal(support_abandoned_segment(NAME, SIZE, 0), 0);
    ndshm__os_fault = fork_in_a_proof;
    int decision = decide(NAME, NDSHM_REAP_DRY_RUN);
    ndshm__os_fault = NULL;
    assert_int_equal(decision, NDSHM_REAP_REMOVABLE);
    assert_ok(ndshm__segment_attach(NAME, 0, NDSHM_WRITE, &seen));
    assert_ok(ndshm__segment_unlink(seen));
    ndshm__segment_release(&seen);
    support_holder_stop(copy);
}

static int fail_lease(const char *call)
{
    return strcmp(call, "lease") == 0 ? EINVAL : 0;
}

static void test_without_a_lease_it_is_unproven(void **state)
{
    (void)state;
    assert_int_equal(support_abandoned_segment(NAME, SIZE, 0), 0);
    assert_int_equal(decide(NAME, NDSHM_REAP_DRY_RUN), NDSHM_REAP_REMOVABLE);
    ndshm__os_fault = fail_lease;
    int decision = decide(NAME, 0);
    ndshm__os_fault = NULL;
    assert_int_equal(decision, NDSHM_REAP_UNPROVEN);
    assert_refused_at(NDSHM_STEP_LEASE);
    ndshm__os_fault = fail_lease;
    decision = decide(NAME, NDSHM_REAP_ACCEPT_LOCK_ONLY);
    ndshm__os_fault = NULL;
    assert_int_equal(decision, NDSHM_REAP_REMOVED);
    assert_int_equal(report.evidence[NDSHM_STEP_LEASE], 0);
}

static void test_what_is_not_a_segment(void **state)
{
    (void)state;
    assert_int_equal(support_run(NULL, 0, "head -c 20000 /dev/urandom > %s", support_path(NAME)),
                     0);
    assert_int_equal(decide(NAME, 0), NDSHM_REAP_FOREIGN);
    assert_refused_at(NDSHM_STEP_IDENTITY);
    assert_fails(NDSHM_EKIND, ndshm_unlink(NAME), NAME);
    assert_int_equal(unlink(support_path(NAME)), 0);
}

static void test_configs_and_names_are_checked(void **state)
{
    (void)state;
    ndshm_reap_config config;
    ndshm_reap_config_init(&config);
    config.flags = 16;
    assert_fails(-EINVAL, ndshm_reap(NAME, &config, &report), "flags");
    config.flags = 0, config.size = 2;
    assert_fails(-EINVAL, ndshm_reap(NAME, &config, &report), "size");
    assert_fails(-EINVAL, ndshm_reap("a/b", NULL, &report), "character 2");
    assert_fails(-EINVAL, ndshm_reap(NULL, NULL, &report), "NULL");
}

static void test_steps_have_names(void **state)
{
    (void)state;
    for (int i = 0; i < NDSHM_STEPS; i++)
        assert_true(strlen(ndshm_reap_step_name(i)) > 3);
    assert_null(ndshm_reap_step_name(-1));
    assert_null(ndshm_reap_step_name(NDSHM_STEPS));
}

/* --- pools --- */

static ndshm__segment *make(const char *name, uint32_t kind, const char *pool, int lifetime)
{
    ndshm_create_config config;
    ndshm__segment *made;
    int64_t size = 100;
    ndshm_create_config_init(&config);
    config.lifetime = lifetime;
    ndshm__spec spec = support_spec(name, &size, &config);
    spec.kind = kind;
    spec.pool = pool;
    assert_ok(ndshm__segment_create(&spec, &made));
    assert_ok(ndshm__segment_publish(made));
    return made;
}

static ndshm__segment *make_pool(void)
{
    ndshm__segment *pool = make(POOL, NDSHM_KIND_POOL, "", 0);
    ndshm__segment_dontfork(pool); /* as the pool does: children are no owners */
    assert_ok(ndshm__segment_hold(pool, NDSHM__LOCK_OWNER));
    return pool;
}

static void make_member(const char *name, int lifetime)
{
    ndshm__segment *member = make(name, NDSHM_KIND_ARRAY, POOL, lifetime);
    if (lifetime == NDSHM_TEMPORARY) { /* released as another one, so that it stays */
        assert_ok(ndshm_set_lifetime(name, NDSHM_RECLAIMABLE));
        ndshm__segment_release(&member);
        assert_ok(ndshm_set_lifetime(name, NDSHM_TEMPORARY));
    }
    ndshm__segment_release(&member);
}

static int state_of(const char *name)
{
    ndshm_info info;
    assert_ok(ndshm_inspect(name, &info));
    assert_string_equal(info.pool, strcmp(name, POOL) == 0 ? "" : POOL);
    return info.state;
}

static void test_a_living_pool_protects_its_own(void **state)
{
    (void)state;
    ndshm__segment *pool = make_pool();
    make_member(POOL ".1", 0);
    assert_int_equal(ndshm__segment_held(POOL, NDSHM__LOCK_OWNER), 1);
    assert_int_equal(state_of(POOL ".1"), NDSHM_STATE_IDLE);
    assert_int_equal(decide(POOL ".1", 0), NDSHM_REAP_POOL_ALIVE);
    assert_refused_at(NDSHM_STEP_POOL);
    ndshm__segment_release(&pool);
    assert_int_equal(ndshm__segment_held(POOL, NDSHM__LOCK_OWNER), 0);
    assert_int_equal(state_of(POOL ".1"), NDSHM_STATE_ORPHAN);
    assert_int_equal(decide(POOL ".1", 0), NDSHM_REAP_REMOVED);
    assert_int_equal(decide(POOL, 0), NDSHM_REAP_REMOVED);
}

static void test_a_missing_pool_proves_nothing(void **state)
{
    (void)state;
    make_member(POOL ".1", 0);
    assert_int_equal(state_of(POOL ".1"), NDSHM_STATE_UNPROVEN);
    assert_int_equal(decide(POOL ".1", 0), NDSHM_REAP_UNPROVEN);
    assert_refused_at(NDSHM_STEP_POOL);
    ndshm__segment *impostor = make(POOL, NDSHM_KIND_ARRAY, "", 0);
    assert_int_equal(decide(POOL ".1", 0), NDSHM_REAP_UNPROVEN);
    assert_ok(ndshm__segment_unlink(impostor));
    ndshm__segment_release(&impostor);
    assert_ok(ndshm_unlink(POOL ".1"));
}

static void test_a_pool_goes_after_its_members(void **state)
{
    (void)state;
    ndshm__segment *pool = make_pool();
    make_member(POOL ".1", 0);
    make_member(POOL ".2", 0);
    assert_int_equal(decide(POOL, 0), NDSHM_REAP_POOL_ALIVE);
    int holder = support_holder_start(POOL ".2", NDSHM_READ);
    ndshm__segment_release(&pool);
    assert_int_equal(decide(POOL, 0), NDSHM_REAP_IN_USE);
    assert_refused_at(NDSHM_STEP_MEMBERS);
    assert_non_null(strstr(report.message, POOL ".2"));
    assert_false(support_exists(POOL ".1"));
    support_holder_stop(holder);
    assert_int_equal(decide(POOL, 0), NDSHM_REAP_REMOVED);
    assert_false(support_exists(POOL ".2"));
}

static void test_a_dry_run_spares_members(void **state)
{
    (void)state;
    ndshm__segment *pool = make_pool();
    make_member(POOL ".1", 0);
    ndshm__segment_release(&pool);
    decide(POOL, NDSHM_REAP_DRY_RUN);
    assert_true(support_exists(POOL ".1") && support_exists(POOL));
    assert_int_equal(decide(POOL, 0), NDSHM_REAP_REMOVED);
    assert_false(support_exists(POOL ".1"));
}

/* Each would take the proofs of all behind it: 2^DEPTH of them. */
static void test_pools_within_pools(void **state)
{
    (void)state;
    enum { DEPTH = 24 };
    char name[100] = POOL;
    alarm(20);
    for (int i = 0; i < DEPTH; i++) {
        ndshm__segment *pool = make(name, NDSHM_KIND_POOL, "", 0);
        ndshm__segment_release(&pool);
        strcat(name, ".a");
    }
    assert_int_equal(decide(POOL, NDSHM_REAP_DRY_RUN), NDSHM_REAP_IN_USE);
    assert_refused_at(NDSHM_STEP_MEMBERS);
    for (int i = 0; i < DEPTH; i++) { /* from the innermost */
        name[strlen(name) - 2] = '\0';
        assert_int_equal(decide(name, 0), NDSHM_REAP_REMOVED);
    }
    alarm(0);
}

static void test_a_taken_member_is_its_takers(void **state)
{
    (void)state;
    ndshm__segment *pool = make_pool();
    make_member(POOL ".1", NDSHM_TEMPORARY);
    assert_int_equal(decide(POOL ".1", NDSHM_REAP_DRY_RUN), NDSHM_REAP_REMOVABLE);
    int holder = support_holder_start(POOL ".1", NDSHM_READ);
    assert_int_equal(ndshm__sweep(POOL "."), 0); /* no longer the pool's */
    assert_true(support_exists(POOL ".1"));
    support_holder_stop(holder);
    make_member(POOL ".2", 0);
    assert_int_equal(ndshm__sweep(POOL "."), 0);
    assert_false(support_exists(POOL ".1") || support_exists(POOL ".2"));
    assert_ok(ndshm__segment_unlink(pool));
    ndshm__segment_release(&pool);
}

static const char *broken_call;

static int break_call(const char *call)
{
    return strcmp(call, broken_call) == 0 ? EIO : 0;
}

/* Who cannot see all names does not know that there is no member. */
static void test_members_that_cannot_be_listed(void **state)
{
    (void)state;
    const char *const calls[] = {"directory_open", "directory_next"};
    ndshm__segment *pool = make_pool();
    make_member(POOL ".1", 0);
    ndshm__segment_release(&pool);
    for (int i = 0; i < 2; i++) {
        broken_call = calls[i];
        ndshm__os_fault = break_call;
        int decision = decide(POOL, 0);
        int64_t left = ndshm__sweep(POOL ".");
        ndshm__os_fault = NULL;
        assert_int_equal(decision, NDSHM_REAP_IN_USE);
        assert_refused_at(NDSHM_STEP_MEMBERS);
        assert_true(left > 0);
        assert_true(support_exists(POOL) && support_exists(POOL ".1"));
    }
    assert_int_equal(decide(POOL, 0), NDSHM_REAP_REMOVED);
    assert_false(support_exists(POOL ".1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_an_orphan_is_removed),
        SUPPORT_TEST(test_persistent_ones_stay),
        SUPPORT_TEST(test_a_mapping_is_a_use),
        SUPPORT_TEST(test_a_zombie_is_no_user),
        SUPPORT_TEST(test_a_strangers_use_is_a_use),
        SUPPORT_TEST(test_other_locks_keep_it),
        SUPPORT_TEST(test_a_refused_reap_leaves_no_lock),
        SUPPORT_TEST(test_locks_are_given_back_by_hand),
        SUPPORT_TEST(test_without_a_lease_it_is_unproven),
        SUPPORT_TEST(test_what_is_not_a_segment),
        SUPPORT_TEST(test_configs_and_names_are_checked),
        SUPPORT_TEST(test_steps_have_names),
        SUPPORT_TEST(test_a_living_pool_protects_its_own),
        SUPPORT_TEST(test_a_missing_pool_proves_nothing),
        SUPPORT_TEST(test_a_pool_goes_after_its_members),
        SUPPORT_TEST(test_a_dry_run_spares_members),
        SUPPORT_TEST(test_pools_within_pools),
        SUPPORT_TEST(test_a_taken_member_is_its_takers),
        SUPPORT_TEST(test_members_that_cannot_be_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
