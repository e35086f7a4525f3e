"""The story as the data of the interactive page: `mount(element, data)` of the front end takes it.

Everything that is shown is computed and worded here; a browser draws it and adds nothing.
"""

from __future__ import annotations

import math
from typing import Any
from xml.etree import ElementTree

from chainrule.drawing import drawing, spot
from chainrule.errors import printable
from chainrule.explain.equation import sides
from chainrule.explain.json import conventions
from chainrule.explain.matrix import array, equations
from chainrule.explain.story import Section, Sheet, Story, described, table
from chainrule.naming import Cell, cell_id
from chainrule.phrases import phrases, speaking
from chainrule.steps import Step
from chainrule.terms.printers import MathML, mathml_name
from chainrule.terms.term import Term
from chainrule.tracing import Trace, named_in

FEW, SUMMED = 500, 20_000
"""Up to so many parameters, and up to so many of them times the rows that each one's gradient is a sum over, a page has all
numbers of a step; of larger steps one that asks has each when it is opened, and one that cannot ask is text."""


def few(trace: Trace) -> bool:
    """Whether a page has all numbers of the step."""
    parameters = trace.network.size
    return parameters <= FEW and parameters * trace.scope.rows <= SUMMED


def scene(trace: Trace, story: Story) -> dict[str, Any]:
    """Plain data: what stands at the head, the drawing, every told number with its equation, and what came of it."""
    sample = story.sample or 1
    data: dict[str, Any] = {
        "chainrule": 1,
        "title": story.title,
        "notes": list(story.notes),
        "head": [list(pair) for pair in story.head],
        "network": drawing(trace, described, sample),
        "samples": trace.scope.rows,
        "sample": sample,
        "language": speaking(),
        "phrases": dict(phrases("web")),
        "steps": [told(trace, step) for step in story.steps],
        "sections": [_section(section) for section in story.sections],
        "matrices": [],
        "conclusion": story.after,
        "sheets": [_sheet(sheet, story) for sheet in story.sheets],
    }
    if not trace.forward_only:
        if data["network"]["edges"] is not None and story.steps:
            data["matrices"] = [_matrix(equation) for equation in equations(trace, sample or 1)]
        data |= {
            "update": trace.number,
            "conventions": conventions(trace),
            "loss": {"before": plain(trace.loss), "after": plain(trace.loss_after)},
            "changes": [
                {"id": change.id, "name": printed[0], "before": printed[1], "after": printed[2], "difference": printed[3]}
                for change, printed in zip(story.changes, table(story.changes, story.digits), strict=True)
            ],
        }
    safe: dict[str, Any] = _visible(data)
    return safe


def _visible(data: Any) -> Any:
    """The same data with every sign that could steer a page made visible."""
    if isinstance(data, str):
        return printable(data)
    if isinstance(data, dict):
        return {key: _visible(value) for key, value in data.items()}
    return [_visible(each) for each in data] if isinstance(data, list) else data


def told(trace: Trace, step: Step) -> dict[str, Any]:
    """A number: the JSON of the interface, and its equation as trees of MathML in which every name is a link.

    Of a long sum only the numbers that are printed are listed under uses; `more` counts the others.
    """
    cell = trace.find(step.id)
    term = trace.term(cell)
    seen = named_in(trace.formula(term), shown=True)
    uses = list(dict.fromkeys(cell_id(each.name) for each in seen if isinstance(each.name, Cell)))
    return {
        "id": step.id,
        "name": step.name,
        "phase": step.phase,
        "sample": step.sample,
        "formula": step.formula,
        "substituted": step.substituted,
        "value": plain(step.value),
        "shown": step.shown,
        "uses": uses,
        "more": len(step.uses) - len(uses),
        "because": step.because,
        "spot": spot(cell),
        "array": array(cell),
        "label": tree(mathml_name(step.name)),
        "sides": [[tree(line) for line in side] for side in sides(trace, step, Linked)],
    }


class Linked(MathML):
    """MathML in which each name, and each number that stands for one, is wrapped in an mrow that says whose it is."""

    def _leaf(self, term: Term) -> tuple[str, int]:
        text, held = super()._leaf(term)
        return self._link(term, text), held

    def _addend(self, arg: Term) -> tuple[str, str]:
        sign, text = super()._addend(arg)
        return sign, self._link(arg, text) if sign == "-" else text

    def _link(self, term: Term, text: str) -> str:
        if term.op != "name" or not isinstance(term.name, Cell):
            return text
        return f'<mrow id="{cell_id(term.name)}">{text}</mrow>'


def tree(markup: str) -> Any:
    """Markup of a printer as nested lists: an element's name, its attributes if it has any, and what stands in it."""
    return _plainly(ElementTree.fromstring(f"<mrow>{markup}</mrow>"))


def _plainly(element: ElementTree.Element) -> Any:
    inner = [*([element.text] if element.text else []), *map(_plainly, element)]
    if element.tag == "mrow" and not element.attrib and len(inner) == 1:
        return inner[0]  # a row of one is that one
    return [element.tag, *([element.attrib] if element.attrib else []), *inner]


def plain(value: Any) -> Any:
    """A number as JSON has it; what JSON cannot hold is its text."""
    try:
        number = float(value)
    except OverflowError:
        return str(value)
    return number if math.isfinite(number) else str(number)


def _matrix(equation: dict[str, str]) -> dict[str, Any]:
    markup = ("name", "formula", "numbers", "value")
    return {key: (tree(text) if text else None) if key in markup else text for key, text in equation.items()}


def _section(section: Section) -> dict[str, Any]:
    parts = [
        {
            "heading": part.heading,
            "paragraphs": [
                {"reason": paragraph.reason, "ids": [step.id for step in paragraph.steps]} for paragraph in part.paragraphs
            ],
        }
        for part in section.parts
    ]
    return {"phase": section.phase, "title": section.title, "parts": parts}


def _sheet(sheet: Sheet, story: Story) -> dict[str, Any]:
    rows = [list(row) for row in zip(*sheet.columns(story.digits), strict=True)]
    return {"title": sheet.title, "sentence": sheet.sentence, "columns": list(sheet.header), "rows": rows}
