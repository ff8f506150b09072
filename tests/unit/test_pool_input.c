/* SPDX-License-Identifier: MIT */
/* What goes into a job: parameters, items, shared references and the output. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pools.h"
#include "support.h"

static int nothing(ndshm_task *task)
{
    (void)task;
    return 0;
}

static int check_params(ndshm_task *task)
{
    size_t size;
    const int32_t *params = ndshm_task_params(task, &size);
    const char *item = ndshm_task_item(task);
    char expected[32];
    snprintf(expected, sizeof expected, "item-%d", (int)ndshm_task_index(task));
    if (size % 4 || !item || strcmp(item, expected) != 0)
        return -EINVAL;
    for (size_t i = 0; i < size / 4; i++)
        if (params[i] != (int32_t)i)
            return -EDOM;
    return 0;
}

static void test_params_and_items_arrive(void **state)
{
    static const size_t sizes[] = {4, 4000, 4 << 20};
    static char texts[200][32];
    const char *items[200];
    ndshm_pool *pool = support_pool(2);
    int32_t *params = malloc(4 << 20);
    (void)state;
    for (int i = 0; i < 1 << 20; i++)
        params[i] = i;
    for (int i = 0; i < 200; i++) {
        snprintf(texts[i], sizeof texts[i], "item-%d", i);
        items[i] = texts[i];
    }
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        ndshm_job *job;
        ndshm_job_config config = support_job(check_params, 200);
        config.params = params;
        config.params_size = sizes[i];
        config.items = items;
        assert_ok(ndshm_pool_map(pool, &config, &job));
        assert_int_equal(ndshm_job_failed(job), 0);
        ndshm_job_close(&job);
    }
    free(params);
    ndshm_pool_close(&pool);
}

static int sum_shared(ndshm_task *task)
{
    ndshm_array *whole, *part, *again, *writable;
    ndshm_view a, b, out;
    int status = ndshm_task_shared(task, 0, NDSHM_READ, &whole);
    if (!status)
        status = ndshm_task_shared(task, 1, NDSHM_READ, &part);
    if (!status)
        status = ndshm_task_shared(task, 0, NDSHM_READ, &again);
    if (!status)
        status = ndshm_task_shared(task, 0, NDSHM_COW, &writable);
    if (!status)
        status = ndshm_task_output(task, &out);
    if (status)
        return ndshm_task_fail(task, status, NULL);
    ndshm_array_read(whole, &a);
    ndshm_array_read(part, &b);
    if (again != whole || !(a.flags & NDSHM_VIEW_READONLY) || b.shape[0] != 10)
        return -EINVAL;
    int64_t *own = (ndshm_array_read(writable, &a), a.data);
    if (own[0] != 0) /* another task's private write */
        return -EDOM;
    own[0] = 99;
    ndshm_array_read(whole, &a);
    int64_t index = ndshm_task_index(task);
    *(int64_t *)out.data = ((int64_t *)a.data)[index] * 1000 + *(int64_t *)b.data;
    return out.ndim == 0 ? 0 : -EDOM;
}

static void test_shared_references_and_output(void **state)
{
    static const char *const shared[] = {"t-pool-in", "t-pool-in[10:20]"};
    int64_t n = 100;
    ndshm_view in, out;
    ndshm_pool *pool = support_pool(2);
    ndshm_array *input = support_array("t-pool-in", NDSHM_INT64, 1, &n, &in);
    ndshm_array *output = support_array("t-pool-out", NDSHM_INT64, 1, &n, &out);
    ndshm_job_config config = support_job(sum_shared, n);
    ndshm_job *job;
    (void)state;
    for (int64_t i = 0; i < n; i++)
        ((int64_t *)in.data)[i] = i;
    config.shared = shared;
    config.nshared = 2;
    config.output = "t-pool-out";
    assert_ok(ndshm_pool_map(pool, &config, &job));
    assert_int_equal(ndshm_job_failed(job), 0);
    for (int64_t i = 0; i < n; i++)
        assert_int_equal(((int64_t *)out.data)[i], i * 1000 + 10);
    ndshm_job_close(&job);
    assert_ok(ndshm_array_unlink(input));
    assert_ok(ndshm_array_unlink(output));
    ndshm_array_detach(&input);
    ndshm_array_detach(&output);
    ndshm_pool_close(&pool);
}

