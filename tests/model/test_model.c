/* SPDX-License-Identifier: MIT */
/* The protocols of segments and pools hold in every interleaving, whoever is killed; and each guard
 * that a mutant leaves out is needed, or the models would prove nothing. The argument "soak" takes
 * larger ones. */
#include <stdio.h>
#include <string.h>

#include "pool_model.h"
#include "segment_model.h"
#include "support.h"

enum { LIMIT = 30000000, LIMIT_SOAK = 250000000 };

static int soak;

static void print_trace(const struct explore_result *result)
{
    for (int i = 0; i < result->length && i < EXPLORE_STEPS; i++)
        print_message("    process %d: %s\n", result->steps[i].process, result->steps[i].what);
}

/* Explores; the number of states. */
static long run(const struct explore_model *model, int always_ends, const char *what,
                struct explore_result *result)
{
    assert_int_equal(explore(model, soak ? LIMIT_SOAK : LIMIT, always_ends, result), 0);
    print_message("%s: %ld states, %s", what, result->states,
                  result->violation ? result->violation : "sound");
    if (result->violation)
        print_message(", after %d steps", result->length);
    print_message("\n");
    return result->states;
}

static long check_sound(const struct explore_model *model, int always_ends, const char *what)
{
    static struct explore_result result;
    long states = run(model, always_ends, what, &result);
    print_trace(&result);
    assert_null(result.violation);
    return states;
}

static void check_found(const struct explore_model *model, int always_ends, const char *what)
{
    static struct explore_result result;
    run(model, always_ends, what, &result);
    assert_non_null(result.violation);
}

/* --- segments --- */

static void test_segments_are_sound(void **state)
{
    static const char *const small[] = {"CCAURR", "PACURK", "PAAUR"};
    static const char *const large[] = {"CCAARR", "CCAUUR", "PAACUR", "PACURR", "PCCAUR", "CAAURK"};
    long states = 0;
    (void)state;
    for (int lock_only = 0; lock_only < 2; lock_only++) {
        for (size_t i = 0; i < sizeof small / sizeof *small; i++)
            states += check_sound(
                segment_model(&(struct segment_setup){small[i], lock_only, SEGMENT_SOUND}), 0,
                small[i]);
        for (size_t i = 0; soak && i < sizeof large / sizeof *large; i++)
            states += check_sound(
                segment_model(&(struct segment_setup){large[i], lock_only, SEGMENT_SOUND}), 0,
                large[i]);
    }
    print_message("segments: %ld states\n", states);
}

static void test_mutants_of_segments_are_found(void **state)
{
    static const struct {
        const char *what;
        struct segment_setup setup;
    } mutants[] = {
        {"named before locked, locks only", {"CAR", 1, SEGMENT_LINK_BEFORE_LOCK}},
        {"named before filled", {"CAR", 0, SEGMENT_FILL_AFTER_LINK}},
        {"no link count", {"CAUR", 0, SEGMENT_NO_LINK_COUNT}},
        {"no own name", {"PAUR", 0, SEGMENT_NO_OWN_NAME}},
        {"header before the lock", {"PAUR", 0, SEGMENT_HEADER_BEFORE_LOCK}},
        {"unlink without name lock", {"PACUR", 0, SEGMENT_NO_NAME_LOCK}},
        {"unlink of another file", {"PACUR", 0, SEGMENT_NO_SAME_FILE}},
        {"reap without live lock and lease", {"CAR", 0, SEGMENT_REAP_NO_LIVE_NO_LEASE}},
        {"reap without a second look", {"CRK", 0, SEGMENT_REAP_NO_LOOK_AGAIN}},
        {"reap of another file", {"PACUR", 0, SEGMENT_REAP_NO_SAME_FILE}},
        {"lifetime written without name lock, locks only", {"CRK", 1, SEGMENT_KEEP_NO_NAME_LOCK}},
        {"recycle without live lock", {"PAUR", 0, SEGMENT_RECYCLE_NO_LIVE_LOCK}},
        {"recycle without name lock", {"PACUR", 0, SEGMENT_RECYCLE_NO_NAME_LOCK}},
    };
    (void)state;
    assert_int_equal(sizeof mutants / sizeof *mutants, SEGMENT_MUTANTS - 1);
    for (size_t i = 0; i < sizeof mutants / sizeof *mutants; i++)
        check_found(segment_model(&mutants[i].setup), 0, mutants[i].what);
}

