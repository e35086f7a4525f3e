"""Training on the page: its numbers are those of `explain --after N`, its memory does not grow, and it ends when it should."""

import base64
import gc
import json
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest

from chainrule import draws
from chainrule.derivation import derive
from chainrule.errors import InputError, RunError
from chainrule.page import datasets, practice, surfaces
from chainrule.page.asks import ASKS, STREAMS
from chainrule.page.conflicts import ConflictError
from chainrule.page.desk import Desk, laid
from chainrule.page.memory import Curve, Kept, size
from chainrule.page.practice import Practice
from chainrule.page.subjects import Worked
from chainrule.replay import open_run
from chainrule.spec import load_example, parse_spec
from chainrule.training import Reached, run
from recorded_runs import PENGUINS, trained


def ask(desk, verb, **body):
    """What the page gets: as JSON, so that nothing else gets through."""
    if verb in ("train", "reset", "data"):
        body = {"version": desk.version, **body}
    return json.loads(json.dumps(ASKS[verb](desk, body), allow_nan=False))


def follow(desk):
    """Every event of a training, to its end."""
    return [json.loads(json.dumps(event, allow_nan=False)) for event in STREAMS["progress"](desk, {})]


def going(desk, **body):
    """Trains to the end; the last event."""
    ask(desk, "train", **body)
    return follow(desk)[-1]


def same(left, right):
    """Two steps are the same to the last bit, all numbers of it."""
    assert left.number == right.number
    ours, theirs = left.numbers, right.numbers
    assert ours.keys() == theirs.keys()
    wrong = [cell for cell, value in ours.items() if np.float64(value).tobytes() != np.float64(theirs[cell]).tobytes()]
    assert not wrong


MOMENTS = """
title = "All that a state must hold"
[network]
loss = "cross_entropy"
seed = 3
layers = [{units = 4, activation = "tanh"}, {kind = "batch_norm"}, {units = 3, activation = "softmax"}]
[data]
table = "penguins.csv"
target = "species"
columns = ["bill_length_mm", "bill_depth_mm"]
[update]
optimizer = "adam"
batch_size = 50
schedule = "cosine"
"""


@pytest.fixture
def desk():
    made = laid("mazur")
    yield made
    made.close()


# the step after so many updates


@pytest.mark.parametrize("what", ["mazur", "penguins", "lamsal"])
def test_any_step_is_that_of_explain(what):
    desk, example = laid(what), load_example(what)
    end = going(desk, updates=700)
    assert (end["number"], end["ended"], end["running"]) == (700, "reached", False)
    for after in (700, 1, 0, 63, 64, 333, 699, 705):
        desk.look(after=after)
        same(desk.trace, derive(example, after))
    desk.close()


def test_states_hold_what_layers_batches_and_optimizers_remember():
    text = MOMENTS.replace('{kind = "batch_norm"}, ', "").replace('schedule = "cosine"\n', "")
    example = parse_spec(text)
    desk = Desk(Worked(example))
    going(desk, updates=100)
    for after in (100, 17, 64, 99):
        desk.look(after=after)
        same(desk.trace, derive(parse_spec(text), after))


def test_training_goes_on_where_it_stands_to_the_same_bits():
    example = load_example("penguins")
    whole = run(example.network, example.x, example.t, example.optimizer, updates=50, engine="reference")
    half = run(example.network, example.x, example.t, example.optimizer, updates=23, engine="reference")
    rest = run(example.network, example.x, example.t, example.optimizer, updates=50, engine="reference", start=half)
    assert rest.number == 50
    assert rest.parameters.tobytes() == whole.parameters.tobytes()
    assert [*half.losses, *rest.losses] == whole.losses


def test_how_it_is_sliced_decides_neither_bits_nor_end():
    example = load_example("penguins").with_settings([("update.batch_size", 50)])
    wanted = derive(example, until=0.4)
    made = Practice(example)
    made.start(until=0.4)
    *_, last = made.listen()
    assert (last["ended"], last["number"] + 1) == ("until", wanted.number)
    same(derive(example, last["number"], start=made.reached(last["number"])), derive(example, last["number"]))


def test_the_end_of_mazur_is_the_one_it_is_known_for(desk):
    end = going(desk, updates=10_000)
    assert end["full"] == "3.510187782978859e-05"
    assert ask(desk, "look", after=10_000)["loss"]["before"] == 3.510187782978859e-05
    assert ask(desk, "exact")["before"] == "3.510187782978859e-05"
    assert ask(desk, "look", after=0)["loss"]["before"] == pytest.approx(0.298371109)
    again = going(desk, updates=5)  # from where training stands, not from what is looked at
    assert again["number"] == 10_005


