# SPDX-License-Identifier: MIT
"""NumPy reduces the same arrays. usage: reduce.py LIBNDSHM.SO"""
import ctypes
import math
import os
import random
import sys
import warnings

try:
    import numpy as np
except ImportError:
    print("numpy cannot be imported; set NDSHM_PYTHON to a Python that has it")
    sys.exit(77)

warnings.simplefilter("ignore")  # of empty slices and overflows, which are meant here
lib = ctypes.CDLL(sys.argv[1])
lib.ndshm_error_message.restype = ctypes.c_char_p
ESHAPE, EDTYPE, SKIPNA, ALL = -5005, -5004, 0x100, 2**31 - 1
OPS = {"sum": 1, "mean": 2, "var": 3, "std": 4, "min": 5, "max": 6, "argmin": 7, "argmax": 8,
       "any": 9, "all": 10, "count": 11}
TYPES = ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "M8[ns]", "m8[s]"]
CASES = 4000
generator = np.random.default_rng(7)


class View(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("dtype", ctypes.c_uint32), ("ndim", ctypes.c_int32),
                ("flags", ctypes.c_uint32), ("reserved", ctypes.c_uint32),
                ("shape", ctypes.c_int64 * 64), ("strides", ctypes.c_int64 * 64)]


def check(status):
    assert status == 0, lib.ndshm_error_message().decode()


def view_of(array):
    view = View(data=array.ctypes.data, ndim=array.ndim)
    dtype = ctypes.c_uint32()
    check(lib.ndshm_dtype_parse(array.dtype.str.encode(), ctypes.byref(dtype)))
    view.dtype = dtype
    view.shape[:array.ndim] = array.shape
    view.strides[:array.ndim] = array.strides
    return view


def read(handle):
    view, text = View(), ctypes.create_string_buffer(32)
    check(lib.ndshm_array_read(handle, ctypes.byref(view)))
    check(lib.ndshm_dtype_typestr(view.dtype, text, 32))
    shape = tuple(view.shape[:view.ndim])
    out = np.empty(shape, text.value.decode())
    check(lib.ndshm_array_copy(handle, ctypes.c_void_p(out.ctypes.data), ctypes.c_int64(out.nbytes)))
    return out


def reduce(pool, handle, op, axis):
    out = ctypes.c_void_p()
    status = lib.ndshm_reduce(pool, handle, op, axis, None, ctypes.byref(out))
    if status:
        return status
    result = read(out)
    lib.ndshm_array_detach(ctypes.byref(out))
    return result


def values(dtype, size):
    kind = np.dtype(dtype).kind
    if kind == "b":
        return np.random.random(size) < random.choice([0, 0.1, 0.5, 1])
    if kind in "iu":
        info = np.iinfo(dtype)
        span = random.choice([(0, 2), (max(info.min, -9), 9), (info.min, info.max)])
        return generator.integers(*span, size=size, dtype=dtype, endpoint=True)
    if kind in "mM":
        out = np.random.randint(-2**40, 2**40, size).astype("i8")
        out[np.random.random(size) < random.choice([0, 0, 0.1, 1])] = -2**63
        return out.view(dtype)
    out = (np.random.normal(size=size) * random.choice([1, 1, 100])
           + random.choice([0, 0, 1000])).astype(dtype)
    out[np.random.random(size) < random.choice([0, 0, 0, 0.1, 0.9, 1])] = np.nan
    for special in (np.inf, -np.inf):
        out[np.random.random(size) < random.choice([0, 0, 0, 0, 0.05])] = special
    return out


def shape():
    lengths = [random.choice([0, 1, 2, 3, 5, 8, 17, 33, 70, 300]) for _ in range(random.choice([0, 1, 2, 2, 3, 4]))]
    return lengths if math.prod(lengths) < 40000 else shape()


def sliced(array):
    """A part of it, and the reference that denotes it."""
    items, key = [], []
    for length in array.shape:
        start, stop, step = random.choice([(None, None, None), (None, None, -1), (None, None, 2),
                                           (1, -1, None), (None, None, -3)])
        items.append(":".join("" if x is None else str(x) for x in (start, stop, step or 1)))
        key.append(slice(start, stop, step))
    return array[tuple(key)], "[" + ", ".join(items) + "]" if items else ""


def present(array):
    return ~np.isnat(array) if array.dtype.kind in "mM" else ~np.isnan(array)


def truth(array, name, axis, skip):
    """What NumPy says; None: it refuses."""
    gaps = array.dtype.kind in "fmM"
    if name == "count":
        counted = present(array) if skip and gaps else np.ones(array.shape, bool)
        return counted.sum(axis=axis, dtype="i8")
    try:
        if skip and gaps and name in ("any", "all"):
            return getattr(np, name)(np.where(present(array), array != 0, name == "all"), axis=axis)
        if skip and gaps and name in ("argmin", "argmax"):
            # not np.nanargmin, which takes NaN for an infinity where there is nothing else
            if not present(array).any(axis=axis).all():
                return None
            extreme = getattr(np, "nan" + name[3:])(array, axis=axis, keepdims=True)
            return np.argmax(array == extreme, axis=axis)
        return getattr(np, "nan" + name if skip and gaps else name)(array, axis=axis)
    except ValueError:
        return None


