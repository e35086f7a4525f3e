"""Specs: the bundled examples, and every mistake of the catalogue S01 to S22, with its place."""

from __future__ import annotations

import json
import random
import re
import time
import tomllib

import numpy as np
import pytest

from chainrule import tables
from chainrule.errors import InputError
from chainrule.spec import documents, example_names, example_text, load, load_example, parse_spec, read_spec

MAZUR = example_text("mazur")


def refusal(text, settings=(), file="mine.toml"):
    """All problems of a spec that must be refused."""
    with pytest.raises(InputError) as caught:
        parse_spec(text, file, settings)
    assert caught.value.problems
    return caught.value.problems


def mazur_with(old, new):
    assert old in MAZUR
    return MAZUR.replace(old, new, 1)


def line_of(text, part):
    return text[: text.index(part)].count("\n") + 1


def spec(
    layers, loss='"half_squared_error"', data="inputs = [[1, 2]]\ntargets = [[1]]", update="learning_rate = 0.1", network=""
):
    """A spec of inline tables: a layer per line."""
    listed = ",\n  ".join("{" + layer + "}" for layer in layers)
    return f"[network]\nloss = {loss}\n{network}\nlayers = [\n  {listed},\n]\n[data]\n{data}\n[update]\n{update}\n"


# --- the bundled examples ---------------------------------------------------------------------------------------------


def test_examples_stand_in_order():
    assert example_names() == ("mazur", "lamsal", "two-two-one", "three-layer", "penguins")


LOSSES = {"mazur": 0.298371108760003, "lamsal": 0.24908954146, "two-two-one": 0.00263689666489}


@pytest.mark.parametrize("name", example_names())
def test_examples_load_and_derive(name):
    from chainrule.tracing import Trace

    example = load(name)
    assert example.title
    assert example.source
    assert not example.warnings
    trace = Trace(
        example.network,
        example.x,
        example.t,
        example.optimizer,
        conventions=example.conventions,
        naming=example.naming,
        raw=example.raw,
    )
    assert np.isfinite(trace.loss)
    if name in LOSSES:
        assert trace.loss == pytest.approx(LOSSES[name], abs=1e-12, rel=0)


def test_mazur_is_what_the_article_says():
    example = load_example("mazur")
    W1, W2 = (p["W"].tolist() for p in example.network.views(example.network.parameters))
    assert W1 == [[0.15, 0.20], [0.25, 0.30]]
    assert W2 == [[0.40, 0.45], [0.50, 0.55]]
    assert example.conventions.biases == "frozen"
    assert example.network.layers[0].bias == "shared"
    assert example.optimizer.learning_rate == 0.5
    assert example.x.dtype == np.float64


def test_lamsal_labels_turn_round():
    naming = load_example("lamsal").naming
    names = [[naming.parameter("W", 1, (i, j)) for j in (1, 2)] for i in (1, 2)]
    assert names == [["w1", "w3"], ["w2", "w4"]]
    assert naming.parameter("W", 2, (1, 2)) == "w6"


def test_columns_are_turned_into_rows():
    example = load_example("two-two-one")
    first, second = example.network.views(example.network.parameters)
    assert first["W"].tolist() == [[0.5, 0.2], [0.3, 0.4]]
    assert second["W"].tolist() == [[0.6, 0.7]]
    assert example.conventions.orientation == "columns"


def test_three_layer_has_short_sums():
    example = load_example("three-layer")
    sums = (example.network.views(example.network.parameters)[0]["W"] @ example.x[0]).tolist()
    assert sums == pytest.approx([0.4, -0.1, 0.5], abs=1e-15)
    assert [type(layer).__name__ for layer in example.network.layers] == ["Dense"] * 3


def test_penguins_are_standardized():
    example = load_example("penguins")
    assert example.x.shape == (342, 4)
    assert example.outputs == ("Adelie", "Chinstrap", "Gentoo")
    assert example.t.sum(0).tolist() == [151, 68, 123]
    assert "2 with gaps" in example.notes[0]
    (group,) = example.raw.groups
    assert group.places == (0, 1, 2, 3)
    assert np.array_equal(example.x, (group.cells - group.center) / group.scale)
    assert np.allclose(example.x.std(0), 1)


def test_a_shared_bias_becomes_one_per_unit():
    example = load("mazur", [("update.biases", "updated_per_unit")])
    assert [layer.bias for layer in example.network.layers] == ["per_unit", "per_unit"]
    assert example.network.views(example.network.parameters)[0]["b"].tolist() == [0.35, 0.35]


def test_json_of_the_same_shape_is_the_same():
    text = json.dumps(tomllib.loads(MAZUR), indent=1)
    example = parse_spec(text)
    assert np.array_equal(example.network.parameters, load("mazur").network.parameters)
    (problem,) = refusal(text.replace('"sigmoid"', '"sigmoidd"', 1), file="a.json")
    assert problem.field == "network.layers[1].activation"
    assert problem.line == line_of(text, '"sigmoid"')


# --- the catalogue ----------------------------------------------------------------------------------------------------