def test_a_step_too_far_away_is_refused_and_what_was_trained_is_kept(desk, monkeypatch):
    made = desk.subject.practice
    with pytest.raises(InputError, match="update 100,000,000 is too far away"):
        made.reached(10**8, seconds=0.05)
    assert len(made.kept) > 0
    assert desk.after == 0


def test_what_nobody_waits_for_any_more_is_not_gone_on_with(desk):
    class GoneError(Exception):
        pass

    def beat():
        raise GoneError

    desk.beat = beat
    with pytest.raises(GoneError):
        desk.look(after=10**8)
    assert desk.after == 0


# memory


def test_states_are_thinned_and_never_more_than_allowed():
    kept = Kept(most=8)
    for number in range(1, 5_000):
        kept.offer(Reached(np.array([float(number)]), [], [], number))
        assert len(kept) <= 8
    assert kept.spacing == 1024
    assert kept.nearest(1023) is None
    assert [kept.nearest(n).number for n in (1024, 2047, 4999)] == [1024, 1024, 4096]
    assert kept.until_next(1000) == 24


def test_large_states_are_fewer():
    kept = Kept(memory=10_000)
    for number in range(16, 3_200, 16):
        kept.offer(Reached(np.zeros(250), [], [], number))
    assert size(kept.nearest(10**9)) == 2_000
    assert 2 <= len(kept) <= 5


def test_a_curve_is_thinned_but_first_newest_and_least_stay():
    curve, losses = Curve(most=100), [1 / (1 + n) for n in range(30_000)]
    losses[12_345] = -1.0
    for start in range(0, 30_000, 700):
        curve.add(start, losses[start : start + 700])
    points = curve.points()
    assert len(points) <= 102
    assert points[0] == (0, 1.0)
    assert points[-1] == (29_999, losses[-1])
    assert curve.least == (12_345, -1.0)
    assert (12_345, -1.0) in points
    assert all(loss == losses[at] for at, loss in points)
    assert curve.points(beyond=20_000) == [each for each in points if each[0] > 20_000]
    curve.add(29_999, [5.0, 6.0])  # what is known already is left out
    assert curve.last == (30_000, 6.0)
    curve.add(30_001, [float("nan")])
    assert curve.last == (30_000, 6.0)


def test_long_training_keeps_little(desk):
    going(desk, updates=20_000)
    made = desk.subject.practice
    assert len(made.kept) <= 256
    assert len(made.curve.points()) <= 1_002
    assert len(json.dumps(made.state())) < 60_000


# how it goes, and how it ends


def test_events_tell_the_whole_curve_in_pieces(desk):
    ask(desk, "train", updates=4_000)
    events, points = follow(desk), {}
    for event in events:
        if event["again"]:
            points = {}
        points |= dict(map(tuple, event["points"]))
    assert points.items() >= dict(desk.subject.practice.curve.points()).items()
    assert events[0]["again"]
    assert events[-1]["told"] == "4,000 updates are done."
    assert events[-1]["rate"] == 0.5


def test_it_can_be_stopped_at_once_and_gone_on_with(desk):
    ask(desk, "train", updates=10**8)
    state = ask(desk, "trained")
    assert state["running"]
    assert state["recorded"] is False
    stopped = ask(desk, "stop")
    assert (stopped["running"], stopped["ended"]) == (False, "stopped")
    assert not desk.subject.practice.running
    end = going(desk, updates=10)
    assert end["number"] == stopped["number"] + 10


def test_a_second_training_is_refused_while_one_goes_on(desk):
    ask(desk, "train", updates=10**8)
    with pytest.raises(ConflictError, match="training goes on already"):
        ask(desk, "train", updates=1)
    ask(desk, "stop")
    with pytest.raises(ConflictError, match="changed in another tab"):
        ask(desk, "train", version=0, updates=1)


def test_a_loss_ends_it(desk):
    end = going(desk, until=0.001)
    assert end["ended"] == "until"
    assert end["last"][1] <= 0.001
    assert derive(load_example("mazur"), until=0.001).number == end["number"] + 1
    assert "the loss had reached 0.001" in end["told"]


