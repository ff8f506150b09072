/* SPDX-License-Identifier: MIT */
/* Views, slices in references and strided copies do what NumPy does: views.py makes the cases. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "array/dtype.h"
#include "array/ref.h"
#include "support.h"

enum { CASES = 20000, BUFFER = 1 << 22 };

static const char *script;
static char *memory, *dense, *naive;

/* One case while it is followed. */
struct state {
    ndshm_view view;
    ndshm_view whole;
    ndshm__selection selection;
    bool by_reference;
};

static int64_t number(void)
{
    const char *word = strtok(NULL, " \n");
    if (!word)
        fail_msg("a number is missing");
    return strcmp(word, "x") == 0 ? NDSHM_OMIT : strtoll(word, NULL, 10);
}

static int read_shape(int64_t shape[NDSHM_MAX_NDIM])
{
    int ndim = (int)number();
    for (int i = 0; i < ndim; i++)
        shape[i] = number();
    return ndim;
}

static void begin(struct state *state, const char *typestr)
{
    ndshm_dtype dtype;
    int64_t shape[NDSHM_MAX_NDIM];
    assert_ok(ndshm_dtype_parse(typestr, &dtype));
    int order = *strtok(NULL, " ") == 'C' ? NDSHM_ORDER_C : NDSHM_ORDER_FORTRAN;
    int ndim = read_shape(shape);
    assert_ok(ndshm_view_init(&state->whole, memory, dtype, ndim, shape, order));
    assert_true(ndshm_view_nbytes(&state->whole) <= BUFFER);
    state->view = state->whole;
    state->by_reference = false;
    ndshm__selection_all(&state->selection, ndim, shape);
}

static int do_slice(struct state *state)
{
    int axis = (int)number();
    int64_t start = number(), stop = number(), step = number();
    return ndshm_view_slice(&state->view, axis, start, stop, step, &state->view);
}

static int do_index(struct state *state)
{
    int axis = (int)number();
    return ndshm_view_index(&state->view, axis, number(), &state->view);
}

static int do_transpose(struct state *state)
{
    int axes[NDSHM_MAX_NDIM];
    for (int i = 0; i < state->view.ndim; i++)
        axes[i] = (int)number();
    return ndshm_view_transpose(&state->view, axes, &state->view);
}

static int do_reshape(struct state *state)
{
    int64_t shape[NDSHM_MAX_NDIM];
    int ndim = read_shape(shape);
    return ndshm_view_reshape(&state->view, ndim, shape, &state->view);
}

static int do_broadcast(struct state *state)
{
    int64_t shape[NDSHM_MAX_NDIM];
    int ndim = read_shape(shape);
    return ndshm_view_broadcast(&state->view, ndim, shape, &state->view);
}

static int do_ref(struct state *state)
{
    char text[NDSHM_REF_MAX + 1];
    ndshm__ref ref;
    snprintf(text, sizeof text, "prices%s", strtok(NULL, " "));
    assert_ok(ndshm__ref_split(text, &ref));
    assert_string_equal(ref.name, "prices");
    state->by_reference = true;
    int status = ndshm__selection_apply(&state->selection, &ref);
    if (!status)
        ndshm__selection_view(&state->selection, &state->whole, &state->view);
    return status;
}

static int do_step(struct state *state, const char *word)
{
    static const struct {
        const char *name;
        int (*function)(struct state *state);
    } steps[] = {
        {"slice", do_slice},     {"index", do_index},         {"transpose", do_transpose},
        {"reshape", do_reshape}, {"broadcast", do_broadcast}, {"ref", do_ref},
    };
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (strcmp(word, steps[i].name) == 0)
            return steps[i].function(state);
    fail_msg("unknown step '%s'", word);
    return -1;
}

static bool is_as_numpy_says(const ndshm_view *view)
{
    bool empty = ndshm_view_size(view) == 0, same;
    int64_t offset = number();
    int64_t shape[NDSHM_MAX_NDIM];
    int ndim = read_shape(shape);
    same = (empty || (char *)view->data - memory == offset) && view->ndim == ndim;
    for (int i = 0; i < ndim; i++)
        same = same && view->shape[i] == shape[i];
    for (int i = 0; i < ndim; i++) {
        int64_t stride = number();
        same = same && (empty || shape[i] == 1 || view->strides[i] == stride);
    }
    same = same && ndshm_view_is_contiguous(view, NDSHM_ORDER_C) == number();
    return same && ndshm_view_is_contiguous(view, NDSHM_ORDER_FORTRAN) == number();
}

/* The canonical reference denotes exactly the same view, and is its own canonical reference. */
static bool canonical_is_same(const struct state *state)
{
    char text[NDSHM_REF_MAX + 1], again[NDSHM_REF_MAX + 1];
    ndshm__ref ref;
    ndshm__selection selection;
    ndshm_view view;
    if (!ndshm__selection_text(&state->selection, "prices", text))
        return false;
    assert_ok(ndshm__ref_split(text, &ref));
    ndshm__selection_all(&selection, state->whole.ndim, state->whole.shape);
    assert_ok(ndshm__selection_apply(&selection, &ref));
    ndshm__selection_view(&selection, &state->whole, &view);
    size_t used = (size_t)view.ndim * sizeof *view.shape;
    return ndshm__selection_text(&selection, "prices", again) && strcmp(text, again) == 0 &&
           view.data == state->view.data && view.ndim == state->view.ndim &&
           memcmp(view.shape, state->view.shape, used) == 0 &&
           memcmp(view.strides, state->view.strides, used) == 0;
}

