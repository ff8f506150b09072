// SPDX-License-Identifier: MIT
// The one file that knows fast_float, a header-only library. It needs no C++ runtime.
#include <cstdint>
#include <cstring>

#include <fast_float/fast_float.h>

#include "csv/number.h"

namespace
{
template <typename T> const char *parse(const char *first, const char *last, T *out)
{
    if (first + 1 < last && *first == '+' && first[1] != '-')
        first++;
    const auto result = fast_float::from_chars(first, last, *out);
    // A number that is out of range is infinity or zero, which is its nearest value.
    return result.ec == std::errc::invalid_argument ? nullptr : result.ptr;
}

bool is_digit(char c)
{
    return static_cast<unsigned char>(c - '0') < 10;
}

// Digits behind value, eight at a time; reads up to seven bytes beyond them.
const char *digits(const char *at, std::uint64_t *value)
{
    std::uint64_t result = *value;
    for (std::uint64_t eight;
         std::memcpy(&eight, at, sizeof eight), __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ &&
                                                    fast_float::is_made_of_eight_digits_fast(eight);
         at += 8)
        result = result * 100000000 + fast_float::parse_eight_digits_unrolled(eight);
    for (; is_digit(*at); at++)
        result = result * 10 + static_cast<std::uint64_t>(*at - '0');
    *value = result;
    return at;
}

const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                         1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

// Up to 19 digits without an exponent, which is how nearly all numbers are written; nullptr: not
// such a number.
const char *parse_plain(const char *first, double *out)
{
    const bool negative = *first == '-';
    const char *begin = first + negative;
    std::uint64_t value = 0;
    const char *end = digits(begin, &value);
    std::int64_t count = end - begin, decimals = 0;
    if (*end == '.') {
        const char *point = end;
        end = digits(point + 1, &value);
        decimals = end - point - 1;
        count += decimals;
    }
    if (count == 0 || count > 19 || *end == 'e' || *end == 'E')
        return nullptr;
    double result;
    if (value <= UINT64_C(1) << 53) { // both are exact, so that one division rounds correctly
        result = static_cast<double>(value) / powers[decimals];
    } else {
        using binary = fast_float::binary_format<double>;
        const auto nearest = fast_float::compute_float<binary>(-decimals, value);
        if (nearest.power2 < 0)
            return nullptr;
        const std::uint64_t bits = nearest.mantissa | static_cast<std::uint64_t>(nearest.power2)
                                                          << binary::mantissa_explicit_bits();
        std::memcpy(&result, &bits, sizeof result);
    }
    *out = negative ? -result : result;
    return end;
}
} // namespace

extern "C" const char *ndshm__csv_float64(const char *first, const char *last, double *out)
{
    const char *end = parse_plain(first, out);
    return end && end <= last ? end : parse(first, last, out);
}

extern "C" const char *ndshm__csv_float32(const char *first, const char *last, float *out)
{
    return parse(first, last, out);
}
