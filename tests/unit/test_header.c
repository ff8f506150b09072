/* SPDX-License-Identifier: MIT */
/* Damaged headers: every bit flipped, every length cut, hostile values under good checksums.
 * Attaching fails with a status and a message, and what cannot be trusted is never removed. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "segment/format.h"
#include "segments.h"
#include "support.h"

#define NAME "t-house-header"
enum { SIZE = 5000, LIFETIME_END = NDSHM__MUTABLE_OFFSET + 8 };

static int file = -1;
static uint8_t *original;
static size_t original_size;

static void read_original(void)
{
    struct stat now;
    file = open(support_path(NAME), O_RDWR | O_CLOEXEC);
    assert_int_equal(fstat(file, &now), 0);
    original_size = (size_t)now.st_size;
    original = malloc(original_size);
    assert_int_equal(pread(file, original, original_size, 0), original_size);
}

static void make_victim(int64_t body_size)
{
    int64_t size = SIZE;
    ndshm__segment *made;
    ndshm__spec spec = support_spec(NAME, &size, NULL);
    if (body_size) {
        spec.body = NULL;
        spec.body_size = body_size;
    }
    assert_ok(ndshm__segment_create(&spec, &made));
    support_segment_fill(made);
    assert_ok(ndshm__segment_publish(made));
    ndshm__segment_release(&made);
    read_original();
}

static void remove_victim(void)
{
    close(file);
    free(original);
    assert_int_equal(unlink(support_path(NAME)), 0);
}

static void put(const void *bytes, size_t size, size_t offset)
{
    assert_int_equal(pwrite(file, bytes, size, (off_t)offset), size);
}

static int attach(void)
{
    ndshm__segment *seen = NULL;
    int status = ndshm__segment_attach(NAME, NDSHM_KIND_ARRAY, NDSHM_READ, &seen);
    if (status == 0) {
        int64_t size = ndshm__segment_payload_size(seen);
        volatile uint8_t sum = 0;
        for (int64_t i = 0; i < size; i += 512)
            sum = (uint8_t)(sum + ((uint8_t *)ndshm__segment_payload(seen))[i]);
        for (int i = 0; i < ndshm__segment_ndim(seen); i++)
            sum = (uint8_t)(sum + ndshm__segment_shape(seen)[i]);
        ndshm__segment_release(&seen);
    } else {
        assert_null(seen);
        assert_non_null(strstr(ndshm_error_message(), NAME));
    }
    return status;
}

static int reap(int flags)
{
    ndshm_reap_config config;
    ndshm_reap_report report;
    ndshm_reap_config_init(&config);
    config.flags = (uint32_t)flags;
    assert_ok(ndshm_reap(NAME, &config, &report));
    return report.decision;
}

static int is_damage(int status)
{
    return status == NDSHM_ECORRUPT || status == NDSHM_EVERSION || status == NDSHM_EKIND;
}

static void check_flipped(size_t byte)
{
    ndshm_info info;
    int status = attach();
    assert_ok(ndshm_inspect(NAME, &info));
    int decision = reap(byte < LIFETIME_END ? 0 : NDSHM_REAP_DRY_RUN);
    if (byte < NDSHM__MUTABLE_OFFSET) {
        assert_true(is_damage(status));
        assert_true(decision == NDSHM_REAP_CORRUPT || decision == NDSHM_REAP_FOREIGN);
        assert_true(info.state == NDSHM_STATE_CORRUPT || info.state == NDSHM_STATE_FOREIGN);
    } else if (byte < LIFETIME_END) {
        assert_int_equal(status, 0);
        assert_int_equal(decision, NDSHM_REAP_PERSISTENT);
        assert_int_equal(info.lifetime, NDSHM_PERSISTENT);
    } else {
        assert_int_equal(status, NDSHM_ECORRUPT);
    }
    assert_true(support_exists(NAME));
}

static void flip_all(size_t end, size_t step)
{
    for (size_t byte = 0; byte < end; byte += byte < 1200 ? 1 : step)
        for (int bit = 0; bit < 8; bit++) {
            uint8_t flipped = original[byte] ^ (uint8_t)(1 << bit);
            put(&flipped, 1, byte);
            check_flipped(byte);
            put(&original[byte], 1, byte);
        }
    assert_ok(attach());
}

static void test_every_bit_of_the_header(void **state)
{
    (void)state;
    make_victim(0);
    flip_all(4096, 1);
    remove_victim();
}

static void test_bits_of_a_long_descriptor(void **state)
{
    (void)state;
    make_victim(9000);
    flip_all(12288, 61);
    remove_victim();
}

static void test_every_length(void **state)
{
    (void)state;
    make_victim(0);
    for (size_t length = 0; length < original_size; length++) {
        assert_int_equal(ftruncate(file, (off_t)length), 0);
        int status = attach();
        assert_int_equal(status, length < 8 ? NDSHM_EKIND : NDSHM_ECORRUPT);
        assert_int_equal(reap(0), length < 8 ? NDSHM_REAP_FOREIGN : NDSHM_REAP_CORRUPT);
        put(original, original_size, 0);
    }
    assert_ok(attach());
    assert_int_equal(ftruncate(file, (off_t)original_size + 1), 0);
    assert_int_equal(attach(), NDSHM_ECORRUPT);
    assert_int_equal(ftruncate(file, INT64_C(1) << 50), 0);
    assert_int_equal(attach(), NDSHM_ECORRUPT);
    remove_victim();
}

static void test_holes(void **state)
{
    (void)state;
    make_victim(0);
    for (size_t page = 4096; page < original_size; page += 4096) {
        assert_int_equal(
            fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)page, 4096), 0);
        assert_int_equal(attach(), NDSHM_ECORRUPT);
        assert_non_null(strstr(ndshm_error_message(), "holes"));
        put(original + page, 4096, page);
        assert_ok(attach());
    }
    remove_victim();
}

static void test_random_bytes(void **state)
{
    (void)state;
    uint8_t noise[4096];
    make_victim(0);
    srandom(1);
    for (int round = 0; round < 2000; round++) {
        for (size_t i = 0; i < sizeof noise; i++)
            noise[i] = (uint8_t)random();
        size_t keep = (size_t[]){0, 8, 12, 16, 512, 1024}[round % 6];
        memcpy(noise, original, keep);
        put(noise, sizeof noise, 0);
        assert_true(is_damage(attach()));
        int decision = reap(0);
        assert_true(decision == NDSHM_REAP_CORRUPT || decision == NDSHM_REAP_FOREIGN ||
                    decision == NDSHM_REAP_PERSISTENT || keep == 1024);
    }
    remove_victim();
}

static uint32_t sealed(const uint8_t *header, size_t offset, size_t size)
{
    return ndshm__crc32c(0, header + offset, size);
}

/* The identity with another value at offset, under a good checksum. */
static void put_identity(size_t offset, const void *value, size_t size)
{
    uint8_t header[NDSHM__MUTABLE_OFFSET];
    memcpy(header, original, sizeof header);
    memcpy(header + offset, value, size);
    uint32_t crc = sealed(header, 0, offsetof(struct ndshm__identity, crc));
    memcpy(header + offsetof(struct ndshm__identity, crc), &crc, sizeof crc);
    put(header, sizeof header, 0);
}

