"""Random nets: one seed, one case. What they must cover stands in `draw`.

python tests/random_nets.py --replay 1234              one case against PyTorch, told in full
python tests/random_nets.py --from 0 --count 1000000   many cases; the seeds of failures are printed
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from chainrule.engines import reference
from chainrule.engines.reference import State, Update
from chainrule.network import Network
from chainrule.readers import Floats
from chainrule.rules import Loss, Optimizer, find, names
from chainrule.rules.layers import Dense, Dropout
from chainrule.rules.rule import Activation, Clipping, Layer

STEPS = 3
ROWS = (1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33)  # vector tails
REPLAY = "python tests/random_nets.py --replay"

Random = np.random.Generator

# Hyper-parameters, drawn for one half of the cases; the other half has the defaults.
FIELDS: dict[tuple[str, str], Callable[[Random], dict[str, Any]]] = {
    ("activation", "leaky_relu"): lambda r: {"negative_slope": float(r.choice([0.3, -0.2, 1.5]))},
    ("activation", "elu"): lambda r: {"alpha": float(r.uniform(0.2, 2))},
    ("activation", "selu"): lambda r: {"scale": 1.25, "alpha": 0.75},
    ("activation", "gelu_tanh"): lambda r: {"cubic": 0.05},
    ("loss", "huber"): lambda r: {"delta": float(10 ** r.uniform(-2, 2))},
    ("loss", "pinball"): lambda r: {"quantile": float(r.uniform(0.05, 0.95))},
    ("optimizer", "momentum"): lambda r: {"momentum": float(r.choice([0, 0.5])), "form": str(r.choice(["pytorch", "keras"]))},
    ("optimizer", "nesterov"): lambda r: {"momentum": float(r.choice([0.1, 0.5])), "form": str(r.choice(["pytorch", "keras"]))},
    ("optimizer", "adagrad"): lambda r: {
        "epsilon": 1e-7,
        "epsilon_place": str(r.choice(["outside", "inside"])),
        "initial_accumulator": float(r.choice([0, 0.1])),
    },
    ("optimizer", "rmsprop"): lambda r: {"rho": 0.9, "epsilon": 1e-7, "epsilon_place": str(r.choice(["outside", "inside"]))},
    ("optimizer", "adam"): lambda r: {"beta1": 0.8, "beta2": 0.99, "epsilon": 1e-7, **_adam(r)},
    ("optimizer", "adamw"): lambda r: {"weight_decay": 0.1, "decay": str(r.choice(["times_rate", "alone"])), **_adam(r)},
    ("optimizer", "nadam"): lambda r: {"beta1": 0.8, "momentum_decay": float(r.choice([0, 1]))},
    ("layer", "dropout"): lambda r: {"rate": float(r.choice([0, 0.1, 0.9]))},
    ("layer", "layer_norm"): lambda r: {"epsilon": 1e-3},
    ("layer", "batch_norm"): lambda r: {"epsilon": 1e-3, "momentum": 0.5},
}


def _adam(r: Random) -> dict[str, Any]:
    return {"epsilon_place": str(r.choice(["after", "before"])), "bias_correction": str(r.choice(["on", "on", "off"]))}


@dataclass(frozen=True)
class Case:
    """A net and one batch. x and t are as the network takes them: (rows, inputs) and (rows, outputs) of its dtype."""

    seed: int
    network: Network
    x: Any
    t: Any
    weight: Any  # (rows, 1), or None
    keeps: dict[int, Any]
    optimizer: Optimizer
    clipping: Clipping | None

    def __str__(self) -> str:
        network = self.network
        lines = [f"seed {self.seed}: {REPLAY} {self.seed}", f"  {network.inputs} inputs, {len(self.x)} rows, {network.dtype}"]
        lines += [f"  {place}. {layer}" for place, layer in enumerate(network.layers, 1)]
        lines += [f"  {network.loss}, penalties {network.penalties}, weight {'no' if self.weight is None else 'yes'}"]
        return "\n".join([*lines, f"  {self.optimizer}, clipping {self.clipping}"])


def draw(seed: int, dtype: Any = np.float64, tame: bool = False) -> Case:
    """Depth 1..12, widths 1..64 (log-uniform, 1 often), batch 1..33, every registered activation, loss, optimizer and
    layer; weights of scale 10^U(-3,2), inputs of scale 10^U(-6,3), exact zeros, repeated rows, constant columns, saturated
    units, dead ReLUs, one-hot and soft targets, sample weights that may be 0, given dropout masks, penalties, clipping.

    tame: weights of the size that initializers draw, and inputs near 1, so that rounding is not amplified.
    """
    rng = np.random.default_rng(seed)
    rows = int(rng.choice(ROWS) if rng.random() < 0.7 else rng.integers(1, 34))
    inputs = _width(rng)
    loss = _rule(rng, "loss")
    x = _inputs(rng, rows, inputs, tame).astype(dtype)
    layers = _layers(rng, loss, inputs, len(np.unique(x, axis=0)))
    parts = ["none", "l1", "l2", "both"][rng.choice(4, p=[0.7, 0.1, 0.1, 0.1])]
    penalties = [
        find("penalty", name)(strength=float(10 ** rng.uniform(-5, 0))) for name in names("penalty") if parts in (name, "both")
    ]
    empty = np.zeros(_size(layers, inputs), dtype)
    network = Network(layers, inputs, loss, penalties=penalties, dtype=dtype, parameters=empty)
    _fill(rng, network, tame)
    keeps = {
        place: (rng.random((rows, width)) >= layer.rate).astype(dtype)
        for place, (layer, width) in enumerate(zip(layers, network.widths, strict=True), 1)
        if isinstance(layer, Dropout)
    }
    y = _bounded(network, x, keeps)
    t = _targets(rng, loss, y).astype(dtype)
    weight = None
    if rng.random() < 0.4:
        weight = np.where(rng.random((rows, 1)) < 0.3, 0, rng.uniform(0.1, 3, (rows, 1))).astype(dtype)
        weight[rng.integers(rows)] = 1
    optimizer = _rule(rng, "optimizer")
    clipping = None
    if rng.random() < 0.25:
        clipping = find("clipping", str(rng.choice(names("clipping"))))(limit=float(10 ** rng.uniform(-4, 1)))
    case = Case(seed, network, x, t, weight, keeps, optimizer, clipping)
    return replace(case, optimizer=replace(optimizer, learning_rate=_rate(rng, case)))


def as_doubles(case: Case) -> Case:
    """The very numbers of a float32 case, in float64."""
    old = case.network
    network = Network(old.layers, old.inputs, old.loss, penalties=old.penalties, parameters=old.parameters.astype(float))
    keeps = {place: keep.astype(float) for place, keep in case.keeps.items()}
    weight = None if case.weight is None else case.weight.astype(float)
    return replace(case, network=network, x=case.x.astype(float), t=case.t.astype(float), weight=weight, keeps=keeps)


def _width(rng: Random) -> int:
    return 1 if rng.random() < 0.15 else round(64 ** rng.random())


def _rule(rng: Random, kind: str, name: str = "") -> Any:
    name = name or str(rng.choice(names(kind)))
    drawn = FIELDS[kind, name](rng) if (kind, name) in FIELDS and rng.random() < 0.5 else {}
    if kind == "loss":
        drawn["reduction"] = "sum" if rng.random() < 0.2 else "mean"
    return find(kind, name)(**drawn)


def _layers(rng: Random, loss: Loss, inputs: int, distinct: int) -> list[Layer]:
    """Dense layers, with an activation inside or as a layer of its own, and other layers between them.

    Nine in ten of what makes a gradient 0 by cancellation alone are avoided (a shared bias under softmax, a bias under
    batch_norm, normalising two numbers, which always gives -1 and 1): of such a gradient only rounding is left to compare.
    """
    layers: list[Layer] = []
    alone = False
    depth, width = int(13 ** rng.random()), inputs  # log-uniform, as the widths: 1..12
    others = [name for name in names("layer") if name != "dense"]
    for place in range(1, depth + 1):
        common = rng.random() < 0.9
        if depth > 1 and rng.random() < (0.05 if place == 1 else 0.15):
            other = str(rng.choice(others))
            numbers = {"batch_norm": distinct, "layer_norm": width}.get(other, np.inf)
            if not (common and numbers <= 2):
                if other == "batch_norm" and common and layers:
                    layers = [replace(each, bias="none") if each is layers[-1 - alone] else each for each in layers]
                layers.append(_rule(rng, "layer", other))
        width = _width(rng)
        hidden = [name for name in names("activation") if name != "exp"]  # e to the e to the ... is soon infinite
        activation = _rule(rng, "activation", str(rng.choice(hidden))) if place < depth else _last(rng, loss, width)
        bias = str(rng.choice(["per_unit", "per_unit", "shared", "none"]))
        invariant = activation.name == "softmax" or (place == depth and loss.name == "softmax_cross_entropy")
        if bias == "shared" and invariant and common:
            bias = "per_unit"
        alone = rng.random() < 0.15
        layers += [Dense(width, bias=bias), activation] if alone else [Dense(width, activation, bias)]
    return layers


def _last(rng: Random, loss: Loss, units: int) -> Activation:
    allowed = [name for name in names("activation") if loss.mismatch(find("activation", name)(), units) is None]
    allowed = [name for name in allowed if name != "exp" or loss.name == "poisson"]
    return _rule(rng, "activation", str(rng.choice(allowed)))


def _size(layers: list[Layer], inputs: int) -> int:
    size, width = 0, inputs
    for layer in layers:
        shapes, width = layer.shapes(width)
        size += sum(int(np.prod(shape)) for shape in shapes.values())
    return size


def _fill(rng: Random, network: Network, tame: bool) -> None:
    one_scale = 10 ** rng.uniform(-3, 2)
    one_for_all = rng.random() < 0.5
    per_sender = rng.random() < 0.6  # the scale is that of a sum over the senders; otherwise that of each weight
    views = network.views(network.parameters)
    # deep down a slope may be noise, and the sign that l1 sees after the first step at a weight of 0 is then a coin's
    coin = len(network.layers) > 2 and any(rule.name == "l1" for rule in network.penalties)
    for span in network.spans:
        scale = one_scale if one_for_all else 10 ** rng.uniform(-3, 2)
        if span.symbol == "W" and per_sender:
            scale /= np.sqrt(span.shape[-1])
        if tame:
            scale = 1 / np.sqrt(span.shape[-1]) if span.symbol == "W" else 0.5
        values = scale * rng.standard_normal(span.shape)
        trait = rng.random()
        if span.symbol == "W" and trait < 0.1 and not coin:
            values = np.where(rng.random(span.shape) < 0.3, 0, values)
        elif span.symbol == "b" and not tame:
            if trait < 0.05:  # saturated and dead units: far beyond what the weights can turn back
                values = np.where(rng.random(span.shape) < 0.3, rng.choice([-1e3, 1e3], span.shape), values)
            elif trait < 0.3:
                values = np.zeros(span.shape)
        elif span.symbol == "gamma" and trait < 0.5:
            values = np.ones(span.shape)
        views[span.layer - 1][span.symbol][...] = values


def _inputs(rng: Random, rows: int, inputs: int, tame: bool) -> Any:
    x = (1 if tame else 10 ** rng.uniform(-6, 3)) * rng.standard_normal((rows, inputs))
    trait = rng.random()
    if trait < 0.15:
        x[rng.random(x.shape) < 0.4] = 0
    elif trait < 0.3:
        x = x[rng.integers(0, max(1, rows // 2), rows)]
    elif trait < 0.4:
        columns = rng.random(inputs) < 0.5
        x[:, columns] = x[0, columns]
    elif trait < 0.45:
        x[...] = 0
    elif trait < 0.5:
        x[rng.integers(rows)] = 0
    return x


def _bounded(network: Network, x: Any, keeps: dict[int, Any]) -> Any:
    """Outputs, after the last weights were made smaller where a logarithm of the output would be taken of 0 or of 1 (the
    loss is then infinite, in any implementation)."""
    last = network.last_activation
    limit = {"hard_sigmoid": 2.5, "relu": np.inf}.get(last.name, 30.0)  # exp(-30): a small, but a usable probability
    logarithm = network.loss.name in ("poisson", "binary_cross_entropy") and network.loss.fused_with(last) is None
    views = network.views(network.parameters)
    for _ in range(2):
        with np.errstate(all="ignore"):
            dressed = reference.dressed(network, views, len(x), 1, keeps)
            y, saved = reference.forward(Floats(), network.layers, dressed, x)
        if not logarithm:
            break
        own = isinstance(network.layers[-1], Activation)
        size = np.max(np.abs(saved[-1][0 if own else 1]))
        if np.isfinite(size) and size > limit:
            for symbol in ("W", "b"):
                if symbol in views[-2 if own else -1]:
                    views[-2 if own else -1][symbol][...] *= 2.0 ** np.floor(np.log2(limit / size))
    return y


def _targets(rng: Random, loss: Loss, y: Any) -> Any:
    """Targets of the kind that the loss is made for: probabilities, classes, counts, or numbers of the outputs' size."""
    rows, outputs = y.shape
    if loss.name in ("cross_entropy", "softmax_cross_entropy"):
        if rng.random() < 0.5:
            return np.eye(outputs)[rng.integers(0, outputs, rows)]
        # 1024ths: each row sums to exactly 1, as the slope `softmax - t` takes for granted
        return rng.multinomial(1024, rng.dirichlet(np.full(outputs, 0.5), rows)) / 1024
    if loss.name in ("binary_cross_entropy", "sigmoid_binary_cross_entropy"):
        t = rng.integers(0, 2, y.shape) * 1.0 if rng.random() < 0.5 else rng.integers(0, 65, y.shape) / 64
        if loss.name == "binary_cross_entropy":  # an output that is exactly 0 or 1 must be right
            t = np.where(y == 0, 0, np.where(y == 1, 1, t))
        return t
    if loss.name == "poisson":
        return np.where(y < 1e-100, 0, rng.poisson(10 ** rng.uniform(-1, 2), y.shape))
    size = np.max(np.abs(y)) if rng.random() < 0.5 and np.isfinite(y).all() and y.any() else 1.0
    t = size * rng.standard_normal(y.shape)
    if rng.random() < 0.1 and loss.name not in ("mean_absolute_error", "pinball"):  # at their kink the last bit would decide
        t[rng.integers(rows)] = y[rng.integers(rows)]  # an error of exactly 0
    return t


