"""What happens to a table's numbers before they enter a network, and to its outputs before they are told."""

from __future__ import annotations

from typing import ClassVar

from chainrule.rules.alphabet import Alphabet, Array
from chainrule.rules.rule import Rule, number, rule


class Preparation(Rule):
    """From a column's numbers to inputs, with the column's own statistics. `statistics` are their symbols: what is taken
    away, and what is divided by."""

    kind: ClassVar[str] = "preparation"
    statistics: ClassVar[tuple[str, str]] = ("average", "deviation")

    def value(self, m: Alphabet, x: Array, center: Array, scale: Array) -> Array:
        raise NotImplementedError

    def back(self, m: Alphabet, y: Array, center: Array, scale: Array) -> Array:
        """The column's number that `value` makes y of."""
        raise NotImplementedError


@rule("standardize")
class Standardize(Preparation):
    """Brings a column to mean 0 and standard deviation 1."""

    def value(self, m: Alphabet, x: Array, center: Array, scale: Array) -> Array:
        return (x - center) / scale

    def back(self, m: Alphabet, y: Array, center: Array, scale: Array) -> Array:
        return center + scale * y


@rule("robust")
class Robust(Preparation):
    """Counts how many spreads a number is from the median, and squeezes what is far out between -reach and reach."""

    statistics = ("median", "spread")
    reach: float = number(4.0, "reach", above=0)

    def value(self, m: Alphabet, x: Array, center: Array, scale: Array) -> Array:
        x = m.let("scaled", (x - center) / scale)
        return x / (1 + m.abs(x) / self.reach)

    def back(self, m: Alphabet, y: Array, center: Array, scale: Array) -> Array:
        return center + scale * (y / (1 - m.abs(y) / self.reach))
