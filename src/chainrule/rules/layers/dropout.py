"""Dropout."""

from __future__ import annotations

from chainrule.rules.alphabet import Alphabet, Array
from chainrule.rules.rule import Layer, number, rule


@rule("dropout", source="Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov 2014, in the inverted form")
class Dropout(Layer):
    """In training each number is left out with probability `rate`; those kept grow by 1 / (1 - rate), so that nothing
    needs to be done in prediction. p["keep"], (rows, n) of 0 and 1, is drawn by the engine or given."""

    rate: float = number(0.5, "p", at_least=0, below=1)

    def shapes(self, n_in: int) -> tuple[dict[str, tuple[int, ...]], int]:
        return {}, n_in

    def forward(self, m: Alphabet, p: dict[str, Array], x: Array) -> tuple[Array, tuple[Array, ...]]:
        return m.let("a", x * p["keep"] / (1 - self.rate)), ()

    def backward(self, m: Alphabet, p: dict[str, Array], saved: tuple[Array, ...], dy: Array) -> tuple[Array, dict[str, Array]]:
        # y = x * keep / (1 - rate)
        return dy * p["keep"] / (1 - self.rate), {}

    def predict(self, m: Alphabet, p: dict[str, Array], x: Array) -> Array:
        return x
