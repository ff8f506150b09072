/* SPDX-License-Identifier: MIT */
/* Tasks that must end in time. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/os.h"
#include "pool/pool.h"
#include "pools.h"
#include "support.h"

enum { TIMEOUT_MS = 100 };

static int hang_at_three(ndshm_task *task)
{
    if (ndshm_task_index(task) == 3)
        sleep(1000);
    return 0;
}

static int stop_at_three(ndshm_task *task)
{
    if (ndshm_task_index(task) == 3)
        kill(getpid(), SIGSTOP);
    return 0;
}

static void check_late(ndshm_pool *pool, ndshm_task_fn fn, int64_t count, int64_t chunk)
{
    ndshm_job_config config = support_job(fn, count);
    ndshm_result result;
    ndshm_job *job;
    int64_t begin = ndshm__os_now();
    config.timeout_ms = TIMEOUT_MS;
    config.chunk = chunk;
    assert_ok(ndshm_pool_submit(pool, &config, &job));
    assert_fails(NDSHM_ETASK, ndshm_job_wait(job, -1), "1 of");
    assert_true(ndshm__os_now() - begin >= TIMEOUT_MS * INT64_C(1000000));
    assert_int_equal(ndshm_job_failed(job), 1);
    assert_ok(ndshm_job_result(job, 3, &result));
    assert_int_equal(result.status, -ETIMEDOUT);
    assert_int_equal(result.signal, SIGKILL);
    assert_non_null(strstr(result.message, "deadline of 100 ms"));
    for (int64_t i = 0; i < count && i < 20; i++) {
        assert_ok(ndshm_job_result(job, i, &result));
        assert_int_equal(result.status, i == 3 ? -ETIMEDOUT : 0);
    }
    ndshm_job_close(&job);
}

static void test_only_the_late_task_is_charged(void **state)
{
    ndshm_pool *pool = support_pool(2);
    (void)state;
    check_late(pool, hang_at_three, 20, 0);
    check_late(pool, hang_at_three, 20, 10);
    check_late(pool, hang_at_three, 100000, 0);
    check_late(pool, stop_at_three, 20, 10);
    ndshm_pool_close(&pool);
}

/* Hangs at its first attempt: 0 in the shared array says which that is. */
static int hang_once(ndshm_task *task)
{
    ndshm_array *flags;
    ndshm_view view;
    int status = ndshm_task_shared(task, 0, NDSHM_WRITE, &flags);
    if (status)
        return ndshm_task_fail(task, status, NULL);
    ndshm_array_read(flags, &view);
    if (atomic_fetch_add((_Atomic int64_t *)view.data + ndshm_task_index(task), 1) == 0)
        kill(getpid(), SIGSTOP);
    return 0;
}

static void test_a_retry_has_a_deadline_of_its_own(void **state)
{
    int64_t count = 3;
    ndshm_view view;
    ndshm_array *flags = support_array(NULL, NDSHM_INT64, 1, &count, &view);
    const char *shared[] = {ndshm_array_name(flags)};
    ndshm_pool *pool = support_pool(2);
    ndshm_job_config config = support_job(hang_once, count);
    ndshm_result result;
    ndshm_job *job;
    (void)state;
    config.shared = shared;
    config.nshared = 1;
    config.timeout_ms = TIMEOUT_MS;
    config.retries = 1;
    assert_ok(ndshm_pool_submit(pool, &config, &job));
    assert_ok(ndshm_job_wait(job, -1));
    for (int64_t i = 0; i < count; i++) {
        assert_ok(ndshm_job_result(job, i, &result));
        assert_int_equal(result.attempts, 2);
        assert_int_equal(((int64_t *)view.data)[i], 2);
    }
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
    ndshm_array_detach(&flags);
}

/* Just around the deadline: whoever is killed a moment too late was at another task, which is not
 * charged. */
static int nearly_late(ndshm_task *task)
{
    usleep(ndshm_task_index(task) % 2 ? 4000 : 0);
    return 0;
}

static void test_a_task_that_begins_at_the_deadline_is_not_charged(void **state)
{
    ndshm_pool *pool = support_pool(2);
    ndshm_job_config config = support_job(nearly_late, 200);
    ndshm_result result;
    ndshm_job *job;
    (void)state;
    config.timeout_ms = 4;
    config.chunk = 50;
    assert_ok(ndshm_pool_map(pool, &config, &job));
    for (int64_t i = 0; i < 200; i++) {
        assert_ok(ndshm_job_result(job, i, &result));
        assert_true(result.status == 0 || result.status == -ETIMEDOUT);
        assert_int_equal(result.attempts, 1);
    }
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
}

