/* SPDX-License-Identifier: MIT */
/* Chunks, the layout of a job, and claims, in plain memory. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "pool/claim.h"
#include "support.h"

/* --- chunks --- */

static void check_chunks(int64_t count, int64_t chunk)
{
    struct ndshm__chunks chunks;
    int64_t begin, end, at = 0, former = INT64_MAX;
    assert_int_equal(ndshm__chunks_init(&chunks, count, chunk), 0);
    for (int64_t i = 0; i < chunks.total; i++) {
        ndshm__chunks_bounds(&chunks, i, &begin, &end);
        assert_int_equal(begin, at);
        assert_true(end > begin);
        assert_true(end - begin <= former);
        assert_int_equal(ndshm__chunks_find(&chunks, begin), i);
        assert_int_equal(ndshm__chunks_find(&chunks, end - 1), i);
        former = end - begin;
        at = end;
    }
    assert_int_equal(at, count);
    ndshm__chunks_free(&chunks);
}

static void test_chunks_cover_every_task_once(void **state)
{
    static const int64_t counts[] = {0, 1, 2, 31, 32, 63, 64, 65, 66, 1000, 65537, 10000000};
    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        check_chunks(counts[i], 0);
        check_chunks(counts[i], 7);
        check_chunks(counts[i], 64);
        check_chunks(counts[i], INT64_MAX);
    }
    check_chunks(INT64_MAX, 0);
    check_chunks(INT64_MAX, INT64_MAX / 3);
}

static void test_automatic_chunks_begin_large_and_end_single(void **state)
{
    struct ndshm__chunks chunks;
    int64_t begin, end;
    (void)state;
    assert_int_equal(ndshm__chunks_init(&chunks, 64, 0), 0);
    assert_int_equal(chunks.total, 64);
    assert_int_equal(ndshm__chunks_init(&chunks, 3200000, 0), 0);
    ndshm__chunks_bounds(&chunks, 0, &begin, &end);
    assert_int_equal(end, 100000);
    ndshm__chunks_bounds(&chunks, chunks.total - 1, &begin, &end);
    assert_int_equal(end - begin, 1);
    assert_true(chunks.total < 1000);
    ndshm__chunks_free(&chunks);
}

/* --- layout --- */

static struct ndshm__facts facts_of(int64_t count, int64_t chunk)
{
    return (struct ndshm__facts){.layout = NDSHM__JOB_LAYOUT,
                                 .count = count,
                                 .chunk = chunk,
                                 .texts_size = 2,
                                 .fn_object = NDSHM__FN_BY_NAME};
}

/* A formatted job in memory that is to be freed. */
static void *make_job(const struct ndshm__facts *facts, struct ndshm__job_view *view, int64_t *size)
{
    assert_int_equal(ndshm__layout_plan(facts, view, size), 0);
    size_t rounded = ((size_t)*size + 63) / 64 * 64;
    void *memory = aligned_alloc(64, rounded);
    memset(memory, 0, rounded);
    ndshm__layout_format(view, memory);
    return memory;
}

static void test_parts_of_a_job_do_not_overlap(void **state)
{
    struct ndshm__facts facts = facts_of(1000, 10);
    struct ndshm__job_view view;
    int64_t size;
    (void)state;
    facts.retries = 3;
    facts.nshared = 5;
    facts.flags = NDSHM__JOB_ITEMS;
    facts.texts_size = 12345;
    facts.params_size = 777;
    uint8_t *memory = make_job(&facts, &view, &size);
    assert_true((uint8_t *)view.claims >= memory + sizeof(struct ndshm__job_memory));
    assert_true((uint8_t *)view.states >= (uint8_t *)view.claims + 100);
    assert_true((uint8_t *)view.attempts >= (uint8_t *)view.states + 1000);
    assert_true((uint8_t *)view.records >= (uint8_t *)view.attempts + 1000);
    assert_true((uint8_t *)view.news >= (uint8_t *)(view.records + 1000));
    assert_true((uint8_t *)view.uuids >= (uint8_t *)(view.news + NDSHM__NEWS_MAX));
    assert_true((uint8_t *)view.text_begin >= (uint8_t *)view.uuids + 80);
    assert_true((uint8_t *)view.text >= (uint8_t *)(view.text_begin + 1007));
    assert_true(view.params >= (uint8_t *)view.text + 12345);
    assert_true(memory + size >= view.params + 777);
    ndshm__layout_free(&view);
    free(memory);
}

