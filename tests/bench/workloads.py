#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""W2 (files) and W3 (rows) beside what their users run today, in one run: JSON lines.

    workloads.py W2_FILES W3_ROWS [--files N] [--tasks N]
"""
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time

import numpy as np
import pandas as pd

ROWS, COLUMNS = 1000, 5000


def report(name, value, unit, target=None):
    print(json.dumps({"benchmark": name, "value": round(value, 4), "unit": unit, "target": target}),
          flush=True)


def option(name, otherwise):
    return int(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv else otherwise


def rows_of(output):
    """Name -> (sequential seconds, pool seconds), from the table that the examples print."""
    table = {}
    for line in output.splitlines():
        parts = line.rsplit(None, 5)
        if len(parts) == 6 and ":" in parts[0]:
            table[parts[0].strip()] = (float(parts[1]), float(parts[2]))
    return table


def run(*command):
    return rows_of(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def timed(function, *arguments):
    start = time.perf_counter()
    result = function(*arguments)
    return time.perf_counter() - start, result


# --- W2 ---

def describe(path, threshold=25.0):
    frame = pd.read_csv(path, parse_dates=["date"])
    return frame.loc[frame["value"] > threshold, "value"].describe().to_numpy()


def describe_all(paths):
    return [describe(path) for path in paths]


def describe_pool(paths):
    with multiprocessing.Pool(2) as pool:
        return pool.map(describe, paths)


def files(w2_files, count):
    with tempfile.TemporaryDirectory() as directory:
        run(w2_files, directory, "--generate", "1", "--files", str(count))
        paths = sorted(entry.path for entry in os.scandir(directory))
        describe_all(paths[:20])
        sequential, _ = timed(describe_all, paths)
        pool, _ = timed(describe_pool, paths)
        ours = run(w2_files, directory, "--files", str(count))["files: one threshold"]
    report("w2 pandas, sequential", sequential, "s")
    report("w2 pandas, multiprocessing.Pool(2)", pool, "s")
    report("w2 ndshm, sequential", ours[0], "s")
    report("w2 ndshm, pool", ours[1], "s")
    report("w2 ndshm pool against the pandas pool", pool / ours[1], "times", 20)


# --- W3 ---

frame = None


def outer(row):
    means = np.random.default_rng(row).random((ROWS, COLUMNS)).mean(axis=1)
    return np.outer(means, frame[row])


def outer_all(rows):
    for row in rows:
        outer(row)


def outer_naive(job):
    values, row = job
    means = np.random.default_rng(row).random((ROWS, COLUMNS)).mean(axis=1)
    return np.outer(means, values[row])


def outer_naive_pool(rows):
    with multiprocessing.Pool(2) as pool:
        for _ in pool.imap(outer_naive, ((frame, row) for row in rows)):
            pass


def rows(w3_rows, tasks):
    global frame
    frame = np.random.default_rng(0).random((ROWS, COLUMNS))
    chosen = list(range(tasks))
    outer_all(chosen[:2])
    sequential, _ = timed(outer_all, chosen)
    naive, _ = timed(outer_naive_pool, chosen)
    ours = run(w3_rows, "--tasks", str(tasks))["rows: outer product, whole"]
    report("w3 numpy, sequential", tasks / sequential, "items/s")
    report("w3 numpy, multiprocessing.Pool(2), frame as an argument", tasks / naive, "items/s")
    report("w3 ndshm, sequential", tasks / ours[0], "items/s")
    report("w3 ndshm, pool", tasks / ours[1], "items/s")
    report("w3 ndshm pool against sequential numpy", sequential / ours[1], "times", 2.2)
    report("w3 ndshm pool against the naive pool", naive / ours[1], "times", 8)


if __name__ == "__main__":
    files(sys.argv[1], option("--files", 1326))
    rows(sys.argv[2], option("--tasks", 40))
