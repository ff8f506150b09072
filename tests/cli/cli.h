/* SPDX-License-Identifier: MIT */
/* Segments in every state, for tests that look at shm-inspect from outside. */
#ifndef NDSHM_TESTS_CLI_H
#define NDSHM_TESTS_CLI_H

#include <stdbool.h>

#include "support.h"

#include <ndshm/ndshm.h>

enum { CLI_OUTPUT = 65536, CLI_BYTES = 8192 }; /* bytes of a segment: header and payload */

/* The tool, in a shell command. */
#define TOOL "\"$SHM_INSPECT\" "

/* kind 0: an array; lifetime 0: reclaimable. */
struct cli_segment {
    const char *name, *pool, *label;
    int kind, lifetime;
};

/* Creates a segment in a process that is killed. */
void cli_leave(const struct cli_segment *segment);

/* Creates it in a process that keeps it until cli_end; a pool stays alive until then, too. */
int cli_hold(const struct cli_segment *segment);
void cli_end(int pid);

/* Breaks the checksum of a segment. */
void cli_corrupt(const char *name);

/* What no tool of ours may touch: a file whose name commands a terminal, a FIFO, a symbolic link, a
 * directory. */
enum { CLI_PLANTED = 4 };
void cli_plant(void);

bool cli_exists(const char *name);

/* Removes what a test left, by force: names that begin with "t-cli-". */
void cli_clear(void);

/* A test under the leak oracle, which starts without what an earlier one left when it failed. */
#define CLI_TEST(function) cmocka_unit_test_setup_teardown(function, cli_begin, support_end)
int cli_begin(void **state);

/* Runs a command, asserts its exit status and returns its output (standard error, too). Static
 * storage. */
const char *cli_run(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define assert_has(text, part) cli_assert_has(text, part, true, __FILE__, __LINE__)
#define assert_has_not(text, part) cli_assert_has(text, part, false, __FILE__, __LINE__)
void cli_assert_has(const char *text, const char *part, bool expected, const char *file, int line);

#endif
