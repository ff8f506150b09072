/* SPDX-License-Identifier: MIT */
/* Commands about single segments, from outside: who, check, unlink, keep; and doctor. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

static const struct cli_segment array = {.name = "t-cli-array"};
static const struct cli_segment other = {.name = "t-cli-other"};

static void test_who(void **state)
{
    (void)state;
    char line[96];
    int holder = cli_hold(&array);
    snprintf(line, sizeof line, "%d cli-one", holder);
    assert_has(cli_run(0, TOOL "who t-cli-array"), line);
    assert_has(cli_run(0, TOOL "who t-cli-array"), " write ");
    assert_has(cli_run(0, TOOL "who t-cli-array"), " 8.0K ");
    assert_has(cli_run(0, TOOL "who t-cli-array"), "Best effort");
    assert_has(cli_run(0, TOOL "who"), "t-cli-array");
    assert_has_not(cli_run(0, TOOL "who --unlinked"), "t-cli-array");
    cli_run(0,
            TOOL "who --json t-cli-array | python3 -c 'import json, sys; "
                 "(user,) = json.load(sys.stdin)[\"users\"]; assert user[\"pid\"] == %d and "
                 "user[\"bytes\"] == 8192 and 0 < user[\"pss\"] <= 8192, user'",
            holder);
    cli_end(holder);
    assert_has_not(cli_run(0, TOOL "who t-cli-array"), "cli-one");
    assert_has(cli_run(3, TOOL "who t-cli-none"), "t-cli-none");
    cli_clear();
}

static void test_unlinked_but_mapped(void **state)
{
    (void)state;
    int holder = cli_hold(&array);
    assert_string_equal(cli_run(0, TOOL "unlink t-cli-array"), "");
    assert_false(cli_exists("t-cli-array"));
    const char *output = cli_run(0, TOOL "list -nrb -o bytes,state,note --state unlinked");
    assert_string_equal(output, "8192 unlinked no\\x20name\\x20(any\\x20more),\\x20but\\x20mapped"
                                "\\x20by\\x201\\x20process\n");
    assert_has(cli_run(0, TOOL "who --unlinked"), " cli-one ");
    assert_has_not(cli_run(0, TOOL "list --kind array"), "unlinked");
    cli_end(holder);
    assert_string_equal(cli_run(0, TOOL "list --state unlinked"), "");
}

static void test_unlink(void **state)
{
    (void)state;
    cli_leave(&array);
    cli_leave(&other);
    const char *output = cli_run(3, TOOL "unlink t-cli-array t-cli-none t-cli-other");
    assert_has(output, "'t-cli-none': no such segment");
    assert_has_not(output, "t-cli-other");
    assert_false(cli_exists("t-cli-array") || cli_exists("t-cli-other"));
    cli_plant();
    assert_has(cli_run(3, TOOL "unlink t-cli-fifo t-cli-link t-cli-directory"), "not a segment");
    assert_true(cli_exists("t-cli-fifo") && cli_exists("t-cli-link"));
    cli_clear();
}

static void test_keep(void **state)
{
    (void)state;
    cli_leave(&array);
    assert_string_equal(cli_run(0, TOOL "keep t-cli-array"), "");
    assert_string_equal(cli_run(0, TOOL "list -nr -o lifetime,state t-cli-array"),
                        "persistent idle\n");
    assert_has(cli_run(0, TOOL "clean --force"), "persistent");
    assert_true(cli_exists("t-cli-array"));
    assert_has(cli_run(3, TOOL "keep t-cli-none"), "no such segment");
    cli_clear();
}

static void test_check(void **state)
{
    (void)state;
    cli_leave(&array);
    assert_string_equal(cli_run(0, TOOL "check"), "1 segment checked, 0 findings\n");
    assert_has(cli_run(0, TOOL "check --verbose t-cli-array"), "descriptor sound");
    cli_corrupt("t-cli-array");
    cli_leave(&other);
    cli_plant();
    assert_int_equal(truncate("/dev/shm/t-cli-other", 4096), 0);
    const char *output = cli_run(1, TOOL "check");
    assert_has(output, "t-cli-array identity unsound");
    assert_has(output, "t-cli-other identity unsound");
    assert_has(output, "4096 bytes long instead of 8192");
    assert_has(output, "2 segments checked, 2 findings\n");
    assert_has(cli_run(1, TOOL "check t-cli-fifo"), "not a regular file");
    assert_has(cli_run(3, TOOL "check t-cli-none"), "t-cli-none");
    cli_run(0, TOOL "check --json | python3 -c 'import json, sys; "
                    "rows = json.load(sys.stdin)[\"findings\"]; assert len(rows) == 2 and "
                    "rows[0][\"check\"] == \"identity\", rows'");
    cli_clear();
}

/* What no frame is, and what its pool has forgotten. */
static void test_check_of_content(void **state)
{
    (void)state;
    cli_leave(&(struct cli_segment){.name = "t-cli-frame", .kind = NDSHM_KIND_FRAME});
    assert_has(cli_run(1, TOOL "check t-cli-frame"), "t-cli-frame content unsound");
    cli_leave(&(struct cli_segment){.name = "t-cli-gone.1", .pool = "t-cli-gone"});
    assert_has(cli_run(1, TOOL "check t-cli-gone.1"), "pool    unsound");
    cli_clear();
}

