"""Why a number is what it is: the verdicts of the worked examples, broken examples, and wrong answers made on purpose."""

import json

import numpy as np
import pytest

import chainrule as cr
import wrong_answers
from chainrule.derivation import derive
from chainrule.errors import InputError
from chainrule.marking.choices import CHOICES, job_of
from chainrule.marking.mistakes import MISTAKES
from chainrule.marking.search import causes, why
from chainrule.marking.sheet import Sheet
from chainrule.marking.written import read_number
from chainrule.spec import load_example

MAZUR, LAMSAL, TWO = (load_example(name) for name in ("mazur", "lamsal", "two-two-one"))


# the verdicts of the worked examples


def test_the_famous_loss_is_sequential():
    found = why(MAZUR, "0.291027924", "E")
    assert found.determined
    first = found.matches[0]
    assert (first.changes, first.mistakes, first.update, first.when) == (("update.order=sequential",), (), 1, "after")
    assert first.exact == pytest.approx(0.291027923905442, abs=1e-14)
    assert first.printed_as == "rounded"
    assert "after update 1" in first.text


def test_it_is_found_without_a_name():
    first = why(MAZUR, "0.291027924").matches[0]
    assert (first.id, first.changes, first.update) == ("E", ("update.order=sequential",), 1)


def test_the_loss_after_ten_thousand_updates_is_off_by_one():
    found = why(MAZUR, "0.0000351085", "E", after=10_000)
    (match,) = found.matches
    assert (match.update, match.when, match.mistakes, match.changes) == (9_999, "after", ("update_count",), ())
    assert "after update 9,999" in str(found)


@pytest.mark.parametrize(("name", "value"), [("out_o1", "0.015912196"), ("out_o2", "0.984065734")])
def test_the_outputs_after_ten_thousand_updates_are_sequential(name, value):
    told = []
    (match,) = why(MAZUR, value, name, after=10_000, progress=told.append).matches
    assert match.changes == ("update.order=sequential",)
    assert match.update == 10_000
    assert any("10,001 updates" in text for text in told)


def test_the_share_was_computed_from_a_rounded_delta():
    found = why(MAZUR, "-0.019049119", "dE_o2/dout_h1")
    first = found.matches[0]
    assert first.mistakes == ("rounded_intermediates",)
    assert "delta_o2 rounded to 9 decimals" in first.text
    assert any(match.changes == ("numbers.intermediate=rounded", "numbers.places=9") for match in found.matches)


def test_a_slip_of_the_pen_is_not_explained():
    found = why(MAZUR, "0.75136079", "out_o1")
    assert found.matches == ()
    assert found.nearest
    assert "nothing explains it" in str(found)
    assert json.loads(found.to_json())["matches"] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("out_o1", "0.73492"),
        ("out_o2", "0.77955"),
        ("w5+", "0.45187"),
        ("w6+", "0.55073"),
        ("w7+", "0.71056"),
        ("w8+", "0.81081"),
    ],
)
def test_lamsal_truncates(name, value):
    found = why(LAMSAL, value, name)
    assert found.right
    rounded = name in ("out_o2", "w6+", "w7+")  # these digits come out either way
    assert found.matches[0].printed_as == ("rounded" if rounded else "truncated")
    tie = ("network.loss=squared_error", "update.learning_rate=0.3")
    assert (tie in [match.changes for match in found.matches]) == name.startswith("w")


def test_two_two_one_forgot_the_bias():
    found = why(TWO, "0.31", "net_h1")
    assert found.determined
    assert found.matches[0].mistakes == ("addend_left_out",)
    assert "the bias b_h1 left out" in found.matches[0].text


def test_two_two_one_leaves_it_open():
    found = why(TWO, "0.29", "net_h2")
    assert not found.determined
    assert len(found.matches) > 1
    assert any("b_h2 taken as 0.02" in match.text for match in found.matches)
    assert "not determined" in str(found)


OWN = {
    "net_h1": "0.31", "net_h2": "0.29", "out_h1": "0.57", "out_h2": "0.57", "net_o1": "0.71", "out_o1": "0.67", "E": "0.017",
    "delta_o1": "-0.05", "delta_h1": "-0.01", "delta_h2": "-0.01", "dE/dW[2][1,1]": "-0.03", "dE/db[2][1]": "-0.05",
}  # fmt: skip


