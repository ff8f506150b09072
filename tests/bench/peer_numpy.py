# SPDX-License-Identifier: MIT
"""NumPy beside bench_reduce, in the same run. usage: peer_numpy.py BENCH_REDUCE"""
import json
import subprocess
import sys
import time

import numpy as np

ROUNDS, SIZE = 5, 20_000_000
OPS = {"sum": np.sum, "mean": np.mean, "var": np.var, "min": np.min, "argmax": np.argmax,
       "nansum": np.nansum}


def best(function, *arguments):
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        function(*arguments)
        times.append(time.perf_counter() - start)
    return min(times)


def main():
    lines = subprocess.run([sys.argv[1]], check=True, capture_output=True, text=True).stdout
    ours = {line["benchmark"]: line["value"] for line in map(json.loads, lines.splitlines())}
    values = np.random.default_rng(1).random(SIZE)
    arrays = {"all": (values, None), "axis 0": (values.reshape(-1, 100), 0),
              "axis 1": (values.reshape(-1, 100), 1)}
    print(f"{'reduction of 20M float64':26} {'caller s':>10} {'pool s':>10} {'numpy s':>10} {'ratio':>7}")
    for op, function in OPS.items():
        for label, (array, axis) in arrays.items():
            peer = best(function, array, axis)
            alone, pool = ours[f"{op}, {label}, caller"], ours[f"{op}, {label}, pool"]
            print(f"{op + ', ' + label:26} {alone:10.4f} {pool:10.4f} {peer:10.4f} {peer / pool:7.1f}")


main()
