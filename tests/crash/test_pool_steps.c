/* SPDX-License-Identifier: MIT */
/* SIGKILL at each system call, before and after it takes effect, and at machine instructions of
 * what a pool does: to its host, to its supervisor, and to a worker. Who survives gets a status
 * within bounded time and right results; of the dead, nothing stays that reaping does not remove.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "pool/pool.h"
#include "support.h"
#include "sweep.h"

enum {
    STRIDE = 1999,
    TASKS = 2,
    LARGE = 30000,     /* bytes that do not fit into the pool's segment */
    RECYCLABLE = 40000 /* numbers whose memory is worth being used again */
};

static ndshm_pool *pool;
static ndshm_job *job;
static ndshm_array *taken;
static int64_t length = 1; /* of a result */
static int retries, params_size, deadly;
static const char params[LARGE];

/* --- what the host does --- */

static int leave_double(ndshm_task *task)
{
    ndshm_array *array;
    ndshm_view view;
    if (deadly && ndshm_task_index(task) == 1)
        raise(SIGKILL);
    int status = ndshm_task_create(task, NDSHM_INT64, 1, &length, &array);
    if (!status)
        status = ndshm_array_read(array, &view);
    if (!status)
        *(int64_t *)view.data = 2 * ndshm_task_index(task);
    return status;
}

/* One worker, so that the one that is stepped has to do the work. */
static int open_pool(void)
{
    ndshm_pool_config config;
    ndshm_pool_config_init(&config);
    config.workers = 1;
    return ndshm_pool_open(&config, &pool);
}

static int submit(void)
{
    ndshm_job_config config;
    ndshm_job_config_init(&config);
    config.fn = leave_double;
    config.count = TASKS;
    config.chunk = 1;
    config.retries = retries;
    config.params = params;
    config.params_size = (size_t)params_size;
    return ndshm_pool_submit(pool, &config, &job);
}

static int run_job(void)
{
    int status = submit();
    return status ? status : ndshm_job_wait(job, -1);
}

static int close_job(void)
{
    ndshm_job_close(&job);
    return 0;
}

static int take(void)
{
    return ndshm_job_take(job, 1, NDSHM_READ, &taken);
}

static int stop_pool(void)
{
    return ndshm_pool_stop(pool, -1);
}

static int die(void)
{
    return raise(SIGKILL);
}

static int close_at_work(void)
{
    ndshm_progress progress;
    int status = submit();
    do
        status = status ? status : ndshm_job_progress(job, &progress);
    while (!status && !progress.running && !progress.done);
    ndshm_pool_close(&pool);
    return status;
}

static int close_pool(void)
{
    ndshm_pool_close(&pool);
    return 0;
}

/* --- where it begins --- */

/* The worker sleeps, in each run alike: whether it has to be woken is a system call more or less.
 */
static int wait_until_parked(int status)
{
    while (!status && !atomic_load(&pool->memory->parked[0]))
        usleep(100);
    return status;
}

static int begin_job(void)
{
    return wait_until_parked(open_pool());
}

static int begin_retried_job(void)
{
    retries = 1;
    return begin_job();
}

static int begin_large_job(void)
{
    params_size = LARGE;
    return begin_retried_job();
}

static int begin_deadly_job(void)
{
    deadly = 1;
    return begin_job();
}

static int begin_with_results(void)
{
    int status = begin_retried_job();
    return wait_until_parked(status ? status : run_job());
}

static int begin_with_recyclable_results(void)
{
    length = RECYCLABLE;
    return begin_with_results();
}

static int begin_with_free_memory(void)
{
    int status = begin_with_recyclable_results();
    ndshm_job_close(&job);
    return wait_until_parked(status);
}

/* --- what must have come of it --- */

static int value_is(ndshm_array *array, int64_t expected)
{
    ndshm_view view;
    return ndshm_array_read(array, &view) == 0 && *(int64_t *)view.data == expected;
}

/* Takes all results; how many failed with NDSHM_EWORKER. Any other failure and a wrong value: -1.
 */
static int count_lost(void)
{
    int lost = 0;
    for (int64_t i = 0; job && i < TASKS; i++) {
        ndshm_array *array;
        int status = ndshm_job_take(job, i, NDSHM_READ, &array);
        if (status != 0 && status != NDSHM_EWORKER)
            return -1;
        lost += status != 0;
        if (status == 0) {
            int right = value_is(array, 2 * i);
            ndshm_array_detach(&array);
            if (!right)
                return -1;
        }
    }
    return lost;
}

static int close_all(void)
{
    ndshm_array_detach(&taken);
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
    return 0;
}

/* But those of memory that the pool keeps for further results. */
static int count_names(void)
{
    ndshm_list *list;
    ndshm_info info;
    int count = 0;
    if (ndshm_list_open(&list))
        return -1;
    while (ndshm_list_next(list, &info) == 0)
        count += !strstr(info.name, ".free.");
    ndshm_list_close(&list);
    return count;
}

/* While the supervisor lives, a job that is closed leaves nothing, whoever died in it. */
static int close_well(void)
{
    ndshm_array_detach(&taken);
    ndshm_job_close(&job);
    SUPPORT_CHECK(count_names() == 1);
    return close_all();
}

