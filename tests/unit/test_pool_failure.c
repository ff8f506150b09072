/* SPDX-License-Identifier: MIT */
/* What goes wrong in a pool: tasks that fail, workers that die, ends at a bad moment. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/os.h"
#include "pool/pool.h"
#include "pools.h"
#include "support.h"

static int nothing(ndshm_task *task)
{
    (void)task;
    return 0;
}

/* --- tasks that fail --- */

static int fail_some(ndshm_task *task)
{
    int64_t index = ndshm_task_index(task);
    char message[64];
    if (index % 10 == 3) {
        snprintf(message, sizeof message, "odd row %d", (int)index);
        return ndshm_task_fail(task, -EDOM, message);
    }
    return index % 10 == 4 ? -EBADMSG : 0;
}

static void test_failures_are_told_one_by_one(void **state)
{
    static const int64_t counts[] = {60, 1000, 100000};
    ndshm_pool *pool = support_pool(2);
    (void)state;
    for (int i = 0; i < 3; i++) {
        ndshm_job_config config = support_job(fail_some, counts[i]);
        ndshm_result result;
        ndshm_job *job;
        assert_ok(ndshm_pool_submit(pool, &config, &job));
        assert_fails(NDSHM_ETASK, ndshm_job_wait(job, -1), "tasks failed");
        assert_int_equal(ndshm_job_failed(job), counts[i] / 5);
        assert_ok(ndshm_job_result(job, 5, &result));
        assert_int_equal(result.status, 0);
        assert_ok(ndshm_job_result(job, 23, &result));
        assert_true(result.status == -EDOM || (i == 2 && result.status == NDSHM_ETASK));
        assert_true(i > 0 || strcmp(result.message, "odd row 23") == 0);
        assert_ok(ndshm_job_result(job, 24, &result));
        assert_true(result.status == -EBADMSG || (i == 2 && result.status == NDSHM_ETASK));
        assert_true(strlen(result.message) > 0);
        ndshm_job_close(&job);
    }
    ndshm_pool_close(&pool);
}

static void test_stop_at_the_first_error(void **state)
{
    ndshm_pool *pool = support_pool(2);
    ndshm_job_config config = support_job(fail_some, 1000000);
    ndshm_progress progress;
    ndshm_result result;
    ndshm_job *job;
    (void)state;
    config.on_error = NDSHM_ERROR_STOP;
    config.chunk = 1;
    assert_ok(ndshm_pool_submit(pool, &config, &job));
    assert_fails(NDSHM_ETASK, ndshm_job_wait(job, -1), "failed");
    assert_ok(ndshm_job_progress(job, &progress));
    assert_int_equal(progress.finished, 1);
    assert_true(progress.done < 1000000);
    assert_ok(ndshm_job_result(job, 999999, &result));
    assert_int_equal(result.status, NDSHM_ECANCELED);
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
}

/* --- workers that die --- */

static int die_somehow(ndshm_task *task)
{
    int64_t one = 1;
    ndshm_array *array;
    switch (ndshm_task_index(task)) {
    case 3:
        kill(getpid(), SIGKILL);
        break;
    case 5:
        ndshm_task_create(task, NDSHM_INT64, 1, &one, &array);
        signal(SIGABRT, SIG_DFL);
        abort();
    case 7:
        _exit(3);
    case 8:
        _exit(0);
    default:
        break;
    }
    return 0;
}

static void check_lost(ndshm_job *job, int64_t index, int signal, const char *text)
{
    ndshm_result result;
    assert_ok(ndshm_job_result(job, index, &result));
    assert_int_equal(result.status, NDSHM_EWORKER);
    assert_int_equal(result.signal, signal);
    assert_non_null(strstr(result.message, text));
}

