"""The matrix form beside the scalar form: each named step of a layer as one equation of whole arrays, as MathML.

The formulas are the rules' own lines, run on whole arrays (`terms/whole.py`); nothing is stated here.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any
from xml.sax.saxutils import escape

import numpy as np

from chainrule.naming import Cell
from chainrule.phrases import say
from chainrule.readers import StepKey
from chainrule.terms.printers import ATOM, PRODUCT, MathML, mathml_name
from chainrule.terms.term import Term
from chainrule.tracing import Trace

LINES, KEPT = 6, 3
"""Matrices of more than LINES rows or columns show the first KEPT and the last."""

DOTS = {"across": "<mo>⋯</mo>", "down": "<mo>⋮</mo>", "both": "<mo>⋱</mo>"}


def equations(trace: Trace, sample: int = 1) -> list[dict[str, str]]:
    """Each named step: its phase and layer, which array it is, and as MathML its name, formula, formula with numbers, value.

    sample: whose matrix is shown where there is one for each sample.
    """
    names, numbers = Matrices(trace, sample), Matrices(trace, sample, values=True)
    found = []
    for key, made in trace.whole().items():
        if made.definition is None or (key.layer == 0 and "r" not in key.over and key.over):
            continue
        value, formula = numbers.print(made), names.print(made.definition)
        cell = trace.scope.cell(key, (0,) * np.ndim(made.value))
        valued = "" if numbers.deep(made.definition) else numbers.print(made.definition)
        found.append({
            "sample": str(numbers.row + 1) if numbers.deep(made) else "", "told": told(key),
            "phase": trace.phase(cell), "layer": str(key.layer if trace.phase(cell) != "loss" else 0), "array": array(cell),
            "name": names.print(made), "formula": formula, "numbers": "" if valued == value else valued, "value": value,
        })  # fmt: skip
    return found


def array(cell: Cell) -> str:
    """Which array a number stands in."""
    kind = len(cell.units) if cell.symbol == "E" else ""
    return f"{cell.of}{cell.symbol}{kind}|{cell.layer}"


def told(key: Hashable) -> str:
    """What an array is, where its name does not say it."""
    if not isinstance(key, StepKey) or key.symbol != "E":
        return ""
    return {"ri": say("the loss of each output"), "r1": say("the loss of each sample")}.get(key.over, "")


def name(key: Hashable, trace: Trace) -> str:
    """What an array is called: W[1] is the weights of layer 1."""
    if not isinstance(key, StepKey):
        return trace.label(key)
    symbol, layer, over, parameter = key
    place = f"[{layer}]" if layer and over else ""
    if symbol == "E":
        return {"ri": "E_o", "r1": "E_r"}.get(over, "E")
    if symbol == "dE/dz":
        return f"delta{place}"
    if symbol == "da/dz":
        return f"da{place}/dz{place}"
    if not parameter:
        return symbol + place
    stem, after = symbol.removesuffix("+"), "+" if symbol.endswith("+") else ""
    return f"{stem}_{parameter}{after}{place}" if stem else f"{parameter}{after}{place}"


class Matrices(MathML):
    """MathML of whole arrays: ⊙ multiplies element by element, what has no sign between it is a product of matrices."""

    def __init__(self, trace: Trace, sample: int = 1, values: bool = False) -> None:
        super().__init__(lambda key: name(key, trace), trace.digits, values)
        self.row = min(sample, trace.scope.rows) - 1

    def print(self, term: Term) -> str:
        return self._walk(term)[0]

    def deep(self, term: Term) -> bool:
        """Whether there is a matrix for each of several samples: their numbers do not fit on a page."""
        inside = np.ndim(term.value) > 2 and np.shape(term.value)[0] > 1
        return inside or any(self.deep(each) for each in term.args)

    def _walk(self, term: Term) -> tuple[str, int]:
        op, args = term.op, term.args
        if op == "T" and args[0].op == "T":
            return self._walk(args[0].args[0])
        if op == "T" and args[0].op == "@" and args[0].args[-1].op == "T":
            # (A Bᵀ)ᵀ is B Aᵀ, as books write it where a row is a sample
            turned = [Term("T", (each,), np.transpose(each.value)) for each in args[0].args[-2::-1]]
            return self._walk(Term("@", (args[0].args[-1].args[0], *turned), term.value))
        if op == "T":
            return f"<msup>{self._tight(self._walk(args[0]), ATOM)}<mo>⊤</mo></msup>", ATOM
        if op == "@":
            return f"<mrow>{''.join(self._tight(self._walk(each), PRODUCT) for each in args)}</mrow>", PRODUCT
        if op == "part":
            column = args[1].value == (slice(None), slice(None), None)
            return self._walk(Term("T", args[:1], np.transpose(args[0].value))) if column else self._walk(args[0])
        if op in ("sum", "mean"):
            sign = "<mo>∑</mo>" if op == "sum" else f"<mi>{escape(say('mean'))}</mi>"
            piece = self._walk(args[0])
            inner = self.wrap(piece[0]) if op == "mean" else self._tight(piece, PRODUCT)
            return (
                f"<mrow><munder>{sign}<mtext>{escape(_along(args[0], args[1].value))}</mtext></munder>{inner}</mrow>",
                PRODUCT,
            )
        if op == "identity":
            return "<mi>I</mi>", ATOM
        if op == "*":
            parts = [self._factor(args[0], 0)]
            for place in range(1, len(args)):
                both = np.ndim(args[place].value) and any(np.ndim(each.value) for each in args[:place])
                parts += ["<mo>⊙</mo>" if both else self.dot, self._factor(args[place], place)]
            return f"<mrow>{''.join(parts)}</mrow>", PRODUCT
        if op == "sigmoid":
            return self._applied("sigmoid", self._walk(args[0])[0]), ATOM
        if op in ("max", "first_max"):
            along = self._applied("max", self._walk(args[0])[0])
            return (along if op == "max" else f"<mrow>{self._walk(args[0])[0]}<mo>=</mo>{along}</mrow>"), ATOM
        return super()._walk(term)

    def exp(self, x: tuple[str, int]) -> tuple[str, int]:
        return self._applied("exp", x[0]), ATOM

    def _applied(self, function: str, inner: str) -> str:
        return f"<mrow><mi>{function}</mi><mo>(</mo>{inner}<mo>)</mo></mrow>"

    def _leaf(self, term: Term) -> tuple[str, int]:
        if np.ndim(term.value) == 0:
            return super()._leaf(term)
        if self.values or term.op != "name":
            return self.matrix(term.value), ATOM
        return self.name(term.name), ATOM

    def addends(self, term: Term) -> list[tuple[str, str]]:
        if term.op == "+":
            return [part for arg in term.args for part in self.addends(arg)]
        return super().addends(term)

    def _addend(self, arg: Term) -> tuple[str, str]:
        if np.ndim(arg.value) and arg.op in ("name", "literal"):
            return "+", self._leaf(arg)[0]
        return super()._addend(arg)

    def name(self, key: Hashable) -> str:
        return mathml_name(self.label(key))

    def matrix(self, value: Any) -> str:
        """An array as a table of numbers in brackets; of a large one the first rows and columns, and the last."""
        shown = np.asarray(value)
        if shown.ndim > 2:
            shown = shown[self.row if shown.shape[0] > self.row else 0]
        shown = np.atleast_2d(shown)
        down, across = (_kept(count) for count in shown.shape)
        rows = []
        for i in down:
            cells = [
                DOTS["both"] if i is None and j is None else DOTS["down"] if i is None else DOTS["across"] if j is None
                else self.number(shown[i, j])
                for j in across
            ]  # fmt: skip
            rows.append(f"<mtr>{''.join(f'<mtd>{cell}</mtd>' for cell in cells)}</mtr>")
        return f"<mrow><mo>[</mo><mtable>{''.join(rows)}</mtable><mo>]</mo></mrow>"


def _along(of: Term, axis: int | None) -> str:
    if axis is None or np.ndim(of.value) == 1:
        return say("all")
    return say("rows") if axis == 0 else say("columns")


def _kept(count: int) -> list[int | None]:
    if count <= LINES:
        return list(range(count))
    return [*range(KEPT), None, count - 1]
