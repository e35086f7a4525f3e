"""What every rule makes of infinities, NaN, zeros and the ends of float64, written down; and how exact values are.

NaN in never comes out of a value as a plausible number. A slope by cases (relu, leaky_relu, hard_sigmoid, pinball) takes
its last case for NaN: the value that goes with it is NaN already.
"""

from __future__ import annotations

import math
from typing import Any

import mpmath
import numpy as np
import pytest

from chainrule.readers import Floats, LongFloats
from chainrule.rules import find, names
from test_rules_slopes import DOMAINS, every, random, shown

INF, NAN = math.inf, math.nan
TINY, LARGEST = 5e-324, float(np.finfo(float).max)
LN2 = 0.6931471805599453
SELU_SCALE, SELU_FLOOR = 1.0507009873554805, 1.7580993408473766

# value and slope at:   inf       -inf      NaN   0     -0    5e-324  -5e-324  largest   -largest
AT = (INF, -INF, NAN, 0.0, -0.0, TINY, -TINY, LARGEST, -LARGEST)
ACTIVATIONS: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "identity": (
        (INF, -INF, NAN, 0.0, -0.0, TINY, -TINY, LARGEST, -LARGEST),
        (1, 1, 1, 1, 1, 1, 1, 1, 1),
    ),
    "sigmoid": (
        (1, 0, NAN, 0.5, 0.5, 0.5, 0.5, 1, 0),
        (0, 0, NAN, 0.25, 0.25, 0.25, 0.25, 0, 0),
    ),
    "tanh": (
        (1, -1, NAN, 0.0, -0.0, TINY, -TINY, 1, -1),
        (0, 0, NAN, 1, 1, 1, 1, 0, 0),
    ),
    "relu": (  # its slope at 0 is 0
        (INF, 0, NAN, 0, 0, TINY, 0, LARGEST, 0),
        (1, 0, 0, 0, 0, 1, 0, 1, 0),
    ),
    "leaky_relu": (  # its slope at 0 is the one below 0; -5e-324 / 100 rounds to 0
        (INF, -INF, NAN, 0, 0, TINY, 0, LARGEST, -0.01 * LARGEST),
        (1, 0.01, 0.01, 0.01, 0.01, 1, 0.01, 1, 0.01),
    ),
    "elu": (
        (INF, -1, NAN, 0.0, -0.0, TINY, -TINY, LARGEST, -1),
        (1, 0, NAN, 1, 1, 1, 1, 1, 0),
    ),
    "selu": (  # 1.05 times the largest number is beyond it; 1.76 times the smallest is twice the smallest
        (INF, -SELU_FLOOR, NAN, 0.0, -0.0, TINY, -2 * TINY, INF, -SELU_FLOOR),
        (SELU_SCALE, 0, NAN, SELU_FLOOR, SELU_FLOOR, SELU_SCALE, SELU_FLOOR, SELU_SCALE, 0),
    ),
    "gelu": (  # half of the smallest number is 0
        (INF, 0, NAN, 0.0, -0.0, 0, 0, LARGEST, 0),
        (1, 0, NAN, 0.5, 0.5, 0.5, 0.5, 1, 0),
    ),
    "gelu_tanh": (
        (INF, 0, NAN, 0.0, -0.0, 0, 0, LARGEST, 0),
        (1, 0, NAN, 0.5, 0.5, 0.5, 0.5, 1, 0),
    ),
    "silu": (
        (INF, 0, NAN, 0.0, -0.0, 0, 0, LARGEST, 0),
        (1, 0, NAN, 0.5, 0.5, 0.5, 0.5, 1, 0),
    ),
    "mish": (  # 0.6 is tanh(ln 2)
        (INF, 0, NAN, 0.0, -0.0, TINY, -TINY, LARGEST, 0),
        (1, 0, NAN, 0.6, 0.6, 0.6, 0.6, 1, 0),
    ),
    "softplus": (
        (INF, 0, NAN, LN2, LN2, LN2, LN2, LARGEST, 0),
        (1, 0, NAN, 0.5, 0.5, 0.5, 0.5, 1, 0),
    ),
    "exp": (
        (INF, 0, NAN, 1, 1, 1, 1, INF, 0),
        (INF, 0, NAN, 1, 1, 1, 1, INF, 0),
    ),
    "hard_sigmoid": (
        (1, 0, NAN, 0.5, 0.5, 0.5, 0.5, 1, 0),
        (0, 0, 0, 1 / 6, 1 / 6, 1 / 6, 1 / 6, 0, 0),
    ),
}  # fmt: skip

