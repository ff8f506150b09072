/* SPDX-License-Identifier: MIT */
/* A line on the terminal that shows how far a job is. */
#ifndef NDSHM_LIB_POOL_BAR_H
#define NDSHM_LIB_POOL_BAR_H

#include <stdatomic.h>
#include <stdbool.h>

#include <ndshm/pool.h>

struct ndshm__bar {
    bool on;
    atomic_flag drawing; /* by another thread */
    bool open;           /* the cursor is on its line */
    int64_t began_ns;
    int64_t next_ns; /* not drawn before */
};

enum { NDSHM__BAR_WIDTH_MAX = 256 };

/* The line, in less than width columns. Returns its length. */
int ndshm__bar_text(char line[NDSHM__BAR_WIDTH_MAX], int width, const char *label,
                    const ndshm_progress *progress, int64_t elapsed_ns);

void ndshm__bar_begin(ndshm_job *job);
/* Draws it when it is time, and for the last time when the job has ended. Not under the mutex. */
void ndshm__bar_step(ndshm_job *job);
/* The job is closed: the next output begins a line. */
void ndshm__bar_end(ndshm_job *job);

#endif
