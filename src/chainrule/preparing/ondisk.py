"""Rows of numbers in a file: as many as the disk holds, taken as they are needed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.errors import Problem, RunError

READ = 2**24
"""Bytes that are read at once, at most."""


@dataclass(frozen=True)
class OnDisk:
    """A table of numbers, (rows, width), in a file, row after row, without a header. It can be taken from and asked for its
    shape as an array can. It is read and never mapped: the system may map megabytes around a row that is touched."""

    file: str
    rows: int
    width: int
    dtype: Any

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
        rows = np.asarray(rows, np.int64)
        if not len(rows) or not self.width:
            return np.empty((len(rows), self.width), self.dtype)
        if rows.min() < 0 or rows.max() >= self.rows:
            raise IndexError(f"rows from 0 to {self.rows - 1} are there")
        wanted, places = np.unique(rows, return_inverse=True)
        begins = np.flatnonzero(np.diff(wanted, prepend=-2) != 1)
        if len(begins) == 1:
            return self._run(int(wanted[0]), len(wanted))[places]
        return self._runs(wanted[begins], np.diff(begins, append=len(wanted)))[places]

    def _run(self, start: int, count: int) -> Any:
        """Consecutive rows."""
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

    def _runs(self, starts: Any, counts: Any) -> Any:
        """Many runs of consecutive rows, one after the other: with as little as can be done for each."""
        places = zip((starts * self._stride).tolist(), (counts * self._stride).tolist(), strict=True)
        with self._opened() as stream:
            if hasattr(os, "pread"):
                file, pread = stream.fileno(), os.pread
                data = b"".join([pread(file, count, start) for start, count in places])
            else:
                data = b"".join([stream.read(count) for start, count in places if stream.seek(start) >= 0])
        if len(data) < int(counts.sum()) * self._stride:
            raise self._cut()
        return np.frombuffer(data, self.dtype).reshape(-1, self.width)

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        try:
            with open(self.file, "rb", buffering=0) as stream:
                yield stream
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            do = "leave the cache where it is while it is used"
            raise RunError(Problem(f"prepared rows cannot be read: {reason}", file=self.file, do=do)) from None

    def _cut(self) -> RunError:
        return RunError(Problem("prepared rows are cut short", file=self.file, do="start again: they are made anew"))
