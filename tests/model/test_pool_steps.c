/* SPDX-License-Identifier: MIT */
/* What two do at once to the words of a pool: one is stopped after each of its machine instructions
 * in turn, the other does all of its part, and then the first goes on. */
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "base/os.h"
#include "pool/park.h"
#include "pool/serving.h"
#include "support.h"

enum { CHUNKS = 3, ID = 7, ENTRY = 5, STEPS_MAX = 5000, JOB_SIZE = 1 << 16 };

static struct ndshm__job_view job;
static void *job_memory;
static struct ndshm__pool_memory *pool;

/* --- one instruction after the other --- */

static int stepped(void *argument)
{
    int (*const *first)(void) = argument;
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
        return 255;
    raise(SIGSTOP);
    int result = (*first)();
    raise(SIGUSR1);
    return result;
}

static int next_stop(pid_t pid, int how)
{
    int status;
    assert_int_equal(ptrace((enum __ptrace_request)how, pid, NULL, NULL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSTOPPED(status));
    return WSTOPSIG(status);
}

/* What first returns when second comes between, after so many instructions of first; *over: first
 * had ended by then. */
static int interrupt(int (*first)(void), long instructions, int (*second)(void), int *between,
                     int *over)
{
    int status, signal = 0;
    pid_t pid = support_child_start(stepped, &first);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
    for (long i = 0; i < instructions && signal != SIGUSR1; i++)
        signal = next_stop(pid, PTRACE_SINGLESTEP);
    *over = signal == SIGUSR1;
    *between = second();
    while (signal != SIGUSR1)
        signal = next_stop(pid, PTRACE_CONT);
    assert_int_equal(ptrace(PTRACE_CONT, pid, NULL, NULL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 255);
    return WEXITSTATUS(status);
}

static void interrupt_everywhere(void (*prepare)(void), int (*first)(void), int (*second)(void),
                                 void (*check)(int first, int second))
{
    int between, over = 0;
    long instructions = 0;
    for (; !over; instructions++) {
        assert_in_range(instructions, 0, STEPS_MAX);
        prepare();
        int result = interrupt(first, instructions, second, &between, &over);
        check(result, between);
    }
    assert_true(instructions > 10);
}

/* --- claims --- */

static void format_job(void)
{
    memset(job_memory, 0, JOB_SIZE);
    ndshm__layout_format(&job, job_memory);
}

static int claim_all(void)
{
    struct ndshm__cursor cursor = {0};
    int mine = 0;
    for (int64_t chunk; (chunk = ndshm__claim_next(&job, &cursor, 1)) >= 0;)
        mine |= 1 << chunk;
    return mine;
}

/* Claims again in the end: whoever was in the middle lost nothing. */
static void check_claims(int one, int all)
{
    one = one == 1 << CHUNKS ? 0 : one;
    assert_int_equal(one & all, 0);
    assert_int_equal(one | all | claim_all(), (1 << CHUNKS) - 1);
}

static int claim_one_or_none(void)
{
    struct ndshm__cursor cursor = {0};
    int64_t chunk = ndshm__claim_next(&job, &cursor, 0);
    return 1 << (chunk < 0 ? CHUNKS : chunk);
}

static void test_a_chunk_has_one_owner(void **state)
{
    struct ndshm__facts facts = {
        .layout = NDSHM__JOB_LAYOUT, .id = ID, .count = CHUNKS, .chunk = 1};
    int64_t size;
    (void)state;
    assert_ok(ndshm__layout_plan(&facts, &job, &size));
    assert_in_range(size, 1, JOB_SIZE);
    job_memory = mmap(NULL, JOB_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(job_memory != MAP_FAILED);
    interrupt_everywhere(format_job, claim_one_or_none, claim_all, check_claims);
    munmap(job_memory, JOB_SIZE);
    ndshm__layout_free(&job);
}

/* --- hazards --- */

static void prepare_entry(void)
{
    memset(pool, 0, offsetof(struct ndshm__pool_memory, inline_jobs));
    atomic_store(&pool->slots_used, 1);
    ndshm__table_put(pool, ENTRY, ID, 0, 0);
}

static int enter(void)
{
    return ndshm__table_enter(pool, 0, ENTRY) == ID;
}

static int remove_and_look(void)
{
    ndshm__table_remove(pool, ENTRY);
    return ndshm__table_busy(pool, ID);
}

static void check_entered(int entered, int busy)
{
    assert_true(!entered || busy);
}

static void check_removed(int busy, int entered)
{
    assert_true(!entered || busy);
}

static void test_no_entry_is_reused_under_a_worker(void **state)
{
    (void)state;
    interrupt_everywhere(prepare_entry, enter, remove_and_look, check_entered);
    interrupt_everywhere(prepare_entry, remove_and_look, enter, check_removed);
}

/* --- marks --- */

static uint32_t seen;

static int offer(void)
{
    ndshm__table_offer(pool, ENTRY, 1);
    return 0;
}

/* As a worker does before it parks. */
static int look_for_marks(void)
{
    seen = atomic_load(&pool->work);
    return atomic_load(&pool->runnable) != 0;
}

static void check_told(int unused, int marked)
{
    (void)unused;
    assert_true(marked || atomic_load(&pool->work) != seen);
}

static void test_an_offer_is_seen_or_told(void **state)
{
    (void)state;
    interrupt_everywhere(prepare_entry, offer, look_for_marks, check_told);
}

/* --- beside interruptions --- */

static void test_parking_is_for_what_was_seen(void **state)
{
    enum { LONG_S = 10 };
    struct ndshm__spin spin;
    (void)state;
    prepare_entry();
    ndshm__spin_init(&spin, 0);
    uint32_t before = atomic_load(&pool->work);
    ndshm__table_offer(pool, ENTRY, 1);
    int64_t begin = ndshm__os_now();
    ndshm__work_wait(pool, 0, before, &spin, LONG_S * INT64_C(1000000000));
    assert_in_range(ndshm__os_now() - begin, 0, LONG_S * INT64_C(500000000));
}

static void test_an_entry_is_for_one_job(void **state)
{
    struct ndshm__facts facts = {
        .layout = NDSHM__JOB_LAYOUT, .id = ID, .count = CHUNKS, .chunk = 1};
    struct ndshm__serving serving;
    int64_t size;
    (void)state;
    assert_ok(ndshm__layout_plan(&facts, &job, &size));
    prepare_entry();
    ndshm__table_put(pool, ENTRY, ID, NDSHM__ENTRY_INLINE, 0);
    ndshm__layout_format(&job, pool->inline_jobs[ENTRY]);
    assert_ok(ndshm__serving_open(&serving, pool, "t-steps", ENTRY, ID));
    ndshm__serving_close(&serving);
    assert_int_equal(ndshm__serving_open(&serving, pool, "t-steps", ENTRY, ID + 1), NDSHM_ECORRUPT);
    ndshm__layout_free(&job);
}

static int map_pool(void **state)
{
    support_begin(state);
    pool = mmap(NULL, sizeof *pool, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return pool == MAP_FAILED ? -1 : 0;
}

static int unmap_pool(void **state)
{
    munmap(pool, sizeof *pool);
    return support_end(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_a_chunk_has_one_owner),
        cmocka_unit_test_setup_teardown(test_no_entry_is_reused_under_a_worker, map_pool,
                                        unmap_pool),
        cmocka_unit_test_setup_teardown(test_an_offer_is_seen_or_told, map_pool, unmap_pool),
        cmocka_unit_test_setup_teardown(test_parking_is_for_what_was_seen, map_pool, unmap_pool),
        cmocka_unit_test_setup_teardown(test_an_entry_is_for_one_job, map_pool, unmap_pool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
