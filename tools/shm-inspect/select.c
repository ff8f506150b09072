/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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

/* What the threads share: nearly all of their time is the kernel's. */
struct walk {
    const struct selection *selection;
    ndshm_list *list;
    void (*visit)(void *context, const ndshm_info *info);
    void *context;
};

/* NULL, or the walk when something failed. */
static void *walk(void *argument)
{
    struct walk *self = argument;
    ndshm_info info;
    int status;
    while ((status = ndshm_list_next(self->list, &info)) == 0)
        if (select_matches(self->selection, &info))
            self->visit(self->context, &info);
    if (status == -ENOENT)
        return NULL;
    print_error("%s", ndshm_error_message());
    return self;
}

int select_each_at_once(const struct selection *selection,
                        void (*visit)(void *context, const ndshm_info *info), void *context)
{
    enum { MORE_MAX = 7 }; /* threads beside this one */
    struct walk self = {selection, NULL, visit, context};
    pthread_t more[MORE_MAX];
    int count = 0;
    if (ndshm_list_open(&self.list)) {
        print_error("%s", ndshm_error_message());
        return -1;
    }
    for (long cpus = sysconf(_SC_NPROCESSORS_ONLN); count < cpus - 1 && count < MORE_MAX; count++)
        if (pthread_create(&more[count], NULL, walk, &self) != 0)
            break;
    bool failed = walk(&self) != NULL;
    while (count > 0) {
        void *result;
        pthread_join(more[--count], &result);
        failed |= result != NULL;
    }
    ndshm_list_close(&self.list);
    return failed ? -1 : 0;
}

/* One visit after the other, whoever looked. */
struct turns {
    pthread_mutex_t mutex;
    void (*visit)(void *context, const ndshm_info *info);
    void *context;
};

static void visit_in_turn(void *context, const ndshm_info *info)
{
    struct turns *turns = context;
    pthread_mutex_lock(&turns->mutex);
    turns->visit(turns->context, info);
    pthread_mutex_unlock(&turns->mutex);
}

int select_each(const struct selection *selection,
                void (*visit)(void *context, const ndshm_info *info), void *context)
{
    struct turns turns = {PTHREAD_MUTEX_INITIALIZER, visit, context};
    return select_each_at_once(selection, visit_in_turn, &turns);
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

int64_t select_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}
