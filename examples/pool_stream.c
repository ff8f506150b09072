/* SPDX-License-Identifier: MIT */
/* A stream: nobody knows beforehand how many tasks there will be, at most eight are on their way at
 * a time, results come as they are ready, and a task that hangs is given up after a deadline. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <ndshm/pool.h>

static int fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, ndshm_error_message());
    return 1;
}

static int measure(ndshm_task *task)
{
    const char *word = ndshm_task_item(task);
    const int64_t one = 1;
    ndshm_array *array;
    ndshm_view view;
    if (strcmp(word, "forever") == 0)
        sleep(1000);
    if (ndshm_task_create(task, NDSHM_INT64, 1, &one, &array))
        return ndshm_task_fail(task, -5, NULL);
    ndshm_array_read(array, &view);
    *(int64_t *)view.data = (int64_t)strlen(word);
    return 0;
}

/* Adds the length that a task found; 1 when it found none. */
static int add(ndshm_job *job, const ndshm_result *result, int64_t *total)
{
    ndshm_array *array;
    ndshm_view view;
    if (result->status) {
        printf("word %d: %s\n", (int)result->index, result->message);
        return 1;
    }
    if (ndshm_job_take(job, result->index, NDSHM_READ, &array))
        return fail("take");
    ndshm_array_read(array, &view);
    *total += *(int64_t *)view.data;
    ndshm_array_detach(&array);
    return 0;
}

/* As an event loop does: the descriptor may be one of many. */
static int finish(ndshm_pool *pool, ndshm_job *job, int64_t *total)
{
    ndshm_result result;
    int failed = 0, status;
    for (;;) {
        struct pollfd file = {.fd = ndshm_pool_fd(pool), .events = POLLIN};
        while ((status = ndshm_job_next(job, 0, &result)) == 0)
            failed += add(job, &result, total);
        if (status != -ETIMEDOUT)
            return failed;
        poll(&file, 1, -1);
    }
}

int main(void)
{
    static const char text[] = "nobody knows beforehand how many words a text will have and some "
                               "of them take forever to read";
    char word[64];
    const char *next = text;
    int length, failed = 0;
    int64_t total = 0;
    ndshm_job_config config;
    ndshm_result result;
    ndshm_pool *pool;
    ndshm_job *job;
    ndshm_job_config_init(&config);
    config.fn = measure;
    config.count = NDSHM_STREAM;
    config.window = 8;
    config.order = NDSHM_ORDER_COMPLETED;
    config.timeout_ms = 200;
    if (ndshm_pool_open(NULL, &pool) || ndshm_pool_submit(pool, &config, &job))
        return fail("open");
    for (; sscanf(next, "%63s%n", word, &length) == 1; next += length)
        while (ndshm_job_feed(job, word, 0)) /* full: read one */
            failed += ndshm_job_next(job, -1, &result) == 0 ? add(job, &result, &total) : 1;
    ndshm_job_end(job);
    failed += finish(pool, job, &total);
    printf("%d letters, %d word not read in time\n", (int)total, failed);
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
    return total != 69 || failed != 1;
}
