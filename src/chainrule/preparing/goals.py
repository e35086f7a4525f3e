"""What a target means to a network: which outputs stand for it, and how they are read back in the table's words and units."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.errors import Problem, RunError, shown
from chainrule.preparing.blocks import Rows, blocks, taken
from chainrule.preparing.schema import Check, above_zero, closed, number, numbers, one_of, text, texts, wrong
from chainrule.preparing.statistics import summary
from chainrule.raw import Group
from chainrule.readers import Floats
from chainrule.rules.preparation import Standardize
from chainrule.tables.table import Column, Table

KINDS = ("classes", "yes_or_no", "number")
COLUMNS = ("category", "boolean", "number", "date")


@dataclass(frozen=True)
class Goal:
    """What the target column means.

    kind: "classes" (an output for each, softmax), "yes_or_no" (one output: the probability of the second class), or "number"
    (one output, standardised). read_as: the kind of the column. classes: as the table writes them, in the order of the
    outputs; stand_for: the numbers that stand for them in a column of numbers or booleans, nothing for texts. center, scale:
    mean and standard deviation of the training targets of a number.
    """

    column: str
    kind: str
    read_as: str
    classes: tuple[str, ...] = ()
    stand_for: tuple[float, ...] = ()
    center: float = 0.0
    scale: float = 1.0

    @property
    def outputs(self) -> int:
        """The outputs that a network needs."""
        return len(self.classes) if self.kind == "classes" else 1

    @property
    def names(self) -> tuple[str, ...]:
        """What each output stands for."""
        return self.classes if self.kind == "classes" else (self.column,) if self.kind == "number" else self.classes[1:]

    def codes(self, column: Column, rows: Rows = None, place: Callable[[int], tuple[str, int | None]] | None = None) -> Any:
        """The class of each row, as its place among the classes: (rows,). RunError for a class that is not known and for a
        missing one. place: says file and line of a row, for the message."""
        if (column.kind == "category") != (self.read_as == "category"):
            what = f"the target {shown(self.column)} must be of kind {self.read_as}, as in training"
            raise RunError(Problem(what, got=column.kind, do="correct its cells"))
        values = self._read(column, rows)
        if column.kind == "category":
            known = {name: number for number, name in enumerate(self.classes)}
            lookup = np.array([*(known.get(level, -1) for level in column.levels), -1])
            result = lookup[values]
        else:
            own = np.array(self.stand_for)
            order = np.argsort(own, kind="stable")
            spots = np.minimum(np.searchsorted(own[order], values), len(own) - 1)
            result = np.where(own[order][spots] == values, order[spots], -1)
        if (result < 0).any():
            self._refuse(column, values, int(np.argmin(result)), int((result < 0).sum()), rows, place)
        return result

    def _refuse(self, column: Column, values: Any, row: int, count: int, rows: Rows, place: Any) -> None:
        value = values[row]
        missing = value < 0 if column.kind == "category" else value != value
        got = column.levels[value] if column.kind == "category" and not missing else f"{value:g}"
        file, line = place(row if rows is None else int(np.asarray(rows)[row])) if place else ("", None)
        what = "the target has no value" if missing else "the target has a class that was not there in training"
        do = f"the classes are {', '.join(shown(each) for each in self.classes[:10])}; {count:,} such rows"
        where = f'column "{self.column}"'
        raise RunError(Problem(what, where=where, got="" if missing else shown(got), do=do, file=file, line=line))

    def targets(
        self,
        column: Column,
        rows: Rows = None,
        dtype: Any = np.float64,
        place: Callable[[int], tuple[str, int | None]] | None = None,
    ) -> Any:
        """What the outputs should be: (rows, outputs)."""
        if self.kind == "number":
            if column.kind == "category":
                what = f"the target {shown(self.column)} must be numbers, as in training"
                raise RunError(Problem(what, got="texts", do="correct its cells"))
            values = self._read(column, rows)
            if not (values == values).all():
                self._refuse(column, values, int(np.argmax(values != values)), int((values != values).sum()), rows, place)
            return Standardize().value(Floats(), values, self.center, self.scale).astype(dtype, copy=False)[:, None]
        codes = self.codes(column, rows, place)
        if self.kind == "yes_or_no":
            return codes.astype(dtype)[:, None]
        result = np.zeros((len(codes), len(self.classes)), dtype)
        result[np.arange(len(codes)), codes] = 1
        return result

    def _read(self, column: Column, rows: Rows) -> Any:
        read = list(blocks(column.values, None if rows is None else np.asarray(rows)))
        return np.concatenate(read) if read else np.empty(0, column.values.dtype)

    def probabilities(self, outputs: Any) -> Any:
        """The probability of each class, (rows, classes), from a network's outputs."""
        outputs = np.asarray(outputs)
        return np.concatenate([1 - outputs, outputs], 1) if self.kind == "yes_or_no" else outputs

    def chosen(self, outputs: Any) -> Any:
        """The place of the likeliest class of each row; of several the first: (rows,)."""
        outputs = np.asarray(outputs)
        return (outputs[:, 0] > 0.5).astype(np.int64) if self.kind == "yes_or_no" else np.argmax(outputs, 1)

    def labels(self, outputs: Any) -> Any:
        """The likeliest class of each row, as the table writes it: an array of texts (rows,)."""
        return np.array(self.classes, object)[self.chosen(outputs)]

    def values(self, outputs: Any) -> Any:
        """Outputs of a number's network in the table's units: (rows,)."""
        return Standardize().back(Floats(), np.asarray(outputs, np.float64)[:, 0], self.center, self.scale)

    def raw(self, column: Column | None = None, rows: Any = None) -> Group | None:
        """The targets in the table's units, for a derivation, of these rows; without a column only what brings outputs back
        to these units. None for classes, whose targets are given."""
        if self.kind != "number":
            return None
        cells = None if column is None else taken(column.values, np.asarray(rows))[:, None]
        return Group(Standardize(), (0,), cells, np.array([self.center]), np.array([self.scale]))

    def data(self) -> dict[str, Any]:
        """Everything, as plain data that JSON can hold."""
        entries: dict[str, Any] = {"column": self.column, "kind": self.kind, "read_as": self.read_as}
        if self.kind == "number":
            return entries | {"center": self.center, "scale": self.scale}
        return entries | {"classes": list(self.classes), "stand_for": list(self.stand_for)}

    @staticmethod
    def made(data: Mapping[str, Any]) -> Goal:
        """The goal that `data` gave; RunError if this is none."""
        kind = data.get("kind") if isinstance(data, Mapping) else None
        if not isinstance(kind, str) or kind not in KINDS:
            wrong("goal.kind", f"one of {', '.join(KINDS)}", kind)
        same: dict[str, Check] = {"column": text, "kind": text, "read_as": one_of(COLUMNS)}
        if kind == "number":
            return Goal(**closed("goal", data, same | {"center": number, "scale": above_zero}))
        found = Goal(**closed("goal", data, same | {"classes": texts, "stand_for": numbers}))
        classes, values = found.classes, found.stand_for
        if len(classes) < 2 or (kind == "yes_or_no" and len(classes) != 2):
            wrong("goal.classes", "two classes" if kind == "yes_or_no" else "two classes or more", list(classes))
        if len(set(values)) < len(values) or len(values) != (0 if found.read_as == "category" else len(classes)):
            wrong("goal.stand_for", "a different number for each class, or none for texts", list(values))
        return found