static void test_a_dead_worker_costs_one_task(void **state)
{
    static const int64_t counts[] = {12, 1000, 70000};
    ndshm_pool *pool = support_pool(2);
    (void)state;
    for (int i = 0; i < 3; i++) {
        ndshm_job_config config = support_job(die_somehow, counts[i]);
        ndshm_progress progress;
        ndshm_job *job;
        int64_t begin = ndshm__os_now();
        assert_ok(ndshm_pool_map(pool, &config, &job));
        assert_true(ndshm__os_now() - begin < INT64_C(5000000000));
        assert_int_equal(ndshm_job_failed(job), 4);
        check_lost(job, 3, SIGKILL, "killed by signal 9 (Killed)");
        check_lost(job, 5, SIGABRT, "killed by signal 6");
        check_lost(job, 7, 0, "exit status 3");
        check_lost(job, 8, 0, "exit status 0");
        assert_ok(ndshm_job_progress(job, &progress));
        assert_int_equal(progress.done, counts[i]);
        assert_int_equal(progress.deaths, 4 * (i + 1));
        ndshm_job_close(&job);
    }
    ndshm_pool_close(&pool);
}

static int die_twice(ndshm_task *task)
{
    const char *name = "t-pool-attempts";
    ndshm_array *array;
    ndshm_view view;
    int64_t one = 1;
    int status = ndshm_array_attach(name, NDSHM_WRITE, &array);
    if (status)
        return ndshm_task_fail(task, status, NULL);
    ndshm_array_read(array, &view);
    int64_t attempt = ++((int64_t *)view.data)[ndshm_task_index(task)];
    ndshm_array_detach(&array);
    status = ndshm_task_create(task, NDSHM_INT64, 1, &one, &array);
    if (status)
        return status;
    if (ndshm_task_index(task) == 2 && attempt < 3)
        kill(getpid(), SIGKILL);
    return 0;
}

static void retry(int32_t retries, int expected_status, int32_t expected_attempts)
{
    int64_t n = 5;
    ndshm_pool *pool = support_pool(2);
    ndshm_job_config config = support_job(die_twice, n);
    ndshm_array *counts, *array;
    ndshm_result result;
    ndshm_job *job;
    assert_ok(ndshm_array_create("t-pool-attempts", NDSHM_INT64, 1, &n, NULL, &counts));
    config.retries = retries;
    assert_ok(ndshm_pool_map(pool, &config, &job));
    assert_ok(ndshm_job_result(job, 2, &result));
    assert_int_equal(result.status, expected_status);
    assert_int_equal(result.attempts, expected_attempts);
    if (!expected_status) {
        assert_ok(ndshm_job_take(job, 2, NDSHM_READ, &array));
        ndshm_array_detach(&array);
    }
    ndshm_job_close(&job);
    ndshm_array_unlink(counts);
    ndshm_array_detach(&counts);
    ndshm_pool_close(&pool);
}

static void test_retries(void **state)
{
    (void)state;
    retry(0, NDSHM_EWORKER, 1);
    retry(1, NDSHM_EWORKER, 2);
    retry(2, 0, 3);
    retry(100, 0, 3);
}

/* A worker killed after it published and before it said so: the supervisor finds the name. */
static int publish_and_die(ndshm_task *task)
{
    int64_t one = 1;
    ndshm_array *array;
    int status = ndshm_task_create(task, NDSHM_INT64, 1, &one, &array);
    if (!status)
        status = ndshm_array_publish(array);
    kill(getpid(), SIGKILL);
    return status;
}

static void test_a_result_published_and_not_recorded_goes(void **state)
{
    ndshm_pool *pool = support_pool(1);
    ndshm_job_config config = support_job(publish_and_die, 2);
    char name[256];
    ndshm_info info;
    ndshm_job *job;
    (void)state;
    config.retries = 1;
    assert_ok(ndshm_pool_map(pool, &config, &job));
    assert_int_equal(ndshm_job_failed(job), 2);
    for (int attempt = 0; attempt < 2; attempt++) {
        snprintf(name, sizeof name, "%s.1.0.%d", ndshm_pool_name(pool), attempt);
        assert_fails(-ENOENT, ndshm_inspect(name, &info), "");
    }
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
}

