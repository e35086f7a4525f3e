"""One step - forward, loss, backward, update - as a list of Steps: every number with the formula that made it.

A number's value is what the engine computed; its formula is the tree of the very lines that computed it.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from chainrule.conventions import Conventions
from chainrule.engines import reference
from chainrule.engines.reference import State, Update
from chainrule.errors import InputError, closest, shown
from chainrule.naming import Cell, cell_id, parse_id
from chainrule.network import Network, Parameters, Span
from chainrule.phrases import listed, say
from chainrule.raw import Raw
from chainrule.readers import StepKey
from chainrule.reasons import GIVEN, because
from chainrule.rehearsal import Rehearsal, Timing
from chainrule.rules.optimizers import SGD
from chainrule.rules.rule import Clipping, Optimizer
from chainrule.steps import PHASES, Change, Step
from chainrule.terms.digits import Digits
from chainrule.terms.printers import LONG, SHOWN, Spreadsheet, Text
from chainrule.terms.term import Term
from chainrule.textbook import Naming, normal

PREPARED = ("x", "t", "scaled")
"""Symbols of what is made of the table's numbers before the network sees them."""

SEARCHED = 20_000
"""Among more numbers than this no name is looked for that is like one that was asked for: listing them takes seconds."""

MOST_LISTED = 186
"""Signs that a list of names has at most, instead of the one that was asked for."""

MANY = 200_000
"""More numbers than this are not listed; they are opened one at a time."""


