"""The story as LaTeX: a fragment for a text of one's own, or a document. Either needs amsmath and nothing else; in Chinese,
ctex too."""

from __future__ import annotations

from chainrule.explain.equation import sides
from chainrule.explain.story import Section, Story, changes_head, table
from chainrule.phrases import say, speaking
from chainrule.steps import Step
from chainrule.terms.printers import Latex, latex_name, latex_number, latex_text
from chainrule.tracing import Trace

OPENING = r"""\documentclass[11pt,a4paper,fleqn]{article}
\usepackage{amsmath}
\allowdisplaybreaks
\addtolength{\textheight}{3cm}
\addtolength{\topmargin}{-1.5cm}
\setlength{\parindent}{0pt}
\setlength{\parskip}{4pt}
\begin{document}
"""

CHINESE = "\\usepackage{ctex}\n"
"""Sets Chinese; it needs XeLaTeX or LuaLaTeX, and a Chinese font."""


def opening() -> str:
    """What stands before a document in the language that is spoken."""
    return OPENING.replace("\\usepackage{amsmath}\n", "\\usepackage{amsmath}\n" + CHINESE) if speaking() == "zh" else OPENING


def tell(trace: Trace, story: Story, fragment: bool = False, **_: object) -> str:
    """LaTeX source; with `fragment`, without the preamble."""
    parts = [rf"\section*{{{latex_text(story.title)}}}"]
    parts.append(_rows(r"lp{0.75\linewidth}", [(latex_text(a), latex_text(b)) for a, b in story.head]))
    parts += [latex_text(note) + "\n" for note in story.notes]
    if story.given:
        parts += [rf"\subsection*{{{latex_text(say('Given'))}}}", _given(trace, story.given)]
    parts += [_section(trace, section) for section in story.sections]
    if story.changes:
        changes = table(story.changes, story.digits)
        rows = [(f"${latex_name(row[0])}$", *(f"${_number(cell)}$" for cell in row[1:])) for row in changes]
        parts += [
            rf"\subsection*{{{latex_text(say('Before and after'))}}}",
            _long(tuple(map(latex_text, changes_head())), rows),
        ]
        parts.append(latex_text(story.after))
    for sheet in story.sheets:
        texts = [tuple(latex_text(cell) for cell in row) for row in (list(sheet.header), *sheet.texts(story.digits))]
        parts += [rf"\subsection*{{{latex_text(sheet.title)}}}", latex_text(sheet.sentence) + "\n", _long(texts[0], texts[1:])]
    if trace.forward_only:
        parts.append(latex_text(story.after))
    body = "\n".join(parts) + "\n"
    return body if fragment else opening() + body + "\\end{document}\n"


def _number(text: str) -> str:
    return latex_number(text.strip())


def _rows(columns: str, rows: list[tuple[str, ...]]) -> str:
    lines = [" & ".join(row) + r" \\" for row in rows]
    return "\n".join([rf"\begin{{tabular}}{{@{{}}{columns}@{{}}}}", *lines, r"\end{tabular}", ""])


def _long(head: tuple[str, ...], rows: list[tuple[str, ...]], page: int = 36) -> str:
    """A table in pieces that each fit a page: plain LaTeX cannot break one."""
    pieces = [rows[start : start + page] for start in range(0, len(rows), page)]
    return "\n".join(_rows("l" + "r" * (len(head) - 1), [head, *piece]) for piece in pieces)


def _given(trace: Trace, steps: tuple[Step, ...]) -> str:
    cells = [f"${latex_name(step.name)} = {_number(step.shown)}$" for step in steps]
    columns = 4 if max(len(step.name + step.shown) for step in steps) <= 16 else 2
    rows = [tuple(cells[start : start + columns]) for start in range(0, len(cells), columns)]
    pieces = [rows[start : start + 36] for start in range(0, len(rows), 36)]
    return "\n".join(_rows("l" * columns, piece) for piece in pieces)


def _section(trace: Trace, section: Section) -> str:
    parts = [rf"\subsection*{{{latex_text(section.title)}}}"]
    for part in section.parts:
        if part.heading:
            parts.append(rf"\subsubsection*{{{latex_text(part.heading)}}}")
        for paragraph in part.paragraphs:
            if paragraph.reason:
                parts.append(latex_text(paragraph.reason))
            lines = " \\\\[2pt]\n".join(equation(trace, step) for step in paragraph.steps)
            parts.append(f"\\begin{{align*}}\n{lines}\n\\end{{align*}}")
    return "\n".join(parts)


def equation(trace: Trace, step: Step) -> str:
    """A number's name, its formula, the formula with numbers, and its value: the lines of an align environment."""
    lines = [" \\\\\n &\\quad ".join(side) for side in sides(trace, step, Latex)]
    return f"{latex_name(step.name)} &= " + " \\\\\n &= ".join(lines)
