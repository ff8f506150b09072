/* SPDX-License-Identifier: MIT */
/* From create to release: contents, access modes, names, configs, counting. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/os.h"
#include "segments.h"
#include "support.h"

#define NAME "t-house-segment"
enum { SIZE = 10000 };

static void test_what_is_created_can_be_attached(void **state)
{
    (void)state;
    ndshm__segment *made, *seen;
    ndshm_info info;
    assert_ok(support_segment(NAME, SIZE, 0, &made));
    assert_string_equal(ndshm__segment_name(made), NAME);
    assert_true(ndshm__segment_published(made));
    assert_int_equal(ndshm__segment_access(made), NDSHM_WRITE);
    assert_true(support_segment_is_whole(made));
    for (int access = NDSHM_READ; access <= NDSHM_WRITE; access++) {
        assert_ok(ndshm__segment_attach("/" NAME, NDSHM_KIND_ARRAY, access, &seen));
        assert_true(support_segment_is_whole(seen));
        assert_int_equal(ndshm__segment_access(seen), access);
        assert_string_equal(ndshm__segment_name(seen), NAME);
        assert_ok(ndshm_inspect(NAME, &info));
        assert_string_equal(info.pool, "");
        assert_memory_equal(ndshm__segment_uuid(seen), ndshm__segment_uuid(made), 16);
        ndshm__segment_release(&seen);
        assert_null(seen);
    }
    ndshm__segment_release(&made);
    assert_true(support_exists(NAME));
    assert_ok(ndshm_unlink(NAME));
    assert_false(support_exists(NAME));
}

static void test_sizes_around_pages(void **state)
{
    (void)state;
    const int64_t sizes[] = {0, 1, 63, 64, 4095, 4096, 4097, 65536, (17 << 20) + 1};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        ndshm__segment *made, *seen;
        ndshm_info info;
        assert_ok(support_segment(NAME, sizes[i], 0, &made));
        assert_ok(ndshm__segment_attach(NAME, 0, NDSHM_READ, &seen));
        assert_true(support_segment_is_whole(seen));
        assert_true((uintptr_t)ndshm__segment_payload(seen) % 4096 == 0);
        assert_ok(ndshm_inspect(NAME, &info));
        assert_true(info.resident >= info.bytes && info.bytes >= sizes[i] + 4096);
        ndshm__segment_release(&seen);
        assert_ok(ndshm__segment_unlink(made));
        ndshm__segment_release(&made);
    }
}

static void test_writes_are_seen_by_others(void **state)
{
    (void)state;
    ndshm__segment *made, *writer, *reader;
    assert_ok(support_segment(NAME, SIZE, 0, &made));
    assert_ok(ndshm__segment_attach(NAME, 0, NDSHM_WRITE, &writer));
    assert_ok(ndshm__segment_attach(NAME, 0, NDSHM_READ, &reader));
    char *to = ndshm__segment_payload(writer), *from = ndshm__segment_payload(reader);
    memcpy(to + 5000, "shared", 6);
    assert_memory_equal(from + 5000, "shared", 6);
    ndshm__segment_release(&reader);
    ndshm__segment_release(&writer);
    assert_ok(ndshm__segment_unlink(made));
    ndshm__segment_release(&made);
}

static void test_copy_on_write_is_private(void **state)
{
    (void)state;
    ndshm__segment *made, *copy;
    assert_ok(support_segment(NAME, SIZE, 0, &made));
    assert_ok(ndshm__segment_attach(NAME, 0, NDSHM_COW, &copy));
    memset(ndshm__segment_payload(copy), 0, SIZE);
    assert_true(support_segment_is_whole(made));
    assert_false(support_segment_is_whole(copy));
    assert_ok(ndshm__segment_unlink(made));
    ndshm__segment_release(&made);
    ndshm__segment_release(&copy);
}

static int write_to(void *argument)
{
    *(volatile char *)argument = 1;
    return 0;
}

static void test_read_access_cannot_write(void **state)
{
    (void)state;
    ndshm__segment *made, *reader;
    assert_ok(support_segment(NAME, SIZE, 0, &made));
    assert_ok(ndshm__segment_attach(NAME, 0, NDSHM_READ, &reader));
    char *payload = ndshm__segment_payload(reader);
    assert_int_equal(support_child(write_to, payload), 128 + SIGSEGV);
    assert_int_equal(mprotect(payload - 4096, 4096, PROT_READ | PROT_WRITE), -1);
    ndshm__segment_release(&reader);
    assert_ok(ndshm__segment_unlink(made));
    ndshm__segment_release(&made);
}

static void test_access_must_be_known(void **state)
{
    (void)state;
    ndshm__segment *made, *seen = NULL;
    assert_ok(support_segment(NAME, SIZE, 0, &made));
    const int bad[] = {0, 4, -1, NDSHM_FOREIGN, 0x200 | NDSHM_READ, INT32_MIN, INT32_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_fails(-EINVAL, ndshm__segment_attach(NAME, 0, bad[i], &seen), "NDSHM_READ");
    assert_null(seen);
    assert_ok(ndshm__segment_attach(NAME, 0, NDSHM_READ | NDSHM_FOREIGN, &seen));
    ndshm__segment_release(&seen);
    assert_ok(ndshm__segment_unlink(made));
    ndshm__segment_release(&made);
}

static void test_an_unpublished_one_is_invisible(void **state)
{
    (void)state;
    ndshm__segment *made, *seen = NULL;
    int64_t size = SIZE;
    ndshm__spec spec = support_spec(NAME, &size, NULL);
    assert_ok(ndshm__segment_create(&spec, &made));
    assert_false(ndshm__segment_published(made));
    assert_string_equal(ndshm__segment_name(made), NAME);
    assert_fails(-ENOENT, ndshm__segment_attach(NAME, 0, NDSHM_READ, &seen), NAME);
    assert_fails(-ENOENT, ndshm__segment_unlink(made), "not published");
    assert_int_equal(((char *)ndshm__segment_payload(made))[SIZE - 1], 0);
    support_segment_fill(made);
    assert_ok(ndshm__segment_publish(made));
    assert_fails(-EALREADY, ndshm__segment_publish(made), NAME);
    assert_true(support_segment_is_whole(made));
    assert_ok(ndshm__segment_unlink(made));
    ndshm__segment_release(&made);
    assert_ok(ndshm__segment_create(&spec, &made));
    ndshm__segment_release(&made); /* never published: no trace */
}

