"""What Change and Keep ask of Python: edits and their refusals, structure, undo, comparison, files kept and opened."""

from __future__ import annotations

import json

import numpy as np
import pytest

from chainrule.cli import main
from chainrule.errors import InputError
from chainrule.explain import tell
from chainrule.page import desk as desk_room
from chainrule.page import fields as form
from chainrule.page.asks import ASKS
from chainrule.page.desk import Desk, OutdatedError, laid
from chainrule.page.limits import LIMITS
from chainrule.page.subjects import Worked
from chainrule.phrases import language
from chainrule.rules.rule import CATALOGUE, names
from chainrule.spec import EXAMPLES, example_names, load, load_example, parse_spec
from chainrule.spec.writing import written


def ask(desk, verb, **body):
    """An ask as the server makes it; what comes back must be JSON."""
    if verb in ("change", "structure", "undo", "redo", "restore", "begin"):
        body.setdefault("version", desk.version)
    return json.loads(json.dumps(ASKS[verb](desk, body), allow_nan=False))


def refused(desk, verb, **body):
    """The problems of an ask that must be refused, with nothing half done."""
    before = (desk.example, desk.version, len(desk.past), len(desk.future))
    with pytest.raises(InputError) as caught:
        ask(desk, verb, **body)
    assert (desk.example, desk.version, len(desk.past), len(desk.future)) == before
    return caught.value.problems


def commanded(capsys, *args):
    """The JSON of a command, run in this process."""
    with pytest.raises(SystemExit) as ended:
        main(list(args))
    assert ended.value.code == 0
    return json.loads(capsys.readouterr().out)


def explained(capsys, what, *options):
    """What the command tells of the same step."""
    return commanded(capsys, "explain", what, "--format", "json", "--no-time", *options)


def values(desk):
    """Every number of the step on the desk, as the page would be told in JSON."""
    return {step["id"]: step["value"] for step in json.loads(tell(desk.trace, "json", timed=False))["steps"]}


# --- numbers and choices ----------------------------------------------------------------------------------------------

CHANGES = [
    ("mazur", [["W[1][2,1]", 0.7]], ["network.layers[1].weights[2][1]=0.7"]),
    ("mazur", [["b[2]", -1.5]], ["network.layers[2].biases=-1.5"]),
    ("mazur", [["x[2]", 3]], ["data.inputs[1][2]=3"]),
    ("mazur", [["t[1]", 0.5]], ["data.targets[1][1]=0.5"]),
    ("mazur", [["update.learning_rate", 0.25], ["update.order", "sequential"]],
     ["update.learning_rate=0.25", "update.order=sequential"]),
    ("mazur", [["update.optimizer", "adam"], ["update.beta1", 0.8]], ["update.optimizer=adam", "update.beta1=0.8"]),
    ("mazur", [["network.layers[1].activation", "tanh"]], ["network.layers[1].activation=tanh"]),
    ("mazur", [["numbers.intermediate", "rounded"], ["numbers.places", 4]],
     ["numbers.intermediate=rounded", "numbers.places=4"]),
    ("two-two-one", [["W[1][2,1]", 0.9]], ["network.layers[1].weights[1][2]=0.9"]),  # its columns are the receiving units
    ("two-two-one", [["W[2][1,2]", 0.9]], ["network.layers[2].weights=[0.6, 0.9]"]),
    ("two-two-one", [["b[1][2]", 0.9]], ["network.layers[1].biases[2]=0.9"]),
    ("two-two-one", [["network.loss", "half_squared_error"]], ["network.loss=half_squared_error"]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "edits", "settings"), CHANGES)
def test_a_change_is_what_the_command_explains(capsys, name, edits, settings):
    desk = laid(name)
    view = ask(desk, "change", edits=edits)
    told = explained(capsys, name, *(part for setting in settings for part in ("--set", setting)))
    assert values(desk) == {step["id"]: step["value"] for step in told["steps"]}
    assert view["loss"] == told["loss"]
    assert (view["version"], view["undo"], view["redo"]) == (2, 1, 0)


