/* SPDX-License-Identifier: MIT */
/* How the wall's files fail and are made to fail. */
#ifndef NDSHM_LIB_OS_FAULT_H
#define NDSHM_LIB_OS_FAULT_H

#include <errno.h>

#include "base/os.h"

/* The errno that a test wants call to fail with, or 0. Always 0 in the library that is installed.
 */
static inline int ndshm__os_injected(const char *call)
{
#ifdef NDSHM_FAULTS
    return ndshm__os_fault ? ndshm__os_fault(call) : 0;
#else
    (void)call;
    return 0;
#endif
}

/* The same for a transfer, which a test may also shorten. true: it fails with errno. */
static inline bool ndshm__os_refused(const char *call, size_t *size)
{
#ifdef NDSHM_FAULTS
    int fault = ndshm__os_injected(call);
    if (fault == NDSHM__FAULT_SHORT || fault == NDSHM__FAULT_END)
        *size = fault == NDSHM__FAULT_END ? 0 : (*size + 1) / 2;
    else if (fault)
        errno = fault;
    return fault && fault != NDSHM__FAULT_SHORT && fault != NDSHM__FAULT_END;
#else
    (void)call, (void)size;
    return false;
#endif
}

/* -errno when result says that a system call failed, otherwise result. */
static inline int ndshm__os_result(int result)
{
    return result < 0 ? -errno : result;
}

#endif
