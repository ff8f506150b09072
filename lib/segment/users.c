/* SPDX-License-Identifier: MIT */
/* Who maps a segment. Nothing is decided by what stands here: the kernel's locks and leases know
 * better, but not whom to ask. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"
#include "base/os_maps.h"
#include "segment/internal.h"

struct named {
    uint64_t inode;
    char *name;
};

struct ndshm_users {
    ndshm__os_processes *processes;
    uint64_t device;
    uint64_t inode;      /* 0: every file of the device */
    struct named *named; /* what the directory holds, by inode; collected when first needed */
    int64_t nnamed;
    bool collected;
    ndshm_user *found; /* what one process maps */
    int nfound, next;
    int64_t hidden;
};

static int compare_inodes(const void *a, const void *b)
{
    uint64_t first = ((const struct named *)a)->inode, second = ((const struct named *)b)->inode;
    return (first > second) - (first < second);
}

static int add_named(ndshm_users *users, uint64_t inode, const char *name, int64_t *room)
{
    if (users->nnamed == *room) {
        int64_t more = *room ? 2 * *room : 64;
        struct named *larger = ndshm__resize(users->named, (size_t)more * sizeof *larger);
        if (!larger)
            return -ENOMEM;
        users->named = larger;
        *room = more;
    }
    char *copy = ndshm__duplicate(name);
    if (!copy)
        return -ENOMEM;
    users->named[users->nnamed++] = (struct named){inode, copy};
    return 0;
}

static int collect_named(ndshm_users *users)
{
    ndshm__os_directory *directory;
    struct stat file;
    const char *name;
    int64_t room = 0;
    int more = 0, status = ndshm__os_directory_open(&directory);
    if (status)
        return status;
    while (!status && (more = ndshm__os_directory_next(directory, &name)) > 0)
        if (ndshm__os_stat_name(name, &file) == 0)
            status = add_named(users, file.st_ino, name, &room);
    ndshm__os_directory_close(directory);
    if (users->nnamed)
        qsort(users->named, (size_t)users->nnamed, sizeof *users->named, compare_inodes);
    users->collected = true;
    return status ? status : more < 0 ? more : 0;
}

/* The name that the file has now, or NULL. */
static const char *name_of(const ndshm_users *users, uint64_t inode)
{
    struct named wanted = {.inode = inode};
    if (!users->nnamed)
        return NULL;
    const struct named *found =
        bsearch(&wanted, users->named, (size_t)users->nnamed, sizeof wanted, compare_inodes);
    return found ? found->name : NULL;
}

static int look_for(ndshm_users *users, const char *name)
{
    struct stat file;
    ndshm__os_space space;
    int status;
    if (name) {
        status = ndshm__os_stat_name(name, &file);
        users->device = file.st_dev;
        users->inode = file.st_ino;
        return status;
    }
    status = ndshm__os_space_of_directory(&space);
    users->device = space.device;
    return status;
}

static bool is_wanted(const ndshm_users *users, const struct ndshm__os_mapping *mapping)
{
    return mapping->device == users->device && mapping->inode &&
           (!users->inode || mapping->inode == users->inode);
}

/* The present name, or else the last part of the path, without what the kernel adds to it. */
static void copy_name(const ndshm_users *users, ndshm_user *user, const char *path)
{
    static const char deleted[] = " (deleted)";
    const char *slash = strrchr(path, '/'), *name = name_of(users, user->inode);
    user->linked = name != NULL;
    if (name) {
        ndshm__text_copy(user->name, sizeof user->name, name);
        return;
    }
    ndshm__text_copy(user->name, sizeof user->name, slash ? slash + 1 : path);
    size_t length = strlen(user->name), end = sizeof deleted - 1;
    if (length > end && strcmp(user->name + length - end, deleted) == 0)
        memset(user->name + length - end, 0, end);
}