static int64_t size_of_job(int64_t count)
{
    struct ndshm__facts facts = facts_of(count, 0);
    struct ndshm__job_view view;
    int64_t size;
    assert_int_equal(ndshm__layout_plan(&facts, &view, &size), 0);
    ndshm__layout_free(&view);
    return size;
}

/* Beside it only what does not grow: the head, the news, a byte for each of some hundred chunks. */
static void test_a_task_that_is_only_counted_takes_one_byte(void **state)
{
    int64_t million = size_of_job(1000000), billion = size_of_job(1000000000);
    (void)state;
    assert_in_range(million - 1000000, 0, 80000);
    assert_in_range(billion - million - 999000000, 0, 1024);
}

/* Facts that no submitter writes. */
static void spoil(struct ndshm__facts *facts, int how)
{
    switch (how) {
    case 0:
        facts->layout ^= 1;
        break;
    case 1:
        facts->count = -1;
        break;
    case 2:
        facts->chunk = -1;
        break;
    case 3:
        facts->nshared = NDSHM__SHARED_MAX + 1;
        break;
    case 4:
        facts->texts_size = INT64_MAX;
        break;
    case 5:
        facts->params_size = -8;
        break;
    case 6:
        facts->retries = 255;
        break;
    case 7:
        facts->flags = 0x80000000u;
        break;
    case 8:
        facts->count = INT64_MAX;
        break;
    default:
        facts->count = 101; /* plausible, but more than there is room for */
        facts->params_size = 100000;
    }
}

static void test_facts_that_lie_are_refused(void **state)
{
    struct ndshm__facts facts = facts_of(100, 1);
    struct ndshm__job_view view, other;
    int64_t size;
    (void)state;
    struct ndshm__job_memory *memory = make_job(&facts, &view, &size);
    assert_int_equal(ndshm__layout_read(memory, size, &other), 0);
    ndshm__layout_free(&other);
    assert_int_equal(ndshm__layout_read(memory, size - 1, &other), NDSHM_ECORRUPT);
    assert_int_equal(ndshm__layout_read(memory, 17, &other), NDSHM_ECORRUPT);
    for (int how = 0; how < 10; how++) {
        memory->facts = facts;
        spoil(&memory->facts, how);
        assert_int_equal(ndshm__layout_read(memory, size, &other), NDSHM_ECORRUPT);
    }
    ndshm__layout_free(&view);
    free(memory);
}

static void test_texts_stay_inside(void **state)
{
    struct ndshm__facts facts = facts_of(1, 1);
    struct ndshm__job_view view;
    char text[NDSHM_REF_MAX + 1];
    int64_t size;
    (void)state;
    facts.texts_size = 10;
    void *memory = make_job(&facts, &view, &size);
    memcpy(view.text, "abc\0defghi", 10);
    view.text_begin[0] = 0;
    view.text_begin[1] = 4;
    assert_int_equal(ndshm__layout_text(&view, 0, text), 0);
    assert_string_equal(text, "abc");
    assert_int_equal(ndshm__layout_text(&view, 1, text), NDSHM_ECORRUPT); /* not terminated */
    view.text_begin[1] = 10;
    assert_int_equal(ndshm__layout_text(&view, 1, text), NDSHM_ECORRUPT);
    view.text_begin[1] = -1;
    assert_int_equal(ndshm__layout_text(&view, 1, text), NDSHM_ECORRUPT);
    ndshm__layout_free(&view);
    free(memory);
}

/* --- claims --- */

