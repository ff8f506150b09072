/* SPDX-License-Identifier: MIT */
/* Data types, views, and the ways into and out of a shared array. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ndshm/ndshm.h>

/* From dlpack/dlpack.h: as much as is needed to give a tensor back. */
struct DLManagedTensorVersioned {
    uint32_t version[2];
    void *manager_ctx;
    void (*deleter)(struct DLManagedTensorVersioned *self);
};

static void check(int status)
{
    if (status == 0)
        return;
    fprintf(stderr, "%s: %s\n", ndshm_strerror(status), ndshm_error_message());
    exit(1);
}

static void expect(int condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "unexpected: %s\n", what);
    exit(1);
}

static void data_types(void)
{
    ndshm_dtype dtype;
    char text[32];
    check(ndshm_dtype_parse("datetime64[25us]", &dtype));
    check(ndshm_dtype_typestr(dtype, text, sizeof text));
    expect(strcmp(text, "<M8[25us]") == 0, text);
    expect(ndshm_dtype_itemsize(dtype) == 8, "item size");
}

/* Views describe memory of any origin; nothing is copied until ndshm_view_copy. */
static void views(double data[24])
{
    const int64_t shape[3] = {2, 3, 4}, table[2] = {6, -1}, wide[3] = {5, 6, 4};
    double copy[120];
    ndshm_view cube, view, target;
    check(ndshm_view_init(&cube, data, NDSHM_FLOAT64, 3, shape, NDSHM_ORDER_C));
    check(ndshm_view_reshape(&cube, 2, table, &view));          /* 6 x 4 */
    check(ndshm_view_slice(&view, 0, 1, NDSHM_OMIT, 2, &view)); /* rows 1, 3, 5 */
    check(ndshm_view_transpose(&view, NULL, &view));            /* 4 x 3 */
    check(ndshm_view_index(&view, 0, -1, &view));               /* the last column */
    expect(*(double *)view.data == 7, "element 7");
    expect(!ndshm_view_is_contiguous(&view, NDSHM_ORDER_C), "a column has gaps");
    check(ndshm_view_reshape(&cube, 2, table, &view));
    check(ndshm_view_broadcast(&view, 3, wide, &view)); /* five times the same table */
    expect(ndshm_view_size(&view) == 120 && ndshm_view_nbytes(&view) == 960, "size");
    check(ndshm_view_init(&target, copy, NDSHM_FLOAT64, 3, wide, NDSHM_ORDER_FORTRAN));
    check(ndshm_view_copy(&target, &view));
    expect(copy[0] == 0 && copy[4] == 0 && copy[119] == 23, "copied elements");
}

/* An array that is filled before anybody can see it. */
static void publish(void)
{
    const int64_t shape[1] = {1000};
    ndshm_create_config config;
    ndshm_array *array, *second;
    ndshm_view view;
    double copy[1000];
    ndshm_create_config_init(&config);
    config.flags = NDSHM_UNPUBLISHED;
    check(ndshm_array_create(NULL, NDSHM_FLOAT64, 1, shape, &config, &array));
    check(ndshm_array_read(array, &view));
    for (int i = 0; i < 1000; i++)
        ((double *)view.data)[i] = i;
    check(ndshm_array_publish(array));
    check(ndshm_array_share(array, &second)); /* the mapping goes with the last handle */
    ndshm_array_detach(&array);
    check(ndshm_array_copy(second, copy, sizeof copy));
    expect(copy[999] == 999, "element 999");
    check(ndshm_array_unlink(second));
    ndshm_array_detach(&second);
}

/* From memory, through a .npy file and a DLPack tensor, and every second row by name. */
static void in_and_out(double data[24])
{
    const int64_t shape[2] = {6, 4};
    char directory[] = "/tmp/ndshm-XXXXXX", path[64], ref[NDSHM_REF_MAX];
    ndshm_array *array, *copy, *rows;
    ndshm_view view;
    struct DLManagedTensorVersioned *tensor;
    expect(mkdtemp(directory) != NULL, "no directory for the file");
    snprintf(path, sizeof path, "%s/table.npy", directory);
    check(ndshm_view_init(&view, data, NDSHM_FLOAT64, 2, shape, NDSHM_ORDER_C));
    check(ndshm_array_from(NULL, &view, NULL, &array));
    check(ndshm_array_to_npy(array, path));
    check(ndshm_array_from_npy(NULL, path, NULL, &copy));
    check(ndshm_array_to_dlpack(copy, &tensor));
    ndshm_array_detach(&copy); /* the tensor keeps the mapping */
    check(ndshm_array_from_dlpack(NULL, tensor, NULL, &copy));
    tensor->deleter(tensor);
    snprintf(ref, sizeof ref, "%s[::2]", ndshm_array_name(copy));
    check(ndshm_array_attach(ref, NDSHM_READ, &rows));
    check(ndshm_array_read(rows, &view));
    expect(view.shape[0] == 3 && ((double *)view.data)[8] == 8, "row 2");
    ndshm_array_detach(&rows);
    ndshm_array_detach(&copy); /* generated names go with their last user */
    ndshm_array_detach(&array);
    remove(path);
    remove(directory);
}

int main(void)
{
    double data[24];
    for (int i = 0; i < 24; i++)
        data[i] = i;
    data_types();
    views(data);
    publish();
    in_and_out(data);
    puts("ok");
    return 0;
}