@pytest.mark.parametrize("name", example_names())
def test_every_field_can_be_set_to_what_it_is(name):
    desk = laid(name)
    before, loss = ask(desk, "fields"), desk.trace.loss
    edits = []
    for part in (*before["groups"], *before["layers"]):
        edits += [[each["path"], each["value"]] for each in part["fields"]]
    for layer in before["layers"]:
        cells = [cell for row in (layer["matrix"] or {"numbers": []})["numbers"] for cell in row]
        cells += [cell for vector in layer["vectors"] for cell in vector["numbers"]]
        edits += [[each["path"], each["value"]] for each in cells]
    for sample in before["data"]["samples"] if not before["data"]["table"] else []:
        edits += [[each["path"], each["value"]] for each in (*sample["inputs"], *sample.get("targets", []))]
    assert len(edits) > 10
    ask(desk, "change", edits=edits)
    assert desk.trace.loss == loss
    after = ask(desk, "fields")
    assert {**after, "version": 1, "changed": False} == before
    assert desk.example.network.parameters.tobytes() == load(name).network.parameters.tobytes()


REFUSED = [
    ([["network.loss", "cross_entropy"]], "network.loss", "use activation softmax"),
    ([["W[9][1,1]", 1]], "W[9][1,1]", ""),
    ([["W[1][3,1]", 1]], "W[1][3,1]", "there are 2 by 2"),
    ([["W[1][1]", 1]], "W[1][1]", ""),
    ([["b[1][1]", "x"]], "b[1][1]", ""),
    ([["x[2]", None], ["t[1]", 1]], "x[2]", ""),
    ([["W[1][1,1]", "1,5"]], "W[1][1,1]", ""),
    ([["x[1]@2", 1]], "x[1]@2", ""),
    ([["update.learning_rate", 0]], "update.learning_rate", ""),
    ([["update.learning_rate", "٣"]], "update.learning_rate", ""),
    ([["update.momentum", 0.9]], "update.momentum", "belongs to optimizer"),
    ([["update.optimizer", "adm"]], "update.optimizer", "adam"),
    ([["network.layers[3].activation", "tanh"]], "network.layers[3].activation", ""),
    ([["network.layers[1].units", 10**12]], "network.layers[1].units", ""),
    ([["data.table", "../../etc/passwd"]], "data.table", ""),
    ([["data", {"table": "penguins.csv"}]], "data", ""),
    ([["__class__", 1]], "__class__", ""),
    ([["W[1][1,1]", 0.1], ["update.order", "sideways"]], "update.order", ""),
]


@pytest.mark.parametrize(("edits", "field", "do"), REFUSED)
def test_a_refused_edit_names_its_field_and_changes_nothing(edits, field, do):
    problems = refused(laid("mazur"), "change", edits=edits)
    assert field in [problem.field for problem in problems]
    assert all(problem.file == "" and problem.line is None for problem in problems)
    assert any(do in problem.do for problem in problems)


@pytest.mark.parametrize("edits", [None, [], {}, [1], [[1, 2]], [["a"]], [["update.order", 1, 2]], [["W[1][1,1]", 1]] * 401])
def test_edits_that_are_none_are_refused(edits):
    assert refused(laid("mazur"), "change", edits=edits)[0].field == "edits"


@pytest.mark.parametrize("kind", ["activation", "loss", "optimizer"])
def test_every_rule_of_the_catalogue_can_be_chosen_or_says_why_not(kind):
    offered = ask(laid("mazur"), "choices")[kind]
    assert [each["name"] for each in offered] == list(names(kind))
    path = {"activation": "network.layers[1].activation", "loss": "network.loss", "optimizer": "update.optimizer"}[kind]
    for each in offered:
        desk = laid("two-two-one")
        last = desk.example.network.last_activation
        why = CATALOGUE["loss"][each["name"]]().mismatch(last, 1) if kind == "loss" else None
        if why is not None:
            assert refused(desk, "change", edits=[[path, each["name"]]])[0].what == why[0]
            continue
        ask(desk, "change", edits=[[path, each["name"]]])
        form = ask(desk, "fields")
        fields = [field for part in (*form["groups"], *form["layers"]) for field in part["fields"]]
        shown = {field["path"] for field in fields}
        assert all(any(path.endswith(f".{one['name']}") for path in shown) for one in each["parameters"])
        ask(desk, "change", edits=[[field["path"], field["value"]] for field in fields])


