"""One step - forward, loss, backward, update - as a list of Steps: every number with the formula that made it.

The engine runs the step twice: on floats, keeping every named number, and on terms, which cost nothing until they are
opened. A number's value is what the engine computed; its formula is the tree of the very lines that computed it.
"""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np

from chainrule.conventions import Conventions
from chainrule.engines import reference
from chainrule.engines.reference import State, Update
from chainrule.errors import InputError, nearest, shown
from chainrule.naming import Cell, Naming, Scope, cell_id, normal, parse_id, spellings
from chainrule.network import Network, Parameters, Plan
from chainrule.readers import Floats, Recorder, Rounder, Rounding, StepKey, for_numbers
from chainrule.reasons import because
from chainrule.rules.optimizers import SGD
from chainrule.rules.preparation import Standardize
from chainrule.rules.rule import Clipping, Loss, Optimizer, Rule
from chainrule.terms.digits import Digits
from chainrule.terms.lattice import Lattice
from chainrule.terms.printers import LONG, SHOWN, Latex, MathML, Spreadsheet, Text, latex_name, mathml_name
from chainrule.terms.reader import Terms, given
from chainrule.terms.term import Term, named

PHASES = ("given", "forward", "loss", "backward", "update")
MANY = 200_000
"""More numbers than this are not listed; they are opened one at a time."""


@dataclass(frozen=True)
class Step:
    """One number and how it came about. `uses` are the ids of the numbers in its formula."""

    id: str
    name: str
    phase: str
    sample: int | None
    formula: str
    substituted: str
    value: Any
    uses: tuple[str, ...]
    latex: str
    because: str
    mathml: str = ""
    shown: str = ""

    def __str__(self) -> str:
        lines = [f"{self.name} = {self.formula}"]
        if self.substituted != self.formula:
            lines.append(f"{' ' * len(self.name)} = {self.substituted}")
        if self.shown not in (self.substituted, self.formula):
            lines.append(f"{' ' * len(self.name)} = {self.shown}")
        return "\n".join(lines)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {
            "text/plain": str(self),
            "text/latex": f"$\\displaystyle {self.latex}$",
            "text/html": f'<math display="block">{self.mathml}</math>',
        }


@dataclass(frozen=True)
class Change:
    """A number before and after the update."""

    id: str
    name: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Timing:
    """Seconds that the reference engine took, medians of several runs on this machine."""

    forward: float
    backward: float


