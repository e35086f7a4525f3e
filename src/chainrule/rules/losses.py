"""Losses and penalties. The slope stands under the value it differentiates.

A loss named `mean_...` averages over outputs and samples; every other one sums over outputs and averages over samples.
"""

from __future__ import annotations

from chainrule.rules.activations import Softmax, softplus
from chainrule.rules.alphabet import Alphabet, Array
from chainrule.rules.rule import Activation, Loss, Penalty, number, rule


@rule("half_squared_error", source="Rumelhart, Hinton, Williams 1986")
class HalfSquaredError(Loss):
    """Half the square of each error: the half cancels the 2 of the derivative."""

    def each(self, m: Alphabet, y: Array, t: Array) -> Array:
        return (t - y) ** 2 / 2

    def each_slope(self, m: Alphabet, y: Array, t: Array) -> Array:
        return y - t


@rule("squared_error")
class SquaredError(Loss):
    """The square of each error."""

    def each(self, m: Alphabet, y: Array, t: Array) -> Array:
        return (t - y) ** 2

    def each_slope(self, m: Alphabet, y: Array, t: Array) -> Array:
        return 2 * (y - t)


@rule("mean_squared_error", "mse")
class MeanSquaredError(SquaredError):
    """The square of each error, averaged over outputs and samples."""

    over_outputs = "mean"


@rule("mean_absolute_error", "mae")
class MeanAbsoluteError(Loss):
    """The size of each error, averaged over outputs and samples; its slope at 0 is taken as 0."""

    over_outputs = "mean"

    def each(self, m: Alphabet, y: Array, t: Array) -> Array:
        return m.abs(t - y)

    def each_slope(self, m: Alphabet, y: Array, t: Array) -> Array:
        return m.sign(y - t)


@rule("huber", source="Huber 1964")
class Huber(Loss):
    """Half the square of small errors, and a straight line for errors larger than delta."""

    delta: float = number(1.0, "δ", above=0)

    def each(self, m: Alphabet, y: Array, t: Array) -> Array:
        size = m.abs(t - y)
        return m.where(m.greater(size, self.delta), self.delta * (size - self.delta / 2), size**2 / 2)

    def each_slope(self, m: Alphabet, y: Array, t: Array) -> Array:
        return m.maximum(m.minimum(y - t, self.delta), -self.delta)


@rule("binary_cross_entropy", "log_loss")
class BinaryCrossEntropy(Loss):
    """Minus the logarithm of the probability given to what happened; every output is a yes-or-no question."""

    def each(self, m: Alphabet, y: Array, t: Array) -> Array:
        return -m.times(t, m.log(y)) - m.times(1 - t, m.log1p(-y))

    def each_slope(self, m: Alphabet, y: Array, t: Array) -> Array:
        return m.times(1 - t, 1 / (1 - y)) - m.times(t, 1 / y)

    def fused_with(self, activation: Activation) -> Loss | None:
        return SigmoidBinaryCrossEntropy(reduction=self.reduction) if activation.name == "sigmoid" else None

    def mismatch(self, activation: Activation, outputs: int) -> tuple[str, str] | None:
        if activation.codomain != (0.0, 1.0) or activation.name == "softmax":
            return "binary_cross_entropy needs outputs that are probabilities, each for itself", "use activation sigmoid"
        return None


@rule("sigmoid_binary_cross_entropy")
class SigmoidBinaryCrossEntropy(Loss):
    """binary_cross_entropy of sigmoid(z), from z: exact where the sigmoid has long been rounded to 0 or 1."""

    def each(self, m: Alphabet, y: Array, t: Array) -> Array:
        return m.times(t, softplus(m, -y)) + m.times(1 - t, softplus(m, y))

    def each_slope(self, m: Alphabet, y: Array, t: Array) -> Array:
        return m.let("p", m.sigmoid(y)) - t

    def mismatch(self, activation: Activation, outputs: int) -> tuple[str, str] | None:
        return _needs_sums(self, activation, "binary_cross_entropy with activation sigmoid")


