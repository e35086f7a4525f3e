"""What kind of task a target column makes, and which rows can be learned from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.errors import InputError, Problem, RunError, nearest, shown
from chainrule.preparing.blocks import Rows, blocks, taken
from chainrule.tables.table import Column, Table

MOST_CLASSES = 10
"""Different whole numbers up to which a column of numbers is one of classes."""

ROWS_PER_CLASS = 5
"""Rows for each different number, on average, that a column of classes has at least."""

MANY_CLASSES = 20
"""Classes beyond which a target with little more rows than classes is likely no set of classes."""

FIRST = 5
"""Lines that are named one by one."""

TASKS = ("classification", "regression")


@dataclass(frozen=True)
class Recognised:
    """kind: "classes" or "number", as `goal_of` takes it; why: a sentence that says so; warnings: what may be a mistake."""

    kind: str
    why: str
    warnings: tuple[Problem, ...] = ()

    @property
    def task(self) -> str:
        return TASKS[self.kind == "number"]


def target_column(table: Table, target: str) -> Any:
    """The target's column; InputError if the table has none of this name."""
    names = [column.name for column in table.columns]
    if target not in names:
        do = f"{nearest(target, names)}" if len(names) < 50 else "`--target` takes the name of a column"
        file = table.files[0] if table.files else ""
        raise InputError(Problem("the table has no target column of this name", got=shown(target), do=do, file=file))
    return table.column(target)


def recognise(table: Table, target: str, task: str | None = None) -> Recognised:
    """Whether a target is one of classes or a number. task: "classification" or "regression", if its user has said so.

    Texts and booleans are classes, dates are numbers. Numbers are classes if they are two different ones, or at most 10
    whole ones of which each has 5 rows on average; otherwise they are numbers. InputError for an unknown target or task;
    RunError for a regression on texts.
    """
    column = target_column(table, target)
    if task is not None and task not in TASKS:
        raise InputError("unknown task", got=shown(task), do=nearest(task, TASKS), field="task")
    name, where = shown(target), f'column "{target}"'
    if column.kind in ("category", "boolean"):
        words = "texts" if column.kind == "category" else "yes and no"
        if task == "regression":
            got = ", ".join(shown(column.text(row)) for row in _first_rows(column))
            do = "use --task classification, or another target"
            raise RunError(Problem("a regression needs numbers, and the target holds " + words, where=where, got=got, do=do))
        count = len(column.levels) if column.kind == "category" else 2
        warnings = _too_many(count, column, where, "names of the rows: no class can be learned from one row")
        return Recognised("classes", f"Classification, because {name} holds {words}.", warnings)
    if column.kind == "date":
        if task == "classification":
            return Recognised("classes", f"Classification of {name}, as asked for: each day is a class.")
        return Recognised("number", f"Regression, because {name} holds dates: days are predicted.")
    different, whole = _different(column)
    if task == "regression":
        return Recognised("number", f"Regression of {name}, as asked for.")
    if task == "classification":
        exact = different if different is not None else _all_different(column)
        warnings = _too_many(exact, column, where, "regression: use --task regression")
        return Recognised("classes", f"Classification of {name}, as asked for: each of {exact:,} numbers is a class.", warnings)
    if different is None:
        return Recognised("number", f"Regression, because {name} holds many different numbers.")
    if different <= 2:
        how_many = "one number" if different == 1 else "two different numbers"
        return Recognised("classes", f"Classification, because {name} holds {how_many} only.")
    if whole and different * ROWS_PER_CLASS <= len(table):
        only = f"holds {different} different whole numbers only (--task regression if they are amounts)"
        return Recognised("classes", f"Classification, because {name} {only}.")
    why = f"holds {different} different numbers in few rows" if whole else "holds numbers with decimals"
    return Recognised("number", f"Regression, because {name} {why}.")


