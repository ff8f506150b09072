/* SPDX-License-Identifier: MIT */
/* A job in memory that somebody else wrote, as a worker and its submitter read it. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "pool/claim.h"

enum { LINE = 64, LOOK = 300 };

struct job {
    struct ndshm__job_view view;
    uint8_t *memory;
    int64_t size;
};

static void check_part(const struct job *job, const void *part, int64_t count, int64_t width)
{
    const uint8_t *begin = part;
    FUZZ_CHECK(count >= 0 && begin >= job->memory + sizeof(struct ndshm__job_memory));
    FUZZ_CHECK((begin - job->memory) % LINE == 0);
    FUZZ_CHECK(count <= (job->memory + job->size - begin) / width);
}

static void check_parts(const struct job *job)
{
    const struct ndshm__job_view *view = &job->view;
    check_part(job, (const void *)view->claims, view->chunks.total, 1);
    check_part(job, (const void *)view->states, view->units, 1);
    if (view->attempts)
        check_part(job, (const void *)view->attempts, view->units, 1);
    if (view->records)
        check_part(job, view->records, view->units, sizeof *view->records);
    check_part(job, view->news, view->news_size, sizeof *view->news);
    check_part(job, view->uuids, view->facts.nshared, sizeof *view->uuids);
    check_part(job, view->text_begin, view->texts, sizeof *view->text_begin);
    check_part(job, view->text, view->facts.texts_size, 1);
    check_part(job, view->params, view->facts.params_size, 1);
}

/* Chunks cover the tasks once, in order. */
static void check_chunks(const struct ndshm__job_view *view)
{
    int64_t at = 0;
    for (int64_t i = 0; i < view->chunks.total && i < LOOK; i++) {
        int64_t begin, end, first, last;
        ndshm__chunks_bounds(&view->chunks, i, &begin, &end);
        FUZZ_CHECK(begin == at && end > begin && end <= view->facts.count);
        FUZZ_CHECK(ndshm__chunks_find(&view->chunks, begin) == i);
        FUZZ_CHECK(ndshm__chunks_find(&view->chunks, end - 1) == i);
        ndshm__layout_units(view, i, &first, &last);
        FUZZ_CHECK(first >= 0 && first < last && last <= view->units);
        at = end;
        FUZZ_CHECK(i + 1 < view->chunks.total || at == view->facts.count);
    }
    for (int64_t unit = 0; unit < view->units && unit < LOOK; unit++) {
        int64_t begin, end;
        ndshm__layout_tasks(view, unit, &begin, &end);
        FUZZ_CHECK(ndshm__layout_unit(view, begin) == unit);
        FUZZ_CHECK(ndshm__layout_unit(view, end - 1) == unit);
    }
}

static void check_texts(const struct ndshm__job_view *view)
{
    char text[NDSHM_REF_MAX + 1];
    for (int64_t i = 0; i < view->texts && i < LOOK; i++) {
        int status = ndshm__layout_text(view, i, text);
        FUZZ_CHECK(status == 0 || status == NDSHM_ECORRUPT);
        FUZZ_CHECK(status || strlen(text) <= NDSHM_REF_MAX);
    }
}

/* The bytes in which states and claims are kept may be anything: what is counted is what is there,
 * and what is claimed exists, was free, and is claimed once. */
static void check_claims(struct ndshm__job_view *view, int slot)
{
    struct ndshm__cursor cursor = {0};
    struct ndshm__tally tally;
    int64_t chunk, final = 0, failed = 0, claimed = 0, free_chunks = 0;
    for (int64_t i = 0; i < view->units; i++) {
        final += view->states[i] >= NDSHM__UNIT_FINAL;
        failed += view->states[i] >= NDSHM__UNIT_FAILED;
    }
    ndshm__claim_tally(view, 0, view->units, &tally);
    FUZZ_CHECK(tally.final == final && tally.failed == failed);
    for (int64_t i = 0; i < view->chunks.total; i++)
        free_chunks += view->claims[i] == NDSHM__CLAIM_FREE;
    int64_t owned = ndshm__claim_owned(view, 0, slot);
    FUZZ_CHECK(owned < 0 || view->claims[owned] == slot + 1);
    while ((chunk = ndshm__claim_next(view, &cursor, slot)) >= 0) {
        FUZZ_CHECK(chunk < view->chunks.total && claimed++ < free_chunks);
        ndshm__claim_complete(view, &cursor);
        ndshm__claim_finish(view, chunk, slot);
    }
    FUZZ_CHECK(claimed == free_chunks && !ndshm__claim_any_free(view, &cursor));
}

/* Plausible facts where the input has any. */
static void repair(struct fuzz_input *input, struct ndshm__facts *facts)
{
    facts->layout = NDSHM__JOB_LAYOUT;
    facts->flags &= NDSHM_JOB_RANGES | NDSHM__JOB_ITEMS | NDSHM__JOB_OUTPUT;
    facts->count = fuzz_number(input);
    facts->chunk = fuzz_number(input);
    facts->texts_size = fuzz_number(input);
    facts->params_size = fuzz_number(input);
    facts->nshared = (int32_t)fuzz_number(input);
    facts->retries = (int32_t)fuzz_number(input);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    struct job job = {.size = (int64_t)fuzz_byte(&input) * LINE};
    int slot = (int)fuzz_below(&input, NDSHM_WORKERS_MAX);
    bool repaired = fuzz_below(&input, 8) != 0;
    job.memory = aligned_alloc(LINE, job.size ? (size_t)job.size : LINE);
    struct ndshm__job_memory head;
    fuzz_bytes(&input, &head.facts, sizeof head.facts);
    if (repaired)
        repair(&input, &head.facts);
    fuzz_bytes(&input, job.memory, (size_t)job.size);
    if (job.size >= (int64_t)sizeof head)
        memcpy(job.memory, &head.facts, sizeof head.facts);
    int status = ndshm__layout_read(job.memory, job.size, &job.view);
    FUZZ_CHECK(status == 0 || status == NDSHM_ECORRUPT);
    if (status == 0) {
        check_parts(&job);
        check_chunks(&job.view);
        check_texts(&job.view);
        check_claims(&job.view, slot);
        ndshm__layout_free(&job.view);
    }
    free(job.memory);
    return 0;
}
