"""Adding an activation touches one place: the example of rules/README.md is registered, and everything else follows."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

import chainrule as cr
from chainrule.rules import CATALOGUE
from chainrule.rules.alphabet import Alphabet, Array
from chainrule.rules.rule import Activation, rule
from chainrule.spec import parse_spec

README = Path(cr.__file__).parent / "rules" / "README.md"
SPEC = """
[network]
loss = "half_squared_error"
[[network.layers]]
activation = "softsign"
weights = [[0.15, 0.20], [-0.25, 0.30]]
biases = 0.35
[[network.layers]]
activation = "softsign"
weights = [[0.40, -0.45]]
[data]
inputs = [[0.05, 0.10]]
targets = [[0.01]]
[update]
learning_rate = 0.5
"""


@pytest.fixture
def softsign():
    (code,) = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.S)
    room = {"rule": rule, "Activation": Activation, "Alphabet": Alphabet, "Array": Array, "__name__": "rules"}
    exec(code, room)
    yield room["Softsign"]
    del CATALOGUE["activation"]["softsign"]


def test_it_is_explained_in_every_format(softsign):
    trace = cr.trace(parse_spec(SPEC))
    step = trace["out_h2"]
    z = -0.25 * 0.05 + 0.3 * 0.1 + 0.35
    assert step.formula == "net_h2/(1 + abs(net_h2))"
    assert step.value == pytest.approx(z / (1 + abs(z)), abs=1e-15)
    assert trace["dout_h2/dnet_h2"].value == pytest.approx(1 / (1 + abs(z)) ** 2, abs=1e-15)
    assert r"\frac{\mathit{net}_{\mathrm{h2}}}{1 + \left|\mathit{net}_{\mathrm{h2}}\right|}" in step.latex
    assert "squeezes any number between -1 and 1, more slowly than tanh." in trace.explain()
    assert r"\left|" in trace.explain(format="latex")
    assert "<math" in trace.explain(format="html")
    data = json.loads(trace.explain(format="json"))
    assert {entry["id"]: entry["value"] for entry in data["steps"]}["a[1][2]"] == step.value


def test_it_trains(softsign):
    network = cr.Network([cr.Dense(4, "softsign"), cr.Dense(1)], inputs=2)
    x = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
    outcome = cr.train(network, x, np.array([[0.0], [1], [1], [0]]), cr.Adam(0.05), updates=300)
    assert outcome.loss < outcome.losses[0] / 2


def test_an_unknown_name_suggests_it(softsign):
    with pytest.raises(cr.InputError, match="did you mean softsign"):
        cr.Dense(2, "sofsign")
