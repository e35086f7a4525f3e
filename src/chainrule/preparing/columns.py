"""What becomes of one column: the inputs it gives, and how its cells become their numbers. Frozen data, all of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from chainrule.errors import printable
from chainrule.phrases import phrase, say
from chainrule.readers import Floats
from chainrule.rules.preparation import Preparation, Robust, Standardize

FAR = 8.0
"""Spreads from the median, or deviations from the mean, beyond which a number is far out. Of a million normally distributed
numbers the farthest is at 5."""

FARTHEST = 1e12
"""Spreads beyond which a number that is squeezed is at the end of its reach to the last digits."""


@dataclass(frozen=True)
class Prepared:
    """A column of a table and what is done with it. `kinds` are the kinds of columns of a table that it can be."""

    name: str
    kinds: ClassVar[tuple[str, ...]] = ()

    @property
    def inputs(self) -> tuple[str, ...]:
        """The names of the inputs it gives, in order."""
        raise NotImplementedError

    def into(self, out: Any, values: Any, levels: tuple[str, ...]) -> None:
        """Writes its inputs for a block of the column's values into out (rows, inputs). levels: the column's, if it has any."""
        raise NotImplementedError

    @property
    def sentence(self) -> str:
        """What is done with the column, for a report."""
        raise NotImplementedError


def missing_name(name: str) -> str:
    """The input that says that a column has no value."""
    return f"{name} is missing"


@dataclass(frozen=True)
class Number(Prepared):
    """A column of numbers, or of dates as days since 1970-01-01.

    fill: stands for a missing value: the training median. center, scale: mean and standard deviation; or, where something is
    far out, median and spread, and `far` is set. indicator: an input of its own says where the value is missing, because in
    training some were. Where `far` is not set nothing in training was farther out than 8 deviations: new numbers that are,
    are cut.
    """

    kinds = ("number", "date", "boolean")
    fill: float
    center: float
    scale: float
    far: bool = False
    indicator: bool = False
    date: bool = False

    @property
    def rule(self) -> Preparation:
        """How its numbers are scaled."""
        return Robust() if self.far else Standardize()

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.name, missing_name(self.name)) if self.indicator else (self.name,)

    @property
    def bounds(self) -> tuple[float, float]:
        """The numbers that are taken for any that are farther out. In a squeezed column these are so far that it makes no
        difference, but that nothing overflows."""
        reach = (FARTHEST if self.far else FAR) * self.scale
        return self.center - reach, self.center + reach

    def beyond(self, values: Any) -> Any:
        """Which numbers are farther out than any in training was, and are cut."""
        low, high = self.bounds
        return (values < low) | (values > high)

    def filled(self, values: Any) -> Any:
        """The numbers that are scaled: with what stands for missing ones, cut where they are farther out than any was."""
        missing = values != values
        numbers = np.where(missing, self.fill, values) if missing.any() else values
        return np.clip(numbers, *self.bounds)

    def into(self, out: Any, values: Any, levels: tuple[str, ...]) -> None:
        out[:, 0] = self.rule.value(Floats(), self.filled(values), self.center, self.scale)
        if self.indicator:
            out[:, 1] = values != values

    @property
    def sentence(self) -> str:
        what, scale = ("mean", "standard deviation") if not self.far else ("median", "spread")
        unit = " (days since 1970-01-01)" if self.date else ""
        squeezed = f", squeezed between -{Robust().reach:g} and {Robust().reach:g}: some are far out" if self.far else ""
        squeezed = squeezed or f", cut at -{FAR:g} and {FAR:g}: nothing in training was as far out"
        gaps = f"; a missing value is replaced by the median {self.fill:g}" + (" and marked" if self.indicator else "")
        return f"less its {what} {self.center:g}, divided by its {scale} {self.scale:g}{unit}{squeezed}{gaps}"


@dataclass(frozen=True)
class Boolean(Prepared):
    """A column of yes and no: 1 and 0. fill: what stands for a missing value: what is most frequent in training."""

    kinds = ("boolean", "number")
    fill: float
    indicator: bool = False

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.name, missing_name(self.name)) if self.indicator else (self.name,)

    def into(self, out: Any, values: Any, levels: tuple[str, ...]) -> None:
        missing = values != values
        out[:, 0] = np.where(missing, self.fill, values)
        if self.indicator:
            out[:, 1] = missing

    @property
    def sentence(self) -> str:
        marked = " and marked" if self.indicator else ""
        return f"1 for yes and 0 for no; a missing value is replaced by the more frequent {self.fill:g}{marked}"


@dataclass(frozen=True)
class Category(Prepared):
    """A column of texts: an input for each of its levels, 1 where the cell is this level and 0 elsewhere.

    other: an input stands for all levels that were too rare in training, and for those that were not there at all; without it
    these have 0 everywhere. missing: an input stands for cells without a value.
    """

    kinds = ("category",)
    levels: tuple[str, ...]
    other: bool = False
    missing: bool = False

    @property
    def inputs(self) -> tuple[str, ...]:
        names = tuple(f"{self.name} = {level}" for level in self.levels)
        return (*names, *self._others)

    @property
    def _others(self) -> tuple[str, ...]:
        other = "other" if "other" not in self.levels else "any other"
        return ((f"{self.name} = {other}",) if self.other else ()) + ((missing_name(self.name),) if self.missing else ())

    def places(self, levels: tuple[str, ...]) -> Any:
        """Which of its inputs is 1 for each of a column's levels; at the end for no value. -1 where none is."""
        place = {level: number for number, level in enumerate(self.levels)}
        other = len(self.levels) if self.other else -1
        missing = len(self.levels) + self.other if self.missing else -1
        return np.array([*(place.get(level, other) for level in levels), missing], np.int64)

    def into(self, out: Any, values: Any, levels: tuple[str, ...]) -> None:
        out[:] = 0
        places = self.places(levels)[values]  # -1, no value, is the last one
        if places.min(initial=0) >= 0:
            out[np.arange(len(places)), places] = 1
        else:
            lit = np.flatnonzero(places >= 0)
            out[lit, places[lit]] = 1

    def knows(self, level: str) -> bool:
        """Whether a level has an input of its own."""
        return level in self.levels

    @property
    def sentence(self) -> str:
        count = len(self.levels)
        text = f"an input for each of {count} levels" if count != 1 else "an input for 1 level"
        text += ", one for all other levels" if self.other else ""
        text += ", one for cells without a value" if self.missing else ""
        return text if self.other else f"{text}; any other level is 0 in all"


