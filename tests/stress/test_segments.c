/* SPDX-License-Identifier: MIT */
/* Sixteen processes create, attach, read, detach, unlink and reap the same names, and are killed
 * all the time, more than a thousand times a second where the machine allows it. An oracle looks
 * for a name that went under its holder, while shm-inspect cleans up twice at the same time, for
 * files that are not whole, and each round ends with the question what is left over. Runs for 30 s;
 * with the argument "soak" for NDSHM_SOAK_SECONDS, eight hours when that is not set. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "oracle.h"
#include "segments.h"
#include "support.h"

enum {
    PROCESSES = 16,
    CLEANERS = 2,
    SIZE = 6000,
    SECONDS = 30,
    SOAK_SECONDS = 8 * 3600,
    ROUND_SECONDS = 3,
    KILLS_A_SECOND = 2000
};

static struct counts {
    _Atomic long created, taken, attached, missing, busy, reaped, unlinked, cleaned, killed,
        strange;
} * counts;
static struct oracle *oracle;
static int slot;
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

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* --- what each process does --- */

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

static void use(int name, ndshm__segment *segment)
{
    oracle_hold(oracle, slot, name, ndshm__segment_uuid(segment));
    for (int i = 0; i < 3; i++) {
        oracle_check_slot(oracle, slot);
        sleep_us(random_below(60));
    }
    if (!support_segment_is_whole(segment))
        oracle->half_made++;
    if (random_below(100) == 0)
        fork_for_a_moment();
    oracle_check_slot(oracle, slot);
    oracle_let_go(oracle, slot);
}

static void create(int number, const char *name)
{
    ndshm__segment *segment;
    int lifetime = NDSHM_TEMPORARY + (int)random_below(2);
    int status = support_segment(name, SIZE, lifetime, &segment);
    counts->created += status == 0;
    counts->taken += status == -EEXIST;
    counts->strange += status && status != -EEXIST;
    if (status)
        return;
    use(number, segment);
    ndshm__segment_release(&segment);
}

static void attach(int number, const char *name, int then_unlink)
{
    ndshm__segment *segment;
    int access = NDSHM_READ + (int)random_below(3);
    int status = ndshm__segment_attach(name, NDSHM_KIND_ARRAY, access, &segment);
    counts->attached += status == 0;
    counts->missing += status == -ENOENT;
    counts->busy += status == -EBUSY;
    oracle->half_made += status == NDSHM_ECORRUPT || status == NDSHM_EKIND;
    counts->strange += status && status != -ENOENT && status != -EBUSY &&
                       status != NDSHM_ECORRUPT && status != NDSHM_EKIND;
    if (status)
        return;
    use(number, segment);
    if (then_unlink) {
        oracle_unlink(oracle, ndshm__segment_uuid(segment));
        counts->unlinked += ndshm__segment_unlink(segment) == 0;
    }
    ndshm__segment_release(&segment);
}

static void reap(const char *name)
{
    ndshm_reap_report report;
    int status = ndshm_reap(name, NULL, &report);
    counts->reaped += status == 0 && report.decision == NDSHM_REAP_REMOVED;
    oracle->half_made += status == 0 && (report.decision == NDSHM_REAP_CORRUPT ||
                                         report.decision == NDSHM_REAP_FOREIGN);
    counts->strange += status && status != -ENOENT;
}

static int work(void *argument)
{
    (void)argument;
    char name[32];
    seed = (uint32_t)getpid() * 2654435761u | 1;
    if (nice(5) < 0) /* who kills goes first */
        return 1;
    for (;;) {
        int number = (int)random_below(ORACLE_NAMES);
        oracle_name(name, number);
        uint32_t dice = random_below(100);
        if (dice < 25)
            create(number, name);
        else if (dice < 75)
            attach(number, name, 0);
        else if (dice < 92)
            reap(name);
        else if (dice < 97)
            attach(number, name, 1);
        else
            ndshm_set_lifetime(name, NDSHM_TEMPORARY + (int)random_below(2));
    }
}

static int watch(void *argument)
{
    (void)argument;
    oracle_watch(oracle);
    return 0;
}

/* Meanwhile an operator cleans up, again and again. What it finds in use or gone is no error. */
static int clean(void *argument)
{
    const char *tool = argument;
    while (!oracle->over) {
        int status = support_run(NULL, 0, "'%s' clean --force >/dev/null 2>&1", tool);
        counts->cleaned++;
        counts->strange += status != 0 && status != 1;
        sleep_us(1000);
    }
    return 0;
}

