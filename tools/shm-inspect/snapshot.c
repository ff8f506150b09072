/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <ndshm/ndshm.h>

#include "print.h"
#include "snapshot.h"

static void add(void *context, const ndshm_info *info)
{
    struct snapshot *snapshot = context;
    if (info->state == NDSHM_STATE_FOREIGN)
        return;
    if (snapshot->count == snapshot->room) {
        int64_t room = snapshot->room ? 2 * snapshot->room : 256;
        struct snapshot_row *rows = realloc(snapshot->rows, (size_t)room * sizeof *rows);
        if (!rows) {
            print_error("no memory for %s", info->name);
            return;
        }
        snapshot->rows = rows;
        snapshot->room = room;
    }
    snapshot->rows[snapshot->count++] = (struct snapshot_row){.info = *info};
    if (info->state != NDSHM_STATE_ORPHAN)
        return;
    snapshot->orphans++;
    snapshot->orphan_bytes += info->resident;
}

static int by_name(const void *a, const void *b)
{
    const struct snapshot_row *first = a, *second = b;
    return strcmp(first->info.name, second->info.name);
}

/* Rows are sorted by name. */
static struct snapshot_row *find(const struct snapshot *snapshot, const char *name)
{
    struct snapshot_row wanted;
    memcpy(wanted.info.name, name, sizeof wanted.info.name);
    if (!snapshot->count)
        return NULL;
    return bsearch(&wanted, snapshot->rows, (size_t)snapshot->count, sizeof wanted, by_name);
}

static void count_users(struct snapshot *snapshot)
{
    ndshm_users *users;
    ndshm_user user;
    if (ndshm_users_open(NULL, &users))
        return;
    while (ndshm_users_next(users, &user) == 0) {
        struct snapshot_row *row = user.linked ? find(snapshot, user.name) : NULL;
        if (row)
            row->users++;
    }
    ndshm_users_close(&users);
}

/* The order of before changes. */
static void measure_growth(struct snapshot *snapshot, const struct snapshot *before)
{
    double seconds = (double)(snapshot->taken_ns - before->taken_ns) / 1e9;
    if (!before->count || seconds <= 0)
        return;
    qsort(before->rows, (size_t)before->count, sizeof *before->rows, by_name);
    for (int64_t i = 0; i < snapshot->count; i++) {
        struct snapshot_row *row = &snapshot->rows[i];
        const struct snapshot_row *old = find(before, row->info.name);
        bool same = old && memcmp(old->info.uuid, row->info.uuid, sizeof old->info.uuid) == 0;
        int64_t had = same ? old->info.resident : 0;
        row->growth = (int64_t)((double)(row->info.resident - had) / seconds);
    }
}

struct snapshot snapshot_take(const struct selection *selection, const struct snapshot *before)
{
    struct snapshot snapshot = {.taken_ns = select_now()};
    select_each(selection, add, &snapshot);
    if (snapshot.count)
        qsort(snapshot.rows, (size_t)snapshot.count, sizeof *snapshot.rows, by_name);
    count_users(&snapshot);
    measure_growth(&snapshot, before);
    return snapshot;
}

void snapshot_free(struct snapshot *snapshot)
{
    free(snapshot->rows);
    *snapshot = (struct snapshot){0};
}

/* What the comparison looks at: qsort passes nothing on. */
static int sort_order;
static bool sort_descending;

static int64_t number_of(const struct snapshot_row *row)
{
    if (sort_order == SNAPSHOT_USERS)
        return row->users;
    if (sort_order == SNAPSHOT_GROWTH)
        return row->growth;
    return columns[sort_order].number ? columns[sort_order].number(&row->info) : 0;
}

static int compare(const void *a, const void *b)
{
    char first[PRINT_SIZE] = "", second[PRINT_SIZE] = "";
    const struct snapshot_row *left = sort_descending ? b : a, *right = sort_descending ? a : b;
    int64_t x = number_of(left), y = number_of(right);
    if (x != y)
        return x < y ? -1 : 1;
    if (sort_order < COLUMNS && !columns[sort_order].number) {
        columns[sort_order].text(&left->info, true, first);
        columns[sort_order].text(&right->info, true, second);
    }
    int order = strcmp(first, second);
    return order ? order : by_name(a, b);
}

void snapshot_sort(struct snapshot *snapshot, int order, bool descending)
{
    sort_order = order;
    sort_descending = descending;
    if (snapshot->count)
        qsort(snapshot->rows, (size_t)snapshot->count, sizeof *snapshot->rows, compare);
}
