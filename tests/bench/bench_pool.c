/* SPDX-License-Identifier: MIT */
/* What a pool costs: tasks a second, one apply, opening, deaths. One JSON line a benchmark; "limit"
 * lines are what the machine gives to a bare program. */
#include <linux/futex.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ndshm/pool.h>

#include "bench.h"

enum { ROUNDS = 5, TASKS = 10000000, APPLIES = 20000, PARKED = 300, TRIPS = 20000 };

static int nothing(ndshm_task *task)
{
    (void)task;
    return 0;
}

static ndshm_pool *open_pool(int workers)
{
    ndshm_pool_config config;
    ndshm_pool *pool;
    ndshm_pool_config_init(&config);
    config.workers = workers;
    check(ndshm_pool_open(&config, &pool));
    return pool;
}

static ndshm_job_config job_of(ndshm_task_fn fn, int64_t count, int64_t chunk)
{
    ndshm_job_config config;
    ndshm_job_config_init(&config);
    config.fn = fn;
    config.count = count;
    config.chunk = chunk;
    return config;
}

/* --- many tasks --- */

static double map_once(ndshm_pool *pool, int64_t chunk)
{
    ndshm_job_config config = job_of(nothing, TASKS, chunk);
    ndshm_job *job;
    double begin = now();
    check(ndshm_pool_map(pool, &config, &job));
    double elapsed = now() - begin;
    ndshm_job_close(&job);
    return elapsed;
}

static void measure_map(const char *benchmark, ndshm_pool *pool, int64_t chunk)
{
    double best = 1e9;
    for (int i = 0; i < ROUNDS; i++) {
        double elapsed = map_once(pool, chunk);
        best = elapsed < best ? elapsed : best;
    }
    report(benchmark, TASKS / best, "tasks/s");
}

/* --- one task --- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, compare);
    return values[count / 2];
}

/* pause_us: how long the worker is left alone before, so that it parks. */
static void measure_apply(const char *benchmark, ndshm_pool *pool, int count, unsigned pause_us)
{
    ndshm_job_config config = job_of(nothing, 1, 1);
    double *times = calloc((size_t)count, sizeof *times);
    for (int i = 0; i < count; i++) {
        ndshm_job *job;
        if (pause_us)
            usleep(pause_us);
        double begin = now();
        check(ndshm_pool_map(pool, &config, &job));
        times[i] = now() - begin;
        ndshm_job_close(&job);
    }
    report(benchmark, median(times, count) * 1e6, "us");
    free(times);
}

static void futex(_Atomic uint32_t *word, int operation, uint32_t value)
{
    syscall(SYS_futex, word, operation, value, NULL, NULL, 0);
}

static void wait_for(_Atomic uint32_t *word, uint32_t value)
{
    uint32_t seen;
    while ((seen = atomic_load(word)) != value)
        futex(word, FUTEX_WAIT, seen);
}

static void set(_Atomic uint32_t *word, uint32_t value)
{
    atomic_store(word, value);
    futex(word, FUTEX_WAKE, 1);
}

/* Two processes that wake each other: what an apply to a parked worker cannot beat. */
static void measure_futex(void)
{
    _Atomic uint32_t *words =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    double times[PARKED];
    pid_t pid = fork();
    if (pid == 0) {
        for (uint32_t i = 1; i <= PARKED; i++) {
            wait_for(&words[0], i);
            set(&words[16], i);
        }
        _exit(0);
    }
    for (uint32_t i = 1; i <= PARKED; i++) {
        usleep(1000);
        double begin = now();
        set(&words[0], i);
        wait_for(&words[16], i);
        times[i - 1] = now() - begin;
    }
    waitpid(pid, NULL, 0);
    munmap(words, 4096);
    report("limit: futex round trip, both parked", median(times, PARKED) * 1e6, "us");
}

/* --- inside a task --- */