SYNTAX = [  # text, line, what the message says
    ("a = [1, 2\nb = 3", 2, "comma"),
    ("a = 1\nloss = half", 2, 'put quotes around text: "half"'),
    ('a = "x\nb = 2', 1, "a quote is missing"),
    ("a = .5", 1, "write 0.5"),
    ("a = 0,5", 1, "point"),
    ("a: 5", 1, "`=` instead of `:`"),
    ("a = True", 1, "write true"),
    ("a = None", 1, "no null"),
    ("a =", 1, "a value is missing"),
    ("a = 1 // note", 1, "comments begin with #"),
    ("[network\nloss = 1", 1, "heading"),
    ("a = {b = 1,}", 1, "trailing comma"),
    ("hello", 1, "key = value"),
    ('{"a": 1,}', 1, "trailing comma"),
    ('{"a": [1, 2,]}', 1, "trailing comma"),
    ("{'a': 1}", 1, "single quotes"),
    ("{\"a\": 'b'}", 1, "single quotes"),
    ('{"a": 1 // note\n}', 1, "comment"),
    ('{\n# note\n"a": 1}', 2, "comment"),
    ("{a: 1}", 1, "quotes"),
    ('{"a": True}', 1, "write true"),
    ('{"a" = 1}', 1, "`:` instead of `=`"),
    ('{"a": [1 2]}', 1, "comma is missing"),
    ('{"a": .5}', 1, "0.5"),
    ('{"a": 1', 1, "ends too early"),
    ("network:\n  loss: x\n  layers:\n    - units: 2\n", 1, "use TOML or JSON"),
    ("---\nnetwork:\n  loss: x\n", 1, "YAML"),
]


@pytest.mark.parametrize(("text", "line", "says"), SYNTAX, ids=[each[0][:20] for each in SYNTAX])
def test_s01_s20_syntax(text, line, says):
    (problem,) = refusal(text, file="mine.json" if text.startswith("{") else "mine.toml")
    assert says in str(problem)
    assert problem.line == line
    drawing, caret = str(problem).split("\n")[-2:]
    assert re.fullmatch(r" +\^", caret)
    assert drawing.strip() == text.split("\n")[line - 1].strip()


