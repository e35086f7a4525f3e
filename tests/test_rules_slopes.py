"""The slope is the derivative of the number that is reported: every rule of the catalogue against complex steps.

A complex step, Im f(x + ih) / h with h = 1e-30, subtracts nothing, so it is right to the last digits. Rules are taken from
the catalogue; only what a rule cannot say about itself (a number without a default, the inputs it is meant for) stands in
a table here.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from chainrule.readers import Complex, Floats
from chainrule.rules import CATALOGUE, find, names
from chainrule.rules.layers import BatchNorm, Dense, Dropout, LayerNorm

H = 1e-30
CLOSE = 1e-13  # normwise: some ten roundings of 1.1e-16 on either side, with a margin of about 50

# Hyper-parameters of the rules whose fields have no default, and values that exercise more than the default does.
SETTINGS: dict[tuple[str, str], list[dict[str, Any]]] = {
    ("activation", "leaky_relu"): [{}, {"negative_slope": 0.3}],
    ("activation", "elu"): [{}, {"alpha": 0.7}],
    ("loss", "huber"): [{}, {"delta": 0.4}],
    ("loss", "pinball"): [{}, {"quantile": 0.9}],
    ("penalty", "l1"): [{"strength": 0.3}],
    ("penalty", "l2"): [{"strength": 0.3}],
    ("clipping", "clip_value"): [{"limit": 0.25}],
    ("clipping", "clip_norm"): [{"limit": 0.25}],
    ("initializer", "constant"): [{"fill": 0.25}],
    ("initializer", "explicit"): [{"weights": ((0.25,),)}],
    ("optimizer", "momentum"): [{}, {"form": "keras"}, {"momentum": 0.0}],
    ("optimizer", "nesterov"): [{}, {"form": "keras"}],
    ("optimizer", "adagrad"): [{}, {"epsilon_place": "inside", "initial_accumulator": 0.1}],
    ("optimizer", "rmsprop"): [{}, {"epsilon_place": "inside", "epsilon": 1e-3}],
    ("optimizer", "adam"): [{}, {"epsilon_place": "before", "epsilon": 1e-3}, {"bias_correction": "off"}],
    ("optimizer", "adamw"): [{}, {"decay": "alone", "weight_decay": 0.1}],
    ("optimizer", "nadam"): [{}, {"momentum_decay": 1.0}],
}


def every(kind: str) -> list[Any]:
    """An instance of every registered rule of a kind, and several where the table above says so."""
    return [find(kind, name)(**fields) for name in names(kind) for fields in SETTINGS.get((kind, name), [{}])]


def shown(rule: Any) -> str:
    return repr(rule)


def random(*about: Any) -> np.random.Generator:
    """Draws that depend on nothing but what the test is about."""
    return np.random.default_rng(zlib.crc32(repr(about).encode()))


def away(rng: np.random.Generator, shape: tuple[int, ...], most: float = 6.0) -> Any:
    """Numbers at least 0.02 from every eighth, so that no kink (0, 1, 3, delta ...) is within a finite difference's reach."""
    eighths = rng.integers(-int(8 * most), int(8 * most), shape) / 8
    return eighths + rng.uniform(0.02, 0.1, shape)