/* --- who kills --- */

static void begin(pid_t *pids, int which)
{
    slot = which;
    oracle_begin(oracle, which);
    pids[which] = support_child_start(work, NULL);
}

static void doom(const pid_t *pids, int which)
{
    oracle_doom(oracle, which);
    kill(pids[which], SIGKILL);
}

/* Counts a process that has ended; its slot, or -1: none has. */
static int collect(pid_t *pids, int options)
{
    int status;
    pid_t gone = waitpid(-1, &status, options);
    for (int i = 0; gone > 0 && i < PROCESSES; i++) {
        if (pids[i] != gone)
            continue;
        int killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
        counts->killed += killed;
        counts->strange += !killed;
        pids[i] = 0;
        return i;
    }
    return -1;
}

/* Nobody lives: what can still be seen must be removable. How many are left over. */
static int reap_all(void)
{
    int left = 0;
    for (int i = 0; i < ORACLE_NAMES; i++) {
        char name[32];
        ndshm_reap_report report;
        oracle_name(name, i);
        for (int tries = 0; tries < 2000 && support_exists(name); tries++) {
            ndshm_reap(name, NULL, &report); /* a forked child may still be dying */
            sleep_us(1000);
        }
        left += support_exists(name);
    }
    return left;
}

/* Kills and replaces until end, then all of them. How many segments are left over. */
static int run_round(double end, double rate)
{
    pid_t pids[PROCESSES];
    double began = now(), time;
    long sent = 0;
    for (int i = 0; i < PROCESSES; i++)
        begin(pids, i);
    while ((time = now()) < end) {
        for (; (double)sent < (time - began) * rate; sent++)
            doom(pids, (int)random_below(PROCESSES));
        int which = collect(pids, WNOHANG);
        if (which < 0)
            sleep_us(100);
        else
            begin(pids, which);
    }
    for (int i = 0; i < PROCESSES; i++)
        doom(pids, i);
    for (int i = 0; i < PROCESSES; i++)
        collect(pids, 0);
    int left = reap_all();
    oracle_forget(oracle);
    return left;
}

static void report(double seconds, int left)
{
    print_message(
        "%ld kills in %.0f s; created %ld (%ld taken), attached %ld (%ld missing, %ld "
        "busy), reaped %ld, unlinked %ld, cleaned up %ld times; the oracle looked %ld times\n",
        counts->killed, seconds, counts->created, counts->taken, counts->attached, counts->missing,
        counts->busy, counts->reaped, counts->unlinked, counts->cleaned, oracle->looks);
    print_message("live deletions %ld, half-made %ld, left over %d, strange %ld\n",
                  oracle->live_deleted, oracle->half_made, left, counts->strange);
}

static double seconds = SECONDS;

static void test_kills(void **state)
{
    (void)state;
    double began = now();
    char *tool = getenv("SHM_INSPECT");
    int left = 0;
    oracle = oracle_open();
    assert_non_null(oracle);
    counts = mmap(NULL, sizeof *counts, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(counts != MAP_FAILED);
    seed = 77;
    int watcher = support_child_start(watch, NULL), cleaners[CLEANERS];
    for (int i = 0; tool && i < CLEANERS; i++)
        cleaners[i] = support_child_start(clean, tool);
    while (now() < began + seconds) {
        double end = now() + ROUND_SECONDS;
        left += run_round(end < began + seconds ? end : began + seconds, KILLS_A_SECOND);
    }
    oracle->over = 1;
    assert_int_equal(support_child_wait(watcher), 0);
    for (int i = 0; tool && i < CLEANERS; i++)
        assert_int_equal(support_child_wait(cleaners[i]), 0);
    report(now() - began, left);
    assert_int_equal(oracle->live_deleted, 0);
    assert_int_equal(oracle->half_made, 0);
    assert_int_equal(left, 0);
    assert_int_equal(counts->strange, 0);
    assert_true(counts->created > 100 && counts->attached > 100 && counts->reaped > 10);
    assert_true(counts->unlinked > 10 && counts->killed > 100);
    oracle_close(oracle);
    munmap(counts, sizeof *counts);
}

int main(int argc, char **argv)
{
    const char *given = getenv("NDSHM_SOAK_SECONDS");
    if (argc > 1 && strcmp(argv[1], "soak") == 0)
        seconds = given && atoi(given) > 0 ? atoi(given) : SOAK_SECONDS;
    const struct CMUnitTest tests[] = {SUPPORT_TEST(test_kills)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
