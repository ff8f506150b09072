/* SPDX-License-Identifier: MIT */
/* The commands and their exit statuses. */
#ifndef NDSHM_INSPECT_COMMAND_H
#define NDSHM_INSPECT_COMMAND_H

struct command {
    const char *name;
    const char *operands;
    const char *summary;
    int (*run)(const struct command *command, int argc, char **argv);
};

/* Where several apply, the highest. */
enum {
    INSPECT_FINE = 0,
    INSPECT_LEAKS = 1,    /* clean, dry run: segments that could be removed */
    INSPECT_UNPROVEN = 2, /* clean: segments without proof, or damaged */
    INSPECT_ERROR = 3
};

int clean_run(const struct command *command, int argc, char **argv);
int list_run(const struct command *command, int argc, char **argv);

#endif
