/* SPDX-License-Identifier: MIT */
/* Streams into a nameless file in memory. */
#ifndef NDSHM_LIB_CSV_SPOOL_H
#define NDSHM_LIB_CSV_SPOOL_H

#include "csv/source.h"

enum { NDSHM__CSV_PIECE = 1 << 18 }; /* bytes that are read or written at once */

struct ndshm__csv_spool {
    struct ndshm__csv_source *source;
    int from;
    int to;
    int64_t size;
    unsigned char *input;
    int64_t got; /* bytes of the last read; 0: the end */
};

/* Brings all that comes from the descriptor into source. */
int ndshm__csv_spool(struct ndshm__csv_source *source, int from);
int ndshm__csv_spool_read(struct ndshm__csv_spool *spool);
int ndshm__csv_spool_write(struct ndshm__csv_spool *spool, const void *data, int64_t size);

/* --- inflate.c --- */

int ndshm__csv_inflate(struct ndshm__csv_spool *spool);

#endif
