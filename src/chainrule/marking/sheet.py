"""A step as a spreadsheet: every cell with its formula. Put other numbers or other formulas in, and what follows changes.

Many variants are computed at once: one pass over the cells, with an array over the variants in each cell that they reach.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import reduce
from typing import Any, TypeAlias

import numpy as np

from chainrule.naming import Cell
from chainrule.readers import Floats, Rounding
from chainrule.terms.term import Term
from chainrule.tracing import Trace, named_in

Change: TypeAlias = Mapping[Cell, "Term | float"]
"""What a variant has in place of some cells' formulas: another formula, or a number."""

FLOATS = Floats()


class Sheet:
    """The cells of a step in an order in which each uses only earlier ones.

    Formulas are the steps as they were run: a gradient is its delta times what the sender put out, so that a delta that
    somebody got wrong is carried on. values: as the engine computed them, as floats. of: only what leads to these cells;
    without it the trace must be small enough to be listed (an InputError says so). depth: so many steps before them, and
    what stands there counts as given.
    """

    def __init__(self, trace: Trace, of: Iterable[Cell] | None = None, depth: int | None = None) -> None:
        self.trace = trace
        goals = _in_order(trace, trace.cells) if of is None else list(of)
        opened = None if depth is None else _near(trace, goals, depth)
        self.cells: list[Cell] = _leading_to(trace, goals, opened)
        self.formulas: dict[Cell, Term | None] = {
            cell: trace.term(cell).definition if opened is None or cell in opened else None for cell in self.cells
        }
        self.values: dict[Cell, float] = {cell: float(trace.term(cell).value) for cell in self.cells}
        self.place: dict[Cell, int] = {cell: place for place, cell in enumerate(self.cells)}
        self.held: frozenset[Cell] = frozenset()
        chosen = trace.conventions
        self.rounding = None if chosen.intermediate == "exact" else Rounding(chosen.intermediate, chosen.places)
        self._link()

    def _link(self) -> None:
        self._uses = {cell: tuple(leaves(formula)) for cell, formula in self.formulas.items()}
        self._used_by: dict[Cell, list[Cell]] = {cell: [] for cell in self.cells}
        for cell, used in self._uses.items():
            for each in used:
                self._used_by[each].append(cell)

    def changed(self, change: Change) -> Sheet:
        """The sheet with other formulas, or with numbers that are held whatever comes before them."""
        other = copy.copy(self)
        other.values = self.recompute(change)
        other.formulas = {**self.formulas, **{cell: new for cell, new in change.items() if isinstance(new, Term)}}
        other.held = self.held | {cell for cell, new in change.items() if not isinstance(new, Term)}
        other._link()
        return other

    def as_it_was(self, cell: Cell) -> bool:
        """Whether a cell still has the formula of its trace."""
        return self.formulas[cell] is not None and self.formulas[cell] is self.trace.term(cell).definition

    def __contains__(self, cell: object) -> bool:
        return cell in self.place

    def uses(self, cell: Cell) -> tuple[Cell, ...]:
        """The cells in a cell's formula, each once."""
        return self._uses[cell]

    def followers(self, cell: Cell) -> list[Cell]:
        """Every cell that a cell has a part in, near or far, in order."""
        return self._reached([cell], self._used_by)

    def sources(self, cell: Cell) -> list[Cell]:
        """Every cell that has a part in a cell, near or far, in order."""
        return self._reached([cell], self._uses)

    def _reached(self, start: Iterable[Cell], arrows: Mapping[Cell, Sequence[Cell]]) -> list[Cell]:
        found: set[Cell] = set()
        queue = [each for cell in start for each in arrows[cell]]
        while queue:
            cell = queue.pop()
            if cell not in found:
                found.add(cell)
                queue.extend(arrows[cell])
        return sorted(found, key=self.place.__getitem__)

    def recompute(self, changes: Change) -> dict[Cell, float]:
        """Every cell's number when some cells are held at the given ones. What they have no part in stays as it is."""
        rows = np.zeros((1, 1), int)
        found = self.evaluate([changes], rows)
        return {cell: float(np.ravel(found[cell])[0]) for cell in self.cells}

    def follow(self, cell: Cell, held: Mapping[Cell, float]) -> float:
        """A cell's number as its formula gives it, from the numbers that are held for others (not for itself)."""
        others = {each: value for each, value in held.items() if each != cell}
        return float(np.ravel(self.evaluate([others], np.zeros((1, 1), int), [cell])[cell])[0])

    def evaluate(
        self,
        changes: Sequence[Change],
        rows: Any,
        wanted: Collection[Cell] | None = None,
        held: Mapping[Cell, Any] | None = None,
        rounding: Rounding | None = None,
    ) -> dict[Cell, Any]:
        """The wanted cells (all, if none are named) under many variants: a number where no variant reaches, else an array.

        rows: (variants, n) whole numbers, each row the places in `changes` of those that act together, -1 for none; where
        two of them say something about one cell, the last in the list of changes does. held: numbers, or arrays over the
        variants, that stand in cells in all of them. rounding: every step before the wanted ones is rounded so.
        """
        table = _Table(self, changes, np.asarray(rows), held or {}, rounding or self.rounding)
        with np.errstate(all="ignore"):
            return table.fill(self.cells if wanted is None else wanted)


