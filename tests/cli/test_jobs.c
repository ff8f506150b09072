/* SPDX-License-Identifier: MIT */
/* shm-inspect jobs and trace, from outside, and what top shows of jobs. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "cli.h"

enum { TASKS = 6 };

struct host {
    int begun[2], go_on[2]; /* pipes */
};
static struct host host;

/* The third one fails, the last one waits until it is told. */
static int work(ndshm_task *task)
{
    char byte;
    int64_t index = ndshm_task_index(task);
    if (index == 2)
        return ndshm_task_fail(task, -EDOM, "third");
    if (index == TASKS - 1)
        return read(host.go_on[0], &byte, 1) == 1 ? 0 : -EIO;
    return 0;
}

static int run_pool(void *unused)
{
    (void)unused;
    ndshm_pool *pool;
    ndshm_job *job;
    ndshm_pool_config pool_config;
    ndshm_job_config config;
    char name[NDSHM_NAME_MAX + 1] = "";
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    ndshm_pool_config_init(&pool_config);
    pool_config.workers = 2;
    ndshm_job_config_init(&config);
    config.fn = work;
    config.count = TASKS;
    config.chunk = 1;
    SUPPORT_CHECK(ndshm_pool_open(&pool_config, &pool) == 0);
    SUPPORT_CHECK(ndshm_pool_submit(pool, &config, &job) == 0);
    for (ndshm_progress progress = {0}; progress.done < TASKS - 1; usleep(1000))
        SUPPORT_CHECK(ndshm_job_progress(job, &progress) == 0);
    snprintf(name, sizeof name, "%s", ndshm_job_name(job));
    SUPPORT_CHECK(write(host.begun[1], name, sizeof name) == sizeof name);
    SUPPORT_CHECK(ndshm_job_wait(job, -1) == NDSHM_ETASK);
    SUPPORT_CHECK(write(host.begun[1], name, 1) == 1);
    pause();
    return 1;
}

static int start(char name[NDSHM_NAME_MAX + 1])
{
    assert_int_equal(pipe(host.begun), 0);
    assert_int_equal(pipe(host.go_on), 0);
    int pid = support_child_start(run_pool, NULL);
    close(host.begun[1]);
    assert_int_equal(read(host.begun[0], name, NDSHM_NAME_MAX + 1), NDSHM_NAME_MAX + 1);
    return pid;
}

static void finish(void)
{
    char byte = 0;
    assert_int_equal(write(host.go_on[1], &byte, 1), 1);
    assert_int_equal(read(host.begun[0], &byte, 1), 1);
}

static void stop(int pid)
{
    close(host.begun[0]);
    close(host.go_on[0]);
    close(host.go_on[1]);
    cli_end(pid);
}

static void test_running_and_finished(void **state)
{
    (void)state;
    char name[NDSHM_NAME_MAX + 1], line[NDSHM_NAME_MAX + 64];
    assert_string_equal(cli_run(0, TOOL "jobs"), "");
    int pid = start(name);
    const char *output = cli_run(1, TOOL "jobs");
    assert_has(output, name);
    assert_has(output, "running    5     6      1       1       2      0      0");
    cli_run(0, TOOL "jobs --json | python3 -c 'import json, sys; "
                    "(job,) = json.load(sys.stdin)[\"jobs\"]; assert (job[\"done\"], "
                    "job[\"tasks\"], job[\"failed\"], job[\"state\"]) == (5, 6, 1, \"running\"), "
                    "job; assert job[\"rate\"] == 0, job'");
    assert_string_equal(cli_run(0, TOOL "jobs --pool none"), "");
    finish();
    snprintf(line, sizeof line, "finished    6     6      1       0       2      0");
    assert_has(cli_run(1, TOOL "jobs"), line);
    stop(pid);
    cli_run(0, TOOL "clean --force >/dev/null; test -z \"$(ls -A /dev/shm)\"");
}

static void test_trace(void **state)
{
    (void)state;
    char name[NDSHM_NAME_MAX + 1];
    const char *directory = support_directory();
    int pid = start(name);
    finish();
    assert_string_equal(cli_run(0, TOOL "trace %s %s/trace.json", name, directory), "");
    cli_run(0,
            "python3 -c 'import json, sys; "
            "events = json.load(open(sys.argv[1]))[\"traceEvents\"]; "
            "tasks = [e for e in events if e[\"ph\"] == \"X\"]; "
            "assert sorted(e[\"args\"][\"index\"] for e in tasks) == list(range(6)), tasks' "
            "%s/trace.json",
            directory);
    assert_has(cli_run(3, TOOL "trace %s /no/where.json", name), "No such file");
    assert_has(cli_run(3, TOOL "trace %s9 %s/x.json", name, directory), "no such job");
    assert_has(cli_run(3, TOOL "trace t-cli-none %s/x.json", directory), "not the name of a job");
    stop(pid);
    cli_run(0, TOOL "clean --force >/dev/null");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(test_running_and_finished),
        CLI_TEST(test_trace),
    };
    return cmocka_run_group_tests_name("shm-inspect jobs", tests, NULL, NULL);
}
