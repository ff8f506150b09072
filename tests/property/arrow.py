# SPDX-License-Identifier: MIT
"""pyarrow gives tables of all types to frames and takes them back. usage: arrow.py LIBNDSHM.SO"""
import ctypes
import datetime
import decimal
import sys
import threading

try:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc
except ImportError:
    print("numpy or pyarrow cannot be imported; set NDSHM_PYTHON to a Python that has both")
    sys.exit(77)

from ndshm_arrow import Failed, Frame, load

lib = load(sys.argv[1])


class Tagged(pa.ExtensionType):
    """An extension type of our own, with parameters in its metadata."""

    def __init__(self, storage, tag):
        self.tag = tag
        super().__init__(storage, "ndshm.tagged")

    def __arrow_ext_serialize__(self):
        return self.tag.encode()

    @classmethod
    def __arrow_ext_deserialize__(cls, storage, serialized):
        return cls(storage, serialized.decode())


pa.register_extension_type(Tagged(pa.int8(), ""))

# --- random types and values ---

EPOCH = datetime.datetime(1970, 1, 1)
FLAT = ([pa.null(), pa.bool_(), pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(),
         pa.uint64(), pa.float16(), pa.float32(), pa.float64(), pa.decimal32(9, 2), pa.decimal64(18, 3),
         pa.decimal128(38, 10), pa.decimal256(76, 7), pa.string(), pa.large_string(), pa.string_view(), pa.binary(),
         pa.large_binary(), pa.binary_view(), pa.binary(7), pa.binary(0), pa.date32(), pa.date64(), pa.time32("s"),
         pa.time32("ms"), pa.time64("us"), pa.time64("ns"), pa.month_day_nano_interval()]
        + [pa.timestamp(unit, zone) for unit in ("s", "ms", "us", "ns") for zone in (None, "UTC", "Europe/Berlin")]
        + [pa.duration(unit) for unit in ("s", "ms", "us", "ns")])
KEYS = [pa.int8(), pa.uint8(), pa.int16(), pa.uint16(), pa.int32(), pa.uint32(), pa.int64(), pa.uint64()]
ALPHABET = list("ab \"\u00e9\u4e16\U0001F418") + ["", "a longer piece of text", "\0"]


def text(random):
    return "".join(random.choice(ALPHABET, random.integers(0, 4)))


def value(random, kind):
    types = pa.types
    if types.is_null(kind):
        return None
    if types.is_boolean(kind):
        return bool(random.integers(2))
    if types.is_integer(kind):
        bits = kind.bit_width
        low = -2 ** (bits - 1) if types.is_signed_integer(kind) else 0
        return [low, low + 2 ** bits - 1, int(random.integers(0, 100))][random.integers(3)]
    if types.is_floating(kind):
        return float(np.float16(random.normal() * 100)) if random.random() < 0.9 else float("inf")
    if types.is_decimal(kind):
        digits = "".join(map(str, random.integers(0, 10, random.integers(1, kind.precision + 1))))
        return decimal.Decimal(f"{random.choice(['', '-'])}{digits}E{-kind.scale}")
    if types.is_fixed_size_binary(kind):
        return random.bytes(kind.byte_width)
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return text(random)
    if types.is_binary(kind) or types.is_large_binary(kind) or types.is_binary_view(kind):
        return random.bytes(int(random.integers(0, 30)))
    if types.is_date(kind):
        return (EPOCH + datetime.timedelta(days=int(random.integers(-99999, 99999)))).date()
    if types.is_time(kind):
        return datetime.time(*(int(random.integers(n)) for n in (24, 60, 60)))
    if types.is_timestamp(kind) or types.is_duration(kind):
        return int(random.integers(-2**33, 2**33))
    assert kind == pa.month_day_nano_interval(), kind
    return tuple(int(n) for n in random.integers(-999, 999, 3))


def some_nulls(random, values):
    if random.random() < 0.4:
        return values
    return [None if random.random() < 0.3 else v for v in values]


def flat(random, rows, kind=None):
    kind = kind or FLAT[random.integers(len(FLAT))]
    values = some_nulls(random, [value(random, kind) for _ in range(rows)])
    if kind == pa.float16():
        values = [None if v is None else np.float16(v) for v in values]
    return pa.array(values, kind)


def offsets(random, rows, items):
    return np.sort(random.integers(0, items + 1, rows + 1))


