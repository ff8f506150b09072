/* SPDX-License-Identifier: MIT */
#include "pool/layout.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"

enum { LINE = 64 };

struct plan {
    int64_t end;
    bool overflow;
};

/* Where the next part of count elements begins. */
static int64_t place(struct plan *plan, int64_t count, int64_t size)
{
    int64_t begin, bytes, end;
    if (!ndshm__align(plan->end, LINE, &begin) || !ndshm__mul(count, size, &bytes) ||
        !ndshm__add(begin, bytes, &end)) {
        plan->overflow = true;
        return 0;
    }
    plan->end = end;
    return begin;
}

struct offsets {
    int64_t claims, states, attempts, records, sequence, news, uuids, text_begin, text, params,
        size;
};

static bool compute(const struct ndshm__job_view *view, struct offsets *at)
{
    const struct ndshm__facts *facts = &view->facts;
    int64_t units = view->units;
    struct plan plan = {.end = sizeof(struct ndshm__job_memory)};
    at->claims = place(&plan, view->chunks.total, 1);
    at->states = place(&plan, units, 1);
    at->attempts = facts->retries ? place(&plan, units, 1) : 0;
    at->records =
        facts->count <= NDSHM__RECORDS_MAX ? place(&plan, units, sizeof(struct ndshm__record)) : 0;
    at->sequence = ndshm__layout_is_stream(view) ? place(&plan, units, sizeof(int64_t)) : 0;
    at->news = place(&plan, view->news_size, sizeof(struct ndshm__news));
    at->uuids = place(&plan, facts->nshared, 16);
    at->text_begin = place(&plan, view->texts, sizeof(int64_t));
    at->text = place(&plan, facts->texts_size, 1);
    at->params = place(&plan, facts->params_size, 1);
    at->size = place(&plan, 0, 1);
    return !plan.overflow;
}

static bool valid_stream(const struct ndshm__facts *facts)
{
    const uint32_t wrong = NDSHM_JOB_RANGES | NDSHM__JOB_OUTPUT;
    return !(facts->flags & NDSHM__JOB_STREAM) ||
           (facts->texts_size >= facts->count * NDSHM__ITEM_SIZE && !(facts->flags & wrong) &&
            facts->flags & NDSHM__JOB_ITEMS && facts->chunk == 1 &&
            facts->count <= 2 * NDSHM_WINDOW_MAX);
}

static bool valid(const struct ndshm__facts *facts)
{
    const uint32_t flags = NDSHM_JOB_RANGES | NDSHM_JOB_UNINITIALIZED | NDSHM__JOB_ITEMS |
                           NDSHM__JOB_OUTPUT | NDSHM__JOB_STREAM | NDSHM__JOB_COMPLETED;
    return facts->layout == NDSHM__JOB_LAYOUT && !(facts->flags & ~flags) && facts->count >= 0 &&
           facts->chunk >= 0 && facts->params_size >= 0 && facts->texts_size >= 0 &&
           facts->nshared >= 0 && facts->nshared <= NDSHM__SHARED_MAX && facts->retries >= 0 &&
           facts->retries <= NDSHM__RETRIES_MAX && facts->timeout_ms >= 0 &&
           facts->max_result_bytes >= 0 && valid_stream(facts);
}

int ndshm__layout_plan(const struct ndshm__facts *facts, struct ndshm__job_view *view,
                       int64_t *size)
{
    memset(view, 0, sizeof *view);
    if (!valid(facts))
        return -EINVAL;
    view->facts = *facts;
    int status = ndshm__chunks_init(&view->chunks, facts->count, facts->chunk);
    if (status)
        return status;
    struct offsets at;
    view->units = facts->flags & NDSHM_JOB_RANGES ? view->chunks.total : facts->count;
    if (ndshm__layout_is_stream(view))
        view->texts_fixed = facts->texts_size - facts->count * NDSHM__ITEM_SIZE;
    view->news_size = ndshm__layout_is_stream(view) || view->units < NDSHM__NEWS_MAX
                          ? view->units
                          : NDSHM__NEWS_MAX;
    bool fits = ndshm__add(NDSHM__TEXT_SHARED + facts->nshared,
                           facts->flags & NDSHM__JOB_ITEMS ? facts->count : 0, &view->texts);
    if (!fits || !compute(view, &at)) {
        ndshm__layout_free(view);
        return NDSHM_ESHAPE;
    }
    *size = at.size;
    return 0;
}