static int use_shared(ndshm_task *task)
{
    ndshm_array *array;
    ndshm_view out;
    check(ndshm_task_shared(task, 0, NDSHM_READ, &array));
    check(ndshm_task_output(task, &out));
    double begin = now();
    for (int i = 0; i < TRIPS; i++)
        check(ndshm_task_shared(task, 0, NDSHM_READ, &array));
    *(double *)out.data = (now() - begin) / TRIPS;
    return 0;
}

static void measure_shared(ndshm_pool *pool)
{
    int64_t n = 1000, one = 1;
    ndshm_array *array, *output;
    ndshm_view view;
    ndshm_job *job;
    check(ndshm_array_create(NULL, NDSHM_FLOAT64, 1, &n, NULL, &array));
    check(ndshm_array_create(NULL, NDSHM_FLOAT64, 1, &one, NULL, &output));
    ndshm_job_config config = job_of(use_shared, 1, 1);
    const char *shared[] = {ndshm_array_name(array)};
    config.shared = shared;
    config.nshared = 1;
    config.output = ndshm_array_name(output);
    check(ndshm_pool_map(pool, &config, &job));
    check(ndshm_array_read(output, &view));
    report("second use of a shared name in a worker", *(double *)view.data * 1e9, "ns");
    ndshm_job_close(&job);
    ndshm_array_detach(&array);
    ndshm_array_detach(&output);
}

/* --- opening --- */

static void measure_fork(void)
{
    double times[ROUNDS * 5];
    for (int i = 0; i < ROUNDS * 5; i++) {
        double begin = now();
        pid_t pid = fork();
        if (pid == 0)
            _exit(0);
        waitpid(pid, NULL, 0);
        times[i] = now() - begin;
    }
    report("limit: fork and wait", median(times, ROUNDS * 5) * 1e6, "us");
}

static void measure_open(const char *benchmark, int workers)
{
    double opens[ROUNDS * 5], closes[ROUNDS * 5];
    char name[64];
    for (int i = 0; i < ROUNDS * 5; i++) {
        double begin = now();
        ndshm_pool *pool = open_pool(workers);
        opens[i] = now() - begin;
        begin = now();
        ndshm_pool_close(&pool);
        closes[i] = now() - begin;
    }
    snprintf(name, sizeof name, "open, %s", benchmark);
    report(name, median(opens, ROUNDS * 5) * 1e6, "us");
    snprintf(name, sizeof name, "close, %s", benchmark);
    report(name, median(closes, ROUNDS * 5) * 1e6, "us");
}

/* --- a death --- */

static int die(ndshm_task *task)
{
    (void)task;
    kill(getpid(), SIGKILL);
    return 0;
}

static void measure_death(ndshm_pool *pool)
{
    double times[ROUNDS * 5];
    ndshm_job_config config = job_of(die, 1, 1);
    for (int i = 0; i < ROUNDS * 5; i++) {
        ndshm_job *job;
        double begin = now();
        check(ndshm_pool_map(pool, &config, &job));
        times[i] = now() - begin;
        ndshm_job_close(&job);
    }
    report("from a task's SIGKILL to its report", median(times, ROUNDS * 5) * 1e6, "us");
}

/* --- large results --- */

enum { RESULT_BYTES = 40000000 };

static char *source; /* of results; workers inherit it */

static int copy_source(ndshm_task *task)
{
    int64_t bytes = RESULT_BYTES;
    ndshm_array *array;
    ndshm_view view;
    check(ndshm_task_create(task, NDSHM_UINT8, 1, &bytes, &array));
    check(ndshm_array_read(array, &view));
    memcpy(view.data, source, RESULT_BYTES);
    return 0;
}

static double result_once(ndshm_pool *pool)
{
    ndshm_job_config config = job_of(copy_source, 1, 1);
    ndshm_array *array;
    ndshm_job *job;
    config.flags = NDSHM_JOB_UNINITIALIZED;
    double begin = now();
    check(ndshm_pool_map(pool, &config, &job));
    check(ndshm_job_take(job, 0, NDSHM_READ, &array));
    double elapsed = now() - begin;
    ndshm_job_close(&job);
    ndshm_array_detach(&array);
    return elapsed;
}

