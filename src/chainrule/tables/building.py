"""Columns as they grow, batch after batch: numbers into float64, texts into codes; in memory or in a file on disk."""

from __future__ import annotations

import mmap
import os
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.errors import Problem, RunError
from chainrule.tables.arrow import Batch
from chainrule.tables.problems import FIRST


class Store:
    """Where the values of columns live: in memory, or beyond a limit in files that nobody sees and that go with the arrays."""

    def __init__(self, memory: int | None, needed: int) -> None:
        self._mapped: list[Any] = []
        self.on_disk = memory is not None and needed > memory
        if self.on_disk:
            free = shutil.disk_usage(tempfile.gettempdir()).free
            if free < needed:
                what = f"the table needs {needed / 2**30:.1f} GiB on disk, and {free / 2**30:.1f} GiB are free"
                do = "free some space, or let TMPDIR name a larger disk"
                raise RunError(Problem(what, where=tempfile.gettempdir(), do=do))

    def array(self, rows: int, kind: Any) -> Any:
        """An array (rows,) to be filled."""
        if not self.on_disk or rows == 0:
            return np.empty(rows, kind)
        with tempfile.TemporaryFile(prefix="chainrule-column-") as file:  # it has no name: a killed program leaves nothing
            try:
                if hasattr(os, "posix_fallocate"):
                    os.posix_fallocate(
                        file.fileno(), 0, rows * np.dtype(kind).itemsize
                    )  # a full disk is told here, not by a signal
                made = np.memmap(file, dtype=kind, mode="w+", shape=(rows,))
                self._mapped.append(made.base)
                return made
            except OSError as error:
                what = f"the table cannot be kept on disk: {(error.strerror or str(error)).lower()}"
                raise RunError(Problem(what, where=tempfile.gettempdir(), do="let TMPDIR name a larger disk")) from None

    def rest(self) -> None:
        """Gives pages of columns on disk back: what was written or looked at stays in the file, and goes from memory."""
        for mapped in self._mapped if hasattr(mmap, "MADV_DONTNEED") else ():
            mapped.madvise(mmap.MADV_DONTNEED)


def finished(values: Any) -> Any:
    """An array that nobody writes to any more."""
    values.setflags(write=False)
    return values


@dataclass
class Bad:
    """A text in a column of numbers: how often, and the first rows it stands in."""

    count: int = 0
    rows: list[int] = field(default_factory=list)

    def add(self, row: int) -> None:
        self.count += 1
        if len(self.rows) < FIRST:
            self.rows.append(row)


class Numbers:
    """A column that is read as numbers. What is none is looked for in a second reading, if there is any."""

    number = True

    def __init__(self, rows: int, store: Store, decimal: str, careful: bool = False) -> None:
        self.decimal = decimal
        self.careful = careful
        self.values = store.array(rows, np.float64)
        self.odd = False  # some cell is no finite number
        self.markers: Counter[str] = Counter()
        self.bad: dict[str, Bad] = {}

    def example(self) -> str:
        """A text like those that are numbers: with a decimal sign if any has a part behind it."""
        values = self.values[np.isfinite(self.values)]
        return "1" if bool((values == np.floor(values)).all()) else f"1{self.decimal}5"

    def take(self, batch: Batch, column: int, at: int) -> None:
        """The next rows, from row `at` on."""
        values = batch.floats(column)
        place = self.values[at : at + batch.rows]
        place[:] = values
        valid = batch.valid(column)
        if valid is not None:
            place[~valid] = np.nan
            self.odd = True
        elif not self.odd and not np.isfinite(place).all():
            self.odd = True

    def leave_out(self, at: int, rows: int) -> None:
        """Rows that could not be read: they have no value."""
        self.values[at : at + rows] = np.nan

    def look(self, batch: Batch, column: int, at: int, empty: frozenset[str]) -> None:
        """The same rows as texts: what stands where no number was read."""
        place = self.values[at : at + batch.rows]
        rows = np.flatnonzero(~np.isfinite(place))
        if not len(rows):
            return
        place[rows] = np.nan
        valid = batch.valid(column)
        if valid is not None:
            has = valid[rows]
            blank = int(len(rows) - np.count_nonzero(has))
            if blank:
                self.markers[""] += blank
            rows = rows[has]
        offsets, data = batch.texts(column)
        for row, start, end in zip(rows.tolist(), offsets[rows].tolist(), offsets[rows + 1].tolist(), strict=True):
            text = data[start:end].decode("utf-8", "replace").strip()
            if text.lower() in empty:
                self.markers[text] += 1
            else:
                self.bad.setdefault(text, Bad()).add(at + row)


class Texts:
    """A column that is read as texts: a code for each text that occurs."""

    number = False

    def __init__(self, rows: int, store: Store) -> None:
        self.careful = True  # any text is one
        self.values = store.array(rows, np.int32)
        self.ids: dict[bytes, int] = {}

    def take(self, batch: Batch, column: int, at: int) -> None:
        """The next rows, from row `at` on."""
        offsets, data = batch.texts(column)
        ids = self.ids
        known = ids.setdefault
        ends = offsets.tolist()
        start = 0
        found = []
        for end in ends[1:]:
            found.append(known(data[start:end], len(ids)))
            start = end
        self.values[at : at + batch.rows] = found

    def leave_out(self, at: int, rows: int) -> None:
        """Rows that could not be read: they have no value."""
        self.fill("", at, rows)

    def fill(self, text: str, at: int, rows: int) -> None:
        """The same text in many rows."""
        self.values[at : at + rows] = self.ids.setdefault(text.encode(), len(self.ids))