def test_two_two_one_with_its_own_numbers():
    trace = derive(TWO)
    sheet = Sheet(trace)
    held = {trace.find(name): float(read_number(value)) for name, value in OWN.items()}
    verdicts = {name: read_number(value).agreement(sheet.follow(trace.find(name), held)) for name, value in OWN.items()}
    wrong = {name for name, verdict in verdicts.items() if not verdict}
    assert wrong == {"net_h1", "net_h2", "net_o1"}
    assert (verdicts["out_h1"], verdicts["delta_o1"]) == ("truncated", "truncated")
    cell = trace.find("dE/dW[2][1,2]")
    (match,) = causes(sheet, cell, read_number("-0.04"), held)
    assert match.mistakes == ("weight_for_activation",)
    assert match.exact == pytest.approx(-0.035)
    assert "w6 in place of out_h2" in match.text
    assert "(-0.05)·0.7" in match.text
    assert not causes(sheet, trace.find("net_h1"), read_number("0.3111111"), held)


# what a search says


def test_json_is_that_of_the_interface():
    data = json.loads(why(MAZUR, "0.291027924", "E").to_json())
    assert set(data) == {"value", "matches", "searched"}
    assert set(data["matches"][0]) == {"id", "name", "update", "changes", "mistakes", "exact", "printed_as"}
    assert data["value"] == "0.291027924"
    assert data["searched"] > 1000


@pytest.mark.parametrize(("value", "name"), [("0.291027924", "E"), ("0.75136079", "out_o1"), ("0.317832959", "w5+")])
def test_it_reads_in_eighty_columns(value, name):
    assert max(map(len, str(why(MAZUR, value, name)).splitlines())) <= 80


def test_before_and_after_are_told_apart():
    assert "before update 1" in why(MAZUR, "0.298371109", "E").matches[0].text
    assert "after update 1" in why(MAZUR, "0.291027774", "E").matches[0].text
    assert why(MAZUR, "0.291027774", "E").right


def test_a_given_weight_means_its_update():
    assert why(MAZUR, "0.35891648", "w5").matches[0].id == "W+[2][1,1]"
    assert why(MAZUR, "0.40", "w5").matches[0].id == "W[2][1,1]"


@pytest.mark.parametrize(("value", "name"), [("hello", "E"), ("0.29", None), ("0.291", "E_o7")])
def test_what_cannot_be_asked(value, name):
    with pytest.raises(InputError):
        why(MAZUR, value, name)


def test_a_trace_alone():
    trace = derive(MAZUR, after=3)
    assert why(trace, f"{trace['w5+'].value:.9f}", "w5+").right
    value = trace["w5"].value + 0.5 * trace["dE/dw5"].value
    assert "sign_turned" in why(trace, f"{value:.9f}", "w5+").matches[0].mistakes
    with pytest.raises(InputError):
        why(trace, "0.1", "E", after=2)


def test_a_network_of_ones_own():
    network = cr.Network([cr.Dense(3, "tanh"), cr.Dense(2, "softmax")], inputs=2, loss="cross_entropy", seed=3)
    trace = cr.trace(network, [[0.5, -1.0]], [[1, 0]], "sgd")
    value = trace["delta_o1"].value * trace["w8"].value
    found = why(trace, f"{value:.7g}", "dE/dw8")
    assert any("weight_for_activation" in match.mistakes for match in found.matches)


def test_two_causes():
    bias_and_net = 0.15 * 0.05 + 0.20 * 0.10  # no bias ...
    swapped = 0.20 * 0.05 + 0.15 * 0.10  # ... and the weights exchanged
    assert why(MAZUR, f"{bias_and_net:.6f}", "net_h1").matches[0].causes == 1
    found = why(MAZUR, f"{swapped:.6f}", "net_h1")
    assert found.matches[0].causes == 2
    assert {"addend_left_out", "names_swapped"} in [set(match.mistakes) for match in found.matches]
    assert not why(MAZUR, f"{swapped:.6f}", "net_h1", most=1).matches


# every choice and mistake has an example that was broken on purpose


@pytest.mark.parametrize("entry", [*CHOICES, *MISTAKES], ids=lambda entry: entry.name)
def test_a_broken_example_is_found_by_its_rule(entry):
    broken = entry.broken
    found = why(load_example(broken.example, broken.settings), broken.digits, broken.cell, after=broken.after)
    ways = [tuple(f"{key}={value}" for key, value in way.settings) for way in _ways(entry)]
    assert any(entry.name in match.mistakes or match.changes in ways for match in found.matches), str(found)
    assert found.matches[0].causes == 1
    for match in found.matches:
        assert read_number(broken.digits).agreement(match.exact)
    assert entry.learner.endswith(".")
    assert entry.author.endswith(".")


