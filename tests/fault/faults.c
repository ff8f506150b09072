/* SPDX-License-Identifier: MIT */
#include "faults.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/base.h"
#include "base/os.h"
#include "segment/segment.h"
#include "support.h"

enum { CALLS_MAX = 3000, ERRORS_MAX = 10, RETRIES_MAX = 50, OPERATION_S = 100 };

/* What the manual pages say that can occur with our arguments; 0 ends a row. For a call that reads
 * through libc, what matters is only that it fails. */
static const struct row {
    const char *call;
    int errors[ERRORS_MAX];
} table[] = {
    {"act_as", {EPERM}},
    {"advise_huge", {EINVAL, ENOMEM, EAGAIN}},
    {"advise_no_dump", {EINVAL, ENOMEM, EAGAIN}},
    {"advise_no_fork", {EINVAL, ENOMEM, EAGAIN}},
    {"affinity", {EINVAL}},
    {"alloc", {ENOMEM}},
    {"cgroup", {ENOENT}},
    {"chmod", {EPERM, EIO, EROFS}},
    {"close", {EINTR, EIO, ENOSPC, EDQUOT}},
    {"collect", {ECHILD, EINTR}},
    {"die_with_parent", {EINVAL}},
    {"directory_next", {EIO, ENOENT, EOVERFLOW}},
    {"directory_open", {EACCES, EMFILE, ENFILE, ENOENT, ENOMEM}},
    {"duplicate", {EMFILE, EBADF}},
    {"epoll", {EMFILE, ENFILE, ENOMEM, ENOSPC}},
    {"eventfd", {EMFILE, ENFILE, ENODEV, ENOMEM}},
    {"fork", {EAGAIN, ENOMEM, ENOSYS}},
    {"futex_wait", {EAGAIN, EINTR}},
    {"identity", {ENOENT}},
    {"lease", {EAGAIN, EACCES, EINVAL, ENOLCK, ENOMEM}},
    {"link_empty_path", {EACCES, EDQUOT, EEXIST, ENOENT, ENOMEM, ENOSPC, EPERM, EMLINK}},
    {"link_proc", {EACCES, EDQUOT, EEXIST, ENOENT, ENOMEM, ENOSPC, EPERM, EXDEV}},
    {"lock_read", {EAGAIN, EINTR, ENOLCK, EINVAL, ENOMEM}},
    {"lock_write", {EAGAIN, EINTR, ENOLCK, EINVAL, ENOMEM}},
    {"locked", {EINVAL, ENOLCK, ENOMEM}},
    {"map", {EAGAIN, ENFILE, ENODEV, ENOMEM}},
    {"maps_open", {EACCES, EMFILE, ENFILE, ENOENT, ENOMEM}},
    {"meminfo", {ENOENT}},
    {"node_of_cpu", {ENOENT}},
    {"numa_bind", {EINVAL, EIO, ENOMEM, EPERM}},
    {"open", {EACCES, EINTR, ELOOP, EMFILE, ENFILE, ENOENT, ENOMEM, EAGAIN, ENXIO, EISDIR}},
    {"open_anonymous", {EACCES, EDQUOT, EISDIR, EMFILE, ENFILE, ENOMEM, ENOSPC, EOPNOTSUPP, EROFS}},
    {"open_exclusive", {EACCES, EDQUOT, EEXIST, EMFILE, ENFILE, ENOMEM, ENOSPC, EROFS}},
    {"open_input", {EACCES, EINTR, ELOOP, EMFILE, ENFILE, ENOENT, ENOMEM, EOVERFLOW}},
    {"open_memory", {EMFILE, ENFILE, ENOMEM, EPERM}},
    {"open_output", {EACCES, EDQUOT, EEXIST, EINTR, EMFILE, ENFILE, ENOENT, ENOSPC, EROFS}},
    {"open_peer", {EACCES, EMFILE, ENFILE, ENOENT, ENOMEM, EPERM}},
    {"pidfd", {EMFILE, ENFILE, ENODEV, ENOMEM}},
    {"pidfd_signal", {ESRCH}},
    {"poll", {EINTR, ENOMEM, EINVAL}},
    {"populate", {EAGAIN, EFAULT, EHWPOISON, EINVAL, ENOMEM}},
    {"position", {ESPIPE, EOVERFLOW}},
    {"pread", {EINTR, EIO, NDSHM__FAULT_SHORT, NDSHM__FAULT_END}},
    {"print_output", {EACCES, EINTR, EISDIR, EMFILE, ENFILE, ENOENT, ENOSPC, ENXIO, EROFS}},
    {"process_of", {EACCES, EMFILE, ENFILE, ENOENT, ESRCH}},
    {"processes_open", {EACCES, EMFILE, ENFILE, ENOENT, ENOMEM}},
    {"pwrite", {EINTR, EIO, ENOSPC, EDQUOT, EFBIG, EPERM, NDSHM__FAULT_SHORT, NDSHM__FAULT_END}},
    {"random", {EAGAIN, EINTR, ENOSYS}},
    {"read_input", {EINTR, EIO, EISDIR, EAGAIN, NDSHM__FAULT_SHORT, NDSHM__FAULT_END}},
    {"read_self", {EFAULT, ENOMEM, ENOSYS, EPERM, NDSHM__FAULT_SHORT, NDSHM__FAULT_END}},
    {"remove", {EACCES, EBUSY, EIO, ENOENT, EROFS}},
    {"rename", {EACCES, EDQUOT, EEXIST, EINVAL, ENOENT, ENOMEM, ENOSPC, EROFS}},
    {"reopen", {EACCES, ELOOP, EMFILE, ENFILE, ENOENT, ENOMEM, EPERM, ETXTBSY}},
    {"replace", {EACCES, EBUSY, EDQUOT, EISDIR, ENOENT, ENOSPC, EROFS, EXDEV}},
    {"reserve", {EFBIG, EINTR, EIO, ENODEV, ENOSPC, EOPNOTSUPP}},
    {"set_affinity", {EINVAL, EPERM}},
    {"sleep", {EINTR}},
    {"smaps", {ENOENT}},
    {"space_of", {EACCES, EINTR, EIO, ENOMEM, ENOSYS}},
    {"stat", {EIO, ENOMEM, EOVERFLOW}},
    {"stat_name", {EACCES, ELOOP, ENOENT, ENOMEM, EOVERFLOW}},
    {"stat_path", {EACCES, ELOOP, ENOENT, ENOMEM, EOVERFLOW}},
    {"statm", {ENOENT, EMFILE}},
    {"stdin_null", {EMFILE, ENOENT, EACCES}},
    {"truncate", {EFBIG, EINTR, EINVAL, EIO, EPERM, ETXTBSY}},
    {"unlease", {EAGAIN, EINVAL}},
    {"unlink", {EACCES, EBUSY, EIO, ENOENT, ENOMEM, EPERM, EROFS}},
    {"unlock", {ENOLCK, EINTR, ENOMEM}},
    {"wait_input", {EINTR, ENOMEM}},
    {"watch_file", {EMFILE, ENFILE, ENOENT, ENOMEM, ENOSPC, EACCES}},
    {"watch_open", {EMFILE, ENFILE, ENOMEM, ENOSPC, EACCES}},
    {"watch_wait", {EINTR, EINVAL, ENOMEM}},
    {"write_output", {EINTR, EIO, ENOSPC, EDQUOT, EFBIG, NDSHM__FAULT_SHORT, NDSHM__FAULT_END}},
};
enum { ROWS = sizeof table / sizeof *table };