static void test_claims_give_every_chunk_once(void **state)
{
    static const int64_t counts[] = {1, 7, 8, 9, 63, 64, 65, 5000, 100000};
    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct ndshm__facts facts = facts_of(counts[i], 1);
        struct ndshm__job_view view;
        struct ndshm__cursor a = {0}, b = {0};
        int64_t size, chunk, claimed = 0;
        void *memory = make_job(&facts, &view, &size);
        while ((chunk = ndshm__claim_next(&view, claimed % 3 ? &a : &b, claimed % 3 ? 1 : 2)) >=
               0) {
            assert_false(ndshm__claim_complete(&view, &a));
            ndshm__claim_finish(&view, chunk, 1);
            claimed++;
        }
        assert_int_equal(claimed, counts[i]);
        assert_true(ndshm__claim_complete(&view, &a));
        assert_true(ndshm__claim_exhausted(&view));
        ndshm__layout_free(&view);
        free(memory);
    }
}

static void test_released_chunk_is_found_again(void **state)
{
    struct ndshm__facts facts = facts_of(200, 1);
    struct ndshm__job_view view;
    struct ndshm__cursor dead = {0}, other = {0};
    int64_t size, chunk;
    (void)state;
    void *memory = make_job(&facts, &view, &size);
    int64_t lost = ndshm__claim_next(&view, &dead, 4);
    while ((chunk = ndshm__claim_next(&view, &other, 5)) >= 0)
        ndshm__claim_finish(&view, chunk, 5);
    assert_false(ndshm__claim_any_free(&view, &other));
    assert_false(ndshm__claim_complete(&view, &other));
    assert_int_equal(ndshm__claim_owned(&view, 0, 4), lost);
    assert_int_equal(ndshm__claim_owned(&view, 0, 5), -1);
    ndshm__claim_release(&view, lost);
    assert_true(ndshm__claim_any_free(&view, &other));
    assert_int_equal(ndshm__claim_next(&view, &other, 5), lost);
    ndshm__claim_finish(&view, lost, 5);
    assert_true(ndshm__claim_complete(&view, &other));
    ndshm__layout_free(&view);
    free(memory);
}

/* What lies behind the last byte, and the hint, are as another process left them. */
static void test_overwritten_bytes_give_no_chunk(void **state)
{
    struct ndshm__facts facts = facts_of(61, 1);
    struct ndshm__job_view view;
    struct ndshm__cursor cursor = {0};
    int64_t size, chunk, claimed = 0;
    (void)state;
    void *memory = make_job(&facts, &view, &size);
    for (int i = 61; i < 64; i++)
        atomic_store(&view.claims[i], NDSHM__CLAIM_FREE);
    atomic_store(&view.memory->hint, INT64_MIN);
    assert_true(ndshm__claim_exhausted(&view));
    while ((chunk = ndshm__claim_next(&view, &cursor, 4)) >= 0 && claimed < 100) {
        assert_true(chunk < 61);
        ndshm__claim_finish(&view, chunk, 4);
        claimed++;
    }
    assert_int_equal(claimed, 61);
    assert_false(ndshm__claim_any_free(&view, &cursor));
    assert_true(ndshm__claim_complete(&view, &cursor));
    for (int i = 61; i < 64; i++)
        atomic_store(&view.claims[i], 5);
    assert_int_equal(ndshm__claim_owned(&view, 0, 4), -1);
    ndshm__layout_free(&view);
    free(memory);
}

static void test_a_stopped_job_is_complete_when_nothing_is_owned(void **state)
{
    struct ndshm__facts facts = facts_of(20, 1);
    struct ndshm__job_view view;
    struct ndshm__cursor cursor = {0};
    int64_t size;
    (void)state;
    void *memory = make_job(&facts, &view, &size);
    int64_t chunk = ndshm__claim_next(&view, &cursor, 119);
    atomic_store(&view.memory->stop, NDSHM__STOP_CANCEL);
    assert_false(ndshm__claim_complete(&view, &cursor));
    ndshm__claim_finish(&view, chunk, 119);
    assert_true(ndshm__claim_complete(&view, &cursor));
    ndshm__layout_free(&view);
    free(memory);
}

