/* SPDX-License-Identifier: MIT */
/* A process under ptrace, taken to a chosen instruction or system call and killed there. */
#ifndef NDSHM_TESTS_STEPPER_H
#define NDSHM_TESTS_STEPPER_H

#include <stdint.h>
#include <sys/types.h>

/* Which process is stepped: the one that does the work, its child, or its child's child. */
enum { STEP_SELF = 0, STEP_CHILD = 1, STEP_GRANDCHILD = 2 };

struct step_script {
    int (*body)(void *argument); /* in a new process: its verdict. Calls step_begin and step_end */
    void *argument;
    int generation; /* STEP_* */
    int at_fork;    /* that process is forked after step_begin, and stepped from there */
};

/* Where the operation begins and ends. In the new process. */
void step_begin(void);
void step_end(void);

struct stepped {
    pid_t first;    /* that runs the body; 0: collected */
    pid_t pid;      /* that is stepped */
    int generation; /* of it */
    int gone;       /* it has ended */
    int signal;     /* to be delivered when it goes on */
};

/* A place in the operation: so many system calls from its beginning, and then so many instructions,
 * which is where the instruction at ip is met for the nth time (hits); or the entry of the next
 * system call, before it takes effect (instructions is STEP_ENTRY). */
struct step_point {
    int calls;
    int instructions;
    int hits;
    unsigned long ip;
};
enum { STEP_ENTRY = -1 };

struct step_points {
    struct step_point *all;
    long count;
    long instructions; /* that the operation has */
};

/* Once, before the first test: memory that all processes share. */
void step_init(void);

/* Runs the script until its operation begins, in the process that is to be stepped. Fails the test
 * when that does not come about. */
void step_start(const struct step_script *script, struct stepped *out);

/* Steps through the whole operation and chooses points: before and after each system call, and
 * instructions whose distances are random with the mean stride (1: every instruction). A string
 * instruction that repeats itself counts as one. Free points->all. Returns the script's verdict. */
int step_walk(const struct step_script *script, long stride, uint64_t *random,
              struct step_points *points);

/* Goes to the point. 0: the process took another way (it is somewhere near), or has ended. */
int step_to(struct stepped *stepped, const struct step_point *point);

/* SIGKILL where it is. */
void step_kill(struct stepped *stepped);

/* Lets it go on by itself. */
void step_release(struct stepped *stepped);

/* Continues until the next stop, by PTRACE_SINGLESTEP, _SYSCALL or _CONT; signals are passed on. */
enum step_stop {
    STEP_AT_INSTRUCTION,
    STEP_AT_ENTRY, /* of a system call */
    STEP_AT_EXIT,
    STEP_AT_FORK,
    STEP_AT_MARK, /* step_end of a process that is stepped itself */
    STEP_IS_GONE
};
enum step_stop step_go_on(struct stepped *stepped, int how);

/* 1: it has ended, or another process has come to step_end. */
int step_is_finished(const struct stepped *stepped);

/* Lets a process that is stepped itself go on until step_end, and stops it there. 0: it ended
 * before. */
int step_to_end(struct stepped *stepped);

/* The verdict of the script's process, which is waited for: 128 + signal when killed, 200 when it
 * took too long. */
int step_verdict(struct stepped *stepped);

#endif
