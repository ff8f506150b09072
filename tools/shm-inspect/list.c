/* SPDX-License-Identifier: MIT */
/* shm-inspect list: what there is, and who keeps it. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <ndshm/ndshm.h>

#include "columns.h"
#include "command.h"
#include "options.h"
#include "print.h"
#include "select.h"

struct listing {
    struct table table;
    struct selection selection;
    const struct column *shown[COLUMNS];
    int nshown;
    const struct column *sort;
    bool descending;
    bool all, json, raw, exact, noheadings;
    int state, kind;
};

/* "NAME,STATE", each once. */
static int choose_columns(struct listing *listing, const char *text)
{
    for (const char *word = text; word; word = strchr(word, ',') ? strchr(word, ',') + 1 : NULL) {
        const struct column *column = columns_find(word, strcspn(word, ","));
        if (!column)
            return -1;
        for (int i = 0; i < listing->nshown; i++)
            if (listing->shown[i] == column) {
                print_error("column %s is asked for twice", column->name);
                return -1;
            }
        listing->shown[listing->nshown++] = column;
    }
    return 0;
}

static void choose_usual(struct listing *listing)
{
    for (int i = 0; i < COLUMNS; i++)
        if (columns[i].usual || listing->json)
            listing->shown[listing->nshown++] = &columns[i];
}

static int choose_sort(struct listing *listing, const char *text)
{
    listing->descending = text[0] == '-';
    text += listing->descending;
    listing->sort = columns_find(text, strlen(text));
    return listing->sort ? 0 : -1;
}

static int choose_state(struct listing *listing, const char *word)
{
    listing->state = word ? print_find_state(word) : 0;
    if (!word || listing->state)
        return 0;
    print_error("there is no state '%s': in-use, idle, orphan, unproven, corrupt, foreign or "
                "unlinked",
                word);
    return -1;
}

static int choose_kind(struct listing *listing, const char *word)
{
    listing->kind = word ? print_find_kind(word) : 0;
    if (!word || listing->kind)
        return 0;
    print_error("there is no kind '%s': array, frame, pool, job or reference", word);
    return -1;
}

static void add_row(struct listing *listing, const ndshm_info *info)
{
    char text[PRINT_SIZE], key[2 * PRINT_SIZE];
    table_row(&listing->table, columns_key(listing->sort, info, key));
    for (int i = 0; i < listing->nshown; i++) {
        const struct column *column = listing->shown[i];
        column->text(info, listing->exact, text);
        table_cell(&listing->table, i, text, columns_colour(column, info));
    }
}

static void visit(void *context, const ndshm_info *info)
{
    struct listing *listing = context;
    bool foreign = info->state == NDSHM_STATE_FOREIGN;
    if (listing->state && info->state != listing->state)
        return;
    if (listing->kind && info->kind != listing->kind)
        return;
    if (foreign && !listing->all && listing->state != NDSHM_STATE_FOREIGN)
        return;
    add_row(listing, info);
}

/* What has no name any more has no kind and no pool either. */
static bool wants_unlinked(const struct listing *listing)
{
    return !listing->kind && !listing->selection.pool &&
           (!listing->state || listing->state == PRINT_STATE_UNLINKED);
}

static int collect(struct listing *listing)
{
    int status = select_each(&listing->selection, visit, listing);
    if (!status && wants_unlinked(listing))
        status = select_each_unlinked(&listing->selection, visit, listing);
    return status;
}

static int print_listing(struct listing *listing)
{
    table_begin(&listing->table, &(struct table_style){.name = "segments",
                                                       .json = listing->json,
                                                       .raw = listing->raw,
                                                       .noheadings = listing->noheadings});
    for (int i = 0; i < listing->nshown; i++)
        table_column(&listing->table, listing->shown[i]->name, listing->shown[i]->type,
                     listing->shown[i]->cut);
    int status = collect(listing);
    if (table_finish(&listing->table, listing->descending) || status)
        return INSPECT_ERROR;
    if (listing->table.rows == 0 && isatty(STDOUT_FILENO) && !listing->json)
        fputs("no segments\n", stderr);
    return INSPECT_FINE;
}

int list_run(const struct command *command, int argc, char **argv)
{
    struct listing listing = {0};
    const char *state = NULL, *kind = NULL, *sort = "NAME", *output = NULL;
    const struct option_spec specs[] = {
        {'a', "all", NULL, "show foreign files, too", &listing.all, NULL},
        {'b', "bytes", NULL, "show sizes in bytes and ages in seconds", &listing.exact, NULL},
        {'J', "json", NULL, "print JSON, with all columns", &listing.json, NULL},
        {'k', "kind", "KIND", "array, frame, pool, job or reference", NULL, &kind},
        {'n', "noheadings", NULL, "print no headings", &listing.noheadings, NULL},
        {'o', "output", "COLUMNS", "show these columns, separated by commas", NULL, &output},
        {'p', "pool", "POOL", "only this pool and its members", NULL, &listing.selection.pool},
        {'r', "raw", NULL, "print fields separated by one space", &listing.raw, NULL},
        {'S', "sort", "[-]COLUMN", "sort by this column; with - downwards", NULL, &sort},
        {'s', "state", "STATE", "in-use, idle, orphan, unproven, corrupt, ...", NULL, &state},
        {0},
    };
    int result;
    char **operands = options_parse(command, specs, argc, argv, &result);
    if (!operands)
        return result;
    listing.selection.pattern = operands[0];
    if (listing.json && listing.raw) {
        print_error("--json and --raw exclude each other");
        return options_refuse(command);
    }
    if (choose_state(&listing, state) || choose_kind(&listing, kind) ||
        choose_sort(&listing, sort) || (output && choose_columns(&listing, output)))
        return options_refuse(command);
    if (!output)
        choose_usual(&listing);
    listing.exact |= listing.json;
    return print_listing(&listing);
}