def test_hyper_parameters_go_with_their_rule():
    desk = laid("mazur")
    ask(desk, "change", edits=[["update.optimizer", "momentum"], ["update.momentum", 0.5]])
    ask(desk, "change", edits=[["update.optimizer", "adam"]])
    assert "momentum" not in desk.example.data["update"]
    assert desk.example.data["update"]["learning_rate"] == 0.5
    ask(desk, "change", edits=[["network.loss", "huber"], ["network.delta", 2.0]])
    ask(desk, "change", edits=[["network.loss", "squared_error"]])
    assert "delta" not in desk.example.data["network"]
    ask(desk, "change", edits=[["network.layers[1].activation", "leaky_relu"], ["network.layers[1].negative_slope", 0.2]])
    ask(desk, "change", edits=[["network.layers[1].activation", "relu"]])
    assert "negative_slope" not in desk.example.data["network"]["layers"][0]


def test_what_changed_is_told_with_the_largest_first():
    desk = laid("mazur")
    view = ask(desk, "change", edits=[["W[1][2,1]", 0.7]])
    kinds = {each["title"]: each for each in view["changed"]}
    assert list(kinds) == ["Loss", "Outputs", "Gradients", "New weights"]
    loss = kinds["Loss"]["changes"][0]
    assert (loss["before"], loss["after"], loss["difference"]) == ("0.298371109", "0.298594708", "+0.000224")
    first = kinds["New weights"]["changes"][0]
    assert first["id"] == "W+[1][2,1]"
    sizes = [abs(float(each["difference"])) for each in kinds["Gradients"]["changes"]]
    assert sizes == sorted(sizes, reverse=True)
    assert "changed" in ask(desk, "undo")
    assert ask(desk, "look")["changed"] is None


def test_numbers_that_are_another_thing_are_not_held_against_each_other():
    desk = laid("mazur")
    view = ask(desk, "structure", action="add_unit", layer=1)
    assert view["moved"]
    assert [each["title"] for each in view["changed"]] == ["Loss", "Outputs"]
    assert "w5 is now w7, w6 is now w8, w7 is now w10, w8 is now w11" in view["said"]
    assert any("another shape" in each for each in view["said"])
    view = ask(desk, "undo")
    assert view["moved"]
    assert [each["title"] for each in view["changed"]] == ["Loss", "Outputs"]
    view = ask(desk, "structure", action="add_layer", layer=1)
    assert [change["name"] for change in view["changed"][1]["changes"]] == ["out_o2", "out_o1"]
    assert any("b1 is now b2" in each for each in view["said"])
    view = ask(desk, "structure", action="remove_unit", layer=3, unit=1)
    assert [each["title"] for each in view["changed"]] == ["Loss"]
    assert not ask(desk, "change", edits=[["W[1][1,1]", 0.7]])["moved"]
    view = ask(desk, "structure", action="add_sample")
    assert view["moved"]
    assert [each["title"] for each in view["changed"]] == ["Loss", "Gradients", "New weights"]


def test_another_example_is_not_held_against_the_one_before():
    desk = laid("mazur")
    for verb, body in (("begin", {"example": "lamsal"}), ("undo", {}), ("redo", {})):
        view = ask(desk, verb, **body)
        assert view["changed"] is None
        assert view["moved"]
    assert any("another example" in each for each in view["said"])


# --- taking back ------------------------------------------------------------------------------------------------------


def test_undo_redo_and_the_beginning_again():
    desk = laid("mazur")
    texts = [written(desk.example)]
    for edits in ([["W[1][1,1]", 1.25]], [["update.order", "sequential"]], [["x[1]", -2]]):
        ask(desk, "change", edits=edits)
        texts.append(written(desk.example))
    ask(desk, "structure", action="add_unit", layer=1)
    texts.append(written(desk.example))
    for text in texts[-2::-1]:
        ask(desk, "undo")
        assert written(desk.example) == text
    assert "nothing to undo" in refused(desk, "undo")[0].what
    for text in texts[1:]:
        ask(desk, "redo")
        assert written(desk.example) == text
    assert "again" in refused(desk, "redo")[0].what
    ask(desk, "restore")
    assert written(desk.example) == texts[0]
    assert refused(desk, "restore")
    ask(desk, "undo")
    assert written(desk.example) == texts[-1]


