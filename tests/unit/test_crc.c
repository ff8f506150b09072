/* SPDX-License-Identifier: MIT */
/* CRC32C against the values of RFC 3720, appendix B.4, on both of its ways. */
#include "base/crc32c.c" /* for the way that this machine may not take */

#include "support.h"

static uint32_t by_tables(const void *data, size_t size)
{
    return ~crc_tables(~0u, data, size);
}

static void check(const void *data, size_t size, uint32_t expected)
{
    assert_int_equal(ndshm__crc32c(0, data, size), expected);
    assert_int_equal(by_tables(data, size), expected);
}

static void test_published_values(void **state)
{
    (void)state;
    uint8_t zeros[32] = {0}, ones[32], up[32], down[32];
    static const uint8_t read_command[48] = {
        0x01,        0xC0,        0x00,        0x00,        [16] = 0x14,
        [22] = 0x04, [27] = 0x14, [31] = 0x18, [32] = 0x28, [40] = 0x02};
    for (int i = 0; i < 32; i++) {
        ones[i] = 0xFF;
        up[i] = (uint8_t)i;
        down[i] = (uint8_t)(31 - i);
    }
    check("", 0, 0);
    check("123456789", 9, 0xE3069283);
    check(zeros, sizeof zeros, 0x8A9136AA);
    check(ones, sizeof ones, 0x62A8AB43);
    check(up, sizeof up, 0x46DD794E);
    check(down, sizeof down, 0x113FDB5C);
    check(read_command, sizeof read_command, 0xD9963A56);
}

static void test_continuing_equals_the_whole(void **state)
{
    (void)state;
    uint8_t bytes[160];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 37 + 11);
    for (size_t begin = 0; begin < 9; begin++)
        for (size_t size = 0; size < 80; size++) {
            uint32_t whole = ndshm__crc32c(0, bytes + begin, size);
            assert_int_equal(by_tables(bytes + begin, size), whole);
            uint32_t part = ndshm__crc32c(0, bytes + begin, size / 3);
            assert_int_equal(ndshm__crc32c(part, bytes + begin + size / 3, size - size / 3), whole);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_published_values),
        SUPPORT_TEST(test_continuing_equals_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
