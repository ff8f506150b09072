/* SPDX-License-Identifier: MIT */
/* Looking at a job from elsewhere: by its name, and by a descriptor. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pool/pool.h"
#include "pools.h"
#include "support.h"

static int fail_third(ndshm_task *task)
{
    return ndshm_task_index(task) % 3 == 2 ? ndshm_task_fail(task, -EDOM, "third") : 0;
}

/* --- by name --- */

struct seen {
    const char *name;
    int64_t count;
};

/* In another process. */
static int watch(void *argument)
{
    const struct seen *seen = argument;
    ndshm_progress progress;
    ndshm_result result;
    ndshm_job *job;
    SUPPORT_CHECK(ndshm_job_attach(seen->name, &job) == 0);
    SUPPORT_CHECK(strcmp(ndshm_job_name(job), seen->name) == 0);
    SUPPORT_CHECK(ndshm_job_progress(job, &progress) == 0);
    SUPPORT_CHECK(progress.count == seen->count && progress.done == seen->count);
    SUPPORT_CHECK(progress.failed == seen->count / 3 && progress.finished == 1);
    SUPPORT_CHECK(progress.workers == 2);
    SUPPORT_CHECK(ndshm_job_failed(job) == seen->count / 3);
    SUPPORT_CHECK(ndshm_job_result(job, 5, &result) == 0);
    SUPPORT_CHECK(result.status == -EDOM && strcmp(result.message, "third") == 0);
    SUPPORT_CHECK(ndshm_job_cancel(job) == -EPERM);
    SUPPORT_CHECK(ndshm_job_wait(job, 0) == -EPERM);
    SUPPORT_CHECK(ndshm_job_next(job, 0, &result) == -EPERM);
    ndshm_job_close(&job);
    return 0;
}

static void test_any_process_watches_by_name(void **state)
{
    static const int64_t counts[] = {6, 60000}; /* inline, and in a segment of its own */
    ndshm_pool *pool = support_pool(2);
    (void)state;
    for (int i = 0; i < 2; i++) {
        ndshm_job_config config = support_job(fail_third, counts[i]);
        ndshm_job *job;
        assert_ok(ndshm_pool_map(pool, &config, &job));
        struct seen seen = {ndshm_job_name(job), counts[i]};
        assert_int_equal(support_child(watch, &seen), 0);
        ndshm_job_close(&job);
    }
    ndshm_pool_close(&pool);
}

static void test_a_job_that_is_gone_is_said_to_be(void **state)
{
    ndshm_pool *pool = support_pool(2);
    ndshm_job_config config = support_job(fail_third, 6);
    ndshm_progress progress;
    ndshm_result result;
    ndshm_job *job, *watched;
    char name[256];
    (void)state;
    assert_ok(ndshm_pool_map(pool, &config, &job));
    snprintf(name, sizeof name, "%s", ndshm_job_name(job));
    assert_ok(ndshm_job_attach(name, &watched));
    ndshm_job_close(&job);
    assert_fails(-ENOENT, ndshm_job_progress(watched, &progress), "no such job");
    assert_fails(-ENOENT, ndshm_job_result(watched, 0, &result), "no such job");
    assert_int_equal(ndshm_job_failed(watched), -ENOENT);
    ndshm_job_close(&watched);
    assert_fails(-ENOENT, ndshm_job_attach(name, &watched), "no such job");
    assert_fails(-EINVAL, ndshm_job_attach(ndshm_pool_name(pool), &watched), "POOL.job.NUMBER");
    assert_fails(-EINVAL, ndshm_job_attach("x.job.", &watched), "POOL.job.NUMBER");
    assert_fails(-EINVAL, ndshm_job_attach("x.job.1x", &watched), "POOL.job.NUMBER");
    assert_fails(-ENOENT, ndshm_job_attach("t-no.job.1", &watched), "t-no");
    assert_fails(-EINVAL, ndshm_job_attach(NULL, &watched), "no name");
    ndshm_pool_close(&pool);
}

/* --- by descriptor --- */

static int readable(int fd, int timeout_ms)
{
    struct pollfd file = {.fd = fd, .events = POLLIN};
    return poll(&file, 1, timeout_ms);
}

static int close_everything(ndshm_task *task)
{
    (void)task;
    for (int fd = 3; fd < 1024; fd++)
        close(fd);
    return 0;
}

static void test_a_descriptor_tells_what_ended(void **state)
{
    ndshm_pool *pool = support_pool(2);
    ndshm_job_config config = support_job(NULL, 100);
    ndshm_result result;
    ndshm_job *job;
    (void)state;
    config.fn = fail_third;
    for (int round = 0; round < 20; round++) {
        int fd = ndshm_pool_fd(pool), read = 0;
        assert_true(fd >= 0);
        assert_int_equal(readable(fd, 0), 0);
        assert_ok(ndshm_pool_submit(pool, &config, &job));
        while (read < 100) {
            assert_int_equal(readable(fd, 10000), 1);
            assert_int_equal(ndshm_pool_fd(pool), fd);
            while (ndshm_job_next(job, 0, &result) == 0)
                read++;
        }
        ndshm_job_close(&job);
        /* the end of the job may come after that of its last task */
        while (readable(ndshm_pool_fd(pool), 20))
            ;
    }
    config.fn = close_everything; /* a worker needs no descriptor to tell */
    assert_ok(ndshm_pool_map(pool, &config, &job));
    ndshm_job_close(&job);
    int fd = ndshm_pool_fd(pool);
    config.fn = fail_third;
    assert_ok(ndshm_pool_submit(pool, &config, &job));
    assert_int_equal(readable(fd, 10000), 1);
    ndshm_job_close(&job);
    ndshm_pool_fd(pool);
    assert_ok(ndshm_pool_stop(pool, -1));
    assert_int_equal(readable(fd, 10000), 1);
    ndshm_pool_close(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_any_process_watches_by_name),
        SUPPORT_TEST(test_a_job_that_is_gone_is_said_to_be),
        SUPPORT_TEST(test_a_descriptor_tells_what_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
