/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "print.h"

enum { SPECS_MAX = 24, HELP = 'h', LONG_ONLY = 256 };

static void usage_line(FILE *stream, const struct command *command)
{
    fprintf(stream, "Usage: shm-inspect %s [OPTION...] %s\n", command->name, command->operands);
}

static void help_line(const struct option_spec *spec)
{
    char left[48], letter[8] = "   ";
    if (spec->letter)
        snprintf(letter, sizeof letter, "-%c,", spec->letter);
    snprintf(left, sizeof left, "%s --%s%s%s", letter, spec->name, spec->argument ? "=" : "",
             spec->argument ? spec->argument : "");
    printf("  %-23s %s\n", left, spec->help);
}

static void help(const struct command *command, const struct option_spec *specs)
{
    usage_line(stdout, command);
    printf("%s: %s.\n\nOptions:\n", command->name, command->summary);
    for (const struct option_spec *spec = specs; spec->name; spec++)
        help_line(spec);
    help_line(&(struct option_spec){.letter = HELP, .name = "help", .help = "show this help"});
}

int options_refuse(const struct command *command)
{
    usage_line(stderr, command);
    fprintf(stderr, "'shm-inspect %s --help' explains the options.\n", command->name);
    return INSPECT_USAGE;
}

/* The same table in the form that getopt_long reads; value of entry i: its letter, or LONG_ONLY +
 * i. */
static void translate(const struct option_spec *specs, struct option *longs, char *letters)
{
    int i = 0;
    for (; specs[i].name && i < SPECS_MAX; i++) {
        longs[i] = (struct option){.name = specs[i].name,
                                   .has_arg = specs[i].argument != NULL,
                                   .val = specs[i].letter ? specs[i].letter : LONG_ONLY + i};
        if (specs[i].letter)
            *letters++ = specs[i].letter;
        if (specs[i].letter && specs[i].argument)
            *letters++ = ':';
    }
    longs[i++] = (struct option){.name = "help", .val = HELP};
    longs[i] = (struct option){0};
    *letters++ = HELP;
    *letters = '\0';
}

static void apply(const struct option_spec *specs, int value)
{
    for (int i = 0; specs[i].name; i++) {
        if (value != specs[i].letter && value != LONG_ONLY + i)
            continue;
        if (specs[i].argument)
            *specs[i].text = optarg;
        else
            *specs[i].on = true;
        return;
    }
}

static bool check_operands(const struct command *command, int count)
{
    if (count > command->most) {
        print_error("%s", command->most == 0 ? "no operand is taken"
                          : command->most == 1
                              ? "one operand at most: quote a pattern, so that the "
                                "shell leaves it alone"
                              : "too many operands");
        return false;
    }
    if (count < command->least)
        print_error("%s is missing", command->operands);
    return count >= command->least;
}

bool options_number(const char *name, const char *text, int64_t least, int64_t most, int64_t *out)
{
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno || end == text || *end || value < least || value > most) {
        print_error("--%s is '%s', not a number from %" PRId64 " to %" PRId64, name, text, least,
                    most);
        return false;
    }
    *out = value;
    return true;
}

char **options_parse(const struct command *command, const struct option_spec *specs, int argc,
                     char **argv, int *result)
{
    struct option longs[SPECS_MAX + 2];
    char letters[2 * SPECS_MAX + 2], program[64];
    snprintf(program, sizeof program, "shm-inspect %s", command->name);
    argv[0] = program; /* getopt's messages begin with it */
    translate(specs, longs, letters);
    *result = INSPECT_FINE;
    int value;
    while ((value = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
        if (value == HELP) {
            help(command, specs);
            return NULL;
        }
        if (value == '?') {
            *result = options_refuse(command);
            return NULL;
        }
        apply(specs, value);
    }
    if (!check_operands(command, argc - optind)) {
        *result = options_refuse(command);
        return NULL;
    }
    return argv + optind;
}
