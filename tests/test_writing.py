"""An example written as TOML reads back to the same example, bit for bit; and examples changed for good."""

from __future__ import annotations

import dataclasses
import json
import time
import tomllib

import numpy as np
import pytest

from chainrule.derivation import derive
from chainrule.errors import InputError
from chainrule.rules.layers import Dense, Dropout
from chainrule.rules.rule import CATALOGUE, Activation
from chainrule.spec import EXAMPLES, Limits, example_names, load, load_example, parse_spec
from chainrule.spec.writing import portable, toml, written
from random_nets import draw


def assert_same(one, other):
    """Everything that numbers depend on, to the last bit."""
    for name in ("x", "t", "weight"):
        left, right = getattr(one, name), getattr(other, name)
        assert (left is None) == (right is None)
        assert left is None or (left.dtype == right.dtype and left.tobytes() == right.tobytes()), name
    assert one.network.parameters.tobytes() == other.network.parameters.tobytes()
    for name in ("layers", "loss", "penalties", "seed", "dtype", "inputs"):
        assert getattr(one.network, name) == getattr(other.network, name), name
    for name in ("optimizer", "schedule", "clipping", "conventions", "batch_size", "outputs", "title", "source"):
        assert getattr(one, name) == getattr(other, name), name
    assert one.naming.custom == other.naming.custom
    assert one.naming.style == other.naming.style
    keeps = [{} if each.keeps is None else each.keeps for each in (one, other)]
    assert keeps[0].keys() == keeps[1].keys()
    assert all((keeps[0][key] == keeps[1][key]).all() for key in keeps[0])


def plain(rule):
    return {entry.name: getattr(rule, entry.name) for entry in dataclasses.fields(rule)}


def spec_of(case):
    """The plain data of a spec of a random net, with its numbers in every way a spec may have them."""
    chance = np.random.default_rng(case.seed)
    layers = []
    for place, (layer, view) in enumerate(
        zip(case.network.layers, case.network.views(case.network.parameters), strict=True), 1
    ):
        if isinstance(layer, Dense):
            columns = bool(chance.random() < 0.3)
            weights = (view["W"].T if columns else view["W"]).tolist()
            entry = {"activation": layer.activation.name, **plain(layer.activation), "weights": weights}
            if columns:
                entry["orientation"] = "columns"
            if layer.bias != "none":
                entry["biases"] = float(view["b"].reshape(-1)[0]) if layer.bias == "shared" else view["b"].tolist()
        else:
            entry = {"type": layer.name, **plain(layer), **{symbol: values.tolist() for symbol, values in view.items()}}
            if isinstance(layer, Dropout):
                entry["keep"] = case.keeps[place].tolist()
        layers.append(entry)
    network = {"loss": case.network.loss.name, **plain(case.network.loss), "dtype": str(case.network.dtype), "layers": layers}
    network |= {rule.name: rule.strength for rule in case.network.penalties}
    data = {"inputs": case.x.tolist(), "targets": case.t.tolist()}
    if case.weight is not None:
        data["weights"] = case.weight.reshape(-1).tolist()
    update = {"optimizer": case.optimizer.name, **plain(case.optimizer)}
    if case.clipping is not None:
        update[case.clipping.name] = case.clipping.limit
    return {
        "chainrule": 1,
        "title": 'a "title"\n\\ \u202e\x00\x7f\U000e0001 é',
        "network": network,
        "data": data,
        "update": update,
    }


@pytest.mark.parametrize("name", example_names())
def test_a_bundled_example_reads_back(name):
    example = load_example(name)
    again = parse_spec(written(example), str(EXAMPLES / "again.toml"))
    assert again.data == example.data
    assert_same(example, again)


SEEDS = range(80)


def case_of(seed):
    """A random net that a spec takes: it refuses a softmax of one unit, which is always 1."""
    case = draw(seed, np.float32 if seed % 5 == 0 else np.float64)
    while any(
        (layer.activation if isinstance(layer, Dense) else layer).name == "softmax" and width == 1
        for layer, width in zip(case.network.layers, case.network.widths, strict=True)
    ):
        case = draw(case.seed + 1000, case.network.dtype)
    return case


@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_net_reads_back(seed):
    example = parse_spec(json.dumps(spec_of(case_of(seed))))
    text = written(example)
    again = parse_spec(text)
    assert again.data == example.data
    assert_same(example, again)
    assert written(again) == text


def test_texts_are_told_in_visible_signs():
    text = toml({"title": 'a"\\\t\u202e\x01\U000e0001'})
    assert text == 'title = "a\\"\\\\\\t\\u202E\\u0001\\U000E0001"\n'
    assert tomllib.loads(text) == {"title": 'a"\\\t\u202e\x01\U000e0001'}


def test_a_table_is_named_and_never_by_where_it_lies():
    text = written(load_example("penguins"))
    assert 'table = "penguins.csv"' in text
    assert str(EXAMPLES) not in text


def test_a_table_can_stand_in_the_spec_with_its_numbers():
    example = load_example("penguins")
    again = parse_spec(written(example, inline=True))
    assert_same(example, again)
    assert derive(again).loss == derive(example).loss
    assert any("i1 is bill_length_mm" in note for note in again.notes)
    assert "table" not in again.data["data"]