# What softmax makes of a row. Equal largest numbers share alike, even if all are -inf: no row is without probabilities.
SOFTMAX = [
    ((INF, 0.0, 0.0), (1, 0, 0)),
    ((-INF, 0.0, 0.0), (0, 0.5, 0.5)),
    ((INF, -INF), (1, 0)),
    ((INF, INF, 0.0), (0.5, 0.5, 0)),
    ((-INF, -INF), (0.5, 0.5)),
    ((-INF, -INF, -INF, -INF), (0.25, 0.25, 0.25, 0.25)),
    ((NAN, 0.0), (NAN, NAN)),
    ((0.0, NAN, INF), (NAN, NAN, NAN)),
    ((LARGEST, -LARGEST), (1, 0)),
    ((LARGEST, LARGEST), (0.5, 0.5)),
    ((TINY, 0.0, -0.0, -TINY), (0.25, 0.25, 0.25, 0.25)),
    ((INF,), (1,)),
    ((-INF,), (1,)),
]

# outputs y, targets t, loss, slope
LOSSES: dict[str, list[tuple[Any, Any, float, Any]]] = {
    "half_squared_error": [
        (INF, 0, INF, INF), (-INF, 0, INF, -INF), (NAN, 0, NAN, NAN), (0, NAN, NAN, NAN),
        (INF, INF, NAN, NAN),  # how far an infinity is from another is not known
        (INF, -INF, INF, INF), (0.0, -0.0, 0, 0), (TINY, 0, 0, TINY), (LARGEST, 0, INF, LARGEST), (LARGEST, -LARGEST, INF, INF),
    ],
    "squared_error": [
        (INF, 0, INF, INF), (-INF, 0, INF, -INF), (NAN, 0, NAN, NAN), (0, NAN, NAN, NAN), (INF, INF, NAN, NAN),
        (INF, -INF, INF, INF), (0.0, -0.0, 0, 0), (TINY, 0, 0, 2 * TINY), (LARGEST, 0, INF, INF),
    ],
    "mean_squared_error": [
        (INF, 0, INF, INF), (-INF, 0, INF, -INF), (NAN, 0, NAN, NAN), (0, NAN, NAN, NAN), (INF, INF, NAN, NAN),
        ((INF, 0), (0, 0), INF, (INF, 0)), ((NAN, 0), (0, 0), NAN, (NAN, 0)), (TINY, 0, 0, 2 * TINY),
    ],
    "mean_absolute_error": [
        (INF, 0, INF, 1), (-INF, 0, INF, -1), (NAN, 0, NAN, NAN), (0, NAN, NAN, NAN), (INF, INF, NAN, NAN),
        (0.0, -0.0, 0, 0), (3, 3, 0, 0),  # the slope of |x| at 0 is 0
        (TINY, 0, TINY, 1), (LARGEST, 0, LARGEST, 1), (LARGEST, -LARGEST, INF, 1),
    ],
    "huber": [
        (INF, 0, INF, 1), (-INF, 0, INF, -1), (NAN, 0, NAN, NAN), (0, NAN, NAN, NAN), (INF, INF, NAN, NAN),
        (0.0, -0.0, 0, 0), (1, 0, 0.5, 1), (-1, 0, 0.5, -1), (TINY, 0, 0, TINY), (LARGEST, 0, LARGEST, 1),
    ],
    "binary_cross_entropy": [
        (0, 0, 0, 1), (1, 1, 0, -1), (0, 1, INF, -INF), (1, 0, INF, INF), (0, 0.5, INF, -INF), (1, 0.5, INF, INF),
        (NAN, 0, NAN, NAN), (NAN, 1, NAN, NAN), (NAN, 0.5, NAN, NAN), (0.5, NAN, NAN, NAN),
        (TINY, 1, 744.4400719213812, -INF), (TINY, 0, TINY, 1), (1 - 2**-53, 0, 36.7368005696771, 2.0**53),
    ],
    "sigmoid_binary_cross_entropy": [
        (-INF, 0, 0, 0), (INF, 1, 0, 0),  # certain and right
        (-INF, 1, INF, -1), (INF, 0, INF, 1), (INF, 0.5, INF, 0.5), (-INF, 0.5, INF, -0.5),
        (NAN, 0, NAN, NAN), (NAN, 1, NAN, NAN), (NAN, 0.5, NAN, NAN), (0, NAN, NAN, NAN),
        (0.0, 0, LN2, 0.5), (-0.0, 1, LN2, -0.5), (TINY, 1, LN2, -0.5), (-TINY, 0, LN2, 0.5),
        (LARGEST, 1, 0, 0), (-LARGEST, 0, 0, 0), (LARGEST, 0, LARGEST, 1), (-LARGEST, 1, LARGEST, -1),
        (800, 0, 800, 1), (-800, 1, 800, -1), (800, 1, 0, 0),
    ],
    "cross_entropy": [
        ((1, 0), (1, 0), 0, (-1, 0)), ((1, 0), (0, 1), INF, (0, -INF)), ((0, 1), (0.5, 0.5), INF, (-INF, -0.5)),
        ((NAN, 0.5), (1, 0), NAN, (NAN, 0)), ((NAN, 1), (0, 1), NAN, (NAN, -1)), ((NAN, NAN), (0, 1), NAN, (NAN, NAN)),
        ((0.5, 0.5), (NAN, 0), NAN, (NAN, 0)), ((TINY, 1), (1, 0), 744.4400719213812, (-INF, 0)),
    ],
    "softmax_cross_entropy": [
        ((INF, 0), (1, 0), 0, (0, 0)), ((-INF, 0), (0, 1), 0, (0, 0)), ((INF, -INF), (1, 0), 0, (0, 0)),  # certain and right
        ((INF, 0), (0, 1), INF, (1, -1)), ((-INF, 0), (1, 0), INF, (-1, 1)), ((INF, 0), (0.5, 0.5), INF, (0.5, -0.5)),
        ((INF, INF), (1, 0), LN2, (-0.5, 0.5)), ((-INF, -INF), (1, 0), LN2, (-0.5, 0.5)),
        ((-INF, -INF), (0.5, 0.5), LN2, (0, 0)),
        ((NAN, 0), (1, 0), NAN, (NAN, NAN)), ((NAN, 0), (0, 1), NAN, (NAN, NAN)), ((0, 0), (NAN, 0), NAN, (NAN, 0.5)),
        ((LARGEST, -LARGEST), (1, 0), 0, (0, 0)), ((LARGEST, -LARGEST), (0, 1), INF, (1, -1)),
        ((LARGEST, LARGEST), (1, 0), LN2, (-0.5, 0.5)), ((TINY, -0.0), (1, 0), LN2, (-0.5, 0.5)),
        ((1000, 0), (0, 1), 1000, (1, -1)), ((-1000, -2000), (1, 0), 0, (0, 0)), ((INF,), (1,), 0, (0,)),
        ((-INF,), (1,), 0, (0,)),
    ],
    "poisson": [
        (0, 0, 0, 1), (0, 1, INF, -INF), (INF, 0, INF, 1), (TINY, 1, 744.4400719213812, -INF), (TINY, 0, TINY, 1),
        (INF, 1, NAN, 1),  # inf - inf: not finite either way, so training stops
        (NAN, 0, NAN, NAN), (NAN, 1, NAN, NAN), (1, NAN, NAN, NAN),
        (-1, 1, NAN, 2), (-1, 0, NAN, 1),  # a count below 0 cannot be expected
        (LARGEST, 1, LARGEST, 1),
    ],
    "pinball": [
        (INF, 0, INF, 0.5), (-INF, 0, INF, -0.5), (NAN, 0, NAN, 0), (0, NAN, NAN, 0), (INF, INF, NAN, 0),
        (0.0, -0.0, 0, 0), (TINY, 0, 0, 0.5), (LARGEST, 0, LARGEST / 2, 0.5), (LARGEST, -LARGEST, INF, 0.5),
    ],
}  # fmt: skip