def _rate(rng: Random, case: Case) -> float:
    """A learning rate whose first step is a part of the weights: a fixed one, with slopes of 1e20, would overflow every
    deep net within three steps. A power of two, so that it does not depend on the last bits of a gradient."""
    if case.optimizer.name not in ("sgd", "momentum", "nesterov"):
        return float(10 ** rng.uniform(-4, -1))
    part = 10 ** rng.uniform(-4, -1)
    _, found = run(case, steps=1)
    slopes = [np.max(np.abs(g)) for g in found.gradients.values()]
    slope = max(slopes, default=0.0)
    weight = np.max(np.abs(case.network.parameters), initial=1e-3)
    if not np.isfinite(slope) or slope == 0:
        return 0.01
    return float(2.0 ** np.clip(np.round(np.log2(part * weight / slope)), -200, 10))


@dataclass
class Found:
    """What a run found: at the first step, and the parameters and running statistics after the last."""

    losses: list[Any]  # of each step
    dx: Any
    gradients: dict[str, Any]
    parameters: dict[str, Any]

    def tensors(self) -> dict[str, Any]:
        """All of it under names, each as an array."""
        losses = {f"E[{step}]": np.asarray(loss) for step, loss in enumerate(self.losses, 1)}
        return {**losses, "dE/dx": self.dx, **self.gradients, **self.parameters}


