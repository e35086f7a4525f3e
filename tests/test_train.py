"""`chainrule train`, `predict` and `evaluate`: what they do with a table, and what they leave behind."""

import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest

import chainrule
from chainrule import models, predicting
from chainrule.cli import main
from chainrule.cli.progress import TrainingProgress
from chainrule.course import Epoch
from chainrule.errors import InputError, RunError
from chainrule.recording import train
from chainrule.runs import Run
from chainrule.settings import NAMES, Settings, read_settings

PENGUINS = Path(chainrule.__file__).parent / "examples" / "penguins.csv"


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(PENGUINS, "penguins.csv")
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def run(capsys, *args):
    """Exit code, stdout and stderr of a command, run in this process."""
    with pytest.raises(SystemExit) as ended:
        main(list(args))
    captured = capsys.readouterr()
    return ended.value.code, captured.out, captured.err


def result(capsys, *args):
    """The result of a training run, as a program reads it."""
    code, out, err = run(capsys, "train", *args, "--json")
    assert code == 0, err
    return json.loads(out)


class Silent:
    """A teller that keeps what it is told."""

    def __init__(self):
        self.said, self.warned, self.epochs = [], [], []

    def say(self, text):
        self.said.append(text)

    def warn(self, text):
        self.warned.append(text)

    def epoch(self, epoch, curve):
        self.epochs.append(epoch)


def history(folder):
    """The history of a run, but for the clock."""
    entries = Run(Path(folder)).history()
    return [{name: value for name, value in entry.items() if name != "seconds"} for entry in entries]


# what comes of it


def test_the_penguins_are_told_apart(capsys):
    code, out, err = run(capsys, "train", "penguins.csv", "--target", "species")
    assert code == 0
    assert "Classification, because 'species' holds texts." in err
    assert "runs/penguins-1" in out
    for file in ("run.toml", "history.jsonl", "model.safetensors", "report.html"):
        assert (Path("runs/penguins-1") / file).is_file(), file
    assert list(Path("runs/penguins-1/checkpoints").iterdir())
    model = models.load("runs/penguins-1/model.safetensors")
    assert model.about["scores"]["model"]["accuracy"] >= 0.98
    assert model.goal.classes == ("Adelie", "Chinstrap", "Gentoo")
    assert max(len(line) for line in err.splitlines()) < 200


def test_their_mass_is_predicted_better_than_by_a_line(capsys):
    found = result(capsys, "penguins.csv", "--target", "body_mass_g", "--folds", "5", "-o", "mass")
    assert found["task"] == "regression"
    assert found["folds"]["model"]["r2"][0] > found["folds"]["linear"]["r2"][0]
    assert found["folds"]["model"]["rmse"][0] < found["folds"]["linear"]["rmse"][0]


def test_the_same_settings_make_the_same_run(capsys):
    result(capsys, "penguins.csv", "--target", "species", "--epochs", "12", "--seed", "5", "-o", "one")
    result(capsys, "--config", "one/run.toml", "-o", "other")
    assert history("one") == history("other")
    one, other = (models.load(f"{name}/model.safetensors") for name in ("one", "other"))
    np.testing.assert_array_equal(one.network.parameters, other.network.parameters)
    assert Run(Path("one")).read_settings()[0] == Run(Path("other")).read_settings()[0]
    result(capsys, "penguins.csv", "--target", "species", "--epochs", "12", "--seed", "6", "-o", "third")
    assert history("third") != history("one")


@pytest.mark.parametrize("memory", ["0.01", "0.1"])
@pytest.mark.parametrize("more", [("--validation", "0.2"), ("--folds", "8")], ids=["validation", "folds"])
def test_rows_on_disk_give_the_same_bits(capsys, memory, more):
    options = ("penguins.csv", "--target", "species", "--epochs", "6", *more)
    one = result(capsys, *options, "-o", "one")
    other = result(capsys, *options, "--memory", memory, "-o", "other")
    assert history("one") == history("other")
    assert one["scores"] == other["scores"]
    assert one["folds"] == other["folds"]
    assert not Path("other/cache").exists()


