/* SPDX-License-Identifier: MIT */
/* What a job has cost, and its trace as a viewer would read it. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "pools.h"
#include "support.h"

enum { PAUSE_NS = 2000000, VALUES = 1000 };

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int rest(ndshm_task *task)
{
    const struct timespec pause = {0, PAUSE_NS};
    const int64_t values = VALUES;
    ndshm_array *array;
    nanosleep(&pause, NULL);
    return ndshm_task_index(task) % 5 == 4
               ? ndshm_task_fail(task, -EIO, "a \"quoted\" \\ \n\xff message")
               : ndshm_task_create(task, NDSHM_FLOAT64, 1, &values, &array);
}

static int die_once(ndshm_task *task)
{
    ndshm_view out;
    ndshm_task_output(task, &out);
    if (ndshm_task_index(task) == 3 && ++*(int64_t *)out.data == 1)
        kill(getpid(), SIGKILL);
    return 0;
}

static void test_what_a_job_costs(void **state)
{
    enum { TASKS = 20 };
    ndshm_pool *pool = support_pool(2);
    ndshm_job_config config = support_job(rest, TASKS);
    ndshm_worker_stats worker, sum = {0};
    const int64_t values = VALUES;
    ndshm_view view;
    ndshm_array *array = support_array(NULL, NDSHM_FLOAT64, 1, &values, &view);
    const char *shared[] = {ndshm_array_name(array)};
    ndshm_stats stats;
    ndshm_job *job;
    (void)state;
    config.params = "0123456789";
    config.params_size = 10;
    config.shared = shared;
    config.nshared = 1;
    int64_t before = now_ns();
    assert_ok(ndshm_pool_map(pool, &config, &job));
    int64_t wall = now_ns() - before;
    assert_ok(ndshm_job_stats(job, &stats));
    for (int i = 0; i < 2; i++) {
        assert_ok(ndshm_job_worker_stats(job, i, &worker));
        sum.tasks += worker.tasks;
        sum.failed += worker.failed;
        sum.busy_ns += worker.busy_ns;
        assert_true(worker.tasks == 0 || worker.busy_ns >= worker.tasks * PAUSE_NS);
        assert_true(worker.tasks == 0 ||
                    (worker.start_ns >= before && worker.end_ns <= before + wall));
    }
    assert_int_equal(sum.tasks, TASKS);
    assert_int_equal(sum.failed, TASKS / 5);
    assert_int_equal(stats.busy_ns, sum.busy_ns);
    assert_int_equal(stats.retries, 0);
    assert_in_range(stats.workers, 1, 2);
    assert_true(stats.start_ns >= before && stats.end_ns <= before + wall);
    assert_true(stats.busy_ns >= (int64_t)TASKS * PAUSE_NS && stats.busy_ns <= 2 * wall);
    assert_true(stats.idle >= 0 && stats.idle < 1);
    assert_in_range(stats.bytes_copied, 10 + strlen(shared[0]), 10 + strlen(shared[0]) + 16);
    assert_int_equal(stats.bytes_shared, (TASKS * 4 / 5 + 1) * VALUES * sizeof(double));
    assert_fails(-ERANGE, ndshm_job_worker_stats(job, -1, &worker), "no worker");
    assert_fails(-ERANGE, ndshm_job_worker_stats(job, NDSHM_WORKERS_MAX, &worker), "no worker");
    assert_ok(ndshm_job_worker_stats(job, 2, &worker)); /* has never been */
    assert_int_equal(worker.tasks + worker.start_ns + worker.busy_ns, 0);
    assert_fails(-EINVAL, ndshm_job_stats(NULL, &stats), "no job");
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
    ndshm_array_detach(&array);
}

/* One worker has no time to itself; of two, one rests while the other does the only task. */
static void test_idle_time(void **state)
{
    ndshm_pool *pool = support_pool(1);
    ndshm_job_config config = support_job(rest, 4);
    ndshm_stats stats;
    ndshm_job *job;
    (void)state;
    assert_ok(ndshm_pool_map(pool, &config, &job));
    assert_ok(ndshm_job_stats(job, &stats));
    assert_int_equal(stats.workers, 1);
    double wall = (double)(stats.end_ns - stats.start_ns);
    assert_true(stats.idle > 0 && stats.idle * wall <= wall - 4 * PAUSE_NS);
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
}