static void test_idle_workers_are_replaced(void **state)
{
    ndshm_pool *pool = support_pool(2);
    (void)state;
    for (int round = 0; round < 5; round++) {
        ndshm_job_config config = support_job(nothing, 100);
        ndshm_job *job;
        for (int slot = 0; slot < 2; slot++)
            kill((pid_t)atomic_load(&pool->memory->slots[slot].pid), SIGKILL);
        assert_ok(ndshm_pool_map(pool, &config, &job));
        assert_int_equal(ndshm_job_failed(job), 0);
        ndshm_job_close(&job);
        for (int i = 0; i < 2000 && atomic_load(&pool->memory->slots[0].state) +
                                            atomic_load(&pool->memory->slots[1].state) !=
                                        2 * NDSHM__SLOT_READY;
             i++)
            usleep(1000);
    }
    ndshm_pool_close(&pool);
}

static int sleep_long(ndshm_task *task)
{
    (void)task;
    sleep(100);
    return 0;
}

static void test_the_death_of_the_supervisor_ends_waiting(void **state)
{
    ndshm_pool *pool = support_pool(2);
    ndshm_job_config config = support_job(sleep_long, 2);
    ndshm_result result;
    ndshm_job *job, *other;
    (void)state;
    assert_ok(ndshm_pool_submit(pool, &config, &job));
    assert_fails(-ETIMEDOUT, ndshm_job_wait(job, 20), "20 ms");
    kill(pool->supervisor, SIGKILL);
    assert_fails(NDSHM_EWORKER, ndshm_job_wait(job, -1), "supervisor");
    assert_fails(NDSHM_EWORKER, ndshm_pool_submit(pool, &config, &other), "supervisor");
    assert_ok(ndshm_job_result(job, 0, &result));
    assert_int_equal(result.status, NDSHM_EWORKER);
    assert_fails(NDSHM_EWORKER, ndshm_pool_stop(pool, -1), "supervisor");
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
}

/* --- stopping, cancelling, closing --- */

static int sleep_short(ndshm_task *task)
{
    (void)task;
    usleep(2000);
    return 0;
}

static void test_stop_finishes_what_was_submitted(void **state)
{
    ndshm_pool *pool = support_pool(2);
    ndshm_job_config config = support_job(sleep_short, 40);
    ndshm_job *job, *other;
    (void)state;
    assert_ok(ndshm_pool_submit(pool, &config, &job));
    assert_fails(-ETIMEDOUT, ndshm_pool_stop(pool, 0), "still working");
    assert_fails(NDSHM_ECANCELED, ndshm_pool_submit(pool, &config, &other), "stopped");
    assert_ok(ndshm_pool_stop(pool, -1));
    assert_ok(ndshm_pool_stop(pool, 0));
    assert_ok(ndshm_job_wait(job, 0));
    ndshm_pool_close(&pool);
    assert_ok(ndshm_job_wait(job, 0));
    ndshm_job_close(&job);
}

static void test_stop_survives_deaths(void **state)
{
    ndshm_pool *pool = support_pool(2);
    ndshm_job_config config = support_job(die_somehow, 40);
    ndshm_job *job;
    (void)state;
    assert_ok(ndshm_pool_submit(pool, &config, &job));
    assert_ok(ndshm_pool_stop(pool, -1));
    assert_fails(NDSHM_ETASK, ndshm_job_wait(job, 0), "4 of 40");
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
}

static int wait_for_cancel(ndshm_task *task)
{
    while (!ndshm_task_cancelled(task))
        usleep(100);
    return 0;
}

static void test_cancel(void **state)
{
    ndshm_pool *pool = support_pool(2);
    ndshm_job_config config = support_job(wait_for_cancel, 1000);
    ndshm_progress progress;
    ndshm_result result;
    ndshm_job *job;
    (void)state;
    assert_ok(ndshm_pool_submit(pool, &config, &job));
    do
        assert_ok(ndshm_job_progress(job, &progress));
    while (progress.running < 2);
    assert_ok(ndshm_job_result(job, 999, &result));
    assert_int_equal(result.status, -EINPROGRESS);
    assert_ok(ndshm_job_cancel(job));
    assert_fails(NDSHM_ECANCELED, ndshm_job_wait(job, -1), "");
    assert_ok(ndshm_job_progress(job, &progress));
    assert_int_equal(progress.done, 2);
    assert_ok(ndshm_job_result(job, 999, &result));
    assert_int_equal(result.status, NDSHM_ECANCELED);
    ndshm_job_close(&job);
    config.fn = nothing; /* and the pool goes on */
    assert_ok(ndshm_pool_map(pool, &config, &job));
    assert_ok(ndshm_job_cancel(job));
    assert_ok(ndshm_job_wait(job, 0));
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
}