# what is replaced in mazur, by what, path, what the message says (a text or several); "-" in front: a setting
L1 = "network.layers[1]"
L2 = "network.layers[2]"
WEIGHTS = "weights = [[0.40, 0.45], [0.50, 0.55]]"
MISTAKES = [
    # S02, S07, S21: unknown names
    ('activation = "sigmoid"', 'activaton = "sigmoid"', f"{L1}.activaton", "did you mean activation?"),
    ('activation = "sigmoid"', 'activation = "sigmoidal"', f"{L1}.activation", "did you mean sigmoid?"),
    ('activation = "sigmoid"', 'activation = "${HOME}"', f"{L1}.activation", ["unknown activation", "'${HOME}'"]),
    ('activation = "sigmoid"', 'activation = "!!python/object"', f"{L1}.activation", "!!python/object"),
    ('activation = "sigmoid"', "activation = 3", f"{L1}.activation", "got 3"),
    ('activation = "sigmoid"', "activation = [1]", f"{L1}.activation", "unknown activation"),
    ('"half_squared_error"', '"half_squared"', "network.loss", "did you mean half_squared_error?"),
    ('"half_squared_error"', '"zzz"', "network.loss", ["choose one of", "cross_entropy", "huber"]),
    ('"sgd"', '"sdg"', "update.optimizer", "did you mean sgd?"),
    ('"sgd"', "true", "update.optimizer", "got true"),
    ('order = "simultaneous"', 'order = "sequental"', "update.order", "did you mean sequential?"),
    ('biases = "frozen"', "biases = true", "update.biases", "got true"),
    ("[numbers]", "[number]", "number", "did you mean numbers?"),
    ("[update]", "[upadte]", "upadte", "did you mean update?"),
    ("places = 9", "digits = 9", "numbers.digits", "unknown key"),
    ("places = 9", "places = -1", "numbers.places", "from 0 to 17"),
    ("places = 9", "places = 9.5", "numbers.places", "whole number"),
    ("places = 9", 'intermediate = "round"', "numbers.intermediate", "did you mean rounded?"),
    ('order = "simultaneous"', "momentum = 0.9", "update.momentum", "momentum belongs to optimizer momentum or nesterov"),
    ("places = 9", 'places = 9\n[names]\nstyle = "text"', "names.style", "did you mean textbook?"),
    # S04: missing
    ('loss = "half_squared_error"', "", "network.loss", ["network.loss is missing", "huber"]),
    (WEIGHTS, "", f"{L2}.units", [f"{L2}.units is missing", "weights"]),
    ("inputs = [[0.05, 0.10]]", "", "data.inputs", "missing"),
    ("targets = [[0.01, 0.99]]", "", "data.targets", "missing"),
    # S05, S06: types
    (WEIGHTS, 'units = "10"', f"{L2}.units", ["whole number", "remove the quotes: 10"]),
    (WEIGHTS, "units = 0", f"{L2}.units", ["at least 1", "got 0"]),
    (WEIGHTS, "units = -3", f"{L2}.units", "got -3"),
    (WEIGHTS, "units = 4.5", f"{L2}.units", "got 4.5"),
    (WEIGHTS, "units = 1e3", f"{L2}.units", ["got 1000.0", "write 1000"]),
    (WEIGHTS, "units = true", f"{L2}.units", "got true"),
    (WEIGHTS, "units = [2]", f"{L2}.units", "got [2]"),
    ("learning_rate = 0.5", "batch_size = 0", "update.batch_size", "at least 1"),
    ("learning_rate = 0.5", "learning_rate = 1970-01-01", "update.learning_rate", "1970-01-01"),
    ('title = "A step by step backpropagation example"', "title = 3", "title", "must be text"),
    ("[[network.layers]]", "[network.layers]", None, ""),
    # S08: shapes
    (
        WEIGHTS,
        "weights = [[1, 2, 3, 4], [1, 2, 3, 4]]",
        f"{L2}.weights",
        ["layer 2 (Dense 4->2) expects 4", "layer 1 gives 2", "2 -> [2] -> expects 4", 'orientation = "columns"'],
    ),
    (WEIGHTS, "weights = [[1], [2]]", f"{L2}.weights", ["layer 2 (Dense 1->2)", "2 -> [2] -> expects 1"]),
    (WEIGHTS, "weights = [[1, 2]]", "data.targets", ["gives 1", "has 2"]),
    # S09: ragged
    (WEIGHTS, "weights = [[1, 2], [3]]", f"{L2}.weights[2]", "row 2 has 1 numbers, but row 1 has 2"),
    (WEIGHTS, "weights = [[1, 2], 3]", f"{L2}.weights[2]", "row 2 must be a list"),
    (WEIGHTS, "weights = [[], []]", f"{L2}.weights[1]", "row 1 is empty"),
    (WEIGHTS, "weights = []", f"{L2}.weights", "empty"),
    (WEIGHTS, "weights = 3", f"{L2}.weights", "rows of numbers"),
    # S10: biases
    ("biases = 0.60", "biases = [0.6]", f"{L2}.biases", "2 units need as many biases; 1 are given"),
    ("biases = 0.60", "biases = [0.6, 0.6, 0.6]", f"{L2}.biases", "3 are given"),
    ("biases = 0.60", 'biases = "0.6"', f"{L2}.biases", "remove the quotes"),
    ("biases = 0.60", "biases = nan", f"{L2}.biases", "finite"),
    ("biases = 0.60", "biases = true", f"{L2}.biases", "must be a number"),
    # S11: not finite
    ("0.45", "nan", f"{L2}.weights[1][2]", "must be finite"),
    ("0.55", "-inf", f"{L2}.weights[2][2]", "must be finite"),
    ("0.55", "1e999", f"{L2}.weights[2][2]", "must be finite"),
    ("0.55", "1" + "0" * 400, f"{L2}.weights[2][2]", "larger than float64"),
    ("0.55", '"0.55"', f"{L2}.weights[2][2]", "remove the quotes: 0.55"),
    ("0.55", "true", f"{L2}.weights[2][2]", "got true"),
    # S12: loss and activation
    ('"half_squared_error"', '"cross_entropy"', "network.loss", ["never counts the wrong classes", "softmax"]),
    ('"half_squared_error"', '"huber"\ndelta = 0', "network.delta", "above 0"),
    ('"half_squared_error"', '"squared_error"\ndelta = 1', "network.delta", "delta belongs to loss huber"),
    ('"half_squared_error"', '"squared_error"\nreduction = "avg"', "network.reduction", "mean"),
    # S14: names of layers
    ("biases = 0.35", 'name = ""', f"{L1}.name", "empty"),
    # S15: learning rate
    ("learning_rate = 0.5", "learning_rate = 0", "update.learning_rate", "above 0"),
    ("learning_rate = 0.5", "learning_rate = -0.5", "update.learning_rate", "above 0"),
    ("learning_rate = 0.5", "learning_rate = nan", "update.learning_rate", "got nan"),
    ("learning_rate = 0.5", "learning_rate = inf", "update.learning_rate", "got inf"),
    ("learning_rate = 0.5", 'learning_rate = "1e-3"', "update.learning_rate", "remove the quotes: 1e-3"),
    ("learning_rate = 0.5", "learning_rate = true", "update.learning_rate", "got true"),
    ("learning_rate = 0.5", "learning_rate = 1" + "0" * 400, "update.learning_rate", "float64"),
    # S16: ranges
    ('"sgd"', '"momentum"\nmomentum = 1', "update.momentum", ["at least 0", "below 1"]),
    ('"sgd"', '"adam"\nbeta2 = 1', "update.beta2", "below 1"),
    ('"sgd"', '"sgd"\nclip_norm = 0', "update.clip_norm", "above 0"),
    ('"sgd"', '"sgd"\nclip_norm = 1\nclip_value = 1', "update.clip_value", "cannot both"),
    ('"sgd"', '"sgd"\nschedule = "stair"', "update.schedule", "unknown schedule"),
    ('"sgd"', '"sgd"\nschedule = "step"', "update.schedule.every", "missing"),
    ('"sgd"', '"sgd"\nschedule = {name = "step", every = 0}', "update.schedule.every", "at least 1"),
    ('"sgd"', '"sgd"\nschedule = {name = "cosine", updates = 9, every = 2}', "update.schedule.every", "belongs to step"),
    ('"sgd"', '"sgd"\nschedule = {}', "update.schedule.name", "missing"),
    ("biases = 0.35", 'initializer = "he"', f"{L1}.initializer", "choose one of"),
    ("biases = 0.35", 'initializer = {name = "uniform", limit = 0}', f"{L1}.initializer.limit", "above 0"),
    ("biases = 0.35", 'initializer = {name = "uniform", size = 1}', f"{L1}.initializer.size", "unknown key"),
    ("biases = 0.35", 'initializer = "constant"', f"{L1}.initializer.fill", "missing"),
    ("biases = 0.35", 'initializer = "explicit"', f"{L1}.initializer", "write them as weights"),
    ("biases = 0.35", "seed = -1", f"{L1}.seed", "whole number"),
    ("biases = 0.35", "rate = 0.5", f"{L1}.rate", "rate belongs to type dropout"),
    ("biases = 0.35", "alpha = 0.5", f"{L1}.alpha", "alpha belongs to activation elu or selu"),
    ("biases = 0.35", 'type = "dens"', f"{L1}.type", "did you mean dense?"),
    ("biases = 0.35", 'orientation = "row"', f"{L1}.orientation", "did you mean rows?"),
    # S17: version
    ("chainrule = 1", "chainrule = 2", "chainrule", ["version 2", "version 1", "upgrade"]),
    ("chainrule = 1", 'chainrule = "1"', "chainrule", "whole number"),
    ("chainrule = 1", "chainrule = 0", "chainrule", "at least 1"),
    # S22: data
    ("[[0.05, 0.10]]", "[[0.05, 0.10, 0.2]]", "data.inputs", ["expects 2", "has 3"]),
    ("[[0.05, 0.10]]", "[[0.05, 0.10], [1, 2]]", "data.targets", ["2 rows of inputs", "1 are given"]),
    ("[[0.01, 0.99]]", "[[0.01]]", "data.targets", ["gives 2", "has 1"]),
    ("[[0.01, 0.99]]", '["yes"]', "data.targets[1]", "must be a number"),
    ("[[0.01, 0.99]]", '[[0.01, 0.99]]\ntable = "penguins.csv"\ntarget = "species"', "data.inputs", "beside a table"),
    ("[[0.01, 0.99]]", "[[0.01, 0.99]]\ncolumns = []", "data.columns", "belongs to a table"),
    ("[[0.01, 0.99]]", "[[0.01, 0.99]]\nweights = [1, 2]", "data.weights", "1 rows of data"),
    ("[[0.01, 0.99]]", "[[0.01, 0.99]]\nweights = [-1]", "data.weights[1]", "negative"),
    ("[[0.01, 0.99]]", "[[0.01, 0.99]]\nweights = [0]", "data.weights", "all sample weights are 0"),
    # both weights and units; names
    (WEIGHTS, f"{WEIGHTS}\nunits = 3", f"{L2}.units", ["units is 3", "2 units"]),
    ("places = 9", 'places = 9\n[names]\nweights = [["w1", "w2"]]', "names.weights[1]", "2 rows of 2"),
    (
        "places = 9",
        'places = 9\n[names]\nweights = [["w1", "w1"], ["w3", "w4"]]',
        "names.weights",
        "two weights are called 'w1'",
    ),
    ("places = 9", 'places = 9\n[names]\nweights = [["w 1", "w2"], ["w3", "w4"]]', "names.weights", "name of a weight"),
    ("places = 9", "places = 9\n[names]\nweights = 3", "names.weights", "list of names"),
]


