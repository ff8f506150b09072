/* SPDX-License-Identifier: MIT */
#include "base/base.h"

bool ndshm__add(int64_t a, int64_t b, int64_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}

bool ndshm__mul(int64_t a, int64_t b, int64_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

bool ndshm__align(int64_t value, int64_t alignment, int64_t *out)
{
    if (!ndshm__add(value, alignment - 1, out))
        return false;
    *out &= -alignment;
    return true;
}
