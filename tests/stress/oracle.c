/* SPDX-License-Identifier: MIT */
#include "oracle.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "segment/format.h"
#include "segments.h"

enum { FILE_MAX = 1 << 16 };

struct oracle *oracle_open(void)
{
    struct oracle *oracle = mmap(NULL, sizeof *oracle, PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    return oracle == MAP_FAILED ? NULL : oracle;
}

void oracle_close(struct oracle *oracle)
{
    munmap(oracle, sizeof *oracle);
}

void oracle_name(char out[32], int name)
{
    snprintf(out, 32, "t-stress-%d", name);
}

void oracle_hold(struct oracle *oracle, int slot, int name, const uint8_t *uuid)
{
    struct oracle_slot *self = &oracle->slots[slot];
    uint64_t halves[2];
    memcpy(halves, uuid, sizeof halves);
    self->uuid[0] = halves[0];
    self->uuid[1] = halves[1];
    self->name = name;
    self->turn++;
}

void oracle_let_go(struct oracle *oracle, int slot)
{
    oracle->slots[slot].turn++;
}

void oracle_doom(struct oracle *oracle, int slot)
{
    oracle->slots[slot].doomed = 1;
}

void oracle_begin(struct oracle *oracle, int slot)
{
    struct oracle_slot *self = &oracle->slots[slot];
    self->turn = (self->turn | 1) + 1;
    self->doomed = 0;
}

static uint64_t place_of(uint64_t key)
{
    return key % ORACLE_UNLINKED;
}

void oracle_unlink(struct oracle *oracle, const uint8_t *uuid)
{
    uint64_t key, place;
    memcpy(&key, uuid, sizeof key);
    for (place = place_of(key);; place = place_of(place + 1)) {
        uint64_t empty = 0;
        if (atomic_compare_exchange_strong(&oracle->unlinked[place], &empty, key) || empty == key)
            return;
    }
}

static int was_unlinked(const struct oracle *oracle, uint64_t key)
{
    uint64_t found;
    for (uint64_t place = place_of(key); (found = oracle->unlinked[place]);
         place = place_of(place + 1))
        if (found == key)
            return 1;
    return 0;
}

void oracle_forget(struct oracle *oracle)
{
    memset((void *)oracle->unlinked, 0, sizeof oracle->unlinked);
}

/* The bytes behind a name: how many, or -1: there is none, -2: nobody can tell at this moment. */
static int64_t read_name(int name, uint8_t *bytes, struct stat *file)
{
    char path[64], plain[32];
    oracle_name(plain, name);
    snprintf(path, sizeof path, "/dev/shm/%s", plain);
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? -1 : -2; /* EAGAIN: a proof is being taken */
    int64_t got = fstat(fd, file) == 0 ? pread(fd, bytes, FILE_MAX, 0) : -2;
    close(fd);
    return got;
}

static const struct ndshm__identity *identity_of(const uint8_t *bytes)
{
    return (const void *)bytes;
}

void oracle_check_slot(struct oracle *oracle, int slot)
{
    static _Alignas(4096) uint8_t bytes[FILE_MAX];
    struct oracle_slot *one = &oracle->slots[slot];
    struct stat file;
    uint64_t turn = one->turn, uuid[2] = {one->uuid[0], one->uuid[1]};
    int name = one->name;
    if (!(turn & 1) || one->turn != turn)
        return;
    int64_t got = read_name(name, bytes, &file);
    oracle->looks++;
    if (got == -2 ||
        (got >= NDSHM__MUTABLE_OFFSET && memcmp(identity_of(bytes)->uuid, uuid, sizeof uuid) == 0))
        return;
    if (!was_unlinked(oracle, uuid[0]) && !one->doomed && one->turn == turn)
        oracle->live_deleted++;
}

/* By its own reading of the format. */
static int is_whole(const uint8_t *bytes, int64_t size, const struct stat *file)
{
    const struct ndshm__identity *identity = identity_of(bytes);
    const struct ndshm__descriptor *descriptor = (const void *)(bytes + NDSHM__DESCRIPTOR_OFFSET);
    if (size < NDSHM__PAGE || size != file->st_size || file->st_blocks * 512 < size ||
        identity->magic != NDSHM__MAGIC || identity->total_size != size ||
        identity->crc != ndshm__crc32c(0, bytes, offsetof(struct ndshm__identity, crc)) ||
        descriptor->size > NDSHM__PAGE - NDSHM__DESCRIPTOR_OFFSET ||
        descriptor->crc != ndshm__crc32c(0, &descriptor->size, descriptor->size - 4u))
        return 0;
    return support_bytes_are_whole(bytes + identity->payload_offset, descriptor->payload_size);
}

static void check_name(struct oracle *oracle, int name)
{
    static _Alignas(4096) uint8_t bytes[FILE_MAX];
    struct stat file;
    int64_t got = read_name(name, bytes, &file);
    if (got >= 0 && !is_whole(bytes, got, &file))
        oracle->half_made++;
}

void oracle_watch(struct oracle *oracle)
{
    const struct timespec pause = {0, 200000};
    while (!oracle->over) {
        for (int i = 0; i < ORACLE_SLOTS; i++)
            oracle_check_slot(oracle, i);
        for (int i = 0; i < ORACLE_NAMES; i++)
            check_name(oracle, i);
        nanosleep(&pause, NULL);
    }
}
