"""Training epoch after epoch, whatever the engine: what is watched, what is best so far, what ends it."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from chainrule import diagnosis, draws
from chainrule.engines import Task, choose
from chainrule.engines.reference import State
from chainrule.errors import InputError
from chainrule.network import Network
from chainrule.rules.rule import Clipping, Optimizer, Schedule
from chainrule.training import SLICE, check_count

DIVERGED = 1e6
"""A loss so many times the first one (or 1, if that is larger) counts as diverged."""

SMALLEST_RATE = 1e-6
"""Below it an adaptive learning rate is not divided any further: training ends."""


class Rows(NamedTuple):
    """Rows with their targets, and what each counts: x (rows, inputs), t (rows, outputs), weight None or (rows,)."""

    x: Any
    t: Any
    weight: Any = None


@dataclass(frozen=True)
class Stopping:
    """What ends training besides the number of epochs.

    watch: "loss" (of the training batches), "validation" (loss of the validation rows) or "score" (higher is better).
    patience: end after more than so many epochs in a row that did not improve the best by `tolerance`. lower_rate: divide
    the learning rate by 5 instead, and end once it is tiny. seconds: at most so long.
    """

    watch: str = "loss"
    patience: float | None = None
    tolerance: float = 1e-4
    lower_rate: bool = False
    seconds: float | None = None


@dataclass(frozen=True)
class Epoch:
    """What is told of an epoch.

    number: from 1, in this run. loss: penalty included, the mean over the batches, each before its update; penalty: the
    price of the weights at the end; validation: the loss of the validation rows at the end, without penalty. rate: the
    learning rate at the end. since: epochs since the watched number last improved. remaining: seconds, if all epochs run.
    """

    number: int
    updates: int
    loss: float
    penalty: float
    rate: float
    validation: float | None = None
    score: float | None = None
    best: bool = False
    since: int = 0
    seconds: float = 0.0
    rows_per_second: float = 0.0
    remaining: float = 0.0


Callback = Callable[[Epoch], "bool | None"]
"""Called after each epoch; training ends when one returns True."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """All that training continues from. epoch and updates are counted from the very beginning."""

    parameters: Any
    memory: list[dict[str, Any]]
    state: State | None = None
    updates: int = 0
    epoch: int = 0
    best: float = math.inf  # the best watched number so far, lower is better
    first: float = math.nan  # the loss of the first epoch
    rate: float | None = None  # where an adaptive learning rate stands


@dataclass(frozen=True, eq=False)
class Learned:
    """Where training ended, and its best weights.

    best: the checkpoint of the best watched number, in epoch best_epoch of this run (0: the start, no epoch was as good).
    A training loss belongs to the weights its epoch began with, a validation number to those it ended with.
    reason: "epochs", "patience", "time", "callback", "interrupted" or "not finite"; trouble: what happened then, in words.
    """

    last: Checkpoint
    best: Checkpoint
    best_epoch: int
    epochs: tuple[Epoch, ...]
    reason: str
    trouble: str = ""


@dataclass(frozen=True)
class Course:
    """How training goes: epochs at most so many, batch_size None for all rows at once, rows shuffled or in their order."""

    epochs: int
    batch_size: int | None = None
    shuffle: bool = True
    schedule: Schedule | None = None
    clipping: Clipping | None = None
    stopping: Stopping = Stopping()
    engine: str = "auto"
    threads: int | None = None

    def __post_init__(self) -> None:
        check_count("epochs", self.epochs, 1)
        check_count("batch_size", self.batch_size, 1)


def learn(
    network: Network,
    rows: Rows,
    optimizer: Optimizer,
    course: Course,
    *,
    validation: Rows | None = None,
    score: Callable[[Network], float] | None = None,
    callbacks: Sequence[Callback] = (),
    start: Checkpoint | None = None,
    labels: Any = None,
) -> Learned:
    """Trains a copy of the network, epoch after epoch. A run that continues from another's `last` gives the same bits as
    one run of all epochs.

    score: a number of the network as it stands, higher is better. labels: what the user calls each row, for messages.
    KeyboardInterrupt ends training with what there is. Raises InputError for what does not fit.
    """
    rows, validation = _columns(network, rows), None if validation is None else _columns(network, validation)
    start = start or Checkpoint(network.parameters, network.memory)
    return _Run(network, rows, optimizer, course, validation, score, tuple(callbacks), start, labels).run()


class _Run:
    """One call of `learn`."""

    def __init__(
        self,
        network: Network,
        rows: Rows,
        optimizer: Optimizer,
        course: Course,
        validation: Rows | None,
        score: Callable[[Network], float] | None,
        callbacks: tuple[Callback, ...],
        start: Checkpoint,
        labels: Any,
    ) -> None:
        self.rows, self.validation, self.course, self.stopping = rows, validation, course, course.stopping
        self.score, self.callbacks, self.start, self.labels = score, callbacks, start, labels
        self.count = len(rows.x)
        self.size = min(course.batch_size or self.count, self.count)
        self.network = copy.copy(network)
        self.network.memory = start.memory
        self.rate = start.rate or optimizer.learning_rate
        self.task = Task(
            self.network, rows.x, rows.t, optimizer, rows.weight, course.clipping,
            parameters=start.parameters, state=start.state, number=start.updates, threads=course.threads,
        )  # fmt: skip
        self.session = choose(course.engine, self.task).Session(self.task)
        self.best, self.best_epoch, self.since = start, 0, 0
        self.lowest, self.first = start.best, start.first
        self.reports: list[Epoch] = []
        self.reason, self.trouble = "", ""

    def run(self) -> Learned:
        self.begun = time.monotonic()
        try:
            while not self.reason:
                self._epoch(len(self.reports) + 1)
        except KeyboardInterrupt:
            self.reason = "interrupted"
        return Learned(self._checkpoint(), self.best, self.best_epoch, tuple(self.reports), self.reason, self.trouble)

    def _checkpoint(self) -> Checkpoint:
        session = self.session
        return Checkpoint(
            np.array(session.parameters), [dict(memory) for memory in session.memory], session.state, session.number,
            self.start.epoch + len(self.reports), self.lowest, self.first, self.rate,
        )  # fmt: skip

    def _weights(self) -> Checkpoint:
        return Checkpoint(np.array(self.session.parameters), [dict(memory) for memory in self.session.memory])

    def _rates(self, numbers: Iterable[int]) -> list[float]:
        schedule = self.course.schedule
        return [schedule.rate(self.rate, k) if schedule else self.rate for k in numbers]

    def _epoch(self, number: int) -> None:
        session, watch = self.session, self.stopping.watch
        before = self._weights() if watch == "loss" else None
        batches = epoch_batches(self.count, self.size, self.network.seed, self.start.epoch + number - 1, self.course.shuffle)
        total, self.begun_at = 0.0, session.number
        for place in range(0, len(batches), SLICE):
            part = batches[place : place + SLICE]
            rates = self._rates(range(session.number + 1, session.number + 1 + len(part)))
            done = session.number
            losses = session.advance(part, rates, -math.inf)
            if not self._went_well(losses, part, rates, number, done):
                return
            total += sum(loss * sizes for loss, sizes in zip(losses, map(self._rows_in, part), strict=True))
            if self._out_of_time() and place + SLICE < len(batches):
                self.reason = "time"
                return
        if math.isnan(self.first):
            self.first = total / self.count
        self._report(number, total / self.count, rates[-1], before)

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
        batch = np.arange(self.count)[part[bad]]
        when = f"update {done + bad + 1} (epoch {epoch}, batch {done - self.begun_at + bad + 1}"
        self.trouble = diagnosis.explain(self.task, self.session, batch, losses[bad], rates[bad], when, self.labels)
        return False

    def _report(self, number: int, loss: float, rate: float, before: Checkpoint | None) -> None:
        session, rows = self.session, self.rows
        held = self.validation
        if held is not None:
            validation, penalty = session.loss(held.x, held.t, held.weight)
        else:
            validation, penalty = None, session.loss(rows.x[:1], rows.t[:1])[1] if self.network.penalties else 0.0
        score = None if self.score is None else float(self.score(self._standing()))
        watched = {"loss": loss, "validation": validation, "score": None if score is None else -score}[self.stopping.watch]
        if watched is None:
            raise InputError(f"nothing to watch: {self.stopping.watch} needs validation rows", field="stopping")
        improved = watched <= self.lowest - self.stopping.tolerance
        self.since = 0 if improved else self.since + 1
        best = watched < self.lowest
        if best:
            self.lowest, self.best_epoch = watched, number
            self.best = before or self._weights()
        seconds = time.monotonic() - self.begun
        report = Epoch(
            number, session.number, loss, penalty, rate, validation, score, best, self.since, seconds,
            number * self.count / max(seconds, 1e-9), (self.course.epochs - number) * seconds / number,
        )  # fmt: skip
        self.reports.append(report)
        told = [callback(report) for callback in self.callbacks]  # every one, even after a True
        self.reason = "callback" if any(told) else self._ended(number)

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
    """Rows as an engine takes them."""
    x = network.rows(rows.x)
    weight = None if rows.weight is None else np.asarray(rows.weight, dtype=network.dtype).reshape(-1, 1)
    return Rows(x, network.goals(rows.t, len(x)), weight)


def epoch_batches(rows: int, size: int, seed: int, epoch: int, shuffle: bool = True) -> list[Any]:
    """The batches of an epoch (from 0): row numbers, shuffled as a function of seed and epoch, or in their order."""
    if size >= rows:
        return [slice(None)]
    order = draws.permutation(seed, epoch, rows) if shuffle else np.arange(rows)
    return [order[start : start + size] for start in range(0, rows, size)]
