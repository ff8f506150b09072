/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include <ndshm/ndshm.h>

#include "columns.h"
#include "print.h"

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

const struct column columns[COLUMNS] = {
    [COLUMN_NAME] = {"NAME", TABLE_TEXT, true, false, text_name, NULL},
    [COLUMN_KIND] = {"KIND", TABLE_TEXT, true, false, text_kind, NULL},
    [COLUMN_DTYPE] = {"DTYPE", TABLE_TEXT, true, false, text_dtype, NULL},
    [COLUMN_SHAPE] = {"SHAPE", TABLE_SHAPE, true, false, text_shape, NULL},
    [COLUMN_BYTES] = {"BYTES", TABLE_NUMBER, true, false, text_bytes, number_bytes},
    [COLUMN_RESIDENT] = {"RESIDENT", TABLE_NUMBER, false, false, text_resident, number_resident},
    [COLUMN_LIFETIME] = {"LIFETIME", TABLE_TEXT, true, false, text_lifetime, NULL},
    [COLUMN_POOL] = {"POOL", TABLE_TEXT, false, false, text_pool, NULL},
    [COLUMN_STATE] = {"STATE", TABLE_TEXT, true, false, text_state, NULL},
    [COLUMN_OWNER] = {"OWNER", TABLE_TEXT, false, false, text_owner, NULL},
    [COLUMN_AGE] = {"AGE", TABLE_NUMBER, true, false, text_age, number_age},
    [COLUMN_LABEL] = {"LABEL", TABLE_TEXT, true, false, text_label, NULL},
    [COLUMN_NOTE] = {"NOTE", TABLE_TEXT, false, true, text_note, NULL},
};

const struct column *columns_find(const char *name, size_t length)
{
    for (int i = 0; i < COLUMNS; i++)
        if (strlen(columns[i].name) == length && strncasecmp(columns[i].name, name, length) == 0)
            return &columns[i];
    print_error("there is no column '%.*s'", (int)length, name);
    return NULL;
}

const char *columns_key(const struct column *column, const ndshm_info *info, char *buffer)
{
    char text[PRINT_SIZE];
    column->text(info, true, text);
    if (column->number)
        snprintf(text, sizeof text, "%020" PRId64, column->number(info));
    snprintf(buffer, 2 * PRINT_SIZE, "%s\n%s", text, info->name);
    return buffer;
}

const char *columns_colour(const struct column *column, const ndshm_info *info)
{
    static const char *const colours[] = {
        [NDSHM_STATE_IN_USE] = "green",     [NDSHM_STATE_ORPHAN] = "yellow",
        [NDSHM_STATE_UNPROVEN] = "magenta", [NDSHM_STATE_CORRUPT] = "red",
        [NDSHM_STATE_FOREIGN] = "cyan",     [PRINT_STATE_UNLINKED] = "yellow",
    };
    if (column->text != text_state || info->state < 0 || info->state > PRINT_STATE_UNLINKED)
        return NULL;
    return colours[info->state];
}