static void test_tally_agrees_with_counting(void **state)
{
    static const uint8_t kinds[] = {NDSHM__UNIT_PENDING, NDSHM__UNIT_RUNNING, NDSHM__UNIT_OK,
                                    NDSHM__UNIT_RESULT,  NDSHM__UNIT_TAKEN,   NDSHM__UNIT_FAILED,
                                    NDSHM__UNIT_LOST};
    enum { COUNT = 301 };
    struct ndshm__facts facts = facts_of(COUNT, 1);
    struct ndshm__job_view view;
    int64_t size;
    (void)state;
    void *memory = make_job(&facts, &view, &size);
    for (unsigned i = 0; i < COUNT; i++)
        atomic_store(&view.states[i], kinds[(i * 2654435761u >> 7) % sizeof kinds]);
    for (int64_t begin = 0; begin < 20; begin++)
        for (int64_t end = begin; end <= COUNT; end += 17) {
            struct ndshm__tally tally;
            int64_t final = 0, failed = 0, running = 0;
            for (int64_t i = begin; i < end; i++) {
                uint8_t byte = atomic_load(&view.states[i]);
                final += byte >= 0x80;
                failed += byte == NDSHM__UNIT_FAILED || byte == NDSHM__UNIT_LOST;
                running += byte == NDSHM__UNIT_RUNNING;
            }
            ndshm__claim_tally(&view, begin, end, &tally);
            assert_int_equal(tally.final, final);
            assert_int_equal(tally.failed, failed);
            assert_int_equal(tally.running, running);
        }
    ndshm__layout_free(&view);
    free(memory);
}

/* Threads stand for workers: each chunk goes to exactly one, and one at least sees the end. */
struct rival {
    struct ndshm__job_view *job;
    int slot;
    uint8_t *runs;
    int saw_end;
};

static void *compete(void *argument)
{
    struct rival *rival = argument;
    struct ndshm__cursor cursor = {0};
    int64_t chunk;
    while ((chunk = ndshm__claim_next(rival->job, &cursor, rival->slot)) >= 0) {
        rival->runs[chunk]++;
        ndshm__claim_finish(rival->job, chunk, rival->slot);
        if (ndshm__claim_exhausted(rival->job) && ndshm__claim_complete(rival->job, &cursor))
            rival->saw_end = 1;
    }
    return NULL;
}

static void test_rivals_share_the_chunks(void **state)
{
    enum { RIVALS = 4, COUNT = 20000 };
    (void)state;
    for (int round = 0; round < 20; round++) {
        int64_t count = round % 2 ? COUNT : 5;
        struct ndshm__facts facts = facts_of(count, 1);
        struct ndshm__job_view view;
        struct rival rivals[RIVALS];
        pthread_t threads[RIVALS];
        int64_t size;
        int ends = 0;
        void *memory = make_job(&facts, &view, &size);
        for (int i = 0; i < RIVALS; i++) {
            rivals[i] = (struct rival){&view, i, calloc(COUNT, 1), 0};
            assert_int_equal(pthread_create(&threads[i], NULL, compete, &rivals[i]), 0);
        }
        for (int i = 0; i < RIVALS; i++) {
            pthread_join(threads[i], NULL);
            ends += rivals[i].saw_end;
        }
        assert_true(ends >= 1);
        for (int64_t chunk = 0; chunk < count; chunk++) {
            int runs = 0;
            for (int i = 0; i < RIVALS; i++)
                runs += rivals[i].runs[chunk];
            assert_int_equal(runs, 1);
        }
        for (int i = 0; i < RIVALS; i++)
            free(rivals[i].runs);
        ndshm__layout_free(&view);
        free(memory);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_chunks_cover_every_task_once),
        SUPPORT_TEST(test_automatic_chunks_begin_large_and_end_single),
        SUPPORT_TEST(test_parts_of_a_job_do_not_overlap),
        SUPPORT_TEST(test_a_task_that_is_only_counted_takes_one_byte),
        SUPPORT_TEST(test_facts_that_lie_are_refused),
        SUPPORT_TEST(test_texts_stay_inside),
        SUPPORT_TEST(test_claims_give_every_chunk_once),
        SUPPORT_TEST(test_released_chunk_is_found_again),
        SUPPORT_TEST(test_overwritten_bytes_give_no_chunk),
        SUPPORT_TEST(test_a_stopped_job_is_complete_when_nothing_is_owned),
        SUPPORT_TEST(test_tally_agrees_with_counting),
        SUPPORT_TEST(test_rivals_share_the_chunks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
