"""How training goes, where it stands and what is told of it, as plain data; the loop itself is in epochs.py."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np

from chainrule.engines.reference import State
from chainrule.rules.rule import Clipping, Schedule
from chainrule.training import check_count


class Stored(Protocol):
    """Rows that are not in memory: `take` reads some of them, in the order asked for."""

    def __len__(self) -> int: ...

    def take(self, rows: Any) -> Any: ...


class Rows(NamedTuple):
    """Rows with their targets, and what each counts: x (rows, inputs), t (rows, outputs), weight None or (rows,).

    most: None where x is an array. Where it is Stored (and t, perhaps), so many rows are in memory at a time, or the rows of
    one batch; the bits are the same.
    """

    x: Any
    t: Any
    weight: Any = None
    most: int | None = None


def some(values: Any, rows: Any) -> Any:
    """Some rows of an array, or of what is Stored: an array."""
    return values[rows] if isinstance(values, np.ndarray) else values.take(rows)


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
class Midway:
    """A run stopped between two updates: all that it goes on from, to the same bits.

    last: where it stands. batches: how many of the epoch that has begun are done; total: their losses, each times its
    rows; before: the weights this epoch began with, if the training loss decides what is best.
    """

    last: Checkpoint
    best: Checkpoint
    best_epoch: int = 0
    since: int = 0
    epochs: tuple[Epoch, ...] = ()
    batches: int = 0
    total: float = 0.0
    before: Checkpoint | None = None


class Standing(Protocol):
    """A run between two updates. Both answers copy the parameters: ask only for what is needed."""

    def checkpoint(self) -> Checkpoint: ...

    def midway(self) -> Midway: ...


Between = Callable[[Standing], bool]
"""Called several times a second, and after each epoch; training ends when it returns True."""


@dataclass(frozen=True, eq=False)
class Learned:
    """Where training ended, and its best weights.

    best: the checkpoint of the best watched number, in epoch best_epoch of this run (0: the start, no epoch was as good).
    A training loss belongs to the weights its epoch began with, a validation number to those it ended with.
    reason: "epochs", "patience", "time", "callback", "stopped" (by `between`), "interrupted" or "not finite"; trouble: what
    happened then, in words. midway: what a run goes on from that was stopped or ran out of time.
    """

    last: Checkpoint
    best: Checkpoint
    best_epoch: int
    epochs: tuple[Epoch, ...]
    reason: str
    trouble: str = ""
    midway: Midway | None = None


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
