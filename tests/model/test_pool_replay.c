/* SPDX-License-Identifier: MIT */
/* Takes a real pool through the interleavings that break the model's mutants. Its host and its
 * workers stop at the functions that are wrapped below; the supervisor is the real one, and runs
 * freely. No wait in them has a time limit, so that a lost wake-up is one. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <ndshm/pool.h>

#include "actors.h"
#include "base/os.h"
#include "pool/worker.h"
#include "pool_model.h"
#include "support.h"

enum { TASKS_MAX = 8, SETTLE_MS = 20000 };

/* --- what is wrapped --- */

#define WRAP(step, type, name, parameters, arguments)                                              \
    type __real_##name parameters;                                                                 \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        actor_stop_before(step);                                                                   \
        return __real_##name arguments;                                                            \
    }

typedef struct ndshm__pool_memory memory;
typedef struct ndshm__job_view view;

WRAP("look at marks", bool, ndshm__worker_enter, (ndshm_worker * worker), (worker))
WRAP("enter", uint64_t, ndshm__table_enter, (memory * pool, int slot, int entry),
     (pool, slot, entry))
WRAP("unmark", void, ndshm__table_withdraw, (memory * pool, int entry), (pool, entry))
WRAP("offer", void, ndshm__table_offer, (memory * pool, int entry, int64_t wanted),
     (pool, entry, wanted))
WRAP("offer work", void, ndshm__work_raise, (memory * pool, int64_t wanted), (pool, wanted))
WRAP("put", void, ndshm__table_put,
     (memory * pool, int entry, uint64_t id, uint32_t flags, int32_t timeout_ms),
     (pool, entry, id, flags, timeout_ms))
WRAP("remove", void, ndshm__table_remove, (memory * pool, int entry), (pool, entry))
WRAP("claim", int64_t, ndshm__claim_next, (view * job, struct ndshm__cursor *cursor, int slot),
     (job, cursor, slot))
WRAP("look again", bool, ndshm__claim_any_free,
     (const view *job, const struct ndshm__cursor *cursor), (job, cursor))
WRAP("finish", void, ndshm__claim_finish, (view * job, int64_t chunk, int slot), (job, chunk, slot))
WRAP("settle", void, ndshm__serving_settle, (struct ndshm__serving * serving), (serving))
WRAP("park", void, ndshm__work_wait,
     (memory * pool, int slot, uint32_t seen, struct ndshm__spin *spin, int64_t timeout),
     (pool, slot, seen, spin, timeout))
WRAP("raise", void, ndshm__event_raise, (struct ndshm__event * event), (event))
WRAP("read", uint32_t, ndshm__event_read, (struct ndshm__event * event), (event))
WRAP("wait", void, ndshm__event_wait,
     (struct ndshm__event * event, uint32_t seen, struct ndshm__spin *spin, int64_t timeout),
     (event, seen, spin, timeout))

/* --- the actors --- */

static struct replayed {
    char pool[NDSHM_NAME_MAX + 1];
    _Atomic int ready;
    _Atomic int ran[TASKS_MAX]; /* how often each task was begun, by task and job */
    _Atomic int done;
} * shared;
static struct pool_setup setup;

int __real_ndshm__os_futex_wait(_Atomic uint32_t *word, uint32_t expected, int64_t timeout_ns);
int __wrap_ndshm__os_futex_wait(_Atomic uint32_t *word, uint32_t expected, int64_t timeout_ns);
int __wrap_ndshm__os_futex_wait(_Atomic uint32_t *word, uint32_t expected, int64_t timeout_ns)
{
    actor_stop_before("sleep");
    return __real_ndshm__os_futex_wait(word, expected,
                                       actor_is_armed() && !shared->done ? -1 : timeout_ns);
}

static int run_job(ndshm_pool *pool)
{
    ndshm_job_config config;
    ndshm_job *job;
    ndshm_job_config_init(&config);
    config.function = "replayed";
    config.count = setup.chunks;
    config.chunk = 1;
    config.retries = setup.retries;
    SUPPORT_CHECK(ndshm_pool_submit(pool, &config, &job) == 0);
    SUPPORT_CHECK(ndshm_job_wait(job, -1) == 0);
    ndshm_job_close(&job);
    return 0;
}