def test_a_change_that_training_cannot_follow_is_looked_at_from_the_beginning():
    desk = Desk(Worked(load_example("mazur").edited([(f"network.layers[{n}].activation", "identity") for n in (1, 2)])))
    desk.look(after=5)
    assert ask(desk, "change", edits=[["W[1][1,1]", 0.5]])["after"] == 5
    view = ask(desk, "change", edits=[["update.learning_rate", 1e200]])
    assert (view["after"], desk.example.optimizer.learning_rate) == (0, 1e200)
    assert view["changed"] is None  # the step before it was another one


BATCHES = [
    ("data.inputs", [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6], [0.7, 0.8]]),
    ("data.targets", [[0.1], [0.2], [0.3], [0.4]]),
    ("update.batch_size", 2),
]


def test_the_sample_of_a_batch_is_the_row_that_it_is(monkeypatch):
    desk = Desk(Worked(load_example("two-two-one").edited(BATCHES)))
    desk.look(sample=2)
    assert desk.example.x[desk.row].tolist() == desk.trace.x[1].tolist()
    assert desk.row != 1  # they are shuffled
    monkeypatch.setattr(form, "NUMBERS", 4)  # of larger data only the sample that is looked at stands in fields
    (sample,) = ask(desk, "fields")["data"]["samples"]
    assert sample["sample"] == desk.row + 1
    view = ask(desk, "structure", action="add_sample")  # it is in another batch: what is looked at is still there
    assert (view["sample"], len(desk.example.x)) == (2, 5)
    assert desk.example.x[4].tolist() == desk.example.x[sample["sample"] - 1].tolist()
    assert ask(desk, "look")["sample"] == 2


def test_what_can_be_taken_back_takes_no_more_memory_than_is_allowed(monkeypatch):
    desk = laid("mazur")
    for number in range(desk_room.REMEMBERED + 5):
        ask(desk, "change", edits=[["x[1]", number]])
    assert len(desk.past) == desk_room.REMEMBERED
    monkeypatch.setattr(desk_room, "HELD", 3 * desk.past[0].size)
    ask(desk, "change", edits=[["x[1]", -1]])
    assert len(desk.past) == 3
    monkeypatch.setattr(desk_room, "HELD", 0)
    ask(desk, "change", edits=[["x[1]", -2]])
    ask(desk, "undo")
    assert desk.example.x[0][0] == -1


def test_another_tab_is_refused():
    desk = laid("mazur")
    ask(desk, "change", version=1, edits=[["x[1]", 1]])
    for verb, body in (
        ("change", {"edits": [["x[1]", 2]]}),
        ("structure", {"action": "add_unit", "layer": 1}),
        ("undo", {}),
        ("redo", {}),
        ("restore", {}),
        ("begin", {"example": "lamsal"}),
    ):
        with pytest.raises(OutdatedError):
            ask(desk, verb, version=1, **body)
    assert desk.version == 2


# --- structure --------------------------------------------------------------------------------------------------------

SHAPES = [
    ("mazur", {"action": "add_unit", "layer": 1}, [2, 3, 2]),
    ("mazur", {"action": "add_unit", "layer": 2}, [2, 2, 3]),
    ("mazur", {"action": "add_unit", "layer": 0}, [3, 2, 2]),
    ("mazur", {"action": "remove_unit", "layer": 1, "unit": 1}, [2, 1, 2]),
    ("mazur", {"action": "remove_unit", "layer": 2}, [2, 2, 1]),
    ("mazur", {"action": "remove_unit", "layer": 0, "unit": 1}, [1, 2, 2]),
    ("mazur", {"action": "add_layer", "layer": 1}, [2, 2, 2, 2]),
    ("mazur", {"action": "add_layer", "layer": 2, "units": 4, "activation": "relu"}, [2, 2, 4, 2]),
    ("three-layer", {"action": "remove_layer", "layer": 2}, [2, 3, 1]),
    ("two-two-one", {"action": "add_unit", "layer": 1}, [2, 3, 1]),
    ("two-two-one", {"action": "remove_layer", "layer": 1}, [2, 1]),
    ("lamsal", {"action": "add_unit", "layer": 2}, [2, 2, 3]),
    ("penguins", {"action": "add_unit", "layer": 1}, [4, 6, 3]),
    ("penguins", {"action": "remove_unit", "layer": 1, "unit": 2}, [4, 4, 3]),
    ("penguins", {"action": "add_layer", "layer": 2, "units": 3}, [4, 5, 3, 3]),
]


