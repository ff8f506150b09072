/* SPDX-License-Identifier: MIT */
/* shm-inspect list: what there is, and who keeps it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include <ndshm/ndshm.h>

#include "command.h"
#include "options.h"
#include "print.h"
#include "select.h"
#include "table.h"

struct column {
    const char *name;
    int flags;
    bool usual; /* shown when nobody says which */
    void (*text)(const ndshm_info *info, bool exact, char *buffer);
    int64_t (*number)(const ndshm_info *info); /* to sort by; NULL: sorted by text */
};

static void text_name(const ndshm_info *info, bool exact, char *buffer)
{
    (void)exact;
    snprintf(buffer, PRINT_SIZE, "%s", info->name);
}

static void text_kind(const ndshm_info *info, bool exact, char *buffer)
{
    (void)exact;
    snprintf(buffer, PRINT_SIZE, "%s", print_kind(info->kind));
}

static void text_dtype(const ndshm_info *info, bool exact, char *buffer)
{
    (void)exact;
    if (!info->dtype || ndshm_dtype_typestr(info->dtype, buffer, PRINT_SIZE))
        buffer[0] = '\0';
}

/* "1000x5000"; "()" for a single element, as in NumPy. */
static void text_shape(const ndshm_info *info, bool exact, char *buffer)
{
    (void)exact;
    bool shaped = info->ndim > 0 && info->ndim <= NDSHM_MAX_NDIM;
    snprintf(buffer, PRINT_SIZE, "%s", info->dtype && info->ndim == 0 ? "()" : "");
    size_t used = 0;
    for (int i = 0; shaped && i < info->ndim; i++)
        used += (size_t)snprintf(buffer + used, PRINT_SIZE - used, "%s%" PRId64, i ? "x" : "",
                                 info->shape[i]);
}

static int64_t number_bytes(const ndshm_info *info)
{
    return info->bytes;
}

static void text_bytes(const ndshm_info *info, bool exact, char *buffer)
{
    print_bytes(info->bytes, exact, buffer);
}

static int64_t number_resident(const ndshm_info *info)
{
    return info->resident;
}

static void text_resident(const ndshm_info *info, bool exact, char *buffer)
{
    print_bytes(info->resident, exact, buffer);
}

static void text_lifetime(const ndshm_info *info, bool exact, char *buffer)
{
    (void)exact;
    snprintf(buffer, PRINT_SIZE, "%s", print_lifetime(info->lifetime));
}

static void text_pool(const ndshm_info *info, bool exact, char *buffer)
{
    (void)exact;
    snprintf(buffer, PRINT_SIZE, "%s", info->pool);
}

static void text_state(const ndshm_info *info, bool exact, char *buffer)
{
    (void)exact;
    snprintf(buffer, PRINT_SIZE, "%s", print_state(info->state));
}

static void text_owner(const ndshm_info *info, bool exact, char *buffer)
{
    (void)exact;
    print_user(info->uid, buffer);
}

/* Seconds; 0 for a segment from the future. */
static int64_t number_age(const ndshm_info *info)
{
    int64_t age = (int64_t)time(NULL) - info->created_ns / 1000000000;
    return age > 0 ? age : 0;
}

static void text_age(const ndshm_info *info, bool exact, char *buffer)
{
    if (!info->created_ns)
        buffer[0] = '\0';
    else if (exact)
        snprintf(buffer, PRINT_SIZE, "%" PRId64, number_age(info));
    else
        print_age(number_age(info), buffer);
}

static void text_label(const ndshm_info *info, bool exact, char *buffer)
{
    (void)exact;
    snprintf(buffer, PRINT_SIZE, "%s", info->label);
}

static void text_note(const ndshm_info *info, bool exact, char *buffer)
{
    (void)exact;
    snprintf(buffer, PRINT_SIZE, "%s", info->note);
}

