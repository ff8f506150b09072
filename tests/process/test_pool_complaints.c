/* SPDX-License-Identifier: MIT */
/* What users of process pools complain of, one test each. Two more have tests where they belong:
 * CPU counts in containers in unit/test_cpus.c, BLAS threads in process/test_pool_share.c. */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <ndshm/pool.h>

#include "pools.h"
#include "support.h"

enum { PATIENCE_MS = 20000 };

/* What tasks and their host see together: mapped before the pool is opened. */
static _Atomic int64_t *together;

static void share(void)
{
    together = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(together != MAP_FAILED);
}

static void unshare_all(void)
{
    munmap(together, 4096);
}

/* Leaves a number as the result. */
static int answer(ndshm_task *task, int64_t number)
{
    int64_t one = 1;
    ndshm_array *array;
    ndshm_view view;
    int status = ndshm_task_create(task, NDSHM_INT64, 1, &one, &array);
    if (status)
        return ndshm_task_fail(task, status, NULL);
    ndshm_array_read(array, &view);
    *(int64_t *)view.data = number;
    return 0;
}

static int64_t take(ndshm_job *job, int64_t index)
{
    ndshm_array *array;
    ndshm_view view;
    assert_ok(ndshm_job_take(job, index, NDSHM_READ, &array));
    assert_ok(ndshm_array_read(array, &view));
    int64_t number = *(int64_t *)view.data;
    ndshm_array_detach(&array);
    return number;
}

/* --- "it hangs for ever when a worker dies", "it is broken as a whole then" --- */

enum { TASKS = 40, DEADLY = 13 };

static int die_once(ndshm_task *task)
{
    int64_t index = ndshm_task_index(task);
    if (index == DEADLY && *(const char *)ndshm_task_params(task, NULL))
        kill(getpid(), SIGKILL);
    return answer(task, index * 3);
}

static void test_a_dead_worker_neither_hangs_nor_breaks_the_pool(void **state)
{
    ndshm_pool *pool = support_pool(2);
    ndshm_job_config config = support_job(die_once, TASKS);
    ndshm_result result;
    ndshm_job *job;
    (void)state;
    config.params = "\1";
    config.params_size = 1;
    assert_ok(ndshm_pool_map(pool, &config, &job));
    assert_fails(NDSHM_ETASK, ndshm_job_wait(job, 0), "1 of 40");
    assert_ok(ndshm_job_result(job, DEADLY, &result));
    assert_int_equal(result.status, NDSHM_EWORKER);
    assert_int_equal(result.signal, SIGKILL);
    for (int64_t i = 0; i < TASKS; i++)
        assert_true(i == DEADLY || take(job, i) == i * 3);
    ndshm_job_close(&job);
    config.params = "\0";
    assert_ok(ndshm_pool_map(pool, &config, &job));
    assert_ok(ndshm_job_wait(job, 0));
    assert_int_equal(take(job, DEADLY), DEADLY * 3);
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
}

/* --- "one error loses hours of other results" --- */

static int fail_some(ndshm_task *task)
{
    int64_t index = ndshm_task_index(task);
    answer(task, index);
    return index % 10 == 7 ? ndshm_task_fail(task, -EDOM, "a seven") : 0;
}

static void test_an_error_loses_no_other_result(void **state)
{
    ndshm_pool *pool = support_pool(2);
    ndshm_job_config config = support_job(fail_some, 200);
    ndshm_array *array;
    ndshm_job *job;
    (void)state;
    assert_ok(ndshm_pool_map(pool, &config, &job));
    assert_int_equal(ndshm_job_failed(job), 20);
    for (int64_t i = 0; i < 200; i++) {
        if (i % 10 == 7)
            assert_fails(-EDOM, ndshm_job_take(job, i, NDSHM_READ, &array), "a seven");
        else
            assert_int_equal(take(job, i), i);
    }
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
}

/* --- "there is no timeout per task" --- */

static int sleep_in_one(ndshm_task *task)
{
    while (ndshm_task_index(task) == DEADLY)
        pause();
    return answer(task, 1);
}

