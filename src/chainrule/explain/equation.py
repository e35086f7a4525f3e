"""A number's equation, side by side and line by line, for formats that set it themselves."""

from __future__ import annotations

from chainrule.steps import Step
from chainrule.terms.printers import Text
from chainrule.terms.term import Term
from chainrule.tracing import Trace

LINE = 52
"""Signs of plain text that fill a line; longer sums are broken."""


def sides(trace: Trace, step: Step, kind: type[Text]) -> list[list[str]]:
    """The formula, the formula with numbers and the value, each as its lines, in a printer's language."""
    term = trace.term(trace.find(step.id))
    formula, result = trace.formula(term), [kind(digits=trace.digits).number(term.value)]
    if formula is None:
        return [result]
    found = [_lines(trace, kind, formula, values) for values in (False, True)]
    if found[0] == found[1] or step.formula == step.substituted:
        found.pop()
    return [*found[:1], result] if step.substituted == step.shown else [*found, result]


def _lines(trace: Trace, kind: type[Text], formula: Term, values: bool) -> list[str]:
    plain, printer = Text(trace.label, trace.digits, values), kind(trace.label, trace.digits, values)
    if formula.op == "/" and len(plain.print(formula)) > LINE and formula.args[0].op in ("+", "-"):
        # a fraction cannot be broken, a factor in front of brackets can
        lines = _sum(plain, printer, formula.args[0])
        lines[0] = printer.opening(printer.print(formula.args[1])) + lines[0]
        lines[-1] += printer.closing
        return lines
    return _sum(plain, printer, formula)


def _sum(plain: Text, printer: Text, formula: Term) -> list[str]:
    widths = [len(text) for _, text in plain.addends(formula)]
    lines: list[list[tuple[str, str]]] = [[]]
    used = 0
    for width, part in zip(widths, printer.addends(formula), strict=True):
        if used and used + width > LINE:
            lines.append([])
            used = 0
        used += width + 3
        lines[-1].append(part)
    first, *rest = lines
    return [printer.add(first), *(printer.go_on(line) for line in rest)]
