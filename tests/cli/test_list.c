/* SPDX-License-Identifier: MIT */
/* shm-inspect list, from outside. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

static const struct cli_segment array = {.name = "t-cli-array",
                                         .label = "prices of \xc3\xa9t\xc3\xa9"};
static const struct cli_segment frame = {
    .name = "t-cli-frame", .kind = NDSHM_KIND_FRAME, .lifetime = NDSHM_PERSISTENT};
static const struct cli_segment pool = {.name = "t-cli-pool", .kind = NDSHM_KIND_POOL};
static const struct cli_segment job = {
    .name = "t-cli-pool.job", .pool = "t-cli-pool", .kind = NDSHM_KIND_JOB};
static const struct cli_segment reference = {
    .name = "t-cli-pool.0", .pool = "t-cli-pool", .kind = NDSHM_KIND_REFERENCE};
static const struct cli_segment temporary = {.name = "t-cli-temporary",
                                             .lifetime = NDSHM_TEMPORARY};
static const struct cli_segment member = {.name = "t-cli-gone.1", .pool = "t-cli-gone"};

static void test_nothing(void **state)
{
    (void)state;
    assert_string_equal(cli_run(0, TOOL "list 't-cli-*'"), "");
    assert_string_equal(cli_run(0, TOOL "list --json 't-cli-*' | python3 -c 'import json, sys; "
                                        "print(json.load(sys.stdin))'"),
                        "{'segments': []}\n");
}

static void test_every_kind_lifetime_and_state(void **state)
{
    (void)state;
    cli_leave(&array);
    cli_leave(&frame);
    cli_leave(&member);
    cli_leave(&(struct cli_segment){.name = "t-cli-corrupt"});
    cli_corrupt("t-cli-corrupt");
    int holder = cli_hold(&temporary), owner = cli_hold(&pool);
    cli_leave(&job);
    cli_leave(&reference);
    const char *output = cli_run(
        0, TOOL "list --raw --noheadings -o name,kind,dtype,shape,lifetime,pool,state 't-cli-*'");
    assert_string_equal(output, "t-cli-array array <f8 8x16 reclaimable  orphan\n"
                                "t-cli-corrupt      corrupt\n"
                                "t-cli-frame frame <f8 8x16 persistent  idle\n"
                                "t-cli-gone.1 array <f8 8x16 reclaimable t-cli-gone unproven\n"
                                "t-cli-pool pool <f8 8x16 reclaimable  in-use\n"
                                "t-cli-pool.0 reference <f8 8x16 reclaimable t-cli-pool idle\n"
                                "t-cli-pool.job job <f8 8x16 reclaimable t-cli-pool idle\n"
                                "t-cli-temporary array <f8 8x16 temporary  in-use\n");
    cli_end(owner);
    cli_end(holder);
    output = cli_run(0, TOOL "list --raw --noheadings -o name,state 't-cli-[pt]*'");
    assert_string_equal(output, "t-cli-pool orphan\n"
                                "t-cli-pool.0 orphan\n"
                                "t-cli-pool.job orphan\n"
                                "t-cli-temporary orphan\n");
    cli_clear();
}

static void test_usual_columns(void **state)
{
    (void)state;
    cli_leave(&array);
    const char *output = cli_run(0, "LC_ALL=C.UTF-8 " TOOL "list t-cli-array");
    assert_has(output, "NAME ");
    assert_has(output, " 8.0K ");
    assert_has(output, " prices of \xc3\xa9t\xc3\xa9\n");
    assert_has_not(output, "\x1b");
    assert_has_not(cli_run(0, TOOL "list --noheadings t-cli-array"), "NAME");
    assert_string_equal(cli_run(0, TOOL "list -nr --bytes -o bytes,resident t-cli-array"),
                        "8192 8192\n");
    cli_clear();
}

static void test_filters(void **state)
{
    (void)state;
    cli_leave(&array);
    cli_leave(&frame);
    cli_leave(&pool);
    cli_leave(&job);
    const char *names = TOOL "list -nr -o name %s";
    assert_string_equal(cli_run(0, names, "--kind frame 't-cli-*'"), "t-cli-frame\n");
    assert_string_equal(cli_run(0, names, "--state idle 't-cli-*'"), "t-cli-frame\n");
    assert_string_equal(cli_run(0, names, "--pool t-cli-pool"), "t-cli-pool\nt-cli-pool.job\n");
    assert_string_equal(cli_run(0, names, "t-cli-pool"), "t-cli-pool\nt-cli-pool.job\n");
    assert_string_equal(cli_run(0, names, "'t-cli-[af]*'"), "t-cli-array\nt-cli-frame\n");
    assert_string_equal(cli_run(0, names, "t-cli"), "");
    cli_clear();
}

static void test_order(void **state)
{
    (void)state;
    cli_leave(&array);
    cli_leave(&frame);
    cli_plant();
    cli_run(0, "head -c 100000 /dev/zero >/dev/shm/t-cli-extra");
    const char *names = TOOL "list -nr -o name --all %s 't-cli-[adef]*' | cut -c7- | tr '\\n' ' '";
    assert_string_equal(cli_run(0, names, ""), "array directory extra fifo frame ");
    assert_string_equal(cli_run(0, names, "-S -name"), "frame fifo extra directory array ");
    assert_string_equal(cli_run(0, names, "--sort=bytes"), "fifo directory array frame extra ");
    assert_string_equal(cli_run(0, names, "--sort=-Kind"), "frame array fifo extra directory ");
    cli_clear();
}

static void test_foreign_files(void **state)
{
    (void)state;
    cli_plant();
    assert_string_equal(cli_run(0, TOOL "list 't-cli-*'"), "");
    const char *output = cli_run(0, TOOL "list -nr -o name,state --all 't-cli-*'");
    assert_string_equal(output, "t-cli-\\x1b[31m\\xff\\x0a\\x5cx41 foreign\n"
                                "t-cli-directory foreign\n"
                                "t-cli-fifo foreign\n"
                                "t-cli-link foreign\n");
    output = cli_run(0, TOOL "list --state foreign 't-cli-*'");
    assert_has(output, "t-cli-\\x1b[31m\\xff\\x0a\\x5cx41 ");
    assert_has_not(output, "\x1b");
    assert_has(cli_run(0, TOOL "list --all -o note t-cli-fifo"), "not a regular file");
    cli_clear();
}

static void test_label_is_made_safe(void **state)
{
    (void)state;
    cli_leave(&(struct cli_segment){.name = "t-cli-x", .label = "\x1b]0;title\x07 \xe2\x80\xae"});
    for (int json = 0; json < 2; json++) {
        const char *output =
            cli_run(0, "LC_ALL=C.UTF-8 " TOOL "list %s t-cli-x", json ? "--json" : "");
        assert_has_not(output, "\x1b");
        assert_has_not(output, "\x07");
    }
    assert_has(cli_run(0, TOOL "list --json t-cli-x"), "\\\\xe2\\\\x80\\\\xae");
    cli_clear();
}

static void test_json(void **state)
{
    (void)state;
    cli_leave(&array);
    cli_plant();
    const char *program =
        "import json, sys\n"
        "rows = {row[\"name\"]: row for row in json.load(sys.stdin)[\"segments\"]}\n"
        "row = rows[\"t-cli-array\"]\n"
        "assert 0 <= row.pop(\"age\") < 60, row\n"
        "assert row.pop(\"owner\"), row\n"
        "assert row == dict(name=\"t-cli-array\", kind=\"array\", dtype=\"<f8\", shape=[8, 16], "
        "bytes=8192, resident=8192, lifetime=\"reclaimable\", pool=None, state=\"orphan\", "
        "label=\"prices of \\u00e9t\\u00e9\", note=None), row\n"
        "row = rows[r\"t-cli-\\x1b[31m\\xff\\x0a\\x5cx41\"]\n"
        "assert row[\"state\"] == \"foreign\" and row[\"bytes\"] == 4, row\n"
        "assert row[\"kind\"] is None, row\n";
    const char *directory = support_directory();
    cli_run(0, "LC_ALL=C " TOOL "list --json --all 't-cli-*' > %s/json", directory);
    cli_run(0, "python3 -c '%s' < %s/json", program, directory);
    assert_string_equal(cli_run(0, TOOL "list -J -o name t-cli-array | tr -d ' \\n'"),
                        "{\"segments\":[{\"name\":\"t-cli-array\"}]}");
    cli_clear();
}

static void test_colour_on_terminals_only(void **state)
{
    (void)state;
    const char *terminal =
        "%s TERM=xterm script -qec '" TOOL "list t-cli-array' /dev/null </dev/null";
    if (support_run(NULL, 0, "command -v script >/dev/null") != 0)
        skip();
    assert_has(cli_run(0, terminal, ""), "no segments");
    cli_leave(&array);
    assert_has(cli_run(0, terminal, ""), "\x1b[");
    assert_has_not(cli_run(0, terminal, "NO_COLOR=1"), "\x1b[");
    assert_has_not(cli_run(0, TOOL "list t-cli-array"), "\x1b[");
    cli_clear();
}

static int list_into_closed_pipe(void *unused)
{
    (void)unused;
    int ends[2];
    signal(SIGPIPE, SIG_DFL);
    SUPPORT_CHECK(pipe(ends) == 0 && close(ends[0]) == 0 && dup2(ends[1], 1) == 1);
    const char *tool = getenv("SHM_INSPECT");
    execl(tool, tool, "list", "--json", (char *)NULL);
    return 1;
}

static void test_output_that_cannot_be_written(void **state)
{
    (void)state;
    assert_has(cli_run(3, TOOL "list --json >/dev/full"), "No space left");
    assert_has(cli_run(3, TOOL "list --help >/dev/full"), "No space left");
    assert_has(cli_run(3, TOOL "list >&-"), "closed");
    assert_int_equal(support_child(list_into_closed_pipe, NULL), 128 + SIGPIPE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(test_nothing),
        CLI_TEST(test_every_kind_lifetime_and_state),
        CLI_TEST(test_usual_columns),
        CLI_TEST(test_filters),
        CLI_TEST(test_order),
        CLI_TEST(test_foreign_files),
        CLI_TEST(test_label_is_made_safe),
        CLI_TEST(test_json),
        CLI_TEST(test_colour_on_terminals_only),
        CLI_TEST(test_output_that_cannot_be_written),
    };
    return cmocka_run_group_tests_name("shm-inspect list", tests, NULL, NULL);
}
