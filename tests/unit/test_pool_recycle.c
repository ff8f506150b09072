/* SPDX-License-Identifier: MIT */
/* Memory of results that is used again: never while somebody uses it, never under an old name. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/os.h"
#include "pool/pool.h"
#include "pools.h"
#include "support.h"

enum { BYTES = 1 << 20, PATIENCE_MS = 10000 };

/* Leaves BYTES of its parameter, and says in the first one whether all were zero before. */
static int fill(ndshm_task *task)
{
    int64_t bytes = BYTES;
    const uint8_t *value = ndshm_task_params(task, NULL);
    ndshm_array *array;
    ndshm_view view;
    int status = ndshm_task_create(task, NDSHM_UINT8, 1, &bytes, &array);
    if (status)
        return ndshm_task_fail(task, status, NULL);
    ndshm_array_read(array, &view);
    uint8_t *data = view.data;
    bool zero = ndshm__is_zero(data, BYTES);
    memset(data, *value, BYTES);
    data[0] = zero;
    if (*value == 'k')
        kill(getpid(), SIGKILL);
    return *value == 'f' ? -EDOM : 0;
}

static ndshm_pool *open_pool(int workers, int64_t cache_bytes)
{
    ndshm_pool_config config;
    ndshm_pool *pool;
    ndshm_pool_config_init(&config);
    config.workers = workers;
    config.cache_bytes = cache_bytes;
    assert_ok(ndshm_pool_open(&config, &pool));
    return pool;
}

/* One result of a pool, taken. */
static ndshm_array *produce(ndshm_pool *pool, uint8_t value, uint32_t flags)
{
    ndshm_job_config config = support_job(fill, 1);
    ndshm_array *array;
    ndshm_job *job;
    config.params = &value;
    config.params_size = 1;
    config.flags = flags;
    assert_ok(ndshm_pool_map(pool, &config, &job));
    assert_ok(ndshm_job_take(job, 0, NDSHM_READ, &array));
    ndshm_job_close(&job);
    return array;
}

static uint64_t inode_of(const char *name)
{
    struct stat file;
    assert_int_equal(ndshm__os_stat_name(name, &file), 0);
    return file.st_ino;
}

static const uint8_t *bytes_of(ndshm_array *array)
{
    ndshm_view view;
    assert_ok(ndshm_array_read(array, &view));
    return view.data;
}

static int names_like(const char *prefix)
{
    ndshm_list *list;
    ndshm_info info;
    int count = 0;
    assert_ok(ndshm_list_open(&list));
    while (ndshm_list_next(list, &info) == 0)
        count += strncmp(info.name, prefix, strlen(prefix)) == 0;
    ndshm_list_close(&list);
    return count;
}

static void test_the_same_memory_comes_again(void **state)
{
    ndshm_pool *pool = open_pool(1, 0);
    char name[256];
    (void)state;
    ndshm_array *array = produce(pool, 1, 0);
    uint64_t inode = inode_of(ndshm_array_name(array));
    snprintf(name, sizeof name, "%s", ndshm_array_name(array));
    ndshm_array_detach(&array);
    for (int round = 0; round < 20; round++) {
        uint32_t flags = round % 2 ? NDSHM_JOB_UNINITIALIZED : 0;
        array = produce(pool, (uint8_t)(round + 2), flags);
        assert_int_equal(inode_of(ndshm_array_name(array)), inode);
        assert_int_equal(bytes_of(array)[0], !flags); /* zeroes, unless they were not wanted */
        assert_int_equal(bytes_of(array)[BYTES - 1], round + 2);
        ndshm_array *stale;
        assert_fails(-ENOENT, ndshm_array_attach(name, NDSHM_READ, &stale), "no such segment");
        snprintf(name, sizeof name, "%s", ndshm_array_name(array));
        ndshm_array_detach(&array);
    }
    ndshm_pool_close(&pool);
}

static void test_what_somebody_uses_is_left_alone(void **state)
{
    ndshm_pool *pool = open_pool(1, 0);
    ndshm_array *second, *other;
    (void)state;
    ndshm_array *first = produce(pool, 1, 0);
    assert_ok(ndshm_array_attach(ndshm_array_name(first), NDSHM_READ, &other));
    ndshm_array_detach(&first); /* other goes on */
    second = produce(pool, 2, 0);
    assert_int_equal(bytes_of(other)[BYTES - 1], 1);
    assert_int_equal(bytes_of(second)[BYTES - 1], 2);
    assert_true(inode_of(ndshm_array_name(other)) != inode_of(ndshm_array_name(second)));
    ndshm_array_detach(&other);
    ndshm_array_detach(&second);
    ndshm_pool_close(&pool);
}

/* Somebody who attached the free segment itself under its new name is refused; who holds its lock
 * costs the pool that segment, and sees no other bytes. */
