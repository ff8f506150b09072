/* SPDX-License-Identifier: MIT */
/* The first line, and what the config says about its columns. */
#ifndef NDSHM_LIB_CSV_HEADER_H
#define NDSHM_LIB_CSV_HEADER_H

#include "csv/csv.h"

struct ndshm__csv_header {
    char **names;
    int32_t count;
    int64_t data; /* offset of the first row */
};

/* reader has options and input, but no plan yet. */
int ndshm__csv_header(struct ndshm__csv_reader *reader, const ndshm_csv_config *config,
                      struct ndshm__csv_header *out);
void ndshm__csv_header_free(struct ndshm__csv_header *header);

/* Bytes of texts that the plan needs. */
int64_t ndshm__csv_texts(const struct ndshm__csv_header *header, const ndshm_csv_config *config);
/* Names, given types and formats, and which columns are wanted, into the plan. */
int ndshm__csv_describe_columns(struct ndshm__csv_reader *reader,
                                const struct ndshm__csv_header *header,
                                const ndshm_csv_config *config);

#endif
