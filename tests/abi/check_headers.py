# SPDX-License-Identifier: MIT
"""Every public header compiles alone, as C11 and as C++17, without a warning."""

import pathlib
import shutil
import subprocess
import sys

WARNINGS = ["-pedantic", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Werror"]
C_WARNINGS = ["-Wstrict-prototypes"]
C_COMPILERS = ["gcc", "clang"]
CPP_COMPILERS = ["g++", "clang++"]


def compile_alone(compiler, language, options, include, header):
    command = [compiler, "-x", language, *options, *WARNINGS, f"-I{include}", "-fsyntax-only", "-"]
    source = f"#include <ndshm/{header}>\nint only_a_header_is_here;\n"
    result = subprocess.run(command, input=source, text=True, capture_output=True)
    if result.returncode:
        print(" ".join(command), header, result.stdout, result.stderr, sep="\n")
    return result.returncode == 0


def main():
    include = pathlib.Path(sys.argv[1])
    good, tried = True, 0
    for header in sorted(p.name for p in (include / "ndshm").iterdir()):
        runs = [(c, "c++", ["-std=c++17"]) for c in CPP_COMPILERS]
        if header.endswith(".h"):
            runs += [(c, "c", ["-std=c11", *C_WARNINGS]) for c in C_COMPILERS]
        elif not header.endswith(".hpp"):
            continue
        for compiler, language, options in runs:
            if shutil.which(compiler):
                tried += 1
                good = compile_alone(compiler, language, options, include, header) and good
    print(f"{tried} compilations")
    return 0 if good and tried else 1


sys.exit(main())
