"""The matrix form: the rules' own lines on whole arrays give the trace's arrays, and are set as MathML that holds together."""

import math
from xml.etree import ElementTree

import numpy as np
import pytest

import chainrule as cr
from chainrule.derivation import derive
from chainrule.explain.matrix import equations
from chainrule.readers import Floats
from chainrule.rules import find, names
from chainrule.rules.layers import BatchNorm, Dense, Dropout, LayerNorm
from chainrule.terms.term import Term
from chainrule.tracing import Trace

ROWS = 3
X = np.array([[0.3, -0.6, 0.9], [0.5, 0.2, -0.4], [-0.7, 0.8, 0.1]])
FUSED = ("sigmoid_binary_cross_entropy", "softmax_cross_entropy")


def evaluate(term: Term):
    """What a formula of arrays gives; named arrays stand for themselves."""
    op, args = term.op, term.args
    if op in ("name", "literal"):
        return np.asarray(term.value)
    if op == "T":
        return np.transpose(evaluate(args[0]))
    if op == "identity":
        return np.eye(len(term.value))
    if op in ("sum", "mean"):
        return getattr(evaluate(args[0]), op)(args[1].value).reshape(np.shape(term.value))
    if op == "part":
        found = evaluate(args[0])
        return (
            found[args[1].value] if np.ndim(term.value) == 3 or len(args[1].value) == 3 else found.reshape(np.shape(term.value))
        )
    values = [evaluate(each) for each in args]
    if op == "+":
        return sum(values[1:], values[0])
    if op == "*":
        return math.prod(values[1:], start=values[0])
    if op in ("-", "/", "@", "**"):
        return {
            "-": np.subtract, "/": np.divide, "@": np.matmul, "**": np.power,
        }[op](*values)  # fmt: skip
    return -values[0] if op == "neg" else getattr(Floats(), op)(*values)


def assert_true(trace: Trace) -> None:
    steps = trace.whole()
    assert steps
    for key, made in steps.items():
        found, true = evaluate(made.definition), np.asarray(made.value)
        assert np.allclose(np.broadcast_to(found, true.shape), true, rtol=1e-12, atol=1e-15), key
        computed = trace.values(key.symbol, key.layer, key.parameter) if key.symbol not in ("E",) else None
        if computed is not None and computed.shape == true.shape:
            assert np.array_equal(computed, true), key
    for each in equations(trace):
        for part in ("name", "formula", "numbers", "value"):
            if each[part]:
                ElementTree.fromstring(f"<math>{each[part]}</math>")


def trace_of(activation="tanh", loss="half_squared_error", last="sigmoid", **options):
    targets = np.eye(3)[: len(X)] if loss in ("cross_entropy", "softmax_cross_entropy") else np.full((ROWS, 3), 0.3)
    network = cr.Network([Dense(4, activation), Dense(3, last)], inputs=3, loss=loss, seed=3)
    return cr.trace(network, X, targets, **options)


@pytest.mark.parametrize("activation", names("activation"))
def test_every_activation(activation):
    assert_true(trace_of(activation))
    if activation != "softmax":
        assert_true(trace_of("tanh", "squared_error", activation))


@pytest.mark.parametrize("loss", names("loss"))
def test_every_loss(loss):
    last = {"cross_entropy": "softmax", "softmax_cross_entropy": "identity", "sigmoid_binary_cross_entropy": "identity"}
    assert_true(trace_of(loss=loss, last=last.get(loss, "sigmoid")))


@pytest.mark.parametrize("optimizer", names("optimizer"))
def test_every_optimizer(optimizer):
    assert_true(trace_of(optimizer=find("optimizer", optimizer)(learning_rate=0.1)))


@pytest.mark.parametrize("bias", ["per_unit", "shared", "none"])
@pytest.mark.parametrize("rows", [1, 3])
def test_biases_and_samples(bias, rows):
    network = cr.Network([Dense(4, "relu", bias=bias), Dense(2, "softmax", bias=bias)], inputs=3, loss="cross_entropy", seed=1)
    assert_true(cr.trace(network, X[:rows], np.eye(2)[[0, 1, 0]][:rows]))


def test_other_layers():
    layers = [Dense(4), LayerNorm(), Dense(3, "tanh"), BatchNorm(), Dropout(0.5), Dense(2, "sigmoid")]
    assert_true(cr.trace(cr.Network(layers, inputs=3, seed=1), X, np.full((ROWS, 2), 0.4)))


def test_large_matrices_are_elided():
    network = cr.Network([Dense(9, "tanh"), Dense(1)], inputs=8, seed=1)
    first = equations(cr.trace(network, np.ones((1, 8)), np.ones((1, 1))))[0]
    root = ElementTree.fromstring(f"<math>{first['numbers']}</math>")
    tables = list(root.iter("mtable"))
    assert [[len(row) for row in table] for table in tables[:2]] == [[5], [5] * 5]
    assert "⋱" in first["numbers"]


def test_mazur_reads_as_a_textbook_has_it():
    found = equations(derive(cr.load_example("mazur")))
    assert [(each["phase"], each["array"]) for each in found][:3] == [
        ("forward", "z|1"),
        ("forward", "a|1"),
        ("forward", "z|2"),
    ]
    text = "".join(ElementTree.fromstring(f"<math>{found[0]['formula']}</math>").itertext())
    assert text == "xW1⊤+b1"