@rule("cross_entropy", "categorical_cross_entropy")
class CrossEntropy(Loss):
    """Minus the logarithm of the probability given to the right class; 0 ln 0 counts 0. Each row of targets sums to 1."""

    def each(self, m: Alphabet, y: Array, t: Array) -> Array:
        return -m.times(t, m.log(y))

    def each_slope(self, m: Alphabet, y: Array, t: Array) -> Array:
        return -m.times(t, 1 / y)

    def fused_with(self, activation: Activation) -> Loss | None:
        return SoftmaxCrossEntropy(reduction=self.reduction) if activation.name == "softmax" else None

    def mismatch(self, activation: Activation, outputs: int) -> tuple[str, str] | None:
        if activation.name == "softmax":
            return None
        if activation.name == "sigmoid" and outputs > 1:
            return (
                f"cross_entropy over {outputs} sigmoid outputs never counts the wrong classes",
                "use activation softmax, or loss binary_cross_entropy for yes-or-no outputs",
            )
        return "cross_entropy needs outputs that are probabilities of classes and sum to 1", "use activation softmax"


@rule("softmax_cross_entropy")
class SoftmaxCrossEntropy(Loss):
    """cross_entropy of softmax(z), from z: exact where a probability has long been rounded to 0 or 1."""

    def each(self, m: Alphabet, y: Array, t: Array) -> Array:
        below = m.difference(y, m.max(y))
        others = m.where(m.first_max(y), 0, m.exp(below)).sum(-1, keepdims=True)
        return m.times(t, m.log1p(others) - below)

    def each_slope(self, m: Alphabet, y: Array, t: Array) -> Array:
        return m.let("p", Softmax().value(m, y)) - t

    def mismatch(self, activation: Activation, outputs: int) -> tuple[str, str] | None:
        return _needs_sums(self, activation, "cross_entropy with activation softmax")


def _needs_sums(loss: Loss, activation: Activation, plain: str) -> tuple[str, str] | None:
    if activation.name == "identity":
        return None
    return f"{loss.name} takes the last weighted sums as they are", f"use {plain}: it is computed in this form anyway"


@rule("poisson")
class Poisson(Loss):
    """For counts: the Poisson log-likelihood, without the part that depends on the target alone."""

    def each(self, m: Alphabet, y: Array, t: Array) -> Array:
        return y - m.times(t, m.log(y))

    def each_slope(self, m: Alphabet, y: Array, t: Array) -> Array:
        return 1 - m.times(t, 1 / y)

    def mismatch(self, activation: Activation, outputs: int) -> tuple[str, str] | None:
        if activation.codomain[0] < 0:
            return "poisson needs outputs above 0: they are expected counts", "use activation softplus"
        return None


@rule("pinball", "quantile", source="Koenker, Bassett 1978")
class Pinball(Loss):
    """Charges missing from below and from above differently, so that the output becomes a quantile."""

    quantile: float = number(0.5, "q", above=0, below=1)

    def each(self, m: Alphabet, y: Array, t: Array) -> Array:
        return m.maximum(self.quantile * (t - y), (1 - self.quantile) * (y - t))

    def each_slope(self, m: Alphabet, y: Array, t: Array) -> Array:
        one = y**0  # of y's own kind: float32 stays float32
        below = m.where(m.greater(t, y), -self.quantile * one, 0)
        return m.where(m.greater(y, t), (1 - self.quantile) * one, below)


@rule("l1", source="Tibshirani 1996")
class L1(Penalty):
    """strength times the sum of the weights' sizes; its slope at 0 is taken as 0."""

    strength: float = number(None, "λ_1", at_least=0)

    def each(self, m: Alphabet, w: Array) -> Array:
        return self.strength * m.abs(w)

    def slope(self, m: Alphabet, w: Array) -> Array:
        return self.strength * m.sign(w)


@rule("l2", source="Krogh, Hertz 1992")
class L2(Penalty):
    """strength times half the sum of the weights' squares: PyTorch's weight_decay, half of Keras's L2."""

    strength: float = number(None, "λ", at_least=0)

    def each(self, m: Alphabet, w: Array) -> Array:
        return self.strength * w**2 / 2

    def slope(self, m: Alphabet, w: Array) -> Array:
        return self.strength * w
