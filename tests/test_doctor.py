"""The doctor, on trainings that are broken on purpose and on healthy ones; and the signals that it goes by."""

import csv
import json
import math
import shutil
import signal
from pathlib import Path

import numpy as np
import pytest

import chainrule
from chainrule import doctor, draws, examining, importance, models, recording, signals
from chainrule.cli import main
from chainrule.course import Checkpoint, Rows
from chainrule.doctor import Finding
from chainrule.engines import Task, reference
from chainrule.evidence import Evidence
from chainrule.network import Network
from chainrule.rules.layers import BatchNorm, Dense, Dropout
from chainrule.rules.losses import MeanSquaredError
from chainrule.rules.optimizers import SGD, Adam
from chainrule.runs import Run
from chainrule.settings import Settings

PENGUINS = Path(chainrule.__file__).parent / "examples" / "penguins.csv"


def table(name, header, rows):
    with open(name, "w", newline="") as stream:
        csv.writer(stream).writerows([header, *rows])


def regression(rows=300, inputs=6, noise=0.3, seed=1):
    """A number that follows from some columns, and noise."""
    x = draws.normal(seed, "probe", 0, 0, (rows, inputs))
    y = x[:, 0] - 2 * x[:, 1] + x[:, 2] * x[:, 3] + noise * draws.normal(seed, "probe", 1, 0, (rows,))
    table("numbers.csv", [*(f"x{k}" for k in range(1, inputs + 1)), "y"], np.column_stack([x, y]).round(4).tolist())


def rare():
    """Two classes, one of them with a twentieth of the rows, and not easily told apart."""
    x = draws.normal(2, "probe", 0, 0, (1200, 4))
    score = x[:, 0] + x[:, 1] + 1.2 * draws.normal(2, "probe", 1, 0, (1200,))
    yes = score > np.quantile(score, 0.95)
    table(
        "rare.csv",
        ["a", "b", "c", "d", "fraud"],
        [[*map(str, row), "yes" if y else "no"] for row, y in zip(x, yes, strict=True)],
    )


def given_away():
    """A column that is the target under another name, among others."""
    x = draws.normal(3, "probe", 0, 0, (300, 3))
    kind = (x[:, 0] > 0).astype(int)
    paid = kind * 2 - 1 + 0.3 * draws.uniform(3, "probe", 2, 0, (300,))
    rows = [[*row[1:], p, ("no", "yes")[k]] for row, p, k in zip(x.round(3).tolist(), paid, kind, strict=True)]
    table("leak.csv", ["a", "b", "paid", "buys"], rows)


def nothing():
    """A target that has nothing to do with the columns."""
    x = draws.normal(4, "probe", 0, 0, (400, 5))
    y = draws.normal(4, "probe", 1, 0, (400,))
    table("numbers.csv", [*"abcde", "y"], np.column_stack([x, y]).round(4).tolist())


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


def found(capsys):
    """What the doctor says of the run in run/, but for what is said of the data."""
    code, out, err = run(capsys, "doctor", "run", "--json")
    assert code == 0, err
    return [finding for finding in json.loads(out) if finding["kind"] != "data"]


PLAIN = ("--schedule", "constant", "--optimizer", "sgd", "--weight-decay", "0")
SPECIES = ("penguins.csv", "--target", "species")
NUMBERS = ("numbers.csv", "--target", "y")
DEEP = ("--hidden", "16,16,16,16,16,16,16,16,16,16")

