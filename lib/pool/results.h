/* SPDX-License-Identifier: MIT */
/* Result segments of a job, by the state of their units. */
#ifndef NDSHM_LIB_POOL_RESULTS_H
#define NDSHM_LIB_POOL_RESULTS_H

#include "pool/serving.h"

/* The name that a reference segment stands for. Errors of attaching; NDSHM_ECORRUPT. */
int ndshm__result_target(const char *name, char target[NDSHM_NAME_MAX + 1]);

/* Unlinks a result that nobody took; of a reference also what it stands for. state: the unit's. */
void ndshm__remove_result(const char *name, uint8_t state);

/* Gives back what is left of one unit, if it is still there; and all of a job. */
void ndshm__remove_unit(struct ndshm__pool_memory *memory, const char *pool,
                        struct ndshm__job_view *job, int64_t unit);
void ndshm__remove_results(struct ndshm__pool_memory *memory, const char *pool,
                           struct ndshm__job_view *job);

#endif