def lists(random, rows, depth):
    items = array(random, int(random.integers(0, 3 * rows + 1)), depth - 1)
    ends = offsets(random, rows, len(items)).tolist()
    kind = random.integers(5)
    mask = pa.array(random.random(rows) < 0.2)
    if kind == 0:
        return pa.ListArray.from_arrays(pa.array(ends, pa.int32()), items, mask=mask)
    if kind == 1:
        return pa.LargeListArray.from_arrays(pa.array(ends, pa.int64()), items, mask=mask)
    if kind == 2:
        n = int(random.integers(0, 4))
        return pa.FixedSizeListArray.from_arrays(array(random, rows * n, depth - 1), n, mask=mask) if n else flat(random, rows)
    starts = random.integers(0, len(items) + 1, rows)
    sizes = [int(random.integers(0, len(items) - s + 1)) for s in starts]
    if kind == 3:
        return pa.ListViewArray.from_arrays(pa.array(starts, pa.int32()), pa.array(sizes, pa.int32()), items, mask=mask)
    return pa.LargeListViewArray.from_arrays(pa.array(starts, pa.int64()), pa.array(sizes, pa.int64()), items, mask=mask)


def maps(random, rows, depth):
    items = int(random.integers(0, 3 * rows + 1))
    keys = pa.array([text(random) for _ in range(items)])
    ends = offsets(random, rows, items).tolist()
    return pa.MapArray.from_arrays(pa.array(ends, pa.int32()), keys, array(random, items, depth - 1))


def structs(random, rows, depth):
    members = [array(random, rows, depth - 1) for _ in range(random.integers(0, 4))]
    fields = [pa.field(f"m{i}", m.type, metadata={"member": str(i)} if i else None) for i, m in enumerate(members)]
    mask = pa.array(random.random(rows) < 0.2) if members else None
    return pa.StructArray.from_arrays(members, fields=fields, mask=mask) if members else flat(random, rows)


def unions(random, rows, depth):
    count = int(random.integers(1, 4))
    codes = sorted(int(c) for c in random.choice(100, count, replace=False))[::-1]
    ids = pa.array(random.choice(codes, rows).astype("i1"), pa.int8())
    names = [f"u{i}" for i in range(count)]
    if random.random() < 0.5:
        return pa.UnionArray.from_sparse(ids, [array(random, rows, depth - 1) for _ in codes], names, codes)
    members = [array(random, rows + 3, depth - 1) for _ in codes]
    places, next_place = [], dict.fromkeys(codes, int(random.integers(3)))
    for code in ids.to_pylist():
        places.append(next_place[code])
        next_place[code] += int(random.integers(2))  # rows may share a value
    places = pa.array(places, pa.int32())
    return pa.UnionArray.from_dense(ids, places, members, names, codes)


def runs(random, rows, depth):
    if rows == 0:
        return flat(random, rows)
    ends = np.unique(np.append(random.integers(1, rows + 1, 4), rows))
    kind = [pa.int16(), pa.int32(), pa.int64()][random.integers(3)]
    values = array(random, len(ends), depth - 1)
    if pa.types.is_run_end_encoded(values.type):  # pyarrow does not import runs of runs
        values = flat(random, len(ends))
    return pa.RunEndEncodedArray.from_arrays(pa.array(ends, kind), values)


def dictionaries(random, rows, depth):
    values = array(random, int(random.integers(1, 20)), depth - 1) if depth > 1 else flat(random, int(random.integers(1, 20)))
    if pa.types.is_null(values.type) or isinstance(values.type, (pa.ExtensionType, pa.DictionaryType)):
        values = pa.array(["a", "b", None])
    keys = pa.array(some_nulls(random, random.integers(0, len(values), rows).tolist()), KEYS[random.integers(len(KEYS))])
    return pa.DictionaryArray.from_arrays(keys, values, ordered=bool(random.integers(2)))


def extensions(random, rows, _):
    kind = random.integers(3)
    if kind == 0:
        return pa.ExtensionArray.from_storage(pa.uuid(), flat(random, rows, pa.binary(16)))
    storage = flat(random, rows, [pa.int64(), pa.string()][random.integers(2)])
    return pa.ExtensionArray.from_storage(Tagged(storage.type, text(random)), storage)


NESTED = [lists, lists, maps, structs, unions, runs, dictionaries, extensions]


