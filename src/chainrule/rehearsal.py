"""One step, run twice: on floats, keeping every named number, and on terms, which cost nothing until they are opened."""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from chainrule.engines import reference
from chainrule.engines.reference import Update
from chainrule.naming import Cell, Scope
from chainrule.network import Network, Parameters, Plan
from chainrule.phrases import phrase, say
from chainrule.raw import Group, Raw
from chainrule.readers import Floats, Recorder, Rounder, Rounding, StepKey, for_numbers
from chainrule.rules.preparation import Standardize
from chainrule.rules.rule import Rule
from chainrule.terms.lattice import Lattice, Partial
from chainrule.terms.reader import Terms, given
from chainrule.terms.term import Term, named
from chainrule.terms.whole import Whole, Wholes
from chainrule.terms.whole import given as whole_of


@dataclass(frozen=True)
class Timing:
    """Seconds that the reference engine took, medians of several runs on this machine."""

    forward: float
    backward: float


ENOUGH = 0.05
"""Seconds after which a measurement of large networks is not repeated any more."""


class Rehearsal:
    """One step with all its numbers.

    values: what the engine computed, by named step. after: the same for forward and loss after the update. steps: the
    terms of each named step; given: of what was there before; constants: of hyper-parameters. new: parameters after the
    update. exact_form: the loss was taken from the last weighted sums, because through the outputs it is not finite.
    """

    def __init__(
        self, network: Network, views: Parameters, x: Any, t: Any, weight: Any, update: Update, raw: Raw | None
    ) -> None:
        self.network, self.x, self.t, self.weight = network, x, t, weight
        self.update, self.views = update, views
        self.scope = Scope(len(x), bool(network.penalties) or weight is not None)
        chosen = update.conventions
        self.rounding = None if chosen.intermediate == "exact" else Rounding(chosen.intermediate, chosen.places)
        self.numbers = for_numbers(network.parameters)
        self.exact_form = False
        self.raw = raw
        self.given: dict[StepKey, Lattice] = {}
        self.constants: list[Term] = []
        with np.errstate(all="ignore"):
            self._record()
            self._derive()

    # on floats

    def _record(self) -> None:
        network, stated, fused = self.network, self.network.stated, self.network.fused
        self.values, result = self._run(stated)
        if fused != stated and self.rounding is None:
            last = len(network.layers)
            self.exact_form = not all(_finite(v) for k, v in self.values.items() if k.layer in (0, last))
            computed, result = self._run(fused)
            self.values.update({key: v for key, v in computed.items() if key not in self._only_stated()})
            after = self._forward(fused, result.parameters)
            outputs = self._forward(stated, result.parameters)
            after.update({key: v for key, v in outputs.items() if key.symbol == "a"})
        else:
            after = self._forward(stated, result.parameters)
        self.after: dict[StepKey, Any] = after
        self.loss, self.new = result.loss, result.parameters

    def _only_stated(self) -> set[StepKey]:
        """What the fused form does not have: outputs, and the way back through them."""
        return {StepKey(symbol, len(self.network.layers), "ri") for symbol in ("a", "dE/da", "da/dz")}

    def _reader(self) -> Any:
        if self.rounding:
            return Rounder(self.rounding)
        return Recorder() if type(self.numbers) is Floats else recording(self.numbers)

    def _run(self, plan: Plan) -> tuple[dict[StepKey, Any], Any]:
        reader = self._reader()
        result = reference.step(reader, self.network, plan, self.views, self.x, self.t, self.weight, self.update)
        return dict(reader.steps), result

    def _forward(self, plan: Plan, parameters: Parameters) -> dict[StepKey, Any]:
        reader = self._reader()
        y, _ = reference.forward(reader, plan.layers, parameters, self.x)
        reference.objective(reader, plan, self.network.penalties, parameters, y, self.t, self.weight)
        return dict(reader.steps)

    # on terms

    def _derive(self) -> None:
        mute = self._only_stated() if self.exact_form else set()
        m = Terms(self.scope, self.values, self.numbers, self.rounding, mute)
        x, t = self._inputs(m), self._targets(m)
        weight = None if self.weight is None else self._give(StepKey("weight", 0, "r1"), self.weight)
        parameters, state = self._given_parameters(), self._given_state()
        stated = self._symbolic_plan(self.network.stated)
        plan = self._symbolic_plan(self.network.fused) if self.exact_form else stated
        network = copy.copy(self.network)
        network.penalties = tuple(self._symbolic(rule, 0) for rule in network.penalties)
        chosen = self.update
        update = chosen._replace(
            optimizer=self._symbolic(chosen.optimizer, 0),
            rate=self._constant("η", 0, chosen.rate),
            state=state,
            clipping=None if chosen.clipping is None else self._symbolic(chosen.clipping, 0),
        )
        reference.step(m, network, plan, parameters, x, t, weight, update)
        self._bring_back(m)
        self.steps: dict[StepKey, Lattice] = dict(m.steps)
        if self.exact_form:
            outputs = Terms(self.scope, self.values, self.numbers)
            reference.forward(outputs, stated.layers, parameters, x)
            self.steps.update({key: array for key, array in outputs.steps.items() if key in mute})
        elif self.network.fused != self.network.stated and self.rounding is None:
            self._shortcut(t, weight)

    def _shortcut(self, t: Lattice, weight: Lattice | None) -> None:
        """The last deltas straight from the weighted sums, beside the way through the outputs."""
        last = len(self.network.layers)
        m = Terms(self.scope, self.values, self.numbers, known={"p": "a"}).at(last)
        slope = self.network.fused.loss.slope(m, self.steps[StepKey("z", last, "ri")], t, weight)
        beside = StepKey("dE/dz", last, "ri")
        short = {beside._replace(symbol="dE/dz shortcut"): m.let("dE/dz shortcut", slope)}
        before = list(self.steps)[: list(self.steps).index(beside) + 1]
        self.steps = {key: self.steps[key] for key in before} | short | self.steps

    # on whole arrays

    def whole(self) -> dict[StepKey, Term]:
        """The named steps as formulas of whole arrays: the same lines, run once more. Inputs and targets are given."""
        m = Wholes(self.values, self.numbers, self._only_stated() if self.exact_form else ())
        axes, chosen = self.network.axes, self.update

        def held(slot: str, place: int, symbol: str, values: Any) -> Whole:
            return whole_of(StepKey(slot, place, axes[place, symbol], symbol), values)

        def plain(rule: Any, layer: int) -> Any:
            return symbolic(rule, lambda symbol, value: whole_of(Cell(symbol, layer), value))

        plan = self.network.fused if self.exact_form else self.network.stated
        layers = tuple(plain(layer, place) for place, layer in enumerate(plan.layers, 1))
        network = copy.copy(self.network)
        network.penalties = tuple(plain(rule, 0) for rule in network.penalties)
        update = chosen._replace(
            optimizer=plain(chosen.optimizer, 0),
            rate=whole_of(Cell("η"), chosen.rate),
            state=[
                {s: {slot: held(slot, place, s, v) for slot, v in memory.items()} for s, memory in slots.items()}
                for place, slots in enumerate(chosen.state, 1)
            ],
            clipping=None if chosen.clipping is None else plain(chosen.clipping, 0),
        )
        parameters = [
            {s: whole_of(StepKey(s, place, axes.get((place, s), "ri")), v) for s, v in p.items()}
            for place, p in enumerate(self.views, 1)
        ]
        x, t = (whole_of(StepKey(symbol, 0, "ri"), values) for symbol, values in (("x", self.x), ("t", self.t)))
        weight = None if self.weight is None else whole_of(StepKey("weight", 0, "r1"), self.weight)
        with np.errstate(all="ignore"):
            reference.step(m, network, Plan(layers, plain(plan.loss, 0)), parameters, x, t, weight, update)
        return m.steps

    def _inputs(self, m: Terms) -> Lattice:
        """The inputs. Those that were made of a table's numbers are steps of their own: (raw - average) / deviation."""
        key, shape = StepKey("x", 0, "ri"), self.x.shape
        if self.raw is None or not self.raw.groups:
            return self._give(key, self.x)
        self.values[key] = self.x
        made: dict[int, Lattice] = {}
        for group in self.raw.groups:
            before = set(m.steps)
            inputs = self._prepared(m, group, 0, shape)
            for each in set(m.steps) - before:
                m.steps[each] = Partial(m.steps[each], group.places)
            made |= dict.fromkeys(group.places, inputs)
        as_they_are = given(key, self.scope, self.x)
        m.steps[key] = Lattice(shape, lambda index: made.get(index[1], as_they_are).cell(index))
        return m.steps[key]

    def _prepared(self, m: Terms, group: Group, layer: int, shape: tuple[int, ...], symbol: str = "x") -> Lattice:
        """What a group's rule makes of its columns; raw numbers and statistics are given in `layer`."""
        table, center, scale = (
            self._spread(StepKey(name, layer, over), np.asarray(values), group.places, shape)
            for name, over, values in zip(
                ("raw", *group.rule.statistics), ("ri", "i", "i"), (group.cells, group.center, group.scale), strict=True
            )
        )
        rule, here = self._symbolic(group.rule, layer), m.at(0)
        return here.let(symbol, rule.value(here, table, center, scale))

    def _spread(self, key: StepKey, values: Any, places: tuple[int, ...], shape: tuple[int, ...]) -> Lattice:
        """Given numbers of some columns, at the places of these columns among all."""
        whole = np.full((*values.shape[:-1], shape[-1]), np.nan)
        whole[..., list(places)] = values
        lattice, earlier = Partial(given(key, self.scope, whole), places), self.given.get(key)
        if earlier is None:
            self.given[key] = lattice
        else:  # another group's columns of the same symbol
            mine = set(places)
            joined = Lattice(whole.shape, lambda index: (lattice if index[-1] in mine else earlier).cell(index))
            self.given[key] = Partial(joined, mine | {index[-1] for index in earlier.indices()})
        return lattice

    def _targets(self, m: Terms) -> Lattice:
        """The targets: given, or made of the table's numbers as inputs are."""
        key = StepKey("t", 0, "ri")
        if self.raw is None or self.raw.goal is None or self.raw.goal.cells is None:
            return self._give(key, self.t)
        self.values[key] = self.t
        return self._prepared(m, self.raw.goal, len(self.network.layers), self.t.shape, "t")

    def _bring_back(self, m: Terms) -> None:
        """What the outputs are in the table's units: a last step, if the targets were prepared."""
        if self.raw is None or self.raw.goal is None:
            return
        goal, last = self.raw.goal, len(self.network.layers)
        key, outputs = StepKey("y", last, "ri"), StepKey("a", last, "ri")
        self.values[key] = goal.rule.back(Floats(), self.values[outputs], np.asarray(goal.center), np.asarray(goal.scale))
        center, scale = (
            self.given.get(each) or self._spread(each, np.asarray(values), goal.places, self.t.shape)
            for each, values in zip(
                (StepKey(name, last, "i") for name in goal.rule.statistics), (goal.center, goal.scale), strict=True
            )
        )
        here = m.at(last)
        here.let("y", self._symbolic(goal.rule, last).back(here, m.steps[outputs], center, scale))

    def origin(self, cell: Cell) -> str:
        """Where a prepared number comes from, in a sentence; nothing for other numbers and for those that need none."""
        if self.raw is None or cell.layer or not cell.units:
            return ""
        row, place = max(cell.sample, 1) - 1, cell.units[0] - 1
        group = self.raw.group(place) if cell.symbol in ("x", "raw") else None
        if cell.symbol == "x" and group is not None:
            return "" if isinstance(group.rule, Standardize) else say(_SQUEEZED)
        asked = cell.symbol == "x" or (cell.symbol == "raw" and group is not None)
        return self.raw.told(row, place) if asked and self.raw.told is not None else ""

    def _given_parameters(self) -> Parameters:
        axes, memory = self.network.axes, self.network.memory

        def key(symbol: str, place: int) -> StepKey:
            return StepKey(symbol, place, axes.get((place, symbol), "1i" if symbol in memory[place - 1] else "ri"))

        return [{s: self._give(key(s, place), np.asarray(v)) for s, v in p.items()} for place, p in enumerate(self.views, 1)]

    def _given_state(self) -> reference.State:
        over = self.network.axes
        counters = self.update.optimizer.counters

        def key(slot: str, place: int, symbol: str) -> StepKey:
            return StepKey(slot, 0, "", symbol) if slot in counters else StepKey(slot, place, over[place, symbol], symbol)

        return [
            {s: {slot: self._give(key(slot, place, s), v) for slot, v in memory.items()} for s, memory in slots.items()}
            for place, slots in enumerate(self.update.state, 1)
        ]

    def _give(self, key: StepKey, values: Any) -> Lattice:
        self.given[key] = given(key, self.scope, values)
        return self.given[key]

    def _symbolic_plan(self, plan: Plan) -> Plan:
        layers = tuple(self._symbolic(layer, place) for place, layer in enumerate(plan.layers, 1))
        return Plan(layers, self._symbolic(plan.loss, 0))

    def _symbolic(self, rule: Any, layer: int) -> Any:
        return symbolic(rule, lambda symbol, value: self._constant(symbol, layer, value))

    def _constant(self, symbol: str, layer: int, value: Any) -> Term:
        constant = named(Cell(symbol, layer), np.float64(value) if type(self.numbers) is Floats else value)
        self.constants.append(constant)
        return constant

    # on the clock

    def timing(self, runs: int = 25) -> Timing:
        """How long forward (with the loss) and backward (through the outputs, as it is told) take on this machine."""
        m, plan = self.numbers, self.network.stated
        times: list[tuple[float, float]] = []
        gradients: Parameters = [{} for _ in self.views]
        with np.errstate(all="ignore"):
            begun = time.perf_counter()
            while len(times) < 3 or (len(times) < runs and time.perf_counter() - begun < ENOUGH):
                start = time.perf_counter()
                y, saved = reference.forward(m, plan.layers, self.views, self.x)
                reference.objective(m, plan, self.network.penalties, self.views, y, self.t, self.weight)
                middle = time.perf_counter()
                reference.backward(m, self.network, plan, self.views, saved, y, self.t, self.weight, gradients)
                times.append((middle - start, time.perf_counter() - middle))
        return Timing(statistics.median(f for f, _ in times), statistics.median(b for _, b in times))


def symbolic(rule: Any, constant: Callable[[str, Any], Any]) -> Any:
    """A rule whose hyper-parameters are named numbers; `constant` makes one of a symbol and a value."""
    result = copy.copy(rule)
    for entry in fields(rule):
        value = getattr(rule, entry.name)
        symbol = entry.metadata.get("symbol")
        if symbol and entry.name != "learning_rate":
            object.__setattr__(result, entry.name, constant(symbol, value))
        elif isinstance(value, Rule):
            object.__setattr__(result, entry.name, symbolic(value, constant))
    return result


_SQUEEZED = phrase("Some numbers of this column are far out: it is squeezed between -reach and reach, what is near 0 hardly.")


def _finite(values: Any) -> bool:
    return bool(np.all(values - values == 0))  # of any kind of number: infinity less itself is not a number


def recording(numbers: Floats) -> Recorder:
    """A reader that keeps every named step, on another kind of number."""
    kind = type(numbers)
    result: Recorder = object.__new__(type(f"Recording{kind.__name__}", (Recorder, kind), {}))
    result.__dict__.update(numbers.__dict__)
    Recorder.__init__(result)
    return result
