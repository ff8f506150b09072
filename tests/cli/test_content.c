/* SPDX-License-Identifier: MIT */
/* What segments hold, from outside: show, export, import, copy. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

static const char csv[] = "city,day,price,size\n"
                          "Graz,2024-02-29,1.5,3\n"
                          ",2024-03-01,,4\n"
                          "\"Wien, \"\"Mitte\"\"\",2024-03-02,1e+300,-9007199254740993\n";

static const char *csv_file(void)
{
    return support_file("prices.csv", csv, sizeof csv - 1);
}

/* Runs a Python program over JSON on its input. */
static void python(const char *command, const char *program)
{
    cli_run(0, "%s | python3 -c 'import json, sys; d = json.load(sys.stdin); %s'", command,
            program);
}

static void test_import_and_show(void **state)
{
    (void)state;
    assert_string_equal(cli_run(0, TOOL "import %s t-cli-prices", csv_file()), "");
    const char *output = cli_run(0, TOOL "show t-cli-prices");
    assert_has(output, "NAME     t-cli-prices\n");
    assert_has(output, "LIFETIME persistent\n");
    assert_has(output, "SHAPE    3x4\n");
    assert_has(output, "UUID     ");
    assert_has(output, "city  u ");
    assert_has(output, "2024-02-29");
    assert_has(output, "Wien, \"Mitte\"");
    assert_has_not(cli_run(0, TOOL "show --head 1 t-cli-prices"), "Wien");
    assert_has(cli_run(0, TOOL "show 't-cli-prices[2:3]'"), "Wien");
    assert_has_not(cli_run(0, TOOL "show 't-cli-prices[2:3]'"), "Graz");
    python(
        TOOL "show --json t-cli-prices",
        "assert d[\"header\"][\"shape\"] == [3, 4] and d[\"header\"][\"kind\"] == \"frame\", d; "
        "assert d[\"rows\"][1] == dict(city=None, day=\"2024-03-01\", price=\"nan\", size=4), d; "
        "assert d[\"rows\"][2][\"size\"] == -9007199254740993, d; "
        "assert d[\"rows\"][2][\"price\"] == 1e300, d; "
        "c = {c[\"name\"]: c for c in d[\"columns\"]}; "
        "assert c[\"city\"][\"nulls\"] == 1 and c[\"size\"][\"type\"] == \"l\", d; "
        "assert c[\"size\"][\"count\"] == 3 and c[\"size\"][\"max\"] == 4, d");
    cli_run(0, TOOL "unlink t-cli-prices");
}

/* Names that differ in case only, that repeat, and that look like a repeated one. */
static void test_show_names_of_columns(void **state)
{
    (void)state;
    static const char odd[] = "Price,price,a,a,a.3,\n1,2,3,4,5,6\n";
    cli_run(0, TOOL "import %s t-cli-odd", support_file("odd.csv", odd, sizeof odd - 1));
    python(TOOL "show --json t-cli-odd",
           "assert d[\"rows\"] == [{\"Price\": 1, \"price\": 2, \"a\": 3, \"a.3\": 4, "
           "\"a.3.4\": 5, \"\": 6}], d");
    cli_run(0, TOOL "show t-cli-odd");
    cli_run(0, TOOL "unlink t-cli-odd");
}

static void test_show_arrays(void **state)
{
    (void)state;
    cli_leave(&(struct cli_segment){.name = "t-cli-array"});
    assert_has(cli_run(0, TOOL "show t-cli-array"), " 0 0 0 0 0 0 0 0");
    python(TOOL "show --json -n 3 't-cli-array[::2, :4]'",
           "assert d[\"rows\"] == [{str(i): 0 for i in range(4)}] * 3, d");
    python(TOOL "show --json 't-cli-array[0, 0]'", "assert d[\"rows\"] == [{\"0\": 0}], d");
    cli_corrupt("t-cli-array");
    assert_has(cli_run(1, TOOL "show t-cli-array"), "corrupt");
    assert_has(cli_run(3, TOOL "show t-cli-none"), "t-cli-none");
    cli_clear();
}

