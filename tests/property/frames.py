# SPDX-License-Identifier: MIT
"""pandas reads the same CSV files and describes the same frames. usage: frames.py LIBNDSHM.SO"""
import ctypes
import os
import sys
import tempfile
import warnings

try:
    import numpy as np
    import pandas as pd
except ImportError:
    print("numpy or pandas cannot be imported; set NDSHM_PYTHON to a Python that has both")
    sys.exit(77)

warnings.filterwarnings("ignore", message=".*float_precision.*")  # what older versions need
lib = ctypes.CDLL(sys.argv[1])
lib.ndshm_error_message.restype = ctypes.c_char_p
lib.ndshm_frame_rows.restype = ctypes.c_int64

WIDTHS = {"c": "i1", "C": "u1", "s": "i2", "S": "u2", "i": "i4", "I": "u4", "l": "i8", "L": "u8",
          "e": "f2", "f": "f4", "g": "f8"}


class Column(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("format", ctypes.c_char_p), ("rows", ctypes.c_int64),
                ("offset", ctypes.c_int64), ("null_count", ctypes.c_int64),
                ("validity", ctypes.c_void_p), ("offsets", ctypes.c_void_p),
                ("data", ctypes.c_void_p), ("step", ctypes.c_int64), ("reserved", ctypes.c_uint64)]


class Spec(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("format", ctypes.c_char_p),
                ("data_bytes", ctypes.c_int64)]


def check(status):
    assert status == 0, lib.ndshm_error_message().decode()


def buffer(address, dtype, count):
    size = np.dtype(dtype).itemsize * count
    if size == 0:
        return np.empty(0, dtype)
    return np.frombuffer((ctypes.c_char * size).from_address(address), dtype)