class Watcher(Floats):
    """Floats that keep dE/dx, which a step does not return."""

    dx: Any = None

    def let(self, symbol: str, x: Any, over: str = "ri") -> Any:
        if symbol == "dE/dx":
            self.dx = x
        return x


class Shaken(Watcher):
    """Monte Carlo arithmetic: every named step is off by `size`, relatively, up or down at random. How much a result then
    changes is how much of it is decided by rounding."""

    def __init__(self, rng: Random, size: float) -> None:
        self.rng, self.size = rng, size

    def let(self, symbol: str, x: Any, over: str = "ri") -> Any:
        return super().let(symbol, self.shake(x), over)

    def contract(self, symbol: str, x: Any, y: Any, over: str, local: str = "") -> Any:
        return x @ self.shake(y)

    def shake(self, x: Any) -> Any:
        x = np.asarray(x)
        return x * (1 + self.size * (2 * self.rng.integers(0, 2, x.shape) - 1))


def run(case: Case, reader: Watcher | None = None, steps: int = STEPS, plain: bool = True) -> tuple[State, Found]:
    """The reference engine as training runs it: the plan with the fused loss, update after update. plain: on copies."""
    m = reader or Watcher()
    network = case.network
    shake = m.shake if isinstance(m, Shaken) else np.copy if plain else np.asarray
    views: Any = [{s: shake(v) for s, v in p.items()} for p in network.views(network.parameters)]
    memory = [dict(each) for each in network.memory]
    x, state = shake(case.x), reference.begin(network, case.optimizer)
    first: Any = None
    losses = []
    with np.errstate(all="ignore"):
        for number in range(1, steps + 1):
            update = Update(case.optimizer, number, case.optimizer.learning_rate, state, case.clipping)
            dressed = reference.dressed(network, views, len(x), number, case.keeps)
            dressed = [{**p, **kept} for p, kept in zip(dressed, memory, strict=True)]
            result = reference.step(m, network, network.fused, dressed, x, case.t, case.weight, update)
            losses.append(result.loss)
            if first is None:
                first = result, m.dx
            memory = [{**kept, **new} for kept, new in zip(memory, result.memory, strict=True)]
            state = result.state
            views = [{s: np.asarray(new[s], network.dtype) for s in p} for p, new in zip(views, result.parameters, strict=True)]
    gradients = {f"dE/d{span.symbol}[{span.layer}]": first[0].gradients[span.layer - 1][span.symbol] for span in network.spans}
    after = {f"{span.symbol}+[{span.layer}]": views[span.layer - 1][span.symbol] for span in network.spans}
    for place, kept in enumerate(memory, 1):
        after.update({f"{symbol}+[{place}]": value for symbol, value in kept.items()})
    return state, Found(losses, first[1], gradients, after)


def main() -> int:
    import test_torch

    options = argparse.ArgumentParser(description="Random nets against PyTorch's autograd.")
    options.add_argument("--replay", type=int, metavar="SEED", help="one case, told in full")
    options.add_argument("--from", type=int, default=0, dest="first")
    options.add_argument("--count", type=int, default=5000)
    given = options.parse_args()
    if given.replay is not None:
        case = draw(given.replay)
        print(case)
        with test_torch.doubles():
            for line in test_torch.judge(case).lines:
                print(" ", line)
        return 0
    start = time.perf_counter()
    with test_torch.doubles():
        tally = test_torch.tally(range(given.first, given.first + given.count))
    print(tally)
    print(f"{time.perf_counter() - start:.1f} s")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
