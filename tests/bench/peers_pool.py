# SPDX-License-Identifier: MIT
"""Pools side by side in one run: ours, multiprocessing, concurrent.futures, joblib, OpenMP. JSON lines.

    peers_pool.py BENCH_POOL BENCH_OPENMP W1_SECTIONS W3_ROWS [--rows 1000000] [--tasks 40] [--noops 20000]

BENCH_OPENMP may be "" where the compiler has no OpenMP; joblib is left out when it is not installed.
"""
import concurrent.futures
import json
import multiprocessing
import statistics
import subprocess
import sys
import time

import numpy as np

try:
    import joblib
except ImportError:
    joblib = None

WORKERS = 2
SECTION, CHUNK, COLUMNS = 10_000, 25, 100
OUTER = (1000, 5000)


def report(work, who, value, unit):
    print(json.dumps({"benchmark": work, "who": who, "value": float(f"{value:.4g}"), "unit": unit}), flush=True)


def option(name, otherwise):
    return int(sys.argv[sys.argv.index(name) + 1]) if name in sys.argv else otherwise


def timed(function, *arguments):
    start = time.perf_counter()
    result = function(*arguments)
    return time.perf_counter() - start, result


# --- what the tasks do; large things are inherited by fork ---

big = None
frame = None


def nothing(_):
    return None


def sum_section(index):
    return float(big[index * SECTION:(index + 1) * SECTION].sum())


def sum_view(view):
    return float(view.sum())


def outer(row):
    means = np.random.default_rng(row).random(OUTER).mean(axis=1)
    return np.outer(means, frame[row % OUTER[0]])


# --- one way to run them each: name, open, close, map in order ---

class Multiprocessing:
    name = "multiprocessing.Pool"

    def __init__(self, workers):
        self.pool = multiprocessing.Pool(workers)

    def map(self, function, items, chunk=None):
        return self.pool.imap(function, items, chunk or max(1, len(items) // 64))

    def apply(self, function, item):
        return self.pool.apply(function, (item,))

    def close(self):
        self.pool.terminate()
        self.pool.join()


class Futures:
    name = "concurrent.futures"

    def __init__(self, workers):
        self.pool = concurrent.futures.ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("fork"))
        self.pool.submit(nothing, 0).result()

    def map(self, function, items, chunk=None):
        return self.pool.map(function, items, chunksize=chunk or max(1, len(items) // 64))

    def apply(self, function, item):
        return self.pool.submit(function, item).result()

    def close(self):
        self.pool.shutdown()


class Joblib:
    name = "joblib"

    def __init__(self, workers):
        self.workers = workers
        self.parallel = joblib.Parallel(n_jobs=workers, batch_size=1)
        self.automatic = joblib.Parallel(n_jobs=workers)
        self.apply(nothing, 0)

    def map(self, function, items, chunk=None):
        parallel = self.parallel if chunk == 1 else self.automatic
        return parallel(joblib.delayed(function)(item) for item in items)

    def apply(self, function, item):
        return self.parallel([joblib.delayed(function)(item)])[0]

    def close(self):
        joblib.externals.loky.get_reusable_executor().shutdown()


def consume(results):
    count = 0
    for _ in results:
        count += 1
    return count


def measure_peer(peer, noops, tasks):
    seconds, pool = timed(peer, WORKERS)
    report("opening", peer.name, seconds * 1e6, "us")
    consume(pool.map(nothing, range(100), 1))
    for work, chunk, count in (("no-op tasks, chunk 1", 1, noops), ("no-op tasks, automatic chunks", None, 5 * noops)):
        seconds, _ = timed(lambda: consume(pool.map(nothing, range(count), chunk)))
        report(work, peer.name, count / seconds, "tasks/s")
    report("apply", peer.name, statistics.median(timed(pool.apply, nothing, 0)[0] for _ in range(300)) * 1e6, "us")
    sections = range(len(big) // SECTION)
    if peer is Joblib:  # its workers are no forks: it maps the array itself
        work = (sum_view, [big[i * SECTION:(i + 1) * SECTION] for i in sections])
    else:
        work = (sum_section, sections)
    seconds, sums = timed(lambda: sum(pool.map(*work, CHUNK)))
    assert sums == big.sum()
    report("w1 sections", peer.name, seconds, "s")
    if peer is not Joblib:
        seconds, _ = timed(lambda: consume(pool.map(outer, range(tasks), 1)))
        report("w3 rows", peer.name, tasks / seconds, "items/s")
    pool.close()


# --- programs in C ---

def lines_of(*command):
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {line["benchmark"]: line["value"] for line in map(json.loads, output.splitlines())}


def pool_seconds(*command):
    """Name -> (sequential, pool), from the table that the examples print."""
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rows = [line.rsplit(None, 5) for line in output.splitlines() if ":" in line]
    return {row[0].strip(): (float(row[1]), float(row[2])) for row in rows if len(row) == 6}


def measure_ours(bench_pool, w1_sections, w3_rows, rows, tasks):
    ours = lines_of(bench_pool)
    report("opening", "ndshm", ours["open, 2 workers"], "us")
    report("no-op tasks, chunk 1", "ndshm", ours["map, 10 M empty tasks, chunks of 1, 2 workers"], "tasks/s")
    report("no-op tasks, automatic chunks", "ndshm", ours["map, 10 M empty tasks, automatic chunks, 2 workers"], "tasks/s")
    report("apply", "ndshm", ours["apply, worker spinning"], "us")
    report("apply, parked", "ndshm", ours["apply, worker parked"], "us")
    sections = pool_seconds(w1_sections, "--rows", str(rows), "--workers", str(WORKERS))["sections: sum"]
    report("w1 sections", "C, sequential", sections[0], "s")
    report("w1 sections", "ndshm", sections[1], "s")
    outer_rows = pool_seconds(w3_rows, "--tasks", str(tasks), "--workers", str(WORKERS))["rows: outer product, whole"]
    report("w3 rows", "C, sequential", tasks / outer_rows[0], "items/s")
    report("w3 rows", "ndshm", tasks / outer_rows[1], "items/s")


def measure_openmp(bench_openmp, rows, tasks):
    theirs = lines_of(bench_openmp, "--rows", str(rows), "--tasks", str(tasks))
    for work, name, unit in (
            ("opening", "first parallel region", "us"), ("no-op tasks, chunk 1", "no-op tasks, one each", "tasks/s"),
            ("no-op tasks, automatic chunks", "no-op tasks, chunked", "tasks/s"), ("apply", "parallel region", "us"),
            ("w1 sections", "sections", "s"), ("w3 rows", "rows", "items/s")):
        report(work, "OpenMP", theirs["openmp: " + name], unit)


def main():
    global big, frame
    rows, tasks, noops = option("--rows", 1_000_000), option("--tasks", 40), option("--noops", 20_000)
    bench_pool, bench_openmp, w1_sections, w3_rows = sys.argv[1:5]
    measure_ours(bench_pool, w1_sections, w3_rows, rows, tasks)
    if bench_openmp:
        measure_openmp(bench_openmp, rows, tasks)
    big = (np.arange(rows * COLUMNS, dtype=np.int64) % 97).astype(np.float64).reshape(rows, COLUMNS)
    frame = np.random.default_rng(0).random(OUTER)
    report("w1 sections", "numpy, sequential", timed(big.sum)[0], "s")
    report("w3 rows", "numpy, sequential", tasks / timed(lambda: consume(map(outer, range(tasks))))[0], "items/s")
    for peer in (Multiprocessing, Futures) + ((Joblib,) if joblib else ()):
        measure_peer(peer, noops, tasks)


if __name__ == "__main__":
    main()