@dataclass(frozen=True)
class LeftOut(Prepared):
    """A column that is no input, and why."""

    why: str

    @property
    def inputs(self) -> tuple[str, ...]:
        return ()

    def into(self, out: Any, values: Any, levels: tuple[str, ...]) -> None:
        return

    @property
    def sentence(self) -> str:
        return f"left out: {self.why}"


KINDS: Mapping[str, type[Prepared]] = {"number": Number, "boolean": Boolean, "category": Category, "left out": LeftOut}
"""The name in a file of what becomes of a column."""


def told(column: Prepared, place: int, text: str | None, value: float = 0.0) -> str:
    """Why one of a column's inputs has its value, from what the cell says, or from there being nothing (None); of a scaled
    number, which the cell is, what is taken for it, where that does not go without saying."""
    cell = say("the cell is empty") if text is None else say("the cell is {text}", text=printable(text))
    name = printable(column.inputs[place])
    if isinstance(column, Category):
        if place < len(column.levels):
            lit = text == column.levels[place]
        elif column.other and place == len(column.levels):
            lit = text is not None and not column.knows(text)
        else:
            lit = text is None
        if not lit:  # the same words for all its inputs that are 0: they can be told together
            unlit = "{name}: 0 because {cell}, which is something else."
            return say(unlit, name=printable(column.name), cell=cell)
        return say("{name}: {value} because {cell}.", name=name, value=1, cell=cell)
    if place == 1:
        return say("{name}: {value} because {cell}.", name=name, value=int(text is None), cell=cell)
    if isinstance(column, Boolean):
        if text is None:
            return say("{name}: the cell is empty, and {value} stands in for it.", name=name, value=f"{column.fill:g}")
        return say("{name}: {cell}; yes is 1, no is 0.", name=name, cell=cell)
    if text is None:
        return say("The cell is empty: the median of the training rows stands in for it.")
    if isinstance(column, Number) and column.beyond(value):
        enough = phrase("{n} spreads from the median", n=f"{FARTHEST:g}")
        if not column.far:
            enough = phrase("{n} deviations from the mean", n=f"{FAR:g}")
        sentence = "The cell is {text}, farther out than any in training: {enough} are enough."
        return say(sentence, text=printable(text), enough=enough)
    if isinstance(column, Number) and column.date:
        return say("The cell is {text}: so many days after 1970-01-01.", text=printable(text))
    return ""