static void test_a_task_has_a_timeout_of_its_own(void **state)
{
    ndshm_pool *pool = support_pool(2);
    ndshm_job_config config = support_job(sleep_in_one, TASKS);
    ndshm_result result;
    ndshm_job *job;
    (void)state;
    config.timeout_ms = 1000;
    assert_ok(ndshm_pool_map(pool, &config, &job));
    assert_int_equal(ndshm_job_failed(job), 1);
    assert_ok(ndshm_job_result(job, DEADLY, &result));
    assert_int_equal(result.status, -ETIMEDOUT);
    for (int64_t i = 0; i < TASKS; i++)
        assert_true(i == DEADLY || take(job, i) == 1);
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
}

/* --- "the progress bar does not advance per item" --- */

static int wait_for_gate(ndshm_task *task)
{
    while (atomic_load(together) <= ndshm_task_index(task))
        usleep(100);
    return 0;
}

static int64_t done_after(ndshm_job *job, int64_t expected)
{
    ndshm_progress progress = {0};
    for (int i = 0; i < PATIENCE_MS; i++) {
        assert_ok(ndshm_job_progress(job, &progress));
        if (progress.done >= expected)
            break;
        usleep(1000);
    }
    return progress.done;
}

/* All tasks in one chunk: the worst case for a pool that counts chunks. */
static void test_progress_advances_per_task(void **state)
{
    share();
    ndshm_pool *pool = support_pool(1);
    ndshm_job_config config = support_job(wait_for_gate, 10);
    ndshm_job *job;
    (void)state;
    config.chunk = 10;
    assert_ok(ndshm_pool_submit(pool, &config, &job));
    for (int64_t i = 1; i <= 10; i++) {
        atomic_store(together, i);
        assert_int_equal(done_after(job, i), i);
    }
    assert_ok(ndshm_job_wait(job, PATIENCE_MS));
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
    unshare_all();
}

/* --- "a task costs 13.5 us" --- */

enum { CHEAP_TASKS = 200000 };

static int note_cpu_time(ndshm_task *task)
{
    int64_t index = ndshm_task_index(task);
    if (index == 0 || index == CHEAP_TASKS - 1) {
        struct timespec used;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
        atomic_store(&together[index != 0], used.tv_sec * 1000000000 + used.tv_nsec);
    }
    return 0;
}

/* CPU time of a worker, which other programs do not change: one by one, a tenth of that at most. */
static void test_a_task_is_cheap(void **state)
{
    share();
    ndshm_pool *pool = support_pool(1);
    ndshm_job_config config = support_job(note_cpu_time, CHEAP_TASKS);
    ndshm_job *job;
    (void)state;
    config.chunk = 1;
    assert_ok(ndshm_pool_map(pool, &config, &job));
    assert_ok(ndshm_job_wait(job, 0));
    int64_t used = atomic_load(&together[1]) - atomic_load(&together[0]);
    assert_true(used > 0);
    assert_true(used / CHEAP_TASKS < 1350);
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
    unshare_all();
}

/* --- "results are read-only" --- */

static int answer_index(ndshm_task *task)
{
    return answer(task, ndshm_task_index(task));
}

static void test_results_can_be_written(void **state)
{
    ndshm_pool *pool = support_pool(1);
    ndshm_job_config config = support_job(answer_index, 6);
    ndshm_array *array;
    ndshm_view view;
    ndshm_job *job;
    (void)state;
    assert_ok(ndshm_pool_map(pool, &config, &job));
    assert_ok(ndshm_job_take(job, 5, NDSHM_WRITE, &array));
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
    assert_ok(ndshm_array_read(array, &view));
    *(int64_t *)view.data += 37;
    assert_ok(ndshm_array_read(array, &view));
    assert_int_equal(*(int64_t *)view.data, 42);
    ndshm_array_detach(&array);
}

/* --- "nested pools are forbidden" --- */

static int map_inside(ndshm_task *task)
{
    ndshm_job_config config;
    ndshm_job *job;
    ndshm_job_config_init(&config);
    config.fn = answer_index;
    config.count = 5;
    int status = ndshm_map(&config, 2, &job);
    if (status)
        return ndshm_task_fail(task, status, NULL);
    int64_t failed = ndshm_job_failed(job);
    ndshm_job_close(&job);
    return answer(task, failed ? -1 : ndshm_task_index(task));
}

static void test_pools_can_be_nested(void **state)
{
    ndshm_pool *pool = support_pool(2);
    ndshm_job_config config = support_job(map_inside, 4);
    ndshm_job *job;
    (void)state;
    assert_ok(ndshm_pool_map(pool, &config, &job));
    for (int64_t i = 0; i < 4; i++)
        assert_int_equal(take(job, i), i);
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
}

