# SPDX-License-Identifier: MIT
"""Frames for Python tests: the Arrow C stream interface over ctypes."""
import ctypes

python = ctypes.pythonapi
python.PyCapsule_New.restype = ctypes.py_object
python.PyCapsule_New.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
python.PyCapsule_GetPointer.restype = ctypes.c_void_p
python.PyCapsule_GetPointer.argtypes = [ctypes.py_object, ctypes.c_char_p]
STREAM = b"arrow_array_stream"


class Column(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("format", ctypes.c_char_p), ("rows", ctypes.c_int64),
                ("offset", ctypes.c_int64), ("null_count", ctypes.c_int64),
                ("validity", ctypes.c_void_p), ("offsets", ctypes.c_void_p),
                ("data", ctypes.c_void_p), ("step", ctypes.c_int64), ("flags", ctypes.c_uint32),
                ("reserved", ctypes.c_uint32)]


class ArrowArrayStream(ctypes.Structure):
    _fields_ = [("get_schema", ctypes.c_void_p), ("get_next", ctypes.c_void_p),
                ("get_last_error", ctypes.c_void_p), ("release", ctypes.c_void_p),
                ("private_data", ctypes.c_void_p)]


def load(path):
    lib = ctypes.CDLL(path)
    lib.ndshm_error_message.restype = ctypes.c_char_p
    lib.ndshm_frame_name.restype = ctypes.c_char_p
    lib.ndshm_frame_name.argtypes = [ctypes.c_void_p]
    lib.ndshm_frame_rows.restype = ctypes.c_int64
    return lib


class Failed(Exception):
    def __init__(self, lib, status):
        super().__init__(lib.ndshm_error_message().decode())
        self.status = status


class Frame:
    """What a Python binding would do, no more."""

    def __init__(self, lib, handle):
        self.lib, self.handle, self.streams = lib, handle, []

    def check(self, status):
        if status:
            raise Failed(self.lib, status)

    @classmethod
    def of(cls, lib, table, name=None):
        frame = cls(lib, ctypes.c_void_p())
        capsule = table.__arrow_c_stream__()
        stream = ctypes.c_void_p(python.PyCapsule_GetPointer(capsule, STREAM))
        frame.check(lib.ndshm_frame_from_arrow(name, stream, None, ctypes.byref(frame.handle)))
        return frame

    def attached(self, text=""):
        """A second, read-only handle, by name."""
        frame = Frame(self.lib, ctypes.c_void_p())
        name = self.lib.ndshm_frame_name(self.handle) + text.encode()
        self.check(self.lib.ndshm_frame_attach(name, 1, ctypes.byref(frame.handle)))
        return frame

    @property
    def name(self):
        return self.lib.ndshm_frame_name(self.handle).decode()

    def __arrow_c_stream__(self, requested_schema=None):
        stream = ArrowArrayStream()
        self.check(self.lib.ndshm_frame_to_arrow_stream(self.handle, ctypes.byref(stream)))
        self.streams.append(stream)  # in place of a destructor of the capsule
        return python.PyCapsule_New(ctypes.addressof(stream), STREAM, None)

    def column(self, index):
        column = Column()
        self.check(self.lib.ndshm_frame_column(self.handle, index, ctypes.byref(column)))
        return column

    def validate(self):
        self.check(self.lib.ndshm_frame_validate(self.handle))

    def close(self):
        for stream in self.streams:  # consumers that only wanted the schema leave them
            if stream.release:
                ctypes.CFUNCTYPE(None, ctypes.c_void_p)(stream.release)(ctypes.addressof(stream))
        self.lib.ndshm_frame_detach(ctypes.byref(self.handle))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