@pytest.mark.parametrize(("old", "new", "path", "says"), MISTAKES, ids=[f"{each[2]} {each[1][:30]}" for each in MISTAKES])
def test_mistakes_have_line_path_and_remedy(old, new, path, says):
    text = mazur_with(old, new)
    problems = refusal(text)
    if path is None:
        return
    found = [problem for problem in problems if problem.field == path]
    assert found, [str(problem) for problem in problems]
    assert len({(problem.field, problem.what) for problem in problems}) == len(problems)
    message = str(found[0])
    for part in [says] if isinstance(says, str) else says:
        assert part in message
    assert found[0].file == "mine.toml"
    assert found[0].line is not None
    key = re.sub(r"(\[\d+\])+$", "", path).split(".")[-1]
    line = text.split("\n")[found[0].line - 1]
    assert key in line or "missing" in message or "{" in line or "schedule" in line or "initializer" in line


OTHERS = [  # a whole spec, path, what the message says
    (spec(['type = "dropout", rate = 1', "units = 1"]), f"{L1}.rate", "below 1"),
    (spec(['type = "dropout", rate = 0.5, weights = [[1]]', "units = 1"]), f"{L1}.weights", "belongs to type dense"),
    (spec(['type = "dropout", keep = [[1, 2]]', "units = 1"]), f"{L1}.keep[1]", "1 (kept)"),
    (spec(['type = "dropout", keep = [[1]]', "units = 1"]), f"{L1}.keep", "needs 2 numbers"),
    (spec(['type = "dropout", keep = [[1, 0], [1, 1]]', "units = 1"]), f"{L1}.keep", "each of the 1 rows"),
    (spec(['type = "layer_norm", gamma = [1]', "units = 1"]), f"{L1}.gamma", "needs 2 numbers"),
    (spec(['type = "batch_norm", momentum = 0', "units = 1"]), f"{L1}.momentum", "above 0"),
    (spec(['units = 1, activation = "softmax"'], '"cross_entropy"'), f"{L1}.activation", "softmax of one unit"),
    (spec(["units = 1", 'type = "softmax"'], '"cross_entropy"'), f"{L2}.type", "softmax of one unit"),
    (
        spec(['units = 3, activation = "sigmoid"'], '"cross_entropy"', 'inputs = [[1, 2]]\ntargets = ["a"]'),
        "network.loss",
        "softmax",
    ),
    (spec(["units = 1"], '"binary_cross_entropy"'), "network.loss", "probabilities"),
    (spec(["units = 1"], '"poisson"'), "network.loss", "above 0"),
    (
        spec(['units = 3, activation = "softmax"'], '"cross_entropy"', "inputs = [[1, 2]]\ntargets = [[1, 1, 0]]"),
        "data.targets",
        "sum",
    ),
    ("[network]\nlayers = []", "network.layers", "at least one layer"),
    (spec(["units = 1"], network='penalty = "l1"'), "network.penalty", "unknown key"),
    (spec(["units = 1"], network="l1 = -1"), "network.l1", "at least 0"),
    (spec(["units = 1"], network='dtype = "float16"'), "network.dtype", "did you mean float64"),
    (spec(['units = 1, name = "a"', 'units = 1, name = "a"']), f"{L2}.name", "layer 1 has this name too"),
    (
        spec(
            ['units = 2, activation = "softmax"'],
            '"cross_entropy"',
            'inputs = [[1], [2]]\ntargets = ["a", "c"]\nclasses = ["a", "b"]',
        ),
        "data.targets[2]",
        ["unknown class", "'c'", "'a', 'b'"],
    ),
    (
        spec(['units = 2, activation = "softmax"'], '"cross_entropy"', 'inputs = [[1], [2], [3]]\ntargets = ["a", "b", "c"]'),
        "data.targets",
        "3 classes do not fit 2 outputs",
    ),
    (
        spec(['units = 2, activation = "softmax"'], '"cross_entropy"', 'inputs = [[1], [2]]\ntargets = ["a", 1]'),
        "data.targets[2]",
        "all text or all whole",
    ),
    (spec(["weights = [[1, 2], [3, 4]]", "weights = [[1, 2, 3]]"]), f"{L2}.weights", ["(Dense 3->1)", "2 -> [2] -> expects 3"]),
    (spec(["units = 1"], data='table = "penguin.csv"\ntarget = "year"'), None, ["no such file"]),
    (spec(["units = 1"], data='table = "../penguins.csv"\ntarget = "year"'), "data.table", "folder of the spec"),
    (spec(["units = 1"], data='table = "/etc/passwd"\ntarget = "year"'), "data.table", "folder of the spec"),
    (spec(["units = 1"], data='target = "year"'), "data.target", "belongs to a table"),
    ("network = 3\ndata = []", "network", "must be a table"),
    ("network = 3\ndata = []", "data", "must be a table"),
    ("[network]\nloss = 'x'\nlayers = {units = 1}", "network.layers", "[[network.layers]]"),
    ("[network]\nloss = 'x'\nlayers = [1]", f"{L1}", "must be a table"),
    ("", "network", "network is missing"),
]


