# SPDX-License-Identifier: MIT
"""Each source file says its licence, fits in a head, and speaks of the project alone."""

import pathlib
import re
import subprocess
import sys

LINES_MAX = 600
SOURCES = {".build", ".c", ".cc", ".cpp", ".h", ".hpp", ".py", ".sh"}
TEXTS = SOURCES | {".md", ".scd", ".toml", ".txt", ".yml", ".map", ""}
# Paths that mean something on one machine only, and what is to be done some day.
FORBIDDEN = re.compile("|".join([r"\.\./" + "shared", "/" + r"work/", r"\bTO" + r"DO\b", r"\bFIX" + r"ME\b", r"#if" + r" 0\b"]))


def files(root):
    """What git knows or would add; in a source archive, everything."""
    command = ["git", "-C", str(root), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    result = subprocess.run(command, capture_output=True)
    if result.returncode == 0:
        return sorted(root / name for name in result.stdout.decode().split("\0") if name and (root / name).is_file())
    return sorted(p for p in root.rglob("*") if p.is_file())


def errors(path):
    text = path.read_text()
    lines = text.splitlines()
    if path.suffix in SOURCES or text.startswith("#!"):
        if not any("SPDX-License-Identifier: MIT" in line for line in lines[:2]):
            yield "1: no SPDX line"
        if len(lines) > LINES_MAX:
            yield f"{len(lines)}: more than {LINES_MAX} lines"
    for number, line in enumerate(lines, 1):
        if FORBIDDEN.search(line):
            yield f"{number}: must not be mentioned: {FORBIDDEN.search(line).group(0)}"
        if path.suffix != ".md" and line != line.rstrip():
            yield f"{number}: blanks at the end"
    if text and not text.endswith("\n"):
        yield f"{len(lines)}: no line break at the end"


def main():
    root = pathlib.Path(sys.argv[1])
    bad = 0
    for path in files(root):
        if path.suffix in TEXTS:
            for error in errors(path):
                print(f"{path.relative_to(root)}:{error}")
                bad += 1
    return 1 if bad else 0


sys.exit(main())
