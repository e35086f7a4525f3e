"""The training loop: update after update, until the loss reaches a value, stops improving, or the updates are done."""

from __future__ import annotations

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
    tolerance: float = TOLERANCE,
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
    _check(updates, until, patience, batch_size, tolerance)
    x = network.rows(x)
    t = network.goals(t, len(x))
    weight = network.weights(weight, len(x))
    optimizer = network.like(optimizer)
    clipping = None if clipping is None else network.like(clipping)
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
