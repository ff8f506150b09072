/* SPDX-License-Identifier: MIT */
/* What a pool is for: results come out right and in order, whatever the number of tasks and jobs.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/os.h"
#include "pools.h"
#include "support.h"

/* --- results --- */

static int square(ndshm_task *task)
{
    int64_t one = 1, index = ndshm_task_index(task);
    ndshm_array *array;
    ndshm_view view;
    int status = ndshm_task_create(task, NDSHM_INT64, 1, &one, &array);
    if (status)
        return status;
    ndshm_array_read(array, &view);
    *(int64_t *)view.data = index * index;
    return 0;
}

static void check_square(ndshm_job *job, int64_t index)
{
    ndshm_array *array;
    ndshm_view view;
    assert_ok(ndshm_job_take(job, index, NDSHM_READ, &array));
    assert_ok(ndshm_array_read(array, &view));
    assert_int_equal(*(int64_t *)view.data, index * index);
    ndshm_array_detach(&array);
}

static void test_results_are_right_for_every_count(void **state)
{
    static const int64_t counts[] = {0, 1, 2, 63, 64, 65, 1000};
    ndshm_pool *pool = support_pool(2);
    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        for (int64_t chunk = 0; chunk < 8; chunk += 7) {
            ndshm_job *job;
            ndshm_result result;
            ndshm_job_config config = support_job(square, counts[i]);
            config.chunk = chunk;
            assert_ok(ndshm_pool_map(pool, &config, &job));
            assert_int_equal(ndshm_job_failed(job), 0);
            for (int64_t index = 0; index < counts[i]; index++) {
                assert_ok(ndshm_job_next(job, 0, &result));
                assert_int_equal(result.index, index);
                assert_int_equal(result.status, 0);
                assert_int_equal(result.attempts, 1);
                assert_true(result.worker == 0 || result.worker == 1);
                assert_true(result.start_ns > 0 && result.end_ns >= result.start_ns);
                assert_true(strlen(result.name) > 0);
                check_square(job, index);
            }
            assert_fails(-ENOENT, ndshm_job_next(job, 0, &result), "no more");
            assert_fails(-ERANGE, ndshm_job_result(job, counts[i], &result), "no task");
            assert_fails(-ERANGE, ndshm_job_result(job, -1, &result), "no task");
            ndshm_job_close(&job);
        }
    ndshm_pool_close(&pool);
}

static void test_a_result_is_taken_once_and_outlives_the_pool(void **state)
{
    ndshm_pool *pool = support_pool(2);
    ndshm_job_config config = support_job(square, 10);
    ndshm_array *array, *second;
    ndshm_frame *frame;
    ndshm_job *job;
    ndshm_view view;
    (void)state;
    assert_ok(ndshm_pool_map(pool, &config, &job));
    assert_fails(NDSHM_EKIND, ndshm_job_take_frame(job, 7, NDSHM_READ, &frame), "");
    assert_ok(ndshm_job_take(job, 7, NDSHM_WRITE, &array));
    assert_fails(-ENOENT, ndshm_job_take(job, 7, NDSHM_READ, &second), "taken");
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
    assert_ok(ndshm_array_read(array, &view));
    assert_int_equal(*(int64_t *)view.data, 49);
    assert_ok(ndshm_array_attach(ndshm_array_name(array), NDSHM_READ, &second));
    ndshm_array_detach(&second);
    ndshm_array_detach(&array); /* the leak oracle sees that it goes */
}

static int make_frame(ndshm_task *task)
{
    ndshm_column_spec columns[] = {{"index", "l", 0}, {"half", "g", 0}};
    ndshm_frame *frame;
    ndshm_column column;
    int status = ndshm_task_create_frame(task, 3, columns, 2, &frame);
    if (status)
        return status;
    for (int row = 0; row < 3; row++) {
        ndshm_frame_column(frame, 0, &column);
        ((int64_t *)column.data)[row] = ndshm_task_index(task);
        ndshm_frame_column(frame, 1, &column);
        ((double *)column.data)[row] = (double)row / 2;
    }
    return 0;
}

static void test_frames_come_back(void **state)
{
    ndshm_pool *pool = support_pool(2);
    ndshm_job_config config = support_job(make_frame, 5);
    ndshm_job *job;
    (void)state;
    assert_ok(ndshm_pool_map(pool, &config, &job));
    for (int64_t i = 0; i < 4; i++) { /* the last one is left to the job */
        ndshm_frame *frame;
        ndshm_column column;
        assert_ok(ndshm_job_take_frame(job, i, NDSHM_READ, &frame));
        assert_int_equal(ndshm_frame_rows(frame), 3);
        assert_ok(ndshm_frame_column(frame, 0, &column));
        assert_int_equal(((int64_t *)column.data)[2], i);
        assert_ok(ndshm_frame_column(frame, 1, &column));
        assert_true(((double *)column.data)[1] == 0.5);
        ndshm_frame_detach(&frame);
    }
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
}

