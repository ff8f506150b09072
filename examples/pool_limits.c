/* SPDX-License-Identifier: MIT */
/* A pool that stays small however long it lives: workers are replaced after some tasks, or when
 * they have grown; little memory of former results is kept; and forking is the program's own. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <ndshm/pool.h>

enum { TASKS = 100, TASKS_PER_WORKER = 10, RESULT_BYTES = 1 << 20 };

static int fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, ndshm_error_message());
    return 1;
}

/* Where a host language has to know about each fork, as Python does (os.fork). */
static int fork_aloud(void *context)
{
    (void)context;
    int pid = fork();
    if (pid < 0)
        return -errno;
    if (pid > 0)
        fprintf(stderr, "%d forked %d\n", (int)getpid(), pid);
    return pid;
}

/* Leaves a megabyte, and says in it who made it. */
static int work(ndshm_task *task)
{
    int64_t bytes = RESULT_BYTES;
    int pid = getpid();
    ndshm_array *array;
    ndshm_view view;
    int status = ndshm_task_create(task, NDSHM_UINT8, 1, &bytes, &array);
    if (status)
        return ndshm_task_fail(task, status, NULL);
    ndshm_array_read(array, &view);
    memcpy(view.data, &pid, sizeof pid);
    return 0;
}

/* Who made result number index, or -1. */
static int maker(ndshm_job *job, int64_t index)
{
    int pid = -1;
    ndshm_array *array;
    ndshm_view view;
    if (ndshm_job_take(job, index, NDSHM_READ, &array))
        return -1;
    if (ndshm_array_read(array, &view) == 0)
        memcpy(&pid, view.data, sizeof pid);
    ndshm_array_detach(&array); /* its memory is the pool's again: for one of the next results */
    return pid;
}

/* The most results that one process made. */
static int busiest(ndshm_job *job)
{
    int pids[TASKS], most = 0;
    ndshm_result result;
    for (int i = 0; i < TASKS; i++) {
        if (ndshm_job_next(job, -1, &result) || (pids[i] = maker(job, i)) < 0)
            return -1;
        int own = 1;
        for (int k = 0; k < i; k++)
            own += pids[k] == pids[i];
        most = own > most ? own : most;
    }
    return most;
}

int main(void)
{
    ndshm_pool_config config;
    ndshm_job_config job_config;
    ndshm_pool *pool;
    ndshm_job *job;
    ndshm_pool_config_init(&config);
    config.workers = 2;
    config.fork = fork_aloud;
    config.max_tasks = TASKS_PER_WORKER;
    config.max_worker_bytes = 256 << 20;   /* also one that leaks */
    config.cache_bytes = 8 * RESULT_BYTES; /* of the memory of former results */
    if (ndshm_pool_open(&config, &pool))
        return fail("ndshm_pool_open");
    ndshm_job_config_init(&job_config);
    job_config.fn = work;
    job_config.count = TASKS;
    job_config.max_result_bytes = 4 * RESULT_BYTES; /* that nobody took: the others wait */
    if (ndshm_pool_submit(pool, &job_config, &job))
        return fail("ndshm_pool_submit");
    int most = busiest(job);
    printf("%d tasks, at most %d of them in one process\n", TASKS, most);
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
    return most < 1 || most > TASKS_PER_WORKER;
}