PEAK = """
import resource, subprocess, sys
done = subprocess.run([sys.executable, "-m", "chainrule", "train", *sys.argv[1:], "--quiet"], capture_output=True, text=True)
assert done.returncode == 0, done.stderr
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / (1024 if sys.platform != "darwin" else 1024**2))
"""


def peak(*args):
    """The most memory that a training run takes, in megabytes."""
    return float(subprocess.run([sys.executable, "-c", PEAK, *args], capture_output=True, text=True, check=True).stdout)


def test_a_table_four_times_the_memory_trains_under_it():
    """Beyond what the program itself takes with a table of a few rows, and some numbers for each row: which part it is in,
    its target, its prediction."""
    import duckdb

    rng = np.random.default_rng(0)
    x = rng.normal(size=(400_000, 30)).round(3)
    columns = {f"c{k}": x[:, k] for k in range(30)} | {"y": (x[:, 0] * x[:, 1] + x[:, 2]).round(3)}
    for name, rows in (("large.csv", 400_000), ("small.csv", 4_000)):
        with duckdb.connect() as connection:
            connection.register("columns", {key: values[:rows] for key, values in columns.items()})
            connection.execute(f"COPY columns TO '{name}' (HEADER)")
    options = ("--target", "y", "--epochs", "1", "--hidden", "32", "--dtype", "float64", "--validation", "0.1")
    size = 400_000 * 31 * 8 / 1e6
    program = peak("small.csv", *options, "-o", "small")
    capped = peak("large.csv", *options, "-o", "capped", "--memory", str(size / 4))
    assert capped - program < size / 4 + 400_000 * 80 / 1e6
    free = peak("large.csv", *options, "-o", "free")
    assert free - program > size / 2
    assert history("capped") == history("free")


@pytest.mark.parametrize(
    "options",
    [
        ("--split", "grouped", "--by", "year", "--test", "0.4"),
        ("--split", "time", "--by", "year"),
        ("--split", "random", "--test", "0.3"),
        ("--class-weight", "balanced"),
        ("--weights", "year", "--leave-out", "body_mass_g,sex"),
        ("--features", "bill_length_mm,island", "--hidden", "8", "--activation", "tanh", "--dropout", "0"),
        ("--hidden", "none", "--optimizer", "sgd", "--learning-rate", "0.1", "--schedule", "constant", "--weight-decay", "0"),
        ("--preset", "textbook", "--epochs", "20"),
        ("--norm", "layer", "--dtype", "float32", "--batch-size", "7"),
        ("--validation", "0.2", "--patience", "3", "--clip-norm", "1"),
        ("--engine", "reference", "--threads", "1", "--checkpoint-every", "0"),
        ("--categorical", "year", "--missing", "impute", "--test", "0"),
        ("--task", "classification", "--target", "year"),
        ("--time-limit", "0.3", "--epochs", "100000"),
    ],
    ids=lambda options: options[0],
)
def test_every_setting_does_something(capsys, options):
    given = ("penguins.csv", "--target", "species", "--epochs", "5", *options, "-o", "run")
    given = tuple(dict(zip(given[1:-2:2], given[2:-1:2], strict=True)).items())
    found = result(capsys, "penguins.csv", *(part for pair in given for part in pair), "-o", "run")
    settings, facts = Run(Path("run")).read_settings()
    assert facts["rows"] == 344
    for name, value in given:
        kept = getattr(settings, name[2:].replace("-", "_"))
        if isinstance(kept, tuple):
            assert ",".join(map(str, kept)) == value.replace("none", "")
        elif isinstance(kept, (int, float)):
            assert kept == float(value)
        else:
            assert kept == value
    assert found["epochs"] >= 1


