/* SPDX-License-Identifier: MIT */
/* shm-inspect clean, from outside: what goes, what stays, and what it says about it. */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

static const struct cli_segment array = {.name = "t-cli-array"};
static const struct cli_segment frame = {.name = "t-cli-frame", .kind = NDSHM_KIND_FRAME};
static const struct cli_segment pool = {.name = "t-cli-pool", .kind = NDSHM_KIND_POOL};
static const struct cli_segment job = {
    .name = "t-cli-pool.job", .pool = "t-cli-pool", .kind = NDSHM_KIND_JOB};
static const struct cli_segment result = {.name = "t-cli-pool.0", .pool = "t-cli-pool"};

static void test_nothing(void **state)
{
    (void)state;
    assert_has(cli_run(0, TOOL "clean 't-cli-*'"), "0 segments");
    assert_has(cli_run(0, TOOL "clean --force 't-cli-*'"), "0 segments");
    cli_run(0, TOOL "clean --json 't-cli-*' | python3 -c 'import json, sys; "
                    "assert json.load(sys.stdin) == {\"decisions\": []}'");
}

static void test_dry_run_removes_nothing(void **state)
{
    (void)state;
    cli_leave(&array);
    cli_leave(&frame);
    const char *output = cli_run(1, TOOL "clean 't-cli-*'");
    assert_has(output, "t-cli-array removable");
    assert_has(output, "2 segments (16.0K) removable, 0 kept; --force removes\n");
    assert_true(cli_exists("t-cli-array") && cli_exists("t-cli-frame"));
    cli_clear();
}

static void test_force_removes_orphans(void **state)
{
    (void)state;
    cli_leave(&array);
    cli_leave(&frame);
    cli_leave(&(struct cli_segment){.name = "t-cli-temporary", .lifetime = NDSHM_TEMPORARY});
    const char *output = cli_run(0, TOOL "clean --force --bytes 't-cli-*'");
    assert_has(output, "t-cli-frame     removed");
    assert_has(output, "3 segments (24576) removed, 0 kept\n");
    assert_false(cli_exists("t-cli-array") || cli_exists("t-cli-frame"));
    assert_false(cli_exists("t-cli-temporary"));
    assert_has(cli_run(0, TOOL "clean --force 't-cli-*'"), "0 segments");
}

static void test_in_use_stays(void **state)
{
    (void)state;
    int holder = cli_hold(&array);
    assert_has(cli_run(0, TOOL "clean --force 't-cli-*'"), "in-use");
    assert_has(cli_run(0, TOOL "clean --force --accept-lock-only 't-cli-*'"), "in-use");
    assert_true(cli_exists("t-cli-array"));
    cli_end(holder);
    assert_has(cli_run(0, TOOL "clean --force 't-cli-*'"), "removed");
    assert_false(cli_exists("t-cli-array"));
}

static void test_persistent_stays(void **state)
{
    (void)state;
    cli_leave(&(struct cli_segment){.name = "t-cli-kept", .lifetime = NDSHM_PERSISTENT});
    assert_has(cli_run(0, TOOL "clean --force 't-cli-*'"), "persistent");
    assert_true(cli_exists("t-cli-kept"));
    cli_clear();
}

static void test_foreign_files_stay(void **state)
{
    (void)state;
    cli_plant();
    assert_has_not(cli_run(0, TOOL "clean --force 't-cli-*'"), "t-cli");
    const char *output = cli_run(0, TOOL "clean --force --verbose 't-cli-*'");
    assert_has(output, "t-cli-fifo ");
    assert_has(output, "t-cli-\\x1b[31m\\xff\\x0a\\x5cx41 ");
    assert_has_not(output, "\x1b");
    assert_string_equal(cli_run(0, "ls -A /dev/shm | grep -ac t-cli-"), "4\n");
    assert_int_equal(access("/etc/passwd", R_OK), 0);
    cli_clear();
}

static void test_hard_link_stays(void **state)
{
    (void)state;
    cli_leave(&array);
    assert_int_equal(link("/dev/shm/t-cli-array", "/dev/shm/t-cli-other"), 0);
    assert_has(cli_run(0, TOOL "clean --force 't-cli-*'"), "hard links");
    assert_true(cli_exists("t-cli-array") && cli_exists("t-cli-other"));
    cli_clear();
}

static void test_corrupt_stays_and_is_told(void **state)
{
    (void)state;
    cli_leave(&array);
    cli_corrupt("t-cli-array");
    cli_leave(&frame);
    assert_has(cli_run(1, TOOL "clean --force 't-cli-*'"), "t-cli-array corrupt");
    assert_true(cli_exists("t-cli-array"));
    assert_false(cli_exists("t-cli-frame"));
    cli_clear();
}

static void test_member_without_pool_is_unproven(void **state)
{
    (void)state;
    cli_leave(&result);
    assert_has(cli_run(1, TOOL "clean --force 't-cli-*'"), "unproven");
    assert_true(cli_exists("t-cli-pool.0"));
    cli_clear();
}

static void test_living_pool_protects(void **state)
{
    (void)state;
    int owner = cli_hold(&pool);
    cli_leave(&job);
    cli_leave(&result);
    assert_has(cli_run(0, TOOL "clean --force --pool t-cli-pool"), "pool-alive");
    assert_true(cli_exists("t-cli-pool") && cli_exists("t-cli-pool.job"));
    cli_end(owner);
    assert_has(cli_run(1, TOOL "clean 't-cli-*'"), "3 segments (24.0K) removable");
    assert_has(cli_run(0, TOOL "clean --force 't-cli-*'"), "3 segments (24.0K) removed, 0 kept");
    assert_false(cli_exists("t-cli-pool") || cli_exists("t-cli-pool.job"));
}

