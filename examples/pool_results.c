/* SPDX-License-Identifier: MIT */
/* Tasks that leave arrays of their own as results, one that fails, and one whose worker is killed:
 * all of them are reported in order, and nothing else is lost. */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <ndshm/pool.h>

static int fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, ndshm_error_message());
    return 1;
}

/* A table of multiples of the item, or trouble. */
static int multiples(ndshm_task *task)
{
    const char *item = ndshm_task_item(task);
    int64_t ten = 10;
    ndshm_array *array;
    ndshm_view view;
    if (item[0] == '-')
        return ndshm_task_fail(task, -34, "negative numbers are not wanted");
    if (item[0] == '!')
        kill(getpid(), SIGKILL); /* as the kernel does when memory runs out */
    int status = ndshm_task_create(task, NDSHM_INT64, 1, &ten, &array);
    if (status)
        return ndshm_task_fail(task, status, NULL);
    ndshm_array_read(array, &view);
    for (int64_t i = 0; i < ten; i++)
        ((int64_t *)view.data)[i] = (item[0] - '0') * (i + 1);
    return 0;
}

/* Prints what became of a task; 1 when it succeeded. */
static int report(ndshm_job *job, const ndshm_result *result)
{
    ndshm_array *array;
    ndshm_view view;
    if (result->status) {
        printf("task %d: %s\n", (int)result->index, result->message);
        return 0;
    }
    if (ndshm_job_take(job, result->index, NDSHM_READ, &array))
        return 0;
    ndshm_array_read(array, &view);
    printf("task %d: the last multiple is %d\n", (int)result->index,
           (int)((int64_t *)view.data)[9]);
    ndshm_array_detach(&array); /* ours since it was taken; goes with its last user */
    return 1;
}

int main(void)
{
    const char *items[] = {"7", "-3", "8", "!", "9"};
    ndshm_job_config config;
    ndshm_result result;
    ndshm_job *job;
    ndshm_job_config_init(&config);
    config.fn = multiples;
    config.items = items;
    config.count = sizeof items / sizeof *items;
    if (ndshm_map(&config, 2, &job))
        return fail("ndshm_map");
    int good = 0;
    while (ndshm_job_next(job, -1, &result) == 0)
        good += report(job, &result);
    int64_t failed = ndshm_job_failed(job);
    ndshm_job_close(&job);
    return good != 3 || failed != 2;
}