/* The user of that inode among what was found in this process, or a new one. */
static ndshm_user *user_of(ndshm_users *users, const struct ndshm__os_mapping *mapping)
{
    for (int i = 0; i < users->nfound; i++)
        if (users->found[i].inode == mapping->inode)
            return &users->found[i];
    ndshm_user *more =
        ndshm__resize(users->found, ((size_t)users->nfound + 1) * sizeof *users->found);
    if (!more)
        return NULL;
    users->found = more;
    ndshm_user *user = &more[users->nfound++];
    memset(user, 0, sizeof *user);
    user->inode = mapping->inode;
    user->access = NDSHM_READ;
    copy_name(users, user, mapping->path);
    return user;
}

static int access_of(const struct ndshm__os_mapping *mapping)
{
    if (!mapping->shared)
        return NDSHM_COW;
    return mapping->writable ? NDSHM_WRITE : NDSHM_READ;
}

static int add_mapping(ndshm_users *users, const struct ndshm__os_mapping *mapping)
{
    int status = users->collected ? 0 : collect_named(users);
    ndshm_user *user = status ? NULL : user_of(users, mapping);
    if (!user)
        return status ? status : -ENOMEM;
    user->bytes += mapping->size;
    if (mapping->share < 0 || user->pss < 0)
        user->pss = -1;
    else
        user->pss += mapping->share;
    if (access_of(mapping) > user->access)
        user->access = access_of(mapping);
    return 0;
}

static int read_maps(ndshm_users *users, int pid, bool shares)
{
    ndshm__os_maps *maps;
    struct ndshm__os_mapping mapping;
    users->nfound = users->next = 0;
    int status = ndshm__os_maps_open(pid, shares, &maps);
    if (status)
        return status;
    while (!status && ndshm__os_maps_next(maps, &mapping))
        if (is_wanted(users, &mapping))
            status = add_mapping(users, &mapping);
    ndshm__os_maps_close(maps);
    return status;
}

/* Shares cost a walk over all pages of a process: only where there is something to count. */
static int read_process(ndshm_users *users, int pid)
{
    char command[sizeof users->found->command] = "";
    uint32_t uid = 0;
    int status = read_maps(users, pid, false);
    if (!status && users->nfound)
        status = read_maps(users, pid, true);
    if (!status && users->nfound)
        status = ndshm__os_process_of(pid, command, sizeof command, &uid);
    for (int i = 0; !status && i < users->nfound; i++) {
        users->found[i].pid = pid;
        users->found[i].uid = uid;
        memcpy(users->found[i].command, command, sizeof command);
    }
    if (status)
        users->nfound = 0;
    return status;
}

int ndshm_users_open(const char *name, ndshm_users **out)
{
    const char *bare = NULL;
    ndshm__begin("ndshm_users_open");
    int status = name ? ndshm__name_check_any(name, &bare) : 0;
    if (status)
        return status;
    ndshm_users *users = ndshm__alloc(sizeof *users);
    if (!users)
        return ndshm__fail(-ENOMEM, "no memory for a list of users");
    status = look_for(users, bare);
    if (!status)
        status = ndshm__os_processes_open(&users->processes);
    if (status) {
        ndshm_users_close(&users);
        return ndshm__fail(status, "'%s': its users cannot be looked for: %s", bare ? bare : "",
                           ndshm_strerror(status));
    }
    *out = users;
    return 0;
}

int ndshm_users_next(ndshm_users *users, ndshm_user *out)
{
    ndshm__begin("ndshm_users_next");
    while (users->next == users->nfound) {
        int pid = ndshm__os_processes_next(users->processes);
        if (!pid)
            return ndshm__fail(-ENOENT, "the list has ended");
        int status = read_process(users, pid);
        users->hidden += status == -EACCES || status == -EPERM;
        if (status == -ENOMEM || status == -EMFILE || status == -ENFILE)
            return ndshm__fail(status, "process %d cannot be looked at: %s", pid,
                               ndshm_strerror(status));
    }
    *out = users->found[users->next++];
    return 0;
}

int64_t ndshm_users_hidden(const ndshm_users *users)
{
    return users->hidden;
}

void ndshm_users_close(ndshm_users **users)
{
    if (!users || !*users)
        return;
    if ((*users)->processes)
        ndshm__os_processes_close((*users)->processes);
    for (int64_t i = 0; i < (*users)->nnamed; i++)
        free((*users)->named[i].name);
    free((*users)->named);
    free((*users)->found);
    free(*users);
    *users = NULL;
}
