/* SPDX-License-Identifier: MIT */
/* shm-inspect over a directory of junk: files of any bytes and names, FIFOs, links, sockets, and
 * segments that were truncated, damaged, renamed, linked or left alone. It ends in time, prints
 * what a terminal may see, and removes what it may remove and nothing else.
 * NDSHM_JUNK_ROUNDS: how many directories; 3 when not set. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "mutate.h"
#include "segment/format.h"
#include "segments.h"
#include "support.h"

enum {
    FILES = 60,
    PATH_SIZE = 300,
    OUTPUT = 1 << 18,
    SIZE = 5000,
    WATCHDOG_S = 2,
    TRIES = 4, /* who hangs does it each time; a busy machine does not */
    KILLED = 137,
    FINDINGS = 1
};

/* What clean --force does with it. */
enum fate { STAYS, GOES, EITHER };

static uint64_t seed;
static char paths[FILES][PATH_SIZE];
static enum fate fates[FILES];
static ndshm__segment *held;

static size_t below(size_t limit)
{
    return (size_t)(mutate_random(&seed) % limit);
}

/* --- things --- */

static void write_bytes(const char *path, size_t size)
{
    static uint8_t bytes[8192];
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)mutate_random(&seed);
    if (size > 8 && below(2))
        memcpy(bytes, &(uint64_t){NDSHM__MAGIC}, 8);
    assert_int_equal(write(fd, bytes, size), size);
    if (below(4) == 0)
        assert_int_equal(ftruncate(fd, (off_t)below(1 << 30)), 0);
    if (below(4) == 0)
        assert_int_equal(fchmod(fd, 0), 0);
    close(fd);
}

static void make_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    strcpy(address.sun_path, "/dev/shm/t-junk-socket"); /* not every path is short enough */
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(rename(address.sun_path, path), 0);
    close(fd);
}

static void make_link(const char *path)
{
    static const char *const targets[] = {"/nowhere", "/dev/zero", "/etc/passwd", ".",
                                          "/dev/shm/t-junk-held"};
    assert_int_equal(symlink(below(6) ? targets[below(5)] : path, path), 0);
}

static enum fate make_foreign(const char *path)
{
    switch (below(6)) {
    case 0:
        assert_int_equal(mkfifo(path, 0600), 0);
        break;
    case 1:
        assert_int_equal(mkdir(path, 0700), 0);
        break;
    case 2:
        make_link(path);
        break;
    case 3:
        make_socket(path);
        break;
    default:
        write_bytes(path, below(8192));
    }
    return STAYS;
}

/* --- segments, and what can happen to them --- */

static enum fate damage(int fd, size_t size)
{
    size_t at = below(size), count = 1 + below(16);
    uint8_t bytes[16];
    assert_int_equal(pread(fd, bytes, count, (off_t)at) >= 0, 1);
    bytes[0] = (uint8_t)(bytes[0] ^ (1 + below(255)));
    assert_int_equal(pwrite(fd, bytes, count, (off_t)at), count);
    return at < NDSHM__MUTABLE_OFFSET + sizeof(uint64_t) ? STAYS : EITHER;
}

static enum fate change(int fd, const char *path, size_t size)
{
    char other[PATH_SIZE + 8];
    switch (below(6)) {
    case 0:
        assert_int_equal(ftruncate(fd, (off_t)below(size)), 0);
        return STAYS;
    case 1:
        return damage(fd, below(2) ? size : NDSHM__MUTABLE_OFFSET);
    case 2:
        snprintf(other, sizeof other, "%.280s.link", path);
        assert_int_equal(link(path, other), 0);
        return STAYS;
    case 3:
        assert_int_equal(ftruncate(fd, (off_t)(size + below(size) + 1)), 0);
        return STAYS;
    default:
        return GOES;
    }
}

static enum fate make_segment(const char *path)
{
    ndshm__segment *segment;
    struct stat file;
    char name[64];
    int lifetime = NDSHM_RECLAIMABLE + (int)(below(4) == 0);
    snprintf(name, sizeof name, "t-junk-%zx", below(SIZE_MAX));
    assert_ok(support_segment(name, SIZE, lifetime, &segment));
    ndshm__segment_release(&segment);
    assert_int_equal(rename(support_path(name), path), 0); /* its name does not matter here */
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(fstat(fd, &file), 0);
    enum fate fate = change(fd, path, (size_t)file.st_size);
    close(fd);
    return lifetime == NDSHM_PERSISTENT && fate == GOES ? STAYS : fate;
}

