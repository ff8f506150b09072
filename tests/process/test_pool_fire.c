/* SPDX-License-Identifier: MIT */
/* Workers that are killed at random, by the hundred, and tasks that end their worker in every way
 * there is. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ndshm/pool.h>

#include "pools.h"
#include "support.h"

enum { TASKS = 100000, KILLS = 1000, WORKERS = 3 };

/* Its own number, and long enough for the killer to keep up. */
static int write_index(ndshm_task *task)
{
    ndshm_view out;
    int status = ndshm_task_output(task, &out);
    if (status)
        return ndshm_task_fail(task, status, NULL);
    for (volatile int i = 0; i < 20000; i++)
        ;
    *(int64_t *)out.data = ndshm_task_index(task) + 1;
    return 0;
}

/* Kills workers while the job runs; how many died. */
static int64_t kill_workers(ndshm_job *job, int supervisor)
{
    uint64_t state = 1;
    ndshm_progress progress;
    int pids[WORKERS];
    for (;;) {
        assert_ok(ndshm_job_progress(job, &progress));
        if (progress.finished || progress.deaths >= KILLS)
            return progress.deaths;
        state = state * 6364136223846793005u + 1442695040888963407u;
        int count = support_children(supervisor, pids, WORKERS);
        if (count)
            kill(pids[(state >> 33) % (uint64_t)count], SIGKILL);
        usleep((useconds_t)(state >> 40) % 1000);
    }
}

/* Rounds of a job until the kills are done: each task ends once, right or as reported. */
static void burn(int retries, int64_t *lost)
{
    const int64_t count = TASKS;
    ndshm_view view;
    ndshm_array *output = support_array(NULL, NDSHM_INT64, 1, &count, &view);
    ndshm_pool *pool = support_pool(WORKERS);
    ndshm_job_config config = support_job(write_index, count);
    ndshm_progress progress;
    ndshm_job *job;
    int64_t deaths = 0, *values = view.data;
    int supervisor;
    config.output = ndshm_array_name(output);
    config.retries = retries;
    *lost = 0;
    assert_int_equal(support_children(getpid(), &supervisor, 1), 1);
    while (deaths < KILLS) {
        int64_t failed = 0, given = 0;
        ndshm_result result;
        memset(values, 0, sizeof *values * TASKS);
        assert_ok(ndshm_pool_submit(pool, &config, &job));
        deaths = kill_workers(job, supervisor);
        int status = ndshm_job_wait(job, -1);
        while (ndshm_job_next(job, -1, &result) == 0) {
            assert_int_equal(result.index, given++);
            if (result.status == 0)
                assert_int_equal(values[result.index], result.index + 1);
            failed += result.status != 0;
        }
        assert_int_equal(given, TASKS);
        assert_int_equal(status, failed ? NDSHM_ETASK : 0);
        assert_int_equal(ndshm_job_failed(job), failed);
        assert_ok(ndshm_job_progress(job, &progress));
        assert_int_equal(progress.done, TASKS);
        assert_int_equal(progress.running, 0);
        *lost += failed;
        ndshm_job_close(&job);
    }
    assert_true(*lost <= deaths); /* a death costs one task at most */
    ndshm_pool_close(&pool);
    ndshm_array_detach(&output);
}

static void test_a_thousand_deaths(void **state)
{
    int64_t lost;
    (void)state;
    burn(0, &lost);
    assert_true(lost > 0);
    burn(20, &lost);
    assert_int_equal(lost, 0);
}

/* --- every way to end --- */

enum { EXIT, ABORT, OVERFLOW, MEMORY, DESCRIPTORS, THREAD_EXIT, STOP, WAYS };

__attribute__((noinline)) static int overflow(int depth)
{
    volatile char frame[4096];
    frame[0] = (char)depth;
    if (depth < 0) /* never: but compilers know what has no end */
        return 0;
    return frame[0] + overflow(depth + 1) + frame[0];
}

