"""What moved a weight: the parts add up to the change, to the last bit, and are those of the recorded run."""

import json
import math
from fractions import Fraction

import numpy as np
import pytest

from chainrule.cli import main
from chainrule.naming import Cell, cell_id
from chainrule.replay import open_run
from chainrule.replay.moved import CLIPPING, DECAY, PENALTY, ROUNDING, as_data, rest
from chainrule.replay.moved_text import as_text
from chainrule.replay.shares import number_at
from recorded_runs import trained

SGD = {"optimizer": "sgd", "learning_rate": 0.1, "schedule": "constant", "hidden": (6,), "batch_size": 11, "epochs": 5}
KINDS = {
    "textbook": {"preset": "textbook", "epochs": 4},
    "sgd, penalty": {**SGD, "weight_decay": 0.01},
    "sgd, clipped, float32": {**SGD, "weight_decay": 0.0, "clip_norm": 0.05, "dtype": "float32"},
    "sgd, dropout, batch norm": {**SGD, "weight_decay": 0.0, "norm": "batch", "dropout": 0.2},
    "sgd, layer norm, reference": {**SGD, "weight_decay": 0.0, "norm": "layer", "engine": "reference"},
    "momentum": {**SGD, "optimizer": "momentum", "weight_decay": 0.0},
    "adamw": {"epochs": 5, "hidden": (6,)},
    "nadam": {**SGD, "optimizer": "nadam", "learning_rate": 0.01, "weight_decay": 0.001},
}
PLAIN = {"textbook", "sgd, penalty", "sgd, clipped, float32", "sgd, dropout, batch norm", "sgd, layer norm, reference"}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    made = {}
    with pytest.MonkeyPatch.context() as patch:

        def get(kind):
            if kind not in made:
                folder = tmp_path_factory.mktemp("runs") / "run"
                kept = trained(patch, folder, **KINDS[kind])
                made[kind] = open_run(folder), kept
            return made[kind]

        yield get


def run(capsys, *args):
    with pytest.raises(SystemExit) as ended:
        main([str(arg) for arg in args])
    captured = capsys.readouterr()
    return ended.value.code, captured.out, captured.err


def add_up(parts, rounding, before, after):
    """Whether parts and rounding are the whole change, without any rounding on the way: to half a unit in the last digit of
    the rounding itself, which is a number too."""
    whole = Fraction(after) - Fraction(before)
    left = whole - sum((Fraction(part) for part in parts), Fraction(0)) - Fraction(rounding)
    return abs(left) <= Fraction(math.ulp(rounding)) / 2


def cells(network, count):
    rng = np.random.default_rng(3)
    for _ in range(count):
        span = network.spans[int(rng.integers(len(network.spans)))]
        yield Cell(span.symbol, span.layer, tuple(int(rng.integers(n)) + 1 for n in span.shape))


@pytest.mark.parametrize("kind", KINDS)
def test_all_parts_add_up(runs, kind):
    opened, kept = runs(kind)
    last = opened.updates
    for cell in cells(opened.network, 6):
        found = opened.why_changed(cell_id(cell), 3, last - 2)
        assert found.agreement.bits is True
        assert found.before == float(number_at(opened.network, kept[3].before.parameters, cell))
        assert found.after == float(number_at(opened.network, kept[last - 2].after.parameters, cell))
        assert [move.number for move in found.moves] == list(range(3, last - 1))
        assert add_up([move.moved for move in found.moves], found.rounding, found.before, found.after)
        assert math.fsum([*(move.moved for move in found.moves), found.rounding]) == found.change
        assert abs(found.rounding) <= 1e-15 * len(found.moves)
        for move in found.moves:
            before, after = (float(number_at(opened.network, each.parameters, cell)) for each in (
                kept[move.number].before, kept[move.number].after))  # fmt: skip
            assert move.moved == after - before
            assert len(move.rows) == len(move.pulls)
        assert found.plain == (kind in PLAIN)
        if found.plain:
            rounding = found.others.pop(ROUNDING)
            assert add_up([*(each.pull for each in found.rows), *found.others.values()], rounding, found.before, found.after)
            found.others[ROUNDING] = rounding
            scale = float(np.finfo(opened.network.dtype).eps) * len(found.moves)
            assert abs(found.others[ROUNDING]) <= 4 * scale * max(abs(found.before), abs(found.after), 1e-2)
            for move in found.moves:
                others = dict(move.others)
                rounding = others.pop(ROUNDING)
                before, after = (
                    float(number_at(opened.network, each.parameters, cell))
                    for each in (kept[move.number].before, kept[move.number].after)
                )
                assert add_up([*map(float, move.pulls), *others.values()], rounding, before, after)
        assert sum(each.updates for each in found.rows) == sum(len(move.rows) for move in found.moves)


