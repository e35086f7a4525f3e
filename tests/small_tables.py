"""Tables written down in a test: columns with exactly the fields that a reader gives them."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class Column:
    name: str
    place: int
    kind: str
    values: Any
    levels: tuple[str, ...] = ()

    def text(self, row: int) -> str:
        value = self.values[row]
        if self.kind == "category":
            return self.levels[value] if value >= 0 else ""
        if value != value:
            return ""
        return self.levels[int(value)] if self.kind == "boolean" and self.levels else f"{value:g}"


@dataclass(frozen=True, eq=False)
class Table:
    columns: tuple[Column, ...]
    files: tuple[str, ...] = ("table.csv",)
    rows: int = 0
    warnings: tuple[Any, ...] = field(default=())

    def __len__(self) -> int:
        return self.rows

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)

    def place(self, row: int) -> tuple[str, int]:
        return self.files[0], row + 2

    def text(self, row: int, name: str) -> str:
        return self.column(name).text(row)

    def take(self, rows: Any) -> Table:
        columns = tuple(replace(column, values=column.values[rows]) for column in self.columns)
        return replace(self, columns=columns, rows=len(columns[0].values))


def column(name: str, cells: Sequence[Any] | np.ndarray, place: int = 1) -> Column:
    """A column from cells: numbers, booleans, dates or texts, None for no value."""
    if isinstance(cells, np.ndarray) and cells.dtype.kind == "f":
        return Column(name, place, "number", cells.astype(float))
    there = [cell for cell in cells if cell is not None]
    if all(isinstance(cell, (bool, np.bool_)) for cell in there) and there:
        return Column(name, place, "boolean", np.array([np.nan if c is None else float(c) for c in cells]), ("no", "yes"))
    if all(isinstance(cell, datetime.date) for cell in there) and there:
        first = datetime.date(1970, 1, 1)
        return Column(name, place, "date", np.array([np.nan if c is None else float((c - first).days) for c in cells]))
    if all(isinstance(cell, (int, float, np.number)) for cell in there):
        return Column(name, place, "number", np.array([np.nan if c is None else float(c) for c in cells]))
    levels = tuple(sorted(set(there)))
    codes = {level: code for code, level in enumerate(levels)}
    return Column(name, place, "category", np.array([-1 if c is None else codes[c] for c in cells], np.int32), levels)


def table(**columns: Any) -> Table:
    """A table from names and cells."""
    made = tuple(column(name, cells, place) for place, (name, cells) in enumerate(columns.items(), 1))
    return Table(made, rows=len(made[0].values))
