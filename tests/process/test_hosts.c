/* SPDX-License-Identifier: MIT */
/* Hosts with habits of their own: pools and segments work in them, and what is theirs stays theirs.
 */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ndshm/pool.h>

#include "pools.h"
#include "support.h"

#define NAME "t-host"
enum { TASKS = 8, PATIENCE_MS = 20000, ROUNDS = 3, VERDICT = 42 };

static const char *library;

static int leave_result(ndshm_task *task)
{
    int64_t n = 500;
    ndshm_array *result;
    return ndshm_task_create(task, NDSHM_INT64, 1, &n, &result);
}

/* Opens, works, takes, stops or only closes. */
static int use_pool(bool stop)
{
    ndshm_pool_config config;
    ndshm_pool *pool;
    ndshm_job *job;
    ndshm_array *taken;
    ndshm_job_config order = support_job(leave_result, TASKS);
    ndshm_pool_config_init(&config);
    config.workers = 2;
    SUPPORT_CHECK(ndshm_pool_open(&config, &pool) == 0);
    SUPPORT_CHECK(ndshm_pool_submit(pool, &order, &job) == 0);
    SUPPORT_CHECK(ndshm_job_wait(job, PATIENCE_MS) == 0);
    SUPPORT_CHECK(ndshm_job_take(job, 1, NDSHM_READ, &taken) == 0);
    if (stop)
        SUPPORT_CHECK(ndshm_pool_stop(pool, PATIENCE_MS) == 0);
    ndshm_array_detach(&taken);
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
    return 0;
}

static int use_pools(void)
{
    alarm(60);
    for (int i = 0; i < ROUNDS; i++)
        SUPPORT_CHECK(use_pool(i % 2) == 0);
    return 0;
}

/* --- children that are collected by somebody else --- */

static int ignore_children(void *argument)
{
    struct sigaction action = {.sa_handler = argument ? SIG_DFL : SIG_IGN,
                               .sa_flags = argument ? SA_NOCLDWAIT : 0};
    sigaction(SIGCHLD, &action, NULL);
    SUPPORT_CHECK(use_pools() == 0);
    SUPPORT_CHECK(waitpid(-1, NULL, 0) < 0 && errno == ECHILD);
    return 0;
}

static void test_children_are_ignored(void **state)
{
    (void)state;
    assert_int_equal(support_child(ignore_children, NULL), 0);
    assert_int_equal(support_child(ignore_children, state), 0);
}

static _Atomic int going;

static void *collect_all(void *argument)
{
    (void)argument;
    while (going)
        if (waitpid(-1, NULL, WNOHANG) <= 0)
            usleep(100);
    return NULL;
}

static int wait_for_any_child(void *argument)
{
    pthread_t thread;
    (void)argument;
    going = 1;
    SUPPORT_CHECK(pthread_create(&thread, NULL, collect_all, NULL) == 0);
    int verdict = use_pools();
    going = 0;
    pthread_join(thread, NULL);
    return verdict;
}

static void test_another_thread_waits_for_any_child(void **state)
{
    (void)state;
    assert_int_equal(support_child(wait_for_any_child, NULL), 0);
}

/* The host's own children are never taken for ours. */
static int keep_own_children(void *argument)
{
    int status;
    (void)argument;
    pid_t own = fork();
    if (own == 0)
        _exit(VERDICT);
    SUPPORT_CHECK(use_pools() == 0);
    SUPPORT_CHECK(waitpid(own, &status, 0) == own && WEXITSTATUS(status) == VERDICT);
    return 0;
}

static void test_own_children_are_left_alone(void **state)
{
    (void)state;
    assert_int_equal(support_child(keep_own_children, NULL), 0);
}

enum { SUPERVISOR = 2, NO_NAMESPACE = 77 }; /* the first child of the first process */

static int next_pid_is(int pid)
{
    FILE *file = fopen("/proc/sys/kernel/ns_last_pid", "we");
    if (!file)
        return -1;
    fprintf(file, "%d", pid - 1);
    return fclose(file);
}

/* In a pid namespace of its own: the supervisor ends, nobody has to collect it, and another child
 * of the host gets its number. */
