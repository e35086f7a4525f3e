"""Terms are the numbers: every rule gives on terms what it gives on floats, and what is printed can be calculated again.

A formula is read back by the small evaluator below, which shares nothing with the printers.
"""

from __future__ import annotations

import math
import re
import subprocess
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from chainrule.naming import Cell, Scope, cell_id
from chainrule.network import Network
from chainrule.readers import Floats
from chainrule.rules import names
from chainrule.rules.layers import BatchNorm, Dense, Dropout, LayerNorm
from chainrule.terms.digits import Digits
from chainrule.terms.lattice import Lattice, lattice
from chainrule.terms.printers import Cpp, Text
from chainrule.terms.reader import Terms
from chainrule.terms.term import Term, named
from chainrule.tracing import Trace
from test_rules_slopes import DOMAINS, dressed, every, example, fusions, layers, loss_cases, random, shown

CLOSE = 1e-14  # normwise: the same operations in the same order, but for the order in which NumPy adds


def given(name: str, values: Any) -> Lattice:
    values = np.asarray(values, float)
    return Lattice(values.shape, lambda index: named(Cell(name, 1, tuple(i + 1 for i in index)), values[index]))


def numbers(cells: Any) -> Any:
    """Every cell of a lattice (or a term, or a plain array), as floats."""
    if isinstance(cells, Term):
        return np.asarray(cells.value, float)
    cells = lattice(cells)
    result = np.empty(cells.shape)
    for index in np.ndindex(*cells.shape):
        result[index] = cells.cell(index).value
    return result


def assert_same(terms: Any, floats: Any, about: Any) -> None:
    found, true = numbers(terms), np.asarray(floats, float)
    assert found.shape == true.shape, about
    scale = max(np.abs(true).max(), 0.1)  # 0.1: a softmax's gradients add up to 0
    assert np.abs(found - true).max() <= CLOSE * scale, (about, found, true)


def reader(rows: int, layer: int = 1) -> Terms:
    return Terms(Scope(rows), {}).at(layer)


@pytest.mark.parametrize("activation", every("activation"), ids=shown)
def test_activations_on_terms_are_activations_on_floats(activation: Any) -> None:
    for shape in ((1, 1), (3, 4)):
        rng = random("terms", activation, shape)
        x, dy, m = rng.normal(size=shape) * 3, rng.normal(size=shape), reader(shape[0])
        x[0, 0] = 0.0
        y = activation.value(Floats(), x)
        terms = activation.value(m, given("x", x))
        assert_same(terms, y, activation)
        slope = activation.slope(Floats(), x, y) * np.ones(1)
        assert_same(activation.slope(m, given("x", x), given("y", y)), slope, activation)
        back = activation.through(Floats(), x, y, dy)
        assert_same(activation.through(m, given("x", x), terms, given("dy", dy)), back, activation)


@pytest.mark.parametrize("loss", list(loss_cases()), ids=shown)
def test_losses_on_terms_are_losses_on_floats(loss: Any) -> None:
    for rows, outputs in ((1, 1), (1, 3), (4, 2)):
        rng = random("terms", loss, rows, outputs)
        y, t = example(loss, rng, rows, outputs)
        for weight in (None, rng.uniform(0.1, 2, (rows, 1))):
            m, w = reader(rows), None if weight is None else given("weight", weight)
            assert_same(loss.value(m, given("y", y), given("t", t), w), loss.value(Floats(), y, t, weight), loss)
            slope = loss.slope(Floats(), y, t, weight) * np.ones_like(y)
            assert_same(loss.slope(m, given("y", y), given("t", t), w), slope, loss)


