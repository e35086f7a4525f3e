"""A table: typed columns, what was found in each of them, and where in the files each row stands."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from chainrule.errors import Problem, RunError, shown


@dataclass(frozen=True)
class Found:
    """What was found in a column.

    gaps: cells without a value; markers: how often each text without a value stands there, the empty one as "".
    low, high: of the values of a number, boolean or date column, NaN if there is none. whole: whether all are whole numbers.
    distinct: levels of a category that occur. most: the most frequent level and how often. notes: what was done, in words.
    """

    gaps: int = 0
    markers: Mapping[str, int] = field(default_factory=dict)
    low: float = math.nan
    high: float = math.nan
    whole: bool = False
    distinct: int | None = None
    most: tuple[str, int] | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Column:
    """One column: `values` are float64 (rows,) with NaN for gaps, or for a category int32 codes into `levels` with -1.

    place: its place in the file, from 1. A boolean is 0 or 1, a date the days since 1970-01-01.
    """

    name: str
    place: int
    kind: str
    values: Any
    levels: tuple[str, ...] = ()
    found: Found = Found()

    @property
    def missing(self) -> Any:
        """Which rows have no value, as booleans (rows,)."""
        return self.values < 0 if self.kind == "category" else np.isnan(self.values)

    def __len__(self) -> int:
        return len(self.values)

    def text(self, row: int) -> str:
        """A cell as the file has it, or for a number as the shortest text that is the same number; "" for a gap."""
        value = self.values[row]
        if self.kind == "category":
            return self.levels[value] if value >= 0 else ""
        if math.isnan(value):
            return ""
        if self.kind == "boolean":
            return self.levels[int(value)] if self.levels else str(bool(value)).lower()
        if self.kind == "date":
            return day(float(value))
        return plain_number(float(value))

    def labels(self, rows: Sequence[int] | None = None) -> list[str]:
        """The cells of some rows as texts, of all if none are given."""
        return [self.text(int(row)) for row in (range(len(self)) if rows is None else rows)]


@dataclass(frozen=True)
class Dialect:
    """How a file writes its table; `notes` say what was found out rather than taken for granted."""

    format: str = "csv"
    separator: str = ","
    decimal: str = "."
    encoding: str = "utf-8"
    header: bool = True
    line_ends: str = "\\n"
    quotes: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """A file of a table: its name, its rows (from `first` on, `rows` of them), the line of a row counted from 0 in it."""

    file: str
    first: int
    rows: int
    line: Callable[[int], int | None]


@dataclass(frozen=True)
class Table:
    """Columns of equal length, read from one file or several, in the order of the files and of their rows.

    warnings: what a person should know, each with its place. fingerprint: SHA-256 in hex over the bytes of the files.
    """

    files: tuple[str, ...]
    rows: int
    columns: tuple[Column, ...]
    warnings: tuple[Problem, ...] = ()
    dialect: Dialect = Dialect()
    fingerprint: str = ""
    parts: tuple[Part, ...] = ()
    picked: Any = None  # rows of the files, if this table is a choice of them

    def __len__(self) -> int:
        return self.rows

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def column(self, name: str) -> Column:
        """The column of a name; a RunError that lists the columns if there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise RunError(self.unknown(name))

    def unknown(self, name: str, wanted: str = "column") -> Problem:
        """What to say of a column that the table does not have."""
        close = difflib.get_close_matches(name, self.names, n=1, cutoff=0.6)
        listed = "its columns are " + ", ".join(shown(each)[1:-1] for each in self.names[:20])
        listed += f" and {len(self.names) - 20} more" if len(self.names) > 20 else ""
        do = f"did you mean {shown(close[0])[1:-1]}? {listed}" if close else listed
        file = self.files[0] if self.files else ""
        return Problem(f"the table has no {wanted} of this name", got=shown(name), do=do, file=file)

    def place(self, row: int) -> tuple[str, int | None]:
        """The file and the line of a row counted from 0; the line is None where a file has no lines."""
        row = int(row) if self.picked is None else int(self.picked[row])
        for part in self.parts:
            if row < part.first + part.rows:
                return part.file, part.line(row - part.first)
        return (self.files[0] if self.files else ""), None

    def row_at(self, line: int, file: str | None = None) -> int:
        """The row, counted from 0, that stands in a line of a file (the only one if none is named); RunError if none does."""
        for part in self.parts:
            if file is not None and part.file != file:
                continue
            low, high = 0, part.rows
            while low < high:  # lines rise with rows
                middle = (low + high) // 2
                found = part.line(middle)
                if found is None:
                    break
                low, high = (middle + 1, high) if found < line else (low, middle)
            if low < part.rows and part.line(low) == line:
                row = part.first + low
                if self.picked is None:
                    return row
                place = np.flatnonzero(np.asarray(self.picked) == row)
                if len(place):
                    return int(place[0])
        there = [part for part in self.parts if file in (None, part.file) and part.rows]
        ends = (there[0].line(0), there[-1].line(there[-1].rows - 1)) if there else ()
        where = f"its rows stand in the lines {ends[0]} to {ends[1]}" if ends else "the table has no rows"
        raise RunError(Problem("no row of the table begins in this line", file=file or self.files[0], line=line, do=where))

    def take(self, rows: Any) -> Table:
        """The table of some rows, in that order; levels stay as they are, what was found tells of the whole table."""
        rows = np.asarray(rows)
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows.astype(np.int64)
        columns = tuple(replace(column, values=column.values[rows]) for column in self.columns)
        return replace(self, rows=len(rows), columns=columns, picked=rows if self.picked is None else self.picked[rows])

    def text(self, row: int, name: str) -> str:
        """A cell as text: as the file has it, or for a number as the shortest text that is the same number."""
        return self.column(name).text(row)

    def describe(self) -> Any:
        """One line of plain data a column: kind, range or levels, gaps, what was done. It prints itself."""
        from chainrule.tables.describing import Description

        return Description.of(self)


def plain_number(value: float) -> str:
    """A number as short as it can be written without loss, whole ones without a point."""
    if value == int(value) and abs(value) < 1e16:
        return str(int(value))
    return repr(value)


def day(value: float) -> str:
    """Days since 1970-01-01 as an ISO date, with the time if it is not midnight."""
    moment = np.datetime64("1970-01-01T00:00:00", "s") + np.timedelta64(round(value * 86400), "s")
    text = str(moment)
    return text[:10] if text.endswith("T00:00:00") else text