def array(random, rows, depth):
    """Of any type, and perhaps a slice of something longer."""
    before, behind = (int(n) for n in random.integers(0, 9, 2) * random.integers(0, 2))
    make = NESTED[random.integers(len(NESTED))] if depth > 0 and random.random() < 0.6 else None
    whole = make(random, before + rows + behind, depth) if make else flat(random, before + rows + behind)
    return whole.slice(before, rows)


def table(random, rows, depth):
    columns = [array(random, rows, depth) for _ in range(random.integers(1, 6))]
    fields = [pa.field(f"c{i}", c.type, metadata={b"key": text(random).encode(), b"": b"\0"} if i % 2 else None)
              for i, c in enumerate(columns)]
    return pa.Table.from_arrays(columns, schema=pa.schema(fields, {"frame": text(random)}))


# --- comparing ---

def taken(frame):
    result = pa.table(frame)
    result.validate(full=True)
    return result


def assert_same(got, expected):
    assert got.schema.equals(expected.schema, check_metadata=True), (got.schema, expected.schema)
    assert got.num_rows == expected.num_rows
    if not got.equals(expected, check_metadata=True):
        for name, a, b in zip(got.column_names, got.columns, expected.columns):
            assert a.to_pylist() == b.to_pylist(), (name, a.type, a.to_pylist(), b.to_pylist())


def check_random_tables():
    random = np.random.default_rng(5)
    for case in range(300):
        rows = int(random.choice([0, 1, 2, 7, 8, 9, 64, 300], p=[.05, .1, .1, .15, .15, .15, .2, .1]))
        depth = int(random.integers(0, 4))
        expected = table(random, rows, depth)
        with Frame.of(lib, expected) as made, made.attached() as frame:
            frame.validate()
            assert_same(taken(frame), expected)
            low, high = sorted(int(n) for n in random.integers(0, rows + 1, 2))
            with frame.attached(f"[{low}:{high}]") as part:
                assert_same(taken(part), expected.slice(low, high - low))
                with Frame.of(lib, part) as copied:  # offsets at every level
                    copied.validate()
                    assert_same(taken(copied), expected.slice(low, high - low))


def rebuilt(random, column):
    """The same values in other memory, dictionaries in another order and with more in them."""
    if not isinstance(column.type, pa.DictionaryType):
        return column
    values = column.dictionary
    order = random.permutation(len(values))
    back = np.argsort(order)
    shuffled = pa.concat_arrays([values.slice(int(i), 1) for i in order])
    keys = [None if i is None else int(back[i]) for i in column.indices.to_pylist()]
    return pa.DictionaryArray.from_arrays(pa.array(keys, column.indices.type), shuffled,
                                          ordered=column.type.ordered)


def plain(random, rows):
    """What can be joined: no nested dictionaries that differ."""
    kinds = [lambda: flat(random, rows), lambda: dictionaries(random, rows, 1), lambda: lists(random, rows, 1),
             lambda: structs(random, rows, 1), lambda: unions(random, rows, 1), lambda: runs(random, rows, 1)]
    return kinds[random.integers(len(kinds))]()


def check_random_batches():
    random = np.random.default_rng(6)
    for case in range(200):
        rows = int(random.integers(1, 60))
        columns = [plain(random, rows) for _ in range(3)]
        schema = pa.schema([pa.field(f"c{i}", c.type) for i, c in enumerate(columns)], {"a": "b"})
        cuts = [0, *sorted(int(n) for n in random.integers(0, rows + 1, 3)), rows]
        batches = [pa.RecordBatch.from_arrays([rebuilt(random, c.slice(a, b - a)) for c in columns], schema=schema)
                   for a, b in zip(cuts, cuts[1:])]
        reader = pa.RecordBatchReader.from_batches(schema, batches)
        with Frame.of(lib, reader) as frame:
            frame.validate()
            got, expected = taken(frame), pa.Table.from_arrays(columns, schema=schema)
            assert got.schema.equals(expected.schema, check_metadata=True)
            assert got.to_pylist() == expected.to_pylist()


# --- one by one ---

def fails(status, words, source):
    try:
        Frame.of(lib, source)
    except Failed as failure:
        assert failure.status == status and words in str(failure), failure
    else:
        assert False, words


def batches_of(*arrays):
    return pa.Table.from_batches([pa.RecordBatch.from_arrays([a], ["c"]) for a in arrays])


