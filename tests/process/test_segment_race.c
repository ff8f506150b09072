/* SPDX-License-Identifier: MIT */
/* Twelve processes create, attach, detach, unlink and reap four names and are killed at random,
 * while an oracle looks for a name that went although somebody used it, for half-made segments, and
 * for what is left. NDSHM_RACE_SECONDS: how long; 8 when not set. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "segments.h"
#include "support.h"

enum { PROCESSES = 12, NAMES = 4, SIZE = 6000, UNLINKED_SLOTS = 1 << 20 };

/* What all of them share. unlinked: the first half of the uuid of each segment that somebody was
 * about to unlink by request; entered before. */
static struct shared {
    _Atomic long created, taken, attached, missing, busy, reaped, unlinked_count, killed;
    _Atomic long live_deleted, half_made, strange;
    _Atomic uint64_t unlinked[UNLINKED_SLOTS];
} * shared;

static uint32_t seed;

static uint32_t random_below(uint32_t limit)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed % limit;
}

static void sleep_us(uint32_t us)
{
    const struct timespec pause = {0, (long)us * 1000};
    nanosleep(&pause, NULL);
}

static uint64_t key_of(const uint8_t *uuid)
{
    uint64_t key;
    memcpy(&key, uuid, sizeof key);
    return key | 1;
}

static void note_unlink(const uint8_t *uuid)
{
    uint64_t key = key_of(uuid);
    for (uint64_t slot = key % UNLINKED_SLOTS;; slot = (slot + 1) % UNLINKED_SLOTS) {
        uint64_t empty = 0;
        if (atomic_compare_exchange_strong(&shared->unlinked[slot], &empty, key) || empty == key)
            return;
    }
}

static int was_unlinked(const uint8_t *uuid)
{
    uint64_t key = key_of(uuid), found;
    for (uint64_t slot = key % UNLINKED_SLOTS; (found = shared->unlinked[slot]);
         slot = (slot + 1) % UNLINKED_SLOTS)
        if (found == key)
            return 1;
    return 0;
}

/* We use it: its name must mean it, unless somebody asked for the opposite. */
static void check_name(const char *name, const ndshm__segment *segment)
{
    ndshm_info info;
    const uint8_t *uuid = ndshm__segment_uuid(segment);
    int status = ndshm_inspect(name, &info);
    if (status == 0 && info.kind == 0)
        return; /* somebody takes a proof at this moment */
    int same = status == 0 && memcmp(info.uuid, uuid, sizeof info.uuid) == 0;
    if (!same && !was_unlinked(uuid))
        shared->live_deleted++;
}

static void fork_for_a_moment(void)
{
    uint32_t us = random_below(100);
    pid_t pid = fork();
    if (pid == 0) {
        sleep_us(us);
        _exit(0);
    }
    if (pid > 0 && random_below(2))
        waitpid(pid, NULL, 0);
}

static void use(const char *name, ndshm__segment *segment)
{
    for (int i = 0; i < 3; i++) {
        check_name(name, segment);
        sleep_us(random_below(60));
    }
    if (!support_segment_is_whole(segment))
        shared->half_made++;
    if (random_below(50) == 0)
        fork_for_a_moment();
}

static void create(const char *name)
{
    ndshm__segment *segment;
    int lifetime = NDSHM_TEMPORARY + (int)random_below(2);
    int status = support_segment(name, SIZE, lifetime, &segment);
    shared->created += status == 0;
    shared->taken += status == -EEXIST;
    shared->strange += status && status != -EEXIST;
    if (status == 0)
        use(name, segment);
    if (status == 0)
        ndshm__segment_release(&segment);
}

static void attach(const char *name, int then_unlink)
{
    ndshm__segment *segment;
    int access = NDSHM_READ + (int)random_below(3);
    int status = ndshm__segment_attach(name, NDSHM_KIND_ARRAY, access, &segment);
    shared->attached += status == 0;
    shared->missing += status == -ENOENT;
    shared->busy += status == -EBUSY;
    shared->half_made += status == NDSHM_ECORRUPT || status == NDSHM_EKIND;
    shared->strange += status && status != -ENOENT && status != -EBUSY;
    if (status)
        return;
    use(name, segment);
    if (then_unlink) {
        note_unlink(ndshm__segment_uuid(segment));
        shared->unlinked_count += ndshm__segment_unlink(segment) == 0;
    }
    ndshm__segment_release(&segment);
}

static void reap(const char *name)
{
    ndshm_reap_report report;
    int status = ndshm_reap(name, NULL, &report);
    shared->reaped += status == 0 && report.decision == NDSHM_REAP_REMOVED;
    shared->half_made += status == 0 && report.decision == NDSHM_REAP_CORRUPT;
    shared->strange += status && status != -ENOENT;
}

