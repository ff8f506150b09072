/* SPDX-License-Identifier: MIT */
/* Results as they come, and tasks that are fed while the job runs. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pool/pool.h"
#include "pools.h"
#include "support.h"

/* --- as completed --- */

/* Task 0 ends after all others. */
static int wait_for_others(ndshm_task *task)
{
    ndshm_array *flags;
    ndshm_view view;
    int status = ndshm_task_shared(task, 0, NDSHM_WRITE, &flags);
    if (status)
        return ndshm_task_fail(task, status, NULL);
    ndshm_array_read(flags, &view);
    _Atomic int64_t *seen = view.data;
    while (ndshm_task_index(task) == 0 && atomic_load(seen) == 0)
        usleep(100);
    return 0;
}

static void test_completed_results_do_not_wait_for_the_first(void **state)
{
    enum { COUNT = 40 };
    int64_t one = 1;
    bool given[COUNT] = {false};
    ndshm_view view;
    ndshm_array *flags = support_array(NULL, NDSHM_INT64, 1, &one, &view);
    const char *shared[] = {ndshm_array_name(flags)};
    ndshm_pool *pool = support_pool(2);
    ndshm_job_config config = support_job(wait_for_others, COUNT);
    ndshm_result result;
    ndshm_job *job;
    (void)state;
    config.shared = shared;
    config.nshared = 1;
    config.order = NDSHM_ORDER_COMPLETED;
    assert_ok(ndshm_pool_submit(pool, &config, &job));
    for (int i = 1; i < COUNT; i++) {
        assert_ok(ndshm_job_next(job, -1, &result));
        assert_true(result.index > 0 && result.index < COUNT && !given[result.index]);
        given[result.index] = true;
    }
    assert_fails(-ETIMEDOUT, ndshm_job_next(job, 1, &result), "not finished");
    atomic_store((_Atomic int64_t *)view.data, 1);
    assert_ok(ndshm_job_next(job, -1, &result));
    assert_int_equal(result.index, 0);
    assert_fails(-ENOENT, ndshm_job_next(job, -1, &result), "no more");
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
    ndshm_array_detach(&flags);
}

static int fail_some(ndshm_task *task)
{
    return ndshm_task_index(task) % 1000 == 7 ? -EDOM : 0;
}

static void drain(ndshm_pool *pool, int64_t count, int64_t chunk, uint32_t flags)
{
    uint8_t *given = calloc((size_t)count, 1);
    ndshm_job_config config = support_job(fail_some, count);
    ndshm_result result;
    ndshm_job *job;
    int64_t number = 0, failed = 0;
    config.chunk = chunk;
    config.flags = flags;
    config.order = NDSHM_ORDER_COMPLETED;
    assert_ok(ndshm_pool_submit(pool, &config, &job));
    while (ndshm_job_next(job, -1, &result) == 0) {
        assert_false(given[result.index]++);
        failed += result.status != 0;
        number++;
    }
    assert_true(flags || (number == count && failed == (count + 992) / 1000));
    assert_true(!flags || number == job->view.units);
    ndshm_job_close(&job);
    free(given);
}

static void test_each_completed_result_comes_once(void **state)
{
    ndshm_pool *pool = support_pool(2);
    (void)state;
    drain(pool, 0, 0, 0);
    drain(pool, 1, 0, 0);
    drain(pool, 63, 0, 0);
    drain(pool, 65, 7, 0);
    drain(pool, 100000, 0, 0);
    drain(pool, 100000, 1, 0);
    drain(pool, 100000, 0, NDSHM_JOB_RANGES);
    ndshm_pool_close(&pool);
}

static void test_a_cancelled_job_gives_the_rest_at_once(void **state)
{
    ndshm_pool *pool = support_pool(1);
    ndshm_job_config config = support_job(fail_some, 500000);
    ndshm_result result;
    ndshm_job *job;
    int64_t number = 0;
    (void)state;
    config.order = NDSHM_ORDER_COMPLETED;
    config.chunk = 1;
    assert_ok(ndshm_pool_submit(pool, &config, &job));
    assert_ok(ndshm_job_cancel(job));
    while (ndshm_job_next(job, -1, &result) == 0)
        number++;
    assert_int_equal(number, 500000);
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
}

/* --- streams --- */

/* Leaves the square of its item; the index must agree with it. */
static int square(ndshm_task *task)
{
    int64_t one = 1, value = atoll(ndshm_task_item(task));
    ndshm_array *array;
    ndshm_view view;
    if (value != ndshm_task_index(task))
        return ndshm_task_fail(task, -EBADMSG, ndshm_task_item(task));
    if (value % 100 == 99)
        kill(getpid(), SIGKILL);
    if (value % 10 == 3)
        return ndshm_task_fail(task, -EDOM, "three");
    int status = ndshm_task_create(task, NDSHM_INT64, 1, &one, &array);
    if (status)
        return ndshm_task_fail(task, status, NULL);
    ndshm_array_read(array, &view);
    *(int64_t *)view.data = value * value;
    return 0;
}