static void test_doctor(void **state)
{
    (void)state;
    const char *output = cli_run(0, TOOL "doctor");
    assert_has(output, "space ");
    assert_has(output, "publish ");
    assert_has(output, "liveness ");
    assert_has(output, "proof ");
    cli_leave(&array);
    assert_has(cli_run(1, TOOL "doctor"), "1 segment that nobody uses (8.0K)");
    cli_run(0, TOOL "doctor --json | python3 -c 'import json, sys; "
                    "rows = {row[\"check\"]: row for row in json.load(sys.stdin)[\"findings\"]}; "
                    "assert rows[\"leaks\"][\"state\"] == \"problem\" and "
                    "rows[\"leaks\"][\"remedy\"], rows; assert len(rows) == 13, rows'");
    cli_clear();
}

static int doctor_of_small_space(void *unused)
{
    (void)unused;
    SUPPORT_CHECK(support_run(NULL, 0, TOOL "doctor | grep -q 'space  *problem'") == 0);
    SUPPORT_CHECK(support_run(NULL, 0, TOOL "doctor | grep -q 'shm-size'") == 0);
    SUPPORT_CHECK(support_run(NULL, 0, TOOL "doctor | grep -q 'inodes  *problem'") == 0);
    return 0;
}

static void test_doctor_of_small_space(void **state)
{
    (void)state;
    int verdict = support_in_tmpfs("size=1m,nr_inodes=5", doctor_of_small_space, NULL);
    if (verdict < 0)
        skip();
    assert_int_equal(verdict, 0);
}

static void test_clean_of_damage(void **state)
{
    (void)state;
    cli_leave(&array);
    cli_corrupt("t-cli-array");
    cli_leave(&other);
    cli_corrupt("t-cli-other");
    assert_has(cli_run(1, TOOL "clean --corrupt t-cli-array"), "removable");
    assert_has(cli_run(0, TOOL "clean --corrupt --force t-cli-array"), "removed");
    assert_false(cli_exists("t-cli-array"));
    assert_true(cli_exists("t-cli-other"));
    cli_clear();
}

static void test_clean_by_age(void **state)
{
    (void)state;
    cli_leave(&array);
    assert_has(cli_run(0, TOOL "clean --force --older-than 3600"), "0 segments");
    assert_true(cli_exists("t-cli-array"));
    cli_run(0, "sleep 1.1");
    assert_has(cli_run(0, TOOL "clean --force --older-than 1"), "1 segment ");
    assert_false(cli_exists("t-cli-array"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(test_who),
        CLI_TEST(test_unlinked_but_mapped),
        CLI_TEST(test_unlink),
        CLI_TEST(test_keep),
        CLI_TEST(test_check),
        CLI_TEST(test_check_of_content),
        CLI_TEST(test_doctor),
        CLI_TEST(test_doctor_of_small_space),
        CLI_TEST(test_clean_of_damage),
        CLI_TEST(test_clean_by_age),
    };
    return cmocka_run_group_tests_name("shm-inspect, one segment", tests, NULL, NULL);
}
