"""Rows of numbers in a file: as many as the disk holds, taken as they are needed."""

from __future__ import annotations

import mmap
import os
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.errors import Problem, RunError

AROUND = 2**16
"""Bytes that the system maps around a byte that is asked for."""

KEPT = 2**26
"""Bytes of the file that may be mapped before they are given back."""

READ = 2**24
"""Bytes that are read at once, at most."""


@dataclass(frozen=True)
class OnDisk:
    """A table of numbers, (rows, width), in a file, row after row, without a header. It can be taken from and asked for its
    shape as an array can. kept: bytes of it that may be mapped into this process's memory at any time."""

    file: str
    rows: int
    width: int
    dtype: Any
    kept: int = field(default=KEPT, compare=False)
    _state: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "dtype", np.dtype(self.dtype))

    def __len__(self) -> int:
        return self.rows

    @property
    def shape(self) -> tuple[int, int]:
        return self.rows, self.width

    @property
    def ndim(self) -> int:
        return 2

    @property
    def nbytes(self) -> int:
        """Bytes in the file."""
        return self.rows * self._stride

    @property
    def _stride(self) -> int:
        return self.width * int(self.dtype.itemsize)

    def take(self, rows: Any) -> Any:
        """Some rows as an array in memory, (len(rows), width), in the order they are asked for. rows: a slice without a step,
        or an array of places from 0. IndexError for a row that is not there; RunError if the file was cut meanwhile."""
        if isinstance(rows, slice):
            start, stop, step = rows.indices(self.rows)
            if step != 1:
                raise IndexError("rows of a file are taken by a slice without a step, or by their places")
            return self._run(start, max(stop - start, 0))
        return self._scattered(np.asarray(rows, np.int64))

    def _opened(self) -> Any:
        try:
            return open(self.file, "rb", buffering=0)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            do = "leave the cache where it is while it is used"
            raise RunError(Problem(f"prepared rows cannot be read: {reason}", file=self.file, do=do)) from None

    def _run(self, start: int, count: int) -> Any:
        """Consecutive rows, read as a stream is: nothing is mapped."""
        out = np.empty((count, self.width), self.dtype)
        view = out.reshape(-1).view(np.uint8).data
        with self._opened() as stream:
            stream.seek(start * self._stride)
            while len(view):
                got = stream.readinto(view[:READ])
                if not got:
                    raise self._cut()
                view = view[got:]
        return out

    def _cut(self) -> RunError:
        return RunError(Problem("prepared rows are cut short", file=self.file, do="start again: they are made anew"))

    def _scattered(self, rows: Any) -> Any:
        """Rows from here and there through a mapping, which a system call for each row would be slower than; its pages are
        given back before they amount to anything."""
        if not len(rows) or not self.width:
            return np.empty((len(rows), self.width), self.dtype)
        if rows.min() < 0 or rows.max() >= self.rows:
            raise IndexError(f"rows from 0 to {self.rows - 1} are there")
        state = self._state
        if "map" not in state:
            with self._opened() as stream:
                if os.fstat(stream.fileno()).st_size < self.nbytes:
                    raise self._cut()
                state["map"] = mmap.mmap(stream.fileno(), self.nbytes, access=mmap.ACCESS_READ)
                state["touched"] = 0
        mapped = np.frombuffer(state["map"], self.dtype).reshape(self.rows, self.width)
        out = np.empty((len(rows), self.width), self.dtype)
        per_row = AROUND + self._stride
        most = max(1, self.kept // per_row)
        for start in range(0, len(rows), most):
            part = rows[start : start + most]
            out[start : start + most] = mapped[part]
            state["touched"] += len(part) * per_row
            if state["touched"] >= self.kept:
                if hasattr(mmap, "MADV_DONTNEED"):
                    state["map"].madvise(mmap.MADV_DONTNEED)
                state["touched"] = 0
        return out

    def __getstate__(self) -> tuple[Any, ...]:
        return self.file, self.rows, self.width, self.dtype, self.kept

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        for name, value in zip(("file", "rows", "width", "dtype", "kept"), state, strict=True):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "_state", {})
