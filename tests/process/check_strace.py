#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Nothing but names crosses processes: traces a pool run, and looks at every byte that it writes.

    check_strace.py PROGRAM [ARGUMENT...]

Allowed are: standard output and error, an eventfd (8 bytes that wake the supervisor), and the header of a segment
in shared memory (its lifetime word). Payloads must reach a segment through mappings or while it has no name yet.
Exit status 77 when strace cannot trace here.
"""
import re
import shutil
import subprocess
import sys
import tempfile

CALLS = ("write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg,sendmmsg,sendfile,splice,vmsplice,"
         "tee,copy_file_range,process_vm_writev,mq_timedsend,msgsnd")
LINE = re.compile(r"^\d+\s+(\w+)\((\d+)<(.*?)>.*= (-?\d+)")
UNNAMED = re.compile(r"^/dev/shm/#\d+( \(deleted\)|<.*>)?$")


def allowed(call, fd, path, count):
    if fd in (1, 2):
        return True
    if "eventfd" in path:
        return count <= 8
    if UNNAMED.match(path.replace("(deleted)", "").strip()) or "/dev/shm/#" in path:
        return True
    return path.startswith("/dev/shm/") and call == "pwrite64" and count == 8


def main():
    if not shutil.which("strace"):
        print("strace is not installed")
        return 77
    with tempfile.NamedTemporaryFile() as trace:
        run = subprocess.run(["strace", "-f", "-yy", "-e", "trace=" + CALLS, "-o", trace.name,
                              *sys.argv[1:]], stdout=subprocess.DEVNULL)
        text = trace.read().decode(errors="replace")
    if run.returncode != 0 and "exited" not in text and not LINE.search(text):
        print("strace cannot trace here")
        return 77
    if run.returncode != 0:
        print("the program failed under strace:", run.returncode)
        return 1
    lines = [LINE.match(line) for line in text.splitlines()]
    seen, bad = 0, []
    for match in filter(None, lines):
        call, fd, path, count = match.group(1), int(match.group(2)), match.group(3), int(match.group(4))
        seen += 1
        if count > 0 and not allowed(call, fd, path, count):
            bad.append(match.group(0))
    processes = len({line.split()[0] for line in text.splitlines() if line[:1].isdigit()})
    print(f"{processes} processes, {seen} writing calls, {len(bad)} that carry more than a name")
    for line in bad[:10]:
        print("  ", line)
    return 1 if bad or processes < 2 else 0


if __name__ == "__main__":
    sys.exit(main())
