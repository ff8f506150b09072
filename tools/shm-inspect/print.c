/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <math.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

#include <ndshm/segment.h>

#include "print.h"

#define LENGTH(array) ((int)(sizeof(array) / sizeof(array)[0]))

static const char *const states[] = {
    [NDSHM_STATE_IN_USE] = "in-use",     [NDSHM_STATE_IDLE] = "idle",
    [NDSHM_STATE_ORPHAN] = "orphan",     [NDSHM_STATE_UNPROVEN] = "unproven",
    [NDSHM_STATE_CORRUPT] = "corrupt",   [NDSHM_STATE_FOREIGN] = "foreign",
    [PRINT_STATE_UNLINKED] = "unlinked",
};

static const char *const kinds[] = {
    [NDSHM_KIND_ARRAY] = "array", [NDSHM_KIND_FRAME] = "frame",         [NDSHM_KIND_POOL] = "pool",
    [NDSHM_KIND_JOB] = "job",     [NDSHM_KIND_REFERENCE] = "reference",
};

static const char *const lifetimes[] = {
    [NDSHM_TEMPORARY] = "temporary",
    [NDSHM_RECLAIMABLE] = "reclaimable",
    [NDSHM_PERSISTENT] = "persistent",
};

static const char *const decisions[] = {
    [NDSHM_REAP_REMOVED] = "removed",       [NDSHM_REAP_REMOVABLE] = "removable",
    [NDSHM_REAP_IN_USE] = "in-use",         [NDSHM_REAP_PERSISTENT] = "persistent",
    [NDSHM_REAP_POOL_ALIVE] = "pool-alive", [NDSHM_REAP_UNPROVEN] = "unproven",
    [NDSHM_REAP_FOREIGN] = "foreign",       [NDSHM_REAP_CORRUPT] = "corrupt",
};

static const char *word_of(const char *const *words, int count, int value)
{
    return value > 0 && value < count ? words[value] : "";
}

static int value_of(const char *const *words, int count, const char *word)
{
    for (int i = 1; i < count; i++)
        if (strcmp(words[i], word) == 0)
            return i;
    return 0;
}

const char *print_state(int state)
{
    return word_of(states, LENGTH(states), state);
}

const char *print_kind(int kind)
{
    return word_of(kinds, LENGTH(kinds), kind);
}

const char *print_lifetime(int lifetime)
{
    return word_of(lifetimes, LENGTH(lifetimes), lifetime);
}

const char *print_decision(int decision)
{
    return word_of(decisions, LENGTH(decisions), decision);
}

int print_find_state(const char *word)
{
    return value_of(states, LENGTH(states), word);
}

int print_find_kind(const char *word)
{
    return value_of(kinds, LENGTH(kinds), word);
}

void print_error(const char *format, ...)
{
    char text[PRINT_SIZE], safe[PRINT_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fprintf(stderr, "shm-inspect: %s\n", print_safe(text, safe));
}

/* Bytes of the character at text that may be printed as it is; 0 when there is none. Marks without
 * a width of their own are left out: some of them turn the direction of writing. */
static size_t printable(const char *text, mbstate_t *shift)
{
    wchar_t character;
    size_t size = mbrtowc(&character, text, strlen(text), shift);
    if (size == (size_t)-1 || size == (size_t)-2) {
        memset(shift, 0, sizeof *shift);
        return 0;
    }
    return character != L'\\' && wcwidth(character) > 0 ? size : 0;
}

const char *print_safe(const char *text, char *buffer)
{
    mbstate_t shift = {0};
    size_t used = 0;
    while (*text && used < PRINT_SIZE - 8) {
        size_t size = printable(text, &shift);
        if (size) {
            memcpy(buffer + used, text, size);
            used += size;
            text += size;
        } else {
            used += (size_t)snprintf(buffer + used, 5, "\\x%02x", (unsigned char)*text++);
        }
    }
    buffer[used] = '\0';
    return buffer;
}

void print_bytes(int64_t bytes, bool exact, char *buffer)
{
    static const char units[] = "BKMGTPE";
    double value = (double)bytes;
    int unit = 0;
    for (; !exact && fabs(value) >= 1023.95; unit++)
        value /= 1024;
    if (unit == 0)
        snprintf(buffer, PRINT_SIZE, "%" PRId64 "%s", bytes, exact ? "" : "B");
    else
        snprintf(buffer, PRINT_SIZE, "%.*f%c", fabs(value) < 99.95, value, units[unit]);
}

void print_age(int64_t seconds, char *buffer)
{
    static const struct {
        int64_t length;
        char letter;
    } units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
    int unit = 0;
    while (unit < LENGTH(units) - 1 && seconds < units[unit].length)
        unit++;
    snprintf(buffer, PRINT_SIZE, "%" PRId64 "%c", seconds / units[unit].length, units[unit].letter);
}

void print_user(uint32_t uid, char *buffer)
{
    static char cached[PRINT_SIZE]; /* a lookup may read a file, or ask another machine */
    static uint32_t cached_uid;
    if (!cached[0] || uid != cached_uid) {
        const struct passwd *user = getpwuid(uid);
        if (user)
            snprintf(cached, sizeof cached, "%s", user->pw_name);
        else
            snprintf(cached, sizeof cached, "%" PRIu32, uid);
        cached_uid = uid;
    }
    memcpy(buffer, cached, sizeof cached);
}