static void test_a_taken_name(void **state)
{
    (void)state;
    ndshm__segment *first, *second = NULL, *seen;
    int64_t size = SIZE;
    ndshm__spec spec = support_spec(NAME, &size, NULL);
    assert_ok(support_segment(NAME, SIZE, 0, &first));
    assert_ok(ndshm__segment_create(&spec, &second));
    assert_fails(-EEXIST, ndshm__segment_publish(second), NAME);
    assert_false(ndshm__segment_published(second));
    support_segment_fill(second);
    assert_ok(ndshm__segment_unlink(first));
    assert_ok(ndshm__segment_publish(second));
    assert_ok(ndshm__segment_attach(NAME, 0, NDSHM_READ, &seen));
    assert_memory_equal(ndshm__segment_uuid(seen), ndshm__segment_uuid(second), 16);
    assert_true(support_segment_is_whole(seen) && support_segment_is_whole(first));
    /* The first one's name means another segment by now. */
    assert_fails(-ENOENT, ndshm__segment_unlink(first), "another segment");
    assert_fails(-ENOENT, ndshm__segment_set_lifetime(first, NDSHM_PERSISTENT), "another segment");
    assert_true(support_exists(NAME));
    ndshm__segment_release(&seen);
    ndshm__segment_release(&first);
    assert_ok(ndshm__segment_unlink(second));
    ndshm__segment_release(&second);
}

static void test_names_of_every_length(void **state)
{
    (void)state;
    char name[NDSHM_NAME_MAX + 2];
    ndshm__segment *made = NULL, *seen;
    int64_t size = 1;
    for (size_t length = 1; length <= NDSHM_NAME_MAX; length += length < 12 ? 1 : 47) {
        memset(name, 'n', sizeof name);
        memcpy(name, "t-house", length < 7 ? length : 7);
        name[length] = '\0';
        assert_ok(support_segment(name, size, 0, &made));
        assert_ok(ndshm__segment_attach(name, 0, NDSHM_READ, &seen));
        assert_true(support_segment_is_whole(seen));
        ndshm__segment_release(&seen);
        assert_ok(ndshm__segment_unlink(made));
        ndshm__segment_release(&made);
    }
    memset(name, 'n', NDSHM_NAME_MAX + 1);
    name[NDSHM_NAME_MAX + 1] = '\0';
    const char *const bad[] = {"", "/", ".x", "ndshm.x", "a b", name};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        ndshm__spec spec = support_spec(bad[i], &size, NULL);
        assert_fails(-EINVAL, ndshm__segment_create(&spec, &made), NULL);
    }
    assert_fails(-EINVAL, ndshm__segment_attach(NULL, 0, NDSHM_READ, &seen), "NULL");
    assert_fails(-EINVAL, ndshm__segment_attach(name, 0, NDSHM_READ, &seen), "200");
    assert_null(made);
}

