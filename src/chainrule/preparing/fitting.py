"""What is to be done with each column, decided from the training rows: nothing else of the table is looked at, but for
whether a column numbers the rows."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.errors import Problem, RunError, shown
from chainrule.preparing.blocks import Rows, blocks, counted
from chainrule.preparing.columns import FAR, Boolean, Category, LeftOut, Number, Prepared
from chainrule.preparing.leaks import giveaways
from chainrule.preparing.preparation import Preparation
from chainrule.preparing.schema import LONGEST
from chainrule.preparing.statistics import Summary, numbers, quantiles, summary
from chainrule.tables.table import Column, Table

NORMAL = 1.3489795003921634
"""How far apart the quartiles of a normal distribution are, in standard deviations: the quartiles' distance divided by this is
the spread, which is then the standard deviation of what is normally distributed."""

NORMAL_90 = 3.289707253902945
"""The same of the 5 % and the 95 % quantiles."""

MOST_LEVELS = 100
"""Levels of a column that have an input of their own, at most."""

RARE = 10
"""Rows that a level needs in a large table for an input of its own; in small ones, a fiftieth of the rows, and at least 2."""

FAR_OUT = "have numbers that are far out: they are squeezed"
GAPS = "have gaps: the median of the training rows stands in, and an input says where"
LEVEL = "have gaps: no value is a level of its own"

FEW_ROWS = 20
"""Rows below which a column that is different in each may be so by chance."""


@dataclass(frozen=True)
class Note:
    """Something about a column that its user should know; a warning if it may be a mistake."""

    column: str
    text: str
    warning: bool = False
    together: str = ""  # what is said of several columns at once

    def __str__(self) -> str:
        return f"column {shown(self.column)} {self.text}"


FEW = 3
"""Columns of which the same is said one by one; of more it is said at once."""


def summed_up(notes: Iterable[Note]) -> tuple[str, ...]:
    """The notes as sentences, in their order; what is said of many columns is said once."""
    groups: dict[str, list[Note]] = {}
    for note in notes:
        groups.setdefault(note.together or str(note), []).append(note)
    told: list[str] = []
    for text, group in groups.items():
        if len(group) <= FEW:
            told += map(str, group)
        else:
            first = ", ".join(shown(note.column) for note in group[:FEW])
            told.append(f"{len(group)} columns ({first}, ...) {text}")
    return tuple(told)


def fit(
    table: Table, rows: Rows, target: str, *, leave_out: Collection[str] = (), keep: Collection[str] = ()
) -> tuple[Preparation, tuple[Note, ...]]:
    """What becomes of each column but the target, and what there is to say about it.

    rows: the training rows, as places from 0; None for all. leave_out: columns that are not to be used (weights, groups).
    keep: columns to be used even if they number the rows. RunError if no column is left.
    """
    if counted(rows, len(table)) == 0:
        raise RunError(Problem("there are no training rows", do="give the table more rows"))
    rows = None if rows is None else np.sort(np.asarray(rows))
    columns: list[Prepared] = []
    notes: list[Note] = []
    for column in table.columns:
        if len(column.name) > LONGEST:
            what = f"the name of column {column.place} has {len(column.name):,} signs"
            raise RunError(Problem(what, got=shown(column.name), do=f"at most {LONGEST:,} can be kept"))
        if column.name == target:
            continue
        if column.name in leave_out:
            columns.append(LeftOut(column.name, "as asked for"))
            continue
        made, said = _fitted(column, rows, len(table), column.name in keep)
        columns.append(made)
        notes += said
    columns += [LeftOut(name, "as asked for") for name in leave_out if name not in table.names]  # not even read
    preparation = Preparation(tuple(columns))
    if not preparation.inputs:
        why = "; ".join(f"{shown(column.name)}: {column.sentence}" for column in columns[:10])
        do = "add columns that say something about the target, or use --keep COLUMN"
        raise RunError(Problem("the table has no column to predict from", got=why, do=do))
    for name, text in giveaways(table, rows, target, [column.name for column in preparation.used]):
        notes.append(Note(name, text, True))
    return preparation, tuple(notes)


def _fitted(column: Column, rows: Rows, length: int, keep: bool) -> tuple[Prepared, list[Note]]:
    if column.kind == "category":
        made, notes = _category(column, rows)
    else:
        made, notes = _number(column, rows)
    if not keep and not isinstance(made, LeftOut):
        numbering = _numbers_the_rows(column, length)
        if numbering:
            made, notes = LeftOut(column.name, numbering), []
    if isinstance(made, LeftOut):
        notes = [Note(column.name, made.sentence, made.why == CONSTANT)]
    return made, notes


CONSTANT = "it is the same in every row"
EMPTY = "it has no value in any row"


def _number(column: Column, rows: Rows) -> tuple[Prepared, list[Note]]:
    """Numbers, dates and booleans."""
    found = summary(column.values, rows)
    if not found.count:
        return LeftOut(column.name, EMPTY), []
    if found.low == found.high and not found.gaps:
        return LeftOut(column.name, CONSTANT), []
    source = numbers(column.values, rows)
    notes = []
    if column.kind == "boolean":
        fill = float(found.mean > 0.5)
        made: Prepared = Boolean(column.name, fill, bool(found.gaps))
        stands = f"the more frequent {fill:g}"
    else:
        low, median, high = quantiles(source, found.count, (0.25, 0.5, 0.75))
        spread = _spread(high - low, found, source)
        center, scale, far = found.mean, found.deviation, False
        aside = max(abs(found.high - median), abs(found.low - median)) / FAR > spread
        if aside or max(found.high - center, center - found.low) / FAR > scale:
            center, scale, far = median, spread, True
            farthest = found.high if found.high - median > median - found.low else found.low
            notes.append(
                Note(column.name, f"has numbers that are far out, up to {farthest:g}: they are squeezed", together=FAR_OUT)
            )
        if not scale > 0 or not math.isfinite(scale):
            scale = 1.0  # the same number wherever there is one: what its input says is only where
        made = Number(column.name, median, center, scale, far, bool(found.gaps), column.kind == "date")
        stands = f"the median {median:g}"
    if found.gaps:
        text = f"has no value in {found.gaps:,} of {found.rows:,} training rows: {stands} stands in, and an input says where"
        notes.append(Note(column.name, text, together=GAPS if column.kind != "boolean" else ""))
    return made, notes


def _spread(between: float, found: Summary, source: Any) -> float:
    """How far the numbers in the middle lie apart: from the quartiles; where these are the same, from the 5 % and the 95 %
    quantiles; where these are too, the standard deviation."""
    if between > 0:
        return between / NORMAL
    low, high = quantiles(source, found.count, (0.05, 0.95))
    return (high - low) / NORMAL_90 if high > low else found.deviation


def _category(column: Column, rows: Rows) -> tuple[Prepared, list[Note]]:
    count, gaps = len(column.levels), 0
    seen = np.zeros(count, np.int64)
    for block in blocks(column.values, rows):
        there = block[block >= 0]
        gaps += len(block) - len(there)
        seen += np.bincount(there, minlength=count)
    present, total = int(np.count_nonzero(seen)), int(seen.sum())
    if not present:
        return LeftOut(column.name, EMPTY), []
    if present == 1 and not gaps:
        return LeftOut(column.name, CONSTANT), []
    if present == total and total >= FEW_ROWS:
        return LeftOut(column.name, "it is a different text in every row, and names the rows rather than describes them"), []
    needed = min(RARE, max(2, math.ceil((total + gaps) / 50)))
    order = sorted(np.flatnonzero(seen), key=lambda level: (-seen[level], level))
    own = [level for level in order if seen[level] >= needed and len(column.levels[level]) <= LONGEST][:MOST_LEVELS]
    if not own:
        return LeftOut(column.name, f"it has {present:,} different texts in {total:,} rows, all of them rare"), []
    levels = tuple(column.levels[level] for level in sorted(own))
    grouped = present - len(own)
    made = Category(column.name, levels, grouped > 0, gaps > 0)
    notes = []
    if grouped:
        among = total - int(seen[own].sum())
        what = (
            f"has {grouped:,} rare levels in {among:,} of {total + gaps:,} training rows"
            if grouped > 1
            else (f"has 1 rare level in {among:,} of {total + gaps:,} training rows")
        )
        example = shown(column.levels[order[-1]], 30)
        notes.append(Note(column.name, f'{what} ({example}, say): taken together as "other"'))
    if gaps:
        notes.append(
            Note(column.name, f"has no value in {gaps:,} of {total + gaps:,} training rows: a level of its own", together=LEVEL)
        )
    return made, notes


def _numbers_the_rows(column: Column, length: int) -> str:
    """Why a column only numbers or names the rows, or nothing. Looks at the whole table: in a part of it, numbers have gaps."""
    if column.kind != "number" or length < FEW_ROWS:
        return ""
    low, high = math.inf, -math.inf
    for block in blocks(column.values, None):
        if not (block == np.floor(block)).all():  # a missing one is not equal either
            return ""
        low, high = min(low, float(block.min())), max(high, float(block.max()))
    if high - low == length - 1:
        there = np.zeros(length, bool)
        for block in blocks(column.values, None):
            there[(block - low).astype(np.int64)] = True
        if there.all():
            return f"it numbers the rows, from {low:.0f} to {high:.0f}"
    if _called_id(column.name) and high - low >= length - 1 and high < 2**62 and low > -(2**62):
        seen = np.sort(np.concatenate([block.astype(np.int64) for block in blocks(column.values, None)]))
        if (np.diff(seen) > 0).all():
            return "it is a different whole number in every row, and is called an id"
    return ""


def _called_id(name: str) -> bool:
    """Whether a column is called an identifier: id, customer_id, customer id, CustomerId, CustomerID."""
    return name.lower() == "id" or name.lower().endswith(("_id", "-id", " id", ".id")) or name.endswith(("Id", "ID"))