static int reuse_number(void)
{
    ndshm_pool_config config;
    ndshm_pool *pool;
    ndshm_job *job;
    ndshm_job_config order = support_job(leave_result, 1);
    signal(SIGCHLD, SIG_IGN);
    alarm(20);
    ndshm_pool_config_init(&config);
    config.workers = 1;
    SUPPORT_CHECK(ndshm_pool_open(&config, &pool) == 0);
    SUPPORT_CHECK(kill(SUPERVISOR, SIGKILL) == 0);
    while (kill(SUPERVISOR, 0) == 0)
        usleep(1000);
    pid_t own = 0;
    for (int i = 0; i < PATIENCE_MS && own != SUPERVISOR; i++) {
        if (own) {
            kill(own, SIGKILL);
            usleep(1000);
        }
        if (next_pid_is(SUPERVISOR) != 0)
            return NO_NAMESPACE;
        own = fork();
        if (own == 0) {
            pause();
            _exit(1);
        }
    }
    SUPPORT_CHECK(own == SUPERVISOR);
    int status = ndshm_pool_submit(pool, &order, &job);
    if (!status) {
        status = ndshm_job_wait(job, PATIENCE_MS);
        ndshm_job_close(&job);
    }
    SUPPORT_CHECK(status == NDSHM_EWORKER);
    ndshm_pool_close(&pool);
    SUPPORT_CHECK(kill(own, 0) == 0); /* neither waited for nor killed */
    kill(own, SIGKILL);
    return 0;
}

static int reuse_number_elsewhere(void *argument)
{
    int status;
    (void)argument;
    if (unshare(CLONE_NEWPID) != 0)
        return NO_NAMESPACE;
    pid_t first = fork();
    if (first == 0)
        _exit(reuse_number());
    SUPPORT_CHECK(waitpid(first, &status, 0) == first && WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void test_a_number_that_is_used_again(void **state)
{
    (void)state;
    int verdict = support_child(reuse_number_elsewhere, NULL);
    if (verdict == NO_NAMESPACE)
        skip();
    assert_int_equal(verdict, 0);
}

/* --- signals --- */

static sigjmp_buf fault_jump;

static void jump(int number)
{
    siglongjmp(fault_jump, number);
}

static int handle_faults(void *argument)
{
    struct sigaction action = {.sa_handler = jump}, now;
    int64_t n = 100000;
    ndshm_array *array;
    ndshm_view view;
    char *copy = malloc((size_t)n);
    (void)argument;
    sigaction(SIGBUS, &action, NULL);
    SUPPORT_CHECK(use_pools() == 0);
    SUPPORT_CHECK(ndshm_array_create(NAME, NDSHM_INT8, 1, &n, NULL, &array) == 0);
    SUPPORT_CHECK(ndshm_array_read(array, &view) == 0);
    SUPPORT_CHECK(truncate("/dev/shm/" NAME, 8192) == 0); /* what a hostile peer does */
    if (sigsetjmp(fault_jump, 1) == 0) {
        SUPPORT_CHECK(ndshm_array_copy(array, copy, n) == NDSHM_ECORRUPT);
        volatile char byte = ((volatile char *)view.data)[n - 1];
        (void)byte;
        return 1; /* the plain view keeps mmap's contract */
    }
    SUPPORT_CHECK(sigaction(SIGBUS, NULL, &now) == 0 && now.sa_handler == jump);
    ndshm_array_detach(&array);
    SUPPORT_CHECK(unlink("/dev/shm/" NAME) == 0);
    free(copy);
    return 0;
}

static void test_its_own_fault_handler(void **state)
{
    (void)state;
    assert_int_equal(support_child(handle_faults, NULL), 0);
}

/* --- forks --- */

static void *use_from_thread(void *argument)
{
    *(int *)argument = use_pools();
    return NULL;
}

/* The thread that opened the pool ends before the pool does. */
static void *open_from_thread(void *argument)
{
    ndshm_pool_config config;
    ndshm_pool_config_init(&config);
    config.workers = 2;
    ndshm_pool_open(&config, argument);
    return NULL;
}

static int fork_from_threads(void *argument)
{
    pthread_t threads[3];
    int verdicts[3] = {1, 1, 1};
    ndshm_pool *pool = NULL;
    ndshm_job *job;
    ndshm_job_config order = support_job(leave_result, TASKS);
    (void)argument;
    for (int i = 0; i < 3; i++)
        SUPPORT_CHECK(pthread_create(&threads[i], NULL, use_from_thread, &verdicts[i]) == 0);
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
        SUPPORT_CHECK(verdicts[i] == 0);
    }
    SUPPORT_CHECK(pthread_create(&threads[0], NULL, open_from_thread, &pool) == 0);
    pthread_join(threads[0], NULL);
    SUPPORT_CHECK(pool != NULL);
    SUPPORT_CHECK(ndshm_pool_map(pool, &order, &job) == 0 && ndshm_job_wait(job, 0) == 0);
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
    return 0;
}

static void test_forks_from_threads(void **state)
{
    (void)state;
    assert_int_equal(support_child(fork_from_threads, NULL), 0);
}

static void exit_hook(void)
{
    printf("the host's exit handler ran\n");
}

/* A child, and its child, that end by exit() run the handlers they inherited: none is ours to run.
 */
static int fork_twice(void *argument)
{
    int64_t n = 100;
    int status;
    ndshm_array *array;
    ndshm_pool_config config;
    ndshm_pool *pool;
    (void)argument;
    atexit(exit_hook);
    ndshm_pool_config_init(&config);
    config.workers = 1;
    SUPPORT_CHECK(ndshm_array_create(NULL, NDSHM_INT8, 1, &n, NULL, &array) == 0);
    SUPPORT_CHECK(ndshm_pool_open(&config, &pool) == 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        if (fork() == 0)
            exit(0);
        while (wait(NULL) > 0)
            ;
        exit(0);
    }
    SUPPORT_CHECK(waitpid(child, &status, 0) == child && status == 0);
    ndshm_info info;
    ndshm_progress progress;
    ndshm_job *job;
    ndshm_job_config order = support_job(leave_result, 1);
    SUPPORT_CHECK(ndshm_inspect(ndshm_array_name(array), &info) == 0);
    SUPPORT_CHECK(info.state == NDSHM_STATE_IN_USE);
    SUPPORT_CHECK(ndshm_pool_map(pool, &order, &job) == 0);
    SUPPORT_CHECK(ndshm_job_progress(job, &progress) == 0 && progress.deaths == 0);
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
    ndshm_array_detach(&array);
    return 0;
}

static void test_exit_handlers_in_children(void **state)
{
    (void)state;
    assert_int_equal(support_child(fork_twice, NULL), 0);
}

/* --- a program started by the host --- */

static void test_nothing_is_inherited_by_programs(void **state)
{
    (void)state;
    int64_t n = 100;
    char before[1000], after[1000],
        list[] = "for f in /proc/self/fd/*; do readlink $f; done | grep -v "
                 "'pipe:\\|/proc/'; true";
    ndshm_array *array, *part;
    ndshm_list *names;
    assert_int_equal(support_run(before, sizeof before, "%s", list), 0);
    ndshm_pool *pool = support_pool(2);
    assert_ok(ndshm_array_create(NULL, NDSHM_INT8, 1, &n, NULL, &array));
    ndshm_create_config config;
    ndshm_create_config_init(&config);
    config.flags = NDSHM_UNPUBLISHED; /* keeps a descriptor */
    assert_ok(ndshm_array_create(NULL, NDSHM_INT8, 1, &n, &config, &part));
    assert_ok(ndshm_list_open(&names));                                /* and so does this */
    assert_int_equal(support_run(after, sizeof after, "%s", list), 0); /* fork and exec */
    assert_string_equal(before, after);
    pid_t pid = vfork();
    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", "ls -l /proc/self/fd | grep -q 'shm\\|eventfd\\|pidfd'", NULL);
        _exit(127);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), 1); /* grep found none */
    ndshm_list_close(&names);
    ndshm_array_detach(&part);
    ndshm_array_detach(&array);
    ndshm_pool_close(&pool);
}

