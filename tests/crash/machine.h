/* SPDX-License-Identifier: MIT */
/* What a tracer must know of the machine. */
#ifndef NDSHM_TESTS_MACHINE_H
#define NDSHM_TESTS_MACHINE_H

#include <sys/types.h>

/* Where a stopped process is, and whether what it does next is a system call. */
unsigned long machine_instruction_at(pid_t pid);
int machine_is_system_call(pid_t pid, unsigned long ip);

/* Stops before the instruction at ip, by a debug register. 0: there is none to be had. */
int machine_arm(pid_t pid, unsigned long ip);
void machine_disarm(pid_t pid);

#endif