@pytest.mark.parametrize(("text", "path", "says"), OTHERS, ids=[f"{number} {each[1]}" for number, each in enumerate(OTHERS)])
def test_other_mistakes(text, path, says):
    problems = refusal(text)
    found = [problem for problem in problems if problem.field == path or path is None]
    assert found, [str(problem) for problem in problems]
    for part in [says] if isinstance(says, str) else says:
        assert part in str(found[0])


def test_all_mistakes_are_listed_at_once():
    text = MAZUR.replace('"sigmoid"', '"sigmoidd"').replace("0.15", "nan").replace("learning_rate = 0.5", "learning_rate = 0")
    text = text.replace("[[0.05, 0.10]]", "[[0.05]]").replace("places = 9", "placs = 9")
    problems = refusal(text)
    expected = [f"{L1}.activation", f"{L2}.activation", f"{L1}.weights[1][1]", "update.learning_rate", "numbers.placs"]
    assert {problem.field for problem in problems} >= set(expected)
    lines = [problem.line for problem in problems if problem.field == "update.learning_rate"]
    assert lines == [line_of(text, "learning_rate")]


@pytest.mark.parametrize(
    ("text", "path", "lines"),
    [
        ("a = 1\nb = 2\na = 3", "a", "lines 1 and 3"),
        ("[network]\nloss = 'x'\nl1 = 1\nloss = 'y'", "network.loss", "lines 2 and 4"),
        ("[network]\n[data]\n[network]", "network", "lines 1 and 3"),
        ("[[n.l]]\nu = 1\n[[n.l]]\nu = 1\nu = 2", "n.l[2].u", "lines 4 and 5"),
        ("a = {b = 1, b = 2}", "a.b", "lines 1 and 1"),
        ("a.b = 1\na.b = 2", "a.b", "lines 1 and 2"),
        ('{"a": 1,\n"b": 2,\n"a": 3}', "a", "lines 1 and 3"),
        ('{"a": [{"b": 1,\n"b": 2}]}', "a[1].b", "lines 1 and 2"),
    ],
)
def test_s03_duplicate_keys_name_both_lines(text, path, lines):
    (problem,) = refusal(text, file="")
    assert problem.field == path
    assert lines in str(problem)


def test_s12_hidden_softmax_is_a_warning():
    example = parse_spec(spec(['units = 3, activation = "softmax"', "units = 1"]))
    assert "softmax" in example.warnings[0]
    assert L1 in example.warnings[0]


def test_s15_a_huge_learning_rate_is_a_warning():
    (warning,) = parse_spec(mazur_with("learning_rate = 0.5", "learning_rate = 1e9")).warnings
    assert "1e+09" in warning
    assert "update.learning_rate" in warning


def test_s13_too_large_is_refused_before_memory_is_used():
    for units in (10**9, 10**12):
        begin = time.perf_counter()
        (problem,) = refusal(spec([f"units = {units}", "units = 1"]))
        assert time.perf_counter() - begin < 0.1
        assert "GiB" in problem.got
        assert "limit" in problem.do
    assert "at most 10,000 layers" in str(refusal("[network]\nloss='mse'\nlayers=[" + "{units=1}," * 20_000 + "]")[0])
    assert len(refusal(spec(["units = 99999999999999999999"]))) == 1


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a = " + "[" * 100_000, "nested too deeply"),
        ("a = " + "[" * 17 + "]" * 17, "at most 16"),
        ('{"a":' * 100_000, "nested too deeply"),
        ("a = " + "9" * 1_000_000, "1,000,000 digits"),
        ('{"a": ' + "9" * 1_000_000 + "}", "1,000,000 digits"),
        ("a" + ".a" * 100_000 + " = 1", "characters"),
        ("a" + " . a" * 100_000 + " = 1", "too many dots"),
        ("x" * (16 * 2**20 + 1), "too large"),
        (b"\xff\xfea\x00", "UTF-16"),
        ("a = 1".encode("utf-16-be"), "UTF-16"),
        (b"\xfe\xff\x00a", "UTF-16"),
        (b'a = 1\nb = "\xe9"', "line 2:6"),
        ('{"a": "\\ud800"}', "half of a character"),
        ('"', "quote"),
        ("'''", "TOML"),
        ("\x00", "TOML"),
    ],
    ids=range(16),
)
def test_s18_s19_limits_and_encodings(text, says):
    begin = time.perf_counter()
    (problem,) = refusal(text, file="")
    assert says in str(problem)
    assert time.perf_counter() - begin < 2


