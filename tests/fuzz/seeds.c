/* SPDX-License-Identifier: MIT */
/* First inputs for each fuzz target, from real segments, files and texts:
 *
 *     seeds DIRECTORY      writes DIRECTORY/TARGET/NUMBER.bin */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ndshm/ndshm.h>

static const char *directory;

static void die(const char *what)
{
    fprintf(stderr, "seeds: %s: %s\n", what, ndshm_error_message());
    exit(1);
}

/* prefix: what chooses the way in the target. */
static void put(const char *target, const char *prefix, size_t prefix_size, const void *data,
                size_t size)
{
    static int number;
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", directory, target);
    mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/%s/%03d.bin", directory, target, number++);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(prefix, 1, prefix_size, file) != prefix_size ||
        fwrite(data, 1, size, file) != size || fclose(file) != 0)
        die(path);
}

#define PUT(target, prefix, data, size) put(target, prefix, sizeof(prefix) - 1, data, size)

static void put_file(const char *target, const char *prefix, size_t prefix_size, const char *path)
{
    static char bytes[1 << 16];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, bytes, sizeof bytes);
    if (size < 0)
        die(path);
    put(target, prefix, prefix_size, bytes, (size_t)size);
    close(fd);
}

/* --- segments --- */

static void make_array(const char *name, const char *typestr, int ndim, const int64_t *shape)
{
    ndshm_array *array;
    ndshm_dtype dtype;
    ndshm_create_config config;
    ndshm_create_config_init(&config);
    strcpy(config.label, "a label");
    if (ndshm_dtype_parse(typestr, &dtype) ||
        ndshm_array_create(name, dtype, ndim, shape, &config, &array))
        die("an array");
    ndshm_array_detach(&array);
}

static void make_frame(const char *name)
{
    static const ndshm_column_spec specs[] = {
        {"price", "g", 0}, {"size", "?l", 0}, {"flag", "b", 0},
        {"text", "u", 20}, {"day", "tdD", 0},
    };
    ndshm_frame *frame;
    ndshm_column column;
    if (ndshm_frame_create(name, 10, specs, 5, NULL, &frame) ||
        ndshm_frame_column(frame, 3, &column))
        die("a frame");
    for (int i = 0; i <= 10; i++)
        ((int32_t *)column.offsets)[i] = 2 * i;
    if (ndshm_frame_publish(frame))
        die("a frame");
    ndshm_frame_detach(&frame);
}

static void put_segment(const char *target, const char *name)
{
    char path[300];
    snprintf(path, sizeof path, "/dev/shm/%s", name);
    put_file(target, "\0\0", 2, path);
    put_file(target, "\0\1", 2, path);
    ndshm_unlink(name);
}

static void segments(const char *target, const char *name)
{
    static const int64_t shape[] = {3, 4, 5};
    static const char built[] = "\1\1\2\0\1\2\2\3\x10\4\x20\5\x60\2";
    make_array(name, "<f8", 2, shape);
    put_segment(target, name);
    make_array(name, "S3", 3, shape);
    put_segment(target, name);
    make_array(name, "<M8[ns]", 0, NULL);
    put_segment(target, name);
    make_frame(name);
    put_segment(target, name);
    for (char kind = 0; kind < 6; kind++) {
        char bytes[sizeof built];
        memcpy(bytes, built, sizeof built);
        bytes[3] = kind;
        PUT(target, "", bytes, sizeof bytes);
    }
}

/* --- the others --- */

static void npy_files(void)
{
    static const char *const typestrs[] = {"|b1", "<i2", "<f8", "<c16", "<U3", "<M8[D]", "S5"};
    static const int64_t shape[] = {2, 3};
    char path[64];
    for (int i = 0; i < 14; i++) {
        ndshm_array *array;
        make_array("t-fuzz-seeds", typestrs[i / 2], i % 2 ? 2 : 1, shape);
        if (ndshm_array_attach("t-fuzz-seeds", NDSHM_READ, &array))
            die("attach");
        snprintf(path, sizeof path, "/dev/shm/t-fuzz-seeds.npy");
        if (ndshm_array_to_npy(array, path))
            die(path);
        put_file("npy", "", 0, path);
        unlink(path);
        ndshm_array_unlink(array);
        ndshm_array_detach(&array);
    }
}

static void texts(void)
{
    static const char *const dtypes[] = {"<f8",           "float64", "|b1",     ">i4", "<M8[25us]",
                                         "datetime64[D]", "S16",     "<U5",     "<m8", "bytes",
                                         "c16",           "=u2",     "tsn:UTC", "tdD", "tDu",
                                         "[('a', 'i4')]", "S",       "str",     "<M8", "int16",
                                         "tdm",           "?",       "tss:x",   "u"};
    static const char *const references[] = {
        "prices[1:3]",  "a[-1]",    "a[..., 0]",   "a[::-1]\na[::2]",           "/a",
        "a[1:, :-2:2]", "a.b_c-d",  " a [ 1 ]",    "a[99999999999999999999:2]", "ndshm.x",
        "a[::0]",       "a[1,2,3]", "a[...,1,...]"};
    static const char *const csv[] = {
        "a,b\n1,2\n3,4\n",
        "a,b,c\nx,\"y\"\"z\",1.5\n,\"1\n2\",NA\n",
        "\357\273\277a;b\r\n2024-02-29;true\r\n2023-01-01;false\r\n",
        "a\n1e300\n-0.0\nnan\n12345678901234567890\n",
        "a,b\n2024-02-29 12:00:00,2024-02-29T12:00:00Z\n,\n",
        "a|b\n9007199254740993|1\n|2\n",
    };
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++)
        PUT("dtype", "", dtypes[i], strlen(dtypes[i]));
    for (size_t i = 0; i < sizeof references / sizeof *references; i++)
        PUT("reference", "\3\5\4\7\3", references[i], strlen(references[i]));
    for (size_t i = 0; i < sizeof csv / sizeof *csv; i++) {
        PUT("csv", "\0\0\0\0\0\0\0", csv[i], strlen(csv[i]));
        PUT("csv", "\6\1\0\1\0\0\0\1\3\3\4", csv[i], strlen(csv[i]));
    }
}

/* Targets that read numbers: some to begin with. */
static void numbers(void)
{
    static const char *const targets[] = {"view", "frame", "job", "dlpack", "reference"};
    unsigned char bytes[200];
    for (size_t t = 0; t < sizeof targets / sizeof *targets; t++)
        for (unsigned i = 0; i < 16; i++) {
            for (unsigned k = 0; k < sizeof bytes; k++)
                bytes[k] = (unsigned char)((i + 1) * (k + 3) * 37 % (i < 8 ? 7 : 251));
            bytes[0] = (unsigned char)(i + (t == 4 ? 0xC0 : 0));
            put(targets[t], "", 0, bytes, 20 + 12 * i);
        }
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
        return 2;
    }
    directory = argv[1];
    segments("header", "t-fuzz-header");
    segments("attach", "t-fuzz-attach");
    npy_files();
    texts();
    numbers();
    return 0;
}
