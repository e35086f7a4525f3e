"""Batches of columns as another library hands them over in memory: the Arrow C stream interface, read without copies."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import Any

import numpy as np


class _Schema(ctypes.Structure):
    pass


class _Array(ctypes.Structure):
    pass


class _Stream(ctypes.Structure):
    pass


_Schema._fields_ = [
    ("format", ctypes.c_char_p),
    ("name", ctypes.c_char_p),
    ("metadata", ctypes.c_void_p),
    ("flags", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("children", ctypes.POINTER(ctypes.POINTER(_Schema))),
    ("dictionary", ctypes.c_void_p),
    ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(_Schema))),
    ("private_data", ctypes.c_void_p),
]
_Array._fields_ = [
    ("length", ctypes.c_int64),
    ("null_count", ctypes.c_int64),
    ("offset", ctypes.c_int64),
    ("n_buffers", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(ctypes.POINTER(_Array))),
    ("dictionary", ctypes.c_void_p),
    ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(_Array))),
    ("private_data", ctypes.c_void_p),
]
_Stream._fields_ = [
    ("get_schema", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Stream), ctypes.POINTER(_Schema))),
    ("get_next", ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(_Stream), ctypes.POINTER(_Array))),
    ("get_last_error", ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.POINTER(_Stream))),
    ("release", ctypes.CFUNCTYPE(None, ctypes.POINTER(_Stream))),
    ("private_data", ctypes.c_void_p),
]

_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_pointer.restype = ctypes.c_void_p
_pointer.argtypes = [ctypes.py_object, ctypes.c_char_p]

FLOAT64, TEXT = b"g", b"u"


class StreamError(Exception):
    """The producer of a stream stopped with an error; its text."""


class Batch:
    """Some rows of all columns. What it gives is a view: it must be copied before the next batch is asked for."""

    def __init__(self, array: Any) -> None:
        self._array = array
        self.rows = int(array.length)

    def valid(self, column: int) -> Any:
        """Which rows have a value, as booleans (rows,); None if all have."""
        child = self._array.children[column].contents
        if child.null_count == 0 or not child.buffers[0]:
            return None
        start, end = child.offset // 8, (child.offset + self.rows + 7) // 8
        bits = _view(child.buffers[0] + start, end - start, np.uint8)
        first = child.offset % 8
        return np.unpackbits(bits, bitorder="little")[first : first + self.rows].astype(bool)

    def floats(self, column: int) -> Any:
        """The numbers of a column, (rows,) float64; where there is no value, anything."""
        child = self._array.children[column].contents
        return _view(child.buffers[1] + 8 * child.offset, self.rows, np.float64)

    def texts(self, column: int) -> tuple[Any, bytes]:
        """The texts of a column: where each ends and the next begins (rows + 1,), and all of them in UTF-8."""
        child = self._array.children[column].contents
        offsets = _view(child.buffers[1] + 4 * child.offset, self.rows + 1, np.int32)
        start, end = int(offsets[0]), int(offsets[-1])
        data = ctypes.string_at(child.buffers[2] + start, end - start) if end > start else b""
        return offsets - start, data


def _view(address: int, count: int, kind: Any) -> Any:
    if count == 0:
        return np.empty(0, kind)
    size = count * np.dtype(kind).itemsize
    return np.frombuffer((ctypes.c_char * size).from_address(address), kind)


def batches(capsule: Any, formats: list[bytes]) -> Iterator[Batch]:
    """The batches of a stream, one after the other, each gone when the next is asked for.

    capsule: what `__arrow_c_stream__()` gives. formats: FLOAT64 or TEXT for each column, as it must be.
    """
    stream = ctypes.cast(_pointer(capsule, b"arrow_array_stream"), ctypes.POINTER(_Stream))
    schema = _Schema()
    _checked(stream, stream.contents.get_schema(stream, ctypes.byref(schema)))
    found = [schema.children[place].contents.format for place in range(schema.n_children)]
    schema.release(ctypes.byref(schema))
    assert found == formats, f"columns of formats {formats} were asked for, {found} came"
    while True:
        array = _Array()
        _checked(stream, stream.contents.get_next(stream, ctypes.byref(array)))
        if not array.release:
            return
        try:
            yield Batch(array)
        finally:
            array.release(ctypes.byref(array))


def _checked(stream: Any, code: int) -> None:
    if code:
        text = stream.contents.get_last_error(stream)
        raise StreamError(text.decode("utf-8", "replace") if text else f"code {code}")