def bits(address, count):
    return np.unpackbits(buffer(address, "u1", (count + 7) // 8), bitorder="little")[:count].astype(bool)


def column_of(frame, index):
    column = Column()
    check(lib.ndshm_frame_column(frame, index, ctypes.byref(column)))
    return column


def values_of(column):
    """As objects, None for null."""
    kind, rows = column.format.decode(), column.rows
    if kind in WIDTHS:
        values = buffer(column.data, WIDTHS[kind], rows).tolist()
    elif kind == "b":
        values = bits(column.data, rows).tolist()
    elif kind == "tdD":
        values = list(pd.to_datetime(buffer(column.data, "i4", rows), unit="D"))
    elif kind.startswith("tsn:"):
        values = list(pd.to_datetime(buffer(column.data, "i8", rows), unit="ns", utc=kind == "tsn:UTC"))
    else:
        ends = buffer(column.offsets, "i4", rows + 1)
        text = ctypes.string_at(column.data, int(ends[-1]))
        values = [text[a:b].decode() for a, b in zip(ends, ends[1:])]
    if column.validity:
        valid = bits(column.validity, rows)
        values = [v if ok else None for v, ok in zip(values, valid)]
    return values


def read(path):
    frame = ctypes.c_void_p()
    check(lib.ndshm_frame_from_csv(None, None, path.encode(), None, None, ctypes.byref(frame)))
    columns = [column_of(frame, i) for i in range(lib.ndshm_frame_columns(frame))]
    result = [(c.name.decode(), c.format.decode(), values_of(c)) for c in columns]
    lib.ndshm_frame_detach(ctypes.byref(frame))
    return result


def same(a, b):
    missing = (a is None or a is pd.NaT or a != a), (b is None or b is pd.NaT or b != b)
    return missing[0] and missing[1] if any(missing) else a == b


KINDS = {"int64": "l", "float64": "g", "bool": "b"}


def compare_csv(path):
    truth = pd.read_csv(path, float_precision="round_trip", keep_default_na=False,
                        na_values=["", "NA", "N/A", "NaN", "nan", "NULL", "null", "None"])
    got = read(path)
    assert len(got) == truth.shape[1], (len(got), truth.shape)
    for (name, kind, values), label in zip(got, truth.columns):
        series = truth[label]
        assert label == name or label.startswith("Unnamed"), (label, name)
        if kind == "tdD" or kind.startswith("tsn:"):
            series = pd.to_datetime(series, format="ISO8601", utc=kind == "tsn:UTC")
        elif str(series.dtype) in KINDS:
            assert KINDS[str(series.dtype)] == kind, (name, series.dtype, kind)
        elif kind != "b":
            assert kind == "u", (name, series.dtype, kind)
        expected = list(series)
        assert len(expected) == len(values)
        for row, (a, b) in enumerate(zip(values, expected)):
            assert same(a, b), (path, name, kind, row, a, b)


def texts(random, rows):
    alphabet = list("ab, \"'\n;\u00e9\u4e16\U0001F418") + ["\r\n", '""', "x"]
    return ["".join(random.choice(alphabet, random.integers(1, 9))) + "x" for _ in range(rows)]


def column(random, rows):
    kind = random.integers(0, 9)
    if kind == 0:
        values = list(random.integers(-2**62, 2**62, rows))
    elif kind == 1:
        values = list(random.normal(size=rows) * 10.0 ** random.integers(-300, 300))
    elif kind == 2:
        values = list(np.round(random.random(rows), 3))
    elif kind == 3:
        values = list(pd.date_range("1999-12-25", periods=rows).strftime("%Y-%m-%d"))
    elif kind == 4:
        values = list(pd.date_range("1970-01-01", periods=rows, freq="7919s").astype(str))
    elif kind == 5:
        values = list(random.random(rows) < 0.5)
    elif kind == 6:
        values = list(random.integers(-9, 9, rows)) + [0.5]
    elif kind == 7:
        return list(random.integers(-99, 99, rows) if random.random() < 0.5 else ["NA"] * rows)
    else:
        values = texts(random, rows)
    values = values[:rows]
    if kind not in (0,) and random.random() < 0.5:
        for i in random.integers(0, max(rows, 1), rows // 4):
            values[i] = None
    return values


def check_random_files(directory):
    random = np.random.default_rng(20130101)
    path = os.path.join(directory, "random.csv")
    for case in range(150):
        rows = int(random.choice([1, 2, 7, 50, 400, 3000], p=[0.1, 0.1, 0.2, 0.3, 0.25, 0.05]))
        width = int(random.integers(2, 8))
        frame = pd.DataFrame({f"c{i}": column(random, rows) for i in range(width)}, dtype=object)
        frame["last"] = range(rows)  # no line is empty
        frame.to_csv(path, index=bool(case % 2), lineterminator=["\n", "\r\n"][case // 2 % 2],
                     na_rep=["", "NA", "null"][case % 3], quoting=case % 2)
        compare_csv(path)


def frame_of(columns):
    specs = (Spec * len(columns))(*[Spec(n.encode(), k.encode(), 0) for n, k, _, _ in columns])
    rows = len(columns[0][2])
    frame = ctypes.c_void_p()
    check(lib.ndshm_frame_create(None, ctypes.c_int64(rows), specs, len(columns), None, ctypes.byref(frame)))
    for index, (_, kind, values, valid) in enumerate(columns):
        column = column_of(frame, index)
        buffer(column.data, WIDTHS[kind[-1]], rows)[:] = values
        if kind[0] == "?":
            buffer(column.validity, "u1", (rows + 7) // 8)[:] = np.packbits(valid, bitorder="little")
    return frame


def compare_description(columns):
    frame, result = frame_of(columns), ctypes.c_void_p()
    check(lib.ndshm_describe(None, frame, None, ctypes.byref(result)))
    for index, (name, kind, values, valid) in enumerate(columns):
        series = pd.Series(values[valid] if kind[0] == "?" else values)
        if kind[-1] in "ef":
            series = series.astype("f8")  # pandas would compute in that precision
        with np.errstate(invalid="ignore"):
            truth = series.describe().to_numpy("f8")
        got = np.array(values_of(column_of(result, index + 1)))
        exact = [0, 3, 7] if kind[-1] in "lL" else [0, 3, 4, 5, 6, 7]
        np.testing.assert_array_equal(got[exact], truth[exact], err_msg=name)
        # NumPy interpolates 64-bit integers before it rounds them to float64.
        np.testing.assert_allclose(got[4:7], truth[4:7], rtol=1e-15, err_msg=name)
        # Rounding errors are those of the values, not of what is left after subtracting the mean.
        with np.errstate(invalid="ignore"):
            scale = np.nanmax(np.abs(np.append(series.to_numpy("f8"), 0)))
        if np.isfinite(scale):
            np.testing.assert_allclose(got[1:3], truth[1:3], rtol=1e-12, atol=1e-13 * scale, err_msg=name)
        else:
            np.testing.assert_array_equal(got[1:3], truth[1:3], err_msg=name)
    lib.ndshm_frame_detach(ctypes.byref(result))
    lib.ndshm_frame_detach(ctypes.byref(frame))


def numbers(random, rows, kind):
    width = WIDTHS[kind[-1]]
    if width[0] != "f":
        return random.integers(np.iinfo(width).min // 2, np.iinfo(width).max // 2, rows, dtype=width)
    values = (random.normal(size=rows) * 10.0 ** random.integers(-3, 4)).astype(width)
    if random.random() < 0.3:
        values[random.random(rows) < 0.2] = np.nan
    if random.random() < 0.2:
        values[random.random(rows) < 0.1] = random.choice([np.inf, -np.inf])
    return values


def check_random_descriptions():
    random = np.random.default_rng(7)
    for case in range(120):
        rows = int(random.choice([0, 1, 2, 3, 5, 100, 1024, 4097, 70000], p=[0.05] + [0.1] * 6 + [0.3, 0.05]))
        columns = []
        for i, kind in enumerate(random.choice(list(WIDTHS), 4)):
            kind = "?" * int(random.random() < 0.4) + kind
            columns.append((f"{kind}{i}", kind, numbers(random, rows, kind), random.random(rows) < 0.8))
        compare_description(columns)


def main():
    with tempfile.TemporaryDirectory() as directory:
        check_random_files(directory)
        if len(sys.argv) > 2:
            compare_csv(sys.argv[2])
    check_random_descriptions()


main()