static int leave_result(ndshm_task *task)
{
    int64_t n = 1000;
    ndshm_array *array;
    usleep(300);
    return ndshm_task_create(task, NDSHM_INT64, 1, &n, &array);
}

static void test_close_at_any_moment_leaves_nothing(void **state)
{
    (void)state;
    for (int round = 0; round < 30; round++) {
        ndshm_pool *pool = support_pool(2);
        ndshm_job_config config = support_job(leave_result, 100);
        ndshm_job *job;
        ndshm_result result;
        assert_ok(ndshm_pool_submit(pool, &config, &job));
        usleep((useconds_t)round * 300);
        if (round % 3 == 0)
            ndshm_job_close(&job); /* with tasks that run */
        if (round % 3 == 1)
            (void)ndshm_job_wait(job, 0);
        ndshm_pool_close(&pool);
        if (job) {
            ndshm_array *array;
            assert_ok(ndshm_job_result(job, 99, &result));
            assert_string_equal(result.name, "");
            assert_true(ndshm_job_take(job, 0, NDSHM_READ, &array) < 0);
            int status = ndshm_job_wait(job, -1);
            assert_true(status == 0 || status == NDSHM_ECANCELED);
            ndshm_job_close(&job);
        }
    }
}

static void test_a_closed_job_leaves_nothing_while_the_pool_goes_on(void **state)
{
    ndshm_pool *pool = support_pool(2);
    ndshm_job_config config = support_job(leave_result, 100);
    ndshm_list *list;
    ndshm_info info;
    ndshm_job *job;
    char prefix[300];
    (void)state;
    for (int round = 0; round < 20; round++) {
        assert_ok(ndshm_pool_submit(pool, &config, &job));
        usleep((useconds_t)round * 500);
        ndshm_job_close(&job);
    }
    assert_ok(ndshm_pool_stop(pool, -1));
    snprintf(prefix, sizeof prefix, "%s.", ndshm_pool_name(pool));
    assert_ok(ndshm_list_open(&list));
    while (ndshm_list_next(list, &info) == 0)
        assert_int_not_equal(strncmp(info.name, prefix, strlen(prefix)), 0);
    ndshm_list_close(&list);
    ndshm_pool_close(&pool);
}

static void *wait_in_thread(void *argument)
{
    int *status = malloc(sizeof *status);
    *status = ndshm_job_wait(argument, -1);
    return status;
}

static void test_threads_wait_for_one_job(void **state)
{
    ndshm_pool *pool = support_pool(2);
    ndshm_job_config config = support_job(sleep_short, 20);
    pthread_t threads[4];
    ndshm_job *job;
    (void)state;
    assert_ok(ndshm_pool_submit(pool, &config, &job));
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, wait_in_thread, job), 0);
    for (int i = 0; i < 4; i++) {
        void *status;
        pthread_join(threads[i], &status);
        assert_int_equal(*(int *)status, 0);
        free(status);
    }
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
}

/* --- forked children --- */

struct inherited {
    ndshm_pool *pool;
    ndshm_job *job;
};