@pytest.mark.parametrize("target", ["yes", "1"])
def test_a_table_of_ones_own_stands_in_a_portable_spec(tmp_path, target):
    (tmp_path / "mine.csv").write_text(f"a,b,c\n1,2,no\n3,5,{target}\n4,1,no\n".replace("no", "no" if target == "yes" else "0"))
    spec = (
        '[network]\nloss = "binary_cross_entropy"\n[[network.layers]]\nunits = 1\nactivation = "sigmoid"\n'
        '[data]\ntable = "mine.csv"\ntarget = "c"\n'
    )
    example = parse_spec(spec, str(tmp_path / "mine.toml"))
    again = parse_spec(portable(example))
    assert (again.x == example.x).all()
    assert (again.t == example.t).all()
    assert str(tmp_path) not in portable(example)


def test_settings_are_written():
    example = load_example("mazur", [("update.learning_rate", "0.1"), ("network.layers[2].biases", [0.1, 0.2])])
    again = parse_spec(written(example))
    assert again.optimizer.learning_rate == 0.1
    assert_same(example, again)


def test_an_example_is_edited_for_good():
    example = load_example("penguins").edited([("update.learning_rate", 0.5)])
    assert example.optimizer.learning_rate == 0.5
    assert example.settings == ()
    assert len(example.x) == 342
    assert example.with_settings([("update.learning_rate", 0.7)]).optimizer.learning_rate == 0.7
    with pytest.raises(InputError) as caught:
        example.edited([("network.layers[9].biases", 1), ("nonsense!", 2)])
    assert [(problem.field, problem.file) for problem in caught.value.problems] == [("network.layers[9].biases", "")]


def test_limits_are_held_before_anything_is_drawn():
    example = load_example("mazur")
    with pytest.raises(InputError) as caught:
        example.edited([("data.inputs", [[0.0, 0.0]] * 11), ("data.targets", [[0.0, 0.0]] * 11)], Limits(rows=10))
    assert "too many rows" in str(caught.value)
    wide = {**example.data, "network": {"loss": "half_squared_error", "layers": [{"units": 500_000}, {"units": 2}]}}
    with pytest.raises(InputError) as caught:
        example.rewritten(wide, Limits(parameters=1_000_000))
    problem = caught.value.problems[0]
    assert "too much memory" in problem.what
    assert "2,000,000 parameters, 16,000,000 bytes" in problem.got
    assert "1,000,000" in problem.do
    assert problem.field == "network.layers"


def test_every_registered_rule_was_written():
    """The random nets above cover the catalogue: a rule that a spec cannot hold would be found here."""
    seen = {"activation": set(), "loss": set(), "optimizer": set(), "layer": {"dense"}}
    for seed in SEEDS:
        case = case_of(seed)
        for layer in case.network.layers:
            kind = "activation" if isinstance(layer, Activation) else "layer"
            seen[kind].add(layer.name)
            if isinstance(layer, Dense):
                seen["activation"].add(layer.activation.name)
        seen["loss"].add(case.network.loss.name)
        seen["optimizer"].add(case.optimizer.name)
    for kind, found in seen.items():
        assert found == {cls.name for cls in CATALOGUE[kind].values()}, kind


# --- pages that were kept ---------------------------------------------------------------------------------------------


def page_with(data, before="<!doctype html>\n<html><head></head><body>"):
    return f'{before}<script type="application/json" id="chainrule-data">{data}</script></body></html>'


def test_a_kept_page_opens_again(tmp_path):
    example = load_example("mazur", [("update.learning_rate", 0.25)])
    data = json.dumps({"title": "</script>", "spec": written(example)}).replace("<", "\\u003c")
    (tmp_path / "kept.html").write_text(page_with(data), encoding="utf-8")
    assert_same(load(tmp_path / "kept.html"), example)
    assert_same(parse_spec(page_with(data)), example)
    assert_same(parse_spec(page_with(data).encode()), example)


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("<!doctype html><p>hello", "holds no step"),
        (page_with("{"), "damaged"),
        (page_with("[" * 100_000), "damaged"),
        (page_with("[]"), "carries no spec"),
        (page_with("{}"), "carries no spec"),
        (page_with('{"spec": 3}'), "carries no spec"),
        (page_with('{"spec": "title = 1"}'), "must be text"),
    ],
)
def test_a_page_without_a_spec_is_refused_in_words(page, said):
    with pytest.raises(InputError) as caught:
        parse_spec(page, "kept.html")
    assert said in str(caught.value)


@pytest.mark.parametrize("opening", ["<script ", '<script id="chainrule-data" type="application/json">', "<script <"])
def test_a_page_that_never_closes_what_it_opens_is_refused_at_once(opening):
    begin = time.perf_counter()
    with pytest.raises(InputError, match="holds no step"):
        parse_spec("<!doctype html>" + opening * 100_000, "kept.html")
    assert time.perf_counter() - begin < 5  # in a time that grew with its square, it would be hours
