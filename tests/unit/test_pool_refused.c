/* SPDX-License-Identifier: MIT */
/* What a pool refuses: configs that make no sense, functions that it does not have, jobs that were
 * damaged, and an init that fails. */
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "pool/pool.h"
#include "pools.h"
#include "support.h"

static int nothing(ndshm_task *task)
{
    (void)task;
    return 0;
}

static int wait_for_cancel(ndshm_task *task)
{
    while (!ndshm_task_cancelled(task))
        usleep(100);
    return 0;
}

/* --- init and fini --- */

static int init_fails(void *context)
{
    return *(int *)context;
}

static int init_dies(void *context)
{
    (void)context;
    kill(getpid(), SIGSEGV);
    return 0;
}

static void fini_creates(void *context)
{
    ndshm_array *array;
    ndshm_array_create(context, NDSHM_INT8, 0, NULL, NULL, &array);
}

static void test_init_and_fini(void **state)
{
    ndshm_pool_config config;
    ndshm_pool *pool;
    int code = -EDOM;
    (void)state;
    ndshm_pool_config_init(&config);
    config.workers = 3;
    config.init = init_fails;
    config.context = &code;
    assert_fails(NDSHM_EWORKER, ndshm_pool_open(&config, &pool), "init returned -33");
    config.init = init_dies;
    assert_fails(NDSHM_EWORKER, ndshm_pool_open(&config, &pool), "killed by signal 11");
    config.init = NULL;
    config.fini = fini_creates;
    config.workers = 1;
    config.context = "t-pool-fini";
    assert_ok(ndshm_pool_open(&config, &pool));
    assert_ok(ndshm_pool_stop(pool, -1));
    assert_ok(ndshm_unlink("t-pool-fini"));
    ndshm_pool_close(&pool);
}

/* --- configs --- */

static void test_bad_pool_configs(void **state)
{
    ndshm_pool_config config;
    ndshm_pool *pool = NULL;
    (void)state;
    ndshm_pool_config_init(&config);
    config.workers = NDSHM_WORKERS_MAX + 1;
    assert_fails(-EINVAL, ndshm_pool_open(&config, &pool), "at most 120");
    config.workers = -2;
    assert_fails(-EINVAL, ndshm_pool_open(&config, &pool), "");
    config.workers = 1;
    config.flags = 1;
    assert_fails(-EINVAL, ndshm_pool_open(&config, &pool), "flags");
    config.flags = 0;
    config.size = 3;
    assert_fails(-EINVAL, ndshm_pool_open(&config, &pool), "size");
    ndshm_pool_config_init(&config);
    memset(config.label, 'x', sizeof config.label);
    assert_fails(-EINVAL, ndshm_pool_open(&config, &pool), "label");
    assert_fails(-EINVAL, ndshm_pool_open(NULL, NULL), "");
    assert_null(pool);
}

static void expect_bad(ndshm_pool *pool, ndshm_job_config config, const char *text)
{
    ndshm_job *job = NULL;
    assert_fails(-EINVAL, ndshm_pool_submit(pool, &config, &job), text);
    assert_null(job);
}

static void test_bad_places_and_threads(void **state)
{
    static const struct {
        int32_t pin, threads;
        const char *text;
    } bad[] = {{-1, 0, "NDSHM_PIN_"}, {3, 0, "NDSHM_PIN_"}, {0, -2, "threads"}};
    ndshm_pool_config config;
    ndshm_pool *pool;
    (void)state;
    for (int i = 0; i < 3; i++) {
        ndshm_pool_config_init(&config);
        config.pin = bad[i].pin;
        config.threads = bad[i].threads;
        assert_fails(-EINVAL, ndshm_pool_open(&config, &pool), bad[i].text);
    }
}

static void test_bad_job_configs(void **state)
{
    static const char *const items[] = {"a", NULL};
    static const char *const none[] = {NULL};
    static char longest[NDSHM_REF_MAX + 2];
    const char *const too_long[] = {longest};
    ndshm_pool *pool = support_pool(1);
    const ndshm_job_config good = support_job(nothing, 2);
    ndshm_job_config config;
    ndshm_job *job;
    (void)state;
    memset(longest, 'x', sizeof longest - 1);
#define EXPECT_BAD(change, text) (config = good, change, expect_bad(pool, config, text))
    EXPECT_BAD(config.fn = NULL, "either fn or function");
    EXPECT_BAD(config.function = "both", "either fn or function");
    EXPECT_BAD((config.fn = NULL, config.function = ""), "empty");
    EXPECT_BAD((config.fn = NULL, config.function = longest), "1024");
    EXPECT_BAD(config.count = -2, "negative");
    EXPECT_BAD(config.chunk = -1, "negative");
    EXPECT_BAD(config.flags = 0x80, "flags");
    EXPECT_BAD(config.timeout_ms = -1, "deadline");
    EXPECT_BAD(config.order = 2, "order");
    EXPECT_BAD(config.window = 1, "no stream");
    EXPECT_BAD((config.count = NDSHM_STREAM, config.window = -1), "window");
    EXPECT_BAD((config.count = NDSHM_STREAM, config.window = NDSHM_WINDOW_MAX + 1), "window");
    EXPECT_BAD((config.count = NDSHM_STREAM, config.chunk = 2), "one by one");
    EXPECT_BAD((config.count = NDSHM_STREAM, config.items = items), "neither items");
    EXPECT_BAD((config.count = NDSHM_STREAM, config.flags = NDSHM_JOB_RANGES), "ranges");
    EXPECT_BAD(config.nshared = -1, "shared");
    EXPECT_BAD(config.nshared = 1, "without shared");
    EXPECT_BAD((config.nshared = 1, config.shared = none), "NULL");
    EXPECT_BAD(config.items = items, "items[1] is NULL");
    EXPECT_BAD((config.items = too_long, config.count = 1), "1024");
    EXPECT_BAD(config.retries = -1, "retries");
    EXPECT_BAD(config.retries = 101, "retries");
    EXPECT_BAD(config.on_error = 2, "on_error");
    EXPECT_BAD(config.params_size = 1, "without params");
    EXPECT_BAD(config.size = 1, "size");
    EXPECT_BAD(config.context = pool, "context");
    assert_fails(-EINVAL, ndshm_pool_submit(pool, NULL, &job), "no job config");
    assert_fails(-EINVAL, ndshm_pool_submit(NULL, &good, &job), "no pool");
    config = good;
    config.count = INT64_MAX;
    config.chunk = 1;
    assert_int_not_equal(ndshm_pool_submit(pool, &config, &job), 0);
    assert_ok(ndshm_pool_map(pool, &good, &job));
    ndshm_job_close(&job);
    ndshm_job_close(&job);
    ndshm_job_close(NULL);
    ndshm_pool_close(&pool);
    ndshm_pool_close(&pool);
    ndshm_pool_close(NULL);
}

