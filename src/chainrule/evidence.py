"""The record of a run, as far as a diagnosis needs it: what was written down, and what follows from it at once."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from chainrule.settings import Settings


@dataclass(frozen=True)
class Evidence:
    """The record of a run, as far as a diagnosis needs it.

    task: what the target means ("classes", "yes_or_no", "number"). history: a table for each epoch. kept: the epoch whose
    weights the model has, 0 if it has none. figures: of a Judgement, None where no rows were held out. classes, counts, recall:
    each class, its training rows, and the part of its rows held out that was recognised. scale: of a number's target: its
    standard deviation. warned: what was said about the data. weighs: each column, and how much worse the model is without it.
    """

    settings: Settings
    task: str = ""
    history: Sequence[Mapping[str, Any]] = ()
    ended: str = ""
    trouble: str = ""
    kept: int = 0
    figures: Mapping[str, Any] | None = None
    classes: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    recall: tuple[float | None, ...] = ()
    scale: float = 1.0
    warned: tuple[str, ...] = ()
    weighs: tuple[tuple[str, float], ...] = ()

    def data(self) -> dict[str, Any]:
        """What a model's file keeps of it: all but the settings, the history and the figures, which stand elsewhere."""
        told = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        for name in ("settings", "history", "figures"):
            del told[name]
        return {name: [*value] if isinstance(value, tuple) else value for name, value in told.items()} | {
            "weighs": [[*each] for each in self.weighs]
        }

    @classmethod
    def made(
        cls,
        settings: Settings,
        history: Sequence[Mapping[str, Any]],
        figures: Mapping[str, Any] | None,
        data: Mapping[str, Any],
    ) -> Evidence:
        """The inverse of `data`; what is not in it is not known."""
        known = {entry.name for entry in fields(cls)} - {"settings", "history", "figures"}
        told: dict[str, Any] = {name: data[name] for name in known & data.keys()}
        told |= {name: tuple(value) for name, value in told.items() if isinstance(value, list)}
        told["weighs"] = tuple((name, worse) for name, worse in data.get("weighs", ()))
        return cls(settings, history=history, figures=figures, **told)

    @property
    def priced(self) -> bool:
        """Whether the weights have a price: then the training loss without it is not known well in the first epochs."""
        return any(entry.get("penalty") for entry in self.history)

    @property
    def losses(self) -> list[float]:
        """The training loss of each epoch, without the price of the weights: of that only the end of each epoch is known,
        and in between it goes steadily."""
        prices = [entry.get("penalty") or 0.0 for entry in self.history]
        means = [(a + b) / 2 for a, b in itertools.pairwise([*prices[:1], *prices])]
        return [number(entry.get("loss")) - price for entry, price in zip(self.history, means, strict=True)]

    @property
    def curve(self) -> str:
        """Which rows' loss was taken after each epoch besides that of the training rows."""
        return next((name for name in ("validation", "held_out") if self.history and name in self.history[0]), "")

    @property
    def watched(self) -> list[float]:
        """The loss after each epoch that says how good the model is: of rows it is not trained on, else the training loss."""
        found = [number(entry.get(self.curve)) for entry in self.history]
        return found if self.curve and all(map(math.isfinite, found)) else self.losses

    @property
    def measured(self) -> list[tuple[int, list[Mapping[str, Any]]]]:
        """The epochs whose signals were taken, each with its layers."""
        return [(entry["number"], entry["signals"]["layers"]) for entry in self.history if entry.get("signals")]

    @property
    def blind(self) -> float:
        """The loss of a model that knows nothing but how frequent each class is, or the mean; NaN if some rows count more."""
        if self.settings.weights is not None or self.settings.class_weight != "none":
            return math.nan
        if self.task == "number":
            return 1.0  # the targets are standardised
        total = sum(self.counts)
        return -sum(n / total * math.log(n / total) for n in self.counts if n) if total else math.nan

    @property
    def measure(self) -> str:
        """The figure by which models are compared."""
        if self.task == "number":
            return "r2"
        return "accuracy" if self.settings.class_weight == "none" else "balanced_accuracy"

    def score(self, *names: str) -> float:
        """That figure of the model, or of a baseline under one of these names; NaN if it is not known."""
        figures = self.figures or {}
        return next((float(figures[name][self.measure]) for name in names if name in figures), math.nan)

    @property
    def luck(self) -> float:
        """By how much two scores on the rows held out may differ for nothing."""
        if self.figures is None or self.task == "number":
            return max(0.02, 0.5 / math.sqrt(self.figures["rows"])) if self.figures else math.nan
        part, rows = self.figures["model"]["accuracy"], self.figures["rows"]
        return 2 * math.sqrt(max(part * (1 - part), 1 / rows) / rows)  # two standard errors

    @property
    def hopeless(self) -> bool:
        """Whether a linear model cannot do anything with the columns either."""
        return not self.score("linear") > self.score("mean", "most frequent class") + self.luck / 2 and self.figures is not None

    def layer(self, number: int) -> str:
        """A layer as people call it, by its number among the layers with weights."""
        layers = [layer["layer"] for layer in self.measured[-1][1]]
        place = layers.index(number) + 1
        return "the output layer" if place == len(layers) else f"hidden layer {place}"


def number(value: Any) -> float:
    """A number of the history, NaN where it was not finite."""
    return math.nan if value is None else float(value)
