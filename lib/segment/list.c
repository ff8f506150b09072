/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/os.h"
#include "segment/internal.h"

struct ndshm_list {
    ndshm__os_directory *directory;
    pthread_mutex_t mutex; /* of the directory: looking at files needs none */
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
    pthread_mutex_init(&list->mutex, NULL);
    *out = list;
    return 0;
}

static int next_name(ndshm_list *list, char name[NAME_MAX + 1])
{
    pthread_mutex_lock(&list->mutex);
    const char *next;
    int more = ndshm__os_directory_next(list->directory, &next);
    if (more > 0)
        ndshm__text_copy(name, NAME_MAX + 1, next);
    pthread_mutex_unlock(&list->mutex);
    return more;
}

int ndshm_list_next(ndshm_list *list, ndshm_info *out)
{
    char name[NAME_MAX + 1];
    ndshm__begin("ndshm_list_next");
    int more;
    while ((more = next_name(list, name)) > 0) {
        int status = ndshm__inspect(name, out);
        if (status != -ENOENT)
            return status;
    }
    if (more < 0)
        return ndshm__fail(more, "/dev/shm cannot be listed further: %s", ndshm_strerror(more));
    return ndshm__fail(-ENOENT, "the list has ended");
}

void ndshm_list_close(ndshm_list **list)
{
    if (!list || !*list)
        return;
    ndshm__os_directory_close((*list)->directory);
    pthread_mutex_destroy(&(*list)->mutex);
    free(*list);
    *list = NULL;
}
