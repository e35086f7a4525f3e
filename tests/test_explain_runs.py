"""`chainrule explain RUN --step N`: an update of a recorded run, as a user meets it."""

import json
import re

import numpy as np
import pytest

from chainrule.cli import main
from chainrule.explain import FORMATS
from chainrule.replay import open_run
from recorded_runs import PENGUINS, trained


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        made = tmp_path_factory.mktemp("runs") / "penguins"
        trained(patch, made, epochs=10, hidden=(12,), checkpoint_every=0.0)
        return made


def run(capsys, *args):
    with pytest.raises(SystemExit) as ended:
        main([str(arg) for arg in args])
    captured = capsys.readouterr()
    return ended.value.code, captured.out, captured.err


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("of", [(), ("--of", "W[1][3,4]"), ("--of", "dE/db[2][1]", "--sample", "5"), ("--of", "z[1][2]")])
def test_every_format(folder, capsys, form, of):
    code, out, err = run(capsys, "explain", folder, "--step", 47, "--format", form, *of)
    assert (code, err) == (0, "")
    assert "agrees with the recorded run to the last" in re.sub(r"\s+", " ", out)
    assert "Update 47 of the run penguins" in out
    if form == "text":
        assert max(map(len, out.splitlines())) <= 80 or "W[1][3,4]" in of  # one long product is not broken
    lines = [open_run(folder).experiment.table.place(int(row))[1] for row in open_run(folder).replay(47).rows]
    if form == "json":
        data = json.loads(out)
        assert [row["line"] for row in data["replay"]["rows"]] == lines
        assert (data["update"], data["replay"]["epoch"], data["replay"]["batch"]) == (47, 6, 2)
        assert data["replay"]["agrees"] is True
    else:
        assert ", ".join(map(str, lines)) in re.sub(r"\s+", " ", out)


def test_an_overview_is_short(folder, capsys):
    code, out, _ = run(capsys, "explain", folder, "--step", 47)
    assert code == 0
    assert len(out.splitlines()) < 60
    assert "Largest gradients" in out
    trace = open_run(folder).trace(47)
    worst = int(np.argmax(trace.losses)) + 1
    assert re.search(rf"^\d+ +{worst} ", out, re.M)
    largest = max(abs(trace[f"dE/dW[2][{i},{j}]"].value) for i in range(1, 4) for j in range(1, 13))
    assert f"{largest:.9f}" in out


def test_every_row_stands_beside_its_share(folder, capsys):
    _, out, _ = run(capsys, "explain", folder, "--step", 47, "--of", "W[1][3,4]", "--format", "json", "--digits", "17")
    data = json.loads(out)
    shares = data["tables"]["shares of dE/dW[1][3,4]"]
    assert shares["columns"] == ["line", "sample", "species", "adds", "part"]
    assert len(shares["rows"]) == 32
    trace = open_run(folder).trace(47)
    gradient = trace["dE/dW[1][3,4]"].value
    assert sum(row[3] for row in shares["rows"]) == pytest.approx(gradient, rel=1e-9)
    sizes = [abs(row[3]) for row in shares["rows"]]
    assert sizes == sorted(sizes, reverse=True)
    lines = PENGUINS.read_text("utf-8").splitlines()
    for line, sample, species, adds, _ in shares["rows"]:
        assert lines[int(line) - 1].startswith(species)
        assert adds == pytest.approx(trace[f"dE/dW[1][3,4]@{sample}"].value, rel=1e-12, abs=1e-300)
    steps = {step["id"]: step for step in data["steps"]}
    line, sample, *_ = shares["rows"][0]
    assert f"Sample {sample} is line {line} of penguins.csv." in steps[f"dE/dW[1][3,4]@{sample}"]["because"]
    assert any(step.startswith("raw[") for step in steps)
    (compared,) = data["replay"]["compared"]
    assert compared["id"] == "W+[1][3,4]"
    assert compared["derived"] == steps["W+[1][3,4]"]["value"]
    assert compared["difference"] == compared["derived"] - compared["recorded"]


def test_a_sample_is_followed(folder, capsys):
    for sample in (3, 20):
        _, out, _ = run(capsys, "explain", folder, "--step", 47, "--of", "W[1][3,4]", "--sample", sample, "--format", "json")
        samples = {step["sample"] for step in json.loads(out)["steps"] if "@" in step["id"]}
        assert samples == {sample}
    _, out, _ = run(capsys, "explain", folder, "--step", 47, "--of", "W[1][3,4]", "--sample", "all", "--format", "json")
    assert len({step["sample"] for step in json.loads(out)["steps"] if "@" in step["id"]}) > 5


