/* SPDX-License-Identifier: MIT */
#include "frame/bits.h"

#include <string.h>

/* Up to 8 bits from any bit on; reads no byte that holds none of them. */
static unsigned read_bits(const uint8_t *bits, int64_t begin, int64_t count)
{
    unsigned shift = (unsigned)(begin % 8);
    unsigned value = bits[begin / 8] >> shift;
    if (shift + (unsigned)count > 8)
        value |= (unsigned)bits[begin / 8 + 1] << (8 - shift);
    return value & ((1u << count) - 1);
}

int64_t ndshm__bits_zeros(const uint8_t *bits, int64_t begin, int64_t count)
{
    int64_t ones = 0, i = 0;
    if (begin % 8 == 0)
        for (; i + 64 <= count; i += 64) {
            uint64_t word;
            memcpy(&word, bits + (begin + i) / 8, sizeof word);
            ones += __builtin_popcountll(word);
        }
    for (; i < count; i += 8) {
        int64_t rest = count - i < 8 ? count - i : 8;
        ones += __builtin_popcount(read_bits(bits, begin + i, rest));
    }
    return count - ones;
}

void ndshm__bits_copy(uint8_t *target, int64_t at, const uint8_t *source, int64_t begin,
                      int64_t count)
{
    while (count > 0) {
        int64_t room = 8 - at % 8, step = count < room ? count : room;
        if (at % 8 == 0 && begin % 8 == 0 && source && count >= 8) {
            memcpy(target + at / 8, source + begin / 8, (size_t)(count / 8));
            step = count / 8 * 8;
        } else {
            unsigned value = source ? read_bits(source, begin, step) : (1u << step) - 1;
            target[at / 8] |= (uint8_t)(value << (at % 8));
        }
        at += step;
        begin += step;
        count -= step;
    }
}
