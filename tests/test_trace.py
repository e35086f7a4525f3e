"""What a trace promises whatever the network: order, names, kinds of numbers, and what it refuses."""

import json
from fractions import Fraction

import numpy as np
import pytest

import chainrule as cr
from chainrule.cli import main
from chainrule.naming import cell_id
from chainrule.rules.losses import Huber
from chainrule.tracing import named_in

X, T = [[0.1, 0.2], [0.5, -0.3], [0.4, 0.9]], [[1.0, 0.0], [0.0, 1.0], [0.3, 0.7]]


def network(loss="half_squared_error", **options):
    layers = [cr.Dense(3, "tanh"), cr.Dense(2, "softmax" if loss == "cross_entropy" else "identity")]
    return cr.Network(layers, inputs=2, loss=loss, seed=4, **options)


@pytest.mark.parametrize("order", ["simultaneous", "sequential"])
@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw", "nadam"])
@pytest.mark.parametrize("loss", ["half_squared_error", "cross_entropy"])
def test_each_number_uses_only_earlier_ones(order, optimizer, loss):
    trace = cr.trace(network(loss), X, T, optimizer, conventions=cr.Conventions(order=order), after=2)
    known = set()
    for step in trace:
        assert set(step.uses) <= known, step.id
        known.add(step.id)
    assert len(trace) == len(known), "no id stands for two numbers"
    assert len({step.name for step in trace}) == len(known), "no name stands for two numbers"


def test_every_number_is_found_by_its_id_and_by_its_name():
    layers = [cr.Dense(3), cr.BatchNorm(), "relu", cr.Dropout(0.4), cr.Dense(3), cr.LayerNorm(), cr.Dense(2, "softmax")]
    net = cr.Network(layers, inputs=2, loss="cross_entropy", penalties=[cr.L2(0.1), cr.L1(0.01)])
    trace = cr.trace(net, X, T, "adam", clipping=cr.ClipNorm(0.5), weight=[1, 2, 0.5], names="textbook")
    for cell in trace.cells:
        assert trace.find(cell_id(cell)) == cell
        assert trace.find(trace.label(cell)) == cell, trace.label(cell)


def test_names_of_a_large_network_need_no_list():
    net = cr.Network([cr.Dense(300, "relu"), cr.Dense(200, "relu"), cr.Dense(10, "softmax")], inputs=400, loss="cross_entropy")
    x, t = np.random.default_rng(0).random((40, 400)), np.eye(10)[np.arange(40) % 10]
    trace = cr.trace(net, x, t)
    for name in ("net_h1_3@2", "out_o1@3", "w5", "E_total", "delta_o2@40", "dE/dw120001", "W+[2][7,9]", "b_h2_5+"):
        assert np.isfinite(trace[name].value)
    with pytest.raises(cr.InputError, match="no number is called"):
        trace["net_h1_301@2"]


@pytest.mark.parametrize("name", ["dE/dw5", "∂E/∂w5", "dE_total/dw5", "dE/dW[2][1,1]", "dE/dW[2][1, 1]", "dE/dw5@1"])
def test_spellings(name):
    assert cr.trace(cr.load_example("mazur"))[name].id == "dE/dW[2][1,1]"


def test_a_path_is_named_after_an_output_only_where_nothing_is_averaged():
    one = cr.trace(network(), X[:1], T[:1])
    assert "dE_o1/dout_h1" in one
    assert one["dE_o1/dout_h1"] == one["dE/dout_h1 via net_o1"]
    many = cr.trace(network("mean_squared_error"), X, T)
    assert many["dE/dout_h1@2"].formula == "dE/dout_h1@2 via net_o1 + dE/dout_h1@2 via net_o2"


def test_running_statistics_have_no_sample_and_are_updated():
    net = cr.Network([cr.BatchNorm(), cr.Dense(2)], inputs=2)
    trace = cr.trace(net, X, T)
    mean = np.mean(X, axis=0)[0]
    assert trace["running_mean[1][1]"].value == 0
    assert trace["running_mean+[1][1]"].value == pytest.approx(0.1 * mean, abs=1e-16)
    assert net.memory[0]["running_mean"][0, 0] == 0, "the network is left as it is"


def test_float32_stays_float32():
    net = network(dtype=np.float32)
    trace = cr.trace(net, X, T, weight=[1, 2, 3])
    assert trace["w1+"].value.dtype == np.float32
    outcome = cr.train(net, X, T, cr.SGD(), weight=[1, 2, 3], updates=1)
    assert outcome.parameters[0] == trace["w1+"].value


@pytest.mark.parametrize("optimizer", [cr.SGD(0.1), cr.Momentum(0.1), cr.Nesterov(0.1, form="keras")])
@pytest.mark.parametrize("after", [0, 2])
def test_fractions_stay_fractions(optimizer, after):
    weights = [Fraction(n, 10) for n in (1, -2, 3, 4, 5, -6, 7, 8, 9)]
    layers = [cr.Dense(2, "relu"), cr.Dense(1)]
    net = cr.Network(layers, inputs=2, parameters=np.array(weights, dtype=object))
    x, t = np.array([[Fraction(1, 2), Fraction(1, 3)]]), np.array([[Fraction(1)]])
    trace = cr.trace(net, x, t, optimizer, after=after)
    assert all(isinstance(step.value, (Fraction, int, bool)) for step in trace), "no float came in between"
    floats = cr.Network(layers, inputs=2, parameters=np.array([float(each) for each in weights]))
    same = cr.trace(floats, x.astype(float), t.astype(float), optimizer, after=after)
    assert float(trace["w1+"].value) == pytest.approx(same["w1+"].value, rel=1e-14)


