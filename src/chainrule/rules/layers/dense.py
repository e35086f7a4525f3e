"""The fully connected layer."""

from __future__ import annotations

from dataclasses import field
from typing import Any

from chainrule.rules.activations import Identity
from chainrule.rules.alphabet import Alphabet, Array
from chainrule.rules.rule import Activation, Initializer, Layer, choice, made, number, rule


def _named(kind: str, default: Any) -> Any:
    """A field that holds a rule and also takes its name."""
    return field(default=default, metadata={"rule": kind})


@rule("dense", "linear")
class Dense(Layer):
    """Every unit weighs all inputs, adds its bias, and passes the sum through the activation.

    W is (units, n_in): a row for each receiving unit. The bias is per unit, one shared by the layer, or none.
    """

    units: int = number(None, at_least=1, whole=True)
    activation: Activation = _named("activation", Identity())
    bias: str = choice("per_unit", ("per_unit", "shared", "none"))
    initializer: Initializer | None = _named("initializer", None)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "activation", made("activation", self.activation, Activation))
        if self.initializer is not None:
            object.__setattr__(self, "initializer", made("initializer", self.initializer, Initializer))

    def shapes(self, n_in: int) -> tuple[dict[str, tuple[int, ...]], int]:
        biases = {"per_unit": {"b": (self.units,)}, "shared": {"b": (1,)}, "none": {}}[self.bias]
        return {"W": (self.units, n_in), **biases}, self.units

    def forward(self, m: Alphabet, p: dict[str, Array], x: Array) -> tuple[Array, tuple[Array, ...]]:
        z = (p["W"] @ x.T).T
        z = m.let("z", z + p["b"] if "b" in p else z)
        y = m.let("a", self.activation.value(m, z))
        return y, (x, z, y)

    def backward(self, m: Alphabet, p: dict[str, Array], saved: tuple[Array, ...], dy: Array) -> tuple[Array, dict[str, Array]]:
        x, z, y = saved
        # y = activation(z)
        dz = m.let("dE/dz", self.activation.through(m, z, y, dy))
        # z = (W @ x.T).T + b
        dW = m.contract("dE/dW", dz.T, x, "irj", local="dz/dW")
        dx = m.contract("dE/dx", dz, p["W"], "rij", local="dz/dx")
        if "b" not in p:
            return dx, {"W": dW}
        db = dz.sum(0)
        return dx, {"W": dW, "b": db.sum(0, keepdims=True) if self.bias == "shared" else db}
