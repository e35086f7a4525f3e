"""One step - forward, loss, backward, update - as a list of Steps: every number with the formula that made it.

A number's value is what the engine computed; its formula is the tree of the very lines that computed it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.conventions import Conventions
from chainrule.engines import reference
from chainrule.engines.reference import State, Update
from chainrule.errors import InputError, nearest, shown
from chainrule.naming import Cell, Naming, cell_id, normal, parse_id, spellings
from chainrule.network import Network
from chainrule.readers import StepKey
from chainrule.reasons import because
from chainrule.rehearsal import Rehearsal, Timing
from chainrule.rules.optimizers import SGD
from chainrule.rules.rule import Clipping, Optimizer
from chainrule.terms.digits import Digits
from chainrule.terms.printers import LONG, SHOWN, Latex, MathML, Spreadsheet, Text, latex_name, mathml_name
from chainrule.terms.term import Term

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
        self.x, self.rate = np.array(network.rows(x)), optimizer.learning_rate if rate is None else rate
        self.t = np.array(network.goals(t, len(self.x)))
        self.weight = None if weight is None else np.asarray(weight, float).reshape(-1, 1)
        self.naming = naming or network.naming()
        self.digits = Digits(conventions.places if digits is None else digits, conventions.intermediate == "significant")
        reference.check_order(network, conventions, clipping)
        buffer = network.parameters if parameters is None else parameters
        views = reference.dressed(network, network.views(buffer), len(self.x), number, keeps)
        state = reference.begin(network, optimizer) if state is None else state
        update = Update(optimizer, number, self.rate, state, clipping, conventions)
        self._step = Rehearsal(network, views, self.x, self.t, self.weight, update, raw)
        self.scope, self.loss, self.new = self._step.scope, self._step.loss, self._step.new
        self._terms: dict[Cell, Term] = {}
        self._cells: list[Cell] | None = None
        self._names: dict[str, Cell] | None = None
        self._timing: Timing | None = None

    # asking for numbers

    def term(self, cell: Cell) -> Term:
        """The term of a cell; a KeyError if this step has no such number."""
        found = self._terms.get(cell)
        if found is None:
            found = self._terms[cell] = self._locate(cell)
        return found

    def _locate(self, cell: Cell) -> Term:
        for constant in self._step.constants:
            if constant.name == cell:
                return constant
        for shelf in (self._step.steps, self._step.given):
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
        units = iter(cell.units)
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
            return Cell("dE/dW", cell.layer, cell.units)
        if cell.symbol == "dz/dx":
            return Cell("dE/da", cell.layer - 1, cell.units[1:], 1 if self.scope.rows > 1 else 0)
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
            for each in (*self.cells, *self._unlisted()):
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

    def _unlisted(self) -> Iterator[Cell]:
        """What can be asked for and is not listed: gradients of frozen biases, and of inputs."""
        for key, array in self._step.steps.items():
            if self._hidden(key):
                yield from (self.scope.cell(key, index) for index in np.ndindex(array.shape))

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
        return sum(int(np.prod(array.shape)) for shelf in (self._step.given, self._step.steps) for array in shelf.values())

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

        for constant in self._step.constants:
            visit(constant)
        for key, array in (*self._step.given.items(), *self._step.steps.items()):
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
        if symbol in ("E", "E_data", "E_sample", "R"):
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
        if made is None or self._step.rounding is not None or not isinstance(term.name, Cell) or term.name.symbol != "dE/dW":
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
                printers = [kind(self.label, self.digits, values) for kind in (Latex, MathML) for values in (False, True)]
                parts = [printer.print(formula) for printer in printers]
            result = Latex(digits=self.digits).number(term.value)
            equals = f"{latex} = {parts[0]} = {parts[1]}" + ("" if parts[1] == result else f" = {result}")
            shown_value = MathML(digits=self.digits).number(term.value)
            tail = "" if parts[3] == f"<mrow>{shown_value}</mrow>" else f"<mo>=</mo>{shown_value}"
            mathml = f"{mathml}<mo>=</mo>{parts[2]}<mo>=</mo>{parts[3]}{tail}"
        uses = tuple(dict.fromkeys(cell_id(each.name) for each in self._uses(term) if isinstance(each.name, Cell)))
        return Step(
            cell_id(cell), name, self.phase(cell), cell.sample or None, names, numbers, _plain(term.value), uses, equals,
            because(cell, self.network, self.naming, formula is not None), mathml, value,
        )  # fmt: skip

    def spreadsheet(self, name: str, address: Mapping[str, str]) -> str:
        """The number's formula for a spreadsheet; `address` gives the cell address of each name in it."""
        cell = self.find(name)
        formula = self.formula(self.term(cell)) or self.term(cell)
        return Spreadsheet(lambda each: address[self.label(each)], Digits(17)).print(formula)

    # what is told at the head and at the end

    def leading_to(self, names: Iterable[str], most: int = 200) -> tuple[list[Cell], int]:
        """The cells that lead to some numbers, in order, and how many of the numbers used are not opened themselves.

        Nearest first, until `most` are open; of a long sum only the addends that are shown are followed.
        """
        targets = [self._goal(self.find(name)) for name in names]
        order: dict[Any, Term] = {}
        queue, unopened = [self.term(cell) for cell in targets], 0
        for term in queue:
            if not isinstance(term.name, Cell) or term.name in order:
                continue
            if len(order) >= most:
                unopened += term.opens
                continue
            order[term.name] = term
            self._terms[term.name] = term
            formula = self.formula(term)
            if formula is not None:
                queue.extend(named_in(formula, shown=True))
        return self._sorted(order), unopened

    def _sorted(self, order: Mapping[Any, Term]) -> list[Cell]:
        done: dict[Any, None] = {}

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
                yield self.scope.cell(key, index), self._step.given[key].cell(index).value, new[index]
        for key, after in self._step.after.items():
            if key.symbol not in ("z", "a", "E", "E_data", "E_sample", "R") or ("r" in key.over and self.scope.rows > 1):
                continue
            if key.symbol == "E" and key.over == "r1":
                continue
            array, before = np.asarray(after), np.asarray(self._step.values[key])
            for index in np.ndindex(*array.shape):
                yield self.scope.cell(key, index), before[index], array[index]

    @property
    def loss_after(self) -> Any:
        """The loss after the update."""
        return self._step.after[StepKey("E", 0, "")]

    @property
    def timing(self) -> Timing:
        """How long forward and backward take on this machine."""
        if self._timing is None:
            self._timing = self._step.timing()
        return self._timing

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


def _plain(value: Any) -> Any:
    """A NumPy number as Python's own."""
    return value.item() if isinstance(value, np.float64) else value


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