bool (*fault_wanted)(void);
int *fault_hits;

static struct {
    int at, choice, calls, error, choices, retries;
    enum fault_mode mode;
    const char *call;
} armed;

static const struct row *find(const char *call)
{
    for (int i = 0; i < ROWS; i++)
        if (strcmp(table[i].call, call) == 0)
            return &table[i];
    fprintf(stderr, "'%s' has no row in the table of errnos\n", call);
    abort();
}

/* Nothing is interrupted for ever. */
static bool is_tiring(const char *call, int error)
{
    bool again = error == EINTR || strcmp(call, "read_input") == 0;
    return again && strcmp(call, "sleep") != 0 && armed.retries++ >= RETRIES_MAX;
}

static int inject(const char *call)
{
    if (fault_wanted && !fault_wanted())
        return 0;
    const struct row *row = find(call);
    int count = 0, number = ++armed.calls;
    while (count < ERRORS_MAX && row->errors[count])
        count++;
    int error = row->errors[armed.choice % count];
    if (number == armed.at) {
        armed.call = row->call;
        armed.choices = count;
        armed.error = error;
    }
    if (number < armed.at || (number > armed.at && armed.mode == FAULT_ONCE))
        return 0;
    if (is_tiring(call, error))
        return 0;
    if (fault_hits)
        ++*fault_hits;
    return error;
}

