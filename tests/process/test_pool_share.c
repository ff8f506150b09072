/* SPDX-License-Identifier: MIT */
/* Workers share the machine: pools inside of tasks, pinning, and the threads of OpenMP and
 * OpenBLAS, loaded before the pool was opened and after. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <ndshm/pool.h>

#include "pools.h"
#include "support.h"

/* Runs fn as tasks of a pool and copies what they wrote, one number a task. 0, or a status. */
static int run_tasks(const ndshm_pool_config *config, ndshm_task_fn fn, int64_t count, int64_t *out)
{
    ndshm_array *output = NULL;
    ndshm_pool *pool = NULL;
    ndshm_job *job = NULL;
    int status = ndshm_array_create(NULL, NDSHM_INT64, 1, &count, NULL, &output);
    if (!status)
        status = ndshm_pool_open(config, &pool);
    if (!status) {
        ndshm_job_config job_config = support_job(fn, count);
        job_config.output = ndshm_array_name(output);
        status = ndshm_pool_submit(pool, &job_config, &job);
    }
    if (!status)
        status = ndshm_job_wait(job, 20000);
    if (!status)
        status = ndshm_array_copy(output, out, count * (int64_t)sizeof *out);
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
    ndshm_array_detach(&output);
    return status;
}

static int answer(ndshm_task *task, int64_t value)
{
    ndshm_view out;
    int status = ndshm_task_output(task, &out);
    if (!status)
        *(int64_t *)out.data = value;
    return status;
}

static ndshm_pool_config with_workers(int workers)
{
    ndshm_pool_config config;
    ndshm_pool_config_init(&config);
    config.workers = workers;
    return config;
}

/* --- pools inside of tasks --- */

static int cpus(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

/* Not more CPUs than the machine has been cut down to. */
static int use_cpus(int most)
{
    cpu_set_t set, fewer;
    CPU_ZERO(&fewer);
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return -1;
    for (size_t cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&fewer) < most; cpu++)
        if (CPU_ISSET(cpu, &set))
            CPU_SET(cpu, &fewer);
    return sched_setaffinity(0, sizeof fewer, &fewer);
}

static int64_t workers_by_default(void)
{
    ndshm_pool *pool;
    if (ndshm_pool_open(NULL, &pool))
        return -1;
    int64_t workers = ndshm_pool_workers(pool);
    ndshm_pool_close(&pool);
    return workers;
}

static int innermost(ndshm_task *task)
{
    return answer(task, workers_by_default());
}

/* Adds up what four tasks of a pool of its own say. */
static int nested(ndshm_task *task)
{
    ndshm_pool_config config = with_workers(2);
    int64_t inner[4];
    int status = run_tasks(&config, innermost, 4, inner);
    return status ? ndshm_task_fail(task, status, NULL)
                  : answer(task,
                           workers_by_default() * 1000 + inner[0] + inner[1] + inner[2] + inner[3]);
}

static void test_nested_pools_get_a_share(void **state)
{
    ndshm_pool_config config = with_workers(2);
    int share = cpus() / 2 > 1 ? cpus() / 2 : 1, next = share / 2 > 1 ? share / 2 : 1;
    int64_t found[6];
    (void)state;
    assert_ok(run_tasks(&config, nested, 6, found));
    for (int i = 0; i < 6; i++)
        assert_int_equal(found[i], share * 1000 + 4 * next);
    assert_true(workers_by_default() <= cpus());
}

/* A worker that is killed while a pool of its own is at work: the leak oracle sees what stays. */
static int wait_long(ndshm_task *task)
{
    (void)task;
    sleep(100);
    return 0;
}

static int die_with_a_pool(ndshm_task *task)
{
    ndshm_pool_config config = with_workers(2);
    ndshm_job_config job_config = support_job(wait_long, 2);
    ndshm_progress progress = {0};
    ndshm_pool *pool;
    ndshm_job *job;
    (void)task;
    if (ndshm_pool_open(&config, &pool) || ndshm_pool_submit(pool, &job_config, &job))
        return -1;
    while (progress.running < 2 && ndshm_job_progress(job, &progress) == 0)
        ;
    kill(getpid(), SIGKILL);
    return 0;
}

static void test_nested_pools_end_with_their_task(void **state)
{
    ndshm_pool *pool = support_pool(1);
    ndshm_job_config config = support_job(die_with_a_pool, 1);
    ndshm_result result;
    ndshm_job *job;
    (void)state;
    assert_ok(ndshm_pool_map(pool, &config, &job));
    assert_ok(ndshm_job_result(job, 0, &result));
    assert_int_equal(result.status, NDSHM_EWORKER);
    assert_int_equal(result.signal, SIGKILL);
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
}

