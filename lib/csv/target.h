/* SPDX-License-Identifier: MIT */
/* The frame that is made. */
#ifndef NDSHM_LIB_CSV_TARGET_H
#define NDSHM_LIB_CSV_TARGET_H

#include "csv/csv.h"

/* A frame whose buffers are to be written through its file, and where each is. */
int ndshm__csv_target_create(struct ndshm__csv_reader *reader, const char *name, int64_t rows,
                             const ndshm_create_config *config, ndshm_frame **out);

/* All chunks are in it: adds the bytes that they share. */
int ndshm__csv_target_finish(const struct ndshm__csv_reader *reader, ndshm_frame *frame);

#endif