static int take_memory(void)
{
    struct rlimit limit = {256 << 20, 256 << 20};
    setrlimit(RLIMIT_AS, &limit);
    for (;;) { /* not malloc, which ends a sanitized process in its own way */
        volatile char *more =
            mmap(NULL, 16 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (more == MAP_FAILED)
            return raise(SIGKILL); /* as the kernel does */
        more[0] = 1;
    }
}

static int end_somehow(ndshm_task *task)
{
    int64_t one = 1;
    ndshm_array *array;
    switch (ndshm_task_index(task)) {
    case EXIT:
        exit(7);
    case ABORT:
        abort();
    case OVERFLOW:
        return overflow(0);
    case MEMORY:
        return take_memory();
    case DESCRIPTORS:
        for (int fd = 0; fd < 1024; fd++)
            close(fd);
        return 0;
    case THREAD_EXIT:
        pthread_exit(NULL);
    case STOP:
        return raise(SIGSTOP);
    default:
        return ndshm_task_create(task, NDSHM_INT64, 1, &one, &array);
    }
}

static void test_whatever_a_task_does_it_fails_alone(void **state)
{
    static const int signals[WAYS] = {
        [ABORT] = SIGABRT, [OVERFLOW] = SIGSEGV, [MEMORY] = SIGKILL, [STOP] = SIGKILL};
    ndshm_pool *pool = support_pool(2);
    ndshm_job_config config = support_job(end_somehow, WAYS + 50);
    ndshm_result result;
    ndshm_array *array;
    ndshm_job *job;
    (void)state;
    config.timeout_ms = 10000; /* a stopped worker has no other end */
    assert_ok(ndshm_pool_submit(pool, &config, &job));
    assert_fails(NDSHM_ETASK, ndshm_job_wait(job, -1), "tasks failed");
    for (int i = 0; i < WAYS + 50; i++) {
        int expected = i == STOP ? -ETIMEDOUT : i == DESCRIPTORS || i >= WAYS ? 0 : NDSHM_EWORKER;
        assert_ok(ndshm_job_result(job, i, &result));
        assert_int_equal(result.status, expected);
        assert_int_equal(result.signal, i < WAYS ? signals[i] : 0);
        if (i < WAYS)
            continue;
        assert_ok(ndshm_job_take(job, i, NDSHM_READ, &array));
        ndshm_array_detach(&array);
    }
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
}

/* --- hosts of all kinds --- */

static int fail_odd(ndshm_task *task)
{
    if (ndshm_task_index(task) == 1)
        raise(SIGKILL);
    return 0;
}

static int run_once(void)
{
    ndshm_job_config config = support_job(fail_odd, 20);
    ndshm_pool *pool;
    ndshm_job *job;
    SUPPORT_CHECK(ndshm_pool_open(NULL, &pool) == 0);
    for (int i = 0; i < 3; i++) {
        SUPPORT_CHECK(ndshm_pool_map(pool, &config, &job) == 0);
        SUPPORT_CHECK(ndshm_job_failed(job) == 1);
        ndshm_job_close(&job);
    }
    SUPPORT_CHECK(ndshm_pool_stop(pool, -1) == 0);
    ndshm_pool_close(&pool);
    return 0;
}

static int ignore_children(void *argument)
{
    (void)argument;
    signal(SIGCHLD, SIG_IGN);
    return run_once();
}

static void *collect_all(void *argument)
{
    const _Atomic int *done = argument;
    while (!*done)
        if (waitpid(-1, NULL, WNOHANG) <= 0)
            usleep(100);
    return NULL;
}

static int collect_in_a_thread(void *argument)
{
    _Atomic int done = 0;
    pthread_t thread;
    (void)argument;
    SUPPORT_CHECK(pthread_create(&thread, NULL, collect_all, &done) == 0);
    int verdict = run_once();
    done = 1;
    pthread_join(thread, NULL);
    return verdict;
}

static void test_hosts_that_collect_children_themselves(void **state)
{
    (void)state;
    assert_int_equal(support_child(ignore_children, NULL), 0);
    assert_int_equal(support_child(collect_in_a_thread, NULL), 0);
}

static int leave_megabyte(ndshm_task *task)
{
    int64_t bytes = 1 << 20;
    ndshm_array *array;
    int status = ndshm_task_create(task, NDSHM_UINT8, 1, &bytes, &array);
    return status ? ndshm_task_fail(task, status, NULL) : 0;
}

static int in_little_space(void *argument)
{
    ndshm_job_config config = support_job(leave_megabyte, 12);
    ndshm_result result;
    ndshm_pool *pool;
    ndshm_job *job;
    (void)argument;
    SUPPORT_CHECK(ndshm_pool_open(NULL, &pool) == 0);
    SUPPORT_CHECK(ndshm_pool_map(pool, &config, &job) == 0);
    int64_t failed = ndshm_job_failed(job);
    SUPPORT_CHECK(failed > 0 && failed < 12);
    for (int i = 0; i < 12; i++) {
        SUPPORT_CHECK(ndshm_job_result(job, i, &result) == 0);
        SUPPORT_CHECK(result.status == 0 || result.status == -ENOSPC);
        SUPPORT_CHECK(result.status == 0 || strstr(result.message, "/dev/shm"));
    }
    ndshm_job_close(&job);
    config.max_result_bytes = 3 << 20; /* then it fits */
    SUPPORT_CHECK(ndshm_pool_submit(pool, &config, &job) == 0);
    while (ndshm_job_next(job, -1, &result) == 0) {
        ndshm_array *array;
        SUPPORT_CHECK(result.status == 0);
        SUPPORT_CHECK(ndshm_job_take(job, result.index, NDSHM_READ, &array) == 0);
        ndshm_array_detach(&array);
    }
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
    return 0;
}

static int in_no_space(void *argument)
{
    ndshm_pool *pool;
    (void)argument;
    SUPPORT_CHECK(ndshm_pool_open(NULL, &pool) == -ENOSPC);
    SUPPORT_CHECK(strstr(ndshm_error_message(), "/dev/shm") != NULL);
    return 0;
}

static void test_little_space(void **state)
{
    (void)state;
    int verdict = support_in_tmpfs("size=10m", in_little_space, NULL);
    if (verdict == -1)
        skip();
    assert_int_equal(verdict, 0);
    assert_int_equal(support_in_tmpfs("size=512k", in_no_space, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_a_thousand_deaths),
        SUPPORT_TEST(test_whatever_a_task_does_it_fails_alone),
        SUPPORT_TEST(test_hosts_that_collect_children_themselves),
        SUPPORT_TEST(test_little_space),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
