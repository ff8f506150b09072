/* SPDX-License-Identifier: MIT */
/* The line that shows how far a job is: its words, and that only a terminal gets it. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "pool/bar.h"
#include "pools.h"
#include "support.h"

static const int64_t second = 1000000000;

static void expect_line(const char *expected, int width, const char *label,
                        const ndshm_progress *progress, int64_t elapsed_ns)
{
    char line[NDSHM__BAR_WIDTH_MAX];
    int length = ndshm__bar_text(line, width, label, progress, elapsed_ns);
    assert_string_equal(line, expected);
    assert_int_equal(length, strlen(expected));
    assert_true(length < width);
}

static void test_words(void **state)
{
    ndshm_progress at = {.count = 1000};
    (void)state;
    expect_line("  0% [........................................] 0/1000 0.0/s -:-- left", 200, "",
                &at, second);
    at.done = 420;
    expect_line(" 42% [################........................] 420/1000 84.0/s 0:07 left", 200,
                "", &at, 5 * second);
    at.failed = 3;
    expect_line("rows  42% [######.........] 420/1000 84.0/s 0:07 left, 3 failed", 64, "rows", &at,
                5 * second);
    expect_line("rows  42% 420/1000 84.0/s 0:07 left, 3 failed", 55, "rows", &at, 5 * second);
    expect_line("rows  42% 420/1", 16, "rows", &at, 5 * second);
    expect_line("", 1, "rows", &at, 5 * second);
    at.done = 1000;
    at.failed = 0;
    at.finished = 1;
    expect_line("100% [########################################] 1000/1000 0.1/s in 2:46:40", 200,
                "", &at, 10000 * second);
    at.done = 999; /* cancelled */
    expect_line(" 99% 999/1000 999/s in 0:01", 30, "", &at, second);
}

static void test_large_and_odd_numbers(void **state)
{
    ndshm_progress at = {.count = INT64_MAX, .done = INT64_C(50000000000)};
    char line[NDSHM__BAR_WIDTH_MAX];
    (void)state;
    expect_line("  0% 50000000000/9223372036854775807 25.0G/s 100000:00:00 left", 70, "", &at,
                2 * second);
    at.failed = INT64_MAX;
    for (int width = 1; width < 300; width++) {
        int length = ndshm__bar_text(
            line, width, "a label of the longest kind that there may be, of 63 characters", &at, 1);
        assert_true(length < width && (int)strlen(line) == length);
    }
    at = (ndshm_progress){.finished = 1}; /* a job without tasks */
    expect_line("100% 0/0 0.0/s in 0:00", 30, "", &at, 0);
}

/* --- on a terminal --- */

static int slowly(ndshm_task *task)
{
    const struct timespec pause = {0, 30000000};
    nanosleep(&pause, NULL);
    return ndshm_task_index(task) < 3 ? -EIO : 0;
}

enum { TASKS = 20 };

struct show {
    int output;
    uint32_t flags;
    bool stream;
};

static int run_job(const struct show *show)
{
    ndshm_pool_config pool_config;
    ndshm_job_config config = support_job(slowly, TASKS);
    ndshm_result result;
    ndshm_pool *pool;
    ndshm_job *job;
    ndshm_pool_config_init(&pool_config);
    pool_config.workers = 2;
    strcpy(pool_config.label, "odd\033[2Jjob");
    config.flags = show->flags;
    SUPPORT_CHECK(ndshm_pool_open(&pool_config, &pool) == 0);
    SUPPORT_CHECK(ndshm_pool_submit(pool, &config, &job) == 0);
    while (show->stream && ndshm_job_next(job, -1, &result) == 0)
        ;
    SUPPORT_CHECK(show->stream || ndshm_job_wait(job, -1) == NDSHM_ETASK);
    SUPPORT_CHECK(strncmp(ndshm_error_message(), "ndshm_job_", 10) == 0);
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
    return 0;
}

static int in_child(void *argument)
{
    const struct show *show = argument;
    setenv("TERM", "xterm", 1);
    SUPPORT_CHECK(dup2(show->output, STDERR_FILENO) >= 0);
    return run_job(show);
}

