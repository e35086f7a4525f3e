"""Columns that give the target away: what is known only when the target is known should not be learned from."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from chainrule.errors import shown
from chainrule.preparing.blocks import Rows, taken
from chainrule.tables.table import Column, Table

ENOUGH = 30
"""Rows below which one column may fit the target by chance."""

MOST = 20_000
"""Rows that are looked at, evenly over the training rows."""

ALIKE = 0.99999
"""A correlation with the target above which a column is the target in other units."""


def giveaways(table: Table, rows: Rows, target: str, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The columns that the target can be read from, or that are another column again, each with what was found."""
    count = len(table) if rows is None else len(rows)
    if not count:
        return
    places = np.linspace(0, count - 1, min(count, MOST)).astype(np.int64)
    chosen = places if rows is None else np.asarray(rows)[places]
    goal = next((column for column in table.columns if column.name == target), None)
    earlier: dict[bytes, tuple[str, Any]] = {}
    for name in names:
        column = table.column(name)
        values = taken(column.values, chosen)
        if goal is not None and len(chosen) >= ENOUGH:
            found = _gives_away(column, values, goal, taken(goal.values, chosen))
            if found:
                yield name, found
        key = values.tobytes() + repr(column.kind == "category" and column.levels).encode()
        if key in earlier:
            first, all_of_it = earlier[key]
            if len(chosen) == len(table) or np.array_equal(all_of_it, column.values, equal_nan=column.kind != "category"):
                yield name, f"is the same as column {shown(first)}: leave one of them out"
        else:
            earlier[key] = (name, column.values)


def _gives_away(column: Column, values: Any, goal: Column, wanted: Any) -> str:
    there = _present(column, values) & _present(goal, wanted)
    if there.sum() < ENOUGH:
        return ""
    values, wanted = values[there], wanted[there]
    known = "is it known before the target is? If not, leave it out"
    classes = np.unique(wanted)
    if len(classes) < 2:
        return ""
    few = goal.kind in ("category", "boolean") or len(classes) <= 20
    if column.kind == "category":
        levels = np.unique(values)
        if few and len(classes) <= len(levels) <= len(values) / 10 and _decides(values, wanted):
            return f"tells the target in every row looked at: {known}"
        return ""
    if (goal.kind == "number" and not few) or goal.kind == "date":
        alike = _correlation(values, wanted)
        return f"is the target, or the target in other units: {known}" if abs(alike) > ALIKE else ""
    ranges = sorted((float(values[wanted == each].min()), float(values[wanted == each].max())) for each in classes)
    if all(low > high for (_, high), (low, _) in itertools.pairwise(ranges)):
        return f"separates all classes of the target without an error: {known}"
    return ""


def _present(column: Column, values: Any) -> Any:
    return values >= 0 if column.kind == "category" else values == values


def _decides(values: Any, wanted: Any) -> bool:
    """Whether each level has one class only."""
    pairs = np.unique(np.stack([values.astype(np.float64), wanted.astype(np.float64)]), axis=1)
    return bool(len(np.unique(pairs[0])) == pairs.shape[1])


def _correlation(a: Any, b: Any) -> float:
    a, b = (each / (np.abs(each).max() or 1.0) for each in (a, b))
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt(np.sum(a * a) * np.sum(b * b)))  # sums: a product of vectors may start threads, to add so few
    return float(np.sum(a * b)) / size if size > 0 else 0.0