def goal_of(table: Table, rows: Rows, target: str, kind: str, least: int = 1) -> Goal:
    """The goal of a target column, from the training rows; all of them must have a value.

    kind: as `recognise` found it; "classes" of which there are two become "yes_or_no". least: rows that each class needs.
    RunError for one class only, for a class with fewer rows, for numbers that are all the same or not finite in their spread.
    """
    column = table.column(target)
    where = f'column "{target}"'
    if kind == "number":
        found = summary(column.values, rows)
        if not found.count or found.low == found.high:
            do = "a target that never changes cannot be learned: choose another column"
            got = f"{found.low:g} in {found.count:,} rows"
            raise RunError(Problem("the target is the same in every training row", where=where, got=got, do=do))
        if not 0 < found.deviation < math.inf or not math.isfinite(found.high - found.low):
            do = "give the target in other units"
            got = f"{found.low:g} to {found.high:g}"
            raise RunError(Problem("the target's numbers are too small or too large", where=where, got=got, do=do))
        return Goal(target, "number", column.kind, center=found.mean, scale=found.deviation)
    classes, values, counts = classes_of(table, column, rows)
    if len(classes) < 2:
        got = f"only class {shown(classes[0])} in {counts[0]:,} training rows" if classes else "no class"
        raise RunError(Problem("the target has one class only", where=where, got=got, do="two are needed: add rows of another"))
    few = [(name, count) for name, count in zip(classes, counts, strict=True) if count < least]
    if few:
        got = ", ".join(f"{shown(name)} in {count}" for name, count in few[:5])
        do = "add rows of this class, or leave it out; or use fewer folds"
        raise RunError(Problem(f"each class needs at least {least} rows", where=where, got=got, do=do))
    return Goal(target, "yes_or_no" if len(classes) == 2 else "classes", column.kind, classes, values)


def classes_of(table: Table, column: Column, rows: Rows) -> tuple[tuple[str, ...], tuple[float, ...], list[int]]:
    """The classes of a column as the table writes them, the numbers that stand for them (nothing for texts), and how many
    rows each has."""
    if column.kind == "category":
        counts = np.zeros(len(column.levels), np.int64)
        for block in blocks(column.values, rows):
            counts += np.bincount(block[block >= 0], minlength=len(column.levels))
        there = np.flatnonzero(counts)
        return tuple(column.levels[each] for each in there), (), [int(counts[each]) for each in there]
    tally: dict[float, int] = {}
    first: dict[float, int] = {}
    start = 0
    for block in blocks(column.values, rows):
        values, where, counts = np.unique(block[block == block], return_index=True, return_counts=True)
        origin = np.flatnonzero(block == block)
        for value, place, count in zip(values, where, counts, strict=True):
            tally[float(value)] = tally.get(float(value), 0) + int(count)
            first.setdefault(float(value), start + int(origin[place]))
        start += len(block)
    values_of = tuple(sorted(tally))
    place_of = {value: first[value] if rows is None else int(np.asarray(rows)[first[value]]) for value in values_of}
    names = tuple(_written(table, column, place_of[value], value) for value in values_of)
    if len(set(names)) < len(names):
        names = tuple(f"{value:g}" for value in values_of)
    return names, values_of, [tally[value] for value in values_of]


def _written(table: Table, column: Column, row: int, value: float) -> str:
    """A number as a class: without a point if it is whole; a boolean as the table writes it."""
    if column.kind == "boolean":
        return str(table.text(row, column.name))
    return f"{value:.0f}" if value == math.floor(value) and abs(value) < 1e15 else repr(float(value))