PENALTIES = {  # weight, price, slope, at strength 1/2
    "l1": [(INF, INF, 0.5), (-INF, INF, -0.5), (NAN, NAN, NAN), (0.0, 0, 0), (-0.0, 0, 0), (LARGEST, LARGEST / 2, 0.5)],
    "l2": [(INF, INF, INF), (-INF, INF, -INF), (NAN, NAN, NAN), (0.0, 0, 0), (-0.0, 0, 0), (LARGEST, INF, LARGEST / 2)],
}


def same(found: Any, wanted: Any) -> bool:
    """Equal, NaN to NaN; the last binary digit of what exp and log give is left to the C library."""
    found, wanted = np.asarray(found, float), np.asarray(wanted, float)
    exact = (found == wanted) | (np.isnan(found) & np.isnan(wanted))
    near = np.isfinite(wanted) & (np.abs(wanted) > 1e-300) & (np.abs(wanted) < 1e300)
    with np.errstate(all="ignore"):
        return bool((exact | (near & (np.abs(found - wanted) <= 4.5e-16 * np.abs(wanted)))).all())


def test_every_rule_has_its_row() -> None:
    assert {*ACTIVATIONS, "softmax"} == set(names("activation"))
    assert set(LOSSES) == set(names("loss"))
    assert set(PENALTIES) == set(names("penalty"))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activations_at_the_edges(name: str) -> None:
    activation, (values, slopes) = find("activation", name)(), ACTIVATIONS[name]
    for x, value, slope in zip(AT, values, slopes, strict=True):
        with np.errstate(all="ignore"):
            array = np.array([[x]])
            y = activation.value(Floats(), array)
            assert same(y[0, 0], value), (x, y, value)
            found = activation.slope(Floats(), array, y) * np.ones(1)
            assert same(found[0, 0], slope), (x, found, slope)
        if value == 0 and x == 0 and name != "relu" and name != "leaky_relu":
            assert math.copysign(1, y[0, 0]) == math.copysign(1, x), "an odd function keeps the sign of 0"


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_value_does_not_depend_on_its_place_in_the_array(name: str) -> None:
    """Vector bodies and tails, rows and columns: the edge values among 31 others give what they give alone."""
    activation = find("activation", name)()
    rng = random(name)
    with np.errstate(all="ignore"):
        for x in AT:
            alone = activation.value(Floats(), np.array([[x]]))[0, 0]
            for place in (0, 1, 7, 8, 15, 30):
                row = rng.normal(size=(1, 31))
                row[0, place] = x
                assert same(activation.value(Floats(), row)[0, place], alone)


