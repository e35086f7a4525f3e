"""A prediction, derived from the cells of its row, is the one that `chainrule predict` writes: to the last bit."""

import csv
import io
import json

import numpy as np
import pytest

from chainrule import models, predicting
from chainrule.cli import main
from chainrule.errors import InputError, RunError
from chainrule.explain import FORMATS, tell
from chainrule.prediction import Prediction
from chainrule.replay import open_run, rows
from chainrule.tables import Options
from chainrule.tables import read as read_table
from chainrule.terms.digits import Digits
from recorded_runs import PENGUINS, trained


def wide_table(folder):
    """Dates, booleans, gaps, text with commas in it, a column with numbers far out; blank lines and quoted line ends."""
    rng = np.random.default_rng(4)
    lines = ["when,open,size,far,kind,note,cost"]
    for i in range(120):
        when = f"2024-{1 + i % 12:02d}-{1 + i % 28:02d}" if i % 17 else ""
        opened = ("yes", "no")[i % 2] if i % 13 else ""
        size = f"{rng.normal(3, 1):.3f}" if i % 11 else "NA"
        far = f"{rng.normal():.4f}" if i % 29 else f"{rng.normal() * 1e6:.0f}"
        kind = ("a", "b", "c, d", "e")[i % 4]
        note = '"two\nlines"' if i % 10 == 3 else "one"
        lines.append(f'{when},{opened},{size},{far},"{kind}",{note},{3 * i + rng.normal():.2f}')
        if i % 25 == 7:
            lines.append("")
    file = folder / "wide.csv"
    file.write_text("\n".join(lines) + "\n", "utf-8")
    return file