/* What a job prints on a terminal of 60 columns. */
static void watch(struct show *show, char *text, size_t size)
{
    const struct winsize window = {.ws_row = 24, .ws_col = 60};
    int master = posix_openpt(O_RDWR | O_NOCTTY), used = 0;
    assert_true(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    show->output = open(ptsname(master), O_RDWR | O_NOCTTY);
    assert_true(show->output >= 0 && ioctl(show->output, TIOCSWINSZ, &window) == 0);
    int child = support_child_start(in_child, show);
    close(show->output);
    for (ssize_t got; (got = read(master, text + used, size - 1 - (size_t)used)) > 0;)
        used += (int)got;
    text[used] = '\0';
    close(master);
    assert_int_equal(support_child_wait(child), 0);
}

/* Each drawing goes back to the first column, and none is so long that the terminal breaks it. */
static int check_drawings(char *text)
{
    int drawings = 0;
    for (char *line = strtok(text, "\r"); line; line = strtok(NULL, "\r")) {
        if (*line == '\n')
            continue;
        char *end = strstr(line, "\033[K");
        assert_non_null(end);
        assert_in_range(end - line, 20, 59);
        assert_memory_equal(line, "odd?[2Jjob ", 11);
        drawings++;
    }
    return drawings;
}

static void test_a_terminal_sees_it(void **state)
{
    char text[20000];
    (void)state;
    for (int stream = 0; stream < 2; stream++) {
        struct show show = {.flags = NDSHM_JOB_PROGRESS, .stream = stream};
        watch(&show, text, sizeof text);
        assert_non_null(strstr(text, "left"));
        const char *last = strstr(text, "100% [##");
        assert_non_null(last);
        assert_non_null(strstr(last, "20/20 "));
        assert_non_null(strstr(last, " in 0:0"));
        assert_non_null(strstr(last, ", 3 failed\033[K\r\n")); /* the terminal's line break */
        assert_null(strstr(last + 1, "100%"));
        assert_in_range(check_drawings(text), 2, 1000);
    }
}

static void test_off_by_default(void **state)
{
    char text[2000];
    struct show show = {0};
    (void)state;
    watch(&show, text, sizeof text);
    assert_string_equal(text, "");
}

static void test_a_file_sees_nothing(void **state)
{
    struct show show = {.flags = NDSHM_JOB_PROGRESS};
    FILE *file = tmpfile();
    (void)state;
    assert_non_null(file);
    show.output = fileno(file);
    assert_int_equal(support_child(in_child, &show), 0);
    assert_int_equal(lseek(show.output, 0, SEEK_END), 0);
    fclose(file);
}

/* --- task by task, also inside of a chunk --- */

static int wait_for_turn(ndshm_task *task)
{
    ndshm_array *array;
    ndshm_view view;
    if (ndshm_task_shared(task, 0, NDSHM_READ, &array) || ndshm_array_read(array, &view))
        return -1;
    while (*(volatile int64_t *)view.data <= ndshm_task_index(task))
        usleep(100);
    return 0;
}

static void test_progress_counts_tasks_not_chunks(void **state)
{
    int64_t one = 1;
    ndshm_view turn;
    ndshm_array *array = support_array(NULL, NDSHM_INT64, 1, &one, &turn);
    const char *shared[] = {ndshm_array_name(array)};
    ndshm_pool *pool = support_pool(1);
    ndshm_job_config config = support_job(wait_for_turn, 8);
    ndshm_progress progress;
    ndshm_job *job;
    (void)state;
    config.chunk = 8;
    config.shared = shared;
    config.nshared = 1;
    assert_ok(ndshm_pool_submit(pool, &config, &job));
    for (int64_t done = 0; done < 8; done++) {
        *(volatile int64_t *)turn.data = done;
        do
            assert_ok(ndshm_job_progress(job, &progress));
        while (progress.done < done || progress.running == 0);
        assert_int_equal(progress.done, done);
        assert_int_equal(progress.running, 1);
        assert_int_equal(progress.count, 8);
    }
    *(volatile int64_t *)turn.data = 8;
    assert_ok(ndshm_job_wait(job, -1));
    assert_ok(ndshm_job_progress(job, &progress));
    assert_int_equal(progress.done, 8);
    ndshm_job_close(&job);
    ndshm_pool_close(&pool);
    ndshm_array_detach(&array);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_words),
        SUPPORT_TEST(test_large_and_odd_numbers),
        SUPPORT_TEST(test_a_terminal_sees_it),
        SUPPORT_TEST(test_off_by_default),
        SUPPORT_TEST(test_a_file_sees_nothing),
        SUPPORT_TEST(test_progress_counts_tasks_not_chunks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
