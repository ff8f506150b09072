# SPDX-License-Identifier: MIT
"""Are the guards needed, and do the tests notice when one is gone? Each mutant of table.py is one guard less: the
file is compiled again with it, linked with the objects of a test program, and that program must fail.

    mutants.py BUILD          each mutant with the tests named in the table, until one fails
    mutants.py BUILD soak     each mutant with every test program that links the inside of the library

First the same programs run with the same files unchanged, compiled and linked in the same way: they must pass. A
mutant that survives, or whose text is no longer in the source, is a failure."""

import concurrent.futures
import contextlib
import datetime
import json
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time

from table import MUTANTS

TIMEOUT = 45  # seconds a program, unless a mutant says less
ARCHIVE = "lib/libndshm-internal.a"
SUITES = {"crash", "fault", "model", "process", "stress", "unit"}


def run(command, **options):
    return subprocess.run(command, capture_output=True, text=True, errors="replace", **options)


class Build:
    """What Meson and ninja know about the build directory."""

    def __init__(self, path):
        self.path = path
        self.work = path / "mutants"
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir()
        self.compiles = self.read_compiles()
        self.programs = self.read_programs()

    def read_compiles(self):
        """Source, relative to the project: the words that compile it for the tests."""
        compiles = {}
        for entry in json.loads((self.path / "compile_commands.json").read_text()):
            if entry["output"].startswith(ARCHIVE + ".p/"):
                name = os.path.relpath(os.path.join(entry["directory"], entry["file"]), self.path.parent)
                compiles[os.path.normpath(name)] = shlex.split(entry["command"]), entry
        return compiles

    def read_programs(self):
        """Name: a test program, as Meson runs it, and how it is linked."""
        programs = {}
        for test in json.loads((self.path / "meson-info" / "intro-tests.json").read_text()):
            suites = {suite.split(":")[-1] for suite in test["suite"]}
            path = pathlib.Path(test["cmd"][0])
            if suites & SUITES and path.is_relative_to(self.path):
                programs[path.name] = {"path": path, "arguments": test["cmd"][1:], "env": test["env"]}
        for program in list(programs):
            path = programs[program]["path"].relative_to(self.path)
            lines = run(["ninja", "-C", str(self.path), "-t", "commands", str(path)]).stdout.splitlines()
            link = shlex.split(lines[-1]) if lines else []
            if ARCHIVE in link:
                programs[program]["link"] = link
            else:
                del programs[program]
        return programs

    def compile(self, source, text, folder):
        """Compiles text in the place of source; the object."""
        words, entry = self.compiles[source]
        changed = folder / pathlib.Path(source).name
        changed.write_text(text)
        target = changed.with_suffix(".o")
        replaced = {entry["output"]: str(target), entry["file"]: str(changed), "-g": "-g0"}
        words = [replaced.get(word, word) for word in words]
        words[words.index("-MF") + 1] = str(target) + ".d"
        result = run(words + ["-Wno-error", "-w"], cwd=self.path)
        if result.returncode:
            raise RuntimeError(f"{source} does not compile:\n{result.stderr}")
        return target

    def link(self, name, objects, folder):
        """Links the program with objects that come before those of the archive; the program."""
        words = list(self.programs[name]["link"])
        out = folder / name
        words[words.index("-o") + 1] = str(out)
        place = words.index(ARCHIVE)
        result = run(words[:place] + [str(o) for o in objects] + words[place:], cwd=self.path)
        if result.returncode:
            raise RuntimeError(f"{name} cannot be linked:\n{result.stderr}")
        return out

    def try_program(self, name, objects, folder, timeout):
        """Why the program failed, or None."""
        if name not in self.programs:
            raise RuntimeError(f"no test program {name} is in {self.path}")
        program = self.link(name, objects, folder)
        known = self.programs[name]
        with open(folder / "output", "w+b") as file:
            process = subprocess.Popen([str(program)] + known["arguments"], env={**os.environ, **known["env"]},
                                       stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True)
            try:
                process.wait(timeout)
            except subprocess.TimeoutExpired:
                return f"hung for {timeout} s"
            finally:  # what a failed test left running, too
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            file.seek(0)
            output = file.read().decode(errors="replace")
        if process.returncode == 0:
            return None
        failed = re.findall(r"^\[  (?:FAILED|ERROR)\s*\] (?:\d+ test|)\W*(test_\w+)", output, re.MULTILINE)
        return failed[0] if failed else f"status {process.returncode}"


def mutate(root, mutant):
    """The texts of its files with the guard gone, by file. A text that is not there once is an error."""
    texts = {}
    for source, old, new in mutant["changes"]:
        text = texts.get(source) or (root / source).read_text()
        if text.count(old) != 1:
            raise RuntimeError(f"{source} has {text.count(old)} times, and not once: {old!r}")
        texts[source] = text.replace(old, new)
    return texts


def try_mutant(build, root, number, mutant, everything):
    """The programs that fail with it, and why."""
    folder = build.work / str(number)
    folder.mkdir()
    objects = [build.compile(source, text, folder) for source, text in mutate(root, mutant).items()]
    killers = []
    for name in sorted(build.programs) if everything else mutant["tests"]:
        why = build.try_program(name, objects, folder, mutant.get("timeout", TIMEOUT))
        if why:
            killers.append(f"{name}: {why}")
            if not everything:
                break
    shutil.rmtree(folder)
    return killers


def control(build, root, everything):
    """Programs that fail although nothing was changed."""
    folder = build.work / "control"
    folder.mkdir()
    sources = sorted({change[0] for mutant in MUTANTS for change in mutant["changes"]})
    objects = [build.compile(source, (root / source).read_text(), folder) for source in sources]
    used = {name for mutant in MUTANTS for name in mutant["tests"]}
    failed = []
    for name in sorted(build.programs if everything else used):
        why = build.try_program(name, objects, folder, 10 * TIMEOUT)
        if why:
            failed.append(f"{name}: {why}")
    shutil.rmtree(folder)
    return failed, len(sources)


PARTS = 3  # a short run takes one of them, another one each day; the texts of all are looked for


def main():
    build = Build(pathlib.Path(sys.argv[1]).resolve())
    root = pathlib.Path(__file__).resolve().parents[2]
    everything = sys.argv[2:] == ["soak"]
    begin, bad = time.monotonic(), 0
    for mutant in MUTANTS:
        mutate(root, mutant)
    chosen = MUTANTS if everything else MUTANTS[datetime.date.today().toordinal() % PARTS :: PARTS]
    failed, count = control(build, root, everything)
    print(f"control, {count} files compiled unchanged: {'; '.join(failed) or 'all programs pass'}", flush=True)
    bad += len(failed)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        trials = [pool.submit(try_mutant, build, root, i, m, everything) for i, m in enumerate(chosen)]
        for mutant, trial in zip(chosen, trials):
            try:
                killers = trial.result()
            except RuntimeError as error:
                killers = []
                print(error)
            bad += not killers
            print(f"{'caught' if killers else 'SURVIVED':8}  {mutant['name']:44}  {'; '.join(killers)}", flush=True)
    print(f"{len(chosen)} of {len(MUTANTS)} mutants, {bad} failures, {time.monotonic() - begin:.0f} s")
    shutil.rmtree(build.work)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
