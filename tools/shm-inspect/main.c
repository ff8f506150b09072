/* SPDX-License-Identifier: MIT */
/* shm-inspect: sees what is in shared memory, and removes what is proven dead. */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <ndshm/ndshm.h>

#include "command.h"
#include "print.h"

static const struct command commands[] = {
    {"check", "[NAME...]", 0, INSPECT_ANY, "look for damage in segments and in what they hold",
     check_run},
    {"clean", "[PATTERN]", 0, 1, "remove what nobody uses, as far as the kernel proves it",
     clean_run},
    {"copy", "FROM TO", 2, 2, "copy a segment, or a slice of one, under another name", copy_run},
    {"doctor", "", 0, 0, "show what the machine gives to shared memory, and what will hurt",
     doctor_run},
    {"export", "NAME FILE", 2, 2, "write an array or a frame into a file", export_run},
    {"import", "FILE NAME", 2, 2, "read a file into a segment, which is persistent", import_run},
    {"jobs", "[PATTERN]", 0, 1, "show what the pools work on, and how fast", jobs_run},
    {"keep", "NAME...", 1, INSPECT_ANY, "make segments persistent: only unlinking removes them",
     keep_run},
    {"list", "[PATTERN]", 0, 1, "show segments and who keeps them", list_run},
    {"show", "NAME", 1, 1, "show all about a segment, and the first rows of what it holds",
     show_run},
#ifdef INSPECT_TOP
    {"top", "[PATTERN]", 0, 1, "show segments on a screen that follows them", top_run},
#endif
    {"trace", "JOB FILE", 2, 2, "write what a job's tasks did for a trace viewer", trace_run},
    {"unlink", "NAME...", 1, INSPECT_ANY, "remove names at once, whoever uses the segments",
     unlink_run},
    {"who", "[NAME]", 0, 1, "show the processes that map a segment, or any", who_run},
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

static void usage(FILE *stream)
{
    fputs("Usage: shm-inspect COMMAND [OPTION...]\n"
          "Shows and cleans up arrays and data frames in shared memory.\n\nCommands:\n",
          stream);
    for (int i = 0; i < COMMANDS; i++)
        fprintf(stream, "  %-8s %s\n", commands[i].name, commands[i].summary);
    fputs("\nOptions:\n"
          "  -h, --help     show this help; COMMAND --help shows that of a command\n"
          "  -V, --version  show the versions of the tool and of the library\n",
          stream);
}

static int version(void)
{
    printf("shm-inspect %s (library %s)\n", NDSHM_VERSION, ndshm_version());
    return INSPECT_FINE;
}

static int run(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "";
    if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0) {
        usage(stdout);
        return INSPECT_FINE;
    }
    if (strcmp(word, "-V") == 0 || strcmp(word, "--version") == 0)
        return version();
    for (int i = 0; i < COMMANDS; i++)
        if (strcmp(word, commands[i].name) == 0)
            return commands[i].run(&commands[i], argc - 1, argv + 1);
    if (argc > 1)
        print_error("there is no command '%s'", word);
    usage(stderr);
    return INSPECT_USAGE;
}

/* A closed standard descriptor would become the number of a file that is opened later: output must
 * not go into a segment. */
static int reserve_descriptors(void)
{
    if (fcntl(STDOUT_FILENO, F_GETFD) < 0) {
        print_error("the standard output is closed");
        return -1;
    }
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO)
        close(fd);
    return 0;
}

int main(int argc, char **argv)
{
    if (reserve_descriptors())
        return INSPECT_ERROR;
    setlocale(LC_ALL, "");
    int result = run(argc, argv);
    if (fflush(stdout) || ferror(stdout)) {
        print_error("the output cannot be written: %s", strerror(errno));
        return INSPECT_ERROR;
    }
    return result;
}
