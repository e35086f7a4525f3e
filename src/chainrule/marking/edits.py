"""Slips of the pen within one formula: every way to get one step of a calculation wrong by a single move.

A slip is another tree in place of a cell's own. The moves know nothing about networks but where a number stands: what is
a neighbour, a sender's output, the weighted sum behind it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from chainrule.marking.sheet import Sheet, leaves
from chainrule.marking.trees import key, node_of, positions, renamed, replaced
from chainrule.naming import Cell
from chainrule.phrases import Phrase, listed, phrase, say
from chainrule.readers import Rounding
from chainrule.terms.printers import Text
from chainrule.terms.term import Term, named, term

COMMON, RARER, RARE = range(3)
"""How often people slip so. Where several slips give the same few digits, a common one is named before a rare one."""

KINDS: dict[str, tuple[int, Phrase]] = {
    "addend_left_out": (COMMON, phrase("An addend was left out, such as the bias.")),
    "factor_left_out": (COMMON, phrase("A factor was left out, such as the slope, the learning rate or the input.")),
    "step_left_out": (COMMON, phrase("A function was not applied, such as the activation or the square.")),
    "sign_turned": (COMMON, phrase("A sign was turned.")),
    "one_path": (COMMON, phrase("Only one path of a sum was followed.")),
    "net_for_out": (COMMON, phrase("The weighted sum stands in place of the output.")),
    "out_for_net": (COMMON, phrase("The output stands in place of the weighted sum.")),
    "weight_for_activation": (
        COMMON,
        phrase("A weight stands in place of an activation, or an activation in place of a weight."),
    ),
    "transposed": (COMMON, phrase("Rows and columns of the weights were exchanged.")),
    "updated_weight": (COMMON, phrase("A weight that is updated already stands in place of the old one.")),
    "rounded_intermediates": (COMMON, phrase("What the number is made of was rounded first.")),
    "truncated_intermediates": (COMMON, phrase("What the number is made of was cut off first.")),
    "derivative_for_another": (RARER, phrase("Another derivative of the same unit was used.")),
    "names_swapped": (RARER, phrase("Two numbers of a kind were exchanged.")),
    "neighbour": (RARER, phrase("A neighbour's number was used.")),
    "old_memory": (RARER, phrase("The optimizer's memory from before the update was used.")),
    "wrong_branch": (RARER, phrase("The other case of a case distinction was used.")),
    "decimal_point": (RARE, phrase("The decimal point slipped.")),
    "digits_swapped": (RARE, phrase("Two digits were exchanged.")),
}
"""Every kind of slip: how often it is made, and what it is."""

CLOSE = 12
"""Of the numbers of a kind, so many neighbours are tried in place of one."""

LONG = 40
"""In formulas of more names than this none is taken for another: nobody writes them down one by one."""

PLACES = tuple(range(1, 10))
"""Decimals to which what a number is made of may have been rounded."""


@dataclass(frozen=True)
class Edit:
    """A slip: the tree that stands in place of a cell's own. phrase: it in words, to go behind `with`. places: decimals, of a
    rounding. kinds: more than one if the tree has more than one slip. uses: the cells in the tree."""

    cell: Cell
    kinds: tuple[str, ...]
    phrase: str
    tree: Term
    uses: tuple[Cell, ...]
    places: int = 0
    once: bool = False  # at one of several places where the same number stands

    @property
    def rank(self) -> int:
        return max(*(KINDS[kind][0] for kind in self.kinds), RARER if self.once else COMMON)


class Move(NamedTuple):
    """A slip before it is known whether it makes sense in its cell."""

    kind: str
    phrase: str
    tree: Term
    places: int = 0
    once: bool = False


class Slips:
    """The slips of a sheet's cells; made once for a sheet, because they look for neighbours in it.

    second: the slips of another sheet, to go with a cause that this sheet has already. Formulas that are the same have the
    same ones, and nothing is rounded on the way.
    """

    def __init__(self, sheet: Sheet, second: Slips | None = None) -> None:
        self.sheet, self._rounds = sheet, second is None
        self._like = second
        self._text = Text(sheet.trace.label, sheet.trace.digits)
        self._shelves: dict[tuple[str, int, str], list[Cell]] = {}
        for cell in sheet.cells:
            if cell.via is None:
                self._shelves.setdefault((cell.symbol, cell.layer, cell.of), []).append(cell)
        self._own: dict[Cell, tuple[Edit, ...]] = {}

    def of(self, cell: Cell) -> tuple[Edit, ...]:
        """Every slip in one cell's formula, each result of it once."""
        found = self._own.get(cell)
        if found is None:
            found = self._as_before(cell) or tuple(self._distinct(cell, self._trees(cell)))
            self._own[cell] = found
        return found

    def _as_before(self, cell: Cell) -> tuple[Edit, ...] | None:
        """The slips of the other sheet, where the formula and what is given in it are the same."""
        like, sheet = self._like, self.sheet
        if like is None or cell not in like.sheet or not _same(like.sheet.formulas[cell], sheet.formulas[cell]):
            return None
        given = [each for each in map(self._meaning, sheet.uses(cell)) if sheet.formulas[each] is None]
        if any(like.sheet.values.get(each) != sheet.values[each] for each in given):
            return None
        return tuple(edit for edit in like.of(cell) if not edit.places and self._fits(cell, edit.uses))

    def _fits(self, cell: Cell, uses: tuple[Cell, ...]) -> bool:
        """Whether a formula uses only what stands before its cell."""
        place = self.sheet.place
        here = place[cell]
        return all(place.get(each, here) < here for each in uses)

    def twice(self, cell: Cell) -> Iterator[Edit]:
        """Two slips in one formula, each result that one slip does not have, once."""
        seen = {key(edit.tree) for edit in self.of(cell)} | {key(tree) for tree in self._trees(cell)}
        for first in self.of(cell):
            for second in self._distinct(cell, [first.tree]) if not first.places else ():
                mark = key(second.tree)
                if not second.places and mark not in seen:
                    seen.add(mark)
                    both = say("{cause} and {another}", cause=first.phrase, another=second.phrase)
                    kinds, once = first.kinds + second.kinds, first.once or second.once
                    yield Edit(cell, kinds, both, second.tree, second.uses, once=once)

    def _trees(self, cell: Cell) -> list[Term]:
        """A cell's formula as it ran, and as it is told: a gradient is also the product along the chain."""
        own = self.sheet.formulas[cell]
        if own is None:
            return []
        if not self.sheet.held.isdisjoint(leaves(own)):
            return [own]  # whoever wrote down the delta went on with it
        told = self.sheet.trace.formula(self.sheet.trace.term(cell)) if self.sheet.as_it_was(cell) else None
        if told is None or key(told) == key(own) or not all(each in self.sheet for each in leaves(told)):
            return [own]
        return [own, told]

    def _distinct(self, cell: Cell, trees: list[Term]) -> Iterator[Edit]:
        seen = {key(tree) for tree in trees}
        for tree in trees:
            for move in self._moves(cell, tree):
                mark = key(move.tree)
                if mark in seen:
                    continue
                seen.add(mark)
                uses = tuple(leaves(move.tree))
                if self._fits(cell, uses):
                    yield Edit(cell, (move.kind,), move.phrase, move.tree, uses, move.places, move.once)

    def _moves(self, cell: Cell, tree: Term) -> Iterator[Move]:
        if tree.op == "name" and self._is_alias(cell):
            return  # the step that gives a number a second name is no step to slip at
        for put, node in positions(tree):
            for kind, words, changed, *_ in self._at(cell, node):
                yield Move(kind, words, put(changed))
        yield Move("sign_turned", say("the sign turned"), node_of("neg", tree) if tree.op != "neg" else tree.args[0])
        if sum(1 for _ in leaves(tree)) <= LONG:
            yield from self._exchanged(cell, tree)
            yield from self._in_place(cell, tree)
        yield from self._slipped(tree)
        if self._rounds:
            yield from self._rounded(tree)

    def _is_alias(self, cell: Cell) -> bool:
        return cell.symbol in ("dz/dW", "dz/dx")

    # moves at one node

    def _at(self, cell: Cell, node: Term) -> Iterator[Move]:
        op, args = node.op, node.args
        if op == "+":
            yield from self._sum(cell, args)
        elif op == "-":
            a, b = args
            yield Move("addend_left_out", say("{what} left out", what=self._say(b)), a)
            yield Move("addend_left_out", say("{what} left out", what=self._say(a)), node_of("neg", b))
            yield Move("sign_turned", say("+ in place of - before {what}", what=self._say(b)), node_of("+", a, b))
            turned = say("{one} and {other} the wrong way round", one=self._say(a), other=self._say(b))
            yield Move("sign_turned", turned, node_of("-", b, a))
        elif op == "*":
            for place, each in enumerate(args):
                rest = args[:place] + args[place + 1 :]
                yield Move("factor_left_out", say("the factor {what} left out", what=self._say(each)), node_of("*", *rest))
        elif op == "/":
            by = self._say(args[1])
            yield Move("factor_left_out", say("the division by {what} left out", what=by), args[0])
            turned = say("a multiplication in place of the division by {what}", what=by)
            yield Move("factor_left_out", turned, node_of("*", *args))
        elif op == "neg":
            yield Move("sign_turned", say("the minus before {what} left out", what=self._say(args[0])), args[0])
        elif op == "**":
            yield Move("step_left_out", say("{what} not raised to the power", what=self._say(args[0])), args[0])
        elif op == "where":
            for branch in args[1:]:
                yield Move("wrong_branch", say("the case {what} taken", what=self._say(branch)), branch)
        elif op not in ("name", "literal", "greater", "maximum", "minimum"):
            yield Move("step_left_out", say("{rule} not applied to {what}", rule=op, what=self._say(args[0])), args[0])

    def _sum(self, cell: Cell, args: tuple[Term, ...]) -> Iterator[Move]:
        for place, each in enumerate(args):
            rest = args[:place] + args[place + 1 :]
            path = isinstance(each.name, Cell) and (each.name.via is not None or each.name.sample > cell.sample)
            kind = "one_path" if path else "addend_left_out"
            yield Move(kind, say("{what} left out", what=self._addend(each)), node_of("+", *rest))
            turned = each.args[0] if each.op == "neg" else node_of("neg", each)
            yield Move(
                "sign_turned",
                say("the sign of {what} turned", what=self._say(each)),
                node_of("+", *args[:place], turned, *args[place + 1 :]),
            )
            if path and len(args) > 2:
                yield Move("one_path", say("only {what} of the sum", what=self._say(each)), each)

    def _addend(self, each: Term) -> str:
        cell = each.name
        if isinstance(cell, Cell) and cell.symbol == "b":
            return say("the bias {what}", what=self._say(each))
        if isinstance(cell, Cell) and cell.via is not None:
            return say("the path {what}", what=self._say(each))
        return self._say(each)

    # moves at names

    def _in_place(self, cell: Cell, tree: Term) -> Iterator[Move]:
        """Another number in place of one: everywhere in the formula, or where it stands one time of several."""
        for leaf in leaves(tree):
            for kind, other in self._others(leaf):
                if other in (leaf, self._meaning(leaf)):
                    continue
                words = say("{one} in place of {other}", one=self._name(other), other=self._name(leaf))
                yield Move(kind, words, renamed(tree, {leaf: other}))
                spots = [put for put, node in positions(tree) if node.name == leaf]
                if len(spots) > 1:
                    for count, put in enumerate(spots, 1):
                        there = say("{what} at place {n}", what=words, n=count)
                        yield Move(kind, there, put(named(other, 0.0)), once=True)

    def _others(self, leaf: Cell) -> Iterator[tuple[str, Cell]]:
        """What a person may take for a number: kind of slip, and the other number."""
        cell = self._meaning(leaf)
        yield from ((kind, other) for kind, other in self._related(cell) if other in self.sheet)
        yield from (("neighbour", other) for other in self._neighbours(cell))
        if leaf.symbol == "dz/dW":
            weight = leaf._replace(symbol="W", sample=0)
            if weight in self.sheet:
                yield "weight_for_activation", weight
        if leaf.symbol == "dz/dx":
            sender = Cell("a" if leaf.layer > 1 else "x", leaf.layer - 1, leaf.units[1:], leaf.sample)
            if sender in self.sheet:
                yield "weight_for_activation", sender

    def _meaning(self, leaf: Cell) -> Cell:
        """The number that a local derivative is another name for."""
        formula = self.sheet.formulas[leaf]
        if self._is_alias(leaf) and formula is not None and isinstance(formula.name, Cell):
            return formula.name
        return leaf

    def _related(self, cell: Cell) -> Iterator[tuple[str, Cell]]:
        symbol, units = cell.symbol, cell.units
        if symbol == "a":
            yield "net_for_out", cell._replace(symbol="z")
        elif symbol == "z":
            yield "out_for_net", cell._replace(symbol="a")
        elif symbol in ("dE/dz", "dE/da", "da/dz"):
            for other in ("dE/dz", "dE/da", "da/dz"):
                if other != symbol:
                    yield "derivative_for_another", cell._replace(symbol=other)
        elif symbol in ("W", "b"):
            if symbol == "W":
                yield "transposed", cell._replace(units=units[::-1])
            yield "updated_weight", cell._replace(symbol=f"{symbol}+")
        elif symbol.endswith("+") and cell.of:
            yield "old_memory", cell._replace(symbol=symbol[:-1])

    def _neighbours(self, cell: Cell) -> list[Cell]:
        """Numbers of the same kind, the nearest first: other units of the layer, other samples, the other layers' bias."""
        near = [each for each in self._shelves.get((cell.symbol, cell.layer, cell.of), ()) if each != cell]
        near.sort(key=lambda each: (each.sample != cell.sample, _distance(each.units, cell.units), each))
        other_layers = [cell._replace(layer=cell.layer + step) for step in (-1, 1)]
        return [*near[:CLOSE], *(each for each in other_layers if cell.symbol in ("b", "dE/dz", "a") and each in self.sheet)]

    def _exchanged(self, cell: Cell, tree: Term) -> Iterator[Move]:
        """Two numbers of a kind, each in the other's place; or all weights of the formula by their mirror images."""
        used = list(leaves(tree))
        for place, one in enumerate(used):
            for two in used[place + 1 :]:
                if self._kind(one) == self._kind(two):
                    words = say("{one} and {other} exchanged", one=self._name(one), other=self._name(two))
                    yield Move("names_swapped", words, renamed(tree, {one: two, two: one}))
        weights = {each: self._meaning(each) for each in used if self._meaning(each).symbol == "W"}
        mirrored = {each: weight._replace(units=weight.units[::-1]) for each, weight in weights.items()}
        if len(mirrored) > 1 and all(each in self.sheet for each in mirrored.values()):
            yield Move("transposed", say("the weights by columns instead of rows"), renamed(tree, mirrored))

    def _kind(self, leaf: Cell) -> tuple[str, int, bool]:
        cell = self._meaning(leaf)
        return cell.symbol, cell.layer, cell.via is None

    # moves at numbers

    def _slipped(self, tree: Term) -> Iterator[Move]:
        """A given number copied with its decimal point or two of its digits in the wrong place."""
        for leaf in leaves(tree):
            cell = self._meaning(leaf)
            value = self.sheet.values[cell]
            if self.sheet.formulas[cell] is not None or not value:
                continue
            for factor in (0.1, 10.0):
                slipped = float(f"{value * factor:.15g}")
                yield Move("decimal_point", self._taken(cell, slipped), replaced(tree, leaf, term(slipped)))
            for swapped in transpositions(repr(abs(value))):
                number = float(swapped) * (1 if value > 0 else -1)
                yield Move("digits_swapped", self._taken(cell, number), replaced(tree, leaf, term(number)))

    def _taken(self, cell: Cell, number: float) -> str:
        return say("{name} taken as {value}", name=self._name(cell), value=f"{number:g}")

    def _rounded(self, tree: Term) -> Iterator[Move]:
        """Everything that was computed before, rounded or cut off to so many decimals."""
        values = {leaf: self.sheet.values[leaf] for leaf in leaves(tree)}
        computed = [leaf for leaf in values if self.sheet.formulas[self._meaning(leaf)] is not None]
        for how, kind, words in (
            ("rounded", "rounded_intermediates", phrase("{names} rounded to {n} decimals")),
            ("truncated", "truncated_intermediates", phrase("{names} cut off to {n} decimals")),
        ):
            for places in PLACES if computed else ():
                numbers = Rounding(how, places)
                other = {leaf: numbers.number(values[leaf]) for leaf in computed}
                if any(other[leaf] != values[leaf] for leaf in computed):
                    names = listed(self._name(leaf) for leaf in computed[:3]) + (" ..." if len(computed) > 3 else "")
                    changed = tree
                    for leaf in computed:
                        changed = replaced(changed, leaf, node_of(how, named(leaf, 0.0), term(places)))
                    yield Move(kind, say(words, names=names, n=places), changed, places)

    # words

    def _say(self, piece: Term) -> str:
        text = self._text.print(piece)
        return text if len(text) <= 40 else f"{text[:37]}..."

    def _name(self, cell: Cell) -> str:
        return self.sheet.trace.label(self._meaning(cell))


def _same(one: Term | None, other: Term | None) -> bool:
    return one is other or (one is not None and other is not None and key(one) == key(other))


def _distance(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    return sum(abs(a - b) for a, b in zip(one, other, strict=False))


def transpositions(digits: str) -> Iterator[str]:
    """A written number with two digits that stand side by side exchanged; the decimal point stays where it is."""
    head, e, exponent = digits.partition("e")
    places = [place for place, sign in enumerate(head) if sign.isdigit()]
    if sum(sign.isdigit() for sign in head) > 12:
        return  # nobody copies such a number by hand
    for one, two in pairwise(places):
        if head[one] != head[two]:
            signs = list(head)
            signs[one], signs[two] = signs[two], signs[one]
            yield "".join(signs) + e + exponent