/* --- a library that comes and goes --- */

static int load_and_unload(void *argument)
{
    int64_t n = 1000;
    (void)argument;
    for (int i = 0; i < ROUNDS; i++) {
        void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
        SUPPORT_CHECK(handle);
        int (*create)(const char *, ndshm_dtype, int, const int64_t *, const ndshm_create_config *,
                      ndshm_array **);
        void (*detach)(ndshm_array **);
        *(void **)&create = dlsym(handle, "ndshm_array_create");
        *(void **)&detach = dlsym(handle, "ndshm_array_detach");
        ndshm_array *array;
        SUPPORT_CHECK(create && detach);
        SUPPORT_CHECK(create(NULL, NDSHM_INT8, 1, &n, NULL, &array) == 0);
        detach(&array);
        SUPPORT_CHECK(dlclose(handle) == 0);
        pid_t pid = fork(); /* its handlers of forks must be gone, or there */
        if (pid == 0)
            _exit(0);
        SUPPORT_CHECK(pid > 0 && waitpid(pid, NULL, 0) == pid);
    }
    return 0;
}

static void test_unloading(void **state)
{
    (void)state;
    if (!library)
        skip();
    assert_int_equal(support_child(load_and_unload, NULL), 0);
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_a_number_that_is_used_again),
        SUPPORT_TEST(test_another_thread_waits_for_any_child),
        SUPPORT_TEST(test_children_are_ignored),
        SUPPORT_TEST(test_exit_handlers_in_children),
        SUPPORT_TEST(test_forks_from_threads),
        SUPPORT_TEST(test_its_own_fault_handler),
        SUPPORT_TEST(test_nothing_is_inherited_by_programs),
        SUPPORT_TEST(test_own_children_are_left_alone),
        SUPPORT_TEST(test_unloading),
    };
    library = count > 1 ? arguments[1] : NULL;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