static int hand_over(ndshm_task *task)
{
    char name[64];
    int64_t two = 2;
    ndshm_array *array;
    ndshm_view view;
    snprintf(name, sizeof name, "t-pool-made.%d", (int)ndshm_task_index(task));
    int status = ndshm_array_create(ndshm_task_index(task) ? name : NULL, NDSHM_INT64, 1, &two,
                                    NULL, &array);
    if (status)
        return status;
    ndshm_array_read(array, &view);
    *(int64_t *)view.data = 70 + ndshm_task_index(task);
    status = ndshm_task_return(task, ndshm_array_name(array));
    ndshm_array_detach(&array);
    return status;
}

static void test_a_segment_made_otherwise_is_handed_over(void **state)
{
    ndshm_pool *pool = support_pool(2);
    ndshm_job_config config = support_job(hand_over, 3);
    ndshm_array *array;
    ndshm_info info;
    ndshm_job *job;
    ndshm_view view;
    (void)state;
    assert_ok(ndshm_pool_map(pool, &config, &job));
    for (int64_t i = 0; i < 2; i++) {
        assert_ok(ndshm_job_take(job, i, NDSHM_READ, &array));
        assert_ok(ndshm_array_read(array, &view));
        assert_int_equal(*(int64_t *)view.data, 70 + i);
        assert_fails(-ENOENT, ndshm_job_take(job, i, NDSHM_READ, &array), "taken");
        ndshm_array_detach(&array);
    }
    assert_ok(ndshm_inspect("t-pool-made.2", &info));
    ndshm_job_close(&job); /* nobody took it */
    assert_fails(-ENOENT, ndshm_inspect("t-pool-made.2", &info), "");
    ndshm_pool_close(&pool);
}

static int return_badly(ndshm_task *task)
{
    ndshm_array *array;
    int64_t one = 1;
    switch (ndshm_task_index(task)) {
    case 0:
        return ndshm_task_return(task, "t-pool-nothing") == -ENOENT ? 0 : 1;
    case 1:
        return ndshm_task_return(task, NULL) == -EINVAL ? 0 : 2;
    case 2:
        ndshm_task_create(task, NDSHM_INT8, 1, &one, &array);
        return ndshm_task_create(task, NDSHM_INT8, 1, &one, &array) == -EALREADY ? 0 : 3;
    case 3:
        one = -1;
        return ndshm_task_create(task, NDSHM_INT8, 1, &one, &array) == NDSHM_ESHAPE ? 0 : 4;
    default: /* a result of a task that fails must go */
        ndshm_task_create(task, NDSHM_INT8, 1, &one, &array);
        return -EDOM;
    }
}

static void test_bad_results_are_refused(void **state)
{
    ndshm_pool *pool = support_pool(1);
    ndshm_job_config config = support_job(return_badly, 5);
    ndshm_array *array;
    ndshm_result result;
    ndshm_job *job;
    (void)state;
    assert_ok(ndshm_pool_map(pool, &config, &job));
    for (int64_t i = 0; i < 4; i++) {
        assert_ok(ndshm_job_result(job, i, &result));
        assert_int_equal(result.status, 0);
    }
    assert_fails(-EDOM, ndshm_job_take(job, 4, NDSHM_READ, &array), "EDOM");
    assert_fails(-ENOENT, ndshm_job_take(job, 1, NDSHM_READ, &array), "no result");
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
}

/* --- functions, contexts, random numbers --- */

int t_pool_exported(ndshm_task *task);
int t_pool_exported(ndshm_task *task)
{
    return strcmp(ndshm_task_function(task), "t_pool_exported") == 0 ? 0 : -EINVAL;
}

static void test_functions_by_name(void **state)
{
    ndshm_pool *pool = support_pool(2);
    ndshm_job_config config = support_job(NULL, 100);
    ndshm_result result;
    ndshm_job *job;
    (void)state;
    config.function = "t_pool_exported";
    assert_ok(ndshm_pool_map(pool, &config, &job));
    assert_int_equal(ndshm_job_failed(job), 0);
    ndshm_job_close(&job);
    config.function = "t_pool_not_there";
    assert_ok(ndshm_pool_map(pool, &config, &job));
    assert_int_equal(ndshm_job_failed(job), 100);
    assert_ok(ndshm_job_result(job, 42, &result));
    assert_int_equal(result.status, -ENOENT);
    assert_non_null(strstr(result.message, "t_pool_not_there"));
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
}