@pytest.mark.parametrize("layer", list(layers()), ids=shown)
def test_layers_on_terms_are_layers_on_floats(layer: Any) -> None:
    rows, n_in = 3, 4
    rng = random("terms", layer)
    x, p = rng.normal(size=(rows, n_in)), dressed(layer, rng, rows, n_in)
    m, terms = reader(rows), {symbol: given(symbol, values) for symbol, values in p.items()}
    y, saved = layer.forward(Floats(), p, x)
    y_terms, saved_terms = layer.forward(m, terms, given("x", x))
    assert_same(y_terms, y, layer)
    dy = rng.normal(size=y.shape)
    dx, gradients = layer.backward(Floats(), p, saved, dy)
    dx_terms, gradient_terms = layer.backward(m, terms, saved_terms, given("dy", dy))
    assert_same(dx_terms, dx, layer)
    assert set(gradient_terms) == set(gradients)
    for symbol, gradient in gradients.items():
        assert_same(gradient_terms[symbol], gradient, (layer, symbol))
    assert_same(layer.predict(m, terms, given("x", x)), layer.predict(Floats(), p, x), layer)
    remembered = layer.remember(Floats(), p, saved)
    remembered_terms = layer.remember(m, terms, saved_terms)
    for symbol, values in remembered.items():
        assert_same(remembered_terms[symbol], values, (layer, symbol))


@pytest.mark.parametrize("optimizer", every("optimizer"), ids=shown)
def test_optimizers_on_terms_are_optimizers_on_floats(optimizer: Any) -> None:
    rng = random("terms", optimizer)
    w = rng.normal(size=(2, 3))
    starts = optimizer.starts()
    state = {slot: np.full((1,) if slot in optimizer.counters else w.shape, first) for slot, first in starts.items()}
    w_terms, state_terms = given("w", w), {slot: given(slot, values) for slot, values in state.items()}
    for k in (1, 2, 3):
        g = rng.normal(size=w.shape)
        w, state = optimizer.update(Floats(), w, g, state, k, 0.1)
        m = Terms(Scope(1), {}).at(1, "W", "ij")
        w_terms, state_terms = optimizer.update(m, w_terms, given("g", g), state_terms, k, 0.1)
        assert_same(w_terms, w, (optimizer, k))
        assert set(state) == set(state_terms) == set(starts)
        for slot, values in state.items():
            assert_same(state_terms[slot], values, (optimizer, k, slot))


@pytest.mark.parametrize("penalty", every("penalty"), ids=shown)
def test_penalties_on_terms_are_penalties_on_floats(penalty: Any) -> None:
    w = np.array([[0.5, -1.5, 0.0]])
    assert_same(penalty.each(reader(1), given("w", w)), penalty.each(Floats(), w), penalty)
    assert_same(penalty.slope(reader(1), given("w", w)), penalty.slope(Floats(), w), penalty)


@pytest.mark.parametrize("clipping", every("clipping"), ids=shown)
def test_clippings_on_terms_are_clippings_on_floats(clipping: Any) -> None:
    for scale in (0.01, 3.0):
        rng = random("terms", clipping)
        gradients = [rng.normal(size=(2, 3)) * scale, rng.normal(size=2) * scale]
        terms = clipping.clip(reader(1), [given(f"g{i}", g) for i, g in enumerate(gradients)])
        for found, true in zip(terms, clipping.clip(Floats(), gradients), strict=True):
            assert_same(found, true, clipping)


@pytest.mark.parametrize("initializer", every("initializer"), ids=shown)
def test_initializers_on_terms_are_initializers_on_floats(initializer: Any) -> None:
    u = random("terms", initializer).uniform(-1, 1, (1, 1) if initializer.name == "explicit" else (3, 4))
    assert_same(initializer.value(reader(1), given("u", u), 4, 3), initializer.value(Floats(), u, 4, 3), initializer)


@pytest.mark.parametrize("preparation", every("preparation"), ids=shown)
def test_preparations_on_terms_are_preparations_on_floats(preparation: Any) -> None:
    x, center, scale = np.array([[1.0, 5.0], [2.5, -3e9], [1.5, 7.0]]), np.array([1.5, 1.0]), np.array([0.5, 4.0])
    made = preparation.value(Floats(), x, center, scale)
    statistics = given("center", center), given("scale", scale)
    assert_same(preparation.value(reader(3), given("x", x), *statistics), made, preparation)
    back = preparation.back(Floats(), made, center, scale)
    assert back == pytest.approx(x, rel=1e-6), "what is 1e9 spreads out keeps some seven digits beside a reach of 4"
    assert_same(preparation.back(reader(3), given("made", made), *statistics), back, preparation)
    assert len(preparation.statistics) == len(set(preparation.statistics)) == 2


