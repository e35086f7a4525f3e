"""The readers: the same rules on fractions, on 50-digit numbers, and with every named step rounded as taught by hand."""

from __future__ import annotations

import decimal
import math
import re
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest

from chainrule.conventions import Conventions
from chainrule.engines import reference
from chainrule.errors import InputError
from chainrule.naming import cell_id
from chainrule.network import Network
from chainrule.readers import Complex, Floats, Fractions, LongFloats, Recorder, Rounder, Rounding, StepKey, for_numbers
from chainrule.rules import find
from chainrule.rules.layers import Dense
from chainrule.tracing import Trace
from test_rules_slopes import every, example, loss_cases, random, shown
from test_rules_terms import Formula, stated_losses

# Fractions


def fractions(values: Any) -> Any:
    return np.frompyfunc(lambda value: Fraction(str(value)), 1, 1)(np.asarray(values, dtype=object))


def fraction_trace() -> Trace:
    parameters = fractions(["1/3", "-1/2", "3/4", "1/5", "1/7", "0", "2/3", "-1/4", "1"])
    network = Network([Dense(2, "relu"), Dense(1)], 2, "half_squared_error", parameters=parameters)
    x, t = fractions([["1", "1/2"], ["-1", "2"]]), fractions([["1/3"], ["0"]])
    return Trace(network, x, t, rate=Fraction(1, 10))  # type: ignore[arg-type]


def test_a_whole_step_in_exact_fractions() -> None:
    trace = fraction_trace()
    # net_h = (19/84, 17/20) and (-25/21, -7/20); out_o = 2/3 19/84 - 1/4 17/20 + 1 = 4729/5040, and 1
    out = Fraction(2, 3) * Fraction(19, 84) - Fraction(1, 4) * Fraction(17, 20) + 1
    assert trace["out_o1@1"].value == out == Fraction(4729, 5040)
    assert trace["out_o1@2"].value == 1
    assert trace.loss == ((out - Fraction(1, 3)) ** 2 / 2 + Fraction(1, 2)) / 2
    error = (out - Fraction(1, 3)) / 2
    assert trace["dE/dw5"].value == error * Fraction(19, 84)  # the second sample's hidden units are dead
    assert trace["w1+"].value == Fraction(1, 3) - Fraction(1, 10) * error * Fraction(2, 3)
    assert trace["w1+"].formula == "w1 - η·dE/dw1"
    for cell in trace.cells:
        value = trace.term(cell).value
        assert type(value) in (Fraction, int), (cell, value)


def evaluated(text: str) -> Fraction:
    """A printed formula of fractions, calculated by Python."""
    text = re.sub(r"\d+", lambda digits: f"Fraction({digits.group()})", text).replace("·", "*").replace("^", "**")
    return eval(text, {"Fraction": Fraction, "max": max})


def test_every_formula_of_a_step_in_fractions_is_exact() -> None:
    trace = fraction_trace()
    derived = [cell for cell in trace.cells if trace.term(cell).definition is not None]
    assert len(derived) > 60
    for cell in derived:
        step = trace.step(cell)
        assert evaluated(step.substituted) == step.value, step


@pytest.mark.parametrize("name", ["half_squared_error", "squared_error", "mean_squared_error", "mean_absolute_error"])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_losses_stay_exact(name: str, reduction: str) -> None:
    loss, m = find("loss", name)(reduction=reduction), Fractions()
    y, t = fractions([["1/3", "2", "0"], ["-1/7", "1/2", "5"]]), fractions([["1", "1/3", "0"], ["2", "0", "4"]])
    value, slope = loss.value(m, y, t), loss.slope(m, y, t)
    assert type(value) is Fraction
    assert all(type(each) is Fraction for each in slope.flat)
    assert float(value) == pytest.approx(loss.value(Floats(), y.astype(float), t.astype(float)), rel=1e-14)
    h = Fraction(1, 1000)  # a difference quotient of a square, taken in the middle, is exact; so is a straight line's
    for index in np.ndindex(*y.shape):
        above, below = y.copy(), y.copy()
        above[index] += h
        below[index] -= h
        assert slope[index] == (loss.value(m, above, t) - loss.value(m, below, t)) / (2 * h)


def test_rules_without_functions_stay_exact() -> None:
    x = fractions([["-4", "-3", "-1/3", "0", "1/3", "3", "7"]])
    for name, values, slopes in (
        ("identity", ["-4", "-3", "-1/3", "0", "1/3", "3", "7"], ["1"] * 7),
        ("relu", ["0", "0", "0", "0", "1/3", "3", "7"], ["0", "0", "0", "0", "1", "1", "1"]),
        ("hard_sigmoid", ["0", "0", "4/9", "1/2", "5/9", "1", "1"], ["0", "0", "1/6", "1/6", "1/6", "0", "0"]),
    ):
        rule = find("activation", name)()
        y = rule.value(Fractions(), x)
        slope = rule.slope(Fractions(), x, y)
        assert (y[0] == fractions(values)).all()
        assert (slope[0] == fractions(slopes)).all()
        assert all(type(each) is Fraction for each in (*y.flat, *slope.flat))


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "softmax", "gelu", "softplus"])
def test_a_function_that_leaves_the_fractions_says_so(name: str) -> None:
    with pytest.raises(InputError, match="of a fraction is not a fraction"):
        find("activation", name)().value(Fractions(), fractions([["1/2", "1"]]))