/* Element by element, in C order. */
static char *copy_naively(char *to, const ndshm_view *view, int axis, const char *from)
{
    size_t item = (size_t)ndshm_dtype_itemsize(view->dtype);
    if (axis == view->ndim) {
        memcpy(to, from, item);
        return to + item;
    }
    for (int64_t i = 0; i < view->shape[axis]; i++)
        to = copy_naively(to, view, axis + 1, from + i * view->strides[axis]);
    return to;
}

static bool copies_are_same(const ndshm_view *view)
{
    ndshm_view flat, scattered;
    size_t size = (size_t)ndshm_view_nbytes(view);
    assert_true(size <= BUFFER);
    memset(dense, 1, size);
    assert_ok(ndshm_view_init(&flat, dense, view->dtype, view->ndim, view->shape, NDSHM_ORDER_C));
    assert_ok(ndshm_view_copy(&flat, view));
    copy_naively(naive, view, 0, view->data);
    if (memcmp(dense, naive, size) != 0)
        return false;
    if (view->flags & NDSHM_VIEW_READONLY)
        return true;
    scattered = *view;
    assert_ok(ndshm_view_copy(&scattered, &flat)); /* gives what was there */
    copy_naively(naive, view, 0, view->data);
    return memcmp(dense, naive, size) == 0;
}

/* true unless the library differs from NumPy. */
static bool follow(char *line)
{
    struct state state;
    int status = 0;
    begin(&state, strtok(line, " "));
    for (char *word; (word = strtok(NULL, " \n"));) {
        if (*word == '!')
            return status == NDSHM_ESHAPE;
        if (*word == '=')
            return status == 0 && is_as_numpy_says(&state.view) &&
                   (!state.by_reference || canonical_is_same(&state)) &&
                   copies_are_same(&state.view);
        if (*word == ';')
            continue;
        if (status) /* only the last step may fail */
            return false;
        status = do_step(&state, word);
    }
    return false;
}

static void test_random_views_are_as_numpys(void **state)
{
    (void)state;
    char command[1024], *line = NULL, copy[4096];
    size_t size = 0;
    int cases = 0;
    const char *python = getenv("NDSHM_PYTHON");
    snprintf(command, sizeof command, "%s -c 'import numpy'", python ? python : "python3");
    if (system(command) != 0) {
        print_message("numpy cannot be imported; set NDSHM_PYTHON to a Python that has it\n");
        skip();
    }
    snprintf(command, sizeof command, "%s '%s' 20241 %d", python ? python : "python3", script,
             CASES);
    FILE *input = popen(command, "r");
    assert_non_null(input);
    for (; getline(&line, &size, input) > 0; cases++) {
        snprintf(copy, sizeof copy, "%s", line);
        if (!follow(line))
            fail_msg("case %d differs (last message: %s): %s", cases, ndshm_error_message(), copy);
    }
    assert_int_equal(pclose(input), 0);
    assert_int_equal(cases, CASES);
    free(line);
}

/* Repeatable randomness (xorshift64). */
static uint32_t chance(uint32_t below)
{
    static uint64_t x = 88172645463325252u;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return (uint32_t)((x >> 32) % below);
}

static void test_random_text_is_split_or_refused(void **state)
{
    (void)state;
    static const char letters[] = "a[]:,.-0123456789 '\x80\n";
    const int64_t shape[3] = {5, 0, 7};
    int split = 0, refused = 0;
    for (int i = 0; i < 200000; i++) {
        char text[40];
        ndshm__ref ref;
        ndshm__selection selection;
        uint32_t length = chance(sizeof text - 3);
        for (uint32_t k = 0; k < length; k++)
            text[k + 2] = letters[chance(sizeof letters - 1)];
        memcpy(text, "a[", 2);
        text[length + 2] = '\0';
        if (chance(2))
            text[length + 1] = ']';
        int status = ndshm__ref_split(text, &ref);
        assert_true(status == 0 || status == -EINVAL);
        ndshm__selection_all(&selection, 3, shape);
        if (status == 0)
            status = ndshm__selection_apply(&selection, &ref);
        assert_true(status == 0 || status == -EINVAL || status == NDSHM_ESHAPE);
        split += status == 0;
        refused += status != 0;
    }
    assert_true(split > 100 && refused > 100);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_random_views_are_as_numpys),
        SUPPORT_TEST(test_random_text_is_split_or_refused),
    };
    if (argc != 2) {
        fprintf(stderr, "usage: %s VIEWS.PY\n", argv[0]);
        return 2;
    }
    script = argv[1];
    memory = malloc(BUFFER);
    dense = malloc(BUFFER);
    naive = malloc(BUFFER);
    for (int i = 0; i < BUFFER; i++)
        memory[i] = (char)(i * 7 + (i >> 8));
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(memory);
    free(dense);
    free(naive);
    return failed;
}