def test_truncated_only_in_print_is_what_the_article_prints():
    trace = cr.trace(cr.load_example("lamsal", [("numbers.print", "truncated"), ("numbers.places", "5")]))
    printed = [trace[name].shown for name in ("out_o1", "out_o2", "w5+", "w6+", "w7+", "w8+")]
    assert printed == ["0.73492", "0.77955", "0.45187", "0.55073", "0.71056", "0.81081"]


def test_negative_numbers_keep_their_brackets_in_every_format():
    net = cr.Network([cr.Dense(1)], inputs=2, parameters=np.array([0.5, -0.2, -0.1]))
    trace = cr.trace(net, [[-3.0, 2.0]], [[0.0]])
    assert trace["net_o1"].substituted == "0.5·(-3) + (-0.2)·2 - 0.1"
    assert r"0.5 \cdot \left(-3\right) + \left(-0.2\right) \cdot 2 - 0.1" in trace["net_o1"].latex
    assert trace["net_o1"].mathml.count("<mo>(</mo>") == 2


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: cr.Conventions(order="foo"), "unknown order"),
        (lambda: cr.Conventions(places=-1), "places must be a whole number"),
        (lambda: cr.trace(network(), X, T, "sdg"), "did you mean sgd"),
        (lambda: cr.trace(network(), X, T, 3), "must be a rule or the name of one"),
        (lambda: cr.trace(network(), X, T, weight=[1, 2]), "3 rows need as many weights"),
        (lambda: cr.trace(network(), X, T, weight=[1, -2, 1]), "not negative"),
        (lambda: cr.trace(network(), X, T, names="french"), "unknown names"),
        (lambda: cr.trace(network(), X, T, digits=-3), "digits must be"),
        (lambda: cr.trace(network(), X), "needs data"),
        (lambda: cr.trace("mazur"), "load_example"),
        (lambda: cr.trace(network(), [[1.0]], T[:1]), "expects 2 numbers per row; it was given 1"),
        (lambda: cr.trace(network("cross_entropy"), X, [[1, 1], [1, 0], [0, 1]]), "row 1"),
        (lambda: network(penalties=[cr.L2(0.1), cr.L2(0.2)]), "one penalty of a kind"),
    ],
)
def test_what_is_refused(call, said):
    with pytest.raises(cr.InputError, match=said):
        call()


def test_an_unknown_parameter_suggests_the_nearest():
    with pytest.raises(TypeError, match="did you mean weight"):
        cr.trace(network(), X, T, weigth=[1, 1, 1])


def test_every_cell_of_a_comparison_is_the_number_of_its_json(capsys):
    def run(*args):
        with pytest.raises(SystemExit):
            main(["compare", "mazur", "--vary", "update.order,update.biases", "--after", "3", *args])
        return capsys.readouterr().out

    columns = json.loads(run("--json"))["columns"]
    lines, seen = run().splitlines(), 0
    letters = []
    for line in lines[len(columns) + 2 :]:
        words = line.replace("loss before", "loss_before").replace("loss after", "loss_after").split()
        if words and all(len(word) == 1 for word in words):
            letters = words
        elif words:
            for letter, text in zip(letters, words[1:], strict=True):
                numbers = columns[ord(letter) - ord("A")]["numbers"]
                name = words[0].replace("_before", " before").replace("_after", " after")
                if text == "-":
                    assert name not in numbers
                else:
                    assert float(text) == pytest.approx(numbers[name], rel=1e-6, abs=1e-9)
                seen += 1
    assert seen >= sum(len(column["numbers"]) for column in columns)


def test_how_many_numbers_are_left_unopened_is_said():
    net = cr.Network([cr.Dense(40, "relu"), cr.Dense(30, "relu"), cr.Dense(2)], inputs=20)
    x = np.random.default_rng(1).random((1, 20))
    trace = cr.trace(net, x, [[0.0, 1.0]])
    cells, unopened = trace.leading_to(["dE/dW[1][1,1]"], most=30)
    assert len(cells) == 30
    opened = {cell_id(cell) for cell in cells}
    shown = {cell_id(each.name) for cell in cells for each in named_in(trace.formula(trace.term(cell)), shown=True)}
    missing = [name for name in shown - opened if trace.term(trace.find(name)).opens]
    assert unopened == len(missing) > 0
    assert f"{trace.leading_to(['dE/dW[1][1,1]'])[1]:,} more numbers lead here" in trace.explain("dE/dW[1][1,1]")


def test_every_hyper_parameter_is_found_by_its_id():
    """Huber's δ is a number of its own, although people also write δ for delta."""
    network = cr.Network([cr.Dense(1, "leaky_relu")], inputs=1, loss=Huber(0.5))
    found = cr.trace(network, [[0.3]], [[2.0]], cr.Adam(0.1))
    for cell in found.cells:
        assert found.find(cell_id(cell)) == cell, cell
    assert found["δ"].value == 0.5
    assert found["δ_o1"].id == "dE/dz[1][1]"