static int fill_range(ndshm_task *task)
{
    int64_t begin, end;
    ndshm_view out;
    ndshm_task_range(task, &begin, &end);
    int status = ndshm_task_output(task, &out);
    if (status)
        return status;
    if (out.ndim != 2 || out.shape[0] != end - begin || ndshm_task_index(task) != begin)
        return -EINVAL;
    for (int64_t i = begin; i < end; i++)
        for (int64_t k = 0; k < 3; k++)
            *(double *)((char *)out.data + (i - begin) * out.strides[0] + k * out.strides[1]) +=
                (double)(i * 10 + k);
    return 0;
}

static void test_ranges_cover_the_output_once(void **state)
{
    static const int64_t counts[] = {0, 1, 64, 1000, 100000};
    static const int64_t chunks[] = {0, 1, 999};
    ndshm_pool *pool = support_pool(2);
    (void)state;
    for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
        for (size_t k = 0; k < sizeof chunks / sizeof *chunks; k++) {
            int64_t shape[] = {counts[c], 3};
            ndshm_view view;
            ndshm_job *job;
            ndshm_progress progress;
            ndshm_array *output = support_array("t-pool-out", NDSHM_FLOAT64, 2, shape, &view);
            ndshm_job_config config = support_job(fill_range, counts[c]);
            config.flags = NDSHM_JOB_RANGES;
            config.chunk = chunks[k];
            config.output = "t-pool-out";
            assert_ok(ndshm_pool_map(pool, &config, &job));
            assert_ok(ndshm_job_progress(job, &progress));
            assert_int_equal(progress.count, counts[c]);
            assert_int_equal(progress.done, counts[c]);
            assert_int_equal(progress.failed, 0);
            assert_int_equal(progress.finished, 1);
            for (int64_t i = 0; i < counts[c] * 3; i++)
                assert_true(((double *)view.data)[i] == (double)(i / 3 * 10 + i % 3));
            ndshm_job_close(&job);
            assert_ok(ndshm_array_unlink(output));
            ndshm_array_detach(&output);
        }
    ndshm_pool_close(&pool);
}

static void test_bad_references_are_refused(void **state)
{
    static const char *const missing[] = {"t-pool-none"};
    int64_t n = 10;
    ndshm_view view;
    ndshm_pool *pool = support_pool(1);
    ndshm_array *array = support_array("t-pool-out", NDSHM_INT64, 1, &n, &view);
    ndshm_job_config config = support_job(nothing, 11);
    ndshm_job *job;
    (void)state;
    config.output = "t-pool-out";
    assert_fails(NDSHM_ESHAPE, ndshm_pool_submit(pool, &config, &job), "length 10 for 11");
    config.output = "t-pool-out[0:5";
    assert_fails(-EINVAL, ndshm_pool_submit(pool, &config, &job), "");
    config.output = "t-pool-none";
    assert_fails(-ENOENT, ndshm_pool_submit(pool, &config, &job), "t-pool-none");
    config.output = "t-pool-out[0]";
    assert_fails(NDSHM_ESHAPE, ndshm_pool_submit(pool, &config, &job), "no axis");
    config.output = NULL;
    config.shared = missing;
    config.nshared = 1;
    assert_fails(-ENOENT, ndshm_pool_submit(pool, &config, &job), "t-pool-none");
    assert_ok(ndshm_array_unlink(array));
    ndshm_array_detach(&array);
    ndshm_pool_close(&pool);
}

static int use_replaced(ndshm_task *task)
{
    ndshm_array *array;
    while (!ndshm_task_cancelled(task) && ndshm_wait("t-pool-go", 100) != 0)
        ;
    return ndshm_task_shared(task, 0, NDSHM_READ, &array);
}

static void test_a_replaced_reference_is_noticed(void **state)
{
    static const char *const shared[] = {"t-pool-in"};
    int64_t n = 10;
    ndshm_view view;
    ndshm_pool *pool = support_pool(1);
    ndshm_array *first = support_array("t-pool-in", NDSHM_INT64, 1, &n, &view), *second, *go;
    ndshm_job_config config = support_job(use_replaced, 1);
    ndshm_result result;
    ndshm_job *job;
    (void)state;
    config.shared = shared;
    config.nshared = 1;
    assert_ok(ndshm_pool_submit(pool, &config, &job));
    assert_ok(ndshm_array_unlink(first));
    second = support_array("t-pool-in", NDSHM_INT64, 1, &n, &view);
    go = support_array("t-pool-go", NDSHM_INT64, 1, &n, &view);
    assert_fails(NDSHM_ETASK, ndshm_job_wait(job, -1), "1 of 1");
    assert_ok(ndshm_job_result(job, 0, &result));
    assert_int_equal(result.status, -ESTALE);
    ndshm_job_close(&job);
    assert_ok(ndshm_array_unlink(second));
    assert_ok(ndshm_array_unlink(go));
    ndshm_array_detach(&first);
    ndshm_array_detach(&second);
    ndshm_array_detach(&go);
    ndshm_pool_close(&pool);
}

