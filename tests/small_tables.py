"""Tables written down in a test."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

import numpy as np

from chainrule.tables.table import Column, Part, Table

DAY = datetime.date(1970, 1, 1)


def column(name: str, cells: Sequence[Any] | np.ndarray, place: int = 1) -> Column:
    """A column from cells: numbers, booleans, dates or texts, None for no value."""
    if isinstance(cells, np.ndarray) and cells.dtype.kind == "f":
        return Column(name, place, "number", cells.astype(float))
    there = [cell for cell in cells if cell is not None]
    if all(isinstance(cell, (bool, np.bool_)) for cell in there) and there:
        return Column(name, place, "boolean", numbers(cells, float), ("no", "yes"))
    if all(isinstance(cell, datetime.date) for cell in there) and there:
        return Column(name, place, "date", numbers(cells, lambda cell: (cell - DAY).days))
    if all(isinstance(cell, (int, float, np.number)) for cell in there):
        return Column(name, place, "number", numbers(cells, float))
    levels = tuple(sorted(set(there)))
    codes = {level: code for code, level in enumerate(levels)}
    return Column(name, place, "category", np.array([-1 if c is None else codes[c] for c in cells], np.int32), levels)


def numbers(cells: Sequence[Any], of: Any) -> Any:
    return np.array([np.nan if cell is None else of(cell) for cell in cells], float)


def table(**columns: Any) -> Table:
    """A table from names and cells, as from a file table.csv: its first row stands in line 2."""
    made = tuple(column(name, cells, place) for place, (name, cells) in enumerate(columns.items(), 1))
    rows = len(made[0].values)
    return Table(("table.csv",), rows, made, parts=(Part("table.csv", 0, rows, lambda row: row + 2),))
