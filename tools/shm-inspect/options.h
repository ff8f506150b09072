/* SPDX-License-Identifier: MIT */
/* A command's options as a table, from which parsing and help are made. */
#ifndef NDSHM_INSPECT_OPTIONS_H
#define NDSHM_INSPECT_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "command.h"

struct option_spec {
    char letter; /* 0: none */
    const char *name;
    const char *argument; /* NULL: a switch */
    const char *help;
    bool *on;          /* what a switch sets */
    const char **text; /* what an argument goes into */
};

/* Fills what specs (up to the first without a name) point to. Returns the operands, NULL behind the
 * last one; or NULL when the command is not to go on: *result is then its exit status. */
char **options_parse(const struct command *command, const struct option_spec *specs, int argc,
                     char **argv, int *result);

/* The value of an option that is a whole number from least to most; false with a message. */
bool options_number(const char *name, const char *text, int64_t least, int64_t most, int64_t *out);

/* Says on standard error how the command is used; returns INSPECT_USAGE. */
int options_refuse(const struct command *command);

#endif
