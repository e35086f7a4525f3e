"""What to train and how, where nobody said: a network, an optimizer, a schedule and an end, chosen by the table's size.

Each choice carries its reason. docs/defaults.md holds the scores that these choices were made by.
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

FEW, MANY, LOTS = 1000, 5000, 20_000
"""Rows to train on. Below MANY every row is needed for training, so that none is left to say when to end; below FEW single
updates need few rows, to be many. From LOTS on, time counts more than digits."""

STRENGTHS = ((0.1, 0.0), (0.3, 0.0), (1.0, 0.0), (1.0, 0.2), (1.0, 0.4))
"""Weight decay and dropout, from the weakest hold on the weights to the strongest. Which one fits does not follow from a
table's size, but from how much of the target the inputs say."""

MIDDLE = 2
"""The place in STRENGTHS of what is good enough for most tables."""


@dataclass(frozen=True)
class Recipe:
    """A network and the way to train it.

    hidden: units of each hidden layer. dropout: after each hidden layer. norm: "none", "layer" or "batch", between sums and
    activation. weight_decay: AdamW's own, or an L2 penalty elsewhere. schedule: "constant", "cosine" or "one_cycle", over all
    updates. batch_size: None is all rows at once. patience: epochs without a better validation loss, None for all epochs.
    validation_fraction: of the rows to train on, 0 for none. clip_norm: None is no limit.
    strengths: pairs of weight_decay and dropout that `trials.tried` chooses from; nothing where they are settled.
    reasons: why, for each setting that has something to say.
    """

    task: str
    hidden: tuple[int, ...] = (64, 64)
    activation: str = "relu"
    norm: str = "none"
    dropout: float = 0.0
    optimizer: str = "adamw"
    learning_rate: float = 0.01
    schedule: str = "one_cycle"
    weight_decay: float = 0.0
    clip_norm: float | None = None
    batch_size: int | None = 32
    epochs: int = 100
    validation_fraction: float = 0.0
    patience: int | None = None
    dtype: str = "float64"
    strengths: tuple[tuple[float, float], ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, allowed in (("task", TASKS), ("norm", ("none", "layer", "batch")), ("schedule", SCHEDULES)):
            value = getattr(self, name)
            if value not in allowed:
                raise InputError(f"unknown {name}", got=shown(value), do=nearest(value, allowed), field=name)
        if not 0 <= self.validation_fraction < 1:
            got = shown(self.validation_fraction)
            raise InputError("validation_fraction must be at least 0 and below 1", got=got, field="validation_fraction")
        if self.patience is not None and not self.validation_fraction:
            do = "keep some rows aside: 0.15, say"
            raise InputError("patience needs validation rows to watch", got="none of them", do=do, field="patience")

    @property
    def keeps(self) -> str:
        """Which weights to keep: "best" where validation rows say which those are, else "last"."""
        return "best" if self.validation_fraction else "last"

    def changed(self, **settings: Any) -> Recipe:
        """The recipe with settings that the user gave, and says so where they differ. InputError for what is unknown or
        impossible."""
        for name in settings:
            if name not in SETTINGS:
                raise InputError("unknown setting", got=shown(name), do=nearest(name, SETTINGS), field=name)
        strengths = () if {"weight_decay", "dropout", "optimizer"} & set(settings) else self.strengths
        others = [name for name, value in settings.items() if value != getattr(self, name)]
        reasons = {**self.reasons, **dict.fromkeys(others, "as given")}
        if "validation_fraction" in others and "patience" not in others:
            reasons.pop("patience", None)  # it was about other validation rows
        return replace(self, **settings, strengths=strengths, reasons=reasons)

    def settled(self, weight_decay: float, dropout: float, why: str) -> Recipe:
        """The recipe with one of its strengths."""
        reasons = {**self.reasons, "weight_decay": why, "dropout": why}
        return replace(self, weight_decay=weight_decay, dropout=dropout, strengths=(), reasons=reasons)

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
        """How training goes on so many rows (validation rows not counted)."""
        schedule: Schedule | None = None
        if self.schedule != "constant":
            schedule = find("schedule", self.schedule)(updates=max(self.updates(rows), 2))
        watch = "validation" if self.validation_fraction else "loss"
        return Course(
            self.epochs, self.batch_size, schedule=schedule, clipping=ClipNorm(self.clip_norm) if self.clip_norm else None,
            stopping=Stopping(watch, self.patience, tolerance=0.0, seconds=seconds), engine=engine, threads=threads,
        )  # fmt: skip

    def updates(self, rows: int) -> int:
        """Updates of all epochs on so many rows."""
        return self.epochs * math.ceil(rows / min(self.batch_size or rows, rows))

    def lines(self) -> tuple[tuple[str, str, str], ...]:
        """Name, value and reason of each setting, for a person."""
        return tuple((name, _told(getattr(self, name)), self.reasons.get(name, "")) for name in SETTINGS)


SCHEDULES = ("constant", "cosine", "one_cycle")

SETTINGS = tuple(entry.name for entry in fields(Recipe) if entry.name not in ("task", "strengths", "reasons"))
"""What a recipe settles, in the order in which it is told."""


def _told(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def recipe(rows: int, inputs: int, outputs: int, task: str) -> Recipe:
    """The recipe for a table: rows to train on (validation rows still among them), the network's inputs and outputs, and what
    the target means: "classes", "yes_or_no" or "number"."""
    few, many, lots = rows < FEW, rows >= MANY, rows >= LOTS
    batch = 32 if few else 64 if not many else 128 if not lots else 256
    updates = 500 if few else 1000 if not many else 3000
    weight_decay, dropout = STRENGTHS[MIDDLE] if not many else (0.3, 0.1)
    held = 0.1 if many else 0.0
    epochs = max(4, min(500, round(updates / math.ceil(max(rows * (1 - held), 1) / batch))))
    return Recipe(
        task,
        hidden=(128, 128) if many else (64, 64),
        activation="relu" if many else "silu",
        dropout=dropout,
        learning_rate=0.02,
        weight_decay=weight_decay,
        batch_size=batch,
        epochs=epochs,
        validation_fraction=held,
        patience=max(10, epochs // 2) if many else None,
        dtype="float32" if lots else "float64",
        strengths=() if many else STRENGTHS,
        reasons=_reasons(rows, many, lots, updates, batch),
    )


def _reasons(rows: int, many: bool, lots: bool, updates: int, batch: int) -> dict[str, str]:
    strength = "holds the weights back, so that they follow what many rows have in common"
    end = f"about {updates:,} updates of {batch} rows"
    return {
        "hidden": "two layers learn how inputs work together; more units would cost time and change the scores little",
        "activation": "quick, and learns sharp edges where there are many rows"
        if many
        else "smooth: with few rows, smooth curves between them are the better guess",
        "norm": "the inputs are scaled already, and two layers need no more",
        "dropout": strength,
        "optimizer": "a step size for each weight, so that it suits tables of all kinds without tuning",
        "learning_rate": "as high as it can be: the schedule brings it down",
        "schedule": "up, then down to nearly nothing: few epochs suffice, and the last one is good",
        "weight_decay": strength,
        "clip_norm": "not needed with this optimizer and schedule",
        "batch_size": "rarely more than this many rows say anything new in one update",
        "epochs": f"{end}: more change the scores little" if not many else f"at least 4, and {end}",
        "validation_fraction": "rows enough to say which epoch is best"
        if many
        else f"{rows:,} rows are few: all are trained on, and the schedule makes the last epoch a good one",
        "patience": "half of all epochs: what only gets better when the schedule comes down is waited for"
        if many
        else "there are no validation rows to watch",
        "dtype": "half the time; 7 digits are enough to train" if lots else "16 digits, and still quick",
    }


def preset(name: str, task: str) -> Recipe:
    """A recipe by its name: "textbook" is plain gradient descent on sigmoid units, and nothing else."""
    if name != "textbook":
        raise InputError("unknown preset", got=shown(name), do=nearest(name, PRESETS), field="preset")
    return Recipe(
        task,
        hidden=(16,),
        activation="sigmoid",
        optimizer="sgd",
        learning_rate=0.5 if task != "number" else 0.1,
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
