/* SPDX-License-Identifier: MIT */
/* A frame from nothing: columns of several types are created, filled and published; then slices of
 * its rows are attached by name, as another process would do it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ndshm/ndshm.h>

enum { ROWS = 6, TEXT_BYTES = 64 };

static void check(int status)
{
    if (status == 0)
        return;
    fprintf(stderr, "%s\n", ndshm_error_message());
    exit(1);
}

static void expect(int truth, const char *what)
{
    if (truth)
        return;
    fprintf(stderr, "not as expected: %s\n", what);
    exit(1);
}

static ndshm_column column_of(const ndshm_frame *frame, const char *name)
{
    ndshm_column column;
    check(ndshm_frame_column(frame, ndshm_frame_find(frame, name), &column));
    return column;
}

/* Strings lie one behind the other; offsets[row] and offsets[row + 1] are where each begins and
 * ends. */
static void put_text(const ndshm_column *column, int64_t row, const char *text)
{
    int32_t *offsets = (int32_t *)column->offsets;
    size_t size = strlen(text);
    memcpy((char *)column->data + offsets[row], text, size);
    offsets[row + 1] = offsets[row] + (int32_t)size;
}

static ndshm_frame *build(void)
{
    static const char *const cities[ROWS] = {"Riga", "Oslo", "Rome", "Bonn", "Graz", "Brno"};
    ndshm_column_spec specs[] = {
        {ndshm_frame_index_name(), "u", TEXT_BYTES}, /* row labels */
        {"high", "g", 0},
        {"low", "g", 0},
        {"visits", "?l", 0}, /* with nulls */
    };
    ndshm_frame *frame;
    check(ndshm_frame_create(NULL, ROWS, specs, 4, NULL, &frame));
    ndshm_column labels = column_of(frame, ndshm_frame_index_name());
    ndshm_column high = column_of(frame, "high"), low = column_of(frame, "low");
    ndshm_column visits = column_of(frame, "visits");
    for (int row = 0; row < ROWS; row++) {
        put_text(&labels, row, cities[row]);
        ((double *)high.data)[row] = 20 + row;
        ((double *)low.data)[row] = 10 + row;
        if (row == 2)
            continue; /* rows of a nullable column are null until their bit is set */
        ((int64_t *)visits.data)[row] = 100 * row;
        ((uint8_t *)visits.validity)[row / 8] |= (uint8_t)(1 << (row % 8));
    }
    check(ndshm_frame_publish(frame));
    return frame;
}

static void print(const ndshm_frame *frame)
{
    ndshm_column labels = column_of(frame, ndshm_frame_index_name());
    ndshm_column visits = column_of(frame, "visits");
    const int32_t *offsets = labels.offsets;
    for (int64_t row = 0; row < ndshm_frame_rows(frame); row++) {
        int64_t i = visits.offset + row * visits.step;
        printf("  %.*s: ", (int)(offsets[i + 1] - offsets[i]),
               (const char *)labels.data + offsets[i]);
        if (visits.validity[i / 8] >> (i % 8) & 1)
            printf("%lld\n", (long long)((const int64_t *)visits.data)[i]);
        else
            printf("null\n");
    }
}

/* Columns of one type are also one column-major array, which is not a copy. */
static void show_block(void)
{
    ndshm_column_spec specs[] = {{"x", "g", 0}, {"y", "g", 0}};
    ndshm_frame *frame;
    ndshm_view block;
    check(ndshm_frame_create(NULL, ROWS, specs, 2, NULL, &frame));
    check(ndshm_frame_block(frame, &block));
    char *last_row = (char *)block.data + (ROWS - 1) * block.strides[0];
    *(double *)(last_row + block.strides[1]) = 42;
    expect(((double *)column_of(frame, "y").data)[ROWS - 1] == 42, "the block is the columns");
    ndshm_frame_detach(&frame); /* never published: it is gone without a trace */
}

int main(void)
{
    char reference[NDSHM_REF_MAX];
    ndshm_frame *frame = build(), *slice, *second;
    snprintf(reference, sizeof reference, "%s[1::2]", ndshm_frame_name(frame));
    check(ndshm_frame_attach(reference, NDSHM_READ, &slice));
    printf("%s: %d columns\n", ndshm_frame_name(slice), ndshm_frame_columns(slice));
    print(slice);
    expect(ndshm_frame_rows(slice) == 3, "every second row but the first");

    /* A second handle keeps the mapping when the first one goes. */
    check(ndshm_frame_share(slice, &second));
    ndshm_frame_detach(&slice);
    expect(column_of(second, "visits").null_count == -1, "nulls of a slice are not counted");
    expect(column_of(frame, "visits").null_count == 1, "nulls of the whole are");
    ndshm_frame_detach(&second);

    show_block();
    expect(ndshm_frame_attach(reference, NDSHM_WRITE, &slice) < 0, "a frame is immutable");
    printf("%s\n", ndshm_error_message());

    check(ndshm_frame_unlink(frame));
    ndshm_frame_detach(&frame);
    return 0;
}