BROKEN = {
    # how the table is made, the command, the kind that must be found, its severity, and what the advice must name
    "ten sigmoid layers": (
        None,
        (*SPECIES, *DEEP, "--activation", "sigmoid", "--epochs", "20"),
        "vanishing",
        "serious",
        "--norm",
    ),
    "ten sigmoid layers, sgd": (
        None,
        (*SPECIES, *DEEP, *PLAIN, "--activation", "sigmoid", "--learning-rate", "0.1", "--epochs", "20"),
        "vanishing",
        "serious",
        "--activation relu",
    ),
    "learning rate 1000": (None, (*SPECIES, *PLAIN, "--learning-rate", "1000"), "exploding", "serious", "--clip-norm"),
    "learning rate 1000, adamw": (None, (*SPECIES, "--learning-rate", "1000"), "diverged", "serious", "--clip-norm"),
    "learning rate 3, adamw": (
        None,
        (*SPECIES, "--activation", "relu", "--learning-rate", "3", "--schedule", "constant", "--weight-decay", "1"),
        "diverged",
        "serious",
        "--clip-norm",
    ),
    "learning rate 1e-7": (
        None, (*SPECIES, "--learning-rate", "1e-7"), "learning rate too low", "serious", "--learning-rate 0.001",
    ),
    "learning rate 1e-6, sgd": (
        None,
        (*SPECIES, *PLAIN, "--learning-rate", "1e-6", "--epochs", "30"),
        "learning rate too low",
        "serious",
        "--learning-rate 0.0",
    ),
    "weight decay 1 as a penalty": (
        None,
        (*SPECIES, *PLAIN[:4], "--weight-decay", "1", "--learning-rate", "0.05", "--epochs", "40"),
        "weights fade",
        "serious",
        "--weight-decay 0.01",
    ),
    "learned by heart": (
        lambda: regression(80, 12, 2.5),
        (*NUMBERS, "--hidden", "128,128", "--weight-decay", "0", "--dropout", "0", "--epochs", "300"),
        "overfitting",
        "warning",
        "--dropout",
    ),
    "learned by heart, and watched": (
        lambda: regression(120, 12, 2.5),
        (*NUMBERS, "--hidden", "128,128", "--weight-decay", "0", "--validation", "0.3", "--epochs", "200", "--patience", "200"),
        "overfitting",
        "note",
        "--patience",
    ),
    "cut short": (
        regression,
        (*NUMBERS, "--preset", "textbook", "--learning-rate", "0.01", "--epochs", "12"),
        "unfinished",
        "note",
        "--epochs 24",
    ),
    "no time": (regression, (*NUMBERS, "--epochs", "10000000", "--time-limit", "0.3"), "unfinished", "note", "--time-limit"),
    "nothing to be learned": (nothing, NUMBERS, "no better than the baseline", "serious", "columns"),
    "a line would do": (
        lambda: regression(90, 40, 1.0),
        (*NUMBERS, "--hidden", "128,128", "--weight-decay", "0", "--dropout", "0", "--epochs", "60"),
        "no better than linear",
        "warning",
        "--hidden none",
    ),
    "a rare class": (rare, ("rare.csv", "--target", "fraud"), "class imbalance", "warning", "--class-weight balanced"),
    "a column that is the target": (given_away, ("leak.csv", "--target", "buys"), "leak", "warning", "--leave-out 'paid'"),
    "steps too long": (
        regression,
        (*NUMBERS, "--optimizer", "adam", "--learning-rate", "0.1", *PLAIN[:2], *PLAIN[4:], "--epochs", "40"),
        "exploding",
        "warning",
        "smaller --learning-rate",
    ),
    "tanh at its ends": (
        None,
        (*SPECIES, *PLAIN, "--activation", "tanh", "--learning-rate", "20", "--epochs", "12", "--clip-norm", "5"),
        "saturation",
        "warning",
        "--norm layer",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", list(BROKEN))
def test_a_broken_training_is_found_out(capsys, case):
    make, command, kind, severity, advice = BROKEN[case]
    if make is not None:
        make()
    run(capsys, "train", *command, "--quiet", "-o", "run")
    said = found(capsys)
    assert kind in [finding["kind"] for finding in said], said
    (finding,) = [each for each in said if each["kind"] == kind][:1]
    assert finding["severity"] == severity
    assert advice in finding["do"]
    assert finding["what"].endswith(".")
    assert finding["do"].endswith(".")
    assert all(value is None or not isinstance(value, float) or value == value for value in finding["numbers"].values())


HEALTHY = {
    "species": (None, SPECIES),
    "species, with validation": (None, (*SPECIES, "--validation", "0.2")),
    "species, relu": (None, (*SPECIES, "--activation", "relu")),
    "species, as in a textbook": (None, (*SPECIES, "--preset", "textbook")),
    "species, no hidden layer": (None, (*SPECIES, "--hidden", "none")),
    "species, with norms": (None, (*SPECIES, "--norm", "layer")),
    "species, batch norm and dropout": (None, (*SPECIES, "--norm", "batch", "--dropout", "0.2")),
    "two classes": (None, ("penguins.csv", "--target", "sex")),
    "body mass": (None, ("penguins.csv", "--target", "body_mass_g")),
    "flipper length, tanh": (None, ("penguins.csv", "--target", "flipper_length_mm", "--activation", "tanh")),
    "numbers": (regression, NUMBERS),
    "numbers in float32": (regression, (*NUMBERS, "--dtype", "float32")),
    "a rare class that counts more": (rare, ("rare.csv", "--target", "fraud", "--class-weight", "balanced")),
}


@pytest.mark.parametrize("case", list(HEALTHY))
def test_of_a_healthy_training_nothing_is_said(capsys, case):
    make, command = HEALTHY[case]
    if make is not None:
        make()
    code, out, err = run(capsys, "train", *command, "--quiet", "-o", "run")
    assert code == 0, err
    assert found(capsys) == []
    assert "warning  " not in out
    assert "serious" not in out


def test_findings_stand_at_the_end_of_training_and_in_the_report(capsys):
    rare()
    code, out, err = run(capsys, "train", "rare.csv", "--target", "fraud", "-o", "run")
    assert code == 0, err
    assert "warning  class imbalance: The class 'yes' is rare" in out
    again = run(capsys, "doctor", "run")
    assert again[0] == 0
    assert again[1].split() == out[min(out.index(each) for each in ("serious", "warning")) : out.index("model    run")].split()
    assert "class imbalance" in Path("run/report.html").read_text("utf-8")
    code, out, err = run(capsys, "train", "rare.csv", "--target", "fraud", "-o", "other", "--json")
    assert "class imbalance" in [finding["kind"] for finding in json.loads(out)["findings"]]


def test_a_healthy_run_is_said_to_be_one(capsys):
    run(capsys, "train", *SPECIES, "--quiet", "-o", "run")
    assert run(capsys, "doctor", "run")[1] == "nothing stands out\n"


def test_no_run_folder(capsys):
    code, out, err = run(capsys, "doctor", "penguins.csv")
    assert code == 1
    assert "not a run folder" in err
    assert not out


def test_what_a_run_ends_with_is_what_its_folder_tells(capsys):
    """The evidence of the end and the evidence of the folder are the same, so the doctor says the same."""
    rare()
    kept = []
    train = recording.examining.evidence

    def keep(*args):
        kept.append(train(*args))
        return kept[-1]

    recording.examining.evidence = keep
    try:
        run(capsys, "train", "rare.csv", "--target", "fraud", "--quiet", "-o", "run")
    finally:
        recording.examining.evidence = train
    later = examining.of_run(Run.opened(Path("run")))
    (first,) = kept
    assert doctor.findings(first) == doctor.findings(later)
    assert first.data() == later.data()
    assert json.loads(json.dumps(first.data())) == first.data()


# rules whose causes are made by hand: measured on a network, or written into a history


def layers(**changes):
    """A history of two measurements of a network with two hidden layers, healthy but for the changes of the last one."""
    each = {"z": [0.0, 1.0], "a": [0.4, 0.6], "dead": 0.0, "weights": 5.0, "gradient": 0.1, "spread": 0.01, "delta": 0.1}
    each["update"] = 1e-3
    first = [{**each, "layer": number} for number in (1, 2, 3)]
    last = [{**layer, **changes} if layer["layer"] == 2 else layer for layer in first]
    told = [{"number": k, "updates": k, "loss": 1 / k, "held_out": 1 / k + 0.01, "signals": None} for k in range(1, 9)]
    told[0]["signals"], told[7]["signals"] = {"layers": first}, {"layers": last}
    return told


BY_HAND = {
    "dead units": ({"dead": 0.75}, "dead units", "75%"),
    "saturated": ({"saturated": 0.9}, "saturation", "90%"),
    "a gradient that grew": ({"gradient": 2000.0}, "exploding", "20,000 times"),
    "a gradient beyond all bounds": ({"gradient": None}, "exploding", "beyond all bounds"),
}


@pytest.mark.parametrize("case", list(BY_HAND))
def test_signals_made_by_hand(case):
    changes, kind, told = BY_HAND[case]
    evidence = Evidence(Settings(data=("a",), target="y"), "number", layers(**changes), "epochs", kept=8)
    (finding,) = doctor.findings(evidence)
    assert finding.kind == kind
    assert told in finding.what
    assert "hidden layer 2" in finding.what
    assert str(finding) == f"{finding.what} {finding.do}"
    assert doctor.findings(Evidence(Settings(data=("a",), target="y"), "number", layers(), "epochs", kept=8)) == ()


CURVES = {
    # the training loss of each epoch (what is had without learning is 1), and the kind that must be found
    "jumps": ([0.5, 0.9] * 10, "learning rate too high"),
    "rises again": ([1 / k for k in range(1, 11)] + [0.1 * k for k in range(1, 8)], "learning rate too high"),
    "explodes and comes down": ([30.0] + [1 / k for k in range(1, 20)], "exploding"),
    "still falls": ([2 - k / 10 for k in range(15)], "unfinished"),
    "levels off": ([0.9**k for k in range(60)], None),
    "is 0 from the beginning": ([0.0] * 20, None),
    "goes up and down a little": ([0.2 + 0.02 * (k % 2) for k in range(30)], None),
    "has one epoch": ([0.4], None),
    "stays where it began": ([1.0] * 20, "underfitting"),
}


@pytest.mark.parametrize("case", list(CURVES))
def test_curves_made_by_hand(case):
    losses, kind = CURVES[case]
    history = [{"number": k, "updates": k, "loss": loss} for k, loss in enumerate(losses, 1)]
    for entry in history[:1]:
        entry["signals"] = {"layers": [{"layer": 1, "spread": 0.1, "gradient": 0.1, "update": 0.01, "weights": 1.0}]}
    settings = Settings(data=("a",), target="y", learning_rate=0.01, schedule="constant")
    said = [each.kind for each in doctor.findings(Evidence(settings, "number", history, "epochs", kept=len(losses)))]
    assert said == ([] if kind is None else [kind])


def test_of_no_history_nothing_is_said():
    assert doctor.findings(Evidence(Settings())) == ()
    assert doctor.findings(Evidence(Settings(), "classes", [{"number": 1, "updates": 3, "loss": None}], counts=(3, 4))) == ()


KINDS = {
    "diverged", "exploding", "vanishing", "dead units", "saturation", "weights fade", "underfitting", "overfitting",
    "learning rate too low", "learning rate too high", "unfinished", "no better than the baseline", "no better than linear",
}  # fmt: skip


def test_no_two_kinds_hide_each_other():
    assert set(doctor.EXPLAINED).union(*doctor.EXPLAINED.values()) <= KINDS
    for effect, causes in doctor.EXPLAINED.items():
        assert not any(effect in doctor.EXPLAINED.get(cause, ()) for cause in causes)


def test_what_is_not_understood_in_a_record_is_left_out():
    made = Evidence.made(Settings(), [], None, {"task": "number", "from a later version": 3})
    assert made.task == "number"
    assert doctor.findings(made) == ()


# signals


def probe_of(network, rows=40, seed=5):
    x = draws.normal(seed, "probe", 0, 0, (rows, network.inputs))
    t = draws.normal(seed, "probe", 1, 0, (rows, network.outputs))
    return Rows(x, t)


def measure(network, rows, optimizer=SGD(0.1), rate=0.1):
    at = Checkpoint(network.parameters, network.memory)
    return signals.measured(network, at, rows, optimizer, rate)


def test_units_that_no_row_moves_are_dead():
    network = Network([Dense(8, "relu"), Dense(6, "relu"), Dense(1)], 3, MeanSquaredError(), seed=1)
    views = network.views(network.parameters)
    views[0]["b"][:5] = -1000.0
    views[1]["b"][:] = -1000.0
    told = measure(network, probe_of(network))["layers"]
    assert [layer.get("dead") for layer in told] == [5 / 8, 1.0, None]
    assert told[0]["gradient"] == 0.0
    assert told[2]["gradient"] == 0.0
    assert doctor.DEAD <= 5 / 8


def test_a_network_with_bias_minus_ten_is_found_dead():
    network = Network([Dense(8, "relu"), Dense(8, "relu"), Dense(1)], 3, MeanSquaredError(), seed=1)
    for layer in network.views(network.parameters)[:2]:
        layer["b"][:] = -10.0
    entry = {"number": 1, "updates": 1, "loss": 0.5, "signals": measure(network, probe_of(network))}
    kinds = [finding.kind for finding in doctor.findings(Evidence(Settings(), "number", [entry], "epochs", kept=1))]
    assert kinds == ["dead units", "dead units"]


def test_saturated_outputs_are_counted():
    network = Network([Dense(5, "tanh"), Dense(1)], 3, MeanSquaredError(), seed=1)
    rows = probe_of(network)
    views = network.views(network.parameters)
    views[0]["W"][:] *= 4
    a = np.tanh(rows.x @ views[0]["W"].T + views[0]["b"])
    told = measure(network, rows)["layers"][0]
    assert told["saturated"] == pytest.approx((np.abs(a) > 0.98).mean())
    assert 0 < told["saturated"] < 1
    assert told["a"] == pytest.approx([a.mean(), a.std()], rel=1e-5)


NETWORKS = {
    "plain": ([Dense(7, "sigmoid"), Dense(4, "tanh"), Dense(2)], 3),
    "norm and dropout": ([Dense(7), BatchNorm(), "relu", Dropout(0.3), Dense(2)], 4),
    "one layer": ([Dense(2)], 5),
}


@pytest.mark.parametrize("case", list(NETWORKS))
@pytest.mark.parametrize("optimizer", [SGD(0.1), Adam(0.01)], ids=["sgd", "adam"])
def test_signals_are_what_the_engine_computes(case, optimizer):
    """Gradients and the step: those of one update of all rows by a session of its own."""
    rules, inputs = NETWORKS[case]
    network = Network(rules, inputs, MeanSquaredError(), seed=3)
    rows = probe_of(network)
    session = reference.Session(Task(network, rows.x, rows.t, optimizer, None, None))
    before, loss = np.array(session.parameters), session.advance([slice(None)], [0.05])[0]
    told = measure(network, rows, optimizer, 0.05)
    assert told["loss"] == pytest.approx(loss, rel=1e-5)
    for layer in told["layers"]:
        (span,) = [span for span in network.spans if (span.layer, span.symbol) == (layer["layer"], "W")]
        old, new = (each[span.start : span.stop] for each in (before, session.parameters))
        assert layer["update"] == pytest.approx(np.linalg.norm(new - old) / np.linalg.norm(old), rel=1e-4)
        assert layer["weights"] == pytest.approx(np.linalg.norm(old), rel=1e-5)
        if optimizer.name == "sgd":
            assert layer["gradient"] == pytest.approx(np.linalg.norm(new - old) / 0.05, rel=1e-4)
        assert layer["spread"] == pytest.approx(layer["gradient"] / math.sqrt(span.stop - span.start), rel=1e-4)


def test_measuring_changes_nothing(capsys, monkeypatch):
    """The same run with and without signals: the same parameters after every epoch, and in the model."""
    run(capsys, "train", *SPECIES, "--epochs", "9", "--dropout", "0.2", "--norm", "batch", "--quiet", "-o", "with")
    monkeypatch.setattr(signals, "due", lambda epoch: False)
    run(capsys, "train", *SPECIES, "--epochs", "9", "--dropout", "0.2", "--norm", "batch", "--quiet", "-o", "without")
    one, other = (Run(Path(folder)).history() for folder in ("with", "without"))
    assert [entry["number"] for entry in one if "signals" in entry] == [1, 2, 4, 8, 9]
    assert [entry["number"] for entry in other if "signals" in entry] == [9]
    assert [entry["parameters"] for entry in one] == [entry["parameters"] for entry in other]
    one, other = (models.load(Path(folder) / "model.safetensors").network for folder in ("with", "without"))
    np.testing.assert_array_equal(one.parameters, other.parameters)


def test_signals_that_are_not_finite_are_none():
    network = Network([Dense(3, "relu"), Dense(1)], 2, MeanSquaredError(), seed=1)
    network.parameters[:] = 1e200
    told = measure(network, Rows(np.full((4, 2), 1e200), np.zeros((4, 1))))
    assert told["loss"] is None
    json.dumps(told, allow_nan=False)


def test_the_probe_is_fixed_by_the_seed_and_spread_over_the_rows():
    x = np.arange(100_000.0).reshape(-1, 1)
    one, other, third = (signals.probe(Rows(x, x), seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.x, other.x)
    assert not np.array_equal(one.x, third.x)
    assert len(one.x) == signals.MOST == len(np.unique(one.x))
    assert (np.diff(one.x[:, 0]) > 0).all()
    assert np.histogram(one.x, 16, (0, 100_000))[0].tolist() == [16] * 16
    assert len(signals.probe(Rows(x[:1000], x[:1000]), 1).x) == signals.FEW
    assert len(signals.probe(Rows(x[:9], x[:9]), 1).x) == 9
    weighted = signals.probe(Rows(x, x, x[:, 0]), 1)
    np.testing.assert_array_equal(weighted.weight, weighted.x[:, 0])


def test_epochs_that_are_measured():
    assert [epoch for epoch in range(1, 1000) if signals.due(epoch)] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]


# importance


def test_what_decides_the_target_is_important(capsys):
    x = draws.normal(6, "probe", 0, 0, (500, 4))
    kind = np.where(x[:, 1] > 0, "up", "down")
    rows = [[*row, str(draw), k] for row, draw, k in zip(x.tolist(), (x[:, 2] > 1).astype(int), kind, strict=True)]
    table("kinds.csv", ["a", "b", "c", "d", "e", "kind"], rows)
    run(capsys, "train", "kinds.csv", "--target", "kind", "--quiet", "-o", "run")
    model = models.load("run/model.safetensors")
    made = examining.of_run(Run.opened(Path("run")))
    assert made.weighs[0][0] == "b"
    assert made.weighs[0][1] > 0.3
    assert all(abs(worse) < 0.05 for _, worse in made.weighs[1:])
    assert model.about["record"]["weighs"] == [[name, worse] for name, worse in made.weighs]


@pytest.fixture
def mass(capsys):
    """A model of the penguins' mass, its table, and the rows that have a mass."""
    from chainrule import preparing, tables

    run(capsys, "train", "penguins.csv", "--target", "body_mass_g", "--quiet", "-o", "run")
    read = tables.read("penguins.csv")
    return models.load("run/model.safetensors"), read, preparing.labelled(read, "body_mass_g")[0]


def test_importance_is_a_function_of_model_rows_and_seed(mass):
    model, read, rows = mass
    one, other, third = (importance.importance(model, read, rows, seed) for seed in (7, 7, 8))
    assert one == other
    assert one != third
    assert one.measure == "error"
    assert one.rows == one.of == 342
    assert {name for name, _, _ in one.columns} == set(read.names) - {"body_mass_g"}
    assert [worse for _, worse, _ in one.columns] == sorted((worse for _, worse, _ in one.columns), reverse=True)


def test_importance_exchanges_all_inputs_of_a_column(mass):
    """Exchanging the cells of a category in the table gives the same as exchanging its inputs together."""
    model, read, rows = mass
    found = {name: worse for name, worse, _ in importance.importance(model, read, rows, 7).columns}
    names = [column.name for column in model.preparation.used]
    actual = np.asarray(read.column("body_mass_g").values)[rows]
    held = read.take(rows)
    error = np.abs(model.goal.values(model.outputs(held)) - actual).mean()
    for name in ("species", "sex", "bill_length_mm"):
        grown = []
        for repeat in range(importance.REPEATS):
            words = draws.words(7, "importance", repeat + 1, names.index(name) + 1, len(rows))
            mixed = np.argsort(words, kind="stable")
            columns = [held.take(mixed).column(each.name) if each.name == name else each for each in held.columns]
            changed = type(held)(held.files, held.rows, tuple(columns))
            grown.append(np.abs(model.goal.values(model.outputs(changed)) - actual).mean() - error)
        assert found[name] == pytest.approx(np.mean(grown), rel=1e-9)


def test_importance_of_much_looks_at_fewer_rows(mass, monkeypatch):
    model, read, rows = mass
    monkeypatch.setattr(importance, "WORK", 1.0)
    found = importance.importance(model, read, rows, 7)
    assert (found.rows, found.of) == (importance.FEWEST, 342)
    assert found == importance.importance(model, read, rows, 7)


def test_every_finding_reads_as_a_sentence():
    assert str(Finding("kind", "note", "What.", "Do.")) == "What. Do."
    assert str(Finding("kind", "note", "What.")) == "What."
