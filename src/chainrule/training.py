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
from chainrule.engines import reference
from chainrule.engines.reference import State, Update
from chainrule.errors import InputError, RunError, shown
from chainrule.network import Network
from chainrule.readers import Floats, Rounder, Rounding, for_numbers
from chainrule.rules.optimizers import SGD
from chainrule.rules.rule import Clipping, Optimizer, Schedule


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
    report: Callable[[int, float], None] | None = None,
) -> Outcome:
    """Trains a copy of the network. One epoch is one pass over the rows: one update without batch_size.

    updates: at most so many. until: stop when the loss of all rows is at most this. patience: stop after so many epochs
    that did not bring the loss of all rows down by more than tolerance. Raises InputError if nothing would end it.
    """
    _check(updates, until, patience, batch_size)
    network = copy.copy(network)
    network.memory = [dict(memory) for memory in network.memory]
    x = network.rows(x)
    t = network.goals(t, len(x))
    weight = None if weight is None else np.asarray(weight, dtype=network.dtype).reshape(-1, 1)
    reference.check_order(network, conventions, clipping)
    batches = _Batches(len(x), batch_size, network.seed)
    buffer = np.array(network.parameters)
    views = network.views(buffer)
    state = reference.begin(network, optimizer)
    numbers = for_numbers(buffer)
    rounding = Rounding(conventions.intermediate, conventions.places)
    exact = conventions.intermediate == "exact"
    plan = network.fused if exact else network.stated
    losses: list[float] = []
    best, best_epoch = math.inf, 0
    number, reason = 0, "updates"

    with np.errstate(all="ignore"):
        while True:
            m: Floats = numbers if exact else Rounder(rounding)
            rows = batches.rows(number + 1)
            rate = schedule.rate(optimizer.learning_rate, number + 1) if schedule else optimizer.learning_rate
            update = Update(optimizer, number + 1, rate, state, clipping, conventions)
            dressed = reference.dressed(network, views, len(x[rows]), number + 1, keeps)
            result = reference.step(
                m, network, plan, dressed, x[rows], t[rows], None if weight is None else weight[rows], update
            )
            epoch, first = batches.epoch(number + 1)
            loss = float(result.loss)
            if first and (until is not None or patience is not None):
                whole = loss if batches.whole else _loss(network, views, x, t, weight, number + 1, keeps)
                if until is not None and whole <= until:
                    reason = "until"
                    break
                if whole < best - tolerance * (patience is not None):
                    best, best_epoch = whole, epoch
                if patience is not None and epoch - best_epoch >= patience:
                    reason = "patience"
                    break
            if updates is not None and number >= updates:
                break
            if not math.isfinite(loss):
                reason = "not finite"
                break
            losses.append(loss)
            number += 1
            for span in network.spans:
                views[span.layer - 1][span.symbol][...] = result.parameters[span.layer - 1][span.symbol]
            state = result.state
            for place, layer in enumerate(network.layers):
                network.memory[place].update(layer.remember(m, dressed[place], result.saved[place]))
            if report is not None:
                report(number, loss)
    return Outcome(buffer, state, network.memory, number, loss, losses, reason)


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


def _loss(network: Network, views: Any, x: Any, t: Any, weight: Any, number: int, keeps: dict[int, Any] | None) -> float:
    m, plan = for_numbers(network.parameters), network.fused
    dressed = reference.dressed(network, views, len(x), number, keeps)
    y, _ = reference.forward(m, plan.layers, dressed, x)
    return float(reference.objective(m, plan, network.penalties, dressed, y, t, weight))


class _Batches:
    """Which rows belong to which update: all of them, or a shuffled part."""

    def __init__(self, rows: int, size: int | None, seed: int) -> None:
        self.count, self.size, self.seed = rows, min(size or rows, rows), seed
        self.whole = self.size == rows
        self.per_epoch = -(-rows // self.size)
        self._order: tuple[int, Any] = (-1, None)

    def epoch(self, number: int) -> tuple[int, bool]:
        """The epoch of an update, from 0, and whether it is the epoch's first."""
        return (number - 1) // self.per_epoch, (number - 1) % self.per_epoch == 0

    def rows(self, number: int) -> Any:
        if self.whole:
            return slice(None)
        epoch, _ = self.epoch(number)
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
        if value is not None and (isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least):
            raise InputError(f"{name} must be a whole number, at least {least}", got=shown(value), field=name)
    if until is not None and not math.isfinite(until):
        raise InputError("until must be a finite number", got=shown(until), field="until")
