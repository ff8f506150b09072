# SPDX-License-Identifier: MIT
"""The installed tree is complete: a program builds against it with pkg-config, shared and static, and runs."""

import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

PROGRAM = """
#include <ndshm/ndshm.h>
#include <stdio.h>
#include <string.h>

int main(void)
{
    ndshm_dtype dtype;
    if (ndshm_dtype_parse("<f8", &dtype) || ndshm_dtype_itemsize(dtype) != 8) {
        fprintf(stderr, "%s\\n", ndshm_error_message());
        return 1;
    }
    return strcmp(ndshm_version(), VERSION) != 0 || ndshm_abi_sizeof("ndshm_view") != sizeof(ndshm_view);
}
"""


def run(*command, **options):
    print("+", *command)
    return subprocess.run(command, check=True, text=True, **options)


def pkg_config(tree, *options):
    directory = next(tree.rglob("ndshm.pc")).parent
    environment = dict(os.environ, PKG_CONFIG_PATH=str(directory), PKG_CONFIG_SYSROOT_DIR=str(tree))
    result = run("pkg-config", *options, "ndshm", env=environment, stdout=subprocess.PIPE)
    return result.stdout.split()


def build(tree, name, static):
    source, program = tree / "program.c", tree / name
    libraries = pkg_config(tree, "--libs", *(["--static"] if static else []))
    if static:
        libraries = ["-l:libndshm.a" if flag == "-lndshm" else flag for flag in libraries]
    version = pkg_config(tree, "--modversion")[0]
    run(*shlex.split(os.environ.get("CC", "cc")), "-std=c11", "-Wall", "-Werror", f'-DVERSION="{version}"', "-o", str(program),
        str(source), *pkg_config(tree, "--cflags"), *libraries)
    return program


def main():
    meson_build, include = sys.argv[1], pathlib.Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as directory:
        tree = pathlib.Path(directory)
        run("meson", "install", "-C", meson_build, "--no-rebuild", "--quiet", "--destdir", directory)
        (tree / "program.c").write_text(PROGRAM)
        library = next(tree.rglob("libndshm.so")).parent
        installed = {p.name for p in tree.rglob("include/ndshm/*")}
        assert installed == {p.name for p in include.glob("ndshm/*.h*")}, installed
        run(str(build(tree, "shared", False)), env={"LD_LIBRARY_PATH": str(library)})
        run(str(build(tree, "static", True)), env={})
    return 0


sys.exit(main())
