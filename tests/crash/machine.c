/* SPDX-License-Identifier: MIT */
#include "machine.h"

#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/user.h>

#if defined(__x86_64__)

unsigned long machine_instruction_at(pid_t pid)
{
    return (unsigned long)ptrace(PTRACE_PEEKUSER, pid, offsetof(struct user, regs.rip), NULL);
}

int machine_is_system_call(pid_t pid, unsigned long ip)
{
    enum { SYSCALL = 0x050F };
    return (ptrace(PTRACE_PEEKTEXT, pid, ip, NULL) & 0xFFFF) == SYSCALL;
}

void machine_disarm(pid_t pid)
{
    ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, u_debugreg[7]), 0);
}

int machine_arm(pid_t pid, unsigned long ip)
{
    const long execute_first = 1;
    return ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, u_debugreg[0]), ip) == 0 &&
           ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, u_debugreg[7]), execute_first) == 0;
}

#else

/* Without knowing the machine: instructions are counted, system calls are not seen beforehand. */
unsigned long machine_instruction_at(pid_t pid)
{
    static unsigned long next;
    (void)pid;
    return ++next;
}

int machine_is_system_call(pid_t pid, unsigned long ip)
{
    (void)pid, (void)ip;
    return 0;
}

void machine_disarm(pid_t pid)
{
    (void)pid;
}

int machine_arm(pid_t pid, unsigned long ip)
{
    (void)pid, (void)ip;
    return 0;
}

#endif
