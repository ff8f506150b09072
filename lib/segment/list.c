/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>

#include "base/os.h"
#include "segment/internal.h"

struct ndshm_list {
    ndshm__os_directory *directory;
};

int ndshm_list_open(ndshm_list **out)
{
    ndshm__begin("ndshm_list_open");
    ndshm_list *list = ndshm__alloc(sizeof *list);
    if (!list)
        return ndshm__fail(-ENOMEM, "no memory for a list");
    int status = ndshm__os_directory_open(&list->directory);
    if (status) {
        free(list);
        return ndshm__fail(status, "/dev/shm cannot be listed: %s", ndshm_strerror(status));
    }
    *out = list;
    return 0;
}

int ndshm_list_next(ndshm_list *list, ndshm_info *out)
{
    const char *name;
    ndshm__begin("ndshm_list_next");
    while ((name = ndshm__os_directory_next(list->directory))) {
        int status = ndshm__inspect(name, out);
        if (status != -ENOENT)
            return status;
    }
    return ndshm__fail(-ENOENT, "the list has ended");
}

void ndshm_list_close(ndshm_list **list)
{
    if (!list || !*list)
        return;
    ndshm__os_directory_close((*list)->directory);
    free(*list);
    *list = NULL;
}
