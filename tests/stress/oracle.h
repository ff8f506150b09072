/* SPDX-License-Identifier: MIT */
/* Knows who holds which segment under which name, in memory that all share, and looks at the files
 * by itself: a name that went under its holder, and a file that is not whole, are violations. */
#ifndef NDSHM_TESTS_ORACLE_H
#define NDSHM_TESTS_ORACLE_H

#include <stdatomic.h>
#include <stdint.h>

enum { ORACLE_SLOTS = 24, ORACLE_NAMES = 8, ORACLE_UNLINKED = 1 << 16 };

/* What one process holds. Written by that process; doomed by whoever is about to kill it. */
struct oracle_slot {
    _Alignas(64) _Atomic uint64_t turn; /* odd: the rest is true until turn changes */
    _Atomic uint64_t uuid[2];
    _Atomic int name;
    _Atomic int doomed;
};

struct oracle {
    struct oracle_slot slots[ORACLE_SLOTS];
    _Atomic uint64_t unlinked[ORACLE_UNLINKED]; /* halves of uuids */
    _Atomic int over;
    _Atomic long looks, live_deleted, half_made;
};

/* Shared with the processes that are forked from now on. NULL: no memory. */
struct oracle *oracle_open(void);
void oracle_close(struct oracle *oracle);

void oracle_name(char out[32], int name);

/* By the holder: from the moment that it holds a segment, until just before it lets go. */
void oracle_hold(struct oracle *oracle, int slot, int name, const uint8_t *uuid);
void oracle_let_go(struct oracle *oracle, int slot);

/* Somebody asks for the removal of the name; before it happens. */
void oracle_unlink(struct oracle *oracle, const uint8_t *uuid);

/* Before the process of a slot is killed; and before the next one begins. */
void oracle_doom(struct oracle *oracle, int slot);
void oracle_begin(struct oracle *oracle, int slot);

/* Nobody holds anything any more: what was unlinked is forgotten. */
void oracle_forget(struct oracle *oracle);

/* Looks whether the name of what a slot holds still means it. */
void oracle_check_slot(struct oracle *oracle, int slot);

/* Looks at all slots and all files, until over. */
void oracle_watch(struct oracle *oracle);

#endif
