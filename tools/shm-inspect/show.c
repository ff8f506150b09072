/* SPDX-License-Identifier: MIT */
/* shm-inspect show: everything about one segment, and the first rows of what it holds. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <ndshm/ndshm.h>

#include "columns.h"
#include "command.h"
#include "options.h"
#include "print.h"
#include "show.h"

struct showing {
    bool json;
    int64_t head;
    struct json_object *document; /* json */
};

/* Prints a table of its own, or adds it to the document. */
static int finish(struct showing *showing, struct table *table)
{
    if (showing->json) {
        struct json_object *rows = table_take(table);
        json_object_object_add(showing->document, table->style.name, rows);
        return rows ? 0 : -1;
    }
    if (table->rows)
        putchar('\n');
    return table_finish(table, false);
}

/* What stands in the header, and when it is no column of list. */
struct fact {
    const char *name;
    enum table_type type;
    char text[PRINT_SIZE];
};
enum { FACTS = COLUMNS + 5 };

static void text_uuid(const ndshm_info *info, char *buffer)
{
    for (int i = 0; i < 16; i++)
        snprintf(buffer + 2 * i, PRINT_SIZE - 2 * (size_t)i, "%02x", info->uuid[i]);
}

static void text_created(const ndshm_info *info, char *buffer)
{
    time_t seconds = (time_t)(info->created_ns / 1000000000);
    struct tm parts;
    buffer[0] = '\0';
    if (info->created_ns && gmtime_r(&seconds, &parts))
        strftime(buffer, PRINT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

static void collect_facts(const ndshm_info *info, struct fact facts[FACTS])
{
    struct fact *fact = facts;
    for (int i = 0; i < COLUMNS; i++, fact++) {
        *fact = (struct fact){columns[i].name, columns[i].type, ""};
        columns[i].text(info, true, fact->text);
    }
    *fact = (struct fact){"MODE", TABLE_TEXT, ""};
    snprintf(fact++->text, PRINT_SIZE, "%04o", info->mode);
    *fact = (struct fact){"PAYLOAD", TABLE_NUMBER, ""};
    snprintf(fact++->text, PRINT_SIZE, "%" PRId64, info->payload);
    *fact = (struct fact){"UUID", TABLE_TEXT, ""};
    text_uuid(info, fact++->text);
    *fact = (struct fact){"CREATED", TABLE_TEXT, ""};
    text_created(info, fact++->text);
    *fact = (struct fact){"CREATOR", TABLE_NUMBER, ""};
    snprintf(fact->text, PRINT_SIZE, "%" PRId64, info->creator_pid);
}

static int print_facts(const struct fact *facts)
{
    struct table table;
    table_begin(&table, &(struct table_style){.name = "header", .noheadings = true});
    table_column(&table, "FIELD", TABLE_TEXT, false);
    table_column(&table, "VALUE", TABLE_TEXT, false);
    for (int i = 0; i < FACTS; i++) {
        table_row(&table, NULL);
        table_cell(&table, 0, facts[i].name, NULL);
        table_cell(&table, 1, facts[i].text, NULL);
    }
    return table_finish(&table, false);
}

/* One object, whose fields are the facts. */
static int add_facts(struct showing *showing, const struct fact *facts)
{
    struct table table;
    table_begin(&table, &(struct table_style){.name = "header", .json = true});
    for (int i = 0; i < FACTS; i++)
        table_column(&table, facts[i].name, facts[i].type, false);
    table_row(&table, NULL);
    for (int i = 0; i < FACTS; i++)
        table_cell(&table, i, facts[i].text, NULL);
    struct json_object *rows = table_take(&table);
    if (!rows)
        return -1;
    json_object_object_add(showing->document, "header",
                           json_object_get(json_object_array_get_idx(rows, 0)));
    json_object_put(rows);
    return 0;
}

static int show_header(struct showing *showing, const ndshm_info *info)
{
    struct fact facts[FACTS];
    collect_facts(info, facts);
    return showing->json ? add_facts(showing, facts) : print_facts(facts);
}

static int show_array(struct showing *showing, const char *reference)
{
    struct table table;
    ndshm_array *array;
    ndshm_view view;
    int status = ndshm_array_attach(reference, NDSHM_READ | NDSHM_FOREIGN, &array);
    if (status || (status = ndshm_array_read(array, &view))) {
        print_error("%s", ndshm_error_message());
        return -1;
    }
    const struct table_style style = {.name = "rows", .json = showing->json, .verbatim = true};
    status = show_array_rows(&view, showing->head, &table, &style);
    if (!status)
        status = finish(showing, &table);
    ndshm_array_detach(&array);
    return status;
}

/* Values are only followed once they were looked at. */
static int show_frame(struct showing *showing, const char *reference)
{
    struct table table;
    ndshm_frame *frame;
    int status = ndshm_frame_attach(reference, NDSHM_READ | NDSHM_FOREIGN, &frame);
    if (!status && (status = ndshm_frame_validate(frame)))
        ndshm_frame_detach(&frame);
    if (status) {
        print_error("%s", ndshm_error_message());
        return -1;
    }
    const struct table_style of_columns = {.name = "columns", .json = showing->json};
    const struct table_style of_rows = {.name = "rows", .json = showing->json, .verbatim = true};
    status = show_columns(frame, &table, &of_columns);
    if (!status)
        status = finish(showing, &table);
    if (!status)
        status = show_frame_rows(frame, showing->head, &table, &of_rows);
    if (!status)
        status = finish(showing, &table);
    ndshm_frame_detach(&frame);
    return status;
}

/* The command's exit status. */
static int show(struct showing *showing, const char *reference)
{
    char name[NDSHM_REF_MAX + 1];
    ndshm_info info;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(reference, "["), reference);
    if (ndshm_inspect(name, &info)) {
        print_error("%s", ndshm_error_message());
        return INSPECT_ERROR;
    }
    int status = show_header(showing, &info);
    if (!status && info.kind == NDSHM_KIND_ARRAY && info.state != NDSHM_STATE_CORRUPT)
        status = show_array(showing, reference);
    if (!status && info.kind == NDSHM_KIND_FRAME && info.state != NDSHM_STATE_CORRUPT)
        status = show_frame(showing, reference);
    if (!status && info.state == NDSHM_STATE_CORRUPT)
        return INSPECT_FINDINGS;
    return status ? INSPECT_ERROR : INSPECT_FINE;
}

int show_run(const struct command *command, int argc, char **argv)
{
    struct showing showing = {.head = 10};
    const char *head = NULL;
    const struct option_spec specs[] = {
        {'n', "head", "ROWS", "the first rows of what it holds (10)", NULL, &head},
        {'J', "json", NULL, "print JSON", &showing.json, NULL},
        {0},
    };
    int result;
    char **operands = options_parse(command, specs, argc, argv, &result);
    if (!operands)
        return result;
    if (head && !options_number("head", head, 0, 1000000, &showing.head))
        return options_refuse(command);
    showing.document = showing.json ? json_object_new_object() : NULL;
    result = show(&showing, operands[0]);
    if (!showing.json)
        return result;
    if (result != INSPECT_ERROR)
        return table_print_json(showing.document) ? INSPECT_ERROR : result;
    json_object_put(showing.document);
    return result;
}