@pytest.mark.parametrize(("name", "body", "widths"), SHAPES)
def test_structure_keeps_what_stays(name, body, widths):
    desk = laid(name)
    old = desk.example
    view = ask(desk, "structure", **body)
    new = desk.example
    assert [new.network.inputs, *new.network.widths] == widths
    assert [column["size"] for column in view["network"]["columns"]] == widths
    again = parse_spec(written(new), str(EXAMPLES / "again.toml"))
    assert again.network.parameters.tobytes() == new.network.parameters.tobytes()
    ask(desk, "undo")
    assert desk.example is old
    if body["action"] == "add_unit":
        matrices = [[view["W"] for view in each.network.views(each.network.parameters)] for each in (old, new)]
        for before, after in zip(*matrices, strict=True):
            assert np.array_equal(after[: before.shape[0], : before.shape[1]], before)


def test_a_unit_taken_out_of_the_middle_takes_its_own_weights_along():
    desk = laid("mazur")
    ask(desk, "structure", action="remove_unit", layer=1, unit=1)
    views = desk.example.network.views(desk.example.network.parameters)
    assert views[0]["W"].tolist() == [[0.25, 0.3]]
    assert views[1]["W"].tolist() == [[0.45], [0.55]]


def test_new_weights_are_drawn_by_the_seed_of_the_spec():
    drawn = []
    for seed in (1, 1, 2):
        desk = laid("mazur")
        ask(desk, "change", edits=[["network.seed", seed], ["network.layers[1].initializer", "he_normal"]])
        said = ask(desk, "structure", action="add_unit", layer=1)["said"]
        drawn.append(desk.example.network.views(desk.example.network.parameters)[0]["W"][2].tolist())
        assert said[0] == f"4 new weights were drawn at random, with the seed {seed}"
    assert drawn[0] == drawn[1] != drawn[2]


def test_names_that_no_longer_fit_are_left_out_and_said():
    desk = laid("lamsal")
    said = ask(desk, "structure", action="add_unit", layer=2)["said"]
    assert "names of weights that no longer fit were left out" in said
    assert desk.trace.label(desk.trace.find("W[1][1,2]")) == "w3"  # the first layer's names stay


def test_biases_can_be_taken_away_shared_and_given_to_each_unit():
    desk = laid("mazur")
    ask(desk, "structure", action="biases", layer=1, kind="per_unit")
    assert desk.example.data["network"]["layers"][0]["biases"] == [0.35, 0.35]
    ask(desk, "structure", action="biases", layer=1, kind="none")
    assert "biases" not in desk.example.data["network"]["layers"][0]
    ask(desk, "structure", action="biases", layer=1, kind="shared")
    assert desk.example.data["network"]["layers"][0]["biases"] == 0.0


def test_samples_come_and_go():
    desk = laid("mazur")
    view = ask(desk, "structure", action="add_sample")
    assert (view["samples"], view["sample"]) == (2, 2)
    ask(desk, "change", edits=[["x[1]@2", 0.5], ["t[2]@2", 0]])
    assert desk.example.x.tolist() == [[0.05, 0.1], [0.5, 0.1]]
    assert desk.example.t.tolist() == [[0.01, 0.99], [0.01, 0.0]]
    view = ask(desk, "structure", action="remove_sample", sample=1)
    assert (view["samples"], desk.example.x.tolist()) == (1, [[0.5, 0.1]])
    assert refused(desk, "structure", action="remove_sample")