static void test_a_free_segment_that_is_held(void **state)
{
    ndshm_pool *pool = open_pool(1, 0);
    char name[256];
    ndshm_array *array = produce(pool, 1, 0), *stale;
    (void)state;
    ndshm_array_detach(&array);
    snprintf(name, sizeof name, "%s.free.0", ndshm_pool_name(pool));
    uint64_t inode = inode_of(name);
    assert_fails(-ENOENT, ndshm_array_attach(name, NDSHM_READ, &stale), "renamed");
    int fd = ndshm__os_open(name, false);
    assert_true(fd >= 0);
    assert_int_equal(ndshm__os_lock_read(fd, INT64_C(1) << 62), 0);
    array = produce(pool, 2, 0);
    assert_true(inode_of(ndshm_array_name(array)) != inode);
    char byte;
    assert_int_equal(ndshm__os_pread(fd, &byte, 1, 4096 + BYTES - 1), 1);
    assert_int_equal(byte, 1);
    close(fd);
    ndshm_array_detach(&array);
    ndshm_pool_close(&pool);
}

static void test_no_more_is_kept_than_allowed(void **state)
{
    enum { COUNT = 8 };
    ndshm_array *arrays[COUNT];
    char prefix[256];
    (void)state;
    for (int limit = -1; limit <= 4; limit += 5) {
        ndshm_pool *pool = open_pool(1, limit < 0 ? -1 : 4 * (BYTES + 4096));
        snprintf(prefix, sizeof prefix, "%s.", ndshm_pool_name(pool));
        for (int i = 0; i < COUNT; i++)
            arrays[i] = produce(pool, 1, 0);
        for (int i = 0; i < COUNT; i++)
            ndshm_array_detach(&arrays[i]);
        assert_int_equal(names_like(prefix), limit < 0 ? 0 : 4);
        ndshm_pool_close(&pool);
    }
}

static void test_an_idle_pool_gives_memory_back(void **state)
{
    ndshm__os_space before, now = {0};
    ndshm_pool *pool = open_pool(2, 0);
    (void)state;
    assert_int_equal(ndshm__os_space_of_directory(&before), 0);
    ndshm_array *arrays[] = {produce(pool, 1, 0), produce(pool, 1, 0)};
    ndshm_array_detach(&arrays[0]);
    ndshm_array_detach(&arrays[1]);
    for (int i = 0; i < PATIENCE_MS && now.bytes_free < before.bytes_free; i++) {
        usleep(1000);
        assert_int_equal(ndshm__os_space_of_directory(&now), 0);
    }
    assert_true(now.bytes_free >= before.bytes_free);
    arrays[0] = produce(pool, 2, 0);
    assert_int_equal(bytes_of(arrays[0])[BYTES - 1], 2);
    ndshm_array_detach(&arrays[0]);
    ndshm_pool_close(&pool);
}

static void test_untaken_results_are_used_again(void **state)
{
    const uint8_t value = 3;
    ndshm_pool *pool = open_pool(1, 0);
    ndshm_job_config config = support_job(fill, 1);
    ndshm_result result;
    ndshm_job *job;
    uint64_t inode = 0;
    (void)state;
    config.params = &value;
    config.params_size = 1;
    for (int i = 0; i < 5; i++) {
        assert_ok(ndshm_pool_map(pool, &config, &job));
        assert_ok(ndshm_job_result(job, 0, &result));
        assert_true(i == 0 || inode == inode_of(result.name));
        inode = inode_of(result.name);
        ndshm_job_close(&job);
    }
    ndshm_pool_close(&pool);
}

/* A task that fails, or dies, while it fills memory that is used again. */
static void test_failures_lose_no_memory(void **state)
{
    ndshm_pool *pool = open_pool(1, 0);
    ndshm_job_config config = support_job(fill, 1);
    (void)state;
    for (int round = 0; round < 6; round++) {
        uint8_t value = round % 2 ? 'f' : 'k';
        ndshm_job *job;
        ndshm_array *array = produce(pool, 1, 0);
        ndshm_array_detach(&array);
        config.params = &value;
        config.params_size = 1;
        assert_ok(ndshm_pool_map(pool, &config, &job));
        assert_int_equal(ndshm_job_failed(job), 1);
        ndshm_job_close(&job);
        assert_int_equal(atomic_load(&pool->memory->cached), 0);
    }
    char prefix[256];
    snprintf(prefix, sizeof prefix, "%s.", ndshm_pool_name(pool));
    assert_int_equal(names_like(prefix), 0);
    ndshm_pool_close(&pool);
}

static void test_what_was_taken_outlives_the_pool(void **state)
{
    ndshm_pool *pool = open_pool(1, 0);
    ndshm_array *array = produce(pool, 1, 0);
    ndshm_array_detach(&array);
    (void)state;
    array = produce(pool, 7, 0);
    ndshm_pool_close(&pool);
    assert_int_equal(bytes_of(array)[BYTES - 1], 7);
    ndshm_array_detach(&array);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_the_same_memory_comes_again),
        SUPPORT_TEST(test_what_somebody_uses_is_left_alone),
        SUPPORT_TEST(test_a_free_segment_that_is_held),
        SUPPORT_TEST(test_no_more_is_kept_than_allowed),
        SUPPORT_TEST(test_an_idle_pool_gives_memory_back),
        SUPPORT_TEST(test_untaken_results_are_used_again),
        SUPPORT_TEST(test_failures_lose_no_memory),
        SUPPORT_TEST(test_what_was_taken_outlives_the_pool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