# A formula, read back


class Known(NamedTuple):
    """A number and how many roundings of 1 its calculation may have left in it: `spread` grows with every addend, so that
    a small difference of large numbers is not asked for more than it can give."""

    value: float
    spread: float


def known(value: Any) -> Known:
    return Known(float(value), abs(float(value)))


FUNCTIONS: dict[str, Callable[[float], tuple[float, float]]] = {  # the value and the size of its slope
    "ln": lambda x: (math.log(x), 1 / x) if x > 0 else (-math.inf if x == 0 else math.nan, math.inf),
    "tanh": lambda x: (math.tanh(x), 1 - math.tanh(x) ** 2),
    "sqrt": lambda x: (math.sqrt(x), 0.5 / math.sqrt(x) if x else 0.0),
    "abs": lambda x: (abs(x), 1),
    "sign": lambda x: ((x > 0) - (x < 0), 0),
    "erfc": lambda x: (math.erfc(x), 2 / math.sqrt(math.pi) * math.exp(-(x**2))),
    "exp": lambda x: (math.exp(x), math.exp(x)),
}
NUMBER = r"\d+(?:\.\d+)?(?:e[+-]?\d+)?|nan\b|inf\b|true\b|false\b"
REST = re.compile(r"\[[\d,]+ more terms, together (?P<value>-?(?:" + NUMBER + r"))\]")


class Formula:
    """A recursive descent over a printed formula: `choice > sum > product > power > atom`, as printers.py prints them."""

    def __init__(self, text: str, names: Mapping[str, float]) -> None:
        ordered = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))
        calls = "|".join([*FUNCTIONS, *(name.upper() for name in FUNCTIONS), "max", "min", "MAX", "MIN", "POWER", "IF"])
        pattern = re.compile(
            rf"\s*(?:(?P<rest>{REST.pattern.replace('?P<value>', '')})"
            + (rf"|(?P<name>{ordered})(?![\w@\[])" if names else "")
            + rf"|(?P<number>{NUMBER})|(?P<call>{calls})\(|(?P<op>if\b|else\b|e\^|[-+·*/^(),>]))"
        )
        self.names, self.tokens, self.place = names, [], 0
        at = 0
        while at < len(text.rstrip()):
            match = pattern.match(text, at)
            assert match is not None, f"cannot read {text[at:]!r} of {text!r}"
            kind = str(match.lastgroup)
            self.tokens.append((kind, match[kind]))
            at = match.end()
        self.tokens.append(("end", ""))

    def value(self) -> Known:
        result = self.choice()
        assert self.tokens[self.place][0] == "end", self.tokens[self.place :]
        return result

    def operands(self) -> list[str]:
        """The numbers in it, in their order."""
        found = [re.sub(r".*together |\]", "", text) for kind, text in self.tokens if kind in ("number", "rest")]
        return [text.lstrip("-") for text in found]

    def next(self, *wanted: str) -> str:
        kind, text = self.tokens[self.place]
        if kind == "op" and text in wanted:
            self.place += 1
            return text
        return ""

    def choice(self) -> Known:
        taken = self.sum()
        if not self.next("if"):
            return taken
        condition = self.condition()
        assert self.next("else")
        other = self.choice()
        return taken if condition else other

    def condition(self) -> bool:
        left = self.sum()
        assert self.next(">")
        return left.value > self.sum().value

    def sum(self) -> Known:
        negative = bool(self.next("-"))
        total = self.product()
        total = Known(-total.value, total.spread) if negative else total
        while sign := self.next("+", "-"):
            each = self.product()
            total = Known(total.value + (each.value if sign == "+" else -each.value), total.spread + each.spread)
        return total

    def product(self) -> Known:
        result = self.power()
        while sign := self.next("·", "*", "/"):
            other = self.power()
            if sign == "/":
                value = result.value / other.value if other.value else math.copysign(math.inf, result.value)
                result = Known(value, result.spread * other.spread / other.value**2 if other.value else math.inf)
            else:
                result = Known(result.value * other.value, result.spread * other.spread)
        return result

    def power(self) -> Known:
        base = self.atom()
        if self.next("^"):
            return self.raised(base, self.atom())
        return base

    def raised(self, base: Known, exponent: Known) -> Known:
        assert exponent.value == int(exponent.value)
        return Known(base.value**exponent.value, base.spread**exponent.value)

    def applied(self, name: str, x: Known) -> Known:
        value, slope = FUNCTIONS[name](x.value)
        return Known(value, abs(value) + slope * x.spread)

    def atom(self) -> Known:
        kind, text = self.tokens[self.place]
        self.place += 1
        if kind == "name":
            return known(self.names[text])
        if kind == "number":
            return known({"true": 1, "false": 0}.get(text, text))
        if kind == "rest":
            return known(REST.fullmatch(text)["value"])  # type: ignore[index]
        if kind == "call":
            return self.call(text)
        if text == "e^":
            return self.applied("exp", self.atom())
        assert text == "(", (text, self.tokens)
        result = self.choice()
        assert self.next(")")
        return result

    def call(self, name: str) -> Known:
        if name == "IF":
            condition = self.condition()
            assert self.next(",")
            first = self.choice()
            assert self.next(",")
            second = self.choice()
            assert self.next(")")
            return first if condition else second
        args = [self.choice()]
        while self.next(","):
            args.append(self.choice())
        assert self.next(")")
        if name == "POWER":
            return self.raised(*args)
        if name in ("max", "min", "MAX", "MIN"):
            return (max if name.lower() == "max" else min)(args)
        (x,) = args
        return self.applied(name.lower(), x)