class Trace:
    """Every number of one step, opened when it is asked for: `trace["w5+"]`, `trace["dE/dW[2][1,1]"]`."""

    followed = 0
    """The only sample whose numbers are opened where a number is asked for that all of them lead to; 0 for all."""

    forward_only = False
    """Whether there is nothing but a way to the outputs: no loss, no way back, no update."""

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
        raw: Raw | None = None,
        places: Sequence[str] = (),
    ) -> None:
        """places: where each sample stands in its table, in words."""
        optimizer = network.like(optimizer or SGD())
        clipping = None if clipping is None else network.like(clipping)
        self.network, self.optimizer, self.conventions = network, optimizer, conventions
        self.number, self.title, self.notes, self.clipping = number, title, notes, clipping
        self.places = tuple(places)
        self.x, self.rate = np.array(network.rows(x)), optimizer.learning_rate if rate is None else network.like(rate)
        self.t = np.array(network.goals(t, len(self.x)))
        self.weight = network.weights(weight, len(self.x))
        self.naming = copy.copy(naming or network.naming())
        self.naming.separate = self._separate()
        self.digits = Digits(conventions.places if digits is None else digits, conventions.display)
        reference.check_order(network, conventions, clipping)
        buffer = network.parameters if parameters is None else parameters
        views = reference.dressed(network, network.views(buffer), len(self.x), number, keeps)
        state = reference.begin(network, optimizer) if state is None else state
        self.state, self.keeps = state, keeps
        update = Update(optimizer, number, self.rate, state, clipping, conventions)
        self._step = Rehearsal(network, views, self.x, self.t, self.weight, update, raw)
        self.scope, self.loss, self.new = self._step.scope, self._step.loss, self._step.new
        self._terms: dict[Cell, Term] = {}
        self._labels: dict[Any, str] = {}
        self._cells: list[Cell] | None = None
        self._timing: Timing | None = None

    def _separate(self) -> bool:
        """Whether what comes back from an output is the derivative of that output's own loss: nothing is averaged."""
        loss, activation = self.network.loss, self.network.last_activation
        added = loss.over_outputs == "sum" or self.network.outputs == 1
        alone = len(self.x) == 1 or loss.reduction == "sum"
        return added and alone and self.weight is None and activation.name != "softmax"

    # asking for numbers

    def term(self, cell: Cell) -> Term:
        """The term of a cell; a KeyError if this step has no such number."""
        found = self._terms.get(cell)
        if found is None:
            with np.errstate(all="ignore"):
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
            symbol = "dE/da" if cell.layer > 1 else "dE/dx"
            return Cell(symbol, cell.layer - 1, cell.units[1:], 1 if self.scope.rows > 1 else 0)
        return cell._replace(sample=0) if cell.sample else None

    def _near(self, term: Term, depth: int = 3) -> Iterator[Term]:
        for each in named_in(term.definition) if term.definition is not None else ():
            yield each
            if depth > 1:
                yield from self._near(each, depth - 1)

    def find(self, name: str, sample: int = 0) -> Cell:
        """The cell that a textbook name or an id means; an InputError with the nearest name otherwise.

        sample: which is meant where the name does not say it, and would have to.
        """
        wanted = normal(name)
        identified = [cell for cell in (parse_id(name.strip()), parse_id(wanted)) if cell is not None]  # a loss may have a δ
        for cell in (*identified, *self.naming.read(wanted)):
            for each in self._sampled(cell, sample):
                if self.has(each):
                    return each
        raise InputError(say("no number is called {name} in this step", name=shown(name)), do=self._instead(wanted))

    def has(self, cell: Cell) -> bool:
        """Whether this step has such a number."""
        try:
            self.term(cell)
        except KeyError:
            return False
        return True

    def _sampled(self, cell: Cell, sample: int) -> Iterator[Cell]:
        """A cell with and without its sample: one sample is not mentioned, of many the one that is told may be meant."""
        yield cell
        if cell.sample and (self.scope.rows == 1 or cell.symbol == "dz/dx") and cell.sample <= self.scope.rows:
            yield cell._replace(sample=0)
        if sample and not cell.sample and self.scope.rows > 1:
            yield cell._replace(sample=sample)

    def _instead(self, wanted: str) -> str:
        if wanted.endswith("+") and wanted[:-1] in self:
            return say("{name} is not updated: it is given, or frozen", name=wanted[:-1])
        if "@" not in wanted and self.scope.rows > 1 and f"{wanted}@1" in self:
            return say("say of which sample: {name}", name=f"{wanted}@1")
        if self.count > SEARCHED:
            return say('use an id such as "dE/dW[1][3,7]", or a name such as net_h1_3@2')
        names = sorted({self.label(cell) for cell in self.cells if cell.sample <= 1})
        close, every = closest(wanted, names), listed(names)
        if close is not None:
            return say("did you mean {name}?", name=close)
        few = len(every) < MOST_LISTED
        return say("choose one of {names}", names=every) if few else say("`chainrule explain` shows every name")

    def __getitem__(self, name: str) -> Step:
        return self.step(self.find(name))

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __len__(self) -> int:
        return len(self.cells)

    def __contains__(self, name: str) -> bool:
        try:
            self.find(name)
        except InputError:
            return False
        return True

    @property
    def count(self) -> int:
        """How many numbers this step has, shares and local derivatives not counted."""
        return self._count(None)

    def values(self, symbol: str, layer: int, of: str = "") -> Any:
        """What the engine computed under a symbol in a layer, as an array; None if there is nothing of that name.

        of: the parameter that the numbers belong to: the new weights are `values("+", 2, "W")`.
        """
        for key, array in self._step.values.items():
            if (key.symbol, key.layer, key.parameter) == (symbol, layer, of):
                return np.asarray(array)
        return None

    @property
    def numbers(self) -> dict[Cell, float]:
        """What the engine computed in this step, by cell, without opening any of it: shares of a sum are left out."""
        return {
            self.scope.cell(key, index): float(value)
            for key, array in self._step.values.items()
            if not self._hidden(key)
            for index, value in np.ndenumerate(np.asarray(array))
        }

    @property
    def cells(self) -> list[Cell]:
        """Every number's cell, in an order in which each uses only earlier ones."""
        if self._cells is None:
            self._cells = self.cells_of(None)
        return self._cells

    def cells_of(self, sample: int | None) -> list[Cell]:
        """The cells of one sample and of what all samples share, in order; of every sample for None.

        Of a sum over samples the sample's own share is listed, and not the others'.
        """
        count = self._count(sample)
        if count > MANY:
            raise InputError(f"this step has {count:,} numbers and more", do='open one: trace["dE/dW[1][3,7]"], or --of NAME')
        with np.errstate(all="ignore"):
            return self._list(sample)

    def _list(self, sample: int | None) -> list[Cell]:
        order: dict[Cell, None] = {}

        def visit(term: Term) -> None:
            cell = term.name
            if not isinstance(cell, Cell) or cell in order or (sample and cell.sample not in (0, sample)):
                return
            self._terms[cell] = term
            for each in self._uses(term):
                visit(each)
            order[cell] = None

        for constant in self._step.constants:
            visit(constant)
        for key, array in (*self._step.given.items(), *self._step.steps.items()):
            if not self._hidden(key):
                place = key.over.find("r")
                for index in array.indices():
                    if not sample or not 0 <= place < len(index) or index[place] == sample - 1:
                        visit(array.cell(index))
        return sorted(order, key=self._rank)

    def _count(self, sample: int | None) -> int:
        """About how many numbers a sample has, or all samples."""
        rows = self.scope.rows if sample else 1
        shelves = (self._step.given, self._step.steps)
        return sum(
            int(np.prod(array.shape)) // (rows if "r" in key.over else 1) for shelf in shelves for key, array in shelf.items()
        )

    def _rank(self, cell: Cell) -> int:
        """Phase after phase; where new weights already carry the error back, only what is given comes first."""
        rank = PHASES.index(self.phase(cell))
        return min(rank, 1) if self.conventions.order == "sequential" else rank

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
        if symbol in PREPARED:
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
        """The name of a cell, as this trace calls it."""
        found = self._labels.get(name)
        if found is None:
            found = self._labels[name] = self.naming.name(name) if isinstance(name, Cell) else str(name)
        return found

    def step(self, cell: Cell) -> Step:
        """A cell, opened."""
        term = self.term(cell)
        formula, value = self.formula(term), self.digits.text(term.value)
        if formula is None:
            names = numbers = Digits(17).text(term.value)
            if len(names) > len(value) + 3:  # a long number that was not written down by anyone
                names = numbers = value
        else:
            with np.errstate(all="ignore"):
                names = Text(self.label, self.digits).print(formula)
                numbers = Text(self.label, self.digits, values=True).print(formula)
        uses = tuple(dict.fromkeys(cell_id(each.name) for each in self._uses(term) if isinstance(each.name, Cell)))
        origin = self._step.origin(cell)
        reason = origin or because(cell, self.network, self.naming, self.scope.rows, formula is not None)
        plain = formula is None and not origin and (not reason or (cell.symbol in GIVEN and not cell.of))
        if self.places and cell.sample and cell.symbol in ("dE/dW", "dE_data/dW"):
            reason = say("{reason} Sample {n} is {place}.", reason=reason, n=cell.sample, place=self.places[cell.sample - 1])
        sample = cell.sample or None
        return Step(
            cell_id(cell), self.label(cell), self.phase(cell), sample, names, numbers, _plain(term.value), uses, reason, value,
            lambda kind: self._equation(cell, kind), plain,
        )  # fmt: skip

    def _equation(self, cell: Cell, kind: type[Text]) -> str:
        """Name, formula, formula with numbers and value, set in one line by a printer."""
        term = self.term(cell)
        formula = self.formula(term)
        named, valued = kind(self.label, self.digits), kind(self.label, self.digits, values=True)
        sides, result = [named.name(cell)], named.number(term.value)
        if formula is not None:
            with np.errstate(all="ignore"):
                sides += [named.print(formula), valued.print(formula)]
        if sides[-1] not in (result, f"<mrow>{result}</mrow>"):
            sides.append(result)
        return kind.equals.join(sides)

    def spreadsheet(self, name: str, address: Mapping[str, str]) -> str:
        """The number's formula for a spreadsheet; `address` gives the cell address of each name in it."""
        cell = self.find(name)
        formula = self.formula(self.term(cell)) or self.term(cell)
        return Spreadsheet(lambda each: address[self.label(each)], Digits(17)).print(formula)

    # what is told at the head and at the end

    def leading_to(self, names: Iterable[str], sample: int = 0, most: int = 200) -> tuple[list[Cell], int]:
        """The cells that lead to some numbers, in order, and how many of the numbers used are not opened themselves.

        Nearest first, until `most` are open; of a long sum only the addends that are shown are followed. sample: the one
        that names mean which do not say theirs.
        """
        targets = [self.goal(self.find(name, sample)) for name in names]
        order: dict[Any, Term] = {}
        queue, unopened = [self.term(cell) for cell in targets], 0
        for term in queue:
            if not isinstance(term.name, Cell) or term.name in order:
                continue
            if len(order) >= most or (self.followed and term.name.sample not in (0, self.followed)):
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
        given = sorted((cell for cell in done if not order[cell].opens), key=_shelf)
        return sorted([*given, *(cell for cell in done if order[cell].opens)], key=self._rank)

    def goal(self, cell: Cell) -> Cell:
        """What is opened for a cell: who asks what leads to a parameter means its update."""
        after = cell._replace(symbol=cell.symbol + "+")
        return after if not self.term(cell).opens and not cell.of and self.has(after) else cell

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
    def parameters(self) -> Parameters:
        """The parameters before the update, one dict of arrays a layer."""
        return self._step.views

    @property
    def gradients(self) -> list[tuple[Span, Any]]:
        """The derivative of the loss by each parameter, before it is clipped: where the parameter lies, and an array."""
        found = self._step.values
        return [(span, found[StepKey(f"dE/d{span.symbol}", span.layer, span.over)]) for span in self.network.spans]

    def whole(self) -> dict[StepKey, Term]:
        """The named steps as formulas of whole arrays, in the order of the calculation; their values are arrays."""
        return {key: made for key, made in self._step.whole().items() if not self._hidden(key)}

    @property
    def losses(self) -> Any:
        """The loss of each sample, (samples,)."""
        return np.reshape(self._step.values[StepKey("E", len(self.network.layers), "r1")], -1)

    @property
    def conclusion(self) -> str:
        """What came of the step, in a sentence."""
        before, after = (Digits(17).text(loss) for loss in (self.loss, self.loss_after))
        sentence = "The loss is {before} before update {n} and {after} after it."
        return say(sentence, before=before, n=self.number, after=after)

    @property
    def loss_after(self) -> Any:
        """The loss after the update."""
        return self._step.after[StepKey("E", 0, "")]

    @property
    def exact_form(self) -> bool:
        """Whether the loss had to be taken from the last weighted sums, because through the outputs it is not finite."""
        return self._step.exact_form

    @property
    def timing(self) -> Timing:
        """How long forward and backward take on this machine."""
        if self._timing is None:
            self._timing = self._step.timing()
        return self._timing

    def explain(self, *names: str, format: str = "text", **options: Any) -> str:
        """Everything that leads to the named numbers, told in a format of chainrule.explain. `language="zh"` tells it in
        Chinese."""
        from chainrule.explain import tell

        return tell(self, format, of=names, **options)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        if self.count > MANY:
            return {"text/plain": repr(self)}
        return {
            "text/plain": self.explain(),
            "text/latex": self.explain(format="latex", fragment=True),
            "text/html": self._repr_html_(),
        }

    def _repr_html_(self) -> str:
        """The interactive page in a frame, for notebooks."""
        return self.explain(format="html", frame=True) if self.count <= MANY else f"<pre>{escape(repr(self))}</pre>"

    def __repr__(self) -> str:
        return f"Trace({self.network!r}, update {self.number}, {self.count:,} numbers)"


def _shelf(cell: Cell) -> tuple[Any, ...]:
    """Where a given number stands among the others: constants, inputs, targets, then layer by layer."""
    if not cell.units:
        return (0, cell.symbol, cell.layer)
    return (
        1 + ("x", "t").index(cell.symbol) if cell.symbol in ("x", "t") else 3,
        cell.layer,
        cell.symbol,
        cell.sample,
        cell.units,
    )


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
