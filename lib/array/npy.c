/* SPDX-License-Identifier: MIT */
#include "array/npy.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "array/dtype.h"
#include "base/base.h"

enum { ALIGNMENT = 64, STRING_SIZE = 64 };

static const char magic[6] = "\x93NUMPY";

int ndshm__npy_prefix(const unsigned char bytes[NDSHM__NPY_PREFIX], const char *path,
                      int64_t *prefix, int64_t *length)
{
    if (memcmp(bytes, magic, sizeof magic) != 0)
        return ndshm__fail(NDSHM_EPARSE,
                           "'%s' is not a .npy file: it does not begin with "
                           "\\x93NUMPY",
                           path);
    if (bytes[6] < 1 || bytes[6] > 3 || bytes[7] != 0)
        return ndshm__fail(NDSHM_EPARSE,
                           "'%s' has .npy format %d.%d; 1.0, 2.0 and 3.0 are supported", path,
                           bytes[6], bytes[7]);
    int width = bytes[6] == 1 ? 2 : 4;
    int64_t value = 0;
    for (int i = width - 1; i >= 0; i--)
        value = value << 8 | bytes[8 + i];
    if (value > NDSHM__NPY_HEADER_MAX)
        return ndshm__fail(NDSHM_EPARSE, "'%s': a header of %" PRId64 " bytes is not believable",
                           path, value);
    *prefix = 8 + width;
    *length = value;
    return 0;
}

/* --- the dictionary: the part of Python's syntax that headers are written in --- */

struct reader {
    const char *text;
    const char *at;
    const char *path;
};

static int expected(const struct reader *reader, const char *what)
{
    return ndshm__fail(NDSHM_EPARSE, "'%s': position %td of the .npy header: %s expected",
                       reader->path, reader->at - reader->text + 1, what);
}

static bool accept(struct reader *reader, const char *token)
{
    size_t length = strlen(token);
    while (*reader->at == ' ' || *reader->at == '\n' || *reader->at == '\t')
        reader->at++;
    if (strncmp(reader->at, token, length) != 0)
        return false;
    reader->at += length;
    return true;
}

/* 'text' or "text", printable and without escapes. */
static int parse_string(struct reader *reader, char out[STRING_SIZE])
{
    char quote = accept(reader, "'") ? '\'' : '"';
    if (quote == '"' && !accept(reader, "\""))
        return expected(reader, "a quoted string");
    int length = 0;
    for (; *reader->at != quote; reader->at++) {
        if (*reader->at < ' ' || *reader->at > '~' || *reader->at == '\\' ||
            length == STRING_SIZE - 1)
            return expected(reader, "the end of the string");
        out[length++] = *reader->at;
    }
    reader->at++;
    out[length] = '\0';
    return 0;
}

static int parse_descr(struct reader *reader, struct ndshm__npy_header *out)
{
    char descr[STRING_SIZE];
    if (accept(reader, "["))
        return ndshm__fail(NDSHM_EDTYPE,
                           "'%s': structured data types are not supported; save each field as a "
                           "file of its own",
                           reader->path);
    int status = parse_string(reader, descr);
    if (status)
        return status;
    if (strchr(descr, 'O'))
        return ndshm__fail(NDSHM_EDTYPE, "'%s': Python objects ('%s') cannot be shared",
                           reader->path, descr);
    return ndshm__dtype_parse(descr, &out->dtype, &out->swapped);
}

static int parse_order(struct reader *reader, struct ndshm__npy_header *out)
{
    if (accept(reader, "True"))
        out->order = NDSHM_ORDER_FORTRAN;
    else if (accept(reader, "False"))
        out->order = NDSHM_ORDER_C;
    else
        return expected(reader, "True or False");
    return 0;
}

