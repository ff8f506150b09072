/* SPDX-License-Identifier: MIT */
/* The commands and their exit statuses. */
#ifndef NDSHM_INSPECT_COMMAND_H
#define NDSHM_INSPECT_COMMAND_H

struct command {
    const char *name;
    const char *operands; /* for people */
    int least, most;      /* how many of them */
    const char *summary;
    int (*run)(const struct command *command, int argc, char **argv);
};

/* Where several apply, the highest. */
enum {
    INSPECT_FINE = 0,
    INSPECT_FINDINGS = 1, /* leaks, damage, failed tasks, limits that will hurt */
    INSPECT_USAGE = 2,
    INSPECT_ERROR = 3
};

/* A number of operands without an end. */
enum { INSPECT_ANY = 1000000 };

int check_run(const struct command *command, int argc, char **argv);
int clean_run(const struct command *command, int argc, char **argv);
int copy_run(const struct command *command, int argc, char **argv);
int doctor_run(const struct command *command, int argc, char **argv);
int export_run(const struct command *command, int argc, char **argv);
int import_run(const struct command *command, int argc, char **argv);
int jobs_run(const struct command *command, int argc, char **argv);
int keep_run(const struct command *command, int argc, char **argv);
int list_run(const struct command *command, int argc, char **argv);
int show_run(const struct command *command, int argc, char **argv);
int top_run(const struct command *command, int argc, char **argv);
int trace_run(const struct command *command, int argc, char **argv);
int unlink_run(const struct command *command, int argc, char **argv);
int who_run(const struct command *command, int argc, char **argv);

#endif
