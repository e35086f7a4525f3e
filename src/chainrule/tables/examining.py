"""What a table says about itself that a person should know before learning from it: leaks, identifiers, labels misspelt ..."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.errors import InputError, Problem, RunError, shown
from chainrule.tables.problems import FIRST
from chainrule.tables.table import Column, Table

LARGE = 1e15
"""Values beyond it are better scaled before anything is computed with them."""

MOST_CLASSES = 10_000
"""Classes beyond which nobody asks whether two of them are the same."""

FEW = 20
"""Rows below which it means little that all values differ."""


@dataclass(frozen=True)
class Finding:
    """Something noticed. kind: what sort of thing; severity: "warn" to go on, "error" where it makes no sense to.

    columns: the names it is about.
    """

    kind: str
    severity: str
    columns: tuple[str, ...]
    problem: Problem

    def __str__(self) -> str:
        return str(self.problem)


def examine(table: Table, target: str | None = None, task: str | None = None, folds: int | None = None) -> tuple[Finding, ...]:
    """All that is noticed. task: "classes" or "number", if the target is known to be that. folds: parts rows are split into."""
    found: list[Finding] = [*alike(table.names, table.files[0] if table.files else "")]
    goal = table.column(target) if target is not None else None
    for column in table.columns:
        if column is not goal:
            found += _alone(table, column)
    found += _equal(table, goal)
    if goal is not None:
        found += _labels(table, goal, task, folds)
        found += [leak for column in table.columns if column is not goal for leak in _leaks(table, column, goal)]
    return tuple(found)


def _finding(table: Table, kind: str, severity: str, names: Sequence[str], what: str, **said: Any) -> Finding:
    where = ", ".join(f'column "{name}"' for name in names)
    file = table.files[0] if table.files else ""
    return Finding(kind, severity, tuple(names), Problem(what, where=where, **{"file": file, **said}))


def _distinct(column: Column) -> int:
    if column.kind == "category":
        return len(np.unique(column.values[column.values >= 0]))
    return len(np.unique(column.values[~np.isnan(column.values)]))


def _alone(table: Table, column: Column) -> list[Finding]:
    """What can be said of one column by itself: constant, an identifier, too large."""
    missing = column.missing
    there = column.values[~missing]
    name = [column.name]
    if len(there) == 0:
        return [_finding(table, "empty", "warn", name, "no cell of the column has a value", do="it is left out")]
    if bool((there == there[0]).all()):
        if missing.any():
            return []  # whether there is a value still says something
        row = int(np.flatnonzero(~missing)[0])
        what = "the column is the same in every row"
        return [_finding(table, "constant", "warn", name, what, got=shown(column.text(row)), do="it is left out")]
    found = []
    if column.kind in ("number", "date") and max(abs(column.found.low), abs(column.found.high)) >= LARGE:
        far = float(np.abs(there).max())
        what = "the column has very large values"
        found.append(_finding(table, "large", "warn", name, what, got=f"{far:.3g}", do="scale it: --scale does"))
    if len(there) < FEW or len(there) < 0.9 * len(table):
        return found
    if column.kind == "category" and _distinct(column) == len(there):
        what = "every row has a text of its own: an identifier says nothing about other rows"
        found.append(_finding(table, "identifier", "warn", name, what, do="it is left out"))
    if column.kind == "number" and column.found.whole:
        steps = np.diff(there)
        if bool((steps == 1).all()) or bool((steps == -1).all()):
            what = "the column counts the rows: an identifier says nothing about other rows"
            found.append(_finding(table, "identifier", "warn", name, what, do="it is left out"))
    return found


def _equal(table: Table, goal: Column | None) -> list[Finding]:
    """Columns that hold the same in every row; the target's twins are leaks and stand there."""
    seen: dict[Any, Column] = {}
    found = []
    for column in table.columns:
        if column is goal or _same_everywhere(column):
            continue
        mark = (column.kind if column.kind == "category" else "", _mark(column))
        other = seen.setdefault(mark, column)
        if other is not column and _equals(other, column):
            names = (other.name, column.name)
            what = "the columns are equal in every row"
            found.append(_finding(table, "equal", "warn", names, what, do=f"{shown(column.name)[1:-1]} is left out"))
    return found


