/* SPDX-License-Identifier: MIT */
/* The limit on bytes in results that nobody took (max_result_bytes). The sum is a brake, and rests
 * on counting: a worker that is killed in the middle may leave it a little off. */
#ifndef NDSHM_LIB_POOL_BRAKE_H
#define NDSHM_LIB_POOL_BRAKE_H

#include "pool/worker.h"

/* Waits until the task may make a result of so many bytes. NDSHM_ECANCELED. */
int ndshm__brake_wait(ndshm_task *task, int64_t bytes);

/* The result that was being made is there, or is not. */
void ndshm__brake_made(ndshm_worker *worker);
void ndshm__brake_dropped(struct ndshm__pool_memory *pool, int slot, struct ndshm__job_view *job);

/* Somebody took a result, or removed it. */
void ndshm__brake_taken(struct ndshm__pool_memory *pool, struct ndshm__job_view *job,
                        int64_t bytes);

#endif