def test_a_table_is_changed_when_its_numbers_are_taken_over():
    desk = laid("penguins")
    assert refused(desk, "change", edits=[["x[1]@1", 0]])[0].field == "x[1]@1"
    assert refused(desk, "structure", action="add_sample")
    loss = desk.trace.loss
    ask(desk, "structure", action="take_over")
    assert desk.trace.loss == loss
    ask(desk, "change", edits=[["x[1]@1", 0], ["t@1", "Gentoo"]])
    assert desk.example.x[0, 0] == 0
    assert desk.example.t[0].tolist() == [0, 0, 1]
    assert refused(desk, "change", edits=[["t@1", "Emperor"]])


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("mazur", {"action": "remove_layer", "layer": 2}),
        ("mazur", {"action": "remove_layer", "layer": 7}),
        ("mazur", {"action": "add_layer", "layer": 0}),
        ("mazur", {"action": "add_layer", "layer": 1, "units": 10**7}),
        ("mazur", {"action": "add_layer", "layer": 1, "activation": "sigmod"}),
        ("mazur", {"action": "add_layer", "layer": 1, "activation": 3}),
        ("mazur", {"action": "add_unit"}),
        ("mazur", {"action": "add_unit", "layer": 3}),
        ("mazur", {"action": "add_unit", "layer": -1}),
        ("mazur", {"action": "remove_unit", "layer": 1, "unit": 3}),
        ("mazur", {"action": "explode"}),
        ("mazur", {"action": "add_unit", "layer": 1, "more": 1}),
        ("two-two-one", {"action": "remove_unit", "layer": 2}),
        ("penguins", {"action": "add_unit", "layer": 2}),
        ("penguins", {"action": "add_unit", "layer": 0}),
        ("penguins", {"action": "remove_unit", "layer": 2}),
        ("mazur", {"action": "biases", "layer": 1, "kind": "many"}),
        ("mazur", {"action": "biases", "layer": 9, "kind": "none"}),
    ],
)
def test_a_structure_that_cannot_be_is_refused_in_words(name, body):
    problems = refused(laid(name), "structure", **body)
    assert all(problem.what for problem in problems)


def test_limits_of_the_page():
    desk = laid("mazur")
    problems = refused(desk, "structure", action="add_layer", layer=1, units=LIMITS.parameters)
    assert "too much memory" in problems[0].what
    rows = [[0.0, 0.0]] * (LIMITS.rows + 1)
    text = written(desk.example.rewritten({**desk.example.data, "data": {"inputs": rows, "targets": rows}}))
    assert "too many rows" in refused(desk, "begin", name="big.toml", text=text)[0].what
    wide = '[network]\nloss = "half_squared_error"\n[[network.layers]]\nunits = 900\n[[network.layers]]\nunits = 1\n'
    text = wide + "[data]\ninputs = [" + "[0.5]," * 50_000 + "]\ntargets = [" + "[1]," * 50_000 + "]\n"
    assert "too much memory" in refused(desk, "begin", name="big.toml", text=text)[0].what


# --- side by side -----------------------------------------------------------------------------------------------------


def test_side_by_side_is_what_the_command_compares(capsys):
    columns = commanded(capsys, "compare", "mazur", "--vary", "update.order,update.biases", "--json")["columns"]
    found = ask(laid("mazur"), "compare", vary=["update.order", "update.biases"])
    assert [each["label"] for each in found["columns"]] == [each["label"] for each in columns]
    rows = {row["name"]: row for row in found["rows"]}
    for place, column in enumerate(columns):
        for name, value in column["numbers"].items():
            assert float(rows[name]["cells"][place]) == pytest.approx(value, abs=1e-9)
    assert rows["w1+"]["differs"]
    assert not rows["out_o1"]["differs"]


def test_side_by_side_is_said_in_the_language_of_the_page():
    desk = laid("mazur")
    with language("zh"):
        assert ask(desk, "choices")["varied"][0][1] == "更新的顺序"
        found = ask(desk, "compare", vary=["update.order"])
    assert [each["label"] for each in found["columns"]] == ["顺序 同时", "顺序 依次"]


@pytest.mark.parametrize(
    "vary", [None, [], "update.order", ["update.odrer"], ["data.table=a.csv"], ["update.order"] * 2, [1], ["a=" + "1|" * 70]]
)
def test_what_cannot_be_varied_is_refused(vary):
    assert refused(laid("mazur"), "compare", vary=vary)


@pytest.mark.parametrize("optimizer", names("optimizer"))
@pytest.mark.parametrize("name", ["mazur", "lamsal", "two-two-one"])
def test_all_that_is_offered_side_by_side_can_be_put_so(name, optimizer):
    desk = laid(name)
    ask(desk, "change", edits=[["update.optimizer", optimizer]])
    offered = ask(desk, "choices")["varied"]
    assert "numbers.intermediate" in [key for key, _ in offered]
    for key, label in offered:
        assert "." not in label
        assert "_" not in label
        assert len(ask(desk, "compare", vary=[key])["columns"]) >= 1


