/* SPDX-License-Identifier: MIT */
/* What a pool costs whoever has it open: processes, CPU time while it is idle, memory a worker. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <ndshm/pool.h>

#include "pools.h"
#include "support.h"

enum { WORKERS = 3 };

/* Supervisor first. */
static void processes_of_pool(int pids[WORKERS + 1])
{
    assert_int_equal(support_children(getpid(), pids, 1), 1);
    assert_int_equal(support_children(pids[0], pids + 1, WORKERS), WORKERS);
}

static int nothing(ndshm_task *task)
{
    (void)task;
    return 0;
}

static void run_empty_tasks(ndshm_pool *pool, int64_t count)
{
    ndshm_job_config config = support_job(nothing, count);
    ndshm_job *job;
    assert_ok(ndshm_pool_map(pool, &config, &job));
    assert_ok(ndshm_job_wait(job, 0));
    ndshm_job_close(&job);
}

/* --- processes --- */

static _Atomic int64_t *forks; /* by anybody, as long as it is mapped */

static void count_fork(void)
{
    if (forks)
        atomic_fetch_add(forks, 1);
}

static void test_n_workers_take_n_and_one_forks(void **state)
{
    int pids[WORKERS + 1];
    (void)state;
    forks = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(forks != MAP_FAILED);
    ndshm_pool *pool = support_pool(WORKERS);
    processes_of_pool(pids);
    run_empty_tasks(pool, 1000);
    assert_int_equal(atomic_load(forks), WORKERS + 1);
    ndshm_pool_close(&pool);
    assert_int_equal(atomic_load(forks), WORKERS + 1);
    munmap((void *)forks, 4096);
    forks = NULL;
}

/* --- idle --- */

static int64_t cpu_ns(int pid)
{
    struct timespec used;
    clockid_t clock;
    assert_int_equal(clock_getcpuclockid(pid, &clock), 0);
    assert_int_equal(clock_gettime(clock, &used), 0);
    return used.tv_sec * 1000000000 + used.tv_nsec;
}

static int64_t cpu_of_all(const int *pids, int count)
{
    int64_t sum = 0;
    for (int i = 0; i < count; i++)
        sum += cpu_ns(pids[i]);
    return sum;
}

/* Once all are parked: of a second, at most one tick of them all. */
static void test_idle_pools_use_no_cpu(void **state)
{
    enum { TICK_NS = 10000000 };
    int pids[WORKERS + 1];
    ndshm_pool *pool = support_pool(WORKERS);
    (void)state;
    run_empty_tasks(pool, 1000);
    processes_of_pool(pids);
    usleep(500000);
    int64_t before = cpu_of_all(pids, WORKERS + 1);
    usleep(1000000);
    assert_true(cpu_of_all(pids, WORKERS + 1) - before <= TICK_NS);
    ndshm_pool_close(&pool);
}

/* --- memory --- */

/* Memory that a process shares with nobody, in bytes. */
static int64_t private_bytes(int pid)
{
    char path[64], line[256];
    long long kib = -1;
    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pid);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (kib < 0 && fgets(line, sizeof line, file))
        if (sscanf(line, "Private_Dirty: %lld", &kib) != 1)
            kib = -1;
    fclose(file);
    assert_true(kib >= 0);
    return kib * 1024;
}

/* What a process that does nothing has of its own, forked from a host like ours. */
static int64_t bare_bytes(void)
{
    int pid = fork();
    if (pid == 0)
        for (;;)
            pause();
    usleep(100000);
    int64_t bytes = private_bytes(pid);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return bytes;
}

static void test_a_worker_takes_less_than_a_megabyte(void **state)
{
    enum { HOST_BYTES = 64 << 20, MEGABYTE = 1 << 20 };
    int pids[WORKERS + 1];
    (void)state;
    char *own = malloc(HOST_BYTES);
    assert_non_null(own);
    memset(own, 1, HOST_BYTES);
    ndshm_pool *pool = support_pool(WORKERS);
    run_empty_tasks(pool, 100000);
    processes_of_pool(pids);
    int64_t bare = bare_bytes();
    for (int i = 0; i <= WORKERS; i++)
        assert_true(private_bytes(pids[i]) - bare < MEGABYTE);
    ndshm_pool_close(&pool);
    assert_int_equal(own[HOST_BYTES - 1], 1);
    free(own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_n_workers_take_n_and_one_forks),
        SUPPORT_TEST(test_idle_pools_use_no_cpu),
        SUPPORT_TEST(test_a_worker_takes_less_than_a_megabyte),
    };
    pthread_atfork(count_fork, NULL, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