class _Table:
    """One evaluation: cell after cell, the numbers of all variants."""

    def __init__(
        self, sheet: Sheet, changes: Sequence[Change], rows: Any, held: Mapping[Cell, Any], rounding: Rounding | None
    ) -> None:
        self.sheet, self.held, self.rounding = sheet, held, rounding
        self.size = len(rows)
        self.changed: dict[Cell, list[tuple[Term | float, Any]]] = {}
        where = _positions(rows, len(changes))
        for place, change in enumerate(changes):
            for cell, instead in change.items():
                self.changed.setdefault(cell, []).append((instead, where[place]))
        self.computed: dict[Cell, Any] = {}  # what a formula gives
        self.kept: dict[Cell, Any] = {}  # what is gone on with: rounded, if that is how it is done
        self.moved: set[Cell] = set()  # what is not as it was

    def fill(self, wanted: Collection[Cell]) -> dict[Cell, Any]:
        last = max((self.sheet.place[cell] for cell in wanted), default=-1)
        for cell in self.sheet.cells[: last + 1]:
            self._set(cell)
        found = self.kept if self.rounding is self.sheet.rounding else self.computed
        return {cell: found[cell] for cell in wanted}

    def _set(self, cell: Cell) -> None:
        sheet, formula = self.sheet, self.sheet.formulas[cell]
        value: Any = sheet.values[cell]
        if cell in self.held:
            value = self.held[cell]
            self.moved.add(cell)
        elif formula is not None and cell not in sheet.held and self._moves(cell):
            value = evaluate(formula, self.kept.__getitem__)
            self.moved.add(cell)
        for instead, where in self.changed.get(cell, ()):
            if not len(where):
                continue
            value = np.array(np.broadcast_to(value, (self.size,)), float)
            value[where] = evaluate(instead, self._chosen(where)) if isinstance(instead, Term) else instead
            self.moved.add(cell)
        self.computed[cell] = self.kept[cell] = value
        if self.rounding is not None and formula is not None and formula.op != "name" and cell in self.moved:
            self.kept[cell] = self.rounding.array(value) if np.ndim(value) else self.rounding.number(float(value))

    def _moves(self, cell: Cell) -> bool:
        """Whether a cell has to be computed anew: what it is made of has moved, or is rounded as it was not in the step."""
        return self.rounding is not self.sheet.rounding or any(each in self.moved for each in self.sheet.uses(cell))

    def _chosen(self, where: Any) -> Callable[[Cell], Any]:
        def look(cell: Cell) -> Any:
            value = self.kept[cell]
            return value[where] if np.ndim(value) else value

        return look