static int use_in_child(void *argument)
{
    struct inherited *inherited = argument;
    ndshm_job_config config = support_job(nothing, 1);
    ndshm_progress progress;
    ndshm_array *array;
    ndshm_job *job;
    ndshm_result result;
    SUPPORT_CHECK(ndshm_pool_submit(inherited->pool, &config, &job) == -EPERM);
    SUPPORT_CHECK(ndshm_pool_map(inherited->pool, &config, &job) == -EPERM);
    SUPPORT_CHECK(ndshm_pool_stop(inherited->pool, 0) == -EPERM);
    SUPPORT_CHECK(ndshm_job_wait(inherited->job, 0) == -EPERM);
    SUPPORT_CHECK(ndshm_job_next(inherited->job, 0, &result) == -EPERM);
    SUPPORT_CHECK(ndshm_job_result(inherited->job, 0, &result) == -EPERM);
    SUPPORT_CHECK(ndshm_job_take(inherited->job, 0, NDSHM_READ, &array) == -EPERM);
    SUPPORT_CHECK(ndshm_job_progress(inherited->job, &progress) == -EPERM);
    SUPPORT_CHECK(ndshm_job_failed(inherited->job) == -EPERM);
    SUPPORT_CHECK(ndshm_job_cancel(inherited->job) == -EPERM);
    ndshm_job_close(&inherited->job);
    ndshm_pool_close(&inherited->pool);
    SUPPORT_CHECK(inherited->pool == NULL && inherited->job == NULL);
    SUPPORT_CHECK(ndshm_map(&config, 1, &job) == 0); /* its own */
    ndshm_job_close(&job);
    return 0;
}

static void test_a_forked_child_may_not_use_the_pool(void **state)
{
    ndshm_pool *pool = support_pool(2);
    ndshm_job_config config = support_job(leave_result, 3);
    ndshm_array *array;
    ndshm_job *job;
    (void)state;
    assert_ok(ndshm_pool_map(pool, &config, &job));
    struct inherited inherited = {pool, job};
    assert_int_equal(support_child(use_in_child, &inherited), 0);
    assert_ok(ndshm_job_take(job, 1, NDSHM_READ, &array)); /* the child took nothing away */
    ndshm_array_detach(&array);
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
}

static int map_inside(ndshm_task *task)
{
    ndshm_job_config config = support_job(sleep_short, 4);
    ndshm_job *job;
    int status = ndshm_map(&config, 2, &job);
    if (status)
        return ndshm_task_fail(task, status, NULL);
    ndshm_job_close(&job);
    return 0;
}

static void test_pools_inside_tasks(void **state)
{
    ndshm_job_config config = support_job(map_inside, 4);
    ndshm_job *job;
    (void)state;
    assert_ok(ndshm_map(&config, 2, &job));
    assert_int_equal(ndshm_job_failed(job), 0);
    ndshm_job_close(&job);
}

static void test_a_host_that_ignores_its_children(void **state)
{
    ndshm_job_config config = support_job(die_somehow, 20);
    ndshm_job *job;
    (void)state;
    void (*old)(int) = signal(SIGCHLD, SIG_IGN);
    assert_ok(ndshm_map(&config, 2, &job));
    assert_int_equal(ndshm_job_failed(job), 4);
    ndshm_job_close(&job);
    signal(SIGCHLD, old);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_failures_are_told_one_by_one),
        SUPPORT_TEST(test_stop_at_the_first_error),
        SUPPORT_TEST(test_a_dead_worker_costs_one_task),
        SUPPORT_TEST(test_retries),
        SUPPORT_TEST(test_a_result_published_and_not_recorded_goes),
        SUPPORT_TEST(test_idle_workers_are_replaced),
        SUPPORT_TEST(test_the_death_of_the_supervisor_ends_waiting),
        SUPPORT_TEST(test_stop_finishes_what_was_submitted),
        SUPPORT_TEST(test_stop_survives_deaths),
        SUPPORT_TEST(test_cancel),
        SUPPORT_TEST(test_close_at_any_moment_leaves_nothing),
        SUPPORT_TEST(test_a_closed_job_leaves_nothing_while_the_pool_goes_on),
        SUPPORT_TEST(test_threads_wait_for_one_job),
        SUPPORT_TEST(test_a_forked_child_may_not_use_the_pool),
        SUPPORT_TEST(test_pools_inside_tasks),
        SUPPORT_TEST(test_a_host_that_ignores_its_children),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