static __attribute__((noreturn)) void work_until_killed(void)
{
    char name[32];
    seed = (uint32_t)getpid() * 2654435761u | 1;
    for (;;) {
        snprintf(name, sizeof name, "t-house-race-%u", random_below(NAMES));
        uint32_t dice = random_below(100);
        if (dice < 25)
            create(name);
        else if (dice < 75)
            attach(name, 0);
        else if (dice < 90)
            reap(name);
        else if (dice < 95)
            attach(name, 1);
        else if (dice < 98)
            ndshm_set_lifetime(name, NDSHM_TEMPORARY + (int)random_below(2));
        else if (random_below(8) == 0)
            raise(SIGKILL);
    }
}

static int work(void *argument)
{
    (void)argument;
    work_until_killed();
}

static void kill_at_random(pid_t *pids, time_t seconds)
{
    time_t end = time(NULL) + seconds;
    while (time(NULL) < end) {
        int status;
        pid_t gone = waitpid(-1, &status, WNOHANG);
        shared->strange += gone > 0 && !(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        for (int i = 0; gone > 0 && i < PROCESSES; i++)
            if (pids[i] == gone)
                pids[i] = support_child_start(work, NULL);
        if (gone <= 0)
            sleep_us(300);
        if (random_below(3) == 0) {
            kill(pids[random_below(PROCESSES)], SIGKILL);
            shared->killed++;
        }
    }
    for (int i = 0; i < PROCESSES; i++)
        kill(pids[i], SIGKILL);
    while (waitpid(-1, NULL, 0) > 0)
        ;
}

static int reap_all(void)
{
    int left = 0;
    for (int i = 0; i < NAMES; i++) {
        char name[32];
        snprintf(name, sizeof name, "t-house-race-%d", i);
        ndshm_reap_report report;
        for (int tries = 0; tries < 200 && support_exists(name); tries++) {
            ndshm_reap(name, NULL, &report); /* a forked child may still be dying */
            sleep_us(1000);
        }
        left += support_exists(name);
    }
    return left;
}

static void test_race(void **state)
{
    (void)state;
    pid_t pids[PROCESSES];
    const char *seconds = getenv("NDSHM_RACE_SECONDS");
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(shared != MAP_FAILED);
    seed = 77;
    for (int i = 0; i < PROCESSES; i++)
        pids[i] = support_child_start(work, NULL);
    kill_at_random(pids, seconds ? atoi(seconds) : 8);
    int left = reap_all();
    print_message("created %ld (%ld taken), attached %ld (%ld missing, %ld busy), reaped %ld, "
                  "unlinked %ld, killed %ld\n",
                  shared->created, shared->taken, shared->attached, shared->missing, shared->busy,
                  shared->reaped, shared->unlinked_count, shared->killed);
    print_message("live deletions %ld, half-made %ld, strange %ld, left over %d\n",
                  shared->live_deleted, shared->half_made, shared->strange, left);
    assert_int_equal(shared->live_deleted, 0);
    assert_int_equal(shared->half_made, 0);
    assert_int_equal(shared->strange, 0);
    assert_int_equal(left, 0);
    assert_true(shared->created > 100 && shared->attached > 100 && shared->reaped > 10);
    assert_true(shared->unlinked_count > 10 && shared->killed > 50);
    munmap(shared, sizeof *shared);
}

static atomic_int stop;

static void *attach_all_the_time(void *argument)
{
    ndshm__segment *seen;
    (void)argument;
    while (!stop)
        if (ndshm__segment_attach("t-house-race-fork", 0, NDSHM_READ, &seen) == 0)
            ndshm__segment_release(&seen);
    return NULL;
}

static int do_nothing(void *argument)
{
    (void)argument;
    return 0;
}

/* A fork waits for the windows that are open, not for those that open meanwhile. */
static void test_forks_get_their_turn(void **state)
{
    (void)state;
    enum { THREADS = 4, FORKS = 60, SECONDS_MAX = 2 };
    pthread_t threads[THREADS];
    ndshm__segment *made;
    assert_ok(support_segment("t-house-race-fork", 100, NDSHM_TEMPORARY, &made));
    stop = 0;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, attach_all_the_time, NULL), 0);
    time_t begin = time(NULL);
    for (int i = 0; i < FORKS; i++)
        assert_int_equal(support_child(do_nothing, NULL), 0);
    time_t took = time(NULL) - begin;
    stop = 1;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_in_range(took, 0, SECONDS_MAX);
    ndshm__segment_release(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {SUPPORT_TEST(test_race),
                                       SUPPORT_TEST(test_forks_get_their_turn)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