def eighths(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    return rng.integers(-24, 24, shape) / 8


def simplex(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    parts = rng.uniform(0.3, 1, shape)
    return parts / parts.sum(1, keepdims=True)


def tenths(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    return rng.integers(0, 11, shape) / 10


# What each loss is made for: outputs y and targets t. A loss that is not listed takes any numbers.
DOMAINS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "binary_cross_entropy": (lambda rng, shape: rng.uniform(0.1, 0.9, shape), tenths),
    "sigmoid_binary_cross_entropy": (away, tenths),
    "cross_entropy": (simplex, simplex),
    "softmax_cross_entropy": (away, simplex),
    "poisson": (lambda rng, shape: rng.uniform(0.2, 5, shape), lambda rng, shape: rng.poisson(2, shape).astype(float)),
}


def example(loss: Any, rng: np.random.Generator, rows: int, outputs: int) -> tuple[Any, Any]:
    outputs_of, targets_of = DOMAINS.get(loss.name, (away, eighths))
    return outputs_of(rng, (rows, outputs)), targets_of(rng, (rows, outputs))


def complex_gradient(function: Callable[[Any], Any], x: Any) -> Any:
    """The derivative of a number by every entry of x, one complex step each."""
    gradient = np.empty(x.shape)
    for index in np.ndindex(*x.shape):
        shifted = x.astype(complex)
        shifted[index] += 1j * H
        gradient[index] = np.imag(function(shifted)) / H
    return gradient


def central_gradient(function: Callable[[Any], Any], x: Any) -> Any:
    """The derivative by central differences, one entry of x at a time."""
    gradient = np.empty(x.shape)
    for index in np.ndindex(*x.shape):
        h = 6e-6 * max(1.0, abs(x[index]))  # the cube root of the unit of float64, where both errors below are alike
        above, below = x.copy(), x.copy()
        above[index] += h
        below[index] -= h
        gradient[index] = (function(above) - function(below)) / (above[index] - below[index])
    return gradient


def assert_close(found: Any, true: Any, tolerance: float, about: Any) -> None:
    scale = np.abs(true).max()
    assert np.shape(found) == np.shape(true), about
    assert np.abs(found - true).max() <= tolerance * scale, (about, found, true)


def assert_slope(found: Any, function: Callable[[Any, Any], Any], x: Any, about: Any) -> None:
    """`found` is the derivative of function(m, x) by x: to the last digits, and as finite differences see it."""
    true = complex_gradient(lambda shifted: function(Complex(), shifted), x)
    assert_close(found, true, CLOSE, about)
    # Central differences err by h^2/6 of the third derivative, 6e-12 of it, and by 1e-16/h of the value, 2e-11 of it. The
    # third derivative of ln y reaches 2000 at y = 0.1. A wrong formula is wrong in the first digits; this is here to catch
    # one that the complex reader would share.
    differences = central_gradient(lambda shifted: function(Floats(), shifted), x)
    value = abs(function(Floats(), x))
    assert np.abs(found - differences).max() <= 1e-8 * (np.abs(true).max() + value + 1), about


@pytest.mark.parametrize("activation", every("activation"), ids=shown)
def test_an_activations_slope_is_the_derivative_of_its_value(activation: Any) -> None:
    for shape in ((1, 1), (1, 3), (4, 5), (9, 8)):
        rng = random(activation, shape)
        x, dy = away(rng, shape), rng.normal(size=shape)
        y = activation.value(Floats(), x)
        found = activation.through(Floats(), x, y, dy)
        assert_slope(found, lambda m, x: (dy * activation.value(m, x)).sum(), x, activation)  # noqa: B023
        kept, saved = activation.forward(Floats(), {}, x)
        assert (kept == y).all()
        back, gradients = activation.backward(Floats(), {}, saved, dy)
        assert (back == found).all()
        assert gradients == {}


@pytest.mark.parametrize("activation", every("activation"), ids=shown)
def test_each_entry_of_a_slope_is_right_and_not_only_its_product_with_dy(activation: Any) -> None:
    rng = random(activation)
    x = away(rng, (3, 4))
    slope = activation.slope(Floats(), x, activation.value(Floats(), x)) * np.ones(1)
    found, true = np.zeros((3, 4, 4)), np.empty((3, 4, 4))
    for row in range(3):
        for i in range(4):
            shifted = x.astype(complex)
            shifted[row, i] += 1j * H
            true[row, :, i] = np.imag(activation.value(Complex(), shifted))[row] / H  # every output of the row by input i
            found[row, :, i] = slope[row, :, i] if slope.ndim == 3 else np.where(np.arange(4) == i, slope[row], 0.0)
    assert_close(found, true, CLOSE, activation)


def test_an_activations_slope_holds_far_out_too() -> None:
    x = np.array([[-700.0, -300, -60, -41, -37, -30, -20, -12, -9, 9, 12, 20, 30, 37, 41, 60, 300, 700]])
    for activation in every("activation"):
        if activation.name == "softmax":
            continue  # a row of these is a row of zeros and a one
        with np.errstate(all="ignore"):
            y = activation.value(Floats(), x)
            slope = activation.slope(Floats(), x, y)
            true = np.imag(activation.value(Complex(), x + 1j * H)) / H
        # each for itself, and not normwise: 1e-13, or the smallest normal number where nothing finer is left
        error = np.abs(slope - true) - 3e-16  # tanh rounds to 1 within 1.1e-16, and 1 + y doubles it; sigmoid half that
        assert (error <= 1e-13 * np.abs(true) + 1e-300).all(), (activation, slope, true)


def loss_cases() -> Iterator[Any]:
    for rule in every("loss"):
        yield from (replace(rule, reduction="mean"), replace(rule, reduction="sum"))


@pytest.mark.parametrize("loss", list(loss_cases()), ids=shown)
def test_a_losses_slope_is_the_derivative_of_the_number_it_reports(loss: Any) -> None:
    for outputs in (1, 3):
        for rows in (1, 2, 5):
            for weighted in (False, True):
                rng = random(loss, outputs, rows, weighted)
                y, t = example(loss, rng, rows, outputs)
                weight = None
                if weighted:
                    weight = rng.integers(0, 4, (rows, 1)) / 2  # some are 0
                    weight[0] = 0.5
                if loss.name == "softmax_cross_entropy" and outputs == 1:
                    # one class is certain: the loss and its slope are 0
                    assert loss.value(Floats(), y, t, weight) == 0
                    assert (loss.slope(Floats(), y, t, weight) == 0).all()
                    continue
                found = loss.slope(Floats(), y, t, weight) * np.ones_like(y)
                assert_slope(found, lambda m, y: loss.value(m, y, t, weight), y, (loss, outputs, rows, weighted))  # noqa: B023


@pytest.mark.parametrize("loss", list(loss_cases()), ids=shown)
def test_a_losses_reduction_and_weights_mean_what_they_say(loss: Any) -> None:
    rng = random(loss)
    y, t = example(loss, rng, 4, 3)
    each = loss.each(Floats(), y, t) * np.ones_like(y)
    per_row = each.mean(1) if loss.name.startswith("mean_") else each.sum(1)
    weight = np.array([[0.0], [1.0], [2.5], [0.5]])
    plain, weighted = per_row.sum(), (weight[:, 0] * per_row).sum()
    if loss.reduction == "mean":
        plain, weighted = plain / 4, weighted / 4.0  # 4 rows; the weights add up to 4 as well
    assert loss.value(Floats(), y, t) == pytest.approx(plain, rel=1e-14)
    assert loss.value(Floats(), y, t, weight) == pytest.approx(weighted, rel=1e-14)
    same = loss.value(Floats(), y, t, np.ones((4, 1)))
    assert same == pytest.approx(plain, rel=1e-14)
    # a row that counts nothing may as well not be there, and a whole weight is that many copies
    rows = [1, 1, 3]
    copies = loss.value(Floats(), y[rows], t[rows])
    assert loss.value(Floats(), y, t, np.array([[0.0], [2], [0], [1]])) == pytest.approx(copies, rel=1e-14)
    # a row that counts nothing does so even when its loss is infinite
    y[0] = 0.0 if loss.name in ("binary_cross_entropy", "cross_entropy", "poisson") else np.inf
    with np.errstate(all="ignore"):
        assert loss.value(Floats(), y, t, weight) == pytest.approx(weighted, rel=1e-14)
        assert (loss.slope(Floats(), y, t, weight)[0] == 0).all()


@pytest.mark.parametrize("penalty", every("penalty"), ids=shown)
def test_a_penalties_slope_is_the_derivative_of_its_price(penalty: Any) -> None:
    for shape in ((1, 1), (3, 4)):
        w = away(random(penalty, shape), shape)
        assert_slope(penalty.slope(Floats(), w), lambda m, w: penalty.each(m, w).sum(), w, penalty)


def layers() -> Iterator[Any]:
    """Every registered layer with every kind of bias, every activation, and other settings than the defaults."""
    for name in names("layer"):
        cls = find("layer", name)
        if cls is Dense:
            for activation in every("activation"):
                yield Dense(3, activation)
            for bias in ("shared", "none"):
                for activation in ("identity", "sigmoid", "softmax"):
                    yield Dense(3, activation, bias)
            yield Dense(1, "tanh", "shared")
        elif cls is Dropout:
            yield from (Dropout(), Dropout(0.0), Dropout(0.2))
        elif cls in (LayerNorm, BatchNorm):
            yield from (cls(), cls(epsilon=0.1))
        else:
            yield cls()


def dressed(layer: Any, rng: np.random.Generator, rows: int, n_in: int) -> dict[str, Any]:
    """Random parameters, and whatever else a layer reads."""
    shapes, _ = layer.shapes(n_in)
    p = {symbol: rng.normal(size=shape) for symbol, shape in shapes.items()}
    p.update({symbol: rng.uniform(0.5, 2, shape) for symbol, (shape, _) in layer.buffers(n_in).items()})
    if layer.name == "dropout":
        p["keep"] = (rng.uniform(size=(rows, n_in)) < 0.6).astype(float)
        p["keep"][0, 0] = 1.0
    return p


@pytest.mark.parametrize("layer", list(layers()), ids=shown)
def test_a_layers_backward_is_the_derivative_of_its_forward(layer: Any) -> None:
    for rows, n_in in ((1, 1), (2, 3), (5, 4)):
        if {"batch_norm": rows, "layer_norm": n_in}.get(layer.name) == 1:
            continue  # the mean of one number is that number: nothing is left (tested below)
        rng = random(layer, rows, n_in)
        x, p = away(rng, (rows, n_in), 2), dressed(layer, rng, rows, n_in)
        y, saved = layer.forward(Floats(), p, x)
        dy = rng.normal(size=y.shape)
        dx, gradients = layer.backward(Floats(), p, saved, dy)
        assert set(gradients) == set(layer.shapes(n_in)[0])

        def objective(m: Any, x: Any, p: Any, layer: Any = layer, dy: Any = dy) -> Any:
            return (dy * layer.forward(m, p, x)[0]).sum()

        # All gradients together are one vector: a single small one may be a difference of large numbers.
        true = [complex_gradient(lambda s: objective(Complex(), s, p), x)]  # noqa: B023
        rough = [central_gradient(lambda s: objective(Floats(), s, p), x)]  # noqa: B023
        found = [dx]
        for symbol, gradient in gradients.items():
            assert np.shape(gradient) == p[symbol].shape, (layer, symbol)
            found.append(gradient)
            true.append(complex_gradient(lambda s: objective(Complex(), x, {**p, symbol: s}), p[symbol]))  # noqa: B023
            rough.append(central_gradient(lambda s: objective(Floats(), x, {**p, symbol: s}), p[symbol]))  # noqa: B023
        together, exact, near = (np.concatenate([np.ravel(each) for each in several]) for several in (found, true, rough))
        assert_close(together, exact, CLOSE, layer)
        # as in assert_slope, but second and third derivatives grow with the weights' squares; a kink may lie within 6e-6
        # of a weighted sum with a chance below 1e-4, and the draws are fixed
        assert np.abs(together - near).max() <= 1e-7 * (np.abs(exact).max() + 1), layer


def test_a_normalization_over_one_number_hands_nothing_back() -> None:
    for layer, shape in ((BatchNorm(), (1, 3)), (LayerNorm(), (3, 1))):
        rng = random(layer)
        x, p = rng.normal(size=shape), dressed(layer, rng, *shape)
        y, saved = layer.forward(Floats(), p, x)
        assert (y == p["beta"] * np.ones(shape)).all()
        dx, _ = layer.backward(Floats(), p, saved, np.ones(shape))
        assert (dx == 0).all()


def fusions() -> list[tuple[Any, Any]]:
    return [
        (loss, activation)
        for loss in loss_cases()
        for activation in every("activation")
        if loss.fused_with(activation) is not None
    ]


@pytest.mark.parametrize(("loss", "activation"), fusions(), ids=shown)
def test_a_fused_loss_is_the_loss_after_the_activation(loss: Any, activation: Any) -> None:
    fused = loss.fused_with(activation)
    assert fused.reduction == loss.reduction
    for rows, outputs in ((1, 2), (4, 3), (3, 7)):
        for weight in (None, np.arange(rows).reshape(-1, 1) + 0.5):
            rng = random(loss, activation, rows, outputs)
            z, t = rng.uniform(-3, 3, (rows, outputs)), DOMAINS[loss.name][1](rng, (rows, outputs))
            y = activation.value(Floats(), z)
            m = Floats()
            assert fused.value(m, z, t, weight) == pytest.approx(loss.value(m, y, t, weight), rel=1e-14)
            through = activation.through(m, z, y, loss.slope(m, y, t, weight))
            # 1/y times y (1 - y) loses what y lost near 0 or 1: at most e^3 times the rounding at |z| <= 3
            assert_close(fused.slope(m, z, t, weight), through, 1e-14, loss)


def test_two_losses_are_fused_with_something() -> None:
    assert {(loss.name, activation.name) for loss, activation in fusions()} >= {
        ("binary_cross_entropy", "sigmoid"),
        ("cross_entropy", "softmax"),
    }


def test_clip_value_keeps_each_number_within_the_limit_and_changes_no_other() -> None:
    clip = find("clipping", "clip_value")(0.25)
    first, second = clip.clip(Floats(), [np.array([-3.0, -0.25, -0.1, 0.0, 0.25, 0.2500001, 9.0]), np.array([[1.0]])])
    assert first.tolist() == [-0.25, -0.25, -0.1, 0.0, 0.25, 0.25, 0.25]
    assert second.tolist() == [[0.25]]


def test_clip_norm_shrinks_everything_together_or_changes_nothing() -> None:
    clip = find("clipping", "clip_norm")(2.5)
    gradients = [np.array([[3.0, 0.0], [0.0, 0.0]]), np.array([4.0])]
    clipped = clip.clip(Floats(), gradients)
    assert clipped[0].tolist() == [[1.5, 0.0], [0.0, 0.0]]  # length 5 becomes 2.5
    assert clipped[1].tolist() == [2.0]
    for limit in (5.0, 7.0):
        same = find("clipping", "clip_norm")(limit).clip(Floats(), gradients)
        assert all((a == b).all() for a, b in zip(same, gradients, strict=True))
    rng = random("clip_norm")
    for _ in range(20):
        gradients = [rng.normal(size=(3, 4)), rng.normal(size=2)]
        clipped = clip.clip(Floats(), gradients)
        norm = np.sqrt(sum((g**2).sum() for g in gradients))
        for g, c in zip(gradients, clipped, strict=True):
            np.testing.assert_allclose(c, g * min(1, 2.5 / norm), rtol=1e-15 * 4)
    assert (clip.clip(Floats(), [np.zeros(3)])[0] == 0).all()


@pytest.mark.parametrize("clipping", every("clipping"), ids=shown)
def test_clipping_is_registered_with_its_limit_kept(clipping: Any) -> None:
    rng = random(clipping)
    gradients = [rng.normal(size=(5, 4)) * 100, rng.normal(size=5) * 100]
    clipped = clipping.clip(Floats(), gradients)
    assert [c.shape for c in clipped] == [g.shape for g in gradients]
    assert max(np.abs(c).max() for c in clipped) <= clipping.limit
    assert all((np.sign(c) == np.sign(g)).all() for c, g in zip(clipped, gradients, strict=True))


def test_the_catalogue_has_every_kind_that_is_tested_here() -> None:
    assert set(CATALOGUE) >= {"activation", "loss", "penalty", "layer", "optimizer", "clipping", "initializer", "schedule"}


def test_at_least_two_thousand_complex_steps_are_taken() -> None:
    """Counted from the shapes that the tests above loop over, so that no order of the tests matters."""
    activations = len(every("activation")) * (1 + 3 + 20 + 72 + 12)
    losses = len(list(loss_cases())) * 2 * (1 + 2 + 5) * 4
    assert activations + losses >= 2000
