/* SPDX-License-Identifier: MIT */
/* Children with a verdict, commands, and assertions on statuses. */
#include "support.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ndshm/segment.h>

#include "isolate.h"

enum { CHILD_TIMEOUT_MS = 30000, VERDICT_TIMEOUT = 200, VERDICT_NO_NAMESPACE = 201 };

/* A child that ends with _exit leaves its counters to nobody. */
static void keep_coverage(void)
{
#ifdef SUPPORT_COVERAGE
    void __gcov_dump(void);
    __gcov_dump();
#endif
}

int support_child_start(int (*function)(void *argument), void *argument)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        int verdict = function(argument);
        fflush(NULL);
        keep_coverage();
        _exit(verdict);
    }
    if (pid < 0)
        fail_msg("fork failed");
    return pid;
}

static int has_ended(pid_t pid, int timeout_ms)
{
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (fd < 0)
        return 0;
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    int ready = poll(&wait, 1, timeout_ms);
    close(fd);
    return ready > 0;
}

int support_child_wait(int pid)
{
    int status, ended = has_ended(pid, CHILD_TIMEOUT_MS);
    if (!ended)
        kill(pid, SIGKILL);
    if (waitpid(pid, &status, 0) != pid)
        fail_msg("child %d cannot be waited for", pid);
    if (!ended) {
        fprintf(stderr, "child %d was killed after %d s\n", pid, CHILD_TIMEOUT_MS / 1000);
        return VERDICT_TIMEOUT;
    }
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int support_child(int (*function)(void *argument), void *argument)
{
    return support_child_wait(support_child_start(function, argument));
}

struct in_tmpfs {
    const char *options;
    int (*function)(void *argument);
    void *argument;
};

static int run_in_tmpfs(void *argument)
{
    struct in_tmpfs *task = argument;
    if (support_mount_tmpfs(task->options) != 0)
        return VERDICT_NO_NAMESPACE;
    return task->function(task->argument);
}

int support_in_tmpfs(const char *options, int (*function)(void *argument), void *argument)
{
    struct in_tmpfs task = {options, function, argument};
    int verdict = support_child(run_in_tmpfs, &task);
    return verdict == VERDICT_NO_NAMESPACE ? -1 : verdict;
}

/* All that output has; what fits goes into buffer. */
static void read_all(FILE *output, char *buffer, size_t size)
{
    char rest[4096];
    if (buffer)
        buffer[fread(buffer, 1, size - 1, output)] = '\0';
    while (fread(rest, 1, sizeof rest, output) > 0)
        ;
}

int support_run(char *buffer, size_t size, const char *format, ...)
{
    char command[8192];
    va_list arguments;
    va_start(arguments, format);
    int used = vsnprintf(command, sizeof command - 16, format, arguments);
    va_end(arguments);
    if (used < 0 || (size_t)used >= sizeof command - 16)
        fail_msg("a command of %d bytes is too long", used);
    fflush(NULL);
    char redirected[sizeof command + 32];
    snprintf(redirected, sizeof redirected, "{ %s\n} %s", command, buffer ? "2>&1" : "1>&2");
    FILE *output = popen(redirected, "re");
    if (!output)
        fail_msg("cannot run: %s", command);
    read_all(output, buffer, size);
    int status = pclose(output);
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void support_report(const char *file, int line, const char *expression)
{
    fprintf(stderr, "%s:%d: not true: %s (last message: %s)\n", file, line, expression,
            ndshm_error_message());
}

void support_assert_ok(int status, const char *expression, const char *file, int line)
{
    if (status == 0)
        return;
    print_error("%s: %d (%s): %s\n", expression, status, ndshm_strerror(status),
                ndshm_error_message());
    _fail(file, line);
}

void support_assert_fails(int expected, int status, const char *text, const char *expression,
                          const char *file, int line)
{
    const char *message = ndshm_error_message();
    if (status == expected && message[0] && (!text || strstr(message, text)))
        return;
    print_error("%s: is %d (%s)\n", expression, status, ndshm_strerror(status));
    print_error("expected %d (%s)\n", expected, ndshm_strerror(expected));
    print_error("message \"%s\", expected to contain \"%s\"\n", message, text ? text : "");
    _fail(file, line);
}

const char *support_file(const char *name, const void *bytes, size_t size)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s", support_directory(), name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    return path;
}

int support_children(int pid, int *out, int room)
{
    char path[64];
    int count = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", pid, pid);
    FILE *file = fopen(path, "re");
    while (file && count < room && fscanf(file, "%d", &out[count]) == 1)
        count++;
    if (file)
        fclose(file);
    return count;
}

int support_names(const char *prefix)
{
    ndshm_list *list;
    ndshm_info info;
    int count = 0;
    if (ndshm_list_open(&list))
        return -1;
    while (ndshm_list_next(list, &info) == 0)
        count += strncmp(info.name, prefix, strlen(prefix)) == 0;
    ndshm_list_close(&list);
    return count;
}
