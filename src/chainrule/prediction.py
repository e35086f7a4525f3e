"""One row's way through a trained network, from the cells of a table to the prediction: a trace without a way back."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from chainrule.conventions import Conventions
from chainrule.explain.story import Sheet, in_full
from chainrule.models import Model
from chainrule.naming import Cell, Scope
from chainrule.network import Network
from chainrule.phrases import phrase, say, speaking
from chainrule.raw import Raw
from chainrule.readers import Recorder, for_numbers
from chainrule.rehearsal import Rehearsal, Timing, recording
from chainrule.steps import Step
from chainrule.tables import Table
from chainrule.tables.table import day
from chainrule.terms.digits import Digits
from chainrule.terms.reader import Terms
from chainrule.tracing import Trace

LISTED = 40
"""Inputs that are listed with their cells; of more, the largest."""


_GIVEN = {"W": phrase("Given: a weight."), "b": phrase("Given: a bias.")}
"""What is told of parameters where no update follows."""


class Forward(Rehearsal):
    """The way of one row to the outputs as in prediction: no dropout, running statistics.

    x: the rows that were predicted together, (rows, inputs); row: which of them. The numbers are those of that very
    calculation, because a library that multiplies matrices may end in other last digits for a row alone.
    """

    def __init__(self, network: Network, x: Any, row: int, raw: Raw | None) -> None:
        self.network, self.raw = network, raw
        self.numbers, self.rounding, self.exact_form = for_numbers(network.parameters), None, False
        self.scope = Scope(1)
        self.given, self.constants, self.after = {}, [], {}
        self.views = [{**p, **memory} for p, memory in zip(network.views(network.parameters), network.memory, strict=True)]
        x = network.rows(x)
        with np.errstate(all="ignore"):
            reader: Any = Recorder() if type(self.numbers).__name__ == "Floats" else recording(self.numbers)
            y = x
            for place, (layer, p) in enumerate(zip(network.layers, self.views, strict=True), 1):
                y = layer.predict(reader.at(place), p, y)
            self.x, self.t = x[row : row + 1], y[row : row + 1]
            self.values = {
                key: values[row : row + 1] if key.over.startswith("r") else values for key, values in reader.steps.items()
            }
            self._derive()
        self.loss, self.new = None, None

    def _derive(self) -> None:
        m = Terms(self.scope, self.values, self.numbers)
        self.update = SimpleNamespace(state=[], optimizer=None)  # type: ignore[assignment]
        x: Any = self._inputs(m)
        parameters, plan = self._given_parameters(), self._symbolic_plan(self.network.stated)
        for place, (layer, p) in enumerate(zip(plan.layers, parameters, strict=True), 1):
            x = layer.predict(m.at(place), p, x)
        self._bring_back(m)
        self.steps = dict(m.steps)

    def timing(self, runs: int = 25) -> Timing:
        return Timing(0.0, 0.0)


class Prediction(Trace):
    """One prediction, every number of it: `prediction["a[3][1]"]` is a step as of any trace.

    told: what is predicted, as `chainrule predict` writes it. outputs: the row of the network's outputs, (outputs,). row: of
    the table, from 0. place: where the row stands, in words.
    """

    forward_only = True

    def __init__(self, model: Model, table: Table, row: int, place: str, digits: int | None = None, style: str = "") -> None:
        preparation, goal = model.for_tables()
        network = model.network
        block = model.block(row, len(table))
        x = preparation.matrix(table, block, network.dtype)
        raw = replace(preparation.raw(table, np.array([row])), goal=goal.raw())
        self.model, self.table, self.row, self.place = model, table, row, place
        self.network, self.conventions, self.number = network, Conventions(), 0
        self.title = phrase("The prediction for {place}", place=place)
        through = (
            "{place} goes through the trained network as in `chainrule predict`: nothing is dropped, and nothing is learned."
        )
        said = say(place)
        start = said[:1].upper() if speaking() == "en" else said[:1]
        self.notes = (say(through, place=start + said[1:]),)
        self.digits = Digits(Conventions().places if digits is None else digits, Conventions().display)
        self.naming, self.places = network.naming(style), ()
        self._step = Forward(network, x, int(row - block[0]), raw)
        self.x, self.t, self.scope = self._step.x, self._step.t, self._step.scope
        self.loss, self.new, self.weight, self.clipping = None, {}, None, None
        self._terms, self._labels, self._cells, self._timing = {}, {}, None, None
        self.outputs = np.array(self._step.t[0])
        self.told = self._predicted()

    def _predicted(self) -> str:
        _, goal = self.model.for_tables()
        if goal.kind != "number":
            return str(goal.labels(self.outputs[None, :])[0])
        value = float(goal.values(self.outputs[None, :])[0])
        return day(value) if goal.read_as == "date" else in_full(value)

    @property
    def target(self) -> Cell:
        """The number that the prediction is: the likeliest class's probability, or the value in the table's units."""
        _, goal = self.model.for_tables()
        last = len(self.network.layers)
        if goal.kind == "number":
            return Cell("y", last, (1,))
        return Cell("a", last, (1 if goal.kind == "yes_or_no" else int(goal.chosen(self.outputs[None, :])[0]) + 1,))

    @property
    def of(self) -> tuple[str, ...]:
        """The numbers that a short telling begins with: the prediction, and each input with the cell it was made of."""
        inputs = (Cell("x", 0, (int(place) + 1,)) for place in self._listed() if self._made(int(place)))
        return tuple(self.label(cell) for cell in (self.target, *inputs))

    def _made(self, place: int) -> bool:
        raw = self._step.raw
        return raw is not None and raw.group(place) is not None

    def _listed(self) -> Any:
        x = np.abs(self.x[0])
        return np.sort(np.argsort(-x, kind="stable")[:LISTED])

    @property
    def conclusion(self) -> str:
        """What is predicted, in a sentence."""
        _, goal = self.model.for_tables()
        name = self.label(self.target)
        value = self.term(self.target).value
        if goal.kind == "number":
            sentence = "The prediction for {column} is {name} = {value}."
            if goal.read_as == "date":
                sentence = "The prediction for {column} is {name} = {value}, the days since 1970-01-01: {date}."
            return say(sentence, column=goal.column, name=name, value=in_full(value), date=self.told)
        chance = goal.probabilities(self.outputs[None, :])[0]
        if goal.kind == "yes_or_no":
            first, second = goal.classes
            sentence = (
                "The prediction for {column} is {told}: {name} = {value} is the probability of {second}, "
                "and 1 - {name} = {rest} that of {first}."
            )
            known = {"rest": in_full(chance[0]), "first": first, "second": second}
            return say(sentence, column=goal.column, told=self.told, name=name, value=in_full(value), **known)
        sentence = "The prediction for {column} is {told}: its probability {name} = {value} is the largest."
        return say(sentence, column=goal.column, told=self.told, name=name, value=in_full(value))

    def inputs(self) -> Sheet:
        """Each input, with the cell it was made of."""
        preparation, _ = self.model.for_tables()
        rows = []
        for place in self._listed():
            column, _ = preparation.source(int(place))
            cell = self.table.text(self.row, column)
            rows.append(
                (
                    self.label(Cell("x", 0, (int(place) + 1,))),
                    preparation.inputs[place],
                    cell or say("(empty)"),
                    float(self.x[0, place]),
                )
            )
        count = len(preparation.inputs)
        sentence = say("The {n} largest of {count} inputs.", n=LISTED, count=f"{count:,}") if count > LISTED else ""
        head = (say("input"), say("stands for"), say("cell"), say("value"))
        return Sheet("inputs", say("From cells to inputs"), sentence, head, tuple(rows))

    def chances(self) -> Sheet | None:
        """The probability of each class."""
        _, goal = self.model.for_tables()
        if goal.kind == "number":
            return None
        each = goal.probabilities(self.outputs[None, :])[0]
        order = np.argsort(-each, kind="stable")[:LISTED]
        return Sheet(
            "probabilities",
            say("Probabilities"),
            "",
            (goal.column, say("probability")),
            tuple((goal.classes[i], float(each[i])) for i in order),
        )

    def data(self) -> dict[str, Any]:
        """The prediction for programs."""
        file, line = self.table.place(self.row)
        _, goal = self.model.for_tables()
        made: dict[str, Any] = {"file": file, "line": line, "column": goal.column, "predicted": self.told}
        if goal.kind == "number":
            made["value"] = float(self.term(self.target).value)
        else:
            each = goal.probabilities(self.outputs[None, :])[0]
            made["probabilities"] = {name: float(chance) for name, chance in zip(goal.classes, each, strict=True)}
        return {"prediction": made}

    def step(self, cell: Cell) -> Step:
        found = super().step(cell)
        return replace(found, because=say(_GIVEN[cell.symbol])) if found.plain and cell.symbol in _GIVEN else found

    @property
    def changes(self) -> list[Any]:
        return []