/* --- pinning --- */

static int where(ndshm_task *task)
{
    cpu_set_t set;
    int64_t mask = 0;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return -1;
    for (size_t cpu = 0; cpu < 63; cpu++)
        mask |= CPU_ISSET(cpu, &set) ? INT64_C(1) << cpu : 0;
    struct timespec pause = {0, 20000000}; /* so that each worker gets one */
    nanosleep(&pause, NULL);
    return answer(task, mask);
}

static void test_workers_are_pinned(void **state)
{
    int64_t masks[8], all, seen = 0;
    ndshm_pool_config config = with_workers(2);
    (void)state;
    assert_ok(run_tasks(&config, where, 1, &all));
    config.pin = NDSHM_PIN_CORE;
    assert_ok(run_tasks(&config, where, 8, masks));
    for (int i = 0; i < 8; i++) {
        assert_int_equal(__builtin_popcountll((uint64_t)masks[i]), 1);
        assert_int_equal(masks[i] & ~all, 0);
        seen |= masks[i];
    }
    assert_true(__builtin_popcountll((uint64_t)seen) == (cpus() > 1 ? 2 : 1));
}

static void test_one_node_needs_no_pinning(void **state)
{
    int64_t mask, all;
    ndshm_pool_config config = with_workers(1);
    (void)state;
    if (access("/sys/devices/system/node/node1", F_OK) == 0)
        skip();
    assert_ok(run_tasks(&config, where, 1, &all));
    config.pin = NDSHM_PIN_NODE;
    int status = run_tasks(&config, where, 1, &mask);
    if (status == -ENOTSUP) /* built without libnuma */
        skip();
    assert_ok(status);
    assert_int_equal(mask, all);
}

/* --- threads of libraries --- */

#define GOMP "libgomp.so.1"
#define OPENBLAS "libopenblas.so.0"

static void count_member(void *data)
{
    atomic_fetch_add((atomic_int *)data, 1);
}

/* How many threads a parallel region gets. */
static int64_t omp_team(void)
{
    void (*parallel)(void (*)(void *), void *, unsigned, unsigned);
    void *object = dlopen(GOMP, RTLD_NOW), *symbol = object ? dlsym(object, "GOMP_parallel") : NULL;
    atomic_int members = 0;
    if (!symbol)
        return -1;
    memcpy(&parallel, &symbol, sizeof parallel);
    parallel(count_member, &members, 0, 0);
    return members;
}

static int thread_count(void)
{
    int count = 0;
    DIR *tasks = opendir("/proc/self/task");
    while (tasks && readdir(tasks))
        count++;
    if (tasks)
        closedir(tasks);
    return count - 2;
}

/* How many threads there are once matrices were multiplied. */
static int64_t blas_threads(void)
{
    enum { SIDE = 256, ROW_MAJOR = 101, PLAIN = 111 };
    void (*multiply)(int, int, int, int, int, int, double, const double *, int, const double *, int,
                     double, double *, int);
    void *object = dlopen(OPENBLAS, RTLD_NOW),
         *symbol = object ? dlsym(object, "cblas_dgemm") : NULL;
    double *a = calloc(SIDE * SIDE, sizeof *a), *b = calloc(SIDE * SIDE, sizeof *b);
    if (!symbol || !a || !b)
        return -1;
    memcpy(&multiply, &symbol, sizeof multiply);
    multiply(ROW_MAJOR, PLAIN, PLAIN, SIDE, SIDE, SIDE, 1, a, SIDE, a, SIDE, 0, b, SIDE);
    free(a);
    free(b);
    return thread_count();
}

static int omp_task(ndshm_task *task)
{
    return answer(task, omp_team());
}

static int blas_task(ndshm_task *task)
{
    return answer(task, blas_threads());
}

struct scene {
    const char *library;
    bool before; /* loaded before the pool is opened; else by the tasks */
    bool used;   /* and used there */
    int threads; /* of the config */
    int most;    /* that a task may find */
};

static bool is_openmp(const struct scene *scene)
{
    return strcmp(scene->library, GOMP) == 0;
}

static int enter(const struct scene *scene)
{
    SUPPORT_CHECK(use_cpus(2) == 0);
    setenv("OMP_NUM_THREADS", "4", 1);
    setenv("OPENBLAS_NUM_THREADS", "4", 1);
    SUPPORT_CHECK(!scene->before || dlopen(scene->library, RTLD_NOW));
    return 0;
}

