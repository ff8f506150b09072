/* SPDX-License-Identifier: MIT */
/* The file in memory: read, not mapped, so that nobody can shorten or change it under us. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "base/os.h"
#include "csv/csv.h"

enum { FIRST_SIZE = 1 << 16, HUGE = 4 << 20, READ_MAX = 1 << 30 };

static int failed(const char *path, int error, const char *what)
{
    return ndshm__fail(-error, "'%s': %s: %s", path, what, strerror(error));
}

/* Large buffers are filled once and read twice: huge pages save most of the page faults. */
static void advise(char *buffer, int64_t size)
{
    int64_t page = ndshm__os_page_size();
    int64_t skip = -(intptr_t)buffer & (page - 1);
    if (size >= HUGE)
        ndshm__os_advise_huge(buffer + skip, (size - skip) & -page);
}

static int grow(struct ndshm__csv_file *file, int64_t *capacity, int64_t wanted)
{
    char *larger = ndshm__resize(file->buffer, (size_t)wanted);
    if (!larger)
        return ndshm__fail(-ENOMEM, "'%s': no memory for %lld bytes of text", file->path,
                           (long long)wanted);
    if (!file->buffer)
        advise(larger, wanted);
    file->buffer = larger;
    *capacity = wanted;
    return 0;
}

/* Until the end of file, wherever that is by now. */
static int read_all(struct ndshm__csv_file *file, int fd, int64_t expected, int64_t *size)
{
    enum { ROOM = NDSHM__CSV_PADDING + 2 }; /* a line break, and one byte to see the end of file */
    int64_t capacity = 0;
    *size = 0;
    int status = grow(file, &capacity, (expected > 0 ? expected : FIRST_SIZE) + ROOM);
    while (!status) {
        int64_t room = capacity - *size - NDSHM__CSV_PADDING - 1;
        ssize_t got = read(fd, file->buffer + *size, (size_t)(room < READ_MAX ? room : READ_MAX));
        if (got == 0)
            return 0;
        if (got < 0 && errno != EINTR)
            return failed(file->path, errno, "reading it");
        *size += got > 0 ? got : 0;
        if (*size + NDSHM__CSV_PADDING + 1 == capacity)
            status = grow(file, &capacity, 2 * capacity);
    }
    return status;
}

static void finish(struct ndshm__csv_file *file, int64_t size)
{
    char *end = file->buffer + size;
    file->begin = file->buffer;
    if (size >= 3 && memcmp(file->buffer, "\xEF\xBB\xBF", 3) == 0)
        file->begin += 3;
    if (end > file->begin && end[-1] != '\n')
        *end++ = '\n';
    memset(end, 0, NDSHM__CSV_PADDING);
    file->end = end;
}

int ndshm__csv_file_read(const char *path, struct ndshm__csv_file *out)
{
    struct stat file;
    int64_t size;
    *out = (struct ndshm__csv_file){.path = path};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return failed(path, errno, "opening it");
    int status = fstat(fd, &file) < 0 ? failed(path, errno, "looking at it") : 0;
    if (!status)
        status = read_all(out, fd, (int64_t)file.st_size, &size);
    close(fd);
    if (!status)
        finish(out, size);
    return status;
}