def test_floats_become_the_fractions_that_their_decimals_are() -> None:
    assert Fractions().array(np.array([0.1, -2.5])).tolist() == [Fraction(1, 10), Fraction(-5, 2)]


# Long floats


def long(x: Any) -> Any:
    return np.frompyfunc(lambda value: mpmath.mpf(float(value)), 1, 1)(x)


def result_of(m: Any, network: Network, plan: Any, x: Any, t: Any, optimizer: Any, rate: Any) -> reference.Result:
    update = reference.Update(optimizer, 1, rate, reference.begin(network, optimizer))
    return reference.step(m, network, plan, network.views(network.parameters), x, t, None, update)


@pytest.mark.parametrize("loss", stated_losses(), ids=shown)
def test_float64_steps_are_within_some_roundings_of_the_truth(loss: Any) -> None:
    last = {"binary_cross_entropy": "sigmoid", "cross_entropy": "softmax", "poisson": "softplus"}.get(loss.name, "identity")
    for number, activation in enumerate(every("activation")):
        rng = random("long", loss, activation)
        network = Network([Dense(3, activation), Dense(2, last)], 2, loss, seed=number)
        network.parameters[:] = rng.normal(size=network.size)
        _, t = example(loss, rng, 3, 2)
        x = rng.normal(size=(3, 2))
        exact = Network([Dense(3, activation), Dense(2, last)], 2, loss, parameters=long(network.parameters))
        for plan, long_plan in ((network.stated, exact.stated), (network.fused, exact.fused)):
            found = result_of(Floats(), network, plan, x, t, find("optimizer", "sgd")(), 0.1)
            with mpmath.workdps(50):
                true = result_of(LongFloats(), exact, long_plan, long(x), long(t), find("optimizer", "sgd")(), mpmath.mpf(0.1))
                assert type(true.loss) is mpmath.mpf
                grown = 100 if activation.name == "exp" else 1  # its outputs are large, and sums cancel among them
                assert abs(found.loss - true.loss) <= grown * 1e-14 * (1 + abs(true.loss))
                for near, precise in zip(found.gradients, true.gradients, strict=True):
                    for symbol, gradient in precise.items():
                        error = max(abs(f - e) for f, e in zip(np.ravel(near[symbol]), np.ravel(gradient), strict=True))
                        # normwise; through a probability of 0.001 the stated form carries its rounding a thousandfold
                        largest = max(abs(e) for e in np.ravel(gradient))
                        assert error <= grown * 1e-12 * (largest + 1), (loss, activation, symbol)


def test_a_trace_of_long_floats() -> None:
    parameters = [0.15, 0.2, 0.25, 0.3, 0.35, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.6]
    layers = [Dense(2, "sigmoid"), Dense(2, "sigmoid")]
    near = Trace(Network(layers, 2, parameters=np.array(parameters)), [0.05, 0.1], [0.01, 0.99], rate=0.5)
    with mpmath.workdps(50):
        network = Network(layers, 2, parameters=long(parameters))
        trace = Trace(network, long([[0.05, 0.1]]), long([[0.01, 0.99]]), rate=mpmath.mpf(0.5))  # type: ignore[arg-type]
        assert [cell_id(cell) for cell in trace.cells] == [cell_id(cell) for cell in near.cells]
        for cell in trace.cells:
            value = trace.term(cell).value
            assert isinstance(value, mpmath.mpf), cell
            # a step of some twenty roundings, of numbers up to 2
            assert abs(value - float(near.term(cell).value)) <= 1e-15 * (1 + abs(value)), cell
        w5 = trace["w5+"].value
        assert mpmath.nstr(w5, 12) == "0.358916479718"  # as published, to its nine decimals and three more


def test_whole_numbers_do_not_become_floats_on_the_way() -> None:
    with mpmath.workdps(50):
        third = find("loss", "mean_absolute_error")().slope(LongFloats(), long([[3.0, 1.0, 2.0]]), long([[1.0, 1.0, 5.0]]))
        assert [abs(each * 3) for each in third[0]] == [1, 0, 1]
        assert abs(third[0, 0] - mpmath.mpf(1) / 3) < mpmath.mpf(10) ** -49


# Each reader takes its own numbers


