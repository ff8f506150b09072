/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "frame/format.h"

/* Length of the sequence that begins at s, with size bytes left; 0 when it is malformed. The second
 * byte has the narrower range that excludes overlong forms, surrogates and what is beyond U+10FFFF.
 */
static size_t sequence(const unsigned char *s, size_t size)
{
    unsigned char low = 0x80, high = 0xBF;
    size_t length = s[0] < 0xC2 ? 0 : s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : s[0] < 0xF5 ? 4 : 0;
    if (length == 0 || length > size)
        return 0;
    if (s[0] == 0xE0)
        low = 0xA0;
    else if (s[0] == 0xED)
        high = 0x9F;
    else if (s[0] == 0xF0)
        low = 0x90;
    else if (s[0] == 0xF4)
        high = 0x8F;
    if (s[1] < low || s[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    return length;
}

bool ndshm__utf8_valid(const void *data, size_t size)
{
    const unsigned char *s = data;
    for (size_t i = 0; i < size;) {
        uint64_t eight;
        if (size - i >= sizeof eight) {
            memcpy(&eight, s + i, sizeof eight);
            if (!(eight & UINT64_C(0x8080808080808080))) {
                i += sizeof eight;
                continue;
            }
        }
        size_t length = s[i] < 0x80 ? 1 : sequence(s + i, size - i);
        if (length == 0)
            return false;
        i += length;
    }
    return true;
}