/* --- pools --- */

struct case_of_pool {
    const char *what;
    struct pool_setup setup;
    int always_ends;
};

static long check_pools(const struct case_of_pool *cases, size_t count)
{
    long states = 0;
    for (size_t i = 0; i < count; i++)
        states += check_sound(pool_model(&cases[i].setup), cases[i].always_ends, cases[i].what);
    return states;
}

static void test_pools_are_sound(void **state)
{
    static const struct case_of_pool small[] = {
        {"2 workers, 2 chunks, 1 job, 1 death", {2, 2, 1, 1, 1, 0, 0, POOL_SOUND}, 1},
        {"2 workers, 1 chunk, 2 jobs, 1 death", {2, 1, 2, 1, 1, 0, 0, POOL_SOUND}, 0},
        {"cancelled, supervisor dies", {2, 1, 1, 1, 1, 1, 1, POOL_SOUND}, 0},
    };
    static const struct case_of_pool large[] = {
        {"2 workers, 2 chunks, 2 jobs, 2 deaths", {2, 2, 2, 2, 1, 0, 0, POOL_SOUND}, 1},
        {"2 workers, 3 chunks, 2 jobs, 2 deaths", {2, 3, 2, 2, 1, 0, 0, POOL_SOUND}, 0},
        {"2 workers, 2 chunks, 1 job, 3 deaths", {2, 2, 1, 3, 1, 0, 0, POOL_SOUND}, 1},
        {"cancelled, supervisor dies, 2 jobs", {2, 1, 2, 2, 1, 1, 1, POOL_SOUND}, 0},
        {"cancelled, 2 chunks", {2, 2, 1, 1, 1, 1, 1, POOL_SOUND}, 0},
        {"3 workers, 1 chunk, 1 job, 1 death", {3, 1, 1, 1, 0, 0, 0, POOL_SOUND}, 0},
    };
    (void)state;
    long states = check_pools(small, sizeof small / sizeof *small);
    if (soak)
        states += check_pools(large, sizeof large / sizeof *large);
    print_message("pools: %ld states\n", states);
}

static void test_mutants_of_pools_are_found(void **state)
{
    static const char *const names[POOL_MUTANTS] = {
        [POOL_CLAIM_BY_STORE] = "claim by a store",
        [POOL_CLAIM_BY_COUNTER] = "claim by the counter",
        [POOL_NO_LOOK_AGAIN] = "no second look after the mark",
        [POOL_NO_HAZARD_RECHECK] = "hazard not checked again",
        [POOL_NO_BUSY_CHECK] = "hazards not looked for",
        [POOL_PARK_BLINDLY] = "parks for whatever comes next",
        [POOL_WAKE_FIRST] = "wakes before the mark",
        [POOL_NO_OFFER_AT_DEATH] = "a death offers nothing",
        [POOL_NO_OFFER_OF_ALL] = "a death between jobs offers nothing",
        [POOL_SETTLE_FIRST] = "looks for completion first",
        [POOL_LEAVE_FIRST] = "a death leaves the hazard first",
        [POOL_WAITERS_FIRST] = "an event looks for waiters first",
        [POOL_SILENT_DEATH] = "a death says nothing of a done job",
        [POOL_FORGET_RUNNING] = "a death ends what it should offer",
    };
    (void)state;
    for (int mutant = POOL_SOUND + 1; mutant < POOL_MUTANTS; mutant++) {
        int small = mutant == POOL_CLAIM_BY_COUNTER;
        struct pool_setup setup = {2, 2, small ? 1 : 2, 1, 1, 0, 0, (enum pool_mutant)mutant};
        check_found(pool_model(&setup), small, names[mutant]);
    }
}

int main(int argc, char **argv)
{
    soak = argc > 1 && strcmp(argv[1], "soak") == 0;
    const struct CMUnitTest tests[] = {
        SUPPORT_TEST(test_segments_are_sound),
        SUPPORT_TEST(test_mutants_of_segments_are_found),
        SUPPORT_TEST(test_pools_are_sound),
        SUPPORT_TEST(test_mutants_of_pools_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