static ndshm_job *open_stream(ndshm_pool *pool, int order, int window)
{
    ndshm_job_config config = support_job(square, NDSHM_STREAM);
    ndshm_job *job;
    config.order = order;
    config.window = window;
    assert_ok(ndshm_pool_submit(pool, &config, &job));
    return job;
}

static int feed_number(ndshm_job *job, int64_t number, int timeout_ms)
{
    char item[32];
    snprintf(item, sizeof item, "%d", (int)number);
    return ndshm_job_feed(job, item, timeout_ms);
}

static void check_square(ndshm_job *job, const ndshm_result *result)
{
    ndshm_array *array;
    ndshm_view view;
    int64_t value = result->index;
    int expected = value % 100 == 99 ? NDSHM_EWORKER : value % 10 == 3 ? -EDOM : 0;
    assert_int_equal(result->status, expected);
    assert_int_equal(result->signal, expected == NDSHM_EWORKER ? SIGKILL : 0);
    if (expected) {
        assert_true(expected != -EDOM || strcmp(result->message, "three") == 0);
        return;
    }
    if (value % 7 == 0) /* nobody takes it */
        return;
    assert_ok(ndshm_job_take(job, value, NDSHM_READ, &array));
    assert_ok(ndshm_array_read(array, &view));
    assert_int_equal(*(int64_t *)view.data, value * value);
    ndshm_array_detach(&array);
}

/* One thread feeds while there is room, and reads when there is none. */
static void run_stream(ndshm_pool *pool, int order, int window, int64_t count)
{
    ndshm_job *job = open_stream(pool, order, window);
    uint8_t *given = calloc((size_t)count, 1);
    ndshm_progress progress;
    ndshm_result result;
    int64_t fed = 0, read = 0;
    while (read < count) {
        while (fed < count && feed_number(job, fed, 0) == 0)
            fed++;
        assert_true(fed - read <= window);
        if (fed == count)
            assert_ok(ndshm_job_end(job));
        assert_ok(ndshm_job_next(job, -1, &result));
        assert_true(order == NDSHM_ORDER_COMPLETED || result.index == read);
        assert_false(given[result.index]++);
        check_square(job, &result);
        read++;
    }
    assert_fails(-ENOENT, ndshm_job_next(job, -1, &result), "no more");
    assert_fails(NDSHM_ETASK, ndshm_job_wait(job, -1), "tasks failed");
    assert_ok(ndshm_job_progress(job, &progress));
    assert_int_equal(progress.count, count);
    assert_int_equal(progress.done, count);
    assert_int_equal(progress.failed, ndshm_job_failed(job));
    assert_int_equal(progress.failed, count / 10 + count / 100);
    assert_int_equal(progress.finished, 1);
    free(given);
    ndshm_job_close(&job);
}

static void test_a_stream_is_fed_while_it_runs(void **state)
{
    ndshm_pool *pool = support_pool(2);
    (void)state;
    run_stream(pool, NDSHM_ORDER_INDEX, 1, 200);
    run_stream(pool, NDSHM_ORDER_INDEX, 5, 1000);
    run_stream(pool, NDSHM_ORDER_COMPLETED, 5, 1000);
    run_stream(pool, NDSHM_ORDER_COMPLETED, 64, 3000);
    ndshm_pool_close(&pool);
}

static void test_results_stay_for_a_window(void **state)
{
    ndshm_pool *pool = support_pool(1);
    ndshm_job *job = open_stream(pool, NDSHM_ORDER_INDEX, 2);
    ndshm_result result;
    ndshm_array *array;
    ndshm_info info;
    (void)state;
    char name[256];
    for (int i = 0; i < 5; i++) {
        assert_ok(feed_number(job, i, -1));
        assert_ok(ndshm_job_next(job, -1, &result));
        if (i == 0)
            memcpy(name, result.name, sizeof name);
        assert_int_equal(ndshm_inspect(name, &info), i < 4 ? 0 : -ENOENT);
    }
    assert_fails(-ERANGE, ndshm_job_take(job, 0, NDSHM_READ, &array), "no task 0");
    assert_fails(-ERANGE, ndshm_job_result(job, 5, &result), "no task 5");
    assert_ok(ndshm_job_take(job, 1, NDSHM_READ, &array));
    ndshm_array_detach(&array);
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
}

