# SPDX-License-Identifier: MIT
"""Every test runs under the leak oracle: check_oracle.py BUILD

A program of cmocka tests by SUPPORT_TEST, or by calling support_begin and support_end itself; anything else by running
below under-oracle (in Meson: test(name, runner, args: [program, ...])). Exempt is what makes no segment.
"""
import json
import pathlib
import re
import sys

READS_ONLY = {"examples", "headers", "hook", "includes", "oracle", "readme", "style", "symbols"}
BUILDS_ONLY = {"install", "mutants", "mutants with every test"}
TESTS_THE_RUNNER = {"under_oracle"}
TESTS_THE_ORACLE = {"test_support.c"}
BARE = re.compile(r"\bcmocka_unit_test(_setup|_teardown|_prestate)*\(")


def check_sources(name, sources):
    text = "".join(source.read_text() for source in sources)
    if not re.search(r"\b(CLI_TEST|SUPPORT_TEST|fault_sweep_all|support_begin)\b", text):
        return f"{name}: {sources[0].name} never uses the oracle; see tests/support/support.h"
    own = re.search(r"\b(fault_sweep_all|support_begin)\(", text) or sources[0].name in TESTS_THE_ORACLE
    if BARE.search(text) and not own:
        return f"{name}: {sources[0].name} has tests without the oracle: use SUPPORT_TEST"
    return None


def check(build):
    targets = json.loads((build / "meson-info" / "intro-targets.json").read_text())
    tests = json.loads((build / "meson-info" / "intro-tests.json").read_text())
    sources = {}
    for target in targets:
        for filename in target["filename"]:
            listed = [s for group in target["target_sources"] for s in group.get("sources", [])]
            sources[filename] = [pathlib.Path(s) for s in listed if s.endswith(".c")]
    for test in tests:
        name, program = test["name"], test["cmd"][0]
        if pathlib.Path(program).name == "under-oracle" or name in READS_ONLY | BUILDS_ONLY | TESTS_THE_RUNNER:
            continue
        if not sources.get(program):
            yield f"{name}: runs without the leak oracle; give it to Meson as test(name, runner, args: [program, ...])"
            continue
        error = check_sources(name, sources[program])
        if error:
            yield error
    if len(tests) < 40:
        yield "too few tests were found to be believed"


def main():
    found = list(check(pathlib.Path(sys.argv[1])))
    print("\n".join(found))
    return 1 if found else 0


sys.exit(main())
