"""Initializers: first weights, as functions of uniform or normal draws and of the number of senders and receivers."""

from __future__ import annotations

import math
from typing import Any

from chainrule.rules.alphabet import Alphabet, Array
from chainrule.rules.rule import Initializer, number, rule


@rule("zeros")
class Zeros(Initializer):
    """Every weight 0. For biases; hidden units that begin equal stay equal."""

    def value(self, m: Alphabet, u: Array, fan_in: int, fan_out: int) -> Array:
        return u * 0


@rule("constant")
class Constant(Initializer):
    """Every weight the same given number."""

    fill: float = number(None)

    def value(self, m: Alphabet, u: Array, fan_in: int, fan_out: int) -> Array:
        return u * 0 + self.fill


@rule("explicit")
class Explicit(Initializer):
    """The weights themselves: a row for each receiving unit."""

    weights: Any = None

    def value(self, m: Alphabet, u: Array, fan_in: int, fan_out: int) -> Array:
        return u * 0 + self.weights


@rule("uniform")
class Uniform(Initializer):
    """Evenly between -limit and limit."""

    draw = "uniform"
    limit: float = number(0.05, above=0)

    def value(self, m: Alphabet, u: Array, fan_in: int, fan_out: int) -> Array:
        return self.limit * u


@rule("normal")
class Normal(Initializer):
    """Normally around 0."""

    draw = "normal"
    deviation: float = number(0.05, above=0)

    def value(self, m: Alphabet, u: Array, fan_in: int, fan_out: int) -> Array:
        return self.deviation * u


@rule("glorot_uniform", "xavier_uniform", source="Glorot, Bengio 2010")
class GlorotUniform(Initializer):
    """Keeps the variance of sums and of gradients alike, for units that are steepest at 0."""

    draw = "uniform"

    def value(self, m: Alphabet, u: Array, fan_in: int, fan_out: int) -> Array:
        return math.sqrt(6 / (fan_in + fan_out)) * u


@rule("glorot_normal", "xavier_normal", source="Glorot, Bengio 2010")
class GlorotNormal(Initializer):
    """glorot_uniform with normal draws."""

    draw = "normal"

    def value(self, m: Alphabet, u: Array, fan_in: int, fan_out: int) -> Array:
        return math.sqrt(2 / (fan_in + fan_out)) * u


@rule("he_uniform", "kaiming_uniform", source="He, Zhang, Ren, Sun 2015")
class HeUniform(Initializer):
    """Keeps the variance through units that stop half of what they get, such as relu."""

    draw = "uniform"

    def value(self, m: Alphabet, u: Array, fan_in: int, fan_out: int) -> Array:
        return math.sqrt(6 / fan_in) * u


@rule("he_normal", "kaiming_normal", source="He, Zhang, Ren, Sun 2015")
class HeNormal(Initializer):
    """he_uniform with normal draws."""

    draw = "normal"

    def value(self, m: Alphabet, u: Array, fan_in: int, fan_out: int) -> Array:
        return math.sqrt(2 / fan_in) * u


@rule("lecun_uniform", source="LeCun, Bottou, Orr, Müller 1998")
class LeCunUniform(Initializer):
    """Keeps the variance of sums."""

    draw = "uniform"

    def value(self, m: Alphabet, u: Array, fan_in: int, fan_out: int) -> Array:
        return math.sqrt(3 / fan_in) * u


@rule("lecun_normal", source="LeCun, Bottou, Orr, Müller 1998; Klambauer et al. 2017 for selu")
class LeCunNormal(Initializer):
    """lecun_uniform with normal draws."""

    draw = "normal"

    def value(self, m: Alphabet, u: Array, fan_in: int, fan_out: int) -> Array:
        return math.sqrt(1 / fan_in) * u
