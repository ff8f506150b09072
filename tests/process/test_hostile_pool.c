/* SPDX-License-Identifier: MIT */
/* A peer of the same user writes over a pool, its jobs and its results while they are served: each
 * call of the submitter ends with a status and in time, and no process of the pool dies of it.
 * NDSHM_HOSTILE_SECONDS: how long; 4 when not set. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <ndshm/ndshm.h>

#include "pool/memory.h"
#include "support.h"

#define SHARED "t-hostile-shared"
enum { WORKERS = 2, ROUND_MS = 1000, WATCHDOG_S = 20, PATIENCE_MS = 200, COUNT_MAX = 3000 };

static struct shared {
    _Atomic long attacks, jobs, finished, refused, overdue, tasks, failed, taken, died, closed;
} * shared;

static uint32_t seed = 1;

static uint32_t below(uint32_t limit)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed % limit;
}

/* --- the peer --- */

/* Most bytes of a pool are places for jobs that are not there. */
static off_t place_in(off_t size)
{
    const off_t page = 4096, jobs = page + (off_t)offsetof(struct ndshm__pool_memory, inline_jobs);
    switch (below(4)) {
    case 0:
        return 8 + below((uint32_t)page - 8); /* a file without its magic is nobody's */
    case 1:
        return page + below((uint32_t)(jobs - page));
    case 2:
        return jobs + below(4096);
    default:
        return page + below((uint32_t)(size - page));
    }
}

static void overwrite(const char *path)
{
    struct stat file;
    uint8_t bytes[16];
    int fd = open(path, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return;
    size_t count = (size_t)1 << below(5);
    for (size_t i = 0; i < count; i++)
        bytes[i] = below(3) ? (uint8_t)below(256) : below(2) ? 0xFF : 0;
    off_t at = fstat(fd, &file) == 0 && file.st_size > 4096 ? place_in(file.st_size) : 0;
    if (at > 0 && at + (off_t)count <= file.st_size)
        shared->attacks += pwrite(fd, bytes, count, at) == (ssize_t)count;
    close(fd);
}

static __attribute__((noreturn)) void attack_until_killed(const char *pool)
{
    for (;;) {
        struct dirent *entry;
        char path[600];
        DIR *all = opendir("/dev/shm");
        while (all && (entry = readdir(all))) {
            snprintf(path, sizeof path, "/dev/shm/%s", entry->d_name);
            if (strncmp(entry->d_name, pool, strlen(pool)) == 0)
                overwrite(path);
        }
        closedir(all);
        usleep(below(200));
    }
}

static int peer(void *argument)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    seed = (uint32_t)getpid();
    attack_until_killed(argument);
}

/* --- the submitter and its tasks --- */

static int task(ndshm_task *task)
{
    int64_t shape[] = {100}, begin, end;
    ndshm_array *array;
    ndshm_view view;
    size_t size;
    shared->tasks++;
    ndshm_task_range(task, &begin, &end);
    const char *item = ndshm_task_item(task);
    const char *params = ndshm_task_params(task, &size);
    int status = ndshm_task_shared(task, 0, NDSHM_READ, &array);
    if (!status)
        status = ndshm_array_read(array, &view);
    if (!status && ((const double *)view.data)[0] != 1.0)
        return ndshm_task_fail(task, -EINVAL, "the shared array is another one");
    if (!status && begin % 7 == 0)
        status = ndshm_task_create(task, NDSHM_FLOAT64, 1, shape, &array);
    if (!status && begin % 11 == 0 && item && params)
        return ndshm_task_fail(task, -EDOM, item);
    return status;
}

static int submit(ndshm_pool *pool, ndshm_job **out)
{
    static const char *references[] = {SHARED};
    static const char *items[COUNT_MAX];
    ndshm_job_config config;
    ndshm_job_config_init(&config);
    for (int i = 0; i < COUNT_MAX; i++)
        items[i] = "an item";
    config.fn = task;
    config.count = below(8) ? 1 + below(100) : COUNT_MAX;
    config.shared = references;
    config.nshared = 1;
    config.items = below(2) ? items : NULL;
    config.flags = below(3) ? 0 : NDSHM_JOB_RANGES;
    config.params = "parameters";
    config.params_size = sizeof "parameters";
    config.retries = (int32_t)below(2);
    return ndshm_pool_submit(pool, &config, out);
}

