/* SPDX-License-Identifier: MIT */
/* A job with a task a column, each of which fills a row of an array. */
#ifndef NDSHM_LIB_COMPUTE_COLUMNS_H
#define NDSHM_LIB_COMPUTE_COLUMNS_H

#include <stdbool.h>

#include <ndshm/compute.h>

struct ndshm__columns {
    const char *caller; /* the public function */
    const ndshm_frame *frame;
    int32_t *columns; /* of the frame; to be freed by whoever made it */
    int32_t count;
    ndshm_task_fn function;
};

/* Task i works on column columns[i] and has row i of rows as its output. */
int ndshm__columns_job(ndshm_pool *pool, const struct ndshm__columns *work,
                       const ndshm_array *rows);

/* In the task: the frame, its column, the output. */
int ndshm__columns_task(ndshm_task *task, ndshm_frame **frame, int *column, ndshm_view *row);

/* True when a pool can be of use: others can attach the frame by its name. */
bool ndshm__columns_shared(const ndshm_frame *frame);

#endif