static void test_retries_are_counted(void **state)
{
    const int64_t tasks = 6;
    ndshm_pool *pool = support_pool(2);
    ndshm_job_config config = support_job(die_once, tasks);
    ndshm_view view;
    ndshm_array *output = support_array(NULL, NDSHM_INT64, 1, &tasks, &view);
    ndshm_progress progress;
    ndshm_stats stats;
    ndshm_job *job;
    (void)state;
    config.output = ndshm_array_name(output);
    config.retries = 3;
    assert_ok(ndshm_pool_map(pool, &config, &job));
    assert_ok(ndshm_job_wait(job, 0));
    assert_ok(ndshm_job_stats(job, &stats));
    assert_ok(ndshm_job_progress(job, &progress));
    assert_int_equal(stats.retries, 1);
    assert_int_equal(progress.deaths, 1);
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
    ndshm_array_detach(&output);
}

/* --- traces --- */

static const char *python(void)
{
    const char *name = getenv("NDSHM_PYTHON");
    return name ? name : "python3";
}

/* names: those of the bars, one a line. */
static void check_trace(const ndshm_job *job, int64_t tasks, const char *names)
{
    char path[300], output[4000];
    snprintf(path, sizeof path, "%s/trace.json", support_directory());
    assert_ok(ndshm_job_trace(job, path));
    if (support_run(output, sizeof output, "%s %s %s %lld", python(), CHECK_TRACE, path,
                    (long long)tasks))
        fail_msg("%s", output);
    assert_string_equal(output, names);
}

static void test_trace_of_tasks(void **state)
{
    static const char *const items[] = {"a", "\"b\" \\", "\xc3\xa9", "bad \xff", "tab\t"};
    ndshm_pool *pool = support_pool(2);
    ndshm_job_config config = support_job(rest, 70);
    ndshm_job *job;
    (void)state;
    assert_ok(ndshm_pool_map(pool, &config, &job));
    check_trace(job, 70, "task\n");
    ndshm_job_close(&job);
    config.flags = NDSHM_JOB_RANGES;
    config.chunk = 20;
    assert_ok(ndshm_pool_map(pool, &config, &job));
    check_trace(job, 70, "task\n");
    ndshm_job_close(&job);
    config = support_job(rest, 5);
    config.items = items;
    assert_ok(ndshm_pool_map(pool, &config, &job));
    ndshm_pool_close(&pool); /* records outlive the pool */
    check_trace(job, 5, "\"b\" \\\na\nbad \xef\xbf\xbd\ntab\t\n\xc3\xa9\n");
    ndshm_job_close(&job);
}

/* A worker that dies at a task leaves the time when it began. */
static int die(ndshm_task *task)
{
    if (ndshm_task_index(task) == 1)
        kill(getpid(), SIGKILL);
    return 0;
}

static void test_trace_of_deaths_and_cancelled_tasks(void **state)
{
    ndshm_pool *pool = support_pool(1);
    ndshm_job_config config = support_job(die, 4);
    ndshm_job *job;
    (void)state;
    config.on_error = NDSHM_ERROR_STOP;
    assert_ok(ndshm_pool_map(pool, &config, &job));
    check_trace(job, 2, "task\n"); /* the other two were not begun */
    ndshm_job_close(&job);
    config = support_job(die, 0);
    assert_ok(ndshm_pool_map(pool, &config, &job));
    check_trace(job, 0, "\n");
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
}

static void test_traces_that_cannot_be(void **state)
{
    char path[300];
    ndshm_pool *pool = support_pool(1);
    ndshm_job_config config = support_job(die, 1);
    struct stat file;
    ndshm_job *job;
    (void)state;
    assert_ok(ndshm_pool_map(pool, &config, &job));
    snprintf(path, sizeof path, "%s/none/trace", support_directory());
    assert_fails(-ENOENT, ndshm_job_trace(job, path), path);
    assert_fails(-EINVAL, ndshm_job_trace(job, NULL), "no path");
    assert_fails(-EINVAL, ndshm_job_trace(NULL, path), "no job");
    if (stat("/dev/full", &file) == 0 &&
        support_run(NULL, 0, "ln -s /dev/full %s/full", support_directory()) == 0) {
        snprintf(path, sizeof path, "%s/full", support_directory());
        assert_fails(-ENOSPC, ndshm_job_trace(job, path), "full");
        assert_int_not_equal(lstat(path, &file), 0);
    }
    ndshm_job_close(&job);
    config.count = 65537;
    assert_ok(ndshm_pool_submit(pool, &config, &job));
    assert_fails(-ENOTSUP, ndshm_job_trace(job, "/dev/null"), "65536");
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_what_a_job_costs),
        SUPPORT_TEST(test_idle_time),
        SUPPORT_TEST(test_retries_are_counted),
        SUPPORT_TEST(test_trace_of_tasks),
        SUPPORT_TEST(test_trace_of_deaths_and_cancelled_tasks),
        SUPPORT_TEST(test_traces_that_cannot_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