static void test_names_that_are_not_there(void **state)
{
    (void)state;
    ndshm__segment *seen = NULL;
    ndshm_info info;
    ndshm_reap_report report;
    assert_fails(-ENOENT, ndshm__segment_attach(NAME, 0, NDSHM_READ, &seen), NAME);
    assert_fails(-ENOENT, ndshm_unlink(NAME), NAME);
    assert_fails(-ENOENT, ndshm_set_lifetime(NAME, NDSHM_PERSISTENT), NAME);
    assert_fails(-ENOENT, ndshm_inspect(NAME, &info), NAME);
    assert_fails(-ENOENT, ndshm_reap(NAME, NULL, &report), NAME);
    assert_fails(-ENOENT, ndshm__segment_held(NAME, INT64_C(1) << 62), NAME);
    assert_null(seen);
}

static void test_a_renamed_file(void **state)
{
    (void)state;
    ndshm__segment *made, *seen = NULL;
    char to[300];
    assert_ok(support_segment(NAME, SIZE, 0, &made));
    strcpy(to, support_path(NAME "-else"));
    assert_int_equal(rename(support_path(NAME), to), 0);
    assert_fails(-ENOENT, ndshm__segment_attach(NAME "-else", 0, NDSHM_READ, &seen), "renamed");
    assert_fails(-ENOENT, ndshm__segment_unlink(made), NAME);
    assert_null(seen);
    assert_ok(ndshm_unlink(NAME "-else"));
    ndshm__segment_release(&made);
}

static void test_wrong_kind(void **state)
{
    (void)state;
    ndshm__segment *made, *seen = NULL;
    assert_ok(support_segment(NAME, SIZE, 0, &made));
    assert_fails(NDSHM_EKIND, ndshm__segment_attach(NAME, NDSHM_KIND_FRAME, NDSHM_READ, &seen),
                 "holds a");
    assert_null(seen);
    assert_ok(ndshm__segment_unlink(made));
    ndshm__segment_release(&made);
}

static void test_generated_names(void **state)
{
    (void)state;
    ndshm__segment *one, *two;
    assert_ok(support_segment(NULL, SIZE, 0, &one));
    assert_ok(support_segment(NULL, SIZE, 0, &two));
    assert_string_not_equal(ndshm__segment_name(one), ndshm__segment_name(two));
    assert_memory_equal(ndshm__segment_name(one), "ndshm.", 6);
    assert_true(support_exists(ndshm__segment_name(one)));
    ndshm__segment_release(&one); /* temporary by default: goes with its last user */
    ndshm__segment_release(&two);
}

static int create_with(const ndshm_create_config *config)
{
    ndshm__segment *made;
    int64_t size = 1;
    ndshm__spec spec = support_spec(NAME, &size, config);
    int status = ndshm__segment_create(&spec, &made);
    if (status == 0)
        ndshm__segment_release(&made);
    return status;
}

static void test_configs_are_checked(void **state)
{
    (void)state;
    ndshm_create_config good, bad;
    ndshm_create_config_init(&good);
    assert_int_equal(good.size, sizeof good);
    assert_ok(create_with(&good));
    bad = good, bad.size = 0;
    assert_fails(-EINVAL, create_with(&bad), "size");
    bad = good, bad.flags = 2;
    assert_fails(-EINVAL, create_with(&bad), "flags");
    bad = good, bad.lifetime = 4;
    assert_fails(-EINVAL, create_with(&bad), "lifetime");
    bad = good, bad.lifetime = -1;
    assert_fails(-EINVAL, create_with(&bad), "lifetime");
    bad = good, bad.mode = 0400;
    assert_fails(-EINVAL, create_with(&bad), "mode");
    bad = good, bad.mode = 04600;
    assert_fails(-EINVAL, create_with(&bad), "mode");
    bad = good, bad.numa = -3;
    assert_fails(-EINVAL, create_with(&bad), "numa");
    bad = good, bad.hugepages = 2;
    assert_fails(-EINVAL, create_with(&bad), "hugepages");
    bad = good, memset(bad.label, 'x', sizeof bad.label);
    assert_fails(-EINVAL, create_with(&bad), "label");
}

