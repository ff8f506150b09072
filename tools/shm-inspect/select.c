/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#include <ndshm/base.h>

#include "print.h"
#include "select.h"

/* The pool that a segment is of; of a pool, itself. */
static const char *pool_of(const ndshm_info *info)
{
    return info->kind == NDSHM_KIND_POOL ? info->name : info->pool;
}

bool select_matches(const struct selection *selection, const ndshm_info *info)
{
    const char *pool = pool_of(info);
    if (selection->pool && strcmp(selection->pool, pool) != 0)
        return false;
    return !selection->pattern || fnmatch(selection->pattern, info->name, 0) == 0 ||
           (pool[0] && fnmatch(selection->pattern, pool, 0) == 0);
}

int select_each(const struct selection *selection,
                void (*visit)(void *context, const ndshm_info *info), void *context)
{
    ndshm_list *list;
    ndshm_info info;
    int status = ndshm_list_open(&list);
    if (status) {
        print_error("%s", ndshm_error_message());
        return -1;
    }
    while ((status = ndshm_list_next(list, &info)) == 0)
        if (select_matches(selection, &info))
            visit(context, &info);
    ndshm_list_close(&list);
    if (status == -ENOENT)
        return 0;
    print_error("%s", ndshm_error_message());
    return -1;
}