/* A pool in which nobody was killed, or whose worker was replaced. */
static int works(int status)
{
    SUPPORT_CHECK(status == 0);
    SUPPORT_CHECK(run_job() == 0);
    SUPPORT_CHECK(count_lost() == 0);
    return close_well();
}

/* Its supervisor was killed, sooner or later. */
static int works_or_is_dead(int status)
{
    SUPPORT_CHECK(status == 0 || status == NDSHM_EWORKER);
    if (status == 0)
        status = run_job();
    SUPPORT_CHECK(status == 0 || status == NDSHM_EWORKER);
    SUPPORT_CHECK(count_lost() >= 0);
    return close_all();
}

static int none_lost(int status)
{
    SUPPORT_CHECK(status == 0);
    SUPPORT_CHECK(count_lost() == 0);
    return close_well();
}

static int one_lost(int status)
{
    SUPPORT_CHECK(status == 0 || status == NDSHM_ETASK);
    SUPPORT_CHECK(count_lost() == (status != 0));
    return close_well();
}

static int rest_lost(int status)
{
    SUPPORT_CHECK(status == NDSHM_ETASK || status == NDSHM_EWORKER);
    SUPPORT_CHECK(count_lost() >= 0);
    return close_all();
}

static int results_stay(int status)
{
    SUPPORT_CHECK(status == 0 || status == NDSHM_EWORKER);
    SUPPORT_CHECK(count_lost() == 0);
    return close_all();
}

static int took(int status)
{
    SUPPORT_CHECK(status == 0);
    SUPPORT_CHECK(value_is(taken, 2));
    return close_well();
}

static int closed(int status)
{
    ndshm_job_close(&job);
    return status;
}

static const struct sweep_operation operations[] = {
    {.name = "host opens", .run = open_pool, .finish = works},
    {.name = "supervisor while the host opens",
     .run = open_pool,
     .finish = works_or_is_dead,
     .generation = STEP_CHILD,
     .at_fork = 1},
    {.name = "worker while the host opens",
     .run = open_pool,
     .finish = works,
     .generation = STEP_GRANDCHILD,
     .at_fork = 1},
    {.name = "host submits and waits", .begin = begin_job, .run = run_job, .finish = none_lost},
    {.name = "supervisor replaces a worker that died at work",
     .begin = begin_deadly_job,
     .run = run_job,
     .finish = rest_lost,
     .generation = STEP_CHILD},
    {.name = "worker claims and publishes",
     .begin = begin_job,
     .run = run_job,
     .finish = one_lost,
     .generation = STEP_GRANDCHILD},
    {.name = "worker claims and publishes, with a retry",
     .begin = begin_retried_job,
     .run = run_job,
     .finish = none_lost,
     .generation = STEP_GRANDCHILD},
    {.name = "host submits a large job",
     .begin = begin_large_job,
     .run = run_job,
     .finish = none_lost},
    {.name = "worker of a large job",
     .begin = begin_large_job,
     .run = run_job,
     .finish = none_lost,
     .generation = STEP_GRANDCHILD},
    {.name = "host takes a result", .begin = begin_with_results, .run = take, .finish = took},
    {.name = "host gives results back",
     .begin = begin_with_recyclable_results,
     .run = close_job,
     .finish = works},
    {.name = "worker uses memory again",
     .begin = begin_with_free_memory,
     .run = run_job,
     .finish = none_lost,
     .generation = STEP_GRANDCHILD},
    {.name = "host stops", .begin = begin_with_results, .run = stop_pool, .finish = none_lost},
    {.name = "supervisor while the host stops",
     .begin = begin_with_results,
     .run = stop_pool,
     .finish = results_stay,
     .generation = STEP_CHILD},
    {.name = "worker while the host stops",
     .begin = begin_with_results,
     .run = stop_pool,
     .finish = none_lost,
     .generation = STEP_GRANDCHILD},
    {.name = "host closes", .begin = begin_with_results, .run = close_pool, .finish = closed},
    {.name = "supervisor while the host closes",
     .begin = begin_with_results,
     .run = close_pool,
     .finish = closed,
     .generation = STEP_CHILD},
    {.name = "worker at work while the host closes",
     .begin = begin_job,
     .run = close_at_work,
     .finish = closed,
     .generation = STEP_GRANDCHILD},
    {.name = "supervisor cleans up after the host",
     .begin = begin_with_results,
     .run = die,
     .generation = STEP_CHILD,
     .verdict = 128 + SIGKILL},
};
enum { OPERATIONS = sizeof operations / sizeof *operations };

static void test_kill_in_a_pool(void **state)
{
    int complaints = 0;
    (void)state;
    assert_int_equal(works(open_pool()), 0); /* the self-test is not what is looked at here */
    for (int i = 0; i < OPERATIONS; i++)
        complaints += sweep(&operations[i], STRIDE);
    assert_int_equal(complaints, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {SUPPORT_TEST(test_kill_in_a_pool)};
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    step_init();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
