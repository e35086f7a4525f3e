"""What to train and how, where nobody said: a network, an optimizer, a schedule and an end, chosen by the table's size.

Each choice carries its reason. docs/defaults.md holds the scores these choices were made by.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from chainrule.course import Course, Stopping
from chainrule.errors import InputError, nearest, shown
from chainrule.network import Network
from chainrule.rules import find
from chainrule.rules.layers import BatchNorm, Dense, Dropout, LayerNorm
from chainrule.rules.optimizers import ClipNorm
from chainrule.rules.rule import Layer, Optimizer, Schedule

TASKS = {
    "classes": ("softmax", "cross_entropy"),
    "yes_or_no": ("sigmoid", "binary_cross_entropy"),
    "number": ("identity", "mean_squared_error"),
}
"""What the target means -> the last layer's activation, and the loss."""

PRESETS = ("auto", "textbook")


@dataclass(frozen=True)
class Recipe:
    """A network and the way to train it. Numbers of rows are training rows, validation rows not counted.

    hidden: units of each hidden layer. dropout: after each hidden layer. norm: "none", "layer" or "batch", between sums and
    activation. weight_decay: AdamW's own, or an L2 penalty elsewhere. schedule: "constant", "cosine" or "one_cycle", over all
    updates. batch_size: None is all rows at once. patience: epochs without a better validation loss, None for all epochs.
    validation_fraction: of the rows to train on, 0 for none. clip_norm: None is no limit.
    reasons: why, for each setting that has something to say.
    """

    task: str
    hidden: tuple[int, ...] = (64,)
    activation: str = "relu"
    dropout: float = 0.0
    norm: str = "none"
    optimizer: str = "adamw"
    learning_rate: float = 0.01
    weight_decay: float = 0.0
    schedule: str = "cosine"
    batch_size: int | None = 32
    epochs: int = 100
    patience: int | None = None
    validation_fraction: float = 0.0
    clip_norm: float | None = None
    dtype: str = "float64"
    reasons: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.task not in TASKS:
            raise InputError("unknown task", got=shown(self.task), do=nearest(self.task, TASKS), field="task")
        for name, allowed in (("norm", ("none", "layer", "batch")), ("schedule", ("constant", "cosine", "one_cycle"))):
            if getattr(self, name) not in allowed:
                value = getattr(self, name)
                raise InputError(f"unknown {name}", got=shown(value), do=nearest(value, allowed), field=name)
        if not 0 <= self.validation_fraction < 1:
            raise InputError(
                "validation_fraction must be at least 0 and below 1", got=shown(self.validation_fraction),
                field="validation_fraction",
            )  # fmt: skip
        if self.patience is not None and not self.validation_fraction:
            raise InputError(
                "patience needs validation rows to watch", got="validation_fraction 0", do="use validation_fraction 0.15",
                field="patience",
            )  # fmt: skip

    @property
    def keeps(self) -> str:
        """Which weights to keep: "best" where validation rows say which those are, else "last"."""
        return "best" if self.validation_fraction else "last"

    def changed(self, **settings: Any) -> Recipe:
        """The recipe with settings that the user gave, and says so. InputError for what is unknown or impossible."""
        known = [entry.name for entry in fields(self) if entry.name not in ("task", "reasons")]
        for name in settings:
            if name not in known:
                raise InputError("unknown setting", got=shown(name), do=nearest(name, known), field=name)
        return replace(self, **settings, reasons={**self.reasons, **dict.fromkeys(settings, "as given")})

    def network(self, inputs: int, outputs: int, seed: int = 0) -> Network:
        """The untrained network."""
        last, loss = TASKS[self.task]
        layers: list[Layer] = []
        for units in self.hidden:
            activation = find("activation", self.activation)()
            if self.norm == "none":
                layers.append(Dense(units, activation))
            else:
                layers += [Dense(units), BatchNorm() if self.norm == "batch" else LayerNorm(), activation]
            if self.dropout:
                layers.append(Dropout(self.dropout))
        layers.append(Dense(outputs, find("activation", last)()))
        decays = self.optimizer == "adamw" or not self.weight_decay
        penalties = () if decays else (find("penalty", "l2")(self.weight_decay),)
        return Network(layers, inputs, loss, seed=seed, penalties=penalties, dtype=self.dtype)

    def rule(self) -> Optimizer:
        """The optimizer."""
        options = {"weight_decay": self.weight_decay} if self.optimizer == "adamw" else {}
        made: Optimizer = find("optimizer", self.optimizer)(learning_rate=self.learning_rate, **options)
        return made

    def course(self, rows: int, *, seconds: float | None = None, engine: str = "auto", threads: int | None = None) -> Course:
        """How training goes on so many rows."""
        updates = self.epochs * math.ceil(rows / min(self.batch_size or rows, rows))
        schedule: Schedule | None = None
        if self.schedule != "constant":
            schedule = find("schedule", self.schedule)(updates=max(updates, 2))
        watch = "validation" if self.validation_fraction else "loss"
        return Course(
            self.epochs, self.batch_size, schedule=schedule, clipping=ClipNorm(self.clip_norm) if self.clip_norm else None,
            stopping=Stopping(watch, self.patience, tolerance=0.0, seconds=seconds), engine=engine, threads=threads,
        )  # fmt: skip

    def lines(self) -> tuple[tuple[str, str, str], ...]:
        """Setting, value and reason of each setting, for a person."""
        entries = [entry.name for entry in fields(self) if entry.name not in ("task", "reasons")]
        return tuple((name, _told(getattr(self, name)), self.reasons.get(name, "")) for name in entries)


def _told(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def recipe(rows: int, inputs: int, outputs: int, task: str) -> Recipe:
    """The recipe for a table: rows to train on (validation rows still among them), the network's inputs and outputs, and what
    the target means: "classes", "yes_or_no" or "number"."""
    few = rows < 2000
    size = 32 if few else 64
    epochs = max(20, min(200, round(4000 * size / rows)))
    return Recipe(
        task,
        hidden=(64, 64),
        dropout=0.1,
        learning_rate=0.005,
        weight_decay=0.1,
        schedule="one_cycle",
        batch_size=size,
        epochs=epochs,
        validation_fraction=0.0 if few else 0.15,
        patience=None if few else 20,
    )


def preset(name: str, task: str) -> Recipe:
    """A recipe by its name: "textbook" is plain gradient descent on sigmoid units, and nothing else."""
    if name != "textbook":
        raise InputError("unknown preset", got=shown(name), do=nearest(name, PRESETS), field="preset")
    return Recipe(
        task,
        hidden=(16,),
        activation="sigmoid",
        optimizer="sgd",
        learning_rate=0.5,
        schedule="constant",
        batch_size=16,
        epochs=200,
        reasons={
            "hidden": "one hidden layer, as in a textbook",
            "activation": "its slope is a (1 - a): the easiest to follow by hand",
            "optimizer": "each weight goes down its own slope, and nothing else",
            "learning_rate": "large, because the slopes of sigmoid units are small",
            "schedule": "the same step throughout",
        },
    )
