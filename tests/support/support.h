/* SPDX-License-Identifier: MIT */
/* What every test uses: the leak oracle, child processes with a verdict, scratch files. */
#ifndef NDSHM_TESTS_SUPPORT_H
#define NDSHM_TESTS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Every test program runs in a mount namespace of its own with an empty tmpfs over /dev/shm, below
 * a process that adopts its orphans. Where that is not allowed, it says so and takes turns with the
 * other test programs. NDSHM_TEST_PLAIN=1 in the environment turns both off, for debuggers. */

/* The leak oracle, as setup and teardown of each test: descriptors, mappings of shared memory,
 * children, orphaned grandchildren, names, blocks and inodes of /dev/shm, and locks on its files
 * must be as before. Temporary differences (a killed process's memory is given back late) are
 * waited for. Prints what is left. */
extern int support_patience_ms; /* 2000: how long to wait for them */
int support_begin(void **state);
int support_end(void **state);

/* A test under the oracle. */
#define SUPPORT_TEST(function) cmocka_unit_test_setup_teardown(function, support_begin, support_end)

/* Runs function(argument) in a forked child and returns its verdict: its exit status, or 128 + the
 * signal that killed it; 200 when it took longer than 30 s (it is killed). In children use
 * SUPPORT_CHECK, never cmocka's assertions. */
int support_child(int (*function)(void *argument), void *argument);

/* The same, without waiting: pid; then the verdict of that pid. */
int support_child_start(int (*function)(void *argument), void *argument);
int support_child_wait(int pid);

/* In a child: prints file, line and expression, and returns 1 from the function when it is false.
 */
#define SUPPORT_CHECK(expression)                                                                  \
    do {                                                                                           \
        if (!(expression)) {                                                                       \
            support_report(__FILE__, __LINE__, #expression);                                       \
            return 1;                                                                              \
        }                                                                                          \
    } while (0)
void support_report(const char *file, int line, const char *expression);

/* Asserts that status is 0, printing the library's message otherwise. */
#define assert_ok(status) support_assert_ok(status, #status, __FILE__, __LINE__)
void support_assert_ok(int status, const char *expression, const char *file, int line);

/* Asserts a status, and that the error message contains text. */
#define assert_fails(expected, status, text)                                                       \
    support_assert_fails(expected, status, text, #status, __FILE__, __LINE__)
void support_assert_fails(int expected, int status, const char *text, const char *expression,
                          const char *file, int line);

/* The children of a process, at most room of them; how many. */
int support_children(int pid, int *out, int room);

/* How many names in the shared-memory directory begin with prefix; -1: it cannot be listed. */
int support_names(const char *prefix);

/* A fresh directory of this test, removed with its contents at support_end. Static storage. */
const char *support_directory(void);

/* A file of these bytes in it; its path, in static storage. */
const char *support_file(const char *name, const void *bytes, size_t size);

/* Runs a shell command; its exit status. Output (stdout and stderr) goes into buffer when not NULL.
 */
int support_run(char *buffer, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Runs function in a child inside its own mount namespace with a tmpfs of these options
 * ("size=1m,nr_inodes=3") over /dev/shm. -1 when this machine does not allow that (then skip()). */
int support_in_tmpfs(const char *options, int (*function)(void *argument), void *argument);

#endif
