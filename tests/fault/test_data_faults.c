/* SPDX-License-Identifier: MIT */
/* Arrays, .npy files, DLPack, frames, CSV and describe under each fault. A new operation is a row.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ndshm/compute.h>
#include <ndshm/csv.h>
#include <ndshm/dlpack.h>

#include "array/dlpack_abi.h"
#include "faults.h"
#include "segments.h"
#include "support.h"

#define NAME "t-fault-data"
#define SOURCE "t-fault-source"
enum { ROWS = 300 };

static ndshm_array *array, *source;
static ndshm_frame *frame, *source_frame;
static struct DLManagedTensorVersioned *tensor;
static const int64_t shape[2] = {ROWS, 3};
static double copied[ROWS * 3];
static char npy[200], csv[200], directory[] = "/tmp/ndshm-faults-XXXXXX";

static int nothing(void)
{
    return 0;
}

static int drop_name(const char *name)
{
    return support_exists(name) ? ndshm_unlink(name) : 0;
}

static int drop(void)
{
    if (tensor)
        tensor->deleter(tensor);
    tensor = NULL;
    ndshm_array_detach(&array);
    ndshm_array_detach(&source);
    ndshm_frame_detach(&frame);
    ndshm_frame_detach(&source_frame);
    return drop_name(NAME) || drop_name(SOURCE) ? -1 : 0;
}

static int create(void)
{
    return ndshm_array_create(NAME, NDSHM_FLOAT64, 2, shape, NULL, &array);
}

static int make_source(void)
{
    return ndshm_array_create(SOURCE, NDSHM_FLOAT64, 2, shape, NULL, &source);
}

static int from_view(void)
{
    ndshm_view view;
    int status = ndshm_array_read(source, &view);
    if (!status)
        status = ndshm_view_transpose(&view, NULL, &view);
    if (!status)
        status = ndshm_view_slice(&view, 1, NDSHM_OMIT, NDSHM_OMIT, 2, &view);
    return status ? status : ndshm_array_from(NAME, &view, NULL, &array);
}

static int create_unpublished(void)
{
    ndshm_create_config config;
    ndshm_create_config_init(&config);
    config.flags = NDSHM_UNPUBLISHED;
    return ndshm_array_create(NAME, NDSHM_FLOAT64, 2, shape, &config, &array);
}

static int publish(void)
{
    return ndshm_array_publish(array);
}

static int attach_slice(void)
{
    return ndshm_array_attach(SOURCE "[10:200:3, ::-1]", NDSHM_COW, &array);
}

static int share(void)
{
    return ndshm_array_share(source, &array);
}

static int copy(void)
{
    return ndshm_array_copy(source, copied, sizeof copied);
}

static int unlink_array(void)
{
    return ndshm_array_unlink(source);
}

static int detach(void)
{
    ndshm_array_detach(&source);
    return 0;
}

static int make_temporary(void)
{
    ndshm_create_config config;
    ndshm_create_config_init(&config);
    config.lifetime = NDSHM_TEMPORARY;
    return ndshm_array_create(SOURCE, NDSHM_FLOAT64, 2, shape, &config, &source);
}

static int to_npy(void)
{
    return ndshm_array_to_npy(source, npy);
}

/* A draft that could not be removed is beyond help. */
static int drop_files(void)
{
    char path[300];
    struct dirent *entry;
    DIR *all = opendir(directory);
    while (all && (entry = readdir(all))) {
        snprintf(path, sizeof path, "%s/%.100s", directory, entry->d_name);
        if (strcmp(path, csv) != 0)
            unlink(path);
    }
    return !all || closedir(all) || drop();
}

static int make_npy(void)
{
    int status = make_source();
    if (!status)
        status = to_npy();
    ndshm_array_detach(&source);
    return status ? status : ndshm_unlink(SOURCE);
}

static int from_npy(void)
{
    return ndshm_array_from_npy(NAME, npy, NULL, &array);
}

static int to_dlpack(void)
{
    return ndshm_array_to_dlpack(source, &tensor);
}

static int make_tensor(void)
{
    int status = make_source();
    return status ? status : to_dlpack();
}

static int from_dlpack(void)
{
    return ndshm_array_from_dlpack(NAME, tensor, NULL, &array);
}

static const ndshm_column_spec columns[] = {
    {"a", "l", 0}, {"b", "?g", 0}, {"c", "u", 10}, {"d", "b", 0}};

static int create_frame(void)
{
    return ndshm_frame_create(NAME, ROWS, columns, 4, NULL, &frame);
}

static int publish_frame(void)
{
    return ndshm_frame_publish(frame);
}

static int make_frame(void)
{
    int status = ndshm_frame_create(SOURCE, ROWS, columns, 4, NULL, &source_frame);
    return status ? status : ndshm_frame_publish(source_frame);
}

static int attach_frame(void)
{
    return ndshm_frame_attach(SOURCE "[5:100:2]", NDSHM_READ, &frame);
}

static int share_frame(void)
{
    return ndshm_frame_share(source_frame, &frame);
}

static int unlink_frame(void)
{
    return ndshm_frame_unlink(source_frame);
}

static int read_csv(void)
{
    return ndshm_frame_from_csv(NULL, NAME, csv, NULL, NULL, &frame);
}

static int describe(void)
{
    return ndshm_describe(NULL, source_frame, NAME, &frame);
}

static const struct fault_operation operations[] = {
    {"array attach", make_source, attach_slice, drop},
    {"array copy", make_source, copy, drop},
    {"array create", nothing, create, drop},
    {"array detach", make_temporary, detach, drop},
    {"array from", make_source, from_view, drop},
    {"array from DLPack", make_tensor, from_dlpack, drop},
    {"array from .npy", make_npy, from_npy, drop_files},
    {"array publish", create_unpublished, publish, drop},
    {"array share", make_source, share, drop},
    {"array to DLPack", make_source, to_dlpack, drop},
    {"array to .npy", make_source, to_npy, drop_files},
    {"array unlink", make_source, unlink_array, drop},
    {"array unpublished", nothing, create_unpublished, drop},
    {"csv", nothing, read_csv, drop},
    {"describe", make_frame, describe, drop},
    {"frame attach", make_frame, attach_frame, drop},
    {"frame create", nothing, create_frame, drop},
    {"frame publish", create_frame, publish_frame, drop},
    {"frame share", make_frame, share_frame, drop},
    {"frame unlink", make_frame, unlink_frame, drop},
};

static void test_every_call(void **state)
{
    (void)state;
    fault_sweep_all(operations, sizeof operations / sizeof *operations);
}

static int write_csv(void **state)
{
    (void)state;
    if (!mkdtemp(directory))
        return -1;
    snprintf(npy, sizeof npy, "%s/a.npy", directory);
    snprintf(csv, sizeof csv, "%s/a.csv", directory);
    FILE *file = fopen(csv, "we");
    if (!file)
        return -1;
    fprintf(file, "i,f,s,t,b\n");
    for (int i = 0; i < ROWS; i++)
        fprintf(file, "%d,%d.5,\"text %d\",2024-02-%02d,%s\n", i, i, i, 1 + i % 28,
                i % 3 ? "true" : "");
    return fclose(file);
}

static int remove_csv(void **state)
{
    (void)state;
    unlink(csv);
    return rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_call)};
    return cmocka_run_group_tests(tests, write_csv, remove_csv);
}