def assert_gives(text: str, names: Mapping[str, float], value: Any, about: Any) -> None:
    found = Formula(text, names).value()
    # 1e-12 of the spread: a value may come by another way than its formula. A fused loss hands back y - t, and the formula
    # is dE/dy dy/dz, whose factors carry the rounding of y as many times as y is close to 0 or 1: some thousand here.
    assert abs(found.value - float(value)) <= 1e-12 * found.spread, (about, text, found, value)


def test_the_evaluator_reads_what_printers_write() -> None:
    """By hand, so that the tests below rest on something."""
    names = {"w1": 2.0, "w1+": 3.0, "dE/dw1": 0.5, "W[2][1,1]": -4.0, "out_h1@3": 0.25, "E": 7.0, "dE/dh via net": 1.5}
    for text, value in {
        "w1 + w1+": 5.0, "w1·dE/dw1/w1": 0.5, "-w1^2 + (-3)^2": 5.0, "e^(-0)": 1.0, "e^2": math.e**2,
        "1/(1 + e^(-w1))": 1 / (1 + math.exp(-2)),
        "w1 if E > 6.9 else 0": 2.0, "1 if 1 > 2 else 2 if 3 > 4 else 5": 5.0, "max(w1, W[2][1,1], 1e-3) - min(w1, 1)": 1.0,
        "6/w1/w1+": 1.0, "E - w1 - [1,200 more terms, together -2.5e-1]": 5.25, "POWER(-2,2)*IF(2 > 1,LN(1),5)": 0.0,
        "dE/dh via net·w1": 3.0, "ln(1 + out_h1@3)": math.log(1.25), "(w1 if 0 > 1 else w1+)·2": 6.0,
        "sqrt(abs(-9))·sign(-2)": -3.0,
    }.items():  # fmt: skip
        assert Formula(text, names).value().value == pytest.approx(value, rel=1e-15), text
    with pytest.raises(AssertionError):
        Formula("w1 w1", names).value()
    with pytest.raises(AssertionError):
        assert_gives("w1 + 1e-11", names, 2.0, "")


