/* SPDX-License-Identifier: MIT */
#include "array/ref.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"

struct cursor {
    const char *text;
    const char *at;
};

static void skip_spaces(struct cursor *cursor)
{
    while (*cursor->at == ' ')
        cursor->at++;
}

static bool accept(struct cursor *cursor, const char *token)
{
    skip_spaces(cursor);
    size_t length = strlen(token);
    if (strncmp(cursor->at, token, length) != 0)
        return false;
    cursor->at += length;
    return true;
}

static int expected(struct cursor *cursor, const char *what)
{
    skip_spaces(cursor);
    return ndshm__fail(-EINVAL, "the reference '%.300s' cannot be read: position %td: %s expected",
                       cursor->text, cursor->at - cursor->text + 1, what);
}

/* Numbers beyond 64 bits become the largest: no axis is as long. */
static bool accept_number(struct cursor *cursor, int64_t *out)
{
    skip_spaces(cursor);
    const char *at = cursor->at + (*cursor->at == '-');
    int64_t value = 0;
    if (*at < '0' || *at > '9')
        return false;
    for (; *at >= '0' && *at <= '9'; at++)
        if (!ndshm__mul(value, 10, &value) || !ndshm__add(value, *at - '0', &value))
            value = INT64_MAX;
    *out = *cursor->at == '-' ? -value : value;
    cursor->at = at;
    return true;
}

/* "'it''s'": a quote is written twice. */
static int parse_label(struct cursor *cursor, ndshm__ref *out, size_t *used)
{
    if (!accept(cursor, "'"))
        return expected(cursor, "a name in quotes");
    for (; *cursor->at; cursor->at++) {
        if (*cursor->at == '\'' && *++cursor->at != '\'')
            break;
        out->labels[(*used)++] = *cursor->at;
    }
    if (cursor->at[-1] != '\'')
        return expected(cursor, "a quote behind the name");
    out->labels[(*used)++] = '\0';
    out->nlabels++;
    return 0;
}

/* Behind '['. Each label is shorter than its text, so that all of them fit. */
static int parse_labels(struct cursor *cursor, ndshm__ref *out)
{
    size_t used = 0;
    if (out->nlabels > 0)
        return expected(cursor, "one list of names, not two, is");
    do {
        int status = parse_label(cursor, out, &used);
        if (status)
            return status;
    } while (accept(cursor, ","));
    return accept(cursor, "]") ? 0 : expected(cursor, "',' or ']'");
}

/* int | [int]:[int][:int] | '...' | '[' label {',' label} ']' */
static int parse_item(struct cursor *cursor, ndshm__ref *ref, struct ndshm__ref_item *out)
{
    *out = (struct ndshm__ref_item){NDSHM__REF_SLICE, NDSHM_OMIT, NDSHM_OMIT, 1};
    if (accept(cursor, "...")) {
        out->kind = NDSHM__REF_ELLIPSIS;
        return 0;
    }
    if (accept(cursor, "[")) {
        out->kind = NDSHM__REF_LABELS;
        return parse_labels(cursor, ref);
    }
    bool start = accept_number(cursor, &out->start);
    if (!accept(cursor, ":")) {
        out->kind = NDSHM__REF_INDEX;
        return start ? 0 : expected(cursor, "a number, ':' or '...'");
    }
    accept_number(cursor, &out->stop);
    if (accept(cursor, ":") && !accept_number(cursor, &out->step))
        out->step = 1; /* "::" as in Python */
    return 0;
}

static int parse_items(struct cursor *cursor, ndshm__ref *out)
{
    int ellipses = 0;
    do {
        if (out->count == NDSHM_MAX_NDIM + 1)
            return ndshm__fail(NDSHM_ESHAPE, "the reference '%.300s' has more than %d items",
                               cursor->text, NDSHM_MAX_NDIM + 1);
        struct ndshm__ref_item *item = &out->items[out->count++];
        int status = parse_item(cursor, out, item);
        if (status)
            return status;
        ellipses += item->kind == NDSHM__REF_ELLIPSIS;
        if (ellipses > 1)
            return expected(cursor, "one '...', not two, is");
    } while (accept(cursor, ","));
    return accept(cursor, "]") ? 0 : expected(cursor, "',' or ']'");
}

/* Everything before '[', without the spaces around it. */
static int split_name(struct cursor *cursor, ndshm__ref *out)
{
    skip_spaces(cursor);
    size_t length = strcspn(cursor->at, "[");
    const char *end = cursor->at + length;
    while (length > 0 && cursor->at[length - 1] == ' ')
        length--;
    if (length >= sizeof out->name)
        return ndshm__fail(-EINVAL, "the name '%.40s...' is longer than %d characters", cursor->at,
                           NDSHM_NAME_MAX);
    memcpy(out->name, cursor->at, length);
    out->name[length] = '\0';
    cursor->at = end;
    return 0;
}

int ndshm__ref_split(const char *text, ndshm__ref *out)
{
    if (!text)
        return ndshm__fail(-EINVAL, "the reference is NULL");
    if (strnlen(text, NDSHM_REF_MAX + 1) > NDSHM_REF_MAX)
        return ndshm__fail(-EINVAL, "the reference '%.40s...' is longer than %d bytes", text,
                           NDSHM_REF_MAX);
    struct cursor cursor = {text, text};
    out->count = 0;
    out->nlabels = 0;
    int status = split_name(&cursor, out);
    if (!status && accept(&cursor, "["))
        status = parse_items(&cursor, out);
    skip_spaces(&cursor);
    if (!status && *cursor.at)
        status = expected(&cursor, "the end");
    return status;
}
