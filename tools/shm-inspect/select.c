/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <ndshm/base.h>

#include "print.h"
#include "select.h"

/* The pool that a segment is of; of a pool, itself. */
static const char *pool_of(const ndshm_info *info)
{
    return info->kind == NDSHM_KIND_POOL ? info->name : info->pool;
}

/* Seconds; 0 when it is not known. */
static int64_t age_of(const ndshm_info *info)
{
    return info->created_ns ? (int64_t)time(NULL) - info->created_ns / 1000000000 : 0;
}

bool select_matches(const struct selection *selection, const ndshm_info *info)
{
    const char *pool = pool_of(info);
    if (selection->older_than && age_of(info) < selection->older_than)
        return false;
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

/* One file without a name, and how many processes map it. */
struct unlinked {
    uint64_t inode;
    int64_t users;
    ndshm_info info;
};

struct unlinked_list {
    struct unlinked *files;
    size_t count;
};

static struct unlinked *file_of(struct unlinked_list *list, const ndshm_user *user)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->files[i].inode == user->inode)
            return &list->files[i];
    struct unlinked *more = realloc(list->files, (list->count + 1) * sizeof *more);
    if (!more)
        return NULL;
    list->files = more;
    struct unlinked *file = &more[list->count++];
    *file = (struct unlinked){.inode = user->inode, .info.state = PRINT_STATE_UNLINKED};
    snprintf(file->info.name, sizeof file->info.name, "%s", user->name);
    file->info.uid = user->uid;
    return file;
}

/* Its size is what the process sees that maps most of it. */
static int add_user(struct unlinked_list *list, const ndshm_user *user)
{
    struct unlinked *file = file_of(list, user);
    if (!file)
        return -ENOMEM;
    file->users++;
    if (user->bytes > file->info.bytes)
        file->info.bytes = user->bytes;
    if (user->pss > 0)
        file->info.resident += user->pss;
    snprintf(file->info.note, sizeof file->info.note,
             "no name (any more), but mapped by %" PRId64 " process%s", file->users,
             file->users == 1 ? "" : "es");
    return 0;
}

static int collect_unlinked(struct unlinked_list *list)
{
    ndshm_users *users;
    ndshm_user user;
    int status = ndshm_users_open(NULL, &users), full = 0;
    if (status)
        return status;
    while (!full && (status = ndshm_users_next(users, &user)) == 0)
        full = user.linked ? 0 : add_user(list, &user);
    ndshm_users_close(&users);
    return full ? full : status == -ENOENT ? 0 : status;
}

int select_each_unlinked(const struct selection *selection,
                         void (*visit)(void *context, const ndshm_info *info), void *context)
{
    struct unlinked_list list = {0};
    int status = collect_unlinked(&list);
    if (status)
        print_error("%s", status == -ENOMEM ? "no memory" : ndshm_error_message());
    for (size_t i = 0; !status && i < list.count; i++)
        if (select_matches(selection, &list.files[i].info))
            visit(context, &list.files[i].info);
    free(list.files);
    return status ? -1 : 0;
}
