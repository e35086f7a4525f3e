"""Optimizers, from the simplest on, and clipping. Where libraries and papers differ, the dialect is a field."""

from __future__ import annotations

from chainrule.rules.alphabet import Alphabet, Array
from chainrule.rules.rule import Clipping, Optimizer, choice, number, rule

State = dict[str, Array]


@rule("sgd", source="Robbins, Monro 1951")
class SGD(Optimizer):
    """A step down the slope, as long as the slope is steep."""

    learning_rate: float = number(0.01, "η", above=0)

    def update(self, m: Alphabet, w: Array, g: Array, state: State, k: int, rate: Array) -> tuple[Array, State]:
        return w - rate * g, {}


@rule("momentum", source="Polyak 1964")
class Momentum(Optimizer):
    """A heavy ball: the velocity v remembers earlier slopes.

    form: "pytorch" scales the velocity by the learning rate when it is used, "keras" when the slope enters it (so that a
    change of the learning rate acts on new slopes only).
    """

    slots = ("v",)
    learning_rate: float = number(0.01, "η", above=0)
    momentum: float = number(0.9, "μ", at_least=0, below=1)
    form: str = choice("pytorch", ("pytorch", "keras"))

    def update(self, m: Alphabet, w: Array, g: Array, state: State, k: int, rate: Array) -> tuple[Array, State]:
        v = self.velocity(m, g, state, rate)
        return (w + v if self.form == "keras" else w - rate * v), {"v": v}

    def velocity(self, m: Alphabet, g: Array, state: State, rate: Array) -> Array:
        """What is left of the velocity, and the new slope."""
        slowed = self.momentum * state["v"]
        return m.let("v+", slowed - rate * g if self.form == "keras" else slowed + g)


@rule("nesterov", source="Nesterov 1983; in this form Sutskever, Martens, Dahl, Hinton 2013")
class Nesterov(Momentum):
    """Momentum that takes its slope a step ahead. form as for momentum."""

    def update(self, m: Alphabet, w: Array, g: Array, state: State, k: int, rate: Array) -> tuple[Array, State]:
        v = self.velocity(m, g, state, rate)
        if self.form == "keras":
            return w + self.momentum * v - rate * g, {"v": v}
        return w - rate * (g + self.momentum * v), {"v": v}


@rule("adagrad", source="Duchi, Hazan, Singer 2011")
class Adagrad(Optimizer):
    """Each weight has its own step, which shrinks with the squares of its slopes so far.

    epsilon stands outside of the root (PyTorch) or inside (Keras, which also begins with an accumulator of 0.1).
    """

    slots = ("s",)
    learning_rate: float = number(0.01, "η", above=0)
    epsilon: float = number(1e-10, "ε", at_least=0)
    epsilon_place: str = choice("outside", ("outside", "inside"))
    initial_accumulator: float = number(0.0, "s0", at_least=0)

    def starts(self) -> dict[str, float]:
        return {"s": self.initial_accumulator}

    def update(self, m: Alphabet, w: Array, g: Array, state: State, k: int, rate: Array) -> tuple[Array, State]:
        s = m.let("s+", state["s"] + g**2)
        return w - rate * g / _root(m, s, self.epsilon, self.epsilon_place), {"s": s}


@rule("rmsprop", source="Tieleman, Hinton 2012, lecture 6.5")
class RMSprop(Optimizer):
    """Adagrad that forgets: s is a running mean of squares. epsilon outside of the root (PyTorch) or inside (Keras)."""

    slots = ("s",)
    learning_rate: float = number(0.01, "η", above=0)
    rho: float = number(0.99, "ρ", at_least=0, below=1)
    epsilon: float = number(1e-8, "ε", at_least=0)
    epsilon_place: str = choice("outside", ("outside", "inside"))

    def update(self, m: Alphabet, w: Array, g: Array, state: State, k: int, rate: Array) -> tuple[Array, State]:
        s = m.let("s+", self.rho * state["s"] + (1 - self.rho) * g**2)
        return w - rate * g / _root(m, s, self.epsilon, self.epsilon_place), {"s": s}


def _root(m: Alphabet, s: Array, epsilon: Array, place: str) -> Array:
    return m.sqrt(s + epsilon) if place == "inside" else m.sqrt(s) + epsilon


