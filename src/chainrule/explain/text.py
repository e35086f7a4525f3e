"""The story as plain text for a terminal of any width."""

from __future__ import annotations

import textwrap

from chainrule.explain.story import Section, Sheet, Story, aligned, table
from chainrule.steps import Step
from chainrule.tracing import Trace

NARROWEST = 40


def tell(trace: Trace, story: Story, width: int = 80, **_: object) -> str:
    """Plain text, lines no longer than `width` where a formula can be broken."""
    width = max(width, NARROWEST)
    lines = [*textwrap.wrap(story.title, width), "=" * min(len(story.title), width), ""]
    label = max(len(name) for name, _ in story.head) + 2
    for name, words in story.head:
        lines += textwrap.wrap(words, width, initial_indent=name.ljust(label), subsequent_indent=" " * label)
    for note in (*story.notes, *story.hints):
        lines += ["", *textwrap.wrap(note, width)]
    if story.given:
        lines += ["", *_title("Given"), *_given(story.given, width)]
    for section in story.sections:
        lines += _section(section, width)
    if story.changes:
        lines += ["", *_title("Before and after"), *_changes(story), "", *textwrap.wrap(story.after, width)]
    for sheet in story.sheets:
        lines += ["", *_title(sheet.title), *_sheet(sheet, story, width)]
    if trace.forward_only:
        lines += ["", *textwrap.wrap(story.after, width)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _title(text: str) -> list[str]:
    return [text, "-" * len(text), ""]


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
            lines += [*([""] if lines[-1] else []), part.heading + ":", ""]
        for place, paragraph in enumerate(part.paragraphs):
            if paragraph.reason:
                lines += [*([""] if place else []), *textwrap.wrap(paragraph.reason, width), ""]
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
    names = max(len("number"), *(len(row[0]) for row in rows))
    widths = [max(len(title), len(rows[0][place])) for place, title in ((1, "before"), (2, "after"), (3, "change"))]
    head = "number".ljust(names) + "".join(
        "   " + title.ljust(width) for title, width in zip(("before", "after", "change"), widths, strict=True)
    )
    body = [
        row[0].ljust(names) + "".join("   " + cell.ljust(width) for cell, width in zip(row[1:], widths, strict=True))
        for row in rows
    ]
    return [head, *body]


def _sheet(sheet: Sheet, story: Story, width: int) -> list[str]:
    columns = sheet.columns(story.digits)
    widths = [
        max(len(title), *map(len, cells)) if cells else len(title) for title, cells in zip(sheet.header, columns, strict=True)
    ]
    rows = [sheet.header, *zip(*columns, strict=True)]
    lines = ["   ".join(cell.ljust(wide) for cell, wide in zip(row, widths, strict=True)) for row in rows]
    return [*([*textwrap.wrap(sheet.sentence, width), ""] if sheet.sentence else []), *lines]