def test_settings_come_back_from_a_file_as_they_were(tmp_path):
    settings = Settings(
        data=('a "quoted" \\ name\n.csv', "b.csv"), target="ü=\x07", leave_out=("x", "y"), hidden=(3, 4), dropout=0.1,
        test=1e-3, seed=2**60, header=False, time_limit=2.5,
    )  # fmt: skip
    file = tmp_path / "run.toml"
    file.write_text(settings.as_toml(facts={"rows": 3}), "utf-8")
    found, more = read_settings(str(file), extra=("facts",))
    assert Settings(**found) == settings
    assert more == {"facts": {"rows": 3}}
    assert set(found) <= set(NAMES)


# stopping and going on


@pytest.mark.parametrize("options", [{}, {"validation": 0.2, "patience": 3}, {"preset": "textbook"}, {"optimizer": "nadam"}])
def test_a_run_that_was_stopped_goes_on_to_the_same_bits(options):
    settings = Settings(data=("penguins.csv",), target="species", epochs=9, batch_size=16, **options)
    whole = Run.create(Path("whole"))
    train(whole, settings, Silent(), stop=lambda: False)
    stopped = Run.create(Path("stopped"))
    asked = iter([False] * 2 + [True] * 1000)
    assert train(stopped, settings, Silent(), stop=lambda: next(asked)) is None
    told = Silent()
    for _ in range(40):
        asked = iter([False, True])
        kept, _ = stopped.read_settings()
        outcome = train(stopped, kept, told, stop=partial(next, asked, False), resumed=True)
        if outcome is not None:
            break
    assert outcome is not None
    assert any("going on after update" in text for text in told.said)
    assert history("whole") == history("stopped")
    one, other = (models.load(run.model_file) for run in (whole, stopped))
    np.testing.assert_array_equal(one.network.parameters, other.network.parameters)
    assert one.about["scores"] == other.about["scores"]


def test_what_the_folds_told_stays_when_a_run_goes_on(capsys):
    whole = result(capsys, "penguins.csv", "--target", "species", "--epochs", "9", "--folds", "3", "-o", "run")
    assert result(capsys, "--resume", "run")["folds"] == whole["folds"]
    stopped = Run.create(Path("stopped"))
    settings = Settings(data=("penguins.csv",), target="species", epochs=9, folds=3)
    told = Silent()
    assert train(stopped, settings, told, stop=lambda: any("fold 3" in text for text in told.said)) is None
    assert result(capsys, "--resume", "stopped")["folds"] == whole["folds"]
    assert models.load("stopped/model.safetensors").about["folds"].keys() == whole["folds"].keys()