def test_a_byte_order_mark_is_accepted():
    assert parse_spec(b"\xef\xbb\xbf" + MAZUR.encode()).title == load("mazur").title
    assert parse_spec("\ufeff" + MAZUR.replace("\n", "\r\n")).title == load("mazur").title


def test_a_huge_file_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "huge.toml"
    with path.open("wb") as stream:
        stream.truncate(2**40)
    with pytest.raises(InputError, match="too large"):
        read_spec(path)


# --- what a spec can say ----------------------------------------------------------------------------------------------


def test_lines_of_paths():
    text = '# c\n[network]\nloss = "x" # [a]\nm = [\n  [1,\n   2],\n]\n'
    text += '[[network.layers]]\nunits = 1\n[[network.layers]]\nw = {a = 1, "b" = [2]}\n'
    text += "[network.layers.init]\nname = '''\n[no]\nq = 1'''\nd.e = 2\n"
    document = documents.read(text)
    expected = {
        "network": 2,
        "network.loss": 3,
        "network.m[1][2]": 6,
        "network.layers[1].units": 9,
        "network.layers[2]": 10,
        "network.layers[2].w.b[1]": 11,
        "network.layers[2].init.name": 13,
        "network.layers[2].init.d.e": 16,
        "network.layers[2].absent": 10,
        "network.absent": 2,
        "absent": None,
    }
    assert {path: document.line(path) for path in expected} == expected


def test_everything_a_spec_may_hold():
    text = """
        title = "all"
        notes = "a note"
        [network]
        loss = "pinball"
        quantile = 0.9
        reduction = "sum"
        l1 = 0.1
        l2 = 1
        seed = 3
        dtype = "float32"
        [[network.layers]]
        name = "first <1>/a"
        units = 3
        activation = "leaky_relu"
        negative_slope = 0.2
        initializer = {name = "uniform", limit = 0.5}
        seed = 7
        biases = [1, 2, 3]
        [[network.layers]]
        type = "dropout"
        rate = 0.5
        keep = [[1, 0, 1], [0, 1, 1]]
        [[network.layers]]
        type = "layer_norm"
        epsilon = 0.1
        gamma = [1, 2, 3]
        beta = [0, 0, 1]
        [[network.layers]]
        type = "batch_norm"
        momentum = 0.2
        [[network.layers]]
        type = "elu"
        alpha = 2
        [[network.layers]]
        weights = [1, 2, 3]
        orientation = "columns"
        biases = 0
        [data]
        inputs = [[1, 2], [3, 4]]
        targets = [1, 2]
        weights = [1, 0.5]
        [update]
        optimizer = "adam"
        beta1 = 0.8
        learning_rate = 0.1
        schedule = {name = "step", every = 3, warm_up = 2}
        clip_norm = 1
        batch_size = 2
        [numbers]
        places = 4
        intermediate = "significant"
        [names]
        style = "matrix"
    """
    example = parse_spec(text)
    network = example.network
    assert network.widths == [3, 3, 3, 3, 3, 1]
    assert (network.loss.quantile, network.loss.reduction, network.dtype) == (0.9, "sum", np.float32)
    assert [penalty.name for penalty in network.penalties] == ["l1", "l2"]
    views = network.views(network.parameters)
    assert views[0]["b"].tolist() == [1, 2, 3]
    assert np.array_equal(views[0]["W"], network.views(network.draw(7))[0]["W"])
    assert views[2]["gamma"].tolist() == [1, 2, 3]
    assert views[5]["W"].tolist() == [[1, 2, 3]]
    assert list(example.keeps) == [2]
    assert example.t.tolist() == [[1], [2]]
    assert example.weight.tolist() == [1, 0.5]
    assert example.optimizer.beta1 == 0.8
    assert example.schedule.updates == 2
    assert example.schedule.then.every == 3
    assert example.clipping.limit == 1
    assert example.conventions.places == 4
    assert example.naming.style == "matrix"
    assert example.notes == ("a note",)


LABELS = [  # targets, units, loss, expected targets, classes
    ('["b", "a", "b"]', 2, "cross_entropy", [[0, 1], [1, 0], [0, 1]], ("a", "b")),
    ("[2, 0, 2]", 3, "cross_entropy", [[0, 0, 1], [1, 0, 0], [0, 0, 1]], ("0", "1", "2")),
    ("[7, 5, 7]", 2, "cross_entropy", [[0, 1], [1, 0], [0, 1]], ("5", "7")),
    ("[[1, 0], [0, 1], [0.5, 0.5]]", 2, "cross_entropy", [[1, 0], [0, 1], [0.5, 0.5]], ()),
    ('["b", "a", "a"]\nclasses = ["b", "a"]', 2, "cross_entropy", [[1, 0], [0, 1], [0, 1]], ("b", "a")),
    ('["no", "yes", "no"]', 1, "binary_cross_entropy", [[0], [1], [0]], ("no", "yes")),
    ("[0, 1, 1]", 1, "binary_cross_entropy", [[0], [1], [1]], ()),
    ("[1, 2, 2]", 1, "binary_cross_entropy", [[0], [1], [1]], ("1", "2")),
    ("[0.1, 2, -3]", 1, "squared_error", [[0.1], [2], [-3]], ()),
]


@pytest.mark.parametrize(("targets", "units", "loss", "expected", "classes"), LABELS)
def test_targets_of_many_kinds(targets, units, loss, expected, classes):
    activation = {"cross_entropy": "softmax", "binary_cross_entropy": "sigmoid", "squared_error": "identity"}[loss]
    example = parse_spec(
        spec(
            [f'units = {units}, activation = "{activation}"'],
            f'"{loss}"',
            f"inputs = [1, 2, 3]\ntargets = {targets}".replace("[1, 2, 3]\n", "[[1], [2], [3]]\n"),
        )
    )
    assert example.t.tolist() == expected
    assert example.outputs == classes


