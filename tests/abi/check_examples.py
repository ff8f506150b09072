# SPDX-License-Identifier: MIT
"""Every public function is called by at least one example."""

import pathlib
import re
import sys

COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)


def main():
    version_script, examples = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    functions = set(re.findall(r"\bndshm_\w+", version_script.read_text()))
    text = "\n".join(COMMENT.sub("", p.read_text()) for p in sorted(examples.glob("*.c")))
    used = set(re.findall(r"\b(ndshm_\w+)\s*\(", text))
    for name in sorted(functions - used):
        print(f"in no example: {name}")
    return 1 if functions - used else 0


sys.exit(main())