# Nets

LAST = {"binary_cross_entropy": "sigmoid", "cross_entropy": "softmax", "poisson": "softplus"}


def stated_losses() -> list[Any]:
    """Losses as people state them. The fused forms come in through them, and the trace names the fused form's numbers."""
    fused = {loss.fused_with(activation).name for loss, activation in fusions()}
    return [loss for loss in loss_cases() if loss.name not in fused]


def net(i: int) -> dict[str, Any]:
    """The i-th small net: every rule of the catalogue gets its turn."""
    rng = random("net", i)
    activations, losses, optimizers = every("activation"), stated_losses(), every("optimizer")
    loss = losses[i % len(losses)]
    last = next((a for a in activations if a.name == LAST.get(loss.name)), None) or activations[(i * 7 + 3) % len(activations)]
    wide = i % 15 == 0  # sums long enough to be elided, and more weights than textbook names reach
    inputs, outputs = (40, 3) if wide else (int(rng.integers(1, 4)), int(rng.integers(1, 4)))
    hidden = int(rng.integers(1, 4))
    rows = int(rng.integers(1, 4))
    layers: list[Any] = [Dense(hidden, activations[i % len(activations)], ("per_unit", "shared", "none")[i % 3])]
    extra = (None, LayerNorm(), BatchNorm(), Dropout(0.4), None)[i % 5]
    if extra is not None:
        layers.append(extra)
    layers.append(Dense(outputs, last))
    network = Network(layers, inputs, loss, seed=i, penalties=every("penalty") if i % 4 == 1 else ())
    network.parameters[:] = rng.normal(size=network.size)
    x = rng.normal(size=(rows, inputs)).round(2)
    t = DOMAINS[loss.name][1](rng, (rows, outputs)) if loss.name in DOMAINS else rng.normal(size=(rows, outputs)).round(2)
    clippings = every("clipping")
    options = {
        "number": 1 + i % 3,
        "clipping": clippings[i // 6 % len(clippings)] if i % 6 == 2 else None,
        "weight": rng.uniform(0.5, 2, rows).round(2) if i % 7 == 3 and rows > 1 else None,
        "naming": network.naming("matrix") if i % 8 == 5 else None,
    }
    return {"network": network, "x": x, "t": t, "optimizer": optimizers[i % len(optimizers)], **options}


NETS = range(60)


def traces(i: int, *digits: int) -> list[Trace]:
    return [Trace(**net(i), digits=places) for places in digits]


def test_the_nets_use_every_rule() -> None:
    used: dict[str, set[str]] = {"activation": set(), "loss": set(), "optimizer": set(), "layer": set(), "clipping": set()}
    for i in NETS:
        made = net(i)
        network = made["network"]
        used["loss"].add(network.loss.name)
        used["optimizer"].add(made["optimizer"].name)
        for layer in network.layers:
            used["layer"].add(layer.name)
            used["activation"] |= {layer.activation.name} if isinstance(layer, Dense) else set()
        used["clipping"] |= {made["clipping"].name} if made["clipping"] else set()
    expected = {kind: set(names(kind)) for kind in used} | {"loss": {loss.name for loss in stated_losses()}}
    assert used == expected


LATEX_COMMANDS = {
    "frac", "partial", "mathit", "mathrm", "text", "left", "right", "cdot", "cdots", "ln", "tanh", "sqrt", "max", "min",
    "operatorname", "begin", "end", "underbrace", "delta", "eta", "gamma", "beta", "alpha", "lambda", "mu", "rho", "varepsilon",
    "psi", "infty", "_", ",", "\\", "{", "}",
}  # fmt: skip


def check_latex(text: str) -> None:
    depth = 0
    for token in re.findall(r"\\[A-Za-z]+|\\.|[{}]", text):
        depth += (token == "{") - (token == "}")
        assert depth >= 0, text
        assert not token.startswith("\\") or token[1:] in LATEX_COMMANDS, (token, text)
    assert depth == 0, text
    assert text.count(r"\left") == text.count(r"\right")
    assert text.count(r"\begin{") == text.count(r"\end{")
    assert all(ord(sign) < 128 for sign in text), text


def check_mathml(text: str) -> None:
    root = ElementTree.fromstring(f"<math>{text}</math>")
    two = {"mfrac": 2, "msup": 2, "msub": 2, "msubsup": 3, "munder": 2}
    for element in root.iter():
        assert len(element) == two.get(element.tag, len(element)), (element.tag, text)
        if element.tag in ("mn", "mi", "mo", "mtext"):
            assert element.text, text


def spreadsheet_addresses(trace: Trace) -> dict[str, str]:
    return {trace.label(cell): f"A{row}" for row, cell in enumerate(trace.cells, 1)}


@pytest.mark.parametrize("i", NETS)
def test_every_formula_gives_the_number_that_it_explains(i: int) -> None:
    exact, short = traces(i, 17, 6)
    values = {exact.label(cell): exact.term(cell).value for cell in exact.cells}
    assert len(values) == len(exact.cells), "two numbers have one name"
    by_id = {cell_id(cell): exact.label(cell) for cell in exact.cells}
    addresses = spreadsheet_addresses(exact)
    by_address = {addresses[name]: value for name, value in values.items()}
    formulas = 0
    for cell in exact.cells:
        step, brief = exact.step(cell), short.step(cell)
        about = (i, step.id)
        assert math.isfinite(step.value), about
        check_latex(step.latex)
        check_mathml(step.mathml)
        check_mathml(brief.mathml)
        if exact.term(cell).definition is None:
            assert not step.uses
            assert float(step.formula) == step.value
            continue
        formulas += 1
        used = {by_id[each]: values[by_id[each]] for each in step.uses}
        assert_gives(step.formula, used, step.value, about)
        assert_gives(step.substituted, {}, step.value, about)
        sheet = exact.spreadsheet(step.id, addresses)
        assert sheet.startswith("=")
        assert_gives(sheet[1:], by_address, step.value, about)
        in_full, in_brief = Formula(step.substituted, {}).operands(), Formula(brief.substituted, {}).operands()
        assert len(in_full) == len(in_brief), about
        for full, rounded in zip(in_full, in_brief, strict=True):
            if full in ("true", "false"):
                assert rounded == full
                continue
            assert (float(full) == 0) == (float(rounded) == 0), (about, full, rounded)
    assert formulas > 20


def test_numbers_are_never_printed_as_zero_unless_they_are() -> None:
    rng = random("digits")
    for places in range(18):
        digits = Digits(places)
        drawn = rng.normal(size=50) * 10.0 ** rng.integers(-320, 300, 50)
        for value in (*drawn, 5e-324, -5e-324, 1e-7, 0.1 + 0.2, 1e15, 1e300):
            text = digits.text(value)
            assert (float(text) == 0) == (value == 0), (places, value, text)
            half = max(0.5 * 10.0**-places, abs(value) * 0.5 * 10.0 ** -(max(places, 3) - 1))  # of the last digit shown
            assert abs(float(text) - value) <= half * 1.0001
            if places >= 17:
                assert float(text) == value
        assert digits.text(0.0) == digits.text(-0.0) == "0"


# C++


class Scalars(Terms):
    """One number at a time, without named steps: what the C++ printer is given."""

    def __init__(self) -> None:
        super().__init__(Scope(1), {})

    def let(self, symbol: str, x: Any, over: str = "ri") -> Any:
        return x


ROWS = {"softmax", "softmax_cross_entropy"}  # rules of whole rows: they have no scalar form

PROLOGUE = """\
#include <cmath>
#include <cstdio>
namespace rules {  // so that these are not the C library's own
using T = double;
inline T exp(T x) { return std::exp(x); }
inline T log(T x) { return std::log(x); }
inline T log1p(T x) { return std::log1p(x); }
inline T expm1(T x) { return std::expm1(x); }
inline T tanh(T x) { return std::tanh(x); }
inline T sqrt(T x) { return std::sqrt(x); }
inline T abs(T x) { return std::fabs(x); }
inline T sign(T x) { return (x > 0) - (x < 0); }
inline T erfc(T x) { return std::erfc(x); }
inline T maximum(T x, T y) { return x > y ? x : y; }
inline T minimum(T x, T y) { return x < y ? x : y; }
inline T where(bool c, T x, T y) { return c ? x : y; }
inline T sigmoid(T x) { T e = std::exp(-std::fabs(x)); return (x < 0 ? e : T(1)) / (1 + e); }
"""


def scalar_rules() -> Iterator[tuple[str, Any, Any, list[tuple[float, float]]]]:
    """A label, the expression's term as a function of (m, x, t), the same on floats, and points."""
    xs = [-6.0, -2.5, -1.0, -0.25, -1e-9, 0.0, 1e-9, 0.25, 1.0, 2.5, 6.0]
    for a in every("activation"):
        if a.name not in ROWS:
            yield f"{a}.value", lambda m, x, t, a=a: a.value(m, x), a, [(x, 0.0) for x in xs]
            yield f"{a}.slope", lambda m, x, t, a=a: a.slope(m, x, a.value(m, x)), a, [(x, 0.0) for x in xs]
    for loss in every("loss"):
        if loss.name not in ROWS:
            y, t = example(loss, random("cpp", loss), 8, 1)
            points = [(float(a), float(b)) for a, b in zip(y[:, 0], t[:, 0], strict=True)]
            yield f"{loss}.each", lambda m, x, t, loss=loss: loss.each(m, x, t), loss, points
            yield f"{loss}.slope", lambda m, x, t, loss=loss: loss.each_slope(m, x, t), loss, points


def test_cpp_expressions_compile_and_give_the_same_numbers(tmp_path: Path) -> None:
    rules = list(scalar_rules())
    assert len(rules) > 40
    lines, wanted = [PROLOGUE], []
    calls = []
    for number, (label, run, _, points) in enumerate(rules):
        term = run(Scalars(), named("x", 0.3), named("t", 0.6))
        assert isinstance(term, Term), label
        lines.append(f"inline T f{number}(T x, T t) {{ (void)x; (void)t; return {Cpp().print(term)}; }}  // {label}")
        for x, t in points:
            calls.append(f'std::printf("%.17g\\n", f{number}({x!r}, {t!r}));')
            true = run(Floats(), np.array([[x]]), np.array([[t]])) * np.ones((1, 1))
            wanted.append((label, x, t, true[0, 0]))
    lines += ["}", "using namespace rules;", "int main() {", *calls, "}"]
    source, program = tmp_path / "rules.cpp", tmp_path / "rules"
    source.write_text("\n".join(lines), encoding="utf-8")
    subprocess.run(["g++", "-std=c++20", "-O1", "-Wall", "-Werror", "-o", str(program), str(source)], check=True)
    out = subprocess.run([str(program)], check=True, capture_output=True, text=True).stdout.split()
    assert len(out) == len(wanted)
    for found, (label, x, t, true) in zip(out, wanted, strict=True):
        # C++ multiplies c x x x from the left where NumPy takes c (x^3), and its exp may end in another last digit; behind
        # an exponential of up to 30 (gelu's tails at 6) a rounding counts 30 times
        assert abs(float(found) - true) <= 1e-14 * abs(true) + 1e-17, (label, x, t, found, true)


def test_a_printed_term_is_found_by_the_evaluator_for_scalars_too() -> None:
    for label, run, _, points in scalar_rules():
        for x, t in points:
            term = run(Scalars(), named("x", np.float64(x)), named("t", np.float64(t)))
            true = (run(Floats(), np.array([[x]]), np.array([[t]])) * np.ones((1, 1)))[0, 0]
            assert_gives(Text(str, Digits(17)).print(term), {"x": x, "t": t}, true, (label, x, t))
