"""The training loop: update after update, until the loss reaches a value, stops improving, or the updates are done."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule import draws
from chainrule.conventions import Conventions
from chainrule.engines import Task, choose
from chainrule.engines.reference import State
from chainrule.errors import InputError, RunError, shown
from chainrule.network import Network
from chainrule.rules.optimizers import SGD
from chainrule.rules.rule import Clipping, Optimizer, Schedule, made

TOLERANCE = 1e-4
"""By so much the loss has to come down within `patience` epochs: scikit-learn's."""

SLICE = 1000
"""Updates that an engine runs in one call."""


@dataclass(frozen=True)
class Reached:
    """Where training stands after `number` updates: all that it goes on from, to the same bits."""

    parameters: Any
    state: State
    memory: list[dict[str, Any]]
    number: int


@dataclass(frozen=True)
class Outcome(Reached):
    """Where training ended. `loss` belongs to `parameters`: it is the loss before update number + 1.

    losses: the loss before each update, of that update's batch. reason: "updates", "until", "patience" or "not finite".
    """

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
    tolerance: float = TOLERANCE,
    batch_size: int | None = None,
    schedule: Schedule | None = None,
    clipping: Clipping | None = None,
    conventions: Conventions = Conventions(),
    weight: Any = None,
    keeps: dict[int, Any] | None = None,
    engine: str = "auto",
    start: Reached | None = None,
    report: Callable[[int, float], None] | None = None,
) -> Outcome:
    """Trains a copy of the network. One epoch is one pass over the rows: one update without batch_size.

    updates: at most so many, those before `start` counted. until: stop when the loss of all rows is at most this. patience:
    stop after so many epochs that did not bring the loss of all rows down by more than tolerance. engine: "auto", or the
    name of one. Raises InputError if nothing would end it.
    """
    _check(updates, until, patience, batch_size, tolerance)
    going = Training(
        network, x, t, optimizer, until=until, patience=patience, tolerance=tolerance, batch_size=batch_size,
        schedule=schedule, clipping=clipping, conventions=conventions, weight=weight, keeps=keeps, engine=engine, start=start,
    )  # fmt: skip
    losses: list[float] = []
    while not going.ended and (updates is None or going.number < updates):
        found = going.advance(SLICE if updates is None else min(SLICE, updates - going.number))
        losses += found
        if report is not None and found:
            report(going.number, going.last)
    loss = going.loss()
    return Outcome(**vars(going.reached), loss=loss, losses=losses, reason=going.ended or "updates")


class Training:
    """Updates of a copy of a network, slice after slice; how they are cut into slices changes no bit and no end.

    ended: why it is over: "until", "patience", "not finite"; empty while it goes on. last: the newest loss that was computed.
    """

    def __init__(
        self,
        network: Network,
        x: Any,
        t: Any,
        optimizer: Optimizer,
        *,
        until: float | None = None,
        patience: int | None = None,
        tolerance: float = TOLERANCE,
        batch_size: int | None = None,
        schedule: Schedule | None = None,
        clipping: Clipping | None = None,
        conventions: Conventions = Conventions(),
        weight: Any = None,
        keeps: dict[int, Any] | None = None,
        engine: str = "auto",
        start: Reached | None = None,
    ) -> None:
        x = network.rows(x)
        self._optimizer, self._schedule, self._patience = network.like(optimizer), schedule, patience
        task = Task(
            network, x, network.goals(t, len(x)), self._optimizer, network.weights(weight, len(x)),
            None if clipping is None else network.like(clipping), conventions, keeps,
        )  # fmt: skip
        if start is not None:
            network = copy.copy(network)
            network.memory = start.memory
            task = task._replace(network=network, parameters=start.parameters, state=start.state, number=start.number)
        self.task = task
        self.session = choose(engine, task).Session(task)
        self.last = math.nan
        self._batches = _Batches(len(x), batch_size, network.seed)
        self._watch = _Watch(until, patience, tolerance)

    @property
    def number(self) -> int:
        """Updates that are done, those before the start counted."""
        return int(self.session.number)

    @property
    def ended(self) -> str:
        return self._watch.ended

    @property
    def reached(self) -> Reached:
        """Where it stands, as a copy that training on leaves as it is."""
        session = self.session
        return Reached(np.array(session.parameters), session.state, [dict(each) for each in session.memory], session.number)

    def rows(self, number: int) -> Any:
        """The rows (from 0) of an update's batch."""
        return np.arange(self._batches.count)[self._batches.rows(number)]

    def rate(self, number: int) -> Any:
        """The learning rate of an update."""
        rate = self._optimizer.learning_rate
        return self._schedule.rate(rate, number) if self._schedule else rate

    def advance(self, most: int) -> list[float]:
        """At most so many updates more: the loss before each that was done, of its batch. Sets `ended` where it is over."""
        batches, watch, number = self._batches, self._watch, self.number
        if batches.whole:
            found = self._advance(most if self._patience is None else 1, -math.inf if watch.until is None else watch.until)
            watch.see(found[-1])
        else:
            if watch.watching and batches.left_in_epoch(number) == batches.per_epoch:
                task = self.task
                watch.see(sum(self.session.loss(task.x, task.t, task.weight)))
                if watch.ended:
                    return []
            found = self._advance(min(most, batches.left_in_epoch(number)), -math.inf)
            if not math.isfinite(found[-1]):
                watch.ended = "not finite"
        self.last = found[-1]
        return found[: len(found) - (watch.ended in ("until", "not finite"))]

    def loss(self) -> float:
        """The loss before the next update, of its batch; nothing is updated."""
        return self._advance(1, math.inf)[0]

    def _advance(self, count: int, goal: float) -> list[float]:
        numbers = range(self.number + 1, self.number + 1 + count)
        rows = [self._batches.rows(k) for k in numbers]
        found: list[float] = self.session.advance(rows, [self.rate(k) for k in numbers], goal)
        return found


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


def train(network: Network, x: Any, t: Any, optimizer: Optimizer | str | None = None, **options: Any) -> Outcome:
    """Trains the network in place; the options are those of `run`. Raises InputError if the loss becomes infinite."""
    optimizer = SGD() if optimizer is None else made("optimizer", optimizer, Optimizer)
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


def _check(updates: int | None, until: float | None, patience: int | None, batch_size: int | None, tolerance: float) -> None:
    if updates is None and until is None and patience is None:
        raise InputError("nothing would end the training", do="give updates, until or patience")
    for name, value, least in (("updates", updates, 0), ("patience", patience, 1), ("batch_size", batch_size, 1)):
        check_count(name, value, least)
    if not isinstance(tolerance, (int, float)) or not math.isfinite(tolerance):
        raise InputError("tolerance must be a finite number", got=shown(tolerance), field="tolerance")
    if until is not None and not math.isfinite(until):
        raise InputError("until must be a finite number", got=shown(until), field="until")


def check_count(name: str, value: Any, least: int) -> None:
    """An InputError unless the value is None or a whole number, at least `least`."""
    if value is not None and (isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least):
        raise InputError(f"{name} must be a whole number, at least {least}", got=shown(value), field=name)
