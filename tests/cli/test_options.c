/* SPDX-License-Identifier: MIT */
/* The command line of shm-inspect: help, versions, and everything that it refuses. */
#include <stdio.h>
#include <string.h>

#include "cli.h"

static void test_refusals(void **state)
{
    (void)state;
    static const char *const refused[] = {
        "",
        "bogus",
        "--bogus",
        "list --bogus",
        "list -x",
        "list a b",
        "list --kind",
        "list --kind=x",
        "list --state=x",
        "list --sort=x",
        "list -o x",
        "list -o name,",
        "list -o name,NAME",
        "list --json --raw",
        "list --json=1",
        "clean a b",
        "clean --bogus",
        "clean --raw",
        "clean --pool",
        "clean -f=1 -x",
        "clean --corrupt",
        "clean --corrupt 'x*'",
        "clean --older-than=0",
        "clean --older-than=1h",
        "doctor x",
        "keep",
        "unlink",
        "unlink --bogus x",
        "who a b",
        "who --unlinked x",
        "check --bogus",
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        const char *output = cli_run(2, TOOL "%s 2>&1 >/dev/null", refused[i]);
        assert_has(output, "Usage: shm-inspect ");
        assert_string_equal(cli_run(2, TOOL "%s 2>/dev/null", refused[i]), "");
    }
}

static void test_message_is_made_safe(void **state)
{
    (void)state;
    const char *output = cli_run(2, TOOL "\"$(printf '\\033[31m')\"");
    assert_has(output, "there is no command '\\x1b[31m'");
    assert_has_not(output, "\x1b");
}

static void test_help_and_version(void **state)
{
    (void)state;
    static const char *const asked[] = {"--help", "-h", "list --help", "clean -h"};
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        const char *output = cli_run(0, TOOL "%s 2>/dev/null", asked[i]);
        assert_true(strncmp(output, "Usage: shm-inspect ", 19) == 0);
        assert_has(output, "--help");
    }
    const char *version = cli_run(0, TOOL "--version");
    assert_has(version, "shm-inspect ");
    assert_has(version, ndshm_version());
    assert_string_equal(cli_run(0, TOOL "-V"), version);
}

static void test_help_fits_a_screen(void **state)
{
    (void)state;
    cli_run(0, "for command in '' check clean copy doctor export import jobs keep list show top "
               "trace unlink who; do " TOOL "$command --help; done | "
               "awk 'length > 79 { print; exit 1 }'");
    cli_run(0, "for command in '' check clean copy doctor export import jobs keep list show top "
               "trace unlink who; do test $(" TOOL "$command --help | wc -l) -le 24 || "
               "exit 1; done");
}

static void test_manual_knows_every_option(void **state)
{
    (void)state;
    cli_run(0, "for command in '' check clean copy doctor export import jobs keep list show top "
               "trace unlink who; do " TOOL "$command --help; done | "
               "grep -oE -e '--[a-z-]+' | sort -u | while read -r option; do "
               "sed 's/\\\\//g' \"$SHM_INSPECT_MANUAL\" | grep -qF -e \"*$option*\" || "
               "{ echo \"not in the manual: $option\"; exit 1; }; done");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(test_refusals),
        CLI_TEST(test_message_is_made_safe),
        CLI_TEST(test_help_and_version),
        CLI_TEST(test_help_fits_a_screen),
        CLI_TEST(test_manual_knows_every_option),
    };
    return cmocka_run_group_tests_name("shm-inspect options", tests, NULL, NULL);
}
