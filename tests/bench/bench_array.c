/* SPDX-License-Identifier: MIT */
/* Arrays against the bare system calls and memcpy, side by side in one run. One JSON line a
 * benchmark; value is the ratio that target limits. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <ndshm/ndshm.h>

#define BARE "/t-array-bench-bare"
#define NAME "t-array-bench"

enum { ROUNDS = 7, LOCK_BYTE_SHIFT = 62 };

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void check(int ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "%s failed: %s\n", what, ndshm_error_message());
    exit(1);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double values[ROUNDS])
{
    qsort(values, ROUNDS, sizeof *values, ascending);
    return values[ROUNDS / 2];
}

/* Two ways to do the same, measured in turns. */
struct pair {
    void (*ours)(void *context);
    void (*theirs)(void *context);
    int repeat;
};

static void measure(const struct pair *pair, void *context, double *ours, double *theirs)
{
    double a[ROUNDS], b[ROUNDS];
    for (int round = -1; round < ROUNDS; round++) { /* the first one warms up */
        double start = now();
        for (int i = 0; i < pair->repeat; i++)
            pair->theirs(context);
        double middle = now();
        for (int i = 0; i < pair->repeat; i++)
            pair->ours(context);
        double end = now();
        if (round >= 0) {
            b[round] = (middle - start) / pair->repeat;
            a[round] = (end - middle) / pair->repeat;
        }
    }
    *ours = median(a);
    *theirs = median(b);
}

static void report(const char *name, double value, const char *unit, const char *target,
                   double ours, double theirs)
{
    printf("{\"benchmark\": \"%s\", \"value\": %.3f, \"unit\": \"%s\", \"target\": \"%s\", "
           "\"ours_us\": %.2f, \"theirs_us\": %.2f}\n",
           name, value, unit, target, ours * 1e6, theirs * 1e6);
    fflush(stdout);
}

/* --- fresh: a new array from existing memory --- */

struct fresh {
    const void *data;
    int64_t size;
};

static void fresh_ours(void *context)
{
    const struct fresh *fresh = context;
    ndshm_view view;
    ndshm_array *array;
    check(!ndshm_view_init(&view, (void *)(uintptr_t)fresh->data, NDSHM_INT8, 1, &fresh->size, 0),
          "view");
    check(!ndshm_array_from(NULL, &view, NULL, &array), "from");
    ndshm_array_detach(&array);
}

