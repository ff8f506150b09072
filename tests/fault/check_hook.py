# SPDX-License-Identifier: MIT
"""Each function behind the wall can be made to fail, and the table of errnos knows each of the calls.

    check_hook.py ROOT

A function declared in lib/base/os*.h asks the hook, by itself or through a helper of its file, unless it is listed
here with the reason why its failing would mean nothing.
"""
import pathlib
import re
import sys

CANNOT_FAIL = "cannot fail with the arguments it is given"
EXEMPT = {
    "advise": CANNOT_FAIL,
    "at_fork_child": "no system call",
    "cpus_add": "no system call",
    "cpus_count": "no system call",
    "cpus_has": "no system call",
    "die": CANNOT_FAIL,
    "directory_close": "what was read stays read",
    "drop_child": CANNOT_FAIL,
    "environment": "no system call",
    "euid": CANNOT_FAIL,
    "event_clear": "fails only when it is clear",
    "event_signal": "fails only when it is raised already",
    "exit": CANNOT_FAIL,
    "file_size_limit": CANNOT_FAIL,
    "flush_all": "the user's streams keep their error",
    "flush_output": "the user's streams keep their error",
    "futex_wake": CANNOT_FAIL,
    "generation": "no system call",
    "kill_child": CANNOT_FAIL,
    "maps_close": "what was read stays read",
    "maps_next": "a list for people, which may be short",
    "now": CANNOT_FAIL,
    "page_size": CANNOT_FAIL,
    "parent": CANNOT_FAIL,
    "pid": CANNOT_FAIL,
    "process_name": CANNOT_FAIL,
    "processes_close": "what was read stays read",
    "processes_next": "a list for people, which may be short",
    "set_environment": "no system call",
    "signals_hold": CANNOT_FAIL,
    "signals_reset": CANNOT_FAIL,
    "signals_restore": CANNOT_FAIL,
    "signals_supervisor": CANNOT_FAIL,
    "signals_worker": CANNOT_FAIL,
    "terminal_width": "for people, who see less",
    "terminal_write": "for people, who see less",
    "touch": "who watches looks again anyway",
    "unmap": "fails only for a part of a mapping, and whole ones are given",
    "wall_clock": CANNOT_FAIL,
    "watch_drain": "fails only when it is empty",
    "window_enter": "no system call that fails",
    "window_leave": "no system call that fails",
}
DECLARATION = re.compile(r"\bndshm__(?:os_)?(\w+)\(")
FUNCTION = re.compile(r"^[A-Za-z_][^\n;{}=]*?\b(\w+)\([^;{}]*\)\n\{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
CALL = re.compile(r'ndshm__os_(?:injected|refused)\("(\w+)"')
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
ROW = re.compile(r'^    \{"(\w+)",', re.MULTILINE)


def asks(name, bodies, seen):
    """Whether a function asks the hook, or one that it calls does."""
    if name in seen or name not in bodies:
        return False
    seen.add(name)
    body = bodies[name]
    return bool(CALL.search(body)) or any(asks(other, bodies, seen) for other in re.findall(r"\b(\w+)\(", body))


def check(base, table):
    bodies, calls = {}, set()
    for path in sorted(base.glob("os*.[ch]")):
        text = COMMENT.sub("", path.read_text())
        for name, body in FUNCTION.findall(text):
            bodies[name] = bodies.get(name, "") + body  # one of several branches of an #if
        calls.update(CALL.findall(text))
    declared = set()
    for header in sorted(base.glob("os*.h")):
        if header.name != "os_fault.h":
            declared.update(DECLARATION.findall(COMMENT.sub("", header.read_text())))
    full = {name: "ndshm__os_" + name if "ndshm__os_" + name in bodies else "ndshm__" + name for name in declared}
    for name in sorted(declared):
        if full[name] not in bodies:
            yield f"{full[name]} is declared and not found in os*.c"
        elif asks(full[name], bodies, set()) == (name in EXEMPT):
            yield f"{full[name]} " + ("asks the hook and is exempt" if name in EXEMPT else "never asks the hook")
    rows = set(ROW.findall(table.read_text()))
    for call in sorted(calls ^ rows):
        yield f"'{call}' " + ("has no row in the table of errnos" if call in calls else "is a row without a call")
    if len(declared) < 60 or len(calls) < 40:
        yield "too little was found to be believed"


def main():
    root = pathlib.Path(sys.argv[1])
    found = list(check(root / "lib" / "base", root / "tests" / "fault" / "faults.c"))
    print("\n".join(found))
    return 1 if found else 0


sys.exit(main())
