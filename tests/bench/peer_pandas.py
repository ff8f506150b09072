# SPDX-License-Identifier: MIT
"""pandas on the same files as bench_csv, in the same run. usage: peer_pandas.py BENCH_CSV"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

import numpy as np
import pandas as pd

ROUNDS = 3


def best(function, *arguments):
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        function(*arguments)
        times.append(time.perf_counter() - start)
    return min(times)


def read_and_describe(paths):
    for path in paths:
        pd.read_csv(path, parse_dates=["date"])["value"].describe()


def measure(directory):
    small = [os.path.join(directory, "small", name) for name in os.listdir(os.path.join(directory, "small"))]
    frame = pd.DataFrame(np.random.default_rng(4).random((10_000_000, 3)), columns=list("abc"))
    return {
        "numeric csv, seconds": best(pd.read_csv, os.path.join(directory, "numbers.csv")),
        "mixed csv, seconds": best(lambda path: pd.read_csv(path, parse_dates=["day"]), os.path.join(directory, "mixed.csv")),
        "1326 small files, read and described": best(read_and_describe, small),
        "describe 10M x 3, in the caller": best(frame.describe),
    }


def main():
    directory = tempfile.mkdtemp()
    try:
        lines = subprocess.run([sys.argv[1], directory], check=True, capture_output=True, text=True).stdout
        ours = {line["benchmark"]: line for line in map(json.loads, lines.splitlines())}
        peer = measure(directory)
    finally:
        shutil.rmtree(directory)
    peer["describe 10M x 3, on a pool"] = peer["describe 10M x 3, in the caller"]
    print(f"{'benchmark':40} {'ndshm s':>10} {'pandas s':>10} {'ratio':>8}")
    for name, seconds in peer.items():
        value = ours[name]["value"]
        print(f"{name:40} {value:10.4f} {seconds:10.4f} {seconds / value:8.1f}")
    for line in ours.values():
        if line["unit"] != "s":
            print(f"{line['benchmark']:40} {line['value']:10.1f} {line['unit']}")


main()