def test_what_else_moves_a_weight_is_named(runs):
    assert PENALTY in runs("sgd, penalty")[0].why_changed("W[1][1,4]").others
    assert PENALTY not in runs("sgd, penalty")[0].why_changed("b[1][1]").others
    assert CLIPPING not in runs("sgd, clipped, float32")[0].why_changed("W[1][1,4]").others  # shrunk, and not cut off
    decayed = runs("adamw")[0].why_changed("W[1][1,4]", 2, 2)
    assert decayed.others[DECAY] == pytest.approx(-decayed.before * 1.0 * decayed.moves[0].rate, rel=1e-9)
    assert DECAY not in runs("nadam")[0].why_changed("W[1][1,4]").others


def test_the_strongest_row_pulls_most(runs):
    """Without that row in its batches, the weight would have moved by so much less: the shares are real ones."""
    opened, _ = runs("textbook")
    found = opened.why_changed("W[1][3,4]", 1, 1)
    (move,) = found.moves
    strongest = move.strongest(1)[0]
    assert found.rows[0].row == int(move.rows[strongest])
    assert found.rows[0].pull == float(move.pulls[strongest])
    share = opened.trace(1)[f"dE/dW[1][3,4]@{strongest + 1}"].value
    assert move.pulls[strongest] == pytest.approx(-move.rate * share, rel=1e-12)


def test_without_learning_rate_noise_it_is_the_gradient(runs):
    opened, _ = runs("momentum")
    first = opened.why_changed("W[1][2,4]", 1, 1).moves[0]
    assert first.moved == pytest.approx(float(first.pulls.sum()), rel=1e-9)  # nothing is remembered yet
    later = opened.why_changed("W[1][2,4]", 9, 9).moves[0]
    assert later.moved != pytest.approx(float(later.pulls.sum()), rel=1e-3)  # older gradients are carried along


@pytest.mark.parametrize("kind", KINDS)
def test_it_fits_into_eighty_columns(runs, kind):
    opened, _ = runs(kind)
    found = opened.why_changed("W[1][2,4]")
    text = as_text(found, 10)
    assert max(map(len, text.splitlines())) <= 80
    assert "agrees with the recorded run to the last bit" in text
    assert ("older gradients" in text) == (kind not in PLAIN)
    assert f"{found.moves[0].number:,}" in text
    short = as_text(opened.why_changed("b[1][1]", 4, 4), 1)
    assert "update 4" in " ".join(short.split())


@pytest.mark.parametrize("kind", ["textbook", "adamw"])
def test_the_json(runs, kind, capsys):
    opened, _ = runs(kind)
    code, out, err = run(capsys, "why-changed", opened.run.folder, "W[1][2,4]", "--from", 5, "--to", 30, "--json", "--most", 4)
    assert (code, err) == (0, "")
    data = json.loads(out)
    found = opened.why_changed("W[1][2,4]", 5, 30)
    assert data == json.loads(json.dumps(as_data(found, 4)))
    assert data["change"] == math.fsum([*(update["moved"] for update in data["updates"]), data["rounding"]])
    assert data["rows_add_up"] == (kind == "textbook")
    if data["rows_add_up"]:
        assert data["change"] == math.fsum([*(row["pull"] for row in data["rows"]), *data["others"].values()])
    assert [update["update"] for update in data["updates"]] == list(range(5, 31))
    assert {len(update["rows"]) for update in data["updates"]} <= {3, 4}  # the last batch of an epoch may be smaller
    assert {row["line"] - 1 for row in data["rows"]} == {row["row"] for row in data["rows"]}


WRONG = [
    ("W01 no such weight", ("W[1][7,99]",), 2, "no weight is called"),
    ("W02 no weight", ("z[1][1]",), 2, "no weight is called"),
    ("W03 rubbish", ("",), 2, "no weight is called"),
    ("W04 beyond the run", ("W[1][1,1]", "--to", "100000"), 2, "the run has the updates 1 to"),
    ("W05 backwards", ("W[1][1,1]", "--from", "9", "--to", "8"), 2, "the first update comes after the last"),
    ("W06 zero", ("W[1][1,1]", "--from", "0"), 2, "--from"),
    ("W07 no such table", ("W[1][1,1]", "--data", "gone.csv"), 1, "gone.csv"),
]


@pytest.mark.parametrize(("options", "code", "says"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_wrong_questions(runs, capsys, options, code, says):
    ended, out, err = run(capsys, "why-changed", runs("textbook")[0].run.folder, *options)
    assert (ended, out) == (code, "")
    assert says in err
    assert "Traceback" not in err


def test_no_run(capsys, tmp_path):
    code, _, err = run(capsys, "why-changed", tmp_path, "W[1][1,1]")
    assert code == 1
    assert "not a run folder" in err


def test_what_is_left_is_exact():
    assert rest(0.0, 1.0, [0.1] * 10) == float(Fraction(1) - 10 * Fraction(0.1))
    assert rest(1e300, 1e300, []) == 0.0


def test_textbook_names_do_too(runs):
    opened, _ = runs("sgd, penalty")
    assert opened.why_changed("w4", 1, 1).cell == Cell("W", 1, (1, 4))
    assert opened.why_changed("b_h2", 1, 1).cell == Cell("b", 1, (2,))
    assert opened.why_changed("W+[1][1,4]", 1, 1).cell == Cell("W", 1, (1, 4))
