/* SPDX-License-Identifier: MIT */
/* A peer of the same user rewrites bytes, truncates, extends and punches holes, all the time, while
 * others attach, copy, inspect, list, reap and run jobs: each call ends with a status, in time and
 * without a fault. NDSHM_HOSTILE_SECONDS: how long each test takes; 4 when not set. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
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

#include "segments.h"
#include "support.h"

#define ARRAY "t-hostile-array"
#define FRAME "t-hostile-frame"
enum { USERS = 3, ROWS = 60, COLUMNS = 50, HEADER = 4096, ROUND = 2 };

/* What became of the calls, counted by all processes. */
static struct shared {
    _Atomic long attached, refused, copied, torn, removed, strange;
    _Atomic long attacks, jobs, finished, broken, tasks, lost;
} * shared;

static uint32_t seed = 1;

static uint32_t below(uint32_t limit)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed % limit;
}

#define STRANGE_IF(expression)                                                                     \
    do {                                                                                           \
        if (expression) {                                                                          \
            support_report(__FILE__, __LINE__, "not (" #expression ")");                           \
            shared->strange++;                                                                     \
        }                                                                                          \
    } while (0)

static int duration(void)
{
    const char *seconds = getenv("NDSHM_HOSTILE_SECONDS");
    return seconds ? atoi(seconds) : 4;
}

/* --- the peer --- */

struct victim {
    const char *path;
    uint8_t *original;
    size_t size;
};

static void remember(struct victim *victim, const char *name)
{
    struct stat file;
    victim->path = strdup(support_path(name));
    int fd = open(victim->path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(fstat(fd, &file), 0);
    victim->size = (size_t)file.st_size;
    victim->original = malloc(victim->size);
    assert_int_equal(pread(fd, victim->original, victim->size, 0), victim->size);
    close(fd);
}

static void forget(struct victim *victim)
{
    unlink(victim->path);
    free((char *)victim->path);
    free(victim->original);
}

static void overwrite(int fd, size_t size)
{
    uint8_t bytes[16];
    size_t count = 1 + below(sizeof bytes), at = below((uint32_t)(below(2) ? size : HEADER));
    for (size_t i = 0; i < count; i++)
        bytes[i] = below(3) ? (uint8_t)below(256) : 0;
    STRANGE_IF(at + count <= size && pwrite(fd, bytes, count, (off_t)at) < 0);
}

static void punch(int fd, size_t size)
{
    off_t page = (off_t)below((uint32_t)size / HEADER) * HEADER;
    STRANGE_IF(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, page, HEADER) != 0);
}

static void attack(const struct victim *victim)
{
    enum { RESTORE = 5, WAYS = 10 };
    int fd = open(victim->path, O_RDWR | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0600);
    uint32_t way = below(WAYS);
    if (fd < 0)
        return; /* somebody takes a proof */
    shared->attacks++;
    if (way == 0)
        STRANGE_IF(ftruncate(fd, (off_t)below((uint32_t)victim->size)) != 0);
    else if (way == 1)
        STRANGE_IF(ftruncate(fd, (off_t)(victim->size + below(3 * HEADER))) != 0);
    else if (way == 2)
        punch(fd, victim->size);
    else if (way < RESTORE)
        overwrite(fd, victim->size);
    else
        STRANGE_IF(ftruncate(fd, (off_t)victim->size) != 0 ||
                   pwrite(fd, victim->original, victim->size, 0) < 0);
    close(fd);
}

static __attribute__((noreturn)) void attack_until_killed(const struct victim *victims)
{
    for (;;) {
        attack(&victims[below(2)]);
        if (below(8) == 0)
            sched_yield();
    }
}

static int peer(void *argument)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    attack_until_killed(argument);
}

/* --- whoever uses what it attacks --- */

static int count_entries(const char *path)
{
    int count = 0;
    DIR *all = opendir(path);
    while (all && readdir(all))
        count++;
    closedir(all);
    return count;
}

static void use_array(void)
{
    static uint8_t copy[ROWS * COLUMNS * 8];
    ndshm_array *array;
    ndshm_view view;
    static const char *const refs[] = {ARRAY, ARRAY "[::3, 5:40:7]", ARRAY "[..., -1]"};
    int status = ndshm_array_attach(refs[below(3)], NDSHM_READ + (int)below(3), &array);
    shared->attached += status == 0;
    shared->refused += status != 0;
    STRANGE_IF(status && !ndshm_error_message()[0]);
    if (status)
        return;
    STRANGE_IF(ndshm_array_read(array, &view) || ndshm_view_nbytes(&view) > (int64_t)sizeof copy);
    for (int i = 0; i < 20 && !status; i++) {
        sched_yield(); /* it is the peer's turn */
        status = ndshm_array_copy(array, copy, ndshm_view_nbytes(&view));
        shared->copied += status == 0;
        shared->torn += status == NDSHM_ECORRUPT;
        STRANGE_IF(status && status != NDSHM_ECORRUPT);
    }
    if (below(20) == 0)
        shared->removed += ndshm_array_unlink(array) == 0;
    ndshm_array_detach(&array);
}

