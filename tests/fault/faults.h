/* SPDX-License-Identifier: MIT */
/* Each call behind the wall is made to fail, in turn, with each errno that it can have. */
#ifndef NDSHM_TESTS_FAULTS_H
#define NDSHM_TESTS_FAULTS_H

#include <stdbool.h>

/* An operation is one row of a table. prepare and clean run without faults and return 0. run
 * returns a status, or 1 for a success that the caller can do without (a proof that was refused).
 */
struct fault_operation {
    const char *name;
    int (*prepare)(void);
    int (*run)(void);
    int (*clean)(void);
};

enum fault_mode { FAULT_ONCE, FAULT_FROM_THEN_ON };

/* From here on call number at (from 1) of this process fails, once or with all that follow, with
 * errno number choice of those that the call can have (modulo their number). */
void fault_arm(int at, int choice, enum fault_mode mode);
void fault_disarm(void);

/* Since fault_arm: whether call number at was reached, its name, and how many errnos it has. */
bool fault_reached(void);
const char *fault_call(void);
int fault_choices(void);
const char *fault_errno_name(void); /* that it failed with */

/* Only in processes for which this holds; NULL: in all. Survives fault_arm. */
extern bool (*fault_wanted)(void);
extern int *fault_hits; /* counts what failed in any process, when it is not NULL and shared */

/* Runs an operation under each fault until it gets through without one: each failure is a status
 * with a message, the outcome without a fault is a success, and files, blocks and descriptors
 * return to what they were. Returns the number of complaints, which it prints. */
int fault_sweep(const struct fault_operation *operation);

/* A test: every operation of a table under the leak oracle. */
void fault_sweep_all(const struct fault_operation *operations, int count);

#endif