def test_after_is_the_step_after_so_many_updates(folder, capsys):
    _, one, _ = run(capsys, "explain", folder, "--step", 21, "--of", "b[1][2]", "--no-time")
    _, other, _ = run(capsys, "explain", folder, "--after", 20, "--of", "b[1][2]", "--no-time")
    assert one == other
    code, out, _ = run(
        capsys, "explain", folder / "run.toml", "--after", 0, "--names", "textbook", "--digits", "4", "--of", "w3"
    )
    assert code == 0
    assert "w3+ = w3 - " in out.replace("decayed_w3", "w3")


def test_a_file(folder, capsys, tmp_path):
    code, out, _ = run(capsys, "explain", folder, "--step", 2, "--of", "E", "-o", tmp_path / "step.html")
    assert (code, out) == (0, "")
    assert "Update 2 of the run penguins" in (tmp_path / "step.html").read_text("utf-8")


WRONG = [
    ("E01 no step", (), 2, "a run has many steps: say which"),
    ("E02 beyond the run", ("--step", "91"), 2, "the run has the updates 1 to 90"),
    ("E03 beyond, by --after", ("--after", "90"), 2, "the run has the updates 1 to 90"),
    ("E04 both", ("--step", "3", "--after", "3"), 2, "exclude each other"),
    ("E05 no such number", ("--step", "3", "--of", "W[9][1,1]"), 2, "no number is called"),
    ("E06 no such sample", ("--step", "3", "--sample", "33"), 2, "this step has samples 1 to 32"),
    ("E07 no sample", ("--step", "3", "--sample", "x"), 2, "--sample needs a whole number"),
    ("E08 --until", ("--step", "3", "--until", "0.1"), 2, "--until does not go with this"),
    ("E09 --patience", ("--step", "3", "--patience", "2"), 2, "--patience"),
    ("E10 --set", ("--step", "3", "--set", "update.order=sequential"), 2, "--set does not go with this"),
    ("E11 no such table", ("--step", "3", "--data", "gone.csv"), 1, "gone.csv"),
    ("E12 step 0", ("--step", "0"), 2, "--step"),
]


@pytest.mark.parametrize(("options", "code", "says"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_wrong_steps(folder, capsys, options, code, says):
    ended, out, err = run(capsys, "explain", folder, *options)
    assert (ended, out) == (code, "")
    assert says in err
    assert "Traceback" not in err


def test_a_folder_called_like_an_example(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mazur").mkdir()
    code, out, err = run(capsys, "explain", "mazur", "--of", "w5", "--no-time")
    assert (code, err) == (0, "")
    assert "w5+" in out


def test_a_folder_that_is_no_run(capsys, tmp_path):
    code, _, err = run(capsys, "explain", tmp_path, "--step", 3)
    assert code == 1
    assert "not a run folder" in err


@pytest.mark.parametrize("options", [("--step", "3"), ("--data", "penguins.csv")])
def test_a_spec_is_no_run(capsys, options):
    code, _, err = run(capsys, "explain", "mazur", *options)
    assert code == 2
    assert "is for recorded runs" in err


def test_a_run_that_broke_down(monkeypatch, capsys, tmp_path):
    """Its updates can be opened up to the one that was not done, and that one too."""
    with pytest.raises(Exception, match=r"finite|diverge|loss"):
        trained(
            monkeypatch, tmp_path / "run", target="body_mass_g", optimizer="sgd", learning_rate=1e5, schedule="constant",
            activation="relu", epochs=9, weight_decay=0.0,
        )  # fmt: skip
    opened = open_run(tmp_path / "run")
    assert opened.broke
    last = opened.updates + 1
    for number in range(1, last + 1):
        code, out, err = run(capsys, "explain", tmp_path / "run", "--step", number)
        assert (code, err) == (0, "")
        assert "agrees with the recorded run" in " ".join(out.split())
    assert "breaks down in the same update" in " ".join(out.split())
    assert opened.replay(last).after is None
    assert not np.isfinite(opened.replay(last).loss)
    code, out, err = run(capsys, "explain", tmp_path / "run", "--step", last, "--of", "z[3][1]", "--format", "json")
    assert (code, err) == (0, "")
    code, _, err = run(capsys, "explain", tmp_path / "run", "--step", last + 1)
    assert code == 2
    assert f"the run has the updates 1 to {last}" in err
    code, _, err = run(capsys, "why-changed", tmp_path / "run", "b[3][1]", "--to", last)
    assert code == 1
    assert "the loss is not finite" in err
