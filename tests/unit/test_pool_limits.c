/* SPDX-License-Identifier: MIT */
/* Workers that are replaced, results that wait for room, and a host that forks by itself. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pool/pool.h"
#include "pools.h"
#include "support.h"

/* --- workers that are replaced --- */

static int write_pid(ndshm_task *task)
{
    ndshm_view out;
    int status = ndshm_task_output(task, &out);
    if (status)
        return ndshm_task_fail(task, status, NULL);
    *(int64_t *)out.data = getpid();
    return 0;
}

/* Loses memory, and writes its pid. */
static int leak(ndshm_task *task)
{
    enum { BYTES = 4 << 20 };
    char *lost = malloc(BYTES);
    if (!lost)
        return -ENOMEM;
    memset(lost, 1, BYTES);
    __asm__ volatile("" : : "r"(lost) : "memory");
    return write_pid(task);
}

static int compare(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* How many tasks the busiest process ran, of so many processes. */
static int64_t busiest(const ndshm_pool_config *config, ndshm_task_fn fn, int64_t count,
                       int64_t *processes)
{
    ndshm_view view;
    ndshm_array *pids = support_array(NULL, NDSHM_INT64, 1, &count, &view);
    ndshm_job_config job_config = support_job(fn, count);
    ndshm_progress progress;
    ndshm_pool *pool;
    ndshm_job *job;
    int64_t most = 0, *pid = view.data;
    job_config.output = ndshm_array_name(pids);
    job_config.chunk = 16;
    assert_ok(ndshm_pool_open(config, &pool));
    assert_ok(ndshm_pool_map(pool, &job_config, &job));
    assert_ok(ndshm_job_wait(job, 0));
    assert_ok(ndshm_job_progress(job, &progress));
    assert_int_equal(progress.deaths, 0);
    qsort(pid, (size_t)count, sizeof *pid, compare);
    *processes = 0;
    for (int64_t i = 0, run = 0; i < count; i++) {
        run = i && pid[i] == pid[i - 1] ? run + 1 : 1;
        *processes += run == 1;
        most = run > most ? run : most;
    }
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
    ndshm_array_detach(&pids);
    return most;
}

static void test_a_worker_is_replaced_after_its_tasks(void **state)
{
    ndshm_pool_config config;
    int64_t processes;
    (void)state;
    ndshm_pool_config_init(&config);
    config.workers = 2;
    config.max_tasks = 5;
    assert_int_equal(busiest(&config, write_pid, 100, &processes), 5);
    assert_true(processes >= 20);
    config.max_tasks = 1;
    assert_int_equal(busiest(&config, write_pid, 30, &processes), 1);
    assert_int_equal(processes, 30);
}

static void test_a_worker_that_grows_is_replaced(void **state)
{
    ndshm_pool_config config;
    int64_t processes;
    (void)state;
    ndshm_pool_config_init(&config);
    config.workers = 2;
    config.max_worker_bytes = 18 << 20;
    assert_true(busiest(&config, leak, 48, &processes) <= 6); /* of 4 MB each */
    assert_true(processes >= 8);
    config.max_worker_bytes = INT64_C(1) << 40;
    busiest(&config, leak, 20, &processes);
    assert_true(processes <= 2);
}

/* --- a fork of the host's own --- */

static int count_fork(void *context)
{
    _Atomic int64_t *forks = context;
    atomic_fetch_add(forks, 1);
    return fork();
}

static int refuse_fork(void *context)
{
    (void)context;
    return -EAGAIN;
}

static void test_the_host_may_fork_by_itself(void **state)
{
    int64_t one = 1;
    ndshm_view view;
    ndshm_array *forks = support_array(NULL, NDSHM_INT64, 1, &one, &view);
    ndshm_pool_config config;
    ndshm_pool *pool;
    (void)state;
    ndshm_pool_config_init(&config);
    config.workers = 3;
    config.fork = count_fork;
    config.context = view.data;
    assert_ok(ndshm_pool_open(&config, &pool));
    assert_int_equal(atomic_load((_Atomic int64_t *)view.data), 4);
    ndshm_pool_close(&pool);
    config.fork = refuse_fork;
    assert_fails(-EAGAIN, ndshm_pool_open(&config, &pool), "forking the supervisor");
    ndshm_array_detach(&forks);
}

/* --- results that wait for room --- */

enum { RESULT_BYTES = 64 << 10, ROOM = 4 };

static int leave_bytes(ndshm_task *task)
{
    int64_t bytes = RESULT_BYTES;
    ndshm_array *array;
    int status = ndshm_task_create(task, NDSHM_UINT8, 1, &bytes, &array);
    return status ? ndshm_task_fail(task, status, NULL) : 0;
}

/* Without the brake all would be there when the first is read. */
static void read_under_limit(int order, bool take)
{
    ndshm_pool *pool = support_pool(3);
    ndshm_job_config config = support_job(leave_bytes, 200);
    ndshm_progress progress;
    ndshm_result result;
    ndshm_array *array;
    ndshm_job *job;
    config.order = order;
    config.max_result_bytes = ROOM * RESULT_BYTES;
    assert_ok(ndshm_pool_submit(pool, &config, &job));
    for (int64_t i = 0; i < 200; i++) {
        assert_ok(ndshm_job_next(job, -1, &result));
        assert_int_equal(result.status, 0);
        assert_ok(ndshm_job_progress(job, &progress));
        assert_true(progress.done - i <= ROOM + 2); /* and the one that is read next */
        if (!take)
            continue;
        assert_ok(ndshm_job_take(job, result.index, NDSHM_READ, &array));
        ndshm_array_detach(&array);
    }
    assert_int_equal(job->view.memory->untaken_bytes, take ? 0 : 200 * RESULT_BYTES);
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
}

static void test_results_wait_for_room(void **state)
{
    (void)state;
    read_under_limit(NDSHM_ORDER_INDEX, true);
    read_under_limit(NDSHM_ORDER_COMPLETED, true);
    read_under_limit(NDSHM_ORDER_INDEX, false);
    read_under_limit(NDSHM_ORDER_COMPLETED, false);
}

static int die_at_first(ndshm_task *task)
{
    ndshm_array *flags;
    ndshm_view view;
    int status = leave_bytes(task);
    if (!status)
        status = ndshm_task_shared(task, 0, NDSHM_WRITE, &flags);
    if (status)
        return status;
    ndshm_array_read(flags, &view);
    int64_t index = ndshm_task_index(task);
    if (index % 5 == 0 && atomic_fetch_add((_Atomic int64_t *)view.data + index, 1) == 0)
        kill(getpid(), SIGKILL);
    return 0;
}

/* Whoever holds what is read next dies: the others wait, and must not wait for ever. */
static void test_deaths_leave_room(void **state)
{
    int64_t count = 100;
    ndshm_view view;
    ndshm_array *array, *flags = support_array(NULL, NDSHM_INT64, 1, &count, &view);
    const char *shared[] = {ndshm_array_name(flags)};
    ndshm_pool *pool = support_pool(3);
    ndshm_job_config config = support_job(die_at_first, count);
    ndshm_result result;
    ndshm_job *job;
    (void)state;
    config.max_result_bytes = RESULT_BYTES;
    config.retries = 3;
    config.shared = shared;
    config.nshared = 1;
    assert_ok(ndshm_pool_submit(pool, &config, &job));
    for (int64_t i = 0; i < count; i++) {
        assert_ok(ndshm_job_next(job, 20000, &result));
        assert_int_equal(result.status, 0);
        assert_ok(ndshm_job_take(job, i, NDSHM_READ, &array));
        ndshm_array_detach(&array);
    }
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
    ndshm_array_detach(&flags);
}

static void test_a_job_that_waits_for_room_can_be_closed(void **state)
{
    ndshm_pool *pool = support_pool(2);
    ndshm_job_config config = support_job(leave_bytes, 100);
    ndshm_result result;
    ndshm_job *job;
    (void)state;
    config.max_result_bytes = 1;
    assert_ok(ndshm_pool_submit(pool, &config, &job));
    assert_ok(ndshm_job_next(job, -1, &result));
    ndshm_job_close(&job);
    assert_ok(ndshm_pool_map(pool, &config, &job));
    assert_int_equal(ndshm_job_failed(job), 0);
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_a_worker_is_replaced_after_its_tasks),
        SUPPORT_TEST(test_a_worker_that_grows_is_replaced),
        SUPPORT_TEST(test_the_host_may_fork_by_itself),
        SUPPORT_TEST(test_results_wait_for_room),
        SUPPORT_TEST(test_deaths_leave_room),
        SUPPORT_TEST(test_a_job_that_waits_for_room_can_be_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
