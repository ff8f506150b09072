/* SPDX-License-Identifier: MIT */
#include "pool/results.h"

#include <string.h>

#include "base/os.h"
#include "pool/cache.h"

int ndshm__result_target(const char *name, char target[NDSHM_NAME_MAX + 1])
{
    ndshm__segment *segment;
    const char *bare;
    int status = ndshm__segment_attach(name, NDSHM_KIND_REFERENCE, NDSHM_READ, &segment);
    if (status)
        return status;
    if (ndshm__segment_body_size(segment) == NDSHM_NAME_MAX + 1)
        memcpy(target, ndshm__segment_body(segment), NDSHM_NAME_MAX + 1);
    else
        target[0] = '\0';
    target[NDSHM_NAME_MAX] = '\0';
    ndshm__segment_release(&segment);
    if (ndshm__name_check_any(target, &bare))
        return ndshm__fail(NDSHM_ECORRUPT, "'%s': the reference holds no name", name);
    return 0;
}

void ndshm__remove_result(const char *name, uint8_t state)
{
    char target[NDSHM_NAME_MAX + 1];
    ndshm__quiet_begin();
    if (state == NDSHM__UNIT_REFERENCE && ndshm__result_target(name, target) == 0)
        ndshm_unlink(target);
    ndshm_unlink(name);
    ndshm__quiet_end();
}

void ndshm__remove_unit(struct ndshm__pool_memory *memory, const char *pool,
                        struct ndshm__job_view *job, int64_t unit)
{
    char name[NDSHM__MEMBER_SIZE];
    uint8_t state = atomic_load(&job->states[unit]);
    if (state != NDSHM__UNIT_RESULT && state != NDSHM__UNIT_REFERENCE)
        return;
    ndshm__result_of(name, pool, job, unit);
    if (state == NDSHM__UNIT_REFERENCE || ndshm__cache_put(memory, pool, name, NULL))
        ndshm__remove_result(name, state);
}

void ndshm__remove_results(struct ndshm__pool_memory *memory, const char *pool,
                           struct ndshm__job_view *job)
{
    if (!atomic_load(&job->memory->results))
        return;
    for (int64_t unit = 0; unit < job->units; unit++)
        ndshm__remove_unit(memory, pool, job, unit);
}
