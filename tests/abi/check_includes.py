# SPDX-License-Identifier: MIT
"""A layer includes itself and lower layers; public headers include public headers; tools only those.
Nothing but lib/base/os*.c calls the operating system's shared-memory, locking and process functions."""

import pathlib
import re
import sys

LAYERS = {"base": 0, "segment": 1, "array": 2, "frame": 3, "pool": 4, "csv": 5, "compute": 5}

# The layer that a public header belongs to.
PUBLIC = {
    "array.h": "array",
    "arrow.h": "frame",
    "base.h": "base",
    "compute.h": "compute",
    "csv.h": "csv",
    "dlpack.h": "array",
    "dtype.h": "base",
    "frame.h": "frame",
    "pool.h": "pool",
    "segment.h": "segment",
    "view.h": "array",
}

BEHIND_THE_WALL = re.compile(
    r"(?<![\w.>])(calloc|clone|close|creat|dup2?|execve|fcntl|fdopen|flock|fopen|fork|fstat|ftruncate|futex|"
    r"kill|linkat|lseek|lstat|madvise|malloc|mbind|mkstemp|mmap|mremap|munmap|nanosleep|open|openat|opendir|"
    r"pidfd_open|poll|posix_fallocate|pread|prctl|process_vm_readv|pwrite|read|readlink|realloc|rename|renameat2|"
    r"shm_open|shm_unlink|sigaction|stat|strdup|syscall|tmpfile|unlink|usleep|vfork|wait|waitid|waitpid|write)\s*\("
)
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]', re.MULTILINE)
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
STRING = re.compile(r'"(?:\\.|[^"\\\n])*"')


def sources(directory):
    return sorted(p for p in directory.rglob("*") if p.suffix in (".c", ".cc", ".cpp", ".h", ".hpp"))


def may_include(layer, other):
    return other == layer or LAYERS[other] < LAYERS[layer]


def check_library_include(layer, quote, name):
    """Why a file of this layer must not include name, or None."""
    head, _, rest = name.partition("/")
    if quote == '"':
        if head not in LAYERS or not rest:
            return 'is not of the form "layer/file.h"'
        return None if may_include(layer, head) else f"{layer} is below {head}"
    if head != "ndshm":
        return None
    if rest not in PUBLIC:
        return "is not a public header of one layer"
    return None if may_include(layer, PUBLIC[rest]) else f"{layer} is below {PUBLIC[rest]}"


def check_public_include(public, quote, name):
    if quote == '"':
        return None if name in public else "is not a public header"
    return "is to be included in quotes" if name.startswith("ndshm/") else None


def check_tool_include(folder, quote, name):
    if quote == "<":
        return None
    return None if (folder / name).exists() and "/" not in name else "is not one of the tool's own"


def errors(root):
    library, public, tools = root / "lib", root / "include" / "ndshm", root / "tools"
    headers = {p.name for p in public.iterdir()}
    for path in sources(library):
        parts = path.relative_to(library).parts
        text = COMMENT.sub("", path.read_text())
        for quote, name in INCLUDE.findall(text):
            why = None
            if len(parts) > 1:
                why = check_library_include(parts[0], quote, name)
            elif not (quote == "<" and name == "ndshm/ndshm.h") and (quote == '"' or name.startswith("ndshm")):
                why = "only <ndshm/ndshm.h> may be included outside of the layers"
            if why:
                yield f"{path}: {name}: {why}"
        if not (parts[0] == "base" and path.name.startswith("os")):
            for call in BEHIND_THE_WALL.findall(STRING.sub('""', text)):
                yield f"{path}: calls {call}, which belongs behind lib/base/os.h"
    for path in sources(public):
        for quote, name in INCLUDE.findall(COMMENT.sub("", path.read_text())):
            why = check_public_include(headers, quote, name)
            if why:
                yield f"{path}: {name}: {why}"
    for path in sources(tools):
        for quote, name in INCLUDE.findall(COMMENT.sub("", path.read_text())):
            why = check_tool_include(path.parent, quote, name)
            if why:
                yield f"{path}: {name}: {why}"


def main():
    root = pathlib.Path(sys.argv[1])
    found = list(errors(root))
    print("\n".join(found))
    return 1 if found or not sources(root / "lib") else 0


sys.exit(main())