static void test_pool_stays_with_its_last_member(void **state)
{
    (void)state;
    cli_leave(&pool);
    cli_leave(&job);
    int holder = cli_hold(&result);
    assert_has(cli_run(0, TOOL "clean --force 't-cli-*'"), "its member t-cli-pool.0 remains");
    assert_true(cli_exists("t-cli-pool") && cli_exists("t-cli-pool.0"));
    assert_false(cli_exists("t-cli-pool.job"));
    cli_end(holder);
    assert_has(cli_run(0, TOOL "clean --force 't-cli-*'"), "2 segments (16.0K) removed, 0 kept");
}

static void test_only_what_was_asked_for(void **state)
{
    (void)state;
    cli_leave(&array);
    cli_leave(&frame);
    cli_leave(&pool);
    cli_leave(&job);
    assert_has(cli_run(0, TOOL "clean --force t-cli-frame"), "1 segment ");
    assert_has(cli_run(0, TOOL "clean --force --pool t-cli-pool"), "2 segments ");
    assert_true(cli_exists("t-cli-array"));
    assert_false(cli_exists("t-cli-frame") || cli_exists("t-cli-pool") ||
                 cli_exists("t-cli-pool.job"));
    cli_clear();
}

static void test_json_has_the_evidence(void **state)
{
    (void)state;
    cli_leave(&array);
    cli_leave(&(struct cli_segment){.name = "t-cli-kept", .lifetime = NDSHM_PERSISTENT});
    const char *program =
        "import json, sys\n"
        "rows = {row[\"name\"]: row for row in json.load(sys.stdin)[\"decisions\"]}\n"
        "row = rows[\"t-cli-array\"]\n"
        "assert row[\"decision\"] == \"removed\" and row[\"bytes\"] == 8192, row\n"
        "assert len(row[\"evidence\"]) == 11, row\n"
        "assert all(step.endswith(\": held\") for step in row[\"evidence\"]), row\n"
        "row = rows[\"t-cli-kept\"]\n"
        "assert row[\"decision\"] == \"persistent\", row\n"
        "assert row[\"evidence\"] == [\"regular file: held\", \"owner: held\", \"identity: held\", "
        "\"lifetime: refused\"], row\n"
        "assert set(row) == {\"name\", \"decision\", \"bytes\", \"reason\", \"pool\", "
        "\"evidence\"}, row\n";
    const char *directory = support_directory();
    cli_run(0, TOOL "clean --json --force 't-cli-*' > %s/json", directory);
    cli_run(0, "python3 -c '%s' < %s/json", program, directory);
    cli_clear();
}

static void test_verbose_shows_the_evidence(void **state)
{
    (void)state;
    int holder = cli_hold(&array);
    const char *output = cli_run(0, TOOL "clean --verbose t-cli-array");
    assert_has(output, "name lock: held");
    assert_has(output, "live lock: refused");
    cli_end(holder);
    cli_clear();
}

static void test_several_at_once(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++) {
        char name[32];
        snprintf(name, sizeof name, "t-cli-%d", i);
        cli_leave(&(struct cli_segment){.name = name});
    }
    int holder = cli_hold(&array);
    cli_run(0,
            "for i in 1 2 3 4; do " TOOL "clean --force 't-cli-*' >/dev/null & pids=\"$pids $!\"; "
            "done; for pid in $pids; do wait $pid || exit; done");
    assert_string_equal(cli_run(0, "ls /dev/shm"), "t-cli-array\n");
    cli_end(holder);
    cli_clear();
}

static void test_other_users(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        assert_has(cli_run(2, TOOL "clean --all-users"), "root");
        return;
    }
    cli_leave(&array);
    if (chown("/dev/shm/t-cli-array", 65534, 65534) != 0)
        skip();
    assert_has(cli_run(0, TOOL "clean --force t-cli-array"), "owned by user 65534");
    assert_true(cli_exists("t-cli-array"));
    assert_has(cli_run(0, TOOL "clean --force --all-users t-cli-array"), "removed");
    assert_false(cli_exists("t-cli-array"));
}

static void test_output_that_cannot_be_written(void **state)
{
    (void)state;
    cli_leave(&array);
    assert_has(cli_run(3, TOOL "clean >/dev/full"), "No space left");
    cli_run(3, TOOL "clean --force >&-");
    assert_true(cli_exists("t-cli-array"));
    cli_clear();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(test_nothing),
        CLI_TEST(test_dry_run_removes_nothing),
        CLI_TEST(test_force_removes_orphans),
        CLI_TEST(test_in_use_stays),
        CLI_TEST(test_persistent_stays),
        CLI_TEST(test_foreign_files_stay),
        CLI_TEST(test_hard_link_stays),
        CLI_TEST(test_corrupt_stays_and_is_told),
        CLI_TEST(test_member_without_pool_is_unproven),
        CLI_TEST(test_living_pool_protects),
        CLI_TEST(test_pool_stays_with_its_last_member),
        CLI_TEST(test_only_what_was_asked_for),
        CLI_TEST(test_json_has_the_evidence),
        CLI_TEST(test_verbose_shows_the_evidence),
        CLI_TEST(test_several_at_once),
        CLI_TEST(test_other_users),
        CLI_TEST(test_output_that_cannot_be_written),
    };
    return cmocka_run_group_tests_name("shm-inspect clean", tests, NULL, NULL);
}