def test_a_finished_run_says_that_it_is(capsys):
    result(capsys, "penguins.csv", "--target", "species", "--epochs", "5", "-o", "run")
    code, out, err = run(capsys, "train", "--resume", "run")
    assert code == 0
    assert "finished" in err
    assert "rows held out" in out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_and_ends(number):
    command = [sys.executable, "-m", "chainrule", "train", "penguins.csv", "--target", "species", "-o", "run"]
    started = subprocess.Popen([*command, "--epochs", "10000000"], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    until = time.monotonic() + 60
    while time.monotonic() < until and not (Path("run/history.jsonl").exists() and Path("run/history.jsonl").stat().st_size):
        time.sleep(0.05)
    begun = time.monotonic()
    started.send_signal(number)
    _, err = started.communicate(timeout=60)
    assert started.returncode == 128 + number, err
    assert time.monotonic() - begun < 20  # two seconds on a machine with nothing else to do
    assert "Traceback" not in err
    assert "chainrule train --resume run" in err
    last = json.loads(Path("run/history.jsonl").read_text().splitlines()[-1])
    again = [sys.executable, "-m", "chainrule", "train", "--resume", "run", "--time-limit", "0.1"]
    found = subprocess.run(again, capture_output=True, text=True, timeout=120)
    assert found.returncode == 0, found.stderr
    assert f"in epoch {last['number'] + 1}" in found.stderr


def test_what_a_resumed_run_may_not_change(capsys):
    result(capsys, "penguins.csv", "--target", "species", "--epochs", "5", "-o", "run")
    code, _, err = run(capsys, "train", "--resume", "run", "--epochs", "9", "--hidden", "3")
    assert code == 2
    assert "9" in err
    assert "the run has 5" in err
    assert "hidden" in err
    code, _, _ = run(capsys, "train", "--resume", "run", "--threads", "1")
    assert code == 0
    text = Path("penguins.csv").read_text()
    Path("penguins.csv").write_text(text.replace("39.1", "39.2", 1))
    code, _, err = run(capsys, "train", "--resume", "run")
    assert code == 1
    assert "another run" in err
    assert "--force-new" in err
    code, _, err = run(capsys, "train", "--resume", "run", "--force-new")
    assert code == 0
    assert "begins anew" in err


def test_a_run_goes_on_where_its_table_lies_now(capsys):
    settings = Settings(data=("penguins.csv",), target="species", epochs=9)
    whole, stopped = Run.create(Path("whole")), Run.create(Path("stopped"))
    train(whole, settings, Silent(), stop=lambda: False)
    asked = iter([False] * 2 + [True] * 1000)
    assert train(stopped, settings, Silent(), stop=lambda: next(asked)) is None
    Path("penguins.csv").rename("moved.csv")
    code, _, err = run(capsys, "train", "--resume", "stopped", "moved.csv")
    assert code == 0
    assert "engine" not in err
    assert history("whole") == history("stopped")


def test_another_engine_is_warned_of(capsys):
    settings = Settings(data=("penguins.csv",), target="species", epochs=9, engine="reference")
    stopped = Run.create(Path("stopped"))
    asked = iter([False] * 2 + [True] * 1000)
    assert train(stopped, settings, Silent(), stop=lambda: next(asked)) is None
    code, _, err = run(capsys, "train", "--resume", "stopped", "--engine", "reference")
    assert code == 0
    assert "warning" not in err
    stopped = Run.create(Path("other"))
    asked = iter([False] * 2 + [True] * 1000)
    assert train(stopped, settings, Silent(), stop=lambda: next(asked)) is None
    code, _, err = run(capsys, "train", "--resume", "other", "--engine", "native")
    assert code == 0
    assert "began on the engine 'reference" in err


def test_one_writer_at_a_time(capsys):
    result(capsys, "penguins.csv", "--target", "species", "--epochs", "5", "-o", "run")
    holder = Run(Path("run"))
    with holder.lock():
        done = subprocess.run(
            [sys.executable, "-m", "chainrule", "train", "--resume", "run"], capture_output=True, text=True, timeout=60
        )
    assert done.returncode == 1
    assert str(os.getpid()) in done.stderr


def test_a_damaged_checkpoint_is_skipped_and_said(capsys):
    settings = Settings(data=("penguins.csv",), target="species", epochs=50, checkpoint_every=0.0)
    stopped = Run.create(Path("run"))
    asked = iter([False] * 10 + [True] * 1000)
    assert train(stopped, settings, Silent(), stop=lambda: next(asked)) is None
    newest = max(stopped.checkpoints.iterdir())
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(content)
    code, _, err = run(capsys, "train", "--resume", "run")
    assert code == 0
    assert f"{newest.name} is skipped" in err
    assert "going on after update" in err


def test_training_that_breaks_down_keeps_the_best_weights(capsys):
    options = ("--optimizer", "sgd", "--learning-rate", "1e5", "--schedule", "constant", "--validation", "0.2", "-o", "run")
    code, out, err = run(capsys, "train", "penguins.csv", "--target", "body_mass_g", *options)
    assert code == 1
    told = out + err
    assert "not finite" in told or "diverged" in told
    assert "of penguins.csv" in told
    assert "Traceback" not in told


# what cannot be done


BAD = {
    "no data": (("--target", "species"), 2, "no data"),
    "no target": (("penguins.csv",), 2, "--target"),
    "D31 unknown target": (("penguins.csv", "--target", "specie"), 2, "did you mean species?"),
    "D32 target as feature": (("penguins.csv", "--target", "species", "--features", "species,sex"), 2, "the target cannot be"),
    "D01 absent file": (("penguin.csv", "--target", "species"), 1, "penguins.csv"),
    "C03 epochs abc": (("penguins.csv", "--target", "species", "--epochs", "abc"), 2, "for example --epochs 20"),
    "C03 epochs 1e3": (("penguins.csv", "--target", "species", "--epochs", "1e3"), 2, "whole number"),
    "C03 learning rate 0,1": (("penguins.csv", "--target", "species", "--learning-rate", "0,1"), 2, "decimal point"),
    "C03 epochs 1_0": (("penguins.csv", "--target", "species", "--epochs", "1_0"), 2, "whole number"),
    "epochs 0": (("penguins.csv", "--target", "species", "--epochs", "0"), 2, "at least 1"),
    "learning rate nan": (("penguins.csv", "--target", "species", "--learning-rate", "nan"), 2, "learning_rate"),
    "dropout 1": (("penguins.csv", "--target", "species", "--dropout", "1"), 2, "below 1"),
    "unknown activation": (("penguins.csv", "--target", "species", "--activation", "rulu"), 2, "did you mean relu?"),
    "unknown optimizer": (("penguins.csv", "--target", "species", "--optimizer", "adem"), 2, "did you mean adam?"),
    "unknown split": (("penguins.csv", "--target", "species", "--split", "stratify"), 2, "did you mean stratified?"),
    "split without a column": (("penguins.csv", "--target", "species", "--split", "time"), 2, "--by"),
    "column without a split": (("penguins.csv", "--target", "species", "--by", "year"), 2, "--split"),
    "unknown column": (("penguins.csv", "--target", "species", "--leave-out", "yeer"), 2, "did you mean year?"),
    "one fold": (("penguins.csv", "--target", "species", "--folds", "1"), 2, "one fold"),
    "D36 too many folds": (("penguins.csv", "--target", "species", "--folds", "200"), 1, "class `Adelie` has fewer rows"),
    "class later only": (("later.csv", "--target", "kind", "--split", "time", "--by", "day"), 1, "`c` is in no row"),
    "class in one group": (("later.csv", "--target", "kind", "--split", "grouped", "--by", "group"), 1, "`c` is in no row"),
    "D37 regression of texts": (("penguins.csv", "--target", "species", "--task", "regression"), 1, "classification"),
    "stratified regression": (("penguins.csv", "--target", "body_mass_g", "--split", "stratified"), 2, "--split random"),
    "time by texts": (("penguins.csv", "--target", "species", "--split", "time", "--by", "island"), 1, "ordered"),
    "C02 unknown option": (("penguins.csv", "--target", "species", "--epoch", "3"), 2, "--epochs"),
    "C02 twice": (("penguins.csv", "--target", "species", "--seed", "3", "--seed", "4"), 2, "twice"),
    "D58 weights of texts": (("penguins.csv", "--target", "species", "--weights", "island"), 1, "weights must be numbers"),
    "C05 output in no folder": (("penguins.csv", "--target", "species", "-o", "penguins.csv"), 2, "file"),
    "resume nothing": (("--resume", "nowhere"), 1, "not a run folder"),
    "resume with output": (("--resume", "nowhere", "-o", "x"), 2, "--resume"),
    "config is no TOML": (("--config", "penguins.csv"), 2, "TOML"),
    "H01 too many units": (("penguins.csv", "--target", "species", "--hidden", "1000000000"), 2, "GiB"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_done_is_said(capsys, case):
    args, wanted, words = BAD[case]
    rows = [f"{'ab'[day % 2] if day < 50 else 'c'},{day},{day // 50},{day % 7}\n" for day in range(60)]
    Path("later.csv").write_text("".join(["kind,day,group,x\n", *rows]))
    code, out, err = run(capsys, "train", *args)
    assert (code, out) == (wanted, ""), err
    assert err.splitlines()[-1].startswith("error: ") or "error: " in err
    assert words in err
    assert "Traceback" not in err


def test_every_option_has_its_place_in_the_help(capsys):
    code, out, _ = run(capsys, "train", "-h")
    assert code == 0
    places = [out.index(f"\n{title}:\n") for title in ("Options", "Data", "Split", "Network", "Training", "Run")]
    assert places == sorted(places)
    for name in NAMES[1:]:
        assert out.count(f"  --{name.replace('_', '-')} ") == 1


def test_all_mistakes_in_the_settings_at_once(capsys):
    Path("bad.toml").write_text('[data]\ntarget = 3\n[training]\nepochs = "x"\nlerning_rate = 1\n[wrong]\n')
    code, _, err = run(capsys, "train", "--config", "bad.toml")
    assert code == 2
    assert err.count("error: ") == 4
    assert "did you mean learning_rate?" in err


def test_m19_a_run_is_not_overwritten_unasked(capsys):
    result(capsys, "penguins.csv", "--target", "species", "--epochs", "5", "-o", "run")
    code, _, err = run(capsys, "train", "penguins.csv", "--target", "species", "-o", "run")
    assert code == 2
    assert "--overwrite" in err
    found = result(capsys, "penguins.csv", "--target", "sex", "--epochs", "5", "-o", "run", "--overwrite")
    assert found["run"] == "run"
    Path("full").mkdir()
    Path("full/precious.txt").write_text("x")
    code, _, err = run(capsys, "train", "penguins.csv", "--target", "species", "-o", "full", "--overwrite")
    assert code == 2
    assert Path("full/precious.txt").exists()


# predict and evaluate


@pytest.fixture
def trained(capsys):
    result(capsys, "penguins.csv", "--target", "species", "--epochs", "30", "-o", "run")
    return "run"


def rows_of(out):
    return [line.split(",") for line in out.splitlines()]


def test_predictions_do_not_depend_on_the_order_of_columns(capsys, trained):
    _, out, _ = run(capsys, "predict", trained, "penguins.csv", "--probabilities")
    rows = rows_of(Path("penguins.csv").read_text())
    order = [5, 2, 7, 0, 1, 6, 4, 3]
    Path("other.csv").write_text("\n".join(",".join(row[place] for place in order) for row in rows) + "\n")
    code, again, _ = run(capsys, "predict", trained, "other.csv", "--probabilities")
    assert (code, again) == (0, out)
    Path("bare.csv").write_text("\n".join(",".join(row[1:]) for row in rows) + "\n")  # without the answers
    code, again, _ = run(capsys, "predict", f"{trained}/model.safetensors", "bare.csv", "--probabilities")
    assert (code, again) == (0, out)
    table = rows_of(out)
    assert table[0] == [
        "species predicted", "probability of Adelie", "probability of Chinstrap", "probability of Gentoo",
    ]  # fmt: skip
    assert len(table) == 345
    sums = [sum(map(float, row[1:])) for row in table[1:]]
    np.testing.assert_allclose(sums, 1, atol=1e-12)


def test_d43_missing_and_extra_columns(capsys, trained):
    rows = rows_of(Path("penguins.csv").read_text())
    Path("other.csv").write_text("\n".join(",".join([*row[:4], *row[5:], "x"]) for row in rows).replace("x", "extra", 1) + "\n")
    code, _, err = run(capsys, "predict", trained, "other.csv")
    assert code == 1
    assert "flipper_length_mm" in err
    assert "extra" in err


def test_d44_unseen_categories(capsys, trained):
    text = Path("penguins.csv").read_text().replace("Torgersen", "Atlantis", 2)
    Path("other.csv").write_text(text)
    code, out, err = run(capsys, "predict", trained, "other.csv")
    assert code == 0
    assert "Atlantis" in err
    assert "2 rows" in err
    assert len(out.splitlines()) == 345
    code, _, err = run(capsys, "predict", trained, "other.csv", "--unseen", "error")
    assert code == 1
    assert "other.csv:2" in err
    assert "Atlantis" in err


def test_evaluation_agrees_with_the_predictions(capsys, trained):
    code, out, _ = run(capsys, "evaluate", trained, "penguins.csv", "--json")
    assert code == 0
    found = json.loads(out)
    _, out, _ = run(capsys, "predict", trained, "penguins.csv", "--along", "species")
    table = rows_of(out)[1:]
    assert found["rows"] == 344
    assert found["model"]["accuracy"] == np.mean([row[0] == row[1] for row in table])
    code, out, _ = run(capsys, "evaluate", trained, "penguins.csv")
    assert code == 0
    assert "actual \\ predicted" in out
    assert out.startswith(f"{round(found['model']['accuracy'] * 344)} of 344 rows are right: ")


@pytest.mark.parametrize(("target", "words"), [("species", "Of 69 rows held out"), ("body_mass_g", "On 68 ")])
def test_weighted_rows_are_told_as_such(capsys, target, words):
    code, out, _ = run(capsys, "train", "penguins.csv", "--target", target, "--weights", "year", "--epochs", "2")
    assert code == 0
    assert words in out
    assert "by their weights" in out.replace("\n", " ")
    code, out, _ = run(capsys, "evaluate", "runs/penguins-1", "penguins.csv")
    assert "()" not in out


def test_d42_rows_that_the_model_was_trained_on(capsys, trained):
    lines = Path("penguins.csv").read_text().splitlines()
    other = [line.replace(",female,", ",male,").replace("2007", "2011") for line in lines[1:21]]
    Path("other.csv").write_text("\n".join([lines[0], *lines[1:8], *other]) + "\n")
    code, _, err = run(capsys, "evaluate", trained, "other.csv")
    assert code == 0
    assert "7 of 27 rows stand in the table of the training run too" in err
    code, _, err = run(capsys, "evaluate", f"{trained}/model.safetensors", "other.csv")
    assert (code, "training run" in err) == (0, False)


def test_predictions_in_files(capsys, trained):
    import duckdb

    _, out, _ = run(capsys, "predict", trained, "penguins.csv", "--probabilities", "--along", "island")
    for name in ("found.csv", "found.parquet"):
        code, said, _ = run(capsys, "predict", trained, "penguins.csv", "--probabilities", "--along", "island", "-o", name)
        assert (code, said) == (0, "")
    assert Path("found.csv").read_text() == out
    table = duckdb.sql("select * from 'found.parquet'").fetchall()
    assert len(table) == 344
    assert [row[0] for row in table] == [row[0] for row in rows_of(out)[1:]]
    np.testing.assert_array_equal([row[2] for row in table], [float(row[2]) for row in rows_of(out)[1:]])
    code, _, err = run(capsys, "predict", trained, "penguins.csv", "-o", "nowhere/found.csv")
    assert code == 2
    code, _, err = run(capsys, "predict", trained, "penguins.csv", "-o", "penguins.csv")
    assert code == 2
    assert "replace what is read" in err


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_predictions_as_json_are_numbers(capsys, dtype):
    result(capsys, "penguins.csv", "--target", "species", "--epochs", "2", "--dtype", dtype, "-o", "run")
    code, out, _ = run(capsys, "predict", "run", "penguins.csv", "--probabilities", "--along", "island", "--json")
    assert code == 0
    first = json.loads(out.splitlines()[0])
    assert first["island"] == "Torgersen"
    assert [type(value) for value in first.values()] == [str, str, float, float, float]


def test_a_line_of_progress_fits_the_terminal(monkeypatch):
    progress = TrainingProgress(quiet=True)
    for number in range(1, 40):
        progress.epoch(Epoch(number, 9 * number, 1.23456 / number, 0.0, 0.01, 2.3456 / number, remaining=4000.0), "held_out")
    monkeypatch.setattr("chainrule.cli.progress._unicode", lambda: True)
    for room in (20, 60, 79, 100, 200):
        line = progress._line(progress.epochs[-1], room)
        assert len(line) <= room
        assert line.count("█") == (2 if room >= 79 else 0)


def test_formulas_are_guarded(capsys, tmp_path):
    names = ["=1+1", "@x", "-2", "+cmd|' /C calc'!A0", "plain", "-x", "＝y"]
    lines = ["name,x,kind"] + [f'"{names[k % len(names)]}",{k % 7},{"=live" if k % 7 < 3 else "b"}' for k in range(140)]
    Path("t.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    result(capsys, "t.csv", "--target", "kind", "--epochs", "30", "-o", "run")
    _, out, _ = run(capsys, "predict", "run", "t.csv", "--along", "name")
    found = rows_of(out)[1:]
    for (name, kind), wanted in zip(found, (names * 20), strict=True):
        expected = wanted if wanted in ("plain", "-2") else "'" + wanted
        assert name.strip('"') == expected
        assert kind in ("'=live", "b")
    _, out, _ = run(capsys, "predict", "run", "t.csv", "--along", "name", "--no-guard")
    assert rows_of(out)[1][0] == "=1+1"


@pytest.mark.parametrize("text", ["=1", "+x", "-x", "@x", "\tx", "\rx", "＝x", "＋x", "－x", "＠x", "=cmd|' /C calc'!A0"])
def test_live_cells_begin_with_an_apostrophe(text):
    found = predicting.as_csv(predicting.Predictions(("a", "=b"), ([text, "-1.5e3"], np.array([1.0, -2.0]))))
    assert next(csv.reader([found.splitlines()[0]])) == ["a", "'=b"]
    rows = list(csv.reader(io.StringIO(found, newline="")))
    assert rows[1:] == [["'" + text, "1"], ["-1.5e3", "-2"]]


def test_what_is_no_model_is_refused(capsys, trained):
    code, _, err = run(capsys, "predict", "penguins.csv", "penguins.csv")
    assert code == 1
    assert "error: " in err
    code, _, err = run(capsys, "predict", "nowhere", "penguins.csv")
    assert code == 1
    assert "nowhere" in err
    with pytest.raises((InputError, RunError)):
        models.load("penguins.csv")


def test_a_column_that_is_left_out_is_not_looked_at(capsys):
    text = Path("penguins.csv").read_text().splitlines()
    Path("odd.csv").write_text("\n".join(f"{line},{'when' if k == 0 else '31.1.2020'}" for k, line in enumerate(text)) + "\n")
    code, _, err = run(capsys, "train", "odd.csv", "--target", "species", "--epochs", "5", "--leave-out", "when", "-o", "run")
    assert code == 0, err
    model = models.load("run/model.safetensors")
    assert {column.name: column.sentence for column in model.preparation.columns}["when"] == "left out: as asked for"
    code, _, err = run(capsys, "train", "odd.csv", "--target", "species", "--leave-out", "whem", "-o", "other")
    assert code == 2
    assert "did you mean when?" in err


def test_evaluation_counts_rows_by_their_weights(capsys):
    text = Path("penguins.csv").read_text().splitlines()
    Path("odd.csv").write_text("\n".join(f"{line},{'counts' if k == 0 else k % 3}" for k, line in enumerate(text)) + "\n")
    result(capsys, "odd.csv", "--target", "species", "--epochs", "3", "--weights", "counts", "-o", "run")
    code, out, _ = run(capsys, "evaluate", "run", "odd.csv", "--json")
    assert code == 0
    _, told, _ = run(capsys, "predict", "run", "odd.csv", "--along", "species,counts")
    rows = rows_of(told)[1:]
    right = sum(int(row[1]) for row in rows if row[0] == row[2])
    assert json.loads(out)["model"]["accuracy"] == pytest.approx(right / sum(int(row[1]) for row in rows), abs=1e-12)
