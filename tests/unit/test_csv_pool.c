/* SPDX-License-Identifier: MIT */
/* Reading with workers: the same bytes as in the caller, and what happens when things go wrong. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ndshm/csv.h>

#include "pools.h"
#include "support.h"

enum { ROWS = 60000 };

/* Parts of 256 KB. Kinds: 0 numbers, 1 all types, 2 long texts with line breaks and quotes, 3 one
 * field that is longer than several parts, 4 surprises near the end. */
static void write_file(FILE *out, int kind)
{
    fputs(kind == 0 ? "a,b,c\n" : "a,b,c,d,e\r\n", out);
    for (int i = 0; i < ROWS; i++) {
        if (kind == 0)
            fprintf(out, "%d,%.17g,%d\n", i, i / 7.0, i % 10);
        else if (kind == 1)
            fprintf(out, "%d,%.6f,name %d,%s,%s\n%s", i, i / 3.0, i % 100, i % 3 ? "true" : "",
                    i % 5 ? "2024-02-29" : "NA", i % 11 ? "" : "\r\n\n");
        else if (kind == 2)
            fprintf(out, "%d,\"said \"\"%d\"\",\n1,2,3,4,5\nand,\"\"more\"\"\",x,\"\",y\r\n", i, i);
        else if (kind == 3)
            fprintf(out, "%d,\"%s\",x,y,z\n", i, i == 7 ? "" : "short");
        else
            fprintf(out, "%d,%s,%s,1,2\n", i, i == ROWS - 3 ? "7.5" : "7",
                    i == ROWS - 5   ? "text"
                    : i == ROWS - 6 ? ""
                                    : "5");
        for (int j = 0; kind == 3 && i == 9 && j < 100000; j++)
            fprintf(out, "%s%d,\n\"\"%s", j ? "" : "8,\"", j, j == 99999 ? "\",x,y,z\n" : "");
    }
}

static char *make_file(int kind, size_t *size)
{
    char *text;
    FILE *out = open_memstream(&text, size);
    write_file(out, kind);
    fclose(out);
    return text;
}

static void same_buffers(const ndshm_column *a, const ndshm_column *b)
{
    int64_t rows = a->rows, width = 8;
    assert_string_equal(a->format, b->format);
    assert_int_equal(a->null_count, b->null_count);
    assert_int_equal(a->validity != NULL, b->validity != NULL);
    if (a->validity)
        assert_memory_equal(a->validity, b->validity, (size_t)(rows + 7) / 8);
    if (a->offsets) {
        assert_memory_equal(a->offsets, b->offsets, (size_t)(rows + 1) * sizeof(int32_t));
        assert_memory_equal(a->data, b->data, (size_t)((const int32_t *)a->offsets)[rows]);
        return;
    }
    width = strcmp(a->format, "tdD") == 0 ? 4 : width;
    size_t size = *a->format == 'b' ? (size_t)(rows + 7) / 8 : (size_t)(rows * width);
    assert_memory_equal(a->data, b->data, size);
}

static void same_frames(const ndshm_frame *a, const ndshm_frame *b)
{
    assert_int_equal(ndshm_frame_rows(a), ndshm_frame_rows(b));
    assert_int_equal(ndshm_frame_columns(a), ndshm_frame_columns(b));
    for (int i = 0; i < ndshm_frame_columns(a); i++) {
        ndshm_column first, second;
        assert_ok(ndshm_frame_column(a, i, &first));
        assert_ok(ndshm_frame_column(b, i, &second));
        same_buffers(&first, &second);
    }
}

static void test_workers_make_the_same_bytes(void **state)
{
    (void)state;
    static const char *const formats[] = {"g", "tdD", "u", "u", "u"};
    static const int columns[] = {1, 4, 1, 1, 2};
    for (int workers = 1; workers <= 7; workers += workers == 1 ? 1 : 5) {
        ndshm_pool *pool = support_pool(workers);
        for (int kind = 0; kind < 5; kind++) {
            size_t size;
            ndshm_frame *alone, *together;
            ndshm_column column;
            char *text = make_file(kind, &size);
            const char *path = support_file("x.csv", text, size);
            free(text);
            assert_ok(ndshm_frame_from_csv(NULL, NULL, path, NULL, NULL, &alone));
            assert_ok(ndshm_frame_from_csv(pool, "t-csv", path, NULL, NULL, &together));
            assert_int_equal(ndshm_frame_rows(alone), ROWS + (kind == 3));
            assert_ok(ndshm_frame_column(alone, columns[kind], &column));
            assert_string_equal(column.format, formats[kind]);
            same_frames(alone, together);
            assert_ok(ndshm_frame_unlink(together));
            ndshm_frame_detach(&together);
            ndshm_frame_detach(&alone);
        }
        ndshm_pool_close(&pool);
    }
}

static void test_errors_are_those_of_the_first_place(void **state)
{
    (void)state;
    size_t size;
    char alone[512];
    ndshm_frame *frame;
    ndshm_pool *pool = support_pool(2);
    char *text = make_file(1, &size);
    for (size_t i = 1; i < 4; i++) { /* in several parts */
        size_t at = size * i / 4;
        at += strcspn(text + at, "\n") + 1;
        memcpy(text + at, ",,,,,,", 6);
    }
    const char *path = support_file("x.csv", text, size);
    free(text);
    assert_fails(NDSHM_EPARSE, ndshm_frame_from_csv(NULL, NULL, path, NULL, NULL, &frame), "line");
    snprintf(alone, sizeof alone, "%s", ndshm_error_message());
    assert_fails(NDSHM_EPARSE, ndshm_frame_from_csv(pool, NULL, path, NULL, NULL, &frame), alone);
    ndshm_pool_close(&pool);
}

