/* SPDX-License-Identifier: MIT */
/* Several processes: who dies when, what is left of them, and workers that join. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <ndshm/pool.h>

#include "support.h"

enum { PATIENCE_MS = 5000, ROUNDS = 200 };

/* --- watching processes --- */

/* Whoever loses its parent becomes our child, so that we know when all are gone. */
static void adopt_orphans(void)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
}

/* Waits until we have at most expected children; 0 when that is so. A child may leave us its own at
 * the moment when it is collected: only a list in which nobody had to be collected counts. */
static int wait_for_orphans(int expected)
{
    int pids[64];
    for (int i = 0; i < PATIENCE_MS; i++) {
        int count = support_children(getpid(), pids, 64);
        if (count <= expected)
            return 0;
        for (int k = 0; k < count; k++)
            waitpid(pids[k], NULL, WNOHANG);
        usleep(1000);
    }
    return -1;
}

static int names_gone(const char *prefix)
{
    for (int i = 0; i < PATIENCE_MS; i++) {
        if (support_names(prefix) == 0)
            return 1;
        usleep(1000);
    }
    return 0;
}

/* --- a host that works until it is killed --- */

static int leave_result(ndshm_task *task)
{
    int64_t n = 500;
    ndshm_array *array;
    return ndshm_task_create(task, NDSHM_INT64, 1, &n, &array);
}

/* Opens pools, runs jobs, takes some of the results, closes: over and over. */
static int host(void *argument)
{
    (void)argument;
    for (;;) {
        ndshm_pool_config pool_config;
        ndshm_pool *pool;
        ndshm_pool_config_init(&pool_config);
        pool_config.workers = 2;
        if (ndshm_pool_open(&pool_config, &pool))
            return 1;
        for (int i = 0; i < 20; i++) {
            ndshm_job_config config;
            ndshm_array *array = NULL;
            ndshm_job *job;
            ndshm_job_config_init(&config);
            config.fn = leave_result;
            config.count = i % 2 ? 4 : 400; /* inline, and in a segment of its own */
            if (ndshm_pool_submit(pool, &config, &job))
                break;
            if (ndshm_job_wait(job, i % 3 ? -1 : 0) == 0)
                ndshm_job_take(job, 1, NDSHM_READ, &array);
            ndshm_job_close(&job);
            ndshm_array_detach(&array);
        }
        ndshm_pool_close(&pool);
    }
}

/* As an operator does; without the tool, by what it is made of. */
static int clean(void)
{
    const char *tool = getenv("SHM_INSPECT");
    ndshm_list *list;
    ndshm_info info;
    ndshm_reap_report report;
    if (tool)
        return support_run(NULL, 0, "%s clean --force >/dev/null", tool);
    for (int pass = 0; pass < 2; pass++) { /* members, then their pools */
        if (ndshm_list_open(&list))
            return -1;
        while (ndshm_list_next(list, &info) == 0)
            ndshm_reap(info.name, NULL, &report);
        ndshm_list_close(&list);
    }
    return 0;
}

static uint64_t random_state = 1;

static int random_below(int n)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (int)((random_state >> 33) % (uint64_t)n);
}

/* Kills the host, its supervisor, a worker, or several of them. */
static void kill_someone(int host_pid)
{
    int supervisors[8], workers[8];
    int nsupervisors = support_children(host_pid, supervisors, 8);
    int nworkers = nsupervisors ? support_children(supervisors[0], workers, 8) : 0;
    int what = 1 + random_below(7);
    if (what & 1 && nworkers)
        kill(workers[random_below(nworkers)], SIGKILL);
    if (what & 2 && nsupervisors)
        kill(supervisors[0], SIGKILL);
    if (what & 4)
        kill(host_pid, SIGKILL);
    usleep((useconds_t)random_below(2000));
    kill(host_pid, SIGKILL);
}

/* In a /dev/shm of its own. What lives must stay: an array, and a pool with a result that nobody
 * took yet. */