/* Names that were never given by us, too. */
static void make_path(char path[PATH_SIZE], int number)
{
    static const char *const odd[] = {"\x1b[31m", "\xff\xfe", "-rf",          "a b\n\tc",
                                      "%s%n",     "'\"\\",    "\xe2\x82\xac", "ndshm.",
                                      ".hidden",  "{}[]",     "\xc2\x9b[31m", "\x7f"};
    size_t length = below(8) ? 0 : below(180);
    int used = snprintf(path, PATH_SIZE, "/dev/shm/%s-%d",
                        below(3) ? "t-junk" : odd[below(sizeof odd / sizeof *odd)], number);
    memset(path + used, 'x', length);
    path[(size_t)used + length] = '\0';
}

static void make_junk(void)
{
    assert_ok(support_segment("t-junk-held", SIZE, NDSHM_RECLAIMABLE, &held));
    for (int i = 0; i < FILES; i++) {
        make_path(paths[i], i);
        const char *name = paths[i] + sizeof "/dev/shm/" - 1;
        fates[i] = below(2) ? make_foreign(paths[i]) : make_segment(paths[i]);
        /* What has no name of a segment is not looked at. */
        if (fates[i] == GOES &&
            strspn(name, "abcdefghijklmnopqrstuvwxyz-.0123456789") < strlen(name))
            fates[i] = EITHER;
        if (fates[i] == GOES && name[0] == '.')
            fates[i] = EITHER;
    }
}

/* --- the tool --- */

/* JSON is UTF-8 in any locale, but commands no terminal either: no C0 and C1 control characters. */
static void check_output(const char *arguments, const char *output)
{
    bool json = strstr(arguments, "json");
    for (const unsigned char *c = (const unsigned char *)output; *c; c++)
        if ((*c < ' ' && *c != '\n') || *c == 0x7F || (*c == 0xC2 && c[1] < 0xA0) ||
            (*c > 0x7F && !json))
            fail_msg("shm-inspect %s: printed byte 0x%02x before \"%.60s\"", arguments, *c, c + 1);
}

static void run_tool(const char *arguments)
{
    static char output[OUTPUT];
    int status = KILLED;
    for (int i = 0; status == KILLED && i < TRIES; i++)
        status = support_run(output, sizeof output,
                             "LC_ALL=C timeout -s KILL %d \"$SHM_INSPECT\" %s < /dev/null",
                             WATCHDOG_S, arguments);
    if (status == KILLED || status > FINDINGS)
        fail_msg("shm-inspect %s: ended with %d:\n%.2000s", arguments, status, output);
    check_output(arguments, output);
}

static void check_json(const char *arguments)
{
    assert_int_equal(
        support_run(NULL, 0,
                    "timeout -s KILL %d \"$SHM_INSPECT\" %s | python3 -c 'import json, "
                    "sys; json.load(sys.stdin)'",
                    TRIES * WATCHDOG_S, arguments),
        0);
}

static void check_fates(void)
{
    struct stat file;
    for (int i = 0; i < FILES; i++) {
        bool there = lstat(paths[i], &file) == 0;
        if (there ? fates[i] == GOES : fates[i] == STAYS)
            fail_msg("file %d, '%s', is %s", i, paths[i], there ? "still there" : "gone");
    }
    assert_true(support_segment_is_whole(held) && support_exists("t-junk-held"));
}

static void clear(void)
{
    assert_ok(ndshm_unlink("t-junk-held"));
    ndshm__segment_release(&held);
    assert_int_equal(support_run(NULL, 0, "find /dev/shm -mindepth 1 -delete"), 0);
}

static void test_a_directory_of_junk(void **state)
{
    (void)state;
    static const char *const looks[] = {
        "list",
        "list --all --bytes --sort=-bytes",
        "list --all --raw --noheadings --output name,state,note,label,pool,shape",
        "check --verbose",
        "who",
        "doctor",
        "clean",
        "clean --verbose --accept-lock-only",
    };
    const char *given = getenv("NDSHM_JUNK_ROUNDS");
    for (int round = 0; round < (given ? atoi(given) : 3); round++) {
        seed = (uint64_t)round;
        make_junk();
        for (size_t i = 0; i < sizeof looks / sizeof *looks; i++)
            run_tool(looks[i]);
        check_json("list --all --json");
        check_json("check --json --verbose");
        check_json("clean --json");
        run_tool("clean --force --all-users --verbose");
        check_fates();
        run_tool("list --all --json");
        clear();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_a_directory_of_junk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