static int parse_length(struct reader *reader, int64_t *out)
{
    int64_t value = 0;
    if (*reader->at < '0' || *reader->at > '9')
        return expected(reader, "a length");
    for (; *reader->at >= '0' && *reader->at <= '9'; reader->at++)
        if (!ndshm__mul(value, 10, &value) || !ndshm__add(value, *reader->at - '0', &value))
            return ndshm__fail(NDSHM_ESHAPE, "'%s': a length in the .npy header exceeds 2^63 - 1",
                               reader->path);
    accept(reader, "L"); /* Python 2 */
    *out = value;
    return 0;
}

/* (), (3,), (3, 4), (3, 4,) */
static int parse_shape(struct reader *reader, struct ndshm__npy_header *out)
{
    bool comma = false;
    out->ndim = 0;
    if (!accept(reader, "("))
        return expected(reader, "'('");
    while (!accept(reader, ")")) {
        if (out->ndim > 0 && !comma)
            return expected(reader, "',' or ')'");
        if (out->ndim == NDSHM_MAX_NDIM)
            return ndshm__fail(NDSHM_ESHAPE, "'%s' has more than %d dimensions", reader->path,
                               NDSHM_MAX_NDIM);
        int status = parse_length(reader, &out->shape[out->ndim]);
        if (status)
            return status;
        out->ndim++;
        comma = accept(reader, ",");
    }
    return out->ndim == 1 && !comma ? expected(reader, "',' in a tuple of one length") : 0;
}

static int parse_value(struct reader *reader, struct ndshm__npy_header *out, unsigned *seen)
{
    static const char *const keys[] = {"descr", "fortran_order", "shape"};
    static int (*const parsers[])(struct reader *, struct ndshm__npy_header *) = {
        parse_descr, parse_order, parse_shape};
    char key[STRING_SIZE];
    int status = parse_string(reader, key);
    if (status)
        return status;
    for (unsigned i = 0; i < 3; i++) {
        if (strcmp(key, keys[i]) != 0 || *seen >> i & 1)
            continue;
        *seen |= 1u << i;
        return accept(reader, ":") ? parsers[i](reader, out) : expected(reader, "':'");
    }
    return expected(reader, "each of the keys descr, fortran_order and shape once");
}

int ndshm__npy_parse(const char *text, const char *path, struct ndshm__npy_header *out)
{
    struct reader reader = {text, text, path};
    unsigned seen = 0;
    if (!accept(&reader, "{"))
        return expected(&reader, "'{'");
    while (!accept(&reader, "}")) {
        int status = parse_value(&reader, out, &seen);
        if (status)
            return status;
        if (!accept(&reader, ",")) {
            if (!accept(&reader, "}"))
                return expected(&reader, "',' or '}'");
            break;
        }
    }
    accept(&reader, ""); /* spaces */
    if (*reader.at)
        return expected(&reader, "the end");
    return seen == 7 ? 0 : expected(&reader, "each of the keys descr, fortran_order and shape");
}

int ndshm__npy_format(const ndshm_view *view, int order, char out[NDSHM__NPY_TEXT])
{
    enum { PREFIX = 10 };
    char descr[NDSHM__TYPESTR_SIZE];
    ndshm__dtype_typestr(view->dtype, descr);
    int used = PREFIX;
    used += snprintf(out + used, (size_t)(NDSHM__NPY_TEXT - used),
                     "{'descr': '%s', 'fortran_order': %s, 'shape': (", descr,
                     order == NDSHM_ORDER_FORTRAN ? "True" : "False");
    for (int i = 0; i < view->ndim; i++)
        used += snprintf(out + used, (size_t)(NDSHM__NPY_TEXT - used), "%s%" PRId64, i ? ", " : "",
                         view->shape[i]);
    used += snprintf(out + used, (size_t)(NDSHM__NPY_TEXT - used), "%s), }",
                     view->ndim == 1 ? "," : "");
    int total = (used + 1 + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    memset(out + used, ' ', (size_t)(total - used - 1));
    out[total - 1] = '\n';
    memcpy(out, magic, sizeof magic);
    out[6] = 1;
    out[7] = 0;
    out[8] = (char)((total - PREFIX) & 0xFF);
    out[9] = (char)((total - PREFIX) >> 8);
    return total;
}
