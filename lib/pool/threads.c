/* SPDX-License-Identifier: MIT */
#include "pool/threads.h"

#include <dlfcn.h>
#include <errno.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/os.h"
#include "base/os_spawn.h"

enum { FOUND_MAX = 64, VARIABLE_SIZE = 64 };

static const struct family {
    const char *set, *get;
    bool wide; /* numbers are of 64 bits */
} families[] = {
    {"MKL_Set_Num_Threads", "MKL_Get_Max_Threads", false},
    {"bli_thread_set_num_threads", "bli_thread_get_num_threads", true},
    {"omp_set_num_threads", "omp_get_max_threads", false},
    {"openblas_set_num_threads", "openblas_get_num_threads", false},
    {"openblas_set_num_threads64_", "openblas_get_num_threads64_", false},
    {"openblas_set_num_threads_64", "openblas_get_num_threads_64", false},
    {"scipy_openblas_set_num_threads", "scipy_openblas_get_num_threads", false},
    {"scipy_openblas_set_num_threads64_", "scipy_openblas_get_num_threads64_", false},
    {"scipy_openblas_set_num_threads_64", "scipy_openblas_get_num_threads_64", false},
};

static const char *const variables[] = {"BLIS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS",
                                        "OPENBLAS_NUM_THREADS"};

enum {
    FAMILIES = sizeof families / sizeof *families,
    VARIABLES = sizeof variables / sizeof *variables
};

struct found {
    void *set, *get;
    bool wide;
};

struct ndshm__threads {
    int most;
    int count;
    struct found found[FOUND_MAX];
    char own[VARIABLES][VARIABLE_SIZE]; /* "OMP_NUM_THREADS=1" */
    char **environment;
};

/* --- what is loaded --- */

struct names {
    char **name;
    int count, room;
    bool failed;
};

/* Only notes the name: looking symbols up takes locks that must not be taken in here. */
static int note_object(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size;
    struct names *names = context;
    if (names->count == names->room) {
        int room = names->room ? 2 * names->room : 64;
        char **more = ndshm__resize(names->name, (size_t)room * sizeof *more);
        if (!more)
            return names->failed = true;
        names->name = more;
        names->room = room;
    }
    names->name[names->count] = ndshm__duplicate(info->dlpi_name);
    if (!names->name[names->count])
        return names->failed = true;
    names->count++;
    return 0;
}

static void free_names(struct names *names)
{
    for (int i = 0; i < names->count; i++)
        free(names->name[i]);
    free(names->name);
}

static void add_found(struct ndshm__threads *threads, void *set, void *get, bool wide)
{
    for (int i = 0; i < threads->count; i++)
        if (threads->found[i].set == set)
            return;
    if (threads->count < FOUND_MAX)
        threads->found[threads->count++] = (struct found){set, get, wide};
}

/* The runtime of GCC does not survive a fork once it has started threads: a worker that asks for
 * more than one would wait for those of its parent for ever. */
static bool hangs_after_fork(void *object)
{
    return dlsym(object, "GOMP_parallel") && !dlsym(object, "__kmpc_fork_call") &&
           ndshm__os_thread_count() != 1;
}

static void look_into(struct ndshm__threads *threads, const char *name)
{
    void *object = dlopen(*name ? name : NULL, RTLD_LAZY | RTLD_NOLOAD);
    if (!object)
        return;
    for (int i = 0; i < FAMILIES; i++) {
        void *set = dlsym(object, families[i].set), *get = dlsym(object, families[i].get);
        if (set && get)
            add_found(threads, set, get, families[i].wide);
        if (set && strcmp(families[i].set, "omp_set_num_threads") == 0 && hangs_after_fork(object))
            threads->most = 1;
    }
    dlclose(object);
}

static int find_libraries(struct ndshm__threads *threads)
{
    struct names names = {0};
    dl_iterate_phdr(note_object, &names);
    for (int i = 0; !names.failed && i < names.count; i++)
        look_into(threads, names.name[i]);
    free_names(&names);
    return names.failed ? -ENOMEM : 0;
}

/* --- what will be loaded --- */

/* A variable that the user has set lower stays. */
static bool is_ours(const struct ndshm__threads *threads, const char *variable)
{
    for (int i = 0; i < VARIABLES; i++) {
        size_t length = strlen(variables[i]);
        if (strncmp(variable, variables[i], length) != 0 || variable[length] != '=')
            continue;
        long value = strtol(variable + length + 1, NULL, 10);
        return value < 1 || value > threads->most;
    }
    return false;
}

/* Behind a copy of the variables that stay, those of ours that are not among them. */
static int write_environment(struct ndshm__threads *threads)
{
    char **now = ndshm__os_environment();
    size_t count = 0, kept = 0;
    while (now && now[count])
        count++;
    threads->environment = ndshm__alloc((count + VARIABLES + 1) * sizeof *now);
    if (!threads->environment)
        return -ENOMEM;
    for (size_t i = 0; i < count && now[i]; i++)
        if (!is_ours(threads, now[i]))
            threads->environment[kept++] = now[i];
    count = kept;
    for (int i = 0; i < VARIABLES; i++) {
        int length = snprintf(threads->own[i], VARIABLE_SIZE, "%s=%d", variables[i], threads->most);
        bool lower = false;
        for (size_t j = 0; j < count; j++)
            lower |= strncmp(threads->environment[j], threads->own[i],
                             strcspn(threads->own[i], "=") + 1) == 0;
        if (!lower && length < VARIABLE_SIZE)
            threads->environment[kept++] = threads->own[i];
    }
    return 0;
}

/* --- the three steps --- */

int ndshm__threads_prepare(int most, struct ndshm__threads **out)
{
    struct ndshm__threads *threads = ndshm__alloc(sizeof *threads);
    int status = threads ? 0 : -ENOMEM;
    if (!status) {
        threads->most = most;
        status = find_libraries(threads);
    }
    if (!status)
        status = write_environment(threads);
    if (status) {
        ndshm__threads_free(threads);
        return ndshm__fail(status, "no memory for the list of libraries that use threads");
    }
    *out = threads;
    return 0;
}

static void call_wide(const struct found *found, int most)
{
    int64_t (*get)(void);
    void (*set)(int64_t);
    memcpy(&get, &found->get, sizeof get); /* ISO C has no conversion */
    memcpy(&set, &found->set, sizeof set);
    if (get() > most)
        set(most);
}

static void call_narrow(const struct found *found, int most)
{
    int (*get)(void);
    void (*set)(int);
    memcpy(&get, &found->get, sizeof get);
    memcpy(&set, &found->set, sizeof set);
    if (get() > most)
        set(most);
}

void ndshm__threads_apply(const struct ndshm__threads *threads)
{
    if (!threads)
        return;
    ndshm__os_set_environment(threads->environment);
    for (int i = 0; i < threads->count; i++)
        (threads->found[i].wide ? call_wide : call_narrow)(&threads->found[i], threads->most);
}

void ndshm__threads_free(struct ndshm__threads *threads)
{
    if (!threads)
        return;
    free(threads->environment);
    free(threads);
}