static void test_placement_is_a_wish(void **state)
{
    (void)state;
    ndshm_create_config config;
    ndshm__segment *made;
    ndshm_info info;
    int64_t size = 3 << 20;
    const int wishes[] = {NDSHM_NUMA_LOCAL, NDSHM_NUMA_INTERLEAVE, 1, 1000};
    for (size_t i = 0; i < 2 * sizeof wishes / sizeof *wishes; i++) {
        ndshm_create_config_init(&config);
        config.numa = wishes[i / 2];
        config.hugepages = i % 2;
        ndshm__spec spec = support_spec(NAME, &size, &config);
        assert_ok(ndshm__segment_create(&spec, &made));
        support_segment_fill(made);
        assert_ok(ndshm__segment_publish(made));
        assert_ok(ndshm_inspect(NAME, &info));
        assert_true(strlen(info.note) > 0);
        assert_true(info.resident >= info.bytes);
        assert_true(support_segment_is_whole(made));
        assert_ok(ndshm__segment_unlink(made));
        ndshm__segment_release(&made);
    }
}

static void test_labels(void **state)
{
    (void)state;
    ndshm_create_config config;
    ndshm__segment *made;
    ndshm_info info;
    int64_t size = 1;
    ndshm_create_config_init(&config);
    memset(config.label, 'l', NDSHM_LABEL_MAX);
    ndshm__spec spec = support_spec(NAME, &size, &config);
    assert_ok(ndshm__segment_create(&spec, &made));
    assert_ok(ndshm__segment_publish(made));
    assert_ok(ndshm_inspect(NAME, &info));
    assert_memory_equal(info.label, config.label, sizeof info.label);
    assert_ok(ndshm__segment_unlink(made));
    ndshm__segment_release(&made);
}

static void test_modes_are_what_was_asked(void **state)
{
    (void)state;
    const uint32_t modes[] = {0, 0600, 0640, 0666, 0777};
    const mode_t umasks[] = {0, 022, 0777};
    for (size_t i = 0; i < sizeof modes / sizeof *modes * 3; i++) {
        ndshm_create_config config;
        ndshm__segment *made;
        struct stat file;
        int64_t size = 1;
        ndshm_create_config_init(&config);
        config.mode = modes[i / 3];
        ndshm__spec spec = support_spec(NAME, &size, &config);
        mode_t old = umask(umasks[i % 3]);
        assert_ok(ndshm__segment_create(&spec, &made));
        assert_ok(ndshm__segment_publish(made));
        umask(old);
        assert_int_equal(stat(support_path(NAME), &file), 0);
        assert_int_equal(file.st_mode & 07777, config.mode ? config.mode : 0600);
        assert_ok(ndshm__segment_unlink(made));
        ndshm__segment_release(&made);
    }
}

static void test_impossible_sizes(void **state)
{
    (void)state;
    ndshm__segment *made = NULL;
    int64_t size = 1;
    ndshm__spec spec = support_spec(NAME, &size, NULL);
    const int64_t payloads[] = {INT64_MAX, INT64_MAX - 4096, INT64_MAX - 8192};
    for (size_t i = 0; i < sizeof payloads / sizeof *payloads; i++) {
        spec.payload_size = payloads[i];
        int status = ndshm__segment_create(&spec, &made);
        assert_true(status == NDSHM_ESHAPE || status == -ENOSPC || status == -EFBIG ||
                    status == -ENOMEM);
    }
    spec.payload_size = 1;
    spec.body_size = INT64_MAX;
    spec.body = NULL;
    assert_fails(NDSHM_ESHAPE, ndshm__segment_create(&spec, &made), NAME);
    assert_null(made);
}