def test_one_sample_may_stand_flat():
    example = parse_spec(mazur_with("[[0.05, 0.10]]", "[0.05, 0.10]").replace("[[0.01, 0.99]]", "[0.01, 0.99]"))
    assert example.x.tolist() == [[0.05, 0.10]]
    assert example.t.tolist() == [[0.01, 0.99]]
    assert parse_spec(spec(["weights = [[2]]"], data="inputs = 3\ntargets = 4")).x.tolist() == [[3]]
    assert parse_spec(spec(["weights = [[2]]"], data="inputs = [3, 4]\ntargets = [4, 5]")).x.tolist() == [[3], [4]]


@pytest.mark.parametrize(
    "weights",
    ['[["a", "b"], ["c", "d"]]', '[["a", "b", "c", "d"]]', '["a", "b", "c", "d"]', '[[["a", "b"], ["c", "d"]]]'],
)
def test_names_of_weights(weights):
    example = parse_spec(MAZUR + f"\n[names]\nweights = {weights}")
    assert [example.naming.parameter("W", 1, (i, j)) for i in (1, 2) for j in (1, 2)] == ["a", "b", "c", "d"]
    assert example.naming.parameter("W", 2, (1, 1)) == "w5"


def test_settings():
    example = load("mazur", [("update.order", "sequential"), ("network.layers[1].biases", "[0.35,0.4]"), ("numbers.places", 4)])
    assert example.conventions.order == "sequential"
    assert example.network.layers[0].bias == "per_unit"
    assert example.conventions.places == 4
    assert example.data["update"]["order"] == "sequential"
    again = example.with_settings([("update.learning_rate", "0.1"), ("names.style", "matrix")])
    assert again.optimizer.learning_rate == 0.1
    assert again.conventions.order == "sequential"
    assert example.optimizer.learning_rate == 0.5
    assert load("mazur", [("title", "a = b")]).title == "a = b"
    assert load("mazur").with_settings([("data.inputs", np.array([[1, 2]]))]).x.tolist() == [[1, 2]]


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("update.ordr", "x", "did you mean order?"),
        ("update.order", "x", "unknown order"),
        ("updat.order", "x", "did you mean update?"),
        ("network.layers[3].units", "2", "there is no entry 3"),
        ("network.layers[0].units", "2", "count from 1"),
        ("network.layers.units", "2", "name an entry"),
        ("network.loss.x", "2", "there is no key 'x'"),
        ("update.order[1]", "2", "there is no entry 1"),
        ("", "2", "must be a path"),
        ("a..b", "2", "must be a path"),
        ("update.learning_rate", "0", "above 0"),
        ("update.learning_rate", "fast", "'fast'"),
        ("update.learning_rate", "[" * 1000, "nested too deeply"),
        ("network.layers[1].weights[1][1]", "nan", "must be finite"),
    ],
)
def test_wrong_settings_are_reported_like_wrong_keys(path, value, says):
    problems = refusal(MAZUR, [(path, value)])
    assert any(says in str(problem) for problem in problems), problems
    assert {problem.file for problem in problems} == {"--set"}


