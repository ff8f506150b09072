/* SPDX-License-Identifier: MIT */
#ifndef NDSHM_LIB_POOL_NOTIFY_H
#define NDSHM_LIB_POOL_NOTIFY_H

#include "pool/memory.h"

/* A task ended: tells whoever waits for that. */
void ndshm__notify(struct ndshm__pool_memory *pool, const char *pool_name);

#endif