/* What the library takes without a pool: 255 (-1) when there is no such library. */
static int by_itself(void *argument)
{
    const struct scene *scene = argument;
    if (enter(scene))
        return 1;
    return (int)(is_openmp(scene) ? omp_team() : blas_threads());
}

static int play(void *argument)
{
    const struct scene *scene = argument;
    ndshm_pool_config config = with_workers(2);
    int64_t found[8];
    if (enter(scene))
        return 1;
    SUPPORT_CHECK(!scene->used || omp_team() == 4);
    config.threads = scene->threads;
    SUPPORT_CHECK(run_tasks(&config, is_openmp(scene) ? omp_task : blas_task, 8, found) == 0);
    for (int i = 0; i < 8; i++)
        SUPPORT_CHECK(found[i] == scene->most);
    return 0;
}

/* Two workers on two CPUs have one each. */
static void play_all(const char *library)
{
    static const int threads[] = {0, 1, 3, 8, NDSHM_THREADS_KEEP};
    struct scene scene = {.library = library};
    int most = support_child(by_itself, &scene);
    if (most == 255)
        skip();
    for (int before = 0; before < 2; before++)
        for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
            scene.before = before;
            scene.threads = threads[i];
            scene.most = threads[i] == 0 ? 1 : most;
            if (threads[i] > 0 && threads[i] < most)
                scene.most = threads[i];
            assert_int_equal(support_child(play, &scene), 0);
        }
}

static void test_openmp(void **state)
{
    (void)state;
    play_all(GOMP);
}

static void test_openblas(void **state)
{
    (void)state;
    play_all(OPENBLAS);
}

/* With more than one thread the worker would wait for threads that its parent had. */
static void test_openmp_used_before_the_open(void **state)
{
    struct scene scene = {.library = GOMP, .before = true, .used = true, .most = 1};
    (void)state;
    if (support_child(by_itself, &scene) == 1)
        skip();
    for (scene.threads = 0; scene.threads < 4; scene.threads++)
        assert_int_equal(support_child(play, &scene), 0);
}

/* Variables are lowered, never raised. */
static int show_variables(ndshm_task *task)
{
    const char *omp = getenv("OMP_NUM_THREADS"), *mkl = getenv("MKL_NUM_THREADS");
    const char *own = getenv("T_POOL_SHARE");
    return answer(task, omp && mkl && own ? atoi(omp) * 100 + atoi(mkl) * 10 + atoi(own) : -1);
}

static void test_variables(void **state)
{
    ndshm_pool_config config = with_workers(2);
    int64_t found;
    (void)state;
    setenv("OMP_NUM_THREADS", "2", 1);
    setenv("MKL_NUM_THREADS", "9,3", 1);
    setenv("T_POOL_SHARE", "7", 1);
    config.threads = 5;
    assert_ok(run_tasks(&config, show_variables, 1, &found));
    assert_int_equal(found, 257);
    assert_string_equal(getenv("MKL_NUM_THREADS"), "9,3"); /* the host's own */
    unsetenv("OMP_NUM_THREADS");
    unsetenv("MKL_NUM_THREADS");
    unsetenv("T_POOL_SHARE");
}

/* --- random numbers: workers are copies, and so is the state of any other generator --- */

static int draw(ndshm_task *task)
{
    for (int i = 0; i < 100; i++)
        ndshm_task_random(task);
    return answer(task, (int64_t)ndshm_task_random(task));
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void test_random_streams_differ(void **state)
{
    enum { TASKS = 5000 };
    static int64_t one[TASKS], three[TASKS];
    ndshm_pool_config config = with_workers(1);
    (void)state;
    assert_ok(run_tasks(&config, draw, TASKS, one));
    config.workers = 3;
    assert_ok(run_tasks(&config, draw, TASKS, three));
    assert_memory_equal(one, three, sizeof one);
    qsort(one, TASKS, sizeof *one, by_value);
    for (int i = 1; i < TASKS; i++)
        assert_true(one[i - 1] != one[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_nested_pools_get_a_share),
        SUPPORT_TEST(test_nested_pools_end_with_their_task),
        SUPPORT_TEST(test_workers_are_pinned),
        SUPPORT_TEST(test_one_node_needs_no_pinning),
        SUPPORT_TEST(test_openmp),
        SUPPORT_TEST(test_openblas),
        SUPPORT_TEST(test_openmp_used_before_the_open),
        SUPPORT_TEST(test_variables),
        SUPPORT_TEST(test_random_streams_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
