"""Optimizers, schedules, initializers and draws: against their statements in plain Python, against PyTorch, and against
the published known answers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

from chainrule import draws
from chainrule.errors import InputError
from chainrule.network import Network
from chainrule.readers import Floats
from chainrule.rules import find, names
from chainrule.rules.layers import Dense
from test_rules_slopes import every, random, shown

UPDATES = 5
# A dozen roundings an update; a difference in the last place is never enlarged, as no update divides by a small difference.
SAME = 1e-13


def run(optimizer: Any, w: Any, gradients: Any, rates: Any) -> list[Any]:
    """The weights after each update."""
    shape = w.shape
    starts = optimizer.starts()
    state = {slot: np.full((1,) if slot in optimizer.counters else shape, first) for slot, first in starts.items()}
    path = []
    for k, (g, rate) in enumerate(zip(gradients, rates, strict=True), 1):
        w, state = optimizer.update(Floats(), w, g, state, k, rate)
        assert set(state) == set(starts)
        path.append(w)
    return path


def problem(about: Any) -> tuple[Any, Any, list[float]]:
    """Weights, gradients of all sizes (one is 0 throughout, one at first), and a learning rate that changes."""
    rng = random("optimizer", about)
    w, gradients = rng.normal(size=6), rng.normal(size=(UPDATES, 6)) * 10.0 ** np.array([-6, -2, 0, 2, 0, 0])
    gradients[:, 4] = 0.0
    gradients[:2, 5] = 0.0
    return w, gradients, [0.1, 0.1, 0.05, 0.05, 0.2]


# One weight at a time, in plain Python: what the papers and the libraries' documentation say. s holds what is remembered.

Statement = Callable[[Any, float, float, dict[str, float], int, float], float]


def sgd(o: Any, w: float, g: float, s: dict[str, float], k: int, rate: float) -> float:
    return w - rate * g


def momentum(o: Any, w: float, g: float, s: dict[str, float], k: int, rate: float) -> float:
    if o.form == "keras":
        s["v"] = o.momentum * s.get("v", 0) - rate * g
        return w + s["v"]
    s["v"] = o.momentum * s.get("v", 0) + g
    return w - rate * s["v"]


def nesterov(o: Any, w: float, g: float, s: dict[str, float], k: int, rate: float) -> float:
    if o.form == "keras":
        s["v"] = o.momentum * s.get("v", 0) - rate * g
        return w + o.momentum * s["v"] - rate * g
    s["v"] = o.momentum * s.get("v", 0) + g
    return w - rate * (g + o.momentum * s["v"])


def adagrad(o: Any, w: float, g: float, s: dict[str, float], k: int, rate: float) -> float:
    s["s"] = s.get("s", o.initial_accumulator) + g * g
    root = math.sqrt(s["s"] + o.epsilon) if o.epsilon_place == "inside" else math.sqrt(s["s"]) + o.epsilon
    return w - rate * g / root


def rmsprop(o: Any, w: float, g: float, s: dict[str, float], k: int, rate: float) -> float:
    s["s"] = o.rho * s.get("s", 0) + (1 - o.rho) * g * g
    root = math.sqrt(s["s"] + o.epsilon) if o.epsilon_place == "inside" else math.sqrt(s["s"]) + o.epsilon
    return w - rate * g / root


def adam(o: Any, w: float, g: float, s: dict[str, float], k: int, rate: float) -> float:
    s["m"] = o.beta1 * s.get("m", 0) + (1 - o.beta1) * g
    s["v"] = o.beta2 * s.get("v", 0) + (1 - o.beta2) * g * g
    m, v = s["m"], s["v"]
    if o.bias_correction == "off":
        return w - rate * m / (math.sqrt(v) + o.epsilon)
    c1, c2 = 1 - o.beta1**k, 1 - o.beta2**k
    if o.epsilon_place == "before":  # epsilon is added to the root of the uncorrected v
        return w - rate * (m / c1) / ((math.sqrt(v) + o.epsilon) / math.sqrt(c2))
    return w - rate * (m / c1) / (math.sqrt(v / c2) + o.epsilon)


def adamw(o: Any, w: float, g: float, s: dict[str, float], k: int, rate: float) -> float:
    decay = o.weight_decay * (rate if o.decay == "times_rate" else 1)
    return adam(o, w * (1 - decay), g, s, k, rate)


def nadam(o: Any, w: float, g: float, s: dict[str, float], k: int, rate: float) -> float:
    def mu(k: int) -> float:
        return o.beta1 * (1 - 0.5 * 0.96 ** (k * o.momentum_decay))

    s["m"] = o.beta1 * s.get("m", 0) + (1 - o.beta1) * g
    s["v"] = o.beta2 * s.get("v", 0) + (1 - o.beta2) * g * g
    product = math.prod(mu(i) for i in range(1, k + 1))
    m_hat = mu(k + 1) * s["m"] / (1 - product * mu(k + 1)) + (1 - mu(k)) * g / (1 - product)
    return w - rate * m_hat / (math.sqrt(s["v"] / (1 - o.beta2**k)) + o.epsilon)


STATEMENTS: dict[str, Statement] = {
    "sgd": sgd, "momentum": momentum, "nesterov": nesterov, "adagrad": adagrad, "rmsprop": rmsprop, "adam": adam,
    "adamw": adamw, "nadam": nadam,
}  # fmt: skip


def test_every_optimizer_is_stated() -> None:
    assert set(STATEMENTS) == set(names("optimizer"))


@pytest.mark.parametrize("optimizer", every("optimizer"), ids=shown)
def test_an_optimizer_is_what_its_statement_says(optimizer: Any) -> None:
    w, gradients, rates = problem(optimizer)
    path = run(optimizer, w, gradients, rates)
    for i in range(w.size):
        weight, memory = float(w[i]), dict[str, float]()
        for k in range(1, UPDATES + 1):
            weight = STATEMENTS[optimizer.name](optimizer, weight, float(gradients[k - 1, i]), memory, k, rates[k - 1])
            # the sizes of all steps so far bound what may have cancelled
            scale = abs(weight) + abs(float(w[i])) + sum(abs(path[j][i] - (path[j - 1][i] if j else w[i])) for j in range(k))
            assert abs(path[k - 1][i] - weight) <= SAME * scale, (i, k)


def moving() -> list[Any]:
    return [optimizer for optimizer in every("optimizer") if getattr(optimizer, "momentum", 1) != 0]  # without, it is sgd


@pytest.mark.parametrize("optimizer", moving(), ids=shown)
def test_every_dialect_differs_from_every_other(optimizer: Any) -> None:
    """A field that changes nothing would pass every test of equality."""
    w, gradients, rates = problem("dialects")
    found = run(optimizer, w, gradients, rates)[-1]
    for other in moving():
        if other != optimizer:
            assert np.abs(run(other, w, gradients, rates)[-1] - found).max() > 1e-9, (optimizer, other)


@pytest.mark.parametrize("optimizer", every("optimizer"), ids=shown)
def test_where_the_slope_is_always_zero_nothing_moves(optimizer: Any) -> None:
    w = np.array([1.5, -2.0, 0.0])
    path = run(optimizer, w, np.zeros((UPDATES, 3)), [0.1] * UPDATES)
    decay = 0.0
    if optimizer.name == "adamw":
        decay = optimizer.weight_decay * (0.1 if optimizer.decay == "times_rate" else 1)
    np.testing.assert_allclose(path[-1], w * (1 - decay) ** UPDATES, rtol=1e-15)


@pytest.mark.parametrize("optimizer", every("optimizer"), ids=shown)
def test_an_update_changes_nothing_in_place_and_keeps_float32(optimizer: Any) -> None:
    w, g = np.array([1.5, -2.0], np.float32), np.array([0.25, -0.5], np.float32)
    state = {
        slot: np.full((1,) if slot in optimizer.counters else w.shape, first, np.float32)
        for slot, first in optimizer.starts().items()
    }
    kept = {slot: values.copy() for slot, values in state.items()}
    new, memory = optimizer.update(Floats(), w, g, state, 1, 0.1)
    assert new is not w
    assert w.tolist() == [1.5, -2.0]
    assert all((state[slot] == kept[slot]).all() for slot in state)
    assert new.dtype == np.float32
    assert all(values.dtype == np.float32 for slot, values in memory.items())


# PyTorch

TORCH: list[tuple[Any, Callable[[Any, float], Any]]] = [
    (find("optimizer", "sgd")(), lambda p, rate: torch.optim.SGD(p, lr=rate)),
    (find("optimizer", "momentum")(), lambda p, rate: torch.optim.SGD(p, lr=rate, momentum=0.9)),
    (find("optimizer", "momentum")(momentum=0.5), lambda p, rate: torch.optim.SGD(p, lr=rate, momentum=0.5)),
    (find("optimizer", "nesterov")(), lambda p, rate: torch.optim.SGD(p, lr=rate, momentum=0.9, nesterov=True)),
    (find("optimizer", "adagrad")(), lambda p, rate: torch.optim.Adagrad(p, lr=rate)),
    (
        find("optimizer", "adagrad")(initial_accumulator=0.1, epsilon=1e-3),
        lambda p, rate: torch.optim.Adagrad(p, lr=rate, initial_accumulator_value=0.1, eps=1e-3),
    ),
    (find("optimizer", "rmsprop")(), lambda p, rate: torch.optim.RMSprop(p, lr=rate)),
    (find("optimizer", "rmsprop")(rho=0.9, epsilon=1e-3), lambda p, rate: torch.optim.RMSprop(p, lr=rate, alpha=0.9, eps=1e-3)),
    (find("optimizer", "adam")(), lambda p, rate: torch.optim.Adam(p, lr=rate)),
    (
        find("optimizer", "adam")(beta1=0.8, beta2=0.99, epsilon=1e-3),
        lambda p, rate: torch.optim.Adam(p, lr=rate, betas=(0.8, 0.99), eps=1e-3),
    ),
    (find("optimizer", "adamw")(), lambda p, rate: torch.optim.AdamW(p, lr=rate)),
    (find("optimizer", "adamw")(weight_decay=0.3), lambda p, rate: torch.optim.AdamW(p, lr=rate, weight_decay=0.3)),
    (find("optimizer", "nadam")(), lambda p, rate: torch.optim.NAdam(p, lr=rate)),
    (find("optimizer", "nadam")(momentum_decay=1.0), lambda p, rate: torch.optim.NAdam(p, lr=rate, momentum_decay=1.0)),
]


@pytest.fixture
def wide() -> Iterator[None]:
    """NAdam keeps its product of momenta in PyTorch's default dtype: in float32 it would be off by 1e-9."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