static void test_appending(void **state)
{
    (void)state;
    ndshm__segment *made;
    int64_t size = SIZE;
    uint8_t data[SIZE];
    for (int i = 0; i < SIZE; i++)
        data[i] = (uint8_t)(i * 7 + 1);
    ndshm__spec spec = support_spec(NAME, &size, NULL);
    spec.streamed = true;
    assert_ok(ndshm__segment_create(&spec, &made));
    assert_ok(ndshm__segment_append(made, data, 0));
    assert_ok(ndshm__segment_append(made, data, 4321));
    assert_fails(NDSHM_ESHAPE, ndshm__segment_publish(made), "4321 of 10000");
    assert_fails(NDSHM_ESHAPE, ndshm__segment_append(made, data, SIZE), NAME);
    assert_fails(NDSHM_ESHAPE, ndshm__segment_append(made, data, -1), NAME);
    assert_fails(-EFAULT, ndshm__segment_append(made, (void *)16, 4096), "source");
    assert_ok(ndshm__segment_append(made, data + 4321, SIZE - 4321));
    assert_ok(ndshm__segment_publish(made));
    assert_true(support_segment_is_whole(made));
    assert_ok(ndshm__segment_unlink(made));
    ndshm__segment_release(&made);
}

static void test_counting(void **state)
{
    (void)state;
    ndshm__segment *made, *again;
    assert_ok(support_segment(NULL, SIZE, 0, &made));
    again = ndshm__segment_retain(made);
    const char *name = ndshm__segment_name(again);
    ndshm__segment_release(&made);
    assert_null(made);
    assert_true(support_exists(name));
    assert_true(support_segment_is_whole(again));
    ndshm__segment_release(&again);
    ndshm__segment_release(&again);
    ndshm__segment_release(NULL);
}

static int faults;

static int fail_one_read(const char *call)
{
    return strcmp(call, "read_self") == 0 && faults++ == 0 ? EFAULT : 0;
}

/* A peer that truncates and extends again: by the time that the reason is looked for, the segment
 * is whole. */
static void test_a_fault_that_is_over(void **state)
{
    (void)state;
    ndshm__segment *made;
    uint8_t byte;
    assert_ok(support_segment(NAME, SIZE, NDSHM_TEMPORARY, &made));
    faults = 0;
    ndshm__os_fault = fail_one_read;
    assert_fails(NDSHM_ECORRUPT, ndshm__segment_read(made, 0, &byte, 1), "truncated");
    ndshm__os_fault = NULL;
    assert_fails(-EFAULT, ndshm__segment_read(made, 0, (void *)16, 1), "buffer");
    ndshm__segment_release(&made);
}

static int forbid_reads(const char *call)
{
    return strcmp(call, "read_self") == 0 ? EPERM : 0;
}

static void test_reading_where_a_sandbox_forbids_it(void **state)
{
    (void)state;
    ndshm__segment *made;
    uint8_t bytes[10] = {0};
    assert_ok(support_segment(NAME, SIZE, NDSHM_TEMPORARY, &made));
    ndshm__os_fault = forbid_reads;
    int status = ndshm__segment_read(made, 9990, bytes, sizeof bytes);
    ndshm__os_fault = NULL;
    assert_ok(status);
    assert_memory_equal(bytes, (char *)ndshm__segment_payload(made) + 9990, sizeof bytes);
    ndshm__segment_release(&made);
}

static void test_descriptions_without_end(void **state)
{
    (void)state;
    static const int64_t sizes[] = {-1, INT32_MAX, INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        int64_t size = SIZE;
        ndshm__segment *made = NULL;
        ndshm__spec spec = support_spec(NAME, &size, NULL);
        spec.body = NULL;
        spec.body_size = sizes[i];
        assert_fails(NDSHM_ESHAPE, ndshm__segment_create(&spec, &made), NAME);
        assert_null(made);
    }
}

static void test_reading_by_offset(void **state)
{
    (void)state;
    ndshm__segment *made;
    uint8_t bytes[6000];
    assert_ok(support_segment(NAME, SIZE, 0, &made));
    assert_ok(ndshm__segment_read(made, 9990, bytes, 10));
    assert_memory_equal(bytes, (char *)ndshm__segment_payload(made) + 9990, 10);
    assert_ok(ndshm__segment_read(made, SIZE, bytes, 0));
    assert_fails(NDSHM_ESHAPE, ndshm__segment_read(made, 9990, bytes, 11), "end");
    assert_fails(NDSHM_ESHAPE, ndshm__segment_read(made, -1, bytes, 1), "end");
    assert_fails(NDSHM_ESHAPE, ndshm__segment_read(made, 0, bytes, -1), "end");
    assert_fails(NDSHM_ESHAPE, ndshm__segment_read(made, INT64_MAX, bytes, INT64_MAX), "end");
    assert_int_equal(truncate(support_path(NAME), 8192), 0);
    assert_fails(NDSHM_ECORRUPT, ndshm__segment_read(made, 0, bytes, sizeof bytes), "truncated");
    assert_int_equal(ndshm_unlink(NAME), 0);
    ndshm__segment_release(&made);
}

