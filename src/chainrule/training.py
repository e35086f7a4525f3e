"""The training loop, whatever the engine. `run` counts updates, `learn` counts epochs and watches validation rows."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from chainrule import diagnosis, draws
from chainrule.conventions import Conventions
from chainrule.engines import Task, choose
from chainrule.engines.reference import State
from chainrule.errors import InputError, RunError, shown
from chainrule.network import Network
from chainrule.rules.optimizers import SGD
from chainrule.rules.rule import Clipping, Optimizer, Schedule

SLICE = 1000
"""Updates that an engine runs in one call."""


@dataclass(frozen=True)
class Outcome:
    """Where training ended. `loss` belongs to `parameters`: it is the loss before update number + 1.

    losses: the loss before each update, of that update's batch. reason: "updates", "until", "patience" or "not finite".
    """

    parameters: Any
    state: State
    memory: list[dict[str, Any]]
    number: int
    loss: float
    losses: list[float]
    reason: str


def run(
    network: Network,
    x: Any,
    t: Any,
    optimizer: Optimizer,
    *,
    updates: int | None = None,
    until: float | None = None,
    patience: int | None = None,
    tolerance: float = 1e-4,
    batch_size: int | None = None,
    schedule: Schedule | None = None,
    clipping: Clipping | None = None,
    conventions: Conventions = Conventions(),
    weight: Any = None,
    keeps: dict[int, Any] | None = None,
    engine: str = "auto",
    report: Callable[[int, float], None] | None = None,
) -> Outcome:
    """Trains a copy of the network. One epoch is one pass over the rows: one update without batch_size.

    updates: at most so many. until: stop when the loss of all rows is at most this. patience: stop after so many epochs
    that did not bring the loss of all rows down by more than tolerance. engine: "auto", or the name of one. Raises
    InputError if nothing would end it.
    """
    _check(updates, until, patience, batch_size)
    x = network.rows(x)
    t = network.goals(t, len(x))
    weight = None if weight is None else np.asarray(weight, dtype=network.dtype).reshape(-1, 1)
    task = Task(network, x, t, optimizer, weight, clipping, conventions, keeps)
    session = choose(engine, task).Session(task)
    batches = _Batches(len(x), batch_size, network.seed)
    watch = _Watch(until, patience, tolerance)

    def advance(count: int, goal: float) -> list[float]:
        numbers = range(session.number + 1, session.number + 1 + count)
        rates = [schedule.rate(optimizer.learning_rate, k) if schedule else optimizer.learning_rate for k in numbers]
        found: list[float] = session.advance([batches.rows(k) for k in numbers], rates, goal)
        return found

    losses: list[float] = []
    while not watch.ended and (updates is None or session.number < updates):
        left = SLICE if updates is None else min(SLICE, updates - session.number)
        if batches.whole:
            found = advance(left if patience is None else 1, -math.inf if until is None else until)
            watch.see(found[-1])
        else:
            if watch.watching:
                watch.see(sum(session.loss(x, t, weight)))
                if watch.ended:
                    break
            found = advance(min(left, batches.left_in_epoch(session.number)), -math.inf)
            if not math.isfinite(found[-1]):
                watch.ended = "not finite"
        losses += found[: len(found) - (watch.ended in ("until", "not finite"))]
        if report is not None:
            report(session.number, found[-1])
    loss = advance(1, math.inf)[0]
    return Outcome(session.parameters, session.state, session.memory, session.number, loss, losses, watch.ended or "updates")


class _Watch:
    """Looks at the loss of all rows, epoch by epoch, and says when it is time to end."""

    def __init__(self, until: float | None, patience: int | None, tolerance: float) -> None:
        self.until, self.patience, self.tolerance = until, patience, tolerance
        self.watching = until is not None or patience is not None
        self.ended = ""
        self._best, self._since = math.inf, 0

    def see(self, loss: float) -> None:
        if not math.isfinite(loss):
            self.ended = "not finite"
        elif self.until is not None and loss <= self.until:
            self.ended = "until"
        elif loss < self._best - self.tolerance:
            self._best, self._since = loss, 0
        else:
            self._since += 1
            if self.patience is not None and self._since >= self.patience:
                self.ended = "patience"


def train(network: Network, x: Any, t: Any, optimizer: Optimizer | None = None, **options: Any) -> Outcome:
    """Trains the network in place; the options are those of `run`. Raises InputError if the loss becomes infinite."""
    optimizer = optimizer or SGD()
    outcome = run(network, x, t, optimizer, **options)
    if outcome.reason == "not finite":
        raise diverged(outcome.number, optimizer.learning_rate)
    network.parameters, network.memory = outcome.parameters, outcome.memory
    return outcome


def diverged(number: int, rate: float) -> RunError:
    """What to say when the loss is no longer a number."""
    return RunError(
        f"the loss is not finite after update {number}",
        got=f"learning rate {rate:g}",
        do=f"try a learning rate of {rate / 10:g}, or clip_norm = 1",
    )


class _Batches:
    """Which rows belong to which update: all of them, or a shuffled part."""

    def __init__(self, rows: int, size: int | None, seed: int) -> None:
        self.count, self.size, self.seed = rows, min(size or rows, rows), seed
        self.whole = self.size == rows
        self.per_epoch = -(-rows // self.size)
        self._order: tuple[int, Any] = (-1, None)

    def left_in_epoch(self, number: int) -> int:
        """Updates from `number` to the end of the epoch."""
        return self.per_epoch - number % self.per_epoch

    def rows(self, number: int) -> Any:
        if self.whole:
            return slice(None)
        epoch = (number - 1) // self.per_epoch
        if self._order[0] != epoch:
            self._order = (epoch, draws.permutation(self.seed, epoch, self.count))
        start = (number - 1) % self.per_epoch * self.size
        return self._order[1][start : start + self.size]


def batch(rows: int, size: int | None, seed: int, number: int) -> Any:
    """The rows (from 0) of an update's batch."""
    return np.arange(rows)[_Batches(rows, size, seed).rows(number)]


