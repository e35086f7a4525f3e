"""Formulas as trees that can be changed: a piece taken out, another put in, names exchanged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from chainrule.marking.sheet import evaluate
from chainrule.naming import Cell
from chainrule.terms.digits import Digits
from chainrule.terms.printers import Text
from chainrule.terms.term import Term, named, term


def node_of(op: str, *args: Term) -> Term:
    """A piece of a tree that is only computed in a sheet; a sum or product of one piece is that piece."""
    if op in ("+", "*") and len(args) == 1:
        return args[0]
    return Term(op, args, 0.0)


def positions(tree: Term) -> Iterator[tuple[Callable[[Term], Term], Term]]:
    """Every piece of a tree, and a function that puts another one in its place."""
    yield (lambda new: new), tree
    for place, each in enumerate(tree.args):
        for put, node in positions(each):
            yield (
                (
                    lambda new, place=place, put=put: node_of(  # type: ignore[misc]
                        tree.op, *tree.args[:place], put(new), *tree.args[place + 1 :]
                    )
                ),
                node,
            )


def replaced(tree: Term, leaf: Cell, new: Term) -> Term:
    """A tree with a piece in place of a name, wherever it stands."""
    if tree.op == "name":
        return new if tree.name == leaf else tree
    if not tree.args:
        return tree
    return Term(tree.op, tuple(replaced(each, leaf, new) for each in tree.args), 0.0)


def renamed(tree: Term, others: dict[Cell, Cell]) -> Term:
    """A tree with other names in place of some, all at once."""
    if tree.op == "name":
        other = others.get(tree.name) if isinstance(tree.name, Cell) else None
        return tree if other is None else named(other, 0.0)
    if not tree.args:
        return tree
    return Term(tree.op, tuple(renamed(each, others) for each in tree.args), 0.0)


def key(tree: Term) -> Any:
    """What makes a tree the same as another: order within sums and products does not."""
    if tree.op == "name":
        return tree.name
    if tree.op == "literal":
        return tree.value
    parts: Iterable[Any] = [key(each) for each in tree.args]
    return (tree.op, *(sorted(parts, key=repr) if tree.op in ("+", "*") else parts))


def shown(tree: Term, look: Callable[[Cell], float], label: Callable[[Any], str], digits: Digits) -> str:
    """A changed formula with numbers in it."""
    return Text(label, digits, values=True).print(_settled(tree, look))


def _settled(tree: Term, look: Callable[[Cell], float]) -> Term:
    if tree.op == "name":
        return named(tree.name, look(tree.name)) if isinstance(tree.name, Cell) else tree
    if not tree.args:
        return tree
    if tree.op in ("rounded", "truncated"):
        return term(float(evaluate(tree, look)))
    return Term(tree.op, tuple(_settled(each, look) for each in tree.args), evaluate(tree, look))
