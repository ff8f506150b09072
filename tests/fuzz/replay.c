/* SPDX-License-Identifier: MIT */
/* Runs a fuzz target, without a fuzzing engine, over each file of its corpus, and then over changed
 * copies of them, always the same ones.
 *
 *     replay CORPUS EXECUTIONS      under the leak oracle
 *     replay FILE                   one input, for debugging
 *
 * NDSHM_FUZZ_SECONDS: so long instead of so often; NDSHM_FUZZ_SEED: other copies. An input that
 * fails is kept as crash-PROGRAM in the working directory. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"
#include "mutate.h"
#include "support.h"

enum { INPUT_MAX = 1 << 16 };

static const char *directory;
static long executions;
static struct mutate_bytes *corpus;
static size_t ncorpus;
static struct mutate_bytes now; /* the input that is run */

static struct mutate_bytes read_file(const char *path)
{
    struct stat file;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &file) != 0) {
        perror(path);
        exit(2);
    }
    struct mutate_bytes bytes = {malloc((size_t)file.st_size + 1), (size_t)file.st_size};
    if (!bytes.data || read(fd, bytes.data, bytes.size) != (ssize_t)bytes.size)
        exit(2);
    close(fd);
    return bytes;
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void read_corpus(void)
{
    struct dirent **entries;
    int count = scandir(directory, &entries, visible, alphasort);
    if (count <= 0) {
        perror(directory);
        exit(2);
    }
    corpus = calloc((size_t)count, sizeof *corpus);
    for (int i = 0; i < count; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", directory, entries[i]->d_name);
        corpus[ncorpus++] = read_file(path);
        free(entries[i]);
    }
    free(entries);
}

/* In a process that is about to die of its input. */
static void keep_input(void)
{
    char path[64];
    snprintf(path, sizeof path, "crash-%s", program_invocation_short_name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd >= 0 && write(fd, now.data, now.size) == (ssize_t)now.size)
        fprintf(stderr, "the input is in %s\n", path);
}

static void die(int signal)
{
    keep_input();
    raise(signal); /* handled once */
}

void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void watch_over_death(void)
{
    const int signals[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV};
    const struct sigaction once = {.sa_handler = die, .sa_flags = (int)SA_RESETHAND | SA_NODEFER};
    if (__sanitizer_set_death_callback)
        __sanitizer_set_death_callback(keep_input);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        if (!__sanitizer_set_death_callback || signals[i] == SIGABRT)
            sigaction(signals[i], &once, NULL);
}

/* A copy of the exact size: a sanitizer sees every byte beyond. */
static void run(const uint8_t *data, size_t size)
{
    now = (struct mutate_bytes){malloc(size ? size : 1), size};
    memcpy(now.data, data, size);
    LLVMFuzzerTestOneInput(now.data, size);
    free(now.data);
}

static void test_corpus(void **state)
{
    (void)state;
    watch_over_death(); /* here, because the test runner has handlers of its own */
    for (size_t i = 0; i < ncorpus; i++)
        run(corpus[i].data, corpus[i].size);
    print_message("%zu inputs\n", ncorpus);
}

static void test_changed_copies(void **state)
{
    (void)state;
    watch_over_death();
    static uint8_t changed[INPUT_MAX];
    const char *seconds = getenv("NDSHM_FUZZ_SECONDS"), *given = getenv("NDSHM_FUZZ_SEED");
    time_t end = seconds ? time(NULL) + atoi(seconds) : 0;
    uint64_t seed = given ? strtoull(given, NULL, 10) : 1;
    long count = 0;
    while (seconds ? time(NULL) < end : count < executions) {
        const struct mutate_bytes *base = &corpus[mutate_random(&seed) % ncorpus];
        const struct mutate_bytes *other = &corpus[mutate_random(&seed) % ncorpus];
        run(changed, mutate(&seed, base, other, changed, sizeof changed));
        count++;
    }
    print_message("%ld executions\n", count);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_corpus),
        SUPPORT_TEST(test_changed_copies),
    };
    if (argc != 2 && argc != 3) {
        fprintf(stderr, "usage: %s CORPUS EXECUTIONS | FILE\n", argv[0]);
        return 2;
    }
    if (argc == 2) {
        watch_over_death();
        struct mutate_bytes input = read_file(argv[1]);
        run(input.data, input.size);
        free(input.data);
        return 0;
    }
    directory = argv[1];
    executions = atol(argv[2]);
    read_corpus();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    for (size_t i = 0; i < ncorpus; i++)
        free(corpus[i].data);
    free(corpus);
    return failed;
}
