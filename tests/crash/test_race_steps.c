/* SPDX-License-Identifier: MIT */
/* Two processes at one segment: while one stands before each system call and instruction of its
 * operation, the other carries out its own; then the first one goes on, or is killed. Never is a
 * live segment removed, and never is one half attached. The program's argument is the rung. */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "rung.h"
#include "segments.h"
#include "support.h"
#include "sweep.h"

enum { SIZE = 200, STRIDE = 299, PATIENCE_MS = 20000, HEAD_START_MS = 3 };

/* --- what a process does --- */

enum kind { ATTACH, CREATE, DETACH, REAP, UNLINK };

struct outcome {
    atomic_int ready;
    atomic_int go;
    atomic_int done;
    int status;
    int removed;
    int whole;
};

static struct outcome *outcomes; /* of the process that is stepped, and of the other one */

static ndshm__segment *segment;

static int make_temporary(void)
{
    return support_segment(SWEEP_NAME, SIZE, NDSHM_TEMPORARY, &segment);
}

static void attach(struct outcome *outcome)
{
    outcome->status = ndshm__segment_attach(SWEEP_NAME, 0, NDSHM_READ, &segment);
    outcome->whole = outcome->status == 0 && support_segment_is_whole(segment);
}

static void create(struct outcome *outcome)
{
    outcome->status = support_segment(SWEEP_NAME, SIZE, 0, &segment);
    outcome->whole = 1;
}

static void detach(struct outcome *outcome)
{
    (void)outcome;
    ndshm__segment_release(&segment);
}

static int reap_by_name(const char *name, int *removed)
{
    ndshm_reap_config config;
    ndshm_reap_report report = {.decision = 0};
    ndshm_reap_config_init(&config);
    config.flags = rung_reap_flags();
    int status = ndshm_reap(name, &config, &report);
    *removed |= report.decision == NDSHM_REAP_REMOVED;
    return status;
}

static void reap(struct outcome *outcome)
{
    outcome->status = reap_by_name(SWEEP_NAME, &outcome->removed);
}

static void unlink_name(struct outcome *outcome)
{
    outcome->status = ndshm_unlink(SWEEP_NAME);
    outcome->removed = outcome->status == 0;
}

/* As an operator does who removes whatever is dead. */
static void reap_everything(struct outcome *outcome)
{
    ndshm_list *list;
    ndshm_info info;
    outcome->status = ndshm_list_open(&list);
    while (!outcome->status && ndshm_list_next(list, &info) == 0)
        reap_by_name(info.name, &outcome->removed);
    ndshm_list_close(&list);
}

struct party {
    enum kind kind;
    int (*begin)(void); /* NULL: nothing */
    void (*run)(struct outcome *outcome);
};

struct race {
    const char *name;
    int (*prepare)(void); /* NULL: nothing */
    struct party stepped, other;
};

static int make_orphan(void)
{
    return support_abandoned_segment(SWEEP_NAME, SIZE, 0);
}

static const struct race races[] = {
    {"reap, while another attaches", make_orphan, {REAP, NULL, reap}, {ATTACH, NULL, attach}},
    {"attach, while another reaps", make_orphan, {ATTACH, NULL, attach}, {REAP, NULL, reap}},
    {"reap, while another reaps", make_orphan, {REAP, NULL, reap}, {REAP, NULL, reap}},
    {"last detach, while another attaches",
     NULL,
     {DETACH, make_temporary, detach},
     {ATTACH, NULL, attach}},
    {"attach, while the last user detaches",
     NULL,
     {ATTACH, NULL, attach},
     {DETACH, make_temporary, detach}},
    {"create, while another reaps", NULL, {CREATE, NULL, create}, {REAP, NULL, reap_everything}},
    {"create, while another attaches", NULL, {CREATE, NULL, create}, {ATTACH, NULL, attach}},
    {"unlink, while another attaches",
     make_orphan,
     {UNLINK, NULL, unlink_name},
     {ATTACH, NULL, attach}},
    {"attach, while another unlinks",
     make_orphan,
     {ATTACH, NULL, attach},
     {UNLINK, NULL, unlink_name}},
    {"unlink, while another reaps", make_orphan, {UNLINK, NULL, unlink_name}, {REAP, NULL, reap}},
};
enum { RACES = sizeof races / sizeof *races };

/* --- running two of them --- */

static int run_stepped(void *argument)
{
    const struct party *party = argument;
    if (party->begin && party->begin() != 0)
        return 1;
    step_begin();
    party->run(&outcomes[0]);
    outcomes[0].done = 1;
    step_end();
    return 0;
}

/* Keeps what it has until it is killed. */
static int run_other(void *argument)
{
    const struct party *party = argument;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (party->begin && party->begin() != 0)
        return 1;
    outcomes[1].ready = 1;
    while (!outcomes[1].go)
        usleep(50);
    party->run(&outcomes[1]);
    outcomes[1].done = 1;
    for (;;)
        pause();
}

static int wait_for(const atomic_int *flag, int ms)
{
    for (int waited = 0; !atomic_load(flag) && waited < 10 * ms; waited++)
        usleep(100);
    return atomic_load(flag);
}

static int start_other(const struct race *race)
{
    memset(outcomes, 0, 2 * sizeof *outcomes);
    if (race->prepare)
        assert_int_equal(race->prepare(), 0);
    int pid = support_child_start(run_other, (void *)(uintptr_t)&race->other);
    assert_true(wait_for(&outcomes[1].ready, PATIENCE_MS));
    return pid;
}

/* --- what may come of it --- */