void ndshm__layout_bind(struct ndshm__job_view *view, void *memory)
{
    struct offsets at;
    uint8_t *base = memory;
    compute(view, &at);
    view->memory = memory;
    view->claims = (_Atomic uint8_t *)(base + at.claims);
    view->states = (_Atomic uint8_t *)(base + at.states);
    view->attempts = at.attempts ? (_Atomic uint8_t *)(base + at.attempts) : NULL;
    view->records = at.records ? (struct ndshm__record *)(base + at.records) : NULL;
    view->sequence = at.sequence ? (_Atomic int64_t *)(base + at.sequence) : NULL;
    view->news = (struct ndshm__news *)(base + at.news);
    view->uuids = (uint8_t(*)[16])(base + at.uuids);
    view->text_begin = (int64_t *)(base + at.text_begin);
    view->text = (char *)(base + at.text);
    view->params = base + at.params;
}

/* Scans look at whole lines: what lies behind the last byte must look final and quiet. */
static void pad(_Atomic uint8_t *bytes, int64_t count)
{
    for (int64_t i = count; i % LINE; i++)
        atomic_store_explicit(&bytes[i], NDSHM__CLAIM_FINAL, memory_order_relaxed);
}

void ndshm__layout_format(struct ndshm__job_view *view, void *memory)
{
    ndshm__layout_bind(view, memory);
    view->memory->facts = view->facts;
    pad(view->claims, view->chunks.total);
    pad(view->states, view->units);
    atomic_store_explicit(&view->memory->state,
                          view->facts.count ? NDSHM__JOB_RUNNING : NDSHM__JOB_DONE,
                          memory_order_relaxed);
    if (ndshm__layout_is_stream(view) || view->facts.max_result_bytes) /* no hint: see claim.c */
        atomic_store_explicit(&view->memory->hint, view->chunks.total, memory_order_relaxed);
    if (!ndshm__layout_is_stream(view))
        return;
    for (int64_t i = 0; i < view->units; i++) /* empty places */
        atomic_store_explicit(&view->claims[i], NDSHM__CLAIM_FINAL, memory_order_relaxed);
}

int ndshm__layout_read(void *memory, int64_t size, struct ndshm__job_view *view)
{
    struct ndshm__facts facts;
    int64_t needed;
    if (size < (int64_t)sizeof(struct ndshm__job_memory))
        return NDSHM_ECORRUPT;
    memcpy(&facts, memory, sizeof facts);
    int status = ndshm__layout_plan(&facts, view, &needed);
    if (status == -ENOMEM)
        return status;
    if (status)
        return NDSHM_ECORRUPT;
    if (needed > size) {
        ndshm__layout_free(view);
        return NDSHM_ECORRUPT;
    }
    ndshm__layout_bind(view, memory);
    return 0;
}

void ndshm__layout_free(struct ndshm__job_view *view)
{
    ndshm__chunks_free(&view->chunks);
    view->memory = NULL;
}

int ndshm__layout_text(const struct ndshm__job_view *view, int64_t index,
                       char buffer[NDSHM_REF_MAX + 1])
{
    int64_t begin = ((volatile int64_t *)view->text_begin)[index];
    if (begin < 0 || begin >= view->facts.texts_size)
        return NDSHM_ECORRUPT;
    int64_t left = view->facts.texts_size - begin;
    size_t size = (size_t)(left <= NDSHM_REF_MAX ? left : NDSHM_REF_MAX + 1);
    memcpy(buffer, view->text + begin, size);
    return memchr(buffer, 0, size) ? 0 : NDSHM_ECORRUPT;
}

void ndshm__layout_tasks(const struct ndshm__job_view *view, int64_t unit, int64_t *begin,
                         int64_t *end)
{
    if (view->facts.flags & NDSHM_JOB_RANGES) {
        ndshm__chunks_bounds(&view->chunks, unit, begin, end);
        return;
    }
    if (view->sequence) /* anything may stand there */
        unit = atomic_load(&view->sequence[unit]) & (INT64_MAX >> 1);
    *begin = unit;
    *end = unit + 1;
}

int64_t ndshm__layout_unit(const struct ndshm__job_view *view, int64_t task)
{
    return view->facts.flags & NDSHM_JOB_RANGES ? ndshm__chunks_find(&view->chunks, task) : task;
}

void ndshm__layout_units(const struct ndshm__job_view *view, int64_t chunk, int64_t *begin,
                         int64_t *end)
{
    if (!(view->facts.flags & NDSHM_JOB_RANGES)) {
        ndshm__chunks_bounds(&view->chunks, chunk, begin, end);
        return;
    }
    *begin = chunk;
    *end = chunk + 1;
}
