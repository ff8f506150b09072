/* SPDX-License-Identifier: MIT */
/* Elements of any type and stride, as double or int64_t, and back. */
#include <math.h>
#include <string.h>

#include "array/dtype.h"
#include "compute/numbers.h"
#include "compute/reduce.h"

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O3") /* loops over elements become vector instructions */
#endif

/* Elements that lie together are a loop of their own, which the compiler vectorises. */
#define LOADER(name, type, field, convert)                                                         \
    static void name(const char *at, int64_t stride, int64_t count, union ndshm__word *out)        \
    {                                                                                              \
        if (stride == (int64_t)sizeof(type))                                                       \
            for (int64_t i = 0; i < count; i++)                                                    \
                out[i].field = convert(((const type *)at)[i]);                                     \
        else                                                                                       \
            for (int64_t i = 0; i < count; i++, at += stride)                                      \
                out[i].field = convert(*(const type *)at);                                         \
    }

/* Unsigned integers of 64 bits in an order that signed ones have. */
static inline int64_t flipped(uint64_t value)
{
    return (int64_t)(value ^ UINT64_C(1) << 63);
}

static inline int64_t lowered(int64_t value)
{
    return (int64_t)((uint64_t)value - 1);
}

LOADER(real_bool, uint8_t, d, (double)!!)
LOADER(real_int8, int8_t, d, (double))
LOADER(real_int16, int16_t, d, (double))
LOADER(real_int32, int32_t, d, (double))
LOADER(real_int64, int64_t, d, (double))
LOADER(real_uint8, uint8_t, d, (double))
LOADER(real_uint16, uint16_t, d, (double))
LOADER(real_uint32, uint32_t, d, (double))
LOADER(real_uint64, uint64_t, d, (double))
LOADER(real_float16, uint16_t, d, ndshm__from_half)
LOADER(real_float32, float, d, (double))
LOADER(real_float64, double, d, )
LOADER(whole_bool, uint8_t, i, !!)
LOADER(whole_int8, int8_t, i, )
LOADER(whole_int16, int16_t, i, )
LOADER(whole_int32, int32_t, i, )
LOADER(whole_int64, int64_t, i, )
LOADER(whole_uint8, uint8_t, i, )
LOADER(whole_uint16, uint16_t, i, )
LOADER(whole_uint32, uint32_t, i, )
LOADER(whole_flipped, uint64_t, i, flipped)
LOADER(whole_lowered, int64_t, i, lowered)

ndshm__load_fn *ndshm__load_of(ndshm_dtype dtype, bool real, bool order, bool greatest)
{
    static ndshm__load_fn *const reals[] = {real_bool,   real_int8,    real_int16,   real_int32,
                                            real_int64,  real_uint8,   real_uint16,  real_uint32,
                                            real_uint64, real_float16, real_float32, real_float64};
    static ndshm__load_fn *const wholes[] = {whole_bool,   whole_int8,   whole_int16,
                                             whole_int32,  whole_int64,  whole_uint8,
                                             whole_uint16, whole_uint32, whole_int64};
    if (real)
        return reals[dtype - NDSHM_BOOL];
    if (dtype > NDSHM_UINT64)
        return greatest ? whole_lowered : whole_int64;
    return dtype == NDSHM_UINT64 && order ? whole_flipped : wholes[dtype - NDSHM_BOOL];
}

/* IEEE 754 binary16, to the nearest, ties to even. */
static uint16_t to_half(double value)
{
    uint16_t sign = signbit(value) ? 0x8000 : 0;
    int exponent;
    value = fabs(value);
    if (isnan(value))
        return 0x7E00;
    if (value == 0)
        return sign;
    if (value >= 65520)
        return sign | 0x7C00;
    frexp(value, &exponent);
    int unit = exponent > -13 ? exponent - 11 : -24; /* of the last bit */
    int mantissa = (int)nearbyint(ldexp(value, -unit));
    return (uint16_t)(sign | ((unit + 24) * 0x400 + mantissa));
}

void ndshm__store_result(ndshm_dtype dtype, union ndshm__word value, void *at)
{
    float single = (float)value.d;
    uint16_t half;
    uint64_t unsigned_value = (uint64_t)value.i;
    switch (dtype & 0xFF) {
    case NDSHM_FLOAT16:
        half = to_half(value.d);
        memcpy(at, &half, sizeof half);
        break;
    case NDSHM_FLOAT32:
        memcpy(at, &single, sizeof single);
        break;
    default: /* little-endian: the first bytes of an integer are its lowest */
        memcpy(at, &unsigned_value, (size_t)ndshm__dtype_itemsize(dtype));
    }
}

int64_t ndshm__dims_offset(const struct ndshm__dims *dims, int64_t index)
{
    int64_t offset = 0;
    for (int32_t i = dims->count - 1; i > 0; i--) {
        offset += index % dims->length[i] * dims->stride[i];
        index /= dims->length[i];
    }
    return dims->count ? offset + index * dims->stride[0] : 0;
}

const union ndshm__word *ndshm__fetch(const struct ndshm__reduction *reduction,
                                      const struct ndshm__dims *dims, const char *base,
                                      int64_t begin, int64_t count, union ndshm__word *buffer)
{
    int64_t length = dims->count ? dims->length[dims->count - 1] : 1;
    int64_t stride = dims->count ? dims->stride[dims->count - 1] : 0;
    for (int64_t done = 0; done < count;) {
        int64_t left = length - (begin + done) % length;
        int64_t part = left < count - done ? left : count - done;
        const char *at = base + ndshm__dims_offset(dims, begin + done);
        if (part == count && reduction->direct && stride == (int64_t)sizeof *buffer)
            return (const union ndshm__word *)at;
        reduction->load(at, stride, part, buffer + done);
        done += part;
    }
    return buffer;
}
