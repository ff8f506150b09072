/* SPDX-License-Identifier: MIT */
/* Choosing the points of an operation. */
#include <stdbool.h>
#include <stdlib.h>
#include <sys/ptrace.h>

#include "machine.h"
#include "stepper.h"
#include "support.h"

enum { STEPS_MAX = 20000000 };

/* The instructions since the last system call. */
struct trace {
    unsigned long *ips;
    int count, room;
};

static void trace_add(struct trace *trace, unsigned long ip)
{
    if (trace->count == trace->room) {
        trace->room = trace->room ? 2 * trace->room : 4096;
        trace->ips = realloc(trace->ips, (size_t)trace->room * sizeof *trace->ips);
        if (!trace->ips)
            abort();
    }
    trace->ips[trace->count++] = ip;
}

static int trace_hits(const struct trace *trace, unsigned long ip)
{
    int hits = 0;
    for (int i = 0; i < trace->count; i++)
        hits += trace->ips[i] == ip;
    return hits;
}

static void add_point(struct step_points *points, struct step_point point)
{
    if ((points->count & (points->count - 1)) == 0) {
        size_t room = points->count ? 2 * (size_t)points->count : 1;
        points->all = realloc(points->all, room * sizeof *points->all);
        if (!points->all)
            abort();
    }
    points->all[points->count++] = point;
}

/* 1 to 2 * stride - 1, so that no loop's length hides an instruction for ever. */
static long distance(long stride, uint64_t *random)
{
    *random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return 1 + (long)((*random >> 33) % (uint64_t)(2 * stride - 1));
}

int step_walk(const struct step_script *script, long stride, uint64_t *random,
              struct step_points *points)
{
    struct stepped stepped;
    struct trace trace = {0};
    int calls = 0;
    long next = distance(stride, random);
    *points = (struct step_points){0};
    step_start(script, &stepped);
    for (enum step_stop stop = STEP_AT_INSTRUCTION;
         stop != STEP_AT_MARK && !step_is_finished(&stepped);) {
        unsigned long ip = machine_instruction_at(stepped.pid);
        bool repeats = trace.count && trace.ips[trace.count - 1] == ip;
        bool call = machine_is_system_call(stepped.pid, ip);
        assert_true(points->instructions < STEPS_MAX);
        if (!repeats) {
            trace_add(&trace, ip);
            points->instructions++;
            if (trace.count == 1 || points->instructions >= next) {
                add_point(points,
                          (struct step_point){calls, trace.count - 1, trace_hits(&trace, ip), ip});
                next = points->instructions + distance(stride, random);
            }
        }
        if (call)
            add_point(points, (struct step_point){.calls = calls, .instructions = STEP_ENTRY});
        stop = step_go_on(&stepped, PTRACE_SINGLESTEP);
        calls += call;
        trace.count = call ? 0 : trace.count;
    }
    free(trace.ips);
    step_release(&stepped);
    return step_verdict(&stepped);
}