static int kill_at_random(void *argument)
{
    (void)argument;
    int64_t n = 100;
    ndshm_pool_config pool_config;
    ndshm_job_config config;
    ndshm_array *live, *taken;
    ndshm_pool *pool;
    ndshm_job *job;
    ndshm_info info;
    adopt_orphans();
    ndshm_pool_config_init(&pool_config);
    pool_config.workers = 1;
    ndshm_job_config_init(&config);
    config.fn = leave_result;
    config.count = 2;
    SUPPORT_CHECK(ndshm_array_create("t-pool-live", NDSHM_INT64, 1, &n, NULL, &live) == 0);
    SUPPORT_CHECK(ndshm_pool_open(&pool_config, &pool) == 0);
    SUPPORT_CHECK(ndshm_pool_map(pool, &config, &job) == 0);
    int living = support_names("");
    for (int round = 0; round < ROUNDS; round++) {
        int pid = support_child_start(host, NULL);
        usleep((useconds_t)random_below(12000));
        kill_someone(pid);
        SUPPORT_CHECK(wait_for_orphans(1) == 0); /* our own supervisor */
        SUPPORT_CHECK(clean() == 0);
        SUPPORT_CHECK(support_names("") == living);
        SUPPORT_CHECK(ndshm_inspect("t-pool-live", &info) == 0);
    }
    SUPPORT_CHECK(ndshm_job_take(job, 0, NDSHM_READ, &taken) == 0);
    ndshm_job_close(&job);
    SUPPORT_CHECK(ndshm_pool_map(pool, &config, &job) == 0);
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
    ndshm_array_detach(&taken);
    ndshm_array_unlink(live);
    ndshm_array_detach(&live);
    SUPPORT_CHECK(support_names("") == 0);
    return 0;
}

/* As support_in_tmpfs, but where a namespace is not to be had. */
static void test_kill_at_random(void **state)
{
    (void)state;
    int verdict = support_in_tmpfs("size=64m", kill_at_random, NULL);
    if (verdict == -1)
        skip();
    assert_int_equal(verdict, 0);
}

/* --- one host, killed while it works or sits in its own code --- */

struct named {
    char pool[256];
    int pipe[2];
    int ignore_interrupt;
};

static int sleep_long(ndshm_task *task)
{
    int64_t n = 500;
    ndshm_array *array;
    ndshm_task_create(task, NDSHM_INT64, 1, &n, &array);
    if (ndshm_task_index(task) > 2)
        sleep(100);
    return 0;
}

/* Tells its pool's name when workers are at work. */
static int busy_host(void *argument)
{
    struct named *named = argument;
    ndshm_pool_config pool_config;
    ndshm_job_config config;
    ndshm_progress progress;
    ndshm_pool *pool;
    ndshm_job *job;
    char line[256] = "";
    setpgid(0, 0);
    if (named->ignore_interrupt)
        signal(SIGINT, SIG_IGN);
    ndshm_pool_config_init(&pool_config);
    pool_config.workers = 2;
    ndshm_job_config_init(&config);
    config.fn = sleep_long;
    config.count = 1000;
    SUPPORT_CHECK(ndshm_pool_open(&pool_config, &pool) == 0);
    SUPPORT_CHECK(ndshm_pool_submit(pool, &config, &job) == 0);
    do
        ndshm_job_progress(job, &progress);
    while (progress.done < 3 || progress.running < 2);
    snprintf(line, sizeof line, "%s", ndshm_pool_name(pool));
    SUPPORT_CHECK(write(named->pipe[1], line, sizeof line) == sizeof line);
    if (named->ignore_interrupt) {
        usleep(50000);
        SUPPORT_CHECK(ndshm_job_progress(job, &progress) == 0);
        SUPPORT_CHECK(progress.workers == 2 && progress.deaths == 0);
        ndshm_job_close(&job);
        ndshm_pool_close(&pool);
        return 0;
    }
    sleep(100);
    return 0;
}

