/* SPDX-License-Identifier: MIT */
#include "pool/functions.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/os.h"

/* One executable part of a loaded object. */
struct part {
    uintptr_t base; /* of the object */
    uintptr_t begin, end;
    uint32_t name; /* checksum of the object's name: another object may come to lie here */
};

struct ndshm__functions {
    struct part *parts;
    int count, room;
    bool failed;
    unsigned long long adds, subs; /* of objects, when known was found */
    ndshm_task_fn known;
    int32_t known_object;
    int64_t known_offset;
};

static uint32_t checksum(const char *name)
{
    return ndshm__crc32c(0, name, strlen(name));
}

static struct part *new_part(struct ndshm__functions *functions)
{
    if (functions->count == functions->room) {
        int room = functions->room ? functions->room * 2 : 64;
        struct part *parts = ndshm__resize(functions->parts, (size_t)room * sizeof *parts);
        if (!parts)
            return NULL;
        functions->parts = parts;
        functions->room = room;
    }
    return &functions->parts[functions->count++];
}

static bool is_code(const ElfW(Phdr) * header)
{
    return header->p_type == PT_LOAD && (header->p_flags & PF_X);
}

static int add_object(struct dl_phdr_info *info, size_t size, void *argument)
{
    (void)size;
    struct ndshm__functions *functions = argument;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (!is_code(header))
            continue;
        struct part *part = new_part(functions);
        if (!part) {
            functions->failed = true;
            return 1;
        }
        part->base = info->dlpi_addr;
        part->begin = info->dlpi_addr + header->p_vaddr;
        part->end = part->begin + header->p_memsz;
        part->name = checksum(info->dlpi_name);
    }
    return 0;
}

int ndshm__functions_snapshot(struct ndshm__functions **out)
{
    struct ndshm__functions *functions = ndshm__alloc(sizeof *functions);
    if (!functions)
        return ndshm__fail(-ENOMEM, "no memory for the list of loaded objects");
    dl_iterate_phdr(add_object, functions);
    if (functions->failed) {
        ndshm__functions_free(functions);
        return ndshm__fail(-ENOMEM, "no memory for the list of loaded objects");
    }
    *out = functions;
    return 0;
}

void ndshm__functions_free(struct ndshm__functions *functions)
{
    if (!functions)
        return;
    free(functions->parts);
    free(functions);
}

/* Finds which object loaded now holds an address. */
struct search {
    uintptr_t address;
    struct part found;
    unsigned long long adds, subs;
    bool only_count;
};

static int look_at_object(struct dl_phdr_info *info, size_t size, void *argument)
{
    (void)size;
    struct search *search = argument;
    search->adds = info->dlpi_adds;
    search->subs = info->dlpi_subs;
    if (search->only_count)
        return 1;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        uintptr_t begin = info->dlpi_addr + header->p_vaddr;
        if (!is_code(header) || search->address < begin ||
            search->address - begin >= header->p_memsz)
            continue;
        search->found.base = info->dlpi_addr;
        search->found.begin = begin;
        search->found.end = begin + header->p_memsz;
        search->found.name = checksum(info->dlpi_name);
        return 1;
    }
    return 0;
}

static int32_t find_part(const struct ndshm__functions *functions, const struct part *part)
{
    for (int32_t i = 0; i < functions->count; i++)
        if (memcmp(&functions->parts[i], part, offsetof(struct part, name) + sizeof part->name) ==
            0)
            return i;
    return -1;
}

/* Whether fn is the one looked for last, and no object came or went since. */
static bool is_known(const struct ndshm__functions *functions, ndshm_task_fn fn)
{
    struct search search = {.only_count = true};
    if (fn != functions->known)
        return false;
    dl_iterate_phdr(look_at_object, &search);
    return search.adds == functions->adds && search.subs == functions->subs;
}

int ndshm__functions_find(struct ndshm__functions *functions, ndshm_task_fn fn, int32_t *object,
                          int64_t *offset)
{
    if (!is_known(functions, fn)) {
        struct search search = {.address = (uintptr_t)fn};
        dl_iterate_phdr(look_at_object, &search);
        int32_t index = find_part(functions, &search.found);
        if (!search.found.end)
            return ndshm__fail(-EINVAL, "fn %p is not code of a loaded object",
                               (void *)search.address);
        if (index < 0)
            return ndshm__fail(-EINVAL,
                               "fn lies in an object that was loaded after the pool was opened, "
                               "so its workers do not have it; load first, then open");
        functions->known = fn;
        functions->known_object = index;
        functions->known_offset = (int64_t)((uintptr_t)fn - search.found.begin);
        functions->adds = search.adds;
        functions->subs = search.subs;
    }
    *object = functions->known_object;
    *offset = functions->known_offset;
    return 0;
}

ndshm_task_fn ndshm__functions_at(const struct ndshm__functions *functions, int32_t object,
                                  int64_t offset)
{
    if (object < 0 || object >= functions->count || offset < 0)
        return NULL;
    const struct part *part = &functions->parts[object];
    if ((uintptr_t)offset >= part->end - part->begin)
        return NULL;
    return (ndshm_task_fn)(part->begin + (uintptr_t)offset);
}

ndshm_task_fn ndshm__functions_named(const char *name)
{
    ndshm_task_fn fn;
    void *symbol = dlsym(RTLD_DEFAULT, name);
    memcpy(&fn, &symbol, sizeof fn); /* ISO C has no conversion */
    return fn;
}
