"""What a step's inputs and targets were in the table, before they were prepared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from chainrule.rules.preparation import Preparation, Standardize


@dataclass(frozen=True, eq=False)
class Group:
    """Columns that one rule prepares.

    places: which inputs (or outputs) they become, counted from 0. cells: their numbers in the table, (rows, columns), with
    what stands for a missing one; None for targets that are not known. center, scale: the columns' statistics, (columns,).
    """

    rule: Preparation
    places: tuple[int, ...]
    cells: Any
    center: Any
    scale: Any

    def take(self, rows: Any) -> Group:
        """The same columns in some rows."""
        return replace(self, cells=None if self.cells is None else self.cells[rows])


@dataclass(frozen=True, eq=False)
class Raw:
    """Where a step's numbers come from. Inputs in no group are given as they are.

    told: says where an input's number comes from, or what its number in the table stands for, by row and input from 0; nothing
    if that needs no words. goal: the targets, if they were prepared too; outputs are then brought back by the same rule.
    """

    groups: tuple[Group, ...] = ()
    told: Callable[[int, int], str] | None = None
    goal: Group | None = None

    def take(self, rows: Any) -> Raw:
        """The same inputs in some rows, an array of places or a slice."""
        told = self.told
        if told is not None:
            origin = range(len(self.groups[0].cells))[rows] if isinstance(rows, slice) and self.groups else rows
            before = told
            told = lambda row, place: before(int(origin[row]), place)  # noqa: E731
        goal = None if self.goal is None else self.goal.take(rows)
        return replace(self, groups=tuple(group.take(rows) for group in self.groups), told=told, goal=goal)

    def group(self, place: int) -> Group | None:
        """The group that an input is in; None for inputs that are given."""
        return next((group for group in self.groups if place in group.places), None)


def standardized(cells: Any, mean: Any, deviation: Any) -> Raw:
    """All inputs are columns of numbers, (rows, inputs), standardised with these means and deviations."""
    return Raw((Group(Standardize(), tuple(range(cells.shape[1])), cells, mean, deviation),))