@pytest.mark.parametrize(("row", "wanted"), SOFTMAX)
def test_softmax_at_the_edges(row: tuple[float, ...], wanted: tuple[float, ...]) -> None:
    softmax = find("activation", "softmax")()
    z = np.array([row, np.zeros(len(row))])
    with np.errstate(all="ignore"):
        y = softmax.value(Floats(), z)
        jacobian = softmax.slope(Floats(), z, y)
        back = softmax.through(Floats(), z, y, np.ones_like(y))
    assert same(y[0], wanted)
    assert same(y[1], np.full(len(row), 1 / len(row))), "a row does not see its neighbour"
    if not np.isnan(wanted).any():
        assert y[0].sum() == 1
        assert same(jacobian[0], np.diag(wanted) - np.outer(wanted, wanted))
        assert (back[0] == 0).all(), "moving all probabilities alike moves nothing"
    else:
        assert np.isnan(jacobian[0]).all()
        assert np.isnan(back[0]).all()


@pytest.mark.parametrize(("name", "case"), [(name, case) for name, cases in LOSSES.items() for case in cases])
def test_losses_at_the_edges(name: str, case: tuple[Any, Any, float, Any]) -> None:
    loss = find("loss", name)(reduction="sum")
    y, t, value, slope = (np.atleast_2d(np.asarray(each, float)) for each in case)
    if loss.over_outputs == "mean":
        slope = slope / y.size
    with np.errstate(all="ignore"):
        found, slopes = loss.value(Floats(), y, t), loss.slope(Floats(), y, t) * np.ones_like(y)
    assert same(found, value[0, 0]), (found, value)
    assert same(slopes, slope), (slopes, slope)