KINDS = {
    "classes": {"epochs": 4},
    "yes or no": {"target": "sex", "epochs": 4},
    "a number": {"target": "body_mass_g", "epochs": 4},
    "batch norm, dropout": {"norm": "batch", "dropout": 0.3, "epochs": 4, "hidden": (10, 10)},
    "layer norm, float32": {"norm": "layer", "dtype": "float32", "epochs": 4, "hidden": (12,)},
    "a number, float32": {"target": "flipper_length_mm", "dtype": "float32", "epochs": 4},
    "no hidden layer": {"hidden": (), "epochs": 3},
    "a wide table": {"target": "cost", "epochs": 3, "wide": True},
    "classes of a wide table": {"target": "kind", "epochs": 3, "wide": True, "activation": "tanh"},
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    made = {}
    with pytest.MonkeyPatch.context() as patch:

        def get(kind):
            if kind not in made:
                folder = tmp_path_factory.mktemp("runs")
                given = dict(KINDS[kind])
                if given.pop("wide", False):
                    given["data"] = (str(wide_table(folder)),)
                trained(patch, folder / "run", **given)
                made[kind] = folder / "run"
            return made[kind]

        yield get


def run(capsys, *args):
    with pytest.raises(SystemExit) as ended:
        main([str(arg) for arg in args])
    captured = capsys.readouterr()
    return ended.value.code, captured.out, captured.err


@pytest.mark.parametrize("kind", KINDS)
def test_every_row_is_predicted_as_predict_does(runs, kind, capsys):
    """The outputs have the bits of `predict`, and what is said is what it writes."""
    folder = runs(kind)
    opened = open_run(folder)
    model, table = rows.of_run(opened)
    outputs = model.outputs(table)
    written = predicting.predict(model, table, probabilities=True)
    code, out, _ = run(capsys, "predict", folder, *opened.settings.data, "--probabilities")
    assert code == 0
    cells = list(csv.reader(io.StringIO(out)))[1:]
    assert len(cells) == len(table)
    every = 1 if kind in ("classes", "yes or no", "a number", "a wide table") else 5
    for row in range(0, len(table), every):
        assert rows.row_of(table, str(table.place(row)[1])) == row
        found = Prediction(model, table, row, rows.place_of(table, row))
        assert found.outputs.tobytes() == outputs[row].tobytes()
        value = found.term(found.target).value
        if model.goal.kind == "number":
            assert float(value) == float(written.columns[0][row]) == float(cells[row][0])
        else:
            assert found.told == written.columns[0][row] == cells[row][0]
            chances = [float(column[row]) for column in written.columns[1:]]
            assert list(found.data()["prediction"]["probabilities"].values()) == chances
            assert [float(cell) for cell in cells[row][1:]] == chances
            assert float(value) in chances


@pytest.mark.parametrize("kind", KINDS)
def test_every_number_is_what_its_formula_gives(runs, kind):
    """Each step's formula, computed from the numbers in it, is its number: from the cells of the table on."""
    found = open_run(runs(kind)).predict(5)
    close = 1e-5 if found.network.dtype == np.float32 else 1e-12
    opened = 0
    for cell in found.cells:
        term = found.term(cell)
        if term.definition is not None:
            scale = max(1.0, abs(float(term.value)))
            assert abs(float(term.definition.value) - float(term.value)) <= close * scale, cell
            opened += 1
    assert opened > len(found.outputs)
    prepared = found.model.preparation
    for place in range(found.network.inputs):
        found.step(found.find(f"x[{place + 1}]"))
    assert {cell.symbol for cell in found.cells} >= {"raw", "x", "z", "a", "W"}
    assert "keep" not in {cell.symbol for cell in found.cells}
    assert len(prepared.inputs) == found.network.inputs


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("kind", ["classes", "yes or no", "a number", "a wide table"])
def test_every_format(runs, capsys, kind, form):
    folder = runs(kind)
    code, out, err = run(capsys, "explain", folder, "--row", 5, "--format", form)
    assert (code, err) == (0, "")
    model, table = rows.of_run(open_run(folder))
    found = open_run(folder).predict(5)
    value = Digits(17).text(found.term(found.target).value)
    assert value in out
    if form == "json":
        data = json.loads(out)
        assert "update" not in data
        assert data["prediction"]["line"] == 5
        assert data["prediction"]["predicted"] == found.told
        cells = {row[0]: row[2] for row in data["tables"]["inputs"]["rows"]}
        assert len(cells) == min(40, len(model.preparation.inputs))
        known = set()
        for step in data["steps"]:
            known.add(step["id"])
        assert {"raw[4]"} <= known or kind != "classes"
    else:
        for column in model.preparation.used[:2]:
            assert table.text(found.row, column.name).replace("_", "") in out.replace("\\_", "").replace("_", "")
    if form == "text":
        assert max(map(len, out.splitlines())) <= 80


def test_only_what_leads_to_a_number(runs, capsys):
    code, out, _ = run(capsys, "explain", runs("classes"), "--row", 7, "--of", "z[1][3]")
    assert code == 0
    assert "z[1][3] = " in out
    assert "a[3][1] = " not in out.split("The prediction for species")[0]


def test_a_model_in_a_file_and_another_table(runs, capsys, tmp_path):
    file = runs("classes") / "model.safetensors"
    lines = PENGUINS.read_text("utf-8").splitlines()
    names = lines[0].split(",")
    order = [names.index(name) for name in reversed(names) if name != "species"]
    other = tmp_path / "new.csv"
    other.write_text("\n".join(",".join(line.split(",")[i] for i in order) for line in [lines[0], *lines[40:50]]) + "\n")
    code, out, err = run(capsys, "explain", file, "--row", 4, "--data", other, "--format", "json")
    assert (code, err) == (0, "")
    model = models.load(file)
    table = read_table(other, Options(), dict(model.preparation.kinds))
    assert json.loads(out)["prediction"]["probabilities"]["Adelie"] == float(model.outputs(table)[2, 0])
    code, again, _ = run(capsys, "explain", runs("classes"), "--row", 4, "--data", other, "--format", "json")
    assert (code, again) == (0, out)


def test_a_level_that_training_did_not_have(runs, tmp_path):
    lines = PENGUINS.read_text("utf-8").splitlines()
    other = tmp_path / "new.csv"
    other.write_text("\n".join([lines[0], lines[1].replace("Torgersen", "Elephant")]) + "\n")
    found = open_run(runs("classes")).predict(2, str(other))
    assert found.outputs.tobytes() == models.load(runs("classes") / "model.safetensors").outputs(found.table)[0].tobytes()
    assert "Elephant" in tell(found, "text", found.of, timed=False, sheets=[found.inputs()])


def test_many_files(monkeypatch, tmp_path):
    lines = PENGUINS.read_text("utf-8").splitlines()
    for name, part in (("a.csv", lines[1:150]), ("b.csv", lines[150:])):
        (tmp_path / name).write_text("\n".join([lines[0], *part]) + "\n")
    trained(monkeypatch, tmp_path / "run", data=(str(tmp_path / "*.csv"),), epochs=3)
    opened = open_run(tmp_path / "run")
    with pytest.raises(InputError, match="name the file too"):
        opened.predict(3)
    found = opened.predict("b.csv:3")
    assert found.row == 150
    assert "line 3 of b.csv" in found.title
    assert "b.csv:" in opened.replay(3).places[0] or "of b.csv" in "".join(opened.replay(3).places)


WRONG = [
    ("P01 no such line", ("--row", "4711"), 1, "no row of the table begins in this line"),
    ("P02 the header", ("--row", "1"), 1, "no row of the table begins in this line"),
    ("P03 no number", ("--row", "x"), 2, "--row needs the number of a line"),
    ("P04 zero", ("--row", "0"), 2, "--row needs the number of a line"),
    ("P05 no such number", ("--row", "2", "--of", "z[9][9]"), 2, "no number is called"),
    ("P06 with --step", ("--row", "2", "--step", "3"), 2, "--step does not go with this"),
    ("P07 with --after", ("--row", "2", "--after", "3"), 2, "--after does not go with this"),
    ("P08 with --set", ("--row", "2", "--set", "a=b"), 2, "--set does not go with this"),
    ("P09 no such table", ("--row", "2", "--data", "gone.csv"), 1, "gone.csv"),
    ("P10 a gradient", ("--row", "2", "--of", "dE/dW[1][1,1]"), 2, "no number is called"),
]


@pytest.mark.parametrize(("options", "code", "says"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_wrong_rows(runs, capsys, options, code, says):
    ended, out, err = run(capsys, "explain", runs("classes"), *options)
    assert (ended, out) == (code, "")
    assert says in err
    assert "Traceback" not in err


def test_a_model_needs_a_table(runs, capsys):
    code, _, err = run(capsys, "explain", runs("classes") / "model.safetensors", "--row", 2)
    assert code == 2
    assert "--data" in err
    code, _, err = run(capsys, "explain", runs("classes") / "model.safetensors")
    assert code == 2
    assert "--row LINE --data FILE" in err


def test_a_run_without_a_model(runs, tmp_path):
    import shutil

    shutil.copytree(runs("classes"), tmp_path / "run")
    (tmp_path / "run" / "model.safetensors").unlink()
    with pytest.raises(RunError, match="no model yet"):
        open_run(tmp_path / "run").predict(2)


def test_it_is_a_trace(runs):
    found = open_run(runs("a number")).predict(4)
    assert isinstance(found, Prediction)
    step = found["y[3][1]"]
    assert step.substituted.count("·") == 1
    assert step.because == "The output in the units of the table: what was done to the targets, undone."
    assert found.changes == []
    assert "The prediction for body_mass_g is y[3][1] = " in found.conclusion
