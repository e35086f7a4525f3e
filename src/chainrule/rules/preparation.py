"""What happens to a table's numbers before they enter a network."""

from __future__ import annotations

from typing import ClassVar

from chainrule.rules.alphabet import Alphabet, Array
from chainrule.rules.rule import Rule, rule


class Preparation(Rule):
    """From a column's numbers to inputs, with the column's own statistics."""

    kind: ClassVar[str] = "preparation"

    def value(self, m: Alphabet, x: Array, mean: Array, deviation: Array) -> Array:
        raise NotImplementedError


@rule("standardize")
class Standardize(Preparation):
    """Brings a column to mean 0 and standard deviation 1."""

    def value(self, m: Alphabet, x: Array, mean: Array, deviation: Array) -> Array:
        return (x - mean) / deviation