static void test_other_versions(void **state)
{
    (void)state;
    const uint64_t other_order = __builtin_bswap64(NDSHM__MAGIC);
    const uint32_t version = 2, fingerprint = 7;
    make_victim(0);
    put_identity(0, &other_order, 8);
    assert_int_equal(attach(), NDSHM_EVERSION);
    assert_non_null(strstr(ndshm_error_message(), "byte order"));
    assert_int_equal(reap(0), NDSHM_REAP_CORRUPT);
    put_identity(8, &version, 4);
    assert_int_equal(attach(), NDSHM_EVERSION);
    assert_non_null(strstr(ndshm_error_message(), "version 2"));
    assert_int_equal(reap(0), NDSHM_REAP_CORRUPT);
    put_identity(12, &fingerprint, 4);
    assert_int_equal(attach(), NDSHM_EVERSION);
    assert_int_equal(reap(0), NDSHM_REAP_CORRUPT);
    remove_victim();
}

static const int64_t hostile[] = {0,
                                  1,
                                  -1,
                                  7,
                                  8,
                                  39,
                                  40,
                                  41,
                                  511,
                                  512,
                                  1023,
                                  1024,
                                  4095,
                                  4096,
                                  4097,
                                  8192,
                                  12288,
                                  16384,
                                  65535,
                                  65536,
                                  65537,
                                  1 << 20,
                                  INT32_MAX,
                                  INT32_MIN,
                                  UINT32_MAX,
                                  INT64_MAX,
                                  INT64_MIN,
                                  INT64_MAX - 4095,
                                  INT64_MIN + 1};
enum { HOSTILE = sizeof hostile / sizeof *hostile };

static void test_hostile_identities(void **state)
{
    (void)state;
    make_victim(0);
    for (int i = 0; i < HOSTILE; i++)
        for (size_t offset = 16; offset <= 24; offset += 8) { /* total size, payload offset */
            int64_t value;
            memcpy(&value, original + offset, sizeof value);
            put_identity(offset, &hostile[i], 8);
            int status = attach();
            assert_int_equal(status, hostile[i] == value ? 0 : NDSHM_ECORRUPT);
        }
    uint8_t endless[208];
    memset(endless, 'x', sizeof endless);
    put_identity(offsetof(struct ndshm__identity, pool), endless, 208);
    assert_int_equal(attach(), NDSHM_ECORRUPT);
    put_identity(offsetof(struct ndshm__identity, label), endless, 64);
    assert_int_equal(attach(), NDSHM_ECORRUPT);
    put_identity(offsetof(struct ndshm__identity, reserved), endless, 1);
    assert_int_equal(attach(), NDSHM_ECORRUPT);
    remove_victim();
}