/* --- "all workers draw the same random numbers" --- */

static int draw(ndshm_task *task)
{
    return answer(task, (int64_t)ndshm_task_random(task));
}

static void draw_with(int workers, int64_t numbers[TASKS])
{
    ndshm_job_config config = support_job(draw, TASKS);
    ndshm_pool *pool = support_pool(workers);
    ndshm_job *job;
    config.seed = 4;
    assert_ok(ndshm_pool_map(pool, &config, &job));
    for (int64_t i = 0; i < TASKS; i++)
        numbers[i] = take(job, i);
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
}

static void test_random_streams_differ_and_repeat(void **state)
{
    int64_t one[TASKS], two[TASKS], seven[TASKS];
    (void)state;
    draw_with(1, one);
    draw_with(2, two);
    draw_with(7, seven);
    assert_memory_equal(one, two, sizeof one);
    assert_memory_equal(one, seven, sizeof one);
    for (int i = 0; i < TASKS; i++)
        for (int k = 0; k < i; k++)
            assert_true(one[i] != one[k]);
}

/* --- "Ctrl-C leaves zombies" --- */

static int begin_and_stay(ndshm_task *task)
{
    int status = answer(task, 1);
    atomic_fetch_add(together, 1);
    while (!status)
        pause();
    return status;
}

static int host_of_two(void *argument)
{
    ndshm_pool_config pool_config;
    ndshm_job_config config;
    ndshm_pool *pool;
    ndshm_job *job;
    (void)argument;
    SUPPORT_CHECK(setpgid(0, 0) == 0);
    ndshm_pool_config_init(&pool_config);
    pool_config.workers = 2;
    SUPPORT_CHECK(ndshm_pool_open(&pool_config, &pool) == 0);
    snprintf((char *)(together + 1), 256, "%s", ndshm_pool_name(pool));
    ndshm_job_config_init(&config);
    config.fn = begin_and_stay;
    config.count = 100;
    return ndshm_pool_map(pool, &config, &job);
}

/* Zombies count as members of a group. */
static int group_is_gone(int group)
{
    for (int i = 0; i < PATIENCE_MS; i++) {
        if (kill(-group, 0) && errno == ESRCH)
            return 1;
        usleep(1000);
    }
    return 0;
}

/* Names of the pool and its members; one still there is waited for. */
static int names_are_gone(const char *pool)
{
    for (int i = 0; i < PATIENCE_MS; i++) {
        ndshm_list *list;
        ndshm_info info;
        int found = 0;
        assert_ok(ndshm_list_open(&list));
        while (ndshm_list_next(list, &info) == 0)
            found += strncmp(info.name, pool, strlen(pool)) == 0;
        ndshm_list_close(&list);
        if (!found)
            return 1;
        usleep(1000);
    }
    return 0;
}

static void test_an_interrupt_leaves_nothing(void **state)
{
    ndshm_info info;
    char pool[256];
    (void)state;
    share();
    int host = support_child_start(host_of_two, NULL);
    for (int i = 0; i < PATIENCE_MS && atomic_load(together) < 2; i++)
        usleep(1000);
    assert_int_equal(atomic_load(together), 2);
    snprintf(pool, sizeof pool, "%s", (char *)(together + 1));
    assert_ok(ndshm_inspect(pool, &info));
    assert_int_equal(kill(-host, SIGINT), 0);
    assert_int_equal(support_child_wait(host), 128 + SIGINT);
    assert_true(group_is_gone(host));
    assert_true(names_are_gone(pool));
    unshare_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_a_dead_worker_neither_hangs_nor_breaks_the_pool),
        SUPPORT_TEST(test_an_error_loses_no_other_result),
        SUPPORT_TEST(test_a_task_has_a_timeout_of_its_own),
        SUPPORT_TEST(test_progress_advances_per_task),
        SUPPORT_TEST(test_a_task_is_cheap),
        SUPPORT_TEST(test_results_can_be_written),
        SUPPORT_TEST(test_pools_can_be_nested),
        SUPPORT_TEST(test_random_streams_differ_and_repeat),
        SUPPORT_TEST(test_an_interrupt_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
