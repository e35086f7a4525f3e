"""A step as a spreadsheet: what is put in goes on into what follows, and everything else stays."""

import numpy as np
import pytest

import wrong_answers
from chainrule.derivation import derive
from chainrule.errors import RunError
from chainrule.marking.sheet import Sheet
from chainrule.naming import cell_id
from chainrule.spec import load_example
from chainrule.terms.term import Term, named

NAMES = ("mazur", "lamsal", "two-two-one", "three-layer")
SETTINGS = ((), (("update.order", "sequential"),), (("numbers.intermediate", "rounded"), ("numbers.places", 4)))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("settings", SETTINGS)
def test_what_was_given_gives_the_step_again(name, settings):
    sheet = Sheet(derive(load_example(name, settings)))
    given = {cell: sheet.values[cell] for cell in sheet.cells if sheet.formulas[cell] is None}
    found = sheet.recompute(given)
    for cell in sheet.cells:
        assert found[cell] == pytest.approx(sheet.values[cell], rel=1e-13, abs=1e-15), cell_id(cell)


@pytest.mark.parametrize("seed", range(150))
def test_every_rule_gives_its_step_again(seed):
    with np.errstate(all="ignore"):
        job = wrong_answers.net(np.random.default_rng(seed))
        try:
            trace = derive(job, seed % 3)
        except RunError:
            trace = derive(job)
        sheet = Sheet(trace)
        found = sheet.recompute({cell: sheet.values[cell] for cell in sheet.cells if sheet.formulas[cell] is None})
    for cell in sheet.cells:
        value = sheet.values[cell]
        if np.isfinite(value):
            noise = 1e-8 if cell.symbol.endswith("+") else 1e-13  # a gradient of 1e-17 over a root of 1e-17 is anything
            assert found[cell] == pytest.approx(value, rel=1e-9, abs=noise), cell_id(cell)


@pytest.mark.parametrize("name", NAMES)
def test_other_weights_give_the_step_with_other_weights(name):
    example = load_example(name)
    sheet = Sheet(derive(example))
    example.network.parameters[:] *= 1.25
    other = Sheet(derive(example))
    found = sheet.recompute({cell: value for cell, value in other.values.items() if other.formulas[cell] is None})
    for cell in sheet.cells:
        assert found[cell] == pytest.approx(other.values[cell], rel=1e-12, abs=1e-14), cell_id(cell)


def test_own_numbers_are_carried_on():
    trace = derive(load_example("two-two-one"))
    sheet = Sheet(trace)
    held = {trace.find("net_h1"): 0.31, trace.find("net_h2"): 0.29, trace.find("delta_o1"): -0.05}
    found = sheet.recompute(held)
    assert found[trace.find("out_h1")] == pytest.approx(0.576885, abs=1e-6)
    assert found[trace.find("dE/dW[2][1,1]")] == pytest.approx(-0.05 * 0.576885, abs=1e-6)
    assert found[trace.find("delta_o1")] == -0.05
    assert sheet.follow(trace.find("delta_o1"), held) == pytest.approx(-0.0230, abs=1e-4)
    assert found[trace.find("w1")] == sheet.values[trace.find("w1")]


def test_many_variants_are_the_variants_one_by_one():
    trace = derive(load_example("mazur"))
    sheet = Sheet(trace)
    net, bias, out = trace.find("net_h1"), trace.find("b1"), trace.find("out_o1")
    halved = Term("/", (named(out, 0.0), Term("literal", (), 2)), 0.0)
    changes = [{net: 0.3}, {bias: 0.1}, {trace.find("dE/dw5"): halved, net: 0.4}, {trace.find("w1"): 0.2}]
    rows = np.array([[0, -1], [1, -1], [2, -1], [0, 1], [1, 2], [3, 1], [-1, -1]])
    found = sheet.evaluate(changes, rows)
    for place, row in enumerate(rows):
        alone = sheet.evaluate(changes, row[None, :])
        for cell in sheet.cells:
            value = np.broadcast_to(found[cell], len(rows))[place]
            assert value == np.ravel(alone[cell])[0], cell_id(cell)
    assert found[trace.find("dE/dw5")][2] == found[out][2] / 2


def test_sources_and_followers():
    trace = derive(load_example("mazur"))
    sheet = Sheet(trace)
    assert trace.find("w1") in sheet.sources(trace.find("out_o2"))
    assert trace.find("w5") not in sheet.sources(trace.find("out_o2"))
    assert trace.find("w8+") in sheet.followers(trace.find("out_o2"))
    part = Sheet(trace, [trace.find("out_o2")])
    assert set(part.cells) == {*sheet.sources(trace.find("out_o2")), trace.find("out_o2")}
