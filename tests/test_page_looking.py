"""What Walk asks: a number with what leads to it, units page by page, the largest weights; and what it refuses."""

import numpy as np
import pytest

import chainrule as cr
from chainrule import drawing
from chainrule.conventions import CHOICES
from chainrule.derivation import derive
from chainrule.drawing import spot
from chainrule.errors import InputError
from chainrule.naming import parse_id
from chainrule.page import looking
from chainrule.page.desk import laid
from chainrule.spec import load_example


@pytest.fixture(scope="module")
def desk():
    return laid("penguins")


@pytest.mark.parametrize("name", ["mazur", "two-two-one"])
@pytest.mark.parametrize("biases", CHOICES["biases"])
def test_a_unit_shows_what_becomes_of_its_bias(name, biases):
    trace = derive(load_example(name, [("update.biases", biases)]))
    ids = {each.id for each in trace.steps}
    shown = drawing.unit(trace, 1, 1, 1)["numbers"]
    assert {"gradient", "new"} <= shown.keys() if biases != "frozen" else not {"gradient", "new"} & shown.keys()
    assert all(number["id"] in ids for number in shown.values())


def test_units_come_page_by_page(desk):
    found = looking.units(desk, {"layer": 1, "first": 2, "count": 2})
    assert (found["of"], [each["unit"] for each in found["units"]]) == (5, ["h3", "h4"])
    assert [each["unit"] for each in looking.units(desk, {"layer": 0, "first": 3})["units"]] == ["i4"]
    assert looking.units(desk, {"layer": 2, "first": 99})["units"] == []
    told = found["units"][0]
    assert told["shown"] == desk.trace["a[1][3]@1"].shown


@pytest.mark.parametrize("by", ["weight", "gradient"])
def test_the_largest_come_first(desk, by):
    found = looking.largest(desk, {"layer": 1, "by": by, "count": 7})["edges"]
    trace = desk.trace
    values = np.abs(trace.parameters[0]["W"] if by == "weight" else trace.values("dE/dW", 1))
    sizes = [values[each["to"], each["from"]] for each in found]
    assert sizes == sorted(values.reshape(-1), reverse=True)[:7]
    assert found[0]["numbers"]["gradient"]["shown"] == trace[found[0]["numbers"]["gradient"]["id"]].shown


def test_what_cannot_be_asked_is_refused(desk):
    for ask, sent in [
        (looking.units, {"layer": 3}),
        (looking.units, {"layer": 1, "count": 101}),
        (looking.units, {"layer": 1, "first": -1}),
        (looking.largest, {"layer": 0, "by": "weight"}),
        (looking.largest, {"layer": 1, "by": "size"}),
        (looking.largest, {"layer": 1, "by": "weight", "more": 1}),
        (looking.opened, {"id": "w999"}),
        (looking.opened, {}),
    ]:
        with pytest.raises(InputError):
            ask(desk, sent)


def test_what_leads_to_a_number_is_sent_nearest_first():
    network = cr.Network([cr.Dense(60, "tanh"), cr.Dense(2)], inputs=40, seed=1)
    trace = cr.trace(network, np.linspace(-1, 1, 40)[None], np.ones((1, 2)))
    cells, unopened = trace.leading_to(["W[1][3,7]"], 1, looking.NEAREST)
    assert len(cells) <= looking.NEAREST
    assert unopened


def test_every_number_of_a_small_network_has_its_place_in_the_drawing():
    view = laid("mazur").view()
    keys = {edge["key"] for edge in view["network"]["edges"]} | {"E"}
    for column in view["network"]["columns"]:
        for place, unit in enumerate(column["units"]):
            keys |= {unit["key"], f"b{column['layer']}", f"t{place}"}
    assert {step["spot"] for step in view["steps"]} - {""} <= keys
    assert [step["id"] for step in view["steps"] if not step["spot"]] == ["η"]
    assert spot(parse_id("dE/da[1][2] via z[2][1]")) == "e2.0.1"
    assert spot(parse_id("m[W[2][1,2]]")) == "e2.0.1"
    assert spot(parse_id("dE/db[1][2]")) == "b1.1"


def test_each_number_stands_in_one_of_the_arrays():
    view = laid("mazur").view()
    arrays = {each["array"] for each in view["matrices"]}
    assert {step["array"] for step in view["steps"] if step["phase"] in ("forward", "loss", "update")} <= arrays
