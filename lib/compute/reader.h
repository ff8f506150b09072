/* SPDX-License-Identifier: MIT */
/* Values of columns without children, as bytes. No value leads out of its buffers: what does, reads
 * as null. */
#ifndef NDSHM_LIB_COMPUTE_READER_H
#define NDSHM_LIB_COMPUTE_READER_H

#include "frame/frame.h"

struct ndshm__reader {
    ndshm_column column;
    struct ndshm__format format;
    const struct ndshm__buffer *buffers;
    int32_t nbuffers;
    const char *payload;
    bool keyed; /* the column's values are indices into dictionary */
    ndshm_column dictionary;
    struct ndshm__format keys;
};

/* false: a column with children, intervals, or nothing but nulls. */
bool ndshm__reader_open(struct ndshm__reader *reader, const ndshm_frame *frame, int index);

/* false: null. size is that of the bytes; booleans are one byte. */
bool ndshm__reader_at(const struct ndshm__reader *reader, int64_t row, const void **data,
                      int64_t *size);

/* Rows that are not null; of any column. */
int64_t ndshm__column_count(const ndshm_column *column);

/* The value of a row, or a number of ticks of the column's unit, as people write it; to be freed.
 * NULL: no memory. */
char *ndshm__reader_text(const struct ndshm__reader *reader, int64_t row);
char *ndshm__ticks_text(const char *format, int64_t ticks);

#endif