@pytest.mark.parametrize(("name", "case"), [(name, case) for name, cases in PENALTIES.items() for case in cases])
def test_penalties_at_the_edges(name: str, case: tuple[float, float, float]) -> None:
    penalty, w = find("penalty", name)(0.5), np.array([case[0]])
    with np.errstate(all="ignore"):
        assert same(penalty.each(Floats(), w), case[1])
        assert same(penalty.slope(Floats(), w), case[2])


@pytest.mark.parametrize("activation", every("activation"), ids=shown)
def test_nan_never_leaves_an_activation_as_a_number(activation: Any) -> None:
    with np.errstate(all="ignore"):
        assert np.isnan(activation.value(Floats(), np.array([[NAN, NAN]]))).all()
        assert np.isnan(activation.value(Floats(), np.array([[NAN, NAN]], np.float32))).all()


@pytest.mark.parametrize("loss", every("loss"), ids=shown)
def test_nan_never_leaves_a_loss_as_a_number(loss: Any) -> None:
    for target in (0.0, 1.0, 0.25):
        for place in (0, 1):
            y, t = np.full((2, 2), 0.5), np.array([[target, 1 - target], [1 - target, target]])
            for array in (y, t):
                kept, array[1, place] = array[1, place], NAN
                with np.errstate(all="ignore"):
                    assert np.isnan(loss.value(Floats(), y, t)), (target, place)
                    weight = np.array([[1.0], [0.0]])
                    assert np.isnan(loss.value(Floats(), y, t, weight)), "not even if the row counts nothing"
                array[1, place] = kept


@pytest.mark.parametrize("activation", every("activation"), ids=shown)
def test_activations_keep_float32(activation: Any) -> None:
    x = np.array([[-3.0, -0.0, 0.5, 4.0]], np.float32)
    y = activation.value(Floats(), x)
    assert y.dtype == np.float32
    assert activation.through(Floats(), x, y, np.ones_like(x)).dtype == np.float32


@pytest.mark.parametrize("loss", every("loss"), ids=shown)
def test_losses_keep_float32(loss: Any) -> None:
    t = np.array([[1.0, 0.0], [0.25, 0.75]], np.float32)
    y = np.array([[0.5, 0.5], [0.25, 0.75]], np.float32)
    assert loss.value(Floats(), y, t).dtype == np.float32
    assert loss.slope(Floats(), y, t).dtype == np.float32


# How far values are from the truth at most, in units of the last place. Measured over the grid below, and a margin: the C
# library's exp, tanh, log1p and erfc are right to one unit on one machine and to another on the next.
ULP = {
    "identity": (0, "nothing is computed"),
    "sigmoid": (2.5, "exp, a sum and a quotient: 0.5 and 0.5 of them after exp's own"),
    "tanh": (2, "the C library's"),
    "relu": (0, "nothing is computed"),
    "leaky_relu": (0.5, "one product"),
    "elu": (1, "expm1 alone"),
    "selu": (2.5, "expm1 and two products"),
    "gelu": (800, "erfc(a) falls like e^(-a^2): rounding the argument x / sqrt 2 turns into x^2 / 2 times as much, 700 at 37"),
    "gelu_tanh": (1500, "sigmoid(u) falls like e^u: rounding u, up to 700, turns into u / 2 units for each of its 4 roundings"),
    "silu": (3, "sigmoid and a product"),
    "mish": (4, "softplus, tanh and a product, each of slope 1 at most in relative terms"),
    "softplus": (2, "maximum and log1p, and their sum"),
    "exp": (1, "the C library's"),
    "hard_sigmoid": (2, "a sum, a quotient by 6"),
    "softmax": (40, "e^(z - max) turns the rounding of z - max, up to 40 here, into as many half units"),
}  # fmt: skip


