/* SPDX-License-Identifier: MIT */
/* Runs a program under the leak oracle: what it leaves behind when it has ended.
 *
 *     under-oracle PROGRAM [ARGUMENT...]
 *
 * Its exit status is passed on; a leak is 99. NDSHM_TEST_PATIENCE_MS: how long to wait for what is
 * on its way; 2000 when not set. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

enum { LEAKED = 99, NOT_FOUND = 127 };

int main(int count, char **arguments)
{
    int status;
    if (count < 2)
        return NOT_FOUND;
    const char *patience = getenv("NDSHM_TEST_PATIENCE_MS");
    if (patience)
        support_patience_ms = atoi(patience);
    support_begin(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        execvp(arguments[1], arguments + 1);
        perror(arguments[1]);
        _exit(NOT_FOUND);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return NOT_FOUND;
    int verdict = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return support_end(NULL) && !verdict ? LEAKED : verdict;
}