def check_joins():
    def keyed(kind, count, first):
        return pa.DictionaryArray.from_arrays(pa.array(range(count), kind), pa.array(range(first, first + count)))
    with Frame.of(lib, batches_of(keyed(pa.int8(), 100, 0), keyed(pa.int8(), 100, 28))) as frame:
        assert taken(frame)["c"].chunk(0).dictionary.to_pylist() == list(range(128))
    fails(-5005, "cast them to a wider one", batches_of(keyed(pa.int8(), 100, 0), keyed(pa.int8(), 100, 29)))
    nested = [pa.DictionaryArray.from_arrays(pa.array([0]), pa.array([[1]])) for _ in range(2)]
    fails(-5004, "dictionaries of nested values differ", batches_of(*nested))
    with Frame.of(lib, batches_of(nested[0], nested[0])) as frame:
        assert taken(frame)["c"].to_pylist() == [[1], [1]]
    long = pa.RunEndEncodedArray.from_arrays(pa.array([20000], pa.int16()), pa.array([1]))
    fails(-5005, "run ends", batches_of(long, long))
    fails(-5004, "a stream of records is needed", pa.chunked_array([[1, 2]]))
    empty = pa.DictionaryArray.from_arrays(pa.array([], pa.int8()), pa.array(["kept", "too"]))
    with Frame.of(lib, pa.RecordBatchReader.from_batches(
            pa.schema([("c", empty.type)]), [pa.RecordBatch.from_arrays([empty], ["c"])])) as frame:
        assert frame.lib.ndshm_frame_rows(frame.handle) == 0
        assert lib.ndshm_frame_dictionary(frame.handle, 0, ctypes.byref(frame.column(0))) == 0
    none = pa.table({"a": [1, 2]}).select([])
    with Frame.of(lib, pa.RecordBatchReader.from_batches(none.schema, [])) as frame:
        assert taken(frame).num_columns == 0


def addresses(data):
    yield from (b.address for b in data.buffers() if b)


def check_no_copy():
    """What is exported are the addresses of the mapping itself, in a reader as in the creator."""
    source = pa.table({"n": pa.array([1.5, None, 3.0]), "s": ["a", "bb", "c"], "k": pa.array(["x", "y", "x"]).dictionary_encode(),
                       "l": [[1], [2, 3], []], "v": pa.array(["short", "much longer than twelve", None], pa.string_view())})
    with Frame.of(lib, source) as made, made.attached() as frame:
        for handle in (made, frame):
            first, second = taken(handle), taken(handle)
            for i in range(source.num_columns):
                a, b = first.column(i).chunk(0), second.column(i).chunk(0)
                assert list(addresses(a)) == list(addresses(b))
            column = handle.column(0)
            assert list(addresses(first.column(0).chunk(0))) == [column.validity, column.data]
            column = handle.column(1)
            assert list(addresses(first.column(1).chunk(0))) == [column.offsets, column.data]
        with frame.attached("[1:]") as part:
            assert list(addresses(taken(part).column(0).chunk(0)))[1] == part.column(0).data


def check_lifetime():
    """Exports outlive handles, and are released by any thread."""
    source = pa.table({"a": list(range(1000)), "b": [str(i) for i in range(1000)]})
    frame = Frame.of(lib, source)
    other, keep = frame.attached("[10:]"), []
    keep.append(pa.table(other))
    keep.append(keep[0].column(1))
    other.close()
    frame.close()
    thread = threading.Thread(target=lambda: keep.pop(0))
    thread.start()
    thread.join()
    assert keep[0].to_pylist() == source["b"].slice(10).to_pylist()


def check_refusals():
    with Frame.of(lib, pa.table({"a": [1, 2, 3]})) as frame, frame.attached("[::2]") as part:
        try:
            part.__arrow_c_stream__()
            assert False
        except Failed as failure:
            assert failure.status == -5005 and "every 2-th row" in str(failure)


def check_nan():
    values = np.array([np.nan, -np.nan, 0.0, -0.0, np.inf])
    with Frame.of(lib, pa.table({"a": values})) as frame:
        got = taken(frame)["a"].to_numpy()
        assert got.tobytes() == values.tobytes()


for check in (check_joins, check_no_copy, check_lifetime, check_refusals, check_nan, check_random_batches, check_random_tables):
    check()