def grid() -> Any:
    """Points of every size and sign at which all values are normal numbers: there a unit of the last place is relative."""
    fine = np.linspace(-36.5, 40, 1531)
    sizes = np.logspace(-290, np.log10(36), 100)
    return np.concatenate([fine, sizes, -sizes, [1e3, 1e10, 1e100]])


def units(found: Any, true: Any) -> float:
    """The largest distance in units of the last place of the true value."""
    worst = 0.0
    for f, exact in zip(np.ravel(found), np.ravel(true), strict=True):
        if exact == 0:
            assert f == 0
            continue
        worst = max(worst, float(abs(mpmath.mpf(float(f)) - exact) / mpmath.mpf(float(np.spacing(abs(float(exact)))))))
    return worst


def long(x: Any) -> Any:
    return np.frompyfunc(lambda value: mpmath.mpf(float(value)), 1, 1)(x)


@pytest.mark.parametrize("activation", every("activation"), ids=shown)
def test_values_are_right_to_the_last_digits(activation: Any) -> None:
    bound, reason = ULP[activation.name]
    assert reason
    with mpmath.workdps(50), np.errstate(all="ignore"):
        x = grid().reshape(1, -1)
        if activation.name == "softmax":
            x = random("softmax").uniform(-20, 20, (300, 5))
        if activation.name == "exp":
            x = x[:, x[0] < 700]  # it is infinite above 709
        y, true = activation.value(Floats(), x), activation.value(LongFloats(), long(x))
        assert units(y, true) <= bound
        # A slope is a sum that may be 0 somewhere (silu's at -1.28), and sigmoid's and tanh's stand on the rounded output:
        # they are right to four roundings of the largest slope, times what the exponents above cost where x is large.
        found = activation.slope(Floats(), x, y) * np.ones(1)
        exact = activation.slope(LongFloats(), long(x), true) * np.ones(1)
        pairs = zip(np.ravel(found), np.ravel(exact), strict=True)
        sizes = [
            (abs(mpmath.mpf(float(f)) - e), e if activation.name == "exp" else 1) for f, e in pairs
        ]  # exp has no largest slope
        error = max(distance / max(size, 1) for distance, size in sizes)
        assert error <= (5e-15 if activation.name == "mish" else 1e-15)  # mish: 1 - w is taken from a rounded w, times x


@pytest.mark.parametrize("loss", every("loss"), ids=shown)
def test_losses_are_right_to_the_last_digits(loss: Any) -> None:
    outputs_of, targets_of = DOMAINS.get(loss.name, (None, None))
    rng = random("long", loss.name)
    y = rng.normal(size=(40, 3)) * 10 if outputs_of is None else outputs_of(rng, (40, 3))
    t = rng.normal(size=(40, 3)) * 10 if targets_of is None else targets_of(rng, (40, 3))
    with mpmath.workdps(50):
        found, true = loss.value(Floats(), y, t), loss.value(LongFloats(), long(y), long(t))
        assert abs(found - true) <= 1e-15 * abs(true)  # 120 addends of one sign, in pairs: five roundings or so
        error = np.abs(long(loss.slope(Floats(), y, t) * np.ones_like(y)) - loss.slope(LongFloats(), long(y), long(t)))
        scale = np.abs(loss.slope(LongFloats(), long(y), long(t)))
        assert (error <= 1e-15 * (scale + 1 / 40)).all()


def test_softplus_has_no_threshold() -> None:
    """PyTorch's is off by half a million units just above 20."""
    softplus = find("activation", "softplus")()
    with mpmath.workdps(50):
        x = np.array([[-745.0, -40.0, -20.01, 19.99, 20.0, 20.01, 36.0, 709.0]])
        assert units(softplus.value(Floats(), x)[:, 1:], softplus.value(LongFloats(), long(x))[:, 1:]) <= 2
        assert softplus.value(Floats(), x)[0, 0] == TINY
