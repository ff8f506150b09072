/* SPDX-License-Identifier: MIT */
/* A command's options as a table, from which parsing and help are made. */
#ifndef NDSHM_INSPECT_OPTIONS_H
#define NDSHM_INSPECT_OPTIONS_H

#include <stdbool.h>

#include "command.h"

struct option_spec {
    char letter; /* 0: none */
    const char *name;
    const char *argument; /* NULL: a switch */
    const char *help;
    bool *on;          /* what a switch sets */
    const char **text; /* what an argument goes into */
};

/* Fills what specs (up to the first without a name) point to, and *operand with the one operand or
 * NULL. Returns true when the command is to go on; otherwise *result is its exit status. */
bool options_parse(const struct command *command, const struct option_spec *specs, int argc,
                   char **argv, const char **operand, int *result);

/* Says on standard error how the command is used; returns INSPECT_ERROR. */
int options_refuse(const struct command *command);

#endif