@pytest.mark.parametrize(("optimizer", "theirs"), TORCH, ids=lambda each: repr(each) if hasattr(each, "kind") else "")
def test_the_pytorch_dialects_are_pytorchs(optimizer: Any, theirs: Any, wide: None) -> None:
    w, gradients, rates = problem("torch")
    tensor = torch.tensor(w, dtype=torch.float64, requires_grad=True)
    made = theirs([tensor], rates[0])
    for found, g, rate in zip(run(optimizer, w, gradients, rates), gradients, rates, strict=True):
        made.param_groups[0]["lr"] = rate
        tensor.grad = torch.tensor(g, dtype=torch.float64)
        made.step()
        # 1e-12 of the largest weight: some ten roundings of steps that are at most some tens long
        true = tensor.detach().numpy()
        assert np.abs(found - true).max() <= 1e-12 * np.abs(true).max()


def test_the_defaults_are_pytorchs() -> None:
    weights = [torch.zeros(1, requires_grad=True)]
    for name, made, pairs in (
        ("adagrad", torch.optim.Adagrad(weights), {"learning_rate": "lr", "epsilon": "eps"}),
        ("rmsprop", torch.optim.RMSprop(weights), {"learning_rate": "lr", "rho": "alpha", "epsilon": "eps"}),
        ("adam", torch.optim.Adam(weights), {"learning_rate": "lr", "epsilon": "eps"}),
        ("adamw", torch.optim.AdamW(weights), {"learning_rate": "lr", "epsilon": "eps", "weight_decay": "weight_decay"}),
        ("nadam", torch.optim.NAdam(weights), {"learning_rate": "lr", "epsilon": "eps", "momentum_decay": "momentum_decay"}),
    ):
        ours = find("optimizer", name)()
        for field, theirs in pairs.items():
            assert getattr(ours, field) == made.defaults[theirs], (name, field)