def test_load_finds_paths_and_names(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.toml").write_text(MAZUR)
    (tmp_path / "mazurka.toml").write_text(MAZUR)
    assert load("mine.toml").file == "mine.toml"
    assert load(tmp_path / "mine.toml").title
    for wrong, says in [
        ("mine.tml", "did you mean mine.toml?"),
        ("mazr", "mazur"),
        ("mine", "mine.toml"),
        ("zzz", "choose one of"),
        ("", "choose one of"),
        ("no/such.toml", "no such file"),
        ("./", "folder"),
        ("a\0b.toml", "cannot be read"),
        ("x" * 5000 + ".toml", "cannot be read"),
        ("/dev/zero", "not a regular file"),
    ]:
        with pytest.raises(InputError, match=re.escape(says)):
            load(wrong)


# --- tables -----------------------------------------------------------------------------------------------------------

CLASSES = spec(
    ['units = 2, activation = "softmax"'],
    '"cross_entropy"',
    'table = "t.csv"\ntarget = "k"\ncolumns = ["a", "b"]',
    "learning_rate = 1",
)


def with_table(tmp_path, table, text=CLASSES):
    (tmp_path / "t.csv").write_bytes(table.encode() if isinstance(table, str) else table)
    (tmp_path / "s.toml").write_text(text)
    return read_spec(tmp_path / "s.toml")


def test_a_table_of_ones_own(tmp_path):
    example = with_table(tmp_path, "\ufeffa,b,k,d\n1,10,x,q\n3,,y,q\n5,30,x,q\n7,20,y,q\n")
    (group,) = example.raw.groups
    assert group.cells.tolist() == [[1, 10], [5, 30], [7, 20]]
    assert group.scale == pytest.approx(np.std([[1, 10], [5, 30], [7, 20]], axis=0))
    assert example.outputs == ("x", "y")
    assert "4 rows in t.csv; 1 with gaps" in example.notes[0]
    plain = example.with_settings([("data.standardize", "false"), ("data.rows", "[1, 4]")])
    assert plain.raw is None
    assert plain.x.tolist() == [[1, 10], [7, 20]]
    assert (
        len(example.with_settings([("data.rows", "2"), ("data.classes", '["x", "y"]'), ("data.standardize", "false")]).x) == 2
    )
    semicolons = with_table(tmp_path, "a;b;k\n1,5;10;x\n2;20;y\n")
    assert semicolons.raw.groups[0].cells.tolist() == [[1.5, 10], [2, 20]]
    example = with_table(tmp_path, "\ufeffa,b,k,d\n1,10,x,q\n3,,y,q\n5,30,x,q\n7,20,y,q\n")
    default = parse_spec(CLASSES.replace('columns = ["a", "b"]', ""), str(tmp_path / "s.toml"))
    assert default.inputs == ("a", "b")
    assert "d" in default.notes[0]


TABLES = [  # table, line, what is said
    ("a,b,k\n1,2,x\n1,two,y\n", 3, ["is not a number", 'column "b"', "'two'"]),
    ("a,b,k\n1,2,x\n1,1_000,y\n", 3, "'1_000'"),
    ("a,b,k\n1,2,x\n1,1e999,y\n", 3, "larger than float64"),
    ("a,b,k\n1,2,x\n1,2,3,y\n", 3, ["4 cells", "header has 3"]),
    ("a,b,k\n1,2,x\n1,2\n", 3, "2 cells"),
    ("a,b,k\n", None, "no rows"),
    ("", None, "empty"),
    ("\n\n", None, "empty"),
    ("a,b,a\n1,2,3\n", 1, "columns 1 and 3 have the same name"),
    ("a,,k\n1,2,3\n", 1, "column 2 has no name"),
    ("a;b,k\n1;2,x\n", 1, ["more than one way", "--sep"]),
    ('a,b,k\n1,2,x\n"1,2,x\n', 3, "never closed"),
    ("a,b,c\n1,2,x\n", 14, ["no target column", "'k'", "its columns are a, b, c"]),
    ("a,bb,k\n1,2,x\n", 14, ["no column", "'b'"]),
    ("a,b,k\n1,2,x\n1,3,y\n", 14, ["column 'a' is the same in every row"]),
    (b"a,b,k\n1,2,\xe9\n", 2, "UTF-8"),
    (b"\xff\xfea", None, "UTF-16"),
    (b"PK\x03\x04", None, "Excel"),
    (b"a,b,k\n1,\x00,x\n", 2, "zero byte"),
    ("a,b,k\nNA,2,x\n", None, "every row has gaps"),
]


@pytest.mark.parametrize(("table", "line", "says"), TABLES, ids=range(len(TABLES)))
def test_tables_that_cannot_be_used(tmp_path, table, line, says):
    with pytest.raises(InputError) as caught:
        with_table(tmp_path, table)
    message = str(caught.value)
    for part in [says] if isinstance(says, str) else says:
        assert part in message
    if line is not None and line < 10:
        assert caught.value.problems[0].line == line


def test_absent_tables(tmp_path):
    (tmp_path / "penguins.csv").write_text("a\n1\n")
    with pytest.raises(InputError, match=r"did you mean penguins.csv\?"):
        tables.read(tmp_path / "penguin.csv")
    with pytest.raises(InputError, match="folder"):
        tables.read(tmp_path)
    with pytest.raises(InputError, match="bundled tables only"):
        parse_spec(CLASSES)


# --- anything at all --------------------------------------------------------------------------------------------------

PIECES = [
    "[",
    "]",
    "{",
    "}",
    ",",
    "=",
    '"',
    "'",
    "\n",
    "nan",
    "-1",
    "0",
    "1e308",
    "true",
    "[[",
    "]]",
    "#",
    ".",
    "units = 2\n",
    '"softmax"',
]
PIECES += [
    "10000000000000000000000",
    "''",
    '"""',
    "\x00",
    "\u202e",
    '"cross_entropy"',
    "inf",
    "0x1F",
    "1979-05-27",
    "[]",
    "{}",
    '"adam"',
]


def mutated(text, chance):
    """A text with a few words left out, doubled, exchanged or replaced."""
    words = re.findall(r"\w+|\s+|.", text)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(words))
        kind = chance.randrange(5)
        other = chance.randrange(len(words))
        if kind == 0:
            words[place] = ""
        elif kind == 1:
            words[place] += words[other]
        elif kind == 2:
            words[place], words[other] = words[other], words[place]
        elif kind == 3:
            words[place] = chance.choice(PIECES)
        else:
            words[place] += chance.choice(PIECES)
    return "".join(words)


VALUES = [
    None,
    True,
    0,
    -1,
    1.5,
    float("nan"),
    10**400,
    "",
    "sigmoid",
    [],
    [1],
    [[1]],
    [["a"]],
    {},
    {"name": "step"},
    [{}],
    1e308,
    2,
]


def changed(data, chance):
    """Data with one value replaced, a key renamed or taken away, anywhere."""
    data = json.loads(json.dumps(data))
    here = data
    while True:
        keys = list(here) if isinstance(here, dict) else list(range(len(here)))
        if not keys:
            return data
        key = chance.choice(keys)
        if not isinstance(here[key], (dict, list)) or chance.random() < 0.2:
            break
        here = here[key]
    if chance.random() < 0.2:
        del here[key]
    else:
        here[key] = chance.choice(VALUES)
    return data


def is_example_or_input_error(text):
    """Anything else that is raised fails the test."""
    try:
        example = parse_spec(text)
    except InputError as error:
        return bool(error.problems and str(error))
    return len(example.x) == len(example.t) and bool(np.isfinite(example.network.parameters).all())


@pytest.mark.parametrize("name", ["mazur", "lamsal", "two-two-one", "penguins"])
def test_mutated_text_gives_an_example_or_an_input_error(name):
    chance = random.Random(name)
    text = example_text(name)
    for _ in range(150 if name == "penguins" else 700):
        assert is_example_or_input_error(mutated(text, chance))


@pytest.mark.parametrize("name", ["mazur", "lamsal", "penguins"])
def test_changed_values_give_an_example_or_an_input_error(name):
    chance = random.Random(name)
    first = tomllib.loads(example_text(name))
    for _ in range(150 if name == "penguins" else 700):
        data = first
        for _ in range(chance.randint(1, 3)):
            data = changed(data, chance)
        assert is_example_or_input_error(json.dumps(data))
