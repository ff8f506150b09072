/* SPDX-License-Identifier: MIT */
/* shm-inspect check: everything that is wrong with a segment, and with what it holds. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <ndshm/ndshm.h>

#include "command.h"
#include "options.h"
#include "print.h"
#include "select.h"
#include "table.h"

enum { NAME, CHECK, RESULT, FINDING };

struct checking {
    struct table table;
    bool json, verbose;
    int64_t segments, findings;
    int result;
};

/* found as in ndshm_check_report. */
static void add_row(struct checking *checking, const char *name, const char *check, int found,
                    const char *message)
{
    static const char *const words[] = {"unsound", "skipped", "sound"};
    static const char *const colours[] = {"red", "yellow", "green"};
    checking->findings += found < 0;
    if (found >= 0 && !checking->verbose)
        return;
    table_row(&checking->table, NULL);
    table_cell(&checking->table, NAME, name, NULL);
    table_cell(&checking->table, CHECK, check, NULL);
    table_cell(&checking->table, RESULT, words[found + 1], colours[found + 1]);
    table_cell(&checking->table, FINDING, message, NULL);
}

static void fail(struct checking *checking)
{
    print_error("%s", ndshm_error_message());
    checking->result = INSPECT_ERROR;
}

/* 0 when what an array or frame holds is sound; other kinds are the library's own affair. */
static int check_content(const char *name, int kind)
{
    ndshm_array *array = NULL;
    ndshm_frame *frame = NULL;
    int status = 0;
    if (kind == NDSHM_KIND_ARRAY)
        status = ndshm_array_attach(name, NDSHM_READ | NDSHM_FOREIGN, &array);
    if (kind == NDSHM_KIND_FRAME)
        status = ndshm_frame_attach(name, NDSHM_READ | NDSHM_FOREIGN, &frame);
    if (frame)
        status = ndshm_frame_validate(frame);
    ndshm_array_detach(&array);
    ndshm_frame_detach(&frame);
    return status;
}

static void add_content(struct checking *checking, const char *name, bool sound)
{
    ndshm_info info;
    if (!sound) {
        add_row(checking, name, "content", 0, "not read: the segment is not sound");
        return;
    }
    if (ndshm_inspect(name, &info))
        return; /* it is gone by now */
    int status = check_content(name, info.kind);
    if (status != -ENOENT)
        add_row(checking, name, "content", status ? -1 : 1, status ? ndshm_error_message() : "");
}

static int check(struct checking *checking, const char *name)
{
    ndshm_check_report report;
    int status = ndshm_check(name, &report);
    if (status)
        return status;
    bool sound = true;
    checking->segments++;
    for (int i = 0; i < NDSHM_CHECKS; i++) {
        add_row(checking, name, ndshm_check_name(i), report.found[i], report.message[i]);
        sound &= report.found[i] > 0 || i == NDSHM_CHECK_OWNER || i == NDSHM_CHECK_POOL;
    }
    add_content(checking, name, sound);
    return 0;
}

static void visit(void *context, const ndshm_info *info)
{
    struct checking *checking = context;
    if (info->state == NDSHM_STATE_FOREIGN)
        return;
    int status = check(checking, info->name);
    if (status && status != -ENOENT)
        fail(checking);
}

static void summarise(const struct checking *checking)
{
    printf("%" PRId64 " segment%s checked, %" PRId64 " finding%s\n", checking->segments,
           checking->segments == 1 ? "" : "s", checking->findings,
           checking->findings == 1 ? "" : "s");
}

int check_run(const struct command *command, int argc, char **argv)
{
    struct checking checking = {0};
    const struct option_spec specs[] = {
        {'J', "json", NULL, "print JSON", &checking.json, NULL},
        {'v', "verbose", NULL, "show also what is sound", &checking.verbose, NULL},
        {0},
    };
    int result;
    char **names = options_parse(command, specs, argc, argv, &result);
    if (!names)
        return result;
    table_begin(&checking.table, &(struct table_style){.name = "findings", .json = checking.json});
    table_column(&checking.table, "NAME", TABLE_TEXT, false);
    table_column(&checking.table, "CHECK", TABLE_TEXT, false);
    table_column(&checking.table, "RESULT", TABLE_TEXT, false);
    table_column(&checking.table, "FINDING", TABLE_TEXT, false);
    if (!*names && select_each(&(struct selection){0}, visit, &checking))
        checking.result = INSPECT_ERROR;
    for (; *names; names++)
        if (check(&checking, *names))
            fail(&checking);
    if (table_finish(&checking.table, false))
        return INSPECT_ERROR;
    if (!checking.json)
        summarise(&checking);
    return checking.result ? checking.result : checking.findings ? INSPECT_FINDINGS : INSPECT_FINE;
}