static int has_it(const struct party *party, const struct outcome *outcome, int alive)
{
    return alive && outcome->done && outcome->status == 0 &&
           (party->kind == ATTACH || party->kind == CREATE);
}

/* Whether this status of one of them is right; alone: the other one is dead. */
static const char *judge_one(const struct party *party, const struct outcome *outcome, int alone,
                             int exists)
{
    int status = outcome->status;
    if (status == 0)
        return party->kind == ATTACH && !outcome->whole ? "what was attached is not whole" : NULL;
    if (status == -ENOENT && (party->kind != ATTACH || !exists))
        return party->kind == CREATE ? "creating failed" : NULL;
    if (status == -EBUSY && party->kind == ATTACH && !alone)
        return NULL;
    return "a status that it should not have";
}

static const char *judge(const struct race *race, int killed)
{
    int exists = support_exists(SWEEP_NAME);
    int unlinked = race->stepped.kind == UNLINK || race->other.kind == UNLINK;
    int held =
        has_it(&race->stepped, &outcomes[0], !killed) || has_it(&race->other, &outcomes[1], 1);
    const char *wrong = judge_one(&race->other, &outcomes[1], killed, exists);
    if (!wrong && !killed)
        wrong = judge_one(&race->stepped, &outcomes[0], 0, exists);
    if (wrong)
        return wrong;
    if (held && !exists && !unlinked)
        return "a live segment was removed";
    if (outcomes[0].removed && outcomes[1].removed)
        return "it was removed twice";
    return NULL;
}

/* An attacher that came before the name did is right to find nothing. */
static int is_too_early(const struct race *race)
{
    return race->stepped.kind == CREATE && race->other.kind == ATTACH &&
           outcomes[1].status == -ENOENT;
}

struct racing {
    const struct race *race;
    struct step_script script;
    struct left_space before;
    long elsewhere, held, removed;
    int complaints;
};

static void complain(struct racing *racing, const struct step_point *point, int killed,
                     const char *what)
{
    racing->complaints++;
    print_error("%s, %s %d instructions after system call %d: %s (%d, %d)\n", racing->race->name,
                killed ? "killed" : "stopped", point->instructions, point->calls, what,
                outcomes[0].status, outcomes[1].status);
}

static void race_at(struct racing *racing, const struct step_point *point, int killed)
{
    const struct race *race = racing->race;
    char complaint[LEFT_COMPLAINT];
    struct stepped stepped;
    struct left left;
    int other = start_other(race);
    step_start(&racing->script, &stepped);
    racing->elsewhere += !step_to(&stepped, point);
    if (killed)
        step_kill(&stepped);
    outcomes[1].go = 1;
    if (!killed) { /* the other one may have to wait for this one */
        wait_for(&outcomes[1].done, HEAD_START_MS);
        if (!outcomes[0].done)
            step_to_end(&stepped);
    }
    const char *wrong = !wait_for(&outcomes[1].done, PATIENCE_MS) ? "the other one hangs"
                        : is_too_early(race)                      ? NULL
                                                                  : judge(race, killed);
    racing->held += has_it(&race->other, &outcomes[1], 1);
    racing->removed += outcomes[0].removed || outcomes[1].removed;
    step_kill(&stepped);
    support_holder_stop(other);
    if (!wrong &&
        left_look(SWEEP_NAME, support_segment_is_whole, rung_makes_drafts(), &left, complaint))
        wrong = complaint;
    if (!wrong && !left_space_same(&racing->before))
        wrong = "blocks or inodes are lost";
    if (wrong)
        complain(racing, point, killed, wrong);
}

/* Alone, to find the points. */
static void walk(struct racing *racing, long stride, struct step_points *points)
{
    char complaint[LEFT_COMPLAINT];
    struct left left;
    uint64_t random = sweep_seed();
    int other = start_other(racing->race);
    print_message("%s (stride %ld, seed %llu): ", racing->race->name, stride,
                  (unsigned long long)random);
    assert_int_equal(step_walk(&racing->script, stride, &random, points), 0);
    support_holder_stop(other);
    left_look(SWEEP_NAME, NULL, 1, &left, complaint);
}

static int run_race(const struct race *race)
{
    struct racing racing = {
        .race = race,
        .script = {.body = run_stepped, .argument = (void *)(uintptr_t)&race->stepped},
        .before = left_space(),
    };
    struct step_points points;
    if (!sweep_is_chosen(race->name))
        return 0;
    time_t began = time(NULL);
    walk(&racing, sweep_stride(STRIDE), &points);
    for (long i = 0; i < points.count; i++)
        for (int killed = 0; killed < 2; killed++)
            race_at(&racing, &points.all[i], killed);
    print_message("%ld points of %ld instructions, twice, %ld of them met another way; %ld times "
                  "the other one has it, %ld times it was removed; %d bad; %ld s\n",
                  points.count, points.instructions, racing.elsewhere, racing.held, racing.removed,
                  racing.complaints, (long)(time(NULL) - began));
    free(points.all);
    return racing.complaints;
}

static void test_two_at_one_segment(void **state)
{
    int complaints = 0;
    (void)state;
    assert_int_equal(make_temporary(), 0); /* the self-test is not what is looked at here */
    assert_ok(ndshm__segment_unlink(segment));
    ndshm__segment_release(&segment);
    for (int i = 0; i < RACES; i++)
        complaints += run_race(&races[i]);
    assert_int_equal(complaints, 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {SUPPORT_TEST(test_two_at_one_segment)};
    rung_choose(argc > 1 ? argv[1] : "proc");
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    step_init();
    outcomes =
        mmap(NULL, 2 * sizeof *outcomes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return outcomes == MAP_FAILED ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
