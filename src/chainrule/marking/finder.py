"""Numbers of many variants, held against a written one: what agrees is kept as an explanation, and what comes nearest."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from chainrule.marking.course import held_from
from chainrule.marking.edits import RARER, Edit
from chainrule.marking.match import Match
from chainrule.marking.sheet import Change, Sheet
from chainrule.marking.trees import shown
from chainrule.marking.written import Written
from chainrule.naming import Cell, cell_id
from chainrule.phrases import say
from chainrule.tracing import Trace

CHUNK = 40_000
"""Variants that are computed at once: more would not fit the processor's memory."""

SAME = 1e-13
"""So close to the step's own number, relatively, a variant changes nothing."""

AROUND = 500
"""So many units of the last digit to either side are looked at to tell how crowded it is there."""

AHEAD = ("z", "a", "E", "E_data", "E_sample", "R")
"""What is there before an update, and again after it."""


class Cause(NamedTuple):
    """A part of an explanation: settings, or the names of slips or a mistake; in words; how rare; the slip, if it is one."""

    settings: tuple[str, ...]
    mistakes: tuple[str, ...]
    phrase: str
    rank: int
    edit: Edit | None = None


def slip(edit: Edit, places: int, upstream: bool = False) -> tuple[Cause, Change]:
    """An edit as a cause. places: decimals that are written; who writes many keeps many on the way. upstream: it was made in
    the step before, which is seldom the reason that people look for."""
    odd = edit.places and not places - 1 <= edit.places <= places + 2
    rank = max(edit.rank, RARER) if upstream or odd else edit.rank
    return Cause((), edit.kinds, edit.phrase, rank, edit), {edit.cell: edit.tree}


