/* SPDX-License-Identifier: MIT */
#include "actors.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support.h"

enum { RUNS = 0, STANDS = 1, PATIENCE_MS = 10000 };

struct actor *actors;
int actor_self = -1;
static int armed;

static void sleep_a_moment(void)
{
    const struct timespec pause = {0, 200000};
    nanosleep(&pause, NULL);
}

void actors_open(void)
{
    actors = mmap(NULL, ACTORS * sizeof *actors, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                  -1, 0);
    assert_true(actors != MAP_FAILED);
}

void actors_close(void)
{
    for (int i = 0; i < ACTORS; i++)
        actor_kill(i);
    munmap(actors, ACTORS * sizeof *actors);
    actors = NULL;
}

struct order {
    int which;
    int (*run)(void *argument);
    void *argument;
};

static int act(void *argument)
{
    const struct order *order = argument;
    actor_self = order->which;
    return order->run(order->argument);
}

void actor_start(int which, int (*run)(void *argument), void *argument)
{
    struct order order = {which, run, argument};
    struct actor *actor = &actors[which];
    actor->turn = RUNS;
    actor->unbound = 0;
    actor->pid = support_child_start(act, &order);
}

void actor_arm(void)
{
    armed = 1;
}

int actor_is_armed(void)
{
    return armed;
}

void actor_stop_before(const char *step)
{
    if (!armed || actors[actor_self].unbound)
        return;
    struct actor *self = &actors[actor_self];
    snprintf(self->name, sizeof self->name, "%s", step);
    self->turn = STANDS;
    while (self->turn == STANDS && !self->unbound)
        sleep_a_moment();
}

int actor_is_blocking(const char *step)
{
    return strcmp(step, "sleep") == 0 || strcmp(step, "use") == 0;
}

static int has_ended(struct actor *actor)
{
    int status;
    if (actor->pid && waitpid(actor->pid, &status, WNOHANG) == actor->pid) {
        actor->pid = 0;
        actor->verdict = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }
    return !actor->pid;
}

int actor_stands(int which)
{
    struct actor *actor = &actors[which];
    for (int ms = 0; ms < 5 * PATIENCE_MS; ms++) {
        if (actor->turn == STANDS)
            return 1;
        if (has_ended(actor))
            return 0;
        sleep_a_moment();
    }
    return 0;
}

int actor_take(int which, const char *step)
{
    struct actor *actor = &actors[which];
    while (actor_stands(which)) {
        int wanted = strcmp(actor->name, step) == 0, blocking = actor_is_blocking(actor->name);
        if (blocking && !wanted)
            return 0;
        actor->turn = RUNS;
        if (wanted) {
            if (!blocking)
                actor_stands(which);
            return 1;
        }
    }
    return 0;
}

void actor_kill(int which)
{
    struct actor *actor = &actors[which];
    if (has_ended(actor))
        return;
    kill(actor->pid, SIGKILL);
    waitpid(actor->pid, NULL, 0);
    actor->pid = 0;
    actor->turn = RUNS;
}

void actor_unbind(int which)
{
    actors[which].unbound = 1;
}

int actor_finish(int which)
{
    struct actor *actor = &actors[which];
    actor_unbind(which);
    for (int ms = 0; ms < 5 * PATIENCE_MS && !has_ended(actor); ms++)
        sleep_a_moment();
    if (actor->pid)
        return 1;
    return actor->verdict;
}