class Trace:
    """Every number of one step, opened when it is asked for: `trace["w5+"]`, `trace["dE/dW[2][1,1]"]`."""

    def __init__(
        self,
        network: Network,
        x: Any,
        t: Any,
        optimizer: Optimizer | None = None,
        *,
        conventions: Conventions = Conventions(),
        number: int = 1,
        rate: float | None = None,
        parameters: Any = None,
        state: State | None = None,
        clipping: Clipping | None = None,
        weight: Any = None,
        keeps: dict[int, Any] | None = None,
        naming: Naming | None = None,
        digits: int | None = None,
        title: str = "",
        notes: tuple[str, ...] = (),
        raw: tuple[Any, Any, Any] | None = None,
    ) -> None:
        optimizer = optimizer or SGD()
        self.network, self.optimizer, self.conventions = network, optimizer, conventions
        self.number, self.title, self.notes, self.clipping = number, title, notes, clipping
        self.x, self.rate = network.rows(x), optimizer.learning_rate if rate is None else rate
        self.t = network.goals(t, len(self.x))
        self.weight = None if weight is None else np.asarray(weight, float).reshape(-1, 1)
        self.naming = naming or network.naming()
        self.digits = Digits(conventions.places if digits is None else digits)
        self.scope = Scope(len(self.x), bool(network.penalties))
        reference.check_order(network, conventions, clipping)
        self._rounding = None
        if conventions.intermediate != "exact":
            self._rounding = Rounding(conventions.intermediate, conventions.places)
        buffer = network.parameters if parameters is None else parameters
        self._numbers = for_numbers(buffer)
        views = reference.dressed(network, network.views(buffer), len(self.x), number, keeps)
        state = reference.begin(network, optimizer) if state is None else state
        self._update = Update(optimizer, number, self.rate, state, clipping, conventions)
        with np.errstate(all="ignore"):
            self._record(views)
            self._derive(views, raw)
        self._terms: dict[Cell, Term] = {}
        self._cells: list[Cell] | None = None
        self._names: dict[str, Cell] | None = None
        self._timing: Timing | None = None

    # running the step

    def _record(self, views: Parameters) -> None:
        stated, result = self._run(self.network.stated, views)
        self.unfused = True
        if self.network.fused != self.network.stated and self._rounding is None:
            fused, result = self._run(self.network.fused, views)
            last = len(self.network.layers)
            through = {"a", "dE/da", "da/dz"}  # the fused form has no output, and nothing to go through
            same = {k: v for k, v in fused.items() if not (k.layer == last and k.symbol in through)}
            finite = all(np.isfinite(v).all() for k, v in stated.items() if k.layer in (0, last))
            self.unfused = finite
            stated.update(same)
        self.values: dict[StepKey, Any] = stated
        self.loss, self.new = result.loss, result.parameters
        after = self._reader()
        plan = self.network.stated if self._rounding or self.network.fused == self.network.stated else self.network.fused
        dressed = [{**old, **new} for old, new in zip(views, self.new, strict=True)]
        y, _ = reference.forward(after, plan.layers, dressed, self.x)
        reference.objective(after, plan, self.network.penalties, dressed, y, self.t, self.weight)
        if plan is not self.network.stated:
            outputs = self._reader()
            reference.forward(outputs, self.network.layers, dressed, self.x)
            after.steps.update({k: v for k, v in outputs.steps.items() if k.symbol == "a"})
        self.after: dict[StepKey, Any] = after.steps

    def _reader(self) -> Any:
        if self._rounding:
            return Rounder(self._rounding)
        return Recorder() if type(self._numbers) is Floats else recorder(self._numbers)

    def _run(self, plan: Plan, views: Parameters) -> tuple[dict[StepKey, Any], Any]:
        reader = self._reader()
        result = reference.step(reader, self.network, plan, views, self.x, self.t, self.weight, self._update)
        return dict(reader.steps), result

    def _derive(self, views: Parameters, raw: tuple[Any, Any, Any] | None) -> None:
        self._given: dict[StepKey, Lattice] = {}
        self._constants: list[Term] = []
        m = Terms(self.scope, self.values, self._numbers, self._rounding)
        last = len(self.network.layers)
        x = self._give(StepKey("x", 0, "ri"), self.x) if raw is None else self._prepared(m, raw)
        t = self._give(StepKey("t", 0, "ri"), self.t)
        weight = None if self.weight is None else self._give(StepKey("weight", 0, "r1"), self.weight)
        over = {(span.layer, span.symbol): span.over for span in self.network.spans}
        parameters = [
            {s: self._give(StepKey(s, place, over.get((place, s), "ri")), np.asarray(v)) for s, v in p.items()}
            for place, p in enumerate(views, 1)
        ]
        state = [
            {s: {k: self._give(self._slot(k, place, s, over), v) for k, v in memory.items()} for s, memory in slots.items()}
            for place, slots in enumerate(self._update.state, 1)
        ]
        layers = tuple(self._symbolic(layer, place) for place, layer in enumerate(self.network.layers, 1))
        loss = self._symbolic(self.network.loss, 0)
        network = copy.copy(self.network)
        network.penalties = tuple(self._symbolic(rule, 0) for rule in network.penalties)
        clipping = None if self.clipping is None else self._symbolic(self.clipping, 0)
        update = self._update._replace(
            optimizer=self._symbolic(self.optimizer, 0), rate=self._constant("η", 0, self.rate), state=state, clipping=clipping
        )
        reference.step(m, network, Plan(layers, loss), parameters, x, t, weight, update)
        self._steps: dict[StepKey, Lattice] = dict(m.steps)
        fused = self.network.loss.fused_with(self.network.last_activation)
        if fused is not None and self._rounding is None:
            self._shortcut(fused, t, weight, last)

    def _shortcut(self, fused: Loss, t: Lattice, weight: Lattice | None, last: int) -> None:
        m = Terms(self.scope, self.values, self._numbers).at(last)
        z = self._steps[StepKey("z", last, "ri")] if StepKey("z", last, "ri") in self._steps else None
        if z is None:
            return
        slope = fused.slope(m, z, t, weight)
        if self.unfused:
            self._steps[StepKey("dE/dz shortcut", last, "ri")] = m.let("dE/dz shortcut", slope)
        else:  # through the outputs it would be 0 times infinity here
            self._steps[StepKey("dE/dz", last, "ri")] = m.let("dE/dz", slope)
            self._steps[StepKey("E", last, "ri")] = m.let("E", fused.each(m, z, t))

    def _prepared(self, m: Terms, raw: tuple[Any, Any, Any]) -> Lattice:
        """Inputs that were standardised are steps of their own: (raw - mean) / deviation."""
        table, means, deviations = (
            self._give(StepKey(symbol, 0, over), np.asarray(values))
            for symbol, over, values in zip(("raw", "mean", "deviation"), ("ri", "i", "i"), raw, strict=True)
        )
        self.values[StepKey("x", 0, "ri")] = self.x
        return m.at(0).let("x", Standardize().value(m, table, means, deviations))

    def _slot(self, slot: str, place: int, symbol: str, over: dict[tuple[int, str], str]) -> StepKey:
        if slot in self.optimizer.counters:
            return StepKey(slot, 0, "", symbol)
        return StepKey(slot, place, over[place, symbol], symbol)

    def _give(self, key: StepKey, values: Any) -> Lattice:
        self._given[key] = given(key, self.scope, values)
        return self._given[key]

    def _symbolic(self, rule: Any, layer: int) -> Any:
        """A rule whose hyper-parameters are named numbers."""
        result = copy.copy(rule)
        for entry in fields(rule):
            value = getattr(rule, entry.name)
            symbol = entry.metadata.get("symbol")
            if symbol and entry.name != "learning_rate":
                object.__setattr__(result, entry.name, self._constant(symbol, layer, value))
            elif isinstance(value, Rule) and is_dataclass(value):
                object.__setattr__(result, entry.name, self._symbolic(value, layer))
        return result

    def _constant(self, symbol: str, layer: int, value: Any) -> Term:
        constant = named(Cell(symbol, layer), np.float64(value) if type(self._numbers) is Floats else value)
        self._constants.append(constant)
        return constant

    # asking for numbers

    def term(self, cell: Cell) -> Term:
        """The term of a cell; a KeyError if this step has no such number."""
        found = self._terms.get(cell)
        if found is None:
            found = self._terms[cell] = self._locate(cell)
        return found

    def _locate(self, cell: Cell) -> Term:
        for constant in self._constants:
            if constant.name == cell:
                return constant
        for shelf in (self._steps, self._given):
            for key, array in shelf.items():
                index = self._index(key, array.shape, cell)
                if index is not None:
                    return array.cell(index)
        base = self._base(cell)
        if base is not None:
            for candidate in self._near(self.term(base)):
                if candidate.name == cell:
                    return candidate
        raise KeyError(cell)

    def _index(self, key: StepKey, shape: tuple[int, ...], cell: Cell) -> tuple[int, ...] | None:
        if cell.via is not None:
            return None
        units = iter(cell.index)
        index = tuple(
            max(cell.sample, 1) - 1 if letter == "r" else 0 if letter == "1" else next(units, 0) - 1 for letter in key.over
        )
        index += (0,) * (len(shape) - len(index))
        if len(index) != len(shape) or any(not 0 <= i < n for i, n in zip(index, shape, strict=True)):
            return None
        return index if self.scope.cell(key, index) == cell else None

    def _base(self, cell: Cell) -> Cell | None:
        """The number in whose derivation a share or a local derivative stands."""
        if cell.via is not None:
            return cell._replace(via=None)
        if cell.symbol == "dz/dW":
            return Cell("dE/dW", cell.layer, cell.index)
        if cell.symbol == "dz/dx":
            return Cell("dE/da", cell.layer - 1, cell.index[1:], 1 if self.scope.rows > 1 else 0)
        return cell._replace(sample=0) if cell.sample else None

    def _near(self, term: Term, depth: int = 3) -> Iterator[Term]:
        for each in named_in(term.definition) if term.definition is not None else ():
            yield each
            if depth > 1:
                yield from self._near(each, depth - 1)

    def find(self, name: str) -> Cell:
        """The cell that a textbook name or an id means; an InputError with the nearest name otherwise."""
        wanted = normal(name)
        cell = parse_id(wanted)
        if cell is not None:
            try:
                self.term(cell)
                return cell
            except KeyError:
                pass
        if self.count > MANY:
            raise InputError(f"no number is called {shown(name)} in this step", do='use an id such as "dE/dW[1][3,7]"')
        if self._names is None:
            self._names = {}
            hidden = [array.cell(i).name for key, array in self._steps.items() if self._hidden(key) for i in np.ndindex(array.shape)]
            for each in (*self.cells, *hidden):
                for spelling in spellings(each, self.naming):
                    self._names.setdefault(spelling, each)
            if self.scope.rows == 1:
                for spelling, each in list(self._names.items()):
                    self._names.setdefault(spelling + "@1", each)
        if wanted not in self._names:
            listed = [self.naming.name(each) for each in self.cells]
            close = nearest(name, listed) if len(listed) < 60 else nearest(name, listed).removeprefix("choose one of ")
            hint = close if len(close) < 200 else "see `chainrule explain` for every name"
            raise InputError(f"no number is called {shown(name)} in this step", do=hint)
        return self._names[wanted]

    def __getitem__(self, name: str) -> Step:
        return self.step(self.find(name))

    def __contains__(self, name: str) -> bool:
        try:
            self.find(name)
        except InputError:
            return False
        return True

    @property
    def count(self) -> int:
        """How many numbers this step has, shares and local derivatives not counted."""
        return sum(int(np.prod(array.shape)) for shelf in (self._given, self._steps) for array in shelf.values())

    @property
    def cells(self) -> list[Cell]:
        """Every number's cell, in an order in which each uses only earlier ones."""
        if self._cells is None:
            if self.count > MANY:
                raise InputError(
                    f"this step has {self.count:,} numbers and more", do='open one: trace["dE/dW[1][3,7]"], or --of NAME'
                )
            self._cells = self._list()
        return self._cells

    def _list(self) -> list[Cell]:
        order: dict[Cell, None] = {}

        def visit(term: Term) -> None:
            cell = term.name
            if not isinstance(cell, Cell) or cell in order:
                return
            self._terms[cell] = term
            for each in self._uses(term):
                visit(each)
            order[cell] = None

        for constant in self._constants:
            visit(constant)
        for key, array in (*self._given.items(), *self._steps.items()):
            if not self._hidden(key):
                for index in np.ndindex(*array.shape):
                    visit(array.cell(index))
        rank = {phase: place for place, phase in enumerate(PHASES)}
        return sorted(order, key=lambda cell: rank[self.phase(cell)])

    def _hidden(self, key: StepKey) -> bool:
        frozen = self.conventions.biases == "frozen" and key.symbol == "dE/db"
        return key.symbol == "dE/dx" or frozen or (key.symbol == "clip" and not key.parameter)

    @property
    def steps(self) -> list[Step]:
        """Every number of the step, in the order of the calculation."""
        return [self.step(cell) for cell in self.cells]

    def phase(self, cell: Cell) -> str:
        symbol = cell.symbol
        if self.term(cell).definition is None:
            return "given"
        if symbol == "x":
            return "given"
        if symbol in ("E", "E_data", "R"):
            return "loss"
        if cell.of or symbol.endswith("+") or symbol in ("norm", "shrink", "rate", "mu_now", "mu_next"):
            return "update"
        return "backward" if "/d" in symbol or symbol in ("shift", "tilt") else "forward"

    def _uses(self, term: Term) -> list[Term]:
        formula = self.formula(term)
        return [] if formula is None else list(named_in(formula))

    def formula(self, term: Term) -> Term | None:
        """The tree to print for a named term: gradients as the product along the chain."""
        made = term.definition
        if made is None or self._rounding is not None or not isinstance(term.name, Cell) or term.name.symbol != "dE/dW":
            return made
        if made.op == "*" and made.args[0].definition is not None:
            chain = made.args[0].definition
            if chain.op == "*" and all(arg.op == "name" for arg in chain.args):
                return Term("*", (*chain.args, *made.args[1:]), made.value)
        return made

    def label(self, name: Any) -> str:
        return self.naming.name(name) if isinstance(name, Cell) else str(name)

    def step(self, cell: Cell) -> Step:
        """A cell, opened."""
        term = self.term(cell)
        formula = self.formula(term)
        name, value = self.label(cell), self.digits.text(term.value)
        latex, mathml = latex_name(name), mathml_name(name)
        if formula is None:
            texts = value if self.digits.places >= 17 else Digits(17).text(term.value)
            texts = value if len(texts) - len(value) > 3 else texts
            equals = f"{latex} = {Latex(digits=self.digits).number(term.value)}"
            mathml = f"{mathml}<mo>=</mo>{MathML(digits=self.digits).number(term.value)}"
            names = numbers = texts
        else:
            with np.errstate(all="ignore"):
                names = Text(self.label, self.digits).print(formula)
                numbers = Text(self.label, self.digits, values=True).print(formula)
                parts = [
                    printer(self.label, self.digits, values).print(formula) for printer in (Latex, MathML) for values in (False, True)
                ]
            result = Latex(digits=self.digits).number(term.value)
            equals = f"{latex} = {parts[0]} = {parts[1]}" + ("" if parts[1] == result else f" = {result}")
            shown_value = MathML(digits=self.digits).number(term.value)
            tail = "" if parts[3] == f"<mrow>{shown_value}</mrow>" else f"<mo>=</mo>{shown_value}"
            mathml = f"{mathml}<mo>=</mo>{parts[2]}<mo>=</mo>{parts[3]}{tail}"
        uses = tuple(dict.fromkeys(cell_id(each.name) for each in self._uses(term) if isinstance(each.name, Cell)))
        return Step(
            cell_id(cell), name, self.phase(cell), cell.sample or None, names, numbers, term.value, uses, equals,
            because(cell, self.network, self.naming), mathml, value,
        )  # fmt: skip

    def spreadsheet(self, name: str, address: Mapping[str, str]) -> str:
        """The number's formula for a spreadsheet; `address` gives the cell address of each name in it."""
        cell = self.find(name)
        formula = self.formula(self.term(cell)) or self.term(cell)
        return Spreadsheet(lambda each: address[self.label(each)], Digits(17)).print(formula)

    # what is told at the head and at the end

    def leading_to(self, names: Iterable[str], most: int = 400) -> tuple[list[Cell], int]:
        """The cells that lead to some numbers, in order, and how many of the numbers used are not opened themselves.

        Nearest first, until `most` are open; of a long sum only the addends that are shown are followed.
        """
        targets = [self._goal(self.find(name)) for name in names]
        order: dict[Cell, Term] = {}
        queue, unopened = [self.term(cell) for cell in targets], 0
        for term in queue:
            if not isinstance(term.name, Cell) or term.name in order:
                continue
            if len(order) >= most:
                unopened += term.definition is not None
                continue
            order[term.name] = term
            self._terms[term.name] = term
            formula = self.formula(term)
            if formula is not None:
                queue.extend(named_in(formula, shown=True))
        return self._sorted(order), unopened

    def _sorted(self, order: Mapping[Cell, Term]) -> list[Cell]:
        done: dict[Cell, None] = {}

        def visit(term: Term) -> None:
            if term.name not in order or term.name in done:
                return
            for each in self._uses(term):
                visit(each)
            done[term.name] = None

        for term in order.values():
            visit(term)
        rank = {phase: place for place, phase in enumerate(PHASES)}
        return sorted(done, key=lambda cell: rank[self.phase(cell)])

    def _goal(self, cell: Cell) -> Cell:
        """Who asks what leads to a parameter means its update."""
        after = cell._replace(symbol=cell.symbol + "+")
        if self.term(cell).definition is None and not cell.of:
            try:
                self.term(after)
                return after
            except KeyError:
                pass
        return cell

    @property
    def changes(self) -> list[Change]:
        """Every parameter, sum, output and loss before and after the update; with many samples, without the samples."""
        result = []
        for cell, before, after in self._pairs():
            result.append(Change(cell_id(cell), self.label(cell), before, after))
        return result

    def _pairs(self) -> Iterator[tuple[Cell, Any, Any]]:
        for span in self.network.spans:
            new = self.new[span.layer - 1][span.symbol]
            key = StepKey(span.symbol, span.layer, span.over)
            for index in np.ndindex(*span.shape):
                yield self.scope.cell(key, index), self._given[key].cell(index).value, new[index]
        for key, after in self.after.items():
            if key.symbol not in ("z", "a", "E", "E_data", "R") or ("r" in key.over and self.scope.rows > 1):
                continue
            if key.symbol == "E" and key.over == "r1":
                continue
            array, before = np.asarray(after), np.asarray(self.values[key])
            for index in np.ndindex(*array.shape):
                yield self.scope.cell(key, index), before[index], array[index]

    @property
    def loss_after(self) -> Any:
        """The loss after the update."""
        return self.after[StepKey("E", 0, "")]

    @property
    def timing(self) -> Timing:
        """How long forward and backward take on this machine."""
        if self._timing is None:
            self._timing = self._measure()
        return self._timing

    def _measure(self, runs: int = 25) -> Timing:
        views = [{s: self._values(a) for s, a in p.items()} for p in self._views()]
        m, plan, times = self._numbers, self.network.fused, []
        with np.errstate(all="ignore"):
            for _ in range(runs):
                start = time.perf_counter()
                y, saved = reference.forward(m, plan.layers, views, self.x)
                middle = time.perf_counter()
                reference.backward(m, self.network, plan, views, saved, y, self.t, self.weight, [{} for _ in views])
                times.append((middle - start, time.perf_counter() - middle))
        return Timing(statistics.median(f for f, _ in times), statistics.median(b for _, b in times))

    def _views(self) -> Parameters:
        result: Parameters = [{} for _ in self.network.layers]
        for key, array in self._given.items():
            if key.layer and not key.parameter:
                result[key.layer - 1][key.symbol] = array
        return result

    def _values(self, array: Lattice) -> Any:
        dtype = object if type(self._numbers) is not Floats else self.network.dtype
        values = np.empty(array.shape, dtype)
        for index in np.ndindex(*array.shape):
            values[index] = array.cell(index).value
        return values

    def explain(self, *names: str, format: str = "text", **options: Any) -> str:
        """Everything that leads to the named numbers, told in a format of chainrule.explain."""
        from chainrule.explain import tell

        return tell(self, format, of=names, **options)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {
            "text/plain": self.explain(),
            "text/latex": self.explain(format="latex", fragment=True),
            "text/html": self.explain(format="html", fragment=True),
        }

    def __repr__(self) -> str:
        return f"Trace({self.network!r}, update {self.number}, {self.count:,} numbers)"


def recorder(numbers: Floats) -> Any:
    """A reader that keeps every named step, on another kind of number."""
    kind = type(numbers)
    made = type(f"Recording{kind.__name__}", (Recorder, kind), {})
    result = made.__new__(made)
    result.__dict__.update(numbers.__dict__)
    Recorder.__init__(result)
    return result


def named_in(term: Term | None, shown: bool = False) -> Iterator[Term]:
    """The named terms in a formula, in order; with `shown`, only those that its printed form shows."""
    if term is None:
        return
    if term.op == "name":
        yield term
        return
    args = term.args
    if shown and term.op == "+" and len(args) > LONG:
        args = tuple(sorted(args, key=lambda arg: -abs(arg.value))[:SHOWN])
    for arg in args:
        yield from named_in(arg, shown)