def test_a_loss_that_is_not_finite_ends_it_in_words():
    example = load_example("penguins").with_settings(
        [("update.learning_rate", 1e200), ("network.layers[1].activation", "relu"), ("network.layers[2].activation", "softmax")]
    )
    desk = Desk(Worked(example))
    end = going(desk, updates=1_000)
    assert end["ended"] == "not finite"
    assert "not finite at update" in end["told"]
    assert "learning rate" in end["told"]
    desk.look(after=end["number"])  # the last step that there is
    with pytest.raises(RunError, match="not finite after update"):
        desk.look(after=end["number"] + 1)
    assert desk.after == end["number"]
    assert ask(desk, "trained")["last"][0] <= end["number"]


def test_it_ends_when_nobody_listens_any_more_and_leaves_no_thread():
    before = threading.active_count()
    made = Practice(load_example("mazur"), alone=0.2)
    made.start(updates=10**8)
    events = made.listen()
    next(events)
    time.sleep(0.4)
    assert made.running  # somebody listens
    events.close()
    made._thread.join(20)
    assert made.ended == "alone"
    assert threading.active_count() == before


def test_a_change_ends_the_training_of_what_was_there(desk):
    ask(desk, "train", updates=10**8)
    before = desk.subject.practice
    desk.place(desk.example.with_settings([("update.learning_rate", 0.1)]))
    assert not before.running
    assert ask(desk, "trained")["number"] == 0
    desk.undo()
    assert desk.example.optimizer.learning_rate == 0.5


def test_a_change_far_along_begins_at_the_beginning(desk):
    going(desk, updates=5_000)
    desk.look(after=5_000)
    desk.place(desk.example.with_settings([("update.learning_rate", 0.1)]))
    assert desk.after == 0
    desk.look(after=3)
    desk.place(desk.example.with_settings([("update.learning_rate", 0.2)]))
    assert desk.after == 3