static void test_a_function_loaded_later_is_refused(void **state)
{
    char path[300];
    ndshm_pool *pool = support_pool(1);
    ndshm_job_config config;
    ndshm_job *job;
    (void)state;
    snprintf(path, sizeof path, "%s/later.so", support_directory());
    assert_int_equal(support_run(NULL, 0,
                                 "echo 'int later(void *task) { return task == 0; }' > %s.c && "
                                 "cc -shared -fPIC -o %s %s.c",
                                 path, path, path),
                     0);
    void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    assert_non_null(object);
    void *symbol = dlsym(object, "later");
    config = support_job(nothing, 2);
    memcpy(&config.fn, &symbol, sizeof config.fn);
    assert_fails(-EINVAL, ndshm_pool_submit(pool, &config, &job), "loaded after the pool");
    ndshm_pool_close(&pool);
    pool = support_pool(1); /* opened later still: it has the function */
    assert_ok(ndshm_pool_map(pool, &config, &job));
    assert_int_equal(ndshm_job_failed(job), 0);
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
    dlclose(object);
    memset(&symbol, 1, sizeof symbol);
    memcpy(&config.fn, &symbol, sizeof config.fn);
    pool = support_pool(1);
    assert_fails(-EINVAL, ndshm_pool_submit(pool, &config, &job), "not code");
    ndshm_pool_close(&pool);
}

/* --- bytes that lie --- */

static void test_a_damaged_job_gives_a_status(void **state)
{
    ndshm_pool *pool = support_pool(2);
    (void)state;
    for (int i = 0; i < 2; i++) {
        ndshm_job_config blocker = support_job(wait_for_cancel, 2);
        ndshm_job_config config = support_job(nothing, i ? 100000 : 10);
        ndshm_job *job, *before;
        ndshm_progress progress;
        assert_ok(ndshm_pool_submit(pool, &blocker, &before));
        do
            assert_ok(ndshm_job_progress(before, &progress));
        while (progress.running < 2);
        assert_ok(ndshm_pool_submit(pool, &config, &job));
        job->view.memory->facts.count = INT64_C(1) << 40;
        assert_ok(ndshm_job_cancel(before));
        assert_fails(NDSHM_ECORRUPT, ndshm_job_wait(job, -1), "could not open");
        ndshm_job_close(&job);
        ndshm_job_close(&before);
        config.count = 10;
        assert_ok(ndshm_pool_map(pool, &config, &job));
        ndshm_job_close(&job);
    }
    ndshm_pool_close(&pool);
}

static void test_a_damaged_state_gives_a_status(void **state)
{
    ndshm_pool *pool = support_pool(1);
    ndshm_job_config config = support_job(nothing, 3);
    ndshm_array *array = NULL;
    ndshm_result result;
    ndshm_job *job;
    (void)state;
    assert_ok(ndshm_pool_map(pool, &config, &job));
    atomic_store(&job->view.states[1], 0x90);
    assert_fails(NDSHM_ECORRUPT, ndshm_job_take(job, 1, NDSHM_READ, &array), "task 1");
    assert_ok(ndshm_job_result(job, 1, &result));
    assert_int_equal(result.status, NDSHM_ECORRUPT);
    assert_null(array);
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
}

/* --- too few descriptors to watch all workers --- */

static int open_with_few_descriptors(void *argument)
{
    const struct rlimit few = {60, 60};
    ndshm_pool_config config;
    ndshm_pool *pool;
    (void)argument;
    alarm(20);
    SUPPORT_CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
    ndshm_pool_config_init(&config);
    config.workers = NDSHM_WORKERS_MAX;
    SUPPORT_CHECK(ndshm_pool_open(&config, &pool) == NDSHM_EWORKER);
    SUPPORT_CHECK(strstr(ndshm_error_message(), "no worker can be forked: EMFILE"));
    return 0;
}

static void test_too_few_descriptors_end_the_open(void **state)
{
    (void)state;
    assert_int_equal(support_child(open_with_few_descriptors, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_init_and_fini),
        SUPPORT_TEST(test_bad_places_and_threads),
        SUPPORT_TEST(test_bad_pool_configs),
        SUPPORT_TEST(test_bad_job_configs),
        SUPPORT_TEST(test_a_function_loaded_later_is_refused),
        SUPPORT_TEST(test_a_damaged_job_gives_a_status),
        SUPPORT_TEST(test_a_damaged_state_gives_a_status),
        SUPPORT_TEST(test_too_few_descriptors_end_the_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
