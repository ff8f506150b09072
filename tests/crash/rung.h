/* SPDX-License-Identifier: MIT */
#ifndef NDSHM_TESTS_RUNG_H
#define NDSHM_TESTS_RUNG_H

#include <stdint.h>

/* Puts this program and its children on a rung of the ladder, before the first use of the library:
 * "proc", "empty-path", "rename" are the ways to publish; "locks" publishes by the first of them,
 * but has no leases. Ends the program when there is no such rung. */
void rung_choose(const char *rung);

/* Temporary names may be left. */
int rung_makes_drafts(void);

/* What reaping has to accept to remove anything. */
uint32_t rung_reap_flags(void);

#endif