static double copy_once(char *target)
{
    double begin = now();
    memcpy(target, source, RESULT_BYTES);
    return now() - begin;
}

/* Alternately: what disturbs one disturbs the other. The first round is the cold one. */
static void measure_results(void)
{
    double best_result = 1e9, best_copy = 1e9;
    char *target = malloc(RESULT_BYTES);
    source = malloc(RESULT_BYTES);
    memset(source, 1, RESULT_BYTES);
    ndshm_pool *pool = open_pool(1);
    report("40 MB result, first one", RESULT_BYTES / result_once(pool) / 1e9, "GB/s");
    copy_once(target);
    for (int i = 0; i < ROUNDS * 5; i++) {
        double result = result_once(pool), copy = copy_once(target);
        best_result = result < best_result ? result : best_result;
        best_copy = copy < best_copy ? copy : best_copy;
    }
    report("40 MB result, memory used again", RESULT_BYTES / best_result / 1e9, "GB/s");
    report("limit: memcpy of 40 MB", RESULT_BYTES / best_copy / 1e9, "GB/s");
    ndshm_pool_close(&pool);
    free(source);
    free(target);
}

/* --- doing nothing --- */

struct footprint {
    int64_t worker, supervisor, bytes;
};

/* Its processes, and the memory that the worker shares with nobody. */
static int tell_footprint(ndshm_task *task)
{
    ndshm_view out;
    char line[256];
    long long kib = 0;
    check(ndshm_task_output(task, &out));
    FILE *file = fopen("/proc/self/smaps_rollup", "re");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "Private_Dirty: %lld", &kib) == 1)
            break;
    if (file)
        fclose(file);
    *(struct footprint *)out.data = (struct footprint){getpid(), getppid(), kib * 1024};
    return 0;
}

static double cpu_seconds(int64_t pid)
{
    struct timespec used = {0};
    clockid_t clock;
    if (clock_getcpuclockid((pid_t)pid, &clock) == 0)
        clock_gettime(clock, &used);
    return (double)used.tv_sec + (double)used.tv_nsec * 1e-9;
}

static double cpu_of(const struct footprint *pool)
{
    return cpu_seconds(pool->worker) + cpu_seconds(pool->supervisor);
}

static void measure_idle(ndshm_pool *pool)
{
    int64_t shape[] = {1, sizeof(struct footprint) / sizeof(int64_t)};
    ndshm_array *output;
    ndshm_view view;
    ndshm_job *job;
    ndshm_job_config config = job_of(tell_footprint, 1, 1);
    check(ndshm_array_create(NULL, NDSHM_INT64, 2, shape, NULL, &output));
    config.output = ndshm_array_name(output);
    check(ndshm_pool_map(pool, &config, &job));
    check(ndshm_array_read(output, &view));
    const struct footprint *found = view.data;
    report("a worker's own memory", (double)found->bytes / 1e3, "kB");
    usleep(1000000); /* until all are parked */
    double before = cpu_of(found);
    usleep(2000000);
    report("CPU time of an idle worker and its supervisor", (cpu_of(found) - before) / 2 * 1e6,
           "us/s");
    ndshm_job_close(&job);
    ndshm_array_detach(&output);
}

int main(void)
{
    measure_fork();
    measure_open("1 worker", 1);
    measure_open("2 workers", 2);
    measure_open("16 workers", 16);
    ndshm_pool *two = open_pool(2);
    measure_map("map, 10 M empty tasks, automatic chunks, 2 workers", two, 0);
    measure_map("map, 10 M empty tasks, chunks of 1, 2 workers", two, 1);
    measure_shared(two);
    measure_death(two);
    ndshm_pool_close(&two);
    ndshm_pool *one = open_pool(1);
    measure_apply("apply, worker spinning", one, APPLIES, 0);
    measure_apply("apply, worker parked", one, PARKED, 1000);
    measure_idle(one);
    ndshm_pool_close(&one);
    measure_futex();
    measure_results();
    return 0;
}
