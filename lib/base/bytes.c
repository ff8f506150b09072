/* SPDX-License-Identifier: MIT */
#include "base/base.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *ndshm__bytes_text(uint64_t bytes, char buffer[NDSHM__BYTES_TEXT])
{
    static const char *const units[] = {"kB", "MB", "GB", "TB", "PB", "EB"};
    if (bytes < 1000) {
        snprintf(buffer, NDSHM__BYTES_TEXT, "%" PRIu64 " bytes", bytes);
        return buffer;
    }
    double value = (double)bytes / 1000;
    size_t unit = 0;
    for (; value >= 999.5 && unit + 1 < sizeof units / sizeof *units; unit++)
        value /= 1000;
    snprintf(buffer, NDSHM__BYTES_TEXT, "%.3g %s", value, units[unit]);
    return buffer;
}

bool ndshm__is_zero(const void *data, size_t size)
{
    const uint8_t *bytes = data;
    return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

void ndshm__text_copy(char *buffer, size_t size, const char *text)
{
    memset(buffer, 0, size);
    if (text)
        memcpy(buffer, text, strnlen(text, size - 1));
}
