/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ndshm/ndshm.h>

#include "joblist.h"
#include "print.h"

static void add_job(struct joblist *list, const char *pool, const char *name)
{
    ndshm_job *job;
    struct joblist_row row = {.rate = -1};
    if (ndshm_job_attach(name, &job))
        return;
    int status = ndshm_job_progress(job, &row.progress);
    ndshm_job_close(&job);
    struct joblist_row *rows =
        status ? NULL : realloc(list->rows, ((size_t)list->count + 1) * sizeof *rows);
    if (!rows)
        return;
    snprintf(row.name, sizeof row.name, "%s", name);
    snprintf(row.pool, sizeof row.pool, "%s", pool);
    list->rows = rows;
    list->rows[list->count++] = row;
}

static void visit(void *context, const ndshm_info *info)
{
    char name[NDSHM_NAME_MAX + 1];
    ndshm_jobs *jobs;
    if (info->kind != NDSHM_KIND_POOL || info->state != NDSHM_STATE_IN_USE ||
        ndshm_jobs_open(info->name, &jobs))
        return;
    while (ndshm_jobs_next(jobs, name, sizeof name) == 0)
        add_job(context, info->name, name);
    ndshm_jobs_close(&jobs);
}

static void measure_rates(struct joblist *list, const struct joblist *before)
{
    double seconds = (double)(list->taken_ns - before->taken_ns) / 1e9;
    for (int64_t i = 0; i < list->count; i++)
        for (int64_t k = 0; k < before->count; k++)
            if (strcmp(list->rows[i].name, before->rows[k].name) == 0)
                list->rows[i].rate =
                    (double)(list->rows[i].progress.done - before->rows[k].progress.done) / seconds;
}

static int by_name(const void *a, const void *b)
{
    const struct joblist_row *first = a, *second = b;
    return strcmp(first->name, second->name);
}

struct joblist joblist_take(const struct selection *selection, const struct joblist *before)
{
    struct joblist list = {.taken_ns = select_now()};
    select_each(selection, visit, &list);
    if (list.count)
        qsort(list.rows, (size_t)list.count, sizeof *list.rows, by_name);
    if (before && before->taken_ns && list.taken_ns > before->taken_ns)
        measure_rates(&list, before);
    return list;
}

void joblist_free(struct joblist *list)
{
    free(list->rows);
    *list = (struct joblist){0};
}