def _too_many(count: int, column: Column, where: str, looks_like: str) -> tuple[Problem, ...]:
    rows = len(column.values)
    if count <= MANY_CLASSES or count * ROWS_PER_CLASS <= rows:
        return ()
    return (Problem(f"the target has {count:,} classes in {rows:,} rows", where=where, do=f"this looks like {looks_like}"),)


def _first_rows(column: Column) -> list[int]:
    there = column.values >= 0 if column.kind == "category" else column.values == column.values
    return [int(row) for row in np.flatnonzero(there)[:3]]


def _different(column: Column) -> tuple[int | None, bool]:
    """How many different numbers there are, None for more than the most that can be classes; and whether all are whole."""
    found: set[float] = set()
    whole = True
    for block in blocks(column.values, None):
        values = np.unique(block[block == block])
        whole = whole and bool((values == np.floor(values)).all())
        found.update(values[: MOST_CLASSES + 1].tolist())
        if len(found) > MOST_CLASSES:
            return None, whole
    return len(found), whole


def _all_different(column: Column) -> int:
    return len(np.unique(np.concatenate([np.unique(block[block == block]) for block in blocks(column.values, None)])))


def labelled(table: Table, target: str) -> tuple[Any, tuple[Problem, ...]]:
    """The rows that have a target, as places (rows,), and what to say about the others. RunError if no row has one."""
    column = target_column(table, target)
    texts = column.kind == "category"
    read = [block >= 0 if texts else block == block for block in blocks(column.values, None)]
    there = np.concatenate(read) if read else np.empty(0, bool)
    rows = np.flatnonzero(there)
    where = f'column "{target}"'
    file = table.files[0] if table.files else ""
    if not len(rows):
        raise RunError(Problem("the target has no value in any row", where=where, file=file, do="choose another target"))
    missing = len(there) - len(rows)
    if not missing:
        return rows, ()
    first = [table.place(int(row)) for row in np.flatnonzero(~there)[:FIRST]]
    lines = ", ".join(f"{file}:{line}" if len(table.files) > 1 else str(line) for file, line in first if line is not None)
    got = f"line{'s' if missing > 1 else ''} {lines}{', ...' if missing > FIRST else ''}" if lines else ""
    what = f"the target has no value in {missing:,} of {len(there):,} rows: they are left out"
    return rows, (Problem(what, where=where, got=got, do="fill them in, or take the rows out", file=file),)


def sample_weights(table: Table, name: str, rows: Rows = None) -> Any:
    """The weight of each row, (rows,) float64. InputError for an unknown column; RunError for weights that are missing,
    negative or all 0, or that are no numbers."""
    names = [column.name for column in table.columns]
    if name not in names:
        raise InputError(Problem("the table has no column of weights of this name", got=shown(name), do=nearest(name, names)))
    column, where = table.column(name), f'column "{name}"'
    if column.kind not in ("number", "boolean"):
        do = "name another column, or correct its cells"
        raise RunError(Problem("weights must be numbers", where=where, got=column.kind, do=do))
    rows = np.arange(len(table)) if rows is None else np.asarray(rows)
    weights = taken(column.values, rows)
    problems = []
    for bad, what, do in (
        (weights != weights, "a weight is missing", "write 0 for a row that must not count"),
        (weights < 0, "a weight is negative", "write 0 for a row that must not count"),
        (np.isinf(weights), "a weight is infinite", "correct it"),
    ):
        places = np.flatnonzero(bad)
        for place in places[:FIRST]:
            file, line = table.place(int(rows[place]))
            more = f"; {len(places):,} such rows" if len(places) > 1 else ""
            got = "" if weights[place] != weights[place] else f"{weights[place]:g}"
            problems.append(Problem(what, where=where, got=got, do=do + more, file=file, line=line))
    if problems:
        raise RunError(*problems)
    if not weights.any():
        raise RunError(Problem("all weights are 0", where=where, do="give at least one row a weight"))
    return weights
