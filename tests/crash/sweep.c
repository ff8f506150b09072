/* SPDX-License-Identifier: MIT */
#include "sweep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rung.h"
#include "support.h"

enum { COMPLAINTS_MAX = 20 };

long sweep_stride(long stride)
{
    const char *given = getenv("NDSHM_STRIDE");
    return given && atol(given) > 0 ? atol(given) : stride;
}

uint64_t sweep_seed(void)
{
    const char *given = getenv("NDSHM_SEED");
    return given ? strtoull(given, NULL, 0) : (uint64_t)time(NULL);
}

int sweep_is_chosen(const char *name)
{
    const char *chosen = getenv("NDSHM_OPERATION");
    return !chosen || strstr(name, chosen);
}

/* What came of one operation's points. */
struct sweeping {
    const struct sweep_operation *operation;
    struct step_script script;
    struct left_space before;
    long nothing, complete, drafts, elsewhere;
    int complaints;
};

static int body(void *argument)
{
    const struct sweep_operation *operation = argument;
    if (operation->begin && operation->begin() != 0)
        return 1;
    step_begin();
    int status = operation->run();
    step_end();
    return operation->finish ? operation->finish(status) : status != 0;
}

static void complain(struct sweeping *sweeping, const struct step_point *point, const char *what)
{
    if (sweeping->complaints++ >= COMPLAINTS_MAX)
        return;
    if (!point)
        print_error("%s, not killed: %s\n", sweeping->operation->name, what);
    else if (point->instructions == STEP_ENTRY)
        print_error("%s, killed when it entered system call %d: %s\n", sweeping->operation->name,
                    point->calls + 1, what);
    else
        print_error("%s, killed %d instructions after system call %d: %s\n",
                    sweeping->operation->name, point->instructions, point->calls, what);
}

/* The survivors, then what is left behind. */
static void check(struct sweeping *sweeping, const struct step_point *point,
                  struct stepped *stepped)
{
    const struct sweep_operation *operation = sweeping->operation;
    char complaint[LEFT_COMPLAINT];
    struct left left;
    int verdict = step_verdict(stepped);
    if (verdict && verdict != operation->verdict) {
        snprintf(complaint, sizeof complaint, "the process that survived ended with %d", verdict);
        complain(sweeping, point, complaint);
    }
    if (!left_collect())
        complain(sweeping, point, "processes do not end");
    if (left_look(SWEEP_NAME, operation->whole, rung_makes_drafts(), &left, complaint))
        complain(sweeping, point, complaint);
    if (operation->needs_name && point && point->calls == 0 && !left.segments)
        complain(sweeping, point, "the name was lost");
    if (!left_space_same(&sweeping->before))
        complain(sweeping, point, "blocks or inodes are lost");
    sweeping->nothing += !left.segments && !left.drafts;
    sweeping->complete += left.segments > 0;
    sweeping->drafts += left.drafts > 0;
}

static void prepare(struct sweeping *sweeping)
{
    if (sweeping->operation->prepare && sweeping->operation->prepare() != 0)
        fail_msg("%s: cannot be prepared", sweeping->operation->name);
}

static void kill_at(struct sweeping *sweeping, const struct step_point *point)
{
    struct stepped stepped;
    prepare(sweeping);
    step_start(&sweeping->script, &stepped);
    sweeping->elsewhere += !step_to(&stepped, point);
    step_kill(&stepped);
    check(sweeping, point, &stepped);
}

static void walk(struct sweeping *sweeping, long stride, struct step_points *points)
{
    uint64_t random = sweep_seed();
    struct stepped stepped = {0};
    uint64_t first = random;
    prepare(sweeping);
    if (step_walk(&sweeping->script, stride, &random, points) != sweeping->operation->verdict)
        complain(sweeping, NULL, "it failed");
    check(sweeping, NULL, &stepped);
    print_message("%s (stride %ld, seed %llu): ", sweeping->operation->name, stride,
                  (unsigned long long)first);
}

int sweep(const struct sweep_operation *operation, long stride)
{
    struct sweeping sweeping = {
        .operation = operation,
        .script = {body, (void *)(uintptr_t)operation, operation->generation, operation->at_fork},
        .before = left_space(),
    };
    struct step_points points;
    if (!sweep_is_chosen(operation->name))
        return 0;
    time_t began = time(NULL);
    walk(&sweeping, sweep_stride(stride), &points);
    sweeping.nothing = sweeping.complete = sweeping.drafts = 0;
    for (long i = 0; i < points.count; i++)
        kill_at(&sweeping, &points.all[i]);
    print_message("%ld points of %ld instructions, %ld of them met another way; left %ld times "
                  "nothing, %ld times complete segments, %ld times a temporary name; %d bad; %ld "
                  "s\n",
                  points.count, points.instructions, sweeping.elsewhere, sweeping.nothing,
                  sweeping.complete, sweeping.drafts, sweeping.complaints,
                  (long)(time(NULL) - began));
    free(points.all);
    return sweeping.complaints + (points.count == 0);
}
