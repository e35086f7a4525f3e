"""Nested tables of arrays and plain data as tensors and a document, and back, bit for bit."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

from chainrule.errors import shown
from chainrule.files.texts import FileError

SHORT = 32
"""Longer lists of numbers, of yes and no, of nothing, and of tables with the same keys, are stored as columns: a header holds a
limited number of entries."""


def apart(value: Any, name: str = "", columns: bool = True) -> tuple[dict[str, Any], Any]:
    """(tensors, document) of a value made of dict (of texts), list, tuple, NumPy arrays, numbers, fractions, texts, bool
    and None. Arrays are named by their place (from 1), which begins with `name`. NumPy's scalars become Python's numbers.
    columns: whether long lists of numbers, yes and no, nothing, or of tables with the same keys, are stored as tensors.

    Raises TypeError, with the place, for anything else.
    """
    tensors: dict[str, Any] = {}
    return tensors, _Apart(tensors, columns).of(value, name)


def together(tensors: Mapping[str, Any], document: Any) -> Any:
    """The inverse of `apart`. Raises FileError for a document that does not fit the tensors."""
    left = set(tensors)
    value = _together(tensors, document, left)
    if left:
        raise FileError("tensors that nothing refers to", got=", ".join(shown(name) for name in sorted(left)[:5]))
    return value


class _Apart:
    def __init__(self, tensors: dict[str, Any], columns: bool) -> None:
        self.tensors, self.columns = tensors, columns

    def keep(self, array: Any, place: str) -> str:
        """The name under which an array is kept."""
        name = first = re.sub(r"[^A-Za-z0-9_.+-]", "_", place)[:200] or "value"
        count = 1
        while name in self.tensors:
            count += 1
            name = f"{first}~{count}"
        self.tensors[name] = array
        return name

    def of(self, value: Any, place: str) -> Any:
        kind = type(value)
        if value is None or kind in (bool, str):
            return value
        if isinstance(value, np.ndarray):
            if value.dtype == object:
                raise TypeError(f"{place}: a file holds no array of {type(value.flat[0]).__name__}")
            return {"$tensor": self.keep(value, place)}
        if isinstance(value, np.generic):
            return self.of(value.item(), place)
        if kind is int:
            return value
        if kind is float:
            return value if math.isfinite(value) else {"$float": struct.pack(">d", value).hex()}
        if isinstance(value, Fraction):
            return {"$fraction": [str(value.numerator), str(value.denominator)]}
        if isinstance(value, Mapping):
            return {self.key(key, place): self.of(each, f"{place}.{key}" if place else key) for key, each in value.items()}
        if kind is tuple:
            return {"$tuple": self.list(value, place)}
        if kind is list:
            return self.list(value, place)
        raise TypeError(f"{place or 'the value'}: a file holds no {kind.__name__}")

    def key(self, key: Any, place: str) -> str:
        if type(key) is not str or key.startswith("$"):
            raise TypeError(f"{place or 'the table'}: {key!r} cannot be a key in a file")
        return key

    def list(self, values: Any, place: str) -> Any:
        if self.columns and len(values) > SHORT:
            if all(type(value) is float and math.isfinite(value) for value in values):
                return {"$numbers": self.keep(np.array(values, np.float64), place)}
            if all(type(value) is int and -(2**63) <= value < 2**63 for value in values):
                return {"$numbers": self.keep(np.array(values, np.int64), place)}
            if all(type(value) is bool for value in values):
                return {"$numbers": self.keep(np.array(values, np.bool_), place)}
            if all(value is None for value in values):
                return {"$none": self.keep(np.zeros(len(values), np.bool_), place)}
            if all(type(value) is dict and list(value) == list(values[0]) for value in values) and values[0]:
                columns = {self.key(key, place): [value[key] for value in values] for key in values[0]}
                return {"$records": {key: self.of(column, f"{place}.{key}") for key, column in columns.items()}}
        return [self.of(value, f"{place}.{i}" if place else str(i)) for i, value in enumerate(values, 1)]


def _together(tensors: Mapping[str, Any], value: Any, left: set[str]) -> Any:
    if type(value) is list:
        return [_together(tensors, each, left) for each in value]
    if type(value) is not dict:
        return value
    if not any(key.startswith("$") for key in value):
        return {key: _together(tensors, each, left) for key, each in value.items()}
    sign: str = next(iter(value)) if len(value) == 1 else ""
    held: Any = value.get(sign)
    try:
        if sign in ("$tensor", "$numbers", "$none"):
            array = tensors[held]
            left.remove(held)
            if sign == "$tensor":
                return array
            if array.ndim == 1 and sign == "$none":
                return [None] * len(array)
            if array.ndim == 1 and array.dtype in (np.float64, np.int64, np.bool_):
                return array.tolist()
        if sign == "$float" and type(held) is str and len(held) == 16:
            return struct.unpack(">d", bytes.fromhex(held))[0]
        if sign == "$fraction" and len(held) == 2 and all(type(part) is str for part in held):
            return Fraction(int(held[0]), int(held[1]))
        if sign == "$tuple":
            inner = _together(tensors, held, left)
            if type(inner) is list:
                return tuple(inner)
        if sign == "$records" and type(held) is dict and held:
            columns = {key: _together(tensors, each, left) for key, each in held.items()}
            if all(type(column) is list for column in columns.values()):
                return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        pass
    raise FileError("an entry of the document refers to nothing that is there", got=shown(value))
