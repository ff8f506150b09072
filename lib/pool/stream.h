/* SPDX-License-Identifier: MIT */
/* The host's side of a stream: which place holds which task. All under the pool's mutex. */
#ifndef NDSHM_LIB_POOL_STREAM_H
#define NDSHM_LIB_POOL_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include <ndshm/pool.h>

struct ndshm__stream;

/* How many places a window takes; 0: the default. */
int64_t ndshm__stream_places(int32_t window);

/* Nothing for jobs that are no streams. -ENOMEM. */
int ndshm__stream_init(ndshm_job *job);

int64_t ndshm__stream_fed(const ndshm_job *job);
bool ndshm__stream_ended(const ndshm_job *job); /* nothing more will be fed */

/* The place of a task, or -ERANGE. */
int64_t ndshm__stream_find(const ndshm_job *job, int64_t index);

/* The task in place was read, as the next one: its place may be used again. */
void ndshm__stream_given(ndshm_job *job, int64_t place);

#endif