static int share_badly(ndshm_task *task)
{
    ndshm_array *array;
    ndshm_frame *frame;
    ndshm_view view;
    return ndshm_task_shared(task, 1, NDSHM_READ, &array) == -EINVAL &&
                   ndshm_task_shared(task, -1, NDSHM_READ, &array) == -EINVAL &&
                   ndshm_task_shared(task, 0, 7, &array) == -EINVAL &&
                   ndshm_task_shared_frame(task, 0, NDSHM_READ, &frame) == NDSHM_EKIND &&
                   ndshm_task_shared(task, 0, NDSHM_READ, &array) == 0 &&
                   ndshm_task_shared_frame(task, 0, NDSHM_READ, &frame) == NDSHM_EKIND &&
                   ndshm_task_output(task, &view) == -ENOENT && ndshm_task_item(task) == NULL &&
                   ndshm_task_params(task, NULL) == NULL && ndshm_task_function(task) == NULL
               ? 0
               : 1;
}

static void test_bad_use_of_shared_is_refused(void **state)
{
    static const char *const shared[] = {"t-pool-in"};
    int64_t n = 10;
    ndshm_view view;
    ndshm_pool *pool = support_pool(1);
    ndshm_array *array = support_array("t-pool-in", NDSHM_INT64, 1, &n, &view);
    ndshm_job_config config = support_job(share_badly, 1);
    ndshm_job *job;
    (void)state;
    config.shared = shared;
    config.nshared = 1;
    assert_ok(ndshm_pool_map(pool, &config, &job));
    assert_int_equal(ndshm_job_failed(job), 0);
    ndshm_job_close(&job);
    assert_ok(ndshm_array_unlink(array));
    ndshm_array_detach(&array);
    ndshm_pool_close(&pool);
}

static int detach_everything(ndshm_task *task)
{
    ndshm_array *shared, *own, *result;
    ndshm_view view;
    int status = ndshm_task_shared(task, 0, NDSHM_READ, &shared);
    if (!status)
        status = ndshm_array_share(shared, &own);
    if (!status)
        status = ndshm_task_create(task, NDSHM_INT64, 0, NULL, &result);
    if (!status)
        status = ndshm_array_read(result, &view);
    if (status)
        return status;
    ndshm_array_detach(&shared);
    ndshm_array_detach(&result);
    ndshm_array_read(own, &view);
    int64_t first = *(int64_t *)view.data;
    ndshm_array_detach(&own); /* this one was the task's */
    return shared || result || own || first != 7 ? -EBADE : 0;
}

static void test_detaching_what_was_borrowed_does_no_harm(void **state)
{
    int64_t n = 4;
    ndshm_view view;
    ndshm_job *job;
    ndshm_array *taken, *array = support_array("t-pool-lent", NDSHM_INT64, 1, &n, &view);
    ndshm_pool *pool = support_pool(1);
    ndshm_job_config config = support_job(detach_everything, 20);
    const char *shared = "t-pool-lent";
    (void)state;
    *(int64_t *)view.data = 7;
    config.shared = &shared;
    config.nshared = 1;
    assert_ok(ndshm_pool_map(pool, &config, &job));
    assert_ok(ndshm_job_wait(job, 0));
    for (int i = 0; i < 20; i++) {
        assert_ok(ndshm_job_take(job, i, NDSHM_READ, &taken));
        ndshm_array_detach(&taken);
    }
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
    assert_ok(ndshm_array_unlink(array));
    ndshm_array_detach(&array);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_params_and_items_arrive),
        SUPPORT_TEST(test_shared_references_and_output),
        SUPPORT_TEST(test_ranges_cover_the_output_once),
        SUPPORT_TEST(test_bad_references_are_refused),
        SUPPORT_TEST(test_a_replaced_reference_is_noticed),
        SUPPORT_TEST(test_bad_use_of_shared_is_refused),
        SUPPORT_TEST(test_detaching_what_was_borrowed_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
