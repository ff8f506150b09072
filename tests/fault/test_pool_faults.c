/* SPDX-License-Identifier: MIT */
/* Calls of a pool's life are made to fail, in the host and in its supervisor and workers: a status
 * or a failed task, never a hang, and nothing left. NDSHM_FAULT_STRIDE: 1 for every call; a sample
 * when not set. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ndshm/compute.h>
#include <ndshm/pool.h>

#include "faults.h"
#include "pools.h"
#include "support.h"

enum { QUIET_MAX = 50, CALLS_MAX = 6000, PATIENCE_MS = 20000, TASKS = 6 };

/* Call number at of each process fails: in the host, or in all others. */
static int host_pid, in_host;

static bool is_wanted(void)
{
    return (getpid() == host_pid) == in_host;
}

/* --- what a pool does --- */

static struct {
    ndshm_pool *pool;
    ndshm_job *job;
    ndshm_array *input, *output, *taken;
    ndshm_frame *frame, *described;
} life;

static char params[100000];

static int work(ndshm_task *task)
{
    int64_t n = 10;
    ndshm_array *shared, *result;
    ndshm_view out;
    int status = ndshm_task_shared(task, 0, NDSHM_READ, &shared);
    if (!status)
        status = ndshm_task_output(task, &out);
    if (!status)
        status = ndshm_task_create(task, NDSHM_INT64, 1, &n, &result);
    return status ? ndshm_task_fail(task, status, NULL) : 0;
}

static ndshm_job_config job_config(size_t params_size)
{
    static const char *const shared[] = {"t-pool-in"};
    ndshm_job_config config = support_job(work, TASKS);
    config.retries = 1;
    config.shared = shared;
    config.nshared = 1;
    config.output = "t-pool-out";
    config.params = params;
    config.params_size = params_size;
    return config;
}

static int open_pool(int workers)
{
    ndshm_pool_config config;
    ndshm_pool_config_init(&config);
    config.workers = workers;
    return ndshm_pool_open(&config, &life.pool);
}

static int finish_job(void)
{
    ndshm_result result;
    int status = ndshm_job_wait(life.job, PATIENCE_MS);
    while (status == 0 || status == NDSHM_ETASK)
        if ((status = ndshm_job_next(life.job, PATIENCE_MS, &result)))
            break;
    if (status == -ENOENT)
        status = ndshm_job_take(life.job, 0, NDSHM_READ, &life.taken);
    return status;
}

static int submit(size_t params_size)
{
    ndshm_job_config config = job_config(params_size);
    int status = open_pool(2);
    if (!status)
        status = ndshm_pool_submit(life.pool, &config, &life.job);
    return status ? status : finish_job();
}

static int submit_inline(void)
{
    return submit(0);
}

static int submit_large(void) /* a job with a segment of its own */
{
    return submit(sizeof params);
}

static int map_once(void)
{
    ndshm_job_config config = job_config(0);
    int status = ndshm_map(&config, 2, &life.job);
    return status ? status : finish_job();
}

static int map_and_stop(void)
{
    ndshm_job_config config = job_config(0);
    int status = open_pool(1);
    if (!status)
        status = ndshm_pool_map(life.pool, &config, &life.job);
    return status ? status : ndshm_pool_stop(life.pool, PATIENCE_MS);
}

static int describe(void)
{
    int status = open_pool(1);
    return status ? status : ndshm_describe(life.pool, life.frame, "t-pool-d", &life.described);
}

static int close_pool(void)
{
    ndshm_job_config config = job_config(0);
    int status = open_pool(1);
    if (!status)
        status = ndshm_pool_map(life.pool, &config, &life.job);
    ndshm_job_close(&life.job);
    ndshm_pool_close(&life.pool);
    return status;
}

static int serve(void *argument)
{
    ndshm_worker *worker;
    ndshm_task *task;
    (void)argument;
    int status = ndshm_worker_join(ndshm_pool_name(life.pool), &worker);
    if (status)
        return 1;
    while ((status = ndshm_worker_next(worker, PATIENCE_MS, &task)) == 0)
        ndshm_task_finish(task, work(task), NULL);
    ndshm_worker_leave(&worker);
    return status != NDSHM_ECANCELED;
}

/* A worker that joins may fail: another one takes over, without faults. */
static int join(void)
{
    ndshm_job_config config = job_config(0);
    int status = open_pool(NDSHM_WORKERS_NONE);
    if (status)
        return status;
    config.fn = NULL;
    config.function = "work";
    status = ndshm_pool_submit(life.pool, &config, &life.job);
    int joined = support_child_start(serve, NULL), second = 0;
    for (int64_t waited = 0; !status && waited < PATIENCE_MS; waited += 20) {
        status = ndshm_job_wait(life.job, 20);
        if (status != -ETIMEDOUT)
            break;
        status = 0;
        if (!second && waitpid(joined, NULL, WNOHANG) == joined) {
            fault_disarm();
            joined = 0;
            second = support_child_start(serve, NULL);
        }
    }
    fault_disarm();
    ndshm_pool_stop(life.pool, PATIENCE_MS);
    ndshm_job_close(&life.job);
    ndshm_pool_close(&life.pool);
    if (joined)
        support_child_wait(joined);
    if (second)
        support_child_wait(second);
    return status;
}

