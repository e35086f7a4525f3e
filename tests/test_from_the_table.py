"""A derivation begins at the cells of a table: every prepared input says where it comes from, and ends in the table's units."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.explain import FORMATS
from chainrule.naming import cell_id
from chainrule.preparing import Goal, Preparation, fit, goal_of
from chainrule.tables.table import Table
from chainrule.tracing import Trace
from small_tables import table
from test_rules_terms import assert_gives, check_latex, check_mathml, spreadsheet_addresses

ROWS = 60


def penguins() -> Table:
    rng = np.random.default_rng(0)
    length = [None if row == 3 else float(each) for row, each in enumerate(rng.normal(44, 5, ROWS).round(1))]
    island = [["Biscoe", "Dream", "Torgersen"][each] for each in rng.integers(0, 3, ROWS)]
    island[5], island[6] = None, "far <b>away</b>"
    first = datetime.date(2007, 11, 11)
    return table(
        length=length,
        income=np.exp(3 * rng.normal(size=ROWS)).round(2),
        island=island,
        male=[None if row == 4 else bool(rng.random() < 0.5) for row in range(ROWS)],
        seen=[first + datetime.timedelta(days=int(each)) for each in rng.integers(0, 700, ROWS)],
        mass=rng.normal(4200, 800, ROWS).round(),
    )


def traced(rows: list[int], **options: Any) -> tuple[Trace, Preparation, Goal, Table]:
    whole = penguins()
    preparation, _ = fit(whole, None, "mass")
    goal, chosen, column = goal_of(whole, None, "mass", "number"), np.array(rows), whole.column("mass")
    network = cr.Network([cr.Dense(2, "tanh"), cr.Dense(1)], inputs=len(preparation.inputs), seed=1)
    raw = replace(preparation.raw(whole, chosen), goal=goal.raw(column, chosen))
    x, t = preparation.matrix(whole, chosen), goal.targets(column, chosen)
    trace = Trace(network, x, t, raw=raw, naming=network.naming("textbook"), **options)
    return trace, preparation, goal, whole


@pytest.mark.parametrize("rows", [[3], [4], [6, 5, 3]], ids=str)
def test_every_formula_gives_the_number_that_it_explains(rows: list[int]) -> None:
    trace, *_ = traced(rows, digits=17)
    values = {trace.label(cell): trace.term(cell).value for cell in trace.cells}
    assert len(values) == len(trace.cells), "two numbers have one name"
    by_id = {cell_id(cell): trace.label(cell) for cell in trace.cells}
    addresses = spreadsheet_addresses(trace)
    for cell in trace.cells:
        assert trace.find(cell_id(cell)) == trace.find(trace.label(cell)) == cell
        step = trace.step(cell)
        assert np.isfinite(step.value)
        check_latex(step.latex)
        check_mathml(step.mathml)
        if trace.term(cell).definition is not None:
            assert_gives(step.formula, {by_id[each]: values[by_id[each]] for each in step.uses}, step.value, step.id)
            assert_gives(step.substituted, {}, step.value, step.id)
            sheet = trace.spreadsheet(step.id, addresses)
            assert_gives(sheet[1:], {addresses[name]: value for name, value in values.items()}, step.value, step.id)


def test_each_number_uses_only_earlier_ones() -> None:
    known: set[str] = set()
    for step in traced([3, 4])[0]:
        assert set(step.uses) <= known, step.id
        known.add(step.id)


def test_a_number_is_opened_down_to_its_cell() -> None:
    trace, preparation, _, whole = traced([9])
    step = trace["i1"]
    assert step.formula == "(raw_i1 - average_i1)/deviation_i1"
    assert trace["raw_i1"].value == whole.column("length").values[9]
    assert trace["average_i1"].value == preparation.columns[0].center  # type: ignore[attr-defined]
    assert trace["i3"].formula == "scaled_i3/(1 + abs(scaled_i3)/reach)"
    assert trace["scaled_i3"].formula == "(raw_i3 - median_i3)/spread_i3"
    assert trace["scaled[3]"].id == "scaled[3]"
    assert {each.id for each in trace if each.id.startswith("scaled")} == {"scaled[3]"}, "only what is far out is squeezed"
    assert "raw_i4" not in trace
    assert trace["raw_i11"].because.startswith("The cell is ")
    assert trace["raw_i11"].because.endswith(": so many days after 1970-01-01.")


def test_what_stands_in_for_a_missing_cell_is_said() -> None:
    trace, preparation, *_ = traced([3, 4, 5])
    assert trace["raw_i1@1"].value == preparation.columns[0].fill  # type: ignore[attr-defined]
    assert trace["raw_i1@1"].because == "The cell is empty: the median of the training rows stands in for it."
    assert trace["raw_i1@2"].because == "Given: the number in the table."
    assert trace["i2@1"].because == "length is missing: 1 because the cell is empty."
    assert trace["i2@2"].because.startswith("length is missing: 0 because the cell is ")
    assert [trace[f"i{place}@3"].value for place in range(4, 9)] == [0, 0, 0, 0, 1]
    assert trace["i8@3"].because == "island is missing: 1 because the cell is empty."


def test_a_number_that_is_cut_says_so() -> None:
    whole = penguins()
    preparation, _ = fit(whole, None, "mass")
    length = whole.column("length")
    new = replace(
        whole, columns=(replace(length, values=np.where(np.arange(ROWS) == 9, 1e15, length.values)), *whole.columns[1:])
    )
    x, network = preparation.matrix(new, np.array([9])), traced([9])[0].network
    trace = Trace(network, x, [[0.0]], raw=preparation.raw(new, [9]), naming=network.naming("matrix"))
    assert trace["raw[1]"].because.startswith("The cell is 1000000000000000, farther out than any in training: 8 deviations")
    assert trace["x[1]"].value == pytest.approx(8)
    assert trace["x[1]"].formula == "(raw[1] - average[1])/deviation[1]"


def test_an_indicator_says_which_cell_it_comes_from() -> None:
    trace, preparation, _, whole = traced([9, 6])
    island = whole.text(9, "island")
    place = preparation.inputs.index(f"island = {island}") + 1
    assert trace[f"i{place}@1"].because == f"island = {island}: 1 because the cell is {island}."
    others = [each for each in range(4, 9) if each != place]
    assert {trace[f"i{each}@1"].because for each in others} == {
        f"island: 0 because the cell is {island}, which is something else."
    }
    assert trace["i7@2"].because == "island = other: 1 because the cell is far <b>away</b>."


def test_the_output_is_brought_back_to_the_units_of_the_table() -> None:
    trace, _, goal, whole = traced([9, 10])
    predicted = goal.values(trace.network.predict(trace.x))
    for sample in (1, 2):
        step = trace[f"y_o1@{sample}"]
        assert step.formula == f"average_o1 + deviation_o1·out_o1@{sample}"
        assert step.value == predicted[sample - 1]
        assert trace[f"raw_o1@{sample}"].value == whole.column("mass").values[8 + sample]
        assert trace[f"target_o1@{sample}"].formula == f"(raw_o1@{sample} - average_o1)/deviation_o1"
    assert trace["y[2][1]@1"] == trace["y_o1@1"]
    assert not [step for step in trace if step.id == "y[1][1]@1"]


def test_a_row_without_a_target_is_predicted_all_the_same() -> None:
    trace, preparation, goal, whole = traced([9])
    raw = replace(preparation.raw(whole, [9]), goal=goal.raw())
    again = Trace(trace.network, trace.x, [[0.0]], raw=raw, naming=trace.naming)
    assert again["y_o1"].value == trace["y_o1"].value
    assert again["y_o1"].formula == trace["y_o1"].formula
    assert "raw_o1" not in again
    assert again["target_o1"].because == "Given: what the output should be."


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_tells_where_the_inputs_come_from(format: str) -> None:
    text = traced([6])[0].explain("y_o1", format=format)
    assert "because the cell is far" in text
    assert "<b>away" not in text or format not in ("html",)


def test_rows_of_raw_numbers_are_taken_with_their_sentences() -> None:
    whole = penguins()
    preparation, _ = fit(whole, None, "mass")
    raw = preparation.raw(whole, np.arange(ROWS))
    some = raw.take(np.array([3, 9]))
    assert some.told is not None
    assert raw.told is not None
    assert some.told(0, 1) == "length is missing: 1 because the cell is empty."
    assert raw.take(slice(3, 9)).told(0, 1) == some.told(0, 1)  # type: ignore[misc]
    assert some.groups[0].cells.tolist() == raw.groups[0].cells[[3, 9]].tolist()


def test_a_formula_of_two_groups_reads_its_own_columns() -> None:
    """Standardised and squeezed columns stand side by side; each group's cells are its own."""
    trace, *_ = traced([9])
    for name in ("i1", "i3", "i11"):
        digits = name.removeprefix("i")
        assert set(trace[name].uses) <= {f"{symbol}[{digits}]" for symbol in ("raw", "average", "deviation", "scaled")} | {
            "reach"
        }
