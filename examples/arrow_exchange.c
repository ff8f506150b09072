/* SPDX-License-Identifier: MIT */
/* Frames and the Arrow C interfaces: what any library with Arrow support gives becomes a frame, and
 * a frame becomes what any of them takes, without a copy of its values. */
#include <inttypes.h>

#include "demo.h"

enum { ROWS = 4 };

/* --- a library of its own that exports two columns, a city as a dictionary, and a temperature ---
 */

static const int32_t city_offsets[] = {0, 6, 10};
static const int8_t city_of_row[ROWS] = {1, 0, 0, 1};
static const double temperatures[ROWS] = {-3.5, 2.25, 0, -11};

static void release_schema(struct ArrowSchema *schema)
{
    schema->release = NULL; /* everything is static here */
}

static void release_array(struct ArrowArray *array)
{
    array->release = NULL;
}

static struct ArrowSchema schemas[4] = {
    {.format = "+s", .name = "", .n_children = 2, .release = release_schema},
    {.format = "c", .name = "city", .release = release_schema},
    {.format = "g", .name = "temperature", .release = release_schema},
    {.format = "u", .name = "", .release = release_schema},
};
static struct ArrowSchema *columns[] = {&schemas[1], &schemas[2]};

static const void *city_text[] = {NULL, city_offsets, "BergenOslo"};
static const void *city_keys[] = {NULL, city_of_row};
static const void *degrees[] = {NULL, temperatures};
static const void *no_nulls[] = {NULL};
static struct ArrowArray names = {
    .length = 2, .n_buffers = 3, .buffers = city_text, .release = release_array};
static struct ArrowArray values[] = {
    {.length = ROWS,
     .n_buffers = 2,
     .buffers = city_keys,
     .dictionary = &names,
     .release = release_array},
    {.length = ROWS, .n_buffers = 2, .buffers = degrees, .release = release_array},
};
static struct ArrowArray *children[] = {&values[0], &values[1]};
static int batches_left = 1;

static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
    (void)stream;
    schemas[0].children = columns;
    schemas[1].dictionary = &schemas[3];
    *out = schemas[0];
    return 0;
}

static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
    (void)stream;
    *out = (struct ArrowArray){0}; /* without a release callback: the end */
    if (batches_left-- > 0)
        *out = (struct ArrowArray){.length = ROWS,
                                   .n_buffers = 1,
                                   .buffers = no_nulls,
                                   .n_children = 2,
                                   .children = children,
                                   .release = release_array};
    return 0;
}

static const char *get_last_error(struct ArrowArrayStream *stream)
{
    (void)stream;
    return NULL;
}

static void release_stream(struct ArrowArrayStream *stream)
{
    stream->release = NULL;
}

/* --- with ndshm --- */

static ndshm_frame *import(void)
{
    struct ArrowArrayStream stream = {get_schema, get_next, get_last_error, release_stream, NULL};
    ndshm_frame *frame;
    demo_check(ndshm_frame_from_arrow(NULL, &stream, NULL, &frame));
    return frame;
}

/* What another process does, which knows the name only. */
static void print(const char *name)
{
    ndshm_frame *frame;
    ndshm_column city, label, degree;
    demo_check(ndshm_frame_attach(name, NDSHM_READ, &frame));
    demo_check(ndshm_frame_validate(frame)); /* for who does not trust the writer */
    demo_check(ndshm_frame_column(frame, ndshm_frame_find(frame, "city"), &city));
    demo_check(ndshm_frame_dictionary(frame, ndshm_frame_find(frame, "city"), &label));
    demo_check(ndshm_frame_column(frame, ndshm_frame_find(frame, "temperature"), &degree));
    const int32_t *offsets = label.offsets;
    for (int64_t row = 0; row < city.rows; row++) {
        int64_t i = city.offset + row * city.step;
        int key = ((const int8_t *)city.data)[i];
        printf("%-8.*s %6.2f\n", (int)(offsets[key + 1] - offsets[key]),
               (const char *)label.data + offsets[key], ((const double *)degree.data)[i]);
    }
    ndshm_frame_detach(&frame);
}

/* The addresses that Arrow sees are those of the mapping. */
static int same_memory(const ndshm_frame *frame)
{
    struct ArrowSchema schema;
    struct ArrowArray array;
    ndshm_column column;
    demo_check(ndshm_frame_to_arrow(frame, &schema, &array));
    demo_check(ndshm_frame_column(frame, 1, &column));
    const struct ArrowArray *degree = array.children[1];
    int same = degree->buffers[1] == column.data && strcmp(schema.children[1]->format, "g") == 0;
    array.release(&array);
    schema.release(&schema);
    return same;
}

/* From frame to frame: a stream can be handed to any consumer, also to ourselves. */
static int copy(const ndshm_frame *frame)
{
    struct ArrowArrayStream stream;
    ndshm_frame *second;
    char part[NDSHM_REF_MAX + 1];
    demo_check(ndshm_frame_to_arrow_stream(frame, &stream));
    demo_check(ndshm_frame_from_arrow(NULL, &stream, NULL, &second));
    snprintf(part, sizeof part, "%s[1:3]", ndshm_frame_name(second));
    print(part);
    int columns_there = ndshm_frame_columns(second);
    ndshm_frame_detach(&second);
    return columns_there;
}

/* Of columns of any type: the city as text, the temperature as numbers. */
static int described(const ndshm_frame *frame)
{
    ndshm_frame *description;
    ndshm_column city;
    demo_check(ndshm_describe_all(NULL, frame, NULL, &description));
    demo_check(ndshm_frame_column(description, ndshm_frame_find(description, "city"), &city));
    const int32_t *offsets = city.offsets;
    printf("most often: %.*s\n", (int)(offsets[3] - offsets[2]),
           (const char *)city.data + offsets[2]);
    int rows = (int)ndshm_frame_rows(description);
    ndshm_frame_detach(&description);
    return rows == 11;
}

int main(void)
{
    ndshm_frame *frame = import();
    print(ndshm_frame_name(frame));
    int good = same_memory(frame);
    good = copy(frame) == 2 && described(frame) && good;
    ndshm_frame_detach(&frame);
    return good ? 0 : 1;
}
