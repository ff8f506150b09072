/* SPDX-License-Identifier: MIT */
/* .npy files: NumPy writes what we read, NumPy reads what we write, and damaged files are refused.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "array/array.h"
#include "array/npy.h"
#include "base/os.h"
#include "segments.h"
#include "support.h"

#define NAME "t-array-npy"

/* For each case N: N.npy, and N.bin with the little-endian bytes in C order; a line of what it is.
 */
static const char writer[] =
    "import sys, numpy as np\n"
    "rng = np.random.default_rng(7)\n"
    "types = ['b1', 'i1', 'u1', 'S5', 'S1']\n"
    "types += [o + t for o in '<>' for t in ['i2', 'i4', 'i8', 'u2', 'u4', 'u8', 'f2', 'f4', "
    "'f8',\n"
    "          'c8', 'c16', 'U3', 'M8[ns]', 'M8[D]', 'm8[25us]', 'M8[Y]']] + ['<M8', '<m8']\n"
    "shapes = [(), (7,), (3, 5), (2, 3, 4), (0, 3), (1,), (2, 1, 3, 1, 2)]\n"
    "n = 0\n"
    "def save(a, order, version):\n"
    "    global n\n"
    "    a = np.asarray(a, order=order)\n"
    "    with open(f'{n}.npy', 'wb') as f:\n"
    "        np.lib.format.write_array(f, a, version=version)\n"
    "    le = a.astype(a.dtype.newbyteorder('<'), order='C')\n"
    "    open(f'{n}.bin', 'wb').write(le.tobytes())\n"
    "    flag = 'F' if a.flags.f_contiguous and not a.flags.c_contiguous else 'C'\n"
    "    print(n, le.dtype.str, flag, a.ndim, *a.shape)\n"
    "    n += 1\n"
    "for t in types:\n"
    "    dtype = np.dtype(t)\n"
    "    for shape in shapes:\n"
    "        count = int(np.prod(shape))\n"
    "        if dtype.kind == 'b': a = rng.integers(0, 2, count).astype(dtype)\n"
    "        elif dtype.kind == 'U':\n"
    "            a = np.array([chr(65 + i) + '\\u20ac' for i in range(count)], dtype)\n"
    "        else: a = np.frombuffer(rng.bytes(count * dtype.itemsize), dtype)\n"
    "        for order in 'CF':\n"
    "            save(a.reshape(shape), order, (1 + n % 3, 0) if n % 2 else None)\n"
    "save(np.arange(700000, dtype='>f8').reshape(700, 1000), 'F', None)\n"
    "save(np.ones((1,) * 63 + (3,), 'i2'), 'C', (2, 0))\n";

/* For each N.out.npy: it must be N.npy (1), or N.npy[::-1] (2), as a little-endian file in the same
 * order. */
static const char reader[] =
    "import sys, os, numpy as np\n"
    "n = 0\n"
    "while os.path.exists(f'{n}.npy'):\n"
    "    want = np.load(f'{n}.npy')\n"
    "    for kind in ('out', 'rev'):\n"
    "        if kind == 'rev' and want.ndim == 0: continue\n"
    "        got = np.load(f'{n}.{kind}.npy')\n"
    "        w = want[::-1] if kind == 'rev' else want\n"
    "        assert got.dtype.str == w.dtype.newbyteorder('<').str, (n, kind, got.dtype, w.dtype)\n"
    "        assert got.shape == w.shape, (n, kind, got.shape, w.shape)\n"
    "        assert got.tobytes() == w.astype(got.dtype).tobytes(), (n, kind)\n"
    "        if kind == 'out': assert got.flags.f_contiguous == w.flags.f_contiguous, n\n"
    "    n += 1\n"
    "print(n)\n";

static int python(char *output, size_t size, const char *script)
{
    const char *interpreter = getenv("NDSHM_PYTHON");
    return support_run(output, size, "cd '%s' && '%s' - <<'END'\n%s\nEND", support_directory(),
                       interpreter ? interpreter : "python3", script);
}

static void need_numpy(void)
{
    char output[1024];
    if (python(output, sizeof output, "import numpy") == 0)
        return;
    print_message("numpy cannot be imported; set NDSHM_PYTHON to a Python that has it\n");
    skip();
}

static const char *path_of(const char *format, int number)
{
    static char path[2][4096];
    static int next;
    char *out = path[next ^= 1], file[64];
    snprintf(file, sizeof file, format, number);
    snprintf(out, sizeof path[0], "%s/%s", support_directory(), file);
    return out;
}

