"""The steps of a calculation, by the number of the update; also as they would be under another choice."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from chainrule.derivation import Job, derive
from chainrule.errors import InputError
from chainrule.marking.choices import job_of
from chainrule.marking.sheet import Sheet
from chainrule.naming import Cell
from chainrule.spec import Example
from chainrule.tracing import Trace

FAR = 200
"""Updates beyond which a way that the reference engine alone can go takes seconds."""


@dataclass(frozen=True)
class Course:
    """what: an example, a job, or one step alone. number: the update that is asked for, from 1.

    A step alone is followed to other updates only if it is the first: before that, nothing is known of the way.
    exactly: train with the reference engine, for numbers of more digits than the engines have in common.
    of: of a large step, the one number that is looked at; its sheet holds that and two steps before it.
    """

    job: Job
    number: int
    alone: Trace | None
    exactly: bool
    of: Cell | None = None
    _traces: dict[tuple[int, int], tuple[Job, Trace | None]] = field(default_factory=dict)
    _values: dict[int, dict[Cell, float]] = field(default_factory=dict)
    _sheets: dict[tuple[int, int], Sheet] = field(default_factory=dict)

    def trace(self, number: int, job: Job | None = None) -> Trace | None:
        """The step of an update, perhaps of another job; None where there is no such step."""
        job = self.job if job is None else job
        found = self._traces.get((number, id(job)))
        if found is None:
            found = self._traces[number, id(job)] = job, self._find(number, job)  # with the job, so that its id stays its own
        return found[1]

    def sheet(self, number: int, job: Job | None = None) -> Sheet | None:
        """The same as a sheet."""
        trace = self.trace(number, job)
        if trace is None:
            return None
        key = number, id(self.job if job is None else job)
        if key not in self._sheets:
            try:
                self._sheets[key] = Sheet(trace) if self.of is None else Sheet(trace, [self.of], depth=2)
            except KeyError:
                return None
        return self._sheets[key]

    def values(self, number: int, job: Job | None = None) -> dict[Cell, float]:
        """What was computed in a step; nothing if there is no such step."""
        trace = self.trace(number, job)
        if trace is None:
            return {}
        if id(trace) not in self._values:
            self._values[id(trace)] = trace.numbers
        return self._values[id(trace)]

    def value(self, cell: Cell, number: int, job: Job | None = None) -> float | None:
        """One number of a step; None if the step does not have it."""
        found = self.values(number, job).get(cell)
        trace = self.trace(number, job)
        if found is None and trace is not None and cell.via is not None:
            with contextlib.suppress(KeyError):
                return float(trace.term(cell).value)
        return found

    def _find(self, number: int, job: Job) -> Trace | None:
        if number < 1:
            return None
        try:
            with np.errstate(all="ignore"):
                return self._trace(number, job)
        except (InputError, KeyError, TypeError, ValueError):  # what cannot be done under another choice explains nothing
            if job is self.job and number == self.number:
                raise
            return None

    def _trace(self, number: int, job: Job) -> Trace:
        alone = self.alone
        if alone is None:
            return derive(job, number - 1, engine="reference" if self.exactly else "auto")
        if number == alone.number:
            if job is self.job:
                return alone
            usual = job.optimizer.learning_rate == alone.optimizer.learning_rate
            return Trace(
                job.network, job.x, job.t, job.optimizer, conventions=job.conventions, number=number,
                rate=alone.rate if usual else None, state=alone.state, clipping=job.clipping, weight=job.weight,
                keeps=job.keeps, naming=job.naming,
            )  # fmt: skip
        if alone.number != 1:
            raise InputError("one step alone does not know the updates before it")
        return derive(job, number - 1, engine="reference" if self.exactly else "auto")

    def slow(self, job: Job) -> bool:
        """Whether only the reference engine can go this way: it takes a second for some thousands of updates."""
        chosen = job.conventions
        return self.number > FAR and (chosen.order != "simultaneous" or chosen.intermediate != "exact")


def course(what: Example | Job | Trace, after: int = 0, exactly: bool = False) -> Course:
    """The course of an example or job, at the step after so many updates; or a step alone."""
    if not isinstance(what, Trace):
        return Course(job_of(what), after + 1, None, exactly)
    if after:
        raise InputError("a trace is one step: `after` is for examples", do="why(example, ...), or another trace")
    job = Job(
        what.network, what.x, what.t, what.optimizer, what.weight, None, what.clipping, what.conventions,
        keeps=what.keeps, naming=what.naming, title=what.title,
    )  # fmt: skip
    return Course(job, what.number, what, exactly)


def held_from(sheet: Sheet, found: dict[Cell, Any], following: Sheet) -> dict[Cell, Any]:
    """What one step leaves to the next: its new parameters and memory, under the names that they have there."""
    held = {}
    for cell in following.cells:
        before = cell._replace(symbol=f"{cell.symbol}+")
        if following.formulas[cell] is None and before in found:
            held[cell] = found[before]
    return held