@dataclass
class Finder:
    """level: how many causes are tried at present. searched: how many variants were. matches: in the order they were found."""

    written: Written
    number: int
    level: int = 0
    searched: int = 0
    matches: list[Match] = field(default_factory=list)
    _near: list[tuple[float, int, Callable[[], Match]]] = field(default_factory=list)
    _close: dict[tuple[int, int], int] = field(default_factory=dict)  # by level and rank: how many lie around

    def one(self, trace: Trace, cell: Cell, value: float, causes: Sequence[Cause]) -> bool:
        """One number that came about in one way."""
        self.searched += 1
        off = abs(value - float(self.written))
        self._look_near(off, lambda: self.match(trace, cell, value, causes))
        self._count(max((cause.rank for cause in causes), default=0), int(off <= self._around))
        # what is right as it stands is right to its last bit: only a cause must not live from it
        agrees = self.agrees(value) if causes else self.written.agreement(value) in ("rounded", "truncated")
        if agrees:
            self.matches.append(self.match(trace, cell, value, causes))
        return agrees

    def many(
        self,
        sheet: Sheet,
        wanted: Sequence[Cell],
        found: Sequence[tuple[Cause, Change]],
        before: Sequence[Cause] = (),
        rows: Any = None,
        following: Sheet | None = None,
        then: Sequence[Change] = (),
    ) -> None:
        """Changes of a sheet, one by one or (rows) some together, held against the wanted cells of the sheet or of the step
        following it. before: what the sheet itself has for a cause. then: the same changes, as they are in that step."""
        if not found or not wanted:
            return
        table = np.arange(len(found))[:, None] if rows is None else rows
        for start in range(0, len(table), CHUNK):
            self._chunk(sheet, wanted, found, before, table[start : start + CHUNK], following, then)

    def _chunk(
        self,
        sheet: Sheet,
        wanted: Sequence[Cell],
        found: Sequence[tuple[Cause, Change]],
        before: Sequence[Cause],
        rows: Any,
        following: Sheet | None,
        then: Sequence[Change],
    ) -> None:
        self.searched += len(rows)
        changes = [change for _, change in found]
        target = following or sheet
        if following is None:
            numbers = sheet.evaluate(changes, rows, wanted)
        else:
            new = [cell for cell in sheet.cells if cell.symbol.endswith("+")]
            held = held_from(sheet, sheet.evaluate(changes, rows, new), following)
            numbers = following.evaluate(then or [{}] * len(changes), rows, wanted, held)
        ranks = np.array([cause.rank for cause, _ in found])[rows].max(1)
        ranks = np.maximum(ranks, max((cause.rank for cause in before), default=0))

        def made(cell: Cell, value: float, place: int) -> Match:
            causes = [*before, *(found[i][0] for i in rows[place])]
            return self.match(target.trace, cell, value, causes, following is not None, target)

        told: set[int] = set()
        for cell in wanted:
            values = numbers[cell]
            if np.ndim(values) == 0:
                continue
            base = target.values[cell]
            with np.errstate(all="ignore"):
                other = np.isfinite(values) & ~(np.abs(values - base) <= SAME * abs(base))
                off = np.where(other, np.abs(values - float(self.written)), np.inf)
                hits = np.flatnonzero(other & self.written.near(values))
            for rank in (0, 1, 2):
                self._count(rank, int(np.count_nonzero((off <= self._around) & (ranks == rank))))
            best = int(np.argmin(off))
            if len(wanted) == 1:
                self._look_near(float(off[best]), lambda c=cell, v=float(values[best]), i=best: made(c, v, i))  # type: ignore[misc]
            for place in hits:
                value, which = float(values[place]), int(place)
                if which not in told and self.agrees(value):
                    told.add(which)
                    self.matches.append(made(cell, value, which))

    def agrees(self, value: float) -> bool:
        """Whether a number gives the written digits, rounded or cut off; 0.05 is not cut off to 0.04, though it may be a
        double just below."""
        if not self.written.near(value):
            return False
        printed = self.written.agreement(value)
        edge = abs(value) - abs(float(self.written)) >= self._unit * (1 - 1e-9)
        return printed == "rounded" or (printed == "truncated" and not edge)

    # how sure it is

    @property
    def places(self) -> int:
        """Decimals that are written."""
        return max(0, round(-math.log10(self._unit)))

    @property
    def _unit(self) -> float:
        return float(self.written.unit or 0) or abs(float(self.written)) * 1e-12

    @property
    def _around(self) -> float:
        return min(AROUND * self._unit, max(5 * self._unit, 0.1 * abs(float(self.written))))

    def _count(self, rank: int, close: int) -> None:
        self._close[self.level, rank] = self._close.get((self.level, rank), 0) + close

    def by_chance(self, level: int, rank: int) -> float:
        """How many variants of so many causes, and not rarer ones, agree by accident, if those that lie around the written
        number lie there by accident. Rounded and cut off, a variant has three halves of a unit to agree in."""
        close = sum(count for (one, other), count in self._close.items() if one == level and other <= rank)
        alike = sum(match.causes == level and match.rank <= rank for match in self.matches)
        return max(0, close - alike) * 1.5 * self._unit / (2 * self._around)

    def _look_near(self, off: float, make: Callable[[], Match]) -> None:
        if math.isfinite(off):
            self._near.append((off, len(self._near), make))
            if len(self._near) > 200:
                self._near = sorted(self._near, key=lambda each: each[:2])[:20]

    def nearest(self, count: int = 3) -> tuple[Match, ...]:
        """What comes nearest, each number once."""
        found: list[Match] = []
        for _, _, make in sorted(self._near, key=lambda each: each[:2]):
            match = make()
            if all(match.exact != each.exact for each in found):
                found.append(match)
            if len(found) == count:
                break
        return tuple(found)

    # in words

    def match(
        self,
        trace: Trace,
        cell: Cell,
        value: float,
        causes: Sequence[Cause],
        upstream: bool = False,
        sheet: Sheet | None = None,
    ) -> Match:
        """An explanation. upstream: slips were made in the step before. sheet: where a slip's numbers are, to be told."""
        number = trace.number
        ahead = cell.symbol in AHEAD
        update, when = (number - 1, "after") if ahead and number > 1 else (number, "before" if ahead else "at")
        name = trace.label(cell)
        phrases = [_phrase(trace, cell, cause, upstream) for cause in causes if cause.phrase]
        reason = phrases[0] if phrases else ""
        for other in phrases[1:]:
            reason = say("{cause} and {another}", cause=reason, another=other)
        formula = ""
        own = [cause.edit for cause in causes if cause.edit is not None and cause.edit.cell == cell and not upstream]
        if len(own) == 1 and sheet is not None and len(causes) == 1:
            formula = shown(own[0].tree, sheet.values.__getitem__, trace.label, trace.digits)
            formula = formula if len(formula) <= 60 else ""
        return Match(
            cell, cell_id(cell), name, update, when,
            tuple(setting for cause in causes for setting in cause.settings),
            tuple(mistake for cause in causes for mistake in cause.mistakes),
            reason, formula, value, self.written.agreement(value), self.written.agreeing_digits(value),
            self.level, max((cause.rank for cause in causes), default=0),
        )  # fmt: skip

    def sorted(self) -> list[Match]:
        """The fewest causes first; then the common before the rare, the update that is asked for, rounded before cut off."""
        found: dict[object, Match] = {}
        for match in self.matches:
            found.setdefault((match.cell, match.update, match.changes, match.mistakes, match.text), match)

        def order(match: Match) -> tuple[int, int, bool, bool]:
            number = match.update + (match.when == "after")
            return match.causes, match.rank, number != self.number, match.printed_as != "rounded"

        return sorted(found.values(), key=order)


def _phrase(trace: Trace, cell: Cell, cause: Cause, upstream: bool) -> str:
    if cause.edit is None or (cause.edit.cell == cell and not upstream):
        return cause.phrase
    return say("{what} in {name}", what=cause.phrase, name=trace.label(cause.edit.cell))