static int start_busy_host(struct named *named)
{
    assert_int_equal(pipe(named->pipe), 0);
    int pid = support_child_start(busy_host, named);
    close(named->pipe[1]);
    assert_int_equal(read(named->pipe[0], named->pool, sizeof named->pool), sizeof named->pool);
    close(named->pipe[0]);
    assert_true(support_names(named->pool) > 3);
    return pid;
}

static void test_a_killed_host_leaves_nothing(void **state)
{
    struct named named = {.ignore_interrupt = 0};
    (void)state;
    int pid = start_busy_host(&named);
    kill(pid, SIGKILL);
    assert_int_equal(support_child_wait(pid), 128 + SIGKILL);
    assert_int_equal(wait_for_orphans(0), 0);
    assert_true(names_gone(named.pool));
}

static void test_interrupt_to_the_whole_group(void **state)
{
    struct named named = {.ignore_interrupt = 0};
    (void)state;
    int pid = start_busy_host(&named);
    kill(-pid, SIGINT);
    assert_int_equal(support_child_wait(pid), 128 + SIGINT);
    assert_int_equal(wait_for_orphans(0), 0);
    assert_true(names_gone(named.pool));
}

static void test_interrupt_that_the_host_survives(void **state)
{
    struct named named = {.ignore_interrupt = 1};
    (void)state;
    int pid = start_busy_host(&named);
    kill(-pid, SIGINT);
    kill(-pid, SIGINT);
    assert_int_equal(support_child_wait(pid), 0);
    assert_int_equal(wait_for_orphans(0), 0);
    assert_true(names_gone(named.pool));
}

static void test_host_and_supervisor_killed_together(void **state)
{
    struct named named = {.ignore_interrupt = 0};
    ndshm_reap_report report;
    int supervisor;
    (void)state;
    int pid = start_busy_host(&named);
    assert_int_equal(support_children(pid, &supervisor, 1), 1);
    kill(supervisor, SIGSTOP); /* so that it cannot clean up first */
    assert_ok(ndshm_reap(named.pool, NULL, &report));
    assert_int_equal(report.decision, NDSHM_REAP_POOL_ALIVE);
    kill(pid, SIGKILL);
    kill(supervisor, SIGKILL);
    assert_int_equal(support_child_wait(pid), 128 + SIGKILL);
    assert_int_equal(wait_for_orphans(0), 0);
    assert_ok(ndshm_reap(named.pool, NULL, &report)); /* with its members */
    assert_int_equal(report.decision, NDSHM_REAP_REMOVED);
    assert_int_equal(support_names(named.pool), 0);
}

static int exit_without_closing(void *argument)
{
    ndshm_pool *pool;
    (void)argument;
    SUPPORT_CHECK(ndshm_pool_open(NULL, &pool) == 0);
    return 0;
}

static void test_a_host_that_just_exits(void **state)
{
    (void)state;
    assert_int_equal(support_child(exit_without_closing, NULL), 0);
    assert_int_equal(wait_for_orphans(0), 0);
}

/* --- output --- */

static int print(ndshm_task *task)
{
    printf("task %d\n", (int)ndshm_task_index(task));
    return 0;
}

static int print_in_pool(void *argument)
{
    ndshm_job_config config;
    ndshm_job *job;
    SUPPORT_CHECK(freopen(argument, "w", stdout) != NULL);
    printf("before\n");
    ndshm_job_config_init(&config);
    config.fn = print;
    config.count = 2;
    SUPPORT_CHECK(ndshm_map(&config, 2, &job) == 0);
    ndshm_job_close(&job);
    printf("after\n");
    return 0;
}

static void test_every_line_is_printed_once(void **state)
{
    char path[300], text[300] = "";
    (void)state;
    snprintf(path, sizeof path, "%s/output", support_directory());
    assert_int_equal(support_child(print_in_pool, path), 0);
    assert_int_equal(support_run(text, sizeof text, "sort %s", path), 0);
    assert_string_equal(text, "after\nbefore\ntask 0\ntask 1\n");
}

