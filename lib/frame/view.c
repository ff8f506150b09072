/* SPDX-License-Identifier: MIT */
#include "frame/view.h"

#include <assert.h>
#include <string.h>

static_assert(sizeof(struct ndshm__view) == 16, "view");

int64_t ndshm__integer(const void *at, int32_t width, bool is_signed)
{
    int8_t one;
    int16_t two;
    int32_t four;
    int64_t eight;
    switch (width) {
    case 1:
        memcpy(&one, at, sizeof one);
        return is_signed ? one : (uint8_t)one;
    case 2:
        memcpy(&two, at, sizeof two);
        return is_signed ? two : (uint16_t)two;
    case 4:
        memcpy(&four, at, sizeof four);
        return is_signed ? four : (int64_t)(uint32_t)four;
    default:
        memcpy(&eight, at, sizeof eight);
        return eight;
    }
}

void ndshm__integer_put(void *at, int32_t width, int64_t value)
{
    memcpy(at, &value, (size_t)width); /* little-endian, as everything here */
}