# Schedules

BASE = 0.3


def torch_rates(schedule: Callable[[Any], Any], count: int) -> list[float]:
    """The learning rate of each of the first updates."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=BASE)
    made, rates = schedule(optimizer), []
    for k in range(count):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if k + 1 < count:
            made.step()
    return rates


SCHEDULES = [
    (find("schedule", "step")(every=3), lambda o: torch.optim.lr_scheduler.StepLR(o, 3), 20),
    (find("schedule", "step")(every=1, factor=0.5), lambda o: torch.optim.lr_scheduler.StepLR(o, 1, 0.5), 20),
    (find("schedule", "exponential")(), lambda o: torch.optim.lr_scheduler.ExponentialLR(o, 0.999), 20),
    (find("schedule", "exponential")(0.8), lambda o: torch.optim.lr_scheduler.ExponentialLR(o, 0.8), 20),
    (find("schedule", "cosine")(20), lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 20), 21),
    (find("schedule", "cosine")(7, 0.1), lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, 7, 0.1 * BASE), 8),
    (find("schedule", "one_cycle")(20), lambda o: torch.optim.lr_scheduler.OneCycleLR(o, BASE, 20), 20),
    (
        find("schedule", "one_cycle")(31, rising=0.45, start_divisor=10.0, end_divisor=100.0),
        lambda o: torch.optim.lr_scheduler.OneCycleLR(o, BASE, 31, pct_start=0.45, div_factor=10, final_div_factor=100),
        31,
    ),
]


@pytest.mark.parametrize(("ours", "theirs", "count"), SCHEDULES, ids=lambda each: repr(each) if hasattr(each, "kind") else "")
def test_schedules_are_pytorchs(ours: Any, theirs: Any, count: int) -> None:
    found = [ours.rate(BASE, k) for k in range(1, count + 1)]
    # PyTorch multiplies its rate along, one rounding an update; where the cosine meets 0 it is 1e-17 either way
    np.testing.assert_allclose(found, torch_rates(theirs, count), rtol=1e-13, atol=1e-15)


SCHEDULE_SETTINGS: dict[str, dict[str, Any]] = {
    "step": {"every": 3}, "cosine": {"updates": 9}, "one_cycle": {"updates": 9}, "warm_up": {"updates": 4},
}  # fmt: skip
ENDS: dict[str, tuple[float, float]] = {  # of the base, at the first update and at the hundredth
    "constant": (1, 1),
    "step": (1, 0.1**33),
    "exponential": (1, 0.999**99),
    "cosine": (1, 0),
    "one_cycle": (1 / 25, 1 / 25e4),
    "inverse_scaling": (1, 0.1),
    "warm_up": (0.25, 1),
}


@pytest.mark.parametrize("name", names("schedule"))
def test_a_schedule_begins_and_ends_where_it_should(name: str) -> None:
    schedule = find("schedule", name)(**SCHEDULE_SETTINGS.get(name, {}))
    first, last = ENDS[name]
    assert schedule.rate(BASE, 1) == pytest.approx(first * BASE, rel=1e-14)
    assert schedule.rate(BASE, 100) == pytest.approx(last * BASE, rel=1e-13, abs=1e-17)
    for k in range(1, 101):
        assert 0 <= schedule.rate(BASE, k) <= BASE * (1 + 1e-15)
        assert schedule.rate(2 * BASE, k) == pytest.approx(2 * schedule.rate(BASE, k), rel=1e-14)


def test_a_warm_up_rises_evenly_and_then_begins_another_schedule() -> None:
    then = find("schedule", "step")(every=2, factor=0.5)
    schedule = find("schedule", "warm_up")(4, then)
    found = [schedule.rate(1.0, k) for k in range(1, 10)]
    assert found == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0, 0.5, 0.5, 0.25]


def test_inverse_scaling_divides_by_a_power_of_the_update() -> None:
    schedule = find("schedule", "inverse_scaling")(power=0.25)
    assert [schedule.rate(1.0, k) for k in (1, 16, 81, 10000)] == pytest.approx([1, 1 / 2, 1 / 3, 1 / 10], rel=1e-15)


@pytest.mark.parametrize("updates", [2, 3, 4, 5, 6, 7, 10, 100])
@pytest.mark.parametrize("rising", [0.01, 0.3, 0.5, 0.9])
def test_one_cycle_is_a_number_for_every_length(updates: int, rising: float) -> None:
    schedule = find("schedule", "one_cycle")(updates, rising=rising)
    for k in range(1, updates + 3):
        assert 0 < schedule.rate(BASE, k) <= BASE * (1 + 1e-15)


# Initializers

FAN_IN, FAN_OUT = 300, 200
DEVIATIONS = {  # of the weights; a uniform draw in (-a, a) has a deviation of a / sqrt 3
    "uniform": 0.05 / math.sqrt(3),
    "normal": 0.05,
    "glorot_uniform": math.sqrt(2 / (FAN_IN + FAN_OUT)),
    "glorot_normal": math.sqrt(2 / (FAN_IN + FAN_OUT)),
    "he_uniform": math.sqrt(2 / FAN_IN),
    "he_normal": math.sqrt(2 / FAN_IN),
    "lecun_uniform": math.sqrt(1 / FAN_IN),
    "lecun_normal": math.sqrt(1 / FAN_IN),
}


def drawn(initializer: Any) -> Any:
    network = Network([Dense(FAN_OUT, initializer=initializer)], FAN_IN, seed=7)
    return network.views(network.parameters)[0]["W"]


@pytest.mark.parametrize("name", DEVIATIONS)
def test_first_weights_have_the_scale_and_the_shape_of_their_distribution(name: str) -> None:
    weights = drawn(find("initializer", name)())
    count, deviation = weights.size, DEVIATIONS[name]
    # 60,000 draws: mean within 5 of its own deviations; deviation and kurtosis within 5 of theirs
    assert abs(weights.mean()) < 5 * deviation / math.sqrt(count)
    assert abs(weights.std() / deviation - 1) < 5 / math.sqrt(2 * count)
    kurtosis = (weights**4).mean() / weights.var() ** 2
    uniform = find("initializer", name).draw == "uniform"
    assert abs(kurtosis - (1.8 if uniform else 3)) < 5 * math.sqrt(24 / count)
    bound = math.sqrt(3) * deviation
    assert (np.abs(weights).max() < bound) == uniform
    if uniform:
        assert np.abs(weights).max() > 0.999 * bound


def test_every_initializer_is_tested() -> None:
    assert {*DEVIATIONS, "zeros", "constant", "explicit"} == set(names("initializer"))


def test_given_first_weights() -> None:
    assert (drawn(find("initializer", "zeros")()) == 0).all()
    assert (drawn(find("initializer", "constant")(0.25)) == 0.25).all()
    rows = ((0.15, 0.2, 0.25), (0.3, 0.35, 0.4))
    network = Network([Dense(2, initializer=find("initializer", "explicit")(rows))], 3)
    assert network.parameters.tolist() == [0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.0, 0.0]
    with pytest.raises((InputError, ValueError)):
        Network([Dense(3, initializer=find("initializer", "explicit")(rows))], 3)


def test_first_weights_are_a_function_of_the_seed() -> None:
    def made(seed: int, dtype: Any = np.float64) -> Any:
        return Network([Dense(4, "tanh"), Dense(3)], 5, seed=seed, dtype=dtype).parameters

    assert (made(3) == made(3)).all()
    assert (made(3) != made(4)).sum() == 4 * 5 + 3 * 4  # every weight; the biases stay 0
    assert (made(3).astype(np.float32) == made(3, np.float32)).all()


# Draws


def test_philox_gives_the_known_answers() -> None:
    """Salmon and others, Random123, kat_vectors: philox4x32 with 10 rounds."""
    for counter, key, answer in (
        ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
    ):
        c, k, a = ([int(word, 16) for word in text.split()] for text in (counter, key, answer))
        found = draws.philox(np.array([c, c], np.uint64), (k[0], k[1]))
        assert found.tolist() == [a, a]


def test_draws_depend_on_their_place_and_on_nothing_else() -> None:
    def one(seed: int = 1, purpose: str = "weights", step: int = 2, layer: int = 3, count: int = 10) -> list[int]:
        return draws.words(seed, purpose, step, layer, count).tolist()

    assert one() == one()
    assert one(count=1000)[:10] == one(), "more draws do not move the first"
    assert one(count=9) == one()[:9]
    others = [one(seed=2), one(seed=1 + 2**40), one(purpose="dropout"), one(purpose="shuffle"), one(step=3), one(layer=4)]
    others += [one(step=2 + 2**32)]
    for other in others:
        assert not set(other) & set(one())


def test_uniform_draws_are_even_and_within_zero_and_one() -> None:
    u = draws.uniform(5, "weights", 0, 1, (100_000,))
    assert 0 <= u.min() < 1e-4
    assert 1 - 1e-4 < u.max() < 1
    counts = np.histogram(u, 100, (0, 1))[0]
    assert ((counts - 1000) ** 2 / 1000).sum() < 99 + 5 * math.sqrt(2 * 99)  # chi squared, 99 degrees of freedom


def test_normal_draws_are_normal() -> None:
    z = np.sort(draws.normal(5, "weights", 0, 1, (100_000,)))
    assert np.isfinite(z).all()
    cdf = np.array([0.5 * math.erfc(-each / math.sqrt(2)) for each in z])
    distance = np.abs(cdf - (np.arange(z.size) + 0.5) / z.size).max()
    assert distance < 1.95 / math.sqrt(z.size)  # Kolmogorov and Smirnov, at one in a thousand


def test_a_permutation_holds_every_row_once() -> None:
    for count in (1, 2, 17, 1000):
        order = draws.permutation(3, 1, count)
        assert sorted(order.tolist()) == list(range(count))
    assert draws.permutation(3, 1, 100).tolist() != draws.permutation(3, 2, 100).tolist()