def _same_everywhere(column: Column) -> bool:
    values = column.values
    return len(values) == 0 or bool(((values == values[0]) | ((values != values) & (values[0] != values[0]))).all())


def _mark(column: Column) -> int:
    values = np.ascontiguousarray(column.values)
    some = values[:: max(1, len(values) // 1000)]
    return hash((some.tobytes(), column.levels))


def _equals(one: Column, other: Column) -> bool:
    if one.kind == "category" or other.kind == "category":
        return one.kind == other.kind and one.levels == other.levels and bool((one.values == other.values).all())
    return bool(np.array_equal(one.values, other.values, equal_nan=True))


def _codes(column: Column) -> Any:
    """Values as numbers from 0 of those that differ, -1 for gaps."""
    if column.kind == "category":
        return column.values
    missing = np.isnan(column.values)
    codes = np.full(len(column), -1)
    codes[~missing] = np.unique(column.values[~missing], return_inverse=True)[1]
    return codes


def _leaks(table: Table, column: Column, goal: Column) -> list[Finding]:
    """A column that gives the target away: equal to it, another spelling of it, or a straight line from it."""
    both = ~(column.missing | goal.missing)
    if np.count_nonzero(both) < 3 or _same_everywhere(goal) or _same_everywhere(column):
        return []
    names = (column.name, goal.name)
    do = "leave it out if it is not known before the target is"
    if column.kind != "category" and goal.kind != "category":
        one, other = column.values[both], goal.values[both]
        if np.array_equal(one, other):
            return [_finding(table, "leak", "warn", names, "the column is equal to the target", do=do)]
        with np.errstate(all="ignore"):
            one, other = one - one.mean(), other - other.mean()
            strength = abs(float((one * other).sum())) / float(np.sqrt((one * one).sum() * (other * other).sum()) or 1)
        if strength > 1 - 1e-10 and goal.found.distinct != 2:
            what = "the column gives the target away: the one is the other times a number, plus a number"
            return [_finding(table, "leak", "warn", names, what, do=do)]
        return []
    if goal.kind != "category" and _distinct(goal) > 50:
        return []
    codes, targets = _codes(column)[both], _codes(goal)[both]
    levels, classes = int(codes.max()) + 1, int(targets.max()) + 1
    if levels > len(codes) / 5 or levels > 10_000:
        return []  # with few rows a level, a level has one class by chance
    pairs = len(np.unique(codes.astype(np.int64) * classes + targets))
    used = len(np.unique(codes))
    if pairs != used:
        return []
    equal = used == len(np.unique(targets))
    what = "the column is the target in other words" if equal else "the column gives the target away: each value has one class"
    return [_finding(table, "leak", "warn", names, what, got=f"{used:,} values", do=do)]


def _labels(table: Table, goal: Column, task: str | None, folds: int | None) -> list[Finding]:
    name = [goal.name]
    found: list[Finding] = []
    gaps = np.flatnonzero(goal.missing)
    if len(gaps) == len(table):
        return [_finding(table, "target", "error", name, "no row has a value of the target", do="name another target")]
    if len(gaps):
        lines = ", ".join(_line(table, int(row)) for row in gaps[:FIRST]) + (", ..." if len(gaps) > FIRST else "")
        rows = "row has" if len(gaps) == 1 else "rows have"
        what = f"{len(gaps):,} {rows} no value of the target and cannot be learned from"
        found.append(_finding(table, "target", "warn", name, what, got=lines, do="left out"))
    if goal.kind == "category" and task == "number":
        do = "learn it as classes instead, or correct its numbers"
        found.append(_finding(table, "target", "error", name, "the target is text, and a number is asked for", do=do))
        return found
    if task == "classes" and goal.kind == "number":
        distinct = _distinct(goal)
        if distinct > FEW and distinct > 0.5 * (len(table) - len(gaps)):
            what = f"the target has {distinct:,} different numbers in {len(table) - len(gaps):,} rows: it looks like regression"
            found.append(_finding(table, "target", "warn", name, what, do="learn it as a number instead"))
    if task != "number" and (goal.kind in ("category", "boolean") or task == "classes"):
        found += _classes(table, goal, folds)
    elif task == "number" and _distinct(goal) == 1:
        found.append(_finding(table, "target", "error", name, "the target is the same in every row", do="learn another one"))
    return found


def _classes(table: Table, goal: Column, folds: int | None) -> list[Finding]:
    codes = _codes(goal)
    classes, first, counts = np.unique(codes[codes >= 0], return_index=True, return_counts=True)
    rows = np.flatnonzero(codes >= 0)[first]
    texts = [goal.text(int(row)) for row in rows]
    name = [goal.name]
    if len(classes) == 1:
        what = f"there is only one class, {shown(texts[0])}"
        return [_finding(table, "target", "error", name, what, do="learning needs rows of at least two")]
    found = _misspelt(table, goal, texts, rows, counts)
    for place in range(len(texts)) if folds else ():
        if folds is not None and counts[place] < folds:
            many = "1 row" if counts[place] == 1 else f"{counts[place]:,} rows"
            what = f"class {shown(texts[place])} has {many}, fewer than the {folds} parts"
            found.append(_finding(table, "rare", "error", name, what, do="use fewer folds, or leave the class out"))
    return found


def misspelt(table: Table, target: str) -> tuple[Problem, ...]:
    """Classes of the target that differ in case, blanks or signs only from one that more rows have."""
    goal = table.column(target)
    if goal.kind != "category":
        return ()
    codes = _codes(goal)
    classes, first, counts = np.unique(codes[codes >= 0], return_index=True, return_counts=True)
    if len(classes) > MOST_CLASSES:
        return ()
    rows = np.flatnonzero(codes >= 0)[first]
    texts = [goal.text(int(row)) for row in rows]
    return tuple(each.problem for each in _misspelt(table, goal, texts, rows, counts))


def _misspelt(table: Table, goal: Column, texts: Sequence[str], rows: Any, counts: Any) -> list[Finding]:
    found, by_sign = [], dict[str, int]()
    for place in sorted(range(len(texts)), key=lambda each: -counts[each]):
        other = by_sign.setdefault(plain(texts[place]), place)
        if other != place:
            many = "1 row" if counts[place] == 1 else f"{counts[place]:,} rows"
            what = f"class {shown(texts[place])} has {many} ({_line(table, int(rows[place]))} first)"
            do = f"is it the same as {shown(texts[other])}, which has {counts[other]:,}?"
            found.append(_finding(table, "label", "warn", [goal.name], what, do=do))
    return found


def _line(table: Table, row: int) -> str:
    line = table.place(row)[1]
    return f"line {line:,}" if line is not None else f"row {row + 1:,}"


def plain(text: str) -> str:
    """A text without what people do not mean: case, blanks, forms of the same letter, joining signs."""
    text = unicodedata.normalize("NFKC", text).casefold()
    return "".join(sign for sign in text if not sign.isspace() and sign not in "_-." and unicodedata.category(sign) != "Cf")


def alike(names: Sequence[str], file: str = "") -> tuple[Finding, ...]:
    """Names of columns that differ in case, blanks or the form of a letter only."""
    seen: dict[str, str] = {}
    found = []
    for name in names:
        sign = "".join(unicodedata.normalize("NFKC", name).casefold().split())
        sign = "".join(each for each in sign if unicodedata.category(each) != "Cf")
        other = seen.setdefault(sign, name)
        if other != name:
            what = "two columns have names that look alike"
            got = f"{shown(other)} ({_points(other)}) and {shown(name)} ({_points(name)})"
            problem = Problem(what, got=got, do="rename one if they are not meant to differ", file=file)
            found.append(Finding("names", "warn", (other, name), problem))
    return tuple(found)


def _points(name: str) -> str:
    return " ".join(f"U+{ord(sign):04X}" for sign in name[:8]) + (" ..." if len(name) > 8 else "")


def target_column(table: Table, name: str, inputs: Iterable[str] = ()) -> Column:
    """The target of a table; an InputError, as the command was wrong, if there is none of this name or it is an input too."""
    if name not in table:
        raise InputError(table.unknown(name, "target column"))
    if name in set(inputs):
        raise InputError("the target cannot be an input too", got=shown(name), do="leave it out of one of them")
    return table.column(name)


def require(table: Table, names: Sequence[str], optional: Sequence[str] = ()) -> None:
    """A RunError with both lists if a table has not the columns that are needed; their order does not matter."""
    lacks = [name for name in names if name not in table]
    if not lacks:
        return
    extra = [name for name in table.names if name not in names and name not in optional]

    def told(which: Sequence[str]) -> str:
        return ", ".join(shown(each)[1:-1] for each in which[:10]) + (f" and {len(which) - 10} more" if len(which) > 10 else "")

    what = f"the table lacks {len(lacks)} column{'s' if len(lacks) > 1 else ''} that the model needs: {told(lacks)}"
    got = f"besides those it knows: {told(extra)}" if extra else ""
    file = table.files[0] if table.files else ""
    raise RunError(Problem(what, got=got, do="name the columns as in the table the model learned from", file=file))


def shared_rows(one: Table, other: Table, names: Sequence[str] | None = None) -> Finding | None:
    """Rows that two tables share in all columns of these names (all that both have): what was learned would be tested."""
    names = [name for name in one.names if name in other] if names is None else list(names)
    if not names or not len(one) or not len(other):
        return None
    known = {key: row for row, key in reversed(list(enumerate(_keys(one, names))))}
    pairs = [(row, known[key]) for row, key in enumerate(_keys(other, names)) if key in known]
    if not pairs:
        return None
    rows = "1 row stands" if len(pairs) == 1 else f"{len(pairs):,} rows stand"
    got = ", ".join(f"{_line(other, row)} ({_line(one, twin)} there)" for row, twin in pairs[:FIRST])
    what = f"{rows} in {one.files[0] if one.files else 'the other table'} too"
    return _finding(other, "shared", "warn", (), what, got=got, do="scores on rows that were learned from say little")


def _keys(table: Table, names: Sequence[str]) -> Iterable[tuple[Any, ...]]:
    columns = []
    for name in names:
        column = table.column(name)
        columns.append(column.labels() if column.kind == "category" else [str(each) for each in column.values.tolist()])
    return zip(*columns, strict=True)


def weights_column(table: Table, name: str) -> Any:
    """The weights of rows, (rows,) float64; a RunError if one is negative or none, or all are 0."""
    column = table.column(name)
    problems = []
    field = f'column "{name}"'
    if column.kind not in ("number", "boolean"):
        raise RunError(Problem("a column of weights must hold numbers", where=field, file=table.files[0], got=column.kind))
    for wrong, what in ((column.missing, "a weight is missing"), (column.values < 0, "a weight is negative")):
        rows = np.flatnonzero(wrong)
        for row in rows[:FIRST].tolist():
            file, line = table.place(row)
            do = "give each row a weight of 0 or more" + (f"; {len(rows):,} are like this" if len(rows) > 1 else "")
            problems.append(Problem(what, where=field, got=column.text(row), do=do, file=file, line=line, column=column.place))
    if not problems and not column.values.any():
        problems.append(Problem("all weights are 0", where=field, do="give at least one row a weight", file=table.files[0]))
    if problems:
        raise RunError(*problems)
    return column.values


def fits_float32(table: Table, names: Sequence[str]) -> None:
    """A RunError that names the first numbers of some columns that float64 holds and float32 does not."""
    most = float(np.finfo(np.float32).max)
    problems = []
    for name in names:
        column = table.column(name)
        if column.kind == "category" or not max(abs(column.found.low), abs(column.found.high)) > most:
            continue
        rows = np.flatnonzero(np.abs(column.values) > most)
        for row in rows[:FIRST].tolist():
            file, line = table.place(row)
            do = "use float64, or scale the column" + (f"; {len(rows):,} are like this" if len(rows) > 1 else "")
            what = "a number is larger than float32 can hold (about 3.4e38)"
            field = f'column "{name}"'
            got = column.text(row)
            problems.append(Problem(what, where=field, got=got, do=do, file=file, line=line, column=column.place))
    if problems:
        raise RunError(*problems)