def _positions(rows: Any, count: int) -> list[Any]:
    """For each change, the variants that have it."""
    flat = rows.reshape(-1)
    order = np.argsort(flat, kind="stable")
    edges = np.searchsorted(flat[order], np.arange(count + 1))
    width = rows.shape[1] if rows.ndim > 1 else 1
    return [order[edges[place] : edges[place + 1]] // width for place in range(count)]


def leaves(formula: Term | None) -> Iterator[Cell]:
    """The cells in a formula, each once."""
    yield from dict.fromkeys(each.name for each in named_in(formula) if isinstance(each.name, Cell))


def evaluate(term: Term, look: Callable[[Cell], Any]) -> Any:
    """The value of a tree, with `look(cell)` for the number or array in each named cell."""
    if term.op == "name":
        return look(term.name) if isinstance(term.name, Cell) else float(term.value)
    if term.op == "literal":
        return term.value
    operation = _OPERATIONS.get(term.op) or _function(term.op)
    return operation(*(evaluate(each, look) for each in term.args))


def _rounded(how: str) -> Callable[[Any, int], Any]:
    def rounded(x: Any, places: int) -> Any:
        numbers = Rounding(how, places)
        return numbers.number(float(x)) if np.ndim(x) == 0 else numbers.array(x)

    return rounded


def _product(*factors: Any) -> Any:
    result = reduce(lambda x, y: x * y, factors)
    # 0 times the logarithm of 0: the rules' own product says what that is
    return result if np.all(np.isfinite(result)) else reduce(FLOATS.times, factors)


def _ratio(x: Any, y: Any) -> Any:
    result = np.divide(x, y)
    # t/y stands for t times 1/y, of which the rules say what it is where both are 0
    return result if np.all(np.isfinite(result)) else FLOATS.times(x, np.divide(1.0, y))


def _function(name: str) -> Callable[..., Any]:
    """A function of the rules' alphabet; operators stand below."""
    function = getattr(FLOATS, name)
    if name in ("maximum", "minimum"):
        return lambda *args: reduce(function, args)
    return lambda *args: function(*(np.float64(each) if type(each) in (int, float) else each for each in args))


_OPERATIONS: dict[str, Callable[..., Any]] = {
    "+": lambda *args: reduce(lambda x, y: x + y, args),
    "-": lambda x, y: x - y,
    "*": _product,
    "/": _ratio,
    "neg": lambda x: -x,
    "rounded": _rounded("rounded"),  # these two stand in no rule: a person's rounding on the way
    "truncated": _rounded("truncated"),
    "**": lambda x, exponent: np.float64(x) ** exponent if np.ndim(x) == 0 else x**exponent,
}


def _in_order(trace: Trace, cells: Sequence[Cell]) -> list[Cell]:
    """Layer by layer on the way back, a layer's new weights before the layer in front of it: a person may use them there."""
    forward = ("given", "forward", "loss")
    return sorted(cells, key=lambda cell: 1 if trace.phase(cell) in forward else 2 + len(trace.network.layers) - cell.layer)


def _near(trace: Trace, goals: Sequence[Cell], depth: int) -> set[Cell]:
    """The cells that are at most so many steps before some, these included."""
    found, front = set(goals), set(goals)
    for _ in range(depth):
        front = {each for cell in front for each in leaves(trace.term(cell).definition)} - found
        found |= front
    return found


def _leading_to(trace: Trace, goals: Iterable[Cell], opened: Collection[Cell] | None) -> list[Cell]:
    """The cells that lead to some, and these, in an order in which each uses only earlier ones. opened: those that are not
    taken as given."""
    order: dict[Cell, None] = {}
    for goal in goals:
        stack = [(goal, False)]
        while stack:
            cell, ready = stack.pop()
            if ready:
                order[cell] = None
            elif cell not in order:
                stack.append((cell, True))
                formula = trace.term(cell).definition if opened is None or cell in opened else None
                stack.extend((each, False) for each in leaves(formula) if each not in order)
    return list(order)