/* The supervisor sleeps long while nothing is timed: a fed task must wake it. */
static void test_a_task_fed_late_has_a_deadline(void **state)
{
    ndshm_pool *pool = support_pool(1);
    ndshm_job_config config = support_job(hang_at_three, NDSHM_STREAM);
    ndshm_result result;
    ndshm_job *job;
    (void)state;
    config.timeout_ms = TIMEOUT_MS;
    assert_ok(ndshm_pool_submit(pool, &config, &job));
    for (int i = 0; i < 6; i++) {
        assert_ok(ndshm_job_feed(job, "", -1));
        assert_ok(ndshm_job_next(job, -1, &result));
        assert_int_equal(result.status, i == 3 ? -ETIMEDOUT : 0);
        usleep(i == 1 ? 300000 : 0);
    }
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
}

/* Death between a task and the supervisor's look at it, by hand: the deadline that was seen is that
 * of another task. */
static void settle_by_hand(ndshm_pool *pool, ndshm_job *job, int64_t running, int64_t named,
                           int64_t deadline)
{
    struct ndshm__slot *slot = &pool->memory->slots[100];
    struct ndshm__cause cause = {.signal = SIGKILL, .deadline = 1000, .unit = named};
    atomic_store(&slot->current, job->id);
    atomic_store(&slot->unit, running);
    atomic_store(&slot->deadline, deadline);
    atomic_store(&job->view.claims[running], 101);
    atomic_store(&job->view.states[running], NDSHM__UNIT_RUNNING);
    ndshm__death_settle(pool->memory, pool->launch.name, 100, &cause);
}

static void test_the_deadline_names_one_task(void **state)
{
    ndshm_pool_config pool_config;
    ndshm_pool *pool;
    ndshm_job *job;
    (void)state;
    ndshm_pool_config_init(&pool_config);
    pool_config.workers = NDSHM_WORKERS_NONE;
    assert_ok(ndshm_pool_open(&pool_config, &pool));
    ndshm_job_config config = support_job(NULL, 4);
    config.function = "nobody";
    config.timeout_ms = 1000;
    assert_ok(ndshm_pool_submit(pool, &config, &job));
    settle_by_hand(pool, job, 0, 0, 1000);
    assert_int_equal(job->view.states[0], NDSHM__UNIT_LATE);
    settle_by_hand(pool, job, 1, 0, 1000); /* began after the look */
    assert_int_equal(job->view.states[1], NDSHM__UNIT_PENDING);
    assert_int_equal(job->view.claims[1], NDSHM__CLAIM_FREE);
    settle_by_hand(pool, job, 2, 2, 2000); /* the same one, at its next attempt */
    assert_int_equal(job->view.states[2], NDSHM__UNIT_PENDING);
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
}

static void test_a_joined_worker_is_told(void **state)
{
    ndshm_pool_config pool_config;
    ndshm_pool *pool;
    ndshm_job *job;
    ndshm_worker *worker;
    ndshm_task *task;
    ndshm_result result;
    (void)state;
    ndshm_pool_config_init(&pool_config);
    pool_config.workers = NDSHM_WORKERS_NONE;
    assert_ok(ndshm_pool_open(&pool_config, &pool));
    ndshm_job_config config = support_job(NULL, 2);
    config.function = "anything";
    config.timeout_ms = 50;
    assert_ok(ndshm_pool_submit(pool, &config, &job));
    assert_ok(ndshm_worker_join(ndshm_pool_name(pool), &worker));
    assert_ok(ndshm_worker_next(worker, -1, &task));
    assert_int_equal(ndshm_task_cancelled(task), 0);
    while (!ndshm_task_cancelled(task))
        usleep(1000);
    assert_int_equal(ndshm_task_finish(task, 0, NULL), -ETIMEDOUT);
    assert_ok(ndshm_worker_next(worker, -1, &task));
    assert_ok(ndshm_task_finish(task, 0, NULL));
    assert_fails(NDSHM_ETASK, ndshm_job_wait(job, -1), "1 of 2");
    assert_ok(ndshm_job_result(job, 0, &result));
    assert_int_equal(result.status, -ETIMEDOUT);
    ndshm_worker_leave(&worker);
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_only_the_late_task_is_charged),
        SUPPORT_TEST(test_a_retry_has_a_deadline_of_its_own),
        SUPPORT_TEST(test_a_task_that_begins_at_the_deadline_is_not_charged),
        SUPPORT_TEST(test_a_task_fed_late_has_a_deadline),
        SUPPORT_TEST(test_the_deadline_names_one_task),
        SUPPORT_TEST(test_a_joined_worker_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
