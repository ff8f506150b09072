/* SPDX-License-Identifier: MIT */
/* shm-inspect who: which processes map a segment. For people: nothing is decided by it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include <ndshm/ndshm.h>

#include "command.h"
#include "options.h"
#include "print.h"
#include "table.h"

enum { PID, COMMAND, OWNER, ACCESS, BYTES, PSS, NAME };

struct looking {
    struct table table;
    bool json, exact, unlinked, everything;
};

static const char *word_of_access(int access)
{
    return access == NDSHM_WRITE ? "write" : access == NDSHM_COW ? "copy" : "read";
}

static void add_row(struct looking *looking, const ndshm_user *user)
{
    struct table *table = &looking->table;
    char text[PRINT_SIZE], key[96];
    snprintf(key, sizeof key, "%020" PRId64 " %020" PRIu64, user->pid, user->inode);
    table_row(table, key);
    snprintf(text, sizeof text, "%" PRId64, user->pid);
    table_cell(table, PID, text, NULL);
    table_cell(table, COMMAND, user->command, NULL);
    print_user(user->uid, text);
    table_cell(table, OWNER, text, NULL);
    table_cell(table, ACCESS, word_of_access(user->access), NULL);
    print_bytes(user->bytes, looking->exact, text);
    table_cell(table, BYTES, text, NULL);
    text[0] = '\0';
    if (user->pss >= 0)
        print_bytes(user->pss, looking->exact, text);
    table_cell(table, PSS, text, NULL);
    if (looking->everything)
        table_cell(table, NAME, user->name, user->linked ? NULL : "yellow");
}

static void begin(struct looking *looking)
{
    struct table *table = &looking->table;
    table_begin(table, &(struct table_style){.name = "users", .json = looking->json});
    table_column(table, "PID", TABLE_NUMBER, false);
    table_column(table, "COMMAND", TABLE_TEXT, false);
    table_column(table, "OWNER", TABLE_TEXT, false);
    table_column(table, "ACCESS", TABLE_TEXT, false);
    table_column(table, "BYTES", TABLE_NUMBER, false);
    table_column(table, "PSS", TABLE_NUMBER, false);
    if (looking->everything)
        table_column(table, "NAME", TABLE_TEXT, false);
}

/* What was looked at cannot be everything: say so. */
static void explain(const struct looking *looking, int64_t hidden)
{
    if (hidden)
        fprintf(stderr, "%" PRId64 " process%s could not be looked at\n", hidden,
                hidden == 1 ? "" : "es");
    if (!looking->json)
        puts("Best effort: processes in other pid namespaces are not seen.");
}

static int look(struct looking *looking, const char *name)
{
    ndshm_users *users;
    ndshm_user user;
    int status = ndshm_users_open(name, &users);
    if (status) {
        print_error("%s", ndshm_error_message());
        return INSPECT_ERROR;
    }
    begin(looking);
    while ((status = ndshm_users_next(users, &user)) == 0)
        if (!looking->unlinked || !user.linked)
            add_row(looking, &user);
    if (status != -ENOENT)
        print_error("%s", ndshm_error_message());
    int64_t hidden = ndshm_users_hidden(users);
    ndshm_users_close(&users);
    if (table_finish(&looking->table, false) || status != -ENOENT)
        return INSPECT_ERROR;
    explain(looking, hidden);
    return INSPECT_FINE;
}

int who_run(const struct command *command, int argc, char **argv)
{
    struct looking looking = {0};
    const struct option_spec specs[] = {
        {'b', "bytes", NULL, "show sizes in bytes", &looking.exact, NULL},
        {'J', "json", NULL, "print JSON", &looking.json, NULL},
        {'u', "unlinked", NULL, "only of what has no name (any more)", &looking.unlinked, NULL},
        {0},
    };
    int result;
    char **operands = options_parse(command, specs, argc, argv, &result);
    if (!operands)
        return result;
    if (operands[0] && looking.unlinked) {
        print_error("what has a name is not unlinked");
        return options_refuse(command);
    }
    looking.everything = !operands[0];
    looking.exact |= looking.json;
    return look(&looking, operands[0]);
}
