/* SPDX-License-Identifier: MIT */
/* Small segments with contents that can be checked, for the tests of the segment layer. */
#ifndef NDSHM_TESTS_SEGMENTS_H
#define NDSHM_TESTS_SEGMENTS_H

#include "segment/segment.h"

enum { SUPPORT_BODY_SIZE = 24 };

/* What support_segment creates: an array of size bytes, which are not filled. shape must live on.
 */
ndshm__spec support_spec(const char *name, int64_t *size, const ndshm_create_config *config);

/* Creates, fills and publishes. lifetime 0: the default. Any status. */
int support_segment(const char *name, int64_t size, int lifetime, ndshm__segment **out);

/* The same in a child process that ends without releasing it; the name stays. Its verdict. */
int support_abandoned_segment(const char *name, int64_t size, int lifetime);

/* 1 when description, body and payload are those of support_segment. */
int support_segment_is_whole(const ndshm__segment *segment);
int support_bytes_are_whole(const uint8_t *bytes, int64_t size); /* of a payload */
void support_segment_fill(ndshm__segment *segment);

/* A process that has attached name and waits: its pid, or 0 when it could not attach. Killed and
 * collected by _stop. */
int support_holder_start(const char *name, int access);
void support_holder_stop(int pid);

/* 1 when the file exists in /dev/shm; and its path, in static storage. */
int support_exists(const char *name);
const char *support_path(const char *name);

#endif
