"""Columns as they were read, made into what they are: gaps counted, levels sorted, faults with their places."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from chainrule.errors import Problem, shown
from chainrule.tables import cells
from chainrule.tables.building import Bad, Numbers, Texts, finished
from chainrule.tables.kinds import Decision, Fault, days, decide, truth
from chainrule.tables.options import Options
from chainrule.tables.problems import FIRST
from chainrule.tables.table import Column, Found

EXACT = 2.0**53
"""Beyond it a whole number may not be one that float64 holds."""


@dataclass(frozen=True)
class Wrong:
    """Cells of a column that hold the same text, which does not fit: how often, and in which rows the first of them stand."""

    text: str
    fault: Fault
    bad: Bad


def column_of_numbers(
    name: str, place: int, column: Numbers, forced: str | None, options: Options, separator: str
) -> tuple[Column, list[Wrong]]:
    """A column that was read as numbers, and the cells in it that are none."""
    wrong = [Wrong(text, Fault(*cells.why_no_number(text, column.decimal)), bad) for text, bad in column.bad.items()]
    for marker in options.markers:
        value = cells.number(marker, column.decimal, options.thousands)
        rows = np.flatnonzero(column.values == value) if value is not None else ()
        if len(rows):
            column.values[rows] = np.nan
            column.markers[marker] += len(rows)
    values = finished(column.values)
    notes = ("numbers have a decimal comma",) if column.decimal == "," and options.decimal is None else ()
    found = found_in(values, column.markers, notes)
    return Column(name, place, "number", values, (), found), wrong


def typed_column(name: str, place: int, column: Numbers, kind: str) -> tuple[Column, list[int]]:
    """A column of numbers, booleans or dates as its file declares it, and the rows that hold infinities."""
    infinite = np.flatnonzero(np.isinf(column.values)).tolist() if column.odd else []
    gaps = int(np.count_nonzero(np.isnan(column.values))) if column.odd else 0
    column.values[infinite] = np.nan
    values = finished(column.values)
    return Column(name, place, kind, values, (), found_in(values, {"": gaps} if gaps else {})), infinite


def found_in(values: Any, markers: Mapping[str, int], notes: tuple[str, ...] = ()) -> Found:
    """What there is to say of numbers, (rows,) float64 with NaN for gaps."""
    gaps = sum(markers.values())
    low, high = (float(values.min()), float(values.max())) if len(values) else (math.nan, math.nan)
    if math.isnan(low):
        there = values[~np.isnan(values)]
        if not len(there):
            return Found(
                gaps, dict(markers), notes=notes if any("no cell" in n for n in notes) else (*notes, "no cell has a value")
            )
        low, high = float(there.min()), float(there.max())
    whole = bool(low == int(low) and high == int(high) and _whole(values))
    if whole and max(abs(low), abs(high)) > EXACT:
        notes = (*notes, "whole numbers beyond 2^53 are rounded to what float64 holds")
    return Found(gaps, dict(markers), low, high, whole, notes=notes)


def _whole(values: Any) -> bool:
    for start in range(0, len(values), 2**16):  # most columns that are not whole show it at once
        block = values[start : start + 2**16]
        if not bool(((block == np.floor(block)) | np.isnan(block)).all()):
            return False
    return True


def column_of_texts(
    name: str, place: int, column: Texts, forced: str | None, options: Options, separator: str
) -> tuple[Column, list[Wrong]]:
    """A column that was read as texts: a category, or numbers, booleans or dates after all.

    A category takes the codes over as they are: they must not be used again.
    """
    raw = [text.decode("utf-8", "replace") for text in column.ids]
    texts = [text.strip() for text in raw]
    missing = np.array([text.lower() in options.empty for text in texts], bool)
    occur = np.bincount(column.values, minlength=len(raw)) if len(raw) else np.zeros(0, np.int64)
    markers: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for text, gap, count in zip(texts, missing, occur.tolist(), strict=True):
        if count:
            (markers if gap else counts)[text] += count
    found = decide(counts, forced, options, separator)
    wrong = [Wrong(text, fault, _where(texts, text, column.values, counts[text])) for text, fault in found.faults]
    if found.kind == "category":
        return _category(name, place, column, texts, missing, counts, markers, found, raw), wrong
    bad = {each.text for each in wrong}
    value = {text: np.nan if text in bad else _value(text, found, options) for text in counts}
    values = np.array([value.get(text, np.nan) for text in texts] or [np.nan])[column.values]
    levels: tuple[str, ...] = ()
    notes = found.notes
    if found.kind == "boolean" and not wrong:
        levels = (_shortest(counts, cells.FALSE, "false"), _shortest(counts, cells.TRUE, "true"))
        notes = (*notes, f"{levels[0]} is 0, {levels[1]} is 1")
    return Column(name, place, found.kind, finished(values), levels, found_in(values, markers, notes)), wrong


def _shortest(counts: Mapping[str, int], known: Sequence[str], other: str) -> str:
    return next((text for text in sorted(counts, key=lambda each: -counts[each]) if text.lower() in known), other)


def _value(text: str, found: Decision, options: Options) -> float:
    if found.kind == "boolean":
        return truth(text)
    value = days(text) if found.kind == "date" else cells.number(text, found.decimal, options.thousands)
    assert value is not None, "a text that fits has a value"
    return value


def _category(
    name: str,
    place: int,
    column: Texts,
    texts: Sequence[str],
    missing: Any,
    counts: Counter[str],
    markers: Counter[str],
    found: Decision,
    raw: Sequence[str],
) -> Column:
    levels = tuple(sorted(counts))
    code = {level: number for number, level in enumerate(levels)}
    into = np.array([-1 if gap else code.get(text, -1) for text, gap in zip(texts, missing, strict=True)] or [-1], np.int32)
    values = column.values
    for start in range(0, len(values), 2**20):  # in place: a second column as large is not needed
        values[start : start + 2**20] = into[values[start : start + 2**20]]
    notes = found.notes
    if any(one != other for one, other in zip(raw, texts, strict=True)):
        notes = (*notes, "blanks around texts are left out")
    most = min(counts.items(), key=lambda each: (-each[1], each[0])) if counts else None
    told = Found(sum(markers.values()), dict(markers), distinct=len(levels), most=most, notes=notes)
    return Column(name, place, "category", finished(values), levels, told)


def _where(texts: Sequence[str], text: str, codes: Any, count: int) -> Bad:
    same = [number for number, each in enumerate(texts) if each == text]
    rows = np.flatnonzero(np.isin(codes, same) if len(same) > 1 else codes == same[0])[:FIRST]
    return Bad(count, rows.tolist())


def faulty(
    column: Column, wrong: Sequence[Wrong], refuses_gaps: bool, where: Callable[[int], tuple[str, int] | None], known: bool
) -> list[Problem]:
    """The first mistakes of a column and how many there are in all. where: file and line of a row, None if it was not read.
    known: whether its kind was given and not found out."""
    problems = []
    field = f'column "{column.name}"'
    cells_wrong = sorted(((row, each) for each in wrong for row in each.bad.rows if where(row)), key=lambda each: each[0])
    total = sum(each.bad.count for each in wrong)
    for number, (row, each) in enumerate(cells_wrong[:FIRST]):
        file, line = where(row) or ("", 0)
        do = each.fault.do or "correct it"
        if column.kind in ("number", "date") and number == 0 and not known:
            do += f", or say --categorical {shown(column.name)[1:-1]} if the column is a category"
        if number == 0 and total > 1:
            do += f"; {total:,} cells of this column do not fit"
        problems.append(
            Problem(
                f"a cell {each.fault.what}", where=field, got=shown(each.text), do=do, file=file, line=line, column=column.place
            )
        )
    if refuses_gaps and column.found.gaps:
        rows = np.flatnonzero(column.missing & ~np.isin(np.arange(len(column)), [row for row, _ in cells_wrong])).tolist()
        for number, (_, place) in enumerate(islice(((row, where(row)) for row in rows if where(row)), FIRST)):
            file, line = place or ("", 0)
            many = f"; {column.found.gaps:,} cells of this column have none" if column.found.gaps > 1 and not number else ""
            do = f"fill it in, or leave --missing error out{many}"
            problems.append(Problem("a cell has no value", where=field, do=do, file=file, line=line, column=column.place))
    return problems