def _check(updates: int | None, until: float | None, patience: int | None, batch_size: int | None) -> None:
    if updates is None and until is None and patience is None:
        raise InputError("nothing would end the training", do="give updates, until or patience")
    for name, value, least in (("updates", updates, 0), ("patience", patience, 1), ("batch_size", batch_size, 1)):
        check_count(name, value, least)
    if until is not None and not math.isfinite(until):
        raise InputError("until must be a finite number", got=shown(until), field="until")


def check_count(name: str, value: Any, least: int) -> None:
    """An InputError unless the value is None or a whole number, at least `least`."""
    if value is not None and (isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least):
        raise InputError(f"{name} must be a whole number, at least {least}", got=shown(value), field=name)


# epochs

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


def learn(
    network: Network,
    rows: Rows,
    optimizer: Optimizer,
    *,
    epochs: int,
    batch_size: int | None = None,
    shuffle: bool = True,
    schedule: Schedule | None = None,
    clipping: Clipping | None = None,
    validation: Rows | None = None,
    score: Callable[[Network], float] | None = None,
    stopping: Stopping = Stopping(),
    callbacks: Sequence[Callback] = (),
    start: Checkpoint | None = None,
    engine: str = "auto",
    threads: int | None = None,
    labels: Any = None,
) -> Learned:
    """Trains a copy of the network, epoch after epoch. A run that continues from another's `last` gives the same bits as
    one run of all epochs.

    score: a number of the network as it stands, higher is better. labels: what the user calls each row, for messages.
    KeyboardInterrupt ends training with what there is. Raises InputError for what does not fit.
    """
    for name, value in (("epochs", epochs), ("batch_size", batch_size)):
        check_count(name, value, 1)
    return _Course(network, rows, optimizer, epochs, batch_size, shuffle, schedule, clipping, validation, score, stopping,
                   tuple(callbacks), start, engine, threads, labels).run()  # fmt: skip