static int use_context(ndshm_task *task)
{
    const char *text = ndshm_task_context(task);
    return strcmp(text, "inherited") == 0 ? 0 : -EINVAL;
}

static void test_map_forks_now_and_inherits(void **state)
{
    char text[16] = "inherited";
    ndshm_job_config config = support_job(use_context, 500);
    ndshm_array *array;
    ndshm_job *job;
    (void)state;
    config.context = text;
    assert_ok(ndshm_map(&config, 2, &job));
    assert_int_equal(ndshm_job_failed(job), 0);
    ndshm_job_close(&job);
    config.fn = square;
    assert_ok(ndshm_map(&config, 2, &job));
    check_square(job, 499);
    assert_ok(ndshm_job_take(job, 20, NDSHM_READ, &array));
    ndshm_job_close(&job);
    ndshm_array_detach(&array);
    assert_fails(-EINVAL, ndshm_map(&config, -2, &job), "workers");
    assert_fails(-EINVAL, ndshm_map(NULL, 2, &job), "no job config");
}

static int draw(ndshm_task *task)
{
    ndshm_view out;
    ndshm_task_output(task, &out);
    for (int i = 0; i < 2; i++)
        ((uint64_t *)out.data)[i] = ndshm_task_random(task);
    return 0;
}

static void draw_with(int workers, int64_t chunk, uint64_t seed, uint64_t *copy)
{
    int64_t shape[] = {500, 2};
    ndshm_view view;
    ndshm_array *output = support_array("t-pool-out", NDSHM_UINT64, 2, shape, &view);
    ndshm_job_config config = support_job(draw, 500);
    ndshm_job *job;
    config.output = "t-pool-out";
    config.seed = seed;
    config.chunk = chunk;
    assert_ok(ndshm_map(&config, workers, &job));
    memcpy(copy, view.data, 8000);
    ndshm_job_close(&job);
    assert_ok(ndshm_array_unlink(output));
    ndshm_array_detach(&output);
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void test_random_numbers_depend_on_seed_and_index_alone(void **state)
{
    static uint64_t one[1000], three[1000], other[1000];
    (void)state;
    draw_with(1, 0, 5, one);
    draw_with(3, 7, 5, three);
    draw_with(1, 0, 6, other);
    assert_memory_equal(one, three, sizeof one);
    assert_memory_not_equal(one, other, sizeof one);
    qsort(one, 1000, sizeof *one, compare);
    for (int i = 1; i < 1000; i++)
        assert_true(one[i] != one[i - 1]);
}

/* --- many jobs --- */

/* Numbers of very different sizes: what their sum is depends on the order. */
static int sum_range(ndshm_task *task)
{
    int64_t begin, end;
    ndshm_view out;
    double sum = 0;
    int status = ndshm_task_output(task, &out);
    if (status)
        return ndshm_task_fail(task, status, NULL);
    ndshm_task_range(task, &begin, &end);
    for (int64_t i = begin; i < end; i++) {
        uint64_t bits = ndshm_task_random(task);
        sum +=
            (double)(bits >> 11) * (bits & 1 ? 1 : -1) / (double)(UINT64_C(1) << (bits >> 3 & 63));
    }
    *(double *)out.data = sum;
    return 0;
}

/* Partial sums in the order of the chunks; and *backward in the opposite one. */
static double reduce_with(int workers, double *backward)
{
    int64_t count = 100000;
    double sums[2048], sum = 0;
    int n = 0;
    ndshm_view view;
    ndshm_result result;
    ndshm_job *job;
    ndshm_array *output = support_array(NULL, NDSHM_FLOAT64, 1, &count, &view);
    ndshm_pool *pool = support_pool(workers);
    ndshm_job_config config = support_job(sum_range, count);
    config.flags = NDSHM_JOB_RANGES;
    config.output = ndshm_array_name(output);
    assert_ok(ndshm_pool_map(pool, &config, &job));
    assert_ok(ndshm_job_wait(job, 0));
    while (ndshm_job_next(job, 0, &result) == 0 && n < 2048)
        sums[n++] = ((double *)view.data)[result.index];
    for (int i = 0; i < n; i++)
        sum += sums[i];
    for (*backward = 0; n; n--)
        *backward += sums[n - 1];
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
    ndshm_array_detach(&output);
    return sum;
}

static void test_reductions_in_chunk_order_give_the_same_bytes(void **state)
{
    double backward, one = reduce_with(1, &backward);
    (void)state;
    assert_true(one != 0 && memcmp(&one, &backward, sizeof one) != 0);
    for (int workers = 2; workers <= 7; workers += 5) {
        double other = reduce_with(workers, &backward);
        assert_memory_equal(&one, &other, sizeof one);
    }
}

static void test_more_jobs_than_the_table_has_places(void **state)
{
    enum { JOBS = 200 };
    ndshm_pool *pool = support_pool(2);
    ndshm_job *jobs[JOBS];
    (void)state;
    for (int i = 0; i < JOBS; i++) {
        ndshm_job_config config = support_job(square, i % 5 ? i % 7 : 200);
        assert_ok(ndshm_pool_submit(pool, &config, &jobs[i]));
    }
    for (int i = JOBS - 1; i >= 0; i--) {
        int64_t count = i % 5 ? i % 7 : 200;
        assert_ok(ndshm_job_wait(jobs[i], -1));
        if (count)
            check_square(jobs[i], count - 1);
        ndshm_job_close(&jobs[i]);
    }
    ndshm_pool_close(&pool);
}

static void test_many_small_jobs_one_after_another(void **state)
{
    ndshm_pool *pool = support_pool(2);
    (void)state;
    for (int i = 0; i < 2000; i++) {
        ndshm_job_config config = support_job(use_context, 0);
        ndshm_job *job;
        config.fn = square;
        config.count = 1 + i % 3;
        assert_ok(ndshm_pool_map(pool, &config, &job));
        if (i % 100 == 0)
            check_square(job, 0);
        ndshm_job_close(&job);
    }
    ndshm_pool_close(&pool);
}

static int count_calls(ndshm_task *task)
{
    (void)task;
    return 0;
}

static void test_large_counts_without_records(void **state)
{
    ndshm_pool *pool = support_pool(2);
    ndshm_job_config config = support_job(count_calls, 100000);
    ndshm_result result;
    ndshm_progress progress;
    ndshm_job *job;
    (void)state;
    for (config.chunk = 0; config.chunk < 2; config.chunk++) {
        assert_ok(ndshm_pool_map(pool, &config, &job));
        assert_ok(ndshm_job_progress(job, &progress));
        assert_int_equal(progress.done, 100000);
        assert_ok(ndshm_job_result(job, 99999, &result));
        assert_int_equal(result.status, 0);
        assert_int_equal(result.worker, -1);
        assert_int_equal(result.start_ns, 0);
        ndshm_job_close(&job);
    }
    ndshm_pool_close(&pool);
}

/* --- the next result is told at once --- */

static int quick_then_slow(ndshm_task *task)
{
    int64_t end = ndshm__os_now() + *(const int64_t *)ndshm_task_params(task, NULL);
    while (ndshm_task_index(task) == 0 && ndshm__os_now() < end)
        ;
    while (ndshm_task_index(task) > 0 && !ndshm_task_cancelled(task))
        usleep(100);
    return 0;
}

static void test_the_next_result_wakes_whoever_begins_to_wait(void **state)
{
    int late = 0;
    (void)state;
    for (int64_t ns = 0; ns < 10000; ns += 1000) {
        ndshm_pool *pool = support_pool(1); /* a new one spins, before it parks */
        ndshm_job_config config = support_job(quick_then_slow, 2);
        ndshm_result result;
        ndshm_job *job;
        config.params = &ns;
        config.params_size = sizeof ns;
        assert_ok(ndshm_pool_submit(pool, &config, &job));
        int64_t began = ndshm__os_now();
        assert_ok(ndshm_job_next(job, -1, &result));
        late += ndshm__os_now() - began > 90000000; /* missed until the supervisor is looked at */
        assert_ok(ndshm_job_cancel(job));
        int ended = ndshm_job_wait(job, -1); /* cancelled when the second had not begun */
        assert_true(ended == 0 || ended == NDSHM_ECANCELED);
        ndshm_job_close(&job);
        ndshm_pool_close(&pool);
    }
    assert_true(late < 6); /* nearly all of them were, and a busy machine delays some */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_results_are_right_for_every_count),
        SUPPORT_TEST(test_a_result_is_taken_once_and_outlives_the_pool),
        SUPPORT_TEST(test_frames_come_back),
        SUPPORT_TEST(test_a_segment_made_otherwise_is_handed_over),
        SUPPORT_TEST(test_bad_results_are_refused),
        SUPPORT_TEST(test_functions_by_name),
        SUPPORT_TEST(test_map_forks_now_and_inherits),
        SUPPORT_TEST(test_random_numbers_depend_on_seed_and_index_alone),
        SUPPORT_TEST(test_reductions_in_chunk_order_give_the_same_bytes),
        SUPPORT_TEST(test_more_jobs_than_the_table_has_places),
        SUPPORT_TEST(test_many_small_jobs_one_after_another),
        SUPPORT_TEST(test_large_counts_without_records),
        SUPPORT_TEST(test_the_next_result_wakes_whoever_begins_to_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
