/* SPDX-License-Identifier: MIT */
/* The plan that workers are given, written over by somebody. */
#include <stdint.h>
#include <stdlib.h>

#include "csv/csv.h"
#include "support.h"

enum { CHUNKS = 2, COLUMNS = 2, TEXTS = 16 };

struct made {
    struct ndshm__csv_plan *plan;
    struct ndshm__csv_reader reader;
    int64_t bytes;
};

static void make(struct made *made)
{
    assert_int_equal(ndshm__csv_plan_size(COLUMNS, CHUNKS, TEXTS, &made->bytes), 0);
    made->plan = calloc(1, (size_t)made->bytes);
    made->reader = (struct ndshm__csv_reader){0};
    ndshm__csv_plan_lay_out(made->plan, COLUMNS, CHUNKS, made->bytes);
    made->plan->size = 100;
    made->plan->chunk_size = 50;
    assert_true(ndshm__csv_plan_view(made->plan, made->bytes, &made->reader));
    for (int i = 0; i < COLUMNS; i++) {
        made->reader.columns[i].name = ndshm__csv_plan_text(made->plan, "a");
        made->reader.columns[i].type = (struct ndshm__csv_type){NDSHM__CSV_DATE, 4, 0, false, 1};
    }
    made->reader.chunks[1] = (struct ndshm__csv_chunk){.first = 50, .next = 101, .rows = 10};
}

static void check(struct made *made, bool fill, bool expected)
{
    assert_int_equal(ndshm__csv_plan_check(&made->reader, 1, fill), expected);
}

/* The statement damages a plan that was good. */
#define REFUSED(fill, damage)                                                                      \
    do {                                                                                           \
        struct made made;                                                                          \
        make(&made);                                                                               \
        check(&made, fill, true);                                                                  \
        damage;                                                                                    \
        check(&made, fill, false);                                                                 \
        free(made.plan);                                                                           \
    } while (0)

static void test_columns(void **state)
{
    (void)state;
    REFUSED(false, made.reader.columns[1].name = TEXTS);
    REFUSED(false, made.reader.columns[1].given = UINT32_MAX);
    REFUSED(false, made.reader.columns[1].date = TEXTS);
    REFUSED(false, memset(made.reader.columns[1].inferred, 'x', 12));
    REFUSED(false, made.reader.columns[1].type.kind = NDSHM__CSV_TEXT + 1);
    REFUSED(false, made.reader.columns[1].type.width = 3);
    REFUSED(false, made.reader.columns[1].type.scale = 0);
    REFUSED(false, made.reader.texts[made.plan->texts_used - 1] = 'x');
    REFUSED(false, made.plan->chunk_size = 0);
    REFUSED(false, made.plan->data = 101);
    REFUSED(false, made.plan->nchunks = 1);
}

static void test_findings(void **state)
{
    (void)state;
    REFUSED(true, made.reader.chunks[1].first = -1);
    REFUSED(true, made.reader.chunks[1].next = 49);
    REFUSED(true, made.reader.chunks[1].next = 102);
    REFUSED(true, made.reader.chunks[1].rows = -1);
    REFUSED(true, made.reader.chunks[1].rows = 52);
    REFUSED(true, made.reader.chunks[1].row = -1);
    REFUSED(true, made.reader.chunks[1].row = INT64_MAX);
    REFUSED(true, made.reader.seen[3].text_bytes = -1);
    REFUSED(true, made.reader.seen[3].text_bytes = 52);
    REFUSED(true, made.reader.seen[3].text = -1);
    REFUSED(true, made.reader.seen[3].text = INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_columns),
        SUPPORT_TEST(test_findings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
