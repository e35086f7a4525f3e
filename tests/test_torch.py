"""Our reference engine against PyTorch's autograd, on random nets (figure N1: max abs difference <= 1e-12 max abs).

The torch side is a statement of the same net by hand: torch functions under the names of our catalogue, and autograd for
everything that is a derivative. It knows nothing of our rules but their names and fields.

Where torch's own function is the same mathematics but loses digits (log_softmax at probability 1, gelu's 1 + erf,
layer_norm's backward far from 0 ...), the statement is in plain torch operations, and `test_statements` ties it to torch's
own function where that one is exact.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
import torch

import random_nets
from chainrule.engines import reference
from chainrule.engines.reference import Update
from chainrule.network import Network
from chainrule.readers import Floats
from chainrule.rules import find, names
from chainrule.rules.layers import Dense
from random_nets import Case, Found, Shaken

F = torch.nn.functional

CLOSE = 1e-12  # figure N1: normwise, per tensor
CASES, CHUNKS = 5000, 10
Tensor = Any


@contextlib.contextmanager
def doubles() -> Iterator[None]:
    """One thread; and float64 as torch's default, because NAdam keeps its product of momenta in the default dtype
    (float32 would cost 1e-7)."""
    before, threads = torch.get_default_dtype(), torch.get_num_threads()
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_default_dtype(before)
        torch.set_num_threads(threads)


@pytest.fixture(autouse=True)
def _doubles() -> Iterator[None]:
    with doubles():
        yield


# The cross-check map: ours <-> PyTorch


def softplus(x: Tensor) -> Tensor:
    # torch's default threshold of 20 drops log1p(exp(-x)): 5.7e5 ULP at 20.01. At 40 that is below
    # half an ULP of x; near 700, where exp overflows, torch's backward pass would multiply exp(x) with dE/dy first.
    return F.softplus(x, threshold=40)


ACTIVATIONS: dict[str, Callable[[Any, Tensor], Tensor]] = {
    "identity": lambda rule, x: x,
    "sigmoid": lambda rule, x: torch.sigmoid(x),
    "tanh": lambda rule, x: torch.tanh(x),
    "relu": lambda rule, x: F.relu(x),  # slope 0 at 0, as ours
    "leaky_relu": lambda rule, x: F.leaky_relu(x, rule.negative_slope),  # the small slope at 0, as ours
    "elu": lambda rule, x: F.elu(x, rule.alpha),  # alpha for the values below 0 only; slope alpha at 0, as ours
    # torch's selu has its two constants built in; ours are fields, with the same defaults (tied in test_statements)
    "selu": lambda rule, x: rule.scale * F.elu(x, rule.alpha),
    # F.gelu(approximate="none") is x (1 + erf(x / sqrt 2)) / 2, which has no digits left below -8; erfc keeps them
    "gelu": lambda rule, x: x * torch.special.erfc(-x / math.sqrt(2)) / 2,
    # F.gelu(approximate="tanh") is x (1 + tanh u) / 2, and (1 + tanh u) / 2 = sigmoid(2u) keeps the digits
    "gelu_tanh": lambda rule, x: x * torch.sigmoid(math.sqrt(8 / math.pi) * (x + rule.cubic * x**3)),
    "silu": lambda rule, x: F.silu(x),
    "mish": lambda rule, x: F.mish(x),  # log1p(exp(x)) is infinite above 709, and its tanh is 1, as it should be
    "softplus": lambda rule, x: softplus(x),
    "exp": lambda rule, x: torch.exp(x),
    # not F.hardsigmoid: its slope is 1/6 in float32 precision even on float64 (3e-8 off). Slope 0 at -3 and at 3, as ours
    "hard_sigmoid": lambda rule, x: F.relu6(x + 3) / 6,
    "softmax": lambda rule, x: F.softmax(x, dim=1),
}


def dense(rule: Any, p: dict[str, Tensor], x: Tensor) -> Tensor:
    bias = p.get("b")  # W is (receivers, senders) in both
    z = F.linear(x, p["W"], bias) if bias is None or bias.numel() == rule.units else F.linear(x, p["W"]) + bias
    return ACTIVATIONS[rule.activation.name](rule.activation, z)


def dropout(rule: Any, p: dict[str, Tensor], x: Tensor) -> Tensor:
    return x * p["keep"] / (1 - rule.rate)  # inverted dropout, as F.dropout, with a mask that is given


def normalized(x: Tensor, dim: int, epsilon: float) -> Tensor:
    # biased variance, epsilon inside of the root: F.layer_norm and F.batch_norm. Their backward passes lose the digits of
    # numbers whose mean is large against their deviation, and F.batch_norm refuses a batch of 1.
    centered = x - x.mean(dim, keepdim=True)
    return centered / torch.sqrt((centered**2).mean(dim, keepdim=True) + epsilon)


def layer_norm(rule: Any, p: dict[str, Tensor], x: Tensor) -> Tensor:
    return p["gamma"] * normalized(x, 1, rule.epsilon) + p["beta"]


def batch_norm(rule: Any, p: dict[str, Tensor], x: Tensor) -> Tensor:
    with torch.no_grad():  # what prediction will use: the variance without bias, but of a batch of 1 the biased one, 0
        variance = x.var(0, keepdim=True, correction=1 if len(x) > 1 else 0)
        p["running_mean"].lerp_(x.mean(0, keepdim=True), rule.momentum)
        p["running_variance"].lerp_(variance, rule.momentum)
    return p["gamma"] * normalized(x, 0, rule.epsilon) + p["beta"]


LAYERS: dict[str, Callable[[Any, dict[str, Tensor], Tensor], Tensor]] = {
    "dense": dense,
    "dropout": dropout,
    "layer_norm": layer_norm,
    "batch_norm": batch_norm,
}


def counted(t: Tensor, y: Tensor) -> Tensor:
    """y where t is not 0, and 1 elsewhere: t ln y is then 0, with slope 0, also at y = 0. (xlogy's slope is 0/0 there.)"""
    return torch.where(t == 0, 1.0, y)


def binary_cross_entropy(rule: Any, y: Tensor, t: Tensor) -> Tensor:
    # F.binary_cross_entropy bounds the logarithms at -100; ours does not
    return -(t * torch.log(counted(t, y)) + (1 - t) * torch.log1p(-(1 - counted(1 - t, 1 - y))))


def log_softmax(z: Tensor) -> Tensor:
    # F.log_softmax takes log(1 + others): no digits left when the others are small. log1p keeps them.
    largest = z.argmax(1, keepdim=True)
    below = z - z.gather(1, largest)
    others = torch.exp(below).scatter(1, largest, 0.0).sum(1, keepdim=True)
    return below - torch.log1p(others)


LOSSES: dict[str, Callable[[Any, Tensor, Tensor], Tensor]] = {  # each output's part
    "half_squared_error": lambda rule, y, t: F.mse_loss(y, t, reduction="none") / 2,
    "squared_error": lambda rule, y, t: F.mse_loss(y, t, reduction="none"),
    "mean_squared_error": lambda rule, y, t: F.mse_loss(y, t, reduction="none"),  # no 1/2 in either
    "mean_absolute_error": lambda rule, y, t: F.l1_loss(y, t, reduction="none"),  # slope 0 at 0, as ours
    "huber": lambda rule, y, t: F.huber_loss(y, t, reduction="none", delta=rule.delta),  # not smooth_l1: that divides by delta
    "binary_cross_entropy": binary_cross_entropy,
    # F.binary_cross_entropy_with_logits is (1 - t) z - logsigmoid(z): for t = 0 and z = -40 the two cancel
    "sigmoid_binary_cross_entropy": lambda rule, z, t: t * softplus(-z) + (1 - t) * softplus(z),
    "cross_entropy": lambda rule, y, t: -t * torch.log(counted(t, y)),
    "softmax_cross_entropy": lambda rule, z, t: -t * log_softmax(z),
    # F.poisson_nll_loss(log_input=False) adds 1e-8 to y inside the logarithm; ours does not
    "poisson": lambda rule, y, t: y - t * torch.log(counted(t, y)),
    # not torch.maximum of the two lines: its slope at y = t is the mean of both, ours is 0
    "pinball": lambda rule, y, t: rule.quantile * F.relu(t - y) + (1 - rule.quantile) * F.relu(y - t),
}
OVER_OUTPUTS_MEAN = {"mean_squared_error", "mean_absolute_error"}  # the others sum over outputs
FROM_SUMS = {
    ("binary_cross_entropy", "sigmoid"): "sigmoid_binary_cross_entropy",
    ("cross_entropy", "softmax"): "softmax_cross_entropy",
}

PENALTIES: dict[str, Callable[[Any, Tensor], Tensor]] = {  # on W only: not on biases, gamma, beta
    "l1": lambda rule, w: rule.strength * w.abs().sum(),  # slope 0 at 0, as ours
    "l2": lambda rule, w: rule.strength / 2 * (w * w).sum(),  # torch's weight_decay of SGD
}


class ByHand:
    """A dialect that torch.optim does not have: `update(p, g, k)` for each parameter, in place."""

    def __init__(self, leaves: list[Tensor], update: Callable[[Tensor, Tensor, dict[str, Any], int], None]) -> None:
        self.leaves, self.update, self.count = leaves, update, 0
        self.memory: list[dict[str, Any]] = [{} for _ in leaves]

    def step(self) -> None:
        self.count += 1
        with torch.no_grad():
            for leaf, memory in zip(self.leaves, self.memory, strict=True):
                self.update(leaf, leaf.grad, memory, self.count)


def momentum(rule: Any, leaves: list[Tensor], nesterov: bool = False) -> Any:
    # torch's velocity begins as the first slope, which is 0.9 * 0 + g. Keras's form is the same while the rate is constant.
    return torch.optim.SGD(leaves, rule.learning_rate, momentum=rule.momentum, nesterov=nesterov)


def adagrad(rule: Any, leaves: list[Tensor]) -> Any:
    if rule.epsilon_place == "outside":  # torch's place
        start = rule.initial_accumulator
        return torch.optim.Adagrad(leaves, rule.learning_rate, initial_accumulator_value=start, eps=rule.epsilon)

    def update(p: Tensor, g: Tensor, memory: dict[str, Any], k: int) -> None:
        memory["s"] = memory.get("s", rule.initial_accumulator) + g * g
        p.sub_(rule.learning_rate * g / torch.sqrt(memory["s"] + rule.epsilon))

    return ByHand(leaves, update)


def rmsprop(rule: Any, leaves: list[Tensor]) -> Any:
    if rule.epsilon_place == "outside":  # torch's place
        return torch.optim.RMSprop(leaves, rule.learning_rate, alpha=rule.rho, eps=rule.epsilon)

    def update(p: Tensor, g: Tensor, memory: dict[str, Any], k: int) -> None:
        memory["s"] = rule.rho * memory.get("s", 0.0) + (1 - rule.rho) * g * g
        p.sub_(rule.learning_rate * g / torch.sqrt(memory["s"] + rule.epsilon))

    return ByHand(leaves, update)


def adam(rule: Any, leaves: list[Tensor], decay: float = 0.0) -> Any:
    rate, betas, epsilon = rule.learning_rate, (rule.beta1, rule.beta2), rule.epsilon
    if rule.bias_correction == "on" and rule.epsilon_place == "after":  # torch's dialect
        if decay:
            return torch.optim.AdamW(leaves, rate, betas=betas, eps=epsilon, weight_decay=decay)
        return torch.optim.Adam(leaves, rate, betas=betas, eps=epsilon)

    def update(p: Tensor, g: Tensor, memory: dict[str, Any], k: int) -> None:
        p.mul_(1 - rate * decay)
        memory["m"] = torch.lerp(memory.get("m", torch.zeros_like(g)), g, 1 - rule.beta1)
        memory["v"] = rule.beta2 * memory.get("v", 0.0) + (1 - rule.beta2) * g * g
        if rule.bias_correction == "off":
            p.sub_(rate * memory["m"] / (memory["v"].sqrt() + epsilon))
        else:  # the paper's section 2: the correction is in the rate, so epsilon stands before it
            corrected = rate * math.sqrt(1 - rule.beta2**k) / (1 - rule.beta1**k)
            p.sub_(corrected * memory["m"] / (memory["v"].sqrt() + epsilon))

    return ByHand(leaves, update)


def adamw(rule: Any, leaves: list[Tensor]) -> Any:
    # torch's decay is times the rate; the paper's is not
    return adam(rule, leaves, rule.weight_decay / (1 if rule.decay == "times_rate" else rule.learning_rate))


OPTIMIZERS: dict[str, Callable[[Any, list[Tensor]], Any]] = {
    "sgd": lambda rule, leaves: torch.optim.SGD(leaves, rule.learning_rate),
    "momentum": momentum,
    "nesterov": lambda rule, leaves: momentum(rule, leaves, nesterov=True),
    "adagrad": adagrad,
    "rmsprop": rmsprop,
    "adam": adam,
    "adamw": adamw,
    "nadam": lambda rule, leaves: torch.optim.NAdam(
        leaves, rule.learning_rate, betas=(rule.beta1, rule.beta2), eps=rule.epsilon, momentum_decay=rule.momentum_decay
    ),
}


def clip_norm(rule: Any, gradients: list[Tensor]) -> None:
    # torch.nn.utils.clip_grad_norm_ divides by the norm + 1e-6; ours by the norm
    norm = torch.linalg.vector_norm(torch.cat([g.reshape(-1) for g in gradients]))
    if norm > rule.limit:
        for g in gradients:
            g.mul_(rule.limit / norm)


def clip_value(rule: Any, gradients: list[Tensor]) -> None:
    for g in gradients:
        g.clamp_(-rule.limit, rule.limit)


CLIPPINGS: dict[str, Callable[[Any, list[Tensor]], None]] = {"clip_norm": clip_norm, "clip_value": clip_value}

MAPS: dict[str, dict[str, Any]] = {
    "activation": ACTIVATIONS,
    "layer": LAYERS,
    "loss": LOSSES,
    "penalty": PENALTIES,
    "optimizer": OPTIMIZERS,
    "clipping": CLIPPINGS,
}


# The same net in torch


def torch_run(case: Case, steps: int = random_nets.STEPS) -> Found:
    network = case.network
    tensors = [{s: torch.tensor(np.array(v)) for s, v in p.items()} for p in network.views(network.parameters)]
    leaves = [tensors[span.layer - 1][span.symbol].requires_grad_() for span in network.spans]
    running = [{s: torch.tensor(np.array(v)) for s, v in kept.items()} for kept in network.memory]
    keeps = [{"keep": torch.tensor(case.keeps[place])} if place in case.keeps else {} for place in range(1, len(tensors) + 1)]
    everything = [{**p, **kept, **keep} for p, kept, keep in zip(tensors, running, keeps, strict=True)]
    x, t = torch.tensor(np.array(case.x)).requires_grad_(), torch.tensor(np.array(case.t))
    weight = None if case.weight is None else torch.tensor(np.array(case.weight))
    optimizer = OPTIMIZERS[case.optimizer.name](case.optimizer, leaves)
    first: Any = None
    losses = []
    for _ in range(steps):
        for leaf in [*leaves, x]:
            leaf.grad = None
        loss = torch_loss(network, everything, x, t, weight)
        losses.append(loss.item())
        loss.backward()
        gradients = [leaf.grad if leaf.grad is not None else torch.zeros_like(leaf) for leaf in leaves]
        if first is None:
            first = x.grad.numpy().copy(), [g.numpy().copy() for g in gradients]
        if case.clipping is not None:
            CLIPPINGS[case.clipping.name](case.clipping, gradients)
        optimizer.step()
    places = [f"{span.symbol}{{}}[{span.layer}]" for span in network.spans]
    after = {place.format("+"): leaf.detach().numpy() for place, leaf in zip(places, leaves, strict=True)}
    for place, kept in enumerate(running, 1):
        after.update({f"{symbol}+[{place}]": value.numpy() for symbol, value in kept.items()})
    found = {f"dE/d{place.format('')}": g for place, g in zip(places, first[1], strict=True)}
    return Found(losses, first[0], found, after)


def torch_loss(network: Network, tensors: list[dict[str, Tensor]], x: Tensor, t: Tensor, weight: Tensor | None) -> Tensor:
    """The number that is reported; with a last sigmoid or softmax under a logarithm, from the sums before it."""
    rule, layers = network.loss, network.layers
    last = layers[-1].activation if isinstance(layers[-1], Dense) else layers[-1]
    from_sums = FROM_SUMS.get((rule.name, last.name))
    for place, (layer, p) in enumerate(zip(layers, tensors, strict=True), 1):
        if place == len(layers) and from_sums:
            x = F.linear(x, p["W"]) + p.get("b", 0.0) if "W" in p else x
        else:
            x = LAYERS[layer.name](layer, p, x) if layer.kind == "layer" else ACTIVATIONS[layer.name](layer, x)
    weights = torch.ones(len(x), dtype=x.dtype) if weight is None else weight[:, 0]
    counts = weights != 0  # a row that is left out counts nothing, even if its loss is infinite: no 0 * inf
    weights = weights[counts]
    each = LOSSES[from_sums or rule.name](rule, x[counts], t[counts])
    rows = each.mean(1) if rule.name in OVER_OUTPUTS_MEAN else each.sum(1)
    loss = (weights * rows).sum() / (weights.sum() if rule.reduction == "mean" else 1)
    prices = [PENALTIES[each.name](each, p["W"]) for each in network.penalties for p in tensors if "W" in p]
    return loss + sum(prices)


# Judgement


@dataclass
class Verdict:
    """kind: "close", "conditioned", "overflow" or "failed". largest: of the normalised differences within CLOSE."""

    kind: str = "close"
    largest: float = 0.0
    tensors: int = 0
    doubtful: int = 0  # tensors whose difference is above CLOSE
    lines: list[str] = field(default_factory=list)


def distance(one: Any, other: Any) -> float:
    """The largest difference over the largest size; 0 for two tensors of zeros."""
    size = np.max(np.abs(other), initial=0)
    difference = np.max(np.abs(one - other), initial=0)
    return float(difference / size) if size else float(np.inf if difference else 0)


DRAWS = 40  # each of 3 or more at first; the first that explains every difference ends the search
FACTOR = 4  # within a sum, and inside of its own functions, an engine rounds a few times where we shake once
ULP = 2.0**-52


def judge(case: Case) -> Verdict:
    """Ours against torch's."""
    ours, theirs = random_nets.run(case)[1].tensors(), torch_run(case).tensors()
    return compare(case, ours, theirs, CLOSE, ULP)


def compare(case: Case, ours: dict[str, Any], theirs: dict[str, Any], close: float, size: float) -> Verdict:
    """Two results for one case, tensor by tensor.

    A difference above `close` is accepted only if rounding alone explains it. Both sides round every step, in different
    orders; so what decides is how far a tensor moves when each named step of our engine, each parameter and each input is
    off by `size`, relatively, up or down (Monte Carlo arithmetic, Parker 1997). Shaking parameters and inputs alone would
    miss what is lost on the way: of tanh(20), rounded to 1, the slope 1 - y^2 knows nothing, whatever the input's last bit.

    That is no wider tolerance: a tensor that is well conditioned does not move, and must agree. A wrong formula changes it
    far more than 4 times its rounding does (F.hardsigmoid's float32 constant, 3e-8, was found this way within 10 nets).
    """
    verdict = Verdict()
    if ours.keys() != theirs.keys():
        return Verdict("failed", lines=[f"tensors {ours.keys() ^ theirs.keys()}"])
    infinite = [name for name in theirs if name.startswith("E[") and not np.isfinite(theirs[name])]
    compared = list(ours)
    if infinite:
        # A logarithm of 0: nothing that comes from this loss is a number to compare. Ours must have seen it as well.
        verdict.lines.append(f"{infinite[0]}: ours {ours[infinite[0]]}, theirs {theirs[infinite[0]]}")
        if np.isfinite(ours[infinite[0]]):
            return replace(verdict, kind="failed")
        verdict.kind = "overflow"
        first = infinite[0] == "E[1]"
        compared = [name for name in ours if not first and "+" not in name and not (name[0] == "E" and name >= infinite[0])]
    # Below the normal numbers (1e-308) digits go missing, and a product's order decides whether any is left. Weights have
    # perhaps enlarged that since, by what 2^30 stands for.
    vanished = float(np.finfo(np.float64 if size == ULP else np.float32).tiny) * 2**30
    doubtful: dict[str, float] = {}
    for name in compared:
        mine = ours[name]
        if mine.shape != theirs[name].shape:
            return Verdict("failed", lines=[f"{name}: shape {mine.shape}, theirs {theirs[name].shape}"])
        finite = np.isfinite(mine).all(), np.isfinite(theirs[name]).all()
        if not all(finite):
            verdict.lines.append(f"{name}: finite {finite[0]}, theirs {finite[1]}")
            verdict.kind = "failed" if finite[1] or verdict.kind == "failed" else "overflow"
            continue
        if max(np.max(np.abs(mine), initial=0), np.max(np.abs(theirs[name]), initial=0)) < vanished:
            continue
        apart = distance(mine, theirs[name])
        if apart <= close:
            verdict.largest = max(verdict.largest, apart)
        else:
            doubtful[name] = apart
    verdict.tensors, verdict.doubtful = len(compared), len(doubtful)
    if doubtful:
        moved, wrong = shaken(case, ours, theirs, doubtful, size)
        for name, apart in doubtful.items():
            scale = np.max(np.abs(theirs[name])) or 1.0
            line = f"{name}: {apart:.2g} of {scale:.3g}; shaking moves it by {moved[name] / scale:.2g}"
            verdict.lines.append(line + ("   <-- not explained" if name in wrong else ""))
        if wrong:
            verdict.kind = "failed"
        elif verdict.kind == "close":
            verdict.kind = "conditioned"
    return verdict


def shaken(
    case: Case, ours: dict[str, Any], theirs: dict[str, Any], doubtful: Iterable[str], size: float
) -> tuple[dict[str, float], list[str]]:
    """How far shaking moves the doubtful tensors at most, and which of them are further apart than that explains."""
    moved = dict.fromkeys(doubtful, 0.0)
    wrong = list(moved)
    rng = np.random.default_rng(case.seed)
    for _ in range(DRAWS):
        other = random_nets.run(case, Shaken(rng, size))[1].tensors()
        for name in moved:
            moved[name] = max(moved[name], float(np.max(np.abs(other[name] - ours[name]))))
        wrong = [name for name in wrong if not np.max(np.abs(ours[name] - theirs[name])) <= FACTOR * moved[name]]
        if not wrong:
            break
    return moved, wrong


@dataclass
class Tally:
    cases: int = 0
    conditioned: list[int] = field(default_factory=list)
    overflow: list[int] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    largest: float = 0.0
    tensors: int = 0
    doubtful: int = 0

    def add(self, case: Case, verdict: Verdict) -> None:
        self.cases += 1
        self.largest = max(self.largest, verdict.largest)
        self.tensors += verdict.tensors
        self.doubtful += verdict.doubtful
        if verdict.kind == "failed":
            self.failed.append("\n".join([str(case), *(f"    {line}" for line in verdict.lines)]))
        elif verdict.kind != "close":
            getattr(self, verdict.kind).append(case.seed)

    def __str__(self) -> str:
        told = f"{self.cases} nets: largest difference {self.largest:.2g}, judged by conditioning {len(self.conditioned)} "
        told += f"({self.doubtful} of {self.tensors} tensors), overflowed {len(self.overflow)}, failed {len(self.failed)}"
        return "\n".join([told, *self.failed])


def tally(seeds: Iterable[int]) -> Tally:
    result = Tally()
    for seed in seeds:
        case = random_nets.draw(seed)
        result.add(case, judge(case))
    return result


# Tests


@pytest.mark.parametrize("kind", MAPS)
def test_every_rule_has_a_counterpart(kind: str) -> None:
    assert set(names(kind)) == set(MAPS[kind])


# N1 counts tensors. Of nets this wild (weights up to 100 in 12 layers), some in every hundred have a gradient that is 0 but
# for rounding: a bias before batch_norm, whatever lies before a saturated unit. No two engines agree on those to 1e-12.
MOST_DOUBTFUL = 0.05  # of all tensors
MOST_OVERFLOWS = 0.05  # of all nets


def accept(found: Tally) -> None:
    print(found)
    assert not found.failed, str(found)
    assert found.doubtful <= MOST_DOUBTFUL * found.tensors, str(found)
    assert len(found.overflow) <= MOST_OVERFLOWS * found.cases, str(found)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_random_nets(chunk: int) -> None:
    count = CASES // CHUNKS
    accept(tally(range(chunk * count, (chunk + 1) * count)))


SINGLES = 400
SINGLE_ULP = 2.0**-23


def single_bound(case: Case) -> float:
    """How far float32 may be from float64, normwise.

    A sum of n products in float32 is off by at most n u of the sum of its parts' sizes, u = 2^-24. Its rounding errors, of
    random sign, reach sqrt(n) u of that; the sum of the sizes is about sqrt(n) times the sum, when its terms have random
    signs: together n u again. 8 more for the activation, the slope and their product. A step passes every layer forward
    and back, and the errors add up: 2 layers (n + 8) u, n the longest sum: over senders, receivers or rows. (What is 0 by
    cancellation, what a kink decides, and what Adam makes of such slopes, is judged by conditioning as above.)
    """
    longest = max(case.network.inputs, *case.network.widths, len(case.x))
    return 2 * len(case.network.layers) * (longest + 8) * SINGLE_ULP / 2


def test_singles() -> None:
    found = Tally()
    for seed in range(SINGLES):
        single = random_nets.draw(seed, np.float32, tame=True)
        double = random_nets.as_doubles(single)
        result = random_nets.run(single)[1].tensors()
        truth = random_nets.run(double)[1].tensors()
        rounded = {name: value.astype(float) for name, value in result.items()}
        found.add(double, compare(double, truth, rounded, single_bound(single), SINGLE_ULP))
    accept(found)


@pytest.mark.parametrize("name", names("optimizer"))
def test_float32_stays_float32(name: str) -> None:
    """Not one step of an update is taken in float64: the native engine could not repeat it."""
    dialects = [random_nets.FIELDS["optimizer", name](np.random.default_rng(i)) for i in range(9)] if name != "sgd" else []
    for fields in [{}, *dialects]:
        network = Network([Dense(3, "tanh"), Dense(2)], 2, dtype=np.float32)
        optimizer = find("optimizer", name)(**fields)
        update = Update(optimizer, 1, optimizer.learning_rate, reference.begin(network, optimizer))
        x, t = np.ones((4, 2), np.float32), np.ones((4, 2), np.float32)
        result = reference.step(Floats(), network, network.fused, network.views(network.parameters), x, t, None, update)
        slots = [array for p in result.state for memory in p.values() for array in memory.values()]
        arrays = [result.loss, *(a for p in (*result.gradients, *result.parameters) for a in p.values()), *slots]
        assert {array.dtype for array in arrays} == {np.dtype(np.float32)}, str(optimizer)


def fortran(a: Any) -> Any:
    return np.asfortranarray(a)


def scattered(a: Any) -> Any:
    room = np.full(tuple(3 * n for n in a.shape), np.nan, a.dtype)
    room[tuple(slice(1, None, 3) for _ in a.shape)] = a
    return room[tuple(slice(1, None, 3) for _ in a.shape)]


def backwards(a: Any) -> Any:
    turn = (slice(None, None, -1),) * a.ndim
    return a[turn].copy()[turn]


def read_only(a: Any) -> Any:
    a = a.copy()
    a.flags.writeable = False
    return a


def misaligned(a: Any) -> Any:
    room = bytearray(a.nbytes + 1)
    view = np.frombuffer(room, a.dtype, a.size, 1).reshape(a.shape)
    view[...] = a
    assert not view.flags.aligned or a.size == 0
    return view


@pytest.mark.parametrize("layout", [fortran, scattered, backwards, read_only, misaligned])
def test_layouts(layout: Callable[[Any], Any]) -> None:
    """The same numbers in any memory give the same result as in plain arrays, and are left as they were."""
    for seed in range(60):
        case = random_nets.draw(seed)
        old = case.network
        parameters = old.parameters if layout is fortran else layout(old.parameters)
        network = Network(old.layers, old.inputs, old.loss, penalties=old.penalties, parameters=parameters)
        weight = None if case.weight is None else layout(case.weight)
        keeps = {place: layout(keep) for place, keep in case.keeps.items()}
        given = replace(case, network=network, x=layout(case.x), t=layout(case.t), weight=weight, keeps=keeps)
        plain = random_nets.run(case)[1].tensors()
        result = random_nets.run(given, plain=False)[1].tensors()
        verdict = compare(case, plain, result, CLOSE, ULP)  # not bit for bit: a BLAS sums other layouts in another order
        assert verdict.kind != "failed", "\n".join([str(case), *verdict.lines])
        for mine, before in [(given.x, case.x), (given.t, case.t), (parameters, old.parameters)]:
            np.testing.assert_array_equal(mine, before)


GRID = np.linspace(-5, 5, 41)


def with_slope(function: Callable[[Tensor], Tensor], x: Any = GRID) -> tuple[Any, Any]:
    x = torch.tensor(x).requires_grad_()
    y = function(x)
    y.sum().backward()
    return y.detach().numpy(), x.grad.numpy()


@pytest.mark.parametrize(
    ("stated", "torchs", "close"),
    [
        (lambda x: ACTIVATIONS["gelu"](None, x), lambda x: F.gelu(x), 1e-15),
        (
            lambda x: ACTIVATIONS["gelu_tanh"](find("activation", "gelu_tanh")(), x),
            lambda x: F.gelu(x, approximate="tanh"),
            1e-14,
        ),
        (lambda x: ACTIVATIONS["selu"](find("activation", "selu")(), x), F.selu, 1e-15),
        # torch's slope is 0.16666667163372040, the float32 nearest to 1/6
        (lambda x: ACTIVATIONS["hard_sigmoid"](None, x), F.hardsigmoid, 4e-8),
        (lambda x: normalized(x.reshape(1, -1), 1, 1e-5) * x, lambda x: F.layer_norm(x, (len(x),)) * x, 1e-14),
        (
            lambda x: normalized(x.reshape(-1, 1), 0, 1e-5)[:, 0] * x,
            lambda x: F.batch_norm(x.reshape(-1, 1), None, None, training=True)[:, 0] * x,
            1e-14,
        ),
        (
            lambda x: log_softmax(x.reshape(-1, 1) * torch.ones(3).cumsum(0)),
            lambda x: F.log_softmax(x.reshape(-1, 1) * torch.ones(3).cumsum(0), 1),
            1e-14,
        ),
        (
            lambda x: LOSSES["sigmoid_binary_cross_entropy"](None, x, torch.tensor(0.25)),
            lambda x: F.binary_cross_entropy_with_logits(x, torch.full_like(x, 0.25), reduction="none"),
            1e-14,
        ),
        (
            lambda x: binary_cross_entropy(None, torch.sigmoid(x), torch.tensor(0.25)),
            lambda x: F.binary_cross_entropy(torch.sigmoid(x), torch.full_like(x, 0.25), reduction="none"),
            1e-13,
        ),
        (
            lambda x: LOSSES["poisson"](None, x.exp(), torch.tensor(3.0)),
            lambda x: F.poisson_nll_loss(x, torch.full_like(x, 3.0), reduction="none"),
            1e-14,
        ),
    ],
    ids=["gelu", "gelu_tanh", "selu", "hard_sigmoid", "layer_norm", "batch_norm", "log_softmax", "logits", "bce", "poisson"],
)
def test_statements(stated: Callable[[Tensor], Tensor], torchs: Callable[[Tensor], Tensor], close: float) -> None:
    """What is stated in plain operations is torch's own function, where that one keeps its digits: value and slope."""
    for mine, theirs in zip(with_slope(stated), with_slope(torchs), strict=True):
        np.testing.assert_allclose(mine.reshape(theirs.shape), theirs, rtol=0, atol=close * np.max(np.abs(theirs)))


KINKS = np.array([-3.0, -0.0, 0.0, 3.0])


@pytest.mark.parametrize("name", [name for name in names("activation") if name != "softmax"])  # it has none
def test_kinks(name: str) -> None:
    """The slope that is taken where there are two."""
    rule = find("activation", name)()
    y, slope = with_slope(lambda x: ACTIVATIONS[name](rule, x), KINKS)
    x = KINKS.reshape(1, -1)
    np.testing.assert_allclose(rule.value(Floats(), x)[0], y, rtol=1e-15, atol=1e-16)
    np.testing.assert_allclose(np.broadcast_to(rule.slope(Floats(), x, y.reshape(1, -1)), x.shape)[0], slope, rtol=1e-15)


@pytest.mark.parametrize("name", ["mean_absolute_error", "huber", "pinball"])
@pytest.mark.parametrize("error", [-1.0, 0.0, 1.0])  # 1: huber's delta
def test_ties(name: str, error: float) -> None:
    rule = find("loss", name)(**({"quantile": 0.75} if name == "pinball" else {}))
    y, t = np.array([[2.0 + error]]), np.array([[2.0]])
    value, slope = with_slope(lambda each: LOSSES[name](rule, each, torch.tensor(t)), y)
    assert rule.each(Floats(), y, t) == value
    assert rule.each_slope(Floats(), y, t) == slope