static const struct {
    const char *name;
    int (*run)(void);
} lives[] = {
    {"close", close_pool},
    {"describe", describe},
    {"join", join},
    {"map", map_once},
    {"stop", map_and_stop},
    {"submit", submit_inline},
    {"submit large", submit_large},
};

/* --- the sweep --- */

static void end_life(void)
{
    ndshm_array_detach(&life.taken);
    if (life.described)
        ndshm_frame_unlink(life.described);
    ndshm_frame_detach(&life.described);
    ndshm_job_close(&life.job);
    ndshm_pool_close(&life.pool);
}

/* What a close under faults had to leave is what an operator's clean finds. */
static void clean(void)
{
    ndshm_list *names;
    ndshm_info info;
    ndshm_reap_report report;
    assert_ok(ndshm_list_open(&names));
    while (ndshm_list_next(names, &info) == 0)
        if (strncmp(info.name, "ndshm.", 6) == 0)
            ndshm_reap(info.name, NULL, &report);
    ndshm_list_close(&names);
}

static const char *current;
static int current_at;

static void tell_hang(int number)
{
    dprintf(STDERR_FILENO, "%s hangs with call %d failing in %s\n", current, current_at,
            in_host ? "the host" : "other processes");
    signal(number, SIG_DFL);
    raise(number);
}

static int run_once(int i, int at, enum fault_mode mode)
{
    int complaints = 0;
    *fault_hits = 0;
    current = lives[i].name;
    current_at = mode == FAULT_ONCE ? at : -at;
    signal(SIGALRM, tell_hang);
    alarm(60); /* a hang ends the program */
    fault_arm(at, at, mode);
    int status = lives[i].run();
    fault_disarm();
    bool hang = status == -ETIMEDOUT;
    bool silent = status && !ndshm_error_message()[0];
    bool broken = status && !*fault_hits;
    if (hang || silent || broken)
        complaints +=
            fprintf(stderr, "%s: call %d (%s) failing with %s%s in %s: %d: %s\n", lives[i].name, at,
                    fault_call(), fault_errno_name(), mode == FAULT_ONCE ? "" : " from then on",
                    in_host ? "the host" : "other processes", status, ndshm_error_message()) > 0;
    end_life();
    clean();
    alarm(0);
    return complaints;
}

/* Until no process gets to call number at any more; stride: a sample of the calls. */
static int sweep(int i, int stride)
{
    int complaints = 0, quiet = 0, at = 1;
    for (; at < CALLS_MAX && quiet < QUIET_MAX && complaints < 10; at += stride) {
        complaints += run_once(i, at, FAULT_ONCE);
        quiet = *fault_hits ? 0 : quiet + stride;
        complaints += run_once(i, at, FAULT_FROM_THEN_ON);
    }
    if (at >= CALLS_MAX)
        complaints += fprintf(stderr, "%s never gets through\n", lives[i].name) > 0;
    return complaints;
}

static void check_all(int host)
{
    int complaints = 0;
    const char *all = getenv("NDSHM_FAULT_STRIDE");
    int stride = all ? atoi(all) : 13;
    host_pid = getpid();
    in_host = host;
    fault_wanted = is_wanted;
    for (size_t i = 0; i < sizeof lives / sizeof *lives; i++) {
        support_begin(NULL);
        complaints += sweep((int)i, stride > 0 ? stride : 1);
        if (support_end(NULL) != 0)
            complaints += fprintf(stderr, "%s leaks\n", lives[i].name) > 0;
    }
    assert_int_equal(complaints, 0);
}

static void test_faults_in_the_host(void **state)
{
    (void)state;
    check_all(1);
}

static void test_faults_in_supervisor_and_workers(void **state)
{
    (void)state;
    check_all(0);
}

static int make_inputs(void **state)
{
    int64_t n = TASKS;
    const ndshm_column_spec columns[] = {{"a", "g", 0}, {"b", "l", 0}};
    (void)state;
    fault_hits =
        mmap(NULL, sizeof *fault_hits, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return fault_hits == MAP_FAILED ||
           ndshm_array_create("t-pool-in", NDSHM_INT64, 1, &n, NULL, &life.input) ||
           ndshm_array_create("t-pool-out", NDSHM_INT64, 1, &n, NULL, &life.output) ||
           ndshm_frame_create("t-pool-f", 100, columns, 2, NULL, &life.frame) ||
           ndshm_frame_publish(life.frame);
}

static int drop_inputs(void **state)
{
    (void)state;
    int status = ndshm_array_unlink(life.input) || ndshm_array_unlink(life.output) ||
                 ndshm_frame_unlink(life.frame);
    ndshm_array_detach(&life.input);
    ndshm_array_detach(&life.output);
    ndshm_frame_detach(&life.frame);
    return status;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_faults_in_the_host),
        cmocka_unit_test(test_faults_in_supervisor_and_workers),
    };
    return cmocka_run_group_tests(tests, make_inputs, drop_inputs);
}
