/* SPDX-License-Identifier: MIT */
/* shm-inspect unlink and keep: what a program can do by one call, from the shell. */
#include <stdio.h>

#include <ndshm/ndshm.h>

#include "command.h"
#include "options.h"
#include "print.h"

/* Every name is tried, whatever the others gave. */
static int each_name(const struct command *command, int argc, char **argv,
                     int (*action)(const char *name))
{
    const struct option_spec specs[] = {{0}};
    int result;
    char **names = options_parse(command, specs, argc, argv, &result);
    for (; names && *names; names++)
        if (action(*names)) {
            print_error("%s", ndshm_error_message());
            result = INSPECT_ERROR;
        }
    return result;
}

int unlink_run(const struct command *command, int argc, char **argv)
{
    return each_name(command, argc, argv, ndshm_unlink);
}

static int keep(const char *name)
{
    return ndshm_set_lifetime(name, NDSHM_PERSISTENT);
}

int keep_run(const struct command *command, int argc, char **argv)
{
    return each_name(command, argc, argv, keep);
}
