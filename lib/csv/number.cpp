// SPDX-License-Identifier: MIT
// The one file that knows fast_float, a header-only library. It needs no C++ runtime.
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
} // namespace

extern "C" const char *ndshm__csv_float64(const char *first, const char *last, double *out)
{
    return parse(first, last, out);
}

extern "C" const char *ndshm__csv_float32(const char *first, const char *last, float *out)
{
    return parse(first, last, out);
}
