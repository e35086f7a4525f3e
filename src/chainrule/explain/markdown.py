"""The story as Markdown, with formulas between dollar signs as GitHub, Jupyter and Pandoc set them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from chainrule.explain.latex import equation
from chainrule.explain.story import Section, Story, table
from chainrule.phrases import say
from chainrule.terms.printers import latex_name
from chainrule.tracing import Trace

_MARKS = re.compile(r"([\\`*_{}\[\]<>#|$~!&])")


def tell(trace: Trace, story: Story, **_: object) -> str:
    """Markdown source."""
    parts = [
        f"# {escaped(story.title)}",
        _table((say("Choice"), say("Here")), [(escaped(a), escaped(b)) for a, b in story.head]),
    ]
    parts += [escaped(note) for note in story.notes]
    if story.given:
        rows = [(f"${latex_name(step.name)}$", step.shown) for step in story.given]
        parts += [f"## {say('Given')}", _table((say("Number"), say("Value")), rows)]
    for section in story.sections:
        parts += _section(trace, section)
    if story.changes:
        rows_of = table(story.changes, story.digits)
        changes = [[f"${latex_name(row[0])}$", *(cell.strip() for cell in row[1:])] for row in rows_of]
        head = (say("Number"), say("Before"), say("After"), say("Change"))
        parts += [f"## {say('Before and after')}", _table(head, changes), escaped(story.after)]
    for sheet in story.sheets:
        cells = [[escaped(cell) for cell in row] for row in sheet.texts(story.digits)]
        parts += [f"## {escaped(sheet.title)}", *([escaped(sheet.sentence)] if sheet.sentence else [])]
        parts.append(_table([escaped(title) for title in sheet.header], cells))
    if trace.forward_only:
        parts.append(escaped(story.after))
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    """Any text, without a sign that Markdown or HTML would act on."""
    return _MARKS.sub(r"\\\1", text)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = ["---", *("---:" if len(head) > 2 else "---" for _ in head[1:])]
    lines = [head, rule, *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _section(trace: Trace, section: Section) -> list[str]:
    parts = [f"## {section.title}"]
    for part in section.parts:
        if part.heading:
            parts.append(f"### {part.heading}")
        for paragraph in part.paragraphs:
            if paragraph.reason:
                parts.append(escaped(paragraph.reason))
            parts += ["$$\n\\begin{aligned}\n" + equation(trace, step) + "\n\\end{aligned}\n$$" for step in paragraph.steps]
    return parts