@rule("adam", source="Kingma, Ba 2015")
class Adam(Optimizer):
    """Running means of the slope (m) and of its square (v), corrected because both begin at 0.

    epsilon_place: "after" the bias correction of v (the paper's Algorithm 1, PyTorch), or "before" it (the paper's remark
    in section 2, Keras, scikit-learn). bias_correction can be turned off.
    """

    slots = ("m", "v")
    learning_rate: float = number(0.001, "η", above=0)
    beta1: float = number(0.9, "β1", at_least=0, below=1)
    beta2: float = number(0.999, "β2", at_least=0, below=1)
    epsilon: float = number(1e-8, "ε", at_least=0)
    epsilon_place: str = choice("after", ("after", "before"))
    bias_correction: str = choice("on", ("on", "off"))

    def update(self, m: Alphabet, w: Array, g: Array, state: State, k: int, rate: Array) -> tuple[Array, State]:
        mean = m.let("m+", self.beta1 * state["m"] + (1 - self.beta1) * g)
        square = m.let("v+", self.beta2 * state["v"] + (1 - self.beta2) * g**2)
        if self.bias_correction == "off":
            step = rate * mean / (m.sqrt(square) + self.epsilon)
        elif self.epsilon_place == "before":
            corrected = m.let("rate", rate * m.sqrt(1 - self.beta2**k) / (1 - self.beta1**k), "")
            step = corrected * mean / (m.sqrt(square) + self.epsilon)
        else:
            mean_hat = m.let("m_hat", mean / (1 - self.beta1**k))
            square_hat = m.let("v_hat", square / (1 - self.beta2**k))
            step = rate * mean_hat / (m.sqrt(square_hat) + self.epsilon)
        return w - step, {"m": mean, "v": square}


@rule("adamw", source="Loshchilov, Hutter 2019")
class AdamW(Adam):
    """Adam with weight decay beside it instead of in the slope.

    decay: "times_rate" multiplies the decay by the learning rate (PyTorch, Keras), "alone" does not (the paper, with its
    schedule multiplier at 1).
    """

    weight_decay: float = number(0.01, "λ_w", at_least=0)
    decay: str = choice("times_rate", ("times_rate", "alone"))

    def update(self, m: Alphabet, w: Array, g: Array, state: State, k: int, rate: Array) -> tuple[Array, State]:
        shrink = rate * self.weight_decay if self.decay == "times_rate" else self.weight_decay
        decayed = m.let("decayed", w - shrink * w)
        return super().update(m, decayed, g, state, k, rate)


@rule("nadam", source="Dozat 2016")
class Nadam(Optimizer):
    """Adam with Nesterov's look ahead; its momentum grows over the updates as beta1 (1 - 0.96^(k psi) / 2).

    momentum_decay psi: 0.004 in PyTorch, 1 in Keras and the paper's schedule.
    """

    slots = ("m", "v")
    counters = ("mu",)
    learning_rate: float = number(0.002, "η", above=0)
    beta1: float = number(0.9, "β1", at_least=0, below=1)
    beta2: float = number(0.999, "β2", at_least=0, below=1)
    epsilon: float = number(1e-8, "ε", at_least=0)
    momentum_decay: float = number(0.004, "ψ", at_least=0)

    def starts(self) -> dict[str, float]:
        return {"m": 0.0, "v": 0.0, "mu": 1.0}

    def update(self, m: Alphabet, w: Array, g: Array, state: State, k: int, rate: Array) -> tuple[Array, State]:
        now = m.let("mu_now", self.beta1 * (1 - m.exp(m.log(0.96) * (k * self.momentum_decay)) / 2), "")
        ahead = m.let("mu_next", self.beta1 * (1 - m.exp(m.log(0.96) * ((k + 1) * self.momentum_decay)) / 2), "")
        product = m.let("mu+", state["mu"] * now, "")
        mean = m.let("m+", self.beta1 * state["m"] + (1 - self.beta1) * g)
        square = m.let("v+", self.beta2 * state["v"] + (1 - self.beta2) * g**2)
        root = m.let("root", m.sqrt(square / (1 - self.beta2**k)) + self.epsilon)
        step = rate * (1 - now) / (1 - product) * g / root + rate * ahead / (1 - product * ahead) * mean / root
        return w - step, {"m": mean, "v": square, "mu": product}


@rule("clip_value")
class ClipValue(Clipping):
    """No gradient beyond the limit, each for itself."""

    limit: float = number(None, "c", above=0)

    def clip(self, m: Alphabet, gradients: list[Array]) -> list[Array]:
        return [m.maximum(m.minimum(g, self.limit), -self.limit) for g in gradients]


@rule("clip_norm", source="Pascanu, Mikolov, Bengio 2013")
class ClipNorm(Clipping):
    """All gradients shrunk together, so that their common length is at most the limit."""

    limit: float = number(None, "c", above=0)

    def clip(self, m: Alphabet, gradients: list[Array]) -> list[Array]:
        norm = m.let("norm", m.sqrt(sum((g**2).sum() for g in gradients)), "")
        factor = m.let("shrink", self.limit / m.maximum(norm, self.limit), "")
        return [factor * g for g in gradients]