def test_back_to_the_beginning(desk):
    going(desk, updates=100)
    desk.look(after=100)
    assert ask(desk, "reset")["after"] == 0
    state = ask(desk, "trained")
    assert (state["number"], state["points"], state["ended"]) == (0, [], "")


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ({}, "say how far"),
        ({"updates": 1, "until": 0.1}, "say how far"),
        ({"updates": 0}, "updates must be a whole number"),
        ({"updates": 1.5}, "updates must be a whole number"),
        ({"updates": 10**9}, "updates must be a whole number"),
        ({"until": "small"}, "until must be a number"),
        ({"until": float("inf")}, "until must be a number"),
        ({"updates": 1, "epochs": 1}, "unknown key 'epochs'"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_words(desk, body, what):
    with pytest.raises(InputError, match=what):
        ask(desk, "train", **body)
    assert not desk.subject.practice.running


def test_an_error_in_the_thread_is_told(desk, monkeypatch):
    monkeypatch.setattr(practice, "begun", lambda *a, **k: (_ for _ in ()).throw(InputError("no such thing")))
    end = going(desk, updates=1)
    assert (end["ended"], end["told"]) == ("refused", "no such thing")


# data sets


@pytest.mark.parametrize("name", datasets.SHAPES)
def test_points_are_a_function_of_their_settings(name):
    x, kind = datasets.points(name, 100, 0.1, 7)
    again, _ = datasets.points(name, 100, 0.1, 7)
    other, _ = datasets.points(name, 100, 0.1, 8)
    assert x.tobytes() == again.tobytes() != other.tobytes()
    assert kind.tolist() == [0, 1] * 50
    clean, _ = datasets.points(name, 100, 0.0, 7)
    spread = (x - clean).std()
    assert 0.07 < spread < 0.13
    assert np.abs(clean).max() <= 1.5


def test_the_shapes_are_what_they_say():
    def clean(name):
        return datasets.points(name, 400, 0.0, 1)

    x, kind = clean("xor")
    assert ((x[:, 0] * x[:, 1] > 0) == (kind == 0)).all()
    assert (np.abs(x) >= 0.049).all()
    assert {tuple(np.sign(row)) for row in x} == {(1, 1), (1, -1), (-1, 1), (-1, -1)}
    x, kind = clean("circles")
    assert np.hypot(*x.T) == pytest.approx(np.where(kind == 0, 1, 0.5), abs=2e-3)
    x, kind = clean("moons")
    x = x + np.array([0.5, 0.25])
    assert np.hypot(*x[kind == 0].T) == pytest.approx(1, abs=2e-3)
    assert np.hypot(x[kind == 1][:, 0] - 1, x[kind == 1][:, 1] - 0.5) == pytest.approx(1, abs=2e-3)
    x, kind = clean("spirals")
    radius = np.hypot(*x.T)
    turned = np.arctan2(x[:, 1], x[:, 0]) - 2 * np.pi * radius - np.pi * kind
    assert np.cos(turned) == pytest.approx(1, abs=0.01)


def test_points_are_drawn_apart_from_everything_else():
    assert len(set(draws.PURPOSES.values())) == len(draws.PURPOSES)


@pytest.mark.parametrize("name", datasets.SHAPES)
def test_the_network_that_comes_with_points_learns_them(desk, name):
    view = ask(desk, "data", kind=name, count=200, noise=0.05, seed=1)
    assert view["samples"] == 200
    assert view["undo"] == 1
    end = going(desk, updates=1_000)
    assert end["last"][1] < 0.02
    found = ask(desk, "surface", now=True, units=True)
    assert found["number"] == 1_000
    right = [ask(desk, "there", x=point[:2])["class"] == str(point[2]) for point in found["points"][:40]]
    assert not all(right)  # the step that is looked at is still the first: nothing is learned there
    ask(desk, "look", after=1_000)
    right = [ask(desk, "there", x=point[:2])["class"] == str(point[2]) for point in found["points"][:40]]
    assert all(right)


def test_a_data_set_can_be_taken_back(desk):
    view = ask(desk, "data", kind="xor")
    assert view["changed"] is None  # other data, and not a change of these
    assert desk.original is desk.example
    desk.undo()
    assert desk.example.title == load_example("mazur").title


def test_a_column_that_names_each_row_is_no_target_to_learn(desk):
    text = "a,b,name\n" + "".join(f"{row},{row},n{row}\n" for row in range(6_000))
    with pytest.raises(InputError, match="too much memory"):
        ask(desk, "data", kind="csv", csv=text, name="t.csv", target="name", columns=["a", "b"])


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ({"kind": "rings"}, "unknown kind"),
        ({"kind": "xor", "count": 3}, "count must be a whole number from 4 to 10,000"),
        ({"kind": "xor", "count": 10**6}, "count must be a whole number"),
        ({"kind": "xor", "noise": -1}, "noise must be from 0 to 10"),
        ({"kind": "xor", "noise": "loud"}, "noise must be a number"),
        ({"kind": "xor", "target": "x"}, "unknown key 'target'"),
        ({"kind": "csv", "csv": "", "name": "t.csv", "target": "y"}, "csv must be a text"),
        ({"kind": "csv", "csv": "a\n1\n", "name": "t.csv", "target": "a", "columns": "a"}, "columns must be a list"),
    ],
)
def test_data_that_cannot_be_is_refused_in_words(desk, body, what):
    with pytest.raises(InputError, match=what):
        ask(desk, "data", **body)
    assert desk.example.title == load_example("mazur").title


def test_a_table_of_ones_own(desk):
    text = PENGUINS.read_text("utf-8")
    columns = ask(desk, "columns", csv=text, name="my penguins.csv")["columns"]
    assert {"name": "bill_length_mm", "number": True} in columns
    assert {"name": "species", "number": False} in columns
    chosen = ["bill_length_mm", "bill_depth_mm"]
    view = ask(desk, "data", kind="csv", csv=text, name="my penguins.csv", target="species", columns=chosen)
    assert view["title"] == "my penguins"
    assert any("my penguins.csv; 2 with gaps" in note for note in view["notes"])
    found = ask(desk, "surface")
    assert [axis["name"] for axis in found["axes"]] == chosen
    assert found["classes"] == ["Adelie", "Chinstrap", "Gentoo"]
    assert 25 < float(found["axes"][0]["shown"][0]) < 32.1  # millimetres, and not deviations
    going(desk, updates=300)
    ask(desk, "look", after=300)
    said = ask(desk, "there", x=[-1.0, 0.8])
    assert said["class"] == "Adelie"
    assert said["inputs"][0]["name"] == "bill_length_mm"
    changed = desk.example.with_settings([("update.learning_rate", 0.001)])  # the table is read again
    assert len(changed.x) == 342


