/* SPDX-License-Identifier: MIT */
#include "base/base.h"

#include <errno.h>
#include <string.h>

/* A struct from a future much larger than this is taken for garbage. */
enum { CONFIG_SIZE_MAX = 4096 };

int ndshm__config_copy(const void *config, size_t known, void *out)
{
    if (!config)
        return 0;
    uint32_t size;
    memcpy(&size, config, sizeof size);
    if (size < sizeof size || size > CONFIG_SIZE_MAX)
        return ndshm__fail(-EINVAL,
                           "the config's size field is %u; fill the config with its _init function",
                           size);
    if (size > known && !ndshm__is_zero((const char *)config + known, size - known))
        return ndshm__fail(-EINVAL,
                           "the config has %u bytes and uses some behind the %zu known to "
                           "version %s of the library",
                           size, known, ndshm_version());
    memcpy(out, config, size < known ? size : known);
    return 0;
}