static int64_t file_size(const char *path)
{
    struct stat file;
    return stat(path, &file) == 0 ? file.st_size : -1;
}

static void assert_holds(const ndshm_array *array, const char *path)
{
    int64_t size = file_size(path);
    char *want = malloc((size_t)size + 1), *got = malloc((size_t)size + 1);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fread(want, 1, (size_t)size, file), size);
    fclose(file);
    assert_ok(ndshm_array_copy(array, got, size));
    assert_int_equal(memcmp(want, got, (size_t)size), 0);
    free(want);
    free(got);
}

/* Reads N.npy, compares it with N.bin and the line, writes N.out.npy and N.rev.npy. */
static void check_case(char *line)
{
    int number = atoi(strtok(line, " "));
    const char *typestr = strtok(NULL, " ");
    char text[32];
    ndshm_array *array, *reversed;
    assert_ok(ndshm_array_from_npy(NAME, path_of("%d.npy", number), NULL, &array));
    assert_ok(ndshm_dtype_typestr(array->view.dtype, text, sizeof text));
    assert_string_equal(text, typestr);
    int order = *strtok(NULL, " ") == 'F' ? NDSHM_ORDER_FORTRAN : NDSHM_ORDER_C;
    assert_true(ndshm_view_is_contiguous(&array->view, order));
    assert_int_equal(array->view.ndim, atoi(strtok(NULL, " ")));
    for (int i = 0; i < array->view.ndim; i++)
        assert_int_equal(array->view.shape[i], atoi(strtok(NULL, " ")));
    assert_holds(array, path_of("%d.bin", number));
    assert_ok(ndshm_array_to_npy(array, path_of("%d.out.npy", number)));
    if (array->view.ndim > 0) {
        assert_ok(ndshm_array_attach(NAME "[::-1]", NDSHM_READ, &reversed));
        assert_ok(ndshm_array_to_npy(reversed, path_of("%d.rev.npy", number)));
        ndshm_array_detach(&reversed);
    }
    assert_ok(ndshm_array_unlink(array));
    ndshm_array_detach(&array);
}

static void test_numpy_writes_we_read_and_back(void **state)
{
    (void)state;
    enum { OUTPUT = 1 << 18, CASES = 548 };
    need_numpy();
    char *output = malloc(OUTPUT), *line = output;
    int cases = 0, status = python(output, OUTPUT, writer);
    if (status)
        fail_msg("the writer failed: %.2000s", output);
    for (char *end; (end = strchr(line, '\n')); line = end + 1, cases++) {
        *end = '\0';
        check_case(line);
    }
    assert_int_equal(cases, CASES);
    status = python(output, OUTPUT, reader);
    if (status || atoi(output) != CASES)
        fail_msg("NumPy does not read what was written: %.2000s", output);
    free(output);
}

/* A file of a version 1.0 header with this dictionary, and some data. */
static const char *npy_file(const char *dictionary, int data)
{
    const char *path = path_of("damaged-%d.npy", 0);
    unsigned char prefix[10] = "\x93NUMPY\x01";
    FILE *file = fopen(path, "wb");
    prefix[8] = (unsigned char)(strlen(dictionary) & 0xFF);
    prefix[9] = (unsigned char)(strlen(dictionary) >> 8);
    assert_non_null(file);
    fwrite(prefix, 1, sizeof prefix, file);
    fputs(dictionary, file);
    for (int i = 0; i < data; i++)
        fputc(i, file);
    fclose(file);
    return path;
}

static void test_headers_as_python_may_write_them(void **state)
{
    (void)state;
    static const char *const headers[] = {
        "{'descr': '<i4', 'fortran_order': False, 'shape': (2, 3), }",
        "{'descr':'<i4','fortran_order':False,'shape':(2,3)}\n",
        "  { \"shape\" : ( 2L , 3L, ) , \"descr\" : \"<i4\" , 'fortran_order' : True }   \n",
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        ndshm_array *array;
        assert_ok(ndshm_array_from_npy(NAME, npy_file(headers[i], 24), NULL, &array));
        assert_int_equal(array->view.dtype, NDSHM_INT32);
        assert_int_equal(array->view.shape[1], 3);
        assert_ok(ndshm_array_unlink(array));
        ndshm_array_detach(&array);
    }
}

