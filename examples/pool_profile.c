/* SPDX-License-Identifier: MIT */
/* Where the time of a job goes: a line on the terminal while it runs, afterwards a table by worker,
 * and a trace with one bar a task, to be opened in https://ui.perfetto.dev.
 *
 *     pool_profile [TRACE.json] */
#include <stdio.h>

#include <ndshm/pool.h>

static int fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, ndshm_error_message());
    return 1;
}

/* Tasks of very different length: the Collatz sequence of a random number, many times over. */
static int collatz(ndshm_task *task)
{
    uint64_t times = 1 + ndshm_task_random(task) % 2000;
    uint64_t steps = 0;
    for (uint64_t i = 0; i < times; i++)
        for (uint64_t n = 1 + ndshm_task_random(task) % 1000000; n > 1; steps++)
            n = n % 2 ? 3 * n + 1 : n / 2;
    return steps > 0 ? 0 : -1;
}

static void print_worker(int worker, const ndshm_worker_stats *stats)
{
    double busy = (double)stats->busy_ns * 1e-9;
    printf("worker %2d %8lld tasks %10.3f s %10.0f us a task\n", worker, (long long)stats->tasks,
           busy, stats->tasks ? busy * 1e6 / (double)stats->tasks : 0);
}

static int profile(const ndshm_job *job, int workers)
{
    ndshm_stats stats;
    int64_t tasks = 0;
    if (ndshm_job_stats(job, &stats))
        return fail("stats");
    for (int i = 0; i < workers; i++) {
        ndshm_worker_stats worker;
        if (ndshm_job_worker_stats(job, i, &worker))
            return fail("stats of a worker");
        print_worker(i, &worker);
        tasks += worker.tasks;
    }
    printf("in all    %8lld tasks %10.3f s, %.0f %% idle, %lld retries, %lld bytes copied\n",
           (long long)tasks, (double)stats.busy_ns * 1e-9, 100 * stats.idle,
           (long long)stats.retries, (long long)stats.bytes_copied);
    return 0;
}

int main(int argc, char **argv)
{
    ndshm_job_config config;
    ndshm_pool_config pool_config;
    ndshm_pool *pool = NULL;
    ndshm_job *job = NULL;
    ndshm_pool_config_init(&pool_config);
    pool_config.pin = NDSHM_PIN_CORE; /* each row of the trace is a core */
    snprintf(pool_config.label, sizeof pool_config.label, "collatz");
    ndshm_job_config_init(&config);
    config.fn = collatz;
    config.count = 500;
    config.seed = 7;
    config.flags = NDSHM_JOB_PROGRESS;
    if (ndshm_pool_open(&pool_config, &pool) || ndshm_pool_submit(pool, &config, &job) ||
        ndshm_job_wait(job, -1))
        return fail("running");
    int status = profile(job, ndshm_pool_workers(pool));
    if (argc > 1 && ndshm_job_trace(job, argv[1]))
        status = fail("trace");
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
    return status;
}
