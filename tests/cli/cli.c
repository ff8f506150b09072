/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "segment/format.h"
#include "segment/segment.h"

#include "cli.h"

enum { KILLED = 128 + SIGKILL };

static const int64_t shape[2] = {8, 16};

/* What only looks like its kind from outside; nobody attaches it. */
static int create_shell(const struct cli_segment *wanted, const ndshm_create_config *config)
{
    ndshm__segment *segment;
    ndshm__spec spec = {.name = wanted->name,
                        .pool = wanted->pool,
                        .kind = (uint32_t)(wanted->kind ? wanted->kind : NDSHM_KIND_ARRAY),
                        .dtype = NDSHM_FLOAT64,
                        .ndim = 2,
                        .shape = shape,
                        .payload_size = 1024,
                        .config = config};
    ndshm__begin("cli");
    int status = ndshm__segment_create(&spec, &segment);
    if (!status)
        status = ndshm__segment_publish(segment);
    if (!status && wanted->kind == NDSHM_KIND_POOL)
        status = ndshm__segment_hold(segment, NDSHM__LOCK_OWNER);
    return status;
}

/* The handle is never given back: the process is killed. */
static int create(const struct cli_segment *wanted)
{
    ndshm_array *array;
    ndshm_create_config config;
    ndshm_create_config_init(&config);
    config.lifetime = wanted->lifetime ? wanted->lifetime : NDSHM_RECLAIMABLE;
    snprintf(config.label, sizeof config.label, "%s", wanted->label ? wanted->label : "");
    if (wanted->kind || wanted->pool)
        return create_shell(wanted, &config);
    return ndshm_array_create(wanted->name, NDSHM_FLOAT64, 2, shape, &config, &array);
}

static int leave(void *argument)
{
    SUPPORT_CHECK(create(argument) == 0);
    return raise(SIGKILL);
}

void cli_leave(const struct cli_segment *segment)
{
    assert_int_equal(support_child(leave, (void *)segment), KILLED);
}

struct held {
    const struct cli_segment *wanted;
    int ready[2];
};

static int hold(void *argument)
{
    struct held *held = argument;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    SUPPORT_CHECK(create(held->wanted) == 0);
    SUPPORT_CHECK(write(held->ready[1], "", 1) == 1);
    pause();
    return 1;
}

int cli_hold(const struct cli_segment *segment)
{
    char byte;
    struct held held = {.wanted = segment};
    assert_int_equal(pipe2(held.ready, O_CLOEXEC), 0);
    int pid = support_child_start(hold, &held);
    close(held.ready[1]);
    ssize_t ready = read(held.ready[0], &byte, 1);
    close(held.ready[0]);
    assert_int_equal(ready, 1);
    return pid;
}

void cli_end(int pid)
{
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(support_child_wait(pid), KILLED);
}

static const char *path_of(const char *name)
{
    static char path[300];
    snprintf(path, sizeof path, "/dev/shm/%s", name);
    return path;
}

void cli_corrupt(const char *name)
{
    struct ndshm__identity identity;
    int fd = open(path_of(name), O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &identity, sizeof identity, 0), sizeof identity);
    identity.uuid[0] ^= 1;
    assert_int_equal(pwrite(fd, &identity, sizeof identity, 0), sizeof identity);
    close(fd);
}

void cli_plant(void)
{
    int fd = open(path_of("t-cli-\x1b[31m\xff\n\\x41"), O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "junk", 4), 4);
    close(fd);
    assert_int_equal(mkfifo(path_of("t-cli-fifo"), 0600), 0);
    assert_int_equal(symlink("/etc/passwd", path_of("t-cli-link")), 0);
    assert_int_equal(mkdir(path_of("t-cli-directory"), 0700), 0);
}

bool cli_exists(const char *name)
{
    struct stat file;
    return lstat(path_of(name), &file) == 0;
}

void cli_clear(void)
{
    assert_int_equal(support_run(NULL, 0, "rm -rf /dev/shm/t-cli-*"), 0);
}

int cli_begin(void **state)
{
    cli_clear();
    return support_begin(state);
}

const char *cli_run(int status, const char *format, ...)
{
    static char output[CLI_OUTPUT];
    char command[4096];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    int ended = support_run(output, sizeof output, "%s", command);
    if (ended != status)
        fail_msg("%s: ended with %d, expected %d; output:\n%s", command, ended, status, output);
    return output;
}

void cli_assert_has(const char *text, const char *part, bool expected, const char *file, int line)
{
    if ((strstr(text, part) != NULL) == expected)
        return;
    print_error("\"%s\" is %s in:\n%s\n", part, expected ? "not" : "also", text);
    _fail(file, line);
}
