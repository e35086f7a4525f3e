"""The alphabet `m`: every function a rule may call besides Python's own operators.

A rule is written once over `+ - * / ** @ .T .sum .mean`, slicing and these functions. Whoever runs it brings the
alphabet in its own spelling: on floats, on complex or 50-digit numbers, on fractions, on terms.
"""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias

Array: TypeAlias = Any  # whatever the reader's numbers live in; a rule never asks


class Alphabet(Protocol):
    """Functions of numbers, elementwise unless said otherwise."""

    def exp(self, x: Array) -> Array: ...
    def log(self, x: Array) -> Array: ...
    def log1p(self, x: Array) -> Array: ...
    def expm1(self, x: Array) -> Array: ...
    def tanh(self, x: Array) -> Array: ...
    def sqrt(self, x: Array) -> Array: ...
    def abs(self, x: Array) -> Array: ...
    def sign(self, x: Array) -> Array: ...
    def maximum(self, x: Array, y: Array) -> Array: ...
    def minimum(self, x: Array, y: Array) -> Array: ...

    def greater(self, x: Array, y: Array) -> Array:
        """The condition x > y, for `where`."""

    def where(self, condition: Array, x: Array, y: Array) -> Array: ...

    def sigmoid(self, x: Array) -> Array:
        """1 / (1 + exp(-x)), without overflow."""

    def erfc(self, x: Array) -> Array:
        """The complementary error function: it keeps its digits where 1 - erf has lost them."""

    def times(self, x: Array, y: Array) -> Array:
        """x y, and 0 wherever x is 0: what is left out counts nothing, even if it is infinite (0 ln 0 = 0). NaN stays NaN."""

    def difference(self, x: Array, y: Array) -> Array:
        """x - y, and 0 where both are the same infinity."""

    def max(self, x: Array) -> Array:
        """The largest of each row, kept as a column: (rows, n) -> (rows, 1)."""

    def first_max(self, x: Array) -> Array:
        """The condition that marks the first largest of each row."""

    def identity(self, n: int) -> Array:
        """The n x n unit matrix."""

    def let(self, symbol: str, x: Array, over: str = "ri") -> Array:
        """x itself; a reader that explains closes a step here and gives it a name.

        `over` has a letter an axis: r for samples, any other for units, 1 for an axis without a name.
        """

    def contract(self, symbol: str, x: Array, y: Array, over: str, local: str = "") -> Array:
        """x @ y, each of whose products is a share of `symbol`.

        `over` names the axes (left, summed, right); `local` names the right factor as the local derivative that it is.
        """