# --- keeping and opening ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", example_names())
@pytest.mark.parametrize("form", ["toml", "html"])
def test_what_was_kept_opens_again_to_the_same_numbers(name, form):
    desk = laid(name)
    ask(desk, "change", edits=[["update.learning_rate", 0.03125], ["W[1][1,1]", -0.4375]])
    kept = ask(desk, "keep", format=form)
    loss = [desk.trace.loss, desk.trace.loss_after]
    other = laid("mazur")
    view = ask(other, "begin", name=kept["name"], text=kept["text"])
    assert [other.trace.loss, other.trace.loss_after] == loss
    assert view["title"] == desk.trace.title
    assert str(EXAMPLES) not in kept["text"]
    assert "/home" not in kept["text"]
    ask(other, "undo")
    assert other.trace.title == load_example("mazur").title


@pytest.mark.parametrize(("form", "suffix"), [("latex", ".tex"), ("markdown", ".md"), ("json", ".json"), ("html", ".html")])
def test_the_formats_are_those_of_explain(form, suffix):
    desk = laid("mazur")
    kept = ask(desk, "keep", format=form)
    assert kept["name"] == f"mazur{suffix}"
    options = {"spec": written(desk.example)} if form == "html" else {}
    assert kept["text"] == tell(desk.trace, form, timed=False, **options)


@pytest.mark.parametrize("name", ["mazur", "lamsal", "two-two-one", "three-layer", "penguins"])
def test_a_spec_with_the_weights_of_a_step_begins_with_them(name):
    desk = laid(name)
    ask(desk, "look", after=3)
    kept = ask(desk, "keep", format="toml", reached=True, inline=name == "penguins")
    assert kept["name"].endswith("-after-3.toml")
    other = Desk(Worked(parse_spec(kept["text"], kept["name"])))
    for before, after in zip(desk.trace.parameters, other.trace.parameters, strict=True):
        assert before.keys() == after.keys()
        assert all(np.array_equal(before[key], after[key]) for key in before)
    if desk.example.batch_size is None:
        assert other.trace.loss == desk.trace.loss
    assert "after 3 updates" in kept["text"]


def test_a_table_is_kept_beside_its_spec_or_in_it(tmp_path):
    desk = laid("penguins")
    kept = [ask(desk, "keep", format="toml"), ask(desk, "keep", format="table")]
    assert [each["name"] for each in kept] == ["penguins.toml", "penguins.csv"]
    for each in kept:
        (tmp_path / each["name"]).write_text(each["text"], encoding="utf-8")
    assert laid(str(tmp_path / "penguins.toml")).trace.loss == desk.trace.loss
    inline = ask(desk, "keep", format="toml", inline=True)
    (tmp_path / "inline.toml").write_text(inline["text"], encoding="utf-8")
    assert laid(str(tmp_path / "inline.toml")).trace.loss == desk.trace.loss
    assert refused(laid("mazur"), "keep", format="table")
    (tmp_path / "penguins.csv").write_bytes(b"\xff\xfe\x00")
    own = Desk(Worked(desk.example.rewritten(desk.example.data)))
    object.__setattr__(own.example.document, "folder", tmp_path)
    assert "as text" in refused(own, "keep", format="table")[0].what


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("mine.txt", "title = 1", "no file of an example"),
        ("mine.toml", "title = ", "mine.toml"),
        ("mine.toml", "a: 1\nb: 2\n", "YAML"),
        ("mine.json", "{", "mine.json"),
        ("mine.html", "<!doctype html><p>hello", "holds no step"),
        ("../../mine.toml", "[data]\ntable = 'x.csv'\n", "bundled tables only"),
        ("mine.toml", "[data]\ntable = '/etc/passwd'\n", "folder of the spec"),
    ],
)
def test_a_file_that_cannot_be_opened_is_refused_in_words(name, text, said):
    problems = refused(laid("mazur"), "begin", name=name, text=text)
    assert said in "\n".join(map(str, problems))


def test_bundled_examples_are_offered_and_opened():
    desk = laid("mazur")
    offered = ask(desk, "examples")
    assert [each["name"] for each in offered["examples"]] == list(example_names())
    for each in offered["examples"]:
        assert ask(desk, "begin", example=each["name"])["title"] == each["title"]
    assert refused(desk, "begin", example="mazru")
    assert refused(desk, "begin")
    assert ask(desk, "fields")["changed"] is False