static int attach_many(void *argument)
{
    static ndshm__segment *many[300];
    const struct rlimit few = {8, 8};
    (void)argument;
    SUPPORT_CHECK(setrlimit(RLIMIT_NOFILE, &few) == 0);
    for (int i = 0; i < 300; i++)
        SUPPORT_CHECK(ndshm__segment_attach(NAME, 0, NDSHM_READ, &many[i]) == 0);
    for (int i = 0; i < 300; i++) {
        SUPPORT_CHECK(support_segment_is_whole(many[i]));
        ndshm__segment_release(&many[i]);
    }
    return 0;
}

static void test_no_descriptor_for_an_attachment(void **state)
{
    (void)state;
    ndshm__segment *made;
    assert_ok(support_segment(NAME, 100, 0, &made));
    assert_int_equal(support_child(attach_many, NULL), 0);
    assert_ok(ndshm__segment_unlink(made));
    ndshm__segment_release(&made);
}

/* The flags line of the mapping that holds address. */
static int flags_of(const void *address, char *flags, size_t size)
{
    FILE *maps = fopen("/proc/self/smaps", "re");
    char line[512];
    int inside = 0, found = 0;
    while (maps && !found && fgets(line, sizeof line, maps)) {
        unsigned long begin, end;
        if (sscanf(line, "%lx-%lx ", &begin, &end) == 2)
            inside = (uintptr_t)address >= begin && (uintptr_t)address < end;
        found = inside && strncmp(line, "VmFlags:", 8) == 0;
    }
    fclose(maps);
    snprintf(flags, size, "%s", line);
    return found;
}

static void test_payloads_stay_out_of_core_dumps(void **state)
{
    (void)state;
    char flags[512];
    ndshm__segment *made, *seen;
    assert_ok(support_segment(NAME, SIZE, 0, &made));
    assert_ok(ndshm__segment_attach(NAME, 0, NDSHM_COW, &seen));
    assert_true(flags_of(ndshm__segment_payload(made), flags, sizeof flags));
    assert_non_null(strstr(flags, " dd"));
    assert_true(flags_of(ndshm__segment_payload(seen), flags, sizeof flags));
    assert_non_null(strstr(flags, " dd"));
    ndshm__segment_release(&seen);
    assert_ok(ndshm__segment_unlink(made));
    ndshm__segment_release(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_what_is_created_can_be_attached),
        SUPPORT_TEST(test_sizes_around_pages),
        SUPPORT_TEST(test_writes_are_seen_by_others),
        SUPPORT_TEST(test_copy_on_write_is_private),
        SUPPORT_TEST(test_read_access_cannot_write),
        SUPPORT_TEST(test_access_must_be_known),
        SUPPORT_TEST(test_an_unpublished_one_is_invisible),
        SUPPORT_TEST(test_a_taken_name),
        SUPPORT_TEST(test_names_of_every_length),
        SUPPORT_TEST(test_names_that_are_not_there),
        SUPPORT_TEST(test_a_renamed_file),
        SUPPORT_TEST(test_wrong_kind),
        SUPPORT_TEST(test_generated_names),
        SUPPORT_TEST(test_configs_are_checked),
        SUPPORT_TEST(test_placement_is_a_wish),
        SUPPORT_TEST(test_labels),
        SUPPORT_TEST(test_modes_are_what_was_asked),
        SUPPORT_TEST(test_impossible_sizes),
        SUPPORT_TEST(test_appending),
        SUPPORT_TEST(test_counting),
        SUPPORT_TEST(test_a_fault_that_is_over),
        SUPPORT_TEST(test_reading_where_a_sandbox_forbids_it),
        SUPPORT_TEST(test_descriptions_without_end),
        SUPPORT_TEST(test_reading_by_offset),
        SUPPORT_TEST(test_no_descriptor_for_an_attachment),
        SUPPORT_TEST(test_payloads_stay_out_of_core_dumps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
