# SPDX-License-Identifier: MIT
"""The C code in README.md is the marked region of an example that is built and run."""

import pathlib
import re
import sys


def main():
    readme, example = (pathlib.Path(argument).read_text() for argument in sys.argv[1:3])
    shown = re.findall(r"^```c\n(.*?)^```$", readme, re.DOTALL | re.MULTILINE)
    marked = re.findall(r"/\* \[readme\] \*/\n(.*?)/\* \[readme\] \*/\n", example, re.DOTALL)
    if len(shown) == 1 and shown == marked:
        return 0
    print(f"README.md shows {len(shown)} blocks, the example has {len(marked)} regions, or they differ")
    return 1


sys.exit(main())
