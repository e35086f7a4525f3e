"""An update of a recorded run, done again, is what was recorded while it trained: every number of it, to the last bit."""

import json
import shutil
import zlib
from pathlib import Path

import numpy as np
import pytest

import chainrule
from chainrule import files
from chainrule.engines import native
from chainrule.errors import InputError, RunError
from chainrule.naming import Cell, cell_id
from chainrule.replay import open_run, replay
from chainrule.replay.shares import parameter, shares
from chainrule.replay.telling import opened, recorded_number
from chainrule.rules.layers import BatchNorm
from chainrule.runs import Run
from recorded_runs import PENGUINS, trained

NUMBERS = 200

KINDS = {
    "as it comes": {"epochs": 6},
    "textbook": {"preset": "textbook", "epochs": 5},
    "nesterov float32 dropout": {"optimizer": "nesterov", "dtype": "float32", "dropout": 0.3, "batch_size": 7, "epochs": 3},
    "adam batch norm": {"optimizer": "adam", "norm": "batch", "hidden": (9,), "weight_decay": 0.01, "epochs": 4},
    "nadam layer norm": {"optimizer": "nadam", "norm": "layer", "hidden": (8, 5), "dropout": 0.1, "epochs": 4},
    "rmsprop reference": {"optimizer": "rmsprop", "engine": "reference", "clip_norm": 0.1, "epochs": 3, "dropout": 0.2},
    "momentum, validation": {"optimizer": "momentum", "validation": 0.2, "patience": 2, "learning_rate": 0.01, "epochs": 12},
    "adagrad, all rows at once": {"optimizer": "adagrad", "batch_size": 1000, "weight_decay": 0.0, "epochs": 40},
    "rows on disk": {"memory": 0.01, "epochs": 3},
    "a number": {"target": "body_mass_g", "epochs": 4},
    "weighted, yes or no": {"target": "sex", "class_weight": "balanced", "weights": "year", "epochs": 4, "hidden": (6,)},
    "checkpoints everywhere": {"checkpoint_every": 0.0, "epochs": 30},
    "stopped and gone on with": {"checkpoint_every": 0.0, "epochs": 40, "stops": 3, "batch_size": 3},
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Each kind of run, trained once: its folder, and all that happened in it."""
    made = {}
    with pytest.MonkeyPatch.context() as patch:

        def get(kind):
            if kind not in made:
                folder = tmp_path_factory.mktemp("runs") / "run"
                made[kind] = folder, trained(patch, folder, **KINDS[kind])
            return made[kind]

        yield get


def bits(array):
    return np.ascontiguousarray(array).tobytes()


def same_state(one, other):
    assert [list(layer) for layer in one] == [list(layer) for layer in other]
    for layer, others in zip(one, other, strict=True):
        for symbol, slots in layer.items():
            assert {name: bits(values) for name, values in slots.items()} == {
                name: bits(values) for name, values in others[symbol].items()
            }


@pytest.mark.parametrize("kind", KINDS)
def test_a_replay_is_what_was_recorded(runs, kind):
    folder, kept = runs(kind)
    run = open_run(folder)
    assert run.updates == max(kept)
    rng = np.random.default_rng(zlib.crc32(kind.encode()))
    numbers = sorted({1, run.updates, *(int(n) for n in rng.integers(1, run.updates + 1, 6))})
    for number in numbers:
        found, was = run.replay(number), kept[number]
        assert found.agreement.bits is True, found.agreement.sentence
        assert (found.number, found.rate, found.loss) == (number, was.rate, was.loss)
        assert bits(found.before.parameters) == bits(was.before.parameters)
        assert bits(found.after) == bits(was.after.parameters)
        if number > 1:
            same_state(found.before.state, was.before.state)
        same_state(found.state, was.after.state)
        for held, others in zip(found.before.memory, was.before.memory, strict=True):
            assert {name: bits(values) for name, values in held.items()} == {
                name: bits(values) for name, values in others.items()
            }


@pytest.mark.parametrize("kind", KINDS)
def test_random_numbers_of_a_run(runs, kind):
    """The derivation stands beside each of 200 recorded numbers, and says where its own last digits differ."""
    folder, kept = runs(kind)
    run = open_run(folder)
    rng = np.random.default_rng(zlib.crc32(kind.encode()) + 1)
    seen, exact = 0, run.engine.startswith("reference")
    close = 1e-5 if run.settings.dtype == "float32" else 1e-12
    while seen < NUMBERS:
        number = int(rng.integers(1, run.updates + 1))
        found, was = run.replay(number), kept[number]
        views, new = (run.network.views(each) for each in (was.before.parameters, was.after.parameters))
        cells, wanted = [], []
        for _ in range(NUMBERS // 4):
            span = run.network.spans[int(rng.integers(len(run.network.spans)))]
            index = tuple(int(rng.integers(n)) for n in span.shape)
            units = tuple(i + 1 for i in index)
            cells.append(Cell(f"{span.symbol}+", span.layer, units))
            wanted.append(new[span.layer - 1][span.symbol][index])
            for slot, values in was.after.state[span.layer - 1][span.symbol].items():
                if np.size(values) > 1 and slot not in run.experiment.optimizer.counters:
                    cells.append(Cell(f"{slot}+", span.layer, units, of=span.symbol))
                    wanted.append(values[index])
        told = opened(run, found, [cell_id(cell) for cell in cells])
        compared = {entry["id"]: entry for entry in told.data["replay"]["compared"]}
        for cell, value in zip(cells, wanted, strict=True):
            entry = compared[cell_id(cell)]
            assert entry["recorded"] == value
            assert recorded_number(told.trace, found, cell) == value
            if not cancels(run.network, cell):
                scale = 1.0 if cell.of else float(np.abs(views[cell.layer - 1][cell.symbol[:-1]]).max())
                assert abs(entry["difference"]) <= close * max(scale, 1e-3)
            assert not (exact and entry["difference"])
            seen += 1
        differing = [entry for entry in compared.values() if entry["difference"]]
        for entry in differing:
            (sentence,) = (note for note in told.trace.notes if f"computed {entry['name']} = " in note)
            assert "order" in sentence
            assert f"{abs(entry['difference']):.1e}" in sentence


def cancels(network, cell):
    """A bias before a batch norm: the mean that is taken away takes it away too. Its gradient is 0 but for rounding, and adam
    makes whole steps of that."""
    after = network.layers[cell.layer] if cell.layer < len(network.layers) else None
    return isinstance(after, BatchNorm) and "b" in (cell.symbol[:-1], cell.of)


@pytest.mark.parametrize("kind", ["textbook", "adam batch norm", "nadam layer norm", "weighted, yes or no", "a number"])
def test_shares_are_those_of_the_derivation(runs, kind):
    folder, _ = runs(kind)
    run = open_run(folder)
    update = run.replay(run.updates // 2)
    trace = run.trace(run.updates // 2)
    rng = np.random.default_rng(5)
    for span in run.network.spans:
        for _ in range(3):
            units = tuple(int(rng.integers(n)) + 1 for n in span.shape)
            cell = Cell(span.symbol, span.layer, units)
            found = shares(run.network, update, cell, run.experiment.course.clipping)
            total = trace.term(Cell(f"dE/d{span.symbol}", span.layer, units)).value
            assert float(found.whole) == float(total)
            assert np.sum(found.rows, dtype=float) + found.price == pytest.approx(float(total), rel=1e-9, abs=1e-15)
            if span.symbol == "W":
                for sample in range(1, len(update.rows) + 1):
                    share = trace.term(Cell("dE/dW", span.layer, units, sample)).value
                    assert float(share) == pytest.approx(float(found.rows[sample - 1]), rel=1e-12, abs=1e-300)


def test_the_batch_is_named_by_its_lines(runs):
    folder, _ = runs("as it comes")
    run = open_run(folder)
    found = run.replay(20)
    lines = PENGUINS.read_text("utf-8").splitlines()
    goal = run.experiment.goal
    for sample, (row, place) in enumerate(zip(found.rows, found.places, strict=True)):
        line = int(place.removeprefix("line ").removesuffix(" of penguins.csv"))
        assert line == row + 2
        assert lines[line - 1].split(",")[0] == goal.labels(found.t[sample : sample + 1])[0]
    assert (found.epoch, found.batch, found.batches) == (3, 2, 9)


def test_the_trace_of_a_run_begins_at_the_cells(runs):
    run = chainrule.open_run(runs("as it comes")[0])
    trace = run.trace(13)
    bill = run.experiment.preparation.inputs.index("bill_length_mm") + 1
    step = trace[f"x[{bill}]@1"]
    row = run.replay(13).rows[0]
    cell = run.experiment.table.text(int(row), "bill_length_mm")
    assert step.substituted.startswith(f"({cell} - ") or not cell
    assert trace["E"].value == pytest.approx(run.replay(13).loss, rel=1e-12)


# whether it is the run


def changed(folder, to, edit):
    shutil.copytree(folder, to)
    edit(Run(to))
    return open_run(to)


def test_without_checkpoints_it_begins_at_the_beginning(runs, tmp_path):
    folder, kept = runs("checkpoints everywhere")
    assert len(files.steps(Run(folder).checkpoints)) > 3
    run = changed(folder, tmp_path / "run", lambda run: [path.unlink() for _, path in files.steps(run.checkpoints)])
    found = run.replay(200)
    assert bits(found.after) == bits(kept[200].after.parameters)
    assert found.agreement.bits is True


def test_a_damaged_checkpoint_is_passed_over(runs, tmp_path):
    folder, kept = runs("checkpoints everywhere")

    def damage(run):
        for _, path in files.steps(run.checkpoints)[:-1]:
            held = bytearray(path.read_bytes())
            held[-9] ^= 4
            path.write_bytes(held)

    run = changed(folder, tmp_path / "run", damage)
    assert bits(run.replay(260).after) == bits(kept[260].after.parameters)


def test_an_epoch_that_was_not_finished_is_held_against_the_next_checkpoint(runs, tmp_path):
    folder, kept = runs("stopped and gone on with")

    def cut(run):
        lines = run.history_file.read_text("utf-8").splitlines(keepends=True)
        run.history_file.write_text("".join(lines[:-3]), "utf-8")

    run = changed(folder, tmp_path / "run", cut)
    found = run.replay(run.updates - 5)
    assert found.agreement.bits is True
    assert "it has every bit of the checkpoint" in found.agreement.sentence
    assert bits(found.after) == bits(kept[found.number].after.parameters)


def test_what_cannot_be_checked_is_said(runs, tmp_path):
    folder, _ = runs("as it comes")

    def cut(run):
        lines = run.history_file.read_text("utf-8").splitlines(keepends=True)
        run.history_file.write_text("".join(lines[:2]), "utf-8")
        for _, path in files.steps(run.checkpoints):
            path.unlink()

    run = changed(folder, tmp_path / "run", cut)
    assert run.updates == 18
    assert run.replay(18).agreement.bits is True
    bare = changed(
        folder,
        tmp_path / "bare",
        lambda run: (run.history_file.unlink(), [p.unlink() for _, p in files.steps(run.checkpoints)]),
    )
    with pytest.raises(RunError, match="no updates yet"):
        bare.replay(1)


def test_a_history_of_another_run_is_noticed(runs, tmp_path):
    folder, _ = runs("as it comes")

    def edit(run):
        text = run.history_file.read_text("utf-8")
        entry = json.loads(text.splitlines()[2])
        run.history_file.write_text(text.replace(entry["parameters"], "0123456789abcdef"), "utf-8")

    run = changed(folder, tmp_path / "run", edit)
    found = run.replay(20)
    assert found.agreement.bits is False
    assert "does not agree" in found.agreement.sentence
    assert run.replay(10).agreement.bits is True


@pytest.mark.skipif(not native.built(), reason="chainrule was installed without a compiler")
def test_another_engine_is_equal_but_not_to_the_bit(runs, tmp_path):
    folder, kept = runs("as it comes")

    def edit(run):
        run.settings_file.write_text(run.settings_file.read_text("utf-8").replace('engine = "auto"', 'engine = "reference"'))

    run = changed(folder, tmp_path / "run", edit)
    found = run.replay(40)
    assert found.agreement.bits is False
    assert "equal to about 1e-12, not bit-equal" in found.agreement.sentence
    np.testing.assert_allclose(found.after, kept[40].after.parameters, rtol=0, atol=1e-11)
    assert "the run was trained by the engine native" in found.agreement.sentence
    assert opened(run, found).warnings == (found.agreement.sentence,)


@pytest.mark.skipif(len(native.builds()) < 2, reason="this machine runs one build only")
def test_the_build_that_trained_replays(runs, tmp_path, monkeypatch):
    monkeypatch.setenv("CHAINRULE_ISA", "baseline")
    kept = trained(monkeypatch, tmp_path / "run", epochs=3)
    monkeypatch.delenv("CHAINRULE_ISA")
    run = open_run(tmp_path / "run")
    assert run.facts["engine"] == "native (baseline)"
    found = run.replay(22)
    assert found.agreement.bits is True
    assert bits(found.after) == bits(kept[22].after.parameters)
    assert run.engine == "native (baseline)"
    monkeypatch.setenv("CHAINRULE_ISA", native.builds()[-1])
    other = open_run(tmp_path / "run").replay(22)
    assert other.agreement.bits is False
    assert "not bit-equal" in other.agreement.sentence


# what is refused

REFUSED = [
    ("R01 update 0", lambda run: run.replay(0), InputError, "the run has the updates 1 to 54"),
    ("R02 beyond the run", lambda run: run.replay(55), InputError, "the run has the updates 1 to 54"),
    ("R03 no number", lambda run: run.replay(True), InputError, "the run has the updates 1 to 54"),
    ("R04 no such weight", lambda run: run.why_changed("W[1][99,1]"), InputError, "no weight is called"),
    ("R05 a number that is no weight", lambda run: run.why_changed("E"), InputError, "no weight is called"),
    ("R06 backwards", lambda run: run.why_changed("W[1][1,1]", 5, 4), InputError, "the first update comes after the last"),
    ("R07 beyond the run", lambda run: run.why_changed("W[1][1,1]", 5, 99), InputError, "the run has the updates 1 to 54"),
    ("R08 no such line", lambda run: run.predict(999), RunError, "no row of the table begins in this line"),
    ("R09 the header", lambda run: run.predict(1), RunError, "no row of the table begins in this line"),
    ("R10 no line", lambda run: run.predict("two"), InputError, "--row needs the number of a line"),
    ("R11 no such file", lambda run: run.predict("other.csv:3"), InputError, "the table has no such file"),
]


@pytest.mark.parametrize(("does", "kind", "says"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_refused(runs, does, kind, says):
    with pytest.raises(kind, match=says) as caught:
        does(open_run(runs("as it comes")[0]))
    assert type(caught.value) is kind


def edited(name, edit):
    def do(run):
        file = run.folder / name
        file.write_text(edit(file.read_text("utf-8")), "utf-8")

    return do


def moved_away(run):
    edited("run.toml", lambda text: text.replace("penguins.csv", "gone.csv"))(run)


def another_table(run):
    table = run.folder / "table.csv"
    table.write_text(PENGUINS.read_text("utf-8").replace("39.1", "39.2"), "utf-8")
    edited("run.toml", lambda text: text.replace(str(PENGUINS), str(table)))(run)


BROKEN = [
    ("B01 no table", moved_away, "gone.csv"),
    ("B02 another table", another_table, "the table has changed since the run was trained"),
    ("B03 other settings", edited("run.toml", lambda text: text.replace("hidden = [64, 64]", "hidden = [64, 63]")), "settings"),
    (
        "B04 damaged history",
        edited("history.jsonl", lambda text: text.replace("{", "[", 1)),
        "this line of the history is damaged",
    ),
]


@pytest.mark.parametrize(("edit", "says"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_broken_runs(runs, tmp_path, edit, says):
    run = changed(runs("as it comes")[0], tmp_path / "run", edit)
    with pytest.raises(RunError, match=says):
        run.replay(20)


def test_a_table_that_was_moved(monkeypatch, tmp_path):
    shutil.copy(PENGUINS, tmp_path / "here.csv")
    kept = trained(monkeypatch, tmp_path / "run", data=(str(tmp_path / "here.csv"),), epochs=4, checkpoint_every=0.0)
    (tmp_path / "here.csv").rename(tmp_path / "there.csv")
    with pytest.raises(RunError, match=r"here\.csv"):
        open_run(tmp_path / "run").replay(31)
    found = open_run(tmp_path / "run", str(tmp_path / "there.csv")).replay(31)
    assert bits(found.after) == bits(kept[31].after.parameters)
    assert found.agreement.bits is True


def test_replay_is_a_function_too(runs):
    run = Run.opened(Path(runs("textbook")[0]))
    assert replay(run, 3).number == 3
    assert parameter(open_run(run.folder).network, "b[1][2]") == Cell("b", 1, (2,))
