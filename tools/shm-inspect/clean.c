/* SPDX-License-Identifier: MIT */
/* shm-inspect clean: removes what is proven dead, and says why the rest stays. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <ndshm/ndshm.h>

#include "command.h"
#include "options.h"
#include "print.h"
#include "select.h"
#include "table.h"

enum { NAME, DECISION, BYTES, REASON, POOL, EVIDENCE };

struct cleaning {
    struct table table;
    struct selection selection;
    ndshm_reap_config config;
    bool force, json, exact, verbose;
    pthread_mutex_t mutex; /* of all that follows */
    bool pools;            /* the second round: pools, after their members */
    bool pools_seen;       /* the second round is needed */
    int64_t gone, gone_bytes, kept;
    int result;
};

static void worsen(struct cleaning *cleaning, int result)
{
    if (result > cleaning->result)
        cleaning->result = result;
}

static void append(char *buffer, const char *step, const char *outcome)
{
    size_t used = strlen(buffer);
    snprintf(buffer + used, PRINT_SIZE - used, "%s%s: %s", used ? "\n" : "", step, outcome);
}

/* A line for each step up to the one that decided. */
static void text_evidence(const ndshm_reap_report *report, char *buffer)
{
    static const char *const outcomes[] = {"refused", "not taken", "held"};
    int last = NDSHM_STEPS - 1;
    while (last >= 0 && report->evidence[last] == 0)
        last--;
    buffer[0] = '\0';
    for (int step = 0; step <= last; step++)
        append(buffer, ndshm_reap_step_name(step), outcomes[report->evidence[step] + 1]);
}

static const char *colour_of(int decision)
{
    switch (decision) {
    case NDSHM_REAP_REMOVED:
    case NDSHM_REAP_REMOVABLE:
        return "yellow";
    case NDSHM_REAP_UNPROVEN:
        return "magenta";
    case NDSHM_REAP_CORRUPT:
        return "red";
    default:
        return NULL;
    }
}

static void add_row(struct cleaning *cleaning, const ndshm_info *info,
                    const ndshm_reap_report *report)
{
    char text[PRINT_SIZE];
    struct table *table = &cleaning->table;
    table_row(table, info->name);
    table_cell(table, NAME, info->name, NULL);
    table_cell(table, DECISION, print_decision(report->decision), colour_of(report->decision));
    print_bytes(report->bytes, cleaning->exact, text);
    table_cell(table, BYTES, text, NULL);
    table_cell(table, REASON, report->message, NULL);
    if (!cleaning->verbose)
        return;
    table_cell(table, POOL, info->pool, NULL);
    text_evidence(report, text);
    table_cell(table, EVIDENCE, text, NULL);
}

static void count(struct cleaning *cleaning, const ndshm_reap_report *report)
{
    switch (report->decision) {
    case NDSHM_REAP_REMOVABLE:
        worsen(cleaning, INSPECT_FINDINGS);
        /* fall through */
    case NDSHM_REAP_REMOVED:
        cleaning->gone++;
        cleaning->gone_bytes += report->bytes;
        break;
    case NDSHM_REAP_UNPROVEN:
    case NDSHM_REAP_CORRUPT:
        worsen(cleaning, INSPECT_FINDINGS);
        /* fall through */
    default:
        cleaning->kept++;
    }
}

/* Not a segment: nothing is even tried. */
static void visit_foreign(struct cleaning *cleaning, const ndshm_info *info)
{
    ndshm_reap_report report = {.decision = NDSHM_REAP_FOREIGN, .bytes = info->resident};
    snprintf(report.message, sizeof report.message, "%s", info->note);
    if (cleaning->verbose)
        add_row(cleaning, info, &report);
}

static void decide(struct cleaning *cleaning, const ndshm_info *info, int status,
                   const ndshm_reap_report *report)
{
    if (status == -ENOENT) /* somebody else was faster */
        return;
    if (status) {
        print_error("%s", ndshm_error_message());
        worsen(cleaning, INSPECT_ERROR);
        return;
    }
    count(cleaning, report);
    add_row(cleaning, info, report);
}

/* Two proofs at the same moment can refuse each other: what nobody used a moment ago is tried
 * again. */
static int reap(const struct cleaning *cleaning, const ndshm_info *info, ndshm_reap_report *report)
{
    int status;
    for (int i = 0;; i++) {
        status = ndshm_reap(info->name, &cleaning->config, report);
        if (status || report->decision != NDSHM_REAP_IN_USE || info->state != NDSHM_STATE_ORPHAN ||
            i == 5)
            return status;
        usleep(1000u << i);
    }
}