/* The descriptor with other values, under a good checksum of as many bytes as it claims. */
static void put_descriptor(struct ndshm__descriptor *descriptor)
{
    uint8_t page[4096];
    size_t room = sizeof page - NDSHM__DESCRIPTOR_OFFSET;
    memcpy(page, original, sizeof page);
    memcpy(page + NDSHM__DESCRIPTOR_OFFSET, descriptor, sizeof *descriptor);
    size_t size = descriptor->size < 4 ? 4 : descriptor->size > room ? room : descriptor->size;
    uint32_t crc = sealed(page, NDSHM__DESCRIPTOR_OFFSET + 4, size - 4);
    memcpy(page + NDSHM__DESCRIPTOR_OFFSET, &crc, 4);
    put(page, sizeof page, 0);
}

static void test_hostile_descriptors(void **state)
{
    (void)state;
    make_victim(0);
    int accepted = 0;
    for (int i = 0; i < HOSTILE * HOSTILE; i++)
        for (int field = 0; field < 6; field++) {
            struct ndshm__descriptor descriptor;
            memcpy(&descriptor, original + NDSHM__DESCRIPTOR_OFFSET, sizeof descriptor);
            int64_t one = hostile[i / HOSTILE], two = hostile[i % HOSTILE];
            if (field == 0)
                descriptor.size = (uint32_t)one, descriptor.body_size = two;
            else if (field == 1)
                descriptor.ndim = (int32_t)one, descriptor.body_size = two;
            else if (field == 2)
                descriptor.name_size = (uint32_t)one, descriptor.body_size = two;
            else if (field == 3)
                descriptor.payload_size = one;
            else if (field == 4)
                descriptor.ndim = (int32_t)one, descriptor.name_size = (uint32_t)two;
            else
                descriptor.dtype = (uint32_t)one, descriptor.reserved = (uint32_t)two;
            put_descriptor(&descriptor);
            int status = attach();
            assert_true(status == 0 || status == NDSHM_ECORRUPT || status == -ENOENT);
            assert_true(status || !descriptor.reserved);
            accepted += status == 0;
        }
    assert_true(accepted > 0);
    remove_victim();
}

static void test_the_own_name_must_end(void **state)
{
    (void)state;
    struct ndshm__descriptor descriptor;
    make_victim(0);
    memcpy(&descriptor, original + NDSHM__DESCRIPTOR_OFFSET, sizeof descriptor);
    size_t name = NDSHM__DESCRIPTOR_OFFSET + sizeof descriptor + 8;
    assert_string_equal((char *)original + name, NAME);
    memset(original + name, 'x', descriptor.name_size);
    put_descriptor(&descriptor);
    assert_int_equal(attach(), NDSHM_ECORRUPT);
    memset(original + name, 0, descriptor.name_size);
    strcpy((char *)original + name, NAME);
    put_descriptor(&descriptor);
    assert_ok(attach());
    original[name + descriptor.name_size - 1] = 'x';
    put_descriptor(&descriptor);
    assert_int_equal(attach(), NDSHM_ECORRUPT);
    remove_victim();
}

static void test_a_damaged_one_can_be_unlinked_by_name(void **state)
{
    (void)state;
    make_victim(0);
    uint8_t flipped = original[100] ^ 1;
    put(&flipped, 1, 100);
    assert_fails(NDSHM_ECORRUPT, ndshm_set_lifetime(NAME, NDSHM_TEMPORARY), "damaged");
    assert_ok(ndshm_unlink(NAME));
    assert_false(support_exists(NAME));
    close(file);
    free(original);
}

static void test_the_file_is_as_the_format_says(void **state)
{
    (void)state;
    static const uint8_t magic[8] = {0x89, 'N', 'D', 'S', 'H', 'M', 0x1A, 0x0A};
    static const char text[] =
        "identity 512, mutable 512, descriptor 1024, name 200, little-endian";
    make_victim(0);
    uint32_t fingerprint = ndshm__crc32c(0, text, sizeof text - 1), stored;
    assert_memory_equal(original, magic, sizeof magic);
    memcpy(&stored, original + 12, 4);
    assert_int_equal(stored, fingerprint);
    assert_int_equal(original_size % 4096, 0);
    remove_victim();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_the_file_is_as_the_format_says),
        SUPPORT_TEST(test_every_bit_of_the_header),
        SUPPORT_TEST(test_bits_of_a_long_descriptor),
        SUPPORT_TEST(test_every_length),
        SUPPORT_TEST(test_holes),
        SUPPORT_TEST(test_random_bytes),
        SUPPORT_TEST(test_other_versions),
        SUPPORT_TEST(test_hostile_identities),
        SUPPORT_TEST(test_hostile_descriptors),
        SUPPORT_TEST(test_the_own_name_must_end),
        SUPPORT_TEST(test_a_damaged_one_can_be_unlinked_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