struct feeder {
    ndshm_job *job;
    int64_t count;
};

static void *feed_all(void *argument)
{
    struct feeder *feeder = argument;
    for (int64_t i = 0; i < feeder->count; i++)
        if (feed_number(feeder->job, i, -1))
            return "feed";
    return ndshm_job_end(feeder->job) ? "end" : NULL;
}

static void test_a_full_window_waits_for_the_reader(void **state)
{
    ndshm_pool *pool = support_pool(2);
    struct feeder feeder = {open_stream(pool, NDSHM_ORDER_INDEX, 3), 1000};
    ndshm_result result;
    pthread_t thread;
    void *wrong;
    int64_t read = 0;
    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, feed_all, &feeder), 0);
    while (ndshm_job_next(feeder.job, -1, &result) == 0) {
        assert_int_equal(result.index, read++);
        check_square(feeder.job, &result);
    }
    assert_int_equal(read, feeder.count);
    pthread_join(thread, &wrong);
    assert_null(wrong);
    ndshm_job_close(&feeder.job);
    ndshm_pool_close(&pool);
}

static void test_what_is_no_stream_or_ended_is_refused(void **state)
{
    static char longest[NDSHM_REF_MAX + 2];
    ndshm_pool *pool = support_pool(1);
    ndshm_job_config config = support_job(fail_some, 1);
    ndshm_job *job, *stream = open_stream(pool, NDSHM_ORDER_INDEX, 2);
    (void)state;
    memset(longest, 'x', sizeof longest - 1);
    assert_ok(ndshm_pool_submit(pool, &config, &job));
    assert_fails(-EINVAL, ndshm_job_feed(job, "1", 0), "not NDSHM_STREAM");
    assert_fails(-EINVAL, ndshm_job_end(job), "not NDSHM_STREAM");
    assert_fails(-EINVAL, ndshm_job_feed(stream, NULL, 0), "no item");
    assert_fails(-EINVAL, ndshm_job_feed(stream, longest, 0), "1024");
    assert_fails(-ETIMEDOUT, ndshm_job_wait(stream, 0), "not finished");
    assert_ok(feed_number(stream, 0, 0));
    assert_ok(feed_number(stream, 1, 0));
    assert_fails(-ETIMEDOUT, feed_number(stream, 2, 1), "fed and not read");
    assert_ok(ndshm_job_end(stream));
    assert_fails(-EPIPE, feed_number(stream, 2, 0), "ended");
    assert_ok(ndshm_job_wait(stream, -1));
    ndshm_job_close(&stream);
    stream = open_stream(pool, NDSHM_ORDER_INDEX, 2);
    assert_ok(ndshm_job_cancel(stream));
    assert_fails(NDSHM_ECANCELED, feed_number(stream, 0, -1), "over");
    ndshm_job_close(&stream);
    stream = open_stream(pool, NDSHM_ORDER_INDEX, 2);
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
    assert_fails(NDSHM_ECANCELED, feed_number(stream, 0, -1), "over");
    ndshm_job_close(&stream);
}

/* A worker that waits inside a stream serves other jobs, and lets go of it when it ends. */
static void test_a_quiet_stream_keeps_no_worker(void **state)
{
    ndshm_pool *pool = support_pool(1);
    ndshm_job *stream = open_stream(pool, NDSHM_ORDER_INDEX, 2);
    ndshm_job_config config = support_job(fail_some, 3);
    ndshm_result result;
    ndshm_job *job;
    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_ok(feed_number(stream, i, 0));
        assert_ok(ndshm_job_next(stream, -1, &result));
        assert_ok(ndshm_pool_map(pool, &config, &job));
        ndshm_job_close(&job);
    }
    assert_ok(ndshm_job_end(stream));
    assert_ok(ndshm_job_wait(stream, -1));
    uint64_t id = stream->id;
    for (int i = 0; i < 5000 && ndshm__table_busy(pool->memory, id); i++)
        usleep(1000);
    assert_false(ndshm__table_busy(pool->memory, id));
    ndshm_job_close(&stream);
    ndshm_pool_close(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_completed_results_do_not_wait_for_the_first),
        SUPPORT_TEST(test_each_completed_result_comes_once),
        SUPPORT_TEST(test_a_cancelled_job_gives_the_rest_at_once),
        SUPPORT_TEST(test_a_stream_is_fed_while_it_runs),
        SUPPORT_TEST(test_results_stay_for_a_window),
        SUPPORT_TEST(test_a_full_window_waits_for_the_reader),
        SUPPORT_TEST(test_what_is_no_stream_or_ended_is_refused),
        SUPPORT_TEST(test_a_quiet_stream_keeps_no_worker),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
