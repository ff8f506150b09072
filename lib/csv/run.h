/* SPDX-License-Identifier: MIT */
/* A pass over all chunks, by the workers of a pool or by the caller. */
#ifndef NDSHM_LIB_CSV_RUN_H
#define NDSHM_LIB_CSV_RUN_H

#include "csv/csv.h"
#include "csv/source.h"

struct ndshm__csv_run {
    ndshm_pool *pool; /* NULL: the caller */
    const struct ndshm__csv_source *source;
    struct ndshm__csv_reader *reader;
    struct ndshm__csv_plan *plan;
    int64_t bytes; /* of the plan */
    int memory;    /* descriptor of the plan, or -1: only the caller has it */
};

enum { NDSHM__CSV_SURVEY, NDSHM__CSV_FILL };

/* The plan's memory, shared when a pool works on it. */
int ndshm__csv_run_prepare(struct ndshm__csv_run *run, int32_t ncolumns, int32_t nchunks,
                           int64_t texts);
int ndshm__csv_run(struct ndshm__csv_run *run, int pass);
void ndshm__csv_run_end(struct ndshm__csv_run *run);

#endif
