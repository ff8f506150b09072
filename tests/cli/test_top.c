/* SPDX-License-Identifier: MIT */
/* shm-inspect top, as seen on terminals of several sizes. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

static const struct cli_segment array = {.name = "t-cli-array"};
static const struct cli_segment other = {.name = "t-cli-other"};
static const struct cli_segment kept = {.name = "t-cli-kept", .lifetime = NDSHM_PERSISTENT};

/* A tmux server of this process, in its mount namespace. */
static const char *tmux(int status, const char *words)
{
    return cli_run(status, "LC_ALL=C.UTF-8 tmux -L t-cli-%d -f /dev/null %s", (int)getpid(), words);
}

static void start(int columns, int lines)
{
    char words[512];
    snprintf(words, sizeof words,
             "new-session -d -x %d -y %d \"'$SHM_INSPECT' top --delay 1; echo ended with \\$?; "
             "sleep 1000\"",
             columns, lines);
    tmux(0, words);
}

static void stop(void)
{
    tmux(0, "kill-server");
}

static void press(const char *keys)
{
    char words[64];
    snprintf(words, sizeof words, "send-keys %s", keys);
    tmux(0, words);
}

/* What is on the screen, once it has part, or has it no more. */
static const char *await(const char *part, bool expected)
{
    const char *screen = "";
    for (int i = 0; i < 600; i++) {
        screen = tmux(0, "capture-pane -p");
        if ((strstr(screen, part) != NULL) == expected)
            return screen;
        usleep(50000);
    }
    fail_msg("\"%s\" is %s on the screen:\n%s", part, expected ? "not" : "still", screen);
    return NULL;
}

/* Once a stands above b. */
static void await_order(const char *a, const char *b)
{
    for (int i = 0; i < 600; i++) {
        const char *screen = tmux(0, "capture-pane -p");
        const char *first = strstr(screen, a), *second = strstr(screen, b);
        if (first && second && first < second)
            return;
        usleep(50000);
    }
    fail_msg("%s never stood above %s", a, b);
}

static void test_segments_and_holders(void **state)
{
    (void)state;
    cli_leave(&array);
    cli_leave(&kept);
    int holder = cli_hold(&other);
    start(80, 24);
    const char *screen = await("t-cli-other", true);
    assert_has(screen, "3 segments, 1 orphans (8.0K)");
    assert_has(screen, "NAME ");
    assert_has(screen, "8x16    8.0K");
    assert_has(screen, "    1 in-use ");
    assert_has(screen, "    0 orphan ");
    assert_has(screen, "    0 idle ");
    assert_has(screen, "q quit");
    cli_end(holder);
    await("2 orphans", true); /* it follows */
    press("Enter");
    screen = await("any key goes back", true);
    assert_has(screen, "LIFETIME");
    press("x");
    await("q quit", true);
    press("q");
    await("ended with 0", true);
    stop();
    cli_clear();
}

static void test_order_state_and_pattern(void **state)
{
    (void)state;
    cli_leave(&array);
    cli_leave(&kept);
    cli_leave(&other);
    start(80, 24);
    await("t-cli-array", true);
    press("s s s s s"); /* from bytes round to the name, downwards */
    await_order("t-cli-other", "t-cli-array");
    press("r");
    await_order("t-cli-array", "t-cli-other");
    press("f");
    await("state: in-use", true);
    await("t-cli-kept", false);
    press("f");
    const char *screen = await("t-cli-kept", true);
    assert_has(screen, "state: idle");
    assert_has_not(screen, "t-cli-array");
    press("f f f f");
    await("state: any", true);
    press("/");
    await("pattern: ", true);
    press("'*-other' Enter");
    screen = await("t-cli-array", false);
    assert_has(screen, "pattern: *-other");
    assert_has(screen, "t-cli-other");
    press("q");
    await("ended with 0", true);
    stop();
    cli_clear();
}

