# SPDX-License-Identifier: MIT
"""pandas describes the same columns of all types. usage: describe_all.py LIBNDSHM.SO"""
import ctypes
import sys

try:
    import numpy as np
    import pandas as pd
    import pyarrow as pa
except ImportError:
    print("pandas or pyarrow cannot be imported; set NDSHM_PYTHON to a Python that has both")
    sys.exit(77)

from ndshm_arrow import Frame, load

lib = load(sys.argv[1])
LABELS = ["count", "unique", "top", "freq", "mean", "std", "min", "25%", "50%", "75%", "max"]


def described(source):
    with Frame.of(lib, source) as frame:
        result = Frame(lib, ctypes.c_void_p())
        result.check(lib.ndshm_describe_all(None, frame.handle, None, ctypes.byref(result.handle)))
        with result:
            result.validate()
            table = pa.table(result).to_pydict()
            assert table.pop("__index_level_0__") == LABELS
            return table


def texts(series):
    truth = series.describe()
    return [None if label not in truth or truth[label] is pd.NaT else str(truth[label]) for label in LABELS]


def frame_of(random, rows):
    steps = random.integers(0, 1000, rows) * 4  # so that quartiles are whole, whoever rounds
    valid = random.random(rows) < 0.8
    valid[0] = True
    return pd.DataFrame({
        "text": pd.Series(random.choice(["a", "bb", "\u4e16", "a longer piece of text"], rows)).where(valid),
        "flag": random.random(rows) < 0.3,
        "at": pd.Series(pd.to_datetime(steps, unit="s", origin="2013-01-01")).astype("datetime64[ns]").where(valid),
        "early": pd.to_datetime(steps * 100000, unit="s", origin="1900-01-01").astype("datetime64[s]"),
        "span": pd.to_timedelta(steps * 100 - 50000, unit="s").astype("timedelta64[ns]"),
        "kind": pd.Categorical(random.choice(["x", "y", "z"], rows), categories=["z", "y", "x", "w"]),
        "number": random.integers(-9, 9, rows),
    })


def close(a, b):
    """Means and deviations of times: pandas computes in float64."""
    convert = pd.Timedelta if "days" in b else pd.Timestamp
    return abs((convert(a) - convert(b)).total_seconds()) <= 1


def check_random_frames():
    random = np.random.default_rng(3)
    for rows in (1, 2, 5, 9, 101, 1000, 5001):
        frame = frame_of(random, rows)
        got = described(pa.Table.from_pandas(frame, preserve_index=False))
        for name in frame.columns.drop("number"):
            for label, a, b in zip(LABELS, got[name], texts(frame[name])):
                tie = label == "top" and a and (frame[name].astype(str) == a).sum() == int(got[name][3])
                same = a == b or tie or (a and b and label in ("mean", "std") and close(a, b))
                assert same or (rows % 4 != 1 and "%" in label and close(a, b)), (rows, name, label, a, b)
        numbers = frame["number"].describe()
        truth = [numbers.get(label, np.nan) for label in LABELS]
        np.testing.assert_allclose(got["number"], truth, rtol=1e-12)


def check_others():
    from decimal import Decimal
    got = described(pa.table({
        "d": pa.array([Decimal("-1.50"), Decimal("-1.50"), None], pa.decimal128(10, 2)),
        "e": pa.array([Decimal("0.005"), None, None], pa.decimal256(70, 3)),
        "b": [b"\x00\xff", b"\x00\xff", b""], "t": pa.array([3723000001] * 3, pa.time64("us")),
        "l": [[1], None, []], "n": pa.nulls(3), "v": pa.array(["x", "y", "y"], pa.string_view()),
        "r": pa.array([5, 5, 7]).dictionary_encode()}))
    assert got["d"][:4] == ["2", "1", "-1.50", "2"] and got["e"][:4] == ["1", "1", "0.005", "1"]
    assert got["b"][:4] == ["3", "2", "0x00ff", "2"] and got["t"][:4] == ["3", "1", "01:02:03.000001", "3"]
    assert got["l"] == ["2"] + [None] * 10 and got["n"] == ["0"] + [None] * 10
    assert got["v"][:4] == ["3", "2", "y", "2"] and got["r"][:4] == ["3", "2", "5", "2"]


check_random_frames()
check_others()