static void test_export(void **state)
{
    (void)state;
    const char *directory = support_directory();
    cli_run(0, TOOL "import %s t-cli-prices", csv_file());
    cli_run(0, TOOL "export t-cli-prices %s/out.csv && cmp %s/out.csv %s/prices.csv", directory,
            directory, directory);
    cli_run(0, TOOL "export 't-cli-prices[:1]' %s/one.csv", directory);
    assert_string_equal(cli_run(0, "cat %s/one.csv", directory),
                        "city,day,price,size\nGraz,2024-02-29,1.5,3\n");
    assert_has(cli_run(3, TOOL "export t-cli-prices %s/x.npy", directory), "holds a frame");
    assert_has(cli_run(2, TOOL "export t-cli-prices %s/x.doc", directory), "x.doc");
    assert_has(cli_run(3, TOOL "export t-cli-prices /no/where.csv"), "No such file");
    assert_has(cli_run(3, TOOL "export t-cli-none %s/none.csv", directory), "t-cli-none");
    cli_run(1, "test -e %s/none.csv", directory);
    cli_run(0, TOOL "unlink t-cli-prices");
}

static void test_npy_there_and_back(void **state)
{
    (void)state;
    const char *directory = support_directory();
    cli_leave(&(struct cli_segment){.name = "t-cli-array"});
    cli_run(0, TOOL "export 't-cli-array[1:3]' %s/a.npy", directory);
    cli_run(0, TOOL "import %s/a.npy t-cli-back", directory);
    assert_string_equal(cli_run(0, TOOL "list -nr -o dtype,shape,lifetime t-cli-back"),
                        "<f8 2x16 persistent\n");
    assert_has(cli_run(3, TOOL "import %s/a.npy t-cli-back", directory), "taken");
    assert_has(cli_run(3, TOOL "import %s/b.npy t-cli-none", directory), "No such file");
    assert_has(cli_run(2, TOOL "import %s t-cli-none", directory), "not a kind of file");
    cli_run(0, TOOL "unlink t-cli-back");
    cli_clear();
}

static void test_arrow_there_and_back(void **state)
{
    (void)state;
    const char *directory = support_directory();
    cli_run(0, TOOL "import %s t-cli-prices", csv_file());
    if (strstr(cli_run(2, TOOL "export t-cli-prices x"), "without Arrow")) {
        cli_run(0, TOOL "unlink t-cli-prices");
        skip();
    }
    cli_run(0, TOOL "export 't-cli-prices[1:]' %s/a.arrow", directory);
    cli_run(0, TOOL "import %s/a.arrow t-cli-back", directory);
    cli_run(0, TOOL "export t-cli-back %s/back.csv", directory);
    assert_string_equal(
        cli_run(0, "sed 2d %s/prices.csv | cmp - %s/back.csv", directory, directory), "");
    assert_has(cli_run(3, TOOL "import %s/b.arrow t-cli-none", directory), "b.arrow");
    cli_run(0, "printf junk > %s/junk.arrow", directory);
    assert_has(cli_run(3, TOOL "import %s/junk.arrow t-cli-none", directory), "junk.arrow");
    assert_has(cli_run(3, TOOL "export t-cli-prices /no/where.arrow"), "/no/where");
    cli_run(1, "ls %s | grep part", directory);
    cli_run(0, TOOL "unlink t-cli-prices t-cli-back");
}

static void test_copy(void **state)
{
    (void)state;
    cli_run(0, TOOL "import %s t-cli-prices", csv_file());
    cli_run(0, TOOL "copy 't-cli-prices[1:]' t-cli-copy");
    const char *output = cli_run(0, TOOL "show t-cli-copy");
    assert_has(output, "Wien");
    assert_has_not(output, "Graz");
    cli_leave(&(struct cli_segment){.name = "t-cli-array"});
    cli_run(0, TOOL "copy 't-cli-array[::3, 0]' t-cli-row");
    assert_string_equal(cli_run(0, TOOL "list -nr -o shape,lifetime t-cli-row"), "3 persistent\n");
    assert_has(cli_run(3, TOOL "copy t-cli-array t-cli-row"), "taken");
    assert_has(cli_run(3, TOOL "copy t-cli-none t-cli-x"), "t-cli-none");
    cli_run(0, TOOL "unlink t-cli-prices t-cli-copy t-cli-row");
    cli_clear();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CLI_TEST(test_import_and_show),
        CLI_TEST(test_show_names_of_columns),
        CLI_TEST(test_show_arrays),
        CLI_TEST(test_export),
        CLI_TEST(test_npy_there_and_back),
        CLI_TEST(test_arrow_there_and_back),
        CLI_TEST(test_copy),
    };
    return cmocka_run_group_tests_name("shm-inspect, content", tests, NULL, NULL);
}