/* --- workers that join --- */

/* Serves a pool that it knows by name alone. Dies in the first task when asked to. */
static int serve(const char *pool, int die)
{
    ndshm_worker *worker;
    ndshm_task *task;
    int status;
    SUPPORT_CHECK(ndshm_worker_join(pool, &worker) == 0);
    while ((status = ndshm_worker_next(worker, -1, &task)) == 0) {
        int64_t one = 1, index = ndshm_task_index(task);
        ndshm_array *array;
        ndshm_view view;
        SUPPORT_CHECK(strcmp(ndshm_task_function(task), "double it") == 0);
        if (die)
            kill(getpid(), SIGKILL);
        status = ndshm_task_create(task, NDSHM_INT64, 1, &one, &array);
        SUPPORT_CHECK(status == 0);
        ndshm_array_read(array, &view);
        *(int64_t *)view.data = 2 * index;
        SUPPORT_CHECK(ndshm_worker_next(worker, 0, &task) == -EBUSY);
        SUPPORT_CHECK(ndshm_task_finish(task, index == 7 ? -EDOM : 0, "seven") == 0);
        SUPPORT_CHECK(ndshm_task_finish(task, 0, NULL) == -EINVAL);
    }
    ndshm_worker_leave(&worker);
    return status == NDSHM_ECANCELED ? 0 : 1;
}

static int serve_well(void *argument)
{
    return serve(argument, 0);
}

static int serve_and_die(void *argument)
{
    return serve(argument, 1);
}

static ndshm_pool *open_pool_without_workers(char name[256])
{
    ndshm_pool_config config;
    ndshm_pool *pool;
    ndshm_pool_config_init(&config);
    config.workers = NDSHM_WORKERS_NONE;
    assert_ok(ndshm_pool_open(&config, &pool));
    assert_int_equal(ndshm_pool_workers(pool), 0);
    snprintf(name, 256, "%s", ndshm_pool_name(pool));
    return pool;
}

static void check_doubles(ndshm_job *job, int64_t count)
{
    ndshm_array *array;
    ndshm_view view;
    for (int64_t i = 0; i < count; i++) {
        if (i == 7) {
            assert_fails(-EDOM, ndshm_job_take(job, i, NDSHM_READ, &array), "seven");
            continue;
        }
        assert_ok(ndshm_job_take(job, i, NDSHM_READ, &array));
        assert_ok(ndshm_array_read(array, &view));
        assert_int_equal(*(int64_t *)view.data, 2 * i);
        ndshm_array_detach(&array);
    }
}

static void test_workers_join_by_name(void **state)
{
    char name[256];
    ndshm_job_config config;
    ndshm_job *job;
    ndshm_pool *pool = open_pool_without_workers(name);
    (void)state;
    ndshm_job_config_init(&config);
    config.count = 50;
    config.fn = leave_result;
    assert_fails(-EINVAL, ndshm_pool_submit(pool, &config, &job), "no workers of its own");
    config.fn = NULL;
    config.function = "double it";
    assert_ok(ndshm_pool_submit(pool, &config, &job));
    assert_fails(-ETIMEDOUT, ndshm_job_wait(job, 10), "");
    int one = support_child_start(serve_well, name), two = support_child_start(serve_well, name);
    assert_fails(NDSHM_ETASK, ndshm_job_wait(job, -1), "1 of 50");
    check_doubles(job, 50);
    ndshm_job_close(&job);
    assert_ok(ndshm_pool_submit(pool, &config, &job));
    assert_ok(ndshm_pool_stop(pool, -1));
    assert_int_equal(support_child_wait(one), 0);
    assert_int_equal(support_child_wait(two), 0);
    check_doubles(job, 50);
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
}

