/* SPDX-License-Identifier: MIT */
/* Where the text comes from. */
#ifndef NDSHM_LIB_CSV_SOURCE_H
#define NDSHM_LIB_CSV_SOURCE_H

#include <stdbool.h>

#include <ndshm/csv.h>

struct ndshm__csv_source {
    const char *path;
    ndshm_csv_progress *progress; /* or NULL */
    int fd;                       /* of the text: a file that can be read from any place */
    int64_t size;
};

int ndshm__csv_source_open(struct ndshm__csv_source *source);
void ndshm__csv_source_close(struct ndshm__csv_source *source);

/* Adds to the progress; NDSHM_ECANCELED with a message when it was asked for. */
int ndshm__csv_advance(const struct ndshm__csv_source *source, int64_t done, int64_t all);
int ndshm__csv_canceled(const struct ndshm__csv_source *source);

/* Whether the first bytes (read already) are those of a known compression. */
bool ndshm__csv_is_compressed(const unsigned char *bytes, int64_t size);

#endif
