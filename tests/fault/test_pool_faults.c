/* SPDX-License-Identifier: MIT */
/* Each operating-system call of a pool's life is made to fail in turn, once in the host and once in
 * its supervisor and workers: a status or a failed task, never a hang, and nothing left. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ndshm/pool.h>

#include "base/os.h"
#include "support.h"

enum { CALLS_MAX = 3000, QUIET_MAX = 40, PATIENCE_MS = 20000, TASKS = 6 };

/* --- the fault: call number fail_at of each armed process fails --- */

static int calls, fail_at, host_pid, in_host, *hits;

static int inject(const char *call)
{
    if ((getpid() == host_pid) != in_host || strcmp(call, "exit") == 0)
        return 0;
    if (++calls != fail_at)
        return 0;
    (*hits)++;
    return EMFILE;
}

static void arm(int at)
{
    calls = 0;
    fail_at = at;
    *hits = 0;
    ndshm__os_fault = inject;
}

/* --- the life --- */

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

struct life {
    ndshm_pool *pool;
    ndshm_job *jobs[2];
    ndshm_array *taken;
};

/* Until something fails; what there is by then is closed by the caller. */
static int live(struct life *life)
{
    static char params[100000];
    static const char *const shared[] = {"t-pool-in"};
    ndshm_pool_config pool_config;
    ndshm_job_config config;
    ndshm_pool_config_init(&pool_config);
    pool_config.workers = 2;
    int status = ndshm_pool_open(&pool_config, &life->pool);
    for (int i = 0; !status && i < 2; i++) { /* inline, and in a segment of its own */
        ndshm_job_config_init(&config);
        config.fn = work;
        config.count = TASKS;
        config.retries = 1;
        config.shared = shared;
        config.nshared = 1;
        config.output = "t-pool-out";
        config.params = params;
        config.params_size = i ? sizeof params : 0;
        status = ndshm_pool_submit(life->pool, &config, &life->jobs[i]);
        if (!status)
            status = ndshm_job_wait(life->jobs[i], PATIENCE_MS);
        if (status == NDSHM_ETASK)
            status = 0;
    }
    if (!status)
        status = ndshm_job_take(life->jobs[1], 0, NDSHM_READ, &life->taken);
    return status;
}

static void check_once(int at)
{
    struct life life = {0};
    arm(at);
    int status = live(&life);
    ndshm__os_fault = NULL;
    assert_int_not_equal(status, -ETIMEDOUT);
    assert_true(status == 0 || strlen(ndshm_error_message()) > 0);
    ndshm_array_detach(&life.taken);
    for (int i = 0; i < 2; i++)
        ndshm_job_close(&life.jobs[i]);
    ndshm_pool_close(&life.pool);
}

/* Goes on until the number is larger than the number of calls. */
static void check_all(int host)
{
    int64_t n = TASKS;
    ndshm_array *input, *output;
    assert_ok(ndshm_array_create("t-pool-in", NDSHM_INT64, 1, &n, NULL, &input));
    assert_ok(ndshm_array_create("t-pool-out", NDSHM_INT64, 1, &n, NULL, &output));
    host_pid = getpid();
    in_host = host;
    int quiet = 0, at = 1;
    for (; at < CALLS_MAX && quiet < QUIET_MAX; at++) {
        check_once(at);
        quiet = *hits ? 0 : quiet + 1;
    }
    assert_in_range(at, 3 * QUIET_MAX, CALLS_MAX - 1);
    ndshm_array_unlink(input);
    ndshm_array_unlink(output);
    ndshm_array_detach(&input);
    ndshm_array_detach(&output);
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

/* hits is shared with the children. */
static int share_hits(void **state)
{
    void *page;
    FILE *file = tmpfile();
    (void)state;
    if (!file || ftruncate(fileno(file), 4096) != 0 ||
        ndshm__os_map(fileno(file), 4096, NDSHM__MAP_WRITE, &page) != 0)
        return -1;
    fclose(file);
    hits = page;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_faults_in_the_host),
        SUPPORT_TEST(test_faults_in_supervisor_and_workers),
    };
    return cmocka_run_group_tests(tests, share_hits, NULL);
}