/* --- standard input and pipes: fed by a thread --- */

struct feed {
    const char *path;
    const char *text;
    size_t size;
    ndshm_csv_progress *progress;
};

static void *feed_fifo(void *argument)
{
    const struct feed *feed = argument;
    FILE *out = fopen(feed->path, "w");
    fwrite(feed->text, 1, feed->size, out);
    fclose(out);
    return NULL;
}

static void *cancel(void *argument)
{
    struct feed *feed = argument;
    __atomic_store_n(&feed->progress->cancel, 1, __ATOMIC_RELAXED);
    return NULL;
}

static void test_a_fifo_is_waited_for(void **state)
{
    (void)state;
    char path[512];
    pthread_t thread;
    ndshm_frame *frame, *expected;
    ndshm_csv_progress progress = {0};
    ndshm_csv_config config;
    struct feed feed = {.path = path, .progress = &progress};
    ndshm_pool *pool = support_pool(2);
    char *text = make_file(1, &feed.size);
    feed.text = text;
    ndshm_csv_config_init(&config);
    config.progress = &progress;
    snprintf(path, sizeof path, "%s/fifo", support_directory());
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(pthread_create(&thread, NULL, cancel, &feed), 0);
    assert_fails(NDSHM_ECANCELED, ndshm_frame_from_csv(pool, NULL, path, &config, NULL, &frame),
                 "canceled");
    pthread_join(thread, NULL);
    progress = (ndshm_csv_progress){0};
    assert_int_equal(pthread_create(&thread, NULL, feed_fifo, &feed), 0);
    assert_ok(ndshm_frame_from_csv(pool, NULL, path, &config, NULL, &frame));
    pthread_join(thread, NULL);
    assert_true(progress.done == progress.all && progress.all > (int64_t)feed.size);
    const char *file = support_file("x.csv", text, feed.size);
    assert_ok(ndshm_frame_from_csv(NULL, NULL, file, NULL, NULL, &expected));
    same_frames(expected, frame);
    ndshm_frame_detach(&frame);
    ndshm_frame_detach(&expected);
    ndshm_pool_close(&pool);
    free(text);
}

/* --- a worker is killed --- */

struct killer {
    int go;
};

static void *kill_children(void *argument)
{
    struct killer *killer = argument;
    char command[128];
    snprintf(command, sizeof command,
             "for p in $(cat /proc/%d/task/*/children); do "
             "for w in $(cat /proc/$p/task/*/children); do kill -9 $w; done; done 2>/dev/null",
             (int)getpid());
    while (__atomic_load_n(&killer->go, __ATOMIC_RELAXED))
        if (system(command) == -1)
            break;
    return NULL;
}

/* Killed again and again, so that a part is hit for certain; the pool stays usable. */
static void test_killed_workers_are_an_error(void **state)
{
    (void)state;
    size_t size;
    pthread_t thread;
    struct killer killer = {.go = 1};
    ndshm_frame *frame = NULL;
    ndshm_pool *pool = support_pool(2);
    char *text = make_file(2, &size);
    const char *path = support_file("x.csv", text, size);
    free(text);
    assert_int_equal(pthread_create(&thread, NULL, kill_children, &killer), 0);
    int status = 0;
    for (int i = 0; i < 500 && status == 0; i++) {
        status = ndshm_frame_from_csv(pool, NULL, path, NULL, NULL, &frame);
        ndshm_frame_detach(&frame);
    }
    assert_fails(NDSHM_EWORKER, status, "part ");
    __atomic_store_n(&killer.go, 0, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
    assert_ok(ndshm_frame_from_csv(pool, NULL, path, NULL, NULL, &frame));
    ndshm_frame_detach(&frame);
    ndshm_pool_close(&pool);
}

static int read_in_small_tmpfs(void *argument)
{
    ndshm_frame *frame;
    ndshm_pool *pool;
    ndshm_pool_config config;
    ndshm_pool_config_init(&config);
    config.workers = 2;
    SUPPORT_CHECK(ndshm_pool_open(&config, &pool) == 0);
    SUPPORT_CHECK(ndshm_frame_from_csv(pool, NULL, argument, NULL, NULL, &frame) == -ENOSPC);
    SUPPORT_CHECK(strstr(ndshm_error_message(), "/dev/shm"));
    SUPPORT_CHECK(ndshm_frame_from_csv(NULL, NULL, argument, NULL, NULL, &frame) == -ENOSPC);
    ndshm_pool_close(&pool);
    return 0;
}

static void test_no_space_is_an_error(void **state)
{
    (void)state;
    size_t size;
    char *text = make_file(0, &size), path[512];
    snprintf(path, sizeof path, "%s", support_file("x.csv", text, size));
    free(text);
    int verdict = support_in_tmpfs("size=2500k", read_in_small_tmpfs, path);
    if (verdict < 0)
        skip();
    assert_int_equal(verdict, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_workers_make_the_same_bytes),
        SUPPORT_TEST(test_errors_are_those_of_the_first_place),
        SUPPORT_TEST(test_a_fifo_is_waited_for),
        SUPPORT_TEST(test_killed_workers_are_an_error),
        SUPPORT_TEST(test_no_space_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
