"""The shapes of a rule, and the catalogue in which every rule stands under its field's standard name."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable, Iterable
from dataclasses import MISSING, dataclass, field, fields
from fractions import Fraction
from typing import Any, ClassVar, TypeVar, dataclass_transform

from chainrule.errors import InputError, nearest, shown
from chainrule.rules.alphabet import Alphabet, Array

CATALOGUE: dict[str, dict[str, type[Rule]]] = {}
"""kind -> standard name or alias -> class."""

LARGEST = 1.7976931348623157e308
"""What float64 can hold."""

R = TypeVar("R", bound="type[Rule]")


@dataclass(frozen=True)
class Rule:
    """Something true about numbers. Its hyper-parameters are its fields; they are checked when it is made."""

    kind: ClassVar[str] = ""
    name: ClassVar[str] = ""
    source: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for entry in fields(self):
            check = entry.metadata.get("check")
            if check is not None:
                object.__setattr__(self, entry.name, check(type(self).name, entry.name, getattr(self, entry.name)))


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def rule(*names: str, source: str = "") -> Callable[[R], R]:
    """Registers a class under its standard name (the first) and its aliases."""

    def register(cls: R) -> R:
        dataclass(frozen=True)(cls)  # in place
        cls.name, cls.source = names[0], source
        shelf = CATALOGUE.setdefault(cls.kind, {})
        for name in names:
            if name in shelf:
                raise InputError(f"{cls.kind} {name} is registered already", do="choose another name")
            shelf[name] = cls
        return cls

    return register


def find(kind: str, name: str) -> type[Any]:
    """The class registered for `name`; an InputError that suggests the nearest name otherwise."""
    shelf = CATALOGUE.get(kind, {})
    if not isinstance(name, str) or name not in shelf:
        raise InputError(f"unknown {kind}", got=shown(name), do=nearest(name, shelf))
    return shelf[name]


def made(kind: str, value: object, wanted: type[Any]) -> Any:
    """A rule that was given as itself or by its name; an InputError for anything else."""
    if isinstance(value, str):
        return find(kind, value)()
    if not isinstance(value, wanted):
        raise InputError(
            f"the {kind} must be a rule or the name of one", got=shown(value), do=nearest("", names(kind)), field=kind
        )
    return value


def names(kind: str) -> tuple[str, ...]:
    """The standard names of a kind, aliases left out, in the order of the catalogue."""
    return tuple(name for name, cls in CATALOGUE.get(kind, {}).items() if name == cls.name)


def number(
    default: float | None = None,
    symbol: str = "",
    *,
    above: float = -math.inf,
    at_least: float = -math.inf,
    below: float = math.inf,
    at_most: float = math.inf,
    whole: bool = False,
) -> Any:
    """A hyper-parameter: a finite number with its textbook symbol and its allowed range."""

    given = {"above": above, "at_least": at_least, "below": below, "at_most": at_most}
    limits = {name: limit for name, limit in given.items() if abs(limit) < math.inf}
    wanted = "a whole number" if whole else "a number"
    for place, (name, limit) in enumerate(limits.items()):
        wanted += f"{' ' if name == 'above' and not place else ', '}{name.replace('_', ' ')} {limit:g}"

    def check(owner: str, name: str, value: Any) -> object:
        kind = numbers.Integral if whole else numbers.Real
        fits = isinstance(value, kind) and not isinstance(value, bool)
        if not (fits and above < value < below and at_least <= value <= at_most and abs(value) < LARGEST):
            raise InputError(f"{owner}: {name} must be {wanted}", got=shown(value), field=name)
        if isinstance(value, (int, float, Fraction)):
            return value
        return int(value) if whole else float(value)

    metadata = {"symbol": symbol, "check": check, "limits": limits, "whole": whole}
    return field(default=MISSING if default is None else default, metadata=metadata)


def choice(default: str, options: Iterable[str]) -> Any:
    """A hyper-parameter that is one of a few words."""
    allowed = tuple(options)

    def check(owner: str, name: str, value: object) -> object:
        if not isinstance(value, str) or value not in allowed:
            raise InputError(f"{owner}: unknown {name}", got=shown(value), do=nearest(value, allowed), field=name)
        return value

    return field(default=default, metadata={"check": check, "options": allowed})


class Layer(Rule):
    """Numbers in, numbers out, and the way back. Rows are samples: x is (rows, n_in), y is (rows, n_out)."""

    kind = "layer"

    def shapes(self, n_in: int) -> tuple[dict[str, tuple[int, ...]], int]:
        """The parameters' shapes by symbol, and n_out."""
        raise NotImplementedError

    def buffers(self, n_in: int) -> dict[str, tuple[tuple[int, ...], float]]:
        """What the layer remembers without a gradient: symbol -> (shape, first value)."""
        return {}

    def forward(self, m: Alphabet, p: dict[str, Array], x: Array) -> tuple[Array, tuple[Array, ...]]:
        """y, and what backward needs: a plain tuple."""
        raise NotImplementedError

    def backward(self, m: Alphabet, p: dict[str, Array], saved: tuple[Array, ...], dy: Array) -> tuple[Array, dict[str, Array]]:
        """dE/dx and the parameters' gradients, from dE/dy."""
        raise NotImplementedError

    def predict(self, m: Alphabet, p: dict[str, Array], x: Array) -> Array:
        """y outside of training."""
        return self.forward(m, p, x)[0]

    def remember(self, m: Alphabet, p: dict[str, Array], saved: tuple[Array, ...]) -> dict[str, Array]:
        """The buffers after this step."""
        return {}


