"""Layers that bring numbers to mean 0 and variance 1, and then to a scale and shift of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from chainrule.rules.alphabet import Alphabet, Array
from chainrule.rules.rule import Layer, number, rule


@dataclass(frozen=True, kw_only=True)
class Normalization(Layer):
    """The common arithmetic: y = gamma * x_hat + beta, with x_hat = (x - mean) / sqrt(variance + epsilon).

    `axis` is the one over which mean and variance are taken, `over` its letters for the names of the steps.
    """

    axis: ClassVar[int]
    over: ClassVar[str]
    epsilon: float = number(1e-5, "ε", at_least=0)

    def shapes(self, n_in: int) -> tuple[dict[str, tuple[int, ...]], int]:
        return {"gamma": (n_in,), "beta": (n_in,)}, n_in

    def forward(self, m: Alphabet, p: dict[str, Array], x: Array) -> tuple[Array, tuple[Array, ...]]:
        mean = m.let("mean", x.mean(self.axis, keepdims=True), self.over)
        variance = m.let("variance", ((x - mean) ** 2).mean(self.axis, keepdims=True), self.over)
        return self._scaled(m, p, x, mean, variance)

    def _scaled(
        self, m: Alphabet, p: dict[str, Array], x: Array, mean: Array, variance: Array
    ) -> tuple[Array, tuple[Array, ...]]:
        scale = m.let("scale", 1 / m.sqrt(variance + self.epsilon), self.over)
        x_hat = m.let("x_hat", (x - mean) * scale)
        return m.let("a", p["gamma"] * x_hat + p["beta"]), (x_hat, scale, mean, variance)

    def backward(self, m: Alphabet, p: dict[str, Array], saved: tuple[Array, ...], dy: Array) -> tuple[Array, dict[str, Array]]:
        x_hat, scale = saved[:2]
        # y = gamma * x_hat + beta
        dx_hat = m.let("dE/dx_hat", dy * p["gamma"])
        d_gamma, d_beta = (dy * x_hat).sum(0), dy.sum(0)
        # x_hat = (x - mean) * scale: x also moves the mean and the variance of its row or column
        shift = m.let("shift", dx_hat.mean(self.axis, keepdims=True), self.over)
        tilt = m.let("tilt", (dx_hat * x_hat).mean(self.axis, keepdims=True), self.over)
        return scale * (dx_hat - shift - x_hat * tilt), {"gamma": d_gamma, "beta": d_beta}


@rule("layer_norm", source="Ba, Kiros, Hinton 2016")
class LayerNorm(Normalization):
    """Each sample by itself, over its numbers."""

    axis = -1
    over = "r1"


@rule("batch_norm", source="Ioffe, Szegedy 2015")
class BatchNorm(Normalization):
    """Each number by itself, over the samples of the batch. Prediction uses running means instead, which move towards
    the batch's by `momentum` each update (PyTorch's meaning; Keras's is 1 - momentum)."""

    axis = 0
    over = "1i"
    momentum: float = number(0.1, "μ", above=0, at_most=1)

    def buffers(self, n_in: int) -> dict[str, tuple[tuple[int, ...], float]]:
        return {"running_mean": ((1, n_in), 0.0), "running_variance": ((1, n_in), 1.0)}

    def predict(self, m: Alphabet, p: dict[str, Array], x: Array) -> Array:
        return self._scaled(m, p, x, p["running_mean"], p["running_variance"])[0]

    def remember(self, m: Alphabet, p: dict[str, Array], saved: tuple[Array, ...]) -> dict[str, Array]:
        x_hat, _, mean, variance = saved
        rows = x_hat.shape[0]
        unbiased = variance * rows / (rows - 1) if rows > 1 else variance  # as PyTorch remembers it
        moved = p["running_mean"] + self.momentum * (mean - p["running_mean"])
        spread = p["running_variance"] + self.momentum * (unbiased - p["running_variance"])
        return {
            "running_mean": m.let("running_mean+", moved, self.over),
            "running_variance": m.let("running_variance+", spread, self.over),
        }