static void test_a_joined_worker_that_dies_is_noticed(void **state)
{
    char name[256];
    ndshm_job_config config;
    ndshm_result result;
    ndshm_job *job;
    ndshm_pool *pool = open_pool_without_workers(name);
    (void)state;
    ndshm_job_config_init(&config);
    config.function = "double it";
    config.count = 20;
    config.retries = 1;
    assert_ok(ndshm_pool_submit(pool, &config, &job));
    assert_int_equal(support_child(serve_and_die, name), 128 + SIGKILL);
    int helper = support_child_start(serve_well, name);
    assert_fails(NDSHM_ETASK, ndshm_job_wait(job, -1), "1 of 20");
    check_doubles(job, 20);
    assert_ok(ndshm_job_result(job, 0, &result));
    assert_int_equal(result.attempts, 2);
    ndshm_pool_close(&pool);
    assert_int_equal(support_child_wait(helper), 0);
    ndshm_job_close(&job);
}

static int join_nothing(void *argument)
{
    ndshm_worker *worker;
    ndshm_array *array;
    (void)argument;
    SUPPORT_CHECK(ndshm_worker_join("t-pool-none", &worker) == -ENOENT);
    SUPPORT_CHECK(ndshm_worker_join("", &worker) == -EINVAL);
    SUPPORT_CHECK(ndshm_worker_join(NULL, &worker) == -EINVAL);
    SUPPORT_CHECK(ndshm_array_create("t-pool-array", NDSHM_INT8, 0, NULL, NULL, &array) == 0);
    int status = ndshm_worker_join("t-pool-array", &worker);
    ndshm_array_unlink(array);
    ndshm_array_detach(&array);
    SUPPORT_CHECK(status == NDSHM_EKIND);
    return 0;
}

static void test_joining_what_is_no_pool(void **state)
{
    (void)state;
    assert_int_equal(support_child(join_nothing, NULL), 0);
}

/* Takes a task and leaves without finishing it: somebody else gets it. */
static int join_and_leave(void *argument)
{
    ndshm_worker *worker;
    ndshm_task *task;
    SUPPORT_CHECK(ndshm_worker_join(argument, &worker) == 0);
    SUPPORT_CHECK(ndshm_worker_next(worker, -1, &task) == 0);
    ndshm_worker_leave(&worker);
    ndshm_worker_leave(&worker);
    return 0;
}

static void test_a_task_left_behind_is_offered_again(void **state)
{
    char name[256];
    ndshm_job_config config;
    ndshm_result result;
    ndshm_job *job;
    ndshm_pool *pool = open_pool_without_workers(name);
    (void)state;
    ndshm_job_config_init(&config);
    config.function = "double it";
    config.count = 3;
    assert_ok(ndshm_pool_submit(pool, &config, &job));
    assert_int_equal(support_child(join_and_leave, name), 0);
    int helper = support_child_start(serve_well, name);
    assert_ok(ndshm_job_wait(job, -1));
    assert_ok(ndshm_job_result(job, 0, &result));
    assert_int_equal(result.attempts, 1);
    check_doubles(job, 3);
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
    assert_int_equal(support_child_wait(helper), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_kill_at_random),
        SUPPORT_TEST(test_a_killed_host_leaves_nothing),
        SUPPORT_TEST(test_interrupt_to_the_whole_group),
        SUPPORT_TEST(test_interrupt_that_the_host_survives),
        SUPPORT_TEST(test_host_and_supervisor_killed_together),
        SUPPORT_TEST(test_a_host_that_just_exits),
        SUPPORT_TEST(test_every_line_is_printed_once),
        SUPPORT_TEST(test_workers_join_by_name),
        SUPPORT_TEST(test_a_joined_worker_that_dies_is_noticed),
        SUPPORT_TEST(test_joining_what_is_no_pool),
        SUPPORT_TEST(test_a_task_left_behind_is_offered_again),
    };
    adopt_orphans();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
