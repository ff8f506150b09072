/* SPDX-License-Identifier: MIT */
/* Values as text for people, and words for the library's constants. */
#ifndef NDSHM_INSPECT_PRINT_H
#define NDSHM_INSPECT_PRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ndshm/segment.h>

enum { PRINT_SIZE = 2048 }; /* enough for any text made here */

/* Says on standard error what went wrong. Arguments may hold any byte. */
void print_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* text without what a terminal could take for a command: everything that does not print, and the
 * backslash, becomes \xHH. Returns buffer, which has PRINT_SIZE bytes. */
const char *print_safe(const char *text, char *buffer);

/* "1.5M", in powers of 1024; as a plain number when exact. */
void print_bytes(int64_t bytes, bool exact, char *buffer);

/* "3m": seconds in the largest unit that fits. */
void print_age(int64_t seconds, char *buffer);

/* The user's name, or number. */
void print_user(uint32_t uid, char *buffer);

/* The state, beside NDSHM_STATE_*, of what is mapped but has no name. */
enum { PRINT_STATE_UNLINKED = NDSHM_STATE_FOREIGN + 1 };

/* A word for a value, "" when there is none. */
const char *print_state(int state);
const char *print_kind(int kind);
const char *print_lifetime(int lifetime);
const char *print_decision(int decision);

/* The value of a word, or 0. */
int print_find_state(const char *word);
int print_find_kind(const char *word);

#endif