static void visit(void *context, const ndshm_info *info)
{
    struct cleaning *cleaning = context;
    ndshm_reap_report report;
    bool pool = info->kind == NDSHM_KIND_POOL, foreign = info->state == NDSHM_STATE_FOREIGN;
    int status = 0;
    if (!foreign && pool == cleaning->pools)
        status = reap(cleaning, info, &report);
    pthread_mutex_lock(&cleaning->mutex);
    cleaning->pools_seen |= pool;
    if (foreign && !cleaning->pools)
        visit_foreign(cleaning, info);
    else if (!foreign && pool == cleaning->pools)
        decide(cleaning, info, status, &report);
    pthread_mutex_unlock(&cleaning->mutex);
}

static void summarise(const struct cleaning *cleaning)
{
    char bytes[PRINT_SIZE];
    print_bytes(cleaning->gone_bytes, cleaning->exact, bytes);
    printf("%lld segment%s (%s) %s, %lld kept%s\n", (long long)cleaning->gone,
           cleaning->gone == 1 ? "" : "s", bytes, cleaning->force ? "removed" : "removable",
           (long long)cleaning->kept,
           cleaning->gone && !cleaning->force ? "; --force removes" : "");
}

static int clean(struct cleaning *cleaning)
{
    struct table *table = &cleaning->table;
    table_begin(table, &(struct table_style){.name = "decisions", .json = cleaning->json});
    table_column(table, "NAME", TABLE_TEXT, false);
    table_column(table, "DECISION", TABLE_TEXT, false);
    table_column(table, "BYTES", TABLE_NUMBER, false);
    table_column(table, "REASON", TABLE_TEXT, false);
    if (cleaning->verbose) {
        table_column(table, "POOL", TABLE_TEXT, false);
        table_column(table, "EVIDENCE", TABLE_LINES, false);
    }
    if (select_each_at_once(&cleaning->selection, visit, cleaning))
        worsen(cleaning, INSPECT_ERROR);
    cleaning->pools = true;
    if (cleaning->pools_seen && select_each_at_once(&cleaning->selection, visit, cleaning))
        worsen(cleaning, INSPECT_ERROR);
    if (table_finish(table, false))
        worsen(cleaning, INSPECT_ERROR);
    if (!cleaning->json)
        summarise(cleaning);
    return cleaning->result;
}

int clean_run(const struct command *command, int argc, char **argv)
{
    struct cleaning cleaning = {.mutex = PTHREAD_MUTEX_INITIALIZER};
    bool lock_only = false, all_users = false, corrupt = false;
    const char *older = NULL;
    const struct option_spec specs[] = {
        {0, "accept-lock-only", NULL, "where no lease is to be had, accept the locks alone",
         &lock_only, NULL},
        {0, "all-users", NULL, "as root: segments of other users, too", &all_users, NULL},
        {'b', "bytes", NULL, "show sizes in bytes", &cleaning.exact, NULL},
        {0, "corrupt", NULL, "accept that the one of this exact name is damaged", &corrupt, NULL},
        {'f', "force", NULL, "remove; without it, only say what would be removed", &cleaning.force,
         NULL},
        {'J', "json", NULL, "print JSON, with the evidence", &cleaning.json, NULL},
        {0, "older-than", "SECONDS", "only what was made before that", NULL, &older},
        {'p', "pool", "POOL", "only this pool and its members", NULL, &cleaning.selection.pool},
        {'v', "verbose", NULL, "show the evidence, and foreign files", &cleaning.verbose, NULL},
        {0},
    };
    int result;
    char **operands = options_parse(command, specs, argc, argv, &result);
    if (!operands)
        return result;
    struct selection *selection = &cleaning.selection;
    selection->pattern = operands[0];
    if (older && !options_number("older-than", older, 1, INT32_MAX, &selection->older_than))
        return options_refuse(command);
    if (all_users && geteuid() != 0) {
        print_error("--all-users is for root");
        return options_refuse(command);
    }
    if (corrupt && (!operands[0] || strpbrk(operands[0], "*?[\\"))) {
        print_error("--corrupt needs the exact name of one segment");
        return options_refuse(command);
    }
    ndshm_reap_config_init(&cleaning.config);
    cleaning.config.flags = (cleaning.force ? 0u : NDSHM_REAP_DRY_RUN) |
                            (lock_only ? NDSHM_REAP_ACCEPT_LOCK_ONLY : 0u) |
                            (all_users ? NDSHM_REAP_OTHER_USERS : 0u) |
                            (corrupt ? NDSHM_REAP_ACCEPT_CORRUPT : 0u);
    cleaning.verbose |= cleaning.json;
    cleaning.exact |= cleaning.json;
    return clean(&cleaning);
}