static void test_clean_with_confirmation(void **state)
{
    (void)state;
    cli_leave(&array);
    start(80, 24);
    await("t-cli-array", true);
    press("c");
    await("remove t-cli-array? [y/N]", true);
    press("n");
    await("[y/N]", false);
    assert_true(cli_exists("t-cli-array"));
    press("c");
    await("remove t-cli-array? [y/N]", true);
    press("y");
    await("nobody used it: removed", true);
    assert_false(cli_exists("t-cli-array"));
    int holder = cli_hold(&other);
    cli_leave(&array);
    cli_leave(&kept);
    await("1 orphans", true);
    press("C");
    await("remove 1 orphans? [y/N]", true);
    press("y");
    await("1 segments removed", true);
    assert_true(cli_exists("t-cli-other") && cli_exists("t-cli-kept"));
    press("/");
    press("'*-other' Enter");
    await("t-cli-kept", false);
    press("c");
    await("a process has it mapped", true);
    press("q");
    stop();
    cli_end(holder);
    cli_clear();
}

static void test_sizes(void **state)
{
    (void)state;
    for (int i = 0; i < 40; i++) {
        char name[32];
        snprintf(name, sizeof name, "t-cli-%02d", i);
        cli_leave(&(struct cli_segment){.name = name});
    }
    start(80, 24);
    assert_has(await("t-cli-00", true), "40 segments");
    press("End");
    await("t-cli-39", true);
    tmux(0, "resize-window -x 40 -y 6");
    await("t-cli-30", false);
    press("Home");
    await("t-cli-00", true);
    tmux(0, "resize-window -x 150 -y 50");
    await("t-cli-39", true);
    tmux(0, "resize-window -x 10 -y 2");
    press("Down Down NPage");
    tmux(0, "resize-window -x 80 -y 24");
    await("q quit", true);
    press("q");
    await("ended with 0", true);
    stop();
    cli_clear();
}

static void test_no_terminal(void **state)
{
    (void)state;
    assert_has(cli_run(3, TOOL "top </dev/null"), "needs a terminal");
    cli_run(2, TOOL "top --delay 0");
    /* ncurses keeps what it allocated for a terminal that it does not know. */
    assert_has(cli_run(3, "ASAN_OPTIONS=detect_leaks=0 TERM=none script -qec '" TOOL
                          "top' /dev/null </dev/null"),
               "'none'");
}

/* A pool of this process with one job that waits. */
static int wait_for_the_end(ndshm_task *task)
{
    while (!ndshm_task_cancelled(task))
        usleep(10000);
    return 0;
}

static void test_jobs(void **state)
{
    (void)state;
    ndshm_pool *pool;
    ndshm_job *job;
    ndshm_pool_config pool_config;
    ndshm_job_config config;
    ndshm_pool_config_init(&pool_config);
    pool_config.workers = 1;
    ndshm_job_config_init(&config);
    config.fn = wait_for_the_end;
    config.count = 1234;
    assert_ok(ndshm_pool_open(&pool_config, &pool));
    assert_ok(ndshm_pool_submit(pool, &config, &job));
    start(80, 24);
    const char *screen = await(".job.1 ", true);
    assert_has(screen, "          0        1234       0       1");
    press("q");
    await("ended with 0", true);
    stop();
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
}

int main(void)
{
    if (support_run(NULL, 0, "command -v tmux >/dev/null && command -v script >/dev/null") != 0)
        return 77; /* skipped */
    const struct CMUnitTest tests[] = {
        CLI_TEST(test_segments_and_holders),
        CLI_TEST(test_order_state_and_pattern),
        CLI_TEST(test_clean_with_confirmation),
        CLI_TEST(test_sizes),
        CLI_TEST(test_jobs),
        CLI_TEST(test_no_terminal),
    };
    return cmocka_run_group_tests_name("shm-inspect top", tests, NULL, NULL);
}