def _ways(entry):
    if entry not in CHOICES:
        return []
    return list(entry.ways(job_of(load_example(entry.broken.example, entry.broken.settings))))


@pytest.mark.parametrize("example", ["mazur", "lamsal", "two-two-one", "three-layer"])
def test_a_choice_is_what_its_settings_say(example):
    given = load_example(example)
    for choice in CHOICES:
        for way in choice.ways(job_of(given)):
            here, there = derive(way.work), derive(given.with_settings(way.settings))
            assert here.loss_after == pytest.approx(there.loss_after, rel=1e-15, nan_ok=True), way.settings


def by_hand(
    rate=0.5, half=True, slope=lambda out, net: out * (1 - out), sign=-1, back="delta", rates=True, bias=1.0, output_slope=True
):
    """Mazur's step in plain NumPy, with mistakes in it: another calculation than the one that is tested."""
    W1, W2, x, t = np.array([[0.15, 0.2], [0.25, 0.3]]), np.array([[0.4, 0.45], [0.5, 0.55]]), [0.05, 0.1], [0.01, 0.99]
    net1 = W1 @ x + 0.35 * bias
    out1 = 1 / (1 + np.exp(-net1))
    net2 = W2 @ out1 + 0.6 * bias
    out2 = 1 / (1 + np.exp(-net2))
    E = (0.5 if half else 1) * ((t - out2) ** 2).sum()
    d2 = (1 if half else 2) * (out2 - t) * (slope(out2, net2) if output_slope else 1)
    dW2 = np.outer(d2, out1)
    from_above = {"delta": W2.T @ d2, "gradient": (W2 * dW2).sum(0), "transposed": W2 @ d2}[back]
    d1 = from_above * slope(out1, net1)
    dW1 = np.outer(d1, x)
    step = sign * (rate if rates else 1)
    return {
        "E": E, "net_h1": net1[0], "delta_o1": d2[0], "dE/dout_h1": from_above[0], "delta_h1": d1[0], "dE/dw1": dW1[0, 0],
        "w5+": (W2 + step * dW2)[0, 0], "w1+": (W1 + step * dW1)[0, 0],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "mistake", "how"),
    [
        ("E", "network.loss=squared_error", {"half": False}),
        ("w1+", "network.loss=squared_error", {"half": False}),
        ("delta_o1", "slope_elsewhere", {"slope": lambda out, net: net * (1 - net)}),
        ("delta_h1", "slope_elsewhere", {"slope": lambda out, net: (s := 1 / (1 + np.exp(-out))) * (1 - s)}),
        ("dE/dw1", "slopes_left_out", {"slope": lambda out, net: 1}),
        ("dE/dw1", "slopes_left_out", {"output_slope": False}),
        ("w5+", "uphill", {"sign": 1}),
        ("w1+", "error_turned", {"sign": 1}),
        ("dE/dout_h1", "error_from_gradients", {"back": "gradient"}),
        ("dE/dw1", "error_from_gradients", {"back": "gradient"}),
        ("dE/dout_h1", "transposed_weights", {"back": "transposed"}),
        ("w5+", "rate_left_out", {"rates": False}),
        ("E", "biases_left_out", {"bias": 0}),
        ("dE/dw1", "biases_left_out", {"bias": 0}),
    ],
)
def test_mistakes_calculated_by_hand(cell, mistake, how):
    assert by_hand()[cell] == pytest.approx(derive(MAZUR)[cell].value, rel=1e-14)
    value = by_hand(**how)[cell]
    found = why(MAZUR, f"{value:.9g}", cell)
    assert found.matches[0].causes == 1
    assert mistake in [each for match in found.matches for each in (*match.mistakes, *match.changes)], str(found)


# wrong answers made on purpose; `python tests/wrong_answers.py` has the rates of thousands


def test_causes_are_found():
    tried = [wrong_answers.try_one(seed) for seed in range(10_000, 10_030)]
    assert wrong_answers.share(tried) >= wrong_answers.SHARE, wrong_answers.report(tried)


def test_right_answers_are_never_called_wrong():
    assert not [line for seed in range(10) for line in wrong_answers.right_ones(seed)]
