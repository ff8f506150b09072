# SPDX-License-Identifier: MIT
"""Counts tests in the logs that Meson wrote: one table of suites a log, and their sum.

A program built with cmocka counts as the tests it ran; any other one counts as one test.
Usage: test_counts.py NAME=TESTLOG.JSON..."""

import collections
import json
import pathlib
import re
import sys

KINDS = ("passed", "failed", "skipped")
RESULTS = {"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped", "IGNORED": "skipped"}
RUN = re.compile(r"^\[=+\] (?:.*: )?Running (\d+) test\(s\)\.", re.MULTILINE)


def number(kind, output):
    return sum(map(int, re.findall(rf"^\[ +{kind.upper()} +\] (\d+) test\(s\)", output, re.MULTILINE)))


def count_program(test):
    """One entry of the log. Whether tests failed is known from the exit status: a program that ended too soon
    reports no failures, and one that tests the tests reports some on purpose."""
    result = RESULTS.get(test["result"], "failed")
    output = test.get("stdout", "") + "\n" + test.get("stderr", "")
    planned = sum(map(int, RUN.findall(output)))
    if not planned:
        return collections.Counter({result: 1})
    counts = collections.Counter({kind: number(kind, output) for kind in ("passed", "skipped")})
    if result == "failed":
        counts["failed"] = max(1, planned - counts["passed"] - counts["skipped"])
    return counts


def suite_of(test):
    """Meson names a test "project:suite / name"."""
    return test["name"].split(" / ")[0].split(":")[-1] if " / " in test["name"] else "other"


def count_log(path):
    suites = collections.defaultdict(collections.Counter)
    for line in path.read_text().splitlines():
        test = json.loads(line)
        suites[suite_of(test)].update(count_program(test))
    return suites


def text(counts):
    return ", ".join(f"{counts[kind]} {kind}" for kind in KINDS)


def main():
    total = collections.Counter()
    for argument in sys.argv[1:]:
        name, path = argument.split("=", 1)
        for suite, counts in sorted(count_log(pathlib.Path(path)).items()):
            print(f"{name:10} {suite:10} {text(counts)}")
            total.update(counts)
    print(f"\n{text(total)}")
    return 1 if total["failed"] or not total["passed"] else 0


sys.exit(main())
