# SPDX-License-Identifier: MIT
"""NumPy imports what ndshm exports, and the other way round. usage: dlpack.py LIBNDSHM.SO"""
import ctypes
import sys

try:
    import numpy as np
except ImportError:
    print("numpy cannot be imported; set NDSHM_PYTHON to a Python that has it")
    sys.exit(77)

lib = ctypes.CDLL(sys.argv[1])
if np.lib.NumpyVersion(np.__version__) < "2.1.0":
    print("numpy is too old for versioned tensors")
    sys.exit(77)

python = ctypes.pythonapi
python.PyCapsule_New.restype = ctypes.py_object
python.PyCapsule_New.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
python.PyCapsule_GetPointer.restype = ctypes.c_void_p
python.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
lib.ndshm_error_message.restype = ctypes.c_char_p
lib.ndshm_array_name.restype = ctypes.c_char_p
lib.ndshm_array_name.argtypes = [ctypes.c_void_p]
CAPSULE = b"dltensor_versioned"


def check(status):
    assert status == 0, lib.ndshm_error_message().decode()


class Export:
    """What np.from_dlpack asks of a producer."""

    def __init__(self, array):
        self.array = array

    def __dlpack_device__(self):
        return (1, 0)

    def __dlpack__(self, **_):
        tensor = ctypes.c_void_p()
        check(lib.ndshm_array_to_dlpack(self.array, ctypes.byref(tensor)))
        return python.PyCapsule_New(tensor, CAPSULE, None)


def shared(a):
    capsule = a.__dlpack__(max_version=(1, 0))
    tensor = ctypes.c_void_p(python.PyCapsule_GetPointer(capsule, CAPSULE))
    array = ctypes.c_void_p()
    check(lib.ndshm_array_from_dlpack(None, tensor, None, ctypes.byref(array)))
    return array


def attached(array, text, access):
    part = ctypes.c_void_p()
    name = lib.ndshm_array_name(array) + text.encode()
    check(lib.ndshm_array_attach(name, access, ctypes.byref(part)))
    return part


for dtype in ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16"]:
    base = (np.arange(120) % 97).astype(dtype).reshape(4, 5, 6)
    for a in [base, base.T, base[::2, ::-1], base[1, 2, 3:4], base[:0], base[3, 4, 5, ...]]:
        array = shared(a)
        whole = attached(array, "", 3)
        got = np.from_dlpack(Export(whole))
        assert got.dtype == a.dtype and got.shape == a.shape and np.array_equal(got, a), dtype
        assert got.flags.writeable
        if a.ndim == 3 and a.size:
            part = attached(array, "[::-1, 1]", 1)
            seen = np.from_dlpack(Export(part))
            assert np.array_equal(seen, a[::-1, 1]) and not seen.flags.writeable
            lib.ndshm_array_detach(ctypes.byref(part))
            got[0, 1, 0] = 1 - got[0, 1, 0]
            lib.ndshm_array_detach(ctypes.byref(array))
            lib.ndshm_array_detach(ctypes.byref(whole))
            assert seen[-1, 0] == got[0, 1, 0]  # one memory, kept by the tensors alone
        lib.ndshm_array_detach(ctypes.byref(array))
        lib.ndshm_array_detach(ctypes.byref(whole))
print("ok")
