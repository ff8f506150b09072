# SPDX-License-Identifier: MIT
"""The library exports what its version script lists, which is what the headers declare; and it needs no
C++ library."""

import pathlib
import re
import subprocess
import sys

DECLARATION = re.compile(r"\bNDSHM_API\b[^;{(]*?\b(ndshm_\w+)\s*\(")
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def output(*command):
    return subprocess.run(command, check=True, text=True, capture_output=True).stdout


def exported(library):
    names = set()
    for line in output("nm", "-D", "--defined-only", "--format=posix", library).splitlines():
        name, kind = line.split()[:2]
        if kind != "A":
            names.add(name.partition("@")[0])
    return names


def listed(version_script):
    body = re.search(r"global:(.*?)local:", version_script.read_text(), re.DOTALL).group(1)
    return [line.strip(" ;") for line in body.strip().splitlines()]


def declared(include):
    names = set()
    for header in include.glob("ndshm/*.h"):
        names.update(DECLARATION.findall(COMMENT.sub("", header.read_text())))
    return names


def difference(what, left, right):
    for name in sorted(left - right):
        print(f"{what}: {name}")
    return len(left - right)


def main():
    library, version_script, include = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    names, public, api = listed(version_script), exported(library), declared(include)
    bad = difference("exported but not in the version script", public, set(names))
    bad += difference("in the version script but not exported", set(names), public)
    bad += difference("declared in a header but not exported", api, public)
    bad += difference("exported but declared in no header", public, api)
    if names != sorted(set(names)):
        print("the version script is not sorted, or names something twice")
        bad += 1
    undefined = output("nm", "-D", "--undefined-only", "--format=posix", library)
    for name in re.findall(r"^(?:_Z|__cxa_(?!finalize)|__gxx)\S*", undefined, re.MULTILINE):
        print(f"needs a C++ library: {name}")
        bad += 1
    if "stdc++" in output("readelf", "-d", library):
        print("is linked with libstdc++")
        bad += 1
    return 1 if bad or not public else 0


sys.exit(main())