static int act_as_host(void *argument)
{
    ndshm_pool_config config;
    ndshm_pool *pool;
    (void)argument;
    ndshm_pool_config_init(&config);
    config.workers = NDSHM_WORKERS_NONE;
    SUPPORT_CHECK(ndshm_pool_open(&config, &pool) == 0);
    snprintf(shared->pool, sizeof shared->pool, "%s", ndshm_pool_name(pool));
    shared->ready = 1;
    actor_arm();
    for (int i = 0; i < setup.jobs; i++)
        SUPPORT_CHECK(run_job(pool) == 0);
    shared->done = 1;
    ndshm_pool_close(&pool);
    return 0;
}

static int act_as_worker(void *argument)
{
    ndshm_worker *worker;
    ndshm_task *task;
    int status;
    (void)argument;
    SUPPORT_CHECK(ndshm_worker_join(shared->pool, &worker) == 0);
    actor_arm();
    while ((status = ndshm_worker_next(worker, -1, &task)) == 0) {
        shared->ran[ndshm_task_index(task)]++;
        actor_stop_before("run");
        SUPPORT_CHECK(ndshm_task_finish(task, 0, NULL) == 0);
    }
    ndshm_worker_leave(&worker);
    return status == NDSHM_ECANCELED ? 0 : 1;
}

/* --- from steps of the model to steps of the library --- */

static const struct {
    int process; /* POOL_WORKER: all workers */
    const char *step, *call;
} calls[] = {
    {POOL_HOST, "put", "put"},
    {POOL_HOST, "offer", "offer"},
    {POOL_HOST, "offer work", "offer work"},
    {POOL_HOST, "look", "read"}, /* what the real one does in one go happens at the later step */
    {POOL_HOST, "waiters", "wait"},
    {POOL_HOST, "sleep", "sleep"},
    {POOL_HOST, "remove unmark", "remove"},
    {POOL_WORKER, "look at marks", "look at marks"},
    {POOL_WORKER, "read entry", "enter"},
    {POOL_WORKER, "unmark nothing", "unmark"},
    {POOL_WORKER, "count", "claim"}, /* with the search that follows */
    {POOL_WORKER, "run", "run"},
    {POOL_WORKER, "finish", "finish"},
    {POOL_WORKER, "settle", "settle"},
    {POOL_WORKER, "unmark done", "unmark"},
    {POOL_WORKER, "unmark", "unmark"},
    {POOL_WORKER, "look again", "look again"},
    {POOL_WORKER, "park", "park"},
    {POOL_WORKER, "sleep", "sleep"},
};

static void pause_a_moment(void)
{
    const struct timespec pause = {0, 1000000};
    nanosleep(&pause, NULL);
}

/* Until the supervisor has noticed a death, which frees the slot. */
static void wait_for_settling(int deaths)
{
    ndshm__segment *segment;
    assert_ok(ndshm__segment_attach(shared->pool, NDSHM_KIND_POOL, NDSHM_READ, &segment));
    const memory *pool = ndshm__segment_payload(segment);
    int freed = 0;
    for (int ms = 0; ms < SETTLE_MS && !freed; ms++) {
        int joined = 0;
        for (int i = 0; i < NDSHM_WORKERS_MAX; i++)
            joined += atomic_load(&pool->slots[i].state) == NDSHM__SLOT_JOINED;
        freed = joined < setup.workers && atomic_load(&pool->deaths) == deaths;
        pause_a_moment();
    }
    ndshm__segment_release(&segment);
    assert_true(freed);
}

static void start_worker(int process)
{
    actor_start(process, act_as_worker, NULL);
    assert_true(actor_stands(process));
}

/* The real one settles a death in one go: where the model's makes its offer, or else at the end. */
static void follow_supervisor(const char *step, int *deaths, int whom)
{
    int end = strcmp(step, "fork") == 0;
    if (*deaths == 0 &&
        (end || strcmp(step, "offer wake") == 0 || strcmp(step, "offer all wake") == 0))
        wait_for_settling(++*deaths);
    if (end)
        start_worker(whom);
}

