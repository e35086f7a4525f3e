"""Activations: what a unit makes of its weighted sum. The slope stands under the value it differentiates."""

from __future__ import annotations

import math

from chainrule.rules.alphabet import Alphabet, Array
from chainrule.rules.rule import Activation, number, rule


@rule("identity", "linear")
class Identity(Activation):
    """The weighted sum itself: a linear output, for regression."""

    def value(self, m: Alphabet, x: Array) -> Array:
        return x

    def slope(self, m: Alphabet, x: Array, y: Array) -> Array:
        return x**0


@rule("sigmoid", "logistic", source="Rumelhart, Hinton, Williams 1986")
class Sigmoid(Activation):
    """Squeezes any number between 0 and 1; steepest, with slope 1/4, at 0."""

    codomain = (0.0, 1.0)

    def value(self, m: Alphabet, x: Array) -> Array:
        return m.sigmoid(x)

    def slope(self, m: Alphabet, x: Array, y: Array) -> Array:
        return y * (1 - y)


@rule("tanh")
class Tanh(Activation):
    """Squeezes any number between -1 and 1; steepest, with slope 1, at 0."""

    codomain = (-1.0, 1.0)

    def value(self, m: Alphabet, x: Array) -> Array:
        return m.tanh(x)

    def slope(self, m: Alphabet, x: Array, y: Array) -> Array:
        return (1 - y) * (1 + y)  # not 1 - y^2: that loses digits where the unit saturates


@rule("relu", source="Nair, Hinton 2010")
class Relu(Activation):
    """Lets positive numbers through and stops the others; its slope at 0 is taken as 0."""

    initializer = "he_uniform"
    codomain = (0.0, math.inf)

    def value(self, m: Alphabet, x: Array) -> Array:
        return m.maximum(x, 0)

    def slope(self, m: Alphabet, x: Array, y: Array) -> Array:
        return m.where(m.greater(x, 0), x**0, 0)  # x^0 is a 1 of x's own kind: float32 stays float32


@rule("leaky_relu", source="Maas, Hannun, Ng 2013")
class LeakyRelu(Activation):
    """Like relu, but negative numbers leak through with a small slope; that slope also holds at 0."""

    initializer = "he_uniform"
    negative_slope: float = number(0.01, "α")

    def value(self, m: Alphabet, x: Array) -> Array:
        return m.where(m.greater(x, 0), x, self.negative_slope * x)

    def slope(self, m: Alphabet, x: Array, y: Array) -> Array:
        return m.where(m.greater(x, 0), x**0, self.negative_slope)


@rule("elu", source="Clevert, Unterthiner, Hochreiter 2015")
class Elu(Activation):
    """The identity above 0, and below it an exponential that levels off at -alpha."""

    initializer = "he_uniform"
    alpha: float = number(1.0, "α", above=0)

    def value(self, m: Alphabet, x: Array) -> Array:
        return m.where(m.greater(x, 0), x, self.alpha * m.expm1(x))

    def slope(self, m: Alphabet, x: Array, y: Array) -> Array:
        return m.where(m.greater(x, 0), 1, self.alpha * m.exp(x))


@rule("selu", source="Klambauer, Unterthiner, Mayr, Hochreiter 2017")
class Selu(Activation):
    """An elu scaled so that mean 0 and variance 1 pass from layer to layer."""

    initializer = "lecun_normal"
    scale: float = number(1.0507009873554804934193349852946, "λ", above=0)
    alpha: float = number(1.6732632423543772848170429916717, "α", above=0)

    def value(self, m: Alphabet, x: Array) -> Array:
        return self.scale * m.where(m.greater(x, 0), x, self.alpha * m.expm1(x))

    def slope(self, m: Alphabet, x: Array, y: Array) -> Array:
        return self.scale * m.where(m.greater(x, 0), 1, self.alpha * m.exp(x))


@rule("gelu", source="Hendrycks, Gimpel 2016")
class Gelu(Activation):
    """x times the probability that a standard normal number is below x."""

    initializer = "he_uniform"

    def value(self, m: Alphabet, x: Array) -> Array:
        return m.times(m.erfc(-x / math.sqrt(2)) / 2, x)

    def slope(self, m: Alphabet, x: Array, y: Array) -> Array:
        density = m.exp(-(x**2) / 2) / math.sqrt(2 * math.pi)
        return m.erfc(-x / math.sqrt(2)) / 2 + m.times(density, x)


