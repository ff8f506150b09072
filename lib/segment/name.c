/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/os.h"
#include "segment/segment.h"

static const char own_prefix[] = "ndshm.";

static bool allowed(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

int ndshm__name_check_any(const char *name, const char **bare)
{
    if (!name)
        return ndshm__fail(-EINVAL, "the name is NULL");
    const char *text = name + (name[0] == '/');
    size_t length = strnlen(text, NDSHM_NAME_MAX + 1);
    if (length == 0)
        return ndshm__fail(-EINVAL, "the name is empty; give 1 to %d characters", NDSHM_NAME_MAX);
    if (length > NDSHM_NAME_MAX)
        return ndshm__fail(-EINVAL, "the name '%.40s...' is longer than %d characters", text,
                           NDSHM_NAME_MAX);
    for (size_t i = 0; i < length; i++)
        if (!allowed(text[i]))
            return ndshm__fail(-EINVAL,
                               "character %zu of the name (code %d), after '%.*s', is not one of "
                               "A-Z a-z 0-9 . _ -%s",
                               i + 1, (unsigned char)text[i], (int)i, text,
                               text[i] == '[' ? "; a slice is not allowed here" : "");
    if (text[0] == '.')
        return ndshm__fail(-EINVAL, "'%s': a name must not begin with a dot", text);
    *bare = text;
    return 0;
}

int ndshm__name_check(const char *name, const char **bare)
{
    const char *text;
    int status = ndshm__name_check_any(name, &text);
    if (status)
        return status;
    if (strncmp(text, own_prefix, sizeof own_prefix - 1) == 0)
        return ndshm__fail(-EINVAL,
                           "'%s': names that begin with \"%s\" are the library's own; "
                           "choose another, or NULL for a generated one",
                           text, own_prefix);
    *bare = text;
    return 0;
}

int ndshm__name_generate(char out[NDSHM_NAME_MAX + 1])
{
    uint8_t bits[16];
    int status = ndshm__os_random(bits, sizeof bits);
    if (status)
        return ndshm__fail(status, "no random bits for a generated name: %s",
                           ndshm_strerror(status));
    int used = snprintf(out, NDSHM_NAME_MAX + 1, "%s", own_prefix);
    for (size_t i = 0; i < sizeof bits; i++)
        used += snprintf(out + used, (size_t)(NDSHM_NAME_MAX + 1 - used), "%02x", bits[i]);
    return 0;
}

static const char draft_prefix[] = "ndshm.tmp.";

int ndshm__name_draft(char out[NDSHM_NAME_MAX + 1])
{
    int status = ndshm__name_generate(out);
    if (!status)
        memcpy(out, draft_prefix, sizeof draft_prefix - 1);
    return status;
}

bool ndshm__name_is_draft(const char *name)
{
    enum { PREFIX = sizeof draft_prefix - 1, DIGITS = sizeof own_prefix - 1 + 32 - PREFIX };
    const char *digits = name + PREFIX;
    return strncmp(name, draft_prefix, PREFIX) == 0 && strlen(digits) == DIGITS &&
           strspn(digits, "0123456789abcdef") == DIGITS;
}