static const struct column columns[] = {
    {"NAME", 0, true, text_name, NULL},
    {"KIND", 0, true, text_kind, NULL},
    {"DTYPE", 0, true, text_dtype, NULL},
    {"SHAPE", SCOLS_FL_RIGHT, true, text_shape, NULL},
    {"BYTES", SCOLS_FL_RIGHT, true, text_bytes, number_bytes},
    {"RESIDENT", SCOLS_FL_RIGHT, false, text_resident, number_resident},
    {"LIFETIME", 0, true, text_lifetime, NULL},
    {"POOL", 0, false, text_pool, NULL},
    {"STATE", 0, true, text_state, NULL},
    {"OWNER", 0, false, text_owner, NULL},
    {"AGE", SCOLS_FL_RIGHT, true, text_age, number_age},
    {"LABEL", 0, true, text_label, NULL},
    {"NOTE", SCOLS_FL_TRUNC, false, text_note, NULL},
};
enum { COLUMNS = sizeof columns / sizeof columns[0] };

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

static const struct column *find_column(const char *name, size_t length)
{
    for (int i = 0; i < COLUMNS; i++)
        if (strlen(columns[i].name) == length && strncasecmp(columns[i].name, name, length) == 0)
            return &columns[i];
    print_error("there is no column '%.*s'", (int)length, name);
    return NULL;
}

/* "NAME,STATE", each once. */
static int choose_columns(struct listing *listing, const char *text)
{
    for (const char *word = text; word; word = strchr(word, ',') ? strchr(word, ',') + 1 : NULL) {
        const struct column *column = find_column(word, strcspn(word, ","));
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
    listing->sort = find_column(text, strlen(text));
    return listing->sort ? 0 : -1;
}

static int choose_state(struct listing *listing, const char *word)
{
    listing->state = word ? print_find_state(word) : 0;
    if (!word || listing->state)
        return 0;
    print_error("there is no state '%s': in-use, idle, orphan, unproven, corrupt or foreign", word);
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

static const char *colour_of(const ndshm_info *info)
{
    static const char *const colours[] = {
        [NDSHM_STATE_IN_USE] = "green",     [NDSHM_STATE_ORPHAN] = "yellow",
        [NDSHM_STATE_UNPROVEN] = "magenta", [NDSHM_STATE_CORRUPT] = "red",
        [NDSHM_STATE_FOREIGN] = "cyan",
    };
    return info->state >= 0 && info->state <= NDSHM_STATE_FOREIGN ? colours[info->state] : NULL;
}

static void add_row(struct listing *listing, const ndshm_info *info)
{
    char text[PRINT_SIZE], key[2 * PRINT_SIZE];
    int64_t (*number)(const ndshm_info *info) = listing->sort->number;
    listing->sort->text(info, true, text);
    if (number)
        snprintf(text, sizeof text, "%020" PRId64, number(info));
    snprintf(key, sizeof key, "%s\n%s", text, info->name);
    table_row(&listing->table, key);
    for (int i = 0; i < listing->nshown; i++) {
        const struct column *column = listing->shown[i];
        column->text(info, listing->exact, text);
        table_cell(&listing->table, i, text, column->text == text_state ? colour_of(info) : NULL);
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

/* Numbers are numbers in JSON; ages are, once they are exact. */
static int print_listing(struct listing *listing)
{
    table_begin(&listing->table, &(struct table_style){.name = "segments",
                                                       .json = listing->json,
                                                       .raw = listing->raw,
                                                       .noheadings = listing->noheadings});
    for (int i = 0; i < listing->nshown; i++)
        table_column(&listing->table, listing->shown[i]->name, listing->shown[i]->flags,
                     listing->shown[i]->number ? SCOLS_JSON_NUMBER : SCOLS_JSON_STRING);
    int status = select_each(&listing->selection, visit, listing);
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
        {'s', "state", "STATE", "in-use, idle, orphan, unproven, corrupt or foreign", NULL, &state},
        {0},
    };
    int result;
    if (!options_parse(command, specs, argc, argv, &listing.selection.pattern, &result))
        return result;
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