def test_the_reader_follows_from_the_numbers() -> None:
    assert type(for_numbers(np.zeros(1))) is Floats
    assert type(for_numbers(np.zeros(1, np.float32))) is Floats
    assert type(for_numbers(np.zeros(1, complex))) is Complex
    assert type(for_numbers(fractions(["1"]))) is Fractions
    assert type(for_numbers(long([1.0]))) is LongFloats
    for other in (np.zeros(1, int), np.array(["a"]), np.array([None])):
        with pytest.raises(InputError, match="no reader"):
            for_numbers(other)


def test_a_recorder_changes_nothing_and_keeps_every_named_step() -> None:
    for loss in loss_cases():
        y, t = example(loss, random("recorder", loss), 3, 2)
        recorder = Recorder()
        assert loss.value(recorder.at(2), y, t) == loss.value(Floats(), y, t)
        assert (recorder.steps[StepKey("E", 2, "ri")] == loss.each(Floats(), y, t)).all()


# Rounding


@pytest.mark.parametrize(
    ("how", "places", "number", "kept"),
    [
        ("rounded", 4, 0.12345, 0.1235), ("rounded", 4, -0.12345, -0.1235), ("truncated", 4, 0.12349, 0.1234),
        ("truncated", 4, -0.12349, -0.1234), ("rounded", 1, 0.25, 0.3), ("rounded", 1, 0.35, 0.4), ("rounded", 0, 2.5, 3.0),
        ("rounded", 2, 1.005, 1.01),  # of the decimal that is written, not of 1.00499999999999989
        ("truncated", 1, 0.3, 0.3), ("truncated", 2, 0.29, 0.29), ("significant", 3, 0.00123456, 0.00123),
        ("significant", 3, 98765.0, 98800.0), ("significant", 2, -0.0995, -0.1), ("significant", 1, 5e-324, 5e-324),
        ("rounded", 4, 1e300, 1e300), ("rounded", 4, 0.0, 0.0), ("rounded", 4, 1e-9, 0.0), ("rounded", 4, math.inf, math.inf),
    ],
)  # fmt: skip
def test_a_number_is_kept_as_a_person_keeps_it(how: str, places: int, number: float, kept: float) -> None:
    assert Rounding(how, places).number(number) == kept
    assert Rounding(how, places).array(np.array([[number]]))[0, 0] == kept
    assert Rounding(how, places).number(kept) == kept, "what is kept stays"


def test_nan_stays_nan_when_rounded() -> None:
    assert math.isnan(Rounding("rounded", 4).number(math.nan))


def decimals(value: float) -> int:
    return max(0, -int(decimal.Decimal(repr(float(value))).normalize().as_tuple().exponent))


def by_hand(i: int, how: str, places: int) -> Trace:
    rng = random("hand", i)
    activations = [a for a in every("activation") if a.name in ("identity", "sigmoid", "tanh", "relu", "softplus")]
    rows = 1 + i % 3
    layers = [Dense(2, activations[i % len(activations)]), Dense(2, activations[(i + 2) % len(activations)])]
    network = Network(layers, 2, seed=i)
    network.parameters[:] = rng.normal(size=network.size).round(places)
    x, t = rng.normal(size=(rows, 2)).round(2), rng.normal(size=(rows, 2)).round(2)
    optimizer = find("optimizer", ("sgd", "momentum")[i % 2])(learning_rate=0.5)
    return Trace(network, x, t, optimizer, conventions=Conventions(intermediate=how, places=places), digits=17)


@pytest.mark.parametrize("how", ["rounded", "truncated"])
@pytest.mark.parametrize("places", [2, 4, 6])
def test_a_rounded_step_is_the_calculation_by_hand(how: str, places: int) -> None:
    checked = 0
    for i in range(10):
        trace = by_hand(i, how, places)
        values = {cell_id(cell): trace.term(cell).value for cell in trace.cells}
        for cell in trace.cells:
            step = trace.step(cell)
            if trace.term(cell).definition is None:
                continue
            assert decimals(step.value) <= places, step
            names = {trace.label(used): values[cell_id(used)] for used in trace.cells if cell_id(used) in step.uses}
            exact = Formula(step.formula, names).value().value
            # Calculated again from the kept numbers and kept again. Binary numbers differ from decimals by 1e-16, so a
            # result within 1e-12 of a place where the rounding turns may be kept either way, and no other may.
            near = {Rounding(how, places).number(value) for value in (exact, exact + 1e-12, exact - 1e-12)}
            assert step.value in near, (step, exact)
            checked += 1
    assert checked > 400


def test_a_rounder_rounds_every_share_of_a_sum() -> None:
    m = Rounder(Rounding("truncated", 1))
    left, right = np.array([[0.37, 0.58]]), np.array([[1.0], [1.0]])
    assert m.contract("dE/dx", left, right, "rij")[0, 0] == pytest.approx(0.8, abs=1e-15)  # 0.3 + 0.5, and not 0.9
    assert m.contract("dE/dW", left[:, :1], right[:1], "irj")[0, 0] == 0.37, "a lone product is no share: it is the step itself"
