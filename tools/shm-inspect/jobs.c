/* SPDX-License-Identifier: MIT */
/* shm-inspect jobs and trace: what the pools of this machine work on. */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include <ndshm/ndshm.h>

#include "command.h"
#include "joblist.h"
#include "options.h"
#include "print.h"
#include "table.h"

enum { NAME, POOL, STATE, DONE, TASKS, FAILED, RUNNING, WORKERS, DEATHS, RATE };

static void add_number(struct table *table, int column, int64_t number)
{
    char text[PRINT_SIZE];
    snprintf(text, sizeof text, "%" PRId64, number);
    table_cell(table, column, text, NULL);
}

static void add_row(struct table *table, const struct joblist_row *row)
{
    const ndshm_progress *progress = &row->progress;
    table_row(table, NULL);
    table_cell(table, NAME, row->name, NULL);
    table_cell(table, POOL, row->pool, NULL);
    table_cell(table, STATE, progress->finished ? "finished" : "running",
               progress->finished ? NULL : "green");
    add_number(table, DONE, progress->done);
    add_number(table, TASKS, progress->count);
    add_number(table, FAILED, progress->failed);
    add_number(table, RUNNING, progress->running);
    add_number(table, WORKERS, progress->workers);
    add_number(table, DEATHS, progress->deaths);
    if (row->rate >= 0 && !progress->finished)
        add_number(table, RATE, (int64_t)(row->rate + 0.5));
}

static int print_jobs(const struct joblist *list, bool json)
{
    static const char *const numbers[] = {"DONE",    "TASKS",  "FAILED", "RUNNING",
                                          "WORKERS", "DEATHS", "RATE/s"};
    struct table table;
    int64_t failed = 0;
    table_begin(&table, &(struct table_style){.name = "jobs", .json = json});
    table_column(&table, "NAME", TABLE_TEXT, false);
    table_column(&table, "POOL", TABLE_TEXT, true);
    table_column(&table, "STATE", TABLE_TEXT, false);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        table_column(&table, json && i == 6 ? "RATE" : numbers[i], TABLE_NUMBER, false);
    for (int64_t i = 0; i < list->count; i++) {
        add_row(&table, &list->rows[i]);
        failed += list->rows[i].progress.failed;
    }
    if (table_finish(&table, false))
        return INSPECT_ERROR;
    return failed ? INSPECT_FINDINGS : INSPECT_FINE;
}

/* Two looks, a moment apart, for the rates. */
int jobs_run(const struct command *command, int argc, char **argv)
{
    enum { BETWEEN_US = 200000 };
    struct selection selection = {0};
    bool json = false;
    const struct option_spec specs[] = {
        {'J', "json", NULL, "print JSON", &json, NULL},
        {'p', "pool", "POOL", "only the jobs of this pool", NULL, &selection.pool},
        {0},
    };
    int result;
    char **operands = options_parse(command, specs, argc, argv, &result);
    if (!operands)
        return result;
    selection.pattern = operands[0];
    struct joblist before = joblist_take(&selection, NULL);
    if (before.count)
        usleep(BETWEEN_US);
    struct joblist list = joblist_take(&selection, &before);
    result = print_jobs(&list, json);
    joblist_free(&before);
    joblist_free(&list);
    return result;
}

int trace_run(const struct command *command, int argc, char **argv)
{
    const struct option_spec specs[] = {{0}};
    int result;
    char **operands = options_parse(command, specs, argc, argv, &result);
    if (!operands)
        return result;
    ndshm_job *job = NULL;
    int status = ndshm_job_attach(operands[0], &job);
    if (!status)
        status = ndshm_job_trace(job, operands[1]);
    if (status)
        print_error("%s", ndshm_error_message());
    ndshm_job_close(&job);
    return status ? INSPECT_ERROR : INSPECT_FINE;
}
