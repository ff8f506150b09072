/* SPDX-License-Identifier: MIT */
#include "base/base.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MESSAGE_SIZE = 1024 };

static _Thread_local char message[MESSAGE_SIZE];
static _Thread_local const char *function = "ndshm";
static _Thread_local int quiet;
static _Thread_local char *captured;
static _Thread_local size_t captured_size;
static _Thread_local char status_text[128];

const char *ndshm_version(void)
{
    return NDSHM_VERSION;
}

static const char *own_text(int status)
{
    switch (status) {
#define NDSHM_STATUS_CASE(name, value, text)                                                       \
    case name:                                                                                     \
        return #name ": " text;
        NDSHM_STATUS_TABLE(NDSHM_STATUS_CASE)
#undef NDSHM_STATUS_CASE
    default:
        return NULL;
    }
}

const char *ndshm_strerror(int status)
{
    const char *own = own_text(status);
    if (own)
        return own;
    if (status == 0)
        return "OK: success";
    const char *name = status < 0 && status > INT_MIN ? strerrorname_np(-status) : NULL;
    if (name)
        snprintf(status_text, sizeof status_text, "%s: %s", name, strerrordesc_np(-status));
    else
        snprintf(status_text, sizeof status_text, "%d: not a status of ndshm", status);
    return status_text;
}

const char *ndshm_error_message(void)
{
    return message;
}

void ndshm__begin(const char *name)
{
    function = name;
}

void ndshm__quiet_begin(void)
{
    quiet++;
}

void ndshm__quiet_end(void)
{
    quiet--;
}

void ndshm__capture_begin(char *buffer, size_t size)
{
    captured = buffer;
    captured_size = size;
}

void ndshm__capture_end(void)
{
    captured = NULL;
}

int ndshm__fail(int status, const char *format, ...)
{
    if (quiet)
        return status;
    char text[MESSAGE_SIZE]; /* arguments may point into the old message */
    int used = captured ? 0 : snprintf(text, sizeof text, "%s: ", function);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + used, sizeof text - (size_t)used, format, arguments);
    va_end(arguments);
    if (captured)
        ndshm__text_copy(captured, captured_size, text);
    else
        memcpy(message, text, sizeof message);
    return status;
}
