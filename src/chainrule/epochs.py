"""Training epoch after epoch, whatever the engine: what is watched, what is best so far, what ends it."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from chainrule import diagnosis, draws
from chainrule.course import Between, Callback, Checkpoint, Course, Epoch, Learned, Midway, Rows, some
from chainrule.engines import Task, choose
from chainrule.errors import InputError
from chainrule.network import Network
from chainrule.rules.rule import Optimizer
from chainrule.training import SLICE

DIVERGED = 1e6
"""A loss so many times the first one (or 1, if that is larger) counts as diverged."""

SMALLEST_RATE = 1e-6
"""Below it an adaptive learning rate is not divided any further: training ends."""

CALL = 0.05
"""Seconds that one call of the engine should take: signals and the clock are looked at in between."""

HELD = 65_536
"""Rows whose validation loss is taken at a time: a fixed number, so that rows on disk give the same bits."""


def learn(
    network: Network,
    rows: Rows,
    optimizer: Optimizer,
    course: Course,
    *,
    among: Any = None,
    validation: Rows | None = None,
    score: Callable[[Network], float] | None = None,
    callbacks: Sequence[Callback] = (),
    start: Checkpoint | None = None,
    going: Midway | None = None,
    between: Between | None = None,
    until: int | None = None,
    name: Callable[[int], str] | None = None,
) -> Learned:
    """Trains a copy of the network, epoch after epoch.

    among: the numbers of the rows to train on, (n,); all of them by default. start: another run's `last`, to train for more
    epochs from there. going: a run that was stopped, to go on with it. Both give the same bits as one run of all epochs.
    until: stop once so many updates are done, counted from the very beginning; `midway` is then where.
    score: a number of the network as it stands, higher is better. name: what the user calls a row, counted from 0, for
    messages. KeyboardInterrupt ends training with what there is. Raises InputError for what does not fit.
    """
    rows, validation = _columns(network, rows), None if validation is None else _columns(network, validation)
    if going is None:
        start = start or Checkpoint(network.parameters, network.memory)
        going = Midway(start, start)
    return _Run(network, rows, optimizer, course, among, validation, score, tuple(callbacks), going, between, until, name).run()


class _Run:
    """One call of `learn`."""

    def __init__(
        self,
        network: Network,
        rows: Rows,
        optimizer: Optimizer,
        course: Course,
        among: Any,
        validation: Rows | None,
        score: Callable[[Network], float] | None,
        callbacks: tuple[Callback, ...],
        going: Midway,
        between: Between | None,
        until: int | None,
        name: Callable[[int], str] | None,
    ) -> None:
        self.rows, self.validation, self.course, self.stopping = rows, validation, course, course.stopping
        self.score, self.callbacks, self.between, self.until = score, callbacks, between, until
        self.name = name or (lambda row: f"row {row + 1}")
        self.among = None if among is None or len(among) == len(rows.x) else np.asarray(among)
        self.count = len(rows.x) if self.among is None else len(self.among)
        self.size = min(course.batch_size or self.count, self.count)
        self.stored = rows.most is not None
        last = going.last
        self.network = copy.copy(network)
        self.network.memory = last.memory
        self.rate = last.rate or optimizer.learning_rate
        self.task = Task(
            self.network, *self._first_rows(), optimizer, None, course.clipping,
            parameters=last.parameters, state=last.state, number=last.updates, threads=course.threads,
        )  # fmt: skip
        if not self.stored:
            self.task = self.task._replace(x=rows.x, t=rows.t, weight=rows.weight)
        self.session = choose(course.engine, self.task).Session(self.task)
        self.best, self.best_epoch, self.since = going.best, going.best_epoch, going.since
        self.lowest, self.first = last.best, last.first
        self.earlier = last.epoch - len(going.epochs)
        self.reports = list(going.epochs)
        self.done, self.total, self.before = going.batches, going.total, going.before
        self.updates = 16  # in one call of the engine
        self.reason, self.trouble = "", ""

    def run(self) -> Learned:
        self.begun = time.monotonic() - (self.reports[-1].seconds if self.reports else 0.0)
        try:
            if self.reports and not self.done:
                self.reason = self._ended(len(self.reports))
            if self.until is not None and self.session.number >= self.until:
                self.reason = "stopped"
            while not self.reason:
                self._epoch(len(self.reports) + 1)
        except KeyboardInterrupt:
            self.reason = "interrupted"
        midway = self.midway() if self.reason in ("stopped", "time") else None
        last = self.checkpoint() if midway is None else midway.last
        return Learned(last, self.best, self.best_epoch, tuple(self.reports), self.reason, self.trouble, midway)

    def checkpoint(self) -> Checkpoint:
        session = self.session
        return Checkpoint(
            np.array(session.parameters), [dict(memory) for memory in session.memory], session.state, session.number,
            self.earlier + len(self.reports), self.lowest, self.first, self.rate,
        )  # fmt: skip

    def midway(self) -> Midway:
        return Midway(
            self.checkpoint(), self.best, self.best_epoch, self.since, tuple(self.reports), self.done, self.total,
            self.before if self.done else None,
        )  # fmt: skip

    def _weights(self) -> Checkpoint:
        return Checkpoint(np.array(self.session.parameters), [dict(memory) for memory in self.session.memory])

    def _rates(self, numbers: Iterable[int]) -> list[float]:
        schedule = self.course.schedule
        return [schedule.rate(self.rate, k) if schedule else self.rate for k in numbers]

    def _epoch(self, number: int) -> None:
        batches = epoch_batches(self.count, self.size, self.network.seed, self.earlier + number - 1, self.course.shuffle)
        if not self.done:
            self.total, self.before = 0.0, self._weights() if self.stopping.watch == "loss" else None
        while self.done < len(batches):
            session = self.session
            part = batches[self.done : self.done + min(self.updates, self._left())]
            if self.among is not None:
                part = [self.among[batch] for batch in part]
            if self.stored:
                part = self._gather(part)
                session = self.session
            rates = self._rates(range(session.number + 1, session.number + 1 + len(part)))
            begun, update = time.monotonic(), session.number
            losses = session.advance(part, rates, -math.inf)
            self._keep_pace(len(part), time.monotonic() - begun)
            if not self._went_well(losses, part, rates, number, update):
                return
            for loss, batch in zip(losses, part, strict=True):  # one by one: the sum must not depend on the calls
                self.total += loss * self._rows_in(batch)
            self.done += len(part)
            if self.done < len(batches) and self._is_stopped():
                return
        if math.isnan(self.first):
            self.first = self.total / self.count
        self.done = 0
        self._report(number, self.total / self.count, rates[-1])

    def _left(self) -> int:
        """Updates that may still be done."""
        return SLICE if self.until is None else max(1, self.until - self.session.number)

    def _keep_pace(self, count: int, seconds: float) -> None:
        """How many updates the next call of the engine gets. The bits do not depend on it."""
        self.updates = max(1, min(SLICE, 4 * count, int(CALL * count / max(seconds, 1e-9))))

    def _is_stopped(self) -> bool:
        reached = self.until is not None and self.session.number >= self.until
        if reached or (self.between is not None and self.between(self)):
            self.reason = "stopped"
        elif self._out_of_time():
            self.reason = "time"
        return bool(self.reason)

    def _first_rows(self) -> tuple[Any, Any]:
        first = np.arange(1)
        return some(self.rows.x, first), some(self.rows.t, first)

    def _gather(self, part: list[Any]) -> list[Any]:
        """Reads the rows of as many of these batches as may be in memory, for a session that goes on with them. The
        batches, numbered as the session has them."""
        part = [np.arange(len(self.rows.x))[batch] for batch in part]
        sizes = np.cumsum([len(batch) for batch in part])
        part = part[: max(1, int(np.count_nonzero(sizes <= self.rows.most)))]
        wanted = np.concatenate(part)
        session, rows = self.session, self.rows
        self.network.memory = session.memory
        self.gathered = wanted
        self.task = self.task._replace(
            x=some(rows.x, wanted), t=some(rows.t, wanted), weight=None if rows.weight is None else rows.weight[wanted],
            parameters=session.parameters, state=session.state, number=session.number,
        )  # fmt: skip
        self.session = choose(self.course.engine, self.task).Session(self.task)
        ends = np.cumsum([len(batch) for batch in part])
        return [np.arange(end - len(batch), end) for batch, end in zip(part, ends, strict=True)]

    def _rows_in(self, batch: Any) -> int:
        return self.count if isinstance(batch, slice) else len(batch)

    def _out_of_time(self) -> bool:
        return self.stopping.seconds is not None and time.monotonic() - self.begun >= self.stopping.seconds

    def _went_well(self, losses: list[float], part: Sequence[Any], rates: Sequence[float], epoch: int, done: int) -> bool:
        limit = DIVERGED * max(self.first, 1.0) if math.isfinite(self.first) else math.inf
        bad = next((i for i, loss in enumerate(losses) if not (math.isfinite(loss) and loss <= limit)), None)
        if bad is None and np.isfinite(self.session.parameters).all():
            return True
        bad = len(losses) - 1 if bad is None else bad
        self.reason = "not finite"
        batch, name = np.arange(len(self.task.x))[part[bad]], self.name
        if self.stored:
            name = lambda row: self.name(int(self.gathered[row]))  # noqa: E731
        when = f"update {done + bad + 1} (epoch {epoch}, batch {self.done + bad + 1}"
        self.trouble = diagnosis.explain(self.task, self.session, batch, losses[bad], rates[bad], when, name)
        return False

    def _report(self, number: int, loss: float, rate: float) -> None:
        session = self.session
        validation = None if self.validation is None else self._held_loss(self.validation)
        penalty = session.loss(*self._first_rows())[1] if self.network.penalties else 0.0
        score = None if self.score is None else float(self.score(self._standing()))
        watched = {"loss": loss, "validation": validation, "score": None if score is None else -score}[self.stopping.watch]
        if watched is None:
            raise InputError(f"nothing to watch: {self.stopping.watch} needs validation rows", field="stopping")
        improved = watched <= self.lowest - self.stopping.tolerance
        self.since = 0 if improved else self.since + 1
        best = watched < self.lowest
        if best:
            self.lowest, self.best_epoch = watched, number
            self.best = self.before or self._weights()
        seconds = time.monotonic() - self.begun
        report = Epoch(
            number, session.number, loss, penalty, rate, validation, score, best, self.since, seconds,
            number * self.count / max(seconds, 1e-9), (self.course.epochs - number) * seconds / number,
        )  # fmt: skip
        self.reports.append(report)
        told = [callback(report) for callback in self.callbacks]  # every one, even after a True
        self.reason = "callback" if any(told) else self._ended(number)
        if not self.reason:
            self._is_stopped()

    def _held_loss(self, held: Rows) -> float:
        """The loss of the validation rows, some of them at a time."""
        total, whole = 0.0, 0.0
        for start in range(0, len(held.x), HELD):
            part = np.arange(start, min(start + HELD, len(held.x)))
            weight = None if held.weight is None else held.weight[part]
            loss = self.session.loss(some(held.x, part), some(held.t, part), weight)[0]
            if self.network.loss.reduction == "sum":
                total, whole = total + loss, 1.0
            else:
                counts = float(len(part) if weight is None else weight.sum())
                total, whole = total + (loss * counts if counts else 0.0), whole + counts
        return total / whole

    def _ended(self, number: int) -> str:
        stopping = self.stopping
        if stopping.patience is not None and self.since > stopping.patience:
            if not stopping.lower_rate or self.rate <= SMALLEST_RATE:
                return "patience"
            self.rate, self.since = self.rate / 5, 0
        if number == self.course.epochs:
            return "epochs"
        return "time" if self._out_of_time() else ""

    def _standing(self) -> Network:
        network = copy.copy(self.network)
        network.parameters, network.memory = self.session.parameters, self.session.memory
        return network


def _columns(network: Network, rows: Rows) -> Rows:
    """Rows as an engine takes them. Stored ones are taken at their word: whoever stored them has checked them."""
    if rows.most is None:
        x = network.rows(rows.x)
        t = network.goals(rows.t, len(x))
    else:
        x, t = rows.x, rows.t
    weight = None if rows.weight is None else np.asarray(rows.weight, dtype=network.dtype).reshape(-1, 1)
    return Rows(x, t, weight, rows.most)


def epoch_batches(rows: int, size: int, seed: int, epoch: int, shuffle: bool = True) -> list[Any]:
    """The batches of an epoch (from 0): row numbers, shuffled as a function of seed and epoch, or in their order."""
    if size >= rows:
        return [slice(None)]
    order = draws.permutation(seed, epoch, rows) if shuffle else np.arange(rows)
    return [order[start : start + size] for start in range(0, rows, size)]