BAD = {
    "a bad cell": ("a,b,y\n1,2,p\n3,x,q\n", "own.csv:3", "is not a number"),
    "a short row": ("a,b,y\n1,2,p\n3\n", "own.csv:3", "1 cell"),
    "no such target": ("a,b,z\n1,2,p\n3,4,q\n", "own.csv", "no target column"),
    "nothing": (" ", "own.csv", "empty"),
    "a workbook": ("PK\x03\x04\x00\x00", "own.csv", "zip"),
    "one class": ("a,b,y\n1,2,p\n3,4,p\n", "", "a class needs another"),
    "half a sign": ("a,b,y\n1,2,\ud800\n3,4,q\n", "own.csv", "UTF-8"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_with_a_table_is_said_by_its_own_name_and_lines(desk, case, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    text, where, what = BAD[case]
    with pytest.raises(InputError, match=what) as caught:
        ASKS["data"](
            desk,
            {"version": 1, "kind": "csv", "csv": text, "name": "C:\\of mine\\own.csv", "target": "y", "columns": ["a", "b"]},
        )
    assert where in str(caught.value)
    assert str(tmp_path) not in str(caught.value)
    assert not list(tmp_path.iterdir())  # nothing is left behind


@pytest.mark.parametrize("name", ["../../etc/passwd", "t\x00.csv", "x" * 250 + ".csv", "<script>.csv", "..csv"])
def test_a_name_from_outside_names_no_other_place(desk, name, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ask(desk, "data", kind="csv", csv="a,b,y\n1,2,p\n3,4,q\n", name=name, target="y")
    (folder,) = tmp_path.iterdir()
    assert len(list(folder.iterdir())) == 2
    desk.close()


def test_the_files_of_a_table_are_gone_with_it(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    example = datasets.table("a,b,y\n1,2,p\n3,4,q\n", "t.csv", "y", None)
    changed = example.with_settings([("update.learning_rate", 0.1)])
    del example
    gc.collect()
    assert list(tmp_path.iterdir())
    changed = changed.edited([("update.learning_rate", 0.2)])  # as the page changes it
    gc.collect()
    assert len(changed.edited([("update.learning_rate", 0.3)]).x) == 2
    del changed
    gc.collect()
    assert not list(tmp_path.iterdir())


def test_a_table_with_too_many_rows_is_refused(desk, monkeypatch):
    monkeypatch.setattr(datasets, "ROWS", 3)
    with pytest.raises(InputError, match="too many rows for the page"):
        ask(desk, "data", kind="csv", csv="a,y\n1,p\n2,q\n3,p\n4,q\n", name="t.csv", target="y")


# surfaces


def levels(text):
    return np.frombuffer(base64.b64decode(text), np.uint8).astype(float)


def test_a_surface_is_what_the_network_gives_there(desk):
    ask(desk, "data", kind="moons", count=50)
    going(desk, updates=200)
    ask(desk, "look", after=200)
    found = ask(desk, "surface", resolution=20, units=True)
    (across, up), (output,) = found["axes"], found["outputs"]
    grid = levels(output["levels"]).reshape(20, 20)
    for row, column in ((0, 0), (7, 13), (19, 5)):
        x = across["least"] + (column + 0.5) / 20 * (across["most"] - across["least"])
        y = up["most"] - (row + 0.5) / 20 * (up["most"] - up["least"])
        (said,) = ask(desk, "there", x=[x, y])["outputs"]
        assert grid[row, column] == round(255 * float(said["full"]))
    assert [(each["layer"], each["unit"]) for each in found["units"]] == [(l, u) for l in (1, 2) for u in range(1, 9)]
    assert all(levels(each["levels"]).shape == (400,) for each in found["units"])
    assert (output["least"], output["most"]) == (0, 1)


def test_a_hidden_units_surface_goes_through_its_number_in_the_step(desk):
    example = desk.example
    found = surfaces.predicted(example.network, example.network.parameters, example.network.memory, example.x)
    assert found[0][0, 1] == desk.trace["a[1][2]"].value
    assert found[1][0, 0] == desk.trace["out_o1"].value


def test_points_know_their_sample_in_the_batch(desk):
    ask(desk, "data", kind="xor", count=20)
    desk.place(desk.example.with_settings([("update.batch_size", 5)]))
    found = ask(desk, "surface")
    shown = {point[3]: point[:2] for point in found["points"] if point[3]}
    assert sorted(shown) == [1, 2, 3, 4, 5]
    for sample, place in shown.items():
        assert desk.trace.x[sample - 1].tolist() == place


def test_targets_that_are_numbers_are_no_classes(desk):
    assert ask(desk, "surface")["kind"] == "values"
    assert ask(desk, "surface")["classes"] == []


def test_many_points_are_thinned():
    rows = list(surfaces.shown_rows(100_000))
    assert (rows[0], len(rows), len(set(rows))) == (0, 2_000, 2_000)
    assert rows[-1] >= 99_900
    assert list(surfaces.shown_rows(7)) == list(range(7))


def test_a_surface_of_what_overflows_is_still_a_surface():
    network = load_example("mazur").network
    found = surfaces.surface(network, 1, 0, np.array([np.nan, np.inf, -np.inf, 0.5]))
    assert levels(found["levels"]).tolist() == [128, 255, 0, 128]
    plain = SimpleNamespace(layers=[SimpleNamespace(name="identity")])
    assert surfaces.surface(plain, 1, 0, np.array([3.0, 3.0]))["least"] == 2.5


@pytest.mark.parametrize(
    ("what", "verb", "body", "said"),
    [
        ("penguins", "surface", {}, "a network with two inputs"),
        ("penguins", "there", {"x": [1, 2]}, "a network with two inputs"),
        ("mazur", "surface", {"resolution": 4}, "resolution must be a whole number from 8 to 100"),
        ("mazur", "surface", {"units": 1}, "units must be true or false"),
        ("mazur", "there", {"x": [1]}, "a point has two numbers"),
        ("mazur", "there", {"x": [1, None]}, "x must be a number"),
        ("mazur", "there", {"x": [1, float("inf")]}, "x must be a number"),
    ],
)
def test_surfaces_that_cannot_be_are_refused_in_words(what, verb, body, said):
    with pytest.raises(InputError, match=said):
        ask(laid(what), verb, **body)


# a recorded run


@pytest.fixture
def recorded(tmp_path, monkeypatch):
    trained(monkeypatch, tmp_path / "run", hidden=(5,), epochs=4, batch_size=40, validation=0.2)
    return laid(str(tmp_path / "run"))


def test_a_recorded_run_opens_and_each_update_is_its_replay(recorded):
    known = open_run(recorded.subject.run.run.folder)
    told = ask(recorded, "trained")
    assert told["recorded"] is True
    assert told["steps"] == known.updates
    history = known.history
    assert told["curves"]["loss"] == [[each["updates"], each["loss"]] for each in history]
    assert len(told["curves"]["validation"]) == len(history)
    for after in (0, 7, known.updates - 1):
        view = ask(recorded, "look", after=after)
        same(recorded.trace, known.trace(after + 1))
        assert view["title"] == f"Update {after + 1} of the run run"
        assert any("agrees with the recorded run to the last bit" in note for note in view["notes"])
        assert view["recorded"] is True
        assert view["place"].startswith("line ")
        assert [sheet["title"] for sheet in view["sheets"]] == ["Largest gradients", "Rows with the largest losses"]
        for name, identity in view["named"].items():
            assert recorded.trace[name].id == identity
        first = view["sheets"][0]["rows"][0][0]
        assert ask(recorded, "open", id=view["named"][first])["steps"]


def test_a_recorded_run_is_not_changed(recorded):
    for verb in ("train", "reset", "stop"):
        with pytest.raises(InputError, match="has been trained already"):
            ask(recorded, verb, **({"updates": 1} if verb == "train" else {}))
    with pytest.raises(InputError, match="can be looked at, and not changed"):
        ask(recorded, "data", kind="xor")
    with pytest.raises(InputError, match="the run has the updates 1 to"):
        ask(recorded, "look", after=10**6)
    assert recorded.after == 0


def test_a_run_of_two_columns_has_a_surface(tmp_path, monkeypatch):
    x, kind = datasets.points("moons", 60, 0.1, 1)
    table = tmp_path / "moons.csv"
    table.write_text(
        "across,up,side\n" + "".join(f"{a},{b},{'left' if k else 'right'}\n" for (a, b), k in zip(x, kind, strict=True))
    )
    trained(monkeypatch, tmp_path / "run", data=(str(table),), target="side", hidden=(4,), epochs=2)
    desk = laid(str(tmp_path / "run" / "run.toml"))
    found = ask(desk, "surface")
    assert [axis["name"] for axis in found["axes"]] == ["across", "up"]
    assert found["classes"] == ["left", "right"]
    assert found["points"][0][3] == 1
    assert len(found["points"]) == len(desk.trace.x)
    assert float(found["axes"][0]["shown"][0]) < x[:, 0].min()  # in the table's units
