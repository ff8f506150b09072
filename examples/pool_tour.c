/* SPDX-License-Identifier: MIT */
/* The rest of what a pool can do: ranges, random numbers that do not depend on the workers,
 * watching and cancelling a job, data frames as results, and handing over a segment that was made
 * otherwise. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <ndshm/pool.h>

static int fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, ndshm_error_message());
    return 1;
}

static ndshm_job_config job_of(ndshm_task_fn fn, int64_t count)
{
    ndshm_job_config config;
    ndshm_job_config_init(&config);
    config.fn = fn;
    config.count = count;
    return config;
}

/* --- ranges: one call a chunk, here to estimate pi --- */

static double uniform(ndshm_task *task)
{
    return (double)(ndshm_task_random(task) >> 11) / 9007199254740992.0;
}

/* Writes 1 for each point inside the circle. */
static int throw_darts(ndshm_task *task)
{
    int64_t begin, end;
    ndshm_view out;
    const double *radius = ndshm_task_context(task);
    ndshm_task_range(task, &begin, &end);
    if (ndshm_task_output(task, &out))
        return ndshm_task_fail(task, -5, NULL);
    for (int64_t i = 0; i < end - begin; i++) {
        double x = uniform(task), y = uniform(task);
        ((uint8_t *)out.data)[i] = x * x + y * y < *radius * *radius;
    }
    return 0;
}

/* The same for any number of workers: so is the result. */
static int estimate_pi(int workers, int64_t *inside)
{
    static double radius = 1; /* inherited by the workers, which are forked now */
    const int64_t darts = 200000;
    ndshm_array *hits;
    ndshm_view view;
    ndshm_job *job;
    if (ndshm_array_create(NULL, NDSHM_UINT8, 1, &darts, NULL, &hits))
        return fail("create");
    ndshm_job_config config = job_of(throw_darts, darts);
    config.flags = NDSHM_JOB_RANGES;
    config.output = ndshm_array_name(hits);
    config.seed = 42;
    config.context = &radius;
    if (ndshm_map(&config, workers, &job))
        return fail("ndshm_map");
    ndshm_array_read(hits, &view);
    *inside = 0;
    for (int64_t i = 0; i < darts; i++)
        *inside += ((uint8_t *)view.data)[i];
    ndshm_job_close(&job);
    ndshm_array_detach(&hits);
    return 0;
}

/* --- watching and cancelling --- */

static int wait_for_the_end(ndshm_task *task)
{
    const struct timespec pause = {0, 1000000};
    while (!ndshm_task_cancelled(task))
        nanosleep(&pause, NULL);
    return 0;
}

static int cancel_one(ndshm_pool *pool)
{
    ndshm_job_config config = job_of(wait_for_the_end, 1000);
    ndshm_progress progress;
    ndshm_result result;
    ndshm_job *job, *seen;
    ndshm_jobs *jobs;
    char name[NDSHM_NAME_MAX + 1];
    if (ndshm_pool_submit(pool, &config, &job))
        return fail("submit");
    if (ndshm_jobs_open(ndshm_pool_name(pool), &jobs)) /* from any process, as all that follows */
        return fail("list");
    while (ndshm_jobs_next(jobs, name, sizeof name) == 0 && strcmp(name, ndshm_job_name(job)) != 0)
        ; /* others of this pool */
    ndshm_jobs_close(&jobs);
    if (ndshm_job_attach(name, &seen))
        return fail("attach");
    do {
        if (ndshm_job_progress(seen, &progress))
            return fail("progress");
    } while (progress.running == 0);
    ndshm_job_close(&seen);
    printf("%s: %d of %d tasks run\n", ndshm_job_name(job), (int)progress.running,
           (int)progress.count);
    ndshm_job_cancel(job);
    int status = ndshm_job_wait(job, -1);
    if (status != NDSHM_ECANCELED || ndshm_job_result(job, 999, &result))
        return fail("cancel");
    printf("the last one: %s\n", ndshm_strerror(result.status));
    ndshm_job_close(&job);
    return 0;
}

/* --- frames, and segments made otherwise --- */

static int powers(ndshm_task *task)
{
    const ndshm_column_spec columns[] = {{"exponent", "l", 0}, {"power", "g", 0}};
    ndshm_frame *frame;
    ndshm_column exponent, power;
    if (ndshm_task_create_frame(task, 5, columns, 2, &frame))
        return ndshm_task_fail(task, -5, NULL);
    ndshm_frame_column(frame, 0, &exponent);
    ndshm_frame_column(frame, 1, &power);
    double value = 1;
    for (int row = 0; row < 5; row++) {
        ((int64_t *)exponent.data)[row] = row;
        ((double *)power.data)[row] = value;
        value *= (double)ndshm_task_index(task);
    }
    return 0;
}

static int take_powers(ndshm_pool *pool)
{
    ndshm_job_config config = job_of(powers, 4);
    ndshm_frame *frame;
    ndshm_column column;
    ndshm_job *job;
    if (ndshm_pool_map(pool, &config, &job) || ndshm_job_take_frame(job, 3, NDSHM_READ, &frame))
        return fail("powers");
    ndshm_job_close(&job); /* what was taken stays */
    ndshm_frame_column(frame, 1, &column);
    double last = ((double *)column.data)[4];
    printf("%s: 3 to the 4 is %.0f\n", column.name, last);
    ndshm_frame_detach(&frame);
    return last != 81;
}

static int hand_over(ndshm_task *task)
{
    char text[] = "made by the task, with a name of its own";
    const int64_t size = sizeof text;
    ndshm_array *array;
    ndshm_view view;
    if (ndshm_view_init(&view, text, NDSHM_UINT8, 1, &size, NDSHM_ORDER_C) ||
        ndshm_array_from(NULL, &view, NULL, &array))
        return ndshm_task_fail(task, -5, NULL);
    int status = ndshm_task_return(task, ndshm_array_name(array));
    ndshm_array_detach(&array);
    return status;
}

static int take_over(ndshm_pool *pool)
{
    ndshm_job_config config = job_of(hand_over, 1);
    ndshm_array *array;
    ndshm_view view;
    ndshm_job *job;
    if (ndshm_pool_map(pool, &config, &job) || ndshm_job_take(job, 0, NDSHM_READ, &array))
        return fail("hand over");
    ndshm_array_read(array, &view);
    printf("%s\n", (const char *)view.data);
    ndshm_array_detach(&array);
    ndshm_job_close(&job);
    return 0;
}

int main(void)
{
    int64_t one, three;
    ndshm_pool *pool;
    if (estimate_pi(1, &one) || estimate_pi(3, &three))
        return 1;
    printf("pi is about %.3f\n", 4.0 * (double)one / 200000);
    if (one != three || ndshm_pool_open(NULL, &pool))
        return fail("open");
    int wrong = cancel_one(pool) || take_powers(pool) || take_over(pool);
    ndshm_pool_close(&pool);
    return wrong;
}