static void take(int process, const char *step, int *deaths, int *whom)
{
    int role = process > POOL_WORKER ? POOL_WORKER : process;
    if (strcmp(step, "killed") == 0) {
        actor_kill(process);
        *whom = process;
    } else if (process == POOL_SUPERVISOR) {
        follow_supervisor(step, deaths, *whom);
    }
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (calls[i].process == role && strcmp(calls[i].step, step) == 0)
            actor_take(process, calls[i].call);
}

static void start_all(void)
{
    actor_start(POOL_HOST, act_as_host, NULL);
    assert_true(actor_stands(POOL_HOST));
    for (int i = 0; i < setup.workers; i++)
        start_worker(POOL_WORKER + i);
}

/* Whoever still stands goes on: the host must see its jobs end, and each task runs once, or once
 * more for a death. */
static void check(void)
{
    for (int i = 0; i < POOL_WORKER + setup.workers; i++)
        actor_unbind(i);
    assert_int_equal(actor_finish(POOL_HOST), 0);
    assert_int_equal(shared->done, 1);
    for (int i = 0; i < setup.workers; i++)
        assert_int_equal(actor_finish(POOL_WORKER + i), 0);
    for (int i = 0; i < setup.chunks; i++)
        assert_in_range(shared->ran[i], setup.jobs, setup.jobs + setup.deaths);
}

static void replay(struct pool_setup which)
{
    static struct explore_result found;
    int deaths = 0, whom = 0;
    setup = which;
    assert_int_equal(explore(pool_model(&setup), 2000000, 0, &found), 0);
    assert_non_null(found.violation);
    actors_open();
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(shared != MAP_FAILED);
    start_all();
    for (int i = 0; i < found.length; i++)
        take(found.steps[i].process, found.steps[i].what, &deaths, &whom);
    check();
    actors_close();
    munmap(shared, sizeof *shared);
}

#define REPLAY(name, ...)                                                                          \
    static void name(void **state)                                                                 \
    {                                                                                              \
        (void)state;                                                                               \
        replay(__VA_ARGS__);                                                                       \
    }

/* workers, chunks, jobs, deaths, retries */
REPLAY(test_a_mark_taken_away_is_looked_at_again,
       (struct pool_setup){2, 2, 1, 1, 1, 0, 0, POOL_NO_LOOK_AGAIN})
REPLAY(test_parking_is_for_what_was_seen,
       (struct pool_setup){2, 1, 1, 0, 0, 0, 0, POOL_PARK_BLINDLY})
REPLAY(test_work_is_marked_before_it_is_told,
       (struct pool_setup){2, 1, 1, 0, 0, 0, 0, POOL_WAKE_FIRST})
REPLAY(test_a_death_offers_what_it_owned,
       (struct pool_setup){2, 1, 1, 1, 1, 0, 0, POOL_NO_OFFER_AT_DEATH})
REPLAY(test_a_death_between_jobs_offers_all,
       (struct pool_setup){2, 1, 2, 1, 1, 0, 0, POOL_NO_OFFER_OF_ALL})
REPLAY(test_the_last_of_two_that_finish_sees_both,
       (struct pool_setup){2, 2, 1, 0, 0, 0, 0, POOL_SETTLE_FIRST})
REPLAY(test_a_death_tells_of_a_job_that_is_done,
       (struct pool_setup){2, 1, 1, 1, 1, 0, 0, POOL_SILENT_DEATH})
int main(void)
{
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_a_mark_taken_away_is_looked_at_again),
        SUPPORT_TEST(test_parking_is_for_what_was_seen),
        SUPPORT_TEST(test_work_is_marked_before_it_is_told),
        SUPPORT_TEST(test_a_death_offers_what_it_owned),
        SUPPORT_TEST(test_a_death_between_jobs_offers_all),
        SUPPORT_TEST(test_the_last_of_two_that_finish_sees_both),
        SUPPORT_TEST(test_a_death_tells_of_a_job_that_is_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