def bound(array, name, expected, axis, skip):
    """What rounding may change: NumPy's own, and that to the type of the result."""
    if expected.dtype.kind != "f" or name in ("min", "max"):
        return 0
    eps = np.finfo(expected.dtype).eps
    wide = array.astype("f8")
    wide = np.where(np.isfinite(wide), wide, 0)
    size = np.abs(wide).sum(axis=axis)
    n = max(1, array.size if axis is None else array.shape[axis])
    if name == "sum":
        return 4 * n * eps * size
    if name == "mean":
        return 4 * n * eps * size / n if not skip else 4 * n * eps * np.abs(wide).max(initial=0)
    largest = np.abs(wide).max(initial=0)
    return (4 * n * eps * largest) ** 2 + 16 * n * eps * largest ** (2 if name == "var" else 1) + (
        n * np.sqrt(eps) * largest if name == "std" else 0)


def compare(array, name, axis, skip, got, case):
    expected = truth(array, name, axis, skip)
    if expected is None:
        assert isinstance(got, int) and got == ESHAPE, (case, got)
        return
    expected = np.asarray(expected)
    assert not isinstance(got, int), (case, got, lib.ndshm_error_message())
    if array.dtype == np.float16 and name in ("sum", "mean", "var", "std"):
        overflow = ~np.isfinite(expected) & np.isfinite(got)  # NumPy's intermediate results
    else:
        overflow = np.zeros(expected.shape, bool)
    assert got.shape == expected.shape and got.dtype == expected.dtype, (case, got.dtype, expected.dtype)
    if expected.dtype.kind in "biumM":
        same = (got == expected) | (got.view("i8") == expected.view("i8") if expected.dtype.kind in "mM" else False)
    else:
        near = np.abs(got.astype("f8") - expected.astype("f8")) <= bound(array, name, expected, axis, skip)
        same = near | (got == expected) | (np.isnan(got) & np.isnan(expected)) | overflow
    assert np.all(same), (case, got, expected)


def same_bytes(a, b):
    return a == b if isinstance(a, int) or isinstance(b, int) else a.tobytes() == b.tobytes()


def one_case(number):
    dtype = random.choice(TYPES)
    lengths = shape()
    base = np.asarray(values(dtype, math.prod(lengths)).reshape(lengths), order=random.choice("CF"))
    name = f"reduce.{os.getpid()}.{number}"
    whole, part = ctypes.c_void_p(), ctypes.c_void_p()
    view = view_of(base)
    check(lib.ndshm_array_from(name.encode(), ctypes.byref(view), None, ctypes.byref(whole)))
    array, text = sliced(base) if random.random() < 0.7 else (base, "")
    check(lib.ndshm_array_attach((name + text).encode(), 1, ctypes.byref(part)))
    op = random.choice(list(OPS))
    skip = random.random() < 0.5
    axis = random.choice([None] + list(range(-array.ndim, array.ndim)))
    code = OPS[op] | (SKIPNA if skip else 0)
    got = reduce(None, part, code, ALL if axis is None else axis)
    case = (number, dtype, array.shape, array.strides, op, axis, skip)
    if base.dtype.kind in "mM" and op not in ("min", "max", "argmin", "argmax", "count"):
        assert got == EDTYPE, case
    else:
        compare(array, op, axis, skip, got, case)
    lib.ndshm_array_unlink(whole)
    lib.ndshm_array_detach(ctypes.byref(part))
    lib.ndshm_array_detach(ctypes.byref(whole))


def large(pools):
    """Arrays of more than one task: as NumPy says, and the same bytes whoever does the work."""
    shapes = [((3_000_000,), "C"), ((1_000, 1_500), "C"), ((1_000, 1_500), "F"), ((600_000, 3), "C"),
              ((5, 200_000, 2), "C"), ((3, 600_000), "C")]
    for number, (lengths, order) in enumerate(shapes):
        for dtype in ("f8", "f4", "i4"):
            base = np.asarray(values(dtype, math.prod(lengths)).reshape(lengths), order=order)
            handle = ctypes.c_void_p()
            view = view_of(base)
            check(lib.ndshm_array_from(None, ctypes.byref(view), None, ctypes.byref(handle)))
            for op, code in OPS.items():
                for skip in (False, True):
                    axis = random.choice([None] + list(range(base.ndim)))
                    case = (number, dtype, op, axis, skip)
                    results = [reduce(pool, handle, code | (SKIPNA if skip else 0), ALL if axis is None else axis)
                               for pool in pools]
                    compare(base, op, axis, skip, results[0], case)
                    assert all(same_bytes(results[0], other) for other in results[1:]), case
            lib.ndshm_array_detach(ctypes.byref(handle))


def open_pool(workers):
    lib.ndshm_abi_sizeof.restype = ctypes.c_size_t
    config = ctypes.create_string_buffer(lib.ndshm_abi_sizeof(b"ndshm_pool_config"))
    pool = ctypes.c_void_p()
    lib.ndshm_pool_config_init(config)
    ctypes.c_int32.from_buffer(config, 8).value = workers
    check(lib.ndshm_pool_open(config, ctypes.byref(pool)))
    return pool


def main():
    random.seed(7)
    np.random.seed(7)
    pools = [None] + [open_pool(workers) for workers in (1, 2, 7)]
    for number in range(CASES):
        one_case(number)
    large(pools)
    for pool in pools[1:]:
        lib.ndshm_pool_close(ctypes.byref(pool))


main()