void fault_arm(int at, int choice, enum fault_mode mode)
{
    memset(&armed, 0, sizeof armed);
    armed.at = at;
    armed.choice = choice;
    armed.mode = mode;
    armed.call = "";
    ndshm__os_fault = inject;
}

void fault_disarm(void)
{
    ndshm__os_fault = NULL;
}

bool fault_reached(void)
{
    return armed.choices > 0;
}

const char *fault_call(void)
{
    return armed.call;
}

int fault_choices(void)
{
    return armed.choices;
}

const char *fault_errno_name(void)
{
    return armed.error == NDSHM__FAULT_SHORT ? "half of the bytes"
           : armed.error == NDSHM__FAULT_END ? "no bytes"
           : armed.error                     ? strerrorname_np(armed.error)
                                             : "nothing";
}

/* --- the sweep --- */

/* What is cheap to look at after each of some thousand runs. */
struct state {
    int descriptor; /* the lowest that is free */
    unsigned long long blocks, inodes;
};

static struct state look(void)
{
    struct statvfs space = {0};
    int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
    statvfs("/dev/shm", &space);
    close(fd);
    return (struct state){fd, space.f_bfree, space.f_ffree};
}

/* A killed process's memory, for one, is given back late. */
static bool is_back(const struct state *before)
{
    for (int waited = 0; waited < support_patience_ms; waited++) {
        struct state now = look();
        if (before->descriptor == now.descriptor && before->blocks == now.blocks &&
            before->inodes == now.inodes)
            return true;
        ndshm__os_sleep_ms(1);
    }
    return false;
}

static int complain(const struct fault_operation *operation, const char *what, int status)
{
    fprintf(stderr, "%s, call %d (%s) failing with %s%s: %s: status %d, message \"%s\"\n",
            operation->name, armed.at, armed.call, fault_errno_name(),
            armed.mode == FAULT_ONCE ? "" : " from then on", what, status, ndshm_error_message());
    return 1;
}

static int check_status(const struct fault_operation *operation, int status)
{
    int complaints = 0;
    bool marked = strstr(ndshm_error_message(), "mark") != NULL;
    if (status < 0 && (!ndshm_strerror(status)[0] || strstr(ndshm_strerror(status), "nknown")))
        complaints += complain(operation, "not a status", status);
    if (status < 0 && (marked || !ndshm_error_message()[0]))
        complaints += complain(operation, "failed without a message", status);
    if (status >= 0 && !marked)
        complaints += complain(operation, "succeeded and touched the message", status);
    if (!fault_reached() && status != 0)
        complaints += complain(operation, "failed without a fault", status);
    return complaints;
}

static int check_once(const struct fault_operation *operation, int at, int choice,
                      enum fault_mode mode)
{
    struct state before = look();
    fault_arm(at, choice, mode);
    fault_disarm();
    if (operation->prepare() != 0)
        return complain(operation, "cannot be prepared", -1);
    ndshm__begin("ndshm_test");
    ndshm__fail(-1, "mark");
    fault_arm(at, choice, mode);
    int status = operation->run();
    fault_disarm();
    int complaints = check_status(operation, status);
    if (operation->clean() != 0)
        complaints += complain(operation, "cannot be cleaned up", status);
    ndshm__reap_again(); /* what a detach under faults had to leave */
    if (!is_back(&before))
        complaints += complain(operation, "left a descriptor, blocks or an inode", status);
    return complaints;
}

int fault_sweep(const struct fault_operation *operation)
{
    int complaints = 0, at = 0;
    alarm(OPERATION_S); /* a hang ends the program */
    do {
        int choices = 1;
        at++;
        for (int choice = 0; choice < choices; choice++) {
            complaints += check_once(operation, at, choice, FAULT_ONCE);
            choices = fault_choices();
            complaints += check_once(operation, at, choice, FAULT_FROM_THEN_ON);
        }
    } while (fault_reached() && at < CALLS_MAX && complaints < 20);
    alarm(0);
    if (at == CALLS_MAX || at < 2)
        complaints += complain(operation, "ends after too many calls, or too few", 0);
    return complaints;
}

void fault_sweep_all(const struct fault_operation *operations, int count)
{
    int complaints = 0;
    for (int i = 0; i < count; i++) {
        support_begin(NULL);
        complaints += fault_sweep(&operations[i]);
        if (support_end(NULL) != 0)
            complaints += complain(&operations[i], "leaks", 0);
    }
    assert_int_equal(complaints, 0);
}