static void test_damaged_headers(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        int status;
        const char *message;
    } cases[] = {
        {"{'descr': '<i4', 'fortran_order': False, 'shape': (2, 3)", NDSHM_EPARSE, "'}' expected"},
        {"{'descr': '<i4', 'fortran_order': False}", NDSHM_EPARSE, "each of the keys"},
        {"{'descr': '<i4', 'descr': '<i4', 'shape': (6,)}", NDSHM_EPARSE, "once expected"},
        {"{'descr': '<i4', 'fortran_order': False, 'shape': (6,), 'x': 1}", NDSHM_EPARSE, "keys"},
        {"{'descr': '<i4', 'fortran_order': 0, 'shape': (6,)}", NDSHM_EPARSE, "True or False"},
        {"{'descr': '<i4', 'fortran_order': False, 'shape': (6)}", NDSHM_EPARSE, "','"},
        {"{'descr': '<i4', 'fortran_order': False, 'shape': [6]}", NDSHM_EPARSE, "'(' expected"},
        {"{'descr': '<i4', 'fortran_order': False, 'shape': (-6,)}", NDSHM_EPARSE, "a length"},
        {"{'descr': '<i4', 'fortran_order': False, 'shape': (2 3)}", NDSHM_EPARSE, "',' or ')'"},
        {"{'descr': '<i4', 'fortran_order': False, 'shape': (6,)} x", NDSHM_EPARSE, "the end"},
        {"{'descr': '<i4', 'fortran_order': False, 'shape': (,)}", NDSHM_EPARSE, "a length"},
        {"{'descr': '<i\\x34', 'fortran_order': False, 'shape': (6,)}", NDSHM_EPARSE, "string"},
        {"{'descr': '<i4", NDSHM_EPARSE, "the end of the string"},
        {"{'descr' '<i4'}", NDSHM_EPARSE, "':'"},
        {"{descr: '<i4'}", NDSHM_EPARSE, "a quoted string"},
        {"", NDSHM_EPARSE, "empty"},
        {"[]", NDSHM_EPARSE, "position 1 of the .npy header: '{'"},
        {"{'descr': '|O', 'fortran_order': False, 'shape': (6,)}", NDSHM_EDTYPE, "Python objects"},
        {"{'descr': '<V4', 'fortran_order': False, 'shape': (6,)}", NDSHM_EDTYPE, "not a known"},
        {"{'descr': [('a', '<i4')], 'fortran_order': False, 'shape': (6,)}", NDSHM_EDTYPE,
         "structured"},
        {"{'descr': '<i4', 'fortran_order': False, 'shape': (99999999999999999999,)}", NDSHM_ESHAPE,
         "2^63 - 1"},
        {"{'descr': '<i4', 'fortran_order': False, 'shape': (9223372036854775807,)}", NDSHM_ESHAPE,
         "2^63 - 1"},
        {"{'descr': '<i4', 'fortran_order': False, 'shape': (7,)}", NDSHM_EPARSE,
         "truncated: 4 bytes of its data are missing"},
        {"{'descr': '<i4', 'fortran_order': False, 'shape': (5,)}", NDSHM_EPARSE,
         "4 bytes follow the data"},
        {"{'descr': '<i4', 'fortran_order': False, 'shape': (1000000000000,)}", NDSHM_EPARSE,
         "3999999999976 bytes of its data are missing"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ndshm_array *array = NULL;
        const char *path = npy_file(cases[i].header, 24);
        assert_fails(cases[i].status, ndshm_array_from_npy(NAME, path, NULL, &array),
                     cases[i].message);
        assert_null(array);
        assert_false(support_exists(NAME));
    }
}

static void test_too_many_dimensions(void **state)
{
    (void)state;
    char header[512] = "{'descr': '<i4', 'fortran_order': False, 'shape': (";
    ndshm_array *array;
    for (int i = 0; i < 65; i++)
        strcat(header, "1,");
    strcat(header, ")}");
    assert_fails(NDSHM_ESHAPE, ndshm_array_from_npy(NAME, npy_file(header, 4), NULL, &array),
                 "more than 64 dimensions");
}

/* Writes bytes as a whole file. */
static const char *raw_file(const void *bytes, size_t size)
{
    const char *path = path_of("raw-%d.npy", 1);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    fclose(file);
    return path;
}