class _Course:
    """One run of `learn`."""

    def __init__(
        self,
        network: Network,
        rows: Rows,
        optimizer: Optimizer,
        epochs: int,
        batch_size: int | None,
        shuffle: bool,
        schedule: Schedule | None,
        clipping: Clipping | None,
        validation: Rows | None,
        score: Callable[[Network], float] | None,
        stopping: Stopping,
        callbacks: tuple[Callback, ...],
        start: Checkpoint | None,
        engine: str,
        threads: int | None,
        labels: Any,
    ) -> None:
        self.rows, self.validation = _columns(network, rows), _columns(network, validation)
        self.count = len(self.rows.x)
        self.size = min(batch_size or self.count, self.count)
        self.epochs, self.shuffle, self.optimizer, self.schedule = epochs, shuffle, optimizer, schedule
        self.score, self.stopping, self.callbacks, self.labels = score, stopping, callbacks, labels
        self.start = start or Checkpoint(network.parameters, network.memory)
        self.network = copy.copy(network)
        self.network.memory = self.start.memory
        self.rate = self.start.rate or optimizer.learning_rate
        task = Task(
            self.network, self.rows.x, self.rows.t, optimizer, self.rows.weight, clipping,
            parameters=self.start.parameters, state=self.start.state, number=self.start.updates, threads=threads,
        )  # fmt: skip
        self.task = task
        self.session = choose(engine, task).Session(task)
        self.best, self.best_epoch, self.since = self.start, 0, 0
        self.lowest, self.first = self.start.best, self.start.first
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
        return [self.schedule.rate(self.rate, k) if self.schedule else self.rate for k in numbers]

    def _epoch(self, number: int) -> None:
        session, watch = self.session, self.stopping.watch
        before = self._weights() if watch == "loss" else None
        batches = epoch_batches(self.count, self.size, self.network.seed, self.start.epoch + number - 1, self.shuffle)
        total = 0.0
        for place in range(0, len(batches), SLICE):
            part = batches[place : place + SLICE]
            rates = self._rates(range(session.number + 1, session.number + 1 + len(part)))
            losses = session.advance(part, rates, -math.inf)
            if not self._went_well(losses, part, rates, number):
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

    def _went_well(self, losses: list[float], part: Sequence[Any], rates: Sequence[float], epoch: int) -> bool:
        limit = DIVERGED * max(self.first, 1.0) if math.isfinite(self.first) else math.inf
        bad = next((i for i, loss in enumerate(losses) if not (math.isfinite(loss) and loss <= limit)), None)
        if bad is None and np.isfinite(self.session.parameters).all():
            return True
        bad = len(losses) - 1 if bad is None else bad
        self.reason = "not finite"
        batch = np.arange(self.count)[part[bad]]
        self.trouble = diagnosis.explain(
            self.task, self.session, batch, losses[bad], rates[bad], f"epoch {epoch}, batch {bad + 1}", self.labels
        )
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
            number * self.count / max(seconds, 1e-9), (self.epochs - number) * seconds / number,
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
        if number == self.epochs:
            return "epochs"
        return "time" if self._out_of_time() else ""

    def _standing(self) -> Network:
        network = copy.copy(self.network)
        network.parameters, network.memory = self.session.parameters, self.session.memory
        return network


def _columns(network: Network, rows: Rows | None) -> Any:
    """Rows as an engine takes them; None stays None."""
    if rows is None:
        return None
    x = network.rows(rows.x)
    weight = None if rows.weight is None else np.asarray(rows.weight, dtype=network.dtype).reshape(-1, 1)
    return Rows(x, network.goals(rows.t, len(x)), weight)


def epoch_batches(rows: int, size: int, seed: int, epoch: int, shuffle: bool = True) -> list[Any]:
    """The batches of an epoch (from 0): row numbers, shuffled as a function of seed and epoch, or in their order."""
    if size >= rows:
        return [slice(None)]
    order = draws.permutation(seed, epoch, rows) if shuffle else np.arange(rows)
    return [order[start : start + size] for start in range(0, rows, size)]