class Activation(Layer):
    """One number in, one number out: y = value(x), and slope = dy/dx."""

    kind = "activation"
    initializer: ClassVar[str] = "glorot_uniform"
    codomain: ClassVar[tuple[float, float]] = (-math.inf, math.inf)

    def value(self, m: Alphabet, x: Array) -> Array:
        raise NotImplementedError

    def slope(self, m: Alphabet, x: Array, y: Array) -> Array:
        raise NotImplementedError

    def through(self, m: Alphabet, x: Array, y: Array, dy: Array) -> Array:
        """dE/dx = dE/dy times the slope, each factor a step of its own."""
        return dy * m.let("da/dz", self.slope(m, x, y))

    def shapes(self, n_in: int) -> tuple[dict[str, tuple[int, ...]], int]:
        return {}, n_in

    def forward(self, m: Alphabet, p: dict[str, Array], x: Array) -> tuple[Array, tuple[Array, ...]]:
        x = m.let("z", x)
        y = m.let("a", self.value(m, x))
        return y, (x, y)

    def backward(self, m: Alphabet, p: dict[str, Array], saved: tuple[Array, ...], dy: Array) -> tuple[Array, dict[str, Array]]:
        x, y = saved
        return m.let("dE/dz", self.through(m, x, y, dy)), {}


@dataclass(frozen=True, kw_only=True)
class Loss(Rule):
    """How far the outputs y are from the targets t, both (rows, outputs): `value` is what is reported, and `slope` is
    the derivative of that same number by y. Each output's part is `each`; how the parts are put together stands here,
    once, for all losses."""

    kind = "loss"
    over_outputs: ClassVar[str] = "sum"
    reduction: str = choice("mean", ("mean", "sum"))

    def each(self, m: Alphabet, y: Array, t: Array) -> Array:
        raise NotImplementedError

    def each_slope(self, m: Alphabet, y: Array, t: Array) -> Array:
        raise NotImplementedError

    def value(self, m: Alphabet, y: Array, t: Array, weight: Array | None = None) -> Array:
        """The loss of the batch; `weight` (rows, 1) makes the mean over samples a weighted one."""
        each = m.let("E", self.each(m, y, t))
        rows = each.mean(-1, keepdims=True) if self.over_outputs == "mean" else each.sum(-1, keepdims=True)
        rows = m.let("E", rows, "r1")
        if weight is not None:
            rows = m.times(weight, rows)
            return rows.sum() / weight.sum() if self.reduction == "mean" else rows.sum()
        return rows.mean() if self.reduction == "mean" else rows.sum()

    def slope(self, m: Alphabet, y: Array, t: Array, weight: Array | None = None) -> Array:
        slope = self.each_slope(m, y, t)
        rows, outputs = t.shape
        if self.over_outputs == "mean":
            slope = slope / outputs
        if weight is not None:
            slope = m.times(weight, slope)
            return slope / weight.sum() if self.reduction == "mean" else slope
        return slope / rows if self.reduction == "mean" else slope

    def fused_with(self, activation: Activation) -> Loss | None:
        """The same loss taken from the last layer's weighted sums, if it is more exact there."""
        return None

    def mismatch(self, activation: Activation, outputs: int) -> tuple[str, str] | None:
        """Why this loss cannot follow that activation, and what to do; None if it can."""
        return None


class Penalty(Rule):
    """A price on a weight: `each` is added to the loss, `slope` to the gradient."""

    kind = "penalty"

    def each(self, m: Alphabet, w: Array) -> Array:
        raise NotImplementedError

    def slope(self, m: Alphabet, w: Array) -> Array:
        raise NotImplementedError


class Optimizer(Rule):
    """From a weight and its gradient to the next weight. `slots` are what it remembers for each weight, with the value
    it begins with; `counters` the same, once for a whole array."""

    kind = "optimizer"
    slots: ClassVar[tuple[str, ...]] = ()
    counters: ClassVar[tuple[str, ...]] = ()
    learning_rate: float

    def starts(self) -> dict[str, float]:
        """What each slot and counter holds before the first update."""
        return dict.fromkeys(self.slots, 0.0)

    def update(
        self, m: Alphabet, w: Array, g: Array, state: dict[str, Array], k: int, rate: Array
    ) -> tuple[Array, dict[str, Array]]:
        """The weight and the state after update k (counted from 1) at learning rate `rate`."""
        raise NotImplementedError


class Schedule(Rule):
    """The learning rate of update k, counted from 1."""

    kind = "schedule"

    def rate(self, base: float, k: int) -> float:
        raise NotImplementedError


class Initializer(Rule):
    """First weights. `draw` says which numbers it asks for: "none", "uniform" in (-1, 1) or standard "normal"."""

    kind = "initializer"
    draw: ClassVar[str] = "none"

    def value(self, m: Alphabet, u: Array, fan_in: int, fan_out: int) -> Array:
        """The weights, from the draws u."""
        raise NotImplementedError


class Clipping(Rule):
    """Gradients kept within bounds, all parameters' together: a list of arrays in, a list of arrays out."""

    kind = "clipping"

    def clip(self, m: Alphabet, gradients: list[Array]) -> list[Array]:
        raise NotImplementedError