static void test_files_that_are_no_npy(void **state)
{
    (void)state;
    ndshm_array *array;
    const char old[] = "\x93NUMPY\x04\x00\x10\x00xxxxxxxxxxxxxxxxxx";
    const char huge[] = "\x93NUMPY\x02\x00\xFF\xFF\xFF\x7F{}";
    const char nul[] = "\x93NUMPY\x01\x00\x06\x00{}\0\0\0\0";
    assert_fails(NDSHM_EPARSE, ndshm_array_from_npy(NAME, raw_file("", 0), NULL, &array),
                 "12 bytes of its header are missing");
    assert_fails(NDSHM_EPARSE,
                 ndshm_array_from_npy(NAME, raw_file("PK\3\4aaaaaaaaa", 13), NULL, &array),
                 "not a .npy file");
    assert_fails(NDSHM_EPARSE, ndshm_array_from_npy(NAME, raw_file(old, sizeof old), NULL, &array),
                 "format 4.0");
    assert_fails(NDSHM_EPARSE,
                 ndshm_array_from_npy(NAME, raw_file(huge, sizeof huge), NULL, &array),
                 "2147483647 bytes is not believable");
    assert_fails(NDSHM_EPARSE, ndshm_array_from_npy(NAME, raw_file(nul, sizeof nul), NULL, &array),
                 "NUL");
    assert_fails(NDSHM_EPARSE, ndshm_array_from_npy(NAME, raw_file(nul, 14), NULL, &array),
                 "2 bytes of its header are missing");
    assert_fails(-ENOENT, ndshm_array_from_npy(NAME, "/nonexistent/x.npy", NULL, &array),
                 "open of '/nonexistent/x.npy'");
    assert_fails(-EISDIR, ndshm_array_from_npy(NAME, support_directory(), NULL, &array), "read");
    assert_fails(-EINVAL, ndshm_array_from_npy(NAME, NULL, NULL, &array), "NULL");
    assert_fails(-EINVAL, ndshm_array_from_npy(NAME, "x", NULL, NULL), "NULL");
}

static int writes_to_fifo(void *argument)
{
    int fd = open(argument, O_WRONLY);
    char header[NDSHM__NPY_TEXT];
    ndshm_view view = {.dtype = NDSHM_INT8, .ndim = 1, .shape = {1 << 20}};
    int size = ndshm__npy_format(&view, NDSHM_ORDER_C, header);
    SUPPORT_CHECK(write(fd, header, (size_t)size) == size);
    SUPPORT_CHECK(write(fd, header, 1000) == 1000); /* and then nothing more */
    return 0;
}

static void test_a_pipe_that_ends_early(void **state)
{
    (void)state;
    ndshm_array *array = NULL;
    char path[4096];
    snprintf(path, sizeof path, "%s", path_of("fifo-%d", 1));
    assert_int_equal(mkfifo(path, 0600), 0);
    int child = support_child_start(writes_to_fifo, path);
    assert_fails(NDSHM_EPARSE, ndshm_array_from_npy(NAME, path, NULL, &array),
                 "1047576 bytes of its data are missing");
    assert_int_equal(support_child_wait(child), 0);
    assert_null(array);
    assert_false(support_exists(NAME));
}

static int files_in_directory(void)
{
    char output[4096];
    assert_int_equal(support_run(output, sizeof output, "ls -A '%s' | wc -l", support_directory()),
                     0);
    return atoi(output);
}

static void test_a_file_is_there_whole_or_not(void **state)
{
    (void)state;
    const int64_t shape[2] = {2000, 1000};
    ndshm_array *array;
    assert_ok(ndshm_array_create(NAME, NDSHM_FLOAT64, 2, shape, NULL, &array));
    const char *path = path_of("a-%d.npy", 1);
    assert_fails(-ENOENT, ndshm_array_to_npy(array, "/nonexistent/x.npy"), "/nonexistent/x.npy");
    assert_fails(-EINVAL, ndshm_array_to_npy(array, NULL), "NULL");
    assert_fails(-EINVAL, ndshm_array_to_npy(NULL, path), "NULL");
    assert_fails(-EISDIR, ndshm_array_to_npy(array, support_directory()), "rename");
    assert_ok(ndshm_array_to_npy(array, path));
    assert_ok(ndshm_array_to_npy(array, path)); /* replaces */
    assert_int_equal(file_size(path), 16000128);
    assert_int_equal(truncate(support_path(NAME), 8 << 20), 0);
    assert_fails(NDSHM_ECORRUPT, ndshm_array_to_npy(array, path), "truncated");
    assert_int_equal(file_size(path), 16000128);
    assert_int_equal(files_in_directory(), 1);
    unlink(support_path(NAME));
    ndshm_array_detach(&array);
}