static void use_frame(void)
{
    ndshm_frame *frame;
    ndshm_column column;
    int status = ndshm_frame_attach(below(2) ? FRAME : FRAME "[1:9:2]", NDSHM_READ, &frame);
    shared->attached += status == 0;
    shared->refused += status != 0;
    if (status)
        return;
    for (int i = 0; i < ndshm_frame_columns(frame); i++)
        STRANGE_IF(ndshm_frame_column(frame, i, &column) || strlen(column.name) > 1);
    ndshm_frame_detach(&frame);
}

static void look_around(void)
{
    ndshm_list *list;
    ndshm_info info;
    ndshm_reap_config config;
    ndshm_reap_report report;
    const char *name = below(2) ? ARRAY : FRAME;
    if (ndshm_list_open(&list) == 0) {
        while (ndshm_list_next(list, &info) == 0)
            STRANGE_IF(!memchr(info.note, 0, sizeof info.note));
        ndshm_list_close(&list);
    }
    ndshm_inspect(name, &info);
    ndshm_reap_config_init(&config);
    config.flags = below(8) ? NDSHM_REAP_DRY_RUN : 0;
    if (ndshm_reap(name, &config, &report) == 0)
        shared->removed += report.decision == NDSHM_REAP_REMOVED;
    ndshm_set_lifetime(name, NDSHM_TEMPORARY + (int)below(3));
    ndshm_wait(name, (int)below(2));
}

static int use(void *argument)
{
    time_t end = time(NULL) + *(int *)argument;
    seed = (uint32_t)getpid();
    int before = count_entries("/proc/self/fd") + count_entries("/proc/self/map_files");
    while (time(NULL) < end) {
        use_array();
        use_frame();
        look_around();
    }
    SUPPORT_CHECK(count_entries("/proc/self/fd") + count_entries("/proc/self/map_files") <=
                  before + 4); /* the allocator may have mapped more */
    return 0;
}

static void make_victims(struct victim victims[2])
{
    static const int64_t shape[] = {ROWS, COLUMNS};
    static const ndshm_column_spec specs[] = {{"a", "g", 0}, {"b", "?l", 0}, {"c", "u", 50}};
    ndshm_array *array;
    ndshm_frame *frame;
    assert_ok(ndshm_array_create(ARRAY, NDSHM_FLOAT64, 2, shape, NULL, &array));
    ndshm_array_detach(&array);
    assert_ok(ndshm_frame_create(FRAME, ROWS, specs, 3, NULL, &frame));
    assert_ok(ndshm_frame_publish(frame));
    ndshm_frame_detach(&frame);
    remember(&victims[0], ARRAY);
    remember(&victims[1], FRAME);
}

static void stop_peer(int pid)
{
    kill(pid, SIGKILL);
    assert_int_equal(support_child_wait(pid), 128 + SIGKILL);
}

static void test_bytes_lengths_and_holes(void **state)
{
    (void)state;
    struct victim victims[2];
    int users[USERS], left = duration();
    make_victims(victims);
    for (; left > 0; left -= ROUND) { /* each round within the patience that children have */
        int seconds = left < ROUND ? left : ROUND, attacker = support_child_start(peer, victims);
        seed = (uint32_t)left + 1;
        for (int i = 0; i < USERS; i++)
            users[i] = support_child_start(use, &seconds);
        for (int i = 0; i < USERS; i++)
            assert_int_equal(support_child_wait(users[i]), 0);
        stop_peer(attacker);
    }
    for (int i = 0; i < 2; i++)
        forget(&victims[i]);
    print_message("%ld attacks; attached %ld, refused %ld; copied %ld, torn %ld; removed %ld\n",
                  shared->attacks, shared->attached, shared->refused, shared->copied, shared->torn,
                  shared->removed);
    assert_int_equal(shared->strange, 0);
    assert_true(shared->attacks > 0 && shared->attached > 0 && shared->refused > 0);
    assert_true(shared->copied > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_bytes_lengths_and_holes),
    };
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return shared == MAP_FAILED ? 2 : cmocka_run_group_tests(tests, NULL, NULL);
}