static int look_at(ndshm_job *job)
{
    ndshm_progress progress;
    ndshm_result result;
    ndshm_array *array = NULL;
    int status = ndshm_job_wait(job, PATIENCE_MS);
    shared->finished += status == 0 || status == NDSHM_ETASK;
    shared->overdue += status == -ETIMEDOUT;
    SUPPORT_CHECK(ndshm_job_progress(job, &progress) == 0);
    SUPPORT_CHECK(progress.done >= 0 && progress.done <= progress.count);
    for (int64_t i = 0; i < progress.count && i < 200; i++) {
        SUPPORT_CHECK(ndshm_job_result(job, i, &result) == 0);
        SUPPORT_CHECK(memchr(result.message, 0, sizeof result.message));
        SUPPORT_CHECK(memchr(result.name, 0, sizeof result.name));
        shared->failed += result.status == -EDOM;
        status = result.name[0] ? ndshm_job_take(job, i, NDSHM_READ, &array) : -ENOENT;
        shared->taken += status == 0;
        if (status == 0)
            ndshm_array_detach(&array);
    }
    ndshm_job_next(job, 0, &result);
    SUPPORT_CHECK(ndshm_job_failed(job) <= progress.count);
    return 0;
}

static int deaths(ndshm_job *job)
{
    ndshm_progress progress;
    ndshm_result result;
    SUPPORT_CHECK(ndshm_job_progress(job, &progress) == 0);
    for (int64_t i = 0; i < progress.count; i++)
        if (ndshm_job_result(job, i, &result) == 0 && result.status == NDSHM_EWORKER &&
            (result.signal == SIGSEGV || result.signal == SIGBUS || result.signal == SIGABRT))
            shared->died++;
    return 0;
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* Until the pool says that it is broken; a healthy job that waits for a chunk which the peer gave
 * to nobody is closed after a while. */
static int serve(ndshm_pool *pool)
{
    int64_t end = now_ms() + ROUND_MS;
    while (now_ms() < end) {
        ndshm_job *job;
        int status = submit(pool, &job);
        shared->jobs += status == 0;
        shared->refused += status != 0;
        if (status)
            return 0;
        if (look_at(job) || deaths(job))
            return 1;
        ndshm_job_close(&job);
    }
    return 0;
}

static int host(void *argument)
{
    ndshm_pool *pool;
    ndshm_pool_config config;
    alarm(WATCHDOG_S);
    seed = *(uint32_t *)argument;
    ndshm_pool_config_init(&config);
    config.workers = WORKERS;
    SUPPORT_CHECK(ndshm_pool_open(&config, &pool) == 0);
    int attacker = support_child_start(peer, (void *)ndshm_pool_name(pool));
    int verdict = serve(pool);
    ndshm_pool_close(&pool);
    shared->closed++;
    kill(attacker, SIGKILL);
    support_child_wait(attacker);
    return verdict;
}

static void test_a_pool_that_is_written_over(void **state)
{
    (void)state;
    const char *seconds = getenv("NDSHM_HOSTILE_SECONDS");
    time_t end = time(NULL) + (seconds ? atoi(seconds) : 4);
    const int64_t shape[] = {1000};
    ndshm_array *array;
    ndshm_view view;
    uint32_t round = 1;
    assert_ok(ndshm_array_create(SHARED, NDSHM_FLOAT64, 1, shape, NULL, &array));
    assert_ok(ndshm_array_read(array, &view));
    *(double *)view.data = 1.0;
    for (; time(NULL) < end; round++)
        assert_int_equal(support_child(host, &round), 0);
    assert_ok(ndshm_array_unlink(array));
    ndshm_array_detach(&array);
    /* What was damaged is never removed, but by hand. */
    assert_int_equal(support_run(NULL, 0, "rm -f /dev/shm/ndshm.*"), 0);
    print_message("%u rounds, %ld attacks; jobs %ld: finished %ld, overdue %ld; refused %ld; tasks "
                  "%ld, failed %ld, taken %ld, died %ld\n",
                  round - 1, shared->attacks, shared->jobs, shared->finished, shared->overdue,
                  shared->refused, shared->tasks, shared->failed, shared->taken, shared->died);
    assert_int_equal(shared->closed, round - 1);
    assert_int_equal(shared->died, 0);
    assert_true(shared->attacks > 0 && shared->finished > 0 && shared->tasks > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_a_pool_that_is_written_over),
    };
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return shared == MAP_FAILED ? 2 : cmocka_run_group_tests(tests, NULL, NULL);
}
