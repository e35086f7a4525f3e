"""A column's values in some rows, read so that a column on disk never comes into memory as a whole."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np

Rows: TypeAlias = Any  # None for all of them, or an array of row numbers from 0

BLOCK = 16_384
"""Rows that are prepared at once: their inputs stay in the processor's cache."""

NEAR = 2**26
"""Bytes of a column on disk that are read in one go, to pick rows out of them."""


def counted(rows: Rows, length: int) -> int:
    """How many rows are meant, of a table of `length` rows."""
    return length if rows is None else len(rows)


def parts(rows: Rows, length: int, size: int = BLOCK) -> Iterator[tuple[int, int, Any]]:
    """The rows in blocks: where a block begins and ends among them, and which rows it holds (a slice or an array)."""
    count = counted(rows, length)
    for start in range(0, count, size):
        stop = min(start + size, count)
        yield start, stop, slice(start, stop) if rows is None else rows[start:stop]


def taken(values: Any, rows: Any) -> Any:
    """The values in a block of rows, as an array in memory. Of a column on disk no page stays mapped, unless the rows lie so
    far apart that reading what is between them would cost more."""
    if not (isinstance(values, np.memmap) and isinstance(values.base, mmap.mmap) and values.ndim == 1 and values.size):
        return values[rows]
    if values.filename is None:  # a file without a name can only be mapped
        found = np.array(values[rows])
        if hasattr(mmap, "MADV_DONTNEED"):
            values.base.madvise(mmap.MADV_DONTNEED)  # what was looked at stays in the file, and goes from memory
        return found
    if isinstance(rows, slice):
        first, last = rows.start, rows.stop
    elif not len(rows):
        return np.empty(0, values.dtype)
    else:
        first, last = int(rows.min()), int(rows.max()) + 1
    if first < 0 or (last - first) * values.itemsize > NEAR:
        return np.asarray(values[rows])
    near = np.fromfile(values.filename, values.dtype, last - first, offset=values.offset + first * values.itemsize)
    return near if isinstance(rows, slice) else near[rows - first]


def blocks(values: Any, rows: Rows, size: int = BLOCK) -> Iterator[Any]:
    """The values block after block."""
    for _, _, part in parts(rows, len(values), size):
        yield taken(values, part)