static void fresh_theirs(void *context)
{
    const struct fresh *fresh = context;
    int fd = shm_open(BARE, O_RDWR | O_CREAT | O_EXCL, 0600);
    check(fd >= 0 && ftruncate(fd, fresh->size) == 0, "shm_open");
    void *to = mmap(NULL, (size_t)fresh->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    check(to != MAP_FAILED, "mmap");
    memcpy(to, fresh->data, (size_t)fresh->size);
    munmap(to, (size_t)fresh->size);
    close(fd);
    shm_unlink(BARE);
}

static void bench_fresh(const void *data, int64_t size, const char *name)
{
    struct fresh fresh = {data, size};
    double ours, theirs;
    measure(&(struct pair){fresh_ours, fresh_theirs, 1}, &fresh, &ours, &theirs);
    report(name, theirs / ours, "times shm_open+ftruncate+mmap+memcpy", ">= 1.7", ours, theirs);
}

/* --- copies into an existing array --- */

struct copy {
    ndshm_view target, source;
    void *to;
    const void *from;
    size_t size;
};

static void copy_ours(void *context)
{
    const struct copy *copy = context;
    check(!ndshm_view_copy(&copy->target, &copy->source), "copy");
}

static void copy_theirs(void *context)
{
    const struct copy *copy = context;
    memcpy(copy->to, copy->from, copy->size);
}

static void bench_copy(struct copy *copy, const char *name, const char *target)
{
    double ours, theirs;
    measure(&(struct pair){copy_ours, copy_theirs, 1}, copy, &ours, &theirs);
    report(name, theirs / ours, "of memcpy", target, ours, theirs);
}

static void bench_copies(void *data, void *other, int64_t side)
{
    const int64_t shape[2] = {side, side}, half[2] = {side, side / 2};
    const size_t size = (size_t)(side * side) * sizeof(double);
    ndshm_array *array;
    ndshm_view whole;
    struct copy copy = {.to = other, .from = data, .size = size};
    check(!ndshm_array_create(NULL, NDSHM_FLOAT64, 2, shape, NULL, &array), "create");
    check(!ndshm_array_read(array, &whole), "read");
    copy.target = whole;
    ndshm_view_init(&copy.source, data, NDSHM_FLOAT64, 2, shape, NDSHM_ORDER_C);
    bench_copy(&copy, "array_overwrite_warm", ">= 0.9");
    ndshm_view_init(&copy.source, data, NDSHM_FLOAT64, 2, shape, NDSHM_ORDER_FORTRAN);
    bench_copy(&copy, "copy_transposed_f64", "");
    ndshm_view_init(&copy.source, data, NDSHM_FLOAT64, 2, shape, NDSHM_ORDER_C);
    ndshm_view_slice(&whole, 0, NDSHM_OMIT, NDSHM_OMIT, -1, &copy.target);
    bench_copy(&copy, "copy_rows_reversed_f64", "");
    ndshm_view_init(&copy.target, whole.data, NDSHM_FLOAT64, 2, half, NDSHM_ORDER_C);
    ndshm_view_slice(&copy.source, 1, 0, side / 2 * 2, 2, &copy.source);
    copy.size /= 2;
    bench_copy(&copy, "copy_every_second_f64", "");
    ndshm_array_detach(&array);
}

/* --- attach, read, detach --- */

struct attach {
    const char *name;
    char path[64];
    int64_t total;
};

static void attach_ours(void *context)
{
    const struct attach *attach = context;
    ndshm_array *array;
    ndshm_view view;
    check(!ndshm_array_attach(attach->name, NDSHM_READ, &array), "attach");
    check(!ndshm_array_read(array, &view), "read");
    ndshm_array_detach(&array);
}

static void attach_theirs(void *context)
{
    const struct attach *attach = context;
    struct flock lock = {.l_type = F_RDLCK, .l_start = INT64_C(1) << LOCK_BYTE_SHIFT, .l_len = 1};
    struct stat file;
    int fd = shm_open(attach->path, O_RDONLY, 0);
    check(fd >= 0 && fcntl(fd, F_OFD_SETLK, &lock) == 0 && fstat(fd, &file) == 0, "shm_open");
    void *data = mmap(NULL, (size_t)file.st_size, PROT_READ, MAP_SHARED, fd, 0);
    check(data != MAP_FAILED, "mmap");
    munmap(data, (size_t)file.st_size);
    close(fd);
}

static void bench_attach(int64_t size, const char *name)
{
    struct attach attach = {.name = NAME};
    double ours, theirs;
    ndshm_array *array;
    check(!ndshm_array_create(NAME, NDSHM_INT8, 1, &size, NULL, &array), "create");
    snprintf(attach.path, sizeof attach.path, "/%s", NAME);
    measure(&(struct pair){attach_ours, attach_theirs, 2000}, &attach, &ours, &theirs);
    report(name, ours / theirs, "times the bare system calls", "<= 1.3", ours, theirs);
    check(!ndshm_array_unlink(array), "unlink");
    ndshm_array_detach(&array);
}

int main(int argc, char **argv)
{
    int64_t side = argc > 1 ? atoll(argv[1]) : 7000; /* 392 MB */
    int64_t size = side * side * (int64_t)sizeof(double);
    void *data = malloc((size_t)size), *other = malloc((size_t)size);
    check(side >= 1000, "a side of at least 1000");
    check(data && other, "malloc");
    memset(data, 1, (size_t)size);
    memset(other, 2, (size_t)size);
    bench_attach(4096, "attach_read_detach_4k");
    bench_attach(size, "attach_read_detach_large");
    bench_copies(data, other, side);
    bench_fresh(data, size, "array_from_fresh_large");
    bench_fresh(data, 1 << 20, "array_from_fresh_1m");
    free(data);
    free(other);
    return 0;
}
