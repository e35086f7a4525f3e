"""The story as plain text for a terminal of any width."""

from __future__ import annotations

from collections.abc import Sequence

from chainrule.explain.story import Section, Sheet, Story, aligned, changes_head, table
from chainrule.phrases import say
from chainrule.steps import Step
from chainrule.tracing import Trace
from chainrule.widths import left, wrap
from chainrule.widths import width as cells_of

NARROWEST = 40


def tell(trace: Trace, story: Story, width: int = 80, **_: object) -> str:
    """Plain text, lines no longer than `width` where a formula can be broken."""
    width = max(width, NARROWEST)
    lines = [*wrap(story.title, width), "=" * min(cells_of(story.title), width), ""]
    label = max(cells_of(name) for name, _ in story.head) + 2
    for name, words in story.head:
        lines += wrap(words, width, left(name, label), " " * label)
    for note in (*story.notes, *story.hints):
        lines += ["", *wrap(note, width)]
    if story.given:
        lines += ["", *_title(say("Given")), *_given(story.given, width)]
    for section in story.sections:
        lines += _section(section, width)
    if story.changes:
        lines += ["", *_title(say("Before and after")), *_changes(story), "", *wrap(story.after, width)]
    for sheet in story.sheets:
        lines += ["", *_title(sheet.title), *_sheet(sheet, story, width)]
    if trace.forward_only:
        lines += ["", *wrap(story.after, width)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _title(text: str) -> list[str]:
    return [text, "-" * cells_of(text), ""]


def _given(steps: tuple[Step, ...], width: int) -> list[str]:
    names = max(len(step.name) for step in steps)
    values = aligned([step.shown for step in steps])
    cells = [f"{step.name.ljust(names)} = {value}" for step, value in zip(steps, values, strict=True)]
    columns = max(1, min(4, (width + 4) // (len(cells[0]) + 4)))
    rows = -(-len(cells) // columns)
    return ["    ".join(cells[row::rows]) for row in range(rows)]


def _section(section: Section, width: int) -> list[str]:
    lines = ["", *_title(section.title)]
    for part in section.parts:
        if part.heading:
            lines += [*([""] if lines[-1] else []), say("{heading}:", heading=part.heading), ""]
        for place, paragraph in enumerate(part.paragraphs):
            if paragraph.reason:
                lines += [*([""] if place else []), *wrap(paragraph.reason, width), ""]
            for step in paragraph.steps:
                lines += equation(step, width)
    return lines


def equation(step: Step, width: int) -> list[str]:
    """A number's name, its formula, the formula with numbers, and its value, one under the other."""
    sides = list(dict.fromkeys((step.formula, step.substituted, step.shown)))
    indent, lines = "  " + " " * len(step.name), []
    for place, side in enumerate(sides):
        start = f"  {step.name} = " if not place else f"{indent} = "
        lines += broken(side, start, " " * len(start), width)
    return lines


def broken(text: str, start: str, indent: str, width: int) -> list[str]:
    """A formula on as few lines as it needs, broken before plus and minus signs and never inside a number or name."""
    pieces = text.replace(" + ", "\0+ ").replace(" - ", "\0- ").split("\0")
    lines = [start + pieces[0]]
    for piece in pieces[1:]:
        if len(lines[-1]) + 1 + len(piece) <= width:
            lines[-1] += " " + piece
        else:
            lines.append(indent + piece)
    return lines


def _changes(story: Story) -> list[str]:
    rows = table(story.changes, story.digits)
    return _columns([changes_head(), *rows])


def _sheet(sheet: Sheet, story: Story, width: int) -> list[str]:
    columns = sheet.columns(story.digits)
    lines = _columns([sheet.header, *zip(*columns, strict=True)])
    return [*([*wrap(sheet.sentence, width), ""] if sheet.sentence else []), *lines]


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(cells_of, column)) for column in zip(*rows, strict=True)]
    return ["   ".join(left(cell, wide) for cell, wide in zip(row, widths, strict=True)) for row in rows]