static void test_a_full_disk(void **state)
{
    (void)state;
    const int64_t shape[1] = {3 << 20};
    ndshm_array *array;
    char command[4096];
    assert_ok(ndshm_array_create(NAME, NDSHM_INT8, 1, shape, NULL, &array));
    snprintf(command, sizeof command, "mount -t tmpfs -o size=1m none '%s'", support_directory());
    if (support_run(NULL, 0, "%s 2>/dev/null", command) != 0) {
        ndshm_array_unlink(array);
        ndshm_array_detach(&array);
        print_message("no small file system can be mounted here\n");
        skip();
    }
    int status = ndshm_array_to_npy(array, path_of("full-%d.npy", 1));
    int left = files_in_directory();
    assert_int_equal(support_run(NULL, 0, "umount '%s'", support_directory()), 0);
    assert_fails(-ENOSPC, status, "write of ");
    assert_int_equal(left, 0);
    assert_ok(ndshm_array_unlink(array));
    ndshm_array_detach(&array);
}

static int write_within(void *argument)
{
    const struct rlimit limit = {*(rlim_t *)argument, RLIM_INFINITY};
    ndshm_array *array;
    SUPPORT_CHECK(ndshm_array_attach(NAME, NDSHM_READ, &array) == 0);
    SUPPORT_CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    int status = ndshm_array_to_npy(array, path_of("limit-%d.npy", 1));
    ndshm_array_detach(&array);
    return status == 0 ? 0 : status == -EFBIG && strstr(ndshm_error_message(), "ulimit") ? 2 : 1;
}

/* The kernel would end the process with SIGXFSZ. */
static void test_the_limit_of_file_sizes(void **state)
{
    (void)state;
    const int64_t shape[] = {1000};
    rlim_t limit = 128 + 8 * 1000;
    ndshm_array *array;
    assert_ok(ndshm_array_create(NAME, NDSHM_INT64, 1, shape, NULL, &array));
    assert_int_equal(support_child(write_within, &limit), 0);
    unlink(path_of("limit-%d.npy", 1));
    limit--;
    int before = files_in_directory();
    assert_int_equal(support_child(write_within, &limit), 2);
    assert_int_equal(files_in_directory(), before);
    assert_ok(ndshm_array_unlink(array));
    ndshm_array_detach(&array);
}

static int calls_left;

static int fail_nth(const char *call)
{
    (void)call;
    return calls_left > 0 && --calls_left == 0 ? ENOMEM : 0;
}

static int there_and_back(const char *in, const char *out)
{
    ndshm_array *array = NULL;
    int status = ndshm_array_from_npy(NAME, in, NULL, &array);
    if (!status)
        status = ndshm_array_to_npy(array, out);
    if (!status)
        status = ndshm_array_unlink(array);
    ndshm_array_detach(&array);
    return status;
}

static void test_every_call_may_fail(void **state)
{
    (void)state;
    char in[4096], out[4096];
    int failures = 0, calls = 1;
    snprintf(in, sizeof in, "%s",
             npy_file("{'descr': '>i4', 'fortran_order': True, 'shape': (2, 3)}", 24));
    snprintf(out, sizeof out, "%s", path_of("out-%d.npy", 1));
    ndshm__os_fault = fail_nth;
    for (;; calls++) {
        calls_left = calls;
        int status = there_and_back(in, out);
        if (calls_left > 0)
            break;
        failures += status != 0;
        calls_left = 0;
        unlink(out);
        assert_int_equal(files_in_directory(), 1);
        if (support_exists(NAME))
            assert_ok(ndshm_unlink(NAME));
    }
    ndshm__os_fault = NULL;
    assert_true(calls > 15 && failures > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_numpy_writes_we_read_and_back),
        SUPPORT_TEST(test_headers_as_python_may_write_them),
        SUPPORT_TEST(test_damaged_headers),
        SUPPORT_TEST(test_too_many_dimensions),
        SUPPORT_TEST(test_files_that_are_no_npy),
        SUPPORT_TEST(test_a_pipe_that_ends_early),
        SUPPORT_TEST(test_a_file_is_there_whole_or_not),
        SUPPORT_TEST(test_a_full_disk),
        SUPPORT_TEST(test_the_limit_of_file_sizes),
        SUPPORT_TEST(test_every_call_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