@rule("gelu_tanh", source="Hendrycks, Gimpel 2016, section 2")
class GeluTanh(Activation):
    """Gelu's approximation through tanh, written with sigmoid: (1 + tanh u) / 2 = sigmoid(2u) keeps more digits."""

    initializer = "he_uniform"
    cubic: float = number(0.044715, "c")

    def value(self, m: Alphabet, x: Array) -> Array:
        return m.times(m.sigmoid(2 * math.sqrt(2 / math.pi) * (x + self.cubic * x**3)), x)

    def slope(self, m: Alphabet, x: Array, y: Array) -> Array:
        u = 2 * math.sqrt(2 / math.pi) * (x + self.cubic * x**3)
        du = 2 * math.sqrt(2 / math.pi) * (1 + 3 * self.cubic * x**2)
        return m.sigmoid(u) + m.times(m.sigmoid(u) * m.sigmoid(-u), x * du)  # sigmoid(-u): 1 - sigmoid(u) loses digits


@rule("silu", "swish", source="Elfwing, Uchibe, Doya 2017")
class Silu(Activation):
    """x times its own sigmoid."""

    initializer = "he_uniform"

    def value(self, m: Alphabet, x: Array) -> Array:
        return m.times(m.sigmoid(x), x)

    def slope(self, m: Alphabet, x: Array, y: Array) -> Array:
        return m.sigmoid(x) + m.times(m.sigmoid(x) * m.sigmoid(-x), x)  # sigmoid(-x): 1 - sigmoid(x) loses digits


def softplus(m: Alphabet, x: Array) -> Array:
    """ln(1 + e^x) for any x: without a threshold, and without overflow."""
    return m.maximum(x, 0) + m.log1p(m.exp(-m.abs(x)))


@rule("mish", source="Misra 2019")
class Mish(Activation):
    """x times the tanh of its softplus."""

    initializer = "he_uniform"

    def value(self, m: Alphabet, x: Array) -> Array:
        return m.times(m.tanh(softplus(m, x)), x)

    def slope(self, m: Alphabet, x: Array, y: Array) -> Array:
        w = m.tanh(softplus(m, x))
        return w + m.times((1 - w) * (1 + w) * m.sigmoid(x), x)


@rule("softplus", source="Dugas et al. 2001")
class Softplus(Activation):
    """A smooth relu."""

    initializer = "he_uniform"
    codomain = (0.0, math.inf)

    def value(self, m: Alphabet, x: Array) -> Array:
        return softplus(m, x)

    def slope(self, m: Alphabet, x: Array, y: Array) -> Array:
        return m.sigmoid(x)


@rule("exp", "exponential")
class Exp(Activation):
    """e to the weighted sum: an output above 0 that grows by factors, for counts with loss poisson."""

    codomain = (0.0, math.inf)

    def value(self, m: Alphabet, x: Array) -> Array:
        return m.exp(x)

    def slope(self, m: Alphabet, x: Array, y: Array) -> Array:
        return y


@rule("hard_sigmoid", source="Courbariaux, Bengio, David 2015, in the form of PyTorch and Keras 3")
class HardSigmoid(Activation):
    """A sigmoid of three straight lines: 0 up to -3, 1 from 3 on."""

    codomain = (0.0, 1.0)

    def value(self, m: Alphabet, x: Array) -> Array:
        return m.minimum(m.maximum((x + 3) / 6, 0), 1)

    def slope(self, m: Alphabet, x: Array, y: Array) -> Array:
        return m.where(m.greater(3, m.abs(x)), x**0 / 6, 0)


@rule("softmax", source="Bridle 1990")
class Softmax(Activation):
    """Turns a row of numbers into probabilities that sum to 1. Every output depends on every weighted sum."""

    codomain = (0.0, 1.0)

    def value(self, m: Alphabet, x: Array) -> Array:
        largest = m.let("max", m.max(x), "r1")
        e = m.let("exp", m.exp(m.difference(x, largest)))  # e^x alone overflows above 709
        return e / e.sum(-1, keepdims=True)

    def slope(self, m: Alphabet, x: Array, y: Array) -> Array:
        """The Jacobian, (rows, n, n): entry (k, i) is dy_k/dx_i."""
        return y[:, :, None] * (m.identity(y.shape[1]) - y[:, None, :])

    def through(self, m: Alphabet, x: Array, y: Array, dy: Array) -> Array:
        jacobian = m.let("da/dz", self.slope(m, x, y), "rki")
        return m.contract("dE/dz", dy[:, None, :], jacobian, "r1ki")[:, 0, :]
