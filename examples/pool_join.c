/* SPDX-License-Identifier: MIT */
/* A worker that is no child of the pool's host: it knows the pool's name, asks for tasks, and
 * finishes them. No callbacks: any language that can call C can do the same. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ndshm/pool.h>

static int fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, ndshm_error_message());
    return 1;
}

/* The worker's whole program. */
static int serve(const char *pool)
{
    ndshm_worker *worker;
    ndshm_task *task;
    ndshm_view out;
    if (ndshm_worker_join(pool, &worker))
        return fail("join");
    while (ndshm_worker_next(worker, -1, &task) == 0) {
        int status = -38; /* -ENOSYS: not a function of ours */
        if (strcmp(ndshm_task_function(task), "length") == 0)
            status = ndshm_task_output(task, &out);
        if (!status)
            *(int64_t *)out.data = (int64_t)strlen(ndshm_task_item(task));
        ndshm_task_finish(task, status, NULL);
    }
    ndshm_worker_leave(&worker);
    return 0;
}

static int run_job(ndshm_pool *pool, ndshm_array *lengths)
{
    static const char *const items[] = {"one", "three", "eleven"};
    ndshm_job_config config;
    ndshm_view view;
    ndshm_job *job;
    ndshm_job_config_init(&config);
    config.function = "length";
    config.items = items;
    config.count = 3;
    config.output = ndshm_array_name(lengths);
    if (ndshm_pool_submit(pool, &config, &job))
        return fail("submit");
    int status = ndshm_job_wait(job, 10000);
    ndshm_job_close(&job);
    if (status)
        return fail("wait");
    ndshm_array_read(lengths, &view);
    const int64_t *values = view.data;
    printf("lengths: %d %d %d\n", (int)values[0], (int)values[1], (int)values[2]);
    return values[0] != 3 || values[1] != 5 || values[2] != 6;
}

int main(int argc, char **argv)
{
    const int64_t three = 3;
    ndshm_pool_config config;
    ndshm_array *lengths;
    ndshm_pool *pool;
    if (argc == 2)
        return serve(argv[1]);
    ndshm_pool_config_init(&config);
    config.workers = NDSHM_WORKERS_NONE;
    if (ndshm_pool_open(&config, &pool))
        return fail("open");
    if (ndshm_array_create(NULL, NDSHM_INT64, 1, &three, NULL, &lengths))
        return fail("create");
    pid_t pid = fork();
    if (pid == 0) {
        execl("/proc/self/exe", argv[0], ndshm_pool_name(pool), (char *)NULL);
        _exit(127);
    }
    int wrong = run_job(pool, lengths), status;
    ndshm_pool_stop(pool, -1); /* the worker is told that the pool is over */
    waitpid(pid, &status, 0);
    ndshm_pool_close(&pool);
    ndshm_array_detach(&lengths);
    return wrong || status;
}
